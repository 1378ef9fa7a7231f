"""results/history.csv: one row for each cell and revision that was compared; and where in it a change
began.

Whether there is a change is asked of ranks: the largest Mann-Whitney statistic of any split, held
against what random orders of the same values give. Where it is, is asked of the values: the split
that leaves the least variance within both parts. Then within both parts again.
"""

import hashlib
import json
import math

import numpy
from scipy import stats

from vmcommit.base.conventions import GATE_CONFIDENCE, THRESHOLD
from vmcommit.base.files import RowFile, relative
from vmcommit.base.runs import Unreadable, as_numbers, read_table
from vmcommit.base.statistics import median_interval, shared
from vmcommit.gate import baselines

COLUMNS = ("time", "revision", "clean", "machine", "cell", "strategy", "size_bytes", "touch",
           "chunk_bytes", "ns_per_page", "ns_per_page_low", "ns_per_page_high", "rounds",
           "minor_faults", "handled_faults", "commit_calls", "commit_bytes")
SHORTEST = 4  # revisions on each side of a change
PERMUTATIONS = 1999
NUMBERS = COLUMNS[6:]


def machine(environment):
    """Few letters that stand for what times depend on."""
    text = json.dumps(baselines.fingerprint(environment), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def rows_of(results, samples, environment):
    """A row for each cell that head was timed in."""
    for result in results:
        taken = [row for _, row in samples.rows.get(("head", result.cell), []) if row["total_ns"]]
        if not taken:
            continue
        pages = float(taken[0]["touched_bytes"]) / float(taken[0]["page_bytes"])
        median, low, high, _ = median_interval([float(row["total_ns"]) / pages for row in taken])
        cell = result.cell
        yield dict(zip(COLUMNS, (
            environment["started"], environment["revision"]["commit"],
            environment["revision"]["clean"], machine(environment), cell.name, cell.strategy, cell.size, cell.touch,
            cell.chunk, f"{median:.1f}", f"{low:.1f}", f"{high:.1f}", len(taken),
            *(taken[0].get(column, "") for column in COLUMNS[13:]))))


def mend(path):
    """Takes away the end of a last row that was cut off when the disk was full. Returns whether
    there was one."""
    content = path.read_bytes()
    whole = content[:content.rfind(b"\n") + 1]
    if whole == content:
        return False
    with open(path, "r+b") as file:
        file.truncate(len(whole))
    return True


def add(path, rows):
    """Each row is in the file whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        mend(path)
    with RowFile(path, COLUMNS, append=True) as file:
        for row in rows:
            file.add(row)


def read(path):
    """(the history as a table, oldest first, what was left out). Raises Unreadable."""
    table, note = read_table(path, COLUMNS)
    if table.empty:
        raise Unreadable(f"{relative(path)} holds no comparison yet; make compare writes it")
    as_numbers(table, NUMBERS, path)
    for column in ("ns_per_page", "ns_per_page_low", "ns_per_page_high"):
        wrong = ~(table[column] > 0)
        if wrong.any():
            at = wrong.idxmax()
            raise Unreadable(f"{relative(path)}, line {at + 2}, {column}: '{table[column][at]}' "
                             "is no time")
    return table.sort_values("time", kind="stable", ignore_index=True), note


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
    statistic = largest_statistic(ranks)
    orders = random.permuted(numpy.tile(ranks, (PERMUTATIONS, 1)), axis=1)
    chance = (1 + (largest_statistic(orders) >= statistic - 1e-9).sum()) / (PERMUTATIONS + 1)
    at = best_split(values)
    before, after = (math.log(numpy.median(part)) for part in (values[:at], values[at:]))
    if chance > alpha or abs(after - before) < math.log(1 + THRESHOLD):
        return []
    return change_points(values[:at], alpha, random) + [at] + \
        [at + point for point in change_points(values[at:], alpha, random)]


def changes(table, seed=1):
    """[(cell, row at which it changed, new level / old level)] on each machine by itself."""
    groups = list(table.groupby(["machine", "cell"], sort=False))
    alpha = 1 - shared(len(groups), GATE_CONFIDENCE)
    alpha = max(alpha, 1 / (PERMUTATIONS + 1))  # no permutation test tells less
    random = numpy.random.default_rng(seed)
    changed = []
    for (_, cell), rows in groups:
        values = rows.ns_per_page.to_numpy()
        points = change_points(values, alpha, random)
        for last, at, following in zip([0, *points], points, [*points[1:], len(values)]):
            ratio = numpy.median(values[at:following]) / numpy.median(values[last:at])
            changed.append((cell, rows.iloc[at], float(ratio)))
    return changed
