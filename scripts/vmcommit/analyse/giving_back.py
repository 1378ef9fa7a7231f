"""Which call gives memory back, what it costs, and what coming back costs: rows that touch a
region, give it back in steps and touch it again.

What a call gives back is counted. What it costs is compared within sets, as all times are.
"""

import dataclasses

import numpy
import pandas

from vmcommit.analyse.answer import Ratio, Times, cheapest, compare
from vmcommit.analyse.section import Line, Section, cell_json, not_measured
from vmcommit.analyse.sentences import Sentence
from vmcommit.base.cells import Cell, cell_of
from vmcommit.base.columns import PURGE_LATENCIES
from vmcommit.base.conventions import CONFIDENCE, DEFAULT_STEP, ORDERS
from vmcommit.base.statistics import pooled_spread, set_interval
from vmcommit.base.strategies import Strategy
from vmcommit.base.text import listed
from vmcommit.base.units import count_text, size_text, time_interval_text, time_text

SEQUENTIAL, SCATTERED = ORDERS[0], "alternate"
NAMES = {"dontneed": "MADV_DONTNEED", "free": "MADV_FREE", "cold": "MADV_COLD",
         "pageout": "MADV_PAGEOUT", "protect": "mprotect(PROT_NONE)", "remap": "mmap(PROT_NONE)",
         "remap_noreserve": "mmap(MAP_NORESERVE)", "guard": "MADV_GUARD_INSTALL",
         "decommit": "MEM_DECOMMIT", "reset": "MEM_RESET", "offer": "OfferVirtualMemory",
         "discard": "DiscardVirtualMemory"}
ON_WINDOWS = {"protect": "VirtualProtect"}
LAZY = ("free", "reset", "offer")  # the system takes what it wants, when it wants it
NEEDS = {"charge_back": "Charge back", "residency_back": "Memory back",
         "cheapest_return": "Cheapest coming back"}
GIVES = ("charge and memory", "memory", "memory, when the system wants it", "nothing")
HEADINGS = ("call", "strategy", "step", "order", "gives back", "charged after", "resident after",
            "page tables", "mappings", "a page given back", "a page touched again",
            "faults", "mappings then", "charged then")


@dataclasses.dataclass(frozen=True)
class Price:
    """ns a page, with the confidence interval of the median."""

    ns: float
    low: float
    high: float

    def times(self, factor: float) -> "Price":
        return Price(self.ns * factor, self.low * factor, self.high * factor)

    def __str__(self):
        return time_interval_text(self.ns, self.low, self.high) if self.known \
            else time_text(self.ns)

    @property
    def known(self) -> bool:
        return not numpy.isnan(self.low)


@dataclasses.dataclass(frozen=True, eq=False)
class Returned:
    """What giving back did in one cell, by its row of the summary. `back`: giving back; `again`:
    making usable and touching again; `trip`: both. None where nothing was timed."""

    cell: Cell
    counts: pandas.Series
    pages: int  # given back
    back: Price | None
    again: Price | None
    trip: Price | None

    @property
    def kind(self) -> str:
        return self.cell.manner.purge

    @property
    def name(self) -> str:
        """As the system calls it."""
        own = ON_WINDOWS if self.counts.platform != "linux" else {}
        return (NAMES | own).get(self.kind, self.kind)

    @property
    def charge(self) -> float:
        """Bytes that are no longer charged."""
        return self.counts.commit_bytes - self.counts.purged_commit_bytes

    @property
    def resident(self) -> float:
        """Bytes that are no longer resident."""
        return self.counts.resident_bytes - self.counts.purged_resident_bytes

    @property
    def gives(self) -> str:
        charge, memory, later, nothing = GIVES
        if self.charge > 0:
            return charge
        if self.resident > 0:
            return memory
        return later if self.kind in LAZY else nothing


@dataclasses.dataclass(frozen=True)
class Choice:
    """The call for a need; `equal`: others whose time does not differ significantly, None where
    rounds are too few to tell."""

    need: str
    returned: Returned
    price: Price
    equal: list[Returned] | None


