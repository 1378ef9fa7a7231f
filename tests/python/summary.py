"""Statistics and summary.csv against values worked out by hand."""

import csv
import io
import math
import pathlib
import tempfile
import unittest

import made
from made import CHUNKED, FAULT, PAGE, UPFRONT

import numpy

from vmcommit.analyse.summary import summarise, write_summary
from vmcommit.base import runs
from vmcommit.base.statistics import (corrected, half_width, median_interval, paired_interval,
                                      pool_of, pooled_spread, set_interval, shared)
from vmcommit.base.units import GIB, KIB, MIB

SIZE = 64 * KIB  # 16 pages
CALIBRATION = {"page_fault_ns": 500.0}


class Statistics(unittest.TestCase):
    def test_the_interval_of_a_median_runs_between_ranks(self):
        """The k-th smallest and largest of n: covered with 1 - 2 P(fewer than k of n heads)."""
        for values, confidence, expected in (
                ([3, 1, 2, 5, 4], 0.95, (3, 1, 5, 1 - 2 / 32)),
                ([6, 1, 2, 5, 4, 3], 0.95, (3.5, 1, 6, 1 - 2 / 64)),
                (range(1, 10), 0.95, (5, 2, 8, 1 - 2 * (1 + 9) / 512)),
                (range(1, 10), 0.97, (5, 1, 9, 1 - 2 / 512)),
                (range(1, 9), 0.92, (4.5, 2, 7, 1 - 2 * (1 + 8) / 256)),
                ([7], 0.95, (7, 7, 7, 0))):
            with self.subTest(values=list(values), confidence=confidence):
                self.assertEqual(median_interval(values, confidence), expected)
        self.assertTrue(all(map(math.isnan, median_interval([]))))

    def test_spreads_are_pooled_around_each_samples_own_mean(self):
        """1 and 1 around 2, 4 and 4 around 4: ten in three degrees of freedom."""
        spread, freedom = pooled_spread([[1, 3], [5], [2, 4, 6], []])
        self.assertAlmostEqual(spread, math.sqrt(10 / 3), 12)
        self.assertEqual(freedom, 3)
        for nothing in ([], [[]], [[7], [8]]):
            spread, freedom = pooled_spread(nothing)
            self.assertTrue(math.isnan(spread))
            self.assertEqual(freedom, 0)

    def test_few_values_have_students_interval_by_the_larger_spread(self):
        """Student's t of 6 degrees is 2.4469 at 95 % and 5.9588 at 99.9 %, of 60 it is 2.0003.
        Seven
        values from -3 to 3 spread by 2.1602; 1 and 3 by the square root of 2."""
        for values, confidence, pooled, middle, reach in (
                (range(-3, 4), 0.95, (2.0, 6), 0, 2.4469 * 2.1602 / math.sqrt(7)),
                (range(-3, 4), 0.95, (5.0, 6), 0, 2.4469 * 5 / math.sqrt(7)),
                (range(-3, 4), 0.999, (5.0, 6), 0, 5.9588 * 5 / math.sqrt(7)),
                ([1, 3], 0.95, (0.5, 60), 2, 2.0003), ([1, 3], 0.95, (7.0, 60), 2, 2.0003 * 4.9497),
                ([4, 4], 0.95, (0.0, 60), 4, 0)):
            with self.subTest(values=values, confidence=confidence, pooled=pooled):
                found = set_interval(values, confidence, pooled)
                for value, expected in zip(found, (middle, middle - reach, middle + reach,
                                                   confidence), strict=True):
                    self.assertAlmostEqual(value, expected, 3)

    def test_where_no_spread_is_relied_on_ranks_decide(self):
        for values, pooled in ((range(1, 7), (0.1, 5)), (range(1, 7), (math.nan, 0)),
                               ([7], (0.1, 60)), (range(20), (0.1, 60)), (range(99), (9.0, 60))):
            with self.subTest(values=values, pooled=pooled):
                self.assertEqual(set_interval(values, 0.95, pooled), paired_interval(values, 0.95))
        self.assertEqual(set_interval(range(19), 0.95, (0.1, 60))[3], 0.95)
        self.assertTrue(all(map(math.isnan, set_interval([], 0.95, (0.1, 60)))))

    def test_gigabytes_share_a_pool_and_smaller_sizes_do_not(self):
        self.assertEqual(pool_of(GIB, "1"), pool_of(4 * GIB, "1"))
        for other in (pool_of(GIB, "0.1"), pool_of(512 * MIB, "1"), pool_of(256 * MIB, "1")):
            self.assertNotEqual(pool_of(GIB, "1"), other)
        self.assertNotEqual(pool_of(512 * MIB, "1"), pool_of(256 * MIB, "1"))

    def test_confidence_is_shared_between_cells(self):
        for cells, confidence, expected in ((1, 0.95, 0.95), (5, 0.95, 0.99), (0, 0.95, 0.95),
                                            (10, 0.999, 0.9999)):
            self.assertAlmostEqual(shared(cells, confidence), expected, 12)

    def test_cells_with_too_few_rounds_take_no_share(self):
        """n rounds on one side of 1 have 2^(1 - n): 10 are enough for a share of 0.05/2, 6 are for
        0.05 alone, and 8 for a sixth of it, which is what eight cells leave."""
        for rounds, cells in (([], 1), ([10], 1), ([10, 10], 2), ([10, 10, 3], 2), ([6, 6, 6], 2),
                              ([20] * 7, 7), ([20] * 4 + [8] * 4, 7), ([3] * 9, 1)):
            with self.subTest(rounds=rounds):
                self.assertAlmostEqual(corrected(rounds), 1 - 0.05 / cells, 12)
        self.assertAlmostEqual(corrected(iter([10, 10])), 0.975, 12)

    def test_half_width_is_the_wider_side(self):
        self.assertAlmostEqual(half_width(0, math.log(0.98), math.log(1.03)), 0.03, 12)
        self.assertAlmostEqual(half_width(0, math.log(1 / 1.05), math.log(1.01)), 0.05, 12)


