"""By which call to commit: kinds of commit, growing steps and larger pages, each against what the
same strategy does by default at the same step, measured in the same sets."""

import dataclasses
import math

import pandas

from vmcommit.analyse.answer import Ratio, Times
from vmcommit.analyse.claims import interval_text
from vmcommit.analyse.section import Line, Section, cell_json, not_measured
from vmcommit.analyse.sentences import TOO_FEW, Sentence
from vmcommit.base.cells import PLAIN, Cell, Manner, cell_of
from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.statistics import shared
from vmcommit.base.strategies import Strategy
from vmcommit.base.units import count_text, size_text

HEADINGS = ("manner", "strategy", "step", "time, times the default's", "commit calls",
            "minor faults", "mappings", "charged", "resident")


@dataclasses.dataclass(frozen=True)
class Beside:
    """A manner of committing at one step, and its time as a multiple of the default one's."""

    cell: Cell
    base: Cell
    ratio: Ratio


@dataclasses.dataclass(frozen=True)
class Compared:
    """A strategy in one manner, by its steps, ascending; a single one for a strategy without. All
    of the region is touched."""

    strategy: Strategy
    manner: Manner
    size: int
    steps: list[Beside]

    @property
    def usual(self) -> str:
        """What the default of that manner is called."""
        if self.manner.commit:
            return self.strategy.commit[0]
        return "steps of the same size" if self.manner.growth else "base pages"

    @property
    def name(self) -> str:
        if self.manner.pages:
            return f"pages of {self.manner.pages.removeprefix('thp-').replace('K', ' KiB')}"
        return self.manner.commit or "doubling the step"


def pairs_of(times: Times) -> list[tuple[Cell, Cell]]:
    """(a cell of another manner, that of the default one), largest size alone."""
    others = [cell for cell in times.logs if cell.manner != PLAIN and cell.touched == cell.size]
    size = max((cell.size for cell in others), default=0)
    pairs = [(cell, dataclasses.replace(cell, manner=PLAIN)) for cell in others
             if cell.size == size]
    return [(cell, base) for cell, base in pairs
            if base in times.logs and len(times.paired(cell, base))]


def place_of(cell: Cell, names: list[str]) -> tuple:
    """Where it stands: by strategies and by kinds as they are listed, then by steps."""
    manner, kinds = cell.manner, cell.strategy.commit
    return (names.index(cell.strategy.name), manner.pages, manner.growth,
            kinds.index(manner.commit) if manner.commit in kinds else 0, cell.chunk)


def compare(samples: pandas.DataFrame, strategies: dict[str, Strategy]) -> list[Compared]:
    """`samples`: those whose times mean something, of what gives nothing back."""
    times = Times(samples, strategies)
    pairs = pairs_of(times)
    confidence = shared(len(pairs), CONFIDENCE)
    found: dict[tuple, list[Beside]] = {}
    for cell, base in sorted(pairs, key=lambda pair: place_of(pair[0], list(strategies))):
        found.setdefault((cell.strategy, cell.manner, cell.size), []).append(
            Beside(cell, base, times.ratio(cell, base, confidence)))
    return [Compared(strategy, manner, size, steps)
            for (strategy, manner, size), steps in found.items()]


def ratio_text(ratio: Ratio) -> str:
    """1.47 times (1.43 to 1.52)"""
    if not ratio.known:
        return f"{ratio.median:.2f} times {TOO_FEW}"
    return interval_text((ratio.median, ratio.low, ratio.high))


def share_text(ratio: Ratio) -> str:
    """23 % of the time (21 to 25)"""
    return f"{100 * (1 - ratio.median):.0f} % of the time ({100 * (1 - ratio.high):.0f} to " \
        f"{100 * (1 - ratio.low):.0f})"


def not_slower_from(compared: Compared) -> int | None:
    """The smallest step from which on no step is significantly slower; None if the largest is, or
    if some is not known."""
    if not all(each.ratio.known for each in compared.steps):
        return None
    slower = [at for at, each in enumerate(compared.steps) if each.ratio.sign > 0]
    first = slower[-1] + 1 if slower else 0
    return compared.steps[first].cell.chunk if first < len(compared.steps) else None


def faster_from(compared: Compared) -> int | None:
    """The smallest step from which on each step is significantly faster; None if the largest is
    not."""
    slow = [at for at, each in enumerate(compared.steps) if each.ratio.sign >= 0]
    first = slow[-1] + 1 if slow else 0
    return compared.steps[first].cell.chunk if first < len(compared.steps) else None


def at_step(each: Beside) -> str:
    return f" at a step of {size_text(each.cell.chunk)}" if each.cell.step else ""


def change_text(each: Beside) -> str:
    """saves 31 % of the time (27 to 35) at a step of 2 MiB"""
    ratio = each.ratio
    if ratio.sign < 0:
        return f"saves {share_text(ratio)}{at_step(each)}"
    if ratio.sign > 0:
        return f"takes {ratio_text(ratio)} the time{at_step(each)}"
    return f"shows no significant difference{at_step(each)}, {ratio_text(ratio)}"


def start_of(compared: Compared) -> str:
    return f"At {size_text(compared.size)} by {compared.strategy}, "


def sentence_in(compared: Compared, text: str) -> Sentence:
    return Sentence(f"{start_of(compared)}{text}.", tuple(each.cell for each in compared.steps))


def at(compared: Compared, step: int) -> Beside:
    return next(each for each in compared.steps if each.cell.chunk == step)


