"""Which block is measured next: the one that is soonest known as well as it needs to be, until
nothing that a sentence rests on is open or the time is spent."""

import math
import statistics

from vmcommit.base.cells import PLAIN
from vmcommit.base.conventions import ALL_TOUCHED, COUNTED_ROUNDS, HALF_TOUCHED
from vmcommit.base.statistics import FEW, half_width, pool_of, pooled_spread, set_interval, shared
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import GIB, MIB
from vmcommit.measure.environment import CPUS

USUAL_SET_SECONDS = 0.05
USUAL_PAGE_SECONDS = 3e-6
PRICED = 64 * MIB  # touched, from which a set's seconds are those of its pages
LEAST, LARGE = 6, FEW  # sets where times matter, and of gigabytes
HEADLINE_SETS = 3  # of the headline's block, on a machine however slow
IN_ORDER = ("sequential",)  # a block whose strategies do nothing but what they always do
CHEAP = 0.01  # of the time, which a block that is open has before gigabytes
LACKING = 9.0  # how many times too wide an interval counts for that is not there yet


def crowded(configuration) -> bool:
    """Whether it has more threads than there are CPUs: its times are the scheduler's."""
    return configuration.manner.threads > max(1, len(CPUS))


def need(profile, configuration):
    """The half-width that a configuration's ratio to upfront is to be known within; None where only
    its counts matter."""
    if configuration.alone or crowded(configuration):
        return None
    if configuration.question:
        plain_upfront = configuration.strategy.name == UPFRONT and configuration.manner == PLAIN
        return None if plain_upfront or configuration.order != "sequential" else profile.question
    if configuration.strategy.name == UPFRONT or configuration.touch == HALF_TOUCHED:
        return None
    if configuration.order != "sequential":
        return profile.coarse if configuration.order == "random" and configuration.size < GIB \
            else None
    swept = configuration.swept
    if configuration.size >= GIB:
        return profile.coarse if swept or configuration.touch != ALL_TOUCHED else profile.large
    if configuration.touch != ALL_TOUCHED:
        return profile.coarse if swept else profile.large
    if swept:
        return profile.large if configuration.size == profile.sweep_size else profile.coarse
    return profile.narrow


def sets_min(profile, configuration):
    """The fewest sets that the question needs which a configuration answers."""
    if crowded(configuration):
        return COUNTED_ROUNDS
    if configuration.alone:
        return configuration.alone
    if configuration.question and configuration.order == "sequential":
        return LEAST
    if need(profile, configuration) is None:
        return COUNTED_ROUNDS
    return LARGE if configuration.size >= GIB else LEAST


def bytes_of(block):
    """That a cycle touches."""
    size, touch, *_ = block
    return size * float(touch)


def pages_of(block):
    return bytes_of(block) / 4096


def touches_gigabytes(block):
    return bytes_of(block) >= GIB


def bases_of(blocks):
    """{block: what its configurations are compared with}: upfront as it is; the first one where all
    of them give back."""
    bases = {}
    for block, members in blocks.items():
        upfront = [each for each in members
                   if each.strategy.name == UPFRONT and each.manner == PLAIN]
        if base := upfront or [each for each in members if each.manner.purge]:
            bases[block] = base[0]
    return bases


