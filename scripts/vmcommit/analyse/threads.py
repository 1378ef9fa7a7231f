"""How strategies scale with threads: pages made usable a second, processor time and acquisitions of
the address space's lock for each page.

What is counted is the same whatever the number of CPUs. The clock tells of scaling only where each
thread has a CPU: beyond that it tells of the scheduler, and nothing is said of it.
"""

import dataclasses
import functools

import numpy
import pandas

from vmcommit.analyse import contention
from vmcommit.analyse.answer import Estimate, Ratio
from vmcommit.analyse.claims import interval_text
from vmcommit.analyse.section import Line, Section, cell_json, not_measured
from vmcommit.analyse.sentences import Sentence
from vmcommit.base.cells import (OWN, PLAIN, PROCESSES, SAME_PAGES, SHARES, STRIPES, Cell,
                                 cell_of)
from vmcommit.base.conventions import CONFIDENCE, DEFAULT_STEP
from vmcommit.base.runs import pages_of
from vmcommit.base.statistics import pooled_spread, set_interval, shared
from vmcommit.base.strategies import Strategy
from vmcommit.base.text import counted, listed
from vmcommit.base.units import count_text, size_text, time_interval_text, time_text

HEADINGS = ("threads", "they have", "strategy", "pages a second", "times one thread's",
            "time, times processes'", "processor time a page", "lock taken a page",
            "commit calls a page",
            "handled faults a page", "minor faults a page", "mappings", "waits a cycle")
PRICED = {"pages": "a page of {}", "commit_calls": "a commit call of {}",
          "handled_faults": "a handled fault of {}, its commit included,"}
COUNTED = {"locks": "lock_count", "commits": "commit_calls", "handled": "handled_faults",
           "minor": "minor_faults"}


@dataclasses.dataclass(frozen=True, eq=False)
class Scaled:
    """A strategy with so many threads, 1 for none beside it. `speed`: pages a second, and `times`:
    that as a multiple of one thread's; None where there are more threads than CPUs, or nothing to
    compare with. `a_page`: {name of COUNTED: how often}, NaN where unknown."""

    cell: Cell
    threads: int
    speed: Estimate | None
    times: Ratio | None
    cpu_ns: Estimate | None
    a_page: dict
    pages: float
    mappings: float
    waits: float

    @property
    def share(self) -> str:
        return self.cell.manner.share

    @property
    def name(self) -> str:
        return self.cell.choice

    @property
    def locks(self) -> float:
        """Acquisitions of the lock a page, or, where they could not be counted, calls that commit,
        each of which takes it."""
        return self.a_page["locks"] if self.locks_counted else self.a_page["commits"]

    @property
    def locks_counted(self) -> bool:
        return not numpy.isnan(self.a_page["locks"])


@dataclasses.dataclass(frozen=True)
class Scaling:
    """All that a run says of it. `beside`: {what threads with a region each do: its time as a
    multiple of what as many processes take}. `prices`: of a commit among others."""

    cpus: int
    all: list[Scaled]
    beside: dict[Cell, Ratio]
    prices: list[contention.Price]
    lacking: str  # what this machine can't do

    @functools.cached_property
    def counted(self) -> bool:
        """Whether acquisitions of the lock were."""
        return all(each.locks_counted for each in self.all)

    def of(self, share: str, threads: int) -> list[Scaled]:
        """In the order of tables."""
        return [each for each in self.all if (each.share, each.threads) == (share, threads)]

    def by_threads(self, share: str) -> dict[str, list[Scaled]]:
        """{strategy's name: by threads}, from a single one on, which shares nothing."""
        lines: dict[str, list[Scaled]] = {}
        for each in self.all:
            if each.share in ("", share):
                lines.setdefault(each.cell.strategy.name, []).append(each)
        return {name: line for name, line in lines.items() if len(line) > 1}

    @property
    def shares(self) -> list[str]:
        there = {each.share for each in self.all}
        return [share for share in SHARES if share in there]

    @property
    def in_full(self) -> bool:
        """Or asked in brief, beside other questions."""
        return len(self.shares) > 1

    @property
    def told(self) -> int:
        """The most threads of which times tell."""
        return max((each.threads for each in self.all if each.threads <= self.cpus), default=0)

    @property
    def most(self) -> int:
        return max(each.threads for each in self.all)


