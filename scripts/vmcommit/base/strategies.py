"""What strategies there are and what each can do, as its harness says by --describe."""

import dataclasses
import re
import typing

UPFRONT = "upfront"  # what all others are compared with
APART = ("mremap", "stack", "uffd")  # harnesses of Linux alone, which are in no campaign


@dataclasses.dataclass(frozen=True)
class Strategy:
    """`step`: by what it commits: "size", "page" or "chunk", which alone heeds --chunk. `blocks`:
    its memory comes in blocks from an allocator. The lists name kinds that it can be run with."""

    name: str
    summary: str
    step: str
    guarded: bool
    blocks: bool
    options: tuple
    commit: tuple = ()
    purge: tuple = ()
    pages: tuple = ()
    guard: tuple = ()
    trap: tuple = ()

    @property
    def stepped(self):
        return self.step == "chunk"

    @property
    def brought(self):
        """Measures what a user brings: a library, or the process's allocator."""
        return self.blocks or "--library" in self.options

    @property
    def handles_faults(self):
        return bool(self.trap)

    def step_bytes(self, size, page, step):
        """What stands in chunk_bytes."""
        return {"size": size, "page": page, "chunk": step}[self.step]

    def __str__(self):
        return self.name

    def __hash__(self):
        """Of the name alone, for a plan looks strategies up a thousand times a set."""
        return hash(self.name)


def from_json(described) -> Strategy:
    """A strategy from its --describe, or from what a run kept of that. Raises ValueError."""
    if not isinstance(described, dict):
        raise ValueError(f"no description of a strategy: {described!r:.80}")
    values: dict[str, typing.Any] = {}
    for field in dataclasses.fields(Strategy):
        value = described.get(field.name)
        if not (isinstance(value, list) and all(isinstance(kind, str) for kind in value)
                if field.type is tuple else isinstance(value, field.type)):
            raise ValueError(f"{field.name} is {value!r:.40} in the description of a strategy")
        values[field.name] = tuple(value) if isinstance(value, list) else value
    strategy = Strategy(**values)
    if not re.fullmatch(r"\w[\w.+-]{0,39}", strategy.name, re.ASCII):
        raise ValueError(f"'{strategy.name:.40}' is no name of a strategy")
    if strategy.step not in ("size", "page", "chunk"):
        raise ValueError(f"strategy {strategy.name}: '{strategy.step:.40}' is no kind of step")
    return strategy


def to_json(strategy):
    return dataclasses.asdict(strategy)


def join(rows, strategies):
    """Adds to a table with a column `strategy` what analysis asks of each: its rank in tables,
    whether it has a step, whether it was brought. `strategies`: {name: Strategy}, in order."""
    ranks = {name: rank for rank, name in enumerate(strategies)}
    rows["rank"] = rows.strategy.map(ranks)
    for column in ("stepped", "brought"):
        rows[column] = rows.strategy.map({name: getattr(strategy, column)
                                          for name, strategy in strategies.items()}).astype(bool)
    return rows


def names_in(rows):
    """Names of the strategies that joined rows have, in their order."""
    return list(rows[["strategy", "rank"]].drop_duplicates().sort_values("rank").strategy)
