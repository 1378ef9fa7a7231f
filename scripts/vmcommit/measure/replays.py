"""A recording as a subject: ways to commit, or to give back, what a program did, as members of the
same sets."""

import csv
import math
import random
import statistics
from typing import NamedTuple

from vmcommit.base.cells import PLAIN, Configuration, Manner
from vmcommit.base.folder import number_of
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.statistics import half_width, pooled_spread, set_interval, shared
from vmcommit.base.text import last_line, listed
from vmcommit.measure import harness
from vmcommit.measure.estimate import Estimates, with_time
from vmcommit.measure.sets import Pace, Part, Set

NAME = "replay"
RECORDED = "as recorded"
# The options by which a recording is varied, and the column that counts what each would change.
CHANGED = {"commit": "commit_calls", "purge": "purge_calls"}


class Recorded(Configuration):
    recorded = True

    def turns(self):
        return self.manner.options()


class Way(NamedTuple):
    """What replaying takes so: ns of a cycle, and against the recording's own way, with the bounds
    of a confidence interval; calls that commit, and the charge in the end in bytes."""

    name: str
    ns: float
    ratio: float
    low: float
    high: float
    commits: int
    charge: int


def name_of(manner):
    """--commit populate"""
    return " ".join(manner.options()) or RECORDED


def manners(strategy, commits, purges):
    """[Manner] of the recording's own way and the others that are asked for."""
    for option, asked, known in (("commit", commits, strategy.commit),
                                 ("purge", purges, strategy.purge)):
        for kind in asked:
            if kind not in known[1:]:
                raise Usage(f"--{option}: '{kind}' is no other way; use {listed(known[1:], 'or')}")
    return list(dict.fromkeys([PLAIN, *(Manner(commit=kind) for kind in commits),
                               *(Manner(purge=kind) for kind in purges)]))


def other_manners(strategy, like, options=tuple(CHANGED)):
    """[Manner] of all other ways, by these options, to do what the recording does at all. `like`:
    the row of a replay as recorded."""
    return [Manner(**{option: kind}) for option in options if number_of(like[CHANGED[option]]) > 0
            for kind in getattr(strategy, option)[1:]]


def strategy_of(command):
    """What replay says of itself. Raises Problem where it isn't built."""
    try:
        return harness.describe(command)
    except harness.HarnessFailed as failure:
        raise Problem(f"replay {failure}; {harness.BUILD_FIRST}") from None


def harness_of(folder, recording):
    """The Harness that replays a recording, by the program in a folder. Raises Problem."""
    command = (str(folder / NAME), "--recording", str(recording.resolve()))
    return harness.Harness(strategy_of(command[:1]), command)


def part_of(program, manner):
    """A member of sets, of a Harness, whose row may be of another status than ok. Raises Usage
    where the recording can't be replayed."""
    try:
        printed, _ = harness.succeeded([*program.command, *manner.options(), "--repeat", "1"], 600)
    except harness.HarnessFailed as failure:
        raise Usage(last_line(failure.said) if failure.said else f"replay {failure}") from None
    row = next(csv.DictReader(printed.splitlines()))
    return Part(program, Recorded(program.strategy, int(row["size_bytes"]), manner=manner), row)


def able_part_of(program, manner):
    """The same. Raises Usage too where a recording can't be replayed so on this machine."""
    part = part_of(program, manner)
    if part.like["status"] != "ok":
        raise Usage(f"replay {' '.join(manner.options())}: {part.like['status']}: "
                    f"{part.like['error']}")
    return part


def pace_of(part):
    touches = int(part.like["touched_bytes"]) / int(part.like["page_bytes"])
    return Pace.of(number_of(part.like["total_ns"]) / touches)


