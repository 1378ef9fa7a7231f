"""What a recording amounts to, worked out by hand for a log of a few lines."""

import pathlib
import re
import tempfile
import unittest

import support  # noqa: F401

from vmcommit.analyse.recording import LOG
from vmcommit.analyse.usage import Amounts, Usage
from vmcommit.show import recordings

# 10 pages are mapped at 1 s, 4 of them touched at 2 s, and gone at 3 s; 8 pages that are not
# charged come at 3 s with 5 touched; a child at 4 s; both end at 5 s.
TEXT = """recording 1
# page 4096
# overcommit 0
# command my%20program x
E 0 0 100 20000000 /bin/my program
m 0 10000000-10002000 rx /bin/my program
c 1000000 0 100 mmap 30000000 3000 0 a000 3 22 ffffffff 0
t 2000000 0 30000+4
s 2000000 0 700000 11 0 40960
v 0 100 30000000-3000a000
c 3000000 0 100 munmap 0 5000 30000000 a000
c 3000000 0 100 mmap 40000000 2500 0 8000 3 4022 ffffffff 0
t 3000000 0 40000+5
c 3000000 0 100 mprotect -12 2100 0 8000 3
F 4000000 1 101 0
C 5000000 1 exit 200000 3 0 8192 10000+2:rx 2fffe+8:rwn
X 5000000 1 101 0
C 5000000 0 exit 900000 20 1 8192 10000+2:rx 2fffe+8:rwn
X 5000000 0 100 0
# null_ns 2000
# end
"""
PAGE = 4096


