"""The carrying out of a plan: one set after the other, each of its rows in the file at once.

What is compared with each other is a block; a set has the block's base and those of its
configurations that are not known well enough. The block's next set is its next round.
"""

import math
import random
import time

from vmcommit.base.cells import Configuration
from vmcommit.base.columns import CYCLE_NS, TURNS
from vmcommit.base.files import RowFile, write_rows
from vmcommit.base.problems import Problem
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import KIB
from vmcommit.measure.estimate import Estimates, with_time
from vmcommit.measure.harness import HarnessFailed, row_of_failure
from vmcommit.measure.sets import Part, Set, Taken, pace_of


def first_rows(harnesses):
    """One small sample of each harness, unrecorded: shows that all of them work here, and what a
    row looks like. {strategy: row}. Raises Problem."""
    rows = {}
    for harness in harnesses:
        try:
            rows[harness.strategy] = harness.take(Configuration(harness.strategy, 64 * KIB))
        except HarnessFailed as failure:
            raise Problem(f"the harness {harness.strategy} {failure}; nothing was measured") \
                from None
    return rows


class Campaign:
    """`harnesses`: {name: Harness}. `failed`: {configuration: how its harness died}, to which it
    adds."""

    def __init__(self, harnesses, plan, seed, path, failed):
        self.harnesses = harnesses
        self.plan = plan
        self.random = random.Random(seed)
        self.first_rows = first_rows(harnesses.values())
        columns = [*next(iter(self.first_rows.values())), *TURNS]
        self.samples = RowFile(path, columns)
        self.rows = []  # (configuration, its block's set, row)
        self.rounds = {}  # {(size, touch, order): sets}; what shares a number took turns
        self.estimates = {block: Estimates() for block in plan.blocks}
        self.failed = failed
        try:
            self.pace = pace_of(harnesses[UPFRONT])
        except HarnessFailed as failure:
            raise Problem(f"the harness {UPFRONT} {failure}; nothing was measured") from None

    @property
    def guard(self):
        """The kind of guard page that this machine has by default; None where nothing guards."""
        return next(filter(None, (row["guard"] for row in self.first_rows.values())), None)

    def part(self, configuration):
        return Part(self.harnesses[configuration.strategy.name], configuration,
                    self.first_rows[configuration.strategy])

    def take_set(self, block, members):
        """{configuration: Taken}."""
        round_number = self.plan.sets[block] + 1
        alone = [each for each in members if each.alone or each.strategy.blocks]
        parts = {each: self.part(each) for each in members if each not in alone}
        taken = Set(parts, self.pace, self.plan.rounds + 1, round_number,
                    self.random).take() if parts else {}
        for configuration in alone:
            taken[configuration] = self.take_alone(configuration)
        return taken

    def take_alone(self, configuration):
        """By a process of its own."""
        part = self.part(configuration)
        set_number = {"set": self.plan.rounds + 1}
        try:
            return Taken(part.harness.take(configuration) | set_number)
        except HarnessFailed as failure:
            return Taken(row_of_failure(configuration, part.like, failure) | set_number,
                         failure=str(failure))

    def tell(self, block):
        """The plan what sets say of a block's times."""
        for configuration in self.plan.blocks[block]:
            if times := self.estimates[block].of(configuration):
                self.plan.logs[configuration] = {number: math.log(ns)
                                                 for number, ns in times.items()}

    def settle(self, block):
        """Whether a block is known is told by what was typical some sets ago; the last word is by
        all sets together."""
        if not self.plan.open_in(block):
            self.estimates[block].update()
            self.tell(block)
            self.plan.look_again(block)

    def keep(self, block, members, taken):
        """Adds a set's rows, and what it says of times to the plan."""
        estimates = self.estimates[block]
        estimates.add({each: taken[each].turns for each in members if taken[each].turns})
        self.tell(block)
        number = len(estimates.sets) - 1
        round_number = self.rounds[block[:3]] = self.rounds.get(block[:3], 0) + 1
        for position, configuration in enumerate(members, 1):
            taken[configuration].row |= {"round": round_number, "position": position}
            self.keep_row(configuration, number, taken[configuration])

    def keep_row(self, configuration, number, taken):
        row = taken.row
        if taken.failure:
            self.failed[configuration] = taken.failure
        if turns := taken.turns:
            row |= turns.columns()
        elif row["total_ns"]:
            self.plan.logs[configuration][number] = math.log(float(
                row[CYCLE_NS[configuration.manner.threads > 1]]))
        else:
            self.plan.gone.add(configuration)
        self.rows.append((configuration, number, row))
        self.samples.add(self.timed(configuration, number, row))

    def timed(self, configuration, number, row):
        """The row with what its set says of a cycle's time, as it is known now."""
        return with_time(row, self.estimates[configuration.block].of(configuration).get(number))

    def run(self, progress):
        """Sets until the plan is done; progress(seconds done, seconds left, set, configuration) is
        called before each. The rows' estimates are then written anew, as all sets together have
        them."""
        try:
            while due := self.plan.next_set():
                block, members = due
                progress(self.plan.spent, self.plan.seconds_left(), self.plan.rounds + 1,
                         members[-1])
                started = time.monotonic()
                taken = self.take_set(block, members)
                self.keep(block, members, taken)
                self.plan.took(block, members, time.monotonic() - started)
                self.settle(block)
        finally:
            self.finish()

    def finish(self):
        self.samples.close()
        if not self.rows:
            return
        for estimates in self.estimates.values():
            estimates.update()
        write_rows(self.samples.path, self.samples.columns,
                   [self.timed(*each) for each in self.rows])
