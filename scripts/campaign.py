"""What one `make bench` measures, in which order, and the measuring itself.

A configuration is sampled by a harness process of its own. What is compared with each other is a
block: within a round its configurations follow each other at once, so that a drifting machine
treats them alike. The order of blocks, and the order within each, is a new random one every round.
Small blocks take part in many rounds, gigabytes in few.
"""

import contextlib
import csv
import dataclasses
import errno
import fractions
import io
import math
import os
import random
import signal
import statistics
import subprocess
import time

import summary
from summary import OWN, STRATEGIES

KIB, MIB, GIB = 2**10, 2**20, 2**30
STEPPED = ("chunked", "guard", *OWN)  # those that commit by a step
DEFAULT_STEP = 64 * KIB


def powers(first, last, factor):
    while first <= last:
        yield first
        first *= factor


@dataclasses.dataclass(frozen=True)
class Profile:
    """`seconds` is for the samples; drawing and the rest come on top."""

    seconds: float
    sizes: tuple
    sweep_size: int
    sweep_steps: tuple
    trace_sizes: tuple
    limit_size: int  # where random page-at-a-time commit meets the limit on mappings; 0: left out
    rounds_min: int  # of strategies against each other, all touched; below the sweep's size, twice
    rounds_max: int


PROFILES = {
    "quick": Profile(15, (*powers(4 * KIB, 16 * MIB, 16), 64 * MIB), 16 * MIB,
                     tuple(powers(4 * KIB, 4 * MIB, 4)), (16 * MIB,), 0, 8, 20),
    "default": Profile(180, tuple(powers(4 * KIB, 4 * GIB, 4)), 64 * MIB,
                       tuple(powers(4 * KIB, 16 * MIB, 2)), (64 * MIB, GIB), GIB, 22, 120),
    "full": Profile(1150, tuple(powers(4 * KIB, 16 * GIB, 2)), 64 * MIB,
                    tuple(powers(4 * KIB, 64 * MIB, 2)), (64 * MIB, GIB), GIB, 40, 200),
}
ORDERS = ("reverse", "random", "alternate")  # beside the sequential one
SPARSE_TOUCH = "0.1"
HALF_TOUCH = "0.5"
SPARSE_FROM = 1 * MIB
SETTLED_FROM = 16 * MIB
USUAL_SPREAD = 0.03  # of a ratio, as a logarithm
# Rounds by which sign tests can tell four strategies apart at 99.9 %, at one size and at seven.
ADVISABLE, TELLING = 14, 17


@dataclasses.dataclass(frozen=True)
class Configuration:
    strategy: str
    size: int
    touch: str
    chunk: int = DEFAULT_STEP
    order: str = "sequential"

    @property
    def block(self):
        """What is compared with each other, and so sampled together within a round."""
        return (self.size, self.touch, self.order)

    @property
    def group(self):
        """What takes part in the same rounds: a block, its sweep of steps apart."""
        return (*self.block, self.strategy in STEPPED and self.chunk != DEFAULT_STEP)

    def arguments(self):
        order = [] if self.order == "sequential" else ["--order", self.order]
        return ["--size", str(self.size), "--touch", self.touch, "--chunk", str(self.chunk),
                *order, "--repeat", "1"]

    def time_limit(self):
        """Seconds; generous, so that only a harness that hangs meets it."""
        return 60 + 120 * self.size / GIB

    def __str__(self):
        step = f", step {size_text(self.chunk)}" if self.strategy in STEPPED else ""
        touch = "" if self.touch == "1" else f", touch {self.touch}"
        order = "" if self.order == "sequential" else f", {self.order}"
        return f"{self.strategy} {size_text(self.size)}{touch}{step}{order}"


def size_text(size):
    """Bytes as people write them: 64 KiB, 1.5 MiB."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} B"


def configurations(profile, available, strategies=STRATEGIES):
    """All of a profile's, up to half of the available memory."""
    stepped = [strategy for strategy in strategies if strategy in STEPPED]
    chosen = {}  # a dict keeps the order and drops what comes twice
    for size in profile.sizes:
        if size > available / 2:
            continue
        for touch in ("1", SPARSE_TOUCH)[:1 + (size >= SPARSE_FROM)]:
            for strategy in strategies:
                chosen[Configuration(strategy, size, touch)] = True
    for touch in ("1", HALF_TOUCH, SPARSE_TOUCH):
        for strategy in strategies:
            for step in profile.sweep_steps if strategy in STEPPED else (DEFAULT_STEP,):
                chosen[Configuration(strategy, profile.sweep_size, touch, step)] = True
    for size in profile.sizes:
        if DEFAULT_STEP <= size < profile.sweep_size:
            for strategy in stepped:
                for step in powers(4 * KIB, size, 4):
                    chosen[Configuration(strategy, size, "1", step)] = True
    for order in ORDERS:
        for strategy in strategies:
            chosen[Configuration(strategy, profile.sweep_size, "1", order=order)] = True
    if 0 < profile.limit_size <= available / 2:
        chosen[Configuration("fault", profile.limit_size, "1", order="random")] = True
    return list(chosen)


