"""Comparing in turns: which cell the next set is of, when a verdict is known, and what is said of
it. Sets are pretended, and so is the clock: each look at it finds it a second further."""

import csv
import itertools
import math
import pathlib
import statistics
import tempfile
import types
import unittest
from statistics import NormalDist
from unittest import mock

import made
from support import ROOT  # noqa: F401 (puts the package on the path)

import numpy

from vmcommit.base.cells import Configuration
from vmcommit.base.columns import NEEDED
from vmcommit.base.units import KIB, MIB
from vmcommit.commands import compare
from vmcommit.gate import comparison, in_turns, rules
from vmcommit.gate.comparison import Comparison, Samples
from vmcommit.measure.estimate import Turns
from vmcommit.measure.sets import Pace, Taken

UPFRONT, FAULT = Configuration(made.UPFRONT, 64 * KIB), Configuration(made.FAULT, MIB)
ROW = {column: "" for column in NEEDED} | {
    "platform": "linux", "page_bytes": "4096", "touched_bytes": "65536", "status": "ok",
    "batch": "24", "total_ns": "1000.0",
    **dict.fromkeys(rules.GATED, "16")}
# Ratios of twenty sets whose middle is 1: of the 210 means of two, 55 are 0.96, 55 its inverse.
OPEN = [0.96] * 10 + [1 / 0.96] * 10


def shown(*_):
    """A progress display that shows nothing."""


class Side:
    """One that is measured in turns, if it `speaks`; otherwise it gives a row a round."""

    def __init__(self, speaks=True):
        self.speaking = speaks
        self.harnesses = dict.fromkeys(("upfront", "fault"))

    def has(self, _cell):
        return True

    def speaks(self, _cell):
        return self.speaking

    def take(self, cell, _round_number):
        return ROW | {"strategy": str(cell.strategy), "size_bytes": str(cell.size)}


