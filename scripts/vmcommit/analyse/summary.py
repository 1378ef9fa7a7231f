"""samples.csv to summary.csv: one row for each configuration, with a confidence interval on every
latency. Ratios are paired within a round.
"""

import pathlib
from collections.abc import Sequence

import numpy
import pandas
from numpy.typing import ArrayLike
from scipy import stats

from vmcommit.base.columns import (COMPARED, CONFIGURATION, COUNTS, JOINED, LATENCIES, SIZES,
                                   STATUSES)
from vmcommit.base.conventions import CONFIDENCE, ORDERS
from vmcommit.base.files import write_text
from vmcommit.base.statistics import corrected, half_width, median_interval, shared
from vmcommit.base.strategies import UPFRONT


def add_interval(row: dict, name: str, values: ArrayLike, confidence: float = CONFIDENCE) -> float:
    """Adds the median and the ends of its interval; returns what that covers."""
    median, low, high, coverage = median_interval(values, confidence)
    if coverage <= 0:  # one sample has no interval
        low = high = numpy.nan
    row[name], row[f"{name}_low"], row[f"{name}_high"] = median, low, high
    return coverage


def add_drift(row: dict, ok: pandas.DataFrame, confidence: float) -> None:
    """Whether times rose or fell over the rounds (Kendall's tau), and by how much from the first
    third of the rounds to the last."""
    ordered = ok.sort_values("round").total_ns
    third = len(ordered) // 3
    row["drift"] = ordered[-third:].median() / ordered[:third].median() - 1 if third >= 3 \
        else numpy.nan
    row["drifts"] = bool(third >= 3 and
                         stats.kendalltau(ok["round"], ok.total_ns).pvalue < 1 - confidence)


def paired_ratios(taken: pandas.DataFrame, base: pandas.DataFrame) -> pandas.Series:
    """log(time / base's time), within each round that has both."""
    return numpy.log(taken.set_index("round").total_ns / base.set_index("round").total_ns).dropna()


def add_ratio(row: dict, ratios: Sequence[float] | pandas.Series, confidence: float) -> None:
    """`ratios`: logarithms."""
    row["ratio_samples"] = len(ratios)
    row["ratio_confidence"] = add_interval(row, "ratio_to_upfront", ratios, confidence)
    ends = ("ratio_to_upfront", "ratio_to_upfront_low", "ratio_to_upfront_high")
    row["ratio_half_width"] = half_width(*(row[end] for end in ends))
    for end in ends:
        row[end] = numpy.exp(row[end])


def add_counts(row: dict, group: pandas.DataFrame) -> None:
    """Counts are the same in every round; where one is not, the row says which."""
    differing = []
    for column in COUNTS:
        counts = group[column].dropna()
        row[column] = counts.iloc[0] if len(counts) else numpy.nan
        if counts.nunique() > 1:
            differing.append(f"{column} {counts.min():g}..{counts.max():g}")
    row["counts"] = "DIFFER: " + "; ".join(differing) if differing else "exact"


def summarise_configuration(key: tuple, group: pandas.DataFrame, bases: dict, confidence: float,
                            drift_confidence: float) -> dict:
    """One row; ratios with `confidence`, and drift with `drift_confidence`: each holds for all rows
    together."""
    row = dict(zip(CONFIGURATION, key)) | {column: group[column].iloc[0] for column in JOINED}
    ok = group[group.status == "ok"]
    row["samples"] = len(ok)
    for status in STATUSES[1:]:
        row[status] = int((group.status == status).sum())
    row["error"] = next((error for error in group.error if error), "")
    for column in LATENCIES:
        add_interval(row, column, ok[column])
    row["confidence"] = add_interval(row, "ns_per_page", ok.ns_per_page)
    base = bases.get(tuple(row[column] for column in COMPARED))
    add_ratio(row, paired_ratios(ok, base) if base is not None else [], confidence)
    quartiles = ok.total_ns.quantile([0.25, 0.75]).tolist()
    row["spread"] = (quartiles[1] - quartiles[0]) / row["total_ns"]
    add_drift(row, ok, drift_confidence)
    add_counts(row, group[group.status.isin(["ok", "refused"])])
    row["commit_system_bytes"] = group.commit_system_bytes.dropna().median()
    return row


def summarise(samples: pandas.DataFrame, calibration: dict) -> pandas.DataFrame:
    """`calibration`: of environment.json, for the price of a page fault."""
    bases = {key: group[group.status == "ok"]
             for key, group in samples[samples.strategy == UPFRONT].groupby([*COMPARED])}
    groups = list(samples.groupby([*CONFIGURATION], sort=False))
    confidence = corrected([(group.status == "ok").sum() for key, group in groups
                            if key[0] != UPFRONT])
    rows = [summarise_configuration(key, group, bases, confidence, shared(len(groups)))
            for key, group in groups]
    summary = pandas.DataFrame(rows)
    floor = calibration["page_fault_ns"] or numpy.nan
    summary["multiple_of_page_fault"] = summary.ns_per_page / floor
    return summary.sort_values(
        ["platform", "pages", "size_bytes", "touched_bytes", "touch_order", "rank", "chunk_bytes"],
        key=lambda column: column != ORDERS[0] if column.name == "touch_order" else column,
        ignore_index=True)


def write_summary(summary: pandas.DataFrame, path: pathlib.Path) -> None:
    """Whole numbers stay whole; times to a tenth, ratios to a ten-thousandth."""
    text = summary.drop(columns=[*JOINED])
    for column in (*SIZES, *COUNTS, "commit_system_bytes"):
        text[column] = text[column].map(
            lambda value: "" if pandas.isna(value) else f"{value:.10g}"
            if value != int(value) else f"{int(value)}")
    for column in text.columns:
        if "_ns" in column or column.startswith("ns_per_page"):
            text[column] = text[column].round(1)
        elif column.startswith(("ratio_to", "ratio_half", "multiple_of", "spread")) or \
                column.endswith("confidence") or column == "drift":
            text[column] = text[column].round(4)
    write_text(path, text.to_csv(index=False, lineterminator="\r\n"))
