"""What a run decides: which strategy is cheapest where, where they cross, which step suffices.

All of it is computed from rows. One strategy is called faster than another only where the
confidence interval of their paired ratio excludes 1, with intervals so wide that all comparisons of
one question hold together at ANSWER_CONFIDENCE. Where rounds are too few for such an interval, the
two are not compared. A round is a set of turns, or, in runs without, one sample of each.
"""

import dataclasses
import itertools
import math
import types
from collections.abc import Iterable, Sequence

import numpy
import pandas
from scipy import optimize

from vmcommit.base.cells import Cell, cell_of, touched_bytes
from vmcommit.base.columns import CELL
from vmcommit.base.conventions import (ALL_TOUCHED, ANSWER_CONFIDENCE, CLOSE, CONFIDENCE,
                                       DEFAULT_STEP, HALF_TOUCHED, ORDERS, SPARSELY_TOUCHED)
from vmcommit.base.statistics import FEW, pool_of, pooled_spread, set_interval, shared
from vmcommit.base.strategies import UPFRONT, Strategy

SEQUENTIAL = ORDERS[0]


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Median of paired ratios with its confidence interval; `known`: rounds sufficed for it."""

    median: float
    low: float
    high: float
    known: bool

    @property
    def sign(self) -> int:
        """-1 below 1, 1 above it, 0 if the interval holds 1."""
        return 0 if not self.known or self.low <= 1 <= self.high else 1 if self.low > 1 else -1


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A median with its confidence interval; the ends are NaN where rounds are too few."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        return not numpy.isnan(self.low)

    @property
    def sign(self) -> int:
        """-1 below 0, 1 above it, 0 if the interval holds 0."""
        return 0 if not self.known or self.low <= 0 <= self.high else 1 if self.low > 0 else -1


class Times:
    """Logarithms of the total times of a run, by cell and round. `strategies`: {name: Strategy}."""

    def __init__(self, samples: pandas.DataFrame, strategies: dict[str, Strategy]):
        ok = samples[samples.status == "ok"]
        self.strategies = strategies
        self.logs: dict[Cell, numpy.ndarray] = {}
        self.numbers: dict[Cell, numpy.ndarray] = {}  # of the rounds
        logs, numbers = numpy.log(ok.cycle_ns.to_numpy(float)), ok["round"].to_numpy()
        for key, rows in ok.groupby([*CELL], sort=False).indices.items():
            cell = cell_of(types.SimpleNamespace(**dict(zip(CELL, key))), strategies)
            self.logs[cell], self.numbers[cell] = logs[rows], numbers[rows]
        self.page = int(samples.page_bytes.iloc[0]) if len(samples) else 0
        self.spreads: dict[Cell, tuple[float, int]] = {}

    def paired(self, cell: Cell, base: Cell) -> numpy.ndarray:
        """Logarithms of cell / base, in the rounds that have both."""
        if numpy.array_equal(self.numbers[cell], self.numbers[base]):  # as most have
            return self.logs[cell] - self.logs[base]
        _, mine, its = numpy.intersect1d(self.numbers[cell], self.numbers[base],
                                         return_indices=True)
        return self.logs[cell][mine] - self.logs[base][its]

    def spread(self, base: Cell) -> tuple[float, int]:
        """Of the ratios of all that was measured in the same rounds, pooled."""
        if base not in self.spreads:
            alike = [other for other in self.logs if self.pool(other) == self.pool(base)]
            bases = {self.shape(other): other for other in alike
                     if (other.strategy, other.step, other.manner)
                     == (base.strategy, base.step, base.manner)}
            self.spreads[base] = pooled_spread(
                self.paired(cell, bases[self.shape(cell)]) for cell in alike
                if self.shape(cell) in bases and cell not in bases.values()
                and not cell.strategy.brought)
        return self.spreads[base]

    @staticmethod
    def shape(cell: Cell) -> tuple:
        return (cell.size, cell.touched, cell.order)

    @staticmethod
    def pool(cell: Cell) -> tuple:
        return pool_of(cell.size, round(cell.touched / cell.size, 3), cell.order)

    def ratio(self, cell: Cell, base: Cell, confidence: float) -> Ratio:
        """cell / base, paired by round."""
        *interval, coverage = set_interval(self.paired(cell, base), confidence, self.spread(base))
        median, low, high = numpy.exp(interval)
        return Ratio(median, low, high, bool(coverage >= confidence))

    def rounds(self, cell: Cell) -> int:
        return len(self.logs[cell])

    @property
    def built_in(self) -> list[str]:
        """Names of the strategies that are there to choose from."""
        return [name for name, strategy in self.strategies.items() if not strategy.brought]

    def block(self, size: int, touched: int, order: str = SEQUENTIAL,
              names: Iterable[str] | None = None) -> dict[str, Cell]:
        """{name: its cell}, at the default step; of all built-in strategies if none is named."""
        cells = {name: Cell(self.strategies[name], size, touched,
                            self.strategies[name].step_bytes(size, self.page, DEFAULT_STEP), order)
                 for name in (self.built_in if names is None else names)}
        return {name: cell for name, cell in cells.items() if cell in self.logs}

    def steps(self, name: str, size: int, touched: int) -> dict[int, Cell]:
        """{step: cell}, ascending."""
        return {cell.chunk: cell for cell in sorted(self.logs, key=lambda cell: cell.chunk)
                if (cell.strategy.name, cell.size, cell.touched, cell.order) ==
                (name, size, touched, SEQUENTIAL)}

    def sizes(self, names: Iterable[str], touch: str) -> list[int]:
        """Sizes at which any of these was measured in sequence with that touch, ascending. A region
        so small that a part of it comes to all of it counts as all touched alone."""
        return sorted({cell.size for cell in self.logs
                       if cell.strategy.name in names and cell.order == SEQUENTIAL
                       and cell.touched == touched_bytes(cell.size, touch, self.page)
                       and (touch == ALL_TOUCHED or cell.touched < cell.size)})


Ratios = dict[tuple[str, str], Ratio]


def compare(times: Times, blocks: Sequence[dict[str, Cell]]) -> list[Ratios]:
    """[{(a, b): Ratio of a to b}] for each block {strategy: cell}; {} where rounds are too few. One
    of fewer than FEW rounds takes no share of the confidence."""
    pairs = [list(itertools.combinations(block, 2))
             if min(map(times.rounds, block.values()), default=0) >= FEW else []
             for block in blocks]
    confidence = shared(sum(map(len, pairs)), ANSWER_CONFIDENCE)
    compared = [{(a, b): times.ratio(block[a], block[b], confidence) for a, b in pair}
                for block, pair in zip(blocks, pairs)]
    return [ratios if all(ratio.known for ratio in ratios.values()) else {} for ratios in compared]


def faster(ratios: Ratios, a: str, b: str) -> int:
    """-1 where a is faster than b, 1 where b is, 0 where they do not differ significantly."""
    return ratios[a, b].sign if (a, b) in ratios else -ratios[b, a].sign


def cheapest(block: dict[str, Cell], ratios: Ratios) -> tuple[str, ...]:
    """The strategies that no other one is faster than."""
    return tuple(a for a in block
                 if not any(faster(ratios, a, b) > 0 for b in block if b != a))


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of the matrix: the strategies of a size and touched part, and how they compare.

    `cheapest`: those that no other one is faster than; none where rounds are too few, or where only
    one has times. `factors`: of each loser, its time as a multiple of that of the first cheapest.
    """

    size: int
    touch: str
    block: dict[str, Cell]
    ratios: Ratios

    @property
    def cheapest(self) -> tuple[str, ...]:
        return cheapest(self.block, self.ratios) if self.ratios else ()

    @property
    def equal(self) -> bool:
        """Whether none of several is slower than another."""
        return len(self.cheapest) == len(self.block)

    @property
    def alone(self) -> str:
        """The only strategy with times, if there is but one."""
        return next(iter(self.block)) if len(self.block) == 1 else ""

    @property
    def step(self) -> int | None:
        """The step of those that have one."""
        return next((cell.step for cell in self.block.values() if cell.step), None)

    @property
    def factors(self) -> dict[str, Ratio]:
        winners = self.cheapest
        return {name: of_pair(self.ratios, name, winners[0]) for name in self.block
                if name not in winners} if winners else {}


