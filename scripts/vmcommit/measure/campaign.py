"""The carrying out of a plan: one sample after the other, each row in the file at once.

A configuration is sampled by a harness process of its own. What is compared with each other is a
block: within a round its configurations follow each other at once, so that a drifting machine
treats them alike. The order of blocks, and the order within each, is a new random one every round.
Small blocks take part in many rounds, gigabytes in few.
"""

import contextlib
import random
import time

from vmcommit.base.cells import Configuration
from vmcommit.base.files import RowFile
from vmcommit.base.problems import Problem
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import GIB, KIB, MIB
from vmcommit.measure.harness import HarnessFailed, row_of_failure

SETTLED_FROM = 16 * MIB


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
    """`harnesses`: {name: whatever takes a configuration and gives a row}. `failed` tells which
    configurations' harnesses died, and how: these are not tried again."""

    def __init__(self, harnesses, plan, seed, path):
        self.harnesses = harnesses
        self.plan = plan
        self.random = random.Random(seed)
        self.first_rows = first_rows(harnesses.values())
        self.samples = RowFile(path, next(iter(self.first_rows.values())))
        self.failed = {}

    def measure(self, configuration, position):
        if configuration in self.failed:
            return
        try:
            row = self.harnesses[configuration.strategy.name].take(configuration)
        except HarnessFailed as failure:
            self.failed[configuration] = str(failure)
            row = row_of_failure(configuration, self.first_rows[configuration.strategy], failure)
        if row["total_ns"]:
            self.plan.times[configuration][self.plan.rounds] = float(row["total_ns"])
        self.samples.add(row | {"round": self.plan.rounds, "position": position})

    def settle(self, configuration):
        """One discarded sample of upfront, before a block of tens of megabytes: after a pause the
        first one finds memory that a host took back and gave again in small pieces."""
        upfront = self.harnesses[UPFRONT]
        if SETTLED_FROM <= configuration.size < GIB:
            with contextlib.suppress(HarnessFailed):
                upfront.take(Configuration(upfront.strategy, configuration.size,
                                           configuration.touch))

    def shuffled(self, blocks):
        """Blocks in random order, and each in a random order of its own."""
        order = list(blocks)
        self.random.shuffle(order)
        return [configuration for block in order
                for configuration in self.random.sample(blocks[block], len(blocks[block]))]

    def run(self, progress):
        """Rounds until the plan is done; progress(seconds done, seconds left, round,
        configuration) is called before each sample."""
        while blocks := self.plan.next_round():
            configurations = self.shuffled(blocks)
            left = self.plan.seconds_left(self.plan.targets())
            begun = time.monotonic()
            seconds = dict.fromkeys((configuration.group for configuration in configurations), 0.0)
            last = None
            for position, configuration in enumerate(configurations, 1):
                started = time.monotonic()
                done = started - begun
                if configuration.block != last:
                    last = configuration.block
                    self.settle(configuration)
                progress(self.plan.spent + done, left - done, self.plan.rounds, configuration)
                self.measure(configuration, position)
                seconds[configuration.group] += time.monotonic() - started
            self.plan.took(seconds)
