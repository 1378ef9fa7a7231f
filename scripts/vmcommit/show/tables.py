"""Tables for a terminal."""

import math

from vmcommit.base.conventions import DEFAULT_STEP
from vmcommit.base.strategies import names_in
from vmcommit.base.units import count_text, size_text
from vmcommit.show.charts import doubt, parts


def cell_text(ns):
    return "-" if ns is None or math.isnan(ns) else count_text(ns)


def of_sizes(summary):
    """ns per touched page with all touched, a row for each size: what most readers look for."""
    full, _ = parts(summary)
    cells = full.pivot(index="size_bytes", columns="strategy", values="ns_per_page")
    names = names_in(summary)
    lines = [f"ns per touched page, all touched, step {size_text(DEFAULT_STEP)}{doubt(summary)}",
             f"{'size':>10}" + "".join(f"{name:>10}" for name in names)]
    for size, row in cells.iterrows():
        lines.append(f"{size_text(size):>10}" + "".join(
            f"{cell_text(row.get(name)):>10}" for name in names))
    return "\n".join(lines)