def of_pair(ratios: Ratios, a: str, b: str) -> Ratio:
    """a to b, whichever way round the two were compared."""
    if (a, b) in ratios:
        return ratios[a, b]
    ratio = ratios[b, a]
    return Ratio(1 / ratio.median, 1 / ratio.high, 1 / ratio.low, ratio.known)


def fields(times: Times, touch: str) -> list[Field]:
    """Of all sizes with that touch, ascending; at the default step."""
    blocks = {size: block for size in times.sizes(times.built_in, touch)
              if (block := times.block(size, touched_bytes(size, touch, times.page)))}
    return [Field(size, touch, block, ratios) for (size, block), ratios
            in zip(blocks.items(), compare(times, list(blocks.values())))]


@dataclasses.dataclass(frozen=True)
class Band:
    """Sizes next to each other with the same cheapest strategies; `step`: of those that have
    one."""

    sizes: tuple[int, ...]
    cheapest: tuple[str, ...]
    step: int | None


def bands(of_touch: Iterable[Field]) -> list[Band]:
    """Of fields with ascending sizes."""
    adjoining = [list(group) for _, group in
                 itertools.groupby(of_touch, key=lambda field: field.cheapest)]
    return [Band(tuple(field.size for field in group), group[0].cheapest,
                 next((field.step for field in group if field.step), None))
            for group in adjoining]


