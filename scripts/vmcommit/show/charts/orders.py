"""What the order of touching does to the number of mappings that the kernel must keep."""

import math

import pandas

from vmcommit.base.conventions import ORDERS
from vmcommit.base.strategies import names_in
from vmcommit.base.units import count_text, size_text
from vmcommit.show import looks
from vmcommit.show.chart import Chart
from vmcommit.show.figures import SIZE, Figures
from vmcommit.show.frame import shortened
from vmcommit.show.rows import fully, plain

WIDEST = 22  # of a mark's text
OK, UNSUPPORTED, REFUSED = range(3)
OUTCOMES = ("ok", "unsupported", "refused")


def out_of_order(summary):
    return summary[summary.touch_order != ORDERS[0]]


def places(summary):
    """(size, order) of each place on the axis: all orders of the size with the most rows, then the
    orders that other sizes have."""
    other = out_of_order(summary)
    sizes = sorted(other.size_bytes.unique(), key=lambda size: -(other.size_bytes == size).sum())
    known = [(sizes[0], order) for order in ORDERS]
    there = [(size, order) for size in sizes
             for order in other[other.size_bytes == size].touch_order.unique()]
    return known + [place for place in there if place not in known]


def outcome(row):
    return UNSUPPORTED if row.unsupported else REFUSED if row.refused else OK


def bar(at, row):
    """Place, mappings and outcome, as orders.gp draws them."""
    mappings = 1 if math.isnan(row.region_count) else row.region_count
    return [at, math.nan if outcome(row) == UNSUPPORTED else mappings, outcome(row)]


def bars(summary, ordered):
    rows = plain(fully(summary))
    series = {name: [] for name in names_in(summary)}
    for at, (size, order) in enumerate(ordered, 1):
        for _, row in rows[(rows.size_bytes == size) & (rows.touch_order == order)].iterrows():
            series[row.strategy].append(bar(at, row))
    return series


def prepare(analysis, plot):
    summary = analysis.summary
    if out_of_order(summary).empty:
        return False
    ordered = places(summary)
    series = bars(summary, ordered)
    looks.add_strategies(plot, list(series))
    plot.table("orders", series)
    plot.behind.append(Figures("all touched", (("order", "text"), SIZE, ("mappings", "count"),
                                               ("outcome", "text")), {
        name: [[ordered[at - 1][1], ordered[at - 1][0], mappings, OUTCOMES[came]]
               for at, mappings, came in rows] for name, rows in series.items()}, lines=False))
    plot.mark_texts("order_text", [shortened(f"{order}, {size_text(size)}", WIDEST)
                                   for size, order in ordered])
    most = summary.region_count.max()
    plot.define("region_high", 4 * (1 if pandas.isna(most) else max(most, 1)))
    return True


def finding(analysis):
    rows = plain(fully(analysis.summary))
    rows = rows[rows.size_bytes.isin(out_of_order(rows).size_bytes)]
    clauses = []
    for order, of_order in rows.groupby("touch_order", sort=False):
        most = of_order.region_count.max()
        text = f"{order}: up to {count_text(most)} mappings" if not math.isnan(most) else order
        for status in ("unsupported", "refused"):
            names = of_order[of_order[status] > 0].strategy.unique()
            text += f", {', '.join(names)} {status}" if len(names) else ""
        clauses.append(text)
    return "; ".join(clauses) + "." if clauses else ""


CHART = Chart(
    order=110,
    title="Mappings by the order of touching",
    description="Mappings that the kernel keeps, by the order in which pages are touched",
    caption="A region whose committed pages lie scattered takes the kernel many mappings, until it "
            "refuses (vm.max_map_count). A cross: the order jumps past the guard page.",
    prepare=prepare, finding=finding)
