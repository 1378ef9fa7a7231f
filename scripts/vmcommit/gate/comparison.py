"""Two sides measured against each other: counts first, then times. Harnesses that take turns do so;
others, an older base's or an allocator's, give a sample each in rounds of pairs."""

import contextlib
import random
import statistics
import time
from collections.abc import Callable

from vmcommit.base.cells import PLAIN, Configuration
from vmcommit.base.columns import TURNS
from vmcommit.base.files import RowFile, write_rows
from vmcommit.gate import rules
from vmcommit.gate.chosen import SIDES
from vmcommit.gate.in_turns import InTurns
from vmcommit.gate.rules import Result, Rule
from vmcommit.measure import replays
from vmcommit.measure.harness import HarnessFailed
from vmcommit.measure.sets import USUAL_TOUCH_NS, Pace, Part, pace_of
from vmcommit.measure.turns import speaks

CONFIRMATIONS = 3  # samples in which counts must differ


class Unlike(Exception):
    """Two sides that mean different things by the same cell; the text says in what they differ."""


class Samples:
    """samples.csv with `side` and the columns of the first row; {(side, cell): rows} in memory. A
    disk that is full ends the file but not the comparison: `failure` keeps what happened."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.path = path
        self.rows = {}
        self.lines = []  # what stands in the file
        self.file = None
        self.failure = None

    def add(self, side, cell, round_number, row):
        self.rows.setdefault((side, cell), []).append((round_number, row))
        place = {"side": side, "cell": cell.name, "round": round_number}
        self.lines.append((row, place))
        self.attempt(self.write, row | place)

    def attempt(self, action, *arguments):
        if self.failure is None:
            try:
                action(*arguments)
            except OSError as error:
                self.failure = error

    def update(self):
        """Writes all rows anew, with what has since been added to them."""
        if self.file:
            self.file.close()
            self.attempt(write_rows, self.path, self.file.columns,
                         [row | place for row, place in self.lines])
            columns, self.file = self.file.columns, None
            self.attempt(self.go_on, columns)

    def go_on(self, columns):
        self.file = RowFile(self.path, columns, append=True)

    def write(self, row):
        if self.file is None:
            self.file = RowFile(self.path, list(dict.fromkeys(("side", "cell", *row, *TURNS))))
        self.file.add(row)

    def close(self):
        if self.file:
            self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def paired(self, sides, cell, first_round):
        """Times of two sides in the rounds from first_round on that have both."""
        by_side = [{number: rules.time_of(row) for number, row in self.rows.get((side, cell), [])
                    if row["total_ns"] and number >= first_round} for side in sides]
        common = sorted(by_side[0].keys() & by_side[1].keys())
        return [[times[number] for number in common] for times in by_side]

    def timed(self, side, cell):
        """Rows that have a cycle's time; those of turns alone where there are any."""
        rows = [row for _, row in self.rows.get((side, cell), []) if row["total_ns"]]
        return [row for row in rows if row.get("undisturbed_ns")] or rows

    def of(self, side):
        """[(cell, row)] of all cells that were timed."""
        return [(cell, row) for where, cell in self.rows if where == side
                for row in self.timed(side, cell)]


class Stored:
    """A side that was measured earlier: gives its rows by round."""

    def __init__(self, rows):
        self.rows = rows

    def has(self, cell):
        return cell.name in self.rows

    def take(self, cell, round_number):
        rows = self.rows[cell.name]
        return rows[round_number] if round_number < len(rows) else None


class Built:
    """A side that is measured now, by its harnesses, {name: Harness}."""

    def __init__(self, harnesses):
        self.harnesses = harnesses

    def has(self, cell):
        """Whether it has that strategy, and that does what the cell asks for."""
        return cell.strategy.name in self.harnesses and cell.manner.fits(
            self.harnesses[cell.strategy.name].strategy)

    def take(self, cell, _round_number):
        """Raises HarnessFailed, for a row that can't be judged too."""
        row = self.harnesses[cell.strategy.name].take(cell)
        if fault := rules.fault_of(row):
            raise HarnessFailed(f"gave a row that can't be judged: {fault}")
        return row

    def speaks(self, cell):
        """Whether its harness takes turns."""
        return not cell.strategy.blocks and speaks(self.harnesses[cell.strategy.name], cell)


