#!/usr/bin/env python3
"""Kills the broker, or cuts its power, again and again under load, and checks that nothing acknowledged is lost or changed.

    crash_test.py kill  --build build/release --cycles 300
    crash_test.py power --build build/release --cycles 200 --file-system xfs
    crash_test.py power --subject toy-no-sync --expect-loss        (the harness proves itself)

A cycle: producers write and a reader follows; at a random moment the broker is killed with SIGKILL (or the file system under
its data is shut down, see loop_disk.py); in some cycles it is started again under the same load and killed again, or killed
while it starts; then the load ends, the broker starts, everything is read back and check_history.py compares it with what the
producers and readers noted outside. Nothing is forgiven between cycles: the history goes back to the first record.

Prints its seed and a table; exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import loop_disk
from subjects import Broken, Broker, SubjectFailed, Toy, stop

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


class Run:
    """One data directory and its notes, over many cycles."""

    def __init__(self, arguments, directory, chance):
        self.arguments = arguments
        self.chance = chance
        self.notes = directory / "notes"
        self.notes.mkdir()
        self.disk = None
        data = directory / "data"
        if arguments.fault == "power":
            self.disk = loop_disk.LoopDisk(directory, arguments.file_system)
            data = self.disk.mount_point / "data"
        self.subject = self._subject(data)
        self.process = None
        self.start_times = []
        self.faults = 0
        self.cuts = []  # [time of the cut, time of the next start]

    def _subject(self, data):
        name = self.arguments.subject
        if name.startswith("toy-"):
            data.mkdir()
            os.sync()
            return Toy(name.removeprefix("toy-"), data, self.notes)
        return Broker(self.arguments.build, data, self.notes, self.arguments.acks, self.arguments.lying_disk)

    def start(self):
        before = time.monotonic()
        self.process = self.subject.start()
        self.start_times.append(time.monotonic() - before)

    def break_it(self):
        self.faults += 1
        if self.disk is not None:
            self.cuts.append([self.disk.cut_power(self.process), time.monotonic_ns()])
        else:
            stop(self.process, signal.SIGKILL)

    def cycle(self, number):
        if self.process is None:
            self.start()
        self.subject.begin_load(f"c{number}")
        time.sleep(self.chance.uniform(*self.arguments.load_seconds))
        self.break_it()
        if self.chance.random() < 0.3:  # killed again while it starts
            self.process = self.subject.start() if self.disk is not None else self.spawn()
            time.sleep(self.chance.uniform(0, 0.1))
            self.break_it()
        if self.chance.random() < 0.3:  # the same producers go on with a new broker
            self.start()
            time.sleep(self.chance.uniform(*self.arguments.load_seconds))
            self.break_it()
        self.subject.end_load()
        self.start()
        return self.check(number)

    def spawn(self):
        return self.subject.spawn() if isinstance(self.subject, Broker) else self.subject.start()

    def check(self, number):
        read_back = self.notes / "readback"
        if read_back.exists():
            read_back.rename(self.notes / "earlier.seen")
        if isinstance(self.subject, Toy):
            self.break_it()  # it writes as long as it lives
            self.process = None
        self.subject.read_back(read_back)
        command = [sys.executable, "-B", HERE / "check_history.py", "--readback", read_back, self.notes]
        if self.arguments.acks == "written" and self.disk is not None:
            for cut, start in self.cuts:
                command.append(f"--lossy={cut - self.arguments.window_ms * 1_000_000}:{start}")
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise Broken(f"cycle {number}:\n{result.stdout}{result.stderr}")
        return dict(word.split("=") for word in result.stdout.split())

    def close(self):
        stop(self.process, signal.SIGKILL)
        if self.disk is not None:
            self.disk.close()


def run_cycles(arguments, directory, chance):
    """The counts of all cycles, or Broken."""
    totals = {"cycles": 0, "faults": 0, "sent": 0, "acknowledged": 0, "read_back": 0}
    start_times = []
    while totals["cycles"] < arguments.cycles:
        place = directory / f"run-{totals['cycles']}"
        place.mkdir()
        run = Run(arguments, place, chance)
        try:
            run.subject.prepare()
            for _ in range(min(arguments.cycles_per_directory, arguments.cycles - totals["cycles"])):
                totals["cycles"] += 1
                counts = run.cycle(totals["cycles"])
                if arguments.verbose:
                    print(f"cycle {totals['cycles']}: {counts}", flush=True)
        finally:
            run.close()
        for name in ("sent", "acknowledged", "read_back"):
            totals[name] += int(counts[name])
        totals["faults"] += run.faults
        start_times += run.start_times
        shutil.rmtree(place)
    start_times.sort()
    totals["start_ms_median"] = round(1000 * start_times[len(start_times) // 2])
    totals["start_ms_max"] = round(1000 * start_times[-1])
    return totals


def parse_arguments():
    parser = argparse.ArgumentParser(description="Kill and power-cut tests.")
    parser.add_argument("fault", choices=["kill", "power"])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--subject", choices=["sluice", "toy-good", "toy-no-sync"], default="sluice")
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--cycles-per-directory", type=int, default=10)
    parser.add_argument("--load-seconds", type=float, nargs=2, default=[0.05, 0.6], metavar=("MIN", "MAX"))
    parser.add_argument("--file-system", choices=["ext4", "xfs"], default="ext4")
    parser.add_argument("--acks", choices=["durable", "written"], default="durable")
    parser.add_argument("--window-ms", type=int, default=1000, help="what `written` may lose before a power cut")
    parser.add_argument("--lying-disk", action="store_true", help="fdatasync does nothing: losses must be found")
    parser.add_argument("--expect-loss", action="store_true", help="succeed only where a broken promise is found")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", type=pathlib.Path, help="where to leave what a broken run wrote (default: a temporary directory)")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    return arguments


def main():
    arguments = parse_arguments()
    if arguments.fault == "power" and (reason := loop_disk.why_not(arguments.file_system)):
        print(f"SKIPPED: {reason}")
        return SKIPPED
    print(f"seed={arguments.seed}", flush=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-crash-", dir=arguments.keep))
    try:
        totals = run_cycles(arguments, directory, random.Random(arguments.seed))
    except (Broken, SubjectFailed) as error:
        print(f"BROKEN PROMISE: {error}\nseed={arguments.seed}, left in {directory}")
        if not arguments.expect_loss:
            return 1
        shutil.rmtree(directory)
        return 0 if isinstance(error, Broken) else 1
    shutil.rmtree(directory)
    print("KEPT " + " ".join(f"{name}={value}" for name, value in totals.items()))
    if arguments.expect_loss:
        print("a broken promise was expected, and none was found")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