def summary_of(rows, strategies=made.FOUR, calibration=None):
    return summarise(made.table(rows, strategies), calibration or CALIBRATION)


def row_of(summary, name, **columns):
    rows = summary[summary.strategy == name]
    for column, value in columns.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


class ThreeRounds(unittest.TestCase):
    """upfront, chunked, and fault that was refused once; read from a folder, as a run is."""

    ROWS = [
        *(made.row(UPFRONT, SIZE, ns, number) for number, ns in ((1, 1000), (2, 2000), (3, 1250))),
        *(made.row(CHUNKED, SIZE, ns, number, minor_faults=faults, commit_system_bytes=system)
          for number, ns, faults, system in ((1, 1500, 16, 4096), (2, 4000, 17, made.NAN),
                                             (3, 5000, 16, 12288))),
        made.row(FAULT, SIZE, 3000, 1), made.refused(FAULT, SIZE, 2, region_count=9),
        made.row(FAULT, SIZE, 5000, 3)]

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            made.write(folder, cls.ROWS, made.FOUR)
            cls.summary = summarise(runs.read(folder).samples, CALIBRATION)

    def check(self, row, **expected):
        for column, value in expected.items():
            with self.subTest(strategy=row.strategy, column=column):
                self.assertAlmostEqual(row[column], value, 9)

    def test_times_are_per_touched_page(self):
        self.check(row_of(self.summary, "upfront"), samples=3, ns_per_page=1250,
                   ns_per_page_low=1000, ns_per_page_high=2000, confidence=0.75, total_ns=20000,
                   total_ns_low=16000, total_ns_high=32000, touch_ns=20000, reserve_ns=0,
                   multiple_of_page_fault=2.5, ratio_to_upfront=1, ratio_samples=3)

    def test_ratios_are_paired_and_above_1_where_slower(self):
        """1.5, 2 and 4 times upfront in the same round; the medians alone would give 3.2. The
        middle of the six means of two lies between 2 and that of 1.5 and 4."""
        middle = math.sqrt(2 * math.sqrt(1.5 * 4))
        self.check(row_of(self.summary, "chunked"), ratio_to_upfront=middle,
                   ratio_to_upfront_low=1.5, ratio_to_upfront_high=4, ratio_samples=3,
                   ratio_confidence=0.75, ratio_half_width=4 / middle - 1, multiple_of_page_fault=8,
                   ns_per_page=4000)

    def test_spread_is_from_quartile_to_quartile(self):
        self.check(row_of(self.summary, "chunked"), spread=(72000 - 44000) / 64000)

    def test_counts_that_differ_are_named(self):
        row = row_of(self.summary, "chunked")
        self.assertEqual(row.counts, "DIFFER: minor_faults 16..17")
        self.check(row, minor_faults=16, commit_calls=1, commit_system_bytes=8192)
        self.assertEqual(row_of(self.summary, "upfront").counts, "exact")

    def test_a_refusal_counts_and_is_not_timed(self):
        row = row_of(self.summary, "fault")
        self.check(row, samples=2, refused=1, unsupported=0, skipped=0, ns_per_page=4000,
                   ratio_samples=2, ratio_to_upfront=math.sqrt(3 * 4))
        self.assertEqual((row.error, row.counts), ("ENOMEM", "DIFFER: region_count 1..9"))

    def test_strategies_stand_in_their_order(self):
        self.assertEqual(list(self.summary.strategy), ["upfront", "fault", "chunked"])


