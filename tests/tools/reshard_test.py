#!/usr/bin/env python3
"""Puts records while the stream is split, merged and resized, and gets each back once, in order per key.

    reshard_test.py SLUICE

A reader that follows from the start and one that comes afterwards must give the same.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import golden_test

KEYS = 40
ROUNDS = 1_000
CHANGES = [
    ["split", "--shard", "0"],
    ["split", "--shard", "1"],
    ["merge", "--shard", "4", "--with", "2"],
    ["resize", "--shards", "4"],
    ["resize", "--shards", "1"],
    ["resize", "--shards", "3"],
]


def sluice(program, ports, *arguments, **options):
    command = [program, "--broker", f"127.0.0.1:{ports['native']}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=golden_test.COMMAND_TIMEOUT_S, **options).stdout


def put_while_resharding(program, ports):
    """Between any two changes records are on their way, and all of them are put."""
    command = [program, "--broker", f"127.0.0.1:{ports['native']}", "put", "orders", "--key-field", "key", "--json"]
    put = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    each = ROUNDS // (len(CHANGES) + 1)
    for number in range(ROUNDS):
        for key in range(KEYS):
            put.stdin.write(json.dumps({"key": f"k{key}", "n": number}) + "\n")
        at, rest = divmod(number + 1, each)
        if rest == 0 and at <= len(CHANGES):
            name, *options = CHANGES[at - 1]
            sluice(program, ports, "stream", name, "orders", *options)
    summary = json.loads(put.communicate(timeout=golden_test.COMMAND_TIMEOUT_S)[0])
    assert put.returncode == 0, summary
    assert summary["records"] == KEYS * ROUNDS and summary["records_failed"] == 0, summary


def check(text, reader):
    found = collections.defaultdict(list)
    for line in text.splitlines():
        record = json.loads(line)
        found[record["key"]].append(record["n"])
    assert len(found) == KEYS, f"{reader}: {len(found)} keys"
    for key, numbers in found.items():
        assert numbers == list(range(ROUNDS)), f"{reader}: key {key} has {len(numbers)} records, or not in order"


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        broker = golden_test.Broker(program, pathlib.Path(directory))
        try:
            sluice(program, broker.ports, "stream", "create", "orders")
            follow = subprocess.Popen(
                [program, "--broker", f"127.0.0.1:{broker.ports['native']}", "get", "orders", "--follow", "--limit", str(KEYS * ROUNDS)],
                stdout=subprocess.PIPE, text=True)
            try:
                put_while_resharding(program, broker.ports)
                check(follow.communicate(timeout=golden_test.COMMAND_TIMEOUT_S)[0], "the reader that followed")
            finally:
                follow.kill()
                follow.wait()
            check(sluice(program, broker.ports, "get", "orders"), "the reader that came afterwards")
            stream = json.loads(sluice(program, broker.ports, "stream", "describe", "orders", "--json"))
            written = [shard for shard in stream["closed_shards"] if shard["end_offset"] > 0]
            assert len(stream["shards"]) == 3 and len(written) >= 4, stream
        finally:
            broker.stop()
    print(f"{KEYS * ROUNDS} records, {len(CHANGES)} changes of the shards")


if __name__ == "__main__":
    main()