def cpus_of(environment: dict) -> int:
    """That threads could use."""
    processor = environment["processor"]
    return processor["cores_usable"] or processor["cores"] or 1


def rows_of(samples: pandas.DataFrame, strategies: dict[str, Strategy]) -> pandas.DataFrame:
    """Rows of several threads, and of single ones in the same rounds; with the part that each
    thread has, the cell, and whether they took turns."""
    parts = samples.size_bytes / samples.threads.where(samples.share == STRIPES, 1)
    rows = samples.assign(part=parts, page_count=pages_of(samples))
    several = rows[rows.threads > 1]
    beside = several[["platform", "part", "round"]].drop_duplicates()
    alone = rows[rows.plain & (rows.touch_order == "sequential")
                 & (rows.touched_bytes == rows.size_bytes)]
    table = pandas.concat([alone.merge(beside, on=["platform", "part", "round"]), several],
                          ignore_index=True)
    table["cell"] = [cell_of(row, strategies) for row in table.itertuples()]
    table["in_turns"] = table["turns"] != "" if "turns" in table else False
    return table


def usual_steps(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Those of one step, by which strategies are compared."""
    return rows[~rows.stepped | (rows.chunk_bytes == DEFAULT_STEP)]


def timed_rows(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Those that took turns, where any did: a process for each sample meets other noise, and other
    caches."""
    return rows[rows.in_turns] if rows.in_turns.any() else rows


def logs_of(rows: pandas.DataFrame, column: str) -> dict[Cell, pandas.Series]:
    """{cell: logarithms of a column for each page, by round}"""
    known = rows[(rows.status == "ok") & (rows[column] > 0)]
    return {cell: numpy.log(each[column] / each.page_count).set_axis(each["round"])
            for cell, each in known.groupby("cell", sort=False)}


def estimates(logs: dict[Cell, pandas.Series]) -> dict[Cell, Estimate]:
    """Medians; the spread is pooled over all cells."""
    pooled = pooled_spread(logs.values())
    found = {}
    for cell, values in logs.items():
        *interval, coverage = set_interval(values, CONFIDENCE, pooled)
        median, low, high = numpy.exp(interval)
        ends = (low, high) if coverage >= CONFIDENCE else (numpy.nan, numpy.nan)
        found[cell] = Estimate(median, *ends)
    return found


def ratios(logs: dict[Cell, pandas.Series], pairs: dict[Cell, Cell]) -> dict[Cell, Ratio]:
    """{cell: what it takes, as a multiple of what the other one of its pair does}, in the rounds
    that have both; all hold together."""
    paired = {cell: difference for cell, base in pairs.items()
              if cell in logs and base in logs
              and len(difference := (logs[cell] - logs[base]).dropna())}
    pooled, confidence = pooled_spread(paired.values()), shared(len(paired), CONFIDENCE)
    found = {}
    for cell, difference in paired.items():
        *interval, coverage = set_interval(difference, confidence, pooled)
        median, low, high = numpy.exp(interval)
        found[cell] = Ratio(median, low, high, bool(coverage >= confidence))
    return found


def inverse(ratio: Ratio) -> Ratio:
    """Of speeds, from that of times."""
    return Ratio(1 / ratio.median, 1 / ratio.high, 1 / ratio.low, ratio.known)


def speed_of(time: Estimate) -> Estimate:
    """Pages a second, from ns a page."""
    return Estimate(1e9 / time.value, 1e9 / time.high, 1e9 / time.low)


def single_of(cell: Cell) -> Cell:
    """One thread that does what each of these does."""
    threads = cell.manner.threads if cell.manner.share == STRIPES else 1
    chunk = cell.chunk // threads if cell.strategy.step == "size" else cell.chunk
    return dataclasses.replace(cell, size=cell.size // threads, touched=cell.touched // threads,
                               chunk=chunk, manner=PLAIN)


def processes_of(cell: Cell) -> Cell:
    return dataclasses.replace(cell, manner=dataclasses.replace(cell.manner, share=PROCESSES))


def usual(values: pandas.Series) -> float:
    """Of counts: what on the same pages is not the same in each round has a median."""
    return float(values.dropna().median()) if values.notna().any() else numpy.nan


def place_of(each: Scaled, names: list[str]) -> tuple:
    return (each.threads, list(SHARES).index(each.share or OWN),
            names.index(each.cell.strategy.name))


@dataclasses.dataclass(frozen=True)
class Measured:
    """What is estimated of cells, each where it could be."""

    speeds: dict[Cell, Estimate]
    times: dict[Cell, Ratio]
    cpu: dict[Cell, Estimate]
    beside: dict[Cell, Ratio]


def measure(rows: pandas.DataFrame, cpus: int) -> Measured:
    """`rows`: those whose times mean something."""
    told = rows[rows.threads <= cpus]
    logs = logs_of(timed_rows(told), "cycle_ns")
    several = [cell for cell in logs if cell.manner.threads]
    times = ratios(logs, {cell: single_of(cell) for cell in several})
    beside = ratios(logs_of(told[~told.in_turns], "cycle_ns"),
                    {cell: processes_of(cell) for cell in several if cell.manner.share == OWN})
    return Measured({cell: speed_of(time) for cell, time in estimates(logs).items()},
                    {cell: inverse(ratio) for cell, ratio in times.items()},
                    estimates(logs_of(timed_rows(rows), "cpu_ns")), beside)


def scaled_of(cell: Cell, rows: pandas.DataFrame, measured: Measured) -> Scaled:
    pages = rows.page_count
    return Scaled(cell, int(rows.threads.iloc[0]), measured.speeds.get(cell),
                  measured.times.get(cell), measured.cpu.get(cell),
                  {name: usual(rows[column] / pages) for name, column in COUNTED.items()},
                  float(pages.iloc[0]), usual(rows.region_count), usual(rows.voluntary_switches))


def examine(samples: pandas.DataFrame, summary: pandas.DataFrame, strategies: dict[str, Strategy],
            environment: dict) -> Scaling | None:
    """None where the run has no threads. `summary`: for what was not measured."""
    if not ((samples.threads > 1) & (samples.status == "ok")).any():
        return None
    every, cpus = rows_of(samples, strategies), cpus_of(environment)
    rows = usual_steps(every[every.part == every.part[every.threads > 1].max()])
    measured = measure(rows[rows.platform != "wine"], cpus)
    found = [scaled_of(cell, each, measured) for cell, each in
             rows[rows.status == "ok"].groupby("cell", sort=False)]
    found.sort(key=lambda each: place_of(each, list(strategies)))
    return Scaling(cpus, found, measured.beside, contention.prices(every, strategies, cpus),
                   not_measured(summary[summary.threads > 1], strategies))


# --- In words ---

def often(value: float) -> str:
    """How often a page: 1, 0.0625, 0.0002"""
    return f"{value:.3g}" if value >= 0.001 or value == 0 else f"{value:.1g}"


SHARING = {OWN: "with a region each", STRIPES: "with a stripe each",
           SAME_PAGES: "on the same pages"}


def threads_text(threads: int, share: str) -> str:
    """2 threads with a region each"""
    return f"{threads} processes" if share == PROCESSES else f"{threads} threads {SHARING[share]}"


def a_page_text(each: Scaled) -> str:
    """once a page; 0.0664 times a page; 13 times in all"""
    if each.cell.strategy.step == "size":
        return f"{count_text(each.locks * each.pages)} times in all"
    return "once a page" if round(each.locks, 2) == 1 else f"{often(each.locks)} times a page"


def cells_in(found: list[Scaled]) -> tuple[Cell, ...]:
    return tuple(each.cell for each in found)


def of_locks(scaling: Scaling) -> list[Sentence]:
    """How often the lock is taken: by the most threads that have a region each, or whatever there
    is."""
    share = scaling.shares[0]
    found = sorted(scaling.of(share, scaling.most), key=lambda each: -each.locks)
    if not found:
        return []
    known = "" if scaling.counted else "Each call that commits takes the address space's lock. "
    what = "takes the address space's lock" if scaling.counted else "makes such calls"
    first, *others = [each for each in found if each.cell.strategy.step != "size"] or found
    clauses = [f"{first.name} {what} {a_page_text(first)}"] + [
        f"{each.name} {a_page_text(each)}" for each in found if each is not first]
    text = f"{known}By {threads_text(scaling.most, share)}, {', '.join(clauses)}."
    if others and others[-1].locks:
        text += f" {first.name} takes it {first.locks / others[-1].locks:.3g} times as often as " \
            f"{others[-1].name}."
    return [Sentence(text, cells_in(found))]


def of_growth(scaling: Scaling) -> list[Sentence]:
    """Whether more threads take it more often for each page."""
    lines = [line for share in (OWN, STRIPES) for line in scaling.by_threads(share).values()]
    grown = [line[-1] for line in lines if line[-1].locks > line[0].locks + 0.01]
    if grown or not lines:
        return [Sentence(f"With {threads_text(each.threads, each.share)} {each.name} takes it "
                         f"{often(each.locks)} times a page, more often than a single thread.",
                         (each.cell,)) for each in grown]
    return [Sentence("How often that is for each page does not depend on the number of threads.",
                     cells_in([line[-1] for line in lines]))]


def of_speed(scaling: Scaling) -> list[Sentence]:
    """A sentence for each way of sharing; the first one says what is told."""
    sentences: list[Sentence] = []
    lead = f"Pages a second of {scaling.told} threads, as a multiple of one's, "
    for share, way in SHARING.items():
        found = [each for each in scaling.of(share, scaling.told)
                 if each.times and each.times.known]
        if not found:
            continue
        clauses = ", ".join(f"{each.name} {times_text(each.times)}" for each in found)
        perfect = 1 if share == SAME_PAGES else scaling.told
        way = way.capitalize() if sentences else lead + way
        sentences.append(Sentence(f"{way} ({perfect} is perfect): {clauses}.", cells_in(found)))
    return sentences


def beside_text(ratio: Ratio) -> str:
    interval = interval_text((ratio.median, ratio.low, ratio.high))
    return f"takes {interval} as long" if ratio.sign else \
        f"shows no significant difference, {interval}"


def of_processes(scaling: Scaling) -> list[Sentence]:
    """What is the address space's, and not the machine's memory's."""
    found = [each for each in scaling.of(OWN, scaling.told)
             if each.cell in scaling.beside and scaling.beside[each.cell].known]
    if not found:
        return []
    clauses = [f"{each.name} {beside_text(scaling.beside[each.cell])}" for each in found]
    return [Sentence(f"Against {scaling.told} processes that do the same, which share no lock, "
                     f"{threads_text(scaling.told, OWN)}: {'; '.join(clauses)}.",
                     cells_in(found))]


def price_text(price: contention.Price) -> str:
    """a commit call of chunked 120 ns more (100 ns to 140 ns), beside 400 ns alone"""
    interval = time_interval_text(price.shared.value, price.shared.low, price.shared.high)
    what = PRICED[price.per].format(price.strategy)
    return f"{what} costs {interval} more, beside {time_text(price.alone.value)} alone" \
        if price.shared.sign else f"{what} shows no significant difference, {interval}"


def of_prices(scaling: Scaling) -> list[Sentence]:
    """What a commit costs that meets others', apart from what CPUs and memory cost."""
    sentences = []
    least = {price.threads: min(each.size for each in scaling.prices
                                if each.threads == price.threads) for price in scaling.prices}
    for threads, size in least.items():
        known = [price for price in scaling.prices if price.shared.known
                 and (price.threads, price.size) == (threads, size)]
        if known:
            clauses = "; ".join(map(price_text, known))
            sentences.append(Sentence(f"Among {threads} threads of one address space instead of "
                                      f"as many processes, of {size_text(size)} each, {clauses}.",
                                      tuple(cell for price in known for cell in price.cells)))
    return sentences


def of_cpus(scaling: Scaling) -> list[Sentence]:
    """What can't be told here."""
    beyond = sorted({each.threads for each in scaling.all if each.threads > scaling.cpus})
    if not beyond:
        return []
    found = [each for each in scaling.all if each.threads in beyond]
    return [Sentence(f"With {counted(scaling.cpus, 'CPU')}, how {listed(map(str, beyond))} threads "
                     "scale can't be told by the clock, which would tell of the scheduler: what is "
                     "counted of them holds, and no time of theirs is given.", cells_in(found))]


def estimate_text(estimate: Estimate | None, text) -> str:
    if estimate is None:
        return ""
    if not estimate.known:
        return text(estimate.value)
    return f"{text(estimate.value)} ({text(estimate.low)} to {text(estimate.high)})"


def times_text(ratio: Ratio | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio.median:.2f}" + (f" ({ratio.low:.2f} to {ratio.high:.2f})" if ratio.known
                                    else "")


