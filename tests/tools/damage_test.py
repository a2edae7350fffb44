#!/usr/bin/env python3
"""What a user meets when bytes of a stopped broker's files are flipped, and how it goes on: what the log, describe and /metrics say,
what is refused, and what is read after the loss was accepted.

    damage_test.py SLUICE
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

import golden_test


class Damaged(golden_test.Broker):
    """A broker and the commands of its user; the directory outlives it."""

    def __init__(self, sluice, directory):
        super().__init__(sluice, directory)
        self.sluice, self.directory = sluice, directory

    def run(self, *words, code=0, lines=""):
        environment = dict(os.environ, SLUICE_BROKER=f"127.0.0.1:{self.ports['native']}", NO_PROGRESS="1")
        result = subprocess.run([self.sluice, *words], env=environment, input=lines, text=True, capture_output=True,
                                timeout=golden_test.COMMAND_TIMEOUT_S, check=False)
        shown = result.stdout + result.stderr
        expect(result.returncode == code, f"{' '.join(words)} ended with {result.returncode}, not {code}", shown)
        return shown

    def put(self, line, code=0):
        """One record, in a batch and a journal group of its own."""
        return self.run("put", "orders", code=code, lines=line + "\n")

    def wait_for_mode(self, delivery_stream, mode):
        """Less than the minute after which delivery would have tried again by itself."""
        deadline = time.monotonic() + 30
        while f'"mode":"{mode}"' not in (shown := self.run("delivery", "describe", delivery_stream, "--json")):
            expect(time.monotonic() < deadline, f"{delivery_stream} does not become {mode}", shown)

    def damaged_shards(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['admin']}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("sluice_damaged_shards "))

    def written_log(self):
        return (self.directory / "broker.log").read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        (self.directory / "data/ports.json").unlink()  # the next one's start is told by its own


def expect(condition, what, shown):
    if not condition:
        sys.exit(f"damage_test: {what}; shown was:\n{shown}")


def expect_text(shown, *parts):
    for part in parts:
        expect(part in shown, f"'{part}' is missing", shown)


def flip(directory, pattern, text):
    """Flips a bit in the one place where `text` stands in a file of `pattern`."""
    places = [(path, path.read_bytes().find(text)) for path in directory.glob(pattern) if text in path.read_bytes()]
    expect(len(places) == 1, f"{text} stands in {len(places)} files of {pattern}", places)
    path, at = places[0]
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


DELIVERY = """
DeliveryStreamName: lake
KinesisStreamSourceConfiguration: {KinesisStreamARN: orders}
ExtendedS3DestinationConfiguration: {BucketARN: lake, BufferingHints: {IntervalInSeconds: 86400}}
Sluice: {StartPosition: oldest}
"""


def journal(sluice, directory):
    """A record of the journal is damaged after `kill -9`: the shard is quarantined until the loss is accepted."""
    broker = Damaged(sluice, directory)
    expect_text(broker.written_log(), "log made in a new data directory")
    broker.run("stream", "create", "orders")
    (directory / "lake.yaml").write_text(DELIVERY)
    broker.run("delivery", "create", "-f", str(directory / "lake.yaml"))
    broker.put("first")
    broker.run("delivery", "flush", "lake")  # so that the lost record is the next one to deliver
    for line in ("second", "third"):  # the third group says that the second was flushed
        broker.put(line)
    broker.kill()
    flip(directory, "data/journal/*.log", b"second")

    broker = Damaged(sluice, directory)
    expect_text(broker.written_log(), 'stream="orders" shard=0', "offsets 1 to 1 are lost", "sluice stream accept-loss")
    expect_text(broker.put("refused", code=5), "quarantined", "sluice stream accept-loss")
    expect_text(broker.run("stream", "describe", "orders"), "offsets 1 to 1 are lost", "It takes no records",
                "sluice stream accept-loss orders --shard 0")
    expect_text(broker.run("get", "orders", code=5), "first", "read on at offset 2")
    expect(broker.damaged_shards() == 1, "/metrics counts other damaged shards", broker.damaged_shards())
    for _ in range(8):  # each failure doubles the wait, up to a minute
        expect_text(broker.run("delivery", "flush", "lake", code=4), "offsets 1 to 1 are lost", "sluice stream accept-loss")
    expect_text(broker.run("stream", "accept-loss", "orders", "--shard", "3", code=3), "has no shard 3")

    shown = broker.run("stream", "accept-loss", "orders", "--shard", "0")
    expect_text(shown, "Gave up offsets 1 to 1 of shard 0 of stream orders")
    broker.wait_for_mode("lake", "active")
    expect_text(broker.run("stream", "accept-loss", "orders", "--shard", "0", code=1), "no loss that is not accepted")
    broker.put("fourth")
    shown = broker.run("get", "orders", "--meta")
    expect([line.split()[0] for line in shown.splitlines()] == ["0:0", "0:2", "0:3"], "other records are there", shown)
    expect_text(broker.run("stream", "describe", "orders"), "records    3 ", "offsets 1 to 1 were lost, and it goes on without")
    expect(broker.damaged_shards() == 0, "/metrics counts a damaged shard", broker.damaged_shards())
    broker.run("delivery", "flush", "lake")
    expect_text(broker.run("verify", "lake"), "in the lake  3 ", "given up     shard 0: 1-1", "PROVEN: every record but those given up")
    broker.stop()


def segment(sluice, directory):
    """A record of a segment is damaged after a clean stop: whoever reads it finds out."""
    flip(directory, "data/segments/*.seg", b"third")
    broker = Damaged(sluice, directory)
    broker.put("fifth")
    expect_text(broker.run("get", "orders", code=5), "first", "offsets 2 to 2 are damaged", "sluice stream accept-loss")
    expect_text(broker.run("stream", "describe", "orders"), "offsets 2 to 2 are lost", "sluice stream accept-loss orders --shard 0")
    expect(broker.damaged_shards() == 1, "/metrics counts other damaged shards", broker.damaged_shards())
    expect_text(broker.run("stream", "accept-loss", "orders", "--shard", "0", "--json"),
                '"lost":[{"first":2,"last":2,"accepted":true}]')
    shown = broker.run("get", "orders")
    expect(shown.split() == ["first", "fourth", "fifth"], "other records are there", shown)
    broker.stop()

    broker = Damaged(sluice, directory)
    shown = broker.run("get", "orders", "--from", "seq:1")
    expect(shown.split() == ["fourth", "fifth"], "other records are there after a restart", shown)
    broker.stop()


def main():
    sluice = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        os.environ["SLUICE_STORAGE__CHECKPOINT_INTERVAL"] = "1h"  # what is put stays in the journal
        journal(sluice, directory)
        segment(sluice, directory)
    print("damage is told, and given up when asked")


if __name__ == "__main__":
    main()
