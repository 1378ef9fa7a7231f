"""The chart of the history: ns per page over comparisons, a panel for each strategy."""

import pathlib
import tempfile

from vmcommit.base.conventions import CONFIDENCE, DEFAULT_STEP
from vmcommit.base.units import size_text, time_text
from vmcommit.show import charts


def drawn_rows(table):
    """The cells that the chart shows: all touched, at the default step."""
    return table[(table.chunk_bytes == DEFAULT_STEP) & (table.touch == 1)]


def draw(table, changes, folder):
    """folder/trend.svg and .png: a panel for each strategy, a line for each size."""
    folder.mkdir(parents=True, exist_ok=True)
    order = {when: at for at, when in enumerate(table.time.unique(), 1)}
    rows = drawn_rows(table)
    sizes = sorted(rows.size_bytes.unique())
    there = list(rows.strategy.unique())
    with tempfile.TemporaryDirectory() as scratch:
        tables = charts.Tables(pathlib.Path(scratch))
        tables.define("present", " ".join(there))
        tables.write("trend", {f"{strategy} {size}": [
            [order[row.time], row.ns_per_page, row.ns_per_page_low, row.ns_per_page_high]
            for _, row in rows[(rows.strategy == strategy) & (rows.size_bytes == size)].iterrows()]
            for strategy in there for size in sizes})
        tables.write("changes", {strategy: [[order[row.time]] for _, row, _ in changes
                                            if row.strategy == strategy]
                                 for strategy in there})
        low, high = 0.8 * rows.ns_per_page_low.min(), 1.2 * rows.ns_per_page_high.max()
        tables.define("page_low", low)
        tables.define("page_high", high)
        tables.define_tics("page_tics", charts.steps_125(low, high), time_text)
        tables.define("revisions", len(order))
        tables.define("sizes", len(sizes))
        tables.define_names("size_name", [size_text(int(size)) for size in sizes])
        tables.define("doubt", "")
        tables.define("caption", f"{len(order)} comparisons, oldest left; medians with "
                                 f"{100 * CONFIDENCE:.0f} % confidence intervals; a line across: a change began")
        charts.render(tables, ["trend"], folder)


