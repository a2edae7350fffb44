#!/usr/bin/env python3
"""Applications of the Kinesis Client Library 3 with nothing but a broker: two workers share the shards of a stream while records are put,
the broker is killed and started again in the middle, then stopped in order and started again, and one worker is killed so that the other
takes its leases. Every record that was acknowledged is processed, and those of one shard in their order.

    kcl_test.py --build build/release [--mode polling|fanout] [--reshard]

--reshard splits a shard in the middle. The library comes from Maven Central into the build directory. Exit code 0 kept, 1 broken, 77
cannot be run here.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
import urllib.request

import broker as settings
import maven
import model_check
from boto3_test import in_environment_with_boto3

SKIPPED = 77
LIBRARIES = ("software.amazon.kinesis:amazon-kinesis-client:3.5.1", "org.slf4j:slf4j-simple:2.0.13")
SHARDS = 4
STEP_TIMEOUT_S = 240
PUT_INTERVAL_S = 0.05  # paces the producer: some hundred records a second
HERE = pathlib.Path(__file__).resolve().parent


class Events:
    """What all workers have said, with waiting for more of it."""

    def __init__(self):
        self.changed = threading.Condition()
        self.values = set()
        self.held = {}  # shard -> the worker that started it last
        self.last = {}  # (worker, shard) -> the last number of the lease that it has now
        self.ended = set()
        self.wrong = []

    def take(self, worker, line):
        kind, *words = line.split()
        with self.changed:
            if kind == "STARTED":
                self.held[words[0]] = worker
                self.last[(worker, words[0])] = -1
            elif kind == "GOT":
                number = int(words[1])
                if number < self.last[(worker, words[0])]:
                    self.wrong.append(f"{worker} got {number} of {words[0]} behind {self.last[(worker, words[0])]}")
                self.last[(worker, words[0])] = number
                self.values.add(number)
            elif kind == "LOST" and self.held.get(words[0]) == worker:
                del self.held[words[0]]
            elif kind == "ENDED":
                self.ended.add(words[0])
            self.changed.notify_all()

    def wait(self, holds, what):
        with self.changed:
            if not self.changed.wait_for(lambda: self.wrong or holds(), STEP_TIMEOUT_S):
                raise settings.Broken(f"{what}: not within {STEP_TIMEOUT_S} s; leases are {self.held}")
            if self.wrong:
                raise settings.Broken(self.wrong[0])
        print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


class Worker:
    def __init__(self, name, class_path, mode, broker, events):
        self.name = name
        self.log = broker.home / f"{name}.log"
        environment = os.environ | {"COMPAT_ENDPOINT": broker.endpoint(), "COMPAT_ACCESS_KEY": settings.ACCESS_KEY,
                                    "COMPAT_SECRET_KEY": settings.SECRET_KEY}
        command = ["java", "-Xmx512m", "-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp", class_path, "KclApp", "application", "events",
                   name, mode]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.reader = threading.Thread(target=self.read, args=(events,))
        self.reader.start()

    def read(self, events):
        for line in self.process.stdout:
            events.take(self.name, line)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def stop(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=90)
        self.reader.join()
        return code


class Producer(threading.Thread):
    """Puts numbers until it is stopped, and remembers those that were acknowledged. The numbers of a request without an answer are not
    used again: nothing is promised of them."""

    def __init__(self, kinesis):
        super().__init__()
        self.kinesis = kinesis
        self.acknowledged = set()
        self.next = 0
        self.ended = threading.Event()
        self.wrong = None  # an answer that is not as the model says

    def run(self):
        import botocore.exceptions
        while not self.ended.wait(PUT_INTERVAL_S):
            numbers = range(self.next, self.next + 20)
            self.next += 20
            entries = [{"PartitionKey": f"key-{number % 97}", "Data": str(number).encode()} for number in numbers]
            try:
                answer = self.kinesis.put_records(StreamName="events", Records=entries)
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                continue
            except settings.Broken as wrong:
                self.wrong = wrong
                return
            self.acknowledged |= {number for number, result in zip(numbers, answer["Records"]) if "SequenceNumber" in result}

    def stop(self):
        self.ended.set()
        self.join()
        if self.wrong is not None:
            raise self.wrong


def connect(service, broker):
    import boto3
    import botocore.config
    config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=30)
    client = boto3.client(service, endpoint_url=broker.endpoint(), region_name="us-east-1", config=config,
                          aws_access_key_id=settings.ACCESS_KEY, aws_secret_access_key=settings.SECRET_KEY)
    model_check.watch(client)
    return client


def records_processed(broker):
    """The sum of the metric that KCL sends for each task, as the broker's scrape has it."""
    port = json.loads(broker.ports.read_text())["admin"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    pattern = r'^sluice_cloudwatch_sum\{namespace="application",metric="RecordsProcessed".*\} (\S+)$'
    return sum(float(value) for value in re.findall(pattern, text, re.MULTILINE))


def run(class_path, mode, reshard, broker, workers):
    kinesis = connect("kinesis", broker)
    kinesis.create_stream(StreamName="events", ShardCount=SHARDS)
    events = Events()
    producer = Producer(kinesis)
    producer.start()
    try:
        workers.append(Worker("one", class_path, mode, broker, events))
        events.wait(lambda: len(events.held) == SHARDS and len(events.values) > 500, "one worker reads all shards")
        workers.append(Worker("two", class_path, mode, broker, events))
        events.wait(lambda: set(events.held.values()) == {"one", "two"}, "two workers share the shards")
        if reshard:
            kinesis.split_shard(StreamName="events", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**125))
            events.wait(lambda: {"shardId-000000000004", "shardId-000000000005"} <= set(events.held), "the children are read")
            if "shardId-000000000000" not in events.ended:
                raise settings.Broken("children are read before their parent has ended")
        restart(broker, signal.SIGKILL, producer, events)
        restart(broker, signal.SIGTERM, producer, events)
        workers[0].kill()
        events.wait(lambda: len([1 for holder in events.held.values() if holder == "two"]) >= SHARDS, "the leases of the killed worker are taken")
        producer.stop()
        events.wait(lambda: producer.acknowledged <= events.values, f"all {len(producer.acknowledged)} acknowledged records are processed")
    finally:
        producer.stop()
    if workers[1].stop() != 0:
        raise settings.Broken("the worker does not stop as it should")
    if records_processed(broker) <= 0:
        raise settings.Broken("the workers' metrics are not on the broker's /metrics")
    check_leases(connect("dynamodb", broker), reshard)


