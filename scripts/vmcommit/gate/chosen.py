"""What is compared: which sides, and which of their cells."""

import dataclasses
import re

from vmcommit.base.cells import PLAIN as PLAIN_MANNER
from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import SPARSELY_TOUCHED
from vmcommit.base.problems import Usage
from vmcommit.base.units import KIB, MIB
from vmcommit.measure import replays
from vmcommit.measure.campaigns import CAMPAIGNS, RECORDING

SIDES = ("base", "head")


def plain_cells(strategies):
    """The configurations of the CI profile: twenty for the four strategies, none of which takes
    more than some 100 ms."""
    configurations = [Configuration(strategy, size) for size in (64 * KIB, MIB, 16 * MIB)
                      for strategy in strategies]
    configurations += [Configuration(strategy, 16 * MIB, SPARSELY_TOUCHED)
                       for strategy in strategies]
    configurations += [Configuration(strategy, MIB, chunk=step) for strategy in strategies
                       if strategy.stepped for step in (4 * KIB, MIB)]
    return configurations


PLAIN = "plain"
CELLS = {PLAIN: plain_cells} | {name: topic.cells for name, topic in CAMPAIGNS.items()
                                if topic.cells}


def cells(strategies, name=PLAIN):
    """Those of that name."""
    return CELLS[name](strategies)


def recorded_cells(part, name=PLAIN):
    """Of a recording, by a Part that replays it as it was: in that way, and by the options that
    cells of that name vary."""
    options = CAMPAIGNS[name].replayed if name in CAMPAIGNS else ()
    others = replays.other_manners(part.configuration.strategy, part.like, options)
    return [dataclasses.replace(part.configuration, manner=manner)
            for manner in (PLAIN_MANNER, *others)]


def refuse_unfit(name, recording):
    """Raises Usage where there are no cells of that name."""
    if name not in CELLS:
        raise Usage(f"--cells: '{name}' names no cells; use {', '.join(CELLS)}")
    if name == RECORDING and not recording:
        raise Usage(f"--cells: '{name}' compares replays of one alone; name its folder: make "
                    "compare RECORDING=DIR, or --recording DIR")


def valid_name(name: str) -> bool:
    """Whether a baseline can have it."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) is not None
