#!/usr/bin/env python3
"""Runs every file of docs/cookbook as it stands: makes it in a broker without a warning, puts records, and looks at the lake.

    cookbook_test.py --build BUILD --source SOURCE_TREE

The settings are those of docs/cookbook/sluice.toml, with directories of the test's own. The recipe for an object store needs a real
S3 server; where that cannot be had, the others run and the test says so.
"""
import argparse
import base64
import gzip
import json
import os
import pathlib
import signal
import sys
import tempfile
import urllib.request

import s3_world
from delivery_crash_test import Broken, Broker


def expect(what, found, wanted):
    if found != wanted:
        raise Broken(f"{what}: {found}, expected {wanted}")


class Kitchen:
    """A broker with the cookbook's settings, and what recipes do with it."""

    def __init__(self, arguments, directory, s3):
        self.book = arguments.source / "docs" / "cookbook"
        self.directory = directory
        self.lake = directory / "lake"
        self.s3 = s3
        self.broker = Broker(arguments.build / "tools" / "sluice", directory)
        settings = (self.book / "sluice.toml").read_text().replace("/var/lib/sluice/lake", str(self.lake))
        settings = settings.replace("127.0.0.1:9000", f"127.0.0.1:{s3.port if s3 else 9}").replace("/etc/sluice/cookbook", str(self.book))
        (directory / "sluice.toml").write_text(settings)
        os.environ["SLUICE_AWS__ACCEPT_ANY_SIGNATURE"] = "true"  # of the broker

    def create(self, name):
        """The recipe, but for where its program lies."""
        path = self.directory / name
        path.write_text((self.book / name).read_text().replace("/usr/bin/python3 /etc/sluice/cookbook", f"{sys.executable} {self.book}"))
        made = self.broker.run("delivery", "create", "-f", path)
        expect(f"warnings about {name}", made.stderr, "")

    def put(self, delivery_stream, *records):
        """Through Firehose's API; a record is JSON, or bytes."""
        data = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
        body = {"DeliveryStreamName": delivery_stream, "Records": [{"Data": base64.b64encode(each).decode()} for each in data]}
        port = json.loads(self.broker.ports.read_text())["aws"]
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", json.dumps(body).encode(), {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Firehose_20150804.PutRecordBatch"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            expect("records that were not taken", json.load(answer)["FailedPutCount"], 0)

    def put_into_stream(self, stream, *records):
        path = self.directory / "records.ndjson"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        self.broker.run("put", stream, path, "--key", "one")

    def deliver(self, delivery_stream, errors=0):
        """All that was put."""
        state = json.loads(self.broker.run("delivery", "flush", delivery_stream, "--json").stdout)
        expect(f"errors of {delivery_stream}", state["totals"]["errors"], errors)
        if "PROVEN" not in self.broker.run("verify", delivery_stream, "--config", self.directory / "sluice.toml").stdout:
            raise Broken(f"{delivery_stream} is not proven")

    def delivered(self, delivery_stream, place, errors=0):
        """Rows below the place in the lake, by directory."""
        self.deliver(delivery_stream, errors)
        return self.objects(self.lake / place)

    def objects(self, root):
        """{directory of the object: its rows}, in the order of their keys; nothing overflows here."""
        found = {}
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            rows = self.broker.run("lake", "cat", path).stdout.splitlines()
            values = [json.loads(row) for row in rows]
            expect(f"overflow of {path}", [row for row in values if row.pop("_overflow", None)], [])
            found.setdefault(str(path.relative_to(root).parent), []).extend(values)
        return found


def only(objects):
    """Rows of the only directory, whose name is checked to end in a time."""
    expect("directories", len(objects), 1)
    return next(iter(objects.values()))


def hourly_parquet(kitchen):
    kitchen.create("hourly-parquet.json")
    kitchen.put("page-views", {"at": "2026-11-21T10:00:00Z", "user_id": 7, "path": "/", "status": 200, "else": 1}, {"user_id": "x"})
    objects = kitchen.delivered("page-views", "web/page_views", errors=1)
    day, hour = next(iter(objects)).split("/")
    expect("places", (day[:4], hour[:5], len(day), len(hour)), ("day=", "hour=", 14, 7))
    expect("rows", only(objects), [{"at": "2026-11-21T10:00:00Z", "user_id": 7, "path": "/", "status": 200}])


