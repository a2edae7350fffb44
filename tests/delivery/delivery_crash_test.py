#!/usr/bin/env python3
"""Kills the broker with SIGKILL in the middle of delivery, again and again, and counts the lake's rows with pyarrow.

    delivery_crash_test.py --build build/debug --cycles 8 [--records 4000] [--seed S]

A cycle: records are put and acknowledged, some of them no JSON; a moment later, while objects are written, the broker is killed;
in some cycles it is killed again while it starts and replays. In the end everything is flushed, and every acknowledged record must
be exactly once in a Parquet file or, where it is bad, exactly once in the error output with its own bytes; `sluice verify` must say
the same. pyarrow reads the files: none of our code takes part in the count.

Prints its seed; exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import argparse
import base64
import collections
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
PYARROW = "pyarrow==26.0.1"


class Broken(Exception):
    pass


def pyarrow_python(build):
    """An interpreter with pyarrow: this one, or one of an environment below the build directory."""
    for python in [pathlib.Path(sys.executable), build / "_pyarrow" / "bin" / "python"]:
        if python.exists() and subprocess.run([python, "-c", "import pyarrow.parquet"], capture_output=True).returncode == 0:
            return python
    subprocess.run([sys.executable, "-m", "venv", build / "_pyarrow"], check=True, capture_output=True)
    python = build / "_pyarrow" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", PYARROW], check=True, capture_output=True)
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


def delivery_file(directory):
    path = directory / "delivery.json"
    path.write_text(json.dumps({
        "DeliveryStreamName": "events-lake",
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "events", "RoleARN": "none"},
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": "none", "BucketARN": "arn:aws:s3:::lake", "Prefix": "events/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
            "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}},
        "Sluice": {"StartPosition": "oldest", "Columns": [{"Name": "id", "Type": "bigint"}, {"Name": "text", "Type": "string"}]}}))
    return path


def make_records(chance, first, count):
    """Lines of one put: JSON with an id each, and about one in fifty that is none."""
    lines = []
    bad = []
    for number in range(first, first + count):
        if chance.random() < 0.02:
            bad.append(f"bad {number}")
            lines.append(bad[-1])
        else:
            lines.append(json.dumps({"id": number, "text": "x" * chance.randrange(50, 400)}))
    return lines, bad


def cycle(broker, chance, path):
    broker.run("put", "events", path)
    time.sleep(chance.uniform(0, 0.4))
    broker.kill()
    while chance.random() < 0.4:  # killed again, while it starts and replays
        broker.start(wait=False)
        time.sleep(chance.uniform(0, 0.5))
        broker.kill()
    broker.start()


def compare(what, expected, found):
    missing = expected - found
    surplus = found - expected
    if missing or surplus:
        raise Broken(f"{what}: {sum(missing.values())} missing ({list(missing)[:5]}), {sum(surplus.values())} too many ({list(surplus)[:5]})")


def run(arguments, directory, python):
    chance = random.Random(arguments.seed)
    broker = Broker(arguments.build / "tools" / "sluice", directory)
    broker.start()
    broker.run("stream", "create", "events", "--shards", "3")
    broker.run("delivery", "create", "-f", delivery_file(directory))
    good, bad = collections.Counter(), collections.Counter()
    for number in range(arguments.cycles):
        lines, bad_lines = make_records(chance, number * arguments.records, arguments.records)
        path = directory / "records.txt"
        path.write_text("\n".join(lines) + "\n")
        cycle(broker, chance, path)
        bad.update(bad_lines)
        good.update(json.loads(line)["id"] for line in lines if line.startswith("{"))
    broker.run("delivery", "flush", "events-lake")
    verdict = broker.run("verify", "events-lake", check=False)
    broker.kill(signal.SIGTERM)
    ids = ids_in_lake(directory, python)
    compare("rows in the lake", good, collections.Counter(ids))
    errors = collections.Counter()
    for path in (directory / "lake" / "lake" / "errors").rglob("events-lake-*"):
        errors.update(base64.b64decode(json.loads(line)["rawData"]).decode() for line in path.read_text().splitlines())
    compare("records in the error output", bad, errors)
    must_be_proven(verdict)
    print(verdict.stdout.strip())
    print(f"{arguments.cycles} kills in delivery, {sum(good.values())} rows and {sum(bad.values())} error records, each once")


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
