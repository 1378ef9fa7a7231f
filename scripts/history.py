"""results/history.csv: one row for each cell and revision that was compared; and where in it a change
began.

Whether there is a change is asked of ranks: the largest Mann-Whitney statistic of any split, held
against what random orders of the same values give. Where it is, is asked of the values: the split
that leaves the least variance within both parts. Then within both parts again.
"""

import csv
import hashlib
import json
import math

import numpy
import pandas
from scipy import stats

import baseline
import exports
import gate
from summary import median_interval

COLUMNS = ("time", "revision", "clean", "machine", "cell", "strategy", "size_bytes", "touch",
           "chunk_bytes", "ns_per_page", "ns_per_page_low", "ns_per_page_high", "rounds",
           "minor_faults", "handled_faults", "commit_calls", "commit_bytes")
SHORTEST = 4  # revisions on each side of a change
PERMUTATIONS = 1999
CONFIDENCE = 0.99  # of all cells together


class Unusable(Exception):
    """Why the history can't be read."""


def machine(described):
    """Few letters that stand for what times depend on."""
    text = json.dumps(baseline.fingerprint(described), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def rows_of(results, samples, described):
    """A row for each cell that head was timed in."""
    for result in results:
        taken = [row for _, row in samples.rows.get(("head", result.cell), []) if row["total_ns"]]
        if not taken:
            continue
        pages = float(taken[0]["touched_bytes"]) / float(taken[0]["page_bytes"])
        median, low, high, _ = median_interval([float(row["total_ns"]) / pages for row in taken])
        cell = result.cell
        yield dict(zip(COLUMNS, (
            described["started"], described["revision"]["commit"], described["revision"]["clean"],
            machine(described), exports.name(cell), cell.strategy, cell.size, cell.touch,
            cell.chunk, f"{median:.1f}", f"{low:.1f}", f"{high:.1f}", len(taken),
            *(taken[0].get(column, "") for column in COLUMNS[13:]))))


def add(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerows(rows)


def read(path):
    """The history as a table, oldest first. Raises Unusable."""
    try:
        table = pandas.read_csv(path, dtype=dict.fromkeys(("revision", "machine", "cell"), str))
    except (OSError, ValueError, pandas.errors.ParserError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise Unusable(f"cannot read it: {said}; make compare writes it") from None
    lacking = [column for column in COLUMNS if column not in table]
    if lacking:
        raise Unusable(f"it has other columns: {', '.join(lacking)} missing")
    return table.sort_values("time", kind="stable", ignore_index=True)


def largest_statistic(ranks):
    """|z| of the split with the largest, for each row of ranks."""
    n = ranks.shape[-1]
    counts = numpy.arange(1, n)
    sums = ranks.cumsum(axis=-1)[..., :-1]
    z = numpy.abs(sums - counts * (n + 1) / 2) / numpy.sqrt(counts * (n - counts) * (n + 1) / 12)
    return z[..., SHORTEST - 1:n - SHORTEST].max(axis=-1)


def best_split(values):
    """The first index after the split that leaves the least variance of logarithms."""
    logs = numpy.log(values)
    n = len(logs)
    counts = numpy.arange(1, n)
    sums = logs.cumsum()[:-1]
    between = (sums / counts - (logs.sum() - sums) / (n - counts)) ** 2 * counts * (n - counts)
    return int(between[SHORTEST - 1:n - SHORTEST].argmax()) + SHORTEST


def change_points(values, alpha, random):
    """Indices at which another level begins."""
    values = numpy.asarray(values, float)
    n = len(values)
    if n < 2 * SHORTEST:
        return []
    ranks = stats.rankdata(values)
    found = largest_statistic(ranks)
    orders = random.permuted(numpy.tile(ranks, (PERMUTATIONS, 1)), axis=1)
    chance = (1 + (largest_statistic(orders) >= found - 1e-9).sum()) / (PERMUTATIONS + 1)
    at = best_split(values)
    before, after = (math.log(numpy.median(part)) for part in (values[:at], values[at:]))
    if chance > alpha or abs(after - before) < math.log(1 + gate.THRESHOLD):
        return []
    return change_points(values[:at], alpha, random) + [at] + \
        [at + one for one in change_points(values[at:], alpha, random)]


def changes(table, seed=1):
    """[(cell, row at which it changed, new level / old level)] on each machine by itself."""
    groups = list(table.groupby(["machine", "cell"], sort=False))
    alpha = (1 - CONFIDENCE) / max(len(groups), 1)
    alpha = max(alpha, 1 / (PERMUTATIONS + 1))  # no permutation test tells less
    random = numpy.random.default_rng(seed)
    found = []
    for (_, cell), rows in groups:
        values = rows.ns_per_page.to_numpy()
        points = change_points(values, alpha, random)
        for last, at, following in zip([0, *points], points, [*points[1:], len(values)]):
            ratio = numpy.median(values[at:following]) / numpy.median(values[last:at])
            found.append((cell, rows.iloc[at], float(ratio)))
    return found
