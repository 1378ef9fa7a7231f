"""Processor time a page against threads."""

from vmcommit.analyse.threads import threads_text
from vmcommit.base.units import time_text
from vmcommit.show import scaling
from vmcommit.show.chart import Chart
from vmcommit.show.frame import steps_125


def prepare(analysis, plot):
    found = analysis.scaling
    if not found or not found.in_full:
        return False
    ends = scaling.prepare(analysis, plot, lambda each: each.cpu_ns,
                           ("processor time a page", "ns"))
    if ends:
        plot.marks("value", steps_125(*ends), time_text)
    return bool(ends)


def finding(analysis):
    found = analysis.scaling
    shown = [each for each in found.all if each.cpu_ns and each.threads > 1]
    first = [each for each in shown if (each.share, each.threads)
             == (shown[0].share, shown[-1].threads)]
    return f"By {threads_text(first[0].threads, first[0].share)} a page takes: " + ", ".join(
        f"{each.name} {time_text(each.cpu_ns.value)}" for each in first) + "."


CHART = Chart(
    order=191,
    title="Processor time a page, by threads",
    description="Processor time of all threads together for each page, against their number",
    caption="Lower is better, and a level line is perfect: what threads wait for each other, "
            "spinning, is processor time too. It is told whether there are CPUs enough or not.",
    picture="The band is the confidence interval of the median.",
    prepare=prepare, finding=finding)