def or_empty(value: float, text) -> str:
    return "" if numpy.isnan(value) else text(value)


def line_of(each: Scaled, scaling: Scaling) -> Line:
    return Line(each.cell, (
        str(each.threads), SHARES[each.share] if each.share else "", each.name,
        estimate_text(each.speed, count_text), times_text(each.times),
        times_text(scaling.beside.get(each.cell)), estimate_text(each.cpu_ns, time_text),
        *(or_empty(count, often) for count in each.a_page.values()),
        or_empty(each.mappings, count_text), or_empty(each.waits, "{:.3g}".format)))


def section(scaling: Scaling) -> Section:
    shown = [each for each in scaling.all if each.threads == 1
             or each.share in scaling.shares[:1]]
    cell = scaling.all[0].cell
    return Section(
        "threads", "How strategies scale with threads",
        [*of_locks(scaling), *of_growth(scaling),
         *of_speed(scaling), *of_processes(scaling), *of_prices(scaling), *of_cpus(scaling)],
        HEADINGS,
        [line_of(each, scaling) for each in shown],
        [line_of(each, scaling) for each in scaling.all if each not in shown],
        f"Each thread has {size_text(cell.size)}, all of it touched, and they begin together. "
        "Pages a second are of all threads, from the first one's start to the last one's end. "
        "Counts are of all threads, and exact but for the same pages, where several may commit a "
        "page, or wait for it. Ratios are paired by set, and their confidence intervals hold "
        "together." + ("" if scaling.counted else " How often the lock was taken was not "
                       "counted: that needs root and a mounted tracefs.") + scaling.lacking)


