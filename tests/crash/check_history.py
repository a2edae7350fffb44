#!/usr/bin/env python3
"""Decides whether a log kept its promises, from what producers and readers noted outside it. Knows no broker code.

    check_history.py --readback FILE [--lossy FROM_NS:TO_NS].. DIR

DIR holds one `NAME.history` per producer session, in the order in which things happened:
    producer NAME
    i SEQUENCE SHARD NS          about to send this record
    o SEQUENCE SHARD OFFSET NS   acknowledged
    f SEQUENCE                   refused: it was never taken
    u SEQUENCE                   given up: the outcome is unknown (so is it where nothing follows the i)
and any number of `*.seen`: what a reader was shown at some time. FILE and *.seen have one line per record, shard by shard:
    SHARD OFFSET KEY LENGTH MD5  the key in hexadecimal, length and MD5 of the value

An entry of a history is one write of ENTRY_BYTES, filled up with blanks, so that killing its producer tears none: a write
that goes over two pages may end after the first.

A record's key is "NAME:SEQUENCE", its value is payload(NAME, SEQUENCE). What must hold:
    an acknowledged record is there once, at its shard and offset, with its bytes; what was shown to a reader is still there;
    a refused record is not there; an unknown one is there at most once; nothing else is there;
    offsets of a shard begin at 0 and have no gap; a producer's records in one shard stand in the order of their sending;
    a record without an outcome is not missing while a later one of its session and shard is there (no holes).
What was acknowledged between FROM_NS and TO_NS may be lost: the promise of the mode `written` around a power cut.

Exit code: 0 kept, 1 broken (one line for each finding), 2 the input cannot be read. Time and memory are linear.
"""
import argparse
import hashlib
import pathlib
import sys
from dataclasses import dataclass, field

ENTRY_BYTES = 128  # a page is a multiple of it; tests/crash/crash_load.cc has the same
FINDINGS_SHOWN = 20


class BadInput(Exception):
    pass


def entry(text: str) -> bytes:
    return text.ljust(ENTRY_BYTES - 1).encode() + b"\n"


def payload(producer: str, sequence: int) -> bytes:
    """The bytes of a record: mostly 10 to 209 bytes, one in 50 up to 60,000. tests/crash/payload.cc makes the same."""
    seed = hashlib.shake_128(f"{producer}:{sequence}".encode())
    number = int.from_bytes(seed.digest(4), "little")
    size = number % 60000 if (number >> 8) % 50 == 0 else 10 + number % 200
    return seed.digest(4 + size)[4:]


@dataclass
class Sent:
    shard: int
    outcomes: list = field(default_factory=list)  # ("o", shard, offset, ns), ("f",) or ("u",)
    copies: list = field(default_factory=list)  # (shard, offset) of the read-back

    def acks(self):
        return [o for o in self.outcomes if o[0] == "o"]

    def refused(self):
        return any(o[0] == "f" for o in self.outcomes)


