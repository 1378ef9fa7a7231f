"""What a chart is for Python: the half of the pair charts/NAME.py and charts/NAME.gp."""

import dataclasses
from typing import Any, Callable

from vmcommit.show.gnuplot import Plot

# What a chart can show.
RUN, RUNS, FLEET, HISTORY = "run", "runs", "fleet", "history"
RECORDING, RECORDINGS = "recording", "recordings"
SURROUNDINGS = "surroundings"  # of a run that looked at them


def nothing(_subject) -> str:
    return ""


@dataclasses.dataclass(frozen=True)
class Chart:
    """`order` among the charts of a page. `title` stands on the picture, `description` is for who
    can't see it, `caption` below it; `picture` is what is said of gnuplot's picture alone, which a
    page prints, and shows where it does not draw lines itself.

    prepare(subject, plot) writes the tables and settings that NAME.gp reads, and returns whether
    there is anything to draw. finding(subject) says what a chart that was drawn shows in this run.
    The subject is an Analysis, for SURROUNDINGS too; for RUNS a side_by_side.Together, for FLEET a
    fleet.Fleet, for HISTORY a trend.History, for RECORDING a usage.Usage, for RECORDINGS two.
    """

    order: int
    title: str
    description: str
    caption: str
    prepare: Callable[[Any, Plot], bool]
    picture: str = ""
    finding: Callable[[Any], str] = nothing
    shows: str = RUN
