"""Where the slow touches are: pages, folded into windows, against time. What comes back with every
step stands at the same place."""

import math

import numpy

from vmcommit.base.conventions import DEFAULT_STEP
from vmcommit.base.units import MIB, size_text, time_text
from vmcommit.show.caption import ONE_CYCLE
from vmcommit.show.chart import Chart
from vmcommit.show.charts.distribution import touch_axis
from vmcommit.show.figures import Figures
from vmcommit.show.gnuplot import key
from vmcommit.show.looks import short

WINDOW = MIB
SLOWEST = 8  # pages that are listed


def shade(trace, edges, fold):
    """Boxes of a heat map: x, y, low y, high y, and how often, as a logarithm from 0 to 1."""
    counts, _, _ = numpy.histogram2d(trace.page % fold, trace.ns,
                                     [numpy.arange(fold + 1) - 0.5, edges])
    most = math.log1p(counts.max())
    return [[x, math.sqrt(edges[y] * edges[y + 1]), edges[y], edges[y + 1],
             math.log1p(counts[x, y]) / most]
            for x, y in numpy.argwhere(counts)]


def slowest_pages(trace, fold):
    """[page of a window, ns], the slowest first."""
    middle = trace.ns.groupby(trace.page % fold).median().nlargest(SLOWEST)
    return [[page, ns] for page, ns in middle.items()]


def smallest(analysis):
    """{name: the touches of its smallest traced region}"""
    traces = analysis.run.traces[min(analysis.run.traces)]
    return {name: traces[name] for name in analysis.run.strategies if name in traces}


def prepare(analysis, plot):
    if not analysis.run.traces:
        return False
    plot.samples = ONE_CYCLE
    traces = smallest(analysis)
    low, high = touch_axis(plot, analysis.run.traces)
    fold = max(1, int(WINDOW // analysis.summary.page_bytes.max()))
    edges = numpy.geomspace(low, high, 40)
    plot.define("fold_pages", fold)
    plot.define("key", [key(name) for name in traces])
    plot.panels([short(name) for name in traces],
                across=min(3, math.ceil(len(traces) / 2)))
    plot.behind.append(Figures(
        "the slowest pages of a window, by the median of their touches",
        (("page", "count"), ("touch", "ns")),
        {name: slowest_pages(trace, fold) for name, trace in traces.items()}, lines=False))
    plot.table("touches", {name: shade(trace, edges, fold) for name, trace in traces.items()})
    return True


def finding(analysis):
    return "The median touch takes: " + ", ".join(
        f"{name} {time_text(trace.ns.median())}"
        for name, trace in smallest(analysis).items()) + "."


CHART = Chart(
    order=100,
    title=f"Time of a touch by its page, folded into {size_text(WINDOW)}",
    description=f"Time of single touches by their page, folded into windows of {size_text(WINDOW)}",
    caption="The same touches by their page: darker where more of them are. What repeats with "
            f"every step of {size_text(DEFAULT_STEP)} shows as a comb.",
    prepare=prepare, finding=finding)
