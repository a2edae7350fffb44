#!/usr/bin/env python3
"""boto3 against the Kinesis door of a real broker: a stream's whole life, iterators of all types, errors as boto3's users catch
them, and what is acknowledged before a restart and before `kill -9` is there afterwards.

    boto3_test.py --build build/release

Every answer is held against botocore's model (model_check.py). Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import pathlib
import signal
import sys
import threading
import traceback

import packages



def in_environment_with_boto3(build):
    """Starts this program again in an environment with boto3, below the build directory, where this one has none."""
    packages.enter(build / "_boto3", packages.BOTO3)


def expect(good, what):
    from broker import Broken
    if not good:
        raise Broken(what)


def connect(broker, region="us-east-1", **place):
    import boto3
    import botocore.config
    import broker as settings
    import model_check
    config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=10, read_timeout=60)
    client = boto3.client("kinesis", **({"endpoint_url": broker.endpoint()} | place), region_name=region, config=config,
                          aws_access_key_id=settings.ACCESS_KEY, aws_secret_access_key=settings.SECRET_KEY)
    model_check.watch(client)
    return client


def create(kinesis, name, shards):
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})


def read(kinesis, name, shard="shardId-000000000000", **place):
    """All records from a place of a shard to its end."""
    place.setdefault("ShardIteratorType", "TRIM_HORIZON")
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, **place)["ShardIterator"]
    records = []
    while True:
        page = kinesis.get_records(ShardIterator=iterator)
        records += page["Records"]
        if page["MillisBehindLatest"] == 0:
            return records
        expect(page["NextShardIterator"] != iterator, "an answer's NextShardIterator is the iterator that was used")
        iterator = page["NextShardIterator"]


def shards_of(kinesis, name):
    pages = kinesis.get_paginator("list_shards").paginate(StreamName=name, PaginationConfig={"PageSize": 3})
    return [shard for page in pages for shard in page["Shards"]]


def test_life_of_a_stream(kinesis, _):
    create(kinesis, "life", 7)
    described = kinesis.describe_stream(StreamName="life")["StreamDescription"]
    expect(described["StreamStatus"] == "ACTIVE" and len(described["Shards"]) == 7, f"described as {described}")
    summary = kinesis.describe_stream_summary(StreamARN=described["StreamARN"])["StreamDescriptionSummary"]
    expect(summary["OpenShardCount"] == 7 and summary["RetentionPeriodHours"] == 24, f"summed up as {summary}")
    shards = shards_of(kinesis, "life")
    expect([shard["ShardId"] for shard in shards] == [f"shardId-{i:012}" for i in range(7)], f"shards are {shards}")
    expect(int(shards[-1]["HashKeyRange"]["EndingHashKey"]) == 2**128 - 1, "the ranges do not end at 2^128 - 1")
    expect("life" in kinesis.list_streams()["StreamNames"], "the stream is not listed")
    kinesis.increase_stream_retention_period(StreamName="life", RetentionPeriodHours=48)
    kinesis.decrease_stream_retention_period(StreamName="life", RetentionPeriodHours=36)
    summary = kinesis.describe_stream_summary(StreamName="life")["StreamDescriptionSummary"]
    expect(summary["RetentionPeriodHours"] == 36, f"retention is {summary['RetentionPeriodHours']} hours")
    kinesis.add_tags_to_stream(StreamName="life", Tags={"team": "ingest", "cost": "1"})
    kinesis.remove_tags_from_stream(StreamName="life", TagKeys=["cost"])
    expect(kinesis.list_tags_for_stream(StreamName="life")["Tags"] == [{"Key": "team", "Value": "ingest"}], "tags differ")
    kinesis.tag_resource(ResourceARN=described["StreamARN"], Tags={"a": "b"})
    kinesis.untag_resource(ResourceARN=described["StreamARN"], TagKeys=["team"])
    tags = kinesis.list_tags_for_resource(ResourceARN=described["StreamARN"])["Tags"]
    expect(tags == [{"Key": "a", "Value": "b"}], f"tags are {tags}")
    kinesis.update_stream_mode(StreamARN=described["StreamARN"], StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.update_max_record_size(StreamARN=described["StreamARN"], MaxRecordSizeInKiB=2048)
    summary = kinesis.describe_stream_summary(StreamName="life")["StreamDescriptionSummary"]
    expect(summary["StreamModeDetails"]["StreamMode"] == "ON_DEMAND" and summary["MaxRecordSizeInKiB"] == 2048, f"it is {summary}")
    expect(kinesis.describe_limits()["OpenShardCount"] >= 7, "DescribeLimits does not count the shards")
    kinesis.delete_stream(StreamName="life")
    kinesis.get_waiter("stream_not_exists").wait(StreamName="life", WaiterConfig={"Delay": 1, "MaxAttempts": 10})


def test_put_and_get(kinesis, _):
    create(kinesis, "trip", 3)
    one = kinesis.put_record(StreamName="trip", PartitionKey="k", Data=b"\x00one\xff")
    expect(read(kinesis, "trip", one["ShardId"])[0]["Data"] == b"\x00one\xff", "the data has changed")
    entries = [{"PartitionKey": f"key-{i}", "Data": f"value {i}".encode()} for i in range(500)]
    many = kinesis.put_records(StreamName="trip", Records=entries)
    expect(many["FailedRecordCount"] == 0 and len(many["Records"]) == 500, "not all records were taken")
    there = {}
    for shard in shards_of(kinesis, "trip"):
        records = read(kinesis, "trip", shard["ShardId"])
        numbers = [int(record["SequenceNumber"]) for record in records]
        expect(numbers == sorted(set(numbers)), f"the numbers of {shard['ShardId']} do not grow")
        there |= {(shard["ShardId"], record["SequenceNumber"]): (record["PartitionKey"], record["Data"]) for record in records}
    for entry, result in zip(entries, many["Records"]):
        got = there[(result["ShardId"], result["SequenceNumber"])]
        expect(got == (entry["PartitionKey"], entry["Data"]), f"{entry} came back as {got}")


def test_tls(kinesis, broker):
    create(kinesis, "tls", 1)
    secure = connect(broker, endpoint_url=broker.tls_endpoint(), verify=str(broker.certificate()))
    secure.put_record(StreamName="tls", PartitionKey="k", Data=b"over TLS")
    expect([record["Data"] for record in read(secure, "tls")] == [b"over TLS"], "the record is lost")


def test_iterators(kinesis, _):
    create(kinesis, "places", 1)
    numbers = [kinesis.put_record(StreamName="places", PartitionKey="k", Data=bytes([i]))["SequenceNumber"] for i in range(5)]
    first = read(kinesis, "places")
    arrived = first[2]["ApproximateArrivalTimestamp"].replace(microsecond=0)  # boto3 sends whole seconds

    def data(**place):
        return [record["Data"][0] for record in read(kinesis, "places", **place)]

    expect(data() == [0, 1, 2, 3, 4], "TRIM_HORIZON")
    expect(data(ShardIteratorType="LATEST") == [], "LATEST")
    expect(data(ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == [2, 3, 4], "AT_SEQUENCE_NUMBER")
    expect(data(ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == [3, 4], "AFTER_SEQUENCE_NUMBER")
    at_time = [record["Data"][0] for record in first if record["ApproximateArrivalTimestamp"] >= arrived]
    expect(data(ShardIteratorType="AT_TIMESTAMP", Timestamp=arrived) == at_time, "AT_TIMESTAMP")
    limited = kinesis.get_records(Limit=2, ShardIterator=kinesis.get_shard_iterator(
        StreamName="places", ShardId="0", ShardIteratorType="TRIM_HORIZON")["ShardIterator"])
    expect(len(limited["Records"]) == 2, f"Limit 2 gave {len(limited['Records'])} records")


def test_errors(kinesis, _):
    create(kinesis, "errors", 1)
    cases = [
        ("ResourceNotFoundException", lambda: kinesis.put_record(StreamName="none", PartitionKey="k", Data=b"")),
        ("ResourceInUseException", lambda: kinesis.create_stream(StreamName="errors", ShardCount=1)),
        ("InvalidArgumentException", lambda: kinesis.get_records(ShardIterator="AAAA")),
        ("ValidationException", lambda: kinesis.put_record(StreamName="errors", PartitionKey="k", Data=bytes(2**20 + 1))),
        ("ResourceNotFoundException",
         lambda: kinesis.get_shard_iterator(StreamName="errors", ShardId="shardId-9", ShardIteratorType="LATEST")),
    ]
    for name, call in cases:
        try:
            call()
        except kinesis.exceptions.ClientError as error:
            expect(error.response["Error"]["Code"] == name, f"{error} where {name} was expected")
        else:
            expect(False, f"no error where {name} was expected")


def follow(kinesis, name):
    """All records of a stream, each shard after its parents, by the ChildShards that readers are led to."""
    first = kinesis.list_shards(StreamName=name, ShardFilter={"Type": "AT_TRIM_HORIZON"})["Shards"]
    ready = [shard["ShardId"] for shard in first]
    finished, records = set(), []
    while ready:
        shard = ready.pop(0)
        iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator is not None:
            page = kinesis.get_records(ShardIterator=iterator)
            records += page["Records"]
            iterator = page.get("NextShardIterator")
            expect((iterator is None) == ("ChildShards" in page), "an iterator and ChildShards go together")
            if page["MillisBehindLatest"] == 0:
                break
        finished.add(shard)
        for child in page.get("ChildShards", []):
            if finished.issuperset(child["ParentShards"]) and child["ShardId"] not in ready:
                ready.append(child["ShardId"])
    return records


def put_numbered(kinesis, name, counts, stop):
    """Puts records KEY/NUMBER, each key's in order, until it is told to stop or the broker is gone."""
    import botocore.exceptions
    while not stop.is_set():
        for key in counts:
            try:
                kinesis.put_record(StreamName=name, PartitionKey=key, Data=f"{key}/{counts[key]}".encode())
            except botocore.exceptions.BotoCoreError:
                return
            counts[key] += 1


