"""Time of several runs as a multiple of each one's upfront, against size."""

from vmcommit.base.strategies import UPFRONT
from vmcommit.show.chart import RUNS, Chart
from vmcommit.show.charts.runs_latency import add_runs
from vmcommit.show.rows import reach


def prepare(together, plot):
    rows = together.rows
    names = together.strategies(
        rows[(rows.strategy != UPFRONT) & rows.ratio_to_upfront.notna()])
    if not names:
        return False
    add_runs(plot, together, names, "ratio_to_upfront", 3, (f"time / {UPFRONT}", "ratio"))
    plot.define("ratio_high", 1.08 * max(1, reach(rows, "ratio_to_upfront")[1]))
    return True


CHART = Chart(
    order=20, shows=RUNS,
    title=f"Time relative to {UPFRONT}",
    description=f"Time as a multiple of {UPFRONT} against size, one panel for each other strategy, "
                "one line for each run",
    caption="Each run's ratios are paired within its own rounds, so these can be compared across "
            "runs. Two runs differ significantly where their confidence intervals do not overlap.",
    prepare=prepare)
