"""What the literature says of committing memory, put to the test: a verdict for each claim, with
the figures of this run.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy
import pandas

from vmcommit.base.conventions import CONFIDENCE, ORDERS
from vmcommit.base.statistics import median_interval, shared
from vmcommit.base.strategies import UPFRONT, Strategy
from vmcommit.base.units import count_text, size_text, time_text

HOLDS, FAILS, OPEN = "holds", "does not hold", "undecided"
UNTIMED = (OPEN, "This run timed no single calls.")
OF_WINE = (OPEN, "Single calls were timed under Wine, which says nothing of Windows.")
SAME = 1.5  # a time that stays within this factor over all sizes is the same
VARIES = 1.1  # a time that differs by this factor varies
# Columns of details that are used.
CALLS = ("call", "state", "size_bytes", "repeat", "mappings", "status", "ns")
STAIRS = ("strategy", "commit_bytes", "touched_bytes", "resident_bytes")
LIMITED = ("strategy", "status", "platform", "size_bytes", "limit_bytes")
Interval = tuple[float, float, float]  # median, low, high
Verdict = tuple[str, str]  # and the figures that it rests on


@dataclasses.dataclass(frozen=True)
class Claim:
    claim: str
    verdict: str
    figures: str


def verdict_of(holds: bool | None) -> str:
    return OPEN if holds is None else HOLDS if holds else FAILS


def all_hold(parts: Sequence[bool | None]) -> bool | None:
    """False as soon as one does not; None where that is left open."""
    return False if False in parts else None if None in parts else True


def timed(calls: pandas.DataFrame, call: str, state: str, size: int, mappings: int = 0
          ) -> pandas.Series:
    """ns of that call with so many other reservations beside, by repeat."""
    rows = calls[(calls.call == call) & (calls.state == state) & (calls.size_bytes == size)
                 & (calls.mappings == mappings) & (calls.status == "ok")]
    return rows.set_index("repeat").ns


def paired(calls: pandas.DataFrame, measured: tuple, base: tuple, confidence: float
           ) -> Interval | None:
    """measured / base by repeat; each what timed() is given. None where repeats are too few."""
    ratios = (timed(calls, *measured) / timed(calls, *base)).dropna()
    *interval, coverage = median_interval(numpy.log(ratios), confidence)
    median, low, high = numpy.exp(interval)
    return (median, low, high) if coverage >= confidence else None


def within(interval: Interval, factor: float) -> bool | None:
    """Whether a ratio lies within a factor of 1; None where the interval leaves that open."""
    _, low, high = interval
    if 1 / factor <= low and high <= factor:
        return True
    return False if low > factor or high < 1 / factor else None


def interval_text(interval: Interval, words: str = "times") -> str:
    """1.02 times (1.01 to 1.03)"""
    median, low, high = interval
    return f"{median:.2f} {words} ({low:.2f} to {high:.2f})"


def sizes_of(calls: pandas.DataFrame, call: str, state: str) -> list[int]:
    rows = calls[(calls.call == call) & (calls.state == state) & (calls.status == "ok")]
    return sorted(int(size) for size in rows.size_bytes.unique())


def median_of(calls: pandas.DataFrame, call: str, state: str, size: int, mappings: int = 0) -> str:
    return time_text(timed(calls, call, state, size, mappings).median())


def reserve_time(calls: pandas.DataFrame) -> Verdict:
    """The same at every size?"""
    sizes = sizes_of(calls, "reserve", "fresh")
    confidence = shared(len(sizes) - 1)
    ratios = {size: paired(calls, ("reserve", "fresh", size), ("reserve", "fresh", sizes[0]),
                           confidence) for size in sizes[1:]}
    known = {size: interval for size, interval in ratios.items() if interval}
    if not known or len(known) < len(ratios):
        return OPEN, "Too few repeats."
    most = max(known, key=lambda size: abs(numpy.log(known[size][0])))
    return verdict_of(all_hold([within(interval, SAME) for interval in known.values()])), (
        f"{median_of(calls, 'reserve', 'fresh', sizes[0])} for {size_text(sizes[0])}, "
        f"{median_of(calls, 'reserve', 'fresh', sizes[-1])} for {size_text(sizes[-1])}; furthest "
        f"from the smallest is {size_text(most)}, at "
        f"{interval_text(known[most], 'times its time')}.")


def commit_and_page_tables(calls: pandas.DataFrame) -> Verdict:
    """Does a commit call take another time where page tables exist? And with the size?"""
    pages, sizes = sizes_of(calls, "commit", "beside touched"), sizes_of(calls, "commit", "fresh")
    if not pages or not sizes:
        return OPEN, "Too few repeats."
    ratio = paired(calls, ("commit", "beside touched", pages[0]),
                   ("commit", "beside untouched", pages[0]), CONFIDENCE)
    by_size = paired(calls, ("commit", "fresh", sizes[-1]), ("commit", "fresh", sizes[0]),
                     CONFIDENCE)
    if ratio is None or by_size is None:
        return OPEN, "Too few repeats."
    same = within(ratio, VARIES)
    return verdict_of(None if same is None else not same), (
        f"A page beside touched pages takes "
        f"{median_of(calls, 'commit', 'beside touched', pages[0])}, one beside untouched pages "
        f"{median_of(calls, 'commit', 'beside untouched', pages[0])}: {interval_text(ratio)}. "
        f"Committing all of an untouched {size_text(sizes[-1])} takes "
        f"{interval_text(by_size, f'times as long as {size_text(sizes[0])}')}.")


def same_resident_size(summary: pandas.DataFrame) -> tuple[int, int]:
    """(of so many, how many) sets of configurations that touch the same pages end with the same."""
    sets = summary.groupby(["size_bytes", "touched_bytes", "touch_order"]).resident_bytes
    compared = sets.nunique()[sets.count() > 1]
    return len(compared), int((compared == 1).sum())


def resident_as_touched(stairs: pandas.DataFrame) -> tuple[bool, str]:
    """Whether what is committed up front becomes resident as it is touched."""
    first = stairs.iloc[0]
    return bool((stairs.resident_bytes == stairs.touched_bytes).all()), (
        f"with {size_text(first.commit_bytes)} committed up front and "
        f"{size_text(first.touched_bytes)} of it touched, {size_text(first.resident_bytes)} are "
        "resident")


def resident_after_commit(summary: pandas.DataFrame, stairs: pandas.DataFrame | None) -> Verdict:
    """No physical memory before the first access, and the same resident size in the end."""
    compared, same = same_resident_size(
        summary[summary.samples > 0].dropna(subset=["resident_bytes"]))
    holds, texts = [], []
    if compared:
        holds.append(same == compared)
        texts.append(f"In {same} of {compared} sets of configurations that touch the same pages, "
                     "all strategies end with the same resident size")
    climbed = stairs[stairs.strategy == UPFRONT].dropna(subset=["resident_bytes"]) \
        if stairs is not None else ()
    if len(climbed):
        as_touched, text = resident_as_touched(climbed)
        holds.append(as_touched)
        texts.append(text)
    if not texts:
        return OPEN, "No rows have resident sizes to compare."
    text = "; ".join(texts)
    return verdict_of(all_hold(holds)), text[0].upper() + text[1:] + "."


def dynamic(strategies: dict[str, Strategy]) -> list[str]:
    """Names of those that commit as they go, and not all at once."""
    return [name for name, strategy in strategies.items() if strategy.step != "size"]


def charge_follows_use(summary: pandas.DataFrame, strategies: dict[str, Strategy]) -> Verdict:
    """Dynamic commit: no more charge than what is used, up to one step and a guard page."""
    rows = summary[summary.strategy.isin(dynamic(strategies)) & (summary.samples > 0)
                   & (summary.touch_order == ORDERS[0])].dropna(subset=["commit_bytes"])
    if rows.empty:
        return OPEN, "No row of a dynamic strategy has its charge."
    over = rows.commit_bytes - rows.touched_bytes
    held = over < rows.chunk_bytes + rows.page_bytes
    by_page = rows[~rows.stepped]
    exact = int((by_page.commit_bytes == by_page.touched_bytes).sum())
    of_pages = f"{', '.join(by_page.strategy.unique())} is charged exactly what it touched in " \
        f"{exact} of {len(by_page)} configurations; " if len(by_page) else ""
    return verdict_of(bool(held.all())), (
        f"{of_pages}in {int(held.sum())} of {len(rows)} dynamic ones the excess is less than a "
        f"step and a guard page, {size_text(over.max())} at most.")


def refused_under_a_limit(limited: pandas.DataFrame, strategies: dict[str, Strategy]) -> Verdict:
    """Up-front refused where dynamic commit succeeds?"""
    status = dict(zip(limited.strategy, limited.status))
    first = limited.iloc[0]
    what = (f"{size_text(first.size_bytes)} of which a tenth is touched, under a limit of "
            f"{size_text(first.limit_bytes)}: ")
    what += "; ".join(f"{strategy} {outcome}" for strategy, outcome in status.items()) + "."
    upfront = status.get(UPFRONT)
    tried = [status[name] for name in dynamic(strategies) if status.get(name) in ("ok", "refused")]
    if upfront == "ok" and (limited.platform == "wine").any():
        return OPEN, what + " Wine does not enforce the limit."
    if upfront not in ("ok", "refused") or not tried:
        return OPEN, what
    return verdict_of(upfront == "refused" and "ok" in tried), what


def release_times(calls: pandas.DataFrame) -> str:
    """How long a release takes in each state; empty where one was not timed."""
    size = next(iter(sizes_of(calls, "release", "scattered")), 0)
    states = {"committed": "committed and untouched", "touched": "touched",
              "scattered": "with every second page committed"}
    if any(timed(calls, "release", state, size).empty for state in states):
        return ""
    return f". Its time depends on them: {size_text(size)} take " + ", ".join(
        f"{median_of(calls, 'release', state, size)} {words}" for state, words in states.items())


def release_in_one_call(summary: pandas.DataFrame, calls: pandas.DataFrame | None) -> Verdict:
    """One call gives everything back, in whatever state it is."""
    rows = summary.dropna(subset=["released_commit_bytes"])
    if rows.empty:
        return OPEN, "No row has the charge after the release."
    clean = int((rows.released_commit_bytes == 0).sum())
    text = f"One call left no charge in {clean} of {len(rows)} configurations"
    if rows.region_count.notna().any():
        most = rows.region_count.max()
        text += f", of up to {count_text(most)} mapping{'' if most == 1 else 's'} each"
    return verdict_of(clean == len(rows)), \
        text + (release_times(calls) if calls is not None else "") + "."


def usable(table: pandas.DataFrame | None, columns: Iterable[str]) -> pandas.DataFrame | None:
    """The table of a run's details, or None where it has no rows, or lacks a column."""
    return table if table is not None and len(table) and set(columns) <= set(table) else None


