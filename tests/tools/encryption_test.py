#!/usr/bin/env python3
"""Encryption at rest as a user meets it: keys, the words of the command line, and that no plaintext reaches the disk. A canary stands in
keys and values of many records; after journal, write-behind, checkpoints and `kill -9` every file below the data directory is
searched for it. The same without encryption finds it, so that the search can fail.

    encryption_test.py SLUICE
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import golden_test

CANARY = "plain-canary-7f3a"
RECORDS = 3000
WAIT_S = 60


class Encrypted(golden_test.Broker):
    def __init__(self, sluice, directory, *options):
        super().__init__(sluice, directory, "--set", "storage.checkpoint_interval=100ms", "--set", "storage.write_behind_bytes=4KiB", *options)
        self.sluice, self.directory = sluice, directory

    def run(self, *words, code=0, lines=""):
        environment = dict(os.environ, SLUICE_BROKER=f"127.0.0.1:{self.ports['native']}", NO_PROGRESS="1")
        return run(self.sluice, *words, code=code, lines=lines, environment=environment)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        (self.directory / "data/ports.json").unlink()  # the next one's start is told by its own


def run(sluice, *words, code=0, lines="", environment=None):
    result = subprocess.run([sluice, *words], env=environment, input=lines, text=True, capture_output=True,
                            timeout=golden_test.COMMAND_TIMEOUT_S, check=False)
    shown = result.stdout + result.stderr
    expect(result.returncode == code, f"{' '.join(map(str, words))} ended with {result.returncode}, not {code}", shown)
    return shown


def expect(condition, what, shown=""):
    if not condition:
        sys.exit(f"encryption_test: {what}; shown was:\n{shown}")


def lines_of(first, count):
    return "".join(f'{{"id":"{CANARY}-key-{i}","text":"{CANARY}-value-{i} {"x" * 300}"}}\n' for i in range(first, first + count))


def files_with_canary(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes())


def segment_bytes(directory):
    """Of records: segments are made larger than what stands in them, and filled with zeros."""
    return sum(len(path.read_bytes().rstrip(b"\0")) for path in (directory / "data/segments").rglob("*.seg"))


def fill(broker):
    """Records through the journal and, as far as one can wait for it, in the segments."""
    for first in range(0, RECORDS, RECORDS // 3):
        broker.run("put", "orders", "--key-field", "id", lines=lines_of(first, RECORDS // 3))
    deadline = time.monotonic() + WAIT_S
    while segment_bytes(broker.directory) < RECORDS * 300:
        expect(time.monotonic() < deadline, "the records do not reach the segments", str(segment_bytes(broker.directory)))
        time.sleep(0.05)
    broker.run("put", "orders", "--key-field", "id", lines=lines_of(RECORDS, 10))  # perhaps in the journal only


# Answers as a Lambda that passes everything on.
FUNCTION = """import json, sys
for line in sys.stdin:
    records = json.loads(line)["records"]
    print(json.dumps({"records": [{"recordId": r["recordId"], "result": "Ok", "data": r["data"]} for r in records]}), flush=True)
