"""Time per touched page against size."""

import pandas

from vmcommit.base.conventions import SPARSELY_TOUCHED, TOUCH_NAMES
from vmcommit.base.strategies import names_in
from vmcommit.base.text import listed
from vmcommit.base.units import size_text, time_text
from vmcommit.show import looks
from vmcommit.show.chart import Chart
from vmcommit.show.figures import SIZE, Figures, with_ends
from vmcommit.show.frame import size_axis, steps_125, time_axis
from vmcommit.show.rows import at_size, by_strategy, parts, reach, vary, with_interval

SPARSE = TOUCH_NAMES[SPARSELY_TOUCHED]


def prepare(analysis, plot):
    full, sparse = parts(analysis.summary)
    both = pandas.concat([full, sparse])
    if not vary(both.size_bytes):
        return False
    names = names_in(both)
    looks.add_strategies(plot, names)
    plot.define("sparse_text", SPARSE)
    for name, rows, touched in (("full", full, "all"), ("sparse", sparse, SPARSE)):
        series = by_strategy(rows, names, "size_bytes", *with_interval("ns_per_page"))
        plot.table(name, series)
        plot.behind.append(Figures(f"{touched} touched", (SIZE, *with_ends("time per page", "ns")),
                                   series))
    size_axis(plot, both.size_bytes)
    low, high = time_axis(plot, *reach(both, "ns_per_page"))
    floor = analysis.run.environment["calibration"]["page_fault_ns"]
    plot.define("floor_known", int(bool(floor)))
    if floor:
        plot.define("floor_ns", floor)
        plot.marks("multiple", [step for step in steps_125(low / floor, high / floor)
                                if step >= 1] or [1], lambda multiple: f"{multiple:.3g}×")
    return True


def finding(analysis):
    full, sparse = parts(analysis.summary)
    rows = full if len(full) else sparse
    sizes = dict.fromkeys((rows.size_bytes.min(), rows.size_bytes.max()))
    return " ".join(f"At {size_text(size)} a page takes: " + ", ".join(
        f"{row.strategy} {time_text(row.ns_per_page)}"
        for _, row in at_size(rows, size).iterrows()) + "." for size in sizes)


CHART = Chart(
    order=20,
    title="Time per touched page",
    description="Time per touched page against the size of the region, with "
                f"{listed(['all', SPARSE])} of it touched",
    caption="Lower is better.",
    picture="The band is the confidence interval of the median. The axis on the right counts in "
            "page faults: what touching one committed page costs alone on this machine.",
    prepare=prepare, finding=finding)
