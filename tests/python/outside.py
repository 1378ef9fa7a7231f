"""`make verify`: what it prints and how it ends, by figures that are made up. The harnesses' are
in figures.py."""

import unittest
from unittest import mock

import made
from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.base.problems import Problem
from vmcommit.commands import verify
from vmcommit.commands.verify import Case, Compared, Held
from vmcommit.measure.harness import Harness


class Verify(unittest.TestCase):
    def verified(self, *figures):
        """(status, lines) of one strategy with these figures, beside one that is a user's."""
        said = []
        described = {one.name: Harness(one, ("emulated", f"bin/{one.name}"))
                     for one in (made.FAULT, made.CUSTOM)}
        with mock.patch.object(verify.harness, "described", return_value=described), \
                mock.patch.object(verify, "say", said.append), \
                mock.patch.object(verify.shutil, "which", return_value="there"), \
                mock.patch.object(verify.harness, "apart", return_value=[]), \
                mock.patch.object(verify, "verify", return_value=figures) as asked:
            status = verify.main([])
        asked.assert_called_once_with(Case("fault", "bin/fault"))
        return status, [line.split() for line in said]

    def test_all_agree(self):
        status, lines = self.verified(Compared("commit_calls", 4, 4, "strace"),
                                      Compared("faults", 10, 12, "perf", 2),
                                      Compared("commit_bytes", 9, None, "smaps", 0, "not read"))
        self.assertEqual((status, lines[1:]), (0, [
            ["fault", "commit_calls", "4", "4", "strace"], ["fault", "faults", "10", "12", "perf"],
            ["fault", "commit_bytes", "9", "-", "smaps", "not", "read"], ["all", "agree"]]))

    def test_what_agrees_at_times_only_is_to_be_seen(self):
        status, lines = self.verified(
            Compared("commit_bytes", 9, 9, "smaps", readings=3),
            Compared("resident_bytes", 9, 8, "smaps", readings=5))
        self.assertEqual(status, 1)
        self.assertEqual([line[5:] for line in lines[1:-1]],
                         [["at", "reading", "3"], ["DIFFERS,", "at", "reading", "5"]])

    def test_readings_go_on_until_one_agrees(self):
        readings = [({"commit_bytes": "8", "resident_bytes": "8"}, *theirs)
                    for theirs in ((None, None), (8, 4), (8, 8), (0, 0))]
        with mock.patch.object(verify, "held_once", side_effect=readings):
            compared = verify.held_in_time(verify.PEAK, None, None, "", "munmap")
        self.assertEqual([(each.theirs, each.differs, each.readings) for each in compared],
                         [(8, False, 3)] * 2)

    def test_some_differ(self):
        status, lines = self.verified(Compared("commit_calls", 4, 5, "strace"),
                                      Compared("faults", 10, 13, "perf", 2),
                                      Compared("signals", 7, 0, "strace"),
                                      Compared("resident_bytes", 9, None, "smaps"))
        self.assertEqual(status, 1)
        self.assertEqual([line[-1] for line in lines[1:-1]], ["DIFFERS"] * 4)
        self.assertEqual([line[3] for line in lines[1:-1]], ["5", "13", "0", "-"])
        self.assertEqual(lines[-1], ["4", "differ"])

    def test_tools_that_are_missing(self):
        with mock.patch.object(verify.shutil, "which", return_value=None), \
                self.assertRaisesRegex(Problem, "strace and setarch not found; run ./scripts/set"):
            verify.main([])


class Holding(unittest.TestCase):
    """What is read while a harness is held before its release and after it."""

    def held(self, *readings):
        process = mock.MagicMock()
        process.__enter__.return_value.communicate.return_value = ("row", "")
        with mock.patch.object(verify.processes, "started", return_value=process), \
                mock.patch.object(verify, "read_while", return_value=list(readings)), \
                mock.patch.object(verify, "parse_row", return_value={"row": "row"}):
            return verify.held_at_release(Case("fault", "bin/fault"), mock.Mock(munmaps_before=3),
                                          "folder")

    def test_the_most_frequent_stand_before_and_after(self):
        full, half = (64, 60), (32, 30)
        held = self.held((half, 100), (full, 164), (full, 164), (full, 170), (half, 110),
                         (half, 100), (half, 100))
        self.assertEqual(held, Held({"row": "row"}, 64, 60, 164, 100))

    def test_what_was_read_once_or_never(self):
        self.assertEqual(self.held(((64, 60), 164)), Held({"row": "row"}, 64, 60, 164, None))
        self.assertEqual(self.held(), Held({"row": "row"}, 0, 0, None, None))


if __name__ == "__main__":
    unittest.main()
