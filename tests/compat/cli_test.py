#!/usr/bin/env python3
"""The AWS CLI against the Kinesis and Firehose doors of a real broker, as people type it: streams, records, waiters, pages, error
texts.

    cli_test.py --build build/release

The package comes from PyPI into the build directory. Every answer is held against botocore's model (cli_checked.py). Exit code 0
kept, 1 broken, 77 cannot be run here.
"""
import argparse
import base64
import json
import os
import pathlib
import sys
import traceback

import broker as settings
import packages

PACKAGE = "awscli==1.46.2"


def expect(good, what):
    if not good:
        raise settings.Broken(what)


class Cli:
    def __init__(self, broker, service="kinesis", endpoint=None, **environment):
        self.service = service
        self.command = [service, "--endpoint-url", endpoint or broker.endpoint()]
        self.environment = {
            "AWS_ACCESS_KEY_ID": settings.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": settings.SECRET_KEY, "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"} | environment

    def run(self, *arguments):
        import cli_checked
        return cli_checked.run([*self.command, *map(str, arguments)], self.environment)

    def __call__(self, *arguments):
        """The answer as JSON; None where there is none."""
        result = self.run(*arguments)
        expect(result.code == 0, f"aws {self.service} {arguments}: {result.errors}")
        return json.loads(result.output) if result.output.strip() else None

    def error(self, *arguments):
        result = self.run(*arguments)
        expect(result.code != 0, f"aws {self.service} {arguments} succeeds")
        return result.errors.strip()


def test_streams(aws):
    expect(aws("create-stream", "--stream-name", "cli", "--shard-count", 3, "--tags", "team=ingest") is None, "create-stream answers")
    aws("wait", "stream-exists", "--stream-name", "cli")
    summary = aws("describe-stream-summary", "--stream-name", "cli")["StreamDescriptionSummary"]
    expect(summary["StreamARN"] == "arn:aws:kinesis:eu-west-1:000000000000:stream/cli", f"the summary is {summary}")
    expect(aws("list-streams")["StreamNames"] == ["cli"], "list-streams")
    shards = aws("list-shards", "--stream-name", "cli", "--page-size", 2)["Shards"]
    expect([shard["ShardId"][-1] for shard in shards] == ["0", "1", "2"], f"list-shards gives {shards}")
    filtered = aws("list-shards", "--stream-name", "cli", "--shard-filter", "Type=AFTER_SHARD_ID,ShardId=shardId-000000000001")["Shards"]
    expect(len(filtered) == 1, f"list-shards with a filter gives {filtered}")
    expect(aws("list-tags-for-stream", "--stream-name", "cli")["Tags"] == [{"Key": "team", "Value": "ingest"}], "tags")


def test_records(aws):
    one = aws("put-record", "--stream-name", "cli", "--partition-key", "k", "--explicit-hash-key", 0, "--data", "one")
    expect(one["ShardId"] == "shardId-000000000000", f"put-record answers {one}")
    entries = [{"Data": f"value {i}", "PartitionKey": f"k{i}", "ExplicitHashKey": "0"} for i in range(5)]
    many = aws("put-records", "--stream-name", "cli", "--records", json.dumps(entries))
    expect(many["FailedRecordCount"] == 0 and len(many["Records"]) == 5, f"put-records answers {many}")
    place = ["--stream-name", "cli", "--shard-id", one["ShardId"], "--shard-iterator-type"]
    iterator = aws("get-shard-iterator", *place, "TRIM_HORIZON")["ShardIterator"]
    page = aws("get-records", "--shard-iterator", iterator, "--limit", 4)
    data = [base64.b64decode(record["Data"]).decode() for record in page["Records"]]
    expect(data == ["one", "value 0", "value 1", "value 2"], f"get-records gives {data}")
    rest = aws("get-records", "--shard-iterator", page["NextShardIterator"])
    expect([record["PartitionKey"] for record in rest["Records"]] == ["k3", "k4"], f"the next page is {rest}")
    expect(rest["MillisBehindLatest"] == 0, "the last page is behind")
    behind = aws("get-shard-iterator", *place, "AFTER_SEQUENCE_NUMBER", "--starting-sequence-number", one["SequenceNumber"])
    expect(len(aws("get-records", "--shard-iterator", behind["ShardIterator"])["Records"]) == 5, "AFTER_SEQUENCE_NUMBER")


def test_tls(secure):
    expect(secure("list-streams")["StreamNames"] == ["cli"], "list-streams over TLS")


def test_settings(aws):
    metrics = aws("enable-enhanced-monitoring", "--stream-name", "cli", "--shard-level-metrics", "IncomingBytes", "OutgoingBytes")
    expect(metrics["DesiredShardLevelMetrics"] == ["IncomingBytes", "OutgoingBytes"], f"enable-enhanced-monitoring gives {metrics}")
    metrics = aws("disable-enhanced-monitoring", "--stream-name", "cli", "--shard-level-metrics", "ALL")
    expect(metrics["DesiredShardLevelMetrics"] == [], f"disable-enhanced-monitoring gives {metrics}")
    arn = "arn:aws:kinesis:eu-west-1:000000000000:stream/cli"
    statement = {"Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::000000000000:user/{settings.ACCESS_KEY}"},
                 "Action": "kinesis:ListShards", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws("put-resource-policy", "--resource-arn", arn, "--policy", policy)
    expect(json.loads(aws("get-resource-policy", "--resource-arn", arn)["Policy"]) == json.loads(policy), "the policy has changed")
    expect("(AccessDeniedException)" in aws.error("list-shards", "--stream-name", "cli"), "the policy is not asked")
    aws("delete-resource-policy", "--resource-arn", arn)
    aws("list-shards", "--stream-name", "cli")
    commitment = aws("update-account-settings", "--minimum-throughput-billing-commitment", "Status=ENABLED")
    expect(commitment["MinimumThroughputBillingCommitment"]["Status"] == "ENABLED", f"the account has {commitment}")
    expect(aws("describe-account-settings") == commitment, "the account's settings differ")
    aws("update-stream-mode", "--stream-arn", arn, "--stream-mode-details", "StreamMode=ON_DEMAND")
    warm = aws("update-stream-warm-throughput", "--stream-name", "cli", "--warm-throughput-mi-bps", 5)
    expect(warm["WarmThroughput"]["TargetMiBps"] == 5, f"update-stream-warm-throughput gives {warm}")
    summary = aws("describe-stream-summary", "--stream-name", "cli")["StreamDescriptionSummary"]
    expect(summary["WarmThroughput"]["CurrentMiBps"] == 5, f"the summary is {summary}")


def test_errors(aws):
    texts = [
        (["describe-stream", "--stream-name", "none"],
         "An error occurred (ResourceNotFoundException) when calling the DescribeStream operation: "
         "Stream none under account 000000000000 not found."),
        (["create-stream", "--stream-name", "cli", "--shard-count", 1],
         "An error occurred (ResourceInUseException) when calling the CreateStream operation: "
         "Stream cli under account 000000000000 already exists."),
        (["get-records", "--shard-iterator", "AAAA"],
         "An error occurred (InvalidArgumentException) when calling the GetRecords operation: Invalid ShardIterator."),
        (["increase-stream-retention-period", "--stream-name", "cli", "--retention-period-hours", 8761],
         "An error occurred (InvalidArgumentException) when calling the IncreaseStreamRetentionPeriod operation: "
         "Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours) is too long."),
    ]
    for arguments, text in texts:
        error = aws.error(*arguments)
        expect(text in error, f"aws kinesis {arguments} says {error}")


def test_end(aws):
    aws("delete-stream", "--stream-name", "cli")
    aws("wait", "stream-not-exists", "--stream-name", "cli")
    expect(aws("list-streams")["StreamNames"] == [], "the stream is still listed")


def test_firehose(aws):
    destination = {"RoleARN": "arn:aws:iam::000000000000:role/firehose", "BucketARN": "arn:aws:s3:::lake", "Prefix": "cli/"}
    made = aws("create-delivery-stream", "--delivery-stream-name", "cli", "--delivery-stream-type", "DirectPut",
               "--extended-s3-destination-configuration", json.dumps(destination), "--tags", "Key=team,Value=ingest")
    expect(made["DeliveryStreamARN"] == "arn:aws:firehose:eu-west-1:000000000000:deliverystream/cli", f"it is {made}")
    name = ["--delivery-stream-name", "cli"]
    expect(aws("list-delivery-streams") == {"DeliveryStreamNames": ["cli"], "HasMoreDeliveryStreams": False}, "list-delivery-streams")
    one = aws("put-record", *name, "--record", json.dumps({"Data": "one"}))
    expect(len(one["RecordId"]) == 32, f"put-record answers {one}")
    many = aws("put-record-batch", *name, "--records", json.dumps([{"Data": "two"}, {"Data": "three"}]))
    expect(many["FailedPutCount"] == 0 and len(many["RequestResponses"]) == 2, f"put-record-batch answers {many}")
    described = aws("describe-delivery-stream", *name)["DeliveryStreamDescription"]
    identity = described["Destinations"][0]["DestinationId"]
    aws("update-destination", *name, "--current-delivery-stream-version-id", described["VersionId"], "--destination-id", identity,
        "--extended-s3-destination-update", json.dumps({"CompressionFormat": "GZIP"}))
    described = aws("describe-delivery-stream", *name)["DeliveryStreamDescription"]
    told = described["Destinations"][0]["ExtendedS3DestinationDescription"]
    expect((described["VersionId"], told["CompressionFormat"], told["Prefix"]) == ("2", "GZIP", "cli/"), f"it is {described}")
    expect(aws("list-tags-for-delivery-stream", *name)["Tags"] == [{"Key": "team", "Value": "ingest"}], "tags")
    expect("An error occurred (ResourceInUseException) when calling the CreateDeliveryStream operation: Firehose cli under accountId "
           "000000000000 already exists" in aws.error("create-delivery-stream", *name, "--extended-s3-destination-configuration",
                                                     json.dumps(destination)), "it can be made twice")
    aws("start-delivery-stream-encryption", *name)
    told = aws("describe-delivery-stream", *name)["DeliveryStreamDescription"]["DeliveryStreamEncryptionConfiguration"]
    expect(told == {"KeyType": "AWS_OWNED_CMK", "Status": "ENABLED"}, f"the encryption is {told}")
    aws("stop-delivery-stream-encryption", *name)
    aws("delete-delivery-stream", *name)
    expect("An error occurred (ResourceNotFoundException) when calling the DescribeDeliveryStream operation: "
           "Firehose cli under account 000000000000 not found." in aws.error("describe-delivery-stream", *name), "it is still there")


TESTS = [test_streams, test_records, test_tls, test_settings, test_errors, test_end, test_firehose]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    packages.enter(arguments.build.resolve() / "_awscli", PACKAGE)
    with settings.Broker(arguments.build) as broker:
        kinesis = Cli(broker)
        others = {test_firehose: Cli(broker, "firehose"),
                  test_tls: Cli(broker, endpoint=broker.tls_endpoint(), AWS_CA_BUNDLE=str(broker.certificate()))}
        for test in TESTS:
            try:
                test(others.get(test, kinesis))
            except Exception:  # whatever it is, the test is broken and the log says more
                traceback.print_exc()
                print(f"broken: {test.__name__}\n{broker.log()}")
                return 1
            print(f"kept: {test.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
