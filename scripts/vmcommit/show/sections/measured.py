"""How a run was measured: turns, sets, the precision reached, and what disturbed it."""

import os
import pathlib

from vmcommit.base.conventions import ANSWER_CONFIDENCE, CONFIDENCE, NARROW
from vmcommit.base.places import ROOT
from vmcommit.base.text import counted
from vmcommit.base.units import count_text, duration_text
from vmcommit.show import doubts
from vmcommit.show.caption import percent
from vmcommit.show.sections import Section

TRUST = "docs/trust.md"


def trust_link(folder) -> str:
    """From a run in the source tree to the document; '' elsewhere."""
    folder = folder.resolve()
    if ROOT is None or ROOT not in folder.parents:
        return ""
    return pathlib.PurePath(os.path.relpath(ROOT / TRUST, folder)).as_posix()


def turns_text(samples) -> str:
    known = doubts.turns_of(samples)
    if known is None:
        return "Each sample is a process of its own."
    turns, discarded = known
    return (f"Harnesses took {count_text(turns)} turns of some 0.3 ms on one processor, in a "
            f"random order; {count_text(discarded)} turns in which something else ran are left "
            "out.")


def sets_text(summary) -> str:
    counts = summary.samples[summary.samples > 0]
    if counts.empty:
        return "Nothing was timed."
    ends = dict.fromkeys((int(counts.min()), int(counts.max())))
    return (f"Each figure is the median of {' to '.join(map(str, ends))} sets of processes that "
            "were started anew; ratios are of what was measured in the same set.")


def precision_text(summary) -> str:
    wide = doubts.wide_ratios(summary)
    known = wide["of"] - wide["count"]
    text = (f"{known} of {wide['of']} ratios are known within ±{percent(NARROW)}; their confidence "
            f"intervals hold together at {percent(CONFIDENCE)}, what the matrix claims at "
            f"{percent(ANSWER_CONFIDENCE)}.")
    return text + (f" The widest: {'; '.join(wide['named'])}." if wide["named"] else "")


def drift_text(summary) -> str:
    drifting = int(summary.drifts.sum())
    return f"{drifting or 'No'} configuration{'' if drifting == 1 else 's'} drifted over the run."


def facts_of(analysis):
    seconds = analysis.run.environment["seconds_measuring"]
    disturbed = len(doubts.warnings(analysis))
    return [
        ("Time", "cut off" if seconds is None else duration_text(seconds)),
        ("Turns", turns_text(analysis.run.samples)),
        ("Sets", sets_text(analysis.summary)),
        ("Precision", precision_text(analysis.summary)),
        ("Drift", drift_text(analysis.summary)),
        ("Counts", "Faults, calls, charge and mappings are exact; "
                   + ("all are the same in every round." if (analysis.summary.counts == "exact")
                      .all() else "some differ between rounds, as the table says.")),
        ("Disturbances", f"{counted(disturbed, 'remark')} at the head of this page." if disturbed
         else "None was seen.")]


SECTION = Section(
    order=10, title="How was this measured?", short="Method",
    values=lambda analysis: {"facts": facts_of(analysis), "trust": TRUST,
                             "link": trust_link(analysis.run.folder)})
