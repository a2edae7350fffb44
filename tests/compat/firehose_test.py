#!/usr/bin/env python3
"""boto3 against the Firehose door of a real broker: a delivery stream's whole life, records in the lake as they were put, merging
updates, errors as boto3's users catch them, and `kill -9` in the middle of puts: what was acknowledged is in the lake once.

    firehose_test.py --build build/release

Every answer is held against botocore's model (model_check.py). Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import base64
import collections
import gzip
import json
import pathlib
import signal
import sys
import threading
import traceback

from boto3_test import expect, in_environment_with_boto3

ROLE = "arn:aws:iam::000000000000:role/firehose"


def connect(service, broker):
    import boto3
    import botocore.config
    import broker as settings
    import model_check
    config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=10, read_timeout=120)
    client = boto3.client(service, endpoint_url=broker.endpoint(), region_name="us-east-1", config=config,
                          aws_access_key_id=settings.ACCESS_KEY, aws_secret_access_key=settings.SECRET_KEY)
    model_check.watch(client)
    return client


def destination(bucket, **more):
    """Of objects that come at once."""
    return {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{bucket}", "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0}} | more


def objects(broker, bucket):
    """Of a bucket, by key, but for what is being written."""
    root = broker.home / "lake" / bucket
    files = [path for path in root.rglob("*") if path.is_file() and ".sluice" not in path.parts]
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(files)}


def delivered(broker, name, bucket):
    broker.run("delivery", "flush", name)
    return objects(broker, bucket)


def refused(firehose, code, call):
    """The message of a call that fails with this code."""
    try:
        call()
    except firehose.exceptions.ClientError as error:
        expect(error.response["Error"]["Code"] == code, f"{error} where {code} was expected")
        return error.response["Error"]["Message"]
    expect(False, f"no error where {code} was expected")
    return ""


def test_put_and_deliver(firehose, broker):
    made = firehose.create_delivery_stream(DeliveryStreamName="trip", ExtendedS3DestinationConfiguration=destination(
        "trip", Prefix="orders/", CompressionFormat="GZIP"))
    expect(made["DeliveryStreamARN"] == "arn:aws:firehose:us-east-1:000000000000:deliverystream/trip", f"it is {made}")
    one = firehose.put_record(DeliveryStreamName="trip", Record={"Data": b"\x00first\xff\n"})
    expect(one["RecordId"] and one["Encrypted"] is False, f"PutRecord answers {one}")
    lines = [f"line {i}\n".encode() for i in range(500)]
    many = firehose.put_record_batch(DeliveryStreamName="trip", Records=[{"Data": line} for line in lines])
    ids = {response["RecordId"] for response in many["RequestResponses"]}
    expect(many["FailedPutCount"] == 0 and len(ids) == 500, f"PutRecordBatch answers {many}")
    there = delivered(broker, "trip", "trip")
    expect(all(key.startswith("orders/20") and key.endswith(".gz") for key in there), f"the keys are {list(there)}")
    everything = b"".join(gzip.decompress(data) for data in there.values())
    expect(sorted(everything.splitlines()) == sorted([b"\x00first\xff"] + [line.strip() for line in lines]), "the records differ")
    expect(b"".join(lines) in everything, "the records of a batch are not in their order")


def test_life_of_a_delivery_stream(firehose, _):
    given = destination("life", Prefix="a/!{timestamp:yyyy}/", ErrorOutputPrefix="e/!{firehose:error-output-type}/")
    firehose.create_delivery_stream(DeliveryStreamName="life", ExtendedS3DestinationConfiguration=given,
                                    Tags=[{"Key": "team", "Value": "ingest"}])
    description = firehose.describe_delivery_stream(DeliveryStreamName="life")["DeliveryStreamDescription"]
    expect(description["DeliveryStreamStatus"] == "ACTIVE" and description["VersionId"] == "1", f"it is {description}")
    told = description["Destinations"][0]["ExtendedS3DestinationDescription"]
    expect(told == given | {"CompressionFormat": "UNCOMPRESSED", "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
                            "CloudWatchLoggingOptions": {"Enabled": False}, "S3BackupMode": "Disabled"}, f"told is {told}")
    ids = {"DeliveryStreamName": "life", "DestinationId": description["Destinations"][0]["DestinationId"]}
    firehose.update_destination(CurrentDeliveryStreamVersionId="1", ExtendedS3DestinationUpdate={"CompressionFormat": "ZIP"}, **ids)
    changed = firehose.describe_delivery_stream(DeliveryStreamName="life")["DeliveryStreamDescription"]
    told = changed["Destinations"][0]["ExtendedS3DestinationDescription"]
    expect(changed["VersionId"] == "2" and told["CompressionFormat"] == "ZIP" and told["Prefix"] == given["Prefix"], f"it is {changed}")
    message = refused(firehose, "ConcurrentModificationException", lambda: firehose.update_destination(
        CurrentDeliveryStreamVersionId="1", ExtendedS3DestinationUpdate={"CompressionFormat": "GZIP"}, **ids))
    expect("current version id: 2 and specified version id: 1 do not match" in message, message)
    firehose.tag_delivery_stream(DeliveryStreamName="life", Tags=[{"Key": "cost", "Value": "1"}])
    firehose.untag_delivery_stream(DeliveryStreamName="life", TagKeys=["team"])
    tags = firehose.list_tags_for_delivery_stream(DeliveryStreamName="life")
    expect((tags["Tags"], tags["HasMoreTags"]) == ([{"Key": "cost", "Value": "1"}], False), f"the tags are {tags}")
    expect("life" in firehose.list_delivery_streams(DeliveryStreamType="DirectPut")["DeliveryStreamNames"], "it is not listed")
    firehose.delete_delivery_stream(DeliveryStreamName="life")
    refused(firehose, "ResourceNotFoundException", lambda: firehose.describe_delivery_stream(DeliveryStreamName="life"))


def test_of_a_stream(firehose, broker):
    kinesis = connect("kinesis", broker)
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    kinesis.put_record(StreamName="clicks", PartitionKey="k", Data=b"before;")
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks", DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/clicks", "RoleARN": ROLE},
        ExtendedS3DestinationConfiguration=destination("clicks"))
    for i in range(10):
        kinesis.put_record(StreamName="clicks", PartitionKey=str(i), Data=f"{i};".encode())
    everything = b"".join(delivered(broker, "clicks", "clicks").values())
    expect(sorted(everything.decode().split(";")[:-1]) == [str(i) for i in range(10)], f"the lake has {everything}")
    message = refused(firehose, "InvalidSourceException", lambda: firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b""}))
    expect(message == "This operation is not permitted on KinesisStreamAsSource delivery stream type.", message)
    refused(firehose, "ResourceInUseException", lambda: kinesis.delete_stream(StreamName="clicks"))
    firehose.delete_delivery_stream(DeliveryStreamName="clicks")
    kinesis.delete_stream(StreamName="clicks")


def test_conversion(firehose, broker):
    conversion = {"SchemaConfiguration": {"DatabaseName": "d", "TableName": "t", "RoleARN": ROLE, "Region": "us-east-1"},
                  "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
                  "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}
    hints = {"SizeInMBs": 64, "IntervalInSeconds": 60}
    firehose.create_delivery_stream(DeliveryStreamName="rows", ExtendedS3DestinationConfiguration=destination(
        "rows", DataFormatConversionConfiguration=conversion) | {"BufferingHints": hints})
    firehose.put_record_batch(DeliveryStreamName="rows", Records=[{"Data": b'{"id": 1}'}, {"Data": b'{"id": 2}'}])
    there = delivered(broker, "rows", "rows")
    expect([data[:4] for data in there.values()] == [b"PAR1"], f"the lake has {list(there)}")


def processor(kind, **parameters):
    return {"Type": kind, "Parameters": [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]}


def test_processors(firehose, broker):
    """What CloudWatch Logs sends becomes lines; what cannot be processed is told by type, and all of it is proven."""
    given = {"Enabled": True, "Processors": [
        processor("RecordDeAggregation", SubRecordType="DELIMITED", Delimiter="Cg=="), processor("Decompression", CompressionFormat="GZIP"),
        processor("CloudWatchLogProcessing", DataMessageExtraction="true"), processor("AppendDelimiterToRecord")]}
    firehose.create_delivery_stream(DeliveryStreamName="logs", ExtendedS3DestinationConfiguration=destination(
        "logs", Prefix="lines/", ErrorOutputPrefix="errors/!{firehose:error-output-type}/", ProcessingConfiguration=given))
    description = firehose.describe_delivery_stream(DeliveryStreamName="logs")["DeliveryStreamDescription"]
    told = description["Destinations"][0]["ExtendedS3DestinationDescription"]["ProcessingConfiguration"]
    expect(told == given, f"told is {told}")

    def document(kind, *messages):
        events = [{"id": str(i), "timestamp": i, "message": message} for i, message in enumerate(messages)]
        return gzip.compress(json.dumps({"messageType": kind, "owner": "1", "logGroup": "g", "logStream": "s", "logEvents": events}).encode())

    no_document = gzip.compress(b"{}")  # made once: its header holds the time
    firehose.put_record_batch(DeliveryStreamName="logs", Records=[{"Data": data} for data in (
        document("DATA_MESSAGE", "one", "two\nthree\n", "\u00e9"), document("CONTROL_MESSAGE", "hello"), b"not gzip", no_document)])
    there = delivered(broker, "logs", "logs")
    lines = b"\n".join(data for key, data in there.items() if key.startswith("lines/")).decode().split("\n")
    expect(sorted(line for line in lines if line) == ["one", "three", "two", "\u00e9"], f"the lines are {lines}")
    errors = {key.split("/")[1]: json.loads(data) for key, data in there.items() if key.startswith("errors/")}
    expect({kind: (e["errorCode"], base64.b64decode(e["rawData"])) for kind, e in errors.items()} == {
        "decompression-failed": ("Decompression failed.", b"not gzip"),
        "processing-failed": ("CloudWatchLogProcessing.MalformedData", no_document)}, f"the errors are {errors}")
    broker.run("verify", "logs")


def test_backup(firehose, broker):
    """Source records as they were put, beside what processors make of them, and when they are begun to be kept."""
    extraction = {"Enabled": True, "Processors": [processor("Decompression", CompressionFormat="GZIP")]}
    hints = {"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}}
    given = destination("kept", ProcessingConfiguration=extraction) | hints
    place = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::kept-backup", "Prefix": "raw/", "CompressionFormat": "GZIP"}
    firehose.create_delivery_stream(DeliveryStreamName="kept", ExtendedS3DestinationConfiguration=given)
    ids = {"DeliveryStreamName": "kept", "DestinationId": "destinationId-000000000001"}
    firehose.put_record(DeliveryStreamName="kept", Record={"Data": gzip.compress(b"before")})
    delivered(broker, "kept", "kept")
    firehose.update_destination(CurrentDeliveryStreamVersionId="1", ExtendedS3DestinationUpdate={
        "S3BackupMode": "Enabled", "S3BackupUpdate": place}, **ids)
    told = firehose.describe_delivery_stream(DeliveryStreamName="kept")["DeliveryStreamDescription"]["Destinations"][0]
    defaults = {"BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300}, "CloudWatchLoggingOptions": {"Enabled": False},
                "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"}}
    expect(told["ExtendedS3DestinationDescription"]["S3BackupDescription"] == place | defaults, f"told is {told}")
    records = [gzip.compress(b"one"), b"not gzip", gzip.compress(b"two")]
    firehose.put_record_batch(DeliveryStreamName="kept", Records=[{"Data": data} for data in records])
    there = delivered(broker, "kept", "kept")
    expect(sum(data.count(b"onetwo") for data in there.values()) == 1, f"the lake has {there}")
    backup = objects(broker, "kept-backup")
    expect(list(map(gzip.decompress, backup.values())) == [b"".join(records)], f"the backup has {backup}")
    message = refused(firehose, "InvalidArgumentException", lambda: firehose.update_destination(
        CurrentDeliveryStreamVersionId="2", ExtendedS3DestinationUpdate={"S3BackupMode": "Disabled"}, **ids))
    expect(message == "S3BackupMode cannot be changed from Enabled to Disabled.", message)
    broker.run("verify", "kept")


def test_errors(firehose, _):
    bucket = destination("errors")
    cases = [
        ("InvalidArgumentException", "Exactly one destination configuration is supported for a Firehose", {}),
        ("InvalidArgumentException", "LambdaArn is missing",
         bucket | {"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "Lambda"}]}}),
        ("InvalidArgumentException", "CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor",
         bucket | {"ProcessingConfiguration": {"Enabled": True, "Processors": [
             processor("CloudWatchLogProcessing", DataMessageExtraction="true")]}}),
        ("InvalidArgumentException", "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions.",
         bucket | {"Prefix": "!{timestamp:yyyy}/"}),
    ]
    for code, message, given in cases:
        destinations = {"ExtendedS3DestinationConfiguration": given} if given else {}
        said = refused(firehose, code, lambda d=destinations: firehose.create_delivery_stream(DeliveryStreamName="errors", **d))
        expect(said == message, f"'{said}' where '{message}' was expected")
    said = refused(firehose, "ResourceNotFoundException", lambda: firehose.put_record(DeliveryStreamName="none", Record={"Data": b"x"}))
    expect(said == "Firehose none under account 000000000000 not found.", said)


def test_encryption(firehose, broker):
    key = "arn:aws:kms:us-east-1:000000000000:key/own"
    firehose.create_delivery_stream(DeliveryStreamName="secret", ExtendedS3DestinationConfiguration=destination("secret"),
                                    DeliveryStreamEncryptionConfigurationInput={"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key})

    def described():
        description = firehose.describe_delivery_stream(DeliveryStreamName="secret")["DeliveryStreamDescription"]
        return description["DeliveryStreamEncryptionConfiguration"]

    expect(described() == {"Status": "ENABLED", "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key}, f"it is {described()}")
    broker.run("delivery", "pause", "secret")
    many = firehose.put_record_batch(DeliveryStreamName="secret", Records=[{"Data": b"hidden-canary"}])
    expect(many["Encrypted"] is True, f"PutRecordBatch answers {many}")
    files = [path for path in (broker.home / "data").rglob("*") if path.is_file()]
    expect(not any(b"hidden-canary" in path.read_bytes() for path in files), "plaintext of an encrypted delivery stream is on the disk")
    firehose.start_delivery_stream_encryption(DeliveryStreamName="secret")
    expect(described() == {"Status": "ENABLED", "KeyType": "AWS_OWNED_CMK"}, f"it is {described()}")
    firehose.stop_delivery_stream_encryption(DeliveryStreamName="secret")
    expect(described() == {"Status": "DISABLED"}, f"it is {described()}")
    plain = firehose.put_record(DeliveryStreamName="secret", Record={"Data": b"plain"})
    expect(plain["Encrypted"] is False, f"PutRecord answers {plain}")
    broker.run("delivery", "resume", "secret")
    everything = b"".join(delivered(broker, "secret", "secret").values())
    expect(sorted([everything.count(b"hidden-canary"), everything.count(b"plain")]) == [1, 1], f"the lake has {everything}")


class Puts:
    """Records of one client, one after another, until the broker is gone: those that were acknowledged, and those without an answer."""

    def __init__(self, broker, number):
        self.firehose = connect("firehose", broker)
        self.number = number
        self.acknowledged = collections.Counter()
        self.unanswered = collections.Counter()
        self.batches = threading.Semaphore(0)
        self.thread = threading.Thread(target=self.run)

    def run(self):
        import botocore.exceptions
        for batch in range(1 << 30):
            records = [f"{self.number}/{batch}/{i}\n" for i in range(200)]
            try:
                answer = self.firehose.put_record_batch(DeliveryStreamName="killed", Records=[{"Data": r.encode()} for r in records])
            except botocore.exceptions.BotoCoreError:
                self.unanswered.update(records)
                return
            for record, response in zip(records, answer["RequestResponses"]):
                (self.acknowledged if "RecordId" in response else self.unanswered).update([record])
            self.batches.release()


def test_kill(firehose, broker):
    firehose.create_delivery_stream(DeliveryStreamName="killed", ExtendedS3DestinationConfiguration=destination(
        "killed", CompressionFormat="GZIP"))
    acknowledged, unanswered = collections.Counter(), collections.Counter()
    for life in range(4):
        clients = [Puts(broker, f"{life}-{i}") for i in range(4)]
        for client in clients:
            client.thread.start()
        for client in clients:
            for _ in range(5 + 7 * life):
                expect(client.batches.acquire(timeout=120), "nothing is put")
        broker.stop(signal.SIGKILL)
        for client in clients:
            client.thread.join()
            acknowledged += client.acknowledged
            unanswered += client.unanswered
        broker.start()
    there = collections.Counter()
    for data in delivered(broker, "killed", "killed").values():
        there.update(gzip.decompress(data).decode().splitlines(keepends=True))
    lost, surplus = acknowledged - there, there - acknowledged - unanswered
    expect(not lost and not surplus, f"{sum(lost.values())} records are lost, {sum(surplus.values())} are there too often")
    broker.run("verify", "killed")
    print(f"killed while putting: {sum(acknowledged.values())} records acknowledged, {sum(there.values())} in the lake", flush=True)


TESTS = [test_put_and_deliver, test_life_of_a_delivery_stream, test_of_a_stream, test_conversion, test_processors, test_backup, test_errors, test_encryption, test_kill]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    in_environment_with_boto3(arguments.build)
    from broker import Broker
    with Broker(arguments.build) as broker:
        firehose = connect("firehose", broker)
        for test in TESTS:
            try:
                test(firehose, broker)
            except Exception:  # whatever it is, the test is broken and the log says more
                traceback.print_exc()
                print(f"broken: {test.__name__}\n{broker.log()}")
                return 1
            print(f"kept: {test.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
