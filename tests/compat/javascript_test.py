#!/usr/bin/env python3
"""The JavaScript SDK v3 against the Kinesis and Firehose doors of a real broker, plain and over TLS, with its default transports: HTTP/2
for Kinesis (with prior knowledge, or by ALPN), HTTP/1.1 for Firehose.

    javascript_test.py --build build/release

The packages come from npm into the build directory. Every answer is held against botocore's model (model_check.py). Exit code 0 kept, 1 broken, 77 cannot be run here.
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
PACKAGES = {"client-kinesis": "@aws-sdk/client-kinesis@3.1143.0", "client-firehose": "@aws-sdk/client-firehose@3.1143.0"}
PROGRAMS = ["javascript_client.cjs", "javascript_firehose.cjs"]
HERE = pathlib.Path(__file__).resolve().parent


def modules(build):
    """The folder with the packages; None where it cannot be had."""
    home = build / "_javascript"
    if not all((home / "node_modules" / "@aws-sdk" / name).exists() for name in PACKAGES):
        home.mkdir(exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--prefix", home, *PACKAGES.values()]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
    return home


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("skipped: there is no node or npm")
        return SKIPPED
    home = modules(arguments.build.resolve())
    if home is None:
        print(f"skipped: {PACKAGES} cannot be installed")
        return SKIPPED
    in_environment_with_boto3(arguments.build.resolve())
    with settings.Broker(arguments.build) as broker:
        answers = broker.home / "answers"
        environment = os.environ | {"COMPAT_MODULES": f"{home}/", "NODE_EXTRA_CA_CERTS": str(broker.certificate()), "COMPAT_ANSWERS": str(answers),
                                    "COMPAT_ACCESS_KEY": settings.ACCESS_KEY, "COMPAT_SECRET_KEY": settings.SECRET_KEY}
        for endpoint in (broker.endpoint(), broker.tls_endpoint()):
            for program in PROGRAMS:
                command = ["node", HERE / program]
                if subprocess.run(command, env=environment | {"COMPAT_ENDPOINT": endpoint}, timeout=120, check=False).returncode != 0:
                    print(f"broken: {program} at {endpoint}\n{broker.log()}")
                    return 1
        model_check.check_written(answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
