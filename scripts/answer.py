"""What a run decides: which strategy is cheapest where, where they cross, which step suffices.

All of it is computed from rows. One strategy is called faster than another only where the paired
interval of their ratio leaves out 1, with intervals so wide that all comparisons of one question
hold together at CONFIDENCE. Where rounds are too few for such an interval, it is not asked.
"""

import dataclasses
import fractions
import itertools
import math

import numpy
import pandas

from campaign import (DEFAULT_STEP, HALF_TOUCH, OWN, SPARSE_TOUCH, STEPPED, STRATEGIES, size_text)
from summary import median_interval

CELL = ["strategy", "size_bytes", "touched_bytes", "chunk_bytes", "touch_order"]
CONFIDENCE = 0.999
CLOSE = 0.03  # a step is good enough when it costs no more than this above upfront


@dataclasses.dataclass(frozen=True)
class Cell:
    """A configuration as the rows have it; chunk is the size for upfront, the page for fault."""

    strategy: str
    size: int
    touched: int
    chunk: int
    order: str = "sequential"

    @property
    def step(self):
        return self.chunk if self.strategy in STEPPED else None

    @property
    def anchor(self):
        """Where the report's table has it."""
        return f"{self.strategy}-{self.size}-{self.touched}-{self.chunk}-{self.order}"

    def __str__(self):
        return self.strategy + (f" by {size_text(self.chunk)}" if self.step else "")


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


def cell_of(row):
    return Cell(row.strategy, int(row.size_bytes), int(row.touched_bytes), int(row.chunk_bytes),
                row.touch_order)


class Times:
    """Logarithms of the total times of a run, by cell and round."""

    def __init__(self, samples):
        ok = samples[samples.status == "ok"]
        self.logs = {}
        for _, rows in ok.groupby(CELL, sort=False):
            self.logs[cell_of(rows.iloc[0])] = pandas.Series(
                numpy.log(rows.total_ns.to_numpy()), index=rows["round"].to_numpy())
        self.page = int(ok.page_bytes.iloc[0]) if len(ok) else 4096

    def ratio(self, one, other, confidence):
        """one / other, paired by round."""
        logs = (self.logs[one] - self.logs[other]).dropna()
        median, low, high, coverage = median_interval(logs, confidence)
        return Ratio(*numpy.exp((median, low, high)), coverage >= confidence)

    def rounds(self, cell):
        return len(self.logs[cell])

    def block(self, size, touched, order="sequential", strategies=STRATEGIES):
        """{strategy: its cell}, at the default step."""
        cells = (Cell(strategy, size, touched, {"upfront": size, "fault": self.page}.get(
            strategy, DEFAULT_STEP), order) for strategy in strategies)
        return {cell.strategy: cell for cell in cells if cell in self.logs}

    def steps(self, strategy, size, touched):
        """{step: cell}, ascending."""
        return {cell.chunk: cell for cell in sorted(self.logs, key=lambda cell: cell.chunk)
                if (cell.strategy, cell.size, cell.touched, cell.order) ==
                (strategy, size, touched, "sequential")}


def rounds_needed(comparisons):
    """The fewest rounds with which one of so many comparisons can be called at CONFIDENCE."""
    return math.ceil(1 - math.log2((1 - CONFIDENCE) / max(comparisons, 1)))


def touched_bytes(size, touch, page):
    """As the harness rounds it: whole pages, upwards."""
    return math.ceil(fractions.Fraction(touch) * size / page) * page


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
    confidence = 1 - (1 - CONFIDENCE) / max(comparisons, 1)
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
    sizes = sorted({cell.size for cell in times.logs if cell.strategy == "upfront"
                    and cell.order == "sequential"
                    and cell.touched == touched_bytes(cell.size, touch, times.page)
                    and (touch == "1" or cell.touched < cell.size)})
    blocks = [times.block(size, touched_bytes(size, touch, times.page)) for size in sizes]
    compared = compare(times, blocks)
    found = []
    for size, block, ratios in zip(sizes, blocks, compared):
        winners = cheapest(block, ratios) if ratios else ()
        if not found or found[-1].cheapest != winners:
            found.append(Band([], winners, []))
        found[-1].sizes.append(size)
        found[-1].cells.append(block["upfront"])
    return found, crossings(sizes, blocks, compared)


@dataclasses.dataclass(frozen=True)
class Crossing:
    """Up to `below` the first is cheaper, from `above` on the second."""

    first: str
    second: str
    below: int
    above: int
    cells: tuple


def crossings(sizes, blocks, compared):
    found = []
    for a, b in itertools.combinations(STRATEGIES, 2):
        last = None
        for size, block, ratios in zip(sizes, blocks, compared):
            sign = ratios[a, b].sign if (a, b) in ratios else 0
            if sign and last and sign != last[0]:
                first, second = (a, b) if last[0] < 0 else (b, a)
                found.append(Crossing(first, second, last[1], size,
                                      (last[2][first], block[second])))
            if sign:
                last = sign, size, block
    return found


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
    base = times.block(size, size).get("upfront")
    swept = {strategy: times.steps(strategy, size, size) for strategy in STEPPED}
    swept = {strategy: steps for strategy, steps in swept.items() if len(steps) >= 3}
    number = sum(map(len, swept.values()))
    if base is None or number == 0:
        return []
    confidence = 1 - 0.05 / number
    return [knee(strategy, size, {step: (cell, times.ratio(cell, base, confidence))
                                  for step, cell in cells.items()})
            for strategy, cells in swept.items()]


