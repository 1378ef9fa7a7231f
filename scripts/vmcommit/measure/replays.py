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
from vmcommit.base.statistics import paired_interval, shared
from vmcommit.base.text import last_line, listed
from vmcommit.measure import harness
from vmcommit.measure.estimate import Estimates
from vmcommit.measure.sets import Pace, Part, Set

RECORDED = "as recorded"


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


def manners(strategy, commits, purges):
    """{name: Manner} of the recording's own way and the others that are asked for."""
    for option, asked, known in (("commit", commits, strategy.commit),
                                 ("purge", purges, strategy.purge)):
        for kind in asked:
            if kind not in known[1:]:
                raise Usage(f"--{option}: '{kind}' is no other way; use {listed(known[1:], 'or')}")
    return ({RECORDED: PLAIN} | {f"--commit {kind}": Manner(commit=kind) for kind in commits}
            | {f"--purge {kind}": Manner(purge=kind) for kind in purges})


def strategy_of(command):
    """What replay says of itself. Raises Problem where it isn't built."""
    try:
        return harness.describe(command)
    except harness.HarnessFailed as failure:
        raise Problem(f"replay {failure}; {harness.BUILD_FIRST}") from None


def harness_of(folder, recording):
    """The Harness that replays a recording, by the program in a folder. Raises Problem."""
    command = (str(folder / "replay"), "--recording", str(recording.resolve()))
    return harness.Harness(strategy_of(command[:1]), command)


def part_of(program, manner):
    """A member of sets, of a Harness. Raises Usage where a recording can't be replayed so on this
    machine."""
    strategy = program.strategy
    try:
        printed, _ = harness.succeeded([*program.command, *manner.options(), "--repeat", "1"], 600)
    except harness.HarnessFailed as failure:
        raise Usage(last_line(failure.said) if failure.said else f"replay {failure}") from None
    row = next(csv.DictReader(printed.splitlines()))
    if row["status"] != "ok":
        raise Usage(f"replay {' '.join(manner.options())}: {row['status']}: {row['error']}")
    return Part(program, Recorded(strategy, int(row["size_bytes"]), manner=manner), row)


def pace_of(part):
    touches = int(part.like["touched_bytes"]) / int(part.like["page_bytes"])
    return Pace.of(number_of(part.like["total_ns"]) / touches)


def measure(parts, sets, seed, shown):
    """[Way] of {name: Part}, the first of which the others are compared with. shown(set) is called
    before each."""
    order, estimates, failed = random.Random(seed), Estimates(), {}
    pace = pace_of(next(iter(parts.values())))
    for number in range(1, sets + 1):
        shown(number)
        taken = Set(parts, pace, number, number, order).take()
        failed |= {name: one.failure or one.row["status"] for name, one in taken.items()
                   if not one.turns}
        estimates.add({name: one.turns for name, one in taken.items() if one.turns})
    if failed:
        raise Problem("; ".join(f"replay {name}: {why}" for name, why in failed.items()))
    estimates.update()
    return [way_of(name, part, estimates, shared(max(1, len(parts) - 1)))
            for name, part in parts.items()]


def way_of(name, part, estimates, confidence):
    own, base = estimates.of(name), estimates.of(RECORDED)
    logs = [math.log(own[number] / base[number]) for number in own.keys() & base.keys()]
    middle, low, high, _ = paired_interval(logs, confidence)
    return Way(name, statistics.median(own.values()), math.exp(middle), math.exp(low),
               math.exp(high), int(part.like["commit_calls"]), int(part.like["commit_bytes"]))
