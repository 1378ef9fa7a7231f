"""Parts against wholes: what a strategy costs beyond upfront, and what its parts cost alone.

If the two agree, nothing that was not named is hiding in a figure.
"""

from campaign import DEFAULT_STEP, size_text
from charts import most_stepped, sequential

FLAGGED = 0.25


def ns_per_page(rows, strategy, step=None):
    chosen = rows[rows.strategy == strategy]
    if step is not None:
        chosen = chosen[chosen.chunk_bytes == step]
    return chosen.ns_per_page.iloc[0] if len(chosen) else float("nan")


def check(summary, calibration):
    """[{what, whole, parts, difference, flagged}], ns per page, at the size with most steps."""
    if not calibration:
        return []
    plain = sequential(summary)
    plain = plain[(plain.touched_bytes == plain.size_bytes) & (plain.samples > 0)]
    chunked = plain[plain.strategy == "chunked"]
    if chunked.empty:
        return []
    size = most_stepped(plain)
    rows = plain[plain.size_bytes == size]
    page = rows.page_bytes.iloc[0]
    commit, trap = calibration["commit_call_ns"], calibration["trap_ns"]
    base = ns_per_page(rows, "upfront")
    found = []
    for what, whole, parts in (
            ("fault less upfront, against a trap and a commit call",
             ns_per_page(rows, "fault") - base, trap + commit),
            (f"chunked by {size_text(int(page))} less upfront, against a commit call",
             ns_per_page(rows, "chunked", page) - base, commit),
            (f"chunked by {size_text(DEFAULT_STEP)} less upfront, against its commit calls",
             ns_per_page(rows, "chunked", DEFAULT_STEP) - base, commit * page / DEFAULT_STEP)):
        if whole == whole:
            difference = (whole - parts) / whole
            found.append({"what": f"{size_text(int(size))}: {what}", "whole": whole,
                          "parts": parts, "difference": difference,
                          "flagged": abs(difference) > FLAGGED})
    return found
