#!/usr/bin/env python3
"""Lets the kernel refuse one system call after another to a broker under load, and checks that nothing acknowledged is lost.

    syscall_test.py --build build/release --cases 300 [--seed S] [--verbose]

A case: `sluice serve` runs under strace, which answers the n-th call of one kind (in each thread) with an error and does not do it;
producers write and a reader follows. The broker may refuse to start, with a message and an exit code, or refuse to write; it must not
die of a signal or hang. After a refused flush of the journal nothing may be acknowledged any more. Then it is killed and started without
strace, everything is read back, and check_history.py compares. A few cases share a data directory, so recovery meets faults too.

Prints its seed and a table; exit code 0 kept, 1 broken (everything is left for a look), 77 cannot be run here.
"""
import argparse
import collections
import dataclasses
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from subjects import START_TIMEOUT_S, Broken, ProbedBroker, SubjectFailed, stop

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
LOAD_S = 0.4
CASES_PER_DIRECTORY = 8


@dataclasses.dataclass(frozen=True)
class Fault:
    call: str
    error: str
    nth: int
    only: tuple = ()  # paths below the data directory; none: any file

    def __str__(self):
        return f"{self.call} {self.error} when={self.nth} {' '.join(self.only)}"


JOURNAL = ("journal/0000.log", "journal/0001.log", "journal/0002.log", "journal/0003.log")
# Call, errors, how many of its calls there are to choose from, and whether only the journal's files count. Not sync_file_range: the
# broker's is a hint whose answer nobody looks at, and RocksDB's asks with no flags whether there is that call, and takes an error that
# no kernel gives there for a bug of its own.
CALLS = [
    ("fdatasync", ("EIO", "ENOSPC", "EDQUOT"), 60, JOURNAL),
    ("pwritev", ("EIO", "ENOSPC", "EINTR", "EDQUOT"), 60, JOURNAL),
    ("fdatasync", ("EIO", "ENOSPC"), 60, ()),
    ("pwritev", ("EIO", "ENOSPC", "EINTR", "EFBIG"), 200, ()),
    ("pwrite64", ("EIO", "ENOSPC"), 2, ()),
    ("fsync", ("EIO",), 12, ()),
    ("openat", ("EIO", "EMFILE", "ENFILE", "ENOSPC", "EACCES"), 260, ()),
    ("rename", ("EIO", "ENOSPC", "EROFS"), 6, ()),
    ("ftruncate", ("EIO", "ENOSPC"), 4, ()),
    ("unlink", ("EIO", "EROFS"), 3, ()),
    ("mkdir", ("EIO", "ENOSPC", "EROFS"), 8, ()),
    ("pread64", ("EIO", "EINTR"), 20, ()),
    ("preadv", ("EIO", "EINTR"), 20, ()),
    ("getdents64", ("EIO",), 12, ()),
    ("fadvise64", ("EIO",), 12, ()),
    ("recvmsg", ("ECONNRESET", "EINTR", "ENOMEM"), 200, ()),
    ("sendmsg", ("ECONNRESET", "EPIPE", "EINTR"), 100, ()),
    ("accept4", ("EMFILE", "ECONNABORTED", "ENOMEM"), 4, ()),
]


class TracedBroker(ProbedBroker):
    """A broker that can run under strace."""

    def __init__(self, build, data, notes):
        super().__init__(build, data, notes)
        self.fault = None
        self.trace = notes / "strace"

    def command(self):
        if self.fault is None:
            return super().command()
        paths = [f"-P{self.data / path}" for path in self.fault.only]
        inject = f"inject={self.fault.call}:error={self.fault.error}:when={self.fault.nth}"
        return ["strace", *([] if paths else ["--seccomp-bpf"]), "-f", "-qq", "-o", str(self.trace), *paths, "-e", f"trace={self.fault.call}",
                "-e", inject, *super().command()]

    def injected(self):
        return self.trace.exists() and "(INJECTED)" in self.trace.read_text(errors="replace")


