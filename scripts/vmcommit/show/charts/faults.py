"""Faults of a cycle against size: what the kernel counted, what a strategy's handler answered."""

from vmcommit.base.strategies import names_in
from vmcommit.base.units import count_text, size_text
from vmcommit.show import looks
from vmcommit.show.chart import Chart
from vmcommit.show.figures import SIZE, Figures
from vmcommit.show.frame import powers_between, size_axis
from vmcommit.show.rows import at_size, by_strategy, parts, vary


def counted_rows(summary):
    full, _ = parts(summary)
    return full.dropna(subset=["minor_faults", "handled_faults"], how="all")


def prepare(analysis, plot):
    rows = counted_rows(analysis.summary)
    if not vary(rows.size_bytes):
        return False
    names = names_in(rows)
    looks.add_strategies(plot, names)
    for name, title in (("minor", "counted by the kernel"), ("handled", "handled")):
        series = by_strategy(rows, names, "size_bytes", f"{name}_faults")
        plot.table(name, series)
        plot.behind.append(Figures(title, (SIZE, ("faults", "count")), series))
    size_axis(plot, rows.size_bytes)
    most = max(1, rows[["minor_faults", "handled_faults"]].max().max())
    plot.define("count_high", most * 3)
    plot.marks("count", powers_between(1, most, 16), count_text)
    return True


def either(count):
    return "unknown" if count != count else count_text(count)


def finding(analysis):
    rows = counted_rows(analysis.summary)
    size = rows.size_bytes.max()
    return f"At {size_text(size)}, minor and handled faults: " + ", ".join(
        f"{row.strategy} {either(row.minor_faults)} and {either(row.handled_faults)}"
        for _, row in at_size(rows, size).iterrows()) + "."


CHART = Chart(
    order=70,
    title="Faults of one cycle",
    description="Page faults that the kernel counted, and faults that a handler answered, against "
                "size",
    caption="Exact counts: what the kernel counted, and what the strategy's own handler answered "
            "on top of that.",
    picture="Zero stands on a line of its own.",
    prepare=prepare, finding=finding)