def count_numbered(kinesis, name):
    """How many records each key has; they are in order from parent to child, and their sequence numbers grow."""
    there, newest = {}, {}
    for record in follow(kinesis, name):
        key = record["PartitionKey"]
        expect(record["Data"].decode() == f"{key}/{there.get(key, 0)}", f"{record['Data']} follows {there.get(key, 0)} of {key}")
        expect(int(record["SequenceNumber"]) > newest.get(key, 0), f"the number of {record['Data']} does not grow")
        there[key] = there.get(key, 0) + 1
        newest[key] = int(record["SequenceNumber"])
    return there


def test_reshard(kinesis, broker):
    create(kinesis, "reshard", 2)
    counts = [{f"key-{thread}-{i}": 0 for i in range(5)} for thread in range(2)]
    stop = threading.Event()
    threads = [threading.Thread(target=put_numbered, args=(connect(broker), "reshard", part, stop)) for part in counts]
    for thread in threads:
        thread.start()
    kinesis.split_shard(StreamName="reshard", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    kinesis.merge_shards(StreamName="reshard", ShardToMerge="shardId-000000000003", AdjacentShardToMerge="shardId-000000000001")
    scaled = kinesis.update_shard_count(StreamName="reshard", TargetShardCount=3, ScalingType="UNIFORM_SCALING")
    expect((scaled["CurrentShardCount"], scaled["TargetShardCount"]) == (2, 3), f"UpdateShardCount answers {scaled}")
    stop.set()
    for thread in threads:
        thread.join()
    broker.stop(signal.SIGKILL)
    broker.start()
    shards = {shard["ShardId"]: shard for shard in shards_of(kinesis, "reshard")}
    for shard in shards.values():
        for parent in (shard.get("ParentShardId"), shard.get("AdjacentParentShardId")):
            grows = parent is None or (int(shards[parent]["SequenceNumberRange"]["EndingSequenceNumber"])
                                       < int(shard["SequenceNumberRange"]["StartingSequenceNumber"]))
            expect(grows, f"the numbers of {shard['ShardId']} begin below the end of {parent}")
    summary = kinesis.describe_stream_summary(StreamName="reshard")["StreamDescriptionSummary"]
    expect(summary["OpenShardCount"] == 3, f"it has {summary['OpenShardCount']} open shards")
    there = count_numbered(kinesis, "reshard")
    expect(there == counts[0] | counts[1], f"{counts} were put, {there} are there")


def reshard_until_it_fails(broker, reshards):
    import botocore.exceptions
    kinesis = connect(broker)
    while True:
        for target in (4, 3, 2, 1, 2):
            try:
                kinesis.update_shard_count(StreamName="reshard-killed", TargetShardCount=target, ScalingType="UNIFORM_SCALING")
            except botocore.exceptions.BotoCoreError:
                return
            except kinesis.exceptions.InvalidArgumentException:
                continue  # a kill has left another number
            reshards.release()


def test_reshard_and_kill(kinesis, broker):
    create(kinesis, "reshard-killed", 2)
    counts = [{f"key-{thread}-{i}": 0 for i in range(5)} for thread in range(2)]
    for life in range(3):
        reshards = threading.Semaphore(0)
        threads = [threading.Thread(target=put_numbered, args=(connect(broker), "reshard-killed", part, threading.Event()))
                   for part in counts]
        threads.append(threading.Thread(target=reshard_until_it_fails, args=(broker, reshards)))
        for thread in threads:
            thread.start()
        for _ in range(20 + 7 * life):
            expect(reshards.acquire(timeout=120), "the stream was not resharded")
        broker.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
        broker.start()
        there = count_numbered(kinesis, "reshard-killed")
        for part in counts:
            for key, acknowledged in part.items():
                count = there.get(key, 0)
                expect(count in (acknowledged, acknowledged + 1), f"{acknowledged} of {key} were acknowledged, {count} are there")
                part[key] = count
        shards = shards_of(kinesis, "reshard-killed")
        print(f"killed while resharding: {sum(there.values())} records in {len(shards)} shards", flush=True)


def test_restart(kinesis, broker):
    create(kinesis, "restart", 1)
    kinesis.put_record(StreamName="restart", PartitionKey="k", Data=b"before")
    latest = kinesis.get_shard_iterator(StreamName="restart", ShardId="0", ShardIteratorType="LATEST")["ShardIterator"]
    first = kinesis.get_shard_iterator(StreamName="restart", ShardId="0", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    broker.stop()
    broker.start()
    expect([record["Data"] for record in kinesis.get_records(ShardIterator=first)["Records"]] == [b"before"], "the record is lost")
    kinesis.put_record(StreamName="restart", PartitionKey="k", Data=b"after")
    expect([record["Data"] for record in kinesis.get_records(ShardIterator=latest)["Records"]] == [b"after"],
           "an iterator does not live over a restart")


def put_until_it_fails(broker, acknowledged, thread, enough):
    """Notes each record with its shard and number once it is acknowledged."""
    import botocore.exceptions
    kinesis = connect(broker)
    count = 0
    while True:
        entries = [{"PartitionKey": f"{thread}-{count}-{i}", "Data": f"{thread}/{count}/{i}".encode()} for i in range(20)]
        try:
            results = kinesis.put_records(StreamName="killed", Records=entries)["Records"]
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return
        for entry, result in zip(entries, results):
            if "SequenceNumber" in result:
                acknowledged.append((result["ShardId"], result["SequenceNumber"], entry["PartitionKey"], entry["Data"]))
        count += 1
        if count == 20:
            enough.release()


def test_kill(kinesis, broker):
    create(kinesis, "killed", 4)
    for _ in range(3):
        acknowledged = []
        enough = threading.Semaphore(0)
        threads = [threading.Thread(target=put_until_it_fails, args=(broker, acknowledged, number, enough)) for number in range(4)]
        for thread in threads:
            thread.start()
        for _ in threads:
            expect(enough.acquire(timeout=120), "the broker stopped taking records by itself")
        broker.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
        broker.start()
        there = {}
        for shard in shards_of(kinesis, "killed"):
            for record in read(kinesis, "killed", shard["ShardId"]):
                there[(shard["ShardId"], record["SequenceNumber"])] = (record["PartitionKey"], record["Data"])
        lost = [one for one in acknowledged if there.get(one[:2]) != one[2:]]
        expect(not lost, f"{len(lost)} of {len(acknowledged)} acknowledged records are lost, the first is {lost[:1]}")
        print(f"killed: {len(acknowledged)} records were acknowledged, all are there", flush=True)


def consumer_of(kinesis, stream, name):
    """The ARN of a new consumer, once it is active."""
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=name)["Consumer"]
    described = kinesis.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]
    expect(described["ConsumerStatus"] == "ACTIVE" and described["StreamARN"] == arn, f"the consumer is {described}")
    return consumer["ConsumerARN"]


