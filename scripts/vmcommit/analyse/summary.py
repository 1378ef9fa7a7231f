"""samples.csv to summary.csv: one row for each configuration, with a confidence interval on every
latency. Ratios are paired within a round.
"""

import dataclasses
import pathlib

import numpy
import pandas
from numpy.typing import ArrayLike
from scipy import stats

from vmcommit.base.columns import (COMPARED, CONFIGURATION, COUNTS, JOINED, LATENCIES, MANNER,
                                   PURGE_COUNTS, PURGE_LATENCIES, SIZES, STATUSES)
from vmcommit.base.conventions import CONFIDENCE, ORDERS
from vmcommit.base.files import write_text
from vmcommit.base.statistics import (FEW, half_width, median_interval, pool_of,
                                      pooled_spread, set_interval, shared)
from vmcommit.base.strategies import UPFRONT


def add_interval(row: dict, name: str, values: ArrayLike, confidence: float = CONFIDENCE) -> float:
    """Adds the median and the ends of its interval; returns what that covers."""
    return add_ends(row, name, median_interval(values, confidence))


def add_ends(row: dict, name: str, interval: tuple[float, float, float, float]) -> float:
    median, low, high, coverage = interval
    if coverage <= 0:  # one sample has no interval
        low = high = numpy.nan
    row[name], row[f"{name}_low"], row[f"{name}_high"] = median, low, high
    return coverage


@dataclasses.dataclass(frozen=True)
class Rows:
    """Some rows of a run's samples, a column at a time: tables that are cut anew for each of some
    hundred configurations take seconds. `columns`: of all rows; `at`: which rows."""

    columns: dict[str, numpy.ndarray]
    at: numpy.ndarray

    def __getitem__(self, column: str) -> numpy.ndarray:
        return self.columns[column][self.at]

    def __len__(self) -> int:
        return len(self.at)

    def where(self, chosen: numpy.ndarray) -> "Rows":
        return Rows(self.columns, self.at[chosen])

    @property
    def ok(self) -> "Rows":
        return self.where(self["status"] == "ok")


Group = tuple[tuple, Rows]  # what defines a configuration, and its rows


def grouped(samples: pandas.DataFrame) -> list[Group]:
    """By configuration, in the order of their first rows."""
    columns = {name: samples[name].to_numpy() for name in samples.columns}
    numbers = samples.groupby([*CONFIGURATION], sort=False).ngroup().to_numpy()
    order = numpy.argsort(numbers, kind="stable")
    _, first = numpy.unique(numbers[order], return_index=True)
    return [(tuple(columns[name][at[0]] for name in CONFIGURATION), Rows(columns, at))
            for at in numpy.split(order, first[1:]) if len(at)]


def known(values: numpy.ndarray) -> numpy.ndarray:
    values = values.astype(float)
    return values[~numpy.isnan(values)]


def median(values: numpy.ndarray) -> float:
    return float(numpy.median(values)) if len(values) else numpy.nan


def spread(times: numpy.ndarray) -> float:
    """From the first quartile to the third, as a share of the median."""
    if not len(times):
        return numpy.nan
    first, middle, third = numpy.quantile(times, [0.25, 0.5, 0.75])
    return (third - first) / middle


def add_drift(row: dict, ok: Rows, confidence: float) -> None:
    """Whether times rose or fell over the rounds (Kendall's tau), and by how much from the first
    third of the rounds to the last."""
    rounds, times = ok["round"], ok["cycle_ns"]
    ordered = times[numpy.argsort(rounds, kind="stable")]
    third = len(ordered) // 3
    row["drift"] = median(ordered[-third:]) / median(ordered[:third]) - 1 if third >= 3 \
        else numpy.nan
    row["drifts"] = bool(third >= 3 and
                         stats.kendalltau(rounds, times).pvalue < 1 - confidence)


def paired_ratios(taken: Rows, base: Rows, column: str = "cycle_ns") -> numpy.ndarray:
    """log(time / base's time), within each round that has both."""
    _, mine, its = numpy.intersect1d(taken["round"], base["round"], return_indices=True)
    return known(numpy.log(taken[column][mine] / base[column][its]))


def add_ratio(row: dict, ratios: ArrayLike, confidence: float,
              pooled: tuple[float, int]) -> None:
    """`ratios`: logarithms; `pooled`: their spread, and that of all others to the same base."""
    row["ratio_samples"] = numpy.size(ratios)
    row["ratio_confidence"] = add_ends(row, "ratio_to_upfront",
                                       set_interval(ratios, confidence, pooled))
    ends = ("ratio_to_upfront", "ratio_to_upfront_low", "ratio_to_upfront_high")
    row["ratio_half_width"] = half_width(*(row[end] for end in ends))
    for end in ends:
        row[end] = numpy.exp(row[end])


def add_plain(row: dict, plain: ArrayLike, confidence: float) -> None:
    """The ratio as the harnesses' plain sums have it, logarithms, and whether it is beyond doubt
    another one than what the turns say of an undisturbed cycle."""
    *interval, coverage = set_interval(plain, confidence, pooled_spread([plain]))
    ends = ("plain_ratio", "plain_ratio_low", "plain_ratio_high")
    row |= dict(zip(ends, numpy.exp(interval)))
    row["sums_differ"] = bool(coverage >= confidence and (
        row["plain_ratio_low"] > row["ratio_to_upfront_high"]
        or row["plain_ratio_high"] < row["ratio_to_upfront_low"]))