def of_remap(compared: Compared) -> Sentence:
    """Is it slower, and from which step not?"""
    slower = [each for each in compared.steps if each.ratio.sign > 0]
    if not slower:
        most = max(compared.steps, key=lambda each: each.ratio.median)
        return sentence_in(compared, f"{compared.name} is at no measured step significantly slower "
                           f"than {compared.usual}: at most {ratio_text(most.ratio)}"
                           f"{at_step(most)}")
    text = f"{compared.name} is slower than {compared.usual}: " + ", ".join(
        f"{ratio_text(each.ratio)}{at_step(each)}" for each in slower)
    step = not_slower_from(compared)
    if step is None:
        return sentence_in(compared, text)
    return sentence_in(compared, f"{text}; from {size_text(step)} on it is not, "
                       f"{ratio_text(at(compared, step).ratio)}")


def of_change(compared: Compared) -> Sentence:
    """What another manner saves, at both ends of the steps."""
    ends = dict.fromkeys((compared.steps[0], compared.steps[-1]))
    if len(ends) > 1 and not any(each.ratio.sign for each in compared.steps):
        most = max(compared.steps, key=lambda each: abs(math.log(each.ratio.median)))
        return sentence_in(compared, f"{compared.name} shows no significant difference to "
                           f"{compared.usual} at any measured step: at most "
                           f"{ratio_text(most.ratio)}{at_step(most)}")
    changes = ", and ".join(map(change_text, ends))
    return sentence_in(compared, f"beside {compared.usual}, {compared.name} {changes}")


def of_pages(compared: Compared) -> Sentence:
    """From which step do they pay?"""
    step = faster_from(compared)
    if step is None:
        last = compared.steps[-1]
        return sentence_in(compared, f"{compared.name} pay with no measured step: "
                           f"{ratio_text(last.ratio)} the time of base pages{at_step(last)}")
    return sentence_in(compared, f"{compared.name} pay from steps of {size_text(step)} on: "
                       f"{ratio_text(at(compared, step).ratio)} the time of base pages")


def of_hidden(rows: pandas.DataFrame, strategies: dict[str, Strategy]) -> list[Sentence]:
    """What NORESERVE hides: counts, which are exact."""
    rows = rows[(rows.commit_kind == "noreserve") & (rows.samples > 0)].dropna(
        subset=["commit_bytes", "resident_bytes"])
    if rows.empty:
        return []
    row = rows.iloc[0]
    cell = cell_of(row, strategies)
    return [Sentence(f"At {size_text(cell.size)} by {cell.strategy}, noreserve hides "
                     f"{size_text(row.resident_bytes - row.commit_bytes)}: "
                     f"{size_text(row.resident_bytes)} are resident, and "
                     f"{size_text(row.commit_bytes)} charged.", (cell,))]


def sentence_of(compared: Compared) -> Sentence:
    if compared.manner.pages:
        return of_pages(compared)
    return of_remap(compared) if compared.manner.commit == "remap" else of_change(compared)


def told(found: list[Compared]) -> list[Compared]:
    """Of what the table has, what sentences are made of: one difference at a time, of the first
    strategy that commits at once and of the first with steps, where all is known."""
    firsts = [next((each.strategy for each in found if each.strategy.step == step), None)
              for step in ("size", "chunk")]
    alone = [known_alone(each) for each in found
             if each.strategy in firsts and len(each.manner.asked()) == 1]
    return [each for each in alone if each.steps
            and all(beside.ratio.known for beside in each.steps)]


def known_alone(compared: Compared) -> Compared:
    """Of larger pages the steps that are known: from which one they pay can be told without those
    below it, which cost the most to measure."""
    if not compared.manner.pages:
        return compared
    return dataclasses.replace(compared, steps=[each for each in compared.steps
                                                if each.ratio.known])


def line_of(row, cell: Cell, ratio: Ratio | None) -> Line:
    return Line(cell, (
        str(cell.manner) or "default", cell.strategy.name,
        size_text(cell.chunk) if cell.step else "", ratio_text(ratio) if ratio else "",
        count_text(row.commit_calls), count_text(row.minor_faults),
        *("" if pandas.isna(row[column]) else text(row[column]) for column, text in (
            ("region_count", count_text), ("commit_bytes", size_text),
            ("resident_bytes", size_text)))))


def section(found: list[Compared], summary: pandas.DataFrame, strategies: dict[str, Strategy]
            ) -> Section | None:
    """None where the run has no other manner; `summary`: of all that gives nothing back."""
    others = summary[~summary.plain & (summary.samples > 0)]
    if others.empty:
        return None
    ratios = {each.cell: each.ratio for compared in found for each in compared.steps}
    lines = [line_of(row, cell, ratios.get(cell)) for _, row in others.iterrows()
             for cell in [cell_of(row, strategies)]]
    shown = {each.cell for compared in told(found) for each in compared.steps}
    return Section("commit-kinds", "By which call to commit",
                   [*map(sentence_of, told(found)), *of_hidden(others, strategies)], HEADINGS,
                   [line for line in lines if line.cell in shown],
                   [line for line in lines if line.cell not in shown],
                   "Counts are exact. Ratios are paired by set with the same strategy and step in "
                   "its default manner; their confidence intervals hold together."
                   + not_measured(summary, strategies))


def as_json(found: list[Compared]) -> list[dict]:
    return [cell_json(each.cell) | {
        "ratio": round(each.ratio.median, 4), "ratio_low": round(each.ratio.low, 4),
        "ratio_high": round(each.ratio.high, 4), "known": each.ratio.known}
        for compared in found for each in compared.steps]