def test_consumers(kinesis, _):
    create(kinesis, "consumers", 1)
    arns = [consumer_of(kinesis, "consumers", f"c{number}") for number in range(5)]
    stream_arn = arns[0].split("/consumer/")[0]
    pages = kinesis.get_paginator("list_stream_consumers").paginate(StreamARN=stream_arn, PaginationConfig={"PageSize": 2})
    expect([consumer["ConsumerARN"] for page in pages for consumer in page["Consumers"]] == arns, "the consumers are not listed")
    kinesis.tag_resource(ResourceARN=arns[0], Tags={"a": "b"})
    expect(kinesis.list_tags_for_resource(ResourceARN=arns[0])["Tags"] == [{"Key": "a", "Value": "b"}], "tags differ")
    kinesis.deregister_stream_consumer(ConsumerARN=arns[0])
    summary = kinesis.describe_stream_summary(StreamName="consumers")["StreamDescriptionSummary"]
    expect(summary["ConsumerCount"] == 4, f"{summary['ConsumerCount']} consumers")
    try:
        kinesis.delete_stream(StreamName="consumers")
        expect(False, "a stream with consumers was deleted")
    except kinesis.exceptions.ResourceInUseException:
        kinesis.delete_stream(StreamName="consumers", EnforceConsumerDeletion=True)


