#!/usr/bin/env python3
"""The Java SDK v2 against the Kinesis door of a real broker: CBOR over HTTP/1.1 (synchronous) and HTTP/2 (asynchronous).

    java_test.py --build build/release

The SDK comes from Maven Central into the build directory. Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import broker as settings

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
PROJECT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId><artifactId>compat</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>software.amazon.awssdk</groupId><artifactId>kinesis</artifactId><version>2.30.0</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""


def libraries(build):
    """The folder with the SDK; None where it cannot be had."""
    home = build / "_java"
    done = home / "done"
    if not done.exists():
        home.mkdir(exist_ok=True)
        (home / "pom.xml").write_text(PROJECT)
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
        if subprocess.run(command, cwd=home, capture_output=True, check=False).returncode != 0:
            return None
        done.touch()
    return home / "lib"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if shutil.which("java") is None or shutil.which("mvn") is None:
        print("skipped: there is no java or mvn")
        return SKIPPED
    lib = libraries(arguments.build.resolve())
    if lib is None:
        print("skipped: the Java SDK cannot be installed")
        return SKIPPED
    with settings.Broker(arguments.build) as broker:
        environment = os.environ | {"COMPAT_ENDPOINT": broker.endpoint(), "COMPAT_ACCESS_KEY": settings.ACCESS_KEY,
                                    "COMPAT_SECRET_KEY": settings.SECRET_KEY}
        command = ["java", "-cp", f"{lib}/*", HERE / "JavaClient.java"]
        result = subprocess.run(command, env=environment, timeout=240, check=False)
        if result.returncode != 0:
            print(f"broken\n{broker.log()}")
        return 0 if result.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
