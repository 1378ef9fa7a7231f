"""The article's dynamic array: what it prints, and what it and the other ways to fill it count."""

import unittest

from support import EMULATOR, PAGE, SANITIZED, WINDOWS, number, parse, rows, run

TRAPS = ("seh", "veh") if WINDOWS else ("signal",)
FIRST = f"This computer has page size {PAGE}.\n"
HIT = "Exception is a page fault.\nAllocating another page.\n"
PAGES = 80
# exceptions, commit calls, faults of the kernel, charged, resident pages
COUNTS = {
    "fault": (80, 80, 80, 80, 80),
    "check": (0, 80, 80, 80, 80),
    "guard": (80, 80, 80, 80, 80),
    "upfront": (0, 1, 80, 80, 80),
    "realloc": (0, 8, None, None, None),  # 1, 2, 4 ... 128 pages
}


class Array(unittest.TestCase):
    def test_prints_what_the_article_prints(self):
        for trap in TRAPS:
            with self.subTest(trap=trap):
                done = run("array", "--trap", trap)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout, FIRST + HIT * PAGES + "Release succeeded.\n")

    def test_of_so_many_pages(self):
        done = run("array", "--pages", 3)
        self.assertEqual(done.stdout, FIRST + HIT * 3 + "Release succeeded.\n")

    def test_elements_of_two_bytes_run_out_of_pages(self):
        for trap in TRAPS:
            done = run("array", "--wide", "--trap", trap)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, FIRST + HIT * PAGES + "Exception is a page fault.\n"
                             "Exception: out of pages.\nExiting process.\n")

    def counts(self, row):
        """A counter that is unknown is None; so are those that a sanitizer's own memory moves."""
        unsure = ("minor_faults", "resident_bytes") if WINDOWS or SANITIZED else ()
        names = ("handled_faults", "commit_calls", "minor_faults", "commit_bytes",
                 "resident_bytes")
        return tuple(None if name in unsure or not row[name] else
                     number(row, name) // (PAGE if name.endswith("bytes") else 1)
                     for name in names)

    def test_counts_of_every_way(self):
        taken = rows("array", "--way", ",".join(COUNTS), "--repeat", 2)
        self.assertEqual([row["way"] for row in taken], list(COUNTS) * 2)
        for row in taken[len(COUNTS):]:  # code and stack were brought into memory by the first
            with self.subTest(way=row["way"]):
                expected = COUNTS[row["way"]]
                if WINDOWS or SANITIZED:
                    expected = (*expected[:2], None, expected[3], None)
                self.assertEqual(row["status"], "ok")
                self.assertEqual(self.counts(row), expected)
                self.assertGreater(number(row, "ns"), 0)

    def test_refuses_what_it_does_not_know(self):
        for arguments, line in (
                (["--pages", "0"], "--pages: '0' is no whole number from 1 to 1048576"),
                (["--way", "magic"], "--way: 'magic' is no way here; use fault, check, guard, "
                                     "upfront or realloc"),
                (["--way", "fault,fault"], "--way: 'fault' comes a second time; name each once"),
                (["--way", ""], "--way: '' is an empty list; name at least one value"),
                (["--wide=yes"], "--wide: 'yes': it takes no value; leave it out"),
                (["--repeat"], "--repeat: no value; --help says what it takes"),
                (["--steps", "1"], "--steps: no such option; --help lists them")):
            with self.subTest(arguments=arguments):
                done = run("array", *arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (2, "", f"array: {line}\n"))

    @unittest.skipIf(EMULATOR, "an emulator has the limits of Linux for itself too")
    @unittest.skipIf(WINDOWS or SANITIZED, "RLIMIT_DATA")
    def test_a_refusal_is_a_row(self):
        import resource
        limit = 64 * 2**20
        done = run("array", "--way", "upfront,fault", "--pages", 32768, "--repeat", 1,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
        self.assertEqual(done.returncode, 0, done.stderr)
        for row in parse(done.stdout):
            self.assertEqual((row["status"], row["error"]),
                             ("refused", "Cannot allocate memory"))


if __name__ == "__main__":
    unittest.main()