class Reading(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def read(self, text=TEXT):
        (self.folder / LOG).write_text(text)
        return Usage(self.folder)


class Amount(Reading):
    def test_integrals(self):
        sums = self.read().over.byte_seconds
        self.assertEqual({name: value / PAGE for name, value in sums.items()}, {
            "charged": 10 + 10, "unused": 10 + 6, "touched_uncharged": 5 + 10,
            "reserved": 2 + 12 + 12 + 10 + 20})

    def test_peaks(self):
        over = self.read().over
        self.assertEqual(over.peak("charged"), (1000000, 10 * PAGE))
        self.assertEqual(over.peak("reserved"), (4000000, 20 * PAGE))
        self.assertEqual(over.peak("touched"), (4000000, 10 * PAGE))
        self.assertEqual(over.now, Amounts())

    def test_calls_and_counts(self):
        used = self.read()
        self.assertEqual(used.calls(), {"munmap": (1, 0, 10 * PAGE, 3000),
                                        "mmap": (2, 0, 18 * PAGE, 1500),
                                        "mprotect": (1, 1, 0, 100)})
        self.assertEqual((used.counted("minor_faults"), used.counted("cpu_ns")), (23, 1100000))
        self.assertEqual((used.processes, used.seconds), (2, 5))

    def test_kinds_at_a_moment(self):
        kinds = self.read().kinds_at(2500000)
        self.assertEqual((kinds["anonymous"].charged, kinds["anonymous"].touched,
                          kinds["file"].reserved), (10 * PAGE, 4 * PAGE, 2 * PAGE))

    def test_sentences(self):
        self.assertEqual(list(recordings.sentences(self.read())), [
            "my program: 5.00 s, 2 processes, 4 memory calls.",
            "Charged and unused: 80 % of the charge over time (0.0625 MiB·s of 0.0781 MiB·s), at "
            "most 40 KiB at 1.00 s.",
            "Touched but not charged (MAP_NORESERVE): at most 40 KiB at 4.00 s; without "
            "charge, the system may run out of it.",
            "At most 80 KiB reserved, 40 KiB charged, 40 KiB touched, 40 KiB resident.",
            "23 page faults; the calls took 4.6 µs of 1.1 ms of CPU (0.42 %).",
            "The replay is the kernel's own account, byte for byte, at 2 checkpoints of 2."])

    def test_a_recording_that_did_not_look_at_what_was_touched(self):
        used = self.read(TEXT.replace("# command", "# touch no\n# command"))
        said = "\n".join([*recordings.sentences(used), *recordings.tables_of_both(used, used),
                          *recordings.sentences_of_both(used, used)])
        self.assertIn("What was touched is not known: it was recorded with --no-touch.", said)
        self.assertNotRegex(said, "unused|KiB touched")

    def test_two_that_are_alike(self):
        used = self.read()
        self.assertEqual(recordings.headline_of_both(used, used),
                         "Both are alike in what each is charged for and does not touch: "
                         "0.0625 MiB·s.")
        rows = list(recordings.tables_of_both(used, used))
        self.assertTrue(all(row.endswith("same") for row in rows if row and "B / A" not in row))

    def test_a_recording_that_breaks_off(self):
        used = self.read(TEXT.removesuffix("# end\n"))
        self.assertEqual(list(recordings.sentences(used))[-1],
                         "The recording breaks off: record was ended, or could not write on.")

    def test_a_difference_is_said_and_taken_over(self):
        used = self.read(TEXT.replace("C 5000000 0 exit 900000 20 1 8192 10000+2:rx 2fffe+8:rwn",
                                      "C 5000000 0 exit 900000 20 1 8192 10000+2:rx 2fffe+8:rwa\n"
                                      "C 5000000 0 exit 900000 20 1 8192 10000+2:rx 2fffe+8:rwa"))
        self.assertEqual(list(recordings.sentences(used))[-1],
                         "The replay differs from the kernel's account at 1 of 3 checkpoints, most "
                         "at 5.00 s: by 32 KiB, and 32 KiB of charge.")


# A process that ran already: looked at after 1 s and 4 s, and then with 2 more pages charged, which
# it did not touch, beside 5 that are touched and not charged.
LOOKS = """recording 1
# sampled from outside
# system linux
# page 4096
# command /bin/my%20program
# touch yes
E 1000000 0 100 0 /bin/my%20program
S 1000000 0 700000 11 0 40960 anonymous:3:40960:12288:8192:20480:28672 file:1:4096:0:0:0:4096
S 4000000 0 900000 13 0 65536 anonymous:3:49152:20480:8192:20480:28672 file:1:4096:0:0:0:4096
# end
"""


class Sampled(Reading):
    def test_amounts(self):
        used = self.read(LOOKS)
        self.assertEqual({name: value / PAGE for name, value in used.over.byte_seconds.items()}, {
            "charged": 3 * 3, "unused": 3 * 1, "touched_uncharged": 3 * 5, "reserved": 3 * 11})
        self.assertEqual(used.over.now, Amounts(5 * PAGE, 2 * PAGE, 5 * PAGE, 13 * PAGE, 8 * PAGE))
        kind = used.kinds_at(2000000)["anonymous"]
        self.assertEqual((kind.charged, kind.touched, kind.reserved, kind.arenas),
                         (3 * PAGE, 7 * PAGE, 10 * PAGE, 3))

    def test_sentences(self):
        """What was counted before the first look is none of this recording's."""
        self.assertEqual(list(recordings.sentences(self.read(LOOKS))), [
            "my program: looked at 2 times within 4.00 s, at most 3 s apart.",
            "Touched but not charged (MAP_NORESERVE): at most 20 KiB at 1.00 s; without charge, "
            "the system may run out of it.",
            "Charged and unused: 33 % of the charge over time (0.0117 MiB·s of 0.0352 MiB·s), at "
            "most 12 KiB at 4.00 s.",
            "At most 52 KiB reserved, 20 KiB charged, 28 KiB touched, 32 KiB resident.",
            "2 page faults and 200 µs of CPU.",
            "The system itself noted 64 KiB resident at most, 32 KiB more than any look saw.",
            recordings.LOOKS])

    def test_a_peak_of_before_is_not_told(self):
        used = self.read(LOOKS.replace(" 0 40960 anon", " 0 65536 anon"))
        self.assertNotIn("itself noted", " ".join(recordings.sentences(used)))

    def test_a_program_that_was_started_is_counted_from_its_start(self):
        used = self.read(LOOKS.replace("from outside", "from its start"))
        self.assertEqual((used.counted("minor_faults"), used.counted("cpu_ns")), (13, 900000))

    def test_what_the_system_does_not_say(self):
        """As under Wine."""
        used = self.read(re.sub(r" 0 \d+ 1[13] 0 \d+ ", " 0 - - - - ", re.sub(
            r"(:\d+:\d+:\d+):\d+:\d+:\d+", r"\1:-:-:-", LOOKS)).replace("touch yes", "touch no"))
        said = list(recordings.sentences(used))
        self.assertEqual(said[1:3], [recordings.UNSAID,
                                     "At most 52 KiB reserved, 20 KiB charged."])
        self.assertEqual(said[3:], [recordings.LOOKS])
        rows = "\n".join([*recordings.tables_of_both(used, used), *recordings.tables(used)])
        self.assertRegex(rows, r"most resident +not known +not known +-\n")
        self.assertRegex(rows, r"anonymous +20 KiB +- +48 KiB")

    def test_beside_one_that_was_traced(self):
        rows = "\n".join(recordings.tables_of_both(self.read(), self.read(LOOKS)))
        self.assertNotIn("calls", rows)
        self.assertIn("page faults", rows)


if __name__ == "__main__":
    unittest.main()
