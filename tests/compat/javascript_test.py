#!/usr/bin/env python3
"""The JavaScript SDK v3 against the Kinesis door of a real broker, over HTTP/2 with prior knowledge, which is its default.

    javascript_test.py --build build/release

The package comes from npm into the build directory. Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import broker as settings

SKIPPED = 77
PACKAGE = "@aws-sdk/client-kinesis@3.1143.0"
HERE = pathlib.Path(__file__).resolve().parent


def modules(build):
    """The folder with the package; None where it cannot be had."""
    home = build / "_javascript"
    if not (home / "node_modules" / "@aws-sdk" / "client-kinesis").exists():
        home.mkdir(exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", home, PACKAGE]
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
        print(f"skipped: {PACKAGE} cannot be installed")
        return SKIPPED
    with settings.Broker(arguments.build) as broker:
        environment = os.environ | {"COMPAT_ENDPOINT": broker.endpoint(), "COMPAT_MODULES": f"{home}/",
                                    "COMPAT_ACCESS_KEY": settings.ACCESS_KEY, "COMPAT_SECRET_KEY": settings.SECRET_KEY}
        result = subprocess.run(["node", HERE / "javascript_client.cjs"], env=environment, timeout=120, check=False)
        if result.returncode != 0:
            print(f"broken\n{broker.log()}")
        return 0 if result.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
