"""What many machines have in common, and how far they lie apart: random effects.

Each machine has an effect of its own around a mean of all; what was measured of it errs besides.
The variance between machines is that of Paule and Mandel (1982); confidence intervals are those of
Hartung and Knapp (2001), which stay honest where machines are few.
"""

import dataclasses

import numpy
from numpy.typing import ArrayLike
from scipy import optimize, special

from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.statistics import student

FEWEST = 5  # machines from which one may be called an outlier
LEAST_ERROR = 1e-9  # of a logarithm: nothing is known better


@dataclasses.dataclass(frozen=True)
class Fit:
    """Means of groups around which machines lie. `between`: the standard deviation between
    machines of a group; `inflation`: what errors are larger by than stated, at least 1."""

    means: numpy.ndarray
    errors: numpy.ndarray
    between: float
    inflation: float
    freedom: int


@dataclasses.dataclass(frozen=True)
class Effect:
    """In the unit of the values. `low` to `high` is the confidence interval of the mean;
    `least` to `most` what a further machine is predicted to lie in; `heterogeneity` (I²) the share
    of all scatter that is not error of measuring; `probability` that of so much scatter or more, if
    machines were the same. NaN where one machine tells nothing of others."""

    machines: int
    mean: float
    low: float
    high: float
    least: float
    most: float
    between: float
    heterogeneity: float
    probability: float


@dataclasses.dataclass(frozen=True)
class Groups:
    """{group: (mean, low, high, machines)}, and the probability of such differences between groups
    if there were none; NaN where that can't be told."""

    means: dict
    probability: float


def squares(values, errors, at, between):
    """(weighted sum of squares around the groups' means, means, weights of groups)"""
    weights = 1 / (errors ** 2 + between ** 2)
    of_groups = numpy.bincount(at, weights)
    means = numpy.bincount(at, weights * values) / of_groups
    return float((weights * (values - means[at]) ** 2).sum()), means, of_groups


def spread_between(values, errors, at, freedom) -> float:
    """The standard deviation between machines with which the sum of squares is what it should
    be. It is below the range of all values: with that, k values of a group add up to k / 4 at
    most, and should to k - 1."""
    def surplus(between):
        return squares(values, errors, at, between)[0] - freedom

    if freedom < 1 or surplus(0.0) <= 0:
        return 0.0
    return float(optimize.brentq(surplus, 0.0, float(numpy.ptp(values)), xtol=1e-12))


def fit(values: ArrayLike, errors: ArrayLike, at: ArrayLike) -> Fit:
    """`at`: the group's number of each value, from 0 on without a gap."""
    values, at = numpy.asarray(values, dtype=float), numpy.asarray(at)
    errors = numpy.maximum(numpy.asarray(errors, dtype=float), LEAST_ERROR)
    freedom = len(values) - (int(at.max()) + 1)
    between = spread_between(values, errors, at, freedom)
    left, means, weights = squares(values, errors, at, between)
    inflation = max(1.0, left / freedom) if freedom else 1.0
    return Fit(means, numpy.sqrt(inflation / weights), between, inflation, freedom)


def together(values: ArrayLike, errors: ArrayLike, confidence: float = CONFIDENCE) -> Effect:
    """The mean over machines; `values` and their standard errors, one of each machine."""
    values = numpy.asarray(values, dtype=float)
    errors = numpy.maximum(numpy.asarray(errors, dtype=float), LEAST_ERROR)
    one = fit(values, errors, numpy.zeros(len(values), int))
    mean = float(one.means[0])
    if not one.freedom:
        return Effect(len(values), mean, *[numpy.nan] * 7)
    reach = student(confidence, one.freedom)
    beyond = reach * float(numpy.hypot(one.between, one.errors[0]))
    alike = squares(values, errors, numpy.zeros(len(values), int), 0.0)[0]
    return Effect(len(values), mean, mean - reach * float(one.errors[0]),
                  mean + reach * float(one.errors[0]), mean - beyond, mean + beyond, one.between,
                  max(0.0, 1 - one.freedom / alike) if alike else 0.0,
                  float(special.chdtrc(one.freedom, alike)))


def grouped(values: ArrayLike, errors: ArrayLike, names, confidence: float = CONFIDENCE) -> Groups:
    """Machines by group: one spread within all groups, a mean for each."""
    kinds = list(dict.fromkeys(names))
    at = numpy.array([kinds.index(name) for name in names])
    found = fit(values, errors, at)
    counts = numpy.bincount(at)
    reach = student(confidence, found.freedom) if found.freedom else numpy.nan
    means = {kind: (float(mean), float(mean - reach * error), float(mean + reach * error),
                    int(count))
             for kind, mean, error, count in zip(kinds, found.means, found.errors, counts)}
    if len(kinds) < 2 or not found.freedom:
        return Groups(means, numpy.nan)
    weights = 1 / found.errors ** 2
    common = (weights * found.means).sum() / weights.sum()
    apart = float((weights * (found.means - common) ** 2).sum()) / (len(kinds) - 1)
    return Groups(means, float(special.fdtrc(len(kinds) - 1, found.freedom, apart)))


def distance(values, errors, machine) -> tuple[float, int]:
    """How far a machine lies from the mean of all others, in standard errors, and their degrees of
    freedom."""
    others = numpy.arange(len(values)) != machine
    rest = fit(values[others], errors[others], numpy.zeros(int(others.sum()), int))
    scale = numpy.sqrt(errors[machine] ** 2 + rest.between ** 2 + rest.errors[0] ** 2)
    return float((values[machine] - rest.means[0]) / scale), rest.freedom


def outliers(values: ArrayLike, errors: ArrayLike, confidence: float) -> list[int]:
    """Places of the machines that lie beyond what the others let expect, the farthest first. One is
    taken out at a time, so that a far one does not hide a near one. `confidence` is of each."""
    values = numpy.asarray(values, dtype=float)
    errors = numpy.maximum(numpy.asarray(errors, dtype=float), LEAST_ERROR)
    left, found = numpy.arange(len(values)), []
    while len(left) >= FEWEST:
        one = fit(values[left], errors[left], numpy.zeros(len(left), int))
        scaled = numpy.abs(values[left] - one.means[0]) / numpy.hypot(errors[left], one.between)
        farthest = int(scaled.argmax())
        far, freedom = distance(values[left], errors[left], farthest)
        if abs(far) <= student(confidence, freedom):
            break
        found.append(int(left[farthest]))
        left = numpy.delete(left, farthest)
    return found
