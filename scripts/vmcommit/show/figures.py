"""The figures behind a chart, as a page shows them in a table, and draws them anew so that a reader
can ask for single values."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

from vmcommit.base.units import count_text, size_text, time_text


def ratio_text(value: float) -> str:
    return f"{value:.3f}"


UNITS: dict[str, Callable[[float], str]] = {
    "bytes": size_text, "ns": time_text, "count": count_text, "ratio": ratio_text,
    "plain": "{:.3g}".format}
Column = tuple[str, str]  # heading, and one of UNITS, or "text"
SIZE, STEP, TOUCHED = ("size", "bytes"), ("step", "bytes"), ("touched", "bytes")
CHARGE, ENDS = ("charge", "bytes"), ("from", "to")  # of a confidence interval


def with_ends(heading: str, unit: str) -> tuple[Column, ...]:
    """A median and its confidence interval."""
    return ((heading, unit), *((end, unit) for end in ENDS))


@dataclasses.dataclass(frozen=True)
class Figures:
    """Rows of each series, a cell for each column. `lines`: the page draws the second column over
    the first, which are numbers, with the confidence interval that a third and fourth give; `log`:
    which axes are logarithmic, of "xy"; `stairs`: each value stands since the one before, as a
    charge that is read after touching. `colors`: of series that are no strategies, as the picture
    has them."""

    title: str
    columns: tuple[Column, ...]
    series: Mapping[str, Sequence[Sequence]]
    lines: bool = True
    log: str = "xy"
    stairs: bool = False
    colors: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.series.values()))


def shown(value, unit: str) -> tuple[str, str]:
    """(what a cell shows, the number by which the page sorts and draws)"""
    if unit == "text" or isinstance(value, str):
        return str(value), ""
    if value is None or not math.isfinite(value):
        return "", ""
    return UNITS[unit](value), f"{value:.10g}"
