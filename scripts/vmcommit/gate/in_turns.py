"""Cells whose sides take turns with each other: set after set, where a verdict is nearest, until
each is known or the time is spent."""

import dataclasses
import math
import random
import time
from collections.abc import Callable

import numpy

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import LEAST_SETS
from vmcommit.base.statistics import half_width, normal_values, stretch, watched_reach
from vmcommit.gate import rules
from vmcommit.gate.chosen import SIDES
from vmcommit.measure.estimate import Estimates, with_time
from vmcommit.measure.sets import Pace, Part, Set, Taken

SHARE = 0.2  # of a change, to which its size is told, or to half of the threshold
POSSIBLE = normal_values(15)  # standard errors from a median to where what it estimates may lie


@dataclasses.dataclass
class Cell:
    """What is known of a cell so far. `parts`: {side: Part}."""

    result: rules.Result
    parts: dict
    estimates: Estimates = dataclasses.field(default_factory=Estimates)
    rows: dict = dataclasses.field(default_factory=dict)  # {(side, number of the set): row}
    seconds: float = 0.0
    planned: float = LEAST_SETS  # sets, after which the interval is narrowest for what it takes
    broken: str = ""  # which side, and what happened
    before: rules.Result = dataclasses.field(init=False)  # what was known when this began

    def __post_init__(self):
        self.before = dataclasses.replace(self.result)

    @property
    def sets(self) -> int:
        return len(self.estimates.sets)

    @property
    def known(self) -> bool:
        return bool(self.broken) or self.sets >= LEAST_SETS and \
            self.result.verdict != rules.INCONCLUSIVE

    @property
    def next_seconds(self) -> float:
        """Of a set."""
        return self.seconds / self.sets if self.sets else 0.0

    def paired(self, sides) -> list[list[float]]:
        """ns of an undisturbed cycle of two sides, in the sets that have both."""
        times = [self.estimates.of(side) for side in sides]
        common = sorted(times[0].keys() & times[1].keys())
        return [[ns[number] for number in common] for ns in times]

    def plain(self, sides) -> list[list[float]]:
        """The same as the harnesses' plain sums have it."""
        common = sorted({number for side, number in self.rows if side == sides[0]}
                        & {number for side, number in self.rows if side == sides[1]})
        return [[rules.plain_time(self.rows[side, number]) for number in common]
                for side in sides]