@dataclasses.dataclass(frozen=True)
class GivingBack:
    """All that a run says of it. `main`: each call by the same strategy, size and step, in the
    order of addresses. `unused`: the break-even of each of these that gives back memory at once."""

    cells: list[Returned]
    main: list[Returned]
    choices: list[Choice]
    steps: "BySteps | None"
    unused: list["BreakEven"]
    refused: pandas.DataFrame
    lacking: str  # what this machine can't do


@dataclasses.dataclass(frozen=True)
class BySteps:
    """What a call costs a page by the smallest step, as a multiple of what it costs by the usual
    one."""

    small: Returned
    usual: Returned
    ratio: Ratio


@dataclasses.dataclass(frozen=True)
class BreakEven:
    """How long memory must stay unused, in ns, for giving it back to take no larger a share of a
    CPU than it is of the memory that there is for each CPU."""

    returned: Returned
    unused: Price
    bytes_of_a_cpu: float


class Spent:
    """The times of a part of the cycle, or of several, in all that gave back; the spread is pooled
    over all of them."""

    def __init__(self, samples: pandas.DataFrame, strategies: dict[str, Strategy], *columns: str):
        ok = samples[(samples.status == "ok") & (samples.platform != "wine")]
        ok = ok.dropna(subset=list(columns))
        self.times = Times(ok.assign(cycle_ns=ok[list(columns)].sum(axis=1)), strategies)
        self.pooled = pooled_spread(self.times.logs.values())

    def price(self, cell: Cell, pages: int) -> Price | None:
        """For each of so many pages."""
        if cell not in self.times.logs:
            return None
        *interval, coverage = set_interval(self.times.logs[cell], CONFIDENCE, self.pooled)
        middle, low, high = numpy.exp(interval) / pages
        return Price(middle, low, high) if coverage >= CONFIDENCE else \
            Price(middle, numpy.nan, numpy.nan)


