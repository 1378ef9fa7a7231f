"""Pages made usable a second against threads."""

from vmcommit.analyse.threads import SAME_PAGES
from vmcommit.base.units import count_text
from vmcommit.show import scaling
from vmcommit.show.chart import Chart
from vmcommit.show.frame import steps_125


def perfect(line, share) -> list[list[float]]:
    """What as many threads would do if none hindered another; on the same pages they can't do
    more than one."""
    if not line:
        return []
    first, speed = line[0][:2]
    return [[threads, speed * (1 if share == SAME_PAGES else threads / first)]
            for threads, *_ in line]


def prepare(analysis, plot):
    found = analysis.scaling
    ends = scaling.prepare(analysis, plot, lambda each: each.speed, ("pages a second", "count"))
    if not ends:
        return False
    most = ends[1]
    for number, share in enumerate(found.shares, 1):
        lines = {name: perfect(line, share) for name, line in scaling.series_of(
            found, share, lambda each: each.speed).items()}
        plot.table(f"perfect{number}", lines)
        most = max([most, *(speed * scaling.ROOM for line in lines.values()
                            for _, speed in line)])
    plot.define("value_high", most)
    plot.marks("value", steps_125(ends[0], most), count_text)
    return True


def finding(analysis):
    told = scaling.said(analysis, "in pages a second as a multiple")
    return f"{told} {scaling.beyond(analysis.scaling)}".strip()


CHART = Chart(
    order=190,
    title="Pages made usable a second, by threads",
    description="Pages that all threads together make usable a second, against their number, with "
                "a line of perfect scaling for each strategy",
    caption="Higher is better. Only numbers of threads for which there are CPUs enough are shown.",
    picture="A thin line is what a strategy would do if threads did not hinder each other: so "
            "many times what one thread does, and on the same pages what one does.",
    prepare=prepare, finding=finding)
