"""One run in a few hundred rows: what is compared between machines, without anything that only this
run's own page needs. A run of thousands of samples becomes a table of its configurations' ratios
and counts in a fraction of a second."""

import dataclasses
import pathlib

import numpy
import pandas
from scipy import special

from vmcommit.analyse.summary import pool_key
from vmcommit.base import runs
from vmcommit.base.cells import manner_of
from vmcommit.base.columns import CELL, COMPARED, CONFIGURATION, COUNTS
from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.problems import Problem
from vmcommit.base.statistics import FEW, pooled_spread, set_interval, shared
from vmcommit.base.strategies import UPFRONT

NORMAL = float(special.ndtri((1 + CONFIDENCE) / 2))
RATIO = ["log_ratio", "log_error", "log_low", "log_high"]


@dataclasses.dataclass(frozen=True)
class Digest:
    """What is the same CELL on all machines, whose guard and trap are their own kinds. `folder`: of
    the run; `host`: the folder's name. `kernel` has two numbers, as in 6.12. `cells` has a row for
    each configuration: CELL, with a manner that was asked for alone; stepped, plain, status,
    log_ratio with its standard error, low and high (of all of this run's ratios together), and
    COUNTS. `supported`: {(strategy, option, kind): status} where that was tried. `identity` tells
    a run that is given twice."""

    folder: str
    host: str
    kernel: str
    release: str
    processor: str
    guard: str
    timed: bool
    supported: dict
    identity: tuple
    notes: list
    cells: pandas.DataFrame


def short_release(release) -> str:
    """6.12 of 6.12.48+deb13-amd64."""
    numbers = (release or "").split(".")[:2]
    return ".".join(numbers) if len(numbers) == 2 else release or "unknown"


def guard_of(run) -> str:
    kinds = [kind for kind in run.samples.guard.unique() if kind]
    return run.environment["guard"] or (kinds[0] if len(kinds) == 1 else "unknown")


def paired(samples) -> pandas.DataFrame:
    """Rows that have a time and a base in the same round, with `ratio`, its logarithm, and `pool`,
    the number of those that share a spread."""
    ok = samples[samples.status == "ok"]
    key = [*COMPARED, "round"]
    is_base = ok.plain & (ok.strategy == UPFRONT)
    base = ok[is_base][[*key, "cycle_ns"]]
    rows = ok[~is_base & ok.purge.isin(["", "none"])].merge(base, on=key, suffixes=("", "_base"))
    rows["ratio"] = numpy.log(rows.cycle_ns / rows.cycle_ns_base)
    rows["pool"] = pools_of(rows)
    return rows.dropna(subset=["ratio"])


def pools_of(rows) -> numpy.ndarray:
    at = rows.groupby([*COMPARED], sort=False).ngroup().to_numpy()
    keys = rows[[*COMPARED]].drop_duplicates().itertuples(index=False, name=None)
    numbers: dict[tuple, int] = {}
    pools = [numbers.setdefault(pool_key(key), len(numbers)) for key in keys]
    return numpy.array(pools, int)[at]


def by_cell(rows) -> dict[int, numpy.ndarray]:
    """The ratios of each cell."""
    order = rows.cell.to_numpy().argsort(kind="stable")
    cells, begins = numpy.unique(rows.cell.to_numpy()[order], return_index=True)
    return dict(zip(cells.tolist(), numpy.split(rows.ratio.to_numpy()[order], begins[1:])))


def spreads(rows) -> dict:
    """{pool: the spread of its ratios}, of what is built in and plain."""
    own = rows[rows.plain & ~rows.brought]
    return {pool: pooled_spread(by_cell(part).values()) for pool, part in own.groupby("pool")}


def ratio_columns(ratios, confidence, pooled) -> dict:
    """`ratios`: logarithms, paired by set."""
    middle, low, high, coverage = set_interval(ratios, CONFIDENCE, pooled)
    if not coverage >= CONFIDENCE:
        return {}
    _, *ends, known = set_interval(ratios, confidence, pooled)
    least, most = ends if known >= confidence else (-numpy.inf, numpy.inf)
    return {"log_ratio": middle, "log_error": (high - low) / 2 / NORMAL, "log_low": least,
            "log_high": most}


def ratios_of(samples) -> pandas.DataFrame:
    """RATIO by cell."""
    rows = paired(samples)
    pooled = spreads(rows)
    ratios = by_cell(rows)
    pools = dict(zip(rows.cell, rows.pool))
    confidence = shared(sum(len(each) >= FEW for each in ratios.values()))
    return pandas.DataFrame.from_dict(
        {cell: ratio_columns(each, confidence, pooled.get(pools[cell], (numpy.nan, 0)))
         for cell, each in ratios.items()}, orient="index", columns=RATIO)


def counts_of(samples) -> pandas.DataFrame:
    """COUNTS by cell. One that is not the same in every round is none that machines can be compared
    by."""
    groups = samples[samples.status.isin(["ok", "refused"])].groupby("cell")[[*COUNTS]]
    least, most = groups.min(), groups.max()
    return least.where(least == most)


def with_asked_manner(cells, strategies) -> pandas.DataFrame:
    """Cells whose columns of a manner hold what was asked for: earlier runs named no default, and
    it may be another one elsewhere."""
    manners = [manner_of(row, strategies[row.strategy]) for row in cells.itertuples()]
    return cells.assign(
        commit_kind=[each.commit for each in manners], growth=[each.growth for each in manners],
        pages=[each.pages for each in manners], purge=[each.purge for each in manners],
        purge_step_bytes=[each.purge_step for each in manners],
        threads=[each.threads for each in manners], share=[each.share for each in manners])


def cells_of(samples, strategies) -> pandas.DataFrame:
    """A row for each configuration of a single thread: how several fare depends on the number of
    CPUs. `strategies`: {name: Strategy}."""
    samples = samples[samples.threads == 1]
    samples = samples.assign(cell=samples.groupby([*CONFIGURATION], sort=False).ngroup())
    first = samples.drop_duplicates("cell").set_index("cell")[
        [*CELL, "stepped", "plain", "status"]]
    first.loc[samples[samples.status == "ok"].cell.unique(), "status"] = "ok"
    table = with_asked_manner(first, strategies).join(ratios_of(samples)).join(counts_of(samples))
    return table.drop_duplicates([*CELL], ignore_index=True)


def supported_of(run) -> dict:
    if run.supported is None:
        return {}
    return {(row.strategy, row.option, row.kind): row.status for row in run.supported.itertuples()}


def digest(folder) -> Digest:
    """Raises Unreadable."""
    folder = pathlib.Path(folder)
    run = runs.read(folder)
    described = run.environment
    wine = bool((run.samples.platform == "wine").any())
    return Digest(
        str(folder), folder.resolve().name, short_release(described["system"]["kernel"]),
        described["system"]["kernel"] or "unknown", described["processor"]["model"] or "unknown",
        guard_of(run), not (described["emulated"] or wine),
        supported_of(run),
        (described["host"], described["started"], described["seed"]), run.notes,
        cells_of(run.samples, run.strategies))


def attempt(folder) -> "Digest | str":
    """The digest, or why there is none: one run that can't be read takes no other with it."""
    try:
        return digest(folder)
    except Problem as problem:
        return str(problem)
