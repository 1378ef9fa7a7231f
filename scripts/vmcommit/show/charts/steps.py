"""What the step costs, at the size with the most steps: time, and unused charge."""

import pandas

from vmcommit.base.conventions import SPARSELY_TOUCHED, TOUCH_NAMES
from vmcommit.base.strategies import names_in
from vmcommit.base.units import size_text
from vmcommit.show import looks
from vmcommit.show.chart import Chart
from vmcommit.show.figures import CHARGE, STEP, Figures, with_ends
from vmcommit.show.frame import size_axis
from vmcommit.show.rows import (at_size, by_strategy, fully, most_stepped, reach, sequential,
                                sparsely, timed, vary, with_interval)

SPARSE = TOUCH_NAMES[SPARSELY_TOUCHED]


def across(rows, column, steps):
    """{name: a line over all steps} of strategies without one."""
    known = rows[~rows.stepped].dropna(subset=[column]).drop_duplicates("strategy")
    return {row.strategy: [[step, row[column]] for step in steps] for _, row in known.iterrows()}


def add_tables(plot, names, full, sparse, steps):
    """A strategy without a step has no line over steps, and the other way round."""
    none = dict.fromkeys(names, [])
    swept_full, swept_sparse = full[full.stepped], sparse[sparse.stepped]
    times = by_strategy(swept_full, names, "chunk_bytes", *with_interval("ns_per_page"))
    charges = by_strategy(swept_sparse, names, "chunk_bytes", "commit_bytes")
    plot.table("time", times)
    plot.table("charge", charges)
    plot.behind += [
        Figures("all touched", (STEP, *with_ends("time per page", "ns")), times, log="x"),
        Figures(f"{SPARSE} touched", (STEP, CHARGE), charges, log="x")]
    plot.table("time_across", none | across(full, "ns_per_page", steps))
    plot.table("charge_across", none | across(sparse, "commit_bytes", steps))


def swept_size(rows):
    """The size with the most steps, of those that some step touches all of."""
    size = most_stepped(rows)
    return size if at_size(fully(rows), size).stepped.any() else most_stepped(fully(rows))


def prepare(analysis, plot):
    rows = timed(sequential(analysis.summary))
    if not fully(rows).stepped.any():
        return False
    size = swept_size(rows)
    full, sparse = at_size(fully(rows), size), at_size(sparsely(rows), size)
    both = pandas.concat([full, sparse])
    steps = both[both.stepped].chunk_bytes
    if not vary(steps):
        return False
    names = names_in(both)
    looks.add_strategies(plot, names)
    add_tables(plot, names, full, sparse, (steps.min() / 1.5, steps.max() * 1.5))
    size_axis(plot, steps, 9, "step")
    plot.define("time_high", 1.1 * reach(full, "ns_per_page")[1])
    plot.define("charge_high", max(size, sparse.commit_bytes.max()) if len(sparse) else size)
    plot.define("size_name", size_text(size))
    plot.define("sparse_text", SPARSE)
    return True


def finding(analysis):
    """What the answer says of the steps."""
    swept = {knee.strategy for knee in analysis.answer.knees}
    return " ".join(sentence.text for sentence in analysis.sentences if sentence.subject in swept)


CHART = Chart(
    order=80,
    title="What the step costs",
    description=f"Time per touched page, and commit charge with {SPARSE} touched, against the step",
    caption=f"The time that each step costs, and the charge that it leads to when {SPARSE} is "
            "touched.",
    picture="The lines across are strategies without a step.",
    prepare=prepare, finding=finding)
