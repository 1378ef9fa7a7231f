"""The gate by itself: rules, the order of measuring, exports and baselines, on made-up rows whose
outcome was worked out by hand. No process is started."""

import errno
import importlib.util
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from unittest import mock

from support import ROOT, STRATEGIES, describe

import numpy

from vmcommit.base import strategies
from vmcommit.base.cells import Configuration
from vmcommit.base.folder import SHAPE, filled
from vmcommit.gate import baselines, chosen, comparison, exports, rules
from vmcommit.measure.harness import HarnessFailed

KNOWN = {name: strategies.from_json(describe(name)) for name in (*STRATEGIES, "malloc")}
CELLS = chosen.cells([KNOWN[name] for name in STRATEGIES])
UPFRONT, CHUNKED = CELLS[0], CELLS[2]  # both of 64 KiB
GOOGLE_COMPARE = pathlib.Path("/usr/share/benchmark/compare.py")
ROW = {"strategy": "upfront", "platform": "linux", "page_bytes": "4096", "size_bytes": "65536",
       "touched_bytes": "65536", "status": "ok", "error": "", "batch": "1", "total_ns": "1000.0",
       **dict.fromkeys(rules.GATED, "16"), "handled_faults": "0"}


def shown(*_):
    """A progress display that shows nothing."""


class Side:
    """Gives rows by a function of cell, round and how often this cell was asked for before; keeps
    the order of calls in `calls`."""

    def __init__(self, name, calls, row):
        self.name, self.calls, self.row = name, calls, row

    def has(self, _cell):
        return True

    def take(self, cell, round_number):
        before = sum(call[1:] == (self.name, cell) for call in self.calls)
        self.calls.append((round_number, self.name, cell))
        row = self.row(cell, round_number, before)
        if isinstance(row, Exception):
            raise row
        return row


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.calls = []

    def samples(self):
        samples = comparison.Samples(self.folder / "samples.csv")
        self.addCleanup(samples.close)
        return samples

    def made(self, base, head, again=None, seed=1, cells=1):
        """A Comparison of sides that are functions of (cell, round, calls before), or rows."""
        sides = {"base": base, "head": head} | ({"again": again} if again else {})
        return comparison.Comparison({name: Side(name, self.calls, (
            lambda *_, row=row: row) if isinstance(row, (dict, Exception)) else row)
            for name, row in sides.items()}, self.samples(), seed, rules.Rule(cells))


class Cells(unittest.TestCase):
    def test_the_twenty(self):
        self.assertEqual([str(cell) for cell in CELLS], [
            *(f"{name} 64 KiB{step}" for name, step in NAMED),
            *(f"{name} 1 MiB{step}" for name, step in NAMED),
            *(f"{name} 16 MiB{step}" for name, step in NAMED),
            *(f"{name} 16 MiB, touch 0.1{step}" for name, step in NAMED),
            "chunked 1 MiB, step 4 KiB", "chunked 1 MiB, step 1 MiB",
            "guard 1 MiB, step 4 KiB", "guard 1 MiB, step 1 MiB"])


NAMED = (("upfront", ""), ("fault", ""), ("chunked", ", step 64 KiB"), ("guard", ", step 64 KiB"))


class Times(unittest.TestCase):
    """With one cell and six rounds, 95 % reach from the least ratio to the most: 1 - 2 / 2**6."""

    def judged(self, heads, cells=1):
        return rules.Rule(cells).judge_times([1000.0] * len(heads), heads)

    def test_by_hand(self):
        verdict, ratio, low, high = self.judged([1000 * 1.01 ** power
                                                 for power in (4, 9, 5, 8, 6, 7)])
        self.assertEqual(verdict, rules.REGRESSED)
        for value, expected in ((ratio, 1.01 ** 6.5), (low, 1.01 ** 4), (high, 1.01 ** 9)):
            self.assertAlmostEqual(value, expected, 12)

    def test_the_threshold_and_the_interval(self):
        for heads, verdict in (([1020] * 6, rules.SAME), ([1021] * 6, rules.REGRESSED),
                               ([981] * 6, rules.SAME), ([980] * 6, rules.IMPROVED),
                               ([1000] + [1100] * 5, rules.INCONCLUSIVE),
                               ([1001] + [1100] * 5, rules.REGRESSED),
                               ([1000] + [900] * 5, rules.INCONCLUSIVE),
                               ([999] + [900] * 5, rules.IMPROVED),
                               ([1001] * 5 + [1040], rules.INCONCLUSIVE),
                               ([960] + [1001] * 5, rules.INCONCLUSIVE)):
            with self.subTest(heads):
                self.assertEqual(self.judged(heads)[0], verdict)

    def test_a_threshold_of_ones_own(self):
        for threshold, slowdown, verdict in ((0.1, 1099, rules.SAME), (0.1, 1101, rules.REGRESSED),
                                             (0.001, 1002, rules.REGRESSED),
                                             (0.1, 910, rules.SAME), (0.1, 909, rules.IMPROVED)):
            rule = rules.Rule(1, threshold)
            self.assertEqual(rule.judge_times([1000.0] * 8, [slowdown] * 8)[0], verdict)

    def test_two_series_together_err_in_one_of_a_hundred_comparisons(self):
        """A second series errs in the direction of the first one in 2.5 %. So the first one may in
        40 % of all comparisons, and at a single cell in 5 %."""
        for cells, confidence in ((1, 0.95), (8, 0.95), (20, 0.98), (40, 0.99)):
            rule = rules.Rule(cells)
            self.assertAlmostEqual(rule.confidence, confidence)
            self.assertLessEqual(cells * (1 - rule.confidence) * 0.025, 0.01 + 1e-12)
            self.assertAlmostEqual(rules.Rule(cells, again=True).confidence, 0.95)

    def test_the_confidence_is_shared_between_cells(self):
        """2 / 2**7 is below 40 % of twenty-five cells, but not of twenty-six."""
        for rounds, cells, verdict in (
                (5, 1, rules.INCONCLUSIVE), (6, 1, rules.REGRESSED), (6, 20, rules.INCONCLUSIVE),
                (7, 25, rules.REGRESSED), (7, 26, rules.INCONCLUSIVE)):
            with self.subTest(rounds=rounds, cells=cells):
                self.assertEqual(self.judged([1200] * rounds, cells)[0], verdict)
                self.assertEqual(self.judged([1000] * rounds, cells)[0], {
                    rules.REGRESSED: rules.SAME}.get(verdict, verdict))

    def test_of_different_runs(self):
        """Nine rounds each: half of 1 % for each median is above 2 / 2**9, and below 2 / 2**8."""
        def nine(middle):
            return [middle - 10] * 4 + [middle] + [middle + 10] * 4
        for head, verdict in ((1300, rules.REGRESSED), (1260, rules.INCONCLUSIVE),
                              (1200, rules.SAME), (830, rules.SAME), (700, rules.IMPROVED)):
            with self.subTest(head):
                self.assertEqual(rules.judge_unpaired(nine(1000), nine(head), 1)[0], verdict)
        _, ratio, low, high = rules.judge_unpaired(nine(1000), nine(1300), 1)
        for value, expected in ((ratio, 1.3), (low, 1290 / 1010), (high, 1310 / 990)):
            self.assertAlmostEqual(value, expected, 12)
        for rounds in ((8, 9), (9, 8)):
            base, head = nine(1000)[-rounds[0]:], nine(1500)[-rounds[1]:]
            self.assertEqual(rules.judge_unpaired(base, head, 1)[0], rules.INCONCLUSIVE)


