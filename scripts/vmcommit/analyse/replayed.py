"""What a real program's memory takes when it is committed, or given back, in other ways: replays of
a recording, each against the same as it was recorded, measured in the same sets."""

import dataclasses

import numpy
import pandas

from vmcommit.analyse.answer import Ratio, Times
from vmcommit.analyse.commit_kinds import ratio_text
from vmcommit.analyse.section import Line, Section, cell_json
from vmcommit.analyse.sentences import Sentence
from vmcommit.base.cells import Cell, cell_of
from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.runs import Run
from vmcommit.base.statistics import median_interval, shared
from vmcommit.base.text import counted, listed
from vmcommit.base.units import count_text, size_text, time_interval_text, time_text

HEADINGS = ("way", "a cycle", "times as recorded", "commit calls", "calls that give back",
            "minor faults", "most charged", "most resident", "charged in the end",
            "resident in the end")
# What other ways change, as sentences and the chart have it: exact, but for what the system takes.
COUNTED = {"commit_calls": ("commit call", count_text),
           "minor_faults": ("page fault", count_text),
           "most_commit_bytes": ("charged at most", size_text),
           "most_resident_bytes": ("resident at most", size_text)}
SIZES = ("most_commit_bytes", "most_resident_bytes")


@dataclasses.dataclass(frozen=True, eq=False)
class Way:
    """`counts`: its row of a process by itself; `ns`: a cycle's median and the ends of its
    confidence interval; `ratio`: of that to the recording's own way, None for itself, and where it
    was not timed."""

    cell: Cell
    counts: pandas.Series
    ns: tuple[float, float, float] | None
    ratio: Ratio | None

    @property
    def name(self) -> str:
        """--purge free"""
        return " ".join(self.cell.manner.options()) or "as recorded"

    @property
    def time(self) -> str:
        """31 ms (30 ms to 32 ms)"""
        if self.ns is None:
            return ""
        return time_text(self.ns[0]) if numpy.isnan(self.ns[1]) else time_interval_text(*self.ns)


@dataclasses.dataclass(frozen=True)
class Replayed:
    """`lacking`: {way: why this machine can't}."""

    program: str
    recorded: Way
    others: list[Way]
    lacking: dict[str, str]

    @property
    def every(self) -> list[Way]:
        return [self.recorded, *self.others]

    @property
    def timed(self) -> list[tuple[Way, Ratio]]:
        return [(way, way.ratio) for way in self.others if way.ratio is not None]

    @property
    def fastest(self) -> tuple[Way, Ratio] | None:
        """Of those that are significantly faster than as recorded."""
        faster = [each for each in self.timed if each[1].sign < 0]
        return min(faster, key=lambda each: each[1].median) if faster else None


def cycle_of(times: Times, cell: Cell) -> tuple[float, float, float] | None:
    if cell not in times.logs:
        return None
    *interval, coverage = median_interval(times.logs[cell])
    median, low, high = numpy.exp(interval)
    return (median, low, high) if coverage >= CONFIDENCE else (median, numpy.nan, numpy.nan)


def way_of(counts: pandas.Series, times: Times, base: Cell, confidence: float) -> Way:
    cell = cell_of(counts, times.strategies)
    compared = cell != base and cell in times.logs and len(times.paired(cell, base)) > 0
    return Way(cell, counts, cycle_of(times, cell),
               times.ratio(cell, base, confidence) if compared else None)


def examine(run: Run) -> Replayed | None:
    """None where the run replayed nothing."""
    table = run.replays
    if table is None:
        return None
    alone = table[table["set"].isna()]
    able = alone[alone.status == "ok"]
    if able.empty or not able.plain.iloc[0]:
        return None
    times = Times(table[table["set"].notna()], {run.replay.name: run.replay})
    base = cell_of(able.iloc[0], times.strategies)
    confidence = shared(max(1, len(able) - 1), CONFIDENCE)
    ways = [way_of(row, times, base, confidence) for _, row in able.iterrows()]
    lacking = {" ".join(cell_of(row, times.strategies).manner.options()): row.error
               for _, row in alone[alone.status != "ok"].iterrows()}
    return Replayed(run.environment["recording"]["program"] or "the program", ways[0], ways[1:],
                    lacking)


def does(way: Way) -> str:
    """in 162 commit calls, 9 that give back and 11 298 page faults"""
    counts = way.counts
    back = f", {count_text(counts.purge_calls)} that give back" if counts.purge_calls else ""
    return (f"in {counted(int(counts.commit_calls), 'commit call')}{back} and "
            f"{count_text(counts.minor_faults)} page faults")


