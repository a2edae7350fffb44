#!/usr/bin/env python3
"""Runs the broker on a disk that fails below its file system, under load, and checks that it keeps what it promises.

    device_test.py write --build build/release --cycles 100 --file-system xfs
    device_test.py read  --build build/release --cycles 50
    device_test.py slow  --build build/release

write  In each cycle the disk answers writes or flushes with EIO: all of them, some, or a single one. From the moment that the broker
       says that writing has ended nothing that is sent may be acknowledged, not even when the disk is well again; everybody who waits is
       told; what is durable can be read. Then the disk is well, the broker starts again, and everything is read back.
read   In each cycle one page of a segment cannot be read. The reader of that shard is told and given no wrong record and no gap; the
       other shards, the writers and /readyz take no notice; with the disk well again everything can be read, without a restart.
slow   Each write takes 50 ms, and far more comes in than the disk takes: the broker may not gather it in memory, nor lose any of it.

check_history.py compares what was read with what producers and readers noted outside. Prints its seed and a table; exit code 0 kept,
1 broken (everything is left for a look), 77 cannot be run here.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import failing_disk
from subjects import SHARDS, Broken, ProbedBroker, SubjectFailed, stop

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
PATIENCE_S = 120
ENDED = "writing has ended on this data directory"
PAGE_BYTES = 4096
CYCLES_PER_DISK = 10
STOPPED_UNCLEAN = 4  # docs/config.md
WRITE_DELAY_S = 0.05
SLOW_S = 5
# Each flood has up to 64 MiB on the way, the producer's own bound, for which it needs many shards.
FLOODS = 6
FLOOD_SHARDS = 64
# The settings allow 56 MiB of records; the rest is for the program itself, also one with AddressSanitizer.
MEMORY_MAX_BYTES = 256 << 20


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise Broken(f"{what}: not after {PATIENCE_S} s")
        time.sleep(0.01)


class DeviceBroker(ProbedBroker):
    def __init__(self, build, data, notes):
        super().__init__(build, data, notes)
        self.environment |= {"SLUICE_NATIVE__BODY_BYTES_MAX": "16MiB", "SLUICE_APPEND__INFLIGHT_BYTES_MAX": "8MiB"}
        self.environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
        self.process = None
        self.admin_port = None

    def start(self):
        self.process = super().start()
        self.admin_port = json.loads((self.data / "ports.json").read_text())["admin"]
        return self.process

    def page(self, path):
        """Code and text of a page of the admin door."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def writing_has_ended(self):
        if self.process.poll() is not None:
            raise Broken(f"the broker ended with code {self.process.returncode}")
        code, text = self.page("/readyz")
        return code == 503 and ENDED in text

    def memory_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:"))