@dataclasses.dataclass(frozen=True)
class Crossing:
    """Up to `below` the first is cheaper, from `above` on the second. `cells`: of each there;
    `ratios`: of the cheaper to the other there; `plain`: whether the fields' cheapest tell it."""

    first: str
    second: str
    below: int
    above: int
    cells: tuple[Cell, Cell]
    ratios: tuple[Ratio, Ratio]
    plain: bool

    @property
    def step(self) -> int | None:
        return next((cell.step for cell in self.cells if cell.step), None)


def crossings(names: Iterable[str], of_touch: Sequence[Field]) -> list[Crossing]:
    """Between sizes that follow each other among those at which the two differ."""
    crossed = []
    for a, b in itertools.combinations(names, 2):
        decided = [(field.ratios[a, b].sign, field) for field in of_touch
                   if (a, b) in field.ratios and field.ratios[a, b].sign]
        for (sign, before), (changed, after) in itertools.pairwise(decided):
            if sign != changed:
                first, second = (a, b) if sign < 0 else (b, a)
                crossed.append(Crossing(
                    first, second, before.size, after.size,
                    (before.block[first], after.block[second]),
                    (of_pair(before.ratios, first, second), of_pair(after.ratios, second, first)),
                    first in before.cheapest and second in after.cheapest))
    return crossed


@dataclasses.dataclass(frozen=True)
class Knee:
    """The smallest step from which larger ones save less than CLOSE of a strategy's time.

    `step`: None if no step measured is large enough; `low`: the smallest that the interval of
    `pages` allows; `high`: the smallest that it leaves no doubt about, None if it leaves it to all.
    `pages`: how many pages cost as much as a step. `ratio`: to upfront at that step, or else at the
    largest.
    """

    strategy: str
    size: int
    step: int | None
    low: int | None
    high: int | None
    pages: Estimate
    ratio: Ratio
    cell: Cell


LEAST_PAGES, MOST_PAGES = 1e-3, 1e6  # of a step that seems to cost nothing, and all there is
LINE = 3  # steps of a set from which a line is laid through them


@dataclasses.dataclass(frozen=True)
class Lines:
    """What steps cost, by a line of time against 1 / step, in each round that has LINE of them: a
    page costs what it costs, and a step the same whatever its size. `pages`: logarithms of a step
    in pages; `saved`: by the step, those of its time to what larger steps take."""

    pages: list[float]
    saved: dict[int, list[float]]


def lines(times: Times, steps: dict[int, Cell]) -> Lines:
    """By least squares of what each time is off, as a share of it; nothing costs less than
    nothing."""
    rounds: dict[int, list[tuple[int, float]]] = {}
    for step, cell in steps.items():
        for number, log in zip(times.numbers[cell], times.logs[cell]):
            rounds.setdefault(number, []).append((step, log))
    pages: list[float] = []
    saved: dict[int, list[float]] = {step: [] for step in steps}
    for of_round in rounds.values():
        if len(of_round) < LINE:
            continue
        measured, logs = (numpy.array(each) for each in zip(*of_round))
        time, of_step = numpy.exp(logs - logs.min()), times.page / measured
        (page, each), _ = optimize.nnls(numpy.column_stack([1 / time, of_step / time]),
                                        numpy.ones(len(time)))
        pages.append(math.log(min(max(each, LEAST_PAGES * page) / page, MOST_PAGES)
                              if page else MOST_PAGES))
        for at, step in enumerate(measured[:-1]):
            saved[int(step)].append(logs[at] - logs[at + 1:].mean())
    return Lines(pages, saved)