def of_recorded(replayed: Replayed) -> Sentence:
    way = replayed.recorded
    most = [f"{text(way.counts[column])} {name}" for column, (name, text) in COUNTED.items()
            if column in SIZES and not pandas.isna(way.counts[column])]
    return Sentence(f"What {replayed.program} did with its memory takes {way.time} as recorded, "
                    f"{does(way)}; {listed(most)}.", (way.cell,))


def change_text(column: str, way: Way, base: Way) -> str:
    """9 300 page faults, not 11 298"""
    name, text = COUNTED[column]
    plural = "" if column in SIZES or way.counts[column] == 1 else "s"
    return f"{text(way.counts[column])} {name}{plural}, not {text(base.counts[column])}"


def changes(way: Way, base: Way) -> list[str]:
    """Of what is counted, what is another than as recorded."""
    return [change_text(column, way, base) for column in COUNTED
            if way.counts[column] != base.counts[column]
            and not pandas.isna(way.counts[column] + base.counts[column])]


def time_change(way: Way) -> str:
    if way.ratio is None:
        return "was not timed"
    if way.ratio.sign:
        return f"takes {ratio_text(way.ratio)} as long"
    return f"shows no significant difference in time, {ratio_text(way.ratio)}"


def of_way(way: Way, base: Way) -> Sentence:
    counts = "; ".join(changes(way, base)) or "counts are the same"
    return Sentence(f"{way.name} {time_change(way)}; {counts}.", (way.cell, base.cell))


def headline(replayed: Replayed) -> list[Sentence]:
    """What was recorded, and whether another way is faster."""
    first = of_recorded(replayed)
    if replayed.fastest is not None:
        best, ratio = replayed.fastest
        counts = "; ".join(changes(best, replayed.recorded)) or "counts are the same"
        return [first, Sentence(f"The fastest other way is {best.name}: {ratio_text(ratio)} as "
                                f"long; {counts}.", (best.cell,))]
    if not replayed.timed:
        return [first]
    known = all(ratio.known for _, ratio in replayed.timed)
    return [first, Sentence(
        f"None of {counted(len(replayed.timed), 'other way')} is significantly faster." if known
        else "Too few sets to compare other ways with it; measure longer, by a larger profile.",
        tuple(way.cell for way, _ in replayed.timed))]


def line_of(way: Way) -> Line:
    counts = way.counts
    return Line(way.cell, (
        way.name, way.time, ratio_text(way.ratio) if way.ratio else "",
        *("" if pandas.isna(counts[column]) else text(counts[column]) for column, text in (
            ("commit_calls", count_text), ("purge_calls", count_text),
            ("minor_faults", count_text), ("most_commit_bytes", size_text),
            ("most_resident_bytes", size_text), ("commit_bytes", size_text),
            ("resident_bytes", size_text)))))


def note(replayed: Replayed) -> str:
    nothing = "" if replayed.recorded.counts.purge_calls else \
        " The recording gives nothing back that could be given back in another way."
    lacking = "; ".join(f"{name}: {why}" for name, why in replayed.lacking.items())
    return ("Counts are exact. Ratios are paired by set with the recording's own way; their "
            "confidence intervals hold together. Memory that was touched unseen is touched as "
            "late as the recording saw it." + nothing
            + (f" Not measured here: {lacking}." if lacking else ""))


def section(replayed: Replayed) -> Section:
    base = replayed.recorded
    return Section("recording", f"{replayed.program}, committed and given back in other ways",
                   [of_recorded(replayed), *(of_way(way, base) for way in replayed.others)],
                   HEADINGS, list(map(line_of, replayed.every)), [], note(replayed))


def whole(count: float) -> float:
    return int(count) if count == int(count) else float(count)


def way_json(way: Way) -> dict:
    named = dict(zip(("ns", "ns_low", "ns_high"), way.ns or ()))
    if way.ratio:
        named |= {"ratio": way.ratio.median, "ratio_low": way.ratio.low,
                  "ratio_high": way.ratio.high}
    times = {name: round(float(value), 4) for name, value in named.items()
             if not numpy.isnan(value)}
    counts = {column: whole(way.counts[column]) for column in (
        "commit_calls", "purge_calls", "minor_faults", "most_commit_bytes", "most_resident_bytes",
        "commit_bytes", "resident_bytes") if not pandas.isna(way.counts[column])}
    return cell_json(way.cell) | {"way": way.name} | times \
        | ({"known": way.ratio.known} if way.ratio else {}) | counts


def as_json(replayed: Replayed) -> dict:
    return {"program": replayed.program, "ways": list(map(way_json, replayed.every)),
            "not_measured": replayed.lacking}
