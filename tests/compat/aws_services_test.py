#!/usr/bin/env python3
"""boto3's clients of DynamoDB and CloudWatch against a real broker: tables and items as consumers of streams use them, a restart and
`kill -9`, and metrics that a scrape shows.

    aws_services_test.py --build build/release

Every answer is held against botocore's model (model_check.py). Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import json
import pathlib
import signal
import sys
import threading
import traceback
import urllib.request

from boto3_test import expect, in_environment_with_boto3


def connect(service, broker):
    import boto3
    import botocore.config
    import broker as settings
    import model_check
    config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=10, read_timeout=60)
    client = boto3.client(service, endpoint_url=broker.endpoint(), region_name="us-east-1", config=config,
                          aws_access_key_id=settings.ACCESS_KEY, aws_secret_access_key=settings.SECRET_KEY)
    model_check.watch(client)
    return client


def refused(code, call):
    """The answer of a call that fails with this code."""
    import botocore.exceptions
    try:
        call()
    except botocore.exceptions.ClientError as error:
        expect(error.response["Error"]["Code"] == code, f"{error} where {code} was expected")
        return error.response
    expect(False, f"no error where {code} was expected")
    return None


def make_table(dynamodb, name):
    dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
                          AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}])
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})


def test_life_of_a_table(dynamodb, _):
    make_table(dynamodb, "life")
    refused("ResourceInUseException", lambda: make_table(dynamodb, "life"))
    expect("life" in dynamodb.list_tables()["TableNames"], "the table is not listed")
    table = dynamodb.update_table(
        TableName="life", AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}, {"AttributeName": "owner", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": {
            "IndexName": "OwnerToKey", "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "leaseKey", "KeyType": "RANGE"}]}}])["TableDescription"]
    expect(table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE", f"the table is {table}")
    dynamodb.put_item(TableName="life", Item={"leaseKey": {"S": "a"}, "owner": {"S": "w"}})
    found = dynamodb.query(TableName="life", IndexName="OwnerToKey", KeyConditionExpression="#o = :w",
                           ExpressionAttributeNames={"#o": "owner"}, ExpressionAttributeValues={":w": {"S": "w"}})
    expect(found["Items"] == [{"leaseKey": {"S": "a"}, "owner": {"S": "w"}}], f"the index has {found}")
    arn = dynamodb.describe_table(TableName="life")["Table"]["TableArn"]
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    expect(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}], "tags differ")
    dynamodb.untag_resource(ResourceArn=arn, TagKeys=["a"])
    dynamodb.update_time_to_live(TableName="life", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
    expect(dynamodb.describe_time_to_live(TableName="life")["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED", "no TTL")
    dynamodb.update_continuous_backups(TableName="life", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    dynamodb.describe_continuous_backups(TableName="life")
    dynamodb.delete_table(TableName="life")
    dynamodb.get_waiter("table_not_exists").wait(TableName="life", WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    refused("ResourceNotFoundException", lambda: dynamodb.describe_table(TableName="life"))
    refused("ResourceNotFoundException", lambda: dynamodb.get_item(TableName="life", Key={"leaseKey": {"S": "a"}}))


def test_items(dynamodb, _):
    make_table(dynamodb, "items")
    item = {"leaseKey": {"S": "a"}, "counter": {"N": "1"}, "bytes": {"B": b"\x00\xff"}, "set": {"SS": ["x", "y"]},
            "deep": {"M": {"list": {"L": [{"NULL": True}, {"BOOL": False}]}}}}
    dynamodb.put_item(TableName="items", Item=item)
    expect(dynamodb.get_item(TableName="items", Key={"leaseKey": {"S": "a"}})["Item"] == item, "the item has changed")
    updated = dynamodb.update_item(
        TableName="items", Key={"leaseKey": {"S": "a"}}, UpdateExpression="SET #c = #c + :one, who = :w REMOVE deep ADD #s :more",
        ConditionExpression="#c = :one AND attribute_not_exists(who)", ExpressionAttributeNames={"#c": "counter", "#s": "set"},
        ExpressionAttributeValues={":one": {"N": "1"}, ":w": {"S": "w"}, ":more": {"SS": ["z"]}}, ReturnValues="ALL_NEW")["Attributes"]
    expect(updated == {"leaseKey": {"S": "a"}, "counter": {"N": "2"}, "bytes": {"B": b"\x00\xff"}, "set": {"SS": ["x", "y", "z"]},
                       "who": {"S": "w"}}, f"the item is {updated}")
    failed = refused("ConditionalCheckFailedException", lambda: dynamodb.update_item(
        TableName="items", Key={"leaseKey": {"S": "a"}}, AttributeUpdates={"who": {"Action": "PUT", "Value": {"S": "v"}}},
        Expected={"counter": {"Value": {"N": "1"}}}))
    expect(failed["Error"]["Message"] == "The conditional request failed", f"it says {failed}")
    failed = refused("ConditionalCheckFailedException", lambda: dynamodb.put_item(
        TableName="items", Item={"leaseKey": {"S": "a"}}, ConditionExpression="attribute_not_exists(leaseKey)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD"))
    expect(failed["Item"] == updated, f"the failure has {failed}")
    refused("ValidationException", lambda: dynamodb.scan(TableName="items", FilterExpression="a ="))
    old = dynamodb.delete_item(TableName="items", Key={"leaseKey": {"S": "a"}}, ReturnValues="ALL_OLD")["Attributes"]
    expect(old == updated and "Item" not in dynamodb.get_item(TableName="items", Key={"leaseKey": {"S": "a"}}), "it is still there")


def test_pages(dynamodb, _):
    make_table(dynamodb, "pages")
    for i in range(45):
        dynamodb.put_item(TableName="pages", Item={"leaseKey": {"S": f"shardId-{i:012}"}, "even": {"BOOL": i % 2 == 0}})
    pages = dynamodb.get_paginator("scan").paginate(TableName="pages", PaginationConfig={"PageSize": 10})
    keys = [item["leaseKey"]["S"] for page in pages for item in page["Items"]]
    expect(keys == [f"shardId-{i:012}" for i in range(45)], f"the pages have {keys}")
    segments = [dynamodb.scan(TableName="pages", Segment=i, TotalSegments=4)["Items"] for i in range(4)]
    expect(sorted(item["leaseKey"]["S"] for items in segments for item in items) == keys, "the segments are not the table")
    counted = dynamodb.scan(TableName="pages", Select="COUNT", FilterExpression="even = :t", ExpressionAttributeValues={":t": {"BOOL": True}})
    expect((counted["Count"], counted["ScannedCount"]) == (23, 45), f"it counts {counted}")


def test_transactions(dynamodb, _):
    make_table(dynamodb, "source")
    make_table(dynamodb, "target")
    dynamodb.put_item(TableName="source", Item={"leaseKey": {"S": "a"}})
    move = [{"Put": {"TableName": "target", "Item": {"leaseKey": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(leaseKey)"}},
            {"Delete": {"TableName": "source", "Key": {"leaseKey": {"S": "a"}}}}]
    dynamodb.transact_write_items(TransactItems=move)
    failed = refused("TransactionCanceledException", lambda: dynamodb.transact_write_items(TransactItems=move))
    expect([reason["Code"] for reason in failed["CancellationReasons"]] == ["ConditionalCheckFailed", "None"], f"it says {failed}")


def test_conditions_of_many(dynamodb, broker):
    """Sixteen clients count one number up, each step with the value before it as its condition: no step is lost."""
    make_table(dynamodb, "count")
    dynamodb.put_item(TableName="count", Item={"leaseKey": {"S": "n"}, "n": {"N": "0"}})
    done = []

    def count():
        client = connect("dynamodb", broker)
        steps = 0
        while steps < 10:
            now = client.get_item(TableName="count", Key={"leaseKey": {"S": "n"}})["Item"]["n"]["N"]
            try:
                client.put_item(TableName="count", Item={"leaseKey": {"S": "n"}, "n": {"N": str(int(now) + 1)}},
                                Expected={"n": {"Value": {"N": now}}})
                steps += 1
            except client.exceptions.ConditionalCheckFailedException:
                pass
        done.append(steps)

    threads = [threading.Thread(target=count) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    value = dynamodb.get_item(TableName="count", Key={"leaseKey": {"S": "n"}})["Item"]["n"]["N"]
    expect((len(done), value) == (16, "160"), f"{len(done)} clients counted to {value}")


def test_kill(dynamodb, broker):
    make_table(dynamodb, "kept")
    for number in (signal.SIGKILL, signal.SIGTERM):
        name = {"leaseKey": {"S": number.name}}
        dynamodb.put_item(TableName="kept", Item=name)
        broker.stop(number)
        broker.start()
        expect(dynamodb.get_item(TableName="kept", Key=name)["Item"] == name, f"an item is lost with {number.name}")


def test_metrics(_, broker):
    cloudwatch = connect("cloudwatch", broker)
    dimensions = [{"Name": "Operation", "Value": "ProcessTask"}]
    cloudwatch.put_metric_data(Namespace="app", MetricData=[
        {"MetricName": "Time", "Dimensions": dimensions, "Unit": "Milliseconds", "Value": 1.5},
        {"MetricName": "Time", "Dimensions": dimensions, "Unit": "Milliseconds",
         "StatisticValues": {"SampleCount": 2, "Sum": 6, "Minimum": 2, "Maximum": 4}}])
    # Large enough that SDKs compress it.
    cloudwatch.put_metric_data(Namespace="app", MetricData=[
        {"MetricName": "Many", "Dimensions": [{"Name": "Number", "Value": f"{i:0100}"}], "Value": i} for i in range(200)])
    refused("InvalidParameterValue", lambda: cloudwatch.put_metric_data(Namespace="app", MetricData=[{"MetricName": "None"}]))
    port = json.loads(broker.ports.read_text())["admin"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    labels = 'namespace="app",metric="Time",unit="Milliseconds",dimension_Operation="ProcessTask"'
    for line in (f"sluice_cloudwatch_samples_total{{{labels}}} 3", f"sluice_cloudwatch_sum{{{labels}}} 7.5", "sluice_cloudwatch_series 201"):
        expect(line in text.splitlines(), f"/metrics has no line {line}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    in_environment_with_boto3(arguments.build.resolve())
    import botocore.exceptions
    from broker import Broken, Broker
    failures = 0
    with Broker(arguments.build) as broker:
        dynamodb = connect("dynamodb", broker)
        for name, test in [(name, test) for name, test in globals().items() if name.startswith("test_")]:
            try:
                test(dynamodb, broker)
                print(f"kept    {name}")
            except (Broken, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
                traceback.print_exc()
                print(f"broken  {name}")
                failures += 1
        if failures > 0:
            print(broker.log())
    return 1 if failures > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