def pace_for(parts) -> Pace:
    """By one of the sides of the cell that touches fastest; a usual one where none of them lives to
    tell, which their sets will find. `parts`: {cell: {side: Part}}."""
    fastest = min(parts, key=lambda cell: (cell.recorded, cell.strategy.handles_faults))
    for part in parts[fastest].values():
        with contextlib.suppress(HarnessFailed):
            return replays.pace_of(part) if fastest.recorded else pace_of(part.harness)
    return Pace.of(USUAL_TOUCH_NS)


def lacking(cell) -> str:
    """What a side may lack of a cell."""
    return f"{cell.strategy}" + ("" if cell.manner == PLAIN else f" with {cell.manner}")


class Comparison:
    """`sides`: {"base", "head", and "again", which is base once more}, whatever has has() and
    take(). `broken`: {cell: which side, and what happened}; these are not tried again."""

    def __init__(self, sides, samples: Samples, seed: int, rule: Rule):
        self.rule = rule
        self.sides = sides
        self.samples = samples
        self.random = random.Random(seed)
        self.broken: dict[Configuration, str] = {}
        self.round = 0

    def take(self, side, cell):
        try:
            row = self.sides[side].take(cell, self.round)
        except HarnessFailed as failure:
            self.broken[cell] = f"{side} {failure}"
            return None
        if row:
            self.samples.add(side, cell, self.round, row)
        return row

    def gate_counts(self, cells) -> tuple[list[Result], list[Result]]:
        """(results that counts alone settle, those that are left for times). Raises Unlike."""
        self.round = 0
        results = [self.absent(cell) or self.by_counts(cell) for cell in cells]
        left = [result for result in results if result.verdict == rules.INCONCLUSIVE]
        return [result for result in results if result not in left], left

    def absent(self, cell):
        """The result of a cell whose strategy one side does not have; None if both do."""
        if not self.sides["head"].has(cell):
            return Result(cell, rules.MISSING, f"head has no {lacking(cell)}")
        if not self.sides["base"].has(cell):
            return Result(cell, rules.NEW, f"base has no {lacking(cell)}")
        return None

    def by_counts(self, cell):
        base, head, change = self.confirmed_change(cell)
        if cell in self.broken:
            return Result(cell, rules.MISSING, self.broken[cell])
        result = Result(cell, rules.INCONCLUSIVE, counts={
            column: int(float(head[column])) for column in rules.GATED if head.get(column)})
        if change:
            result.verdict, result.why = change
            if base["total_ns"] and head["total_ns"]:
                result.by_counts = change
        elif not base["total_ns"]:
            result.verdict, result.why = rules.SAME, f"{base['status']} on both sides"
        return result

    def confirmed_change(self, cell):
        """(base's row, head's row, (verdict, why) of what differs between them each time that they
        are looked at, and in the same direction; else None)."""
        verdicts = set()
        for _ in range(CONFIRMATIONS):
            base, head = self.take("base", cell), self.take("head", cell)
            if cell in self.broken:
                return base, head, None
            if difference := rules.unlike(base, head):
                raise Unlike(difference)
            change = (rules.status_change(base, head)
                      or rules.count_change(rules.compare_counts(base, head)))
            verdicts.add(change and change[0])
            if change is None or len(verdicts) > 1:
                return base, head, None
        return base, head, change

    def measure(self, results: list[Result], rounds: int, shown: Callable) -> int:
        """Rounds of pairs in a random order of cells. Returns the first round's number.
        shown(seconds done, seconds left, round, configuration) is called before each pair."""
        first = self.round + 1
        begun = time.monotonic()
        for done in range(rounds):
            self.round += 1
            order = list(enumerate(results))
            self.random.shuffle(order)
            for at, (index, result) in enumerate(order):
                spent = time.monotonic() - begun
                share = (done + at / len(order)) / rounds
                left = spent / share - spent if share > 0.02 else 0.05 * rounds * len(order)
                shown(spent, left, self.round, result.cell)
                self.take_turns(result.cell, index)
        return first

    def take_turns(self, cell, index):
        """Base first in one round, head first in the next, so that two rounds make an ABBA."""
        turn = [side for side in SIDES if side in self.sides]
        if (self.round + index) % 2:
            turn.reverse()
        if "again" in self.sides:
            turn.insert(self.random.randrange(3), "again")
        for side in turn:
            if cell not in self.broken:
                self.take(side, cell)

    def judge(self, results, first, judge_times):
        """Verdicts by the rounds from `first` on."""
        for result in results:
            if result.cell in self.broken:
                result.verdict, result.why = rules.MISSING, self.broken[result.cell]
                continue
            base, head = self.samples.paired(SIDES, result.cell, first)
            if not base:
                result.verdict, result.why = rules.INCONCLUSIVE, "no round was timed on both sides"
                continue
            result.verdict, result.ratio, result.low, result.high = judge_times(base, head)
            result.base_ns, result.head_ns = statistics.median(base), statistics.median(head)
            result.rounds = len(base)

    def split(self, results) -> tuple[list[Result], list[Result]]:
        """(those whose sides all take turns, the others); of neither are those of which one died of
        being asked."""
        taking: list[Result] = []
        alone: list[Result] = []
        for result in results:
            speaking = [self.speaks(side, result.cell) for side in self.sides]
            if result.cell in self.broken:
                result.verdict, result.why = rules.MISSING, self.broken[result.cell]
            else:
                (taking if all(speaking) else alone).append(result)
        return taking, alone

    def speaks(self, side, cell) -> bool:
        if cell in self.broken:
            return False
        try:
            return self.sides[side].speaks(cell)
        except HarnessFailed as failure:
            self.broken[cell] = f"{side} {failure}"
            return False

    def time(self, taking, alone, rounds, seconds, shown) -> list[Configuration]:
        """Measures and judges, for up to `seconds` those that take turns and for `rounds` those
        that don't; whatever changed is measured afresh before it is believed. Returns the cells
        in which base differs from itself, if it is measured twice."""
        alarms = self.time_in_turns(taking, seconds, shown) if taking else []
        alarms += self.time_in_rounds(alone, rounds, shown) if alone else []
        self.drifting_counts(taking + alone)
        return alarms

    def parts(self, cell):
        """{side: Part}, each with a row of its own from when counts were looked at."""
        return {name: Part(side.harnesses[cell.strategy.name], cell,
                           self.samples.rows[name if name != "again" else "base", cell][0][1])
                for name, side in self.sides.items()}

    def time_in_turns(self, results, seconds, shown):
        parts = {result.cell: self.parts(result.cell) for result in results}
        in_turns = InTurns(parts, self.rule, pace_for(parts), self.random, self.samples.add)
        cells = in_turns.measure(results, seconds, shown)
        alarms = [cell.result.cell for cell in cells if "again" in cell.parts and not cell.broken
                  and self.differ(*cell.paired(("base", "again")))]
        in_turns.confirm(results, seconds / len(results), shown)
        self.samples.update()
        return alarms

    def differ(self, base, again):
        return bool(base) and self.rule.judge_times(base, again)[0] in rules.CHANGED

    def time_in_rounds(self, results, rounds, shown):
        first = self.measure(results, rounds, shown)
        self.judge(results, first, self.rule.judge_times)
        alarms = [result.cell for result in results if "again" in self.sides
                  and result.cell not in self.broken
                  and self.differ(*self.samples.paired(("base", "again"), result.cell, first))]
        self.rule.confirm(results, lambda changed, rule: self.judge(
            changed, self.measure(changed, rounds, shown), rule.judge_times))
        return alarms

    def counts_that_vary(self, result, side):
        """How many rounds had other counts than the first one, and what differed; (0, "")."""
        rows = [row for _, row in self.samples.rows.get((side, result.cell), [])]
        differing = [changes for row in rows
                     if (changes := rules.compare_counts(rows[0], row))]
        return len(differing), rules.count_change(differing[0])[1] if differing else ""

    def drifting_counts(self, results):
        """Counts of head that vary from round to round, where base's do not, are a regression too;
        in a single round, or on both sides, they may be the machine's, and leave a regression what
        it is. An allocator's may vary by where it happens to lie: then times alone decide."""
        for result in results:
            rounds, changes = self.counts_that_vary(result, "head")
            if rounds == 0 or result.verdict == rules.MISSING:
                continue
            result.why = "; ".join(filter(None, (result.why, f"counts vary by round: {changes}")))
            of_base = self.counts_that_vary(result, "base")[0]
            if rounds > 1 and not of_base:
                result.verdict = rules.REGRESSED
            elif result.verdict != rules.REGRESSED and not (
                    of_base and result.cell.strategy.blocks):
                result.verdict = rules.INCONCLUSIVE
