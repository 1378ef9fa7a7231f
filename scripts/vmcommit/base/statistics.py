"""Distribution-free confidence intervals, and how confidence is shared between them."""

import functools
import math
from collections.abc import Iterable

import numpy
from numpy.typing import ArrayLike
from scipy import special

from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.units import GIB

FEW, FREEDOM = 2, 6  # values, and degrees of freedom, from which a pooled spread is relied on
RANKED = 20  # values from which ranks alone do as well
EXACT = 1 - 1e-14  # of a probability, as it is computed
LOOKS = 3.5  # times as often does an interval err that is looked at with each further value
STRETCH = 0.25  # of how far it is from where it was planned to decide, a power
COUNTED = 60  # values up to which signed ranks are counted out; their sum is normal enough beyond


def binomial_quantile(tail: ArrayLike, n: int) -> numpy.ndarray:
    """The least k such that k of n or fewer occur at least with the probability `tail`, where each
    occurs with 1/2."""
    k = numpy.ceil(special.bdtrik(tail, n, 0.5))
    below = numpy.maximum(k - 1, 0)  # which is enough where k was a hair above a whole number
    return numpy.where(special.bdtr(below, n, 0.5) >= numpy.multiply(tail, EXACT), below, k)


@functools.cache
def median_rank(n: int, confidence: float) -> tuple[int, float]:
    """(k, coverage) of an interval from the k-th smallest to the k-th largest of n values."""
    k = max(1, int(binomial_quantile((1 - confidence) / 2, n)))
    return k, 1 - 2 * float(special.bdtr(k - 1, n, 0.5))


def median_interval(values: ArrayLike, confidence: float = CONFIDENCE
                    ) -> tuple[float, float, float, float]:
    """(median, low, high, coverage) of a sample's median. The interval runs from the k-th smallest
    to the k-th largest value and covers the median with a probability that follows from the
    binomial distribution alone. Too few values for `confidence`: all of them, with the coverage
    that they do give."""
    values = numpy.sort(numpy.asarray(values, dtype=float))
    n = len(values)
    if n == 0:
        return (numpy.nan,) * 4
    k, coverage = median_rank(n, confidence)
    return numpy.median(values), values[k - 1], values[n - k], coverage