def restart(broker, number, producer, events):
    """Ends the broker by a signal and starts it again. Reading goes on, and skips nothing that was acknowledged until then."""
    broker.stop(number)
    if number == signal.SIGTERM and broker.process.returncode != 0:
        raise settings.Broken(f"the broker ends with {broker.process.returncode} when it is asked to")
    before = set(producer.acknowledged)
    broker.start()
    after = producer.next
    events.wait(lambda: before <= events.values and any(value >= after for value in events.values),
                f"reading goes on after {number.name} of the broker, with all {len(before)} records that it had acknowledged")


def check_leases(dynamodb, reshard):
    items = dynamodb.scan(TableName="application")["Items"]
    leases = {item["leaseKey"]["S"]: item for item in items if "checkpoint" in item}
    if len(leases) < SHARDS + (1 if reshard else 0):
        raise settings.Broken(f"the leases are {leases}")
    unread = [lease for lease in leases.values() if not re.fullmatch(r"\d+|SHARD_END", lease["checkpoint"]["S"])]
    if unread:
        raise settings.Broken(f"leases without a checkpoint: {unread}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--mode", choices=("polling", "fanout"), default="polling")
    parser.add_argument("--reshard", action="store_true")
    parser.add_argument("--keep-logs", type=pathlib.Path, help="copy the logs of broker and workers there")
    arguments = parser.parse_args()
    if not maven.is_here():
        print("skipped: there is no java, javac or mvn")
        return SKIPPED
    build = arguments.build.resolve()
    in_environment_with_boto3(build)
    class_path = maven.program(build / "_kcl", HERE / "KclApp.java", *LIBRARIES)
    if class_path is None:
        print("skipped: the Kinesis Client Library cannot be installed")
        return SKIPPED
    workers = []
    with settings.Broker(build) as broker:
        try:
            run(class_path, arguments.mode, arguments.reshard, broker, workers)
        except (settings.Broken, subprocess.TimeoutExpired):
            traceback.print_exc()
            print(broker.log()[-3000:])
            for worker in workers:
                print(f"{worker.name}:\n{worker.log.read_text()[-3000:]}")
            return 1
        finally:
            for worker in workers:
                worker.kill()
            if arguments.keep_logs:
                for log in broker.home.glob("*.log"):
                    shutil.copy(log, arguments.keep_logs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