class Pretended(unittest.TestCase):
    """`told`: {side: function of (configuration, number of its set from 0)} that gives ns of a
    cycle, or a Taken."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.samples = Samples(pathlib.Path(folder.name, "samples.csv"))
        self.addCleanup(self.samples.close)
        self.told = {"base": lambda *_: 1000.0, "head": lambda *_: 1000.0}
        self.sets = []  # the configuration of each
        clock = itertools.count()
        for patched in (mock.patch.object(in_turns, "Set", self.pretended),
                        mock.patch.object(in_turns, "time", types.SimpleNamespace(
                            monotonic=lambda: float(next(clock)))),
                        mock.patch.object(comparison, "pace_of", lambda _: Pace(4))):
            patched.start()
            self.addCleanup(patched.stop)

    def pretended(self, parts, _pace, number, _round_number, _order):
        cell = next(iter(parts.values())).configuration
        at = self.sets.count(cell)
        self.sets.append(cell)
        taken = {side: self.taken(cell, number, self.told[side](cell, at)) for side in parts}
        return types.SimpleNamespace(take=lambda: taken)

    def taken(self, cell, number, told):
        if isinstance(told, Taken):
            return told
        row = ROW | {"strategy": str(cell.strategy), "size_bytes": str(cell.size), "set": number,
                     "total_ns": f"{told:.1f}"}
        return Taken(row, Turns(numpy.full((24, 1), float(told)), numpy.zeros((24, 1), bool)))

    def time(self, *cells, seconds=0.0, rounds=8, **told):
        """The results of these cells; `told` as above, or the ratios to 1000 of its sets."""
        for side, what in told.items():
            self.told[side] = what if callable(what) else \
                lambda _, at, what=what: 1000 * what[at % len(what)]
        sides = {side: Side() for side in self.told}
        return self.compared(sides, cells or (UPFRONT,), seconds, rounds)

    def compared(self, sides, cells, seconds=0.0, rounds=8):
        compared = Comparison(sides, self.samples, 1, rules.Rule(len(cells)))
        settled, results = compared.gate_counts(list(cells))
        self.assertEqual(settled, [])
        self.taking, self.alone = compared.split(results)
        self.alarms = compared.time(self.taking, self.alone, rounds, seconds, shown)
        return results if len(results) > 1 else results[0]

    def rows(self, side, cell=UPFRONT):
        return [row for _, row in self.samples.rows[side, cell] if row.get("turns")]


class Verdicts(Pretended):
    def test_twenty_sets_are_the_fewest(self):
        for ratio, verdict, why in ((1, rules.SAME, ""), (1.018, rules.SAME, ""), (
                0.98, rules.IMPROVED, "-2.0 %, and again on fresh rounds")):
            self.setUp()
            result = self.time(head=[0.999 * ratio, 1.001 * ratio])
            self.assertEqual((result.verdict, result.rounds, result.why), (verdict, 20, why))
            for value, expected in ((result.ratio, ratio), (result.low, 0.999 * ratio),
                                    (result.high, 1.001 * ratio), (result.base_ns, 1000),
                                    (result.head_ns, 1000 * ratio)):
                self.assertAlmostEqual(value / expected, 1, 5)

    def open_text(self, seconds, median, wide, within):
        """What is said after `seconds`, of logarithms: what has to be told is a mean over fifteen
        places, alike probable, where the ratio may lie; `within`: how many of them lie within the
        threshold."""
        normal, bound = NormalDist(), math.log(1.02)
        error = wide / normal.inv_cdf(1 - 0.05 / 3.5 / 2)  # since it is looked at after each set
        places = [abs(median + error * normal.inv_cdf((at + 0.5) / 15)) for at in range(15)]
        self.assertEqual(sum(place < bound for place in places), within)
        narrow = statistics.fmean((bound - place if place < bound else place) ** 2
                                  for place in places)
        return f"some {math.ceil(seconds * (wide ** 2 / narrow - 1))} s more would tell"

    def test_an_open_verdict_says_how_many_seconds_more_would_tell(self):
        """The interval reaches by 0.0417."""
        result = self.time(head=OPEN)
        self.assertEqual(result.verdict, rules.INCONCLUSIVE)
        self.assertEqual(result.why, self.open_text(20, 0.0, math.log(1 / 0.96), within=11))
        self.assertEqual(result.why, "some 91 s more would tell")

    def test_an_open_verdict_beyond_the_threshold_needs_what_excludes_zero(self):
        """Four sets in twenty are faster by far: of the means of two, 10 have both of them, 64 one;
        the interval begins with the 41st."""
        result = self.time(head=[0.9] * 4 + [1.05] * 16)
        self.assertEqual(result.verdict, rules.INCONCLUSIVE)
        wide = math.log(1.05) - math.log(0.9 * 1.05) / 2
        self.assertEqual(result.why, self.open_text(20, math.log(1.05), wide, within=3))

    def test_a_median_at_the_threshold_is_not_out_of_reach(self):
        """It lies there by chance: the next sets will move it."""
        near, beyond = (self.seconds_at(ratio) for ratio in (1.0199, 1.0201))
        self.assertLess(abs(near - beyond), 0.2 * beyond)

    def seconds_at(self, ratio):
        self.setUp()
        why = self.time(head=[ratio * each for each in OPEN]).why
        return int(why.split()[1])

    def test_how_many_sets_are_planned(self):
        """What brings an interval of such a spread to the threshold, by what it reaches after
        twenty sets; no more than there is time for, and twenty at least."""
        needed = 20 * (math.log(1.04) / math.log(1.02)) ** 2
        for threshold, seconds, planned in ((0.02, 1e4, needed), (0.02, 50, 50), (0.1, 1e4, 20)):
            cell = in_turns.Cell(rules.Result(UPFRONT, rules.INCONCLUSIVE), {})
            compared = in_turns.InTurns({}, rules.Rule(1, threshold), Pace(4), None, None)
            compared.cell_seconds = seconds
            cell.seconds, cell.estimates.sets = 20.0, [{}] * 20
            cell.estimates.times = [{"base": 1.0, "head": 1.04 ** (-1) ** at} for at in range(20)]
            compared.judge(cell)
            self.assertAlmostEqual(cell.planned, planned)
            self.assertAlmostEqual(math.log(cell.result.high), math.log(1.04))

    def test_an_interval_is_wider_the_farther_it_is_from_where_it_was_planned(self):
        random = numpy.random.default_rng(3)
        head = numpy.exp(random.normal(0, 0.03, 300))
        widths = [math.log(high / low) for planned in (300, 150, 600, 100, 900)
                  for *_, low, high in [rules.Rule(20).judge_times(numpy.ones(300), head, planned)]]
        self.assertEqual(widths, sorted(widths))
        for far, expected in ((widths[1:3], 2 ** 0.25), (widths[3:], 3 ** 0.25)):
            self.assertAlmostEqual(sum(far) / 2 / widths[0], expected, delta=0.06)

    def test_what_is_open_goes_on_until_it_is_known(self):
        """The first twenty sets leave it open, those after them do not."""
        result = self.time(seconds=1e4, head=lambda _, at: 1000 * (OPEN[at] if at < 20 else 1))
        self.assertEqual(result.verdict, rules.SAME)
        self.assertGreater(result.rounds, 20)
        self.assertEqual(result.rounds, len(self.sets))

    def test_what_all_sets_together_leave_open_goes_on_while_there_is_time(self):
        """After twenty sets, what is typical of all of them tells the first sixteen apart, which
        looked the same by what was typical of those."""
        update = in_turns.Estimates.update

        def told_apart(estimates):
            update(estimates)
            if len(estimates.sets) == 20:
                for ratio, times in zip(OPEN, estimates.times):
                    times["head"] *= ratio

        for seconds, sets, verdict in ((1e4, 32, rules.SAME), (20, 20, rules.INCONCLUSIVE)):
            self.setUp()
            with mock.patch.object(in_turns.Estimates, "update", told_apart):
                result = self.time(seconds=seconds)
            self.assertEqual((result.verdict, result.rounds), (verdict, sets))

    def test_time_goes_where_a_verdict_is_nearest(self):
        """The noisier one waits until the other is known, which it is before 50 sets."""
        for worse, better in ((UPFRONT, FAULT), (FAULT, UPFRONT)):
            self.sets.clear()
            self.time(UPFRONT, FAULT, seconds=300, head=lambda cell, at, worse=worse: 1000 * (
                1.1 ** (-1) ** at if cell == worse else 1 + 0.06 * (at < 8) * (at % 2)))
            later = self.sets[40:]
            self.assertEqual(later[0], better)
            self.assertEqual(later, sorted(later, key=lambda cell: cell == worse))
            self.assertLess(later.count(better), 30)
            self.assertGreater(later.count(worse), 20)

    def test_time_goes_where_a_verdict_is_open(self):
        """Both get their twenty; then only the open one goes on, as long as there is time for a set
        more. Each takes a second, and two more until the next one's; after sixty the clock stands
        at 181 s."""
        for noisy, quiet in ((UPFRONT, FAULT), (FAULT, UPFRONT)):
            self.sets.clear()
            results = self.time(UPFRONT, FAULT, seconds=181, head=lambda cell, at, noisy=noisy:
                                1000 * (0.9 + 0.1 * (at % 3) if cell == noisy else 1))
            self.assertEqual({result.cell: result.verdict for result in results},
                             {noisy: rules.INCONCLUSIVE, quiet: rules.SAME})
            self.assertEqual((self.sets.count(quiet), self.sets.count(noisy)), (20, 40))

    def test_the_fewest_sets_come_first(self):
        self.time(UPFRONT, FAULT, seconds=0, head=OPEN)
        for at in range(0, 40, 2):
            self.assertEqual(set(self.sets[at:at + 2]), {UPFRONT, FAULT})

    def test_base_against_itself(self):
        for again, alarms in (([1], []), ([1.2], [UPFRONT]), ([0.8], [UPFRONT])):
            self.time(again=again)
            self.assertEqual(self.alarms, alarms)

    def test_progress_is_shown_before_each_set(self):
        calls = []
        result = rules.Result(UPFRONT, rules.INCONCLUSIVE)
        compared = Comparison({side: Side() for side in self.told}, self.samples, 1, rules.Rule(1))
        compared.gate_counts([UPFRONT])
        compared.time([result], [], 1, 50, lambda *call: calls.append(call))
        self.assertEqual([call[2:] for call in calls], [(at, UPFRONT) for at in range(1, 21)])
        for spent, left, *_ in calls:
            self.assertGreaterEqual(spent, 0)
            self.assertTrue(0 <= left <= 50)


class Suspects(Pretended):
    def test_a_regression_is_measured_afresh(self):
        """Twice as slow at first; it is the fresh sets that count."""
        result = self.time(head=lambda _, at: 2000 if at < 20 else 1100)
        self.assertEqual((result.verdict, result.why, result.rounds),
                         (rules.REGRESSED, "+10.0 %, and again on fresh rounds", 20))
        for value in (result.ratio, result.low, result.high):
            self.assertAlmostEqual(value, 1.1, 9)
        self.assertEqual(len(self.sets), 40)

    def test_a_regression_that_passes(self):
        for later in (1000, 500):
            self.sets.clear()
            result = self.time(head=lambda _, at, later=later: 2000 if at < 20 else later)
            self.assertEqual((result.verdict, result.why),
                             (rules.INCONCLUSIVE, "not confirmed on fresh rounds"))

    def test_only_what_changed_is_looked_at_again(self):
        for ns in (1200, 800):
            self.sets.clear()
            self.time(UPFRONT, FAULT, head=lambda cell, _, ns=ns: ns if cell == FAULT else 1000)
            self.assertEqual((self.sets.count(UPFRONT), self.sets.count(FAULT)), (20, 40))

    def test_what_changed_is_looked_at_until_its_size_is_known(self):
        """Every second set is slower. Of the means of two of 20, 55 are of such sets alone, and the
        interval ends with the 53rd; of 24, it ends with a mean of both kinds. A fifth of 10 %, or
        half of the threshold, is enough at once where sets lie close together."""
        for low, high, rounds in ((1.06, 1.14, 24), (1.085, 1.115, 20), (1.02, 1.05, 24),
                                  (1.026, 1.044, 20)):
            self.setUp()
            result = self.time(seconds=1e4, head=[low, high])
            self.assertEqual((result.verdict, result.rounds), (rules.REGRESSED, rounds))

    def test_verdicts_come_before_sizes(self):
        """By seconds, the one whose size alone is open would be next."""
        self.time(UPFRONT, FAULT, seconds=400, head=lambda cell, at: 1000 * (
            1.1 + 0.04 * (-1) ** at if cell == FAULT else 1.1 if at < 20 else
            1.03 * 1.2 ** (at % 3 - 1)))
        again = self.sets[40:]
        self.assertEqual(set(again[40:55]), {UPFRONT})

    def test_time_that_is_spent_ends_that_too(self):
        result = self.time(seconds=0, head=[1.06, 1.14])
        self.assertEqual((result.verdict, result.rounds), (rules.REGRESSED, 20))

    def test_what_is_looked_at_again_is_judged_once(self):
        """It is known to a fifth of the 10 % that were found at first, whatever it is called then,
        and however much time is left."""
        result = self.time(seconds=1e4, head=lambda _, at: 1000 * (
            1.1 if at < 20 else 1 + 0.036 * (at % 2)))
        self.assertEqual((result.verdict, result.rounds, result.why.split(";")[0]),
                         (rules.INCONCLUSIVE, 20, "not confirmed on fresh rounds"))

    def test_a_second_series_is_judged_at_95_per_cent_of_each_cell(self):
        """A first one at more: of the sums of twenty ranks, 2.5 % lie below."""
        cells = [UPFRONT, *(Configuration(made.FAULT, (1 << at) * KIB) for at in range(2, 13))]
        ratios = [1.1, 1.08, 1.06, 1.04, 1.1, 1.08, 1.06, 1.04, 0.98, 0.99, *[1.05] * 10]
        results = self.time(*cells, head=lambda cell, at: 1000 * ratios[at % 20]
                            if cell == UPFRONT else 1000)
        self.assertEqual(results[0].verdict, rules.REGRESSED)
        alone = rules.Rule(len(cells), again=True).judge_times(
            [1000] * 20, [1000 * ratio for ratio in ratios])
        for end, expected in zip((results[0].low, results[0].high), alone[2:]):
            self.assertAlmostEqual(end, expected, 9)

    def test_one_that_dies_when_it_is_looked_at_again(self):
        died = Taken(ROW | {"status": "skipped", "total_ns": ""}, failure="died")
        result = self.time(head=lambda _, at: 2000 if at < 20 else died)
        self.assertEqual((result.verdict, result.why), (rules.MISSING, "head died"))


class Sides(Pretended):
    def test_one_that_died_is_not_tried_again(self):
        died = Taken(ROW | {"status": "skipped", "total_ns": ""}, failure="ended with status 7")
        for side in ("base", "head"):
            self.setUp()
            result = self.time(**{side: lambda _, at: died if at == 3 else 1000})
            self.assertEqual((result.verdict, result.why),
                             (rules.MISSING, f"{side} ended with status 7"))
            self.assertEqual((len(self.sets), result.timed), (4, False))

    def test_a_row_that_can_not_be_judged(self):
        whole = self.taken(UPFRONT, 1, 1000)
        result = self.time(head=lambda *_: Taken(whole.row | {"total_ns": "-7"}, whole.turns))
        self.assertEqual(result.verdict, rules.MISSING)
        self.assertIn("head gave a row that can't be judged: total_ns: '-7'", result.why)

    def test_one_that_was_refused_took_no_turns(self):
        refused = Taken(ROW | {"status": "refused", "error": "no memory", "total_ns": ""})
        result = self.time(base=lambda *_: refused)
        self.assertEqual((result.verdict, result.why),
                         (rules.MISSING, "base took no turns: no memory"))

    def test_a_side_that_speaks_no_turns_is_measured_in_rounds(self):
        for speaking in ({"base": True, "head": False}, {"base": False, "head": True},
                         {"base": False, "head": False}):
            self.setUp()
            result = self.compared({side: Side(each) for side, each in speaking.items()},
                                   [UPFRONT])
            self.assertEqual((self.taking, self.alone), ([], [result]))
            self.assertEqual((result.verdict, result.rounds, self.sets), (rules.SAME, 8, []))
            self.assertEqual(compare.alone_text(self.alone), "By one process a sample, since a "
                             "side can't take turns: upfront.")

    def test_each_cell_goes_its_own_way(self):
        sides = {"base": Side(), "head": Side()}
        sides["head"].speaks = lambda cell: cell == FAULT
        results = self.compared(sides, [UPFRONT, FAULT], rounds=9)
        self.assertEqual([result.rounds for result in results], [9, 20])
        self.assertEqual(set(self.sets), {FAULT})
        self.assertEqual(compare.alone_text([results[0]] * 2).count("upfront"), 1)


class Kept(Pretended):
    def test_rows_have_what_their_turns_say(self):
        self.time(head=[1.01])
        for side, ns in (("base", "1000.0"), ("head", "1010.0")):
            rows = self.rows(side)
            self.assertEqual(len(rows), 20)
            for row in rows:
                self.assertEqual((row["turns"], row["disturbed_turns"], row["undisturbed_ns"]),
                                 (24, 0, ns))
        self.assertEqual(len(self.samples.of("head")), 20)  # without what counts were looked at by
        with open(self.samples.path, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["undisturbed_ns"] for row in rows],
                         ["", "", *["1000.0", "1010.0"] * 20])
        self.assertEqual({row["cell"] for row in rows}, {UPFRONT.name})

    def test_where_plain_sums_say_something_else(self):
        """Head's cycles last longer than its turns, which are those of base."""
        for more, why in ((100, "plain sums say +10.0 %"), (0, "")):
            self.setUp()

            def head(cell, at, more=more):
                taken = self.taken(cell, at, 1000.0)
                return Taken(taken.row | {"total_ns": f"{1000 + more}"}, taken.turns)
            result = self.time(head=head)
            self.assertEqual((result.verdict, result.why), (rules.SAME, why))

    def test_an_interrupt_keeps_the_rows(self):
        compared = Comparison({side: Side() for side in self.told}, self.samples, 1, rules.Rule(1))
        _, results = compared.gate_counts([UPFRONT])

        def interrupting(_spent, _left, number, _configuration):
            if number == 4:
                raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            compared.time(results, [], 1, 9, interrupting)
        with open(self.samples.path, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["round"] for row in rows if row["turns"]],
                         ["1", "1", "2", "2", "3", "3"])


if __name__ == "__main__":
    unittest.main()
