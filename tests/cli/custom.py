"""`custom`: somebody's own library, measured like the four."""

import signal
import unittest

from support import BIN, WINDOWS, number, rows, run

SUFFIX = ".dll" if WINDOWS else ".so"


def library(name):
    return str(BIN / (name + SUFFIX))


MINE = library("mine")
COUNTS = ("commit_calls", "handled_faults", "minor_faults", "reserved_commit_bytes",
          "commit_bytes", "resident_bytes", "released_commit_bytes", "region_count")


class Custom(unittest.TestCase):
    def test_a_library_that_does_what_chunked_does_gives_its_counts(self):
        for options in (("--size", "4K,64K,1M", "--chunk", "4K,64K"),
                        ("--size", "320K", "--touch", "0.1"),
                        ("--size", "1M", "--order", "random")):
            ours = rows("chunked", *options, "--repeat", 1)
            theirs = rows("custom", *options, "--repeat", 1, "--library", MINE)
            for one, other in zip(ours, theirs, strict=True):
                with self.subTest(size=one["size_bytes"], step=one["chunk_bytes"]):
                    self.assertEqual(other["strategy"], "custom")
                    self.assertEqual((other["status"], other["error"]), ("ok", ""))
                    self.assertEqual([other[name] for name in COUNTS],
                                     [one[name] for name in COUNTS])
                    self.assertGreater(float(other["total_ns"]), 0)

    def test_what_the_library_is_refused_is_a_row(self):
        row = rows("custom", "--library", MINE, "--size", "524288G", "--touch", "0.000001",
                   "--repeat", 1)[0]
        self.assertEqual(row["status"], "refused")
        self.assertRegex(row["error"], "^reserve of 562949953421312 bytes")
        self.assertEqual(number(row, "commit_bytes"), 0)

    def test_bad_usage(self):
        for program, arguments, words in (
                ("custom", [], ["none given", "vmcommit.h"]),
                ("custom", ["--library", "nowhere" + SUFFIX], ["cannot use 'nowhere"]),
                ("custom", ["--library", library("lacking")], ["no function vmcommit_ensure"]),
                ("custom", ["--library", ""], ["no file"])):
            done = run(program, "--size", "4K", *arguments)
            with self.subTest(arguments):
                self.assertEqual(done.returncode, 2)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertTrue(done.stderr.startswith(f"{program}: --library: "), done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)

    def check_blamed(self, name, status, *words, **options):
        done = run("custom", "--size", "64K", "--repeat", 1, "--library", library(name), **options)
        with self.subTest(name):
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertTrue(done.stderr.startswith("custom: "), done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)
            self.assertNotIn("refused", done.stdout)

    def test_a_library_that_ends_the_process_is_named(self):
        self.check_blamed("exits", 2, "--library: ", library("exits"), " the process")
        self.check_blamed("exits_later", 1, "--library: ", library("exits_later"),
                          "ended the process")

    @unittest.skipIf(WINDOWS, "no other process loads it first there")
    def test_a_library_that_ends_the_process_at_once_is_named(self):
        self.check_blamed("exits_at_once", 2, "--library: ", library("exits_at_once"),
                          "loading it ends the process, with status 0")

    @unittest.skipIf(WINDOWS, "no other process loads it first there")
    def test_the_same_where_the_end_of_a_child_is_ignored(self):
        """By whoever started the harness: the system then keeps no status."""
        self.check_blamed("exits_at_once", 2, "loading it ends the process, with status 0",
                          preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))

    def test_a_base_that_cannot_be_used_is_the_librarys_fault(self):
        for name in ("null", "unaligned"):
            self.check_blamed(name, 1, "the library's vmcommit_reserve returned 0, but left no "
                                       "base that starts on a page")


if __name__ == "__main__":
    unittest.main()
