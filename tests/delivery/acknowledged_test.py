#!/usr/bin/env python3
"""acknowledged.compare accepts what is right, and finds each kind of wrong end. Exit code 0 so, 1 not so."""
import json
import sys

import acknowledged
from acknowledged import Broken, Fate, Producer, row_fate


def place(number):
    return f"shardId-{number % 2:012}", str(100 + number)


def record(number, drop=False):
    return json.dumps({"id": number, "text": "x" * number, "kind": "a", "drop": drop})


class End:
    """Of three rows, two error records, two dropped ones, and two puts without an answer, of which one was stored."""

    def __init__(self):
        self.producer = Producer(None, "", None)
        records = [record(0), record(1), record(2), "bad 3", "bad 4", record(5, drop=True), record(6, drop=True)]
        self.producer.told = [(place(number), text) for number, text in enumerate(records)]
        self.producer.unanswered = [record(7), record(8)]
        self.rows = [(place(number), row_fate(number, "x" * number)) for number in (0, 1, 2, 8)]
        self.errors = [(place(number), Fate("error", f"bad {number}")) for number in (3, 4)]
        self.dropped = [(place(number), Fate("dropped", str(number))) for number in (5, 6)]
        self.filtered = 2

    def compare(self):
        acknowledged.compare(self.producer, self.rows, self.errors, self.dropped, self.filtered)


def exchange(rows):
    (first, first_fate), (second, second_fate) = rows[:2]
    rows[:2] = [(first, second_fate), (second, first_fate)]


WRONG = {
    "a row is missing": lambda end: end.rows.pop(0),
    "a row is there twice": lambda end: end.rows.append(end.rows[0]),
    "a row is there at a second place": lambda end: end.rows.append((place(20), end.rows[0][1])),
    "two rows have exchanged their places": lambda end: exchange(end.rows),
    "a row has other content": lambda end: end.rows.__setitem__(1, (place(1), row_fate(1, "y"))),
    "an error record is missing": lambda end: end.errors.pop(),
    "an error record has other bytes": lambda end: end.errors.__setitem__(0, (place(3), Fate("error", "bad 30"))),
    "an error record is a row as well": lambda end: end.rows.append((place(3), row_fate(3, "xxx"))),
    "a dropped record is a row as well": lambda end: end.rows.append((place(5), row_fate(5, "xxxxx"))),
    "a dropped record is missing": lambda end: (end.dropped.pop(), setattr(end, "filtered", 1)),
    "a dropped record is not counted": lambda end: setattr(end, "filtered", 1),
    "a put without an answer is there twice": lambda end: end.rows.append((place(9), row_fate(8, "x" * 8))),
    "a row that nobody put": lambda end: end.rows.append((place(11), row_fate(11, ""))),
    "two records were acknowledged at one place": lambda end: end.producer.told.append((place(0), record(0))),
}


def main():
    End().compare()
    missed = []
    for name, spoil in WRONG.items():
        end = End()
        spoil(end)
        try:
            end.compare()
            missed.append(name)
        except Broken:
            pass
    print(f"{len(WRONG) - len(missed)} of {len(WRONG)} wrong ends are found", *missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