def knee(strategy, size, by_step):
    limit = 1 + CLOSE
    steps = list(by_step)
    ratios = [ratio for _, ratio in by_step.values()]
    first = 1 + max((at for at, ratio in enumerate(ratios)
                     if ratio.known and ratio.low > limit), default=-1)
    point = next((at for at in range(first, len(steps)) if ratios[at].median <= limit), None)
    sure = next((at for at in range(first, len(steps))
                 if ratios[at].known and ratios[at].high <= limit), None)
    if point is None:
        return Knee(strategy, size, None, steps[first] if first < len(steps) else None, None,
                    ratios[-1], by_step[steps[-1]][0])
    return Knee(strategy, size, steps[point], steps[first],
                None if sure is None else steps[max(sure, point)], ratios[point],
                by_step[steps[point]][0])


def wastes(summary, strategy, size, step):
    """{touch: charge that is promised and not used, bytes} with that step; nothing where less is
    charged than used, as by an allocator that maps with MAP_NORESERVE."""
    rows = summary[(summary.strategy == strategy) & (summary.size_bytes == size)
                   & (summary.touch_order == "sequential")
                   & ((summary.chunk_bytes == step) | (strategy not in STEPPED))]
    found = {}
    for touch in (SPARSE_TOUCH, HALF_TOUCH, "1"):
        row = rows[rows.touched_bytes == touched_bytes(size, touch, rows.page_bytes.max())]
        if len(row) and not pandas.isna(row.commit_bytes.iloc[0]):
            found[touch] = int(row.commit_bytes.iloc[0] - row.touched_bytes.iloc[0])
    return found if all(waste >= 0 for waste in found.values()) else {}


@dataclasses.dataclass(frozen=True)
class PageCost:
    """What committing a page at a time costs against upfront."""

    sizes: list
    least: float
    most: float
    more_ns: float
    cells: list


def page_at_a_time(times, least_size=DEFAULT_STEP):
    """Over the sizes from least_size on at which the two differ; None where they nowhere do."""
    sizes = sorted({cell.size for cell in times.logs if cell.strategy == "fault"
                    and cell.touched == cell.size and cell.order == "sequential"
                    and cell.size >= least_size})
    blocks = [{strategy: cell for strategy, cell in times.block(size, size).items()
               if strategy in ("upfront", "fault")} for size in sizes]
    called = [(size, block, ratios["upfront", "fault"])
              for size, block, ratios in zip(sizes, blocks, compare(times, blocks))
              if ratios and ratios["upfront", "fault"].sign]
    if not called:
        return None
    more = [(math.exp(times.logs[block["fault"]].median())
             - math.exp(times.logs[block["upfront"]].median())) / (size / times.page)
            for size, block, _ in called]
    multiples = [1 / ratio.median for _, _, ratio in called]
    return PageCost([size for size, _, _ in called], min(multiples), max(multiples),
                    float(numpy.median(more)), [block["fault"] for _, block, _ in called])


@dataclasses.dataclass(frozen=True)
class Beside:
    """What a user brought against chunked, which does the same in the same steps, over sizes next
    to each other; `sign` as a Ratio's, None: too few rounds to tell."""

    strategy: str
    sizes: tuple
    sign: int
    least: float
    most: float
    cells: tuple


def beside_chunked(times, strategy):
    pair = (strategy, "chunked")
    sizes = sorted(cell.size for cell in times.logs if cell.strategy == strategy
                   and cell.touched == cell.size and cell.chunk == DEFAULT_STEP
                   and cell.order == "sequential")
    blocks = [times.block(size, size, strategies=pair) for size in sizes]
    found = []
    for size, block, ratios in zip(sizes, blocks, compare(times, blocks)):
        ratio = ratios.get(pair)
        sign = ratio.sign if ratio else None
        median = ratio.median if ratio else math.nan
        if found and found[-1].sign == sign:
            last = found.pop()
            found.append(Beside(strategy, (*last.sizes, size), sign, min(last.least, median),
                                max(last.most, median), (*last.cells, block[strategy])))
        else:
            found.append(Beside(strategy, (size,), sign, median, median, (block[strategy],)))
    return found


@dataclasses.dataclass
class Answer:
    """All of what a run decides. `bands` and `crossings` by touch."""

    bands: dict
    crossings: dict
    knees: list
    wastes: dict
    page_cost: PageCost  # None: can't be told
    page_cost_asked: bool
    sweep_size: int
    beside: dict  # {what a user brought: bands}


def sweep_size(times):
    """The size with the most steps."""
    counts = {}
    for cell in times.logs:
        if cell.strategy in STEPPED and cell.order == "sequential" and cell.touched == cell.size:
            counts[cell.size] = counts.get(cell.size, 0) + 1
    return max(sorted(counts), key=counts.get, default=None)


def decide(samples, summary):
    times = Times(samples)
    by_touch = {touch: bands(times, touch) for touch in ("1", SPARSE_TOUCH)}
    size = sweep_size(times)
    found = knees(times, size) if size else []
    return Answer({touch: both[0] for touch, both in by_touch.items()},
                  {touch: both[1] for touch, both in by_touch.items()}, found,
                  {one.strategy: wastes(summary, one.strategy, size, one.step)
                   for one in found if one.step},
                  page_at_a_time(times), any(cell.strategy == "fault" for cell in times.logs),
                  size, {strategy: beside for strategy in OWN
                         if (beside := beside_chunked(times, strategy))})
