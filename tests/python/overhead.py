"""`make overhead`: which ratio it prints, and what of a harness that dies."""

import math
import pathlib
import unittest
from unittest import mock

import made
from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.base.problems import Problem
from vmcommit.commands import overhead
from vmcommit.measure.harness import Harness, HarnessFailed


class Overhead(unittest.TestCase):
    """A harness takes 1100 ns a cycle, the bare loop 1000 ns and a little more each time."""

    def setUp(self):
        self.asked, self.said = [], []
        for target, name, new in ((Harness, "take", self.take),
                                  (overhead.harness, "succeeded", self.succeeded),
                                  (overhead.harness, "described", self.described),
                                  (overhead, "say", self.said.append)):
            patch = mock.patch.object(target, name, new)
            patch.start()
            self.addCleanup(patch.stop)

    def described(self, build):
        self.build = build
        return {one.name: Harness(one, (one.name,)) for one in (made.UPFRONT, made.FAULT)}

    def take(self, configuration):
        self.asked.append("harness")
        return {"total_ns": "1100.0"}

    def succeeded(self, command, seconds):
        self.asked.append("bare")
        self.command = command
        return f"{1000 + self.asked.count('bare') % 2}\n", ""

    def test_the_two_are_taken_in_alternating_order(self):
        logs = overhead.ratios(self.described(None)["fault"], "bare", 4096, 4)
        self.assertEqual(self.asked, ["bare", "harness", "harness", "bare"] * 2)
        self.assertEqual(self.command, ["bare", "fault", "4096"])
        expected = [math.log(1100 / bare) for bare in (1001, 1000, 1001, 1000)]
        for log, right in zip(logs, expected, strict=True):
            self.assertAlmostEqual(log, right)

    def test_the_table(self):
        with mock.patch.object(overhead, "ROUNDS", {4096: 60, 2**20: 6}):
            self.assertEqual(overhead.main(["--build", "b"]), 0)
        self.assertEqual(self.build, pathlib.Path("b"))
        self.assertEqual(self.command[0], str(pathlib.Path("b").resolve() / "bin" / "bare"))
        self.assertEqual([line.split()[:4] for line in self.said[1:]],
                         [[size, "KiB" if size == "4" else "MiB", name, "1.099"]
                          for size in ("4", "1") for name in ("upfront", "fault")])
        self.assertTrue(self.said[1].endswith("   1.099 to 1.100"), self.said[1])

    def test_a_harness_that_dies_is_named(self):
        with mock.patch.object(Harness, "take", side_effect=HarnessFailed("was ended by SIGKILL")):
            with self.assertRaises(Problem) as raised:
                overhead.main([])
        self.assertEqual(str(raised.exception), "upfront 4 KiB: was ended by SIGKILL")


if __name__ == "__main__":
    unittest.main()