def knees(times: Times, size: int) -> list[Knee]:
    """For each strategy with steps, the knee at `size` with all touched."""
    base = times.block(size, size).get(UPFRONT)
    swept = {name: times.steps(name, size, size)
             for name, strategy in times.strategies.items() if strategy.stepped}
    laid = {name: lines(times, steps) for name, steps in swept.items() if len(steps) >= LINE}
    laid = {name: of_strategy for name, of_strategy in laid.items() if of_strategy.pages}
    if base is None or not laid:
        return []
    pooled = pooled_spread(each.pages for each in laid.values())
    confidence = shared(2 * len(laid), CONFIDENCE)  # of a step's price, and of its ratio
    found = []
    for name, of_strategy in laid.items():
        *interval, coverage = set_interval(of_strategy.pages, confidence, pooled)
        middle, low, high = numpy.exp(interval)
        pages = Estimate(middle, *((low, high) if coverage >= confidence else (math.nan,) * 2))
        point = knee(swept[name], times.page, pages, first_that_suffices(of_strategy.saved))
        cell = swept[name][point[0] or max(swept[name])]
        ratio = times.ratio(cell, base, confidence)
        if not math.isnan(ratio.median):  # they share a round
            found.append(Knee(name, size, *point, pages, ratio, cell))
    return found


def first_that_suffices(saved: dict[int, list[float]]) -> int:
    """The smallest step after all of which it is beyond doubt, by the times alone, that larger ones
    save more than CLOSE."""
    confidence = shared(len(saved), CONFIDENCE)
    pooled = pooled_spread(saved.values())
    first = min(saved)
    for step, larger in itertools.pairwise(saved):
        _, low, _, coverage = set_interval(saved[step], confidence, pooled)
        if coverage >= confidence and low > math.log1p(CLOSE):
            first = larger
    return first


def knee(steps: Iterable[int], page: int, pages: Estimate, first: int
         ) -> tuple[int | None, int | None, int | None]:
    """(step, low, high) of a Knee. `steps`: ascending; none before `first` counts."""
    counting = [step for step in steps if step >= first]

    def enough(price):
        return next((step for step in counting if price * page / step <= CLOSE), None)

    if not pages.known:
        return enough(pages.value), counting[0], None
    return enough(pages.value), enough(pages.low), enough(pages.high)


def wastes(summary: pandas.DataFrame, strategy: str, size: int, step: int) -> dict[str, int]:
    """{touch: charge that is unused, bytes} with that step; nothing where less is charged than
    used, as by an allocator that maps with MAP_NORESERVE."""
    rows = summary[(summary.strategy == strategy) & (summary.size_bytes == size)
                   & (summary.touch_order == SEQUENTIAL) & (summary.chunk_bytes == step)]
    rows = rows.dropna(subset=["commit_bytes"])
    unused = {}
    for touch in (SPARSELY_TOUCHED, HALF_TOUCHED, ALL_TOUCHED) if len(rows) else ():
        touched = touched_bytes(size, touch, int(rows.page_bytes.iloc[0]))
        for commit_bytes in rows[rows.touched_bytes == touched].commit_bytes.iloc[:1]:
            unused[touch] = int(commit_bytes - touched)
    return unused if all(waste >= 0 for waste in unused.values()) else {}


@dataclasses.dataclass(frozen=True)
class PageCost:
    """What committing a page at a time costs against upfront: `more_ns` a page, `low` to `high`,
    the medians over the sizes at which the two differ significantly; None where they nowhere do,
    over all sizes that could be compared."""

    strategy: str
    sizes: tuple[int, ...]
    more_ns: float | None
    low: float
    high: float
    cells: tuple[Cell, ...]


def more_a_page(times: Times, base: Cell, ratio: Ratio) -> tuple[float, float, float]:
    """(ns that a page takes more than one of the base does, low, high), where a cell takes `ratio`
    times as long as the base."""
    ns = math.exp(numpy.median(times.logs[base])) / (base.touched / times.page)
    return ns * (ratio.median - 1), ns * (ratio.low - 1), ns * (ratio.high - 1)


