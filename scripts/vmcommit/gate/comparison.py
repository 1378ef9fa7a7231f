"""Two sides measured against each other: counts first, then times by rounds of pairs."""

import random
import statistics
import time

from vmcommit.base.files import RowFile
from vmcommit.gate import rules
from vmcommit.measure.harness import HarnessFailed

CONFIRMATIONS = 3  # samples in which counts must differ
SIDES = ("base", "head")


class Samples:
    """samples.csv with `side` and the columns of the first row; {(side, cell): rows} in memory."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.path = path
        self.rows = {}
        self.file = None

    def add(self, side, cell, round_number, row):
        if self.file is None:
            self.file = RowFile(self.path, ["side", "cell", *row])
        self.rows.setdefault((side, cell), []).append((round_number, row))
        self.file.add(row | {"side": side, "cell": cell.name, "round": round_number})

    def paired(self, sides, cell, first_round):
        """Times of two sides in the rounds from first_round on that have both."""
        by_side = [{number: float(row["total_ns"]) for number, row in self.rows.get(
            (side, cell), []) if row["total_ns"] and number >= first_round} for side in sides]
        common = sorted(by_side[0].keys() & by_side[1].keys())
        return [[times[number] for number in common] for times in by_side]

    def of(self, side):
        return [(cell, row) for (where, cell), rows in self.rows.items() if where == side
                for _, row in rows]


class Stored:
    """A side that was measured earlier: gives its rows by round."""

    def __init__(self, rows):
        self.rows = rows

    def take(self, cell, round_number):
        rows = self.rows[cell.name]
        return rows[round_number] if round_number < len(rows) else None


class Built:
    """A side that is measured now, by its harnesses, {name: Harness}."""

    def __init__(self, harnesses):
        self.harnesses = harnesses

    def take(self, cell, _round_number):
        if cell.strategy.name not in self.harnesses:
            raise HarnessFailed("has no such harness")
        return self.harnesses[cell.strategy.name].take(cell)


class Comparison:
    def __init__(self, sides, samples, seed):
        self.sides = sides  # {"base", "head", and "again", which is base once more}
        self.samples = samples
        self.random = random.Random(seed)
        self.broken = {}  # {cell: which side, and what happened}
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

    def gate_counts(self, cells):
        """One sample of each side: what differs in counts, at once and each time that it is looked
        at again. Returns the rest as well."""
        settled, rest = [], []
        self.round = 0
        for cell in cells:
            for _ in range(CONFIRMATIONS):
                base, head = self.take("base", cell), self.take("head", cell)
                changed = cell not in self.broken and (
                    rules.status_change(base, head) or
                    rules.count_change(rules.compare_counts(base, head)))
                if not changed:
                    break
            if cell in self.broken:
                settled.append(rules.Result(cell, rules.MISSING, self.broken[cell]))
                continue
            counts = {column: int(float(head[column])) for column in rules.GATED
                      if head.get(column)}
            result = rules.Result(cell, rules.INCONCLUSIVE, counts=counts)
            if changed:
                result.verdict, result.why = changed
                if base["total_ns"] and head["total_ns"]:
                    result.by_counts = changed
                settled.append(result)
            elif not base["total_ns"]:
                result.verdict, result.why = rules.SAME, f"{base['status']} on both sides"
                settled.append(result)
            else:
                rest.append(result)
        return settled, rest

    def measure(self, results, rounds, shown):
        """Rounds of pairs in changing order: base first in one round, head first in the next, so
        that two rounds make an ABBA. Returns the first round's number."""
        first = self.round + 1
        begun = time.monotonic()
        for done in range(rounds):
            self.round += 1
            order = list(results)
            self.random.shuffle(order)
            for at, result in enumerate(order):
                spent = time.monotonic() - begun
                share = (done + at / len(order)) / rounds
                left = spent / share - spent if share > 0.02 else 0.05 * rounds * len(order)
                shown(spent, left, self.round, result.cell)
                pair = [side for side in SIDES if side in self.sides]
                if (self.round + results.index(result)) % 2:
                    pair.reverse()
                if "again" in self.sides:
                    pair.insert(self.random.randrange(3), "again")
                for side in pair:
                    if result.cell not in self.broken:
                        self.take(side, result.cell)
        return first

    def judge(self, results, first, number_of_cells, rule=rules.judge_times):
        for result in results:
            if result.cell in self.broken:
                result.verdict, result.why = rules.MISSING, self.broken[result.cell]
                continue
            base, head = self.samples.paired(SIDES, result.cell, first)
            if not base:
                result.verdict, result.why = rules.INCONCLUSIVE, "no round was timed on both sides"
                continue
            result.verdict, result.ratio, result.low, result.high = rule(
                base, head, number_of_cells)
            result.base_ns, result.head_ns = statistics.median(base), statistics.median(head)
            result.rounds = len(base)

    def time(self, results, rounds, shown, number_of_cells):
        """Measures and judges; whatever regressed is measured again on fresh rounds before it is
        believed. Returns the cells in which base differs from itself, if it is measured twice."""
        first = self.measure(results, rounds, shown)
        self.judge(results, first, number_of_cells)
        alarms = self.false_alarms(results, first, number_of_cells)
        suspects = [result for result in results if result.verdict == rules.REGRESSED]
        if suspects:
            self.judge(suspects, self.measure(suspects, rounds, shown), number_of_cells)
        for result in suspects:
            if result.verdict == rules.REGRESSED:
                result.why = f"{rules.share_text(result.ratio)}, and again on fresh rounds"
            else:
                result.verdict = rules.INCONCLUSIVE
                result.why = "not confirmed on fresh rounds"
        self.drifting_counts(results)
        return alarms

    def counts_that_vary(self, result, side):
        """How many rounds had other counts than the first one, and what differed; (0, "")."""
        rows = [row for _, row in self.samples.rows.get((side, result.cell), [])]
        differing = [changes for row in rows
                     if (changes := rules.compare_counts(rows[0], row))]
        return len(differing), rules.count_change(differing[0])[1] if differing else ""

    def drifting_counts(self, results):
        """Counts of head that vary from round to round, where base's do not, are a regression too;
        in a single round, or on both sides, they may be the machine's. An allocator's may vary by
        where it happens to lie: then times alone decide."""
        for result in results:
            rounds, changes = self.counts_that_vary(result, "head")
            if rounds == 0:
                continue
            result.why = "; ".join(filter(None, (result.why, f"counts vary by round: {changes}")))
            of_base = self.counts_that_vary(result, "base")[0]
            if not result.cell.strategy.blocks or not of_base:
                result.verdict = rules.INCONCLUSIVE if rounds == 1 or of_base else rules.REGRESSED

    def false_alarms(self, results, first, number_of_cells):
        """Cells in which base differs from itself by the same rule."""
        return [result.cell for result in results
                if "again" in self.sides and result.cell not in self.broken
                and rules.judge_times(*self.samples.paired(("base", "again"), result.cell, first),
                                     number_of_cells)[0] in (rules.REGRESSED, rules.IMPROVED)]
