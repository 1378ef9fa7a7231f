"""What a run decides: which strategy is cheapest where, where they cross, which step suffices.

All of it is computed from rows. One strategy is called faster than another only where the paired
interval of their ratio excludes 1, with intervals so wide that all comparisons of one question hold
together at ANSWER_CONFIDENCE. Where rounds are too few for such an interval, it is not asked.
"""

import dataclasses
import itertools
import math

import numpy
import pandas

from vmcommit.base.cells import Cell, cell_of, touched_bytes
from vmcommit.base.columns import CELL
from vmcommit.base.conventions import (ALL_TOUCHED, ANSWER_CONFIDENCE, CLOSE, CONFIDENCE,
                                       DEFAULT_STEP, HALF_TOUCHED, ORDERS, SPARSELY_TOUCHED)
from vmcommit.base.statistics import median_interval, shared
from vmcommit.base.strategies import UPFRONT

SEQUENTIAL = ORDERS[0]


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Median of paired ratios with its interval; `known`: rounds sufficed for the confidence."""

    median: float
    low: float
    high: float
    known: bool

    @property
    def sign(self):
        """-1 below 1, 1 above it, 0 if the interval can't tell."""
        return 0 if not self.known or self.low <= 1 <= self.high else 1 if self.low > 1 else -1


class Times:
    """Logarithms of the total times of a run, by cell and round. `strategies`: {name: Strategy}."""

    def __init__(self, samples, strategies):
        ok = samples[samples.status == "ok"]
        self.strategies = strategies
        self.logs = {}
        for _, rows in ok.groupby([*CELL], sort=False):
            self.logs[cell_of(rows.iloc[0], strategies)] = pandas.Series(
                numpy.log(rows.total_ns.to_numpy()), index=rows["round"].to_numpy())
        self.page = int(ok.page_bytes.iloc[0]) if len(ok) else 4096

    def ratio(self, cell, base, confidence):
        """cell / base, paired by round."""
        logs = (self.logs[cell] - self.logs[base]).dropna()
        median, low, high, coverage = median_interval(logs, confidence)
        return Ratio(*numpy.exp((median, low, high)), coverage >= confidence)

    def rounds(self, cell):
        return len(self.logs[cell])

    @property
    def built_in(self):
        """Names of the strategies that are there to choose from."""
        return [name for name, strategy in self.strategies.items() if not strategy.brought]

    def block(self, size, touched, order=SEQUENTIAL, names=None):
        """{name: its cell}, at the default step; of all built-in strategies if none is named."""
        cells = {name: Cell(self.strategies[name], size, touched,
                            self.strategies[name].step_bytes(size, self.page, DEFAULT_STEP), order)
                 for name in (self.built_in if names is None else names)}
        return {name: cell for name, cell in cells.items() if cell in self.logs}

    def steps(self, name, size, touched):
        """{step: cell}, ascending."""
        return {cell.chunk: cell for cell in sorted(self.logs, key=lambda cell: cell.chunk)
                if (cell.strategy.name, cell.size, cell.touched, cell.order) ==
                (name, size, touched, SEQUENTIAL)}

    def sizes(self, name, touch):
        """Sizes at which that strategy was measured in sequence with that touch, ascending. A region
        so small that a part of it comes to all of it counts as all touched alone."""
        return sorted({cell.size for cell in self.logs
                       if (cell.strategy.name, cell.order) == (name, SEQUENTIAL)
                       and cell.touched == touched_bytes(cell.size, touch, self.page)
                       and (touch == ALL_TOUCHED or cell.touched < cell.size)})


def rounds_needed(comparisons):
    """The fewest rounds with which one of so many comparisons can be called."""
    return math.ceil(1 - math.log2(1 - shared(comparisons, ANSWER_CONFIDENCE)))


def compare(times, blocks):
    """[{(a, b): Ratio of a to b}] for each block {strategy: cell}; {} where rounds are too few."""
    pairs = [list(itertools.combinations(block, 2)) for block in blocks]
    fewest = [min((times.rounds(cell) for cell in block.values()), default=0) for block in blocks]
    asked = [True] * len(blocks)
    while True:  # blocks that can't be called don't count, which lowers what the others need
        comparisons = sum(len(pair) for pair, ask in zip(pairs, asked) if ask)
        needed = rounds_needed(comparisons)
        now = [ask and rounds >= needed for ask, rounds in zip(asked, fewest)]
        if now == asked:
            break
        asked = now
    confidence = shared(comparisons, ANSWER_CONFIDENCE)
    return [{(a, b): times.ratio(block[a], block[b], confidence) for a, b in pair} if ask else {}
            for block, pair, ask in zip(blocks, pairs, asked)]


