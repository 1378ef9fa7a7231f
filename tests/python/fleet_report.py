"""Many runs that are made up: spread between machines, outliers and the three numbers come out as
they were planted, and so do counts that differ by kernel."""

import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import made
from support import ROOT

import numpy
import pandas

from vmcommit.analyse import digest, effects, fleet, fleet_sentences
from vmcommit.base import runs
from vmcommit.base.folder import VERSION, Unreadable
from vmcommit.base.problems import Problem
from vmcommit.base.units import KIB, MIB
from vmcommit.show import fleet as show
from vmcommit.show import gnuplot
from vmcommit.show.charts import fleet_forest, fleet_map

SPREAD, NOISE = 0.012, 0.004  # of logarithms: between machines, and within one
OUTLIERS = {7: 0.10, 31: -0.09}
ROUNDS = range(1, 9)
SCATTER = (-1.2, 0.9, -0.3, 1.1, -0.9, 0.2, 1.4, -1.2)  # of rounds, in NOISE; sums to 0


def ns_of(effect, noise=NOISE):
    """Times of the rounds around 1000 ns, by an effect that is a logarithm."""
    return [1000 * math.exp(effect + noise * each) for each in SCATTER]


def write(folder, effects_of, sizes=(64 * KIB, MIB), noise=NOISE, more=(), **environment):
    """A run whose strategies but upfront have these effects: {strategy: logarithm}."""
    folder.mkdir()
    cells = [(made.UPFRONT, size, 1000.0, {}) for size in sizes]
    cells += [(which, size, ns_of(effect, noise), {}) for which, effect in effects_of.items()
              for size in sizes]
    environment = {"started": folder.name, "host": folder.name, "version": 1,
                   "processor": {"model": "made up"}, **environment}
    made.write(folder, [*made.in_rounds(ROUNDS, *cells), *more], made.FOUR, **environment)
    return folder


class Folder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(kept.cleanup)
        cls.root = pathlib.Path(kept.name)

    def fleet_of(self, folders):
        return fleet.Fleet([digest.digest(folder) for folder in folders])


class Effects(unittest.TestCase):
    """Against figures worked out by hand: with equal errors all weights are the same."""

    def test_equal_errors(self):
        found = effects.together([0.0, 0.02, 0.04, 0.06], [0.01] * 4)
        variance = (0.03**2 + 0.01**2) * 2 / 3  # of the values; the errors' is part of it
        self.assertAlmostEqual(found.mean, 0.03)
        self.assertAlmostEqual(found.between, math.sqrt(variance - 0.01**2))
        reach = 3.182446305 * math.sqrt(variance / 4)  # Student's, 3 degrees of freedom
        self.assertAlmostEqual(found.low, 0.03 - reach, 8)
        self.assertAlmostEqual(found.high, 0.03 + reach, 8)
        further = 3.182446305 * math.sqrt(variance - 0.01**2 + variance / 4)
        self.assertAlmostEqual(found.most, 0.03 + further, 8)
        self.assertAlmostEqual(found.heterogeneity, 1 - 3 * 0.01**2 / (3 * variance))

    def test_machines_that_are_the_same(self):
        found = effects.together([0.010, 0.011, 0.009], [0.01] * 3)
        self.assertEqual((found.between, found.heterogeneity), (0.0, 0.0))
        self.assertAlmostEqual(found.high - found.mean, 4.302652730 * 0.01 / math.sqrt(3), 8)

    def test_one_machine_tells_nothing_of_others(self):
        found = effects.together([0.5], [0.01])
        self.assertEqual((found.machines, found.mean), (1, 0.5))
        self.assertTrue(math.isnan(found.low) and math.isnan(found.between))

    def test_errors_of_nothing(self):
        self.assertAlmostEqual(effects.together([0.0, 0.2], [0.0, 0.0]).mean, 0.1)
        self.assertEqual(effects.together([0.1, 0.1], [0.0, 0.0]).between, 0.0)

    def test_groups_that_differ(self):
        values = [0.0, 0.01, 0.02, 0.10, 0.11, 0.12]
        found = effects.grouped(values, [0.001] * 6, list("aaabbb"))
        self.assertAlmostEqual(found.means["a"][0], 0.01)
        self.assertAlmostEqual(found.means["b"][0], 0.11)
        self.assertEqual([found.means[name][3] for name in "ab"], [3, 3])
        # F is (0.05² * 6) / (0.0001 * 4 / 4) = 150 with 1 and 4 degrees of freedom
        self.assertAlmostEqual(found.probability, 0.000255, 6)
        self.assertTrue(math.isnan(effects.grouped([1, 2], [1, 1], ["a", "a"]).probability))

    def test_no_outlier_among_too_few(self):
        self.assertEqual(effects.outliers([0, 0, 0, 9], [0.1] * 4, 0.95), [])
        self.assertEqual(effects.outliers([0, 0.01, 0, 0.01, 9], [0.1] * 5, 0.95), [4])