class Plan:
    """`memory`: bytes that a set may touch. A set has all of its block, for how long a cycle takes
    depends on how many others take turns with it: each leaves less of the caches to the others. At
    4 MiB fault against upfront was 7 % apart between sets of four and of ten. Of gigabytes, which
    no cache holds, it has the base and what is still open, and never more than memory allows. Costs
    and intervals are what the sets so far showed."""

    def __init__(self, profile, configurations, memory):
        self.profile = profile
        self.memory = memory
        self.blocks = {}
        for configuration in configurations:
            self.blocks.setdefault(configuration.block, []).append(configuration)
        self.bases = bases_of(self.blocks)
        self.needs = {each: need(profile, each) for each in configurations}
        self.least = {each: sets_min(profile, each) for each in configurations}
        self.logs = {each: {} for each in configurations}  # of ns of a cycle, by the block's set
        self.tries = dict.fromkeys(configurations, 0)
        self.gone = set()  # configurations that failed, or that have no time
        self.sets = dict.fromkeys(self.blocks, 0)
        self.costs = {block: [] for block in self.blocks}  # seconds a member, of each set
        self.spent_on = dict.fromkeys(self.blocks, 0.0)  # seconds
        self.confidence = shared(sum(need is not None for need in self.needs.values()))
        self.left_out = []  # blocks of gigabytes that there is no time for
        self.last = None
        self.shortages = {}

    @property
    def spent(self):
        """Seconds."""
        return sum(self.spent_on.values())

    @property
    def rounds(self):
        return sum(self.sets.values())

    def ratios(self, configuration):
        """Logarithms of its ratios to upfront, in the sets that have both."""
        base = self.logs.get(self.bases.get(configuration.block), {})
        logs = self.logs[configuration]
        return [logs[number] - base[number] for number in logs.keys() & base.keys()]

    def shortage(self, configuration, pooled):
        """How many times as wide as it may be its interval is; 0 where nothing is open."""
        if configuration in self.gone:
            return 0.0
        least = LACKING * self.lacks(configuration)
        needed = self.needs[configuration]
        if needed is None or self.bases.get(configuration.block) in self.gone:
            return least
        *interval, coverage = set_interval(self.ratios(configuration), self.confidence, pooled)
        known = coverage >= self.confidence  # which is not so without any
        return max(least, half_width(*interval) / needed if known else LACKING)

    def lacks(self, configuration) -> bool:
        """Whether it has had fewer sets than it needs at least."""
        return configuration not in self.gone and \
            self.tries[configuration] < self.least[configuration]

    def open_in(self, block):
        """{configuration: its shortage} of those that are not known well enough."""
        if block not in self.shortages:
            others = [each for each in self.blocks[block] if each != self.bases.get(block)]
            pooled = pooled_spread(
                self.ratios(each) for like, members in self.blocks.items()
                if pool_of(*like) == pool_of(*block)
                for each in members if each != self.bases.get(like) and not each.strategy.brought)
            short = {each: self.shortage(each, pooled) for each in others or self.blocks[block]}
            self.shortages[block] = {each: value for each, value in short.items() if value > 1}
        return self.shortages[block]

    def usual_cost(self, block):
        """Seconds a member, of a block's last sets."""
        return statistics.median(self.costs[block][-5:])

    @property
    def page_seconds(self):
        """As the largest sets so far took them."""
        priced = [block for block, costs in self.costs.items()
                  if costs and block[2:] == IN_ORDER and bytes_of(block) >= PRICED]
        if not priced:
            return USUAL_PAGE_SECONDS
        largest = max(priced, key=bytes_of)
        return self.usual_cost(largest) / pages_of(largest)

    def cost(self, block, members):
        """Seconds of a set, roughly."""
        return members * (self.usual_cost(block) if self.costs[block] else
                          USUAL_SET_SECONDS + self.page_seconds * pages_of(block))

    def untried(self, block):
        return [each for each in self.blocks[block]
                if not self.tries[each] and each not in self.gone]

    def first_seconds(self, block):
        """Until each of a block has been tried, roughly; the base is in each set."""
        base = self.bases.get(block)
        others = sum(each != base for each in self.untried(block))
        sets = math.ceil(others / self.room(block))
        return self.cost(block, others + sets * (base is not None)) if others else 0.0

    def room(self, block):
        """How many fit into a set beside the base."""
        return max(1, int(self.memory / bytes_of(block)) - (block in self.bases))

    def members(self, block):
        """Who takes part in the block's next set: the base first, then all others or those that are
        furthest from what they need."""
        base = self.bases.get(block)
        others = [each for each in self.blocks[block]
                  if each is not base and each not in self.gone]
        if block[0] >= GIB or len(others) > self.room(block):
            short = self.open_in(block)
            due = sorted(short, key=lambda each: (self.tries[each], -short[each]))
            due = due[:self.room(block)]
            others = [each for each in others if each in due]
        return ([base] if base and base not in self.gone else []) + others

    def next_set(self):
        """(block, configurations) of the next set; None when all is done. Each block gets one set,
        and the one that the headline rests on a few, whatever that takes; then each as many as it
        needs at least while there is time, first the headline's, then those that cost least; and
        those that cost hardly anything a few more, for an interval of few sets is wide. Gigabytes
        come last, whose sets cost as much as a hundred others, and are left out where their first
        ones take longer than is left. Then comes whatever is soonest known well enough."""
        waiting = [block for block in self.blocks if self.open_in(block)]
        smaller = [block for block in waiting if not touches_gigabytes(block)]
        for blocks in (smaller, waiting):
            affordable = self.affordable(blocks)
            due = [block for block in blocks if self.untried(block)] \
                or [block for block in affordable if any(map(self.lacks, self.blocks[block]))] \
                or [block for block in affordable if self.is_cheap(block)]
            if due and self.too_dear(block := min(due, key=self.urgency)):
                self.leave_out(block)
                return self.next_set()
            if due:
                return self.set_of(block)
        due = self.affordable(waiting)
        return self.set_of(min(due, key=self.seconds_of)) if due else None

    def is_cheap(self, block):
        """Whether its sets took hardly any of the time so far."""
        return self.spent_on[block] < CHEAP * self.profile.seconds

    @property
    def headline(self):
        return (self.profile.sweep_size, ALL_TOUCHED, *IN_ORDER)

    def too_dear(self, block):
        """Whether nothing is measured yet of gigabytes that there is no time for."""
        return touches_gigabytes(block) and not self.sets[block] \
            and self.first_seconds(block) > self.profile.seconds - self.spent

    def leave_out(self, block):
        self.left_out.append(block)
        self.gone.update(self.blocks[block])
        self.look_again(block)

    def affordable(self, blocks):
        """Those of which a set leaves enough time for the first sets of them all; the headline's
        anyway, until it could name a strategy."""
        left = self.profile.seconds - self.spent - sum(map(self.first_seconds, blocks))
        return [block for block in blocks if self.cost(block, len(self.members(block))) <= left
                or block == self.headline and self.sets[block] < HEADLINE_SETS]

    def set_of(self, block):
        return block, self.members(block)

    def urgency(self, block):
        """The least comes first. Gigabytes follow each other, while their memory is at hand."""
        again = touches_gigabytes(block) and block == self.last
        return (not (block == self.headline and self.sets[block]), not again,
                self.cost(block, len(self.members(block))))

    def took(self, block, members, seconds):
        self.sets[block] += 1
        self.last = block
        self.spent_on[block] += seconds
        self.costs[block].append(seconds / max(len(members), 1))
        for configuration in members:
            self.tries[configuration] += 1
        self.look_again(block)

    def look_again(self, block):
        """What is open in a block, and in those whose spread is pooled with its."""
        self.shortages = {other: short for other, short in self.shortages.items()
                          if pool_of(*other) != pool_of(*block)}

    def seconds_of(self, block):
        """Until all of a block is known, roughly; an interval is as wide as 1 / sqrt(sets)."""
        short = self.open_in(block)
        if not short:
            return 0.0
        sets = max(self.sets[block], 1) * (max(short.values()) ** 2 - 1)
        return math.ceil(sets) * self.cost(block, len(self.members(block)))

    def seconds_left(self):
        """Until all is known, or the time is spent."""
        return min(sum(map(self.seconds_of, self.blocks)),
                   max(self.profile.seconds - self.spent, 0.0))
