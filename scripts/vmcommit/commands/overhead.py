"""`make overhead`: what the harness adds to what it measures.

Holds two harnesses against bare loops (tools/bare.c) that share no code with the suite, in turns;
cycles of 16 and 256 MiB in slices. Prints the median ratio with its confidence interval.
"""

import random

import numpy

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.problems import Problem
from vmcommit.base.statistics import median_interval
from vmcommit.base.units import KIB, MIB, size_text
from vmcommit.commands.arguments import Parser, add_build, say
from vmcommit.measure import environment, harness
from vmcommit.measure.estimate import Estimates
from vmcommit.measure.sets import COUNTED, Pace, Part, Set, pace_of

SETS = {4 * KIB: 60, 64 * KIB: 60, MIB: 60, 4 * MIB: 40, 16 * MIB: 40, 256 * MIB: 12}
IN_ONE_GO = (4 * MIB, 16 * MIB)  # measured in one go as well
STRATEGIES = ("upfront", "fault")  # of which there are bare loops


class BareSet(Set):
    """A set of a harness and a bare loop, which gives no rows."""

    def row(self, key):
        return {}


def ratios(measured, bare, size, pace):
    """log(harness / bare) of an undisturbed cycle, for each set."""
    configuration = Configuration(measured.strategy, size)
    like = measured.take(configuration)
    bare_loop = harness.Harness(measured.strategy, (bare, measured.strategy.name))
    parts = {"harness": Part(measured, configuration, like),
             "bare": Part(bare_loop, Bare(measured.strategy, size), like)}
    order, estimates = random.Random(size), Estimates()
    for number in range(1, SETS[size] + 1):
        taken = BareSet(parts, pace, number, COUNTED + number, order).take()
        for each in taken.values():
            if each.failure:
                raise harness.HarnessFailed(each.failure)
        estimates.add({key: each.turns for key, each in taken.items()})
    estimates.update()
    return [numpy.log(times["harness"] / times["bare"]) for times in estimates.times]


class Bare(Configuration):
    """Of the bare loop, which takes a size and nothing else."""

    def turns(self):
        return ["--size", str(self.size)]


def row_text(measured, bare, size, pace, way):
    try:
        logs = ratios(measured, bare, size, pace)
    except harness.HarnessFailed as failure:
        raise Problem(f"{measured.strategy} {size_text(size)}: {failure}") from None
    median, low, high, _ = numpy.exp(median_interval(logs))
    return (f"{size_text(size):>10} {measured.strategy.name:>10} {way:>11} {median:>15.3f}   "
            f"{low:.3f} to {high:.3f}")


def main(arguments):
    parser = Parser("overhead", __doc__)
    add_build(parser)
    build = parser.parse_args(arguments).build
    described = harness.described(build)
    bare = str(build.resolve() / "bin" / "bare")
    say(f"{'size':>10} {'strategy':>10} {'cycle':>11} {'harness / bare':>15}   "
        f"{100 * CONFIDENCE:.0f} % confidence interval")
    with environment.pinned():
        pace = pace_of(described[STRATEGIES[0]])
        for size in SETS:
            for name in STRATEGIES:
                sliced = bool(pace.slices(size // (4 * KIB)))
                say(row_text(described[name], bare, size, pace,
                             "in slices" if sliced else "in one go"))
                if sliced and size in IN_ONE_GO:
                    say(row_text(described[name], bare, size, Pace(size), "in one go"))
    return 0
