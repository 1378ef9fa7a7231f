"""The time of an undisturbed cycle on made-up turns whose truth is known: what moves it, and what
must not."""

import itertools
import unittest

from support import ROOT  # noqa: F401 (puts the package on the path)

import numpy

from vmcommit.base.statistics import median_interval
from vmcommit.measure.estimate import Estimates, Turns, medians

SLICES, CYCLES = 16, 4
SLICE, RESERVE, RELEASE = 300e3, 20e3, 200e3  # ns
CYCLE = SLICES * SLICE + RESERVE + RELEASE


def turns(ns, disturbed=None):
    ns = numpy.array(ns, float)
    return Turns(ns, numpy.zeros(ns.shape, bool) if disturbed is None
                 else numpy.array(disturbed, bool))


def quiet(cycles=CYCLES, factor=1.0):
    """A member's turns in which nothing happens: ns[cycle, position]."""
    return factor * numpy.tile([RESERVE, *[SLICE] * SLICES, RELEASE], (cycles, 1))


def estimated(*sets):
    """Estimates of sets, {key: ns or Turns} each."""
    estimates = Estimates()
    for members in sets:
        estimates.add({key: ns if isinstance(ns, Turns) else turns(ns)
                       for key, ns in members.items()})
    estimates.update()
    return estimates


class Medians(unittest.TestCase):
    def test_are_those_of_numpy(self):
        draws = numpy.random.default_rng(1)
        for shape, share, axis in itertools.product(((1, 1), (1, 7), (4, 4), (24, 1), (64, 34)),
                                                    (0, 0.3, 0.9), (0, 1)):
            values = draws.normal(size=shape)
            values[draws.random(shape) < share] = numpy.nan
            values[(slice(None), 0) if axis else 0] = 1.0  # so that none is all NaN
            with self.subTest(shape=shape, share=share, axis=axis):
                numpy.testing.assert_array_equal(
                    medians(values, axis), numpy.nanmedian(values, axis, keepdims=True))
        self.assertTrue(numpy.isnan(medians(numpy.full((3, 2), numpy.nan), 0)).all())


