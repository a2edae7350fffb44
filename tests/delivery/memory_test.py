#!/usr/bin/env python3
"""The memory of a broker that delivers from 1,000 shards into 5,000 partitions: below 512 MiB at its highest.

    memory_test.py --build build/release

Every record must be in its partition's Parquet file once, as pyarrow reads them, and `sluice verify` must say the same. Exit code 0 kept,
1 broken (everything is left for a look), 77 cannot be run here.
"""
import argparse
import json
import pathlib
import signal
import subprocess
import sys

import delivery_crash_test as world
from delivery_crash_test import Broken

SHARDS = 1000
PARTITIONS = 5000
RECORDS = 20 * PARTITIONS
LIMIT_BYTES = 512 << 20

COUNT_ROWS = """
import json, pathlib, sys
import pyarrow.parquet as parquet
rows = {}
for path in pathlib.Path(sys.argv[1]).rglob("*.parquet"):
    ids = parquet.read_table(path, columns=["id"], partitioning=None).column("id").to_pylist()
    rows.setdefault(path.parent.name, []).extend(ids)
json.dump(rows, sys.stdout)
"""


def delivery_file(directory):
    query = [{"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{customer: .customer}"},
             {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"}]
    path = directory / "delivery.json"
    path.write_text(json.dumps({
        "DeliveryStreamName": "by-customer",
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "orders", "RoleARN": "none"},
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": "none", "BucketARN": "arn:aws:s3:::lake", "Prefix": "!{partitionKeyFromQuery:customer}/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 900},
            "DynamicPartitioningConfiguration": {"Enabled": True},
            "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "MetadataExtraction", "Parameters": query}]},
            "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}},
        "Sluice": {"StartPosition": "oldest", "Columns": [{"Name": "id", "Type": "bigint"}, {"Name": "customer", "Type": "string"},
                                                          {"Name": "text", "Type": "string"}]}}))
    return path


def highest_memory(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) << 10


def run(arguments, directory, python):
    broker = world.Broker(arguments.build / "tools" / "sluice", directory)
    broker.start()
    broker.run("stream", "create", "orders", "--shards", str(SHARDS))
    broker.run("delivery", "create", "-f", delivery_file(directory))
    path = directory / "records.ndjson"
    path.write_text("".join(json.dumps({"id": number, "customer": f"customer-{number % PARTITIONS}", "text": "x" * 500}) + "\n"
                            for number in range(RECORDS)))
    broker.run("put", "orders", "--key-field", "id", path)
    broker.run("delivery", "flush", "by-customer")
    verdict = json.loads(broker.run("--json", "verify", "by-customer").stdout)
    memory = highest_memory(broker.process)
    broker.kill(signal.SIGTERM)
    rows = json.loads(subprocess.run([python, "-c", COUNT_ROWS, directory / "lake"], check=True, capture_output=True).stdout)
    expected = {f"customer-{customer}": list(range(customer, RECORDS, PARTITIONS)) for customer in range(PARTITIONS)}
    if {customer: sorted(ids) for customer, ids in rows.items()} != expected:
        raise Broken(f"{sum(map(len, rows.values()))} rows in {len(rows)} partitions, expected {RECORDS} in {PARTITIONS}")
    if not verdict["proven"] or verdict["rows"] != RECORDS:
        raise Broken(f"verify says: {verdict}")
    if memory > LIMIT_BYTES:
        raise Broken(f"the broker took {memory >> 20} MiB, allowed are {LIMIT_BYTES >> 20}")
    print(f"{RECORDS} rows from {SHARDS} shards in {PARTITIONS} partitions, each once; {memory >> 20} MiB at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    return world.with_pyarrow(parser.parse_args(), "memory", run)


if __name__ == "__main__":
    sys.exit(main())