def add_counts(row: dict, group: Rows) -> None:
    """Counts are the same in every round; where one is not, the row says which."""
    differing = []
    for column in (*COUNTS, *PURGE_COUNTS):
        counts = known(group[column])
        row[column] = counts[0] if len(counts) else numpy.nan
        if len(counts) and counts.min() < counts.max():
            differing.append(f"{column} {counts.min():g}..{counts.max():g}")
    row["counts"] = "DIFFER: " + "; ".join(differing) if differing else "exact"


def compared_key(key: tuple) -> tuple:
    """What a configuration shares with its base."""
    return tuple(key[CONFIGURATION.index(column)] for column in COMPARED)


@dataclasses.dataclass(frozen=True)
class Base:
    """The rows of what configurations are compared with, and the spread of all ratios that are
    pooled with those to it."""

    ok: Rows
    pooled: tuple[float, int]


def compares(key: tuple) -> bool:
    """Whether a configuration is compared with upfront as it is. What gives back takes turns with
    none that does not, and several threads are compared with one."""
    purge, threads = (key[CONFIGURATION.index(column)] for column in ("purge", "threads"))
    return purge in ("", "none") and threads == 1


def pool_key(key: tuple) -> tuple:
    """Of a compared_key."""
    shared_with = dict(zip(COMPARED, key))
    size, touched = shared_with.pop("size_bytes"), shared_with.pop("touched_bytes")
    return pool_of(size, round(touched / size, 3), *shared_with.values())


def bases_of(groups: list[Group]) -> dict[tuple, Base]:
    """{compared_key: Base}"""
    plain = {key: rows.ok for key, rows in groups if rows.ok["plain"].all()}
    base_rows = {compared_key(key): rows for key, rows in plain.items() if key[0] == UPFRONT}
    pools: dict[tuple, list] = {}
    for key, rows in plain.items():
        compared = compared_key(key)
        if key[0] != UPFRONT and compared in base_rows and not rows["brought"].any():
            pools.setdefault(pool_key(compared), []).append(
                paired_ratios(rows, base_rows[compared]))
    return {key: Base(rows, pooled_spread(pools.get(pool_key(key), [])))
            for key, rows in base_rows.items()}


def summarise_configuration(key: tuple, group: Rows, bases: dict[tuple, Base],
                            confidence: float, drift_confidence: float) -> dict:
    """One row; ratios with `confidence`, and drift with `drift_confidence`: each holds for all rows
    together."""
    row = dict(zip(CONFIGURATION, key)) | {column: group[column][0] for column in JOINED}
    ok = group.ok
    row["samples"] = len(ok)
    for status in STATUSES[1:]:
        row[status] = int((group["status"] == status).sum())
    row["error"] = next((error for error in group["error"] if error), "")
    for column in LATENCIES:
        add_interval(row, column, ok[column])
    for column in PURGE_LATENCIES:
        add_interval(row, column, known(ok[column]))
    row["confidence"] = add_interval(row, "ns_per_page", ok["ns_per_page"])
    base = bases.get(compared_key(key)) if compares(key) else None
    add_ratio(row, paired_ratios(ok, base.ok) if base else [], confidence,
              base.pooled if base else pooled_spread([]))
    add_plain(row, paired_ratios(ok, base.ok, "total_ns") if base else [], confidence)
    row["spread"] = spread(ok["cycle_ns"])
    add_drift(row, ok, drift_confidence)
    add_counts(row, group.where(numpy.isin(group["status"], ["ok", "refused"])))
    row["commit_system_bytes"] = median(known(group["commit_system_bytes"]))
    return row


def summarise(samples: pandas.DataFrame, calibration: dict) -> pandas.DataFrame:
    """`calibration`: of environment.json, for the price of a page fault."""
    groups = grouped(samples)
    bases = bases_of(groups)
    confidence = shared(sum(len(group.ok) >= FEW for key, group in groups
                            if key[0] != UPFRONT and (group["threads"] == 1).all()))
    rows = [summarise_configuration(key, group, bases, confidence, shared(len(groups)))
            for key, group in groups]
    summary = pandas.DataFrame(rows)
    floor = calibration["page_fault_ns"] or numpy.nan
    summary["multiple_of_page_fault"] = summary.ns_per_page / floor
    return summary.sort_values(
        ["platform", "pages", "size_bytes", "touched_bytes", "touch_order", "rank", "chunk_bytes",
         *MANNER],
        key=lambda column: column != ORDERS[0] if column.name == "touch_order" else column,
        ignore_index=True)


def write_summary(summary: pandas.DataFrame, path: pathlib.Path) -> None:
    """Whole numbers stay whole; times to a tenth, ratios to a ten-thousandth."""
    text = summary.drop(columns=[*JOINED])
    text["purge_step_bytes"] = text.purge_step_bytes.replace(0, numpy.nan)  # of what does not
    for column in (*SIZES, *COUNTS, "purge_step_bytes", "threads", *PURGE_COUNTS,
                   "commit_system_bytes"):
        text[column] = text[column].map(
            lambda value: "" if pandas.isna(value) else f"{value:.10g}"
            if value != int(value) else f"{int(value)}")
    for column in text.columns:
        if "_ns" in column or column.startswith("ns_per_page"):
            text[column] = text[column].round(1)
        elif column.startswith(("ratio_to", "ratio_half", "plain_ratio", "multiple_of",
                                "spread")) or \
                column.endswith("confidence") or column == "drift":
            text[column] = text[column].round(4)
    write_text(path, text.to_csv(index=False, lineterminator="\r\n"))