class Run:
    """One disk, its broker and the notes about both, over some cycles."""

    def __init__(self, arguments, directory, chance):
        self.chance = chance
        self.notes = directory / "notes"
        self.notes.mkdir()
        self.disk = failing_disk.FailingDisk(directory, arguments.file_system)
        self.broker = DeviceBroker(arguments.build, self.disk.mount_point / "data", self.notes)
        self.read_backs = 0
        self.counts = {}

    def check(self, what):
        """Compares the newest read-back, which is all that there is, with the notes."""
        read_back = self.notes / "readback"
        command = [sys.executable, "-B", HERE / "check_history.py", "--readback", read_back, self.notes]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise Broken(f"{what}:\n{result.stdout}{result.stderr}")
        read_back.rename(self.notes / "earlier.seen")
        self.counts = dict(word.split("=") for word in result.stdout.split())

    def read_and_check(self, what):
        self.broker.read_back(self.notes / "readback")
        self.check(what)

    def outcomes(self, cycle):
        """Of the records of this cycle: (time of sending, outcome or None)."""
        for path in self.notes.glob(f"c{cycle}-*.history"):
            sent = {}
            for line in path.read_text().rpartition("\n")[0].splitlines():
                words = line.split()
                if words[0] == "i":
                    sent[words[1]] = [int(words[3]), None]
                elif words[0] in "ofu":
                    sent[words[1]][1] = words[0]
            yield from sent.values()

    def stop_broker(self, signal_number, *codes):
        stop(self.broker.process, signal_number)
        if self.broker.process.returncode not in codes:
            raise Broken(f"stopped by signal {signal_number}, the broker ended with code {self.broker.process.returncode}")

    # Each cycle gives a word for the table.

    def write(self, cycle):
        self.broker.start()
        # Without a reader that follows, older segments are opened only when the file system may be read-only.
        self.broker.begin_load(f"c{cycle}", follow=self.chance.random() < 0.5)
        time.sleep(self.chance.uniform(0.1, 0.8))
        kind = self.chance.choice([failing_disk.WRITE, failing_disk.FLUSH])
        share = self.chance.choice(["all", "some", "one"])
        outcome = f"{failing_disk.NAMES[kind]}_{share}"
        self.break_writing(kind, share)
        if not self.await_the_end(kind, share):
            outcome += "_went_on"
        else:
            self.look_at_the_end(cycle, outcome)
        self.broker.end_load()
        if self.chance.random() < 0.5:
            self.stop_broker(signal.SIGTERM, 0, STOPPED_UNCLEAN)
        else:
            self.stop_broker(signal.SIGKILL, -signal.SIGKILL)
        if self.chance.random() < 0.5 or not self.disk.takes_writes():
            self.disk.remount()
        self.broker.start()
        self.read_and_check(f"cycle {cycle}: {outcome}")
        self.stop_broker(signal.SIGTERM, 0)
        return outcome

    def break_writing(self, kind, share):
        luck = random.Random(self.chance.random())
        single = iter([True])
        self.disk.fail(kind, {"all": lambda begin, end: True,
                              "some": lambda begin, end: luck.random() < 0.2,
                              "one": lambda begin, end: next(single, False)}[share])

    def await_the_end(self, kind, share):
        """False where a single failure met nothing that the broker waits for, and writing goes on."""
        if share == "one":
            wait_until(lambda: self.disk.faults.failed[kind] > 0, "the disk fails once")
            if self.broker.acknowledges():
                return False
        wait_until(self.broker.writing_has_ended, "/readyz says that writing has ended")
        return True

    def look_at_the_end(self, cycle, what):
        ended_ns = time.monotonic_ns()
        self.must_refuse(what)
        if ENDED not in (self.notes / "broker.log").read_text():
            raise Broken(f"{what}: the end of writing is not in the broker's log")
        if "\nsluice_writable 0\n" not in self.broker.page("/metrics")[1]:
            raise Broken(f"{what}: sluice_writable is not 0")
        wait_until(lambda: all(outcome for sent_ns, outcome in self.outcomes(cycle) if sent_ns < ended_ns), "everybody is told")
        read_back = self.notes / "readback"
        result = self.broker.try_to_read_back(read_back)
        if result.returncode == 0:
            self.check(f"cycle {cycle}: {what}, before the restart")
        elif self.disk.gives_reads():
            raise Broken(f"{what}: what is durable cannot be read: crash_readback ended with code {result.returncode}: {result.stderr}")
        self.disk.faults.heal()
        self.must_refuse(f"{what}, and healed")
        if not self.broker.writing_has_ended():
            raise Broken(f"{what}: /readyz says that writing goes on")
        if late := sum(outcome == "o" and sent_ns > ended_ns for sent_ns, outcome in self.outcomes(cycle)):
            raise Broken(f"{what}: {late} records were acknowledged that were sent after writing had ended")

    def must_refuse(self, what):
        result = self.broker.put(PATIENCE_S)
        if result.returncode == 0 or ENDED not in result.stderr:
            raise Broken(f"{what}: put ended with code {result.returncode}: {result.stderr.strip()}")

    def read(self, cycle):
        self.broker.start()
        self.broker.begin_load(f"c{cycle}-before")
        time.sleep(self.chance.uniform(0.2, 0.5))
        self.broker.end_load()
        self.stop_broker(signal.SIGTERM, 0)
        self.disk.remount()
        self.broker.start()
        shard = self.chance.randrange(SHARDS)
        begin = self.choose_page(shard)
        self.disk.fail(failing_disk.READ, lambda first, behind: first < begin + PAGE_BYTES and behind > begin)
        self.broker.begin_load(f"c{cycle}")
        for each in range(SHARDS):
            result = self.broker.try_to_read_back(self.notes / f"shard-{each}.seen", "--shard", str(each))
            if each != shard and result.returncode != 0:
                raise Broken(f"shard {each} has no bad page, and yet: {result.stderr}")
            if each == shard:
                self.must_be_told(result)
        if not self.broker.acknowledges() or self.broker.page("/readyz")[0] != 200:
            raise Broken("a page that cannot be read has ended the writing")
        self.disk.faults.heal()
        self.broker.end_load()
        self.read_and_check(f"cycle {cycle}")
        self.stop_broker(signal.SIGTERM, 0)
        return "page_not_read"

    def choose_page(self, shard):
        """A page of a segment of that shard, but for its header: where it begins on the disk."""
        segments = sorted((self.broker.data / "segments").glob(f"{1:08x}-{shard:08x}-*.seg"))
        places = self.disk.places_of(self.chance.choice(segments))
        pages = [at for begin, end in places for at in range(begin, end, PAGE_BYTES)]
        return self.chance.choice(pages[1:])

    def must_be_told(self, result):
        if self.disk.faults.failed[failing_disk.READ] == 0:
            raise SubjectFailed("nobody has read the bad page")
        if result.returncode == 0 or "Input/output error" not in result.stderr:
            raise Broken(f"the reader of a bad page ended with code {result.returncode}: {result.stderr.strip()}")

    def slow(self, cycle):
        self.broker.start()
        self.disk.faults.write_delay_s = WRITE_DELAY_S
        self.broker.begin_load(f"c{cycle}")
        floods = self.begin_floods(f"flood-{cycle}")
        most_bytes = 0
        held_back = False
        begun = time.monotonic()
        while not held_back or time.monotonic() - begun < SLOW_S:
            if time.monotonic() - begun > PATIENCE_S:
                raise Broken(f"nobody was held back within {PATIENCE_S} s")
            most_bytes = max(most_bytes, self.broker.memory_bytes())
            held_back |= "\nsluice_overloaded 1\n" in self.broker.page("/metrics")[1]
        if most_bytes > MEMORY_MAX_BYTES:
            raise Broken(f"the broker has taken {most_bytes >> 20} MiB")
        if self.broker.page("/readyz")[0] != 200:
            raise Broken("a slow disk has ended the writing")
        self.disk.faults.heal()
        for each in floods:
            stop(each, signal.SIGKILL)
        self.broker.end_load()
        self.stop_broker(signal.SIGKILL, -signal.SIGKILL)
        self.disk.remount()
        self.broker.start()
        self.read_and_check(f"cycle {cycle}")
        self.stop_broker(signal.SIGTERM, 0)
        return "slow"

    def begin_floods(self, stream):
        broker = ["--broker", self.broker.address()]
        subprocess.run([self.broker.binary, "stream", "create", stream, "--shards", str(FLOOD_SHARDS), *broker], stdout=subprocess.DEVNULL,
                       check=True)
        lines = self.notes.parent / "flood"
        lines.write_bytes((b"x" * (256 << 10) + b"\n") * 400)
        return [subprocess.Popen([self.broker.binary, "put", stream, lines, *broker], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True) for _ in range(FLOODS)]

    def close(self):
        stop(self.broker.load, signal.SIGKILL)
        stop(self.broker.follower, signal.SIGKILL)
        stop(self.broker.process, signal.SIGKILL)
        self.disk.close()


