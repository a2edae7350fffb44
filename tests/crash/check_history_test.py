#!/usr/bin/env python3
"""The checker's own test: good histories pass, and every kind of bad one that we could think of is found, by its own words."""
import hashlib
import unittest

from check_history import BadInput, Checker, payload


def record(shard, offset, key, value=None):
    if value is None:
        producer, sequence = key.split(":")
        value = payload(producer, int(sequence))
    return f"{shard} {offset} {key.encode().hex()} {len(value)} {hashlib.md5(value).hexdigest()}"


def check(history, readback, seen=(), lossy=()):
    checker = Checker(lossy)
    for number, session in enumerate(history if history and isinstance(history[0], list) else [history]):
        checker.add_history(session, f"session {number}")
    checker.add_readback(readback, "readback")
    checker.add_seen(seen, "seen")
    checker.finish()
    return checker.findings


A = ["producer a", "i 0 0 10", "i 1 0 11", "o 0 0 0 20", "o 1 0 1 21"]
A_STORED = [record(0, 0, "a:0"), record(0, 1, "a:1")]


class GoodHistories(unittest.TestCase):
    def assert_kept(self, *arguments, **named):
        self.assertEqual(check(*arguments, **named), [])

    def test_nothing_happened(self):
        self.assert_kept(["producer a"], [])

    def test_acknowledged_and_there(self):
        self.assert_kept(A, A_STORED, seen=A_STORED)

    def test_unknown_outcomes_may_go_either_way(self):
        history = ["producer a", "i 0 0 1", "i 1 0 2", "i 2 0 3", "u 0", "u 1"]
        self.assert_kept(history, [])
        self.assert_kept(history, [record(0, 0, "a:1")])
        self.assert_kept(history, [record(0, 0, "a:0"), record(0, 1, "a:1"), record(0, 2, "a:2")])

    def test_silent_records_survive_as_a_prefix_of_each_shard(self):
        history = ["producer a", "i 0 0 1", "i 1 1 2", "i 2 0 3", "i 3 1 4"]
        self.assert_kept(history, [record(0, 0, "a:0"), record(1, 0, "a:1"), record(1, 1, "a:3")])

    def test_refused_and_absent(self):
        self.assert_kept(["producer a", "i 0 0 1", "f 0", "i 1 0 2", "o 1 0 0 3"], [record(0, 0, "a:1")])

    def test_producers_interleave(self):
        b = ["producer b", "i 0 0 1", "i 1 0 2", "o 0 0 1 3", "o 1 0 3 4"]
        a = ["producer a", "i 0 0 1", "i 1 0 2", "o 0 0 0 3", "o 1 0 2 4"]
        self.assert_kept([a, b], [record(0, 0, "a:0"), record(0, 1, "b:0"), record(0, 2, "a:1"), record(0, 3, "b:1")])

    def test_an_acknowledgement_heard_twice_is_one(self):
        self.assert_kept(A + ["o 1 0 1 30"], A_STORED)

    def test_within_the_window_of_written_the_end_may_be_lost(self):
        self.assert_kept(A, A_STORED[:1], lossy=[(1, 2), (21, 30)])