def kill_traced(process):
    """Kills strace and what it traces, and waits for both."""
    if process.poll() is not None:
        return
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    stop(process, signal.SIGKILL)
    for child in children:
        while pathlib.Path(f"/proc/{child}").exists():
            time.sleep(0.001)


def start_with(broker, fault):
    """A process under the fault, or None where it has refused to start."""
    broker.fault = fault
    broker.trace.unlink(missing_ok=True)
    begun = time.monotonic()
    try:
        return broker.start()
    except SubjectFailed as failure:
        if time.monotonic() - begun >= START_TIMEOUT_S or "code -" in str(failure) or "code 134" in str(failure):
            raise Broken(f"{fault}: {failure}") from failure
        return None
    finally:
        broker.fault = None


def run_case(broker, fault, number):
    """What became of it: "refused to start", "not reached", "writing ended" or "went on"."""
    process = start_with(broker, fault)
    outcome = "refused to start"
    if process is not None:
        broker.begin_load(f"c{number}")
        time.sleep(LOAD_S)
        if process.poll() is not None:
            raise Broken(f"{fault}: the broker ended under load with code {process.returncode}")
        outcome = "went on" if broker.injected() else "not reached"
        # Recovery flushes the files it finds before it reads them; an error there is a refused start. Later ones are commits.
        if outcome == "went on" and not broker.acknowledges():
            outcome = "writing ended"
        elif outcome == "went on" and fault.call == "fdatasync" and fault.only:
            raise Broken(f"{fault}: acknowledged after a failed flush of the journal")
        if broker.load.poll() is None:
            broker.end_load()
        else:  # the broker has refused it at the door
            stop(broker.follower, signal.SIGTERM)
            (broker.notes / f"follow-{broker.followed}.unfinished").unlink()
        kill_traced(process)
    plain = broker.start()
    read_back = broker.notes / "readback"
    broker.read_back(read_back)
    stop(plain, signal.SIGTERM)
    result = subprocess.run([sys.executable, "-B", HERE / "check_history.py", "--readback", read_back, broker.notes], capture_output=True,
                            text=True, check=False)
    if result.returncode != 0:
        raise Broken(f"{fault}: {outcome}:\n{result.stdout}{result.stderr}")
    return outcome


def run_cases(arguments, directory, chance):
    table = collections.Counter()
    broker = place = None
    for number in range(1, arguments.cases + 1):
        if (number - 1) % CASES_PER_DIRECTORY == 0:
            if place is not None:
                shutil.rmtree(place)
            place = directory / f"run-{number}"
            (place / "notes").mkdir(parents=True)
            broker = TracedBroker(arguments.build, place / "data", place / "notes")
            broker.prepare()
        call, errors, calls, only = chance.choice(CALLS)
        fault = Fault(call, chance.choice(errors), chance.randint(1, calls), only)
        outcome = run_case(broker, fault, number)
        table[outcome] += 1
        if arguments.verbose:
            print(f"{number}: {fault}: {outcome}", flush=True)
    return table


def why_not():
    if shutil.which("strace") is None:
        return "it needs strace"
    probe = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=getppid:error=EIO", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        return "strace cannot trace here"
    return None


def main():
    parser = argparse.ArgumentParser(description="System calls that fail under a broker.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    if reason := why_not():
        print(f"SKIPPED: {reason}")
        return SKIPPED
    print(f"seed={arguments.seed}", flush=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-syscall-"))
    try:
        table = run_cases(arguments, directory, random.Random(arguments.seed))
    except (Broken, SubjectFailed) as error:
        print(f"BROKEN PROMISE: {error}\nseed={arguments.seed}, left in {directory}")
        return 1
    shutil.rmtree(directory)
    print(f"KEPT cases={arguments.cases} " + " ".join(f"{name.replace(' ', '_')}={count}" for name, count in sorted(table.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
