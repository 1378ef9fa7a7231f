"""The counts of array, list and buffer as strace sees them: calls of mprotect that commit, open or
close pages, and the signals of faults."""

import collections
import re
import shutil
import tempfile
import unittest

from support import SANITIZED, WINDOWS, command, execute, number, parse

CALL = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\(([^)]*)\)? += 0")
FAULT = re.compile(r"SIGSEGV \{si_signo=SIGSEGV")
ACCESSES = ("PROT_NONE", "PROT_READ|PROT_WRITE")


@unittest.skipIf(WINDOWS or SANITIZED or not shutil.which("strace"), "needs strace")
class Traced(unittest.TestCase):
    def trace(self, *words):
        """(what the program printed, {(bytes, access): calls of mprotect}, signals of a fault)"""
        with tempfile.NamedTemporaryFile("r") as log:
            done = execute(["strace", "-f", "-e", "trace=mprotect", "-o", log.name,
                            *command(*words)])
            lines = log.read().splitlines()
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = collections.Counter()
        for call in filter(None, map(CALL.match, lines)):
            _, size, access = call[2].split(", ")
            calls[int(size), access] += access in ACCESSES
        return done.stdout, calls, sum(bool(FAULT.search(line)) for line in lines)

    def test_the_array_of_the_article(self):
        _, calls, faults = self.trace("array")
        self.assertEqual((calls[4096, "PROT_READ|PROT_WRITE"], faults), (80, 80))

    def test_a_list(self):
        """Steps of 12 KiB, by which nothing else commits. A list of four pages is discarded before,
        which faults by the page."""
        for source, faults in (("check", 0), ("fault", 6)):
            printed, calls, seen = self.trace("list", "--source", source, "--node", 64, "--nodes",
                                              1000, "--chunk", "12K")
            row, = parse(printed)
            self.assertEqual((number(row, "commit_calls"), number(row, "handled_faults")),
                             (6, faults))
            self.assertEqual(calls[12288, "PROT_READ|PROT_WRITE"], 6)
            self.assertEqual(seen - faults, 4)

    def test_a_buffer(self):
        """4 hits: a page is closed to begin with and after each, and opened at each. What the same
        flow calls without a page at its mark is taken off."""
        printed, calls, faults = self.trace("buffer", "--way", "protect", "--lockstep", "3,2",
                                            "--size", "64K", "--bytes", "144K")
        row, = parse(printed)
        self.assertEqual(faults, number(row, "hits"))
        self.assertEqual((number(row, "hits"), number(row, "protect_calls")), (4, 9))
        _, without, none = self.trace("buffer", "--way", "check", "--lockstep", "3,2", "--size",
                                      "64K", "--bytes", "144K")
        self.assertEqual(none, 0)
        added = {key: calls[key] - without[key] for key in {*calls, *without}
                 if calls[key] != without[key]}
        self.assertEqual(added, {(4096, "PROT_NONE"): 5, (4096, "PROT_READ|PROT_WRITE"): 4})


if __name__ == "__main__":
    unittest.main()
