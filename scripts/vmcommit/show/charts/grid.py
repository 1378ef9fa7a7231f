"""Time as a multiple of upfront's by the size of the region and the step."""

import math

import numpy

from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import size_text
from vmcommit.show.chart import Chart
from vmcommit.show.figures import SIZE, STEP, Figures
from vmcommit.show.gnuplot import key
from vmcommit.show.looks import short
from vmcommit.show.rows import fully, sequential, stepped_names


def swept(summary):
    rows = fully(sequential(summary))
    return rows[rows.stepped & (rows.chunk_bytes <= rows.size_bytes)].dropna(
        subset=["ratio_to_upfront"])


def shown_rows(summary):
    """Steps that are powers of four, at every size that has more than one step."""
    rows = swept(summary)
    several = rows.groupby("size_bytes").chunk_bytes.transform("nunique") > 1
    powers = numpy.log2(rows.chunk_bytes / rows.chunk_bytes.min())
    return rows[several & (powers % 2 == 0)]


def prepare(analysis, plot):
    rows = shown_rows(analysis.summary)
    if rows.empty:
        return False
    sizes, steps = sorted(rows.size_bytes.unique()), sorted(rows.chunk_bytes.unique())
    names = stepped_names(rows)
    darkest = max(math.log(rows.ratio_to_upfront.max()), 1e-9)
    plot.table("grid", {name: [
        [sizes.index(row.size_bytes) + 1, steps.index(row.chunk_bytes) + 1,
         max(math.log(row.ratio_to_upfront), 0) / darkest, f"{row.ratio_to_upfront:.2f}"]
        for _, row in rows[rows.strategy == name].iterrows()] for name in names})
    columns = (SIZE, STEP, (f"time / {UPFRONT}", "ratio"))
    plot.behind.append(Figures("all touched", columns, {
        name: rows[rows.strategy == name][["size_bytes", "chunk_bytes", "ratio_to_upfront"]]
        .values.tolist() for name in names}, lines=False))
    plot.define("key", [key(name) for name in names])
    plot.panels([short(name) for name in names], across=3)
    plot.mark_texts("size_text", map(size_text, sizes))
    plot.mark_texts("step_text", map(size_text, steps))
    return True


def finding(analysis):
    rows = swept(analysis.summary)
    clauses = []
    for word, at in (("Least", rows.ratio_to_upfront.idxmin()),
                     ("most", rows.ratio_to_upfront.idxmax())):
        row = rows.loc[at]
        clauses.append(f"{word}: {row.strategy} by {size_text(row.chunk_bytes)} in "
                       f"{size_text(row.size_bytes)}, {row.ratio_to_upfront:.2f} times {UPFRONT}")
    return "; ".join(clauses) + "."


CHART = Chart(
    order=50,
    title=f"Time as a multiple of {UPFRONT}, by size and step",
    description=f"Time of each strategy with a step as a multiple of {UPFRONT}, by the size of the "
                "region and the step",
    caption=f"Darker costs more. 1.00 is as fast as {UPFRONT}; confidence intervals are in the "
            "table.",
    prepare=prepare, finding=finding)