def inferred_parquet(kitchen):
    kitchen.broker.run("stream", "create", "sensors")
    kitchen.put_into_stream("sensors", {"sensor": "a", "celsius": 20.5}, {"sensor": "b", "celsius": 7, "site": {"hall": 3}})
    kitchen.create("inferred-parquet.yaml")
    rows = only(kitchen.delivered("sensors-lake", "plant/sensors"))
    expect("rows", [{k: v for k, v in row.items() if v is not None} for row in rows],
           [{"sensor": "a", "celsius": 20.5}, {"sensor": "b", "celsius": 7.0, "site": {"hall": 3}}])


def cloudwatch_logs(kitchen):
    kitchen.create("cloudwatch-logs.json")
    document = {"messageType": "DATA_MESSAGE", "owner": "0", "logGroup": "/aws/lambda/f", "logStream": "s", "subscriptionFilters": ["all"],
                "logEvents": [{"id": str(i), "timestamp": i, "message": json.dumps({"level": level})} for i, level in enumerate(["info", "error"])]}
    control = document | {"messageType": "CONTROL_MESSAGE"}
    kitchen.put("lambda-logs", gzip.compress(json.dumps(control).encode()), gzip.compress(json.dumps(document).encode()), b"no gzip")
    expect("rows", only(kitchen.delivered("lambda-logs", "logs/lambda", errors=1)), [{"level": "info"}, {"level": "error"}])


def by_customer(kitchen):
    kitchen.create("by-customer.json")
    kitchen.put("orders-by-customer", {"order": 1, "customer": {"id": "acme"}}, {"order": 2, "customer": {"id": "a/b"}}, {"order": 3})
    objects = kitchen.delivered("orders-by-customer", "shop/orders", errors=1)
    expect("rows by customer", {place.split("/")[0]: [row["order"] for row in rows] for place, rows in objects.items()},
           {"customer_key=acme": [1], "customer_key=a%2Fb": [2]})


def by_event_time(kitchen):
    kitchen.create("by-event-time.json")
    records = [{"kind": "Buy", "epoch": 0}, {"epoch": 3600}, {"kind": "buy", "epoch": 7}]
    kitchen.put("clicks-by-event-time", *records, {"kind": "buy", "epoch": "noon"})
    expect("rows by kind and hour", kitchen.delivered("clicks-by-event-time", "web/clicks", errors=1),
           {"kind=buy/hour=1970-01-01T00": [records[0], records[2]], "kind=other/hour=1970-01-01T01": [records[1]]})


def transform(kitchen):
    kitchen.create("transform.yaml")
    kitchen.put("payments-clean", {"id": 1, "card": "4111111111111111"}, {"id": 2, "card": "0000", "test": True}, {"id": 3})
    expect("rows", only(kitchen.delivered("payments-clean", "shop/payments", errors=1)), [{"id": 1, "card": "************1111"}])


def dead_letters(kitchen):
    kitchen.broker.run("stream", "create", "payments")
    kitchen.broker.run("stream", "create", "payments-dead", "--retention", "30d")
    kitchen.put_into_stream("payments", {"id": 1, "amount": "9.90"}, {"id": "one"}, {"id": 2, "amount": 3})
    kitchen.create("dead-letters.yaml")
    rows = only(kitchen.delivered("payments-lake", "bank/payments", errors=1))
    expect("rows", [(row["id"], float(row["amount"])) for row in rows], [(1, 9.9), (2, 3.0)])
    letters = [json.loads(line) for line in kitchen.broker.run("get", "payments-dead").stdout.splitlines()]
    expect("dead letters", [json.loads(base64.b64decode(letter["rawData"])) for letter in letters], [{"id": "one"}])
    expect("error objects", list((kitchen.lake / "bank" / "errors").rglob("*")), [])


def archive(kitchen):
    kitchen.broker.run("stream", "create", "events")
    kitchen.put_into_stream("events", {"n": 1}, {"n": 2})
    kitchen.create("archive.json")
    expect("rows", only(kitchen.delivered("events-archive", "archive/events")), [{"n": 1}, {"n": 2}])
    objects = list((kitchen.lake / "archive" / "events").rglob("*.ndjson.gz"))
    expect("what gunzip gives", [gzip.decompress(path.read_bytes()) for path in objects], [b'{"n": 1}\n{"n": 2}\n'])


def orc(kitchen):
    kitchen.create("orc.json")
    kitchen.put("calls-orc", {"begin": "21.11.2026 10:00:00", "caller": "+49", "seconds": 60, "price": 0.0195}, {"begin": 1795255200000, "caller": "+1"})
    rows = only(kitchen.delivered("calls-orc", "telephony/calls"))
    expect("callers and prices", [(row["caller"], row["seconds"], float(row["price"] or 0)) for row in rows], [("+49", 60, 0.0195), ("+1", None, 0)])
    expect("times", {row["begin"] for row in rows}, {"2026-11-21T10:00:00Z"})
    expect("formats", {path.suffix for path in (kitchen.lake / "telephony" / "calls").rglob("*") if path.is_file()}, {".orc"})


