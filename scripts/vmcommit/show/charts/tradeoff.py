"""What a step buys: unused charge against time, with a part of the region touched, at the size with
the most steps."""

import math

from vmcommit.base.strategies import names_in
from vmcommit.base.units import size_text
from vmcommit.show import looks
from vmcommit.show.chart import Chart
from vmcommit.show.charts import steps
from vmcommit.show.figures import STEP, Figures
from vmcommit.show.frame import powers_between, time_axis
from vmcommit.show.rows import (at_size, most_stepped, sequential, sparsely, stepped_names, timed)


def frontier(points):
    """The corners of a staircase that no point lies below and to the left of."""
    corners, best = [], math.inf
    for x, y in sorted(points):
        if y < best:
            corners += [[x, best], [x, y]] if corners else [[x, y]]
            best = y
    return corners


def step_labels(path):
    """[x, y, "16 KiB" or "128 KiB–1 MiB"]: neighbours too close for a label each share one."""
    groups = []
    for x, y, step in path:
        if groups and abs(math.log2(x / groups[-1][-1][0])) < 0.5 \
                and abs(math.log(y / groups[-1][-1][1])) < 0.12:
            groups[-1].append((x, y, step))
        else:
            groups.append([(x, y, step)])
    return [[*group[0][:2], "–".join(dict.fromkeys(
        size_text(step) for step in (group[0][2], group[-1][2])))] for group in groups]


def shown_rows(summary):
    """All that touch the same part of the same region; empty if none of them has a step."""
    rows = sparsely(timed(sequential(summary))).dropna(subset=["commit_bytes"])
    if not rows.stepped.any():
        return rows[:0]
    rows = at_size(rows, most_stepped(rows))
    return rows[rows.touched_bytes == rows.touched_bytes.min()]


def path_of(rows, none):
    """[unused charge, ns per page, step] by step; nothing unused stands at `none`."""
    return [[max(row.commit_bytes - row.touched_bytes, none), row.ns_per_page, row.chunk_bytes]
            for _, row in rows.sort_values("chunk_bytes").iterrows()]


def behind(rows):
    return Figures("by the step", (STEP, ("unused charge", "bytes"), ("time per page", "ns")), {
        name: [[step, charge, ns] for charge, ns, step in path_of(rows[rows.strategy == name], 0)]
        for name in names_in(rows)}, lines=False)


def add_points(plot, rows, none):
    """Paths, their labels, and the frontier. Returns the most charge that is unused."""
    names = names_in(rows)
    points = {name: path_of(rows[rows.strategy == name], none) for name in names}
    flat = [point[:2] for path in points.values() for point in path]
    plot.table("paths", {name: [point[:2] for point in path] for name, path in points.items()})
    plot.behind.append(behind(rows))
    plot.table("frontier", {"frontier": frontier(flat)})
    stepped = stepped_names(rows)
    for side, labelled in (("below", stepped[::2]), ("above", stepped[1::2])):
        plot.table(f"labels_{side}", {name: step_labels(points[name]) if name in labelled else []
                                      for name in names})
    return max(x for x, _ in flat)


def prepare(analysis, plot):
    rows = shown_rows(analysis.summary)
    if rows.empty:
        return False
    looks.add_strategies(plot, names_in(rows))
    none = rows.page_bytes.iloc[0] / 2
    most = add_points(plot, rows, none)
    plot.define("waste_none", none)
    plot.define("waste_high", most)
    plot.marks("waste", powers_between(2 * none, max(most, 2 * none), 4), size_text)
    time_axis(plot, rows.ns_per_page.min(), rows.ns_per_page.max(), room=(0.8, 1.2))
    plot.define("touched_text", f"{size_text(rows.touched_bytes.iloc[0])} of "
                                f"{size_text(rows.size_bytes.iloc[0])} touched")
    return True


CHART = Chart(
    order=40,
    title="Unused charge against time",
    description="Unused commit charge against time per touched page, the steps of a strategy along "
                "a path, with the Pareto frontier marked",
    caption="To the left and down is better. Each point of a path is a step; the grey line is the "
            "Pareto frontier.",
    prepare=prepare, finding=steps.finding)
