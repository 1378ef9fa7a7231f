"""What single calls take, by the size and the state of what they are given."""

import dataclasses

from vmcommit.base.statistics import median_interval
from vmcommit.base.units import count_text, size_text, time_text
from vmcommit.show.caption import repeats
from vmcommit.show.chart import Chart
from vmcommit.show.figures import SIZE, Figures, with_ends
from vmcommit.show.frame import powers_between, size_axis
from vmcommit.show.looks import SERIES


@dataclasses.dataclass(frozen=True)
class Line:
    """A call, and the states that it has been timed in where its range was touched and where it was
    not; '' for none."""

    name: str
    call: str
    touched: str
    untouched: str


PANELS = {
    "reserve and commit": (Line("reserve", "reserve", "", "fresh"),
                           Line("commit", "commit", "", "fresh")),
    "give back": (Line("decommit", "decommit", "touched", "committed"),
                  Line("release", "release", "touched", "committed")),
    "protect": (Line("make read-only", "protect_read", "touched", "committed"),
                Line("writable again", "protect_write", "touched read-only", "committed read-only"),
                Line("make inaccessible", "protect_none", "touched", "committed"),
                Line("accessible again", "protect_write", "touched inaccessible",
                     "committed inaccessible")),
    "lock": (Line("lock", "lock", "touched", "committed"),
             Line("unlock", "unlock", "touched locked", "committed locked")),
    "query": (*(Line(query, query, "touched", "committed")
                for query in ("procmap_query", "virtualquery", "mincore", "working_set", "pagemap",
                              "pagemap_scan")),),
}
BESIDE = (Line("reserve, top down", "reserve_top_down", "", "fresh"),
          Line("reserve, bottom up", "reserve_bottom_up", "", "fresh"),
          Line("make read-only", "protect_read", "touched", ""),
          Line("procmap_query", "procmap_query", "touched", ""),
          Line("virtualquery", "virtualquery", "touched", ""))
BESIDE_TITLE = "a page, beside others, ns"
MOST = 4  # lines of a panel
ROOM, ROOM_ABOVE = 1.3, 1.7  # of an axis beyond its values; above them stand names of lines


def points(rows, axis):
    """[value on the axis, median, and the ends of its interval] of ns."""
    return [[value, *median_interval(times.ns)[:3]] for value, times in rows.groupby(axis)]


def of_line(calls, line, state):
    return calls[(calls.call == line.call) & (calls.state == state)] if state else calls[:0]


@dataclasses.dataclass
class Panel:
    """Of the lines that a run has: names as of a full line, or where there is none as of a dashed
    one; and {"1 touched": its points, ...}."""

    full: list
    dashed: list
    series: dict

    @property
    def points(self):
        return [point for series in self.series.values() for point in series]


def panel(calls, lines, axis):
    drawn = [(line.name, *(points(of_line(calls, line, state), axis)
                           for state in (line.touched, line.untouched))) for line in lines]
    drawn = [each for each in drawn if each[1] or each[2]][:MOST]
    drawn += [("", [], [])] * (MOST - len(drawn))
    return Panel([name if touched else "" for name, touched, _ in drawn],
                 ["" if touched else name for name, touched, _ in drawn],
                 {f"{number} {state}": series for number, (_, *both) in enumerate(drawn, 1)
                  for state, series in zip(("touched", "untouched"), both)})


def beside_others(calls):
    """Calls on the smallest range; others are marked by where they come in their order."""
    numbers = sorted(calls.mappings.unique())
    rows = calls[calls.size_bytes == calls[calls.call.str.startswith("reserve")].size_bytes.min()]
    return rows.assign(place=rows.mappings.map(numbers.index)), numbers


def timed(analysis):
    """Rows with a time; None where the run has none that mean something."""
    calls = analysis.run.calls
    if calls is None or (analysis.summary.platform == "wine").any():
        return None
    calls = calls[calls.status == "ok"]
    return calls if calls.call.str.startswith("reserve").any() else None


def add_axes(plot, alone, shown):
    """Powers of ten are enough to mark."""
    low = min(low for *_, low, _ in shown) / ROOM
    high = max(high for *_, high in shown) * ROOM
    plot.define("time_low", low)
    plot.define("time_high", high)
    plot.marks("time", [mark for mark in powers_between(low, high, 10) if low <= mark <= high],
               time_text)
    size_axis(plot, alone[alone.call == "reserve"].size_bytes, most=5)


def prepare(analysis, plot):
    calls = timed(analysis)
    if calls is None:
        return False
    plot.samples = repeats(calls.groupby(["call", "state", "size_bytes", "mappings"]))
    alone = calls[calls.mappings == 0]
    panels = [panel(alone, lines, "size_bytes") for lines in PANELS.values()]
    shown = [point for each in panels for point in each.points]
    if not shown or alone[alone.call == "reserve"].empty:
        return False
    add_axes(plot, alone, shown)
    others, numbers = beside_others(calls)
    panels.append(panel(others, BESIDE, "place"))
    plot.mark_texts("others_text", [count_text(number) for number in numbers])
    plot.define("others_high", ROOM_ABOVE * max((high for *_, high in panels[-1].points),
                                                default=1))
    for number, each in enumerate(panels, 1):
        plot.table(f"panel{number}", each.series)
        plot.behind.append(behind(list(PANELS)[number - 1], each) if number <= len(PANELS)
                           else beside_figures(each, numbers))
    plot.panels([*PANELS, BESIDE_TITLE], across=3)
    plot.define("full_name", [name for each in panels for name in each.full])
    plot.define("dashed_name", [name for each in panels for name in each.dashed])
    plot.define("line_color", [look.color for look in SERIES[:MOST]])
    plot.define("line_mark", [look.mark for look in SERIES[:MOST]])
    return True


def named(drawn):
    """{what a line is: its points}"""
    names = [full or dashed for full, dashed in zip(drawn.full, drawn.dashed)]
    return {f"{names[int(key[0]) - 1]}, {key[2:]}": points
            for key, points in drawn.series.items() if points}


def behind(title, drawn):
    return Figures(title, (SIZE, *with_ends("time", "ns")), named(drawn))


def beside_figures(drawn, numbers):
    """Of the last panel, in which a point's place stands for a number of others."""
    return Figures("a page, beside others", (("others", "count"), *with_ends("time", "ns")),
                   {name: [[numbers[int(place)], *rest] for place, *rest in points]
                    for name, points in named(drawn).items()}, lines=False)


def finding(analysis):
    calls = timed(analysis)
    calls = calls[calls.mappings == 0]
    touched = calls[calls.state.isin(["touched", "touched locked"])]
    if touched.empty:
        return ""
    size = touched.size_bytes.max()
    medians = touched[touched.size_bytes == size].groupby("call", sort=False).ns.median()
    return f"A touched range of {size_text(size)} takes: " + ", ".join(
        f"{call} {time_text(ns)}" for call, ns in sorted(medians.items())) + "."


CHART = Chart(
    order=140,
    title="What single calls take",
    description="Time of single calls against the size of their range, and beside how many other "
                "reservations, on logarithmic axes",
    caption="Every page of the range was touched before, or none was.",
    picture="Full lines with marks are of touched ranges, dashed lines of untouched ones. Bands "
            "are confidence intervals of the median. The last panel is of a single page, with so "
            "many other reservations in the process; its axis is linear, in ns.",
    prepare=prepare, finding=finding)
