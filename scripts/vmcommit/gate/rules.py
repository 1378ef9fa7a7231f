"""Whether something got slower: the rules of `make compare`, apart from any measuring.

A cell is a configuration that both sides were measured in. Counts are exact, so any that rose is a
regression. Times are paired within a set or round: the middle of log ratios with an interval by
signed ranks that holds for all cells together.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy

from vmcommit.base.cells import Configuration
from vmcommit.base.columns import AT_MOST, CYCLE_NS, PURGE_COUNTS, STATUSES
from vmcommit.base.conventions import CONFIDENCE, DRIFT, GATE_CONFIDENCE, THRESHOLD
from vmcommit.base.statistics import median_interval, paired_interval, shared, watched

GATED = ("minor_faults", "handled_faults", "commit_calls", "reserved_commit_bytes",
         "commit_bytes", "released_commit_bytes", "resident_bytes", "region_count", *PURGE_COUNTS,
         "lock_count", *AT_MOST)
STRAY = {"lock_count": 32}  # so many more or less are a thread's first page tables, or chance
COUNTED = ("batch", "page_bytes", "touched_bytes")  # at least 1 beside each time
ALIKE = ("platform", "page_bytes")  # what both sides must share to be compared at all
REGRESSED, IMPROVED, SAME, INCONCLUSIVE = "regressed", "improved", "same", "inconclusive"
MISSING, NEW = "missing", "new"  # head's side lacks a row; base's side lacks the strategy
CHANGED = (REGRESSED, IMPROVED)
ORDER = (REGRESSED, MISSING, INCONCLUSIVE, IMPROVED, NEW, SAME)  # worst first
SLOWER, UNCLEAR, INCOMPLETE = 1, 3, 6  # exit statuses


@dataclasses.dataclass
class Result:
    """What is known of one cell. Times in ns a cycle; the ratio is head / base."""

    cell: Configuration
    verdict: str
    why: str = ""
    base_ns: float = math.nan
    head_ns: float = math.nan
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    rounds: int = 0
    counts: dict = dataclasses.field(default_factory=dict)  # {column: head's}
    by_counts: tuple | None = None  # (verdict, why) where counts differ, whatever times say

    @property
    def timed(self) -> bool:
        return not math.isnan(self.ratio)

    @property
    def changed(self) -> bool:
        return self.verdict in CHANGED

    def confirm(self, first: str) -> None:
        """By what was measured afresh, of a cell whose first verdict was that it changed."""
        if self.verdict == MISSING:
            return
        confirmed = self.verdict == first
        text = f"{share_text(self.ratio)}, and again" if confirmed else "not confirmed"
        self.verdict = first if confirmed else INCONCLUSIVE
        self.why = "; ".join(filter(None, (f"{text} on fresh rounds", self.why)))

    def settle_by_counts(self) -> None:
        """Once times are known: counts decide, but for times that got worse where counts got
        better. A harness that died meanwhile is missing."""
        if self.verdict == MISSING or self.by_counts is None:
            return
        verdict, why = self.by_counts
        if (verdict, self.verdict) == (IMPROVED, REGRESSED):
            self.why += f"; {why}"
        else:
            self.verdict, self.why = verdict, why


def proper(text, least: float) -> bool:
    """Whether a text is a finite number from `least` on."""
    try:
        return least <= float(text) < math.inf
    except (TypeError, ValueError):
        return False


def fault_of(row: dict) -> str:
    """What is wrong with a harness's row, as `column: 'text' is ...`; empty if it can be judged. A
    row of an older harness may lack counts."""
    if row.get("status") not in STATUSES:
        return f"status: '{row.get('status')!s:.40}' is no outcome of a sample"
    least_time = math.ulp(0.0)
    timed = row["status"] == "ok" or row.get("total_ns")
    times = ("total_ns", cycle_column(row)) if timed else ()
    told = ("undisturbed_ns",) if row.get("undisturbed_ns") else ()
    for column in dict.fromkeys((*times, *told)):
        if not proper(row.get(column), least_time):
            return f"{column}: '{row.get(column)!s:.40}' is no time of a cycle"
    counts = dict.fromkeys(filter(row.get, GATED), 0) | dict.fromkeys(COUNTED if timed else (), 1)
    for column, least in counts.items():
        if not proper(row.get(column), least):
            return f"{column}: '{row.get(column)!s:.40}' is no count from {least} on"
    return ""


def cycle_column(row: dict) -> str:
    return CYCLE_NS[row.get("threads", "1") not in ("", "1")]


def plain_time(row: dict) -> float:
    """ns of a cycle, as its plain sums have it."""
    return float(row[cycle_column(row)])


def time_of(row: dict) -> float:
    """ns of a cycle: an undisturbed one's where turns tell, else the plain one."""
    return float(row.get("undisturbed_ns") or plain_time(row))


def middle(values) -> float:
    return float(numpy.median(values)) if len(values) else math.nan


def number(text: str | None) -> float | None:
    return float(text) if text else None


def unlike(base: dict, head: dict) -> str:
    """Why two rows can't be compared at all; empty if they can."""
    for column in ALIKE:
        if base.get(column) and head.get(column) and base[column] != head[column]:
            return f"{column} is {base[column]:.40} in base and {head[column]:.40} in head"
    return ""


