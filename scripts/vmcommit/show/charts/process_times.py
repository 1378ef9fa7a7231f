"""Whole processes, timed by hyperfine, beside the cycle that each timed itself."""

from vmcommit.base.folder import START
from vmcommit.base.units import size_text, time_text
from vmcommit.show.chart import Chart
from vmcommit.show.figures import Figures
from vmcommit.show.looks import short
from vmcommit.show.rows import fully, most_stepped, sequential, timed

CYCLE, REST = "#0072B2", "#c0c0c0"
SQUARE, SQUARE_SIZE = 5, 1.6  # marks of the legend
NS = 1e-6  # in milliseconds


def axis_text(summary):
    """hyperfine runs the sweep's size, where there is one."""
    rows = fully(timed(sequential(summary)))
    region = f"a region of {size_text(most_stepped(rows))}; " if rows.stepped.any() else ""
    return f"{region}{START} is a process that measures nothing"


def prepare(analysis, plot):
    times = analysis.run.process_times
    if not times:
        return False
    plot.samples = "medians of whole processes; lines from the shortest to the longest"
    plot.table("processes", {"processes": [
        [own * NS, (median - own) * NS, least * NS, most * NS]
        for median, least, most, own in times.values()]})
    plot.behind.append(Figures(
        "one process", (("whole", "ns"), ("least", "ns"), ("most", "ns"),
                        ("its own figure", "ns")),
        {name: [each] for name, each in times.items()}, lines=False))
    plot.mark_texts("name", [short(name) for name in times])
    plot.define("process_high", 1.1 * NS * max(most for _, _, most, _ in times.values()))
    plot.define("axis_text", axis_text(analysis.summary))
    plot.define("cycle_color", CYCLE)
    plot.define("rest_color", REST)
    plot.legend = [("the cycle, by its own clock", CYCLE, SQUARE, SQUARE_SIZE),
                   ("the rest: start, warm-up, counters", REST, SQUARE, SQUARE_SIZE)]
    plot.gap = 290
    return True


def finding(analysis):
    return "Whole processes take: " + ", ".join(
        f"{name} {time_text(median)}"
        for name, (median, *_) in analysis.run.process_times.items()) + "."


CHART = Chart(
    order=130,
    title="Whole processes",
    description="Whole processes timed by hyperfine, beside the cycle that each of them timed "
                "itself",
    caption="hyperfine times whole processes from outside. The grey part is what a harness does "
            "beside its cycle; the blue part is its own figure for the same process.",
    prepare=prepare, finding=finding)
