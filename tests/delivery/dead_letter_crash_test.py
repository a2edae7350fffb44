#!/usr/bin/env python3
"""Kills the broker with SIGKILL in the middle of deliveries with a dead-letter stream, and of replays of its records, and counts both it and the lake.

    dead_letter_crash_test.py --build build/debug --cycles 8 [--records 20000] [--seed S]

Half of the records do not fit their column, more than five batches of dead letters in each delivery, and some are no JSON. Somebody else puts
into the dead-letter stream, which is encrypted, and splits it. Then every good record must be exactly once in a Parquet file, every other one
exactly once in the dead-letter stream, with its own bytes and key, none in the error output, and `sluice verify` must say the same. The column is
widened, and the broker is killed under `sluice delivery replay`, again and again: in the end every record that fits now must be exactly once in a
Parquet file, the others still be open dead letters, and `sluice verify` must say that, too.

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
WIDE = 5_000_000_000
TOO_WIDE = "DataFormatConversion.MalformedData"


def delivery_file(directory, id_type):
    path = directory / f"{id_type}.json"
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
                   "Columns": [{"Name": "id", "Type": id_type}, {"Name": "text", "Type": "string"}]}}))
    return path


def make_records(chance, first, count):
    """Those that fit, those that do not fit an int, and those that are no JSON."""
    good = [json.dumps({"id": number, "text": "x" * chance.randrange(50, 400)}) for number in range(first, first + count, 2)]
    wide = [json.dumps({"id": WIDE + number, "text": "y" * chance.randrange(50, 1500)}) for number in range(first + 1, first + count, 2)]
    bad = [f"bad {number}" for number in range(first, first + count, 100)]
    return good, wide, bad


def settings(directory):
    """Options of a broker with a master key, and small journals, so that it recovers fast."""
    key_file = directory / "keys"
    return ["--lake", directory / "lake", "--set", f"encryption.key_file={key_file}"]


def put(broker, directory, stream, lines, *options):
    path = directory / f"{stream}.txt"
    path.write_text("\n".join(lines) + "\n")
    broker.run("put", stream, path, *options)


def cycle(broker, chance, directory, number, lines):
    options = settings(directory)
    put(broker, directory, "events", lines, "--key", f"key-{number}")
    put(broker, directory, DEAD, [f"of somebody else {number}"])
    kill_under(broker, chance.uniform(0, 0.6), "delivery", "flush", NAME)
    while chance.random() < 0.4:
        broker.start(wait=False, options=options)
        time.sleep(chance.uniform(0, 0.8))
        broker.kill()
    broker.start(options=options)
    if chance.random() < 0.5:  # beside the delivery that is done again
        shards = json.loads(broker.run("stream", "describe", DEAD, "--json").stdout)["shards"]
        broker.run("stream", "split", DEAD, "--shard", str(chance.choice(shards)["shard"]))


def kill_under(broker, seconds, *command):
    port = json.loads(broker.ports.read_text())["native"]
    running = subprocess.Popen([broker.sluice, "--broker", f"127.0.0.1:{port}", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    broker.kill()
    running.kill()
    running.wait()


def replay_under_kills(broker, chance, directory, cycles):
    """Each time somewhere in it, or before it, or behind it; gives how many records that left to the last one."""
    for _ in range(cycles):
        kill_under(broker, chance.uniform(0, 0.3), "delivery", "replay", NAME, "--reason", TOO_WIDE)
        broker.start(options=settings(directory))
    left = json.loads(broker.run("delivery", "errors", NAME, "--reason", TOO_WIDE, "--json").stdout)
    broker.run("delivery", "replay", NAME, "--reason", TOO_WIDE)
    return left["records"]


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
    broker.run("delivery", "create", "-f", delivery_file(directory, "int"))
    ids, letters, no_json = collections.Counter(), collections.Counter(), 0
    for number in range(arguments.cycles):
        good, wide, bad = make_records(chance, number * arguments.records, arguments.records)
        cycle(broker, chance, directory, number, good + wide + bad)
        ids.update(json.loads(line)["id"] for line in good + wide)
        letters.update((f"key-{number}", line) for line in wide + bad)
        no_json += len(bad)
    broker.run("delivery", "flush", NAME)
    must_be_proven(broker.run("verify", NAME, check=False))
    compare("dead letters", letters, dead_letters(broker))
    broker.run("delivery", "create", "-f", delivery_file(directory, "bigint"))
    left = replay_under_kills(broker, chance, directory, arguments.cycles)
    compare("dead letters after the replays", letters, dead_letters(broker))
    errors = json.loads(broker.run("delivery", "errors", NAME, "--json").stdout)
    verdict = broker.run("verify", NAME, check=False)
    broker.kill(signal.SIGTERM)
    found = ids_in_lake(directory, python)
    compare("rows in the lake", ids, collections.Counter(found))
    if list((directory / "lake" / "lake" / "errors").rglob(f"{NAME}-*")):
        raise Broken("there are error objects")
    must_be_proven(verdict)
    if errors["records"] != no_json or errors["dead_letters"] != [{"stream": DEAD, "records": no_json, "gone": 0}] or errors["unreadable"]:
        raise Broken(f"{no_json} records are no JSON, and sluice delivery errors says {errors}")
    print(verdict.stdout.strip())
    print(f"{arguments.cycles} kills in delivery and as many in replays, which left {left} records to the last one; {sum(ids.values())} rows, each once")


if __name__ == "__main__":
    sys.exit(crash_main(__doc__, 20_000, "dead-letters", run))