class ByHand(unittest.TestCase):
    def check(self, estimates, key, *expected):
        found = estimates.of(key)
        self.assertEqual(list(found), list(range(len(expected))))
        for ns, truth in zip(found.values(), expected, strict=True):
            self.assertAlmostEqual(ns / truth, 1, 9)

    def test_turns_that_nothing_happens_in_add_up(self):
        self.check(estimated({"a": quiet(), "b": quiet(factor=1.25)}, {"a": quiet(), "b": quiet()}),
                   "a", CYCLE, CYCLE)

    def test_a_slice_that_is_slower_in_every_cycle_is_seen_in_its_true_size(self):
        slow = quiet()
        slow[:, 7] *= 5
        estimates = estimated(*[{"a": quiet(), "b": slow}] * 3)
        self.check(estimates, "a", *[CYCLE] * 3)
        self.check(estimates, "b", *[CYCLE + 4 * SLICE] * 3)

    def test_a_turn_in_which_something_else_ran_moves_nothing(self):
        """Known of as such or not, in one member or in the other."""
        for flagged in (True, False):
            for member in ("a", "b"):
                sets = [{"a": turns(quiet()), "b": turns(quiet())} for _ in range(3)]
                sets[1][member].ns[2, 5] *= 40
                sets[1][member].disturbed[2, 5] = flagged
                estimates = estimated(*sets)
                self.check(estimates, "a", *[CYCLE] * 3)
                self.check(estimates, "b", *[CYCLE] * 3)

    def test_what_slows_all_members_at_the_same_moment_leaves_their_ratio(self):
        """Drift within a set, and a set that is slower as a whole."""
        drift = 1 + 0.1 * numpy.sin(numpy.arange(CYCLES * (SLICES + 2))).reshape(CYCLES, -1)
        sets = [{"a": quiet() * level * drift, "b": 1.3 * quiet() * level * drift}
                for level in (1, 1.2, 0.9)]
        estimates = estimated(*sets)
        for number, ns in estimates.of("a").items():
            self.assertAlmostEqual(estimates.of("b")[number] / ns, 1.3, delta=0.004)
        level = [ns / estimates.of("a")[0] for ns in estimates.of("a").values()]
        for found, expected in zip(level, (1, 1.2, 0.9), strict=True):
            self.assertAlmostEqual(found, expected, delta=0.01)

    def test_a_moment_at_which_all_are_far_slower_counts_for_none(self):
        """As where a hypervisor has taken memory back: more often than an unusual tenth, and not by
        the same factor in both."""
        draws = numpy.random.default_rng(6)
        sets = []
        for _ in range(4):
            cold = numpy.pad(draws.random((CYCLES, SLICES)) < 0.25, ((0, 0), (1, 1)))
            sets.append({key: numpy.where(cold, ns * draws.uniform(2, 9, ns.shape), ns)
                         for key, ns in (("a", quiet()), ("b", quiet(factor=1.1)))})
        estimates = estimated(*sets)
        self.check(estimates, "a", *[CYCLE] * 4)
        self.check(estimates, "b", *[1.1 * CYCLE] * 4)

    def test_a_set_in_which_one_member_alone_is_slower_says_so(self):
        estimates = estimated({"a": quiet(), "b": quiet()}, {"a": quiet(), "b": quiet()},
                              {"a": quiet(), "b": quiet(factor=1.1)})
        self.check(estimates, "a", *[CYCLE] * 3)
        self.check(estimates, "b", CYCLE, CYCLE, 1.1 * CYCLE)

    def test_a_delay_in_reserving_and_in_releasing_is_seen(self):
        for position in (0, -1):
            slow = quiet()
            slow[:, position] += 77e3
            estimates = estimated(*[{"a": quiet(), "b": slow}] * 2)
            self.check(estimates, "a", CYCLE, CYCLE)
            self.check(estimates, "b", CYCLE + 77e3, CYCLE + 77e3)

    def test_a_release_that_was_disturbed_once_or_always(self):
        """Once: it counts for nothing. In a whole set: they all count."""
        slow = quiet()
        slow[:, -1] *= 3
        flags = numpy.zeros(slow.shape, bool)
        once, whole = flags.copy(), flags.copy()
        once[1, -1] = whole[:, -1] = True
        one = quiet()
        one[1, -1] *= 3
        self.check(estimated({"a": turns(one, once)}), "a", CYCLE)
        self.check(estimated({"a": quiet()}, {"a": turns(slow, whole)}), "a",
                   CYCLE, CYCLE + 2 * RELEASE)

    def test_batches_are_by_the_cycle(self):
        """24 turns of whole cycles, one of them disturbed and two of them slow."""
        ns = numpy.full((24, 1), 5e3)
        ns[3] = ns[9] = 9e3
        ns[12] = 1e6
        estimates = estimated(*[{"a": turns(ns, ns == 1e6), "b": turns(1.5 * ns, ns == 1e6)}] * 2)
        self.check(estimates, "a", 5e3, 5e3)
        self.check(estimates, "b", 7.5e3, 7.5e3)

    def test_a_member_slower_by_a_factor_in_every_turn_is_slower_by_that_in_each_set(self):
        """Whatever both meet, and whichever digit their weights end with: half of an even number of
        turns lies between two of them."""
        draws = numpy.random.default_rng(3)
        for factor, turns in itertools.product(draws.uniform(0.9, 1.1, 20), ((24, 1), (1, 28))):
            estimates = Estimates()
            for _ in range(3):
                ns = numpy.exp(draws.normal(12, 0.2, turns))
                estimates.add({name: Turns(each, numpy.zeros(turns, bool))
                               for name, each in (("base", ns), ("head", factor * ns))})
            base, head = estimates.of("base"), estimates.of("head")
            for number in base:
                self.assertAlmostEqual(head[number] / base[number], factor, 9)

    def test_what_others_do_moves_no_member(self):
        """Of three, two are alike; the third one slower in all it does is slower by just that."""
        draws = numpy.random.default_rng(5)
        noisy = [{key: numpy.exp(draws.normal(12, 0.3, (1, 66))) for key in "abc"}
                 for _ in range(6)]
        before = estimated(*noisy)
        after = estimated(*[members | {"c": 1.01 * members["c"]} for members in noisy])
        for key, factor in (("a", 1), ("b", 1), ("c", 1.01)):
            for number, ns in before.of(key).items():
                self.assertAlmostEqual(after.of(key)[number] / ns, factor, 12)

    def test_sets_that_released_in_one_go_and_in_parts(self):
        """As where a member that can't release in parts was in some sets alone."""
        whole = quiet()
        parts = numpy.concatenate([whole[:, :-1], numpy.tile([RELEASE / 2] * 2 + [0], (CYCLES, 1))],
                                  1)
        estimates = estimated(*[{"a": whole}, {"a": parts}] * 5)
        self.check(estimates, "a", *[CYCLE] * 10)

    def test_a_slice_in_which_a_coarse_clock_does_not_tick(self):
        short = quiet()
        short[:, -2] = 0
        self.check(estimated(*[{"a": short, "b": short}] * 2), "a", *[CYCLE - SLICE] * 2)
        self.check(estimated(*[{"a": numpy.zeros((24, 1))}] * 2), "a", 0.001, 0.001)

    def test_all_turns_of_a_position_were_disturbed(self):
        """It is taken for one like the others."""
        flags = numpy.zeros((CYCLES, SLICES + 2), bool)
        flags[:, 4] = True
        noisy = quiet()
        noisy[:, 4] *= 30
        estimates = estimated(*[{"a": turns(noisy, flags), "b": quiet()}] * 2)
        self.check(estimates, "a", CYCLE, CYCLE)

    def test_where_all_turns_were_disturbed_they_all_count(self):
        flags = numpy.ones((CYCLES, SLICES + 2), bool)
        self.check(estimated(*[{"a": turns(quiet(factor=1.4), flags), "b": quiet()}] * 2), "a",
                   1.4 * CYCLE, 1.4 * CYCLE)

    def test_where_all_slices_were_disturbed_they_all_count(self):
        """Though reserving or releasing was not."""
        flags = numpy.ones((CYCLES, SLICES + 2), bool)
        flags[0, 0] = flags[1, -1] = False
        self.check(estimated(*[{"a": turns(quiet(factor=1.4), flags), "b": quiet()}] * 2), "a",
                   1.4 * CYCLE, 1.4 * CYCLE)

    def test_a_member_that_is_missing_from_a_set(self):
        """From the first one, from one in between, or from all but one."""
        whole = {"a": quiet(), "b": quiet(factor=1.3)}
        estimates = estimated({"a": quiet()}, whole, {"b": quiet(factor=1.3)}, {}, whole)
        self.assertEqual((list(estimates.of("a")), list(estimates.of("b")), estimates.of("c")),
                         ([0, 1, 4], [1, 2, 4], {}))
        for key, truth in (("a", CYCLE), ("b", 1.3 * CYCLE)):
            for ns in estimates.of(key).values():
                self.assertAlmostEqual(ns / truth, 1, 9)

    def test_one_cycle_of_two_slices(self):
        self.check(estimated({"a": [[1e3, 5e5, 3e5, 2e4]], "b": [[1e3, 5e5, 3e5, 2e4]]}), "a",
                   821e3)

    def test_what_is_typical_is_worked_out_anew_by_update(self):
        """Between the powers of two a set stands by what was typical before it, so that adding one
        stays cheap; afterwards all do by all."""
        slow = quiet()
        slow[:, 3] *= 2
        estimates = Estimates()
        for number in range(23):
            estimates.add({"a": turns(quiet() if number < 8 else slow)})
        before = list(estimates.of("a").values())
        estimates.update()
        after = list(estimates.of("a").values())
        self.assertEqual(len(before), len(after))
        self.assertAlmostEqual(after[-1] / (CYCLE + SLICE), 1, 9)
        self.assertNotAlmostEqual(before[8] / after[8], 1, 3)


