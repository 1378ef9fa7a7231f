"""What building another revision says of tools and errors. That it builds is compare's test."""

import os
import pathlib
import subprocess
import unittest
from unittest import mock

from support import ROOT

from vmcommit.base.problems import Problem, Usage
from vmcommit.gate import revisions


@unittest.skipIf(os.name == "nt", "by a shell of POSIX systems")
class Commands(unittest.TestCase):
    def test_what_they_print_is_not_translated(self):
        with mock.patch.dict(os.environ, {"LC_ALL": "de_DE.UTF-8", "KEPT": "kept"}):
            said = revisions.command("sh", "-c", "echo $LC_ALL $KEPT $MORE; echo too >&2",
                                     at=ROOT, MORE="more")
        self.assertEqual(said, "C kept more\ntoo")

    def test_one_that_fails_says_all_of_it(self):
        with self.assertRaises(subprocess.CalledProcessError) as raised:
            revisions.command("sh", "-c", "echo out; cat; echo err >&2; exit 3", at=ROOT)
        self.assertEqual(raised.exception.output, "out\nerr\n")


class Causes(unittest.TestCase):
    def test_the_first_error_is_named(self):
        for output, cause in (("a\n x.c:1: Error: no\nb error\n", "x.c:1: Error: no"),
                              ("CMake Error at x:\n\n  Could not\n", "CMake Error at x: Could not"),
                              ("fatal: bad", "fatal: bad"), ("an errors\nlast\n", "last"),
                              ("", "no message")):
            self.assertEqual(revisions.cause_of(output), cause)


class Revisions(unittest.TestCase):
    def test_each_tool_is_needed(self):
        for lacking in revisions.TOOLS:
            with mock.patch.object(revisions.shutil, "which",
                                   lambda tool, lacking=lacking: tool != lacking), \
                    self.assertRaises(Problem) as raised:
                revisions.commit_of(ROOT, "main")
            self.assertEqual(raised.exception.status, 4)
            self.assertIn(f"'main' can't be built: {lacking} is missing", str(raised.exception))

    def test_what_git_says_of_a_revision(self):
        for printed, kind, words in (("", Usage, "'x' is no revision of this repository"),
                                     ("fatal: no git here", Problem, "'x': git says: fatal: no")):
            error = subprocess.CalledProcessError(128, "git", printed)
            with mock.patch.object(revisions.shutil, "which", return_value="there"), \
                    mock.patch.object(revisions, "command", side_effect=error), \
                    self.assertRaises(kind) as raised:
                revisions.commit_of(pathlib.Path("."), "x")
            self.assertIn(words, str(raised.exception))


if __name__ == "__main__":
    unittest.main()
