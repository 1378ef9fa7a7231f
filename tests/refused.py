"""A commit that the system refuses: RLIMIT_DATA limits exactly the charged private memory."""

import subprocess
import unittest

from support import PAGE, SANITIZED, command, number, parse

try:
    import resource
except ImportError:
    resource = None

MIB = 2**20


def limited(limit, program, *arguments):
    return subprocess.run(command(program, *arguments), capture_output=True, text=True, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA,
                                                                (limit, limit)))


@unittest.skipIf(resource is None or SANITIZED, "RLIMIT_DATA is Linux's, and sanitizers exceed it")
class Refused(unittest.TestCase):
    def take(self, program, *arguments):
        """A size that fits and one that does not: the refusal must not end the others."""
        done = limited(32 * MIB, program, "--size", "1M,64M", "--repeat", 2, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        taken = parse(done.stdout)
        self.assertEqual(len(taken), 4)
        for row in taken:
            if number(row, "size_bytes") == MIB:
                self.assertEqual(row["status"], "ok")
        refused = [row for row in taken if number(row, "size_bytes") == 64 * MIB]
        for row in refused:
            self.assertEqual(row["status"], "refused")
            self.assertIn("Cannot allocate memory", row["error"])
            self.assertEqual([row[f"{phase}_ns"] for phase in
                              ("reserve", "commit", "touch", "release", "total")], [""] * 5)
            self.assertEqual(number(row, "released_commit_bytes"), 0)
        self.assertEqual({**refused[0], "position": 0, "round": 0, "commit_system_bytes": 0},
                         {**refused[1], "position": 0, "round": 0, "commit_system_bytes": 0})
        return refused[0]

    def test_upfront_reaches_nothing(self):
        row = self.take("upfront")
        self.assertEqual(number(row, "commit_bytes"), 0)
        self.assertEqual(number(row, "commit_calls"), 1)
        self.assertIn("reserve and commit of 67108864 bytes", row["error"])

    def check_reached(self, row, step):
        """The last call is the refused one; all before it hold. The limit leaves less than 32 MiB
        beside the program's own data."""
        reached = number(row, "commit_bytes")
        self.assertGreater(reached, 24 * MIB)
        self.assertLess(reached, 32 * MIB)
        self.assertEqual(reached % step, 0)
        self.assertEqual(number(row, "commit_calls"), reached // step + 1)
        self.assertEqual(number(row, "resident_bytes"), reached)
        self.assertEqual(number(row, "minor_faults"), reached // PAGE)

    def test_chunked_keeps_what_it_reached(self):
        row = self.take("chunked")
        self.check_reached(row, 65536)

    def test_fault_keeps_what_it_reached(self):
        row = self.take("fault")
        self.check_reached(row, PAGE)
        self.assertEqual(number(row, "handled_faults"), number(row, "commit_calls") - 1)

    def test_guard_keeps_what_it_reached(self):
        row = self.take("guard", "--guard", "prot_none")
        self.check_reached(row, 65536)
        self.assertEqual(number(row, "handled_faults"), number(row, "commit_calls") - 1)


if __name__ == "__main__":
    unittest.main()
