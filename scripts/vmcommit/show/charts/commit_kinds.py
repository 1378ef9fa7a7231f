"""What another kind of commit costs, by the step."""

import pandas

from vmcommit.base.units import size_text
from vmcommit.show.caption import samples
from vmcommit.show.chart import Chart
from vmcommit.show.figures import STEP, Figures, with_ends
from vmcommit.show.frame import size_axis
from vmcommit.show.looks import SERIES


def compared(analysis):
    """Of the first strategy with steps: one difference to its default at a time, at some steps."""
    stepped = [each for each in analysis.commits if each.strategy.stepped
               and len(each.manner.asked()) == 1]
    return [each for each in stepped if each.strategy == stepped[0].strategy][:len(SERIES)]


def others(rows):
    """Of a summary: what was not committed as usual."""
    return rows[~rows.plain & rows.purge.isin(["", "none"]) & (rows.threads == 1)]


def points(each):
    """[step, ratio, and the ends of its confidence interval]"""
    nothing = float("nan")
    return [[beside.cell.chunk, beside.ratio.median,
             *((beside.ratio.low, beside.ratio.high) if beside.ratio.known
               else (nothing, nothing))] for beside in each.steps]


def prepare(analysis, plot):
    shown = compared(analysis)
    if not shown:
        return False
    series = {each.name: points(each) for each in shown}
    flat = [point for each in series.values() for point in each]
    plot.table("ratios", {f"{number}": each for number, each in enumerate(series.values(), 1)})
    looks = SERIES[:len(shown)]
    plot.behind.append(Figures("all touched", (STEP, *with_ends("ratio", "ratio")), series, log="x",
                               colors={name: look.color for name, look in zip(series, looks)}))
    size_axis(plot, pandas.Series([step for step, *_ in flat]), 9, "step")
    plot.define("ratio_high", 1.1 * max(1, *(value for _, *values in flat for value in values
                                             if value == value)))
    plot.define("subject", f"{shown[0].strategy}, {size_text(shown[0].size)}, all of it touched")
    plot.samples = samples(others(analysis.every))
    plot.define("line_color", [look.color for look in looks])
    plot.define("line_mark", [look.mark for look in looks])
    plot.legend = [(each.name, look.color, look.mark, 1.0) for each, look in zip(shown, looks)]
    plot.gap = 150
    return True


def finding(analysis):
    """What is said of the same strategy."""
    strategy = compared(analysis)[0].strategy
    return " ".join(sentence.text for section in analysis.sections
                    if section.name == "commit-kinds" for sentence in section.sentences
                    if sentence.cells[0].strategy == strategy)


CHART = Chart(
    order=180,
    title="By which call to commit",
    description="Time of other kinds of commit, of steps that double and of larger pages as a "
                "multiple of what the same strategy does by default, against the step",
    caption="Below 1 it is faster than the default at the same step, mprotect in steps of the "
            "same size on base pages. Where the confidence interval holds 1, there is no "
            "significant difference.",
    prepare=prepare, finding=finding)
