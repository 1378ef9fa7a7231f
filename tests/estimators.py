#!/usr/bin/env python3
"""Which estimate of a cycle's time sees what it should and is not moved by what it should not, and
which intervals are narrow and err no more than they say: the tables of docs/trust.md, from made-up
turns and sets whose truth is known. Run by hand: scripts/python.sh tests/estimators.py

A set has two members, of which the second one is slower by 1 % of the cycle or by nothing, in every
slice or in one slice of sixteen; 16 slices a cycle, 4 cycles a set, 20 sets. Printed is by how much
the median over the sets' ratios misses the truth, and how much it varies, in per cent of the cycle.

Intervals are of 40 sets whose ratios are drawn from distributions of known middle, at 99.95 %,
which is 99 % for twenty cells together.

tests/estimators.py BUILD measures instead, with the harnesses of that build folder, and wants an
idle machine: sets of large regions, drawn at random into runs of six or of two. Printed is how much
runs' ratios to upfront vary, in per cent; how much they should by what the sets of one run lie
apart; and how much is seen of 1 % by which every turn of a member is made longer afterwards.
"""

import itertools
import pathlib
import random as python_random
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))

from vmcommit.base.cells import Configuration  # noqa: E402
from vmcommit.base.conventions import COUNTED_ROUNDS  # noqa: E402
from vmcommit.base.statistics import median_interval, paired_interval  # noqa: E402
from vmcommit.base.units import MIB, size_text  # noqa: E402
from vmcommit.measure import harness  # noqa: E402
from vmcommit.measure.estimate import Estimates, Turns  # noqa: E402
from vmcommit.measure.sets import Part, Set, pace_of  # noqa: E402

SLICES, CYCLES, SETS, REPEATS = 16, 4, 20, 60
NOISE = 0.06  # of a slice, as a logarithm
SHARE = 0.01  # by which the second member is slower, where it is


def slower(where, random):
    """What each turn of the second member takes longer, in slices: [cycles, slices]."""
    shape = (CYCLES, SLICES)
    if where == "nowhere":
        return numpy.zeros(shape)
    if where == "every slice":
        return numpy.full(shape, SHARE)
    more = numpy.zeros(shape)
    if where == "the same slice of sixteen":
        more[:, 5] = SHARE * SLICES
    else:
        more[numpy.arange(CYCLES), random.integers(0, SLICES, CYCLES)] = SHARE * SLICES
    return more


def noise(machine, random):
    """(factors of both members' turns, disturbed): [2, cycles, slices] each."""
    shape = (2, CYCLES, SLICES)
    factors = numpy.exp(random.normal(0, NOISE, shape))
    factors *= numpy.exp(random.normal(0, 0.004, (2, 1, 1)))  # a process's own
    factors *= numpy.exp(numpy.cumsum(random.normal(0, 0.02, (CYCLES * SLICES)))).reshape(shape[1:])
    disturbed = numpy.zeros(shape, bool)
    if machine == "busy":
        disturbed = random.random(shape) < 0.08
        factors = numpy.where(disturbed, factors * random.uniform(2, 15, shape), factors)
    if machine == "memory taken back":
        cold = random.random(shape[1:]) < 0.15  # of both members at once, since they take turns
        factors = numpy.where(cold, factors + random.uniform(1, 8, shape), factors)
    return factors, disturbed


def made(where, machine, random):
    """Sets of turns, with reserving and releasing that take 1 % and 5 % of a cycle."""
    sets = []
    for _ in range(SETS):
        factors, disturbed = noise(machine, random)
        ns = factors * 300e3
        ns[1] += 300e3 * slower(where, random)
        ends = 300e3 * SLICES * numpy.array([0.01, 0.05]) * numpy.exp(
            random.normal(0, 0.05, (2, CYCLES, 2)))
        whole = numpy.concatenate([ends[..., :1], ns, ends[..., 1:]], axis=2)
        flags = numpy.pad(disturbed, ((0, 0), (0, 0), (1, 1)))
        sets.append([Turns(whole[member], flags[member]) for member in (0, 1)])
    return sets


def plain_sum(sets):
    return [numpy.log(b.ns.sum() / a.ns.sum()) for a, b in sets]


def without_disturbed(sets):
    def mean(turns):
        return numpy.ma.array(turns.ns, mask=turns.disturbed).mean(0).filled(0).sum()
    return [numpy.log(mean(b) / mean(a)) for a, b in sets]


def slice_ratios(sets):
    return [numpy.median(numpy.log(b.ns[:, 1:-1] / a.ns[:, 1:-1])) for a, b in sets]


def position_medians(sets):
    return [numpy.log(numpy.median(b.ns, 0).sum() / numpy.median(a.ns, 0).sum()) for a, b in sets]


def drawn_in(sets):
    estimates = Estimates()
    for a, b in sets:
        estimates.sets.append({"a": a, "b": b})
    estimates.update()
    return [numpy.log(times["b"] / times["a"]) for times in estimates.times]


ESTIMATES = {"plain sum": plain_sum, "sum without disturbed turns": without_disturbed,
             "median of slice ratios": slice_ratios, "sum of positions' medians": position_medians,
             "turns drawn in (what is used)": drawn_in}


