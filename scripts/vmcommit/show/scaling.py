"""What the charts of threads have in common: a panel for what threads share, a line for each
strategy, and the number of threads from left to right."""

from collections.abc import Callable

from vmcommit.analyse.answer import Estimate
from vmcommit.analyse.threads import Scaled
from vmcommit.base.cells import SHARES
from vmcommit.base.text import counted
from vmcommit.base.units import size_text
from vmcommit.show import looks
from vmcommit.show.caption import samples
from vmcommit.show.figures import Column, Figures, with_ends

THREADS: Column = ("threads", "count")
ROOM = 1.35  # of an axis beyond its values
PANELS = 4  # in a row


def exactly(value: float) -> Estimate:
    return Estimate(value, float("nan"), float("nan"))


def point(each: Scaled, estimate: Estimate) -> list[float]:
    """[threads, value, and the ends of its confidence interval]"""
    return [each.threads, estimate.value, estimate.low, estimate.high]


def series_of(scaling, share: str, value: Callable[[Scaled], Estimate | None]) -> dict[str, list]:
    """{strategy's name: points} of what has a value."""
    return {name: [point(each, estimate) for each in line
                   if (estimate := value(each)) and estimate.value > 0]
            for name, line in scaling.by_threads(share).items()}


def longer(series: dict[str, list]) -> bool:
    """Whether any line has more than a point."""
    return any(len(line) > 1 for line in series.values())


def prepare(analysis, plot, value, heading: Column) -> tuple[float, float] | None:
    """Panels and lines. Returns the ends of the axis upwards; None where there is nothing to
    draw."""
    scaling = analysis.scaling
    panels = {share: series for share in scaling.shares
              if longer(series := series_of(scaling, share, value))} if scaling else {}
    if not panels:
        return None
    plot.samples = samples(analysis.every[analysis.every.threads > 1])
    looks.add_strategies(plot, next(iter(panels.values())))
    points = [each for series in panels.values() for line in series.values() for each in line]
    for number, (share, series) in enumerate(panels.items(), 1):
        plot.table(f"panel{number}", series)
        plot.behind.append(Figures(SHARES[share], (THREADS, *with_ends(*heading)), series))
    plot.panels([SHARES[share] for share in panels], PANELS)
    threads = sorted({int(count) for count, *_ in points})
    plot.marks("threads", threads, str)
    plot.define("threads_low", threads[0] / ROOM)
    plot.define("threads_high", threads[-1] * ROOM)
    plot.define("subject", f"threads, each of {size_text(scaling.all[0].cell.size)}")
    values = [each for _, *rest in points for each in rest if each == each]
    ends = min(values) / ROOM, max(values) * ROOM
    plot.define("value_low", ends[0])
    plot.define("value_high", ends[1])
    return ends


def beyond(scaling) -> str:
    """What a chart of times leaves out, in words."""
    return f"More threads than {counted(scaling.cpus, 'CPU')} are left out." \
        if scaling.most > scaling.cpus else ""


def said(analysis, *beginnings: str) -> str:
    """The section's sentences that hold one of these."""
    return " ".join(sentence.text for section in analysis.sections if section.name == "threads"
                    for sentence in section.sentences
                    if any(words in sentence.text for words in beginnings))