class Checker:
    def __init__(self, lossy=()):
        self.sessions = {}  # producer -> {sequence -> Sent}, in the order of sending
        self.findings = []
        self.lossy = lossy  # (from, to) in ns
        self.read_back = {}  # (shard, offset) -> (key, length, md5)

    def found(self, text):
        self.findings.append(text)

    # Input.

    def add_history(self, lines, where):
        name = None
        for number, line in enumerate(lines, 1):
            words = line.split()
            try:
                if words[0] == "producer":
                    name = words[1]
                    if name in self.sessions:
                        raise BadInput(f"{where}:{number}: producer {name} has a history already")
                    self.sessions[name] = {}
                else:
                    self._add_event(self.sessions[name], words, name)
            except (IndexError, ValueError, KeyError) as error:
                raise BadInput(f"{where}:{number}: not a line of a history: {line!r}") from error

    def _add_event(self, session, words, name):
        sequence = int(words[1])
        if words[0] == "i":
            if sequence in session:
                self.found(f"{name}:{sequence} was sent twice under one name")
            session[sequence] = Sent(shard=int(words[2]))
            return
        outcome = {"o": lambda: ("o", int(words[2]), int(words[3]), int(words[4])), "f": lambda: ("f",), "u": lambda: ("u",)}
        event = outcome[words[0]]()
        if sequence not in session:
            self.found(f"{name}:{sequence} has the outcome {words[0]} but was never sent")
            return
        session[sequence].outcomes.append(event)

    @staticmethod
    def parse_record(line, where, number):
        try:
            shard, offset, key, length, digest = line.split()
            return (int(shard), int(offset)), (bytes.fromhex(key), int(length), digest)
        except ValueError as error:
            raise BadInput(f"{where}:{number}: not a record that was read: {line!r}") from error

    # Checks.

    def add_readback(self, lines, where):
        next_offset = {}
        for number, line in enumerate(lines, 1):
            place, record = self.parse_record(line, where, number)
            shard, offset = place
            expected = next_offset.get(shard, 0)
            if offset != expected:
                self.found(f"shard {shard}: offset {offset} stands where {expected} belongs")
            next_offset[shard] = max(offset + 1, expected)
            self.read_back[place] = record
            self._check_record(place, record)

    def _check_record(self, place, record):
        key, length, digest = record
        shard, offset = place
        try:
            producer, text = key.decode().split(":")
            sent = self.sessions[producer][int(text)]
        except (ValueError, KeyError):
            self.found(f"shard {shard} offset {offset}: nobody sent the record with key {key!r}")
            return
        name = key.decode()
        sent.copies.append(place)
        expected = payload(producer, int(text))
        if length != len(expected) or digest != hashlib.md5(expected).hexdigest():
            self.found(f"{name} at shard {shard} offset {offset} has other bytes than were sent ({length} bytes, sent {len(expected)})")
        if shard != sent.shard:
            self.found(f"{name} was sent to shard {sent.shard} and stands in shard {shard}")

    def add_seen(self, lines, where):
        """What a reader was shown must be in the read-back, unchanged. Called after add_readback."""
        for number, line in enumerate(lines, 1):
            place, record = self.parse_record(line, where, number)
            now = self.read_back.get(place)
            if now != record:
                became = "is gone" if now is None else f"is now {now[0]!r}"
                self.found(f"shard {place[0]} offset {place[1]}: a reader saw {record[0]!r}, which {became} ({where})")

    def finish(self):
        for producer, session in self.sessions.items():
            for sequence, sent in session.items():
                self._check_outcome(f"{producer}:{sequence}", sent)
            self._check_order(producer, session)

    def _must_be_there(self, ack):
        return not any(begin <= ack[3] <= end for begin, end in self.lossy)

    def _check_outcome(self, name, sent):
        acks = sent.acks()
        if len(sent.copies) > 1:
            self.found(f"{name} is there {len(sent.copies)} times: {sent.copies}")
        if sent.refused() and (acks or sent.copies):
            self.found(f"{name} was refused, and yet it was {'acknowledged' if acks else 'stored'}")
        for ack in acks:
            place = (ack[1], ack[2])
            if place in sent.copies:
                continue
            if sent.copies:
                self.found(f"{name} was acknowledged at shard {place[0]} offset {place[1]} and stands at {sent.copies}")
            elif self._must_be_there(ack):
                self.found(f"{name} was acknowledged at shard {place[0]} offset {place[1]} and is lost")

    def _check_order(self, producer, session):
        last = {}  # shard -> (offset, sequence) of the latest record that is there
        silent = {}  # shard -> the first sequence that is missing without an outcome
        for sequence, sent in session.items():
            if not sent.copies:
                if not sent.outcomes:
                    silent.setdefault(sent.shard, sequence)
                continue
            shard, offset = sent.copies[0]
            before = last.get(shard)
            if before is not None and before[0] > offset:
                self.found(f"{producer}: in shard {shard} record {sequence} stands before {before[1]}, which was sent earlier")
            last[shard] = (offset, sequence)
            if sent.shard in silent:
                self.found(f"{producer}: in shard {sent.shard} record {silent[sent.shard]} is missing, the later {sequence} is there")

    def counts(self):
        records = [sent for session in self.sessions.values() for sent in session.values()]
        acked = sum(1 for sent in records if sent.acks())
        return {"sent": len(records), "acknowledged": acked, "read_back": len(self.read_back), "findings": len(self.findings)}


def main():
    parser = argparse.ArgumentParser(description="Checks producers' histories against what was read back.")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--readback", type=pathlib.Path, required=True)
    parser.add_argument("--lossy", action="append", default=[], metavar="FROM_NS:TO_NS")
    arguments = parser.parse_args()
    checker = Checker([tuple(int(ns) for ns in interval.split(":")) for interval in arguments.lossy])
    try:
        for path in sorted(arguments.directory.glob("*.history")):
            with path.open() as lines:
                checker.add_history(lines, path)
        with arguments.readback.open() as lines:
            checker.add_readback(lines, arguments.readback)
        for path in sorted(arguments.directory.glob("*.seen")):
            with path.open() as lines:
                checker.add_seen(lines, path)
    except (BadInput, OSError) as error:
        print(f"check_history: {error}", file=sys.stderr)
        return 2
    checker.finish()
    for finding in checker.findings[:FINDINGS_SHOWN]:
        print(f"BROKEN {finding}")
    if len(checker.findings) > FINDINGS_SHOWN:
        print(f"BROKEN and {len(checker.findings) - FINDINGS_SHOWN} more")
    print(" ".join(f"{name}={value}" for name, value in checker.counts().items()))
    return 1 if checker.findings else 0


if __name__ == "__main__":
    sys.exit(main())
