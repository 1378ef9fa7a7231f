"""What each call gives back, and what that costs: a row for each call."""

import pandas

from vmcommit.analyse.giving_back import GIVES
from vmcommit.base.units import size_text, time_text
from vmcommit.show.caption import samples
from vmcommit.show.chart import Chart
from vmcommit.show.figures import Figures, with_ends
from vmcommit.show.frame import time_axis
from vmcommit.show.looks import SERIES

BACK, AGAIN = SERIES[2], SERIES[1]
APART = 0.9  # rows between what gives back this and what gives back that


def groups_of(returned):
    """[(what they give back, those calls)], the most first; each by what it costs."""
    timed = [each for each in returned.main if each.trip]
    groups = [(gives, sorted((each for each in timed if each.gives == gives),
                             key=lambda each: each.trip.ns)) for gives in GIVES]
    return [(gives, calls) for gives, calls in groups if calls]


def placed(groups):
    """([(y, call)], [(y, what the calls below it give back)]), downwards from 0."""
    rows, titles, y = [], [], 0.0
    for gives, calls in groups:
        y -= APART
        titles.append((y, gives))
        for each in calls:
            y -= 1
            rows.append((y, each))
    return rows, titles


def points(rows, price):
    """[ns, y, and the ends of the confidence interval]"""
    return [[price(each).ns, y, price(each).low, price(each).high] for y, each in rows]


def prepare(analysis, plot):
    groups = groups_of(analysis.returned) if analysis.returned else []
    if not groups:
        return False
    rows, titles = placed(groups)
    shown = {"back": points(rows, lambda each: each.back),
             "again": points(rows, lambda each: each.again)}
    flat = [value for series in shown.values() for ns, _, *ends in series
            for value in (ns, *ends) if value == value]
    plot.behind += [Figures(title, with_ends("time of a page", "ns"), {
        each.name: [[ns, low, high]] for (ns, _, low, high), (_, each) in zip(series, rows)},
        lines=False) for title, series in zip(("giving back", "touching again"), shown.values())]
    time_axis(plot, min(flat), max(flat))
    for name, series in shown.items():
        plot.table(name, {name: [[ns, y, *(ns if end != end else end for end in ends)]
                                 for ns, y, *ends in series]})  # no line where none is known
    plot.define("call_at", [y for y, _ in rows])
    plot.mark_texts("call_text", [each.name for _, each in rows])
    plot.define("title_at", [y for y, _ in titles])
    plot.define("title_text", [f"gives back {gives}" for _, gives in titles])
    plot.define("lowest", rows[-1][0] - 0.7)
    plot.samples = samples(pandas.DataFrame([each.counts for _, each in rows]))
    plot.define("subject", subject_text(rows))
    for name, look in (("back", BACK), ("again", AGAIN)):
        plot.define(f"{name}_color", look.color)
        plot.define(f"{name}_mark", look.mark)
    plot.legend = [("giving back", BACK.color, BACK.mark, 1.0),
                   ("touching again", AGAIN.color, AGAIN.mark, 1.0)]
    plot.gap = 150
    return True


def subject_text(rows):
    """Of a chart with these rows."""
    cell = rows[0][1].cell
    return f"time for each page of {size_text(cell.touched)}, given back by steps of " \
        f"{size_text(cell.manner.purge_step)}"


def finding(analysis):
    return "; ".join(
        f"{each.name} gives back {gives}, for {time_text(each.back.ns)} a page and "
        f"{time_text(each.again.ns)} to touch it again"
        for gives, calls in groups_of(analysis.returned) for each in calls) + "."


CHART = Chart(
    order=170,
    title="Which call gives memory back",
    description="Calls that give memory back, by what they give back, with the time of the call "
                "and of touching again for each page, on a logarithmic axis",
    caption="Each row is a call. What it gives back is counted: the charge, and what is resident. "
            "Touching again holds what makes the memory usable. Lines are confidence intervals of "
            "the median.",
    prepare=prepare, finding=finding)