"""


def set_aside(broker):
    """A delivery that has processed its records and cannot put them into the lake: they wait in a file of their own."""
    function = broker.directory / "function.py"
    function.write_text(FUNCTION)
    lake = broker.directory / "lake/flights"
    lake.mkdir(parents=True, exist_ok=True)
    (lake / "out").write_text("a file where the prefix wants a directory")
    config = broker.directory / "delivery.json"
    config.write_text(json.dumps({
        "DeliveryStreamName": "kept",
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/orders"},
        "ExtendedS3DestinationConfiguration": {
            "BucketARN": "arn:aws:s3:::flights",
            "Prefix": "out/",
            "BufferingHints": {"IntervalInSeconds": 0},
            "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": [
                {"ParameterName": "LambdaArn", "ParameterValue": f"command:{sys.executable} {function}"}]}]},
        },
        "Sluice": {"StartPosition": "oldest"},
    }))
    broker.run("delivery", "create", "-f", config)
    deadline = time.monotonic() + WAIT_S
    while not json.loads(broker.run("delivery", "describe", "kept", "--json"))["last_error"]:
        expect(time.monotonic() < deadline, "the delivery does not fail")
        time.sleep(0.05)
    spill = broker.directory / "data/delivery/kept.spill"
    expect(spill.stat().st_size > RECORDS * 300, "the records are not set aside")


def search(sluice, encrypted):
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        options = ["--set", "delivery.allow_commands=true"]
        if encrypted:
            run(sluice, "key", "new", directory / "master.keys")
            options += ["--set", f"encryption.key_file={directory / 'master.keys'}"]
        broker = Encrypted(sluice, directory, *options)
        broker.run("stream", "create", "orders", "--shards", "2")
        if encrypted:
            broker.run("stream", "encrypt", "orders")
        fill(broker)
        set_aside(broker)
        broker.kill()
        found = files_with_canary(directory / "data")
        broker = Encrypted(sluice, directory, *options)
        got = broker.run("get", "orders", "--limit", str(RECORDS + 10))
        expect(got.count(f"{CANARY}-value") == RECORDS + 10, "not all records are read back", got[:500])
        (directory / "lake/flights/out").unlink()
        broker.run("delivery", "flush", "kept")
        expect("PROVEN" in broker.run("verify", "kept"), "what was set aside is not delivered")
        broker.stop()
        return found + files_with_canary(directory / "data")


def canary(sluice):
    found = search(sluice, encrypted=False)
    expect(any(name.startswith("journal/") for name in found), "the search finds no plaintext in the journal", str(found))
    expect(any(name.startswith("segments/") for name in found), "the search finds no plaintext in the segments", str(found))
    expect(any(name.endswith(".spill") for name in found), "the search finds no plaintext in what is set aside", str(found))
    found = search(sluice, encrypted=True)
    expect(not found, "plaintext of an encrypted stream is on the disk", str(found))


def words_of_the_command_line(sluice):
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        broker = Encrypted(sluice, directory)
        broker.run("stream", "create", "orders")
        shown = broker.run("stream", "encrypt", "orders", code=1)
        expect("set encryption.key_file to a file that 'sluice key new' has made" in shown, "no word of the setting", shown)
        broker.stop()

        keys = directory / "master.keys"
        shown = run(sluice, "key", "new", keys)
        expect(shown.startswith("key-1 is the current key of "), "the new key is not told", shown)
        expect(keys.stat().st_mode & 0o027 == 0, "others may read the key file")
        key_file = ("--set", f"encryption.key_file={keys}")
        broker = Encrypted(sluice, directory, *key_file)
        shown = broker.run("stream", "encrypt", "orders")
        expect(shown == "New records of stream orders are encrypted with a new data key where they are stored.\n", "other words", shown)
        expect("encrypted  yes\n" in broker.run("stream", "describe", "orders"), "describe does not say so")
        broker.run("put", "orders", lines="one\n")
        broker.stop()

        segments = sorted((directory / "data/segments").glob("*.seg"))
        dumped = "".join(run(sluice, "log", "dump", path) for path in segments)
        expect("ok, sealed with data key 1" in dumped, "log dump does not show the data key", dumped)
        dumped = "".join(run(sluice, "log", "dump", path, "--json") for path in segments)
        expect('"data_key":1' in dumped, "log dump --json does not show the data key", dumped)

        shown = run(sluice, "key", "new", keys)
        expect(shown.startswith("key-2 is the current key of "), "the second key is not told", shown)
        broker = Encrypted(sluice, directory, *key_file)  # wraps again
        broker.stop()
        keys.write_text("".join(line for line in keys.read_text().splitlines(True) if not line.startswith("key-1 ")))
        broker = Encrypted(sluice, directory, *key_file)
        expect("one" in broker.run("get", "orders", "--limit", "1"), "the record is not read under the new master key")
        shown = broker.run("stream", "decrypt", "orders")
        expect(shown.startswith("New records of stream orders are stored as they come."), "other words", shown)
        expect('"encrypted":false' in broker.run("stream", "describe", "orders", "--json"), "describe says encrypted")
        broker.stop()

        keys.chmod(0o644)
        refused_start(sluice, directory, key_file, f"{keys} may be read by everybody")
        keys.chmod(0o600)
        keys.write_text("key-2 nonsense\n")
        refused_start(sluice, directory, key_file, f"{keys}:1: the key 'key-2' is not 32 bytes in base64")
        keys.unlink()
        refused_start(sluice, directory, key_file, f"{keys} does not exist; put it there, or make one with 'sluice key new")
        broker = Encrypted(sluice, directory)  # without the setting it starts, and the other streams work
        shown = broker.run("get", "orders", "--limit", "1", code=1)
        expect("its data key 1 cannot be used: encryption.key_file is not set" in shown, "get does not say why", shown)
        broker.run("stream", "create", "other")
        broker.run("put", "other", lines="two\n")
        broker.stop()


def refused_start(sluice, directory, options, words):
    shown = run(sluice, "serve", "--data", directory / "data", "--lake", directory / "lake", "--set", "native.port=0", "--set", "admin.port=0",
                "--set", "aws.enabled=false", *options, code=3)
    expect(words in shown, f"the refused start does not say '{words}'", shown)


def main():
    sluice = os.path.abspath(sys.argv[1])
    words_of_the_command_line(sluice)
    canary(sluice)
    print("no plaintext of an encrypted stream reaches the disk")


if __name__ == "__main__":
    main()