def rounds_min(profile, group):
    """What the question needs that a group answers; one or two rounds where counts alone, which are
    exact, or mere size matter."""
    size, touch, order, sweep = group
    if size >= GIB:
        return 2 if size == GIB and order == "sequential" else 1
    if order != "sequential":
        return ADVISABLE if order == "random" else 2
    if touch == HALF_TOUCH:
        return 2
    if sweep:
        return ADVISABLE if size == profile.sweep_size else 6
    if touch != "1":
        return TELLING
    return profile.rounds_min * (2 if size < profile.sweep_size else 1)


def weight(profile, group):
    """How much a group's variance matters: first of all the strategies against each other with all
    touched, then their steps, and with a part touched; the rest is there for its counts, and
    gigabytes for their size."""
    size, touch, order, sweep = group
    if order != "sequential" or size >= GIB or touch == HALF_TOUCH:
        return 0.01
    if sweep:
        return 1 if size == profile.sweep_size and touch == "1" else 0.1
    return 100 if touch == "1" else 1


class Plan:
    """How many rounds each group gets within the profile's time and bounds. A group goes on until
    its ratios are known within 3 %, or its share of the time is spent.

    Rounds n of a group with m configurations of weight w and variance s² that costs c seconds a
    round are as sqrt(w m s² / c): that makes the sum of w m s² / n, the weighted variances of the
    medians, least for the time there is.
    Costs and variances are what the samples showed, so the plan is made anew before each round.
    """

    def __init__(self, profile, chosen):
        self.profile = profile
        self.groups = {}
        for configuration in chosen:
            self.groups.setdefault(configuration.group, []).append(configuration)
        self.costs = {group: [] for group in self.groups}
        self.times = {configuration: {} for configuration in chosen}  # total_ns by round
        # As if all had rounds enough to claim something in the end, which time may allow.
        self.confidence = summary.shared(sum(one.strategy != "upfront" for one in chosen))
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
                        weight(self.profile, group) * len(chosen) / self.cost(group)))))
                for group, chosen in self.groups.items()}

    def logs(self, configuration):
        """Logarithms of its ratios to upfront, paired by round; none if it was refused."""
        base = self.times.get(dataclasses.replace(configuration, strategy="upfront",
                                                  chunk=DEFAULT_STEP), {})
        own = self.times[configuration]
        return [math.log(own[round_number] / base[round_number])
                for round_number in own.keys() & base.keys()]

    def spread(self, group):
        """The widest spread of ratios in a group, as a standard deviation from the quartiles; the
        first rounds are taken together with as many of a usual one."""
        rounds = len(self.costs[group])
        if rounds not in self.spreads[group]:
            quartiles = [statistics.quantiles(logs, n=4) for one in self.groups[group]
                         if one.strategy != "upfront" and len(logs := self.logs(one)) > 2]
            widest = max(((high - low) / 1.349 for low, _, high in quartiles), default=USUAL_SPREAD)
            self.spreads[group] = {rounds: math.sqrt(
                (ADVISABLE * USUAL_SPREAD ** 2 + rounds * widest ** 2) / (ADVISABLE + rounds))}
        return self.spreads[group][rounds]

    def settled(self, group):
        """Whether all ratios to upfront in a group are known within 3 %, by intervals that hold for
        all cells together: then more rounds would tell nothing more."""
        rounds = len(self.costs[group])
        if rounds not in self.known[group]:
            self.known[group] = {rounds: rounds >= rounds_min(self.profile, group) and all(
                self.narrow(one) for one in self.groups[group] if one.strategy != "upfront")}
        return self.known[group][rounds]

    def narrow(self, configuration):
        """A configuration that was refused, or can't be measured, has nothing to narrow."""
        logs = self.logs(configuration)
        if not logs:
            return True
        *interval, coverage = summary.median_interval(logs, self.confidence)
        return coverage >= self.confidence and summary.half_width(*interval) <= summary.NARROW

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


class HarnessFailed(Exception):
    """A harness that gave no row; the text says what happened to it."""


