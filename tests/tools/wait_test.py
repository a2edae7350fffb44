#!/usr/bin/env python3
"""`sluice put` whose broker is killed: it says what it waits for, goes on when the broker is back, and puts every record once.

    wait_test.py SLUICE
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import golden_test


def expect(condition, what, shown):
    if not condition:
        sys.exit(f"wait_test: {what}; shown was:\n{shown}")


def main():
    sluice = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        broker = golden_test.Broker(sluice, directory)
        port = broker.ports["native"]
        environment = dict(os.environ, SLUICE_BROKER=f"127.0.0.1:{port}")
        subprocess.run([sluice, "stream", "create", "orders"], env=environment, check=True, stdout=subprocess.DEVNULL)
        tail = subprocess.Popen([sluice, "get", "orders", "--follow"], env=environment, stdout=subprocess.PIPE)
        put = subprocess.Popen([sluice, "put", "orders"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        put.stdin.write(b"before\n")
        put.stdin.flush()
        expect(tail.stdout.readline() == b"before\n", "the first record did not come", "")
        tail.kill()
        tail.wait()
        broker.process.kill()
        broker.process.wait()
        broker.log.close()
        (directory / "data/ports.json").unlink()
        put.stdin.write(b"meanwhile\n")
        put.stdin.flush()
        notice = put.stderr.readline().decode()
        expect("waiting" in notice and "cannot connect" in notice, "put does not say what it waits for", notice)
        broker = golden_test.Broker(sluice, directory, "--set", f"native.port={port}")
        try:
            shown, errors = put.communicate(timeout=golden_test.COMMAND_TIMEOUT_S)
            expect(put.returncode == 0 and shown.startswith(b"Put 2 records "), "put did not go on", shown + errors)
            got = subprocess.run([sluice, "get", "orders"], env=environment, check=True, stdout=subprocess.PIPE).stdout
            expect(got == b"before\nmeanwhile\n", "not each record once", got)
        finally:
            broker.stop()
    print("put waits, says so, and goes on")


if __name__ == "__main__":
    main()
