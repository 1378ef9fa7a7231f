"""Parts against wholes: what a strategy costs beyond upfront, and what its parts cost alone.

If the two agree, nothing that was not named is hiding in a figure.
"""

import pandas

from vmcommit.base.conventions import DEFAULT_STEP, ORDERS
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import size_text

FLAGGED = 0.25


def most_stepped(rows: pandas.DataFrame) -> int:
    """The size with the most steps: the sweep's."""
    return rows[rows.stepped].groupby("size_bytes").chunk_bytes.nunique().idxmax()


def parts_of(row, calibration: dict) -> tuple[str, float]:
    """(words, ns a page) of what a cycle's row does beside touching, by its exact counts; NaN where
    a price is unknown."""
    pages = row.touched_bytes / row.page_bytes
    words = ["commit calls"] + (["traps"] if row.handled_faults else [])
    traps = row.handled_faults * (calibration["trap_ns"] or float("nan")) \
        if row.handled_faults else 0
    return " and ".join(reversed(words)), \
        (row.commit_calls * calibration["commit_call_ns"] + traps) / pages


def to_check(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Strategies that commit by pages; and the steps of a page and of the default that need no
    trap."""
    by_page = ~rows.stepped & (rows.chunk_bytes == rows.page_bytes) & (rows.strategy != UPFRONT)
    by_check = rows.stepped & (rows.handled_faults == 0) & \
        rows.chunk_bytes.isin([rows.page_bytes.max(), DEFAULT_STEP])
    return rows[by_page | by_check]


def check(summary: pandas.DataFrame, calibration: dict) -> list[dict]:
    """[{what, whole, parts, difference, flagged}], ns per page, at the size with most steps."""
    plain = summary[(summary.touch_order == ORDERS[0]) & (summary.samples > 0) & ~summary.brought
                    & (summary.touched_bytes == summary.size_bytes)]
    if not calibration["commit_call_ns"] or not plain.stepped.any():
        return []
    rows = plain[plain.size_bytes == most_stepped(plain)]
    base = rows[rows.strategy == UPFRONT].ns_per_page
    if base.empty:
        return []
    checks = []
    for _, row in to_check(rows).iterrows():
        whole = row.ns_per_page - base.iloc[0]
        words, parts = parts_of(row, calibration)
        if not whole or pandas.isna(parts):
            continue
        name = row.strategy + (f" by {size_text(row.chunk_bytes)}" if row.stepped else "")
        difference = (whole - parts) / abs(whole)
        checks.append({"what": f"{size_text(row.size_bytes)}: {name} less upfront, against its "
                               f"{words}", "whole": whole, "parts": parts,
                       "difference": difference, "flagged": abs(difference) > FLAGGED})
    return checks
