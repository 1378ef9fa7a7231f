"""Time per touched page over comparisons."""

import itertools
import math

from vmcommit.base.units import size_text
from vmcommit.show.chart import HISTORY, Chart
from vmcommit.show.frame import time_axis
from vmcommit.show.looks import SERIES, define, short
from vmcommit.show.rows import reach


def lines(history, rows, sizes):
    """{size's number: its points} of one strategy."""
    return {str(number): [[history.places[row.time], row.ns_per_page, row.ns_per_page_low,
                           row.ns_per_page_high]
                          for _, row in rows[rows.size_bytes == size].iterrows()]
            for number, size in enumerate(sizes, 1)}


def add_sizes(plot, sizes):
    looks = list(itertools.islice(itertools.cycle(SERIES), len(sizes)))
    define(plot, [size_text(size) for size in sizes], looks)
    plot.legend = [(size_text(size), look.color, look.mark, 1)
                   for size, look in zip(sizes, looks)]
    plot.gap = 120


def prepare(history, plot):
    rows = history.rows
    if rows.empty:
        return False
    names, sizes = list(rows.strategy.unique()), sorted(rows.size_bytes.unique())
    add_sizes(plot, sizes)
    for number, name in enumerate(names, 1):
        plot.table(f"panel{number}", lines(history, rows[rows.strategy == name], sizes))
    plot.table("changes", {str(number): [[history.places[row.time]] for _, row, _ in history.changes
                                         if row.strategy == name]
                           for number, name in enumerate(names, 1)})
    plot.panels([short(name) for name in names], min(3, math.ceil(len(names) / 2)))
    time_axis(plot, *reach(rows, "ns_per_page"), room=(0.8, 1.2))
    plot.define("comparisons", len(history.places))
    return True


CHART = Chart(
    order=10, shows=HISTORY,
    title="Time per touched page over comparisons",
    description="Time per touched page over comparisons, one panel for each strategy, one line for "
                "each size",
    caption="A line from top to bottom: a change began.",
    prepare=prepare)