@functools.cache
def signed_ranks(n: int) -> numpy.ndarray:
    """How probable it is that the ranks of n values that lie above their middle of symmetry add up
    to 0, 1, 2, ... at most: each rank does with 1/2 (Wilcoxon 1945)."""
    exactly = numpy.zeros(n * (n + 1) // 2 + 1)
    exactly[0] = 1
    for rank in range(1, n + 1):
        exactly[rank:] = (exactly[rank:] + exactly[:-rank]) / 2
        exactly[:rank] /= 2
    return exactly.cumsum()


@functools.cache
def pair_rank(n: int, confidence: float) -> tuple[int, float]:
    """(k, coverage) of an interval from the k-th smallest to the k-th largest mean of two of n
    values."""
    error = (1 - confidence) / 2
    if n <= COUNTED:
        below = signed_ranks(n)
        k = max(1, int(numpy.searchsorted(below, error, side="right")))
        return k, 1 - 2 * below[k - 1]
    middle, spread = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    k = int(max(1, middle + spread * special.ndtri(error) - 0.5))  # -inf for an error of 0
    return k, 1 - 2 * float(special.ndtr((k - 0.5 - middle) / spread))


@functools.lru_cache(2)
def pairs(n: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """(first, second) of every two of n values, and of each with itself."""
    return numpy.triu_indices(n)


def paired_interval(values: ArrayLike, confidence: float) -> tuple[float, float, float, float]:
    """(middle, low, high, coverage) of differences between what was measured in pairs: the median
    of all means of two of them, each of itself too (Hodges and Lehmann 1963), and the interval that
    Wilcoxon's signed ranks give it. It supposes that the differences lie alike to both sides of
    their middle, which those of equals do, and is narrower than median_interval, by 23 % where they
    are normal (docs/trust.md). Too few values for `confidence`: all of their range, with the
    coverage that it does give."""
    values = numpy.asarray(values, dtype=float)
    n = len(values)
    if n == 0:
        return (numpy.nan,) * 4
    first, second = pairs(n)
    k, coverage = pair_rank(n, confidence)
    means = values[first]
    means += values[second]
    means /= 2
    count = len(means)
    ranks = (k - 1, (count - 1) // 2, count // 2, count - k)
    means.partition(sorted({*ranks}))  # a third of the time of sorting all
    low, *middle, high = means[list(ranks)]
    return sum(middle) / 2, low, high, coverage


def pooled_spread(samples: Iterable[ArrayLike]) -> tuple[float, int]:
    """(standard deviation, degrees of freedom) of values around the mean of their own sample, over
    all samples together; those of one value tell nothing of it."""
    arrays = [numpy.asarray(sample, dtype=float) for sample in samples]
    freedom = sum(max(len(array) - 1, 0) for array in arrays)
    squares = sum(float(((array - array.mean()) ** 2).sum()) for array in arrays if len(array))
    return (float(numpy.sqrt(squares / freedom)) if freedom else numpy.nan), freedom


def pool_of(size: int, *rest) -> tuple:
    """What ratios share whose spread is pooled: all of the same size, and gigabytes together, of
    which there are few."""
    return (min(size, GIB), *rest)


@functools.cache
def student(confidence: float, freedom: int) -> float:
    """How many standard errors Student's interval reaches to either side."""
    return float(special.stdtrit(freedom, (1 + confidence) / 2))


def normal_reach(confidence: float) -> float:
    """How many standard errors a normal interval reaches to either side."""
    return float(special.ndtri((1 + confidence) / 2))


def watched_reach(confidence: float) -> float:
    """The same of one that is looked at with each further value, where there are as many as were
    planned."""
    return normal_reach(1 - (1 - confidence) / LOOKS)


def stretch(values: int, planned: float) -> float:
    """How many times as far as with so many values as planned an interval of so many reaches, in
    standard errors."""
    return max(values / planned, planned / values) ** STRETCH


def watched(confidence: float, values: int, planned: float) -> float:
    """The confidence of an interval of so many values by which all hold together with `confidence`
    that are looked at on the way, with each further value. It costs least where there are as many
    as planned, and more the farther from there: a boundary of Wang and Tsiatis (1987), reflected.
    Tried from 20 values on, up to 8 times as many as planned (docs/trust.md)."""
    reach = watched_reach(confidence) * stretch(values, planned)
    return 1 - 2 * float(special.ndtr(-reach))


def normal_values(n: int) -> numpy.ndarray:
    """So many values of the standard normal distribution, each as probable as the next."""
    return special.ndtri((numpy.arange(n) + 0.5) / n)


def set_interval(values: ArrayLike, confidence: float, pooled: tuple[float, int] = (numpy.nan, 0)
                 ) -> tuple[float, float, float, float]:
    """(middle, low, high, coverage) of what sets of turns gave, one value each. From RANKED values
    on it is paired_interval. Fewer would make that as wide as all of them; so for them it is
    Student's interval of their mean, with the larger of their own spread and the one that `pooled`
    gives, of all that is compared with the same base: from FEW values on, and FREEDOM degrees."""
    values = numpy.asarray(values, dtype=float)
    spread, freedom = pooled
    if len(values) >= RANKED or len(values) < FEW or freedom < FREEDOM:
        return paired_interval(values, confidence)
    reach = student(confidence, freedom) * max(spread, values.std(ddof=1)) \
        / numpy.sqrt(len(values))
    middle = float(values.mean())
    return middle, middle - reach, middle + reach, confidence


def shared(cells: int, confidence: float = CONFIDENCE) -> float:
    """The confidence of one of so many intervals with which all hold together with `confidence`
    (Bonferroni)."""
    return 1 - (1 - confidence) / max(cells, 1)


def corrected(rounds: Iterable[int]) -> float:
    """The same for intervals of so many rounds each. One with so few rounds that even all of them
    on one side of 1 would not do can claim nothing, and takes no share (Tarone 1990)."""
    rounds = list(rounds)
    cells = 1
    while sum(2.0 ** (1 - count) <= 1 - shared(cells) for count in rounds) > cells:
        cells += 1
    return shared(cells)


def half_width(median: float, low: float, high: float) -> float:
    """How far an interval of logarithms reaches, as a share: 0.03 is plus or minus 3 %."""
    return numpy.expm1(max(high - median, median - low))
