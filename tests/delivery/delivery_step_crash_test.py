#!/usr/bin/env python3
"""Kills the broker at every step of a delivery into a local lake: where the thread that delivers is about to make its n-th system call.

    delivery_step_crash_test.py --build build/release

A dry run notes the calls with which that thread, and the one that puts the data object, change the disk in a delivery of a data object and an error object: the
intent's commit, a spool's creation, its writes, its flush, its renaming to the key, the flushes of directories, the checkpoint's commit. Then strace, attached to
the broker, sends SIGKILL in place of each of them in turn. After each the broker is started without strace and delivers the rest, while records are put as before, and every
acknowledged record must be where it belongs, once (acknowledged.py).
Exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import argparse
import collections
import dataclasses
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import acknowledged
from acknowledged import Broken
from delivery_crash_test import NAME, Broker, delivery_file, finish, settings, with_pyarrow

SKIPPED = 77
END_TIMEOUT_S = 60
CALLS = "openat,mkdir,write,pwrite64,pwritev,pwritev2,fdatasync,fsync,rename,renameat,renameat2,linkat,unlink,unlinkat"
CALL = re.compile(r"(?:(\d+) +)?(\w+)\(")  # a line of strace: thread, where there are several, and name
EACH = ["row"] * 300 + ["error", "dropped"] * 3  # what each delivery has at least


@dataclasses.dataclass(frozen=True)
class Step:
    view: object
    call: str
    nth: int  # of its name, in its thread
    what: str


def delivering_thread(broker):
    tasks = pathlib.Path(f"/proc/{broker.process.pid}/task")
    found = [task.name for task in tasks.iterdir() if (task / "comm").read_text().strip() == "delivery"]
    if len(found) != 1:
        raise Broken(f"{len(found)} threads deliver")
    return found[0]


def delivering(broker):
    """What strace needs to see the thread that delivers: its own calls."""
    return ["-p", delivering_thread(broker)]


def putting(broker):
    """Or, of all threads, the calls on the data object and its directories: another one puts it."""
    bucket = broker.directory / "lake" / "lake"
    paths = [bucket / ".sluice" / f"{NAME}.data.0.spool", *(path for path in bucket.glob("events/**") if path.is_dir())]
    return ["-f", "-p", str(broker.process.pid), *(f"-P{path}" for path in paths)]


def attach(broker, trace, view, *inject):
    """strace, once it has the thread that delivers; threads that this one starts are of it."""
    tracer = subprocess.Popen(["strace", "-qq", "-y", *view(broker), "-o", trace, "-e", f"trace={CALLS}", *inject], stderr=subprocess.DEVNULL)
    status = pathlib.Path(f"/proc/{broker.process.pid}/task/{delivering_thread(broker)}/status")
    deadline = time.monotonic() + END_TIMEOUT_S
    while f"TracerPid:\t{tracer.pid}\n" not in status.read_text():
        if tracer.poll() is not None or time.monotonic() > deadline:
            raise Broken("strace does not attach")
        time.sleep(0.001)
    return tracer


def put(producer):
    records = [producer.records.one(kind) for kind in EACH]
    if producer.put(records) != len(records):
        raise Broken("records were not acknowledged")


def steps_of_a_delivery(broker, producer, trace, view):
    put(producer)
    tracer = attach(broker, trace, view)
    broker.run("delivery", "flush", NAME)
    tracer.send_signal(signal.SIGINT)  # it lets go
    tracer.wait()
    seen = collections.Counter()  # by thread and call, as strace counts
    steps = {}
    for line in trace.read_text().splitlines():
        if (call := CALL.match(line)) is None:
            continue
        seen[call[1], call[2]] += 1
        if str(broker.directory) in line and "O_RDONLY" not in line:  # not a pipe, nor what wakes another thread
            steps.setdefault((call[2], seen[call[1], call[2]]), Step(view, call[2], seen[call[1], call[2]], shown(broker, line)))
    return list(steps.values())


def shown(broker, line):
    return re.sub(r'"([^"]{40})[^"]*"', r"\1..", line.replace(f"{broker.directory}/", ""))


def kill_at(broker, producer, trace, step):
    """The call that was not done."""
    put(producer)
    tracer = attach(broker, trace, step.view, "-e", f"inject={step.call}:signal=KILL:when={step.nth}")
    broker.run("delivery", "flush", NAME, check=False)
    try:
        broker.process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise Broken("the call did not come") from None
    tracer.wait()
    return shown(broker, [line for line in trace.read_text().splitlines() if (call := CALL.match(line)) and call[2] == step.call][-1])


def run(arguments, directory, python):
    broker = Broker(arguments.build / "tools" / "sluice", directory)
    try:
        kill_at_each_step(broker, [*settings(directory), "--set", "delivery.threads=1"], python)
    finally:
        broker.kill()


def kill_at_each_step(broker, options, python):
    broker.start(options=options)
    broker.run("stream", "create", "events", "--shards", "3")
    broker.run("delivery", "create", "-f", delivery_file(broker.directory, {"SizeInMBs": 64, "IntervalInSeconds": 900}))
    producer = acknowledged.Producer(broker.ports, "events", acknowledged.Records(random.Random(1), 400))
    put(producer)
    finish(broker, producer, python)
    trace = broker.directory / "strace"
    steps = [step for view in (delivering, putting) for step in steps_of_a_delivery(broker, producer, trace, view)]
    for step in steps:
        try:
            producer.begin(batch=5, pause_s=0.05)
            call = kill_at(broker, producer, trace, step)
            broker.start(options=options)
            producer.end()
            there = finish(broker, producer, python)
        except Broken as broken:
            raise Broken(f"killed at {step.call} number {step.nth}, as {step.what}: {broken}") from None
        print(f"killed at {call}: kept", flush=True)
    print(f"{len(steps)} kills, at each step of a delivery; {there}")


def why_not():
    if shutil.which("strace") is None:
        return "it needs strace"
    probe = ["strace", "-qq", "-o", "/dev/null", "-e", "inject=getppid:error=EIO", "true"]
    return None if subprocess.run(probe, capture_output=True, check=False).returncode == 0 else "strace cannot trace here"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    arguments = parser.parse_args()
    if reason := why_not():
        print(f"skipped: {reason}")
        return SKIPPED
    return with_pyarrow(arguments, "delivery-steps", run)


if __name__ == "__main__":
    sys.exit(main())
