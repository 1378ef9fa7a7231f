"""Time as a multiple of upfront's, paired within each round, against size."""

from vmcommit.base.strategies import UPFRONT, names_in
from vmcommit.base.text import range_text
from vmcommit.show import looks
from vmcommit.show.chart import Chart
from vmcommit.show.figures import SIZE, Figures, with_ends
from vmcommit.show.frame import size_axis
from vmcommit.show.rows import by_strategy, parts, reach, vary, with_interval


def compared(rows):
    """The rows that have a ratio, without upfront's own."""
    return rows[rows.strategy != UPFRONT].dropna(subset=["ratio_to_upfront"])


def prepare(analysis, plot):
    full, _ = parts(analysis.summary)
    rows, names = compared(full), names_in(full)
    if not vary(rows.size_bytes):
        return False
    looks.add_strategies(plot, names)
    plot.define("base", UPFRONT)
    series = by_strategy(rows, names, "size_bytes", *with_interval("ratio_to_upfront"))
    plot.table("ratio", series)
    plot.behind.append(Figures("all touched", (SIZE, *with_ends(f"time / {UPFRONT}", "ratio")),
                               series, log="x"))
    size_axis(plot, full.size_bytes)
    plot.define("ratio_high", 1.08 * max(1, reach(full, "ratio_to_upfront")[1]))
    return True


def finding(analysis):
    rows = compared(parts(analysis.summary)[0])
    clauses = []
    for name in names_in(rows):
        ratios = rows[rows.strategy == name].ratio_to_upfront
        clauses.append(f"{name} costs {range_text(ratios.min(), ratios.max())} times {UPFRONT}")
    return "; ".join(clauses) + "."


CHART = Chart(
    order=30,
    title=f"Time relative to {UPFRONT}",
    description=f"Time of each strategy as a multiple of {UPFRONT}, which commits everything in "
                "advance, against size",
    caption=f"Paired: each sample is divided by the one of {UPFRONT} in the same round, so that "
            "drift of the machine cancels. Where the confidence interval holds 1, there is no "
            "significant difference.",
    prepare=prepare, finding=finding)