class Noise(unittest.TestCase):
    def verdict(self, ratio, noise, rounds=60, seed=1, again=False):
        draws = numpy.random.default_rng(seed)
        base = 1e6 * numpy.exp(draws.normal(0, 0.1, rounds))  # drift, the same for both
        head = base * ratio * numpy.exp(draws.normal(0, noise, rounds))
        return rules.Rule(len(CELLS), again=again).judge_times(base, head)[0]

    def test_each_verdict(self):
        for ratio, noise, verdict in ((1.0, 0.01, rules.SAME), (1.10, 0.02, rules.REGRESSED),
                                      (0.90, 0.02, rules.IMPROVED), (1.0, 0.3, rules.INCONCLUSIVE),
                                      (1.015, 0.002, rules.SAME)):  # significant, and too small
            self.assertEqual(self.verdict(ratio, noise), verdict, (ratio, noise))

    def test_few_false_alarms_in_a_thousand_draws(self):
        """At 20 cells two series together err in the same direction at one in two thousand, and
        where the noise is small, the threshold leaves none."""
        for noise, most in ((0.01, 0), (0.05, 1), (0.2, 2)):
            alarms = sum(first in rules.CHANGED and first == self.verdict(
                1, noise, seed=1000 + seed, again=True)
                for seed in range(1000) for first in [self.verdict(1, noise, seed=seed)])
            self.assertLessEqual(alarms, most)

    def test_five_per_cent_are_found(self):
        verdicts = [self.verdict(1.05, 0.03, seed=seed) for seed in range(200)]
        self.assertGreaterEqual(verdicts.count(rules.REGRESSED), 190)


class Counts(unittest.TestCase):
    def test_what_is_counted(self):
        self.assertEqual(rules.GATED, (
            "minor_faults", "handled_faults", "commit_calls", "reserved_commit_bytes",
            "commit_bytes", "released_commit_bytes", "resident_bytes", "region_count",
            "purge_calls", "retouch_minor_faults", "purged_commit_bytes", "purged_resident_bytes",
            "purged_table_bytes", "purged_region_count", "retouched_commit_bytes",
            "retouched_region_count", "lock_count", "most_commit_bytes", "most_resident_bytes"))

    def test_each_column(self):
        self.assertEqual(rules.compare_counts(ROW, ROW), [])
        for column in rules.GATED:
            if column in rules.STRAY:
                continue
            base = ROW | {column: "16"}
            more = rules.compare_counts(base, base | {column: "17"})
            self.assertEqual(rules.count_change(more), (rules.REGRESSED, f"{column} 16 -> 17"))
            less = rules.compare_counts(base, base | {column: "15"})
            self.assertEqual(rules.count_change(less), (rules.IMPROVED, f"{column} 16 -> 15"))
            none = {name: value for name, value in base.items() if name != column}
            for unknown in (base | {column: ""}, none):  # it can't be told
                self.assertEqual(rules.compare_counts(base, unknown), [])
                self.assertEqual(rules.compare_counts(unknown, base), [])

    def test_one_more_acquisition_of_the_lock_a_page(self):
        """Or a step of 2 MiB; but not the few that two threads' first page tables take or not."""
        base = ROW | {"lock_count": "2052"}
        for locks, verdict in ((2052 + 2048, rules.REGRESSED), (2052 - 2048, rules.IMPROVED),
                               (2052 + 33, rules.REGRESSED)):
            self.assertEqual(rules.count_change(rules.compare_counts(
                base, base | {"lock_count": str(locks)})), (
                    verdict, f"lock_count 2052 -> {locks}"))
        for locks in ("2050", "2084", ""):
            self.assertEqual(rules.compare_counts(base, base | {"lock_count": locks}), [])

    def test_zero_is_a_count(self):
        self.assertEqual(rules.compare_counts(ROW, ROW | {"handled_faults": "1"}),
                         [("handled_faults", 0, 1)])

    def test_some_rose_and_some_fell(self):
        change = rules.count_change(rules.compare_counts(
            ROW, ROW | {"minor_faults": "12", "region_count": "18", "commit_calls": "9"}))
        self.assertEqual(change, (rules.REGRESSED, "minor_faults 16 -> 12; commit_calls 16 -> 9; "
                                                   "region_count 16 -> 18"))

    def test_a_status_that_changed(self):
        refused = ROW | {"status": "refused", "error": "no memory", "total_ns": ""}
        self.assertEqual(rules.status_change(ROW, refused),
                         (rules.REGRESSED, "status ok -> refused: no memory"))
        self.assertEqual(rules.status_change(refused, ROW),
                         (rules.IMPROVED, "status refused -> ok: no memory"))
        self.assertEqual(rules.status_change(refused | {"error": ""}, ROW)[1],
                         "status refused -> ok: no reason was given")
        self.assertIsNone(rules.status_change(refused, refused))

    def test_counts_decide_but_for_worse_times(self):
        more, less = (rules.REGRESSED, "faults rose"), (rules.IMPROVED, "faults fell")
        for by_counts, by_times, verdict, why in (
                (more, rules.REGRESSED, rules.REGRESSED, "faults rose"),
                (more, rules.IMPROVED, rules.REGRESSED, "faults rose"),
                (more, rules.SAME, rules.REGRESSED, "faults rose"),
                (more, rules.INCONCLUSIVE, rules.REGRESSED, "faults rose"),
                (more, rules.MISSING, rules.MISSING, "by times"),
                (less, rules.REGRESSED, rules.REGRESSED, "by times; faults fell"),
                (less, rules.IMPROVED, rules.IMPROVED, "faults fell"),
                (less, rules.SAME, rules.IMPROVED, "faults fell"),
                (less, rules.INCONCLUSIVE, rules.IMPROVED, "faults fell"),
                (less, rules.MISSING, rules.MISSING, "by times"),
                (None, rules.SAME, rules.SAME, "by times"),
                (None, rules.REGRESSED, rules.REGRESSED, "by times")):
            with self.subTest(by_counts=by_counts, by_times=by_times):
                result = rules.Result(UPFRONT, by_times, "by times", by_counts=by_counts)
                result.settle_by_counts()
                self.assertEqual((result.verdict, result.why), (verdict, why))


