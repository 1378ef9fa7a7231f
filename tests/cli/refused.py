"""A commit that the system refuses, under a limit on charged private memory: RLIMIT_DATA on Linux,
a job object on Windows."""

import subprocess
import unittest

from support import EMULATOR, PAGE, SANITIZED, WINDOWS, command, number, parse, rows

MIB = 2**20
GUARD = "page_guard" if WINDOWS else "prot_none"
REFUSED = "" if WINDOWS else "Cannot allocate memory"  # Windows says it in its own language


def limited(limit, program, *arguments):
    if WINDOWS:
        return subprocess.run([*command("job", limit), *command(program, *arguments)],
                              capture_output=True, text=True, timeout=60)
    import resource
    return subprocess.run(command(program, *arguments), capture_output=True, text=True, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA,
                                                                (limit, limit)))


class Refused(unittest.TestCase):
    def test_no_address_space(self):
        """Refused at the reserve, on every system: 2^49 bytes, little of which would be used."""
        for program in ("upfront", "fault", "chunked", "guard"):
            row = rows(program, "--size", "524288G", "--touch", "0.000001", "--repeat", 1)[0]
            self.assertEqual(row["status"], "refused")
            self.assertRegex(row["error"], "^reserve( and commit)? of 562949953421312 bytes")
            self.assertEqual(number(row, "commit_bytes"), 0)


@unittest.skipIf(SANITIZED, "sanitizers exceed the limit by themselves")
@unittest.skipIf(EMULATOR, "Wine does not enforce the limits of a job")
class RefusedUnderALimit(unittest.TestCase):
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
            self.assertIn(REFUSED, row["error"])
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

    def check_reached(self, row, step, guard=0):
        """The last call is the refused one; all before it hold. The limit leaves less than 32 MiB
        beside the program's own data."""
        reached = number(row, "commit_bytes")
        self.assertGreater(reached, 24 * MIB)
        self.assertLess(reached, 32 * MIB)
        usable = reached - guard
        self.assertEqual(usable % step, 0)
        self.assertEqual(number(row, "commit_calls"), (guard > 0) + usable // step + 1)
        if not WINDOWS:
            self.assertEqual(number(row, "resident_bytes"), usable)
            self.assertEqual(number(row, "minor_faults"), usable // PAGE)

    def test_chunked_keeps_what_it_reached(self):
        row = self.take("chunked")
        self.check_reached(row, 65536)

    def test_fault_keeps_what_it_reached(self):
        row = self.take("fault")
        self.check_reached(row, PAGE)
        self.assertEqual(number(row, "handled_faults"), number(row, "commit_calls") - 1)

    def test_guard_keeps_what_it_reached(self):
        row = self.take("guard", "--guard", GUARD)
        guard = PAGE if WINDOWS else 0
        self.check_reached(row, 65536, guard)
        self.assertEqual(number(row, "handled_faults") * 65536,
                         number(row, "commit_bytes") - guard)


if __name__ == "__main__":
    unittest.main()