# --- For programs ---

def figures_json(name: str, estimate: Estimate | None, digits=1) -> dict:
    if estimate is None:
        return {}
    ends = {f"{name}_low": round(estimate.low, digits),
            f"{name}_high": round(estimate.high, digits)} if estimate.known else {}
    return {name: round(estimate.value, digits)} | ends


def ratio_json(name: str, ratio: Ratio | None) -> dict:
    if ratio is None:
        return {}
    return figures_json(name, Estimate(ratio.median, *(
        (ratio.low, ratio.high) if ratio.known else (numpy.nan, numpy.nan))), 4)


def scaled_json(each: Scaled, scaling: Scaling) -> dict:
    counts = {f"{COUNTED[name]}_per_page": round(count, 6) for name, count in each.a_page.items()
              if not numpy.isnan(count)}
    return cell_json(each.cell) | {"threads": each.threads} | counts \
        | figures_json("pages_per_s", each.speed) | figures_json("cpu_ns_per_page", each.cpu_ns) \
        | ratio_json("times_one_thread", each.times) \
        | ratio_json("times_processes", scaling.beside.get(each.cell))


def price_json(price: contention.Price) -> dict:
    return {"strategy": price.strategy.name, "threads": price.threads, "per": price.per,
            "size_bytes": price.size, "significant": bool(price.shared.sign)} \
        | figures_json("alone_ns", price.alone) | figures_json("shared_ns", price.shared) \
        | figures_json("more_ns", price.more)


def as_json(scaling: Scaling) -> dict:
    return {"cpus": scaling.cpus, "cells": [scaled_json(each, scaling) for each in scaling.all],
            "prices": list(map(price_json, scaling.prices))}
