"""How many rounds each group of configurations gets, and which ones take part in the next round."""

import math
import statistics

from vmcommit.base.conventions import ALL_TOUCHED, HALF_TOUCHED, NARROW
from vmcommit.base.statistics import half_width, median_interval, shared
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import GIB

USUAL_SPREAD = 0.03  # of a ratio, as a logarithm
# Rounds by which sign tests can tell four strategies apart at 99.9 %, at one size and at seven.
ADVISABLE, TELLING = 14, 17


def rounds_min(profile, group):
    """What the question needs that a group answers; one or two rounds where counts alone, which are
    exact, or mere size matter."""
    size, touch, order, sweep = group
    if size >= GIB:
        return 2 if size == GIB and order == "sequential" else 1
    if order != "sequential":
        return ADVISABLE if order == "random" else 2
    if touch == HALF_TOUCHED:
        return 2
    if sweep:
        return ADVISABLE if size == profile.sweep_size else 6
    if touch != ALL_TOUCHED:
        return TELLING
    return profile.rounds_min * (2 if size < profile.sweep_size else 1)


def weight(profile, group):
    """How much a group's variance matters: first of all the strategies against each other with all
    touched, then their steps, and with a part touched; the rest is there for its counts, and
    gigabytes for their size."""
    size, touch, order, sweep = group
    if order != "sequential" or size >= GIB or touch == HALF_TOUCHED:
        return 0.01
    if sweep:
        return 1 if size == profile.sweep_size and touch == ALL_TOUCHED else 0.1
    return 100 if touch == ALL_TOUCHED else 1


class Plan:
    """How many rounds each group gets within the profile's time and bounds. A group goes on until
    its ratios are known within NARROW, or its share of the time is spent.

    Rounds n of a group with m configurations of weight w and variance s² that costs c seconds a
    round are as sqrt(w m s² / c): that makes the sum of w m s² / n, the weighted variances of the
    medians, least for the time there is.
    Costs and variances are what the samples showed, so the plan is made anew before each round.
    """

    def __init__(self, profile, configurations):
        self.profile = profile
        self.groups = {}
        for configuration in configurations:
            self.groups.setdefault(configuration.group, []).append(configuration)
        self.bases = {configuration.block: configuration for configuration in configurations
                      if configuration.strategy.name == UPFRONT}
        self.costs = {group: [] for group in self.groups}
        self.times = {configuration: {} for configuration in configurations}  # total_ns by round
        # As if all had rounds enough to claim something in the end, which time may allow.
        self.confidence = shared(len(configurations) - len(self.bases))
        self.known = {group: {} for group in self.groups}  # {rounds: settled}
        self.spreads = {group: {} for group in self.groups}  # {rounds: spread}
        self.rounds = 0
        self.spent = 0.0

    def cost(self, group):
        """Seconds of one round. The first one also pays for memory that the machine has to find."""
        costs = self.costs[group]
        if not costs:
            size, touch, *_ = group
            return len(self.groups[group]) * (0.01 + 12e-6 * size / 4096 * float(touch))
        return statistics.median(costs[1:] or costs)

    def targets(self):
        left = self.profile.seconds - self.spent
        low, high = 0.0, 1000.0
        for _ in range(40):
            scale = (low + high) / 2
            if self.seconds_left(self._scaled(scale)) > left:
                high = scale
            else:
                low = scale
        return self._scaled(low)

    def _scaled(self, scale):
        return {group: len(self.costs[group]) if self.settled(group) else
                min(self.profile.rounds_max, max(rounds_min(self.profile, group), int(
                    scale * self.spread(group) * math.sqrt(
                        weight(self.profile, group) * len(members) / self.cost(group)))))
                for group, members in self.groups.items()}

    def logs(self, configuration):
        """Logarithms of its ratios to upfront, paired by round; none if it was refused."""
        base = self.times.get(self.bases.get(configuration.block), {})
        times = self.times[configuration]
        return [math.log(times[round_number] / base[round_number])
                for round_number in times.keys() & base.keys()]

    def compared(self, group):
        """What a group compares with upfront."""
        return [configuration for configuration in self.groups[group]
                if configuration.strategy.name != UPFRONT]

    def spread(self, group):
        """The widest spread of ratios in a group, as a standard deviation from the quartiles; the
        first rounds are taken together with as many of a usual one."""
        rounds = len(self.costs[group])
        if rounds not in self.spreads[group]:
            quartiles = [statistics.quantiles(logs, n=4) for configuration in self.compared(group)
                         if len(logs := self.logs(configuration)) > 2]
            widest = max(((high - low) / 1.349 for low, _, high in quartiles), default=USUAL_SPREAD)
            self.spreads[group] = {rounds: math.sqrt(
                (ADVISABLE * USUAL_SPREAD ** 2 + rounds * widest ** 2) / (ADVISABLE + rounds))}
        return self.spreads[group][rounds]

    def settled(self, group):
        """Whether all ratios to upfront in a group are known within NARROW, by intervals that hold
        for all cells together: then more rounds would tell nothing more."""
        rounds = len(self.costs[group])
        if rounds not in self.known[group]:
            self.known[group] = {rounds: rounds >= rounds_min(self.profile, group)
                                 and all(map(self.narrow, self.compared(group)))}
        return self.known[group][rounds]

    def narrow(self, configuration):
        """A configuration that was refused, or can't be measured, has nothing to narrow."""
        logs = self.logs(configuration)
        if not logs:
            return True
        *interval, coverage = median_interval(logs, self.confidence)
        return coverage >= self.confidence and half_width(*interval) <= NARROW

    def seconds_left(self, targets):
        return sum(max(0, targets[group] - len(self.costs[group])) * self.cost(group)
                   for group in self.groups)

    def due(self, group, targets, length):
        """Whether a group takes part in this round, out of `length`. What matters most comes at
        once and without long pauses, in which a host would take its memory back, but for the
        rounds that it shares with its sweep; sweeps come last; the rest is spread over the run."""
        *block, sweep = group
        done, target = len(self.costs[group]), targets[group]
        if weight(self.profile, group) < 1:
            return done < self.rounds * target / length
        if sweep:
            return length - self.rounds < target - done
        sweeping = (*block, True)
        shared = targets[sweeping] - len(self.costs[sweeping]) if sweeping in targets else 0
        return done + shared < target

    def next_round(self):
        """The configurations of the next round, {block: them}; none when all is done. A sweep comes
        with the rest of its block, to have something that it is compared with."""
        targets = self.targets()
        left = max(target - len(self.costs[group]) for group, target in targets.items())
        length = max(self.rounds + left, *targets.values())
        while left > 0 and self.rounds < length:
            self.rounds += 1
            due = {group for group in targets if self.due(group, targets, length)}
            due |= {(*block, False) for *block, sweep in due if sweep}
            if due:
                blocks = {}
                for group in filter(due.__contains__, self.groups):
                    blocks.setdefault(group[:-1], []).extend(self.groups[group])
                return blocks
        return {}

    def took(self, seconds_by_group):
        for group, seconds in seconds_by_group.items():
            self.costs[group].append(seconds)
            self.spent += seconds
