"""results/history.csv, read back, and where in it a change began.

Whether there is a change is asked of ranks: the largest Mann-Whitney statistic of any split, held
against what random orders of the same values give. Where it is, is asked of the values: the split
that leaves the least variance within both parts. Then within both parts again.
"""

import datetime
import math
import pathlib

import numpy
import pandas
from scipy import stats

from vmcommit.base.conventions import GATE_CONFIDENCE, THRESHOLD
from vmcommit.base.files import relative
from vmcommit.base.folder import Unreadable
from vmcommit.base.runs import as_numbers, read_table
from vmcommit.base.statistics import shared
from vmcommit.gate.history import COLUMNS, COUNTS, POSITIVE

SHORTEST = 4  # revisions on each side of a change
PERMUTATIONS = 1999
NUMBERS = (*POSITIVE, "rounds", *COUNTS)


def moment(text: str) -> float:
    """Seconds since 1970 of a time as it stands in the file; NaN if it is none."""
    try:
        when = datetime.datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def check(table: pandas.DataFrame, path: pathlib.Path) -> None:
    """Raises Unreadable at the first row that no comparison writes."""
    wrongs = {"time": table.time.map(moment).isna(),
              "revision": ~table.revision.str.fullmatch("[0-9a-f]*"),
              "strategy": ~table.strategy.str.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*"),
              "cell": ~table.cell.map(str.isprintable)}
    wrongs |= {column: ~(table[column] > 0) for column in POSITIVE}
    for column, wrong in wrongs.items():
        if wrong.any():
            at = wrong.idxmax()
            raise Unreadable(f"{relative(path)}, line {at + 2}, {column}: "
                             f"'{table[column][at]!s:.40}' can't be")


def read(path: pathlib.Path) -> tuple[pandas.DataFrame, str]:
    """(the history as a table, oldest first, what was left out). Raises Unreadable."""
    table, note = read_table(path, COLUMNS)
    if table.empty:
        raise Unreadable(f"{relative(path)} holds no comparison yet; make compare writes it")
    as_numbers(table, NUMBERS, path)
    check(table, path)
    order = numpy.argsort(table.time.map(moment), kind="stable")
    return table.iloc[order].reset_index(drop=True), note


def largest_statistic(ranks: numpy.ndarray) -> numpy.ndarray:
    """|z| of the split with the largest, for each row of ranks."""
    n = ranks.shape[-1]
    counts = numpy.arange(1, n)
    sums = ranks.cumsum(axis=-1)[..., :-1]
    z = numpy.abs(sums - counts * (n + 1) / 2) / numpy.sqrt(counts * (n - counts) * (n + 1) / 12)
    return z[..., SHORTEST - 1:n - SHORTEST].max(axis=-1)


def best_split(values) -> int:
    """The first index after the split that leaves the least variance of logarithms."""
    logs = numpy.log(values)
    n = len(logs)
    counts = numpy.arange(1, n)
    sums = logs.cumsum()[:-1]
    between = (sums / counts - (logs.sum() - sums) / (n - counts)) ** 2 * counts * (n - counts)
    return int(between[SHORTEST - 1:n - SHORTEST].argmax()) + SHORTEST


def change_points(values, alpha: float, random) -> list[int]:
    """Indices at which another level begins."""
    values = numpy.asarray(values, float)
    n = len(values)
    if n < 2 * SHORTEST:
        return []
    ranks = stats.rankdata(values)
    statistic = largest_statistic(ranks)
    orders = random.permuted(numpy.tile(ranks, (PERMUTATIONS, 1)), axis=1)
    chance = (1 + (largest_statistic(orders) >= statistic - 1e-9).sum()) / (PERMUTATIONS + 1)
    at = best_split(values)
    before, after = (math.log(numpy.median(part)) for part in (values[:at], values[at:]))
    if chance > alpha or abs(after - before) < math.log(1 + THRESHOLD):
        return []
    return change_points(values[:at], alpha, random) + [at] + \
        [at + point for point in change_points(values[at:], alpha, random)]


def found(table: pandas.DataFrame, seed: int = 1) -> list[tuple]:
    """[(cell, row at which it changed, new level / old level)] on each machine by itself."""
    groups = list(table.groupby(["machine", "cell"], sort=False))
    alpha = 1 - shared(len(groups), GATE_CONFIDENCE)
    alpha = max(alpha, 1 / (PERMUTATIONS + 1))  # no permutation test tells less
    random = numpy.random.default_rng(seed)
    changed: list[tuple] = []
    for (_, cell), rows in groups:
        values = rows.ns_per_page.to_numpy()
        points = change_points(values, alpha, random)
        for last, at, following in zip([0, *points], points, [*points[1:], len(values)]):
            ratio = numpy.median(values[at:following]) / numpy.median(values[last:at])
            changed.append((cell, rows.iloc[at], float(ratio)))
    return changed
