"""The data buffer: its counts in lockstep, exactly; that no byte is lost or out of order whatever
the two threads do; what system calls do at the mark; and which faults are not its own."""

import os
import unittest

import crash
from support import PAGE, WINDOWS, number, rows, run

KIB, MIB, GIB = 2**10, 2**20, 2**30
TRAPS = ("seh", "veh") if WINDOWS else ("signal",)
MARKED = ("protect", "guard", "check")
ALL_WAYS = (*MARKED, "condition")

# A buffer of 16 pages, packets of 1 KiB, marks at 48 and 16 KiB:
# (put, taken, KiB sent): hits, of which moves, episodes, highest level in KiB.
# 3,2: the mark stands at 60 KiB, and 60 pages above the consumer's page when it is hit: at 60 (40
# were read), 100 (66), 124 (82: 42 KiB are there), 140 (92: 48 are there, which throttles). The
# level is looked at behind the packet that begins a page: 49 KiB, at 140.
# 4,1: at 60 (15 were read) it moves to 72, where 18 were read: 54 KiB are there.
# 1,1: at 60, 120 ... 1020, each time with nothing else in the buffer.
COUNTS = {
    (3, 2, 144): (4, 3, 1, 49),
    (4, 1, 76): (2, 1, 1, 55),
    (1, 1, 1024): (17, 17, 0, 1),
    (1, 1, 60): (0, 0, 0, 1),
    (1, 1, 61): (1, 1, 0, 1),
}
COUNTED = ("hits", "moves", "episodes", "highest_level_bytes", "protect_calls")


def predicted(size, high, low, packet, total, put, take):
    """The same by a model of its own, for any flow."""
    written = read = hits = moves = episodes = highest = 0
    mark, throttled = size - PAGE, False
    while read < total:
        for _ in range(0 if throttled else put):
            if written == total:
                break
            begins = written % PAGE == 0 or written % PAGE + packet > PAGE
            end = min(written + packet, total)
            while mark is not None and end > mark:
                hits += 1
                if mark - read >= high:
                    mark, throttled = None, True
                    episodes += 1
                else:
                    moves += 1
                    mark = read - read % PAGE + size - PAGE
            written = end
            highest = max(highest, written - read) if begins else highest
            if throttled:
                break
        for _ in range(take):
            read = min(read + packet, written)
            if throttled and written - read <= low:
                mark, throttled = read - read % PAGE + size - PAGE, False
    return hits, moves, episodes, highest


def counts(row):
    return tuple(number(row, name) for name in COUNTED)


def supported(taken):
    """Linux before 6.13 has no guards on committed pages."""
    return [row for row in taken if row["status"] != "unsupported"]


