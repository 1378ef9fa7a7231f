"""How single touches are spread: the share of touches that took longer than a time."""

import numpy
import pandas

from vmcommit.base.conventions import WORST_TOUCH
from vmcommit.base.units import size_text, time_text
from vmcommit.show import looks
from vmcommit.show.caption import ONE_CYCLE
from vmcommit.show.chart import Chart
from vmcommit.show.figures import SIZE, Figures
from vmcommit.show.frame import steps_125

SHARES = [0.5, 0.9, 0.99, WORST_TOUCH, 1]
DRAWN, TAIL = 400, 100  # points of a curve, and of its slow end, where each touch is drawn


def touch_axis(plot, traces):
    """From the fastest touches, but for one in ten thousand, to the slowest. Returns its ends."""
    everything = pandas.concat([trace.ns for by in traces.values() for trace in by.values()])
    low, high = everything.quantile(0.0001) / 1.2, everything.max() * 1.2
    plot.define("touch_low", low)
    plot.define("touch_high", high)
    powers = [10.0 ** power for power in range(11) if low <= 10.0 ** power <= high]
    plot.marks("touch", powers if len(powers) > 1 else steps_125(low, high), time_text)
    return low, high


def exceedance(ns):
    """(time, share of touches that took longer), thinned to what a chart can show."""
    values, counts = numpy.unique(ns, return_counts=True)
    longer = 1 - counts.cumsum() / counts.sum()
    kept = numpy.unique(numpy.geomspace(1, len(values), DRAWN).astype(int)) - 1
    tail = numpy.arange(max(0, len(values) - TAIL), len(values))
    return [[values[at], longer[at]] for at in numpy.union1d(kept, tail) if longer[at] > 0]


def prepare(analysis, plot):
    traces = dict(sorted(analysis.run.traces.items()))
    if not traces:
        return False
    names = [name for name in analysis.run.strategies
             if any(name in by for by in traces.values())]
    plot.samples = ONE_CYCLE
    looks.add_strategies(plot, names)
    touch_axis(plot, traces)
    longest = max(len(trace) for by in traces.values() for trace in by.values())
    plot.define("share_low", 0.5 / longest)
    plot.panels([size_text(size) for size in traces], across=len(traces))
    for number, by in enumerate(traces.values(), 1):
        plot.table(f"panel{number}", {name: exceedance(by[name].ns) if name in by else []
                                      for name in names})
    plot.behind.append(Figures(
        "a touch, by the share of touches that it is longer than",
        (SIZE, *((f"{100 * share:.4g} %", "ns") for share in SHARES)),
        {name: [[size, *by[name].ns.quantile(SHARES)] for size, by in traces.items()
                if name in by] for name in names}, lines=False))
    return True


def finding(analysis):
    return " ".join(
        f"At {size_text(size)} one touch in {1 / (1 - WORST_TOUCH):.0f} takes longer than: "
        + ", ".join(f"{name} {time_text(trace.ns.quantile(WORST_TOUCH))}"
                    for name, trace in by.items()) + "."
        for size, by in sorted(analysis.run.traces.items()))


CHART = Chart(
    order=90,
    title="Times of single touches",
    description="The share of single touches that took longer than a time",
    caption="One cycle of each strategy with every touch timed. Both axes are logarithmic; to the "
            "right and down are the rare, slow touches.",
    prepare=prepare, finding=finding)