class Faults(unittest.TestCase):
    """Rows that no judgement may rest on."""

    def test_rows_that_can_be_judged(self):
        for row in (ROW, ROW | {"minor_faults": ""}, ROW | {"handled_faults": "0"},
                    ROW | {"status": "refused", "total_ns": ""},
                    {name: value for name, value in ROW.items() if name not in rules.GATED},
                    {"status": "skipped", "total_ns": "", "error": "x"}):
            self.assertEqual(rules.fault_of(row), "")

    def test_rows_that_cannot(self):
        for column, texts, why in (
                ("total_ns", ("", "x", "0", "-7", "nan", "inf", "-inf", "1e999", None), "no time"),
                ("minor_faults", ("x", "-1", "nan", "inf"), "no count"),
                ("region_count", ("1 2",), "no count"),
                ("touched_bytes", ("", "0", "x", None), "no count"), ("batch", ("0",), "no count"),
                ("page_bytes", ("-4096", "0.5"), "no count"),
                ("undisturbed_ns", ("x", "0", "-5", "nan"), "no time"),
                ("status", ("", "fine", None), "no outcome")):
            for text in texts:
                with self.subTest(column=column, text=text):
                    fault = rules.fault_of(ROW | {column: text})
                    self.assertIn(f"{column}: '{text}' is {why}", fault)
        self.assertIn("total_ns", rules.fault_of(ROW | {"status": "refused", "total_ns": "x"}))
        self.assertIn("total_ns", rules.fault_of({"status": "ok"}))
        self.assertIn("wall_ns: '0' is no time",
                      rules.fault_of(ROW | {"threads": "2", "wall_ns": "0"}))

    def test_a_cycle_of_several_threads_lasts_until_the_last_one_ends(self):
        row = ROW | {"total_ns": "900", "wall_ns": "1000"}
        for more, ns in (({}, 900), ({"threads": "1"}, 900), ({"threads": "2"}, 1000),
                         ({"threads": "2", "undisturbed_ns": "950"}, 950)):
            self.assertEqual(rules.time_of(row | more), ns)

    def test_what_sides_must_share(self):
        self.assertEqual(rules.unlike(ROW, ROW | {"strategy": "fault"}), "")
        self.assertEqual(rules.unlike(ROW | {"page_bytes": ""}, ROW), "")
        for column, ours in (("platform", "windows"), ("page_bytes", "65536")):
            self.assertEqual(rules.unlike(ROW, ROW | {column: ours}),
                             f"{column} is {ROW[column]} in base and {ours} in head")


class Verdicts(unittest.TestCase):
    def test_exit_status(self):
        for verdicts, strict, status in (
                (["same", "improved"], True, 0), (["same", "inconclusive"], False, 0),
                (["same", "inconclusive"], True, 3), (["same", "regressed", "missing"], False, 1),
                (["same", "missing"], False, 6), (["inconclusive", "missing"], True, 6),
                (["inconclusive", "regressed"], True, 1), (["same", "new"], True, 0)):
            results = [rules.Result(UPFRONT, verdict) for verdict in verdicts]
            self.assertEqual(rules.status_of(results, strict), status)

    def test_worst_first(self):
        results = [rules.Result(UPFRONT, verdict, why, ratio=ratio) for verdict, why, ratio in (
            ("same", "a", 1.0), ("new", "b", math.nan), ("improved", "c", 0.5),
            ("inconclusive", "d", 1.1), ("regressed", "e", 1.1), ("missing", "f", math.nan),
            ("regressed", "g", 1.3), ("regressed", "h", math.nan))]
        self.assertEqual("".join(result.why for result in rules.in_order(results)), "hgefdcba")

    def test_the_closing_sentence(self):
        same, missing, regressed = (rules.Result(UPFRONT, verdict, why, ratio=ratio)
                                    for verdict, why, ratio in (
            ("same", "", 1.0), ("missing", "head died", math.nan), ("regressed", "+5 %", 1.05)))
        for results, sentence in (
                ([same, same], "No regression. 2 cells: 2 same."),
                ([same, missing], "INCOMPLETE: upfront 64 KiB: head died. 2 cells: 1 missing, "
                                  "1 same."),
                ([missing, same, regressed], "REGRESSION: upfront 64 KiB: +5 %. 3 cells: 1 "
                                             "regressed, 1 missing, 1 same.")):
            self.assertEqual(rules.closing(results), sentence)

    def test_the_rule_in_words(self):
        for threshold, shown in ((0.02, "2"), (0.005, "0.5")):
            self.assertEqual(rules.Rule(20, threshold).text, (
                f"regressed: the interval excludes zero and the median slowdown exceeds {shown} %, "
                "in two series measured one after the other; of equal builds at most 1 comparison "
                "in 100 says so"))

    def test_shares(self):
        self.assertEqual([rules.share_text(ratio) for ratio in (1.025, 0.5, 1)],
                         ["+2.5 %", "-50.0 %", "+0.0 %"])