class Simulated(unittest.TestCase):
    """Two sides in twenty sets of turns with heavy-tailed noise, drift that both share, a level of
    each process's own, and every tenth slice preempted."""

    REPEATS = 150
    SETS = 20

    def noise(self, draws):
        """(factors, disturbed), [side, cycle, slice] each."""
        shape = (2, CYCLES, SLICES)
        factors = numpy.exp(0.02 * draws.standard_t(3, shape))
        factors *= numpy.exp(draws.normal(0, 0.004, (2, 1, 1)))
        factors *= numpy.exp(draws.normal(0, 0.02, CYCLES * SLICES).cumsum()).reshape(shape[1:])
        disturbed = draws.random(shape) < 0.1
        return numpy.where(disturbed, factors * draws.uniform(2, 15, shape), factors), disturbed

    def ratios(self, draws, share, position):
        """Logarithms of the sides' ratio by set. The second is slower by a share of the cycle, in
        all slices, in one, or in the release."""
        estimates = Estimates()
        for _ in range(self.SETS):
            factors, disturbed = self.noise(draws)
            ns = numpy.empty((2, CYCLES, SLICES + 2))
            ns[..., 1:-1] = SLICE * factors
            ns[..., 0] = RESERVE * numpy.exp(draws.normal(0, 0.1, (2, CYCLES)))
            ns[..., -1] = RELEASE * numpy.exp(draws.normal(0, 0.05, (2, CYCLES)))
            if position is None:
                ns[1] *= 1 + share
            else:
                ns[1, :, position] += share * CYCLE
            flags = numpy.pad(disturbed, ((0, 0), (0, 0), (1, 1)))
            estimates.sets.append({side: Turns(ns[at], flags[at])
                                   for at, side in enumerate(("base", "head"))})
        estimates.update()
        return [numpy.log(times["head"] / times["base"]) for times in estimates.times]

    def test_intervals_cover_the_truth_as_often_as_they_say(self):
        """From the 6th to the 15th of twenty. Of 150 at 95.86 % some 144 do so, and fewer than 133
        by a chance of 1 in 10 000."""
        draws = numpy.random.default_rng(1)
        covered = width = 0
        for _ in range(self.REPEATS):
            _, low, high, coverage = median_interval(self.ratios(draws, 0, None), 0.95)
            self.assertAlmostEqual(coverage, 0.9586, 4)
            covered += low <= 0 <= high
            width += high - low
        self.assertGreaterEqual(covered, 133)
        self.assertLess(covered, self.REPEATS)
        self.assertLess(width / self.REPEATS, 0.015)  # they do not because they are wide

    def test_sets_of_one_noisy_cycle_tell_how_far_runs_lie_apart(self):
        """As large regions are measured: few sets, each slice of its own size, and a release in one
        go that varies most of all and is disturbed nearly always. What all sets of a run have in
        common is in no interval, so there must be nothing of the kind."""
        draws = numpy.random.default_rng(4)
        slices, sets, middles, errors = 64, 6, [], []
        for _ in range(120):
            estimates = Estimates()
            for _ in range(sets):
                ns = SLICE * numpy.exp(0.25 * draws.standard_t(4, (2, 1, slices + 2)))
                ns[..., -1] = 10 * SLICE * numpy.exp(draws.normal(0, 0.4, (2, 1)))
                flags = numpy.zeros(ns.shape, bool)
                flags[..., -1] = draws.random((2, 1)) < 0.9
                estimates.sets.append({side: Turns(ns[side], flags[side]) for side in (0, 1)})
            estimates.update()
            ratios = [numpy.log(times[1] / times[0]) for times in estimates.times]
            middles.append(numpy.mean(ratios))
            errors.append(numpy.var(ratios, ddof=1) / sets)
        self.assertAlmostEqual(numpy.var(middles) / numpy.mean(errors), 1, delta=0.4)

    def test_what_is_injected_is_found(self):
        """1 % and 2 % of a cycle, nine times in ten within half a per cent of it, and on average
        far closer."""
        draws = numpy.random.default_rng(2)
        for position in (None, 9, -1):
            for share in (0.01, 0.02):
                errors = [numpy.expm1(numpy.median(self.ratios(draws, share, position))) - share
                          for _ in range(30)]
                with self.subTest(position=position, share=share):
                    self.assertLess(abs(numpy.mean(errors)), 0.0015)
                    self.assertGreaterEqual(sum(abs(error) < 0.005 for error in errors), 27)


if __name__ == "__main__":
    unittest.main()
