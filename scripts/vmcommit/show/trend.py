"""The history of comparisons, drawn: folder/trend.svg and .png."""

import dataclasses
import functools

import pandas

from vmcommit.base.conventions import ALL_TOUCHED, CONFIDENCE, DEFAULT_STEP
from vmcommit.base.problems import Problem
from vmcommit.base.text import counted
from vmcommit.base.units import size_text
from vmcommit.show import charts
from vmcommit.show.caption import percent
from vmcommit.show.chart import HISTORY


# A cell's name has these alone where nothing else was asked for: cells.Configuration.name.
ASKED = r"/(?!size=|touch=|chunk=)"


@dataclasses.dataclass
class History:
    """Of one machine. `changes`: (cell, row at which it changed, ratio) of each."""

    table: pandas.DataFrame
    changes: list

    @functools.cached_property
    def places(self):
        """{time of a comparison: its place from the left}"""
        return {time: place for place, time in enumerate(self.table.time.unique(), 1)}

    @property
    def rows(self):
        """What is drawn: all touched, at the default step, in no manner that was asked for."""
        table = self.table
        return table[(table.chunk_bytes == DEFAULT_STEP) & (table.touch == float(ALL_TOUCHED))
                     & ~table.cell.str.contains(ASKED)]


def draw(table, changes, folder):
    """Raises Problem where there is nothing to draw."""
    machine = table.machine.iloc[-1]
    others = table.machine.nunique() - 1
    history = History(table[table.machine == machine],
                      [change for change in changes if change[1].machine == machine])
    text = (f"{counted(len(history.places), 'comparison')}"
            f"{' on the machine that compared last' if others else ''}, oldest left; medians with "
            f"{percent(CONFIDENCE)} confidence intervals; a line from top to bottom: a change "
            "began")
    if not charts.draw_each(HISTORY, history, folder, text):
        raise Problem("no chart: no comparison in history.csv touched all of a region at a step of "
                      f"{size_text(DEFAULT_STEP)}")
