"""What the articles on reserving and committing say of single calls, put to the test: what a call
leaves, which the program `calls` counted, and what it takes.
"""

from collections.abc import Sequence

import numpy
import pandas

from vmcommit.analyse.claims import (CALLS, OF_WINE, OPEN, SAME, UNTIMED, VARIES, Claim, Interval,
                                     Verdict, all_hold, interval_text, median_of, paired,
                                     sizes_of, usable, verdict_of, within)
from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.statistics import shared
from vmcommit.base.text import listed
from vmcommit.base.units import count_text, size_text

COUNTED = (*CALLS, "commit_bytes", "region_count", "locked_bytes")
OF_A_REGION = ("procmap_query", "virtualquery")  # questions that are answered for a range as one
OF_PAGES = ("mincore", "pagemap", "pagemap_scan", "working_set")
TOO_FEW = (OPEN, "Too few repeats.")
UNCOUNTED = (OPEN, "This run counted nothing of single calls.")


def counted(calls: pandas.DataFrame, call: str, column: str, state: str | None = None
            ) -> pandas.DataFrame:
    """Rows of a call, in one state or in each, whose count is known."""
    rows = calls[(calls.call == call) & (calls.mappings == 0) & (calls.status == "ok")
                 & calls[column].notna()]
    return rows if state is None else rows[rows.state == state]


def only_committed(calls: pandas.DataFrame) -> Verdict:
    """Is there an error where what is decommitted was not committed?"""
    tried = calls[(calls.call == "decommit") & (calls.state == "reserved")
                  & (calls.mappings == 0)]
    if tried.empty:
        return UNCOUNTED
    succeeded = int((tried.status == "ok").sum())
    rows = counted(tried, "decommit", "commit_bytes")
    reserved = bool(((rows.commit_bytes == 0) & (rows.region_count == 1)).all())
    return verdict_of(succeeded == 0), (
        "Decommitting a range that was only reserved succeeded at "
        f"{succeeded} of {len(tried)} times"
        + (", and left it reserved." if succeeded and reserved else "."))


def states_text(rows: pandas.DataFrame) -> str:
    return listed(sorted(rows.state.unique()))


def one_call_frees(calls: pandas.DataFrame) -> Verdict:
    """Charge, and for a release regions, that one call left in whatever state."""
    decommitted = counted(calls, "decommit", "commit_bytes")
    released = counted(calls, "release", "commit_bytes")
    if decommitted.empty or released.empty:
        return UNCOUNTED
    clean = int((decommitted.commit_bytes == 0).sum()
                + ((released.commit_bytes == 0) & (released.region_count == 0)).sum())
    total = len(decommitted) + len(released)
    return verdict_of(clean == total), (
        f"In {clean} of {total} calls nothing was left charged, and of what was released no "
        f"region. Decommitted: ranges that were {states_text(decommitted)}; released: "
        f"{states_text(released)}.")


def time_of_a_split(calls: pandas.DataFrame, page: int) -> str:
    whole = ("protect_read", "touched", page)
    ratio = paired(calls, ("protect_read", "middle of touched", page), whole, CONFIDENCE)
    if ratio is None:
        return ""
    return (f" Protecting it takes {median_of(calls, 'protect_read', 'middle of touched', page)}, "
            f"{interval_text(ratio)} what a page takes that is a region of its own.")


def protecting_splits(calls: pandas.DataFrame, in_time: bool) -> Verdict:
    """Regions when a page in the middle is protected, and when it is as its neighbours again."""
    split = counted(calls, "protect_read", "region_count", "middle of touched").region_count
    again = counted(calls, "protect_write", "region_count", "middle read-only").region_count
    if split.empty or again.empty:
        return UNCOUNTED
    page = sizes_of(calls, "protect_read", "middle of touched")[0]
    return verdict_of(bool((split == 3).all())), (
        f"A page in the middle made read-only turns a region into {count_text(split.max())}; "
        f"writable again, into {count_text(again.max())}."
        + (time_of_a_split(calls, page) if in_time else ""))


def lock_of_a_part(calls: pandas.DataFrame) -> Verdict:
    """Does locking a byte lock its page?"""
    within_a_page = counted(calls, "lock", "locked_bytes", "byte of touched").locked_bytes
    across = counted(calls, "lock", "locked_bytes", "two bytes across pages").locked_bytes
    if within_a_page.empty or across.empty:
        return UNCOUNTED
    page = sizes_of(calls, "protect_read", "middle of touched")[0]
    return verdict_of(bool((within_a_page == page).all() and (across == 2 * page).all())), (
        f"Locking one byte locks {size_text(within_a_page.max())}; two bytes on both sides of a "
        f"page's end, {size_text(across.max())}.")


