#!/usr/bin/env python3
"""Kills the broker with SIGKILL in the middle of delivery, again and again, and looks for every record with pyarrow and DuckDB.

    delivery_crash_test.py --build build/debug --cycles 8 [--records 4000] [--seed S]

Records are put all the time, also while the broker dies and starts; some are no JSON, and some a Lambda function drops. A cycle: so many
were acknowledged since the last one; a moment later, while objects are written, the broker is killed; in some cycles it is killed
again while it starts and replays. In the end everything is flushed. Every acknowledged record must be exactly once, with its own content and with the shard
and sequence number of its acknowledgement, in a Parquet file, in the error output or among the dropped ones (acknowledged.py); `sluice verify` must say
that it is proven. pyarrow and DuckDB read the files: none of our code takes part in the comparison.

Prints its seed; exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import argparse
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import acknowledged
from acknowledged import Broken
from independent_reader import PACKAGES

SKIPPED = 77


def pyarrow_python(build):
    """An interpreter with pyarrow and DuckDB: this one, or one of an environment below the build directory."""
    for python in [pathlib.Path(sys.executable), build / "_pyarrow" / "bin" / "python"]:
        if python.exists() and subprocess.run([python, "-c", "import duckdb, pyarrow.parquet"], capture_output=True).returncode == 0:
            return python
    subprocess.run([sys.executable, "-m", "venv", build / "_pyarrow"], check=True, capture_output=True)
    python = build / "_pyarrow" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True, capture_output=True)
    return python


READ_IDS = """
import json, pathlib, sys
import pyarrow.parquet as parquet
ids = []
for path in pathlib.Path(sys.argv[1]).rglob("*.parquet"):
    ids += parquet.read_table(path, columns=["id"], partitioning=None).column("id").to_pylist()
json.dump(ids, sys.stdout)
"""


class Broker:
    def __init__(self, sluice, directory):
        self.sluice = sluice
        self.directory = directory
        self.process = None
        self.ports = directory / "data" / "ports.json"

    def start(self, wait=True, options=()):
        self.ports.unlink(missing_ok=True)
        log = open(self.directory / "serve.log", "ab")
        self.process = subprocess.Popen(
            [self.sluice, "serve", "--data", self.directory / "data",
             "--set", "native.port=0", "--set", "admin.port=0", "--set", "aws.port=0", "--set", "aws.tls_port=0", "--set", "storage.allow_volatile=true",
             *(options or ["--lake", self.directory / "lake"])],
            stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while wait and not self.ports.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Broken("the broker does not start: " + str(self.directory / "serve.log"))
            time.sleep(0.01)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()

    def run(self, *arguments, check=True):
        port = json.loads(self.ports.read_text())["native"]
        done = subprocess.run([self.sluice, "--broker", f"127.0.0.1:{port}", *arguments], capture_output=True, text=True)
        if check and done.returncode != 0:
            raise Broken(f"sluice {' '.join(map(str, arguments))}: exit {done.returncode}: {done.stdout[-2000:]}{done.stderr}")
        return done


NAME = "events-lake"
PUT_PAUSE_S = 0.01
PUT_BATCH = 100


def notes_of(directory):
    return directory / "dropped"


def delivery_file(directory, buffering):
    path = directory / "delivery.json"
    path.write_text(json.dumps({
        "DeliveryStreamName": NAME,
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "events", "RoleARN": "none"},
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": "none", "BucketARN": "arn:aws:s3:::lake", "Prefix": "events/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "BufferingHints": buffering,
            "ProcessingConfiguration": {"Enabled": True, "Processors": [acknowledged.lambda_processor(notes_of(directory))]},
            "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}},
        "Sluice": {"StartPosition": "oldest", "Columns": acknowledged.COLUMNS}}))
    return path


def settings(directory):
    """Of a broker that answers everybody's puts and runs functions."""
    return ["--lake", directory / "lake", "--set", "aws.accept_any_signature=true", "--set", "delivery.allow_commands=true"]


def cycle(broker, chance, producer, records):
    options = settings(broker.directory)
    enough = producer.count() + records
    deadline = time.monotonic() + 120
    while producer.count() < enough:
        if time.monotonic() > deadline:
            raise Broken(f"{producer.count()} records are acknowledged, and no more")
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.4))
    broker.kill()
    while chance.random() < 0.4:  # killed again, while it starts and replays
        broker.start(wait=False, options=options)
        time.sleep(chance.uniform(0, 0.5))
        broker.kill()
    broker.start(options=options)


def compare(what, expected, found):
    missing = expected - found
    surplus = found - expected
    if missing or surplus:
        raise Broken(f"{what}: {sum(missing.values())} missing ({list(missing)[:5]}), {sum(surplus.values())} too many ({list(surplus)[:5]})")


def run(arguments, directory, python):
    broker = Broker(arguments.build / "tools" / "sluice", directory)
    try:
        kill_again_and_again(broker, arguments, python)
    finally:
        broker.kill()


def kill_again_and_again(broker, arguments, python):
    chance = random.Random(arguments.seed)
    broker.start(options=settings(broker.directory))
    broker.run("stream", "create", "events", "--shards", "3")
    broker.run("delivery", "create", "-f", delivery_file(broker.directory, {"SizeInMBs": 1, "IntervalInSeconds": 0}))
    producer = acknowledged.Producer(broker.ports, "events", acknowledged.Records(random.Random(arguments.seed), 400))
    producer.begin(PUT_BATCH, PUT_PAUSE_S)
    for _ in range(arguments.cycles):
        cycle(broker, chance, producer, arguments.records)
    producer.end()
    print(f"{arguments.cycles} kills in delivery; {finish(broker, producer, python)}")


def finish(broker, producer, python):
    """Delivers the rest and compares; gives what there is."""
    broker.run("delivery", "flush", NAME)
    must_be_proven(broker.run("verify", NAME, check=False))
    totals = json.loads(broker.run("delivery", "describe", NAME, "--json").stdout)["totals"]
    lake = broker.directory / "lake" / "lake"
    return acknowledged.compare(producer, acknowledged.rows_in_lake(python, lake), acknowledged.errors_in((lake / "errors").rglob(f"{NAME}-*")),
                                acknowledged.dropped_in(notes_of(broker.directory)), totals["filtered"])


def must_be_proven(verdict):
    """`verdict`: of `sluice verify`."""
    if verdict.returncode != 0 or "PROVEN" not in verdict.stdout:
        raise Broken(f"sluice verify: exit {verdict.returncode}: {verdict.stdout}{verdict.stderr}")


def ids_in_lake(directory, python):
    return json.loads(subprocess.run([python, "-c", READ_IDS, directory / "lake"], check=True, capture_output=True).stdout)


def with_pyarrow(arguments, name, run):
    """The exit code that `run(arguments, directory, python)` comes to."""
    arguments.build = arguments.build.resolve()
    try:
        python = pyarrow_python(arguments.build)
    except subprocess.CalledProcessError as error:
        print(f"pyarrow cannot be had here: {error}")
        return SKIPPED
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"sluice-{name}-"))
    try:
        run(arguments, directory, python)
    except Broken as broken:
        print(f"BROKEN: {broken}\neverything is in {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


def crash_main(description, records, name, run):
    """The whole of a script that kills a broker: `run` as for with_pyarrow, on `records` records unless told otherwise."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/debug"))
    parser.add_argument("--cycles", type=int, default=8)
    parser.add_argument("--records", type=int, default=records)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    return with_pyarrow(arguments, name, run)


if __name__ == "__main__":
    sys.exit(crash_main(__doc__, 4000, "delivery", run))
