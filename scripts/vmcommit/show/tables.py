"""Tables for a terminal."""

import math

from vmcommit.base.conventions import DEFAULT_STEP
from vmcommit.base.strategies import names_in
from vmcommit.base.units import count_text, size_text
from vmcommit.show.caption import doubt
from vmcommit.show.rows import of_sizes as rows_of_sizes

COLUMN = 10


def cell_text(ns):
    return "-" if ns is None or math.isnan(ns) else count_text(ns)


def of_sizes(summary) -> str:
    """ns per touched page with all touched, a row for each size: what most readers look for."""
    widths = {name: max(COLUMN, len(name) + 2) for name in names_in(summary)}
    lines = [f"ns per touched page, all touched, at a step of {size_text(DEFAULT_STEP)}"
             f"{doubt(summary)}",
             f"{'size':>{COLUMN}}" + "".join(f"{name:>{width}}" for name, width in widths.items())]
    for size, row in rows_of_sizes(summary).iterrows():
        lines.append(f"{size_text(size):>{COLUMN}}" + "".join(
            f"{cell_text(row.get(name)):>{width}}" for name, width in widths.items()))
    return "\n".join(lines)
