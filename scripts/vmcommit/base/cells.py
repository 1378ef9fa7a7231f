"""Configurations as they are asked for, and cells as rows have them."""

import dataclasses
import fractions
import math

from vmcommit.base.conventions import ALL_TOUCHED, DEFAULT_STEP
from vmcommit.base.strategies import Strategy
from vmcommit.base.units import GIB, size_text


def touched_bytes(size, touch, page):
    """As a harness rounds it: whole pages, upwards."""
    return math.ceil(fractions.Fraction(touch) * size / page) * page


@dataclasses.dataclass(frozen=True)
class Configuration:
    """What a harness is asked for. `touch` is the part of the region, as text; a strategy without a
    step keeps the default `chunk`, which it is not given."""

    strategy: Strategy
    size: int
    touch: str = ALL_TOUCHED
    chunk: int = DEFAULT_STEP
    order: str = "sequential"

    @property
    def block(self):
        """What is compared with each other, and so measured in the same sets."""
        return (self.size, self.touch, self.order)

    @property
    def swept(self):
        """Whether it is there for its step, which is another than the default one."""
        return self.strategy.stepped and self.chunk != DEFAULT_STEP

    def turns(self):
        """Its options, for a harness that takes turns."""
        chunk = ["--chunk", str(self.chunk)] if self.strategy.stepped else []
        order = [] if self.order == "sequential" else ["--order", self.order]
        return ["--size", str(self.size), "--touch", self.touch, *chunk, *order]

    def arguments(self):
        """Its options, for a harness that takes one sample."""
        return [*self.turns(), "--repeat", "1"]

    def time_limit(self):
        """Seconds; generous, so that only a harness that hangs meets it."""
        return 60 + 120 * self.size / GIB

    @property
    def name(self):
        """For other programs: strategy=chunked/size=65536/touch=1/chunk=65536."""
        return self.named("=", "/")

    def named(self, equals, joint):
        parts = [("strategy", self.strategy), ("size", self.size), ("touch", self.touch)]
        if self.strategy.stepped:
            parts.append(("chunk", self.chunk))
        return joint.join(f"{key}{equals}{value}" for key, value in parts)

    def __str__(self):
        step = f", step {size_text(self.chunk)}" if self.strategy.stepped else ""
        touch = "" if self.touch == ALL_TOUCHED else f", touch {self.touch}"
        order = "" if self.order == "sequential" else f", {self.order}"
        return f"{self.strategy} {size_text(self.size)}{touch}{step}{order}"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A configuration as rows have it: bytes touched, and in `chunk` the size of the region for a
    strategy that commits all of it, the page for one that commits by pages."""

    strategy: Strategy
    size: int
    touched: int
    chunk: int
    order: str = "sequential"

    @property
    def step(self):
        return self.chunk if self.strategy.stepped else None

    @property
    def anchor(self):
        """Where the report's table has it."""
        return f"{self.strategy}-{self.size}-{self.touched}-{self.chunk}-{self.order}"

    def __str__(self):
        return str(self.strategy) + (f" by {size_text(self.chunk)}" if self.step else "")


def cell_of(row, strategies):
    return Cell(strategies[row.strategy], int(row.size_bytes), int(row.touched_bytes),
                int(row.chunk_bytes), row.touch_order)
