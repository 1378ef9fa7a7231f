"""The history of comparisons: what is written is read back, and changes are found where they began."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from support import ROOT

import numpy
import pandas

import exports
import gate
import history
import trend

CELLS = gate.cells()


def made(revisions, level, noise, seed=1):
    """A history of so many revisions; level(cell, revision) is the true ns per page."""
    draws = numpy.random.default_rng(seed)
    rows = []
    for revision in range(revisions):
        for cell in CELLS:
            ns = level(cell, revision) * draws.lognormal(0, noise)
            rows.append(dict(zip(history.COLUMNS, (
                f"2026-01-{1 + revision // 24:02}T{revision % 24:02}:00:00", f"{revision:012x}{0:028}",
                True, "m", exports.name(cell), cell.strategy, cell.size, cell.touch, cell.chunk,
                ns, ns * 0.99, ns * 1.01, 60, 16, 0, 1, 65536))))
    return pandas.DataFrame(rows)


class Changes(unittest.TestCase):
    def test_a_change_is_found_at_its_revision(self):
        slowed = exports.name(CELLS[1])
        found = history.changes(made(40, lambda cell, revision: 2000 * (
            1.08 if exports.name(cell) == slowed and revision >= 25 else 1), 0.01))
        self.assertEqual([cell for cell, _, _ in found], [slowed])
        _, row, ratio = found[0]
        self.assertLessEqual(abs(int(row.revision[:12], 16) - 25), 1)
        self.assertAlmostEqual(ratio, 1.08, delta=0.02)

    def test_two_changes_of_one_cell(self):
        levels = (2000, 2400, 1900)
        found = history.changes(made(45, lambda cell, revision: levels[revision // 15]
                                     if cell == CELLS[0] else 2000, 0.01))
        self.assertEqual([int(row.revision[:12], 16) for _, row, _ in found], [15, 30])

    def test_nothing_is_found_in_noise_and_below_the_threshold(self):
        for seed in range(5):
            self.assertEqual(history.changes(made(30, lambda *_: 2000, 0.1, seed)), [])
        self.assertEqual(history.changes(made(40, lambda _, revision: 2000 * (
            1.02 if revision >= 20 else 1), 0.001)), [])

    def test_machines_are_apart(self):
        table = made(30, lambda *_: 2000, 0.01)
        table.loc[table.index[len(table) // 2:], ["machine"]] = "other"
        table.loc[table.machine == "other", "ns_per_page"] *= 2
        self.assertEqual(history.changes(table), [])


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def trend(self):
        return subprocess.run([sys.executable, str(ROOT / "scripts" / "trend.py"), "--results",
                               str(self.folder)], capture_output=True, text=True, timeout=120)

    def test_written_and_read_back_and_drawn(self):
        table = made(20, lambda cell, revision: 2000 * (1.5 if revision >= 10 else 1), 0.01)
        path = self.folder / "history.csv"
        half = len(table) // 2
        history.add(path, table.iloc[:half].to_dict("records"))
        history.add(path, table.iloc[half:].to_dict("records"))
        self.assertEqual(len(history.read(path)), len(table))
        done = self.trend()
        self.assertIn("20 comparisons, 20 cells, 1 machines; 20 changes", done.stdout)
        self.assertIn(f"from revision {10:012x}", done.stdout)
        if done.returncode == 0:
            self.assertTrue((self.folder / "trend" / "trend.png").exists())

    def test_what_cannot_be_read(self):
        for content, words in ((None, "make compare writes it"), ("a,b\n1,2\n", "other columns")):
            if content is not None:
                (self.folder / "history.csv").write_text(content)
            done = self.trend()
            self.assertEqual(done.returncode, 2)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
