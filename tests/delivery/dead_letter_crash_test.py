#!/usr/bin/env python3
"""Kills the broker with SIGKILL in the middle of deliveries with a dead-letter stream, and counts its records and the lake's rows.

    dead_letter_crash_test.py --build build/debug --cycles 8 [--records 20000] [--seed S]

Half of the records are no JSON, more than five batches of dead letters in each delivery. Somebody else puts into the dead-letter stream,
which is encrypted, and splits it. In the end every good record must be exactly once in a Parquet file, every bad one exactly
once in the dead-letter stream, with its own bytes and key, none in the error output, and `sluice verify` must say the same.

Prints its seed; exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import base64
import collections
import json
import random
import signal
import subprocess
import sys
import time

from delivery_crash_test import Broken, Broker, compare, crash_main, ids_in_lake, must_be_proven

NAME = "events-lake"
DEAD = "events-dead"


def delivery_file(directory):
    path = directory / "delivery.json"
    path.write_text(json.dumps({
        "DeliveryStreamName": NAME,
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "events", "RoleARN": "none"},
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": "none", "BucketARN": "arn:aws:s3:::lake", "Prefix": "events/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 16, "IntervalInSeconds": 1},
            "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}},
        "Sluice": {"StartPosition": "oldest", "DeadLetterStream": DEAD,
                   "Columns": [{"Name": "id", "Type": "bigint"}, {"Name": "text", "Type": "string"}]}}))
    return path


def make_records(chance, first, count):
    good = [json.dumps({"id": number, "text": "x" * chance.randrange(50, 400)}) for number in range(first, first + count, 2)]
    bad = [f"bad {number} {'y' * chance.randrange(50, 1500)}" for number in range(first + 1, first + count, 2)]
    return good, bad


def settings(directory):
    """Options of a broker with a master key, and small journals, so that it recovers fast."""
    key_file = directory / "keys"
    return ["--lake", directory / "lake", "--set", f"encryption.key_file={key_file}"]


def put(broker, directory, stream, lines, *options):
    path = directory / f"{stream}.txt"
    path.write_text("\n".join(lines) + "\n")
    broker.run("put", stream, path, *options)


def cycle(broker, chance, directory, number, good, bad):
    options = settings(directory)
    put(broker, directory, "events", good + bad, "--key", f"key-{number}")
    put(broker, directory, DEAD, [f"of somebody else {number}"])
    flush = subprocess.Popen([broker.sluice, "--broker", f"127.0.0.1:{json.loads(broker.ports.read_text())['native']}", "delivery", "flush", NAME],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(0, 0.6))
    broker.kill()
    flush.kill()
    flush.wait()
    while chance.random() < 0.4:
        broker.start(wait=False, options=options)
        time.sleep(chance.uniform(0, 0.8))
        broker.kill()
    broker.start(options=options)
    if chance.random() < 0.5:  # beside the delivery that is done again
        shards = json.loads(broker.run("stream", "describe", DEAD, "--json").stdout)["shards"]
        broker.run("stream", "split", DEAD, "--shard", str(chance.choice(shards)["shard"]))


def dead_letters(broker):
    """(key, bytes) of the records that failed, as the dead-letter stream has them."""
    found = collections.Counter()
    for line in broker.run("get", DEAD, "--format", "json").stdout.splitlines():
        record = json.loads(line)
        if not record["value"].startswith("of somebody else"):
            found[(record["key"], base64.b64decode(json.loads(record["value"])["rawData"]).decode())] += 1
    return found


def run(arguments, directory, python):
    chance = random.Random(arguments.seed)
    broker = Broker(arguments.build / "tools" / "sluice", directory)
    subprocess.run([broker.sluice, "key", "new", directory / "keys"], check=True, capture_output=True)
    broker.start(options=settings(directory))
    broker.run("stream", "create", "events", "--shards", "2")
    broker.run("stream", "create", DEAD, "--shards", "2")
    broker.run("stream", "encrypt", DEAD)
    broker.run("delivery", "create", "-f", delivery_file(directory))
    ids, letters = collections.Counter(), collections.Counter()
    for number in range(arguments.cycles):
        good, bad = make_records(chance, number * arguments.records, arguments.records)
        cycle(broker, chance, directory, number, good, bad)
        ids.update(json.loads(line)["id"] for line in good)
        letters.update((f"key-{number}", line) for line in bad)
    broker.run("delivery", "flush", NAME)
    verdict = broker.run("verify", NAME, check=False)
    compare("dead letters", letters, dead_letters(broker))
    errors = broker.run("delivery", "errors", NAME).stdout
    broker.kill(signal.SIGTERM)
    found = ids_in_lake(directory, python)
    compare("rows in the lake", ids, collections.Counter(found))
    if list((directory / "lake" / "lake" / "errors").rglob(f"{NAME}-*")):
        raise Broken("there are error objects")
    must_be_proven(verdict)
    if f"of dead-letter stream {DEAD}" not in errors:
        raise Broken(f"sluice delivery errors: {errors}")
    print(verdict.stdout.strip())
    print(f"{arguments.cycles} kills in delivery, {sum(ids.values())} rows and {sum(letters.values())} dead letters, each once")


if __name__ == "__main__":
    sys.exit(crash_main(__doc__, 20_000, "dead-letters", run))
