"""Time per touched page of several runs against size."""

import math

from vmcommit.show.chart import RUNS, Chart
from vmcommit.show.figures import SIZE, Figures, with_ends
from vmcommit.show.frame import size_axis, time_axis
from vmcommit.show.looks import SERIES, define, short
from vmcommit.show.rows import reach, with_interval


def add_runs(plot, together, names, column, across, heading):
    """A panel for each of `names`, a line for each run; `heading` of the column, with its unit."""
    looks = SERIES[:len(together.names)]
    colors = {name: look.color for name, look in zip(together.shown_names, looks)}
    define(plot, together.names, looks)
    plot.legend = [(text, look.color, look.mark, look.size)
                   for text, look in zip(together.shown_names, looks)]
    plot.panels([short(name) for name in names], across)
    for number, name in enumerate(names, 1):
        series = [rows[rows.strategy == name].dropna(subset=[column])[
            ["size_bytes", *with_interval(column)]].values.tolist() for rows in together.full]
        plot.table(f"panel{number}", {str(at): rows for at, rows in enumerate(series, 1)})
        plot.behind.append(Figures(name, (SIZE, *with_ends(*heading)),
                                   dict(zip(together.shown_names, series)),
                                   colors=colors))
    size_axis(plot, together.rows.size_bytes, 6)


def prepare(together, plot):
    if together.rows.empty:
        return False
    names = together.strategies(together.rows)
    add_runs(plot, together, names, "ns_per_page", min(3, math.ceil(len(names) / 2)),
             ("time per page", "ns"))
    time_axis(plot, *reach(together.rows, "ns_per_page"))
    return True


CHART = Chart(
    order=10, shows=RUNS,
    title="Time per touched page",
    description="Time per touched page against size, one panel for each strategy, one line for "
                "each run",
    caption="Lower is better. Times of different runs were not measured in turn: a difference of "
            "some ten per cent may be the machine's.",
    prepare=prepare)
