"""What a user measures beside the built-in strategies: which files, by which harness, and how that
starts."""

import hashlib
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import made

from vmcommit.base.problems import Usage
from vmcommit.measure import subjects
from vmcommit.measure.harness import Harness, HarnessFailed

DESCRIBED = {one.name: Harness(one, (f"bin/{one.name}",))
             for one in (*made.FOUR, made.CUSTOM, made.MALLOC)}


class Subjects(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory(prefix="subjects-")
        self.addCleanup(kept.cleanup)
        self.file = pathlib.Path(kept.name).resolve() / "mine.so"
        self.file.write_bytes(b"mine")

    def commands(self, said="", emulator=(), failure=None, **asked):
        """{name: command} of what is asked for; each harness says that when it is tried out."""
        with mock.patch.object(Harness, "sample", return_value=({}, said), side_effect=failure):
            harnesses = subjects.Subjects(**asked).harnesses(DESCRIBED, emulator)
        return {name: harness.command for name, harness in harnesses.items()}

    def test_each_is_measured_by_the_harness_that_takes_it(self):
        path = str(self.file)
        self.assertEqual(self.commands(), {})
        self.assertEqual(self.commands(library=path),
                         {"custom": ("bin/custom", "--library", path)})
        self.assertEqual(self.commands(allocator="system"), {"malloc": ("bin/malloc",)})
        both = self.commands(library=path, allocator="system")
        self.assertEqual(sorted(both), ["custom", "malloc"])

    @unittest.skipIf(os.name == "nt", "nothing can be preloaded there")
    def test_an_allocator_is_preloaded(self):
        self.assertEqual(self.commands(allocator=str(self.file)),
                         {"malloc": ("env", f"LD_PRELOAD={self.file}", "bin/malloc")})

    def test_what_is_kept_of_them(self):
        asked = subjects.Subjects(library=str(self.file), allocator="system")
        self.assertEqual(asked.kinds, ("library", "allocator"))
        self.assertEqual(asked.described(), {
            "library": {"file": "mine.so", "sha256": hashlib.sha256(b"mine").hexdigest()},
            "allocator": {"file": "system"}})
        self.assertEqual((subjects.Subjects().kinds, subjects.Subjects().described()), ((), {}))

    def refusal(self, **asked):
        with self.assertRaises(Usage) as raised:
            self.commands(**asked)
        return str(raised.exception)

    def test_a_file_that_is_none(self):
        for side, option in (("", "--library"), ("head", "--head-library")):
            self.assertEqual(self.refusal(library="/no/such.so", side=side),
                             f"{option}: 'such.so' is no file; name a shared library that answers "
                             "vmcommit.h")
        self.assertIn("'system' is no file", self.refusal(library="system"))

    def test_an_allocator_that_can_not_be_preloaded(self):
        path = str(self.file)
        self.assertIn("nothing can be preloaded on Windows", self.refusal(allocator=path,
                                                                          emulator=("wine",)))
        self.assertIn("--allocator: 'mine.so': it cannot be preloaded; name an allocator's",
                      self.refusal(allocator=path, said="x\nit cannot be preloaded\n"))
        spaced = self.file.with_name("a b.so")
        spaced.touch()
        self.assertIn("copy the file to a folder without", self.refusal(allocator=str(spaced)))

    def test_a_harness_that_says_why_it_can_not_be_used(self):
        path = str(self.file)
        for said, words in (("a\nno function f\n", "--library: 'mine.so': no function f; name a"),
                            (" \n", "'mine.so': custom was ended; name a shared library")):
            self.assertIn(words, self.refusal(library=path,
                                              failure=HarnessFailed("was ended", said)))


if __name__ == "__main__":
    unittest.main()
