"""What should make a reader doubt a run's figures, and how well its ratios are known."""

from vmcommit.base.conventions import CONFIDENCE, NARROW
from vmcommit.base.strategies import UPFRONT, names_in
from vmcommit.base.text import counted, listed
from vmcommit.base.units import size_text
from vmcommit.measure import disturbance
from vmcommit.show.caption import doubt

WIDEST = 8  # ratios that are named
DISTURBED = 0.02  # of the turns
OF_WINE = ("These rows come from Windows programs run by Wine. They prove that the programs work; "
           "their times are Wine's and say nothing of Windows. Counters that mean nothing under "
           "Wine are left out.")


def wide_ratio(row):
    """upfront 64 MiB by 16 KiB, 6.4 MiB touched (±4 %)"""
    return (f"{row.strategy} {size_text(row.size_bytes)}"
            + (f" by {size_text(row.chunk_bytes)}" if row.stepped else "")
            + ("" if row.touched_bytes == row.size_bytes
               else f", {size_text(row.touched_bytes)} touched")
            + ("" if row.touch_order == "sequential" else f", {row.touch_order}")
            + f" (±{100 * row.ratio_half_width:.1f} %)")


def wide_ratios(summary):
    """Which ratios are known less well than NARROW, the widest first, and of how many. One of too
    few rounds for a confidence interval is not known, however close they lie."""
    cells = summary[(summary.strategy != UPFRONT) & (summary.ratio_samples > 0)]
    known = (cells.ratio_half_width <= NARROW) & (cells.ratio_confidence >= CONFIDENCE)
    wide = cells[~known].sort_values("ratio_half_width", ascending=False)
    measured = wide.dropna(subset=["ratio_half_width"])
    return {"named": [wide_ratio(row) for _, row in measured.head(WIDEST).iterrows()],
            "count": len(wide), "of": len(cells)}


def total(samples, column):
    """Of all rows that took turns; None where none did."""
    if column not in samples:
        return None
    numbers = samples[column].map(number_of)
    return int(numbers.sum()) if numbers.notna().any() else None


def number_of(cell):
    """A cell of a column that is read as text."""
    text = str(cell)
    return int(text) if text.isdecimal() and len(text) < 16 else float("nan")


def turns_of(samples):
    """(turns, how many of them something else disturbed), None where none took turns; of one
    thread, since several take processors from each other."""
    alone = samples[samples.threads == 1]
    turns = total(alone, "turns")
    return None if turns is None else (turns, total(alone, "disturbed_turns") or 0)


def of_turns(samples):
    turns, lost = turns_of(samples) or (0, 0)
    return [f"Other programs took the processor in {100 * lost / turns:.0f} % of the turns; these "
            "are left out."] if turns and lost / turns > DISTURBED else []


def of_blocks(analysis):
    return [f"{name} is timed in one cycle a process, its first, with cold caches; short cycles of "
            "the others in batches. At small sizes that is part of its time."
            for name in names_in(analysis.summary) if analysis.run.strategies[name].blocks]


def of_counts(summary):
    differing = int((summary.counts != "exact").sum())
    return [f"Counts differed between rounds in {counted(differing, 'configuration')}: they are "
            "marked in the table. Counts are exact where the machine is left alone, so look there "
            "first."] if differing else []


def of_sums(summary):
    differing = summary[summary.sums_differ]
    return [f"Plain sums of turns say another ratio than the estimate of an undisturbed cycle in "
            f"{counted(len(differing), 'configuration')}, beyond both confidence intervals: "
            f"{listed(wide_ratio(row) for _, row in differing.head(WIDEST).iterrows())}. Something "
            "happens there that is not in every turn."] if len(differing) else []


def of_skipped(summary):
    skipped = int(((summary.samples == 0) & (summary.skipped > 0)).sum())
    return [f"{counted(skipped, 'configuration')} {'was' if skipped == 1 else 'were'} skipped: the "
            "table says why."] if skipped else []


def of_left_out(environment):
    texts = "; ".join(map(str, environment["left_out"] or []))
    remedy = "" if environment["profile"] == "full" else " PROFILE=full has more time."
    return [f"There was no time for {texts}: one cycle of each strategy would have taken longer "
            f"than was left.{remedy}"] if texts else []


def of_huge_pages(analysis):
    """A program here gets huge pages where the harnesses were kept from them."""
    always = analysis.run.environment["settings"]["thp_enabled"] == "always"
    small = (analysis.summary["pages"] == "small").all()
    return ["Huge pages are always on here; these figures are of base pages alone. A program that "
            "does not turn them off pays less for pages that it touches in order, and may be "
            "resident with more than it touched."] if always and small else []


def warnings(analysis) -> list[str]:
    """What should make a reader doubt, in sentences."""
    summary = analysis.summary
    return [*analysis.run.notes, *([OF_WINE] if doubt(summary) else []),
            *of_turns(analysis.run.samples),
            *disturbance.sentences(analysis.run.environment["disturbance"]),
            *of_left_out(analysis.run.environment), *of_huge_pages(analysis),
            *of_counts(summary), *of_sums(summary), *of_blocks(analysis), *of_skipped(summary)]
