#!/usr/bin/env python3
"""Runs the golden scripts of the command line: what a user types and what must come back.

    golden_test.py SLUICE SCRIPT..

A script is text: a line that starts with "$ " is a command (bash), the lines below it are what it prints (stdout and stderr
together), "[exit N]" says that it ends with N (0 unless said). "{...}" stands for any text within a line. Each script has a
broker of its own on free ports and an empty directory as its working directory; "<<<" blocks make files:

    <<< orders.ndjson
    {"id": 1}
    >>>
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

START_TIMEOUT_S = 60
COMMAND_TIMEOUT_S = 60


class Broker:
    """A `sluice serve` that is ended by its own process id."""

    def __init__(self, sluice, directory, *options):
        environment = dict(os.environ, SLUICE_NATIVE__PORT="0", SLUICE_ADMIN__PORT="0", SLUICE_AWS__PORT="0", SLUICE_AWS__TLS_PORT="0")
        self.log = open(directory / "broker.log", "wb")
        self.process = subprocess.Popen(
            [sluice, "serve", "--data", str(directory / "data"), "--lake", str(directory / "lake"), *options],
            env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        self.ports = self.wait_for_ports(directory / "data" / "ports.json")

    def wait_for_ports(self, path):
        deadline = os.times().elapsed + START_TIMEOUT_S
        while os.times().elapsed < deadline:
            try:
                return json.loads(path.read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                pass
            try:
                self.process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"the broker ended with {self.process.returncode}; see {self.log.name}")
        raise RuntimeError("the broker did not start in time")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=COMMAND_TIMEOUT_S)
        self.log.close()


def parse(script):
    """Yields ("file", name, text) and ("command", line number, command, expected lines, exit code)."""
    lines = script.read_text().splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("<<< "):
            end = lines.index(">>>", at)
            yield "file", line[4:], "\n".join(lines[at:end]) + "\n"
            at = end + 1
        elif line.startswith("$ "):
            number, expected, code = at, [], 0
            while at < len(lines) and not lines[at].startswith(("$ ", "# ", "<<< ")):
                exit_line = re.fullmatch(r"\[exit (\d+)\]", lines[at])
                if exit_line:
                    code = int(exit_line.group(1))
                else:
                    expected.append(lines[at])
                at += 1
            while expected and not expected[-1]:
                expected.pop()
            yield "command", number, line[2:], expected, code


def matches(expected, got):
    pattern = ".*".join(re.escape(part) for part in expected.split("{...}"))
    return re.fullmatch(pattern, got) is not None


def differences(expected, code, result):
    got = [line.rstrip() for line in result.stdout.decode(errors="replace").splitlines()]
    while got and not got[-1]:
        got.pop()
    same = len(expected) == len(got) and all(matches(e.rstrip(), g) for e, g in zip(expected, got))
    if same and code == result.returncode:
        return []
    return (["expected:"] + ["  " + e for e in expected] + [f"  [exit {code}]", "got:"]
            + ["  " + g for g in got] + [f"  [exit {result.returncode}]"])


def run(sluice, script):
    failures = []
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        work = directory / "work"
        work.mkdir()
        broker = Broker(sluice, directory)
        environment = dict(os.environ, SLUICE_BROKER=f"127.0.0.1:{broker.ports['native']}", NO_PROGRESS="1",
                           LAKE=str(directory / "lake"),
                           DATA=str(directory / "data"), PORT=str(broker.ports["native"]), PATH=f"{pathlib.Path(sluice).parent}:{os.environ['PATH']}")
        try:
            for step in parse(script):
                if step[0] == "file":
                    (work / step[1]).write_text(step[2])
                    continue
                _, number, command, expected, code = step
                result = subprocess.run(["bash", "-c", command], cwd=work, env=environment, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, timeout=COMMAND_TIMEOUT_S, check=False)
                wrong = differences(expected, code, result)
                if wrong:
                    failures += [f"{script}:{number}: $ {command}"] + wrong
        finally:
            broker.stop()
    return failures


def main():
    sluice = os.path.abspath(sys.argv[1])
    failures = []
    for script in sys.argv[2:]:
        failures += run(sluice, pathlib.Path(script))
    print("\n".join(failures) or f"{len(sys.argv) - 2} scripts as written")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
