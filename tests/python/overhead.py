"""`make overhead`: what it measures and prints, and that bare loops take turns with harnesses."""

import contextlib
import io
import math
import unittest
from unittest import mock

import made
from support import BIN, SUFFIX

from vmcommit.base.problems import Problem
from vmcommit.base.units import KIB, MIB
from vmcommit.commands import overhead
from vmcommit.measure import bare, harness, sets

PACE = sets.Pace(64)


class Printed(unittest.TestCase):
    def printed(self, ratio):
        described = {strategy.name: harness.Harness(strategy, (strategy.name,))
                     for strategy in (made.UPFRONT, made.FAULT)}
        said = io.StringIO()
        with mock.patch.object(harness, "described", return_value=described), \
                mock.patch.object(sets, "pace_of", return_value=PACE), \
                mock.patch.object(bare, "ratio", ratio), contextlib.redirect_stdout(said):
            self.assertEqual(overhead.main(["--build", str(BIN.parent)]), 0)
        return said.getvalue()

    def test_every_size_in_one_go_or_in_slices_and_some_in_both(self):
        lines = self.printed(lambda *_: (1.0123, 0.99, 1.031)).splitlines()
        self.assertEqual(lines[0].split(), "size strategy cycle harness / bare "
                         "95 % confidence interval".split())
        ways = {"4 KiB": ["in one go"], "64 KiB": ["in one go"], "1 MiB": ["in slices"],
                "4 MiB": ["in slices", "in one go"], "16 MiB": ["in slices", "in one go"],
                "256 MiB": ["in slices"]}
        self.assertEqual([line.split() for line in lines[1:]], [
            f"{size} {name} {way} 1.012 0.990 to 1.031".split()
            for size, taken in ways.items() for name in ("upfront", "fault") for way in taken])

    def test_in_one_go_is_a_pace_of_which_the_cycle_is_no_two_slices(self):
        paces = []
        self.printed(lambda _harness, _bare, size, pace, _sets:
                     paces.append((size, bool(pace.slices(size // 4096)))) or (1, 1, 1))
        self.assertEqual(paces.count((16 * MIB, True)), 2)
        self.assertEqual(paces.count((16 * MIB, False)), 2)

    def test_a_harness_that_dies(self):
        with self.assertRaisesRegex(Problem, "upfront 4 KiB: was killed"):
            self.printed(mock.Mock(side_effect=harness.HarnessFailed("was killed")))


class Measured(unittest.TestCase):
    def test_harnesses_take_turns_with_bare_loops(self):
        described = harness.described(BIN.parent)
        for name in overhead.STRATEGIES:
            for size in (64 * KIB, MIB):
                with self.subTest(name=name, size=size):
                    median, low, high = bare.ratio(described[name], str(BIN / f"bare{SUFFIX}"),
                                                   size, PACE, 2)
                    self.assertTrue(0 < low <= median <= high < math.inf)


if __name__ == "__main__":
    unittest.main()