def one_in_ten(random, wide, one_side):
    """Normal values, of which a tenth is so many times as wide, or lies that far off."""
    values = random.normal(0, 1, DRAWN)
    tenth = random.random(DRAWN) < 0.1
    if one_side:
        values[tenth] += numpy.abs(random.normal(0, wide, tenth.sum()))
    else:
        values[tenth] *= wide
    return values


DRAWN = 4_000_000  # values of a distribution, in sets of forty
CONFIDENCE = 0.9995
DISTRIBUTIONS = {
    "normal": lambda random: random.normal(0, 1, DRAWN),
    "a tenth six times as wide": lambda random: one_in_ten(random, 6, False),
    "a tenth far off, to one side": lambda random: one_in_ten(random, 6, True),
    "lopsided (gamma, shape 3)": lambda random: random.gamma(3, 3 ** -0.5, DRAWN),
    "Student's, 3 degrees": lambda random: random.standard_t(3, DRAWN)}


def intervals(random):
    """How wide each kind of interval is, and how often it misses what it is of: a sign test's the
    median, that of signed ranks the median of the means of two."""
    print(f"\n{'sets':<30} {'interval':<14} {'half as wide as':>15} {'misses':>8}")
    for name, draw in DISTRIBUTIONS.items():
        values = draw(random)
        halves = numpy.split(values, 2)
        for kind, interval, truth in (
                ("sign test", median_interval, numpy.median(values)),
                ("signed ranks", paired_interval, numpy.median((halves[0] + halves[1]) / 2))):
            ends = numpy.array([interval(each, CONFIDENCE)[1:3]
                                for each in values[:6000 * 2 * SETS].reshape(-1, 2 * SETS)])
            missed = ((ends[:, 0] > truth) | (ends[:, 1] < truth)).mean()
            print(f"{name:<30} {kind:<14} {(ends[:, 1] - ends[:, 0]).mean() / 2:>15.3f} "
                  f"{1000 * missed:>6.1f} \u2030")


MEASURED = ((64 * MIB, "sequential", 90), (64 * MIB, "random", 60),
            (256 * MIB, "sequential", 36))  # sets
RUNS = (6, 2)  # sets of each


def take(build, size, order, count):
    """[{strategy: Turns}] of so many sets."""
    harnesses = {name: each for name, each in harness.described(build).items()
                 if name in ("upfront", "chunked", "fault")}
    parts = {name: Part(each, configuration := Configuration(each.strategy, size, order=order),
                        each.take(configuration)) for name, each in harnesses.items()}
    pace = pace_of(harnesses["upfront"])
    taken = [Set(parts, pace, number, COUNTED_ROUNDS + number, python_random.Random(number)).take()
             for number in range(1, count + 1)]
    return [{name: each.turns for name, each in members.items()} for members in taken]


def runs_of(sets, name, length, estimate, random):
    """[logarithms of the ratios to upfront of a run's sets], of sets drawn into runs again and
    again."""
    runs = []
    for _ in range(12):
        order = random.permutation(len(sets))
        runs += [estimate([(sets[at]["upfront"], sets[at][name])
                           for at in order[first:first + length]])
                 for first in range(0, len(sets) - length + 1, length)]
    return numpy.array(runs)


def seen(sets, name, length, estimate):
    """Of 1 %, as a share."""
    pairs = [(each["upfront"], each[name]) for each in sets[:length]]
    longer = [(base, Turns(1.01 * turns.ns, turns.disturbed)) for base, turns in pairs]
    return numpy.expm1(numpy.mean(estimate(longer)) - numpy.mean(estimate(pairs))) / 0.01


def measured(build):
    random = numpy.random.default_rng(1)
    print(f"{'region':<20} {'against upfront':<16} {'sets':>4} {'estimate':<29} "
          f"{'runs vary by':>12} {'should vary by':>14} {'of 1 % seen':>11}")
    for size, order, count in MEASURED:
        sets = take(build, size, order, count)
        for name, length in itertools.product(("chunked", "fault"), RUNS):
            for label, estimate in ESTIMATES.items():
                runs = runs_of(sets, name, length, estimate, random)
                expected = numpy.sqrt(runs.var(axis=1, ddof=1).mean() / length)
                print(f"{size_text(size) + ', ' + order:<20} {name:<16} {length:>4} {label:<29} "
                      f"{100 * runs.mean(axis=1).std():>10.2f} % {100 * expected:>12.2f} % "
                      f"{seen(sets, name, length, estimate):>11.2f}")


def made_up():
    random = numpy.random.default_rng(1)
    print(f"{'machine':<18} {'slower in':<26} {'estimate':<29} {'misses by':>9} {'varies by':>9}")
    for machine in ("quiet", "busy", "memory taken back"):
        for where in ("nowhere", "every slice", "the same slice of sixteen",
                      "any one slice of sixteen"):
            truth = 0 if where == "nowhere" else SHARE / 1.06
            found = {name: [] for name in ESTIMATES}
            for _ in range(REPEATS):
                sets = made(where, machine, random)
                for name, estimate in ESTIMATES.items():
                    found[name].append(numpy.median(estimate(sets)) - truth)
            for name, errors in found.items():
                print(f"{machine:<18} {where:<26} {name:<29} {100 * numpy.mean(errors):>7.2f} % "
                      f"{100 * numpy.std(errors):>7.2f} %")
    intervals(random)


if __name__ == "__main__":
    if sys.argv[1:]:
        measured(sys.argv[1])
    else:
        made_up()
