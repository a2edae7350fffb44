#!/usr/bin/env python3
"""h2spec, which tries how a server keeps to HTTP/2, against the AWS port of a real broker: plain with prior knowledge, and over TLS. The cases that
fail must be those that docs/aws.md names.

    h2spec_test.py --build build/release

The program comes through the Go module proxy into the build directory. Exit code 0 kept, 1 broken, 77 cannot be run here.
"""
import argparse
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import broker as settings
import packages

SKIPPED = 77
PACKAGE = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1"
CASES = 146
# What is not the preface of HTTP/2 is taken for HTTP/1.1 on the plain port.
FAILING = {"plain": {("http2/3.5", "Sends invalid connection preface")}, "TLS": set()}


def run(program, report, *options):
    """The failed cases (section, what is tried), and the number of all."""
    told = subprocess.run([program, "--strict", "--junit-report", report, *options], capture_output=True, text=True, timeout=120, check=False)
    if not report.exists():
        raise settings.Broken(f"h2spec ends with {told.returncode} and no report: {told.stdout[-2000:]}{told.stderr}")
    cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
    failed = {(case.get("package"), case.get("classname")) for case in cases if len(case) > 0}
    return failed, len(cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    program = packages.go_program(arguments.build.resolve() / "_h2spec", PACKAGE)
    if program is None:
        return SKIPPED
    with settings.Broker(arguments.build) as broker:
        ports = {"plain": ["--port", str(broker.port)], "TLS": ["--port", str(broker.tls_port), "--tls", "--insecure"]}
        for name, options in ports.items():
            failed, count = run(program, broker.home / f"{name}.xml", *options)
            if count < CASES or failed != FAILING[name]:
                print(f"broken: {name}: of {count} cases these failed: {sorted(failed)}\n{broker.log()}")
                return 1
            print(f"kept: {name}: {count - len(failed)} of {count} cases", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
