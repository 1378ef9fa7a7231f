"""What one `make bench` measures, in which order, and the measuring itself.

A configuration is sampled by a harness process of its own. Every round takes its configurations in
a new random order. Groups of configurations that are compared with each other take part in the same
rounds: small ones in many, gigabytes in few.
"""

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

KIB, MIB, GIB = 2**10, 2**20, 2**30
STRATEGIES = ("upfront", "fault", "chunked", "guard")
STEPPED = ("chunked", "guard")
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
    rounds_max: int


PROFILES = {
    "quick": Profile(15, tuple(powers(4 * KIB, 256 * MIB, 16)), 16 * MIB,
                     tuple(powers(4 * KIB, 4 * MIB, 4)), (16 * MIB,), 0, 12),
    "default": Profile(165, tuple(powers(4 * KIB, 4 * GIB, 4)), 64 * MIB,
                       tuple(powers(4 * KIB, 16 * MIB, 2)), (64 * MIB, GIB), GIB, 60),
    "full": Profile(1150, tuple(powers(4 * KIB, 16 * GIB, 2)), 64 * MIB,
                    tuple(powers(4 * KIB, 64 * MIB, 2)), (64 * MIB, GIB), GIB, 200),
}
ORDERS = ("reverse", "random", "alternate")  # beside the sequential one
SPARSE_TOUCH = "0.1"
SPARSE_FROM = 1 * MIB


@dataclasses.dataclass(frozen=True)
class Configuration:
    strategy: str
    size: int
    touch: str
    chunk: int = DEFAULT_STEP
    order: str = "sequential"

    @property
    def group(self):
        """What is compared with each other, within a round."""
        return (self.size, self.touch, self.order)

    def arguments(self):
        return ["--size", str(self.size), "--touch", self.touch, "--chunk", str(self.chunk),
                "--order", self.order, "--repeat", "1"]

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


def configurations(profile, available):
    """All of a profile's, up to half of the available memory."""
    chosen = {}  # a dict keeps the order and drops what comes twice
    for size in profile.sizes:
        if size > available / 2:
            continue
        for touch in ("1", SPARSE_TOUCH)[:1 + (size >= SPARSE_FROM)]:
            for strategy in STRATEGIES:
                chosen[Configuration(strategy, size, touch)] = True
    for touch in ("1", SPARSE_TOUCH):
        for strategy in STRATEGIES:
            for step in profile.sweep_steps if strategy in STEPPED else (DEFAULT_STEP,):
                chosen[Configuration(strategy, profile.sweep_size, touch, step)] = True
    for order in ORDERS:
        for strategy in STRATEGIES:
            chosen[Configuration(strategy, profile.sweep_size, "1", order=order)] = True
    if 0 < profile.limit_size <= available / 2:
        chosen[Configuration("fault", profile.limit_size, "1", order="random")] = True
    return list(chosen)


def rounds_min(group):
    """Six give a median's 95 % interval; gigabytes, and orders, which are there for their counts,
    have to do with three."""
    size, _, order = group
    return 3 if size >= GIB or order != "sequential" else 6


class Plan:
    """How many rounds each group gets within the profile's time and bounds. A group goes on until
    its ratios are known within 3 %, or its share of the time is spent.

    Rounds n of a group with m configurations that costs c seconds a round are as sqrt(m / c): that
    makes the sum of m / n, and so of the configurations' variances, least for the time there is.
    Costs are what the samples took, so the plan is made anew before each round.
    """

    def __init__(self, profile, chosen):
        self.profile = profile
        self.groups = {}
        for configuration in chosen:
            self.groups.setdefault(configuration.group, []).append(configuration)
        self.costs = {group: [] for group in self.groups}
        self.times = {configuration: {} for configuration in chosen}  # total_ns by round
        self.confidence = summary.corrected(sum(one.strategy != "upfront" for one in chosen))
        self.known = {group: {} for group in self.groups}  # {rounds: settled}
        self.rounds = 0
        self.spent = 0.0

    def cost(self, group):
        """Seconds of one round. The first one also pays for memory that the machine has to find."""
        costs = self.costs[group]
        if not costs:
            size, touch, _ = group
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
                min(self.profile.rounds_max, max(rounds_min(group), int(
                    scale * math.sqrt(len(chosen) / self.cost(group)))))
                for group, chosen in self.groups.items()}

    def settled(self, group):
        """Whether all ratios to upfront in a group are known within 3 %, by intervals that hold for
        all cells together: then more rounds would tell nothing more."""
        rounds = len(self.costs[group])
        if rounds not in self.known[group]:
            self.known[group] = {rounds: rounds >= rounds_min(group) and all(
                self.narrow(one) for one in self.groups[group] if one.strategy != "upfront")}
        return self.known[group][rounds]

    def narrow(self, configuration):
        """A configuration that was refused, or can't be measured, has nothing to narrow."""
        base = self.times.get(dataclasses.replace(configuration, strategy="upfront",
                                                  chunk=DEFAULT_STEP), {})
        own = self.times[configuration]
        logs = [math.log(own[round_number] / base[round_number])
                for round_number in own.keys() & base.keys()]
        if not logs:
            return True
        *interval, coverage = summary.median_interval(logs, self.confidence)
        return coverage >= self.confidence and summary.half_width(*interval) <= summary.NARROW

    def seconds_left(self, targets):
        return sum(max(0, targets[group] - len(self.costs[group])) * self.cost(group)
                   for group in self.groups)

    def next_round(self):
        """The configurations of the next round; none when all is done. Groups with few rounds are
        spread over the whole run."""
        targets = self.targets()
        length = max(targets.values())
        while self.rounds < length:
            self.rounds += 1
            due = [group for group, target in targets.items()
                   if len(self.costs[group]) < self.rounds * target / length]
            if due:
                return [configuration for group in due for configuration in self.groups[group]]
        return []

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

    def run(self, progress):
        """Rounds until the plan is done; progress(seconds done, seconds left, round,
        configuration) is called before each sample."""
        while chosen := self.plan.next_round():
            self.random.shuffle(chosen)
            left = self.plan.seconds_left(self.plan.targets())
            begun = time.monotonic()
            seconds = dict.fromkeys((configuration.group for configuration in chosen), 0.0)
            for position, configuration in enumerate(chosen, 1):
                started = time.monotonic()
                done = started - begun
                progress(self.plan.spent + done, left - done, self.plan.rounds, configuration)
                self.measure(configuration, position)
                seconds[configuration.group] += time.monotonic() - started
            self.plan.took(seconds)