def test(summary: pandas.DataFrame, strategies: dict[str, Strategy],
         calls: pandas.DataFrame | None, stairs: pandas.DataFrame | None,
         limited: pandas.DataFrame | None, in_time: bool) -> list[Claim]:
    """All claims. `calls`, `stairs` and `limited` are None where the run has none of them; without
    `in_time` times mean nothing."""
    calls, stairs = usable(calls, CALLS), usable(stairs, STAIRS)
    limited = usable(limited, LIMITED)
    no_times = UNTIMED if calls is None else OF_WINE
    calls = calls if in_time else None
    no_limit = (OPEN, "No limit could be set here.")
    return [Claim(claim, *verdict) for claim, verdict in (
        ("Reserving takes the same time whatever the size.",
         reserve_time(calls) if calls is not None else no_times),
        ("Committing does not touch physical memory until the first access, so that up-front and "
         "dynamic commit end with the same resident size.",
         resident_after_commit(summary, stairs)),
        ("Dynamic commit keeps the commit total to what is used.",
         charge_follows_use(summary, strategies)),
        ("A very large up-front commit can be refused where a dynamic one succeeds.",
         refused_under_a_limit(limited, strategies) if limited is not None else no_limit),
        ("Commit time varies with page tables.",
         commit_and_page_tables(calls) if calls is not None else no_times),
        ("Releasing takes one call, whatever the state of the pages.",
         release_in_one_call(summary, calls)))]
