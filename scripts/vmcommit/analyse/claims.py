"""What the literature says of committing memory, put to the test: a verdict for each claim, with
the figures of this run.
"""

import dataclasses

import numpy

from vmcommit.base.conventions import CONFIDENCE, ORDERS
from vmcommit.base.statistics import median_interval, shared
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import count_text, size_text, time_text

HOLDS, FAILS, OPEN = "holds", "does not hold", "undecided"
SAME = 1.5  # a time that stays within this factor over all sizes is the same
VARIES = 1.1  # a time that differs by this factor varies


@dataclasses.dataclass(frozen=True)
class Claim:
    claim: str
    verdict: str
    figures: str


def verdict_of(holds):
    return HOLDS if holds else FAILS


def paired(calls, measured, base, confidence):
    """(median, low, high) of measured / base by repeat; each a (call, state, size)."""
    logs = [numpy.log(calls[(calls.call == call) & (calls.state == state)
                            & (calls.size_bytes == size)].set_index("repeat").ns)
            for call, state, size in (measured, base)]
    *interval, coverage = median_interval((logs[0] - logs[1]).dropna(), confidence)
    return tuple(numpy.exp(interval)) if coverage >= confidence else None


def within(interval, factor):
    """Whether a ratio lies within a factor of 1; None where the interval leaves that open."""
    _, low, high = interval
    if 1 / factor <= low and high <= factor:
        return True
    return False if low > factor or high < 1 / factor else None


def reserve_time(calls):
    """The same at every size?"""
    sizes = sorted(calls[calls.call == "reserve"].size_bytes.unique())
    confidence = shared(len(sizes) - 1)
    ratios = {size: paired(calls, ("reserve", "fresh", size), ("reserve", "fresh", sizes[0]),
                           confidence) for size in sizes[1:]}
    if not ratios or None in ratios.values():
        return OPEN, "Too few repeats."
    medians = calls[calls.call == "reserve"].groupby("size_bytes").ns.median()
    same = [within(interval, SAME) for interval in ratios.values()]
    verdict = FAILS if False in same else OPEN if None in same else HOLDS
    most = max(ratios, key=lambda size: abs(numpy.log(ratios[size][0])))
    ratio = ratios[most]
    return verdict, (
        f"{time_text(medians.iloc[0])} for {size_text(sizes[0])}, {time_text(medians.iloc[-1])} "
        f"for {size_text(sizes[-1])}; furthest from the smallest is {size_text(most)}, "
        f"at {ratio[0]:.2f} times its time ({ratio[1]:.2f} to {ratio[2]:.2f}).")


def commit_and_page_tables(calls):
    """Does a commit call take another time where page tables exist? And with the size?"""
    page = int(calls[calls.state == "beside touched"].size_bytes.iloc[0])
    ratio = paired(calls, ("commit", "beside touched", page), ("commit", "beside untouched", page),
                   CONFIDENCE)
    sizes = sorted(calls[(calls.call == "commit") & (calls.state == "fresh")].size_bytes.unique())
    by_size = paired(calls, ("commit", "fresh", sizes[-1]), ("commit", "fresh", sizes[0]),
                     CONFIDENCE)
    if ratio is None or by_size is None:
        return OPEN, "Too few repeats."
    medians = calls[calls.call == "commit"].groupby(["state", "size_bytes"]).ns.median()
    same = within(ratio, VARIES)
    return OPEN if same is None else verdict_of(not same), (
        f"A page beside touched pages takes {time_text(medians['beside touched', page])}, one "
        f"beside untouched pages {time_text(medians['beside untouched', page])}: {ratio[0]:.2f} "
        f"times ({ratio[1]:.2f} to {ratio[2]:.2f}). Committing all of an untouched "
        f"{size_text(sizes[-1])} takes {by_size[0]:.2f} times as long as {size_text(sizes[0])} "
        f"({by_size[1]:.2f} to {by_size[2]:.2f}).")


