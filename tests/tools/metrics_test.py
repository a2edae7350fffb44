#!/usr/bin/env python3
"""Holds what names metrics against a broker's /metrics: the page docs/metrics.md lists exactly those that there are, and the Grafana
board and the Prometheus rules ask only for those.

    metrics_test.py SLUICE SOURCE_TREE
"""
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
DELIVERY = {
    "DeliveryStreamName": "orders",
    "DeliveryStreamType": "KinesisStreamAsSource",
    "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "arn:aws:kinesis:eu-west-1:000000000000:stream/orders"},
    "ExtendedS3DestinationConfiguration": {"BucketARN": "arn:aws:s3:::lake"},
}


def scrape(sluice):
    """The exposition of a broker that has a stream, a delivery stream and a consumer group."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        broker = golden_test.Broker(sluice, directory)
        try:
            (directory / "orders.json").write_text(json.dumps(DELIVERY))
            environment = dict(os.environ, SLUICE_BROKER=f"127.0.0.1:{broker.ports['native']}")
            for command in (["stream", "create", "orders"], ["delivery", "create", "-f", str(directory / "orders.json")],
                            ["get", "orders", "--group", "billing"]):
                subprocess.run([sluice, *command], env=environment, check=True, capture_output=True)
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
    page = set(re.findall(r"^\| `(sluice_[a-z_]+)", (tree / "docs/metrics.md").read_text(), re.MULTILINE))
    found = [f"docs/metrics.md lacks {name}" for name in sorted(families - page)]
    found += [f"docs/metrics.md has {name}, which the broker does not show" for name in sorted(page - families)]
    asked = list(expressions(tree))
    found += [f"{where}: no metric {name}" for where, text in asked for name in NAME.findall(text) if name not in series]
    used = {name for _, text in asked for name in NAME.findall(text)}
    found += [f"the board does not show {name}" for name in sorted(families) if name.startswith("sluice_delivery_") and name not in used]
    print("\n".join(found) or f"{len(families)} metrics, {len(asked)} queries")
    return 1 if found or not families or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
