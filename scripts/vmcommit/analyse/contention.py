"""What a commit costs among others: by several threads of one address space, beside as many
processes and beside a single thread.

The same pages are made usable with more commit calls and with fewer: the line through these times
has a commit call's price for its slope. Where threads have a steeper one than processes, which use
the same CPUs and the same memory, that is what one address space costs, its lock above all. A set
has all of these, so each gives a price of its own.
"""

import dataclasses

import numpy
import pandas

from vmcommit.analyse.answer import Estimate
from vmcommit.base.cells import OWN, PROCESSES, Cell
from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.statistics import set_interval, shared
from vmcommit.base.strategies import UPFRONT, Strategy

ONE = ""  # a single thread shares nothing
Lines = dict[str, pandas.DataFrame]  # {what threads share: ns by set, of each number of commits}


@dataclasses.dataclass(frozen=True)
class Price:
    """Of a commit call, in ns, with the handled fault in which a strategy makes it; of a touched
    page where a strategy commits once. `alone`: by a single thread; `shared`: so much more by
    threads of one address space than by processes; `more`: so much more than by a single thread,
    and `page` the same of a page. `size` and `pages`: what each thread has."""

    strategy: Strategy
    threads: int
    size: int
    cells: tuple[Cell, ...]
    alone: Estimate
    shared: Estimate
    more: Estimate
    page: Estimate
    pages: int

    @property
    def per(self) -> str:
        """Of model.TERMS."""
        return "pages" if self.strategy.step == "size" else \
            "handled_faults" if self.strategy.handles_faults else "commit_calls"


def lines_of(rows: pandas.DataFrame, strategy: Strategy) -> Lines:
    """Of a strategy, and of upfront, which commits once."""
    rows = rows[rows.strategy.isin([UPFRONT, strategy.name])]
    commits = rows.commit_calls / rows.threads
    return {share: each.pivot_table("cycle_ns", "round", commits).dropna()
            for share, each in rows.groupby(rows.share.where(rows.threads > 1, ONE))}


def slopes(times: pandas.DataFrame) -> tuple[pandas.Series, pandas.Series]:
    """(slope, level without any commit) of each set's line, by least squares; a level one where
    all commit alike."""
    commits = times.columns.to_numpy(float)
    apart = commits - commits.mean()
    slope = times @ (apart / max(apart @ apart, 1))
    return slope, times.mean(axis=1) - slope * commits.mean()


def estimate(values: pandas.Series, confidence: float) -> Estimate:
    middle, low, high, coverage = set_interval(values, confidence)
    return Estimate(middle, low, high) if coverage >= confidence else \
        Estimate(middle, numpy.nan, numpy.nan)


def price_of(strategy: Strategy, threads: int, lines: Lines, cells: tuple[Cell, ...], pages: int,
             confidence: float) -> Price:
    one, own, processes = (lines[share] for share in (ONE, OWN, PROCESSES))
    alone, more_than_processes, more = (slopes(times.dropna()) for times in (
        one, own - processes, own - one))

    def of(line):
        slope, level = line
        return estimate(level / pages if strategy.step == "size" else slope, confidence)

    return Price(strategy, threads, cells[0].size, cells, of(alone), of(more_than_processes),
                 of(more), estimate(more[1] / pages, confidence), pages)


def whole(lines: Lines) -> bool:
    """Whether threads, processes and a single one made the same commits."""
    columns = [set(lines[share].columns) for share in (ONE, OWN, PROCESSES) if share in lines]
    return len(columns) == 3 and all(each == columns[0] for each in columns) \
        and len(columns[0]) > 0


def prices(rows: pandas.DataFrame, strategies: dict[str, Strategy], cpus: int) -> list[Price]:
    """By numbers of threads that there are CPUs for. `rows`: as threads.rows_of() gives them."""
    known = rows[(rows.status == "ok") & ~rows.in_turns & (rows.platform != "wine")]
    found = []
    several = known[(known.threads > 1) & (known.threads <= cpus)
                    & known.share.isin([OWN, PROCESSES])]
    for (threads, part), own in several.groupby(["threads", "part"]):
        beside = known[(known.threads == 1) & (known.part == part)
                       & known["round"].isin(own["round"])]
        for strategy in strategies.values():
            lines = lines_of(pandas.concat([own, beside]), strategy)
            if whole(lines):
                cells = own.cell[(own.strategy == strategy.name) & (own.share == OWN)]
                found.append((strategy, int(threads), lines, tuple(dict.fromkeys(cells)),
                              int(beside.page_count.iloc[0])))
    confidence = shared(len(found), CONFIDENCE)
    return [price_of(*each, confidence) for each in found]
