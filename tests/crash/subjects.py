"""What the crash tests can be run on: the real broker with its client, and the toy log.

A subject has prepare(), called once; start(), which gives a process in a session of its own; begin_load(name) and end_load(); and read_back(path).
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
START_TIMEOUT_S = 120
READ_TIMEOUT_S = 300
SHARDS = 4
PRODUCERS = 8
PROBE = "probe"
PUT_TIMEOUT_S = 3


class Broken(Exception):
    """A promise is broken."""


class SubjectFailed(Exception):
    """The subject did something that no crash excuses: it does not start, or its tools fail."""


def stop(process, signal_number):
    if process is not None and process.poll() is None:
        os.killpg(process.pid, signal_number)
        process.wait()


class Broker:
    """`sluice serve` with 8 producers, 4 shards and a reader that follows."""

    # Files as small as they may be, so that seconds of load pass checkpoints, recycled journals and new segments.
    SETTINGS = {
        "SLUICE_NATIVE__PORT": "0",
        "SLUICE_ADMIN__PORT": "0",
        "SLUICE_AWS__PORT": "0",
        "SLUICE_AWS__TLS_PORT": "0",
        "SLUICE_SERVER__EVENT_LOOPS": "2",
        "SLUICE_STORAGE__JOURNAL_FILE_BYTES": "32MiB",
        "SLUICE_STORAGE__JOURNAL_BYTES_MAX": "128MiB",
        "SLUICE_STORAGE__SEGMENT_BYTES": "1MiB",
        "SLUICE_STORAGE__TAIL_BYTES_MAX": "32MiB",
        "SLUICE_STORAGE__CHECKPOINT_INTERVAL": "100ms",
        # For SIGKILL any file system will do, also a temporary directory in memory.
        "SLUICE_STORAGE__ALLOW_VOLATILE": "true",
    }

    def __init__(self, build, data, notes, acks="durable", lying_disk=False):
        self.binary = build / "tools" / "sluice"
        self.tools = build / "tests" / "crash"
        self.data = data
        self.notes = notes
        self.acks = acks
        self.environment = os.environ | self.SETTINGS
        self.lying_disk = lying_disk
        self.port = None
        self.load = None
        self.follower = None
        self.followed = 0

    def command(self):
        return [str(self.binary), "serve", "--data", str(self.data), "--lake", str(self.data / "lake")]

    def spawn(self):
        """A broker that may not be ready yet."""
        (self.data / "ports.json").unlink(missing_ok=True)
        with (self.notes / "broker.log").open("ab") as log:
            if self.port is not None:  # producers that wait for the broker find it where it was
                self.environment["SLUICE_NATIVE__PORT"] = str(self.port)
            return subprocess.Popen(self.command(), env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True)

    def start(self):
        process = self.spawn()
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise SubjectFailed(f"the broker ended with code {process.returncode} while starting")
            try:
                self.port = json.loads((self.data / "ports.json").read_text())["native"]
                return process
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.002)
        stop(process, signal.SIGKILL)
        raise SubjectFailed(f"the broker was not ready after {START_TIMEOUT_S} s")

    def address(self):
        return f"127.0.0.1:{self.port}"

    def prepare(self):
        """Makes the stream; until then the disk does not lie."""
        process = self.start()
        command = [self.binary, "stream", "create", "crash", "--shards", str(SHARDS), "--broker", self.address()]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        stop(process, signal.SIGTERM)
        if result.returncode != 0:
            raise SubjectFailed(f"stream create: {result.stderr.strip()}")
        if self.lying_disk:
            self.environment["LD_PRELOAD"] = str(self.tools / "libcrash_lying_disk.so")

    def begin_load(self, name, follow=True):
        self.load = subprocess.Popen(
            [self.tools / "crash_load", self.address(), "crash", str(SHARDS), str(PRODUCERS), self.acks, name, self.notes],
            start_new_session=True)
        self.followed += 1
        command = [self.tools / "crash_readback", self.address(), "crash", "--follow"] if follow else ["sleep", "infinity"]
        with (self.notes / f"follow-{self.followed}.unfinished").open("wb") as out:
            self.follower = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, start_new_session=True)

    def end_load(self):
        if self.load.poll() is not None:
            raise SubjectFailed(f"crash_load ended by itself with code {self.load.returncode}")
        stop(self.load, signal.SIGTERM)
        stop(self.follower, signal.SIGTERM)
        unfinished = self.notes / f"follow-{self.followed}.unfinished"
        whole = unfinished.read_bytes().rpartition(b"\n")
        (self.notes / "follow.seen").write_bytes(whole[0] + whole[1])  # the earlier ones are in the earlier read-backs
        unfinished.unlink()

    def try_to_read_back(self, path, *options):
        """crash_readback as it ended; what it read is in `path`."""
        with path.open("wb") as out:
            return subprocess.run([self.tools / "crash_readback", self.address(), "crash", *options], stdout=out, stderr=subprocess.PIPE,
                                  text=True, timeout=READ_TIMEOUT_S, check=False)

    def read_back(self, path):
        result = self.try_to_read_back(path)
        if result.returncode != 0:
            raise Broken(result.stderr.strip())


class ProbedBroker(Broker):
    """A Broker with a stream beside the load's, to ask whether it still takes records."""

    def prepare(self):
        super().prepare()
        process = self.start()
        subprocess.run([self.binary, "stream", "create", PROBE, "--broker", self.address()], stdout=subprocess.DEVNULL, check=True)
        stop(process, signal.SIGTERM)

    def put(self, timeout_s):
        """`sluice put` of one record as it ended."""
        command = [self.binary, "put", PROBE, "--broker", self.address()]
        return subprocess.run(command, input="probe\n", capture_output=True, text=True, timeout=timeout_s, check=False)

    def acknowledges(self):
        """Whether a record of somebody new is acknowledged now."""
        try:
            return self.put(PUT_TIMEOUT_S).returncode == 0
        except subprocess.TimeoutExpired:
            return False


class Toy:
    """toy_log.py, which is broker and producer in one process."""

    def __init__(self, mode, data, notes):
        self.mode = mode
        self.data = data
        self.notes = notes
        self.started = 0

    def prepare(self):
        pass

    def start(self):
        self.started += 1
        name = f"toy-{self.started}"
        return subprocess.Popen([sys.executable, "-B", HERE / "toy_log.py", self.mode, self.data, self.notes / f"{name}.history", name],
                                start_new_session=True)

    def begin_load(self, name):
        pass

    def end_load(self):
        pass

    def read_back(self, path):
        with path.open("wb") as out:
            subprocess.run([sys.executable, "-B", HERE / "toy_log.py", "read", self.data], stdout=out, check=True)
