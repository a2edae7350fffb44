#!/usr/bin/env python3
"""Every request of a delivery to a real S3 server (versitygw) goes wrong once in every way, and the broker is killed at every one.

    s3_fault_test.py --build build/release

A delivery of two data objects and an error object, with records that a Lambda function drops, makes some requests. For the first of them, the second, and so
on: the broker is killed (SIGKILL) before it, or when it is done and not answered; or it is refused, answered with an error, done and not answered, and the
broker is killed at the next one, whatever that is. After each, the broker is started again where it was killed, and delivers. Meanwhile records are put all the
time. In the end every acknowledged record must be once in a Parquet file, in the error output or among the dropped ones, with the shard and sequence number
of its acknowledgement (acknowledged.py), read by pyarrow over S3 and by DuckDB from the server's files; `sluice verify` must say that it is proven.
Exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import itertools
import json
import random
import re
import signal
import subprocess
import threading

import acknowledged
import s3_world as world
from s3_world import Broken

ERRORS = {500: "InternalError", 503: "SlowDown", 403: "AccessDenied", 404: "NoSuchBucket"}
STEPS = ["kill before", "kill after", "refuse then kill", "lose then kill", *(f"{status} then kill" for status in ERRORS)]
EACH = ["row"] * 6 + ["error", "dropped"]  # what each delivery has at least
PUT_PAUSE_S = 0.05
PUT_BATCH = 4


class FaultyProxy(world.Proxy):
    """Does to the requests that come what `plan` says, first to the first; passes on what comes later."""

    def __init__(self, target, kill):
        super().__init__(target)
        self.kill = kill
        self.lock = threading.Lock()
        self.plan = []
        self.count = 0  # requests since the plan was made

    def begin(self, plan):
        with self.lock:
            self.plan, self.count = list(plan), 0

    def next_step(self):
        with self.lock:
            self.count += 1
            return self.plan.pop(0) if self.plan else "pass"

    def lost(self, data, state, forward):
        if forward and re.match(rb"(GET|HEAD|PUT|POST|DELETE) [^\r]* HTTP/1", data):
            state["step"] = self.next_step()
            if state["step"] == "kill before":
                self.kill()
            elif state["step"] in ERRORS:
                self.answer(data, state["source"], state["step"], ERRORS[state["step"]])
            return state["step"] in ("kill before", "refuse", *ERRORS)
        if not forward and state.get("step") in ("kill after", "lose"):
            if state.pop("step") == "kill after":
                self.kill()
            return True
        return False


class Test:
    def __init__(self, arguments, program, home):
        self.server = world.Server(program, home)
        self.server.start()
        self.proxy = FaultyProxy(self.server.port, lambda: self.broker.process.send_signal(signal.SIGKILL))
        self.endpoint = f"127.0.0.1:{self.proxy.port}"
        settings = {"delivery.lake_dir": "s3://", "delivery.s3.endpoint_override": f"http://{self.endpoint}", "delivery.s3.region": "us-east-1",
                    "delivery.s3.connect_timeout": "1s", "delivery.s3.request_timeout": "1s",
                    "aws.accept_any_signature": "true", "delivery.allow_commands": "true"}
        keys = {"SLUICE_DELIVERY__S3__ACCESS_KEY_ID": world.ACCESS, "SLUICE_DELIVERY__S3__SECRET_ACCESS_KEY": world.SECRET}
        self.broker = world.Broker(arguments.build / "tools" / "sluice", home, settings, keys)
        self.notes = home / "dropped"
        self.producer = acknowledged.Producer(self.broker.ports, "faults", acknowledged.Records(random.Random(1), 40))

    def make(self):
        self.server.make_bucket("faults")
        self.broker.run("stream", "create", "faults")
        query = [{"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{kind: .kind}"},
                 {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"}]
        processors = [acknowledged.lambda_processor(self.notes), {"Type": "MetadataExtraction", "Parameters": query}]
        self.broker.create("faults-lake", "faults", "faults", Prefix="!{partitionKeyFromQuery:kind}/", columns=acknowledged.COLUMNS,
                           DynamicPartitioningConfiguration={"Enabled": True}, ProcessingConfiguration={"Enabled": True, "Processors": processors})

    def put(self):
        records = [self.producer.records.one(kind) for kind in EACH]
        if self.producer.put(records) != len(records):
            raise Broken("records were not acknowledged")

    def deliver(self):
        """Until it is done, with a broker that is started again where it was killed. True where it was."""
        killed = False
        for _ in range(20):
            port = json.loads(self.broker.ports.read_text())["native"]
            done = subprocess.run([self.broker.sluice, "--broker", f"127.0.0.1:{port}", "delivery", "flush", "faults-lake"],
                                  env=self.broker.clean_environment(), capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return killed
            if "nothing is lost" in done.stdout + done.stderr:
                continue
            try:
                self.broker.process.wait(timeout=world.START_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                break
            killed = True
            self.broker.start()
        raise Broken(f"it is not delivered: {done.stdout}{done.stderr}\n{self.broker.log()[-3000:]}")

    def requests_of_a_delivery(self):
        self.put()
        self.proxy.begin([])
        self.deliver()
        return self.proxy.count

    def go_through(self, step, number):
        first, _, then = step.partition(" then ")
        plan = ["pass"] * number + [int(first) if first.isdigit() else first] + (["kill before"] if then else [])
        self.put()
        self.proxy.begin(plan)
        killed = self.deliver()
        if "kill" in first and not killed:
            raise Broken(f"request {number} did not come: the broker was not killed")

    def compare(self, python):
        verdict = json.loads(self.broker.run("--json", "verify", "faults-lake"))
        if not verdict["proven"]:
            raise Broken(f"verify says: {verdict}")
        rows = acknowledged.rows_in_lake(python, self.server.buckets / "faults", verdict["directory"], world.ACCESS, world.SECRET)
        keys = self.server.objects("faults")
        errors = acknowledged.errors_in(self.server.buckets / "faults" / key for key in keys if key.startswith("errors/"))
        totals = json.loads(self.broker.run("--json", "delivery", "describe", "faults-lake"))["totals"]
        return acknowledged.compare(self.producer, rows, errors, acknowledged.dropped_in(self.notes), totals["filtered"])


def run(arguments, program, python, home):
    test = Test(arguments, program, home)
    try:
        test.broker.start()
        test.make()
        requests = test.requests_of_a_delivery()
        test.producer.begin(PUT_BATCH, PUT_PAUSE_S)
        for step, number in itertools.product(STEPS, range(requests)):
            try:
                test.go_through(step, number)
            except Broken as broken:
                raise Broken(f"{step}, request {number} of {requests}: {broken}") from None
        test.producer.end()
        test.deliver()
        print(f"{requests} requests of a delivery, {len(STEPS)} faults each; {test.compare(python)}")
    finally:
        test.broker.stop(signal.SIGKILL)
        test.server.stop()


if __name__ == "__main__":
    world.main(__doc__, "faults", run)
