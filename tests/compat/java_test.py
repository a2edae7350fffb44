#!/usr/bin/env python3
"""The Java SDK v2 against the Kinesis door of a real broker, CBOR over HTTP/1.1 (synchronous) and HTTP/2 (asynchronous), and against its
Firehose door; plain and over TLS.

    java_test.py --build build/release

The SDK comes from Maven Central into the build directory. The answers of its Kinesis clients are held against botocore's model
(model_check.py). Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import os
import pathlib
import subprocess
import sys

import broker as settings
import maven
import model_check
from boto3_test import in_environment_with_boto3

SKIPPED = 77
LIBRARIES = ("software.amazon.awssdk:kinesis:2.57.8", "software.amazon.awssdk:firehose:2.57.8", "org.slf4j:slf4j-nop:1.7.36")
HERE = pathlib.Path(__file__).resolve().parent


def trusting(broker):
    """Options of java with which it trusts the broker's certificate."""
    store = broker.home / "trust.p12"
    if not store.exists():
        subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "sluice", "-file", broker.certificate(), "-keystore", store,
                        "-storepass", "changeit"], capture_output=True, check=True)
    return [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if not maven.is_here():
        print("skipped: there is no java, javac or mvn")
        return SKIPPED
    in_environment_with_boto3(arguments.build.resolve())
    lib = maven.libraries(arguments.build.resolve() / "_java", *LIBRARIES)
    if lib is None:
        print("skipped: the Java SDK cannot be installed")
        return SKIPPED
    with settings.Broker(arguments.build) as broker:
        answers = broker.home / "answers"
        environment = os.environ | {"COMPAT_ANSWERS": str(answers), "COMPAT_ACCESS_KEY": settings.ACCESS_KEY, "COMPAT_SECRET_KEY": settings.SECRET_KEY}
        for endpoint in (broker.endpoint(), broker.tls_endpoint()):
            for client in ("JavaClient.java", "JavaFirehose.java"):
                command = ["java", *trusting(broker), "-cp", f"{lib}/*", HERE / client]
                if subprocess.run(command, env=environment | {"COMPAT_ENDPOINT": endpoint}, timeout=240, check=False).returncode != 0:
                    print(f"broken: {client} at {endpoint}\n{broker.log()}")
                    return 1
        model_check.check_written(answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
