"""Configurations as they are asked for, and cells as rows have them."""

import dataclasses
import fractions
import functools
import math
import typing

from vmcommit.base.conventions import ALL_TOUCHED, DEFAULT_STEP
from vmcommit.base.strategies import Strategy
from vmcommit.base.units import GIB, size_text


def touched_bytes(size, touch, page):
    """As a harness rounds it: whole pages, upwards."""
    return math.ceil(fractions.Fraction(touch) * size / page) * page


# What threads have of each other's memory, and how that is called.
OWN, STRIPES, SAME_PAGES, PROCESSES = "own", "stripes", "pages", "processes"
SHARES = {OWN: "a region each", STRIPES: "stripes", SAME_PAGES: "the same pages",
          PROCESSES: "processes"}
SEPARATE = (OWN, PROCESSES)  # where each has a region


@dataclasses.dataclass(frozen=True)
class Manner:
    """How pages are made usable and given back, and by how many threads at the same time, as the
    options of a harness have it; empty, or 0, is what a strategy does without being asked.
    `purge_step`: bytes that a call gives back. `share`: of SHARES, wherever there are `threads`."""

    commit: str = ""
    growth: str = ""
    pages: str = ""
    purge: str = ""
    purge_step: int = 0
    threads: int = 0
    share: str = ""

    def asked(self) -> dict:
        """{option without its dashes: value} of what differs from the default."""
        return {field.name.replace("_", "-"): value for field in dataclasses.fields(self)
                if (value := getattr(self, field.name))}

    def columns(self) -> dict:
        """The same by their columns in samples.csv."""
        named = {"commit": "commit_kind", "purge-step": "purge_step_bytes"}
        return {named.get(name, name): value for name, value in self.asked().items()}

    def fits(self, strategy: Strategy) -> bool:
        """Whether a strategy can be asked for it."""
        kinds = {"commit": strategy.commit, "purge": strategy.purge, "pages": strategy.pages}
        return all(f"--{name}" in strategy.options and (name not in kinds or value in kinds[name])
                   for name, value in self.asked().items())

    def options(self) -> list[str]:
        return [word for name, value in self.asked().items() for word in (
            (f"--{value}",) if value == PROCESSES else (f"--{name}", str(value)))]

    @property
    def crew(self) -> str:
        """4 threads, stripes"""
        if self.share == PROCESSES:
            return f"{self.threads} processes"
        return f"{self.threads} threads, {SHARES[self.share]}" if self.threads else ""

    def __str__(self):
        texts = [self.commit, self.growth and f"growth {self.growth}",
                 self.pages and f"pages {self.pages}", self.purge and f"purge {self.purge}",
                 self.purge_step and f"purge step {size_text(self.purge_step)}", self.crew]
        return ", ".join(filter(None, texts))


PLAIN = Manner()


@dataclasses.dataclass(frozen=True)
class Configuration:
    """What a harness is asked for. `touch` is the part of the region, as text; a strategy without a
    step keeps the default `chunk`, which it is not given. `question`: what it is measured for,
    empty for the strategies as they are. `alone`: the fewest samples of it by a process each; 0: it
    takes turns."""

    strategy: Strategy
    size: int
    touch: str = ALL_TOUCHED
    chunk: int = DEFAULT_STEP
    order: str = "sequential"
    manner: Manner = PLAIN
    question: str = ""
    alone: int = 0
    recorded: typing.ClassVar[bool] = False  # size and order are a recording's, and not asked for

    @functools.cached_property
    def code(self):
        return hash(tuple(getattr(self, field.name) for field in dataclasses.fields(self)))

    def __hash__(self):
        """Worked out once, for a plan looks configurations up a thousand times a set."""
        return self.code

    @property
    def part(self):
        """Bytes that a thread has."""
        return self.size // self.manner.threads if self.manner.share == STRIPES else self.size

    @property
    def block(self):
        """What is compared with each other, and so measured in the same sets."""
        return (self.part, self.touch, self.order, *[self.question] * bool(self.question))

    @property
    def swept(self):
        """Whether it is there for its step, which is another than the default one."""
        return self.strategy.stepped and self.chunk != DEFAULT_STEP

    def turns(self):
        """Its options, for a harness that takes turns."""
        chunk = ["--chunk", str(self.chunk)] if self.strategy.stepped else []
        order = [] if self.order == "sequential" else ["--order", self.order]
        return ["--size", str(self.size), "--touch", self.touch, *chunk, *order,
                *self.manner.options()]

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
        parts += self.manner.asked().items()
        return joint.join(f"{key}{equals}{value}" for key, value in parts)

    def __str__(self):
        step = f", step {size_text(self.chunk)}" if self.strategy.stepped else ""
        touch = "" if self.touch == ALL_TOUCHED else f", touch {self.touch}"
        order = "" if self.order == "sequential" else f", {self.order}"
        manner = "" if self.manner == PLAIN else f", {self.manner}"
        return f"{self.strategy} {size_text(self.size)}{touch}{step}{order}{manner}"


def block_text(block) -> str:
    """4 GiB, all touched"""
    size, touch, order, *_ = block
    part = "all" if touch == ALL_TOUCHED else f"{100 * float(touch):.0f} %"
    return f"{size_text(size)}, {part} touched" + ("" if order == "sequential" else f", {order}")


@dataclasses.dataclass(frozen=True)
class Cell:
    """A configuration as rows have it: bytes touched, and in `chunk` the size of the region for a
    strategy that commits all of it, the page for one that commits by pages."""

    strategy: Strategy
    size: int
    touched: int
    chunk: int
    order: str = "sequential"
    manner: Manner = PLAIN

    @property
    def step(self):
        return self.chunk if self.strategy.stepped else None

    @property
    def anchor(self):
        """Where the report's table has it."""
        manner = "".join(f"-{value}" for value in self.manner.asked().values())
        return f"{self.strategy}-{self.size}-{self.touched}-{self.chunk}-{self.order}{manner}"

    @property
    def choice(self):
        """fault; chunked by 64 KiB"""
        return str(self.strategy) + (f" by {size_text(self.chunk)}" if self.step else "")

    def __str__(self):
        return self.choice + ("" if self.manner == PLAIN else f", {self.manner}")


def default_of(strategy: Strategy) -> dict[str, tuple]:
    """{column: what it holds where nothing else was asked for}; '' where a strategy can't."""
    return {"commit_kind": ("", *strategy.commit[:1]), "growth": ("", "fixed"),
            "pages": ("", "small"), "purge": ("", "none", *strategy.purge[:1]), "threads": (1,)}


def manner_of(row, strategy: Strategy) -> Manner:
    commit, growth, pages, purge, threads = (
        "" if (value := getattr(row, column)) in default else value
        for column, default in default_of(strategy).items())
    return Manner(commit, growth, pages, purge, int(row.purge_step_bytes) if purge else 0,
                  int(threads or 0), row.share if threads else "")


def cell_of(row, strategies):
    strategy = strategies[row.strategy]
    return Cell(strategy, int(row.size_bytes), int(row.touched_bytes), int(row.chunk_bytes),
                row.touch_order, manner_of(row, strategy))
