"""A harness in turns with a bare loop (tools/bare.c), which takes a size and says nothing else."""

import random

import numpy

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import COUNTED_ROUNDS
from vmcommit.base.statistics import median_interval
from vmcommit.measure import harness
from vmcommit.measure.estimate import Estimates
from vmcommit.measure.sets import Part, Set


class BareSet(Set):
    """A set of a harness and a bare loop, which gives no rows."""

    def row(self, key):
        return {}


def ratio(measured, bare, size, pace, sets):
    """(median, low, high) of harness / bare, of an undisturbed cycle, by so many sets."""
    configuration = Configuration(measured.strategy, size)
    like = measured.take(configuration)
    bare_loop = harness.Harness(measured.strategy, (bare, measured.strategy.name))
    parts = {"harness": Part(measured, configuration, like),
             "bare": Part(bare_loop, Bare(measured.strategy, size), like)}
    order, estimates = random.Random(size), Estimates()
    for number in range(1, sets + 1):
        taken = BareSet(parts, pace, number, COUNTED_ROUNDS + number, order).take()
        for each in taken.values():
            if each.failure:
                raise harness.HarnessFailed(each.failure)
        estimates.add({key: each.turns for key, each in taken.items()})
    estimates.update()
    return numpy.exp(median_interval([numpy.log(times["harness"] / times["bare"])
                                      for times in estimates.times])[:3])


class Bare(Configuration):
    """Of the bare loop, which takes a size and nothing else."""

    def turns(self):
        return ["--size", str(self.size)]