def glue_table(kitchen):
    kitchen.create("glue-table.json")
    kitchen.put("sales-orders", {"id": 1, "placed_at": "2026-11-21 10:00:00", "total": "9.90", "items": [{"sku": "pen", "count": 2}]})
    rows = only(kitchen.delivered("sales-orders", "warehouse/sales/orders"))
    expect("rows", [(row["order_id"], float(row["total"]), row["items"]) for row in rows], [(1, 9.9, [{"sku": "pen", "count": 2}])])


def sorted_rows(kitchen):
    kitchen.broker.run("stream", "create", "user-events")
    kitchen.put_into_stream("user-events", *({"user_id": n % 3, "at": 1795255200 + n, "session": f"s{n}", "event": "e"} for n in range(9)))
    kitchen.create("sorted.json")
    rows = only(kitchen.delivered("events-by-user", "web/user_events"))
    expect("order", [(row["user_id"], row["session"]) for row in rows], [(user, f"s{n}") for user in range(3) for n in (user + 6, user + 3, user)])


def cloudformation(kitchen):
    kitchen.create("cloudformation.yaml")
    kitchen.put("orders-of-a-stack", {"order_id": 1, "placed_at": "2026-11-21 10:00:00", "total": "9.90"})
    rows = only(kitchen.delivered("orders-of-a-stack", "stack/orders"))
    expect("rows", [(row["order_id"], float(row["total"]), row["placed_at"]) for row in rows], [(1, 9.9, "2026-11-21T10:00:00Z")])


def terraform_state(kitchen):
    kitchen.broker.run("stream", "create", "trips")
    kitchen.create("terraform-state.json")
    kitchen.put_into_stream("trips", {"trip": 1}, {"trip": 2})
    expect("rows", only(kitchen.delivered("trips-of-terraform", "fleet/trips")), [{"trip": 1}, {"trip": 2}])
    expect("rows of the backup", only(kitchen.objects(kitchen.lake / "fleet-raw" / "trips")), [{"trip": 1}, {"trip": 2}])


def object_store(kitchen):
    if kitchen.s3 is None:
        return
    kitchen.s3.make_bucket("acme-lake")
    kitchen.create("object-store.json")
    kitchen.put("orders-in-s3", {"order": 1})
    kitchen.deliver("orders-in-s3")
    expect("rows in the bucket", only(kitchen.objects(kitchen.s3.buckets / "acme-lake" / "orders")), [{"order": 1}])


RECIPES = {"hourly-parquet.json": hourly_parquet, "inferred-parquet.yaml": inferred_parquet, "cloudwatch-logs.json": cloudwatch_logs,
           "by-customer.json": by_customer, "by-event-time.json": by_event_time, "transform.yaml": transform, "dead-letters.yaml": dead_letters, "archive.json": archive,
           "orc.json": orc, "glue-table.json": glue_table, "sorted.json": sorted_rows,
           "cloudformation.yaml": cloudformation, "terraform-state.json": terraform_state, "object-store.json": object_store}


def run(arguments, directory, s3):
    kitchen = Kitchen(arguments, directory, s3)
    files = {path.name for path in kitchen.book.iterdir() if path.suffix in (".json", ".yaml")}
    expect("files of the cookbook that are not run here, or the other way round", files ^ RECIPES.keys(), set())
    page = (arguments.source / "docs" / "cookbook.md").read_text()
    expect("files that the page does not name", {name for name in files if f"(cookbook/{name})" not in page}, set())
    kitchen.broker.start(options=["--config", directory / "sluice.toml"])
    try:
        for name, recipe in RECIPES.items():
            try:
                recipe(kitchen)
            except Broken as broken:
                raise Broken(f"{name}: {broken}") from broken
    finally:
        kitchen.broker.kill(signal.SIGTERM)
    print(f"{len(RECIPES)} recipes{'' if s3 else ', that for an object store not run'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    program = s3_world.versitygw(arguments.build)
    with tempfile.TemporaryDirectory(prefix="sluice-cookbook-") as name:
        directory = pathlib.Path(name)
        s3 = s3_world.Server(program, directory) if program else None
        try:
            if s3:
                s3.start()
            run(arguments, directory, s3)
        except (Broken, s3_world.Broken) as broken:
            print(f"BROKEN: {broken}")
            return 1
        finally:
            if s3:
                s3.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
