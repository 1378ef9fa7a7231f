"""The cost model on prices that are known, its formulas against the table of exact counts, and the
check of parts against wholes."""

import copy
import importlib.util
import itertools
import math
import unittest

import made
from made import CHUNKED, FAULT, GUARD, PAGE, UPFRONT
from support import ROOT

import numpy
import pandas

from vmcommit.analyse import model, selfcheck
from vmcommit.analyse.summary import summarise
from vmcommit.base.units import KIB, MIB

ASKING, TRAPPING, EAGER = made.FIFTHS[1], made.FIFTHS[0], made.FIFTHS[2]
STRATEGIES = (*made.FOUR, *made.FIFTHS)
PRICES = {"cycle": 6000.0, "pages": 400.0, "commit_calls": 900.0, "handled_faults": 1500.0}


def table_of_counts():
    """tests/cli/counts.py, as a module."""
    path = ROOT / "tests" / "cli" / "counts.py"
    spec = importlib.util.spec_from_file_location("table_of_counts", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Formulas(unittest.TestCase):
    def check(self, strategy, table, guard=None):
        for (pages, *step, touch), expected in table.items():
            size, step = pages * PAGE, (step or [16])[0] * PAGE
            does = model.counts(strategy, size, expected["minor_faults"] * PAGE, step, PAGE, guard)
            with self.subTest(strategy=strategy.name, pages=pages, step=step, touch=touch):
                self.assertEqual(does, {
                    "cycle": 1, "pages": expected["minor_faults"],
                    "commit_calls": expected["commit_calls"],
                    "handled_faults": expected["handled_faults"]})

    def test_they_give_the_table_that_the_harnesses_are_held_against(self):
        table = table_of_counts()
        for strategy, counts, guard in (
                (UPFRONT, table.UPFRONT, None), (FAULT, table.FAULT, None),
                (CHUNKED, table.CHUNKED, None), (GUARD, table.GUARD_COMMITTED, "madvise"),
                (GUARD, table.GUARD_UNCOMMITTED, "prot_none")):
            self.check(strategy, counts, guard)

    def test_a_strategy_of_another_nature(self):
        def without_traps(counts):
            return {key: {**row, "handled_faults": 0} for key, row in counts.items()}

        table = table_of_counts()
        self.check(ASKING, without_traps(table.FAULT))
        self.check(TRAPPING, {key: {**row, "handled_faults": row["commit_calls"]}
                              for key, row in table.CHUNKED.items()})
        self.check(EAGER, table.UPFRONT)

    def test_made_up_rows_follow_them(self):
        for strategy in STRATEGIES:
            rows = summary(strategy)
            self.assertTrue(model.follows_formulas(strategy, rows), strategy.name)
            for column in ("commit_calls", "handled_faults"):
                wrong = rows.copy()
                wrong.loc[3, column] += 1
                self.assertFalse(model.follows_formulas(strategy, wrong), strategy.name)
                self.assertIsNone(model.fit_strategy(strategy, wrong))


def cells():
    for size in (64 * KIB, MIB, 16 * MIB):
        for touch in ("1", "0.5", "0.1"):
            for step in (4 * KIB, 64 * KIB, MIB):
                yield size, touch, step


def summary(strategy, noise=0.0, prices=None):
    """Of cells whose times follow from their counts, but for lognormal noise."""
    draws = numpy.random.default_rng(5)
    prices, rows = prices or PRICES, []
    for size, touch, step in cells():
        if strategy.stepped or step == 64 * KIB:
            row = made.row(strategy, size, 0, touch=touch, step=step)
            does = {"cycle": 1, "pages": row["touched_bytes"] // PAGE,
                    "commit_calls": row["commit_calls"], "handled_faults": row["handled_faults"]}
            total = sum(prices[name] * count for name, count in does.items())
            rows.append({**row, "total_ns": total * draws.lognormal(0, noise)})
    table = made.table(rows, STRATEGIES)
    return table.assign(samples=9)


def fitted(strategy, noise=0.0, prices=None):
    return model.fit_strategy(strategy, summary(strategy, noise, prices))


class Fit(unittest.TestCase):
    def check(self, strategy, tied, **expected):
        kept = fitted(strategy)
        self.assertEqual((set(kept["ns"]), kept["tied"]), (set(expected), tied))
        for term, value in expected.items():
            price = kept["ns"][term]
            for end in ("value", "low", "high"):
                self.assertAlmostEqual(price[end] / value, 1, 6)

    def test_known_prices_are_found_and_what_comes_together_has_one(self):
        self.check(UPFRONT, {"commit_calls": ["cycle"]}, cycle=6900, pages=400)
        self.check(FAULT, {"commit_calls": ["pages"], "handled_faults": ["pages"]}, cycle=6000,
                   pages=2800)
        self.check(CHUNKED, {}, cycle=6000, pages=400, commit_calls=900)
        self.check(TRAPPING, {"handled_faults": ["commit_calls"]}, cycle=6000, pages=400,
                   commit_calls=2400)
        self.check(ASKING, {"commit_calls": ["pages"]}, cycle=6000, pages=1300)
        self.check(EAGER, {"commit_calls": ["cycle"]}, cycle=6900, pages=400)

    def test_intervals_hold_the_true_price_and_widen_with_noise(self):
        narrow, wide = (fitted(CHUNKED, noise)["ns"] for noise in (0.01, 0.05))
        for term in ("cycle", "pages", "commit_calls"):
            for ns in (narrow, wide):
                self.assertLess(ns[term]["low"], PRICES[term], term)
                self.assertGreater(ns[term]["high"], PRICES[term], term)
            widths = [ns[term]["high"] - ns[term]["low"] for ns in (narrow, wide)]
            self.assertGreater(widths[1], 3 * widths[0])

    def test_one_price_by_hand(self):
        """Times of 90, 100 and 110 for one thing each: least squares of 1 - b / t give b = sum(1/t)
        / sum(1/t^2), and the t distribution with two degrees of freedom 4.30265."""
        times = numpy.array([90.0, 100.0, 110.0])
        prices, covariance, residuals, standard = model.least_squares(
            [numpy.ones(3)], times, numpy.arange(3))
        price = (1 / times).sum() / (1 / times ** 2).sum()
        variance = ((1 - price / times) ** 2).sum() / 2
        self.assertAlmostEqual(prices[0], price)
        self.assertAlmostEqual(covariance[0, 0], variance / (1 / times ** 2).sum(), 3)
        numpy.testing.assert_allclose(residuals, 1 - price / times)
        rows = pandas.DataFrame({"size_bytes": [1, 2, 3], "touched_bytes": [4, 5, 6],
                                 "chunk_bytes": [7, 8, 9]})
        errors = model.residuals_json(rows, numpy.array([0.1, -0.3, 0.2]), standard, 2)
        self.assertEqual([errors[name] for name in (
            "configurations", "median", "worst", "worst_size_bytes", "worst_touched_bytes",
            "worst_chunk_bytes")], [3, 0.2, -0.3, 2, 5, 8])
        self.assertAlmostEqual(errors["student"], 4.30265, 5)
        self.assertAlmostEqual(errors["standard"], math.sqrt(variance), 6)

    def test_rows_of_one_size_count_as_one(self):
        """Three sizes of one thing each, 90, 100 and 110, as above; that of 100 was measured ten
        times over, which tells no more of a fourth size."""
        times = numpy.array([90.0, *[100.0] * 10, 110.0])
        touched = numpy.array([1, *[2] * 10, 3])
        once = model.least_squares([numpy.ones(3)], times[[0, 1, 11]], numpy.arange(3))
        again = model.least_squares([numpy.ones(12)], times, touched)
        for index in (0, 1, 3):
            self.assertAlmostEqual(float(once[index].sum() if index < 3 else once[3]),
                                   float(again[index].sum() if index < 3 else again[3]), 3)

    def test_errors_within_a_size_do_not_count_as_its_own(self):
        """Two sizes of two rows, 10 % to either side, and sizes alike."""
        residuals = numpy.array([0.1, -0.1, 0.1, -0.1])
        common, own = model.spreads(residuals, numpy.array([1, 1, 2, 2]), 1)
        self.assertAlmostEqual(own, 0.02)
        self.assertEqual(common, 0.0)
        common, own = model.spreads(numpy.array([0.1, 0.1, -0.1, -0.1]),
                                    numpy.array([1, 1, 2, 2]), 1)
        self.assertAlmostEqual(common, 0.02)
        self.assertLess(own, 1e-7)

    def test_what_is_kept_of_a_run(self):
        kept = fitted(GUARD, 0.01)
        self.assertEqual((kept["guard"], kept["measured"]), ("madvise", {
            "size_bytes": [64 * KIB, 16 * MIB], "touched_bytes": [8 * KIB, 16 * MIB],
            "chunk_bytes": [4 * KIB, MIB]}))
        self.assertEqual((fitted(FAULT)["guard"], fitted(FAULT)["measured"]["chunk_bytes"]),
                         (None, None))

    def test_only_rows_in_sequence_with_samples_count(self):
        rows = summary(CHUNKED)
        worse = rows.assign(total_ns=1e9)
        mixed = pandas.concat([rows, worse.assign(touch_order="random"),
                               worse.assign(samples=0), worse.assign(strategy="fault")])
        for kept in (model.fit(mixed, [CHUNKED]), model.fit(rows, [CHUNKED, GUARD])):
            self.assertEqual(list(kept["strategies"]), ["chunked"])
            self.assertEqual(kept["page_bytes"], PAGE)
            self.assertAlmostEqual(kept["strategies"]["chunked"]["ns"]["pages"]["value"], 400)
        self.assertEqual(model.fit(rows[:0], [CHUNKED]), {"page_bytes": None, "strategies": {}})

    def test_too_few_configurations_have_no_model(self):
        """Two prices need two configurations more."""
        rows = summary(UPFRONT).drop_duplicates("touched_bytes")
        self.assertIsNone(model.fit_strategy(UPFRONT, rows[:3]))
        self.assertIsNotNone(model.fit_strategy(UPFRONT, rows[:4]))


class Caches(unittest.TestCase):
    """Pages that cost 400 as far as caches hold them, 512 KiB, and 1900 from 2 MiB on."""

    ENDS = (128, 512)

    def summary(self, strategy, noise=0.01):
        """As of a default run: a factor of four between sizes, all touched and a tenth."""
        rows, draws = [], numpy.random.default_rng(7)
        for size in (4 ** power * KIB for power in range(2, 11)):
            level = draws.lognormal(0, noise)
            for touch, step in itertools.product(("1", "0.1"), (16 * KIB, 64 * KIB)):
                row = made.row(strategy, size, 0, touch=touch, step=step)
                pages = row["touched_bytes"] // PAGE
                share = (math.log(pages) - math.log(128)) / math.log(4)
                total = level * (6000 + pages * (400 + 1500 * min(max(share, 0), 1))
                                 + 900 * row["commit_calls"])
                rows.append({**row, "total_ns": total * draws.lognormal(0, 0.002)})
        return made.table(rows, STRATEGIES).assign(samples=9)

    def test_where_they_end_is_found_to_the_next_size(self):
        rows = self.summary(CHUNKED)
        kept = model.fit(rows, [CHUNKED])["strategies"]["chunked"]
        sizes = sorted({int(pages) for pages in rows.touched_bytes // PAGE})
        for found, true in zip(kept["caches"], self.ENDS, strict=True):
            self.assertLessEqual(abs(sizes.index(found) - sizes.index(
                min(sizes, key=lambda size: abs(size - true)))), 1)
        for term, price in (("pages", 400), (model.UNCACHED, 1500), ("commit_calls", 900)):
            self.assertAlmostEqual(kept["ns"][term]["value"] / price, 1, delta=0.1)
        self.assertLess(kept["residuals"]["standard"], 0.05)

    def test_where_one_price_does_there_is_one(self):
        for seed in range(20):
            draws = numpy.random.default_rng(seed)
            rows = summary(CHUNKED)
            errors = {size: draws.lognormal(0, 0.05) for size in rows.touched_bytes.unique()}
            rows["total_ns"] *= rows.touched_bytes.map(errors)
            kept = model.fit_strategy(CHUNKED, rows, model.caches_of([rows]))
            with self.subTest(seed=seed):
                self.assertEqual((kept["caches"], model.UNCACHED in kept["ns"]), (None, False))

    def test_between_the_two_there_is_room_for_both(self):
        prices = {"cycle": 0.0, "pages": 10.0, model.UNCACHED: 20.0}
        kept = {"ns": {name: {"value": value} for name, value in prices.items()},
                "caches": [16, 64], "covariance": numpy.zeros((3, 3)).tolist(),
                "residuals": {"student": 2.0, "standard": 0.01}}
        for pages, ns, low, high in ((16, 10, 9.8, 10.2), (64, 30, 29.4, 30.6),
                                     (32, 20, 9.8, 30.6), (1, 10, 9.8, 10.2),
                                     (1000, 30, 29.4, 30.6)):
            does = dict(zip(model.TERMS, (1, pages, 0, 0)))
            for value, expected in zip(model.cost(kept, does), (ns, low, high), strict=True):
                self.assertAlmostEqual(value / pages, expected)


class Predict(unittest.TestCase):
    def setUp(self):
        self.model = {"page_bytes": PAGE, "strategies": {
            "chunked": fitted(CHUNKED, 0.03), "guard": fitted(GUARD, 0.03),
            "fault": fitted(FAULT, 0.03)}}

    def test_a_prediction_says_when_it_extrapolates(self):
        for strategy, size, touch, step, outside in (
                (CHUNKED, 16 * MIB, "0.5", 64 * KIB, []), (CHUNKED, 64 * KIB, "1", 4 * KIB, []),
                (CHUNKED, 2**40, "1", 64 * KIB, ["size", "touched"]),
                (CHUNKED, 32 * MIB, "0.5", 64 * KIB, ["size"]),
                (CHUNKED, 64 * KIB, "0.01", 64 * KIB, ["touched"]),
                (CHUNKED, MIB, "1", 2 * MIB, ["chunk"]), (FAULT, MIB, "1", 2 * MIB, [])):
            with self.subTest(strategy=strategy.name, size=size, touch=touch, step=step):
                ns, low, high, does, beyond = model.predict(self.model, strategy, size, touch, step)
                truth = sum(PRICES[name] * count for name, count in does.items())
                self.assertTrue(low < truth < high and low < ns < high)
                self.assertEqual(beyond, outside)

    def test_values_by_hand(self):
        """2 cycles' worth of 1000 and 10 a page of 16: 1160, with a deviation of the price of 30,
        and of single times of 0.1 of 1160: sqrt(900 + 116^2), times 2."""
        prices = {
            "ns": {"cycle": {"value": 1000.0}, "pages": {"value": 10.0}}, "guard": None,
            "covariance": [[900.0, 0.0], [0.0, 0.0]],
            "residuals": {"student": 2.0, "standard": 0.1},
            "measured": {"size_bytes": [1, MIB], "touched_bytes": [1, MIB], "chunk_bytes": None}}
        kept = {"page_bytes": PAGE, "strategies": {"fault": prices, "chunked": prices}}
        ns, low, high, does, outside = model.predict(kept, FAULT, 64 * KIB, "1", 64 * KIB)
        reach = 2 * math.sqrt(900 + 116 ** 2)
        for value, expected in ((ns, 1160), (low, 1160 - reach), (high, 1160 + reach)):
            self.assertAlmostEqual(value, expected)
        self.assertEqual((does["handled_faults"], outside), (16, []))
        self.assertEqual(model.predict(kept, CHUNKED, 64 * KIB, "1", 64 * KIB)[4], ["chunk"])
        prices["residuals"]["standard"] = 1.0
        self.assertEqual(model.predict(kept, FAULT, 64 * KIB, "1", 64 * KIB)[1], 0)
        prices["covariance"][0][0] = -1e12
        self.assertEqual(model.predict(kept, FAULT, 64 * KIB, "1", 64 * KIB)[2], 3 * 1160)

    def test_several_threads_by_hand(self):
        """16 pages: 1000 and 10 a page by one, known exactly; by two 3 a page more, between 2 and
        5, and 100 a commit more, between 100 and 104: 1160 + 48 + 1600, with 16 below, and
        hypot(32, 64) above. Of 4096 pages what was measured with as many counts."""
        prices = {"ns": {"cycle": {"value": 1000.0}, "pages": {"value": 10.0}},
                  "covariance": [[0.0, 0.0], [0.0, 0.0]],
                  "residuals": {"student": 2.0, "standard": 0.0},
                  "threads": {"2": [{"pages": 64, "ns": {
                      "pages": {"value": 3, "low": 2, "high": 5},
                      "commit_calls": {"value": 100, "low": 100, "high": 104}}},
                      {"pages": 2048, "ns": {"pages": {"value": 1, "low": 1, "high": 1}}}]}}
        does = dict(zip(model.TERMS, (1, 16, 16, 16)))
        self.assertEqual(model.cost(prices, does), (1160, 1160, 1160))
        for value, expected in zip(model.cost(prices, does, 2),
                                   (2808, 2792, 2808 + math.hypot(32, 64)), strict=True):
            self.assertAlmostEqual(value, expected)
        does = dict(zip(model.TERMS, (1, 4096, 4096, 4096)))
        self.assertEqual(model.cost(prices, does, 2)[0], 1000 + 11 * 4096)

    def test_a_guard_page_is_committed_unless_it_is_none(self):
        calls = []
        for guard in ("madvise", "prot_none"):
            self.model["strategies"]["guard"]["guard"] = guard
            calls.append(model.predict(self.model, GUARD, MIB, "1", 64 * KIB)[3]["commit_calls"])
        self.assertEqual(calls, [17, 16])


class Checked(unittest.TestCase):
    def test_what_was_fitted_is_a_model(self):
        rows = pandas.concat([summary(which, 0.01) for which in (UPFRONT, CHUNKED, GUARD)])
        kept = model.fit(rows, STRATEGIES)
        self.assertEqual(len(kept["strategies"]), 3)
        self.assertIs(model.checked({"model": kept}), kept)
        nothing = {"page_bytes": None, "strategies": {}}
        self.assertIs(model.checked({"model": nothing}), nothing)

    def test_what_is_damaged_is_named(self):
        whole = {"model": model.fit(summary(CHUNKED, 0.01), [CHUNKED])}
        for path, value, place in (
                (("model",), None, "model"), (("model", "strategies"), [], "model"),
                (("model", "page_bytes"), 0, "page_bytes"),
                (("model", "page_bytes"), "4096", "page_bytes"),
                (("chunked",), [], "chunked"), (("chunked", "ns"), {}, "chunked"),
                (("chunked", "ns", "pages"), 400, "ns"),
                (("chunked", "ns", "luck"), {"value": 1, "low": 1, "high": 1}, "ns"),
                (("chunked", "ns", "pages", "low"), math.inf, "ns"),
                (("chunked", "ns", "pages", "high"), True, "ns"),
                (("chunked", "caches"), [2, 1], "caches"), (("chunked", "caches"), 7, "caches"),
                (("chunked", "caches"), ["1", 2], "caches"), (("chunked", "guard"), 7, "guard"),
                (("chunked", "residuals"), None, "residuals"),
                (("chunked", "residuals", "student"), "2", "residuals"),
                (("chunked", "residuals", "standard"), None, "residuals"),
                (("chunked", "covariance"), [[1.0]], "covariance"),
                (("chunked", "covariance"), [["a"] * 3] * 3, "covariance"),
                (("chunked", "covariance"), [[math.nan] * 3] * 3, "covariance"),
                (("chunked", "threads"), [], "threads"), (("chunked", "threads"), {"2": []},
                                                          "threads"),
                (("chunked", "threads"), {"x": [{"pages": 1, "ns": {}}]}, "threads"),
                (("chunked", "threads"), {"2": [{"pages": 0, "ns": {}}]}, "threads"),
                (("chunked", "threads"), {"2": [{"pages": 1, "ns": {"pages": 7}}]}, "threads"),
                (("chunked", "measured"), [], "measured"),
                (("chunked", "measured", "size_bytes"), None, "measured"),
                (("chunked", "measured", "size_bytes"), [1, 2, 3], "measured"),
                (("chunked", "measured", "chunk_bytes"), [1, None], "measured")):
            damaged = copy.deepcopy(whole)
            part = damaged if path[0] == "model" else damaged["model"]["strategies"]
            for name in path[:-1]:
                part = part[name]
            part[path[-1]] = value
            with self.subTest(path=path, value=value):
                with self.assertRaisesRegex(ValueError, f"{place} is missing or no model's"):
                    model.checked(damaged)
        for nothing in ([], None, {}, {"model": {}}):
            with self.assertRaises(ValueError):
                model.checked(nothing)


class SelfCheck(unittest.TestCase):
    CALIBRATION = {"commit_call_ns": 160.0, "trap_ns": 240.0, "page_fault_ns": 500.0}

    def check(self, *cells, calibration=None):
        rows = [made.row(which, size, ns, step=step, **columns)
                for which, size, ns, step, *more in cells for columns in more or [{}]]
        table = summarise(made.table(rows, (*STRATEGIES, made.CUSTOM)), self.CALIBRATION)
        with made.strict():
            return {check["what"]: (check["whole"], check["parts"], round(check["difference"], 9),
                                    check["flagged"])
                    for check in selfcheck.check(table, calibration or self.CALIBRATION)}

    CELLS = [(UPFRONT, MIB, 1000, 0), (FAULT, MIB, 1500, 0), (CHUNKED, MIB, 1010, 64 * KIB),
             (CHUNKED, MIB, 1200, PAGE), (CHUNKED, MIB, 1100, 16 * KIB),
             (GUARD, MIB, 1500, 64 * KIB), (UPFRONT, 64 * KIB, 1, 0), (FAULT, 64 * KIB, 1, 0),
             (CHUNKED, 64 * KIB, 1, 64 * KIB)]

    def test_parts_and_wholes_by_hand(self):
        """fault: a call and a trap a page are 400 of 500; a call of 160 is all of 16 pages' 10, and
        160 of 200 where each page has one."""
        self.assertEqual(self.check(*self.CELLS), {
            "1 MiB: fault less upfront, against its traps and commit calls": (500, 400, 0.2, False),
            "1 MiB: chunked by 64 KiB less upfront, against its commit calls": (10, 10, 0, False),
            "1 MiB: chunked by 4 KiB less upfront, against its commit calls":
                (200, 160, 0.2, False)})

    def test_more_than_a_quarter_apart_is_flagged(self):
        for ns, difference, flagged in ((1214, 54 / 214, True), (1212, 52 / 212, False),
                                        (1128, -32 / 128, False), (1127, -33 / 127, True),
                                        (900, -2.6, True)):
            checks = self.check(*self.CELLS[:1], (CHUNKED, MIB, ns, PAGE))
            self.assertEqual([check[2:] for check in checks.values()],
                             [(round(difference, 9), flagged)])

    def test_what_is_not_checked(self):
        """What was brought, another order, a part touched, what commits all at once, and what
        costs exactly as much as upfront."""
        self.assertEqual(self.check(
            *self.CELLS[:1], (made.CUSTOM, MIB, 1500, 64 * KIB), (EAGER, MIB, 1300, 0),
            (CHUNKED, MIB, 1000, 64 * KIB), (CHUNKED, MIB, 3000, 64 * KIB, {"touch": "0.5"}),
            (CHUNKED, MIB, 3000, 64 * KIB, {"touch_order": "random"})), {})

    def test_without_prices_upfront_or_steps(self):
        none = {"commit_call_ns": None, "trap_ns": 240.0}
        self.assertEqual(self.check(*self.CELLS, calibration=none), {})
        no_trap = {"commit_call_ns": 160.0, "trap_ns": None}
        self.assertEqual(len(self.check(*self.CELLS, calibration=no_trap)), 2)
        self.assertEqual(self.check(*self.CELLS[1:6]), {})
        self.assertEqual(self.check(*self.CELLS[:2]), {})

    def test_pages_that_need_no_trap(self):
        checks = self.check(*self.CELLS[:1], (ASKING, MIB, 1200, 0), (CHUNKED, MIB, 1010, 64 * KIB))
        self.assertEqual(checks["1 MiB: asking less upfront, against its commit calls"],
                         (200, 160, 0.2, False))


if __name__ == "__main__":
    unittest.main()
