"""Commit charge at its peak against size."""

import pandas

from vmcommit.base.conventions import SPARSELY_TOUCHED, TOUCH_NAMES
from vmcommit.base.strategies import names_in
from vmcommit.base.text import listed
from vmcommit.base.units import size_text
from vmcommit.show import looks
from vmcommit.show.chart import Chart
from vmcommit.show.figures import CHARGE, SIZE, Figures
from vmcommit.show.frame import size_axis
from vmcommit.show.rows import at_size, by_strategy, parts, vary

SPARSE = TOUCH_NAMES[SPARSELY_TOUCHED]


def charged(summary):
    """The parts, where the charge is known."""
    return [rows.dropna(subset=["commit_bytes"]) for rows in parts(summary)]


def prepare(analysis, plot):
    full, sparse = charged(analysis.summary)
    both = pandas.concat([full, sparse])
    if not vary(both.size_bytes):
        return False
    names = names_in(both)
    looks.add_strategies(plot, names)
    plot.define("sparse_text", SPARSE)
    plot.define("sparse_share", float(SPARSELY_TOUCHED))
    for name, rows, touched in (("full", full, "all"), ("sparse", sparse, SPARSE)):
        series = by_strategy(rows, names, "size_bytes", "commit_bytes")
        plot.table(name, series)
        plot.behind.append(Figures(f"{touched} touched", (SIZE, CHARGE), series))
    size_axis(plot, both.size_bytes)
    plot.define("charge_high", 1.5 * both[["size_bytes"]].max().max())
    return True


def finding(analysis):
    _, sparse = charged(analysis.summary)
    if sparse.empty:
        return ""
    size = sparse.size_bytes.max()
    charges = ", ".join(f"{row.strategy} {size_text(row.commit_bytes)}"
                        for _, row in at_size(sparse, size).iterrows())
    return f"With {SPARSE} of {size_text(size)} touched the charge is: {charges}."


CHART = Chart(
    order=60,
    title="Commit charge at its peak",
    description="Commit charge at its peak against the size of the region, with "
                f"{listed(['all', SPARSE])} of it touched",
    caption="What is charged at the peak: the bytes that the system has guaranteed to back.",
    picture="The dotted line is what was touched; charge above it is unused.",
    prepare=prepare, finding=finding)