def returned_of(cell: Cell, counts: pandas.Series, spent: tuple[Spent, ...]) -> Returned:
    given = counts.purge_calls * cell.manner.purge_step
    pages = int(min(given, cell.touched) // counts.page_bytes)
    return Returned(cell, counts, pages, *(part.price(cell, pages) for part in spent))


def cells_of(summary: pandas.DataFrame, strategies: dict[str, Strategy],
             spent: tuple[Spent, ...]) -> list[Returned]:
    """Of the cells that gave back; those that were refused, or can't, have no counts of it."""
    counted = summary[(summary.purge_calls > 0) & (summary.samples > 0)].dropna(
        subset=["commit_bytes", "purged_commit_bytes", "resident_bytes", "purged_resident_bytes"])
    cells = [returned_of(cell_of(row, strategies), row, spent) for _, row in counted.iterrows()]
    return sorted(cells, key=lambda each: (each.cell.order != SEQUENTIAL, each.counts["rank"],
                                           each.cell.strategy.purge.index(each.kind),
                                           each.cell.manner.purge_step))


def main_of(cells: list[Returned]) -> list[Returned]:
    """Each call once: the largest region, by the strategy that comes first, at the default step or
    else the largest one."""
    cells = [each for each in cells if each.cell.order == SEQUENTIAL]
    if not cells:
        return []
    size = max(each.cell.size for each in cells)
    cells = [each for each in cells if each.cell.size == size]
    cells = [each for each in cells if each.cell.strategy == cells[0].cell.strategy]
    steps = {each.cell.manner.purge_step for each in cells}
    step = DEFAULT_STEP if DEFAULT_STEP in steps else max(steps)
    return [each for each in cells if each.cell.manner.purge_step == step]


def choose(need: str, among: list[Returned], times: Times, price) -> list[Choice]:
    """The cheapest by the times given; of those that do not differ, the first. Where rounds are too
    few, the one with the lowest median. `price(returned)`: what it costs."""
    among = [each for each in among if price(each)]
    if not among:
        return []
    block = {each.kind: each.cell for each in among}
    ratios = compare(times, [block])[0]
    if not ratios and len(block) > 1:
        lowest = min(among, key=lambda each: price(each).ns)
        return [Choice(need, lowest, price(lowest), None)]
    best = cheapest(block, ratios)
    first, *equal = [each for each in among if each.kind in best]
    return [Choice(need, first, price(first), equal)]


def choices_of(main: list[Returned], agains: Times, trips: Times) -> list[Choice]:
    charge, memory, later, _ = GIVES
    return [
        *choose("charge_back", [each for each in main if each.gives == charge], trips,
                lambda each: each.trip),
        *choose("residency_back", [each for each in main if each.gives in (charge, memory)], trips,
                lambda each: each.trip),
        *choose("cheapest_return", [each for each in main if each.gives in (charge, memory, later)],
                agains, lambda each: each.again)]


def unused_of(main: list[Returned], environment: dict) -> list[BreakEven]:
    """After Gray and Putzolu's rule of five minutes (SIGMOD 1987): what is kept costs its share of
    the memory, what is given back its share of a CPU's time."""
    memory, cores = environment["memory"]["total_bytes"], environment["processor"]["cores"]
    if not memory or not cores:
        return []
    of_a_cpu = memory / cores
    charge, at_once, *_ = GIVES
    return [BreakEven(each, each.trip.times(of_a_cpu / each.counts.page_bytes), of_a_cpu)
            for each in main if each.gives in (charge, at_once) and each.trip and each.trip.known]


def examine(samples: pandas.DataFrame, summary: pandas.DataFrame, strategies: dict[str, Strategy],
            environment: dict) -> GivingBack | None:
    """None where the run gave nothing back."""
    samples = samples[~samples.purge.isin(["", "none"])]
    summary = summary[~summary.purge.isin(["", "none"])]
    backs, agains, trips = (Spent(samples, strategies, *columns) for columns in (
        PURGE_LATENCIES[:1], PURGE_LATENCIES[1:], PURGE_LATENCIES))
    cells = cells_of(summary, strategies, (backs, agains, trips))
    refused = summary[summary.refused > 0]
    if not cells and refused.empty:
        return None
    main = main_of(cells)
    return GivingBack(cells, main, choices_of(main, agains.times, trips.times),
                      steps_of(cells, main, backs.times), unused_of(main, environment), refused,
                      not_measured(summary, strategies))


def steps_of(cells: list[Returned], main: list[Returned], times: Times) -> BySteps | None:
    """Of the call that comes first of those that give memory back at once."""
    usual = next((each for each in main if each.resident > 0), None)
    if usual is None:
        return None
    small = min((each for each in cells
                 if (each.kind, each.cell.strategy, each.cell.size, each.cell.order)
                 == (usual.kind, usual.cell.strategy, usual.cell.size, SEQUENTIAL)),
                key=lambda each: each.cell.manner.purge_step)
    if small == usual or not {small.cell, usual.cell} <= times.logs.keys():
        return None
    ratio = times.ratio(small.cell, usual.cell, CONFIDENCE)
    return BySteps(small, usual, ratio) if ratio.known else None


def names_text(calls) -> str:
    return listed(each.name for each in calls)


def step_text(each: Returned) -> str:
    return f"at a step of {size_text(each.cell.manner.purge_step)}"


def of_classes(main: list[Returned]) -> list[Sentence]:
    """What each call leaves: counts, which are exact."""
    if not main:
        return []
    first = main[0]
    clauses = []
    for gives in GIVES:
        if calls := [each for each in main if each.gives == gives]:
            clauses.append(f"{names_text(calls)} {'give' if len(calls) > 1 else 'gives'} back "
                           f"{gives}")
    return [Sentence(f"Of {size_text(first.cell.touched)} touched, {step_text(first)}, "
                     f"{'; '.join(clauses)}.", tuple(each.cell for each in main))]


def of_free(main: list[Returned]) -> list[Sentence]:
    """Does it return charge?"""
    free = next((each for each in main if each.kind == "free"), None)
    if free is None:
        return []
    charged = f"{size_text(free.counts.purged_commit_bytes)} of " \
        f"{size_text(free.counts.commit_bytes)} stay charged"
    resident = f"{size_text(free.counts.purged_resident_bytes)} stay resident until the system " \
        "wants them"
    returns = "returns charge" if free.charge > 0 else "returns no charge"
    return [Sentence(f"{free.name} {returns}: after it {charged}, and {resident}.", (free.cell,))]


def of_noreserve(cells: list[Returned]) -> list[Sentence]:
    """What is usable again without being charged."""
    hiding = [each for each in cells if each.charge > 0 and each.cell.order == SEQUENTIAL
              and each.counts.retouched_commit_bytes < each.counts.commit_bytes]
    names = dict.fromkeys(each.name for each in hiding)
    if not names:
        return []
    left = max(each.counts.retouched_commit_bytes for each in hiding)
    return [Sentence(f"What {listed(names)} gave back is never charged again: touched anew, "
                     f"{size_text(left)} of {size_text(hiding[0].counts.commit_bytes)} are "
                     "charged.", (hiding[0].cell,))]


def of_choice(choice: Choice) -> Sentence:
    purpose = {"charge_back": "To get charge back", "residency_back": "To get memory back",
               "cheapest_return": "To come back most cheaply"}[choice.need]
    what = "to touch again" if choice.need == "cheapest_return" else "to give back and touch again"
    text = f"{purpose}, use {choice.returned.name}: {choice.price} a page {what}, " \
        f"{step_text(choice.returned)}"
    if choice.equal is None:
        text += "; too few rounds to compare it with the others"
    elif choice.equal:
        text += f"; no significant difference to {names_text(choice.equal)}"
    return Sentence(f"{text}.", (choice.returned.cell,))


def of_steps(by_steps: BySteps) -> Sentence:
    small, usual, ratio = by_steps.small, by_steps.usual, by_steps.ratio
    interval = f"({ratio.low:.2f} to {ratio.high:.2f})"
    texts = [f"{size_text(each.cell.manner.purge_step)} a call" for each in (small, usual)]
    verdict = f"costs {ratio.median:.2f} times as much a page as {texts[1]} {interval}" \
        if ratio.sign else f"shows no significant difference to {texts[1]}: " \
        f"{ratio.median:.2f} times {interval}"
    return Sentence(f"Giving back by {usual.name}, {texts[0]}, {verdict}.",
                    (small.cell, usual.cell))


def of_scattered(cells: list[Returned]) -> list[Sentence]:
    """How mappings grow where every second step is given back, and whether they merge again."""
    scattered = [each for each in cells if each.cell.order == SCATTERED]
    if not scattered:
        return []
    step = min(each.cell.manner.purge_step for each in scattered)
    calls = {each.name: each for each in scattered if each.cell.manner.purge_step == step}
    alike: dict[tuple, list[Returned]] = {}
    for each in calls.values():
        alike.setdefault((each.counts.purged_region_count, each.counts.retouched_region_count),
                         []).append(each)
    clauses = [f"{count_text(then)} after {names_text(those)}, and {count_text(again)} once it is "
               "touched again" for (then, again), those in sorted(alike.items(), reverse=True)]
    return [Sentence(f"Where every second {size_text(step)} of "
                     f"{size_text(scattered[0].cell.size)} is given back, it has mappings: "
                     f"{'; '.join(clauses)}.", tuple(each.cell for each in calls.values()))]


def of_unused(unused: list[BreakEven], choices: list[Choice]) -> list[Sentence]:
    """When to give back, by the call for getting memory back."""
    chosen = [choice.returned for choice in choices if choice.need == "residency_back"]
    for each in unused:
        if each.returned in chosen:
            low, high = time_text(each.unused.low), time_text(each.unused.high)
            return [Sentence(
                f"Giving back by {each.returned.name} pays where memory stays unused for "
                f"{time_text(each.unused.ns)} or longer ({low} to {high}): giving back and "
                f"touching again takes {each.returned.trip} a page, and a CPU of this machine has "
                f"{size_text(each.bytes_of_a_cpu)} of memory.", (each.returned.cell,))]
    return []


def of_refused(refused: pandas.DataFrame, strategies: dict[str, Strategy]) -> list[Sentence]:
    sentences = []
    for _, row in refused.iterrows():
        cell = cell_of(row, strategies)
        at = f" at {count_text(row.region_count)} mappings" if row.region_count > 0 else ""
        sentences.append(Sentence(f"Giving back was refused{at}: {cell} of "
                                  f"{size_text(cell.size)}, {cell.order}: {row.error}.", (cell,)))
    return sentences


def line_of(each: Returned) -> Line:
    counts = each.counts
    prices = tuple("" if price is None else str(price) for price in (each.back, each.again))
    return Line(each.cell, (
        each.name, each.cell.strategy.name, size_text(each.cell.manner.purge_step),
        each.cell.order, each.gives, size_text(counts.purged_commit_bytes),
        size_text(counts.purged_resident_bytes),
        "" if pandas.isna(counts.purged_table_bytes) else size_text(counts.purged_table_bytes),
        count_text(counts.purged_region_count), *prices,
        "" if pandas.isna(counts.retouch_minor_faults)
        else count_text(counts.retouch_minor_faults),
        count_text(counts.retouched_region_count), size_text(counts.retouched_commit_bytes)))


def section(found: GivingBack, strategies: dict[str, Strategy]) -> Section:
    sentences = [*of_free(found.main), *of_classes(found.main), *of_noreserve(found.cells),
                 *map(of_choice, found.choices),
                 *([of_steps(found.steps)] if found.steps else []),
                 *of_unused(found.unused, found.choices), *of_scattered(found.cells),
                 *of_refused(found.refused, strategies)]
    return Section("giving-back", "Giving memory back", sentences, HEADINGS,
                   list(map(line_of, found.main)),
                   [line_of(each) for each in found.cells if each not in found.main],
                   "Counts are exact. Times are medians for each page given back, with their "
                   "confidence intervals; touching again holds what makes it usable. Giving back "
                   "pays where its time is a smaller share of a CPU than the memory is of what "
                   "there is for each CPU." + found.lacking)


def price_json(price: Price | None, name: str) -> dict:
    """{} where nothing was timed."""
    if price is None:
        return {}
    ends = {f"{name}_low": round(price.low, 1), f"{name}_high": round(price.high, 1)}
    return {name: round(price.ns, 1)} | (ends if price.known else {})


def returned_json(each: Returned) -> dict:
    columns = ("purge_calls", "purged_commit_bytes", "purged_resident_bytes",
               "purged_table_bytes", "purged_region_count", "retouch_minor_faults",
               "retouched_commit_bytes", "retouched_region_count")
    counts = {column: each.counts[column] for column in columns}
    return cell_json(each.cell) | {"call": each.name, "gives_back": each.gives} | {
        column: round(float(count), 6) for column, count in counts.items()
        if not pandas.isna(count)} | price_json(each.back, "purge_ns_per_page") \
        | price_json(each.again, "retouch_ns_per_page")


def as_json(found: GivingBack) -> dict:
    return {
        "calls": list(map(returned_json, found.cells)),
        "choices": [{"need": choice.need, "purge": choice.returned.kind,
                     "call": choice.returned.name,
                     "purge_step_bytes": choice.returned.cell.manner.purge_step,
                     "equal": None if choice.equal is None else
                     [each.kind for each in choice.equal],
                     **price_json(choice.price, "ns_per_page")} for choice in found.choices],
        "break_even": [{"purge": each.returned.kind, "bytes_of_a_cpu": round(each.bytes_of_a_cpu),
                        **price_json(each.unused, "unused_ns")} for each in found.unused]}