class Planted(Folder):
    """60 machines, two of which lie beyond the others."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        chance = numpy.random.default_rng(3)
        planted = chance.normal(0.0, 1.0, 60)
        planted = 0.01 + SPREAD * (planted - planted.mean()) / planted.std(ddof=1)
        cls.planted = [effect + OUTLIERS.get(at, 0) for at, effect in enumerate(planted)]
        cls.folders = [write(cls.root / f"m{at:02}", {made.CHUNKED: effect, made.GUARD: 0.3})
                       for at, effect in enumerate(cls.planted)]
        cls.found = fleet.read(cls.folders)
        cls.chunked, cls.guard = cls.found.headline

    def test_the_spread(self):
        usual, all_of_them = self.chunked.usual, self.chunked.effect
        self.assertAlmostEqual(usual.between, SPREAD, delta=0.001)
        self.assertAlmostEqual(usual.mean, 0.01, delta=0.001)
        self.assertGreater(usual.heterogeneity, 0.9)
        self.assertEqual((usual.machines, all_of_them.machines), (58, 60))
        self.assertGreater(all_of_them.between, 1.3 * SPREAD)

    def test_machines_that_are_all_the_same_have_none(self):
        self.assertEqual(self.guard.effect.between, 0.0)
        self.assertAlmostEqual(self.guard.effect.mean, 0.3, 6)

    def test_the_outliers_and_no_other(self):
        self.assertEqual({at: ["chunked"] for at in OUTLIERS}, self.found.outliers)
        self.assertIn("2 machines lie beyond what the others let expect: m07 (chunked) and m31 "
                      "(chunked).", fleet_sentences.outliers(self.found))

    def test_they_head_the_table_of_machines(self):
        hosts = [row[3][0] for row in show.machine_rows(self.found)]
        self.assertEqual((hosts[:3], len(hosts)), (["m07", "m31", "m00"], 60))

    def test_the_headline_names_the_largest_region(self):
        self.assertEqual(self.found.size, MIB)
        first = fleet_sentences.headline(self.found)[0]
        self.assertTrue(first.startswith("At 1 MiB, all touched, chunked by 64 KiB is within"),
                        first)

    def test_groups_where_there_is_one_kind_are_none(self):
        self.assertEqual(self.chunked.groups, {})

    def test_ratios_are_those_of_a_run_of_its_own(self):
        for place, planted in enumerate(self.planted):
            self.assertAlmostEqual(self.chunked.rows.log_ratio.iloc[place], planted, 9)


class Forest(Folder):
    """Chunked costs least where guard costs most."""

    def lines(self, found, named):
        """Of guard's panel, from the least ratio to the most."""
        with tempfile.TemporaryDirectory() as scratch, \
                mock.patch.object(fleet_forest, "NAMED", named):
            plot = gnuplot.Plot(pathlib.Path(scratch))
            self.assertTrue(fleet_forest.prepare(found, plot))
            text = (plot.folder / "panel2.dat").read_text()
        points = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
        return [int(line) for _, line, *_ in sorted(points, key=lambda point: float(point[0]))]

    def test_machines_without_names_are_sorted_in_each_panel(self):
        found = self.fleet_of([
            write(self.root / f"m{at}", {made.CHUNKED: 0.01 * at, made.GUARD: 0.3 - 0.1 * at})
            for at in range(3)])
        self.assertEqual(self.lines(found, 3), [3, 2, 1])
        self.assertEqual(self.lines(found, 2), [1, 2, 3])


