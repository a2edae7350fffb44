#!/usr/bin/env python3
"""Puts poison among good records, one in a hundred, through Firehose's PutRecordBatch, and counts what became of each with pyarrow
and DuckDB: a row in the partition of its customer, or an error record with its own bytes, under the type and code of its kind.

    poison_test.py --build BUILD --readers VENV [--records N] [--seed S]

Prints its seed. Exit code 77 (skipped) where the libraries cannot be had.
"""
import argparse
import base64
import collections
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import urllib.request

import independent_reader
from delivery_crash_test import Broken, Broker

STREAM = "events-lake"
COLUMNS = {"id": "bigint", "customer": "string", "amount": "int", "price": "decimal(6,2)", "at": "timestamp", "tags": "array<string>"}
DOCUMENT = {
    "DeliveryStreamName": STREAM,
    "ExtendedS3DestinationConfiguration": {
        "RoleARN": "none", "BucketARN": "arn:aws:s3:::lake",
        "Prefix": "events/customer_key=!{partitionKeyFromQuery:customer}/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        "DynamicPartitioningConfiguration": {"Enabled": True},
        "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "MetadataExtraction", "Parameters": [
            {"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{customer: .customer}"},
            {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"}]}]},
        "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}},
    "Sluice": {"Columns": [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()]}}

EXTRACTION = ("processing-failed", "DynamicPartitioning.MetadataExtractionFailed")
MALFORMED = ("format-conversion-failed", "DataFormatConversion.MalformedData")
# Kind -> the record, made of a good one and a number that makes its bytes its own; and where it belongs.
POISON = {
    "no JSON": (lambda good, n: f"poison {n}".encode(), EXTRACTION),
    "cut short": (lambda good, n: json.dumps({**good, "id": n}).encode()[:-5], EXTRACTION),
    "not an object": (lambda good, n: f"[{n}]".encode(), EXTRACTION),
    "empty": (lambda good, n: b"", EXTRACTION),
    "invalid UTF-8": (lambda good, n: json.dumps({**good, "id": n, "tags": ["?"]}).encode().replace(b"?", b"\xff\xfe"), EXTRACTION),
    "no partition key": (lambda good, n: json.dumps({"id": n, "amount": 1}).encode(), EXTRACTION),
    "nested too deep": (lambda good, n: json.dumps({**good, "id": n}).encode()[:-1] + b', "deep": ' + b"[" * 2000 + b"]" * 2000 + b"}", EXTRACTION),
    "wrong type": (lambda good, n: json.dumps({**good, "id": n, "amount": {"is": "a map"}}).encode(), MALFORMED),
    "out of range": (lambda good, n: json.dumps({**good, "id": n, "amount": 2**31}).encode(), MALFORMED),
    "too many digits": (lambda good, n: json.dumps({**good, "id": n, "price": 123456.78}).encode(), MALFORMED),
    "no time": (lambda good, n: json.dumps({**good, "id": n, "at": "the day after"}).encode(), MALFORMED),
}


def good_record(chance, number):
    return {"id": number, "customer": f"c{chance.randrange(8)}", "amount": chance.randrange(100_000), "price": chance.randrange(10_000) / 100,
            "at": f"2026-11-{chance.randrange(1, 29):02}T10:{chance.randrange(60):02}:00Z", "tags": ["a", "b"][:chance.randrange(3)]}


def make_records(chance, count):
    """(all records in their order, good ids by customer, kind of each poison's bytes, how often these bytes were put)"""
    kinds = list(POISON)
    records, good, kind_of, bad = [], {}, {}, collections.Counter()
    for number in range(count):
        record = good_record(chance, number)
        if number % 100 == 50:
            kind = kinds[number // 100 % len(kinds)]
            poison = POISON[kind][0](record, number)
            kind_of[poison] = kind
            bad[poison] += 1
            records.append(poison)
        else:
            good[number] = record["customer"]
            records.append(json.dumps(record).encode())
    return records, good, kind_of, bad


def put_all(broker, records):
    port = json.loads(broker.ports.read_text())["aws"]
    for first in range(0, len(records), 500):
        body = json.dumps({"DeliveryStreamName": STREAM,
                           "Records": [{"Data": base64.b64encode(record).decode()} for record in records[first:first + 500]]})
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", body.encode(), {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Firehose_20150804.PutRecordBatch"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            if json.load(answer)["FailedPutCount"] != 0:
                raise Broken("a record was not taken")


def check_rows(lake, good):
    import duckdb
    import pyarrow.parquet

    found = collections.Counter()
    for path in (lake / "events").rglob("*.parquet"):
        table = pyarrow.parquet.read_table(path, columns=["id", "customer"], partitioning=None)
        place = path.parent.name.removeprefix("customer_key=")
        for number, customer in zip(table.column("id").to_pylist(), table.column("customer").to_pylist()):
            found[number] += 1
            if customer != place:
                raise Broken(f"the record {number} of {customer} is in {place}")
    if found != collections.Counter(good.keys()):
        raise Broken(f"rows: {len(found)} of {len(good)}; {list((found - collections.Counter(good.keys())).items())[:5]}")
    rows = duckdb.sql(f"select customer_key, count(*), count(distinct id) from read_parquet('{lake}/events/**/*.parquet', hive_partitioning=true) "
                      "group by 1 order by 1").fetchall()
    expected = collections.Counter(good.values())
    if rows != [(customer, expected[customer], expected[customer]) for customer in sorted(expected)]:
        raise Broken(f"DuckDB reads {rows}")
    return sum(found.values())


def check_errors(lake, kind_of, bad):
    found = collections.Counter()
    for path in (lake / "errors").rglob(f"{STREAM}-*"):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            raw = base64.b64decode(record["rawData"])
            found[raw] += 1
            if raw not in kind_of:
                raise Broken(f"an error record of a good one: {line}")
            kind = kind_of[raw]
            told = (path.parent.name, record.get("lastErrorCode", record.get("errorCode")))
            if told != POISON[kind][1]:
                raise Broken(f"'{kind}' is told as {told}: {line[:400]}")
    if found != bad:
        raise Broken(f"error records: {sum(found.values())} of {sum(bad.values())}; missing {[kind_of[raw] for raw in bad - found]}")
    return sum(found.values())


def run(arguments, directory):
    records, good, kind_of, bad = make_records(random.Random(arguments.seed), arguments.records)
    os.environ["SLUICE_AWS__ACCEPT_ANY_SIGNATURE"] = "true"  # of the broker
    broker = Broker(arguments.build / "tools" / "sluice", directory)
    broker.start()
    try:
        document = directory / "delivery.json"
        document.write_text(json.dumps(DOCUMENT))
        broker.run("delivery", "create", "-f", document)
        put_all(broker, records)
        broker.run("delivery", "flush", STREAM)
        totals = json.loads(broker.run("delivery", "describe", STREAM, "--json").stdout)["totals"]
        verdict = broker.run("verify", STREAM)
    finally:
        broker.kill(signal.SIGTERM)
    rows = check_rows(directory / "lake" / "lake", good)
    errors = check_errors(directory / "lake" / "lake", kind_of, bad)
    if rows + errors != len(records) or (totals["records"], totals["rows"], totals["errors"]) != (len(records), rows, errors):
        raise Broken(f"{rows} rows and {errors} errors of {len(records)} records; the broker counts {totals}")
    if "PROVEN" not in verdict.stdout:
        raise Broken(verdict.stdout)
    print(f"{rows} rows and {errors} error records of {len(set(kind_of.values()))} kinds, of {len(records)} records")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--readers", required=True)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        independent_reader.enter_venv(arguments.readers, __file__)
    print(f"seed {arguments.seed}")
    with tempfile.TemporaryDirectory(prefix="sluice-poison-") as directory:
        try:
            run(arguments, pathlib.Path(directory))
        except Broken as broken:
            print(f"BROKEN: {broken}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