class BadHistories(unittest.TestCase):
    def assert_found(self, words, *arguments, **named):
        findings = check(*arguments, **named)
        self.assertTrue(any(words in finding for finding in findings), f"{words!r} is not in {findings}")

    def test_01_the_last_acknowledged_record_is_lost(self):
        self.assert_found("a:1 was acknowledged at shard 0 offset 1 and is lost", A, A_STORED[:1])

    def test_02_everything_is_lost(self):
        self.assert_found("a:0 was acknowledged at shard 0 offset 0 and is lost", A, [])

    def test_03_the_first_record_is_lost_and_the_rest_moved_up(self):
        self.assert_found("a:0 was acknowledged at shard 0 offset 0 and is lost", A, [record(0, 0, "a:1")])

    def test_04_the_beginning_of_a_shard_is_cut_off(self):
        self.assert_found("offset 1 stands where 0 belongs", A, [record(0, 1, "a:1")])

    def test_05_a_gap_in_the_offsets(self):
        self.assert_found("offset 2 stands where 1 belongs", A, [A_STORED[0], record(0, 2, "a:1")])

    def test_06_an_offset_twice(self):
        self.assert_found("offset 0 stands where 1 belongs", A, [A_STORED[0], record(0, 0, "a:1")])

    def test_07_offsets_go_back(self):
        self.assert_found("offset 0 stands where 2 belongs", A, [A_STORED[1], A_STORED[0]])

    def test_08_acknowledged_at_another_offset(self):
        history = ["producer a", "i 0 0 1", "i 1 0 2", "o 0 0 1 3", "o 1 0 0 4"]
        self.assert_found("a:0 was acknowledged at shard 0 offset 1 and stands at [(0, 0)]", history, A_STORED)

    def test_09_acknowledged_for_another_shard(self):
        history = ["producer a", "i 0 0 1", "o 0 1 0 2"]
        self.assert_found("acknowledged at shard 1 offset 0 and stands at [(0, 0)]", history, A_STORED[:1])

    def test_10_stored_in_another_shard(self):
        history = ["producer a", "i 0 0 1"]
        self.assert_found("was sent to shard 0 and stands in shard 1", history, [record(1, 0, "a:0")])

    def test_11_one_bit_of_the_value_differs(self):
        value = bytearray(payload("a", 1))
        value[-1] ^= 1
        self.assert_found("a:1 at shard 0 offset 1 has other bytes", A, [A_STORED[0], record(0, 1, "a:1", bytes(value))])

    def test_12_the_value_is_cut_short(self):
        self.assert_found("has other bytes", A, [A_STORED[0], record(0, 1, "a:1", payload("a", 1)[:-1])])

    def test_13_the_value_of_another_record(self):
        self.assert_found("a:1 at shard 0 offset 1 has other bytes", A, [A_STORED[0], record(0, 1, "a:1", payload("a", 0))])

    def test_14_the_value_is_zeros(self):
        value = bytes(len(payload("a", 1)))
        self.assert_found("has other bytes", A, [A_STORED[0], record(0, 1, "a:1", value)])

    def test_15_an_acknowledged_record_twice(self):
        self.assert_found("a:0 is there 2 times", A, A_STORED + [record(0, 2, "a:0")])

    def test_16_an_unknown_record_twice(self):
        history = ["producer a", "i 0 0 1", "u 0"]
        self.assert_found("a:0 is there 2 times", history, [record(0, 0, "a:0"), record(0, 1, "a:0")])

    def test_17_a_copy_in_a_second_shard(self):
        self.assert_found("a:0 is there 2 times", A, A_STORED + [record(1, 0, "a:0")])

    def test_18_a_refused_record_is_there(self):
        self.assert_found("a:0 was refused, and yet it was stored", ["producer a", "i 0 0 1", "f 0"], [record(0, 0, "a:0")])

    def test_19_refused_and_acknowledged(self):
        history = ["producer a", "i 0 0 1", "o 0 0 0 2", "f 0"]
        self.assert_found("a:0 was refused, and yet it was acknowledged", history, [])

    def test_20_a_record_that_nobody_sent(self):
        self.assert_found("nobody sent the record with key b'a:7'", A, A_STORED + [record(0, 2, "a:7")])

    def test_21_a_record_of_an_unknown_producer(self):
        self.assert_found("nobody sent the record", A, A_STORED + [record(0, 2, "z:0")])

    def test_22_a_key_of_garbage(self):
        self.assert_found("nobody sent the record", A, A_STORED + ["0 2 00ff00 3 " + hashlib.md5(b"abc").hexdigest()])

    def test_23_two_records_of_one_producer_change_places(self):
        history = ["producer a", "i 0 0 1", "i 1 0 2"]
        self.assert_found("record 1 stands before 0", history, [record(0, 0, "a:1"), record(0, 1, "a:0")])

    def test_24_a_hole_in_the_unacknowledged(self):
        history = ["producer a", "i 0 0 1", "i 1 0 2", "i 2 0 3"]
        self.assert_found("record 1 is missing, the later 2 is there", history, [record(0, 0, "a:0"), record(0, 1, "a:2")])

    def test_25_a_hole_before_an_acknowledged_record(self):
        history = ["producer a", "i 0 0 1", "i 1 0 2", "o 1 0 0 3"]
        self.assert_found("record 0 is missing, the later 1 is there", history, [record(0, 0, "a:1")])

    def test_26_two_records_acknowledged_at_one_place(self):
        history = ["producer a", "i 0 0 1", "i 1 0 2", "o 0 0 0 3", "o 1 0 0 4"]
        self.assert_found("a:1 was acknowledged at shard 0 offset 0 and is lost", history, A_STORED[:1])

    def test_27_one_record_acknowledged_at_two_places(self):
        self.assert_found("a:1 was acknowledged at shard 0 offset 2", A + ["o 1 0 2 9"], A_STORED)

    def test_28_a_reader_saw_what_is_gone(self):
        history = ["producer a", "i 0 0 1", "u 0"]
        self.assert_found("a reader saw b'a:0', which is gone", history, [], seen=[record(0, 0, "a:0")])

    def test_29_a_reader_saw_something_else_there(self):
        history = ["producer a", "i 0 0 1", "i 1 0 2", "u 0", "u 1"]
        self.assert_found("which is now b'a:1'", history, [record(0, 0, "a:1")], seen=[record(0, 0, "a:0")])

    def test_30_a_reader_saw_other_bytes(self):
        self.assert_found("a reader saw b'a:0'", A, A_STORED, seen=[record(0, 0, "a:0", b"other")])

    def test_31_an_acknowledgement_for_what_was_never_sent(self):
        self.assert_found("a:5 has the outcome o but was never sent", A + ["o 5 0 2 9"], A_STORED)

    def test_32_lost_outside_the_window_of_written(self):
        self.assert_found("a:0 was acknowledged at shard 0 offset 0 and is lost", A, [], lossy=[(21, 30)])

    def test_33_a_name_used_for_two_records(self):
        self.assert_found("a:1 was sent twice", A + ["i 1 0 30"], A_STORED)


class UnreadableInput(unittest.TestCase):
    def test_lines_that_are_not_a_history(self):
        for line in ("x 1", "i", "i one 0 1", "o 0 0", "i 0 0 1\n"):
            with self.assertRaises(BadInput):
                Checker().add_history([line], "test")
        with self.assertRaises(BadInput):
            check([A, A], A_STORED)

    def test_lines_that_are_not_records(self):
        for line in ("", "0 0 61", "0 0 zz 1 abc", "0 x 61 1 abc"):
            with self.assertRaises(BadInput):
                check(A, [line])


class Payload(unittest.TestCase):
    def test_it_is_the_same_for_ever(self):
        self.assertEqual(hashlib.md5(b"".join(payload("p", i) for i in range(200))).hexdigest(), PAYLOADS_MD5)

    def test_sizes_are_mixed(self):
        sizes = [len(payload("p", i)) for i in range(1000)]
        self.assertLess(min(sizes), 20)
        self.assertGreater(max(sizes), 30000)


PAYLOADS_MD5 = "207a4ae0de2000ba129d2140c66e453d"  # tests/crash/payload_test.cc has the same

if __name__ == "__main__":
    unittest.main()
