#!/usr/bin/env python3
"""`sluice agent` over a log that is written, renamed, copied and truncated, truncated, while the agent and the broker are killed
again and again and the stream's shards change: each line once.

    agent_test.py SLUICE [SEED]

Lines are truncated away without a copy only when they are known to be stored. A delivery stream gets a file of its own. A third flow
has more files than a process may have open unless it asks for more.
"""
import collections
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import golden_test

STEPS = 60
LINES_PER_STEP = 40
WEB_LINES = 300
IDLE_FILES = 100
OPEN_FILES_MAX = 64
WEB = {
    "DeliveryStreamName": "web",
    "ExtendedS3DestinationConfiguration": {
        "BucketARN": "arn:aws:s3:::lake",
        "Prefix": "web/",
        "DataFormatConversionConfiguration": {"Enabled": True},
    },
    "Sluice": {"Columns": [{"Name": "number", "Type": "string"}, {"Name": "word", "Type": "string"}]},
}


class Log:
    """A log as programs and logrotate treat it: app.log, app.log.1, ..."""

    def __init__(self, directory):
        self.path = directory / "app.log"
        self.written = 0

    def write(self, count):
        with open(self.path, "ab") as file:
            for _ in range(count):
                file.write(f"line {self.written} {'x' * (self.written % 70)}\n".encode())
                self.written += 1

    def rename(self):
        self.shift()
        self.path.rename(f"{self.path}.1")
        self.write(1)

    def copy_and_truncate(self):
        self.shift()
        shutil.copyfile(self.path, f"{self.path}.1")
        os.truncate(self.path, 0)

    def truncate(self):
        os.truncate(self.path, 0)

    def shift(self):
        numbers = sorted((int(path.suffix[1:]) for path in self.path.parent.glob("app.log.*")), reverse=True)
        for number in numbers:
            pathlib.Path(f"{self.path}.{number}").rename(f"{self.path}.{number + 1}")


class Setting:
    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.logs = directory / "logs"
        self.logs.mkdir()
        self.broker = golden_test.Broker(program, directory)
        self.port = self.broker.ports["native"]
        self.agent = None
        self.errors = open(directory / "agent.err", "wb")
        (directory / "agent.json").write_text(json.dumps({
            "cloudwatch.emitMetrics": True,
            "flows": [
                {"filePattern": str(self.logs / "app.log*"), "kinesisStream": "lines", "initialPosition": "START_OF_FILE",
                 "maxBufferAgeMillis": 20, "minTimeBetweenFilePollsMillis": 5, "maxTimeBetweenFileTrackerRefreshMillis": 20,
                 "maxBufferSizeRecords": 50, "retryInitialBackoffMillis": 5, "retryMaxBackoffMillis": 50},
                {"filePattern": str(self.logs / "web.csv"), "deliveryStream": "web", "initialPosition": "START_OF_FILE",
                 "maxBufferAgeMillis": 20, "skipHeaderLines": 1,
                 "dataProcessingOptions": [{"optionName": "CSVTOJSON", "customFieldNames": ["number", "word"]}]},
                {"filePattern": str(self.logs / "idle-*.txt"), "kinesisStream": "idle", "initialPosition": "START_OF_FILE",
                 "maxBufferAgeMillis": 20},
            ]}))

    def run(self, *arguments):
        command = [self.program, "--broker", f"127.0.0.1:{self.port}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=golden_test.COMMAND_TIMEOUT_S).stdout

    def start_agent(self):
        self.agent = subprocess.Popen(
            [self.program, "agent", "--broker", f"127.0.0.1:{self.port}", "--config", str(self.directory / "agent.json"),
             "--state", str(self.directory / "state"), "--json"], stdout=subprocess.PIPE, stderr=self.errors, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES_MAX, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))

    def kill_agent(self):
        self.agent.kill()
        self.agent.wait()
        self.agent.stdout.close()

    def stop_agent(self):
        self.agent.send_signal(signal.SIGTERM)
        shown, _ = self.agent.communicate(timeout=golden_test.COMMAND_TIMEOUT_S)
        assert self.agent.returncode == 0, f"the agent ended with {self.agent.returncode}; see {self.errors.name}"
        return [json.loads(line) for line in shown.splitlines()]

    def restart_broker(self):
        self.broker.process.kill()
        self.broker.process.wait()
        self.broker.log.close()
        (self.directory / "data/ports.json").unlink()
        self.broker = golden_test.Broker(self.program, self.directory, "--set", f"native.port={self.port}")

    def stored(self, stream):
        described = json.loads(self.run("stream", "describe", stream, "--json"))
        return sum(shard["end_offset"] for shard in described["shards"] + described["closed_shards"])

    def wait_until_stored(self, stream, count):
        deadline = time.monotonic() + golden_test.COMMAND_TIMEOUT_S
        while (now := self.stored(stream)) < count:
            assert self.agent.poll() is None, f"the agent ended with {self.agent.returncode}: {self.said()}"
            assert time.monotonic() < deadline, f"{now} of {count} records of {stream} are stored: {self.said()}"

    def said(self):
        return (self.directory / "agent.err").read_text()[-3000:]


