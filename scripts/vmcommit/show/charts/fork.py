"""What a fork takes, by what the process has, and what writing to shared pages takes afterwards."""

import pandas

from vmcommit.analyse.surroundings import FORKS, of_fork
from vmcommit.base.statistics import median_interval
from vmcommit.base.units import size_text, time_text
from vmcommit.show.caption import repeats
from vmcommit.show.chart import SURROUNDINGS, Chart
from vmcommit.show.figures import SIZE, Figures, with_ends
from vmcommit.show.frame import powers_between, size_axis, steps_125
from vmcommit.show.looks import SERIES

ROOM = 1.25  # of an axis beyond its values
PANELS = ("fork", "a page written to afterwards")


def points(rows, values):
    """[size, median, and the ends of its interval]"""
    return [[size, *median_interval(each)[:3]] for size, each in values.groupby(rows.size_bytes)]


def usable(analysis):
    """None where the run has no forks whose times mean something."""
    table = analysis.run.surroundings
    if table is None or (analysis.every.platform == "wine").any():
        return None
    return None if of_fork(table, "touched", "plain").empty else table


def written(rows, page):
    """ns a page, where there is any to be written to."""
    pages = rows.size_bytes / page
    return (rows.copy_ns / pages)[rows.state == "touched"]


def add_times(plot, values):
    low, high = min(values) / ROOM, max(values) * ROOM
    plot.define("time_low", low)
    plot.define("time_high", high)
    plot.marks("time", [mark for mark in powers_between(low, high, 10) if low <= mark <= high]
               or steps_125(low, high), time_text)


def prepare(analysis, plot):
    table = usable(analysis)
    if table is None:
        return False
    series = {name: of_fork(table, *key) for key, name in FORKS.items()}
    plot.samples = repeats(pandas.concat(series.values()).groupby(["state", "way", "size_bytes"]))
    calls = {name: points(rows, rows.ns) for name, rows in series.items()}
    pages = {name: points(rows, written(rows, analysis.page)) for name, rows in series.items()}
    looks = dict(zip(FORKS.values(), SERIES))
    colors = {name: look.color for name, look in looks.items()}
    for number, (title, shown) in enumerate(zip(PANELS, (calls, pages), strict=True), 1):
        plot.table(f"panel{number}", shown)
        plot.behind.append(Figures(title, (SIZE, *with_ends("time", "ns")), shown, colors=colors))
    add_times(plot, [value for each in (calls, pages) for rows in each.values()
                     for point in rows for value in point[1:] if value > 0])
    size_axis(plot, of_fork(table, "touched", "plain").size_bytes)
    plot.panels(list(PANELS), across=2)
    plot.define("line", [f'"{name}"' for name in looks])
    plot.define("line_color", list(colors.values()))
    plot.define("line_mark", [look.mark for look in looks.values()])
    plot.legend = [(name, look.color, look.mark, 1.0) for name, look in looks.items()]
    plot.gap = 190
    return True


def finding(analysis):
    table = usable(analysis)
    most = of_fork(table, "touched", "plain").size_bytes.max()
    times = {name: rows[rows.size_bytes == most].ns.median()
             for key, name in FORKS.items() if len(rows := of_fork(table, *key))}
    return f"A fork with {size_text(most)}: " + "; ".join(
        f"{name}, {time_text(ns)}" for name, ns in times.items()) + "."


CHART = Chart(
    order=10, shows=SURROUNDINGS,
    title="A fork, by what the process has",
    description="CPU time of a fork, and time of a write to each page while the copy lives, by the "
                "size of a range that is reserved, committed or touched",
    caption="Medians of all strategies. A page that is shared with a copy is copied when it is "
            "written to; one that the copy lacks, or has empty, is not.",
    prepare=prepare, finding=finding)
