#!/usr/bin/env python3
"""Writes data/signatures.txt: requests signed by botocore (from PyPI), for sigv4_test.cc. Run from the top of the tree."""

import datetime
import json
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TIME = datetime.datetime(2026, 2, 28, 23, 59, 58, tzinfo=datetime.timezone.utc)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # of AWS's documentation
TARGET = {"X-Amz-Target": "Kinesis_20131202.PutRecord", "Content-Type": "application/x-amz-json-1.1"}


def signed(name, url, method="POST", headers=None, body="", token=None, query_form=False):
    request = AWSRequest(method=method, url=url, headers=headers or {}, data=body)
    credentials = Credentials("AKIDEXAMPLE", SECRET, token)
    if query_form:
        botocore.auth.SigV4QueryAuth(credentials, "kinesis", "eu-west-1", expires=60).add_auth(request)
    else:
        botocore.auth.SigV4Auth(credentials, "kinesis", "eu-west-1").add_auth(request)
    split = urllib.parse.urlsplit(request.url)
    sent = [["Host", split.netloc]] + [[key, value] for key, value in request.headers.items()]
    return json.dumps({"name": name, "method": method, "path": split.path, "query": split.query, "headers": sent, "body": body})


def main():
    botocore.auth.get_current_datetime = lambda *_: TIME.replace(tzinfo=None)
    root = "http://localhost:4566"
    lines = [
        signed("plain", root + "/", headers=TARGET, body='{"StreamName":"orders"}'),
        signed("empty body", root + "/", headers=TARGET),
        signed("token", root + "/", headers=TARGET, body="{}", token="AQoDYXdzEJr//SESSION+TOKEN=="),
        signed("path", root + "/a%20b/c+d", headers=TARGET, body="{}"),
        signed("query", root + "/?b=2&a=1&a=0&empty=&c=%2F%C3%A9", method="GET"),
        signed("spaces in a header", root + "/", headers=TARGET | {"X-Amz-Note": "  a   b  c "}, body="{}"),
        signed("query form", root + "/?Action=x", method="GET", query_form=True),
        signed("query form with token", root + "/", method="GET", token="a/b+c==", query_form=True),
    ]
    with open("tests/protocol/aws/data/signatures.txt", "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