def take(program, configuration, *more):
    """Runs one harness process and returns its row, {column: text}; `more` are further options."""
    command = [*program, *configuration.arguments(), *more]
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=configuration.time_limit())
    except subprocess.TimeoutExpired as late:
        raise HarnessFailed(f"gave no row within {late.timeout:.0f} s and was ended") from None
    except OSError as error:
        raise HarnessFailed(f"did not start: {error.strerror}") from None
    if done.returncode < 0:
        raise HarnessFailed(f"was ended by {signal.Signals(-done.returncode).name}")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    if done.returncode != 0 or len(rows) != 1:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise HarnessFailed(f"ended with status {done.returncode}: {said[-1]}")
    return rows[0]


def row_of_failure(configuration, like, why):
    """A harness that died leaves a row too, so that nobody takes its absence for success. `like` is
    a row of the same harness, for what does not depend on the configuration."""
    page = int(like["page_bytes"])
    pages = math.ceil(fractions.Fraction(configuration.touch) * configuration.size / page)
    chunk = {"upfront": configuration.size, "fault": page}.get(configuration.strategy,
                                                               configuration.chunk)
    same = {column: like[column] for column in ("platform", "pages", "page_bytes", "guard")}
    return dict.fromkeys(like, "") | same | {
        "strategy": configuration.strategy, "size_bytes": configuration.size,
        "chunk_bytes": chunk, "touched_bytes": pages * page,
        "touch_order": configuration.order, "status": "skipped",
        "error": f"the harness {why}"}


def first_rows(programs):
    """One small sample of each harness, unrecorded: shows that all of them work here, and what a
    row looks like. {strategy: row}"""
    return {strategy: take(program, Configuration(strategy, 64 * KIB, "1"))
            for strategy, program in programs.items()}


class Samples:
    """samples.csv: each row is in the file as soon as it is measured, whole or not at all."""

    def __init__(self, path, columns):
        self.path = path
        self.columns = list(columns)
        self.file = open(path, "wb", buffering=0)
        self._write(dict(zip(self.columns, self.columns)))

    def add(self, row, round_number, position):
        self._write(row | {"round": round_number, "position": position})

    def _write(self, row):
        line = io.StringIO()
        csv.DictWriter(line, self.columns).writerow(row)
        encoded = line.getvalue().encode()
        end = self.file.tell()
        try:
            if self.file.write(encoded) < len(encoded):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self.file.truncate(end)
            error.filename = str(self.path)
            raise


class Campaign:
    """The carrying out of a plan. `programs` maps a strategy to the start of its command; `failed`
    tells which configurations' harnesses died, and how: these are not tried again."""

    def __init__(self, programs, plan, seed, path):
        self.programs = programs
        self.plan = plan
        self.random = random.Random(seed)
        self.first_rows = first_rows(programs)
        self.samples = Samples(path, next(iter(self.first_rows.values())))
        self.failed = {}

    def measure(self, configuration, position):
        if configuration in self.failed:
            return
        try:
            row = take(self.programs[configuration.strategy], configuration)
        except HarnessFailed as failure:
            self.failed[configuration] = str(failure)
            row = row_of_failure(configuration, self.first_rows[configuration.strategy], failure)
        if row["total_ns"]:
            self.plan.times[configuration][self.plan.rounds] = float(row["total_ns"])
        self.samples.add(row, self.plan.rounds, position)

    def settle(self, configuration):
        """A sample of upfront that nobody sees, before a block of tens of megabytes: after a pause
        the first one finds memory that a host took back and gave again in small pieces."""
        if SETTLED_FROM <= configuration.size < GIB:
            with contextlib.suppress(HarnessFailed):
                take(self.programs["upfront"],
                     Configuration("upfront", configuration.size, configuration.touch))

    def shuffled(self, blocks):
        """Blocks in random order, and each in a random order of its own."""
        order = list(blocks)
        self.random.shuffle(order)
        return [one for block in order
                for one in self.random.sample(blocks[block], len(blocks[block]))]

    def run(self, progress):
        """Rounds until the plan is done; progress(seconds done, seconds left, round,
        configuration) is called before each sample."""
        while blocks := self.plan.next_round():
            chosen = self.shuffled(blocks)
            left = self.plan.seconds_left(self.plan.targets())
            begun = time.monotonic()
            seconds = dict.fromkeys((configuration.group for configuration in chosen), 0.0)
            last = None
            for position, configuration in enumerate(chosen, 1):
                started = time.monotonic()
                done = started - begun
                if configuration.block != last:
                    last = configuration.block
                    self.settle(configuration)
                progress(self.plan.spent + done, left - done, self.plan.rounds, configuration)
                self.measure(configuration, position)
                seconds[configuration.group] += time.monotonic() - started
            self.plan.took(seconds)