class Three(Folder):
    """The three numbers: 47 of 50 within, 1 beyond, 2 undecided."""

    def test_as_planted(self):
        planted = [0.005] * 47 + [0.10] + [math.log(1.03)] * 2
        folders = [write(self.root / f"m{at}", {made.CHUNKED: effect}, noise=0.01 if at > 47 else
                         0.001) for at, effect in enumerate(planted)]
        chunked, = self.fleet_of(folders).headline
        self.assertEqual(chunked.verdicts, fleet.Verdicts(47, 1, 2))
        self.assertEqual(fleet_sentences.verdict_text(chunked.verdicts),
                         "within 3 % of upfront on 47 of 50 machines, beyond on 1, undecided on 2")

    def test_everywhere(self):
        self.assertEqual(fleet_sentences.verdict_text(fleet.Verdicts(5, 0, 0)),
                         "within 3 % of upfront on all 5 machines")
        self.assertEqual(fleet_sentences.verdict_text(fleet.Verdicts(0, 1, 0)),
                         "within 3 % of upfront on 0 of 1 machine, beyond on 1")


class Kernels(Folder):
    """Counts by kernel; an emulator's run has these alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old = cls.kernel("old", "6.1.0-44-amd64", commit_calls=16, guard="prot_none")
        cls.new = cls.kernel("new", "6.18.1", commit_calls=17, guard="madvise")
        cls.emulated = cls.kernel("emulated", "6.12.3", commit_calls=16, guard="prot_none",
                                  emulated="QEMU")

    @classmethod
    def kernel(cls, name, release, emulated=None, **columns):
        rows = [made.row(made.GUARD, MIB, 1300.0, number, **columns) for number in ROUNDS]
        folder = write(cls.root / name, {made.FAULT: 0.9, made.CHUNKED: 0.01}, (MIB,), more=rows,
                       system={"kernel": release}, emulated=emulated)
        if emulated:
            path = folder / "samples.csv"
            table = runs.pandas.read_csv(path, dtype=str)
            table[[column for column in table if column.endswith("_ns")]] = ""
            table.to_csv(path, index=False, lineterminator="\r\n")
        return folder

    def setUp(self):
        self.found = self.fleet_of([self.old, self.new, self.emulated])

    def test_counts_that_differ(self):
        difference, = self.found.differences
        self.assertEqual((difference.cell[0], difference.column), ("guard", "commit_calls"))
        self.assertEqual(difference.values, {16: {"6.1": 1, "6.12": 1}, 17: {"6.18": 1}})
        self.assertFalse(difference.within_kernel)
        self.assertEqual(fleet_sentences.counts(self.found), [
            "Counts differ in 1 of 4 configurations, of guard. All counts of upfront, fault and "
            "chunked are the same."])

    def test_what_differs_is_said_once_for_all_configurations(self):
        self.assertEqual(fleet_sentences.splits(self.found), [
            "Commit calls of guard differ: guard 1 MiB by 64 KiB has 16 with kernel 6.1 and 6.12; "
            "17 with kernel 6.18."])

    def test_what_kernels_lack(self):
        for name, status in (("old", "unsupported"), ("new", "ok")):
            details = self.root / name / "details"
            details.mkdir(exist_ok=True)
            (details / "supported.csv").write_text(
                "strategy,option,kind,status\r\n"
                f"guard,guard,madvise,{status}\r\nguard,pages,huge,unsupported\r\n")
        found = self.fleet_of([self.old, self.new, self.emulated])
        self.assertEqual(fleet_sentences.lacking(found), [
            "--guard madvise is unsupported with kernel 6.1 (guard)."])

    def test_times_of_an_emulator_are_never_pooled(self):
        self.assertEqual(self.found.timed, 2)
        for across in self.found.everything:
            self.assertEqual(set(across.rows.machine), {0, 1})
        self.assertIn("times of 2: an emulator's are left out", fleet_sentences.head(self.found))

    def test_groups(self):
        chunked = next(each for each in self.found.headline if each.named["strategy"] == "chunked")
        self.assertEqual(set(chunked.groups), {"kernel", "guard kind"})
        self.assertEqual(set(chunked.groups["kernel"].means), {"6.1", "6.18"})

    def test_an_emulators_run_alone_has_counts(self):
        alone = self.fleet_of([self.emulated])
        self.assertIsNone(alone.size)
        self.assertEqual(alone.headline, [])
        self.assertEqual(fleet_sentences.of_fleet(alone), [])

    def test_the_page_of_one_run_refuses_an_emulators(self):
        done = report(self.emulated)
        self.assertEqual(done.returncode, 1)
        self.assertIn("was measured on an emulator", done.stderr)


def report(*arguments):
    return subprocess.run([sys.executable, ROOT / "tests" / "tiny.py", "report", *arguments],
                          capture_output=True, text=True, timeout=300)


class Reading(Folder):
    def test_a_run_counts_once(self):
        folder = write(self.root / "twice", {made.CHUNKED: 0.0})
        found = self.fleet_of([folder, folder])
        self.assertEqual(len(found.digests), 1)
        self.assertIn("it counts once", found.notes[0])

    def test_one_that_can_not_be_read_takes_no_other_with_it(self):
        good = write(self.root / "good", {made.CHUNKED: 0.0})
        (self.root / "empty").mkdir()
        found = fleet.read([good, self.root / "empty"])
        self.assertEqual(len(found.digests), 1)
        self.assertIn("environment.json", found.notes[0])
        with self.assertRaises(Problem):
            fleet.read([self.root / "empty"])

    def test_a_version_to_come_is_refused_by_name(self):
        folder = write(self.root / "late", {made.CHUNKED: 0.0}, version=VERSION + 1)
        with self.assertRaisesRegex(Unreadable, rf"environment.json is of version "
                                    rf"{VERSION + 1}; this vmcommit reads up to "
                                    rf"{VERSION}"):
            runs.read(folder)

    def test_a_run_without_a_version_is_read(self):
        folder = write(self.root / "early", {made.CHUNKED: 0.0})
        path = folder / "environment.json"
        known = json.loads(path.read_text())
        path.write_text(json.dumps({name: value for name, value in known.items()
                                    if name not in ("version", "host")}))
        self.assertEqual(digest.digest(folder).host, "early")


class Page(Folder):
    """The whole command, for a folder of runs as fleet leaves it."""

    def test_a_folder_of_runs(self):
        into = self.root / "runs"
        into.mkdir()
        for at in range(10):
            write(into / f"m{at}", {made.CHUNKED: 0.001 * at, made.FAULT: 0.5 + 0.01 * at},
                  system={"kernel": f"6.{1 if at < 5 else 18}.0"})
        done = report(into)
        self.assertEqual(done.stderr.replace(
            "report: gnuplot not found, so without charts: run ./scripts/setup.sh\n", ""), "")
        self.assertEqual(done.returncode, 0)
        self.assertIn("10 runs, 2 kernels, 1 processor", done.stdout)
        page = (into / "report.html").read_text(encoding="utf-8")
        self.assertEqual(page.count("<figure"), page.count('<details class="behind">'))
        for host in range(10):
            self.assertIn(f">m{host}<", page)
        text = (into / "REPORT.md").read_text(encoding="utf-8")
        self.assertIn("within 3 % of upfront on all 10 machines", text)
        self.assertIn("| kernel | 6.18 | chunked by 64 KiB | 5 |", text)
        with open(into / "fleet.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 4)
        ratios = {row["strategy"]: [float(row[f"ratio_{name}"]) for name in (
            "least", "low", "mean", "high", "most")] for row in rows}
        self.assertEqual(ratios.keys(), {"chunked", "fault"})
        for strategy, mean in (("chunked", 0.0045), ("fault", 0.545)):
            self.assertAlmostEqual(ratios[strategy][2], math.exp(mean), 2)
            self.assertEqual(ratios[strategy], sorted(ratios[strategy]))
        again = report(into)  # what it left behind is no run
        self.assertEqual(again.stdout, done.stdout)


class Map(unittest.TestCase):
    def test_without_a_ratio_there_is_none(self):
        nothing = pandas.DataFrame(columns=["strategy", "size_bytes", "log_ratio", "machine"])
        without = mock.Mock(timed=True, ratios=nothing, plain=lambda rows: rows)
        self.assertFalse(fleet_map.prepare(without, mock.Mock()))

    def test_without_room_for_all_who_lies_farthest_from_the_middle_is_shown(self):
        rows = pandas.DataFrame([{"machine": number, "away": (31 - number) / 100}
                                 for number in range(fleet_map.MOST + 3)])
        self.assertEqual(fleet_map.chosen(rows), [
            number for number in reversed(range(fleet_map.MOST + 3)) if not 30 <= number <= 32])


if __name__ == "__main__":
    unittest.main()