class CountsFirst(Scratch):
    def gated(self, base, head, cells=(UPFRONT,)):
        self.comparison = self.made(base, head)
        return self.comparison.gate_counts(list(cells))

    def test_equal_counts_are_looked_at_once(self):
        settled, left = self.gated(ROW, ROW)
        self.assertEqual((settled, [result.cell for result in left]), ([], [UPFRONT]))
        self.assertEqual(self.calls, [(0, "base", UPFRONT), (0, "head", UPFRONT)])
        self.assertEqual(left[0].counts, {column: int(ROW[column]) for column in rules.GATED})

    def test_a_difference_is_looked_at_three_times(self):
        settled, left = self.gated(ROW, ROW | {"minor_faults": "17"})
        self.assertEqual((settled[0].verdict, settled[0].why, left),
                         (rules.REGRESSED, "minor_faults 16 -> 17", []))
        self.assertEqual(settled[0].by_counts, (rules.REGRESSED, "minor_faults 16 -> 17"))
        self.assertEqual([name for _, name, _ in self.calls], ["base", "head"] * 3)
        self.assertEqual(settled[0].counts["minor_faults"], 17)

    def test_a_difference_that_goes_or_turns_is_none(self):
        for faults in ([17, 17, 16], [17, 16], [17, 15, 17], [15, 15, 17]):
            self.calls.clear()
            settled, left = self.gated(ROW, lambda *call, faults=faults: ROW | {
                "minor_faults": str(faults[call[2]])})
            self.assertEqual((settled, left[0].verdict), ([], rules.INCONCLUSIVE), faults)

    def test_refused_rows(self):
        refused = ROW | {"status": "refused", "error": "no memory", "total_ns": ""} | dict.fromkeys(
            rules.GATED, "")
        for base, head, verdict, why in (
                (refused, refused, rules.SAME, "refused on both sides"),
                (ROW, refused, rules.REGRESSED, "status ok -> refused: no memory"),
                (refused, ROW, rules.IMPROVED, "status refused -> ok: no memory")):
            settled, left = self.gated(base, head)
            self.assertEqual((settled[0].verdict, settled[0].why, left), (verdict, why, []))
            self.assertIsNone(settled[0].by_counts)  # there are no times to judge

    def test_a_harness_that_dies(self):
        settled, _ = self.gated(ROW, HarnessFailed("was ended by signal 37"), [UPFRONT, CHUNKED])
        self.assertEqual([(result.verdict, result.why) for result in settled],
                         [(rules.MISSING, "head was ended by signal 37")] * 2)
        settled, _ = self.gated(HarnessFailed("ended with status 7: x"), ROW)
        self.assertEqual(settled[0].why, "base ended with status 7: x")

    def test_a_strategy_that_one_side_lacks(self):
        for lacking, verdict in (("head", rules.MISSING), ("base", rules.NEW)):
            compared = self.made(ROW, ROW)
            compared.sides[lacking].has = lambda cell: cell is not UPFRONT
            self.calls.clear()
            settled, left = compared.gate_counts([UPFRONT, CHUNKED])
            self.assertEqual([(result.verdict, result.why) for result in settled],
                             [(verdict, f"{lacking} has no upfront")])
            self.assertEqual([result.cell for result in left], [CHUNKED])
            self.assertNotIn(UPFRONT, [cell for _, _, cell in self.calls])

    def test_unlike_sides(self):
        with self.assertRaisesRegex(comparison.Unlike, "page_bytes is 4096 in base and 16384"):
            self.gated(ROW, ROW | {"page_bytes": "16384"})

    def test_a_built_side_gives_no_row_that_cannot_be_judged(self):
        class Harness:
            strategy = UPFRONT.strategy

            def __init__(self, row):
                self.take = lambda cell: row
        built = comparison.Built({"upfront": Harness(ROW)})
        self.assertEqual((built.has(UPFRONT), built.has(CHUNKED)), (True, False))
        self.assertEqual(built.take(UPFRONT, 0), ROW)
        with self.assertRaisesRegex(HarnessFailed, "can't be judged: total_ns: '-7'"):
            comparison.Built({"upfront": Harness(ROW | {"total_ns": "-7"})}).take(UPFRONT, 0)


def timed(ns):
    return ROW | {"total_ns": str(ns)}


