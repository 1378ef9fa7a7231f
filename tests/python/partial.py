"""Whatever part of a run is left, it is drawn: random subsets of the reference run's rows, and the
subsets that are hardest to draw."""

import pathlib
import random
import shutil
import tempfile
import unittest

import reference

from vmcommit.analyse import analysis
from vmcommit.analyse.summary import write_summary
from vmcommit.show import charts, page, side_by_side, terminal

SEEDS = 10
DRAWN = 2  # of the random ones
SEEN = ("one strategy", "one sample", "no counts")  # also drawn
COLUMNS = ("strategy", "size_bytes", "touched_bytes", "chunk_bytes", "touch_order", "round")


def some(random_numbers, values):
    """One or more of them, often few."""
    values = sorted(set(values))
    number = min(len(values), 1 + int(random_numbers.expovariate(1 / 3)))
    return set(random_numbers.sample(values, number))


def subset(samples, seed):
    """Rows that have some of the values of two or three columns; never none."""
    numbers = random.Random(seed)
    for column in numbers.sample(COLUMNS, numbers.choice((1, 2, 3))):
        kept = some(numbers, (row[column] for row in samples))
        samples = [row for row in samples if row[column] in kept]
    return samples


def refused(samples):
    """As if every one had been refused."""
    empty = ("reserve_ns", "commit_ns", "touch_ns", "release_ns", "total_ns")
    return [{**row, "status": "refused", "error": "no memory", **dict.fromkeys(empty, "")}
            for row in samples]


def without(samples, *columns):
    return [{**row, **dict.fromkeys(columns, "")} for row in samples]


class Partial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.samples = reference.rows(rounds=6)
        cls.described = reference.environment()

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)

    def draw(self, samples, pictures=False, **described):
        """The names of the charts drawn, of a run with just these rows."""
        folder = reference.write(self.root / f"run{len(list(self.root.iterdir()))}", samples,
                                 {**self.described, **described}, details=bool(described))
        analysed = analysis.read(folder)
        analysed.as_json()
        write_summary(analysed.summary, folder / "summary.csv")
        with reference.without_png():
            drawn = charts.draw(analysed, folder / "charts") \
                if pictures and shutil.which("gnuplot") else []
        for chart in charts.of("run").values():
            plot = charts.Plot(self.root)
            if chart.prepare(analysed, plot):
                self.assertNotIn("nan", chart.finding(analysed))
        page.write(analysed, folder, drawn)
        said = terminal.answer(analysed, "results/latest/report.html").splitlines()
        self.assertLessEqual(len(said), terminal.LINES, said)
        self.assertLessEqual(max(map(len, said)), terminal.WIDTH, said)
        text = (folder / "report.html").read_text(encoding="utf-8")
        self.assertNotRegex(text, r"\bnan\b")
        return drawn

    def test_random_subsets(self):
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                self.draw(subset(self.samples, seed), pictures=seed < DRAWN)

    def kept(self, **values):
        return [row for row in self.samples
                if all(row[column] == value for column, value in values.items())]

    def test_the_hardest_subsets(self):
        cases = {
            "no upfront": [row for row in self.samples if row["strategy"] != "upfront"],
            "one strategy": self.kept(strategy="guard"),
            "upfront alone": self.kept(strategy="upfront"),
            "one size": self.kept(size_bytes="4096"),
            "refused alone": refused(self.kept(round="1")),
            "out of order alone": self.kept(touch_order="random"),
            "one sample": self.samples[:1],
            "one round": self.kept(round="1"),
            "no counts": without(self.kept(round="1"), "minor_faults", "handled_faults",
                                 "commit_bytes", "region_count", "resident_bytes"),
        }
        for name, samples in cases.items():
            with self.subTest(case=name):
                self.assertTrue(samples)
                self.draw(samples, pictures=name in SEEN)

    def test_a_run_that_was_cut_off_is_drawn_and_marked(self):
        drawn = self.draw(self.samples[:200], pictures=True, seconds_measuring=None)
        text = (self.root / "run0" / "report.html").read_text(encoding="utf-8")
        self.assertIn("This run was cut off: 200 samples", text)
        self.assertIn("cut off</dd>", text)
        if shutil.which("gnuplot"):
            self.assertIn("latency", drawn)

    def test_parts_of_runs_side_by_side(self):
        folders = [reference.write(self.root / name, samples, self.described, details=False)
                   for name, samples in (("one", self.kept(strategy="guard")),
                                         ("two", self.samples[:1]),
                                         ("three", refused(self.kept(round="1"))))]
        runs = [analysis.read(folder) for folder in folders]
        names = side_by_side.labels(runs, folders)
        (self.root / "together").mkdir()
        with reference.without_png():
            drawn = side_by_side.draw(runs, names, self.root / "together" / "charts") \
                if shutil.which("gnuplot") else []
        side_by_side.write(runs, names, self.root / "together", drawn)


if __name__ == "__main__":
    unittest.main()
