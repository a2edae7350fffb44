#!/usr/bin/env python3
"""Kills the broker with SIGKILL in the middle of replays of error records, and counts the lake's rows with pyarrow.

    replay_crash_test.py --build build/debug --cycles 8 [--records 40000] [--seed S]

Half of the records do not fit their column, a few are no JSON, and all are backed up. The column is widened, `sluice delivery replay`
runs, and the broker is killed under it, again and again. In the end every record that fits now must be exactly once in a Parquet
file, every other one still in the error output, each in the backup once, and `sluice verify` must say the same.

Prints its seed; exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import collections
import json
import random
import signal
import subprocess
import sys
import time

from delivery_crash_test import Broken, Broker, compare, crash_main, ids_in_lake, must_be_proven

NAME = "events-lake"
WIDE = 5_000_000_000


def delivery_file(directory, id_type):
    path = directory / f"{id_type}.json"
    path.write_text(json.dumps({
        "DeliveryStreamName": NAME,
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "events", "RoleARN": "none"},
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": "none", "BucketARN": "arn:aws:s3:::lake", "Prefix": "events/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
            "S3BackupMode": "Enabled", "S3BackupConfiguration": {"RoleARN": "none", "BucketARN": "arn:aws:s3:::spare"},
            "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}},
        "Sluice": {"StartPosition": "oldest", "Columns": [{"Name": "id", "Type": id_type}, {"Name": "text", "Type": "string"}]}}))
    return path


def make_records(chance, count):
    """Lines, the ids of those that have one, and how many have none."""
    lines = []
    for number in range(count):
        identity = number + (WIDE if number % 2 else 0)
        lines.append(f"bad {number}" if chance.random() < 0.01 else json.dumps({"id": identity, "text": "x" * chance.randrange(50, 400)}))
    ids = [json.loads(line)["id"] for line in lines if line.startswith("{")]
    return lines, ids


def replay_under_kills(broker, chance, cycles):
    """Each time somewhere in it, or before it, or behind it."""
    for _ in range(cycles):
        port = json.loads(broker.ports.read_text())["native"]
        replay = subprocess.Popen([broker.sluice, "--broker", f"127.0.0.1:{port}", "delivery", "replay", NAME, "--reason",
                                   "DataFormatConversion.MalformedData"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 0.12))
        broker.kill()
        replay.kill()
        replay.wait()
        broker.start()


def run(arguments, directory, python):
    chance = random.Random(arguments.seed)
    broker = Broker(arguments.build / "tools" / "sluice", directory)
    broker.start()
    broker.run("stream", "create", "events", "--shards", "3")
    broker.run("delivery", "create", "-f", delivery_file(directory, "int"))
    lines, ids = make_records(chance, arguments.records)
    path = directory / "records.txt"
    path.write_text("\n".join(lines) + "\n")
    broker.run("put", "events", path)
    broker.run("delivery", "flush", NAME)
    broker.run("delivery", "create", "-f", delivery_file(directory, "bigint"))
    replay_under_kills(broker, chance, arguments.cycles)
    left = json.loads(broker.run("delivery", "errors", NAME, "--reason", "DataFormatConversion.MalformedData", "--json").stdout)
    broker.run("delivery", "replay", NAME, "--reason", "DataFormatConversion.MalformedData")
    errors = json.loads(broker.run("delivery", "errors", NAME, "--json").stdout)
    verdict = broker.run("verify", NAME, check=False)
    broker.kill(signal.SIGTERM)
    found = ids_in_lake(directory, python)
    compare("rows in the lake", collections.Counter(ids), collections.Counter(found))
    if errors["records"] != len(lines) - len(ids) or errors["unreadable"]:
        raise Broken(f"{len(lines) - len(ids)} records are no JSON, and the error output has {errors}")
    backup = collections.Counter()
    for file in (directory / "lake" / "spare").rglob(f"{NAME}-*"):
        backup.update(file.read_text().splitlines())
    compare("records in the backup", collections.Counter(lines), backup)
    must_be_proven(verdict)
    print(verdict.stdout.strip())
    print(f"{arguments.cycles} kills in replays, which left {left['records']} records to the last one; {len(ids)} rows, each once")


if __name__ == "__main__":
    sys.exit(crash_main(__doc__, 40_000, "replay", run))
