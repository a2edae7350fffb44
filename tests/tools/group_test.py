#!/usr/bin/env python3
"""Members of a consumer group as processes, while records are put: shards are split and merged, a member and the broker are killed.

    group_test.py SLUICE

Each record is printed by some member, and in each member's output the records of a key ascend. Before anything is killed, each is
printed once.
"""
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import golden_test

KEYS = 40
ROUNDS = 400
PHASES = 8


class Broker(golden_test.Broker):
    """One that can be killed, and comes back at the same port."""

    def __init__(self, sluice, directory):
        super().__init__(sluice, directory)
        self.sluice, self.directory = sluice, directory

    def kill_and_start(self):
        self.process.kill()
        self.process.wait()
        (self.directory / "data" / "ports.json").unlink()
        environment = dict(os.environ, SLUICE_NATIVE__PORT=str(self.ports["native"]), SLUICE_ADMIN__PORT="0", SLUICE_AWS__PORT="0", SLUICE_AWS__TLS_PORT="0")
        self.process = subprocess.Popen(
            [self.sluice, "serve", "--data", str(self.directory / "data"), "--lake", str(self.directory / "lake")],
            env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        self.ports = self.wait_for_ports(self.directory / "data" / "ports.json")


class Test:
    def __init__(self, sluice, directory):
        self.sluice, self.directory = sluice, directory
        self.broker = Broker(sluice, directory)
        self.members = []
        self.put = None

    def command(self, *arguments):
        return [self.sluice, "--broker", f"127.0.0.1:{self.broker.ports['native']}", *arguments]

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), check=True, capture_output=True, text=True, timeout=120).stdout

    def has_joined(self, process):
        described = subprocess.run(self.command("group", "describe", "orders/billing", "--json"), capture_output=True, text=True, timeout=120)
        if described.returncode != 0:
            return False  # the group is not there yet
        return any(member["name"].endswith(f"-{process.pid}") for member in json.loads(described.stdout)["members"])

    def add_member(self):
        """Returns when it has joined."""
        path = self.directory / f"member-{len(self.members)}"
        with open(path, "wb") as output:
            process = subprocess.Popen(self.command("get", "orders", "--group", "billing", "--follow"), stdout=output)
        self.members.append((process, path))
        while not self.has_joined(process):
            assert process.poll() is None, "a member could not join"
        return process

    def start_put(self):
        self.put = subprocess.Popen(self.command("put", "orders", "--key-field", "key", "--json"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def put_phase(self, phase):
        each = ROUNDS // PHASES
        for number in range(phase * each, (phase + 1) * each):
            for key in range(KEYS):
                self.put.stdin.write(json.dumps({"key": f"k{key}", "n": number}) + "\n")
        self.put.stdin.flush()

    def finish_put(self):
        summary = json.loads(self.put.communicate(timeout=120)[0])
        assert self.put.returncode == 0 and summary["records_failed"] == 0, summary

    def catch_up(self):
        """Returns when the group has processed what there was."""
        with open(self.directory / f"late-{len(self.members)}", "wb") as output:
            subprocess.run(self.command("get", "orders", "--group", "billing"), stdout=output, check=True, timeout=120)
        self.members.append((None, self.directory / f"late-{len(self.members)}"))

    def stop(self):
        for process, _ in self.members:
            if process and process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=60)
        if self.put and self.put.poll() is None:
            self.put.kill()
            self.put.wait()
        self.broker.stop()

    def check(self, rounds, exactly_once):
        found = collections.Counter()
        for _, path in self.members:
            last = {}
            for line in path.read_text().splitlines():
                try:
                    record = json.loads(line)
                except json.JSONDecodeError:
                    continue  # cut off where the member was killed
                assert record["n"] > last.get(record["key"], -1), f"{path.name}: {record} after {last[record['key']]}"
                last[record["key"]] = record["n"]
                found[record["key"], record["n"]] += 1
        expected = {(f"k{key}", number) for key in range(KEYS) for number in range(rounds)}
        assert set(found) == expected, f"{len(expected - set(found))} records were not processed"
        if exactly_once:
            twice = [record for record, count in found.items() if count > 1]
            assert not twice, f"{len(twice)} records were processed twice"


def main():
    with tempfile.TemporaryDirectory() as name:
        test = Test(os.path.abspath(sys.argv[1]), pathlib.Path(name))
        try:
            test.run("stream", "create", "orders", "--shards", "4")
            first = test.add_member()
            second = test.add_member()
            test.start_put()
            test.put_phase(0)
            test.run("stream", "split", "orders", "--shard", "0")
            test.put_phase(1)
            test.run("stream", "merge", "orders", "--shard", "1", "--with", "2")
            test.put_phase(2)
            test.finish_put()
            test.catch_up()
            test.check(3 * ROUNDS // PHASES, exactly_once=True)

            test.start_put()
            test.put_phase(3)
            first.kill()
            first.wait()
            test.put_phase(4)
            test.broker.kill_and_start()
            test.put_phase(5)
            test.add_member()
            test.run("stream", "split", "orders", "--shard", "3")
            test.put_phase(6)
            test.broker.kill_and_start()
            test.put_phase(7)
            test.finish_put()
            test.catch_up()
            assert second.poll() is None, "a member did not bear the restarts"
            test.check(ROUNDS, exactly_once=False)
            group = json.loads(test.run("group", "describe", "orders/billing", "--json"))
            assert group["lag_records"] == 0 and group["missed_records"] == 0, group
        finally:
            test.stop()
    print(f"{KEYS * ROUNDS} records, {len(test.members)} members")


if __name__ == "__main__":
    main()
