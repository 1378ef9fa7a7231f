"""What a node of a linked list takes, by where its memory comes from."""

import dataclasses
from typing import Callable

import pandas

from vmcommit.base.statistics import median_interval
from vmcommit.base.units import count_text, size_text, time_text
from vmcommit.measure.workloads import NODE, NUMBERS
from vmcommit.show.caption import repeats
from vmcommit.show.chart import Chart
from vmcommit.show.figures import Figures, with_ends
from vmcommit.show.frame import powers_between, steps_125
from vmcommit.show.looks import SERIES


@dataclasses.dataclass(frozen=True)
class Source:
    """A line of the chart, and the rows that it is of; malloc has no step and no growth."""

    name: str
    source: str
    chunk_bytes: int
    growth: str
    look: int  # of SERIES


SOURCES = (Source("check, 64 KiB", "check", 65536, "fixed", 2),
           Source("check, doubling", "check", 4096, "double", 6),
           Source("fault, 64 KiB", "fault", 65536, "fixed", 1),
           Source("fault, 4 KiB", "fault", 4096, "fixed", 4),
           Source("malloc", "malloc", 65536, "fixed", 5))
COLORS = {source.name: SERIES[source.look].color for source in SOURCES}
ROOM = 1.25  # of an axis beyond its values
AXES = {"node_bytes": "size of a node", "nodes": "number of nodes"}


def released_node_ns(rows):
    """Where the range goes back as a whole."""
    return rows.release_ns / rows.nodes


def overhead(rows):
    """What is charged beside the nodes' own bytes, in per cent of these."""
    return 100 * (rows.commit_bytes / rows.nodes / rows.node_bytes - 1)


# (title, what is drawn, as dashed lines too, by the size of a node or by their number)
PANELS: tuple[tuple[str, Callable, Callable | None, str], ...] = (
    ("append", lambda rows: rows.append_node_ns, None, "node_bytes"),
    ("go through", lambda rows: rows.traverse_node_ns, None, "node_bytes"),
    ("free each; dashed: give back the range", lambda rows: rows.free_node_ns, released_node_ns,
     "node_bytes"),
    ("append", lambda rows: rows.append_node_ns, None, "nodes"),
    ("free each; dashed: give back the range", lambda rows: rows.free_node_ns, released_node_ns,
     "nodes"),
    ("charged beside the nodes, % of them", overhead, None, "node_bytes"),
)


def of_source(lists, source):
    return lists[(lists.source == source.source) & (lists.growth == source.growth)
                 & (lists.chunk_bytes == source.chunk_bytes)]


def lists_by(lists, axis):
    """Those in which nothing but that varies: the number at one size of a node, or the size with as
    many bytes in each list."""
    if axis == "nodes":
        return lists[(lists.node_bytes == NODE) & lists.nodes.isin(NUMBERS)]
    whole = (lists.node_bytes * lists.nodes)[lists.node_bytes == lists.node_bytes.max()].max()
    return lists[lists.nodes == whole // lists.node_bytes]


def points(rows, values, axis):
    """[value on the axis, median, and the ends of its interval]"""
    known = values.dropna()
    return [[at, *median_interval(each)[:3]] for at, each in known.groupby(rows[axis])]


def panel(lists, drawn, axis):
    rows = lists_by(lists, axis)
    return {f"{number}": points(each, drawn(each), axis)
            for number, each in enumerate((of_source(rows, source) for source in SOURCES), 1)}


def usable(analysis):
    """Rows with times; None where the run has none that mean something."""
    lists = analysis.run.lists
    if lists is None or (analysis.summary.platform == "wine").any():
        return None
    lists = lists[lists.status == "ok"]
    return None if lists.empty else lists


def add_axes(plot, lists, times, overheads):
    high = ROOM * max(high for *_, high in times)
    low = min(low for *_, low, _ in times) / ROOM
    plot.define("time_low", low)
    plot.define("time_high", high)
    plot.marks("time", [mark for mark in powers_between(low, high, 10) if low <= mark <= high]
               or steps_125(low, high), time_text)
    plot.define("overhead_high", ROOM * max((high for *_, high in overheads), default=1))
    for axis, text, factor in (("node_bytes", size_text, 4), ("nodes", count_text, 10)):
        values = lists_by(lists, axis)[axis]
        plot.define(f"{axis}_low", values.min() / ROOM)
        plot.define(f"{axis}_high", values.max() * ROOM)
        plot.marks(axis, powers_between(values.min(), values.max(), factor), text)


def prepare(analysis, plot):
    lists = usable(analysis)
    if lists is None or any(lists_by(lists, axis).empty for axis in AXES):
        return False
    plot.samples = repeats(lists.groupby([*AXES, "source", "chunk_bytes", "growth"]))
    times, overheads = [], []
    for number, (_, drawn, dashed, axis) in enumerate(PANELS, 1):
        full = panel(lists, drawn, axis)
        dashes = panel(lists, dashed, axis) if dashed else {}
        shown = [point for each in (*full.values(), *dashes.values()) for point in each]
        (overheads if drawn is overhead else times).extend(shown)
        plot.table(f"panel{number}", full)
        plot.table(f"dashes{number}", dashes)
        plot.behind += behind(PANELS[number - 1], full, dashes)
    add_axes(plot, lists, times, overheads)
    plot.panels([title for title, *_ in PANELS], across=3)
    plot.define("axis", [axis for *_, axis in PANELS])
    looks = [SERIES[source.look] for source in SOURCES]
    plot.define("line_color", list(COLORS.values()))
    plot.define("line_mark", [look.mark for look in looks])
    plot.legend = [(source.name, look.color, look.mark, 1.0)
                   for source, look in zip(SOURCES, looks)]
    plot.gap = 125
    return True


def behind(drawn, full, dashes):
    """The figures of a panel; for its dashed lines others of their own."""
    title, values, _, axis = drawn
    at = (AXES[axis], "bytes" if axis == "node_bytes" else "count")
    heading = ("overhead, %", "plain") if values is overhead else ("time", "ns")
    whole, _, dashed = title.partition("; dashed: ")
    return [Figures(f"{name}, by {at[0]}", (at, *with_ends(*heading)),
                    {source.name: rows for source, rows in zip(SOURCES, series.values()) if rows},
                    log="x" if values is overhead else "xy", colors=COLORS)
            for name, series in ((whole, full), (dashed, dashes)) if any(series.values())]


def finding(analysis):
    lists = usable(analysis)
    rows = lists_by(lists, "node_bytes")
    rows = rows[rows.node_bytes == NODE]
    medians = {source.name: of_source(rows, source) for source in SOURCES}
    return (f"Appending a node of {NODE} bytes takes " + ", ".join(
        f"{time_text(each.append_node_ns.median())} ({name})" for name, each in medians.items()
        if len(each)) + "." + back_again(rows))


def back_again(rows: pandas.DataFrame) -> str:
    whole = of_source(rows, SOURCES[0])
    each = of_source(rows, SOURCES[-1])
    if whole.empty or each.empty:
        return ""
    return (f" All of them go back in {time_text(whole.release_ns.median())} as one range, in "
            f"{time_text((each.free_node_ns * each.nodes).median())} node by node by malloc.")


CHART = Chart(
    order=150,
    title="A linked list in a range of its own, and of malloc",
    description="Time and charge for each node of a linked list, by the size and the number of its "
                "nodes, in a range that is committed as it grows and by malloc",
    caption="Times are for each node. Lists by size have as many bytes each; lists by number have "
            f"nodes of {NODE} bytes. Check and fault: how the end of what is committed is noticed; "
            "then the step.",
    prepare=prepare, finding=finding)
