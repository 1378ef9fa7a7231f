"""A run in a terminal: on 25 lines of 80 columns it says what to use, what that costs and how sure
it is. Runs of five kinds are made from the checked-in one; docs/terminal.md shows what they say."""

import pathlib
import sys
import tempfile
import unittest
from unittest import mock

import made
import reference
from made import CHUNKED, FAULT, FOUR, UPFRONT

import numpy

from vmcommit.analyse import analysis
from vmcommit.base.units import MIB
from vmcommit.show import matrix, terminal

MEMORY = 512 * MIB


def quiet(rows, described):
    described["disturbance"] = {"stolen_share": 0.0,
                                "others_cpu_share": 0.001, "major_faults": 0, "pages_swapped": 0,
                                "settings_changed": []}
    return rows


def noisy(rows, described):
    """Every time is a quarter more or less, by chance, in eight rounds."""
    described["disturbance"] = {"stolen_share": 0.142,
                                "others_cpu_share": 0.83, "major_faults": 310,
                                "pages_swapped": 52000, "settings_changed": []}
    draws = numpy.random.default_rng(1)
    times = ("reserve_ns", "commit_ns", "touch_ns", "release_ns", "total_ns", "undisturbed_ns")

    def disturbed(row):
        factor = float(numpy.exp(draws.normal(0, 0.25)))
        return {**row, **{name: f"{float(row[name]) * factor:.1f}" for name in times if row[name]},
                "disturbed_turns": str(int(row["turns"] or 0) // 10)}

    return [disturbed(row) for row in rows if int(row["round"]) <= 8]


def huge_pages(rows, described):
    quiet(rows, described)
    described["settings"] = {**described["settings"], "thp_enabled": "always"}
    return rows


def small(rows, described):
    """What is planned where half of what is available is 200 MiB."""
    quiet(rows, described)
    described["memory"] = {**described["memory"], "total_bytes": MEMORY}
    described["profile"] = "quick"
    return [row for row in rows if int(row["touched_bytes"]) <= 64 * MIB
            and int(row["size_bytes"]) <= 64 * MIB]


def wine(rows, described):
    quiet(rows, described)
    return [{**row, "platform": "wine"} for row in rows]


KINDS = {"quiet": quiet, "noisy": noisy, "huge pages": huge_pages, "512 MiB": small, "Wine": wine}


def said(kind):
    described = reference.environment()
    rows = KINDS[kind](reference.rows(), described)
    with tempfile.TemporaryDirectory() as scratch:
        folder = reference.write(pathlib.Path(scratch) / "run", rows, described)
        return terminal.answer(analysis.read(folder), "results/latest/report.html")


class Kinds(unittest.TestCase):
    """What to use, what does it cost, how sure is that?"""

    @classmethod
    def setUpClass(cls):
        cls.said = {kind: said(kind) for kind in KINDS}

    def test_all_of_it_fits(self):
        for kind, text in self.said.items():
            with self.subTest(kind):
                self.assertLessEqual(len(text.splitlines()), 25)
                self.assertLessEqual(max(map(len, text.splitlines())), 80)
                self.assertEqual(text.splitlines()[-1], "report: results/latest/report.html")
                self.assertNotIn("…", text)

    def answers(self, kind, *patterns):
        text = " ".join(self.said[kind].split())
        for pattern in patterns:
            self.assertRegex(text, pattern)

    def test_quiet(self):
        self.answers("quiet", r"^Use \w+( \(step [\w ]+\))?: at 64 MiB, all touched, ",
                     r"\d times (as long )?\(\d\.\d+ to \d\.\d+\)|\d µs a page \(",
                     r"no significant difference at 99\.9 %\. \d+ of \d+ ratios known within ±2 %")
        self.assertNotIn("of the turns", self.said["quiet"])

    def test_noisy(self):
        self.answers("noisy", r"^(Use|Choose nothing)", "took 14.2 % of the measuring CPU",
                     "in 10 % of the turns", "more in the report",
                     r" 0 of \d+ ratios known within ±2 %: measure longer")

    def test_huge_pages(self):
        self.answers("huge pages", "^Use ", "Huge pages are always on here; these figures are of "
                     "base pages alone")

    def test_a_small_machine(self):
        self.answers("512 MiB", r"^Use .*: at 64 MiB")
        self.assertNotIn("GiB", self.said["512 MiB"])

    def test_wine(self):
        self.answers("Wine", "^Choose nothing by this run: its times are Wine's")
        self.assertNotRegex(self.said["Wine"], "Use |a page|ratios known")


class Room(unittest.TestCase):
    def test_what_does_not_fit_is_counted(self):
        """No part is shown by halves."""
        self.assertEqual(terminal.shortest([["a"], ["b"], ["c"]], 3), ["a", "b", "c"])
        self.assertEqual(terminal.shortest([["a"], ["b"], ["c"], ["d"]], 3),
                         ["a", "b", "... 2 more in the report"])
        self.assertEqual(terminal.shortest([["a"], ["b", "c"], ["d"]], 3),
                         ["a", "... 2 more in the report"])

    def test_a_matrix_that_is_too_long_gives_way(self):
        """Sizes whose winners take turns can't be put together."""
        cells = [(which, MIB << at, ns, {}) for at in range(16) for which, ns in (
            (UPFRONT, 1000), (FAULT, 2000 if at % 2 else 500))]
        with made.strict():
            analysed = analysis.analyse(made.run(made.in_rounds(range(20), *cells), FOUR))
        self.assertEqual(len(matrix.joined(analysed.answer)), 16)
        lines = terminal.answer(analysed, "x").splitlines()
        self.assertEqual(len(lines), terminal.LINES)
        self.assertRegex("\n".join(lines), r"\.\.\. \d+ more in the report\n\nCompared")

    def test_where_less_than_half_is_known_it_says_what_to_do(self):
        for unknown, more in ((174, True), (89, True), (88, False)):
            with mock.patch.object(terminal.doubts, "wide_ratios",
                                   lambda _, unknown=unknown: {"count": unknown, "of": 176}), \
                    mock.patch.object(terminal, "doubt", lambda _: ""):
                self.assertEqual("measure longer" in terminal.of_precision(None), more, unknown)

    def test_columns_are_cut_at_the_edge(self):
        self.assertEqual(terminal.columns([("a", "bc"), ("def", "g")]), ["a    bc", "def  g"])
        cut, = terminal.columns([("x" * 100,)])
        self.assertEqual((len(cut), cut[-1]), (80, "…"))


class Fields(unittest.TestCase):
    def test_what_a_field_says(self):
        def texts(*cells, rounds=range(20)):
            run = made.run(made.in_rounds(rounds, *cells), FOUR)
            return [text for row in matrix.joined(analysis.analyse(run).answer)
                    for text in row.texts]

        both = [(UPFRONT, MIB, 1000, {}), (CHUNKED, MIB, 1000, {})]
        self.assertEqual(texts(*both), ["no significant difference"])
        self.assertEqual(texts(*both, (FAULT, MIB, 2000, {})), ["upfront or chunked"])
        self.assertEqual(texts(*both, rounds=(1, 2)), ["too few rounds"])
        self.assertEqual(texts(both[0]), ["only upfront timed"])

    def test_sizes_that_say_the_same_stand_together(self):
        cells = [(which, size * MIB, ns, {"touch": touch}) for touch in ("1", "0.1")
                 for size in (1, 4, 16) for which, ns in (
                     (UPFRONT, 1000), (FAULT, 500 if size == 16 else 2000))]
        rows = matrix.joined(analysis.analyse(
            made.run(made.in_rounds(range(20), *cells), FOUR)).answer)
        self.assertEqual([(row.label, row.texts) for row in rows],
                         [("1 MiB to 4 MiB", ("upfront", "upfront")),
                          ("16 MiB", ("fault", "fault"))])


if __name__ == "__main__":
    if sys.argv[1:2] == ["show"]:
        print("\n\n".join(f"{kind}\n{said(kind)}" for kind in KINDS))
    else:
        unittest.main()
