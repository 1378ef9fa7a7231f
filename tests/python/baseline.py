"""`make baseline`: where a baseline lies, and that it takes the place of another only when it is
whole. Nothing is measured here."""

import pathlib
import tempfile
import unittest
from unittest import mock

from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.base.problems import Problem
from vmcommit.commands import baseline


class Baseline(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.kept = self.folder / "baselines" / "main"

    def kept_by(self, keep):
        said = []
        with mock.patch.object(baseline, "options", return_value=mock.Mock(
                results=self.folder)) as options, \
                mock.patch.object(baseline, "keep", keep), \
                mock.patch.object(baseline, "say", said.append):
            options.return_value.name = "main"
            return baseline.main(["main"]), said

    def test_it_is_named_when_it_is_kept(self):
        keep = mock.Mock()
        status, said = self.kept_by(keep)
        self.assertEqual(keep.call_args.args[1], self.kept)
        self.assertEqual(status, 0)
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], r"^baseline: .*baselines.main$")

    def test_one_at_a_time(self):
        def keep(*_):
            with self.assertRaises(Problem) as raised:
                self.kept_by(mock.Mock())
            self.assertEqual(raised.exception.status, 75)
        self.kept_by(keep)

    def test_what_was_interrupted_is_not_kept(self):
        with self.assertRaises(Problem) as raised:
            self.kept_by(mock.Mock(side_effect=KeyboardInterrupt))
        self.assertEqual((str(raised.exception), raised.exception.status),
                         ("interrupted; no baseline was kept", 130))

    def test_nothing_is_left_of_what_was_interrupted(self):
        asked = mock.Mock()
        asked.name = "main"
        self.kept.parent.mkdir(parents=True)
        with mock.patch.object(baseline, "describe", return_value={}), \
                mock.patch.object(baseline, "measure", side_effect=KeyboardInterrupt), \
                self.assertRaises(KeyboardInterrupt):
            baseline.keep(asked, self.kept)
        self.assertEqual(list(self.kept.parent.iterdir()), [])

    def test_an_old_one_comes_back_where_the_new_one_was_lost(self):
        """As a command that was ended between the two left it."""
        old, aside = self.kept.with_name(".main~old"), self.kept.with_name(".main~new")
        (old / "old").mkdir(parents=True)
        with self.assertRaises(OSError):
            baseline.replace(self.kept, aside)
        self.assertEqual([path.name for path in self.kept.with_name(".main~old").iterdir()],
                         ["old"])

    def test_the_new_one_takes_the_place_of_the_old_one(self):
        aside = self.kept.with_name(".main~new")
        for content in ("first", "second"):
            aside.mkdir(parents=True)
            (aside / content).touch()
            baseline.replace(self.kept, aside)
            self.assertEqual([path.name for path in self.kept.parent.iterdir()], ["main"])
            self.assertEqual([path.name for path in self.kept.iterdir()], [content])

    def test_one_that_was_left_behind_is_cleared_away(self):
        old, aside = self.kept.with_name(".main~old"), self.kept.with_name(".main~new")
        for folder in (old, aside, self.kept):
            folder.mkdir(parents=True)
        baseline.replace(self.kept, aside)
        self.assertEqual([path.name for path in self.kept.parent.iterdir()], ["main"])


if __name__ == "__main__":
    unittest.main()