def by_size(calls: pandas.DataFrame, call: str, state: str, confidence: float
            ) -> list[Interval | None]:
    """Its time at each size as a multiple of that at the smallest."""
    smallest, *others = sizes_of(calls, call, state)
    return [paired(calls, (call, state, size), (call, state, smallest), confidence)
            for size in others]


def query_text(calls: pandas.DataFrame, call: str, state: str = "touched") -> str:
    """mincore takes 300 ns for 4 KiB, 30 µs for 128 MiB"""
    sizes = sizes_of(calls, call, state)
    return f"{call} takes " + ", ".join(
        f"{median_of(calls, call, state, size)} for {size_text(size)}"
        for size in (sizes[0], sizes[-1]))


def cost_of_a_query(calls: pandas.DataFrame) -> Verdict:
    """Is a question answered as fast whatever the size, where it is answered for the range?"""
    asked = [(call, state) for call in OF_A_REGION for state in ("committed", "touched")
             if len(sizes_of(calls, call, state)) > 1]
    if not asked:
        return UNTIMED
    cells = sum(len(sizes_of(calls, *each)) - 1 for each in asked)
    ratios = [ratio for each in asked for ratio in by_size(calls, *each, shared(cells))]
    known = [ratio for ratio in ratios if ratio is not None]
    if len(known) < len(ratios):
        return TOO_FEW
    pages = [call for call in OF_PAGES if len(sizes_of(calls, call, "touched")) > 1]
    most = max(known, key=lambda ratio: abs(numpy.log(ratio[0])))
    return verdict_of(all_hold([within(ratio, SAME) for ratio in known])), (
        "; ".join(f"{query_text(calls, call, state)}, {state}" for call, state in asked)
        + f"; furthest from the smallest size is {interval_text(most)}."
        + (f" Questions of each page: {'; '.join(query_text(calls, each) for each in pages)}."
           if pages else ""))


def beside_others(calls: pandas.DataFrame, call: str, most: int) -> tuple[int, Interval | None]:
    """(the largest size that was placed beside so many others, its time there as a multiple of
    that beside none)"""
    size = max(sizes_of(calls[calls.mappings == most], call, "fresh"), default=0)
    return size, paired(calls, (call, "fresh", size, most), (call, "fresh", size), CONFIDENCE)


def top_down(calls: pandas.DataFrame) -> Verdict:
    """Does a reservation at the top take longer the more there are?"""
    call, other = "reserve_top_down", "reserve_bottom_up"
    most = int(calls[calls.call == call].mappings.max()) if (calls.call == call).any() else 0
    if most == 0:
        return UNTIMED
    size, down = beside_others(calls, call, most)
    _, up = beside_others(calls, other, most)
    if down is None or up is None:
        return TOO_FEW
    same = within(down, VARIES)
    return verdict_of(None if same is None else not same and down[0] > 1), (
        f"Reserving {size_text(size)} from the top down takes "
        f"{median_of(calls, call, 'fresh', size)}, beside {count_text(most)} other reservations "
        f"{median_of(calls, call, 'fresh', size, most)}: {interval_text(down)}. From the bottom up "
        f"it takes {median_of(calls, other, 'fresh', size)} and "
        f"{median_of(calls, other, 'fresh', size, most)}: {interval_text(up)}.")


def test(calls: pandas.DataFrame | None, in_time: bool) -> Sequence[Claim]:
    """`calls`: what the run has of them, or None. Without `in_time` its times mean nothing."""
    rows = usable(calls, COUNTED)
    no_times = UNTIMED if rows is None else OF_WINE
    if rows is None:
        rows = pandas.DataFrame(columns=list(COUNTED))
    return [Claim(claim, *verdict) for claim, verdict in (
        ("Only committed pages can be decommitted.", only_committed(rows)),
        ("One call frees memory, whatever the state of its pages.", one_call_frees(rows)),
        ("Protecting a part of a region splits it.", protecting_splits(rows, in_time)),
        ("Locking a part of a page locks all of it.", lock_of_a_part(rows)),
        ("What a query of a region costs does not depend on its size.",
         cost_of_a_query(rows) if in_time else no_times),
        ("The more regions there are, the longer a reservation from the top down takes.",
         top_down(rows) if in_time else no_times))]
