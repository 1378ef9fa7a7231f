"""What is compared: which sides, and which of their cells."""

import re

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import SPARSELY_TOUCHED
from vmcommit.base.units import KIB, MIB
from vmcommit.measure.campaigns import CAMPAIGNS

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


def valid_name(name: str) -> bool:
    """Whether a baseline can have it."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) is not None