def trouble(setting, log, rng):
    """One thing that happens to a log, its agent or its broker."""
    what = rng.choice(["kill"] * 5 + ["rename", "copy", "truncate", "broker", "resize"] + ["kill, rename", "kill, copy", "kill, copy, copy"] * 2)
    if what.startswith("kill"):
        setting.kill_agent()
    if "rename" in what:
        log.rename()
    for _ in range(what.count("copy")):
        log.write(rng.randrange(LINES_PER_STEP))
        log.copy_and_truncate()
        log.write(rng.randrange(LINES_PER_STEP))
    if what == "truncate":
        setting.wait_until_stored("lines", log.written)
        log.truncate()
    if what == "broker":
        setting.restart_broker()
    if what == "resize":
        setting.run("stream", "resize", "lines", "--shards", str(rng.randint(1, 4)))
    if what.startswith("kill"):
        setting.start_agent()
    return what


def check_lines(setting, log):
    numbers = collections.Counter()
    for line in setting.run("get", "lines", "--format", "json").splitlines():
        value = json.loads(line)["value"]
        assert value.endswith("\n"), value
        numbers[int(value.split()[1])] += 1
    missing = [number for number in range(log.written) if numbers[number] == 0]
    doubled = [number for number, count in numbers.items() if count > 1]
    assert not missing and not doubled, f"missing {missing[:20]}, doubled {doubled[:20]}: {setting.said()}"
    assert len(numbers) == log.written


def check_delivery(setting):
    setting.wait_until_stored("delivery:web", WEB_LINES)
    setting.run("delivery", "flush", "web")
    rows = [json.loads(row) for row in setting.run("lake", "cat", str(setting.directory / "lake")).splitlines()]
    assert sorted(int(row["number"]) for row in rows) == list(range(WEB_LINES)), f"{len(rows)} rows"


def check_second_agent(setting):
    second = subprocess.run([setting.program, "agent", "--config", str(setting.directory / "agent.json"), "--state",
                             str(setting.directory / "state")], capture_output=True, text=True, timeout=golden_test.COMMAND_TIMEOUT_S, check=False)
    assert second.returncode == 1 and "another agent has the state" in second.stderr, second
    assert second.stderr.count("cloudwatch.emitMetrics is not used") == 1, second


def main():
    program = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        setting = Setting(program, pathlib.Path(name))
        try:
            setting.run("stream", "create", "lines", "--shards", "2")
            setting.run("stream", "create", "idle")
            (setting.directory / "web.json").write_text(json.dumps(WEB))
            setting.run("delivery", "create", "-f", str(setting.directory / "web.json"))
            log = Log(setting.logs)
            log.write(LINES_PER_STEP)
            (setting.logs / "web.csv").write_text("number,word\n" + "".join(f"{n},word\n" for n in range(WEB_LINES)))
            for number in range(IDLE_FILES):
                (setting.logs / f"idle-{number}.txt").write_text(f"idle {number}\n")
            setting.start_agent()
            setting.wait_until_stored("lines", 1)
            check_second_agent(setting)
            happened = collections.Counter()
            for _ in range(STEPS):
                log.write(LINES_PER_STEP)
                time.sleep(rng.random() * 0.06)  # so that the next thing comes anywhere in the agent's round
                happened[trouble(setting, log, rng)] += 1
            setting.wait_until_stored("lines", log.written)
            check_delivery(setting)
            setting.wait_until_stored("idle", IDLE_FILES)
            summaries = setting.stop_agent()
            assert [summary["stream"] for summary in summaries] == ["lines", "delivery:web", "idle"], summaries
            check_lines(setting, log)
            assert setting.stored("idle") == IDLE_FILES
        finally:
            if setting.agent is not None and setting.agent.poll() is None:
                setting.kill_agent()
            setting.errors.close()
            setting.broker.stop()
    print(f"{log.written} lines, each once; {dict(happened)}")


if __name__ == "__main__":
    main()