def resident_after_commit(summary, stairs):
    """No physical memory before the first access, and the same resident size in the end."""
    rows = summary[(summary.samples > 0)].dropna(subset=["resident_bytes"])
    blocks = rows.groupby(["size_bytes", "touched_bytes", "touch_order"]).resident_bytes
    different = int((blocks.nunique() > 1).sum())
    text = (f"In {blocks.ngroups - different} of {blocks.ngroups} sets of configurations that "
            "touch the same pages, all strategies end with the same resident size")
    holds = different == 0
    climbed = stairs[stairs.strategy == UPFRONT].dropna(subset=["resident_bytes"]) \
        if stairs is not None else ()
    if len(climbed):
        holds = holds and bool((climbed.resident_bytes == climbed.touched_bytes).all())
        first = climbed.iloc[0]
        text += (f"; with {size_text(first.commit_bytes)} committed up front and "
                 f"{size_text(first.touched_bytes)} of it touched, "
                 f"{size_text(first.resident_bytes)} are resident")
    return verdict_of(holds) if len(rows) else OPEN, text + "."


def charge_follows_use(summary):
    """Dynamic commit: no more charge than what is used, up to one step and a guard page."""
    rows = summary[(summary.strategy != UPFRONT) & (summary.samples > 0)
                   & (summary.touch_order == ORDERS[0])].dropna(subset=["commit_bytes"])
    if rows.empty:
        return OPEN, "No row tells the charge."
    allowed = rows.chunk_bytes + rows.page_bytes
    over = rows.commit_bytes - rows.touched_bytes
    held = over < allowed
    by_page = rows[(rows.chunk_bytes == rows.page_bytes) & ~rows.stepped]
    exact = int((by_page.commit_bytes == by_page.touched_bytes).sum())
    of_pages = ", ".join(by_page.strategy.unique()) + " is charged exactly what it touched in " \
        f"{exact} of {len(by_page)} configurations; " if len(by_page) else ""
    return verdict_of(bool(held.all())), (
        f"{of_pages}in {int(held.sum())} of {len(rows)} dynamic ones the excess is less than a step and a "
        f"guard page, {size_text(over.max())} at most.")


def refused_under_a_limit(limited):
    """Up-front refused where dynamic commit succeeds?"""
    if limited is None or limited.empty:
        return OPEN, "No limit could be set here."
    status = dict(zip(limited.strategy, limited.status))
    first = limited.iloc[0]
    what = (f"{size_text(first.size_bytes)} of which a tenth is touched, under a limit of "
            f"{size_text(first.limit_bytes)}: ")
    outcomes = "; ".join(f"{strategy} {outcome}" for strategy, outcome in status.items())
    if status.get(UPFRONT) == "ok" and (limited.platform == "wine").any():
        return OPEN, what + outcomes + ". Wine does not enforce the limit."
    holds = status.get(UPFRONT) == "refused" and "ok" in status.values()
    return verdict_of(holds), what + outcomes + "."


def release_in_one_call(summary, calls):
    """One call gives everything back, in whatever state it is."""
    rows = summary.dropna(subset=["released_commit_bytes"])
    if rows.empty:
        return OPEN, "No row tells the charge after the release."
    clean = int((rows.released_commit_bytes == 0).sum())
    text = (f"One call left no charge in {clean} of {len(rows)} configurations, of up to "
            f"{count_text(rows.region_count.max())} mappings each")
    if calls is not None:
        medians = calls[calls.call == "release"].groupby(["state", "size_bytes"]).ns.median()
        size = int(calls[calls.state == "touched"].size_bytes.iloc[0])
        text += (f". Its time depends on them: {size_text(size)} take "
                 f"{time_text(medians['committed', size])} committed and untouched, "
                 f"{time_text(medians['touched', size])} touched, "
                 f"{time_text(medians['scattered', size])} with every second page committed")
    return verdict_of(clean == len(rows)), text + "."


def test(summary, calls, stairs, limited):
    """All claims. `calls`, `stairs` and `limited` are None where the run has none of them."""
    nothing = (OPEN, "This run timed no single calls.")
    return [Claim(claim, *verdict) for claim, verdict in (
        ("Reserving takes the same time whatever the size.",
         reserve_time(calls) if calls is not None else nothing),
        ("Committing does not touch physical memory until the first access, so that up-front and "
         "dynamic commit end with the same resident size.",
         resident_after_commit(summary, stairs)),
        ("Dynamic commit keeps the commit total to what is used.", charge_follows_use(summary)),
        ("A very large up-front commit can be refused where a dynamic one succeeds.",
         refused_under_a_limit(limited)),
        ("Commit time varies with page tables.",
         commit_and_page_tables(calls) if calls is not None else nothing),
        ("Releasing takes one call, whatever the state of the pages.",
         release_in_one_call(summary, calls)))]
