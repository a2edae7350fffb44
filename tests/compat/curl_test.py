#!/usr/bin/env python3
"""curl against the Kinesis door of a real broker, as scripts use it: signed by --aws-sigv4, over HTTP/1.1, HTTP/2 with prior
knowledge, and TLS. And against the Firehose door with the requests of log shippers, which sign more headers.

    curl_test.py --build build/release

Every answer is held against botocore's model (model_check.py). Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import base64
import json
import pathlib
import shutil
import subprocess
import sys

import broker as settings
import model_check
from boto3_test import in_environment_with_boto3

SKIPPED = 77


class Curl:
    """Calls that must answer with a certain status."""

    def __init__(self, endpoint, *options, service="kinesis", target="Kinesis_20131202"):
        self.service, self.target = service, target
        self.command = ["curl", "--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_version} %{http_code}", *options,
                        "--request", "POST", "--header", "Content-Type: application/x-amz-json-1.1", endpoint]

    def __call__(self, operation, body, status=200, key=settings.SECRET_KEY, version=None):
        signed = ["--aws-sigv4", f"aws:amz:us-east-1:{self.service}", "--user", f"{settings.ACCESS_KEY}:{key}"]
        target = ["--header", f"X-Amz-Target: {self.target}.{operation}", "--data-binary", json.dumps(body)]
        result = subprocess.run([*self.command, *signed, *target], capture_output=True, text=True, timeout=120, check=False)
        if result.returncode != 0:
            raise settings.Broken(f"curl ends with {result.returncode}: {result.stderr}")
        answer, _, told = result.stdout.rpartition("\n")
        if told.split()[1] != str(status):
            raise settings.Broken(f"{operation} answers {told}: {answer}")
        if version is not None and told.split()[0] != version:
            raise settings.Broken(f"{operation} answers in HTTP/{told.split()[0]}, not {version}")
        model_check.check_named(f"{self.target}.{operation}", status, "application/x-amz-json-1.1", answer)
        return json.loads(answer) if answer else None


def life_of_a_stream(curl, name, version):
    curl("CreateStream", {"StreamName": name, "ShardCount": 1}, version=version)
    data = base64.b64encode(b"from a script").decode()
    put = curl("PutRecord", {"StreamName": name, "PartitionKey": "k", "Data": data})
    place = {"StreamName": name, "ShardId": put["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    page = curl("GetRecords", {"ShardIterator": curl("GetShardIterator", place)["ShardIterator"]}, version=version)
    records = [(record["SequenceNumber"], record["Data"]) for record in page["Records"]]
    if records != [(put["SequenceNumber"], data)]:
        raise settings.Broken(f"{put} came back as {page}")
    error = curl("DescribeStream", {"StreamName": "none"}, status=400)
    if error["__type"] != "ResourceNotFoundException":
        raise settings.Broken(f"a missing stream gives {error}")
    error = curl("DeleteStream", {"StreamName": name}, status=400, key="wrong")
    if error["__type"] != "InvalidSignatureException":
        raise settings.Broken(f"a wrong key gives {error}")
    curl("DeleteStream", {"StreamName": name})


# What each sends beside what all send.
SHIPPERS = {
    "fluent-bit": ["User-Agent: aws-fluent-bit-plugin"],
    "vector": ["User-Agent: aws-sdk-rust/1.3.9 os/linux lang/rust/1.88.0", "x-amz-user-agent: aws-sdk-rust/1.3.9 ua/2.1 api/firehose/1.90.0 os/linux lang/rust/1.88.0",
               "amz-sdk-invocation-id: 0b6f3c4e-5f6c-4a3e-9d6e-2c5a8f0f5a11", "amz-sdk-request: attempt=1; max=1"],
}


def ship(broker, shipper):
    """Looks whether the delivery stream is there, and sends it lines; they are in the lake as they were."""
    headers = [option for header in SHIPPERS[shipper] for option in ("--header", header)]
    curl = Curl(broker.endpoint(), "--http1.1", *headers, service="firehose", target="Firehose_20150804")
    destination = {"RoleARN": "arn:aws:iam::000000000000:role/firehose", "BucketARN": f"arn:aws:s3:::{shipper}"}
    curl("CreateDeliveryStream", {"DeliveryStreamName": shipper, "ExtendedS3DestinationConfiguration": destination})
    told = curl("DescribeDeliveryStream", {"DeliveryStreamName": shipper})["DeliveryStreamDescription"]
    lines = [json.dumps({"log": f"line {i}", "stream": "stdout"}) + "\n" for i in range(500)]
    records = [{"Data": base64.b64encode(line.encode()).decode()} for line in lines]
    answer = curl("PutRecordBatch", {"DeliveryStreamName": shipper, "Records": records})
    if told["DeliveryStreamStatus"] != "ACTIVE" or answer["FailedPutCount"] != 0 or len(answer["RequestResponses"]) != 500:
        raise settings.Broken(f"{told}, {answer}")
    broker.run("delivery", "flush", shipper)
    found = "".join(path.read_text() for path in (broker.home / "lake" / shipper).rglob(f"{shipper}-*"))
    if sorted(found.splitlines(True)) != sorted(lines):
        raise settings.Broken(f"the lake holds {len(found.splitlines())} lines: {found[:200]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if shutil.which("curl") is None:
        print("skipped: there is no curl")
        return SKIPPED
    features = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=False).stdout
    options = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=False).stdout
    if "--aws-sigv4" not in options or "HTTP2" not in features:
        print("skipped: this curl knows no --aws-sigv4 or no HTTP/2")
        return SKIPPED
    in_environment_with_boto3(arguments.build.resolve())
    with settings.Broker(arguments.build) as broker:
        trust = ["--cacert", str(broker.certificate())]
        ways = [("plain", Curl(broker.endpoint(), "--http1.1"), "1.1"),
                ("prior-knowledge", Curl(broker.endpoint(), "--http2-prior-knowledge"), "2"),
                ("tls", Curl(broker.tls_endpoint(), "--http1.1", *trust), "1.1"),
                ("tls-alpn", Curl(broker.tls_endpoint(), "--http2", *trust), "2")]
        for name, curl, version in ways:
            try:
                life_of_a_stream(curl, name, version)
            except settings.Broken as why:
                print(f"broken: {name}: {why}\n{broker.log()}")
                return 1
            print(f"kept: {name}", flush=True)
        for shipper in SHIPPERS:
            try:
                ship(broker, shipper)
            except settings.Broken as why:
                print(f"broken: {shipper}: {why}\n{broker.log()}")
                return 1
            print(f"kept: {shipper}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