class Group:
    """Members that take turns with each other, the recording's own way among them."""

    def __init__(self, parts):
        self.parts = parts
        self.estimates = Estimates()
        self.rows = []  # (number of the set within the group, name, row)

    def keep(self, taken):
        """{name: how its harness died, or was refused} of those that did not come to the end, which
        are in no further set."""
        number = len(self.estimates.sets)
        self.estimates.add({name: one.turns for name, one in taken.items() if one.turns})
        for name, one in taken.items():
            turns = one.turns.columns() if one.turns else {}
            self.rows.append((number, name, one.row | turns))
        lost = {name: one.failure or one.row["error"] or one.row["status"]
                for name, one in taken.items() if not one.turns}
        self.parts = {name: part for name, part in self.parts.items() if name not in lost}
        return lost

    def logs(self, name):
        """Logarithms of its ratios to the recording's own way."""
        own, base = self.estimates.of(name), self.estimates.of(RECORDED)
        return [math.log(own[number] / base[number]) for number in own.keys() & base.keys()]

    def timed_rows(self):
        for number, name, row in self.rows:
            yield with_time(row, self.estimates.of(name).get(number))


class Replays:
    """`parts`: {name: Part}, the first the recording's own way, with which all others take turns:
    as many at a time as touch so many bytes of `memory` together. `lost`: {name: why it left}."""

    def __init__(self, parts, seed, memory):
        self.parts = parts
        self.order = random.Random(seed)
        self.pace = pace_of(parts[RECORDED])
        self.groups = [Group(each) for each in grouped(parts, memory)]
        self.confidence = shared(max(1, len(parts) - 1))
        self.sets = 0
        self.lost = {}

    def take(self):
        """A set of each group. Raises Problem where the recording's own way can't go on."""
        for group in self.groups:
            number = self.sets * len(self.groups) + self.groups.index(group) + 1
            taken = Set(group.parts, self.pace, number, self.sets + 1, self.order).take()
            for one in taken.values():
                one.row["round"] = number  # by which what took turns is found together
            self.lost |= group.keep(taken)
        self.sets += 1
        if RECORDED in self.lost:
            self.refuse_lost()

    def refuse_lost(self):
        """Raises Problem where some left."""
        if self.lost:
            raise Problem("; ".join(f"replay {name}: {why}" for name, why in self.lost.items()))

    def update(self):
        for group in self.groups:
            group.estimates.update()

    def logs(self):
        """{name: logarithms of ratios} of all others."""
        return {name: logs for group in self.groups for name in group.parts
                if name != RECORDED and (logs := group.logs(name))}

    def widest(self):
        """The largest half-width of a ratio's confidence interval; infinite where one has none."""
        logs = self.logs()
        pooled = pooled_spread(logs.values())
        return max((half_width(*interval) if coverage >= self.confidence else math.inf
                    for each in logs.values()
                    for *interval, coverage in [set_interval(each, self.confidence, pooled)]),
                   default=0.0)

    def ways(self):
        """[Way], as recorded first."""
        logs = {RECORDED: [0.0]} | self.logs()
        pooled = pooled_spread(each for name, each in logs.items() if name != RECORDED)
        return [way_of(name, self.parts[name], self.ns_of(name),
                       *self.interval(each, pooled)) for name, each in logs.items()]

    def interval(self, logs, pooled):
        """(middle, low, high) of a ratio; of too few sets for one that is right often enough the
        last two are not known, NaN."""
        middle, low, high, coverage = set_interval(logs, self.confidence, pooled)
        return (middle, low, high) if coverage >= self.confidence else (middle, math.nan, math.nan)

    def ns_of(self, name):
        return statistics.median(ns for group in self.groups
                                 for ns in group.estimates.of(name).values())

    def rows(self):
        """All of them: first a row of each way by a process of its own, which has all counts; then
        those of the sets, with what is known by now of a cycle's time."""
        return [*(part.like for part in self.parts.values()),
                *(row for group in self.groups for row in group.timed_rows())]


def grouped(parts, memory):
    """[{name: Part}], in each of which as many take turns as `memory` holds."""
    base = parts[RECORDED]
    others = [name for name in parts if name != RECORDED]
    fitting = max(1, int(memory / int(base.like["touched_bytes"])) - 1)
    return [{name: parts[name] for name in (RECORDED, *others[at:at + fitting])}
            for at in range(0, max(1, len(others)), fitting)]


def way_of(name, part, ns, middle, low, high):
    return Way(name, ns, math.exp(middle), math.exp(low), math.exp(high),
               int(part.like["commit_calls"]), int(part.like["commit_bytes"]))