def run_cycles(arguments, directory, chance):
    table = collections.Counter()
    cycle = 0
    while cycle < arguments.cycles:
        place = directory / f"run-{cycle}"
        place.mkdir()
        run = Run(arguments, place, chance)
        try:
            run.broker.prepare()
            for _ in range(min(CYCLES_PER_DISK, arguments.cycles - cycle)):
                cycle += 1
                outcome = getattr(run, arguments.fault)(cycle)
                table[outcome] += 1
                if arguments.verbose:
                    print(f"cycle {cycle}: {outcome} {run.counts}", flush=True)
        finally:
            run.close()
        table.update({name: int(run.counts[name]) for name in ("acknowledged", "read_back")})
        shutil.rmtree(place)
    return table


def main():
    parser = argparse.ArgumentParser(description="A broker on a disk that fails.")
    parser.add_argument("fault", choices=["write", "read", "slow"])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--cycles", type=int, default=5)
    parser.add_argument("--file-system", choices=["ext4", "xfs"], default="ext4")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    if reason := failing_disk.why_not(arguments.file_system):
        print(f"SKIPPED: {reason}")
        return SKIPPED
    print(f"seed={arguments.seed}", flush=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-device-"))
    try:
        table = run_cycles(arguments, directory, random.Random(arguments.seed))
    except (Broken, SubjectFailed) as error:
        print(f"BROKEN PROMISE: {error}\nseed={arguments.seed}, left in {directory}")
        return 1
    shutil.rmtree(directory)
    print(f"KEPT cycles={arguments.cycles} " + " ".join(f"{name}={count}" for name, count in sorted(table.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
