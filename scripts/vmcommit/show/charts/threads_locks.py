"""How often the address space's lock is taken for each page, against threads."""

from vmcommit.analyse.threads import often
from vmcommit.show import scaling
from vmcommit.show.chart import Chart
from vmcommit.show.frame import powers_between


def prepare(analysis, plot):
    found = analysis.scaling
    if not found or not found.in_full:
        return False
    counted = "times a page" if found.counted else "commit calls a page"
    ends = scaling.prepare(analysis, plot, lambda each: scaling.exactly(each.locks),
                           (counted, "plain"))
    if not ends:
        return False
    plot.marks("value", [value for value in powers_between(*ends, 10)
                         if ends[0] <= value <= ends[1]], often)
    plot.define("value_label", counted)
    return True


def finding(analysis):
    return scaling.said(analysis, "address space's lock")


CHART = Chart(
    order=192,
    title="How often the address space's lock is taken, by threads",
    description="Acquisitions of the address space's lock for each page, against the number of "
                "threads",
    caption="Lower is better, for threads wait for each other at that lock. Counted by the "
            "kernel's own tracepoints; where these can't be read, calls that commit are counted "
            "instead, each of which takes it. Where a line is level, more threads do not take it "
            "more often for each page. What upfront takes it for is reserving and releasing.",
    prepare=prepare, finding=finding)