class Lockstep(unittest.TestCase):
    def check(self, expected, *arguments):
        for trap in TRAPS:
            taken = supported(rows("buffer", "--way", ",".join(MARKED), "--trap", trap,
                                   *arguments))
            self.assertGreaterEqual(len(taken), 2)
            for row in taken:
                calls = 1 + 2 * expected[0] if row["way"] != "check" else 0
                self.assertEqual(counts(row), (*expected, calls), row)
                self.assertEqual((row["ns"], row["hit_p50_ns"]), ("", ""))

    def test_counts_by_hand(self):
        for (put, take, kib), (hits, moves, episodes, level) in COUNTS.items():
            with self.subTest(put=put, take=take, kib=kib):
                self.assertEqual(predicted(64 * KIB, 48 * KIB, 16 * KIB, KIB, kib * KIB, put, take),
                                 (hits, moves, episodes, level * KIB))
                self.check((hits, moves, episodes, level * KIB), "--size", "64K", "--bytes",
                           f"{kib}K", "--lockstep", f"{put},{take}")

    def test_counts_of_other_flows(self):
        for size, high, low, packet, total, put, take in (
                (32 * KIB, 20 * KIB, 8, 1000, 999 * KIB, 5, 4),
                (32 * KIB, 20 * KIB, 16 * KIB, PAGE, 2 * MIB, 3, 1),
                (MIB, MIB // 4 * 3, MIB // 4, 24, 3 * MIB, 7, 2),
                (128 * KIB, 40 * KIB, 39 * KIB, 4088, MIB + 8, 9, 8)):
            with self.subTest(size=size, packet=packet, put=put, take=take):
                expected = predicted(size, high, low, packet, total, put, take)
                self.assertGreater(expected[2], 0)
                self.check(expected, "--size", size, "--high", high, "--low", low, "--packet",
                           packet, "--bytes", total, "--lockstep", f"{put},{take}")

    def test_a_lock_needs_two_threads(self):
        row, = rows("buffer", "--way", "condition", "--lockstep", "1,1", "--bytes", "64K")
        self.assertEqual((row["status"], row["error"]),
                         ("unsupported", "its producer would wait for itself"))


class Flow(unittest.TestCase):
    """The program ends with 1 where a checksum over all bytes in their order is not the one that
    they were sent with."""

    def flow(self, *arguments):
        taken = supported(rows("buffer", *arguments))
        for row in taken:
            self.assertEqual(row["status"], "ok")
            self.assertEqual(number(row, "hits"), number(row, "moves") + number(row, "episodes"))
            marked = row["way"] in ("protect", "guard")
            self.assertEqual(number(row, "protect_calls"), marked * (1 + 2 * number(row, "hits")))
            self.assertLessEqual(number(row, "highest_level_bytes"), number(row, "size_bytes"))
        return taken

    def test_all_ways_deliver_the_same_bytes(self):
        taken = self.flow("--bytes", "4M", "--size", "64K,128K", "--packet", "1000,4K")
        for packet in {row["packet_bytes"] for row in taken}:
            same = {row["checksum"] for row in taken if row["packet_bytes"] == packet}
            self.assertEqual(len(same), 1)

    def test_each_size_that_is_allowed(self):
        """Its own high-water mark leaves three pages above it."""
        taken = self.flow("--bytes", "64K", "--size", "32K,36K,44K,48K", "--way", "protect")
        self.assertEqual(sorted(number(row, "high_bytes") // PAGE for row in taken), [5, 6, 8, 9])

    def test_episodes_come_and_go(self):
        """So little is between the two marks that throttling is hardly avoided."""
        for trap in TRAPS:
            taken = self.flow("--bytes", "4M", "--size", "32K", "--high", "12K", "--low", "11K",
                              "--burst", "1G", "--trap", trap)
            self.assertGreater(sum(number(row, "hits") for row in taken), 0)

    @unittest.skipUnless(os.environ.get("VMCOMMIT_LONG"),
                         "takes a minute: ctest -C long -R long")
    def test_ten_gibibytes(self):
        for way in ALL_WAYS:
            row, = self.flow("--way", way, "--bytes", "10G")
            self.assertEqual(number(row, "bytes"), 10 * GIB)


class Kernel(unittest.TestCase):
    def test_a_system_call_never_reaches_the_handler(self):
        """Nothing of a read that comes to an inaccessible page is lost: its bytes stay in the pipe,
        and no exception is raised. What was touched before is read whole."""
        expected = {
            "below the mark": (512, 0, 0),
            "across the mark": (0, 512, 0),
            "at the mark": (0, 512, 0),
            "across the mark, touched before": (512, 0, 1),
            "up to the mark, then touched, then the rest": (512, 0, 1),
        }
        taken = [row for row in rows("buffer", "--kernel") if row["way"] == "protect"]
        self.assertEqual([row["read"] for row in taken], list(expected))
        for row in taken:
            with self.subTest(read=row["read"]):
                self.assertEqual(row["intact"], "yes")
                self.assertEqual(tuple(number(row, name) for name in
                                       ("returned_bytes", "left_bytes", "hits")),
                                 expected[row["read"]])
                self.assertEqual(row["error"] == "", number(row, "returned_bytes") == 512)


class Stray(crash.Crashing):
    """Nothing but a list's next page, and nothing but a buffer's mark, is mended."""

    def test_mends_its_own(self):
        for workload, case in (("list", "next"), ("buffer", "mark")):
            for trap in TRAPS:
                done = run("stray", workload, case, trap)
                self.assertEqual((done.returncode, done.stdout), (0, "lives on\n"))

    def test_crashes_at_others(self):
        for workload, case in (("list", "jump"), ("list", "wild"), ("buffer", "other"),
                               ("buffer", "above"), ("buffer", "wild")):
            for trap in TRAPS:
                with self.subTest(workload=workload, case=case, trap=trap):
                    self.assertCrashed(run("stray", workload, case, trap))


class Usage(unittest.TestCase):
    def test_bad_usage(self):
        for arguments, line in (
                (["--size", "16K"], "--size: '16K' is no multiple of 4096 bytes from 32768 to "
                                    "1073741824"),
                (["--packet", "8K"], "--packet: '8K' is no multiple of 8 bytes from 16 to 4096"),
                (["--packet", "20"], "--packet: '20' is no multiple of 8 bytes from 16 to 4096"),
                (["--high", "1M"], "--high: '1048576' leaves less than three pages of a buffer of "
                                   "1048576; use at most 1036288"),
                (["--low", "768K"], "--low: '786432' is not below the high-water mark; use less "
                                    "than 786432"),
                (["--lockstep", "3"], "--lockstep: '3' is no pair of numbers from 1, as in 3,2"),
                (["--way", "spin"], "--way: 'spin' is no way here; use protect, guard, check or "
                                    "condition")):
            with self.subTest(arguments=arguments):
                done = run("buffer", *arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (2, "", f"buffer: {line}\n"))


if __name__ == "__main__":
    unittest.main()