def faster(ratios, a, b):
    """-1 where a is faster than b, 1 where b is, 0 where it can't be told."""
    return ratios[a, b].sign if (a, b) in ratios else -ratios[b, a].sign


def cheapest(block, ratios):
    """The strategies that no other one is faster than."""
    return tuple(a for a in block
                 if not any(faster(ratios, a, b) > 0 for b in block if b != a))


@dataclasses.dataclass
class Band:
    """Sizes next to each other with the same cheapest strategies; none: too few rounds."""

    sizes: list
    cheapest: tuple
    cells: list


def bands(times, touch):
    """(bands, crossings) over all sizes with that touch."""
    sizes = times.sizes(UPFRONT, touch)
    blocks = [times.block(size, touched_bytes(size, touch, times.page)) for size in sizes]
    compared = compare(times, blocks)
    adjoining = []
    for size, block, ratios in zip(sizes, blocks, compared):
        winners = cheapest(block, ratios) if ratios else ()
        if not adjoining or adjoining[-1].cheapest != winners:
            adjoining.append(Band([], winners, []))
        adjoining[-1].sizes.append(size)
        adjoining[-1].cells.append(block[UPFRONT])
    return adjoining, crossings(times.built_in, sizes, blocks, compared)


@dataclasses.dataclass(frozen=True)
class Crossing:
    """Up to `below` the first is cheaper, from `above` on the second."""

    first: str
    second: str
    below: int
    above: int
    cells: tuple


def crossings(names, sizes, blocks, compared):
    crossed = []
    for a, b in itertools.combinations(names, 2):
        last = None
        for size, block, ratios in zip(sizes, blocks, compared):
            sign = ratios[a, b].sign if (a, b) in ratios else 0
            if sign and last and sign != last[0]:
                first, second = (a, b) if last[0] < 0 else (b, a)
                crossed.append(Crossing(first, second, last[1], size,
                                        (last[2][first], block[second])))
            if sign:
                last = sign, size, block
    return crossed


@dataclasses.dataclass(frozen=True)
class Knee:
    """The smallest step from which a strategy costs within CLOSE of upfront.

    `step`: by the medians, None if no step measured is; `low`: the smallest that the intervals
    allow; `high`: the smallest that they leave no doubt about, None if they leave it to all.
    """

    strategy: str
    size: int
    step: int
    low: int
    high: int
    ratio: Ratio
    cell: Cell


def knees(times, size):
    """For each strategy with steps, the knee at `size` with all touched."""
    base = times.block(size, size).get(UPFRONT)
    swept = {name: times.steps(name, size, size)
             for name, strategy in times.strategies.items() if strategy.stepped}
    swept = {name: steps for name, steps in swept.items() if len(steps) >= 3}
    number = sum(map(len, swept.values()))
    if base is None or number == 0:
        return []
    confidence = shared(number, CONFIDENCE)
    return [knee(name, size, {step: (cell, times.ratio(cell, base, confidence))
                              for step, cell in cells.items()})
            for name, cells in swept.items()]


def knee(strategy, size, by_step):
    limit = 1 + CLOSE
    steps = list(by_step)
    ratios = [ratio for _, ratio in by_step.values()]
    first = 1 + max((at for at, ratio in enumerate(ratios)
                     if ratio.known and ratio.low > limit), default=-1)
    point = next((at for at in range(first, len(steps)) if ratios[at].median <= limit), None)
    within = next((at for at in range(first, len(steps))
                   if ratios[at].known and ratios[at].high <= limit), None)
    if point is None:
        return Knee(strategy, size, None, steps[first] if first < len(steps) else None, None,
                    ratios[-1], by_step[steps[-1]][0])
    return Knee(strategy, size, steps[point], steps[first],
                None if within is None else steps[max(within, point)], ratios[point],
                by_step[steps[point]][0])


def wastes(summary, strategy, size, step):
    """{touch: charge that is unused, bytes} with that step; nothing where less is charged than
    used, as by an allocator that maps with MAP_NORESERVE."""
    rows = summary[(summary.strategy == strategy) & (summary.size_bytes == size)
                   & (summary.touch_order == SEQUENTIAL)
                   & ((summary.chunk_bytes == step) | ~summary.stepped)]
    unused = {}
    for touch in (SPARSELY_TOUCHED, HALF_TOUCHED, ALL_TOUCHED):
        row = rows[rows.touched_bytes == touched_bytes(size, touch, rows.page_bytes.max())] \
            if len(rows) else rows
        if len(row) and not pandas.isna(row.commit_bytes.iloc[0]):
            unused[touch] = int(row.commit_bytes.iloc[0] - row.touched_bytes.iloc[0])
    return unused if all(waste >= 0 for waste in unused.values()) else {}