def page_at_a_time(times: Times, name: str, least_size: int = DEFAULT_STEP) -> PageCost | None:
    """Of the strategy of that name, over the sizes from least_size on, all touched; None where none
    can be compared."""
    sizes = [size for size in times.sizes([name], ALL_TOUCHED) if size >= least_size]
    blocks = [times.block(size, size, names=(UPFRONT, name)) for size in sizes]
    compared = [(size, block, of_pair(ratios, name, UPFRONT))
                for size, block, ratios in zip(sizes, blocks, compare(times, blocks)) if ratios]
    if not compared:
        return None
    differing = [each for each in compared if each[2].sign]
    more = [more_a_page(times, block[UPFRONT], ratio) for _, block, ratio in differing]
    middle, low, high = numpy.median(more, axis=0).tolist() if more else (None, 0.0, 0.0)
    rests_on = differing or compared
    return PageCost(name, tuple(size for size, *_ in rests_on), middle, low, high,
                    tuple(block[name] for _, block, _ in rests_on))


@dataclasses.dataclass(frozen=True)
class Beside:
    """What a user brought against the built-in strategy that does the same in the same steps, over
    sizes next to each other; `sign` as a Ratio's, None: too few rounds to compare."""

    strategy: str
    against: str
    sizes: tuple[int, ...]
    sign: int | None
    least: float
    most: float
    cells: tuple[Cell, ...]

    def joined(self, other: "Beside") -> "Beside":
        return dataclasses.replace(self, sizes=self.sizes + other.sizes,
                                   cells=self.cells + other.cells,
                                   least=min(self.least, other.least),
                                   most=max(self.most, other.most))


def checking(times: Times) -> str | None:
    """The first built-in strategy that grows in steps by a check of its own."""
    return next((name for name in times.built_in if times.strategies[name].stepped
                 and not times.strategies[name].handles_faults), None)


def beside(times: Times, name: str) -> list[Beside]:
    """Bands of what was brought against the built-in strategy that checks."""
    against = checking(times)
    if against is None:
        return []
    pair = (name, against)
    blocks = {size: block for size in times.sizes([name], ALL_TOUCHED)
              if len(block := times.block(size, size, names=pair)) == len(pair)}
    adjoining: list[Beside] = []
    for (size, block), ratios in zip(blocks.items(), compare(times, list(blocks.values()))):
        ratio = ratios.get(pair)
        median = ratio.median if ratio else math.nan
        band = Beside(name, against, (size,), ratio.sign if ratio else None, median, median,
                      (block[name],))
        if adjoining and adjoining[-1].sign == band.sign:
            band = adjoining.pop().joined(band)
        adjoining.append(band)
    return adjoining


@dataclasses.dataclass(frozen=True)
class Answer:
    """All of what a run decides. `fields` and `crossings` by touch; the rest by strategy."""

    fields: dict[str, list[Field]]
    crossings: dict[str, list[Crossing]]
    knees: list[Knee]
    wastes: dict[str, dict[str, int]]
    page_costs: dict[str, PageCost]
    sweep_size: int | None
    beside: dict[str, list[Beside]]

    @property
    def bands(self) -> dict[str, list[Band]]:
        return {touch: bands(of_touch) for touch, of_touch in self.fields.items()}


def sweep_size(times: Times) -> int | None:
    """The size with the most steps; without any, the one with the most configurations; the largest
    of equals."""
    cells = [cell for cell in times.logs if cell.order == SEQUENTIAL]
    stepped = [cell for cell in cells if cell.strategy.stepped and cell.touched == cell.size]
    counts: dict[int, int] = {}
    for cell in stepped or cells:
        counts[cell.size] = counts.get(cell.size, 0) + 1
    return max(counts, key=lambda size: (counts[size], size)) if counts else None


def decide(times: Times, summary: pandas.DataFrame) -> Answer:
    by_touch = {touch: fields(times, touch) for touch in (ALL_TOUCHED, SPARSELY_TOUCHED)}
    size = sweep_size(times)
    by_strategy = knees(times, size) if size else []
    by_page = [name for name, strategy in times.strategies.items() if strategy.step == "page"]
    brought = [name for name, strategy in times.strategies.items() if strategy.brought]
    return Answer(by_touch, {touch: crossings(times.built_in, of_touch)
                             for touch, of_touch in by_touch.items()}, by_strategy,
                  {knee.strategy: wastes(summary, knee.strategy, knee.size, knee.step)
                   for knee in by_strategy if knee.step},
                  {name: cost for name in by_page if (cost := page_at_a_time(times, name))}, size,
                  {name: pairs for name in brought if (pairs := beside(times, name))})
