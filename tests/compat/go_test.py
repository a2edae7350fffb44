#!/usr/bin/env python3
"""The Go SDK v2 against the Kinesis and Firehose doors of a real broker: over HTTP/1.1, and over TLS, where it chooses HTTP/2.

    go_test.py --build build/release

The SDK comes through the Go module proxy, and stays with its objects in Go's own caches: compiling it takes a minute. Every answer is held against botocore's
model (model_check.py). Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import broker as settings
import model_check
from boto3_test import in_environment_with_boto3

SKIPPED = 77
PACKAGES = ["github.com/aws/aws-sdk-go-v2/service/kinesis@v1.56.13", "github.com/aws/aws-sdk-go-v2/service/firehose@v1.52.12"]
SOURCES = ["GoClient.go", "GoFirehose.go"]
HERE = pathlib.Path(__file__).resolve().parent


def compiled(build):
    """The client as a program; None where the SDK cannot be had. A client that does not compile is a broken test."""
    home = build / "_go"
    home.mkdir(exist_ok=True)
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw -mod=mod -buildvcs=false"}
    for source in SOURCES:
        shutil.copy(HERE / source, home / source)
    done = home / "done"
    if not done.exists() or done.read_text().split() != PACKAGES:
        (home / "go.mod").write_text("module compat\n")
        get = subprocess.run(["go", "get", *PACKAGES], cwd=home, env=environment, capture_output=True, text=True, check=False)
        if get.returncode != 0:
            print(f"skipped: {' '.join(PACKAGES)} cannot be had: {get.stderr.strip()[-500:]}")
            return None
        done.write_text("\n".join(PACKAGES))
    subprocess.run(["go", "build", "-o", "client", *SOURCES], cwd=home, env=environment, check=True)
    return home / "client"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if shutil.which("go") is None:
        print("skipped: there is no go")
        return SKIPPED
    in_environment_with_boto3(arguments.build.resolve())
    client = compiled(arguments.build.resolve())
    if client is None:
        return SKIPPED
    with settings.Broker(arguments.build) as broker:
        answers = broker.home / "answers"
        keys = os.environ | {"COMPAT_ANSWERS": str(answers), "COMPAT_ACCESS_KEY": settings.ACCESS_KEY, "COMPAT_SECRET_KEY": settings.SECRET_KEY}
        for place in ({"COMPAT_ENDPOINT": broker.endpoint()},
                      {"COMPAT_ENDPOINT": broker.tls_endpoint(), "COMPAT_CERTIFICATE": str(broker.certificate())}):
            if subprocess.run([client], env=keys | place, timeout=120, check=False).returncode != 0:
                print(f"broken\n{broker.log()}")
                return 1
        model_check.check_written(answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