@dataclasses.dataclass(frozen=True)
class PageCost:
    """What committing a page at a time costs against upfront."""

    strategy: str
    sizes: list
    least: float
    most: float
    more_ns: float
    cells: list


def page_at_a_time(times, name, least_size=DEFAULT_STEP):
    """Of the strategy of that name, over the sizes from least_size on at which it differs from
    upfront; None where it nowhere does."""
    sizes = [size for size in times.sizes(name, ALL_TOUCHED) if size >= least_size]
    blocks = [times.block(size, size, names=(UPFRONT, name)) for size in sizes]
    called = [(size, block, ratios[UPFRONT, name])
              for size, block, ratios in zip(sizes, blocks, compare(times, blocks))
              if ratios and ratios[UPFRONT, name].sign]
    if not called:
        return None
    more = [(math.exp(times.logs[block[name]].median())
             - math.exp(times.logs[block[UPFRONT]].median())) / (size / times.page)
            for size, block, _ in called]
    multiples = [1 / ratio.median for _, _, ratio in called]
    return PageCost(name, [size for size, _, _ in called], min(multiples), max(multiples),
                    float(numpy.median(more)), [block[name] for _, block, _ in called])


@dataclasses.dataclass(frozen=True)
class Beside:
    """What a user brought against the built-in strategy that does the same in the same steps, over
    sizes next to each other; `sign` as a Ratio's, None: too few rounds to tell."""

    strategy: str
    against: str
    sizes: tuple
    sign: int
    least: float
    most: float
    cells: tuple


def beside(times, name):
    """Bands of what was brought against the first built-in strategy that grows in steps by a check
    of its own."""
    against = next((built_in for built_in in times.built_in
                    if times.strategies[built_in].stepped
                    and not times.strategies[built_in].handles_faults), None)
    if against is None:
        return []
    pair = (name, against)
    sizes = times.sizes(name, ALL_TOUCHED)
    blocks = [times.block(size, size, names=pair) for size in sizes]
    adjoining = []
    for size, block, ratios in zip(sizes, blocks, compare(times, blocks)):
        if name not in block:
            continue
        ratio = ratios.get(pair)
        sign = ratio.sign if ratio else None
        median = ratio.median if ratio else math.nan
        if adjoining and adjoining[-1].sign == sign:
            last = adjoining.pop()
            adjoining.append(Beside(*pair, (*last.sizes, size), sign, min(last.least, median),
                                    max(last.most, median), (*last.cells, block[name])))
        else:
            adjoining.append(Beside(*pair, (size,), sign, median, median, (block[name],)))
    return adjoining


@dataclasses.dataclass
class Answer:
    """All of what a run decides. `bands` and `crossings` by touch."""

    bands: dict
    crossings: dict
    knees: list
    wastes: dict
    page_costs: dict  # {strategy that commits by pages: PageCost, or None: no difference}
    sweep_size: int
    beside: dict  # {what a user brought: bands}


def sweep_size(times):
    """The size with the most steps."""
    counts = {}
    for cell in times.logs:
        if cell.strategy.stepped and cell.order == SEQUENTIAL and cell.touched == cell.size:
            counts[cell.size] = counts.get(cell.size, 0) + 1
    return max(sorted(counts), key=counts.get, default=None)


def decide(times, summary):
    by_touch = {touch: bands(times, touch) for touch in (ALL_TOUCHED, SPARSELY_TOUCHED)}
    size = sweep_size(times)
    by_strategy = knees(times, size) if size else []
    measured = {cell.strategy for cell in times.logs}
    return Answer({touch: both[0] for touch, both in by_touch.items()},
                  {touch: both[1] for touch, both in by_touch.items()}, by_strategy,
                  {knee.strategy: wastes(summary, knee.strategy, size, knee.step)
                   for knee in by_strategy if knee.step},
                  {name: page_at_a_time(times, name) for name, strategy in times.strategies.items()
                   if strategy.step == "page" and strategy in measured}, size,
                  {name: pairs for name, strategy in times.strategies.items()
                   if strategy.brought and (pairs := beside(times, name))})
