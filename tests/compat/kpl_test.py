#!/usr/bin/env python3
"""The Kinesis Producer Library, which speaks nothing but TLS, against a real broker: 10,000 user records are put as aggregates, read
back by boto3 and taken apart here, and delivered to Parquet, where pyarrow counts them; the library's metrics are on the broker's
/metrics.

    kpl_test.py --build build/release

The library comes from Maven Central into the build directory. Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import traceback
import urllib.request

import broker as settings
import maven
import model_check
import packages
from boto3_test import in_environment_with_boto3

SKIPPED = 77
LIBRARIES = ("software.amazon.kinesis:amazon-kinesis-producer:1.0.7", "org.slf4j:slf4j-simple:2.0.17")
USER_RECORDS = 10_000
METRICS_TIMEOUT_S = 120
PYARROW = "pyarrow==26.0.1"
DELIVERY = {
    "DeliveryStreamName": "kpl-lake",
    "DeliveryStreamType": "KinesisStreamAsSource",
    "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "kpl", "RoleARN": "none"},
    "ExtendedS3DestinationConfiguration": {
        "RoleARN": "none", "BucketARN": "arn:aws:s3:::lake", "Prefix": "kpl/", "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}},
    "Sluice": {"StartPosition": "oldest", "Columns": [{"Name": "id", "Type": "bigint"}]},
}
READ_IDS = """
import json, pathlib, sys
import pyarrow.parquet
paths = pathlib.Path(sys.argv[1]).rglob("*.parquet")
print(json.dumps([row for path in paths for row in pyarrow.parquet.read_table(path, partitioning=None).column("id").to_pylist()]))
"""
MAGIC = b"\xf3\x89\x9a\xc2"
HERE = pathlib.Path(__file__).resolve().parent


def fields(message):
    """(number, value) of each field of a protobuf message of varints and bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        elif tag & 7 == 2:
            size = varint()
            yield tag >> 3, message[at:at + size]
            at += size
        else:
            raise settings.Broken(f"a field of the wire type {tag & 7}")


def user_records(record):
    """(partition key, data) of each user record in a record, which is an aggregate, or one user record as it is."""
    data = record["Data"]
    body, digest = data[len(MAGIC):-16], data[-16:]
    if not data.startswith(MAGIC) or hashlib.md5(body).digest() != digest:
        return [(record["PartitionKey"], data)]
    parts = list(fields(body))
    keys = [value.decode() for number, value in parts if number == 1]
    inner = [dict(fields(value)) for number, value in parts if number == 3]
    return [(keys[user_record[1]], user_record[3]) for user_record in inner]


def read(kinesis):
    """All records of the stream."""
    for shard in kinesis.list_shards(StreamName="kpl")["Shards"]:
        place = kinesis.get_shard_iterator(StreamName="kpl", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while True:
            page = kinesis.get_records(ShardIterator=place)
            yield from page["Records"]
            place = page["NextShardIterator"]
            if page["MillisBehindLatest"] == 0:
                break


def check_metrics(port):
    """Waits for the library's metrics, which it sends once a second and more; they count every user record."""
    pattern = r'^sluice_cloudwatch_sum\{namespace="KinesisProducerLibrary",metric="UserRecordsPut",[^}]*dimension_StreamName="kpl"\} (\S+)$'
    deadline = time.monotonic() + METRICS_TIMEOUT_S
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            counted = re.findall(pattern, answer.read().decode(), re.MULTILINE)
        if USER_RECORDS in map(float, counted):
            return
        if time.monotonic() > deadline:
            raise settings.Broken(f"the library's metrics on /metrics count {counted}")
        time.sleep(0.2)


def check_delivery(broker, reader):
    """Every user record is one row of the lake."""
    (broker.home / "kpl-lake.json").write_text(json.dumps(DELIVERY))
    broker.run("delivery", "create", "-f", broker.home / "kpl-lake.json")
    broker.run("delivery", "flush", "kpl-lake")
    proof = broker.run("verify", "kpl-lake")
    if "PROVEN" not in proof or f"{USER_RECORDS:,} with aggregates opened" not in proof:
        raise settings.Broken(f"the delivery is not proven: {proof}")
    ids = json.loads(subprocess.run([reader, "-c", READ_IDS, broker.home / "lake"], capture_output=True, check=True).stdout)
    if sorted(ids) != list(range(USER_RECORDS)):
        raise settings.Broken(f"{len(ids)} rows are in the lake, {len(set(ids))} different ones, for {USER_RECORDS} user records")
    print(f"kept: {len(ids)} rows")


def run(class_path, broker, reader):
    import boto3
    kinesis = boto3.client("kinesis", endpoint_url=broker.endpoint(), region_name="us-east-1",
                           aws_access_key_id=settings.ACCESS_KEY, aws_secret_access_key=settings.SECRET_KEY)
    model_check.watch(kinesis)
    kinesis.create_stream(StreamName="kpl", ShardCount=3)
    ports = json.loads(broker.ports.read_text())
    environment = os.environ | {"COMPAT_HOST": "localhost", "COMPAT_PORT": str(ports["aws_tls"]), "COMPAT_TEMPORARY": str(broker.home),
                                "COMPAT_ACCESS_KEY": settings.ACCESS_KEY, "COMPAT_SECRET_KEY": settings.SECRET_KEY}
    with (broker.home / "kpl.log").open("wb") as log:
        producer = subprocess.Popen(["java", "-Xmx512m", "-cp", class_path, "KplApp"], env=environment, stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        if producer.stdout.readline() != f"put {USER_RECORDS}\n":
            raise settings.Broken("not all user records were put")
        check_metrics(ports["admin"])
        producer.stdin.close()
        if producer.wait(timeout=60) != 0:
            raise settings.Broken("the producer does not end as it should")
    finally:
        producer.kill()
        producer.wait()
    records = list(read(kinesis))
    if len(records) > USER_RECORDS // 10:
        raise settings.Broken(f"{len(records)} records for {USER_RECORDS} user records: they are not aggregated")
    got = sorted((key, data.decode()) for record in records for key, data in user_records(record))
    wanted = sorted((f"key-{i % 100}", f'{{"id":{i}}}') for i in range(USER_RECORDS))
    if got != wanted:
        raise settings.Broken(f"{len(got)} user records came back, {len(set(got) & set(wanted))} of them right")
    print(f"kept: {len(got)} user records in {len(records)} records", flush=True)
    check_delivery(broker, reader)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if not maven.is_here():
        print("skipped: there is no java, javac or mvn")
        return SKIPPED
    build = arguments.build.resolve()
    in_environment_with_boto3(build)
    class_path = maven.program(build / "_kpl", HERE / "KplApp.java", *LIBRARIES)
    if class_path is None:
        print("skipped: the Kinesis Producer Library cannot be installed")
        return SKIPPED
    reader = packages.interpreter(build / "_pyarrow", PYARROW)
    if reader is None:
        return SKIPPED
    with settings.Broker(build) as broker:
        try:
            run(class_path, broker, reader)
        except (settings.Broken, subprocess.TimeoutExpired):
            traceback.print_exc()
            print(broker.log()[-3000:])
            print((broker.home / "kpl.log").read_text()[-3000:])
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