class Rounds(Scratch):
    def results(self, cells=(UPFRONT,)):
        return [rules.Result(cell, rules.INCONCLUSIVE) for cell in cells]

    def test_two_rounds_are_an_abba(self):
        compared = self.made(ROW, ROW)
        cells = CELLS[:5]
        self.assertEqual(compared.measure(self.results(cells), 4, shown), 1)
        for index, cell in enumerate(cells):
            of_cell = [(number, name) for number, name, each in self.calls if each == cell]
            first = "head" if index % 2 == 0 else "base"
            second = "base" if first == "head" else "head"
            self.assertEqual(of_cell, [(1, first), (1, second), (2, second), (2, first),
                                       (3, first), (3, second), (4, second), (4, first)])
        self.assertEqual(compared.measure(self.results(), 1, shown), 5)

    def test_the_order_of_cells_is_a_new_one_each_round(self):
        compared = self.made(ROW, ROW)
        compared.measure(self.results(CELLS), 3, shown)
        orders = [tuple(cell for number, name, cell in self.calls
                        if (number, name) == (which, "base")) for which in (1, 2, 3)]
        self.assertEqual(len(set(orders)), 3)
        self.assertEqual({frozenset(order) for order in orders}, {frozenset(CELLS)})

    def test_again_comes_first_between_and_last(self):
        compared = self.made(ROW, ROW, ROW)
        compared.measure(self.results(), 40, shown)
        places = {[name for number, name, _ in self.calls if number == which].index("again")
                  for which in range(1, 41)}
        self.assertEqual(places, {0, 1, 2})

    def test_progress_is_shown_before_each_pair(self):
        calls = []
        self.made(ROW, ROW).measure(self.results(), 2, lambda *call: calls.append(call))
        self.assertEqual([call[2:] for call in calls], [(1, UPFRONT), (2, UPFRONT)])

    def time(self, head, rounds=8, base=None, cells=1, again=None):
        compared = self.made(base or timed(1000), head, again, cells=cells)
        result, = results = self.results()
        self.alarms = compared.time([], results, rounds, 1, shown)
        return result

    def test_a_regression_is_judged_by_fresh_rounds_alone(self):
        """Eight rounds at twice the time; in the confirmation 10 % more."""
        result = self.time(lambda _, number, __: timed(2000 if number <= 8 else 1100))
        self.assertEqual((result.verdict, result.rounds), (rules.REGRESSED, 8))
        self.assertEqual(result.why, "+10.0 %, and again on fresh rounds")
        for value, expected in ((result.ratio, 1.1), (result.low, 1.1), (result.high, 1.1),
                                (result.base_ns, 1000), (result.head_ns, 1100)):
            self.assertAlmostEqual(value, expected, 9)
        self.assertEqual(len(self.calls), 2 * 16)

    def test_a_regression_that_passes(self):
        for later in (1000, 500):
            self.calls.clear()
            result = self.time(lambda _, number, __, later=later: timed(
                2000 if number <= 8 else later))
            self.assertEqual((result.verdict, result.why),
                             (rules.INCONCLUSIVE, "not confirmed on fresh rounds"))

    def test_what_changed_is_measured_twice(self):
        for head, verdict, times in ((1000, rules.SAME, 1), (900, rules.IMPROVED, 2)):
            self.calls.clear()
            self.assertEqual(self.time(timed(head)).verdict, verdict)
            self.assertEqual(len(self.calls), times * 2 * 8)

    def test_medians_of_unequal_sides(self):
        result = self.time(lambda _, number, __: timed(800 + (number - 1) % 8 + 1),
                           base=lambda _, number, __: timed(1000 + (number - 1) % 8 + 1))
        self.assertAlmostEqual(result.base_ns, 1004.5)
        self.assertAlmostEqual(result.head_ns, 804.5)
        self.assertAlmostEqual(result.ratio, math.sqrt(804 / 1004 * 805 / 1005), 5)
        self.assertAlmostEqual(result.low, 802 / 1002, 12)
        self.assertAlmostEqual(result.high, math.sqrt(806 / 1006 * 808 / 1008), 12)

    def test_a_harness_that_dies_is_not_tried_again(self):
        result = self.time(lambda _, number, __: HarnessFailed("died") if number == 3 else ROW)
        self.assertEqual((result.verdict, result.why), (rules.MISSING, "head died"))
        self.assertLessEqual(max(number for number, _, _ in self.calls), 3)

    def test_a_harness_that_dies_when_a_regression_is_looked_at_again(self):
        result = self.time(lambda _, number, __: HarnessFailed("died") if number == 9 else
                           timed(2000))
        self.assertEqual((result.verdict, result.why), (rules.MISSING, "head died"))

    def test_rounds_that_were_timed_on_neither_side(self):
        refused = ROW | {"status": "refused", "total_ns": ""}
        result = self.time(refused, base=refused)
        self.assertEqual((result.verdict, result.why, result.timed),
                         (rules.INCONCLUSIVE, "no round was timed on both sides", False))

    def test_base_against_itself(self):
        self.time(timed(1000), again=timed(1000))
        self.assertEqual(self.alarms, [])
        for again in (1200, 800):
            self.time(timed(1000), again=timed(again))
            self.assertEqual(self.alarms, [UPFRONT])

    def test_counts_that_vary_by_round(self):
        def varying(rounds, ns=1000):
            return lambda _, number, __: timed(ns) | {
                "commit_calls": "17" if number in rounds else "16"}
        always = varying(())
        for base, head, verdict in (
                (always, varying([3, 4]), rules.REGRESSED),
                (always, varying([3]), rules.INCONCLUSIVE),
                (varying([5]), varying([3, 4]), rules.INCONCLUSIVE),
                (varying([5]), always, rules.SAME),
                (always, varying([3], 1100), rules.REGRESSED),  # by its times all the same
                (varying([5]), varying([3, 4], 1100), rules.REGRESSED)):
            self.calls.clear()
            result = self.time(head, base=base)
            self.assertEqual(result.verdict, verdict, result.why)
            self.assertEqual("counts vary by round: commit_calls 16 -> 17" in result.why,
                             head is not always)

    def test_an_allocators_counts_may_vary_on_both_sides(self):
        cell = Configuration(KNOWN["malloc"], 65536)
        for base_varies, verdict in ((True, rules.SAME), (False, rules.REGRESSED)):
            compared = self.made(
                lambda _, number, __, varies=base_varies: ROW | {
                    "commit_calls": str(16 + (varies and number % 2))},
                lambda _, number, __: ROW | {"commit_calls": str(16 + number % 2)})
            results = self.results([cell])
            compared.time([], results, 8, 1, shown)
            self.assertEqual(results[0].verdict, verdict)


class Kept(Scratch):
    def test_samples_are_paired_by_round(self):
        samples = self.samples()
        for side, number, ns in (("base", 1, 10), ("base", 2, 20), ("head", 2, 22), ("head", 3, 33),
                                 ("base", 3, 30), ("head", 1, "")):
            samples.add(side, UPFRONT, number, ROW | {"total_ns": str(ns)})
        self.assertEqual(samples.paired(("base", "head"), UPFRONT, 1), [[20, 30], [22, 33]])
        self.assertEqual(samples.paired(("head", "base"), UPFRONT, 3), [[33], [30]])
        self.assertEqual(samples.paired(("base", "head"), CHUNKED, 1), [[], []])
        lines = (self.folder / "samples.csv").read_text().splitlines()
        self.assertEqual(len(lines), 7)
        self.assertTrue(lines[1].startswith("base,strategy=upfront/size=65536/touch=1,"))

    def test_a_full_disk_ends_the_file_and_nothing_else(self):
        samples = self.samples()
        samples.add("base", UPFRONT, 1, ROW)
        with mock.patch.object(samples.file, "add", side_effect=OSError(errno.ENOSPC, "full")):
            samples.add("base", UPFRONT, 2, ROW)
        samples.add("base", UPFRONT, 3, ROW)
        self.assertEqual(samples.failure.errno, errno.ENOSPC)
        self.assertEqual(len(samples.of("base")), 3)
        self.assertEqual(len((self.folder / "samples.csv").read_text().splitlines()), 2)

    def test_a_stored_side_gives_its_rows_by_round(self):
        stored = comparison.Stored({UPFRONT.name: ["first", "second"]})
        self.assertEqual([stored.take(UPFRONT, number) for number in range(3)],
                         ["first", "second", None])
        self.assertEqual((stored.has(UPFRONT), stored.has(CHUNKED)), (True, False))


