#!/usr/bin/env python3
"""Holds what names metrics against a broker's /metrics: the page docs/metrics.md lists exactly those that there are and names no other,
the Grafana board and the Prometheus rules ask only for those, and what direct put and its delivery count is what was put.

    metrics_test.py SLUICE SOURCE_TREE
"""
import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

import golden_test

NAME = re.compile(r"\bsluice_[a-z_]+")
RECORDS = [b'{"id":1}{"id":2}', b'{"id":3}', b"no json"]
DIRECT = {
    "DeliveryStreamName": "direct",
    "ExtendedS3DestinationConfiguration": {
        "BucketARN": "arn:aws:s3:::lake",
        "ProcessingConfiguration": {"Enabled": True, "Processors": [
            {"Type": "RecordDeAggregation", "Parameters": [{"ParameterName": "SubRecordType", "ParameterValue": "JSON"}]}]}},
}
COUNTED = {
    'sluice_firehose_put_requests_total{delivery_stream="direct",operation="PutRecordBatch"}': 1,
    'sluice_firehose_put_records_total{delivery_stream="direct"}': 3,
    'sluice_firehose_put_bytes_total{delivery_stream="direct"}': sum(map(len, RECORDS)),
    'sluice_firehose_put_refused_records_total{delivery_stream="direct"}': 0,
    'sluice_delivery_records_total{delivery_stream="direct"}': 3,
    'sluice_delivery_bytes_in_total{delivery_stream="direct"}': sum(map(len, RECORDS)),
    'sluice_delivery_user_records_total{delivery_stream="direct"}': 4,
    'sluice_delivery_rows_total{delivery_stream="direct"}': 3,
    'sluice_delivery_deliveries_total{delivery_stream="direct"}': 1,
    'sluice_delivery_error_records_total{delivery_stream="direct"}': 1,
    'sluice_delivery_failed_records_total{delivery_stream="direct",type="processing-failed"}': 1,
    'sluice_delivery_failed_records_total{delivery_stream="direct",type="decompression-failed"}': 0,
    'sluice_delivery_processing_batches_total{delivery_stream="direct",processor="RecordDeAggregation"}': 1,
    'sluice_delivery_partition_bytes_per_second{delivery_stream="direct"}': 0,
    'sluice_delivery_lag_records{delivery_stream="direct"}': 0,
}
DELIVERY = {
    "DeliveryStreamName": "orders",
    "DeliveryStreamType": "KinesisStreamAsSource",
    "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "arn:aws:kinesis:eu-west-1:000000000000:stream/orders"},
    "ExtendedS3DestinationConfiguration": {"BucketARN": "arn:aws:s3:::lake"},
}


def put(port):
    body = {"DeliveryStreamName": "direct", "Records": [{"Data": base64.b64encode(record).decode()} for record in RECORDS]}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", json.dumps(body).encode(), {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Firehose_20150804.PutRecordBatch"})
    urllib.request.urlopen(request, timeout=30).close()


def scrape(sluice):
    """The exposition of a broker that has a stream, a delivery stream and a consumer group."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        broker = golden_test.Broker(sluice, directory, "--set", "aws.accept_any_signature=true")
        try:
            (directory / "orders.json").write_text(json.dumps(DELIVERY))
            (directory / "direct.json").write_text(json.dumps(DIRECT))
            environment = dict(os.environ, SLUICE_BROKER=f"127.0.0.1:{broker.ports['native']}")
            for command in (["stream", "create", "orders"], ["delivery", "create", "-f", str(directory / "orders.json")],
                            ["get", "orders", "--group", "billing"], ["delivery", "create", "-f", str(directory / "direct.json")]):
                subprocess.run([sluice, *command], env=environment, check=True, capture_output=True)
            put(broker.ports["aws"])
            subprocess.run([sluice, "delivery", "flush", "direct"], env=environment, check=True, capture_output=True)
            with urllib.request.urlopen(f"http://127.0.0.1:{broker.ports['admin']}/metrics", timeout=30) as answer:
                return answer.read().decode()
        finally:
            broker.stop()


def expressions(tree):
    """(where, PromQL) of every query of the board and of the rules."""
    board = json.loads((tree / "docker/grafana/boards/sluice.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield f"board, '{panel['title']}'", target["expr"]
    for expression in re.findall(r"^\s+expr: (.+)$", (tree / "docker/alerts.yml").read_text(), re.MULTILINE):
        yield "alerts.yml", expression


def main():
    sluice, tree = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    exposition = scrape(sluice)
    families = set(re.findall(r"^# TYPE (\S+) ", exposition, re.MULTILINE))
    series = set(re.findall(r"^(sluice_[a-z_]+)", exposition, re.MULTILINE))
    text = (tree / "docs/metrics.md").read_text()
    page = set(re.findall(r"^\| `(sluice_[a-z_]+)", text, re.MULTILINE))
    named = set(NAME.findall(text.split("## Metrics of applications")[0]))
    values = dict(line.rsplit(" ", 1) for line in exposition.splitlines() if not line.startswith("#"))
    found = [f"docs/metrics.md lacks {name}" for name in sorted(families - page)]
    found += [f"docs/metrics.md has {name}, which the broker does not show" for name in sorted(page - families)]
    found += [f"docs/metrics.md names {name}, which the broker does not show" for name in sorted(named - families)]
    found += [f"{name} is {values.get(name)}, not {value}" for name, value in COUNTED.items() if float(values.get(name, "nan")) != value]
    asked = list(expressions(tree))
    found += [f"{where}: no metric {name}" for where, text in asked for name in NAME.findall(text) if name not in series]
    used = {name for _, text in asked for name in NAME.findall(text)}
    found += [f"the board does not show {name}" for name in sorted(families) if name.startswith("sluice_delivery_") and name not in used]
    print("\n".join(found) or f"{len(families)} metrics, {len(asked)} queries")
    return 1 if found or not families or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