class InTurns:
    """`parts`: {configuration: {side: Part}}. `add(side, configuration, number, row)` keeps a
    row."""

    def __init__(self, parts: dict[Configuration, dict[str, Part]], rule: rules.Rule, pace: Pace,
                 order: random.Random, add: Callable):
        self.parts = parts
        self.rule = rule
        self.pace = pace
        self.order = order
        self.add = add
        self.number = 0
        self.cell_seconds = 0.0  # that each cell could have, if all took as many
        self.unspent = 0.0  # seconds that were not needed

    def measure(self, results: list[rules.Result], seconds: float, shown: Callable) -> list[Cell]:
        """Gives each result its verdict. shown(seconds done, seconds left, set, configuration) is
        called before each set."""
        cells = [Cell(result, self.parts[result.cell]) for result in results]
        self.cell_seconds = seconds / len(cells)
        begun = time.monotonic()
        while waiting := [cell for cell in cells if not self.done(cell)]:
            spent = time.monotonic() - begun
            affordable = [cell for cell in waiting if cell.sets < LEAST_SETS
                          or spent + cell.next_seconds <= seconds]
            if not affordable:
                break
            cell = min(affordable, key=self.distance)
            shown(spent, self.seconds_left(waiting, seconds - spent), self.number + 1,
                  cell.result.cell)
            self.take_set(cell)
        self.unspent = max(0.0, seconds - (time.monotonic() - begun))
        for cell in cells:
            self.finish(cell)
        return cells

    def confirm(self, results: list[rules.Result], seconds: float, shown: Callable):
        """Measures afresh what changed, for up to so many seconds a cell, and what is left of those
        that it was measured for at first."""
        def measure_again(changed, rule):
            again = Again(self.parts, rule, self.pace, self.order, self.add)
            again.number = self.number
            again.measure(changed, seconds * len(changed) + self.unspent, shown)
        self.rule.confirm(results, measure_again)

    def done(self, cell: Cell) -> bool:
        return cell.known

    def distance(self, cell: Cell) -> tuple[int, bool, float]:
        """From a verdict: who has the fewest sets comes first, then who has none, then who needs
        the fewest seconds, so that a noisy cell does not take the time in which ten others would
        be known."""
        return min(cell.sets, LEAST_SETS), cell.known, self.seconds_to_go(cell)

    def wide(self, cell: Cell) -> float:
        """Half of its interval's width, as a logarithm."""
        result = cell.result
        return math.log1p(half_width(*map(math.log, (result.ratio, result.low, result.high))))

    def wide_as_planned(self, cell: Cell) -> float:
        """The same, if as many sets had been planned as there are."""
        return self.wide(cell) / stretch(cell.sets, cell.planned)

    def plan(self, cell: Cell):
        """As many sets as make its interval as narrow as the threshold, or as it has time for;
        settled once, by how far the first ones lie apart and not by where."""
        bound = math.log1p(self.rule.threshold)
        needed = cell.sets * (self.wide_as_planned(cell) / bound) ** 2
        affordable = self.cell_seconds / cell.next_seconds if cell.next_seconds else needed
        cell.planned = max(LEAST_SETS, min(needed, affordable))

    def seconds_to_go(self, cell: Cell) -> float:
        """Until a verdict, as the interval narrows with the square root of the time. What it must
        narrow to is a mean over where the ratio may truly lie, for a median that lies next to the
        threshold by chance would be given no time to leave it."""
        if cell.sets < LEAST_SETS:
            return self.seconds_to_least(cell)
        wide, bound = self.wide_as_planned(cell), math.log1p(self.rule.threshold)
        error = wide / watched_reach(self.rule.confidence)
        distances = numpy.abs(math.log(cell.result.ratio) + error * POSSIBLE)
        narrow = numpy.where(distances < bound, bound - distances, distances)
        return cell.seconds * max(wide ** 2 / float(numpy.mean(narrow ** 2)) - 1, 0.1)

    def seconds_to_least(self, cell: Cell) -> float:
        return (LEAST_SETS - cell.sets) * (cell.next_seconds or 0.05)

    def seconds_left(self, waiting, most) -> float:
        return max(0.0, min(most, sum(map(self.seconds_to_go, waiting))))

    def take_set(self, cell: Cell):
        started = time.monotonic()
        self.number += 1
        taken = Set(cell.parts, self.pace, self.number, cell.sets + 1, self.order).take()
        number = cell.sets
        for side, each in taken.items():
            self.keep(cell, side, number, each)
        cell.estimates.add({side: each.turns for side, each in taken.items() if each.turns})
        cell.seconds += time.monotonic() - started
        if cell.broken:
            return
        self.judge(cell)
        if self.done(cell):  # by what was typical some sets ago: the last word is by all together
            cell.estimates.update()
            self.judge(cell)

    def keep(self, cell: Cell, side: str, number: int, taken: Taken):
        row = taken.row
        if taken.turns:
            row |= taken.turns.columns()
            cell.rows[side, number] = row
        if fault := taken.failure or rules.fault_of(row):
            cell.broken = f"{side} {fault}" if taken.failure else \
                f"{side} gave a row that can't be judged: {fault}"
        elif not taken.turns:
            cell.broken = f"{side} took no turns: {row.get('error') or row['status']}"
        self.add(side, cell.result.cell, self.number, row)

    def judge(self, cell: Cell):
        self.look(cell)
        if cell.sets == LEAST_SETS:
            self.plan(cell)
            self.look(cell)

    def look(self, cell: Cell):
        result = cell.result
        base, head = cell.paired(SIDES)
        result.verdict, result.ratio, result.low, result.high = self.rule.judge_times(
            base, head, cell.planned)

    def finish(self, cell: Cell):
        """The verdict by all sets together, and the rows with what they say in the end."""
        result = cell.result
        if cell.broken:
            result.verdict, result.why = rules.MISSING, cell.broken
            result.ratio = result.low = result.high = math.nan
            return
        cell.estimates.update()
        self.judge(cell)
        for (side, number), row in cell.rows.items():
            row |= with_time(row, cell.estimates.of(side)[number])
        base, head = cell.paired(SIDES)
        result.base_ns, result.head_ns = (rules.middle(times) for times in (base, head))
        result.rounds = cell.sets
        result.why = "; ".join(filter(None, (self.open_text(cell), self.plain_text(cell))))

    def open_text(self, cell: Cell) -> str:
        if cell.result.verdict != rules.INCONCLUSIVE:
            return ""
        return f"some {math.ceil(self.seconds_to_go(cell))} s more would tell"

    def plain_text(self, cell: Cell) -> str:
        """Where plain sums say something else: then something happens that is not in every turn."""
        base, head = cell.plain(SIDES)
        _, ratio, low, high = self.rule.judge_times(base, head, cell.planned)
        text = rules.share_text(ratio)
        agree = low <= cell.result.high and cell.result.low <= high
        return "" if agree or text == rules.share_text(cell.result.ratio) else \
            f"plain sums say {text}"


class Again(InTurns):
    """What changed, afresh, and judged once, when it is known by how much: whoever stops as soon as
    a verdict is there, stops where chance makes a change look large. So when to stop rests on how
    far apart the sets lie, and on what the first series gave."""

    def enough(self, cell: Cell) -> float:
        """Half of the width that tells a change's size, as a logarithm. Whoever was found at first
        was often found for looking larger than it is, so that counts which it is at least."""
        least = min(abs(math.log(end)) for end in (cell.before.low, cell.before.high))
        return max(math.log1p(self.rule.threshold) / 2, least * SHARE)

    def seen(self, cell: Cell) -> float:
        """The same that a change such as it was at first needs to be seen."""
        return abs(math.log(cell.before.ratio)) / 2

    def done(self, cell: Cell) -> bool:
        return bool(cell.broken) or cell.sets >= LEAST_SETS and \
            self.wide(cell) <= self.enough(cell)

    def distance(self, cell: Cell) -> tuple[int, bool, float]:
        return min(cell.sets, LEAST_SETS), cell.sets > 0 and self.wide(cell) <= self.seen(cell), \
            self.seconds_to_go(cell)

    def seconds_to_go(self, cell: Cell) -> float:
        if cell.sets < LEAST_SETS:
            return self.seconds_to_least(cell)
        wide, seen = self.wide(cell), self.seen(cell)
        goal = seen if wide > seen else self.enough(cell)
        return cell.seconds * max((wide / goal) ** 2 - 1, 0.1)

    def look(self, cell: Cell):
        result = cell.result
        result.verdict, result.ratio, result.low, result.high = self.rule.judge_times(
            *cell.paired(SIDES))