class Exports(Scratch):
    """One comparison with unequal sides, whose every export is read back value by value."""

    def setUp(self):
        super().setUp()
        samples = self.samples()
        for number, (base, head) in enumerate(((990, 1090), (1010, 1110)), 1):
            samples.add("base", UPFRONT, number, timed(base) | {"minor_faults": "15", "batch": "4"})
            samples.add("head", UPFRONT, number, timed(head) | {"commit_calls": ""})
        samples.add("base", CHUNKED, 0, ROW | {"status": "refused", "total_ns": ""})
        slow = rules.Result(UPFRONT, rules.REGRESSED, "+10.0 %, and again", 1000.0, 1100.0, 1.1,
                            1.05, 1.2, 2, {"minor_faults": 16, "commit_bytes": 65536})
        fast = rules.Result(CELLS[1], rules.IMPROVED, "fewer", 2000.0, 1500.0, 0.75, 0.7, 0.8, 9)
        self.compared = exports.Compared(
            [fast, rules.Result(CHUNKED, rules.MISSING, "head died: a|b\\n <c> \x1b"),
             rules.Result(CELLS[3], rules.INCONCLUSIVE), slow,
             rules.Result(CELLS[4], rules.NEW, "base has no upfront"),
             rules.Result(CELLS[5], rules.SAME, "", 10.0, 10.0, 1.0, 0.99, 1.01, 9)],
            ["a note"], samples, {"started": "2026-02-03T04:05:06+00:00",
                                  "processor": {"cores": 7}})
        exports.write_forms(self.compared, self.folder)

    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def test_each_form_is_written(self):
        self.assertEqual({path.name for path in self.folder.iterdir()},
                         {"samples.csv", *exports.FORMS})
        (self.folder / "environment.json").touch()  # of an earlier comparison
        exports.remove_forms(self.folder)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["samples.csv"])

    def test_junit(self):
        suite = xml.parse(self.folder / "junit.xml").getroot().find("testsuite")
        self.assertEqual(suite.attrib, {"name": "vmcommit compare", "tests": "6", "failures": "2",
                                        "skipped": "2", "errors": "0"})
        cases = {case.get("name"): [(child.tag, child.get("message"), child.get("type"))
                                    for child in case] for case in suite}
        self.assertEqual(cases, {
            CELLS[1].name: [], CELLS[5].name: [],
            CHUNKED.name: [("failure", "head died: a|b\\n <c> \ufffd", "missing")],
            CELLS[3].name: [("skipped", "inconclusive", None)],
            UPFRONT.name: [("failure", "+10.0 % +10.0 %, and again", "regressed")],
            CELLS[4].name: [("skipped", "base has no upfront", None)]})

    @unittest.skipUnless(importlib.util.find_spec("junitparser"), "junitparser is not installed")
    def test_junit_by_another_reader(self):
        import junitparser
        suite = next(iter(junitparser.JUnitXml.fromfile(str(self.folder / "junit.xml"))))
        self.assertEqual((suite.tests, suite.failures, suite.skipped, suite.errors), (6, 2, 2, 0))
        outcomes = [(case.name, [type(each).__name__ for each in case.result]) for case in suite]
        self.assertEqual(outcomes[3], (UPFRONT.name, ["Failure"]))
        self.assertEqual([kind for _, kinds in outcomes for kind in kinds],
                         ["Failure", "Skipped", "Failure", "Skipped"])

    def test_bencher(self):
        bmf = json.loads(self.text("bmf.json"))
        self.assertEqual(list(bmf), [CELLS[1].name, UPFRONT.name, CELLS[5].name])
        slow, fast = bmf[UPFRONT.name], bmf[CELLS[1].name]
        self.assertEqual({name: value for name, value in slow.items() if name != "latency"},
                         {"minor-faults": {"value": 16}, "commit-bytes": {"value": 65536}})
        for latency, expected in ((slow["latency"], (1100, 1050, 1200)),
                                  (fast["latency"], (1500, 1400, 1600))):
            for key, value in zip(("value", "lower_value", "upper_value"), expected, strict=True):
                self.assertAlmostEqual(latency[key], value, 9)

    def test_github_action_benchmark(self):
        benchmarks = json.loads(self.text("github-action-benchmark.json"))
        self.assertEqual(benchmarks[:2], [
            {"name": "strategy fault, size 65536, touch 1", "unit": "ns/cycle", "value": 1500.0,
             "range": "± 100",
             "extra": "improved against base: -25.0 % (-30.0 % to -20.0 %)"},
            {"name": "strategy upfront, size 65536, touch 1", "unit": "ns/cycle", "value": 1100.0,
             "range": "± 75", "extra": "regressed against base: +10.0 % (+5.0 % to +20.0 %)"}])
        self.assertEqual(len(benchmarks), 3)

    def test_go(self):
        units = [f"Unit {unit}/op assume=exact" for unit in ("faults", "handled", "commits")]
        name = f"BenchmarkCommit/{UPFRONT.name}"
        for side, lines in (
                ("base", [f"{name} 4 990.0 ns/op 15 faults/op 0 handled/op 16 commits/op",
                          f"{name} 4 1010.0 ns/op 15 faults/op 0 handled/op 16 commits/op"]),
                ("head", [f"{name} 1 1090.0 ns/op 16 faults/op 0 handled/op",
                          f"{name} 1 1110.0 ns/op 16 faults/op 0 handled/op"])):
            self.assertEqual(self.text(f"{side}.bench.txt").splitlines(),
                             ["goos: linux", "pkg: vmcommit", *units, *lines])

    @unittest.skipUnless(shutil.which("benchcmp"), "benchcmp is not installed")
    def test_go_by_another_reader(self):
        read = subprocess.run(["benchcmp", "-best", *(str(self.folder / f"{side}.bench.txt")
                                                      for side in ("base", "head"))],
                              capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertRegex(read, rf"BenchmarkCommit/{re.escape(UPFRONT.name)} +990 +1090 +\+10\.10%")

    def test_google(self):
        name = UPFRONT.named(":", "/")
        for side, times, counts, batch in (
                ("base", (990, 1010), {"handled_faults": 0, "commit_calls": 16}, 4),
                ("head", (1090, 1110), {"handled_faults": 0}, 1)):
            google = json.loads(self.text(f"{side}.google-benchmark.json"))
            self.assertEqual((google["context"]["num_cpus"], google["context"]["date"]),
                             (7, "2026-02-03T04:05:06+00:00"))
            self.assertEqual(google["benchmarks"], [
                {"name": name, "run_name": name, "run_type": "iteration", "repetitions": 2,
                 "repetition_index": at, "threads": 1, "iterations": batch, "real_time": ns,
                 "cpu_time": ns, "time_unit": "ns", **counts} for at, ns in enumerate(times)])

    @unittest.skipUnless(GOOGLE_COMPARE.exists(), "Google's compare.py is not installed")
    def test_google_by_another_reader(self):
        read = subprocess.run(
            [sys.executable, str(GOOGLE_COMPARE), "--no-color", "benchmarks",
             *(str(self.folder / f"{side}.google-benchmark.json") for side in ("base", "head"))],
            capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertRegex(read, r"strategy:upfront\S* +\+0\.1010 +\+0\.1010 +990 +1090 ")

    def test_markdown(self):
        lines = self.text("COMPARE.md").splitlines()
        self.assertEqual(lines[:4], [
            "## vmcommit compare", "", "REGRESSION: upfront 64 KiB: +10.0 %, and again. 6 cells: 1 "
            "regressed, 1 missing, 1 inconclusive, 1 improved, 1 new, 1 same.", ""])
        self.assertIn("> a note", lines)
        rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
        self.assertEqual([rows[at] for at in (0, 1, 2, 4)], [
            ["cell", "base", "head", "change", "confidence interval", "verdict", "why"],
            ["upfront 64 KiB", "1 µs", "1.1 µs", "+10.0 %", "+5.0 % to +20.0 %", "regressed",
             "+10.0 %, and again"],
            ["chunked 64 KiB, step 64 KiB", "", "", "", "", "missing",
             "head died: a\\|b\\\\n &lt;c&gt; \x1b"],
            ["fault 64 KiB", "2 µs", "1.5 µs", "-25.0 %", "-30.0 % to -20.0 %", "improved",
             "fewer"]])

    def test_markdown_of_what_others_wrote(self):
        """No link, no picture, no name that is told of it."""
        self.compared.notes.append("[click](http://x) ![x](http://x/p.png) *a* `b`")
        self.assertIn(r"> \[click\](http://x) !\[x\](http://x/p.png) \*a\* \`b\`",
                      exports.comment(self.compared).splitlines())

    def test_rows_of_no_platform(self):
        """As in a baseline of an older version."""
        for _, row in self.compared.samples.of("head"):
            del row["platform"]
        self.assertTrue(exports.go_bench(self.compared, "head").startswith("goos: \n"))

    def test_the_terminals_table(self):
        lines = exports.table(self.compared.results).splitlines()
        self.assertRegex(lines[0], r"^cell +base +head +change +confidence interval  verdict$")
        self.assertRegex(lines[1], r"^upfront 64 KiB +1 µs  1\.1 µs +\+10\.0 % +\+5\.0 % to "
                                   r"\+20\.0 %  regressed +\+10\.0 %, and again$")
        self.assertEqual(lines[-1], rules.closing(self.compared.results))
        coloured = exports.table(self.compared.results, colour=True).splitlines()
        self.assertEqual(coloured[1], f"\033[31m{lines[1]}\033[0m")
        self.assertEqual(coloured[2:], lines[2:])

    def test_nothing_was_timed(self):
        nothing = exports.Compared([rules.Result(UPFRONT, rules.MISSING, "x")], [],
                                   comparison.Samples(self.folder / "none.csv"),
                                   self.compared.environment)
        texts = {name: form.text(nothing) for name, form in exports.FORMS.items()}
        self.assertEqual(json.loads(texts["bmf.json"]), {})
        self.assertEqual(json.loads(texts["github-action-benchmark.json"]), [])
        self.assertEqual(json.loads(texts["head.google-benchmark.json"])["benchmarks"], [])
        self.assertEqual(texts["base.bench.txt"], "\n")

    def test_a_form_enters_itself(self):
        with mock.patch.dict(exports.FORMS):
            exports.form("count.txt", "how many")(lambda compared: str(len(compared.results)))
            exports.form_of_side("side.txt", "which")(lambda compared, side: side)
            exports.write_forms(self.compared, self.folder)
        self.assertEqual([self.text(name) for name in ("count.txt", "base.side.txt",
                                                       "head.side.txt")], ["6", "base", "head"])

    def test_the_documentation_lists_each(self):
        rows = re.findall(r"^\| (`.+`) \| (.*) \|$", (ROOT / "docs" / "ci.md").read_text(
            encoding="utf-8").partition("## What it writes")[2], re.MULTILINE)
        documented = {name: purpose for names, purpose in rows
                      for name in re.findall("`([^`]+)`", names)}
        for name, form in exports.FORMS.items():
            self.assertEqual(documented.get(name), form.purpose, name)
        self.assertEqual(set(documented) - set(exports.FORMS),
                         {"../history.csv", "samples.csv", "environment.json"})


ENVIRONMENT = {
    "processor": {"model": "M", "family_model_stepping": ["6", "85", None], "cores": 2,
                  "hypervisor": "KVM", "governor": None, "architecture": "x", "cores_usable": 1},
    "system": {"name": "Linux", "kernel": "6.1", "page_bytes": 4096},
    "build": {"compiler": "GNU", "version": "12", "flags": "-O2", "type": "Release",
              "version_of_vmcommit": "0.1"},
    "settings": {"thp_enabled": "madvise", "thp_defrag": "always", "overcommit_memory": 0,
                 "overcommit_ratio": 50, "max_map_count": 65530, "clocksource": "tsc"},
    "memory": {"total_bytes": 1}, "seed": 1}


def changed(place, value):
    part, name = place
    return ENVIRONMENT | {part: ENVIRONMENT[part] | {name: value}}


class Fingerprints(unittest.TestCase):
    def test_what_times_depend_on(self):
        self.assertEqual(baselines.fingerprint(ENVIRONMENT), {
            "processor model": "M", "processor family_model_stepping": ["6", "85", None],
            "processor cores": 2, "processor hypervisor": "KVM", "processor governor": None,
            "system name": "Linux", "system kernel": "6.1", "system page_bytes": 4096,
            "build compiler": "GNU", "build version": "12", "build flags": "-O2",
            "settings thp_enabled": "madvise", "settings thp_defrag": "always",
            "settings overcommit_memory": 0, "settings overcommit_ratio": 50,
            "settings max_map_count": 65530, "settings clocksource": "tsc"})
        self.assertEqual(baselines.fingerprint({"build": None, "processor": {}}), {})

    def test_each_of_it_makes_a_difference(self):
        self.assertEqual(baselines.differences(ENVIRONMENT, ENVIRONMENT), [])
        for part, names in baselines.FINGERPRINT.items():
            for name in names:
                other = changed((part, name), "other")
                text = baselines.text(ENVIRONMENT[part][name])
                self.assertEqual(baselines.differences(ENVIRONMENT, other),
                                 [f"{part} {name} {text} -> other"])
        self.assertEqual(baselines.differences(
            ENVIRONMENT, changed(("processor", "family_model_stepping"), ["6", "86", None])),
            ["processor family_model_stepping 6/85/none -> 6/86/none"])

    def test_what_makes_none(self):
        for place in (("processor", "architecture"), ("build", "type"), ("memory", "total_bytes"),
                      ("settings", "of_a_later_version")):
            self.assertEqual(baselines.differences(ENVIRONMENT, changed(place, "other")), [])
            self.assertEqual(baselines.differences(changed(place, "other"), ENVIRONMENT), [])
        fewer = {name: value for name, value in ENVIRONMENT["settings"].items()
                 if name != "clocksource"}
        older = ENVIRONMENT | {"settings": fewer}
        self.assertEqual(baselines.differences(older, ENVIRONMENT), [])
        self.assertEqual(baselines.differences(ENVIRONMENT, older), [])

    def test_each_name_has_a_known_shape(self):
        for part, names in baselines.FINGERPRINT.items():
            self.assertLessEqual(set(names), set(SHAPE[part]))
        filled(ENVIRONMENT, SHAPE)

    def test_names(self):
        for name, valid in (("a", True), ("v1.2_x-3", True), ("", False), (".a", False),
                            ("a/b", False), ("-a", False), ("a\n", False), ("é", False)):
            self.assertEqual(chosen.valid_name(name), valid, name)


class Stored(Scratch):
    """Baselines as they lie on a disk."""

    def setUp(self):
        super().setUp()
        self.kept = self.folder / "kept"
        self.kept.mkdir()
        self.cells = CELLS[:4]
        self.write()

    def write(self, rows=None, columns=None, environment=None):
        if rows is None:
            rows = [ROW | {"side": "head", "cell": cell.name, "round": str(number)}
                    for number in range(3) for cell in self.cells]
        columns = columns or list(rows[0])
        (self.kept / "samples.csv").write_text("".join(
            ",".join(f"{row.get(column, '')}" for column in columns) + "\r\n"
            for row in [dict(zip(columns, columns)), *rows]))
        (self.kept / "environment.json").write_text(json.dumps(environment or ENVIRONMENT))

    def rows(self, **values):
        return [ROW | {"side": "head", "cell": cell.name, "round": str(number)} | values
                for number in range(3) for cell in self.cells]

    def test_read(self):
        shuffled = self.rows()
        for at, row in enumerate(shuffled):
            row["total_ns"] = str(1000 + at)
        self.write(shuffled[::-1])
        baseline = baselines.read(self.kept)
        self.assertEqual(set(baseline.rows), {cell.name for cell in self.cells})
        self.assertEqual([row["total_ns"] for row in baseline.rows[self.cells[1].name]],
                         ["1001", "1005", "1009"])  # by round, however they lie
        self.assertEqual((baseline.environment, baseline.strategies, baseline.lacking),
                         (ENVIRONMENT, {}, []))

    def test_of_other_versions(self):
        columns = [column for column in self.rows()[0] if column != "minor_faults"]
        self.write(columns=[*columns, "of_a_later_version"], environment=ENVIRONMENT | {
            "strategies": [strategies.to_json(KNOWN["guard"])], "of_a_later_version": [1]})
        baseline = baselines.read(self.kept)
        self.assertEqual(baseline.lacking, ["minor_faults"])
        self.assertEqual(baseline.strategies, {"guard": KNOWN["guard"]})

    def assertUnusable(self, *words):
        with self.assertRaises(baselines.Unusable) as raised:
            baselines.read(self.kept)
        for word in (*words, "make baseline NAME=kept"):
            self.assertIn(word, str(raised.exception))
        self.assertNotIn("\n", str(raised.exception))

    def test_texts_that_are_no_values(self):
        for column, texts in (("total_ns", ("x", "", "0", "-7", "nan", "NaN", "inf", "1e400")),
                              ("minor_faults", ("x", "-1", "nan", "inf")),
                              ("status", ("fine", "")), ("round", ("x", "", "1.5", "9" * 400)),
                              ("touched_bytes", ("0", ""))):
            for text in texts:
                with self.subTest(column=column, text=text[:9]):
                    rows = self.rows()
                    rows[5][column] = text
                    self.write(rows)
                    self.assertUnusable(f"samples.csv, line 7, {column}: '{text[:40]}'")

    def test_environments_that_are_none(self):
        for environment, words in (
                ({"processor": ["x"]}, "processor is not an object"), ([1], "not an object"),
                ({"settings": {"thp_enabled": [1]}}, "settings.thp_enabled"),
                ({"strategies": [{"name": "x"}]}, "strategies"),
                ({"system": 7}, "system is not an object")):
            with self.subTest(words):
                self.write(environment=environment)
                self.assertUnusable("environment.json", words)
        for text in ("", "{", "[" * 100000, '{"a": NaN'):
            (self.kept / "environment.json").write_text(text)
            self.assertUnusable("environment.json is no JSON")
        (self.kept / "environment.json").unlink()
        self.assertUnusable("environment.json: No such file")

    def test_cut_off(self):
        whole = (self.kept / "samples.csv").read_bytes()
        lines = whole.splitlines(keepends=True)
        for content, words in ((whole[:-30], "cut off"), (whole[:-3], "cut off"),
                               (b"".join(lines[:8]), "cut off: its cells have 0 to 1 rounds of 1"),
                               (lines[0], "no sample"), (b"", ""), (b"\xff\xfe" + whole, "")):
            (self.kept / "samples.csv").write_bytes(content)
            self.assertUnusable("samples.csv" if "rounds" not in words else "", words)
        self.write(environment=ENVIRONMENT | {"rounds": 3})
        self.assertUnusable("cut off: its cells have 2 to 2 rounds of 3")
        for column in baselines.NEEDED:
            self.write(columns=[name for name in self.rows()[0] if name != column])
            self.assertUnusable(f"no column {column}")

    def test_an_empty_environment_is_one_of_which_nothing_is_known(self):
        (self.kept / "environment.json").write_text("{}")
        self.assertEqual(baselines.differences(baselines.read(self.kept).environment, ENVIRONMENT),
                         [])

    def test_campaigns(self):
        baseline = baselines.read(self.kept)
        all_of_size = CELLS[:4]
        baselines.refuse_other_campaign(baseline, all_of_size)
        other = chosen.cells([KNOWN["malloc"]])
        baselines.refuse_other_campaign(baseline, all_of_size + other)  # new
        for cells, words in ((all_of_size[:3], "0 of 3 cells are missing, 1 are unknown"),
                             (CELLS[:8], "4 of 8 cells are missing, 0 are unknown"),
                             (other, "6 of 6 cells are missing, 4 are unknown")):
            with self.assertRaisesRegex(baselines.Unusable, words):
                baselines.refuse_other_campaign(baseline, cells)

    def test_there_is_none(self):
        for there, words in ((["a", ".hidden", "b"], "there are a and b"), (["a"], "there is a"),
                             ([], "keep one: make baseline NAME=nowhere")):
            with tempfile.TemporaryDirectory() as folder:
                for name in there:
                    pathlib.Path(folder, name).mkdir()
                with self.assertRaisesRegex(baselines.Unusable, f"none of that name; {words}"):
                    baselines.read(pathlib.Path(folder, "nowhere"))


if __name__ == "__main__":
    unittest.main()