def compare_counts(base: dict, head: dict) -> list:
    """[(column, base, head)] of counts that differ; a column that one side lacks can't."""
    differing = []
    for column in GATED:
        ours, theirs = number(head.get(column)), number(base.get(column))
        if ours is not None and theirs is not None \
                and abs(ours - theirs) > STRAY.get(column, 0):
            differing.append((column, theirs, ours))
    return differing


def count_change(differing):
    """(verdict, sentence) of counts that differ; None if none does. One that rose is a regression,
    whatever fell."""
    if not differing:
        return None
    changes = "; ".join(f"{column} {before:.0f} -> {after:.0f}"
                        for column, before, after in differing)
    worse = any(after > before for _, before, after in differing)
    return (REGRESSED if worse else IMPROVED), changes


def status_change(base, head):
    """The same for what the system or the harness refused on one side."""
    if base["status"] == head["status"]:
        return None
    why = head.get("error") or base.get("error") or "no reason was given"
    return (REGRESSED if base["status"] == "ok" else IMPROVED), \
        f"status {base['status']} -> {head['status']}: {why}"


def verdict_on(median, low, high, known, beyond, threshold):
    """(verdict, ratio, low, high) of an interval of logarithms: a change if all of it lies beyond
    `beyond` and its median beyond `threshold`, both as shares; none if it lies within that."""
    edge, bound = math.log(1 + beyond), math.log(1 + threshold)
    verdict = INCONCLUSIVE
    if known and low > edge and median > bound:
        verdict = REGRESSED
    elif known and high < -edge and median < -bound:
        verdict = IMPROVED
    elif known and -bound <= low and high <= bound:
        verdict = SAME
    return verdict, *map(math.exp, (median, low, high))


@dataclasses.dataclass(frozen=True)
class Rule:
    """When a cell got slower, of so many; `threshold` as a share. Two series have to say so, in the
    same direction: a first one, and of what changed in it a second one, at CONFIDENCE for each
    cell. Half of the second one's errors are in that direction. So the first one has the confidence
    with which both err at any cell in 1 - GATE_CONFIDENCE of all comparisons at most."""

    cells: int
    threshold: float = THRESHOLD
    again: bool = False  # the second series

    @property
    def confidence(self) -> float:
        """Of a cell's interval."""
        confirmed = (1 - CONFIDENCE) / 2
        return CONFIDENCE if self.again else max(
            CONFIDENCE, 1 - (1 - GATE_CONFIDENCE) / confirmed / self.cells)

    def judge_times(self, base_ns, head_ns, planned=0):
        """(verdict, median, low, high) of paired times, in the order of their rounds or sets.
        `planned`: how many there were to be, where a verdict is looked at with each."""
        logs = numpy.log(numpy.asarray(head_ns) / numpy.asarray(base_ns))
        confidence = watched(self.confidence, len(logs), planned) \
            if planned and len(logs) else self.confidence
        *interval, coverage = paired_interval(logs, confidence)
        return verdict_on(*interval, coverage >= confidence, 0, self.threshold)

    def confirm(self, results: list[Result], judge_again: Callable) -> None:
        """What changed is measured afresh by judge_again(changed, rule), before it is believed."""
        changed = [(result, result.verdict) for result in results if result.changed]
        if changed:
            judge_again([result for result, _ in changed],
                        dataclasses.replace(self, again=True))
        for result, first_verdict in changed:
            result.confirm(first_verdict)

    @property
    def text(self) -> str:
        """In a sentence, for a reader of the table."""
        return ("regressed: the interval excludes zero and the median slowdown exceeds "
                f"{100 * self.threshold:g} %, in two series measured one after the other; of equal "
                f"builds at most {100 * (1 - GATE_CONFIDENCE):.0f} comparison in 100 says so")


def judge_unpaired(base_ns, head_ns, number_of_cells):
    """The same for times of different runs. The ratio of medians; its interval goes from one
    median's lowest against the other's highest, and a machine's drift is no change."""
    confidence = shared(2 * number_of_cells, GATE_CONFIDENCE)
    base, head = (median_interval(numpy.log(numpy.asarray(times)), confidence)
                  for times in (base_ns, head_ns))
    return verdict_on(head[0] - base[0], head[1] - base[2], head[2] - base[1],
                      min(base[3], head[3]) >= confidence, DRIFT, DRIFT)


def share_text(ratio: float) -> str:
    """+2.5 %"""
    return f"{100 * (ratio - 1):+.1f} %"


def in_order(results: list) -> list:
    """Worst first."""
    return sorted(results, key=lambda result: (
        ORDER.index(result.verdict), -(result.ratio if result.timed else math.inf)))


def closing(results: list) -> str:
    """One sentence."""
    counts = {verdict: sum(result.verdict == verdict for result in results) for verdict in ORDER}
    tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    opening = "No regression."
    for verdict, word in ((MISSING, "INCOMPLETE"), (REGRESSED, "REGRESSION")):
        if counts[verdict]:
            worst = next(result for result in in_order(results) if result.verdict == verdict)
            opening = f"{word}: {worst.cell}: {worst.why}."
    return f"{opening} {len(results)} cells: {tally}."


def status_of(results: list, strict: bool) -> int:
    """The exit status; docs/ci.md lists them."""
    verdicts = {result.verdict for result in results}
    if REGRESSED in verdicts:
        return SLOWER
    if MISSING in verdicts:
        return INCOMPLETE
    return UNCLEAR if strict and INCONCLUSIVE in verdicts else 0
