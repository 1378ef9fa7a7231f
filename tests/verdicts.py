#!/usr/bin/env python3
"""How often `vmcommit compare` errs, and how much it finds, on made-up sets whose truth is known
and that take no time: a table of docs/ci.md. What decides is the real thing, from the order of the
sets to the confirmation; only the sets and the clock are made up.
Run by hand: scripts/python.sh tests/verdicts.py

Twenty cells, of sets that take 33 to 111 ms and vary by 0.7 to 1.5 times the spread that is given;
one in thirty-three varies six times as much.
"""

import math
import pathlib
import random
import sys
import types
from unittest import mock

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))

from vmcommit.commands.compare import CELL_SECONDS  # noqa: E402
from vmcommit.gate import in_turns, rules  # noqa: E402
from vmcommit.gate.chosen import SIDES  # noqa: E402

CELLS = 20
SET_SECONDS = (0.033, 0.059, 0.085, 0.111)
RARE, WILD = 0.03, 6
# (comparisons, cells that are slower, by how much, threshold, spread of a set)
TRIALS = (*((100, 0, 0.0, threshold, 0.03) for threshold in (0.001, 0.005, 0.02)),
          *((10, slow, by, by / 2, spread) for spread in (0.02, 0.03) for slow in (4, 15)
            for by in (0.02, 0.04)))


class MadeUp:
    """As estimate.Estimates has them, without turns."""

    def __init__(self):
        self.sets = []

    def of(self, side):
        return {number: times[side] for number, times in enumerate(self.sets)}

    def update(self):
        """There is nothing to be worked out anew."""


class Machine:
    """Sets and a clock. `truth`, `spreads`: of each cell, as logarithms."""

    def __init__(self, seed, slow, by, spread):
        self.now = 0.0
        self.drawn = numpy.random.default_rng(seed)
        self.truth = [math.log1p(by) if cell < slow else 0.0 for cell in range(CELLS)]
        self.spreads = spread * self.drawn.uniform(0.7, 1.5, CELLS)

    def monotonic(self):
        return self.now

    def take_set(self, measuring, cell):
        """In place of InTurns.take_set."""
        number = cell.result.cell
        if not cell.sets:
            cell.estimates = MadeUp()
        spread = self.spreads[number] * (WILD if self.drawn.random() < RARE else 1)
        cell.estimates.sets.append(dict(zip(SIDES, (1.0, math.exp(
            self.drawn.normal(self.truth[number], spread))))))
        seconds = SET_SECONDS[number % len(SET_SECONDS)]
        self.now += seconds
        cell.seconds += seconds
        measuring.judge(cell)


def compared(seed, slow, by, threshold, spread):
    """(verdicts of the first series, of both, seconds)."""
    machine = Machine(seed, slow, by, spread)
    results = [rules.Result(cell, rules.INCONCLUSIVE) for cell in range(CELLS)]
    with mock.patch.object(in_turns, "time", machine), \
            mock.patch.object(in_turns.Cell, "plain", lambda *_: ([1.0], [1.0])), \
            mock.patch.object(in_turns.InTurns, "take_set",
                              lambda measuring, cell: machine.take_set(measuring, cell)):
        measuring = in_turns.InTurns(dict.fromkeys(range(CELLS), {}), rules.Rule(CELLS, threshold),
                                     types.SimpleNamespace(), random.Random(seed), None)
        measuring.measure(results, CELL_SECONDS * CELLS, lambda *_: None)
        first = [result.verdict for result in results]
        measuring.confirm(results, CELL_SECONDS, lambda *_: None)
    return first, [result.verdict for result in results], machine.now


def main():
    print("slower     threshold  spread  found          called at first  and again  open   seconds")
    for comparisons, slow, by, threshold, spread in TRIALS:
        taken = [compared(seed, slow, by, threshold, spread) for seed in range(comparisons)]
        lasts = [verdict for _, last, _ in taken for verdict in last[slow:]]
        found = sum(verdict == rules.REGRESSED for _, last, _ in taken for verdict in last[:slow])
        at_first = sum(any(verdict in rules.CHANGED for verdict in first[slow:])
                       for first, *_ in taken)
        again = sum(any(verdict in rules.CHANGED for verdict in last[slow:])
                    for _, last, _ in taken)
        print(f"{slow:2d} by {100 * by:g} %  {100 * threshold:5.2g} %  {100 * spread:5.2g} %  "
              f"{found:4d} of {slow * comparisons:<4d}  {at_first:3d} of {comparisons:<4d}      "
              f"{again:3d}      {lasts.count(rules.INCONCLUSIVE) / len(lasts):5.1%} "
              f"{numpy.median([seconds for *_, seconds in taken]):5.0f}", flush=True)


if __name__ == "__main__":
    main()