class Summary(unittest.TestCase):
    def test_a_part_touched_is_what_a_page_costs_and_compares_with_itself(self):
        """1.6 of 16 pages are 2; upfront takes 100 ns a page there, and 400 with all touched."""
        summary = summary_of([
            made.row(UPFRONT, SIZE, 400), made.row(UPFRONT, SIZE, 100, touch="0.1"),
            made.row(CHUNKED, SIZE, 300, touch="0.1"),
            made.row(UPFRONT, SIZE, 150, touch_order="random"),
            made.row(CHUNKED, SIZE, 75, touch_order="random")])
        row = row_of(summary, "chunked", touch_order="sequential")
        self.assertEqual((row.touched_bytes, row.total_ns, row.ns_per_page), (2 * PAGE, 600, 300))
        self.assertAlmostEqual(row.ratio_to_upfront, 3)
        self.assertAlmostEqual(row_of(summary, "chunked", touch_order="random").ratio_to_upfront,
                               0.5)
        self.assertEqual(list(zip(summary.strategy, summary.touched_bytes, summary.touch_order)),
                         [("upfront", 2 * PAGE, "sequential"), ("chunked", 2 * PAGE, "sequential"),
                          ("upfront", SIZE, "sequential"), ("upfront", SIZE, "random"),
                          ("chunked", SIZE, "random")])

    def test_one_sample_has_no_interval(self):
        row = row_of(summary_of([made.row(UPFRONT, SIZE, 400), made.row(CHUNKED, SIZE, 500)]),
                     "chunked")
        self.assertEqual((row.ns_per_page, row.confidence, row.ratio_to_upfront), (500, 0, 1.25))
        for column in ("ns_per_page_low", "ns_per_page_high", "ratio_to_upfront_low",
                       "ratio_to_upfront_high", "ratio_half_width", "drift"):
            self.assertTrue(math.isnan(row[column]), column)

    def test_without_upfront_there_is_no_ratio(self):
        rows = [made.row(CHUNKED, SIZE, 500)]
        row = row_of(summary_of(rows, calibration={"page_fault_ns": None}), "chunked")
        self.assertEqual((row.ratio_samples, row.ns_per_page), (0, 500))
        self.assertTrue(math.isnan(row.ratio_to_upfront) and math.isnan(row.multiple_of_page_fault))

    def test_drift_is_from_the_first_third_to_the_last(self):
        """110 to 220 doubles, which is + 1; backwards it is - 0.5. Rows come in any order."""
        rising = [120, 100, 110, 150, 160, 170, 200, 240, 220]
        numbered = list(enumerate(rising, 1))
        for values, drift in ((numbered, 1.0), (list(enumerate(rising[::-1], 1)), -0.5),
                              (numbered[::-1], 1.0)):
            row = row_of(summary_of([made.row(UPFRONT, SIZE, ns, number)
                                     for number, ns in values]), "upfront")
            self.assertAlmostEqual(row.drift, drift)
            self.assertTrue(row.drifts)
        row = row_of(summary_of([made.row(UPFRONT, SIZE, ns, number)
                                 for number, ns in numbered[:8]]), "upfront")
        self.assertTrue(math.isnan(row.drift) and not row.drifts)

    def test_drift_must_be_significant_among_all_configurations(self):
        """Kendall's p of these nine is 0.013: less than 0.05, and more than 0.05 of five."""
        numbers = [1, 5, 3, 2, 7, 4, 9, 6, 8]
        rows = [made.row(UPFRONT, SIZE, 100 * ns, number)
                for number, ns in enumerate(numbers, 1)]
        self.assertTrue(row_of(summary_of(rows), "upfront").drifts)
        rows += [made.row(UPFRONT, size * MIB, 100) for size in (1, 2, 4, 8)]
        self.assertFalse(row_of(summary_of(rows), "upfront", size_bytes=SIZE).drifts)

    def assertInterval(self, row, ratios, cells):
        _, low, high, _ = paired_interval(numpy.log(ratios), shared(cells))
        self.assertAlmostEqual(row.ratio_to_upfront_low, math.exp(low))
        self.assertAlmostEqual(row.ratio_to_upfront_high, math.exp(high))
        for other in {1, 2, 3} - {cells}:
            _, low, high, _ = paired_interval(numpy.log(ratios), shared(other))
            self.assertNotAlmostEqual(row.ratio_to_upfront_low, math.exp(low))

    def test_intervals_of_ratios_hold_together(self):
        """Two cells that can claim something share 0.05. A cell of one round and upfront itself
        take no share. What is no ratio shares with nobody: of 20 rounds it goes from the 6th to the
        15th."""
        rows = [made.row(UPFRONT, SIZE, 100, number) for number in range(1, 23)]
        rows += [made.row(CHUNKED, SIZE, 100 + number, number) for number in range(1, 21)]
        rows += [made.row(FAULT, SIZE, 100 + number, number) for number in range(1, 23)]
        rows += [made.row(CHUNKED, SIZE, 200, step=PAGE)]
        summary = summary_of(rows)
        row = row_of(summary, "chunked", chunk_bytes=64 * KIB)
        self.assertInterval(row, [1 + number / 100 for number in range(1, 21)], 2)
        self.assertEqual((row.ns_per_page_low, row.ns_per_page_high), (106, 115))
        self.assertInterval(row_of(summary, "fault"),
                            [1 + number / 100 for number in range(1, 23)], 2)

    def test_a_cell_of_two_rounds_takes_its_share(self):
        """Its interval is known by the others' spread: three share 0.05."""
        rows = [made.row(UPFRONT, SIZE, 100, number) for number in range(1, 23)]
        rows += [made.row(FAULT, SIZE, 100 + number, number) for number in range(1, 23)]
        rows += [made.row(CHUNKED, SIZE, 200, number, step=step)
                 for number in (1, 2) for step in (PAGE, 64 * KIB)]
        self.assertInterval(row_of(summary_of(rows), "fault"),
                            [1 + number / 100 for number in range(1, 23)], 3)

    def test_few_rounds_borrow_the_spread_of_what_is_compared_with_the_same_base(self):
        """Seven logarithms from -0.03 to 0.03 have squares of 0.0028 around their mean, another
        strategy's seven of 0.2 and 0 have 0.06857. At 97.5 % Student's t of 6 degrees is 2.9687,
        and of 12 it is 2.5600. Another size has a spread of its own."""
        logs = [number / 100 for number in range(-3, 4)]
        rows = [made.row(which, size, 100 * math.exp(log), number)
                for which, size in ((UPFRONT, SIZE), (FAULT, SIZE), (UPFRONT, MIB))
                for number, log in enumerate(logs if which is FAULT else [0] * 7, 1)]
        for size, reach in ((SIZE, 2.5600 * math.sqrt((0.0028 + 0.06857) / 12 / 7)),
                            (MIB, 2.9687 * math.sqrt(0.0028 / 6 / 7))):
            more = [made.row(CHUNKED, size, 100 * math.exp(0.2 * (number % 2)), number)
                    for number in range(1, 8)]
            row = row_of(summary_of(rows + more), "fault")
            with self.subTest(size):
                self.assertAlmostEqual(row.ratio_to_upfront, 1)
                self.assertAlmostEqual(row.ratio_confidence, 0.975)
                self.assertAlmostEqual(math.log(row.ratio_to_upfront_high), reach, 5)
                self.assertAlmostEqual(math.log(row.ratio_to_upfront_low), -reach, 5)
                self.assertAlmostEqual(row.ratio_half_width, math.expm1(reach), 5)

    def test_an_undisturbed_cycles_time_is_what_ratios_and_pages_go_by(self):
        """Where turns told it; the plain sum elsewhere."""
        rows = made.table([made.row(UPFRONT, SIZE, 100), made.row(FAULT, SIZE, 300)], made.FOUR)
        rows.loc[0, "cycle_ns"] = 50.0 * 16
        rows["ns_per_page"] = rows.cycle_ns / 16
        summary = summarise(rows, CALIBRATION)
        self.assertAlmostEqual(row_of(summary, "fault").ratio_to_upfront, 6)
        self.assertEqual((row_of(summary, "upfront").ns_per_page,
                          row_of(summary, "upfront").total_ns), (50, 1600))

    def test_the_file_has_rounded_times_and_whole_counts(self):
        rows = [made.row(UPFRONT, SIZE, 123.456, minor_faults=16.5, region_count=made.NAN),
                made.row(CHUNKED, SIZE, 234.567)]
        with tempfile.TemporaryDirectory() as folder:
            made.write(pathlib.Path(folder), rows, made.FOUR)
            path = pathlib.Path(folder) / "summary.csv"
            write_summary(summarise(runs.read(folder).samples, CALIBRATION), path)
            text = path.read_bytes().decode()
        self.assertEqual(text.count("\n"), text.count("\r\n"))
        first, second = csv.DictReader(io.StringIO(text))
        self.assertEqual(
            [first[name] for name in ("total_ns", "ns_per_page", "minor_faults", "region_count",
                                      "commit_bytes", "ns_per_page_low", "ratio_confidence")],
            ["1975.3", "123.5", "16.5", "", "65536", "", "0.0"])
        self.assertEqual([second[name] for name in ("ratio_to_upfront", "multiple_of_page_fault")],
                         ["1.9", "0.4691"])
        self.assertEqual([second[name] for name in ("page_bytes", "size_bytes", "chunk_bytes",
                                                    "touched_bytes", "samples")],
                         ["4096", "65536", "65536", "65536", "1"])
        self.assertFalse({"rank", "stepped", "brought"} & set(first))


if __name__ == "__main__":
    unittest.main()