class Follower:
    """Reads one shard with SubscribeToShard, one subscription after the other, and notes what comes."""

    def __init__(self, kinesis, arn):
        self.kinesis = kinesis
        self.arn = arn
        self.position = {"Type": "TRIM_HORIZON"}
        self.data = []

    def subscribe(self):
        import model_check
        answer = self.kinesis.subscribe_to_shard(ConsumerARN=self.arn, ShardId="shardId-000000000000", StartingPosition=self.position)
        return model_check.checked_events(answer["EventStream"])

    def take(self, event):
        event = event["SubscribeToShardEvent"]
        self.data += [record["Data"] for record in event["Records"]]
        self.position = {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": event["ContinuationSequenceNumber"]}

    def read_until(self, events, count):
        for event in events:
            self.take(event)
            if len(self.data) >= count:
                return
        expect(False, f"the subscription ended after {len(self.data)} records of {count}")

    def read_to_the_end(self, events):
        """What is still on its way when the broker stops."""
        import botocore.exceptions
        import urllib3.exceptions
        try:
            for event in events:
                self.take(event)
        except (botocore.exceptions.BotoCoreError, urllib3.exceptions.HTTPError):
            pass  # it was killed


def test_fan_out(kinesis, broker):
    create(kinesis, "fan", 1)
    follower = Follower(connect(broker), consumer_of(kinesis, "fan", "follower"))
    count = 0

    def put(more):
        nonlocal count
        for _ in range(more):
            kinesis.put_record(StreamName="fan", PartitionKey="k", Data=f"{count}".encode())
            count += 1

    for end in (signal.SIGTERM, signal.SIGKILL):
        put(50)
        events = follower.subscribe()
        putter = threading.Thread(target=put, args=(50,))
        putter.start()
        follower.read_until(events, count + 10)
        putter.join()
        put(5)
        broker.stop(end)
        follower.read_to_the_end(events)
        broker.start()
    put(10)
    events = follower.subscribe()
    follower.read_until(events, count)
    try:
        follower.subscribe()
        expect(False, "there are two subscriptions of one consumer")
    except kinesis.exceptions.ClientError as error:
        expect(error.response["Error"]["Code"] == "ResourceInUseException", f"{error}")
    events.close()
    wanted = [f"{number}".encode() for number in range(count)]
    expect(follower.data == wanted, f"{len(follower.data)} records came, {count} were put: not each of them once and in order")


def test_encryption(kinesis, broker):
    create(kinesis, "secret", 1)
    key = "alias/aws/kinesis"
    answers = [kinesis.put_record(StreamName="secret", PartitionKey="k", Data=b"one plain-canary")]
    kinesis.start_stream_encryption(StreamName="secret", EncryptionType="KMS", KeyId=key)
    summary = kinesis.describe_stream_summary(StreamName="secret")["StreamDescriptionSummary"]
    expect(summary["EncryptionType"] == "KMS" and summary["KeyId"] == key, f"described as {summary}")
    answers.append(kinesis.put_record(StreamName="secret", PartitionKey="k", Data=b"two hidden-canary"))
    many = kinesis.put_records(StreamName="secret", Records=[{"PartitionKey": "k", "Data": b"three hidden-canary"}])
    expect(many["EncryptionType"] == "KMS", f"PutRecords answered {many}")
    kinesis.start_stream_encryption(StreamName="secret", EncryptionType="KMS", KeyId=key)  # another data key
    answers.append(kinesis.put_record(StreamName="secret", PartitionKey="k", Data=b"four hidden-canary"))
    broker.stop(signal.SIGKILL)
    files = [path for path in (broker.home / "data").rglob("*") if path.is_file()]
    expect(any(b"plain-canary" in path.read_bytes() for path in files), "the search for plaintext does not work")
    expect(not any(b"hidden-canary" in path.read_bytes() for path in files), "plaintext of an encrypted stream is on the disk")
    broker.start()
    kinesis.stop_stream_encryption(StreamName="secret", EncryptionType="KMS", KeyId=key)
    answers.append(kinesis.put_record(StreamName="secret", PartitionKey="k", Data=b"five"))
    expect([answer.get("EncryptionType") for answer in answers] == [None, "KMS", "KMS", None], f"puts were answered {answers}")
    records = read(kinesis, "secret")
    expect([record["Data"].split()[0] for record in records] == [b"one", b"two", b"three", b"four", b"five"], f"records are {records}")
    expect([record.get("EncryptionType") for record in records] == [None, "KMS", "KMS", "KMS", None], f"records are {records}")
    try:
        kinesis.start_stream_encryption(StreamName="secret", EncryptionType="NONE", KeyId=key)
        expect(False, "EncryptionType NONE is taken")
    except kinesis.exceptions.InvalidArgumentException:
        pass


TESTS = [test_life_of_a_stream, test_put_and_get, test_iterators, test_errors, test_reshard, test_reshard_and_kill, test_restart,
         test_kill, test_consumers, test_fan_out, test_encryption]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    in_environment_with_boto3(arguments.build)
    from broker import Broker
    with Broker(arguments.build) as broker:
        kinesis = connect(broker)
        for test in TESTS:
            try:
                test(kinesis, broker)
            except Exception:  # whatever it is, the test is broken and the log says more
                traceback.print_exc()
                print(f"broken: {test.__name__}\n{broker.log()}")
                return 1
            print(f"kept: {test.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
