"""report.html: one self-contained page that begins with the answer; REPORT.md, its short form."""

import base64
import pathlib

from vmcommit.analyse import advice, selfcheck, surroundings
from vmcommit.base.cells import cell_of
from vmcommit.base.columns import PHASES
from vmcommit.base.conventions import (ANSWER_CONFIDENCE, CONFIDENCE, DEFAULT_STEP, NARROW,
                                       TOUCH_NAMES)
from vmcommit.base.strategies import UPFRONT, names_in
from vmcommit.base.text import counted, listed
from vmcommit.base.units import count_text, size_text, time_text
from vmcommit.measure import disturbance
from vmcommit.show import charts, documents, facts
from vmcommit.show.caption import caption, doubt, percent
from vmcommit.show.chart import RUN, SURROUNDINGS
from vmcommit.show.documents import beside, or_empty, sortable, with_interval
from vmcommit.show.rows import of_sizes

FILES = {"report.html": "report.html", "REPORT.md": "REPORT.md"}
WIDEST = 8  # ratios that are named
HEADINGS = ("size", "touched", "strategy", "step", "order", "samples", "time per page",
            f"ratio to {UPFRONT}", "reserve", "commit", "touch", "release", "commit calls",
            "handled faults", "minor faults", "regions", "charge", "resident")
TERM_NAMES = {"cycle": "a cycle", "pages": "a page", "commit_calls": "a commit call",
              "handled_faults": "a handled fault"}
OF_WINE = ("These rows come from Windows programs run by Wine. They prove that the programs work; "
           "their times are Wine's and say nothing of Windows. Counters that mean nothing under "
           "Wine are left out.")


def ratio_text(ratio):
    return f"{ratio:.3f}"


def table_cells(row):
    pages = row.touched_bytes / row.page_bytes
    return [
        sortable(row.size_bytes, size_text), sortable(row.touched_bytes, size_text),
        (row.strategy + (f" ({row.guard})" if row.guard else ""), ""),
        sortable(row.chunk_bytes, size_text) if row.stepped else ("", ""),
        (row.touch_order, ""), sortable(row.samples, str),
        with_interval(row, "ns_per_page", time_text),
        with_interval(row, "ratio_to_upfront", ratio_text),
        *(sortable(row[phase] / pages, time_text) for phase in PHASES),
        *(sortable(row[column], count_text) for column in
          ("commit_calls", "handled_faults", "minor_faults", "region_count")),
        sortable(row.commit_bytes, size_text), sortable(row.resident_bytes, size_text)]


def table_rows(summary, strategies):
    """Each with an anchor of its own; the first of several rows of a cell has the cell's."""
    rows, seen = [], {}
    for _, row in summary.iterrows():
        anchor = cell_of(row, strategies).anchor
        seen[anchor] = seen.get(anchor, 0) + 1
        rows.append({"anchor": anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor]}",
                     "block": (row.size_bytes, row.touched_bytes, row.touch_order),
                     "cells": table_cells(row),
                     "differs": row.counts if row.counts != "exact" else "",
                     "problem": row.error})
    return rows


def wide_ratio(row):
    """upfront 64 MiB by 16 KiB, 6.4 MiB touched (±4 %)"""
    return (f"{row.strategy} {size_text(row.size_bytes)}"
            + (f" by {size_text(row.chunk_bytes)}" if row.stepped else "")
            + ("" if row.touched_bytes == row.size_bytes
               else f", {size_text(row.touched_bytes)} touched")
            + ("" if row.touch_order == "sequential" else f", {row.touch_order}")
            + f" (±{100 * row.ratio_half_width:.1f} %)")


def wide_ratios(summary):
    """Which ratios are known less well than NARROW, the widest first, and of how many."""
    cells = summary[(summary.strategy != UPFRONT) & (summary.ratio_samples > 0)]
    wide = cells[cells.ratio_half_width > NARROW].sort_values("ratio_half_width", ascending=False)
    return {"named": [wide_ratio(row) for _, row in wide.head(WIDEST).iterrows()],
            "count": len(wide), "of": len(cells)}


def image(path: pathlib.Path) -> str:
    """A picture as a data address, so that its styles and names stay its own."""
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()


def figure(name, chart, folder, finding):
    """`alt`: what is plotted and what it shows, for who can't see it."""
    return {"name": name, "title": chart.title, "caption": chart.caption,
            "alt": f"{chart.description}. {finding}".strip(),
            "image": image(folder / "charts" / f"{name}.svg")}


def figures(shows, subject, folder, drawn):
    return [figure(name, chart, folder, chart.finding(subject))
            for name, chart in charts.of(shows).items() if name in drawn]


def choice_row(choice):
    cell = choice.cell
    return {"need": advice.NEEDS[choice.need], "use": f"{TOUCH_NAMES[choice.touch]} touched",
            "strategy": cell.strategy.name, "step": size_text(cell.chunk) if cell.step else "",
            "why": choice.why, "anchor": cell.anchor}


def signed_time(ns):
    return f"-{time_text(-ns)}" if ns < 0 else time_text(ns)


def price_text(fitted, term):
    """A coefficient in words: value and confidence interval, or what it is held in."""
    if term in fitted["ns"]:
        value, low, high = (signed_time(fitted["ns"][term][name])
                            for name in ("value", "low", "high"))
        return beside(value, f"{low} to {high}")
    if term in fitted["tied"]:
        return "in " + " and ".join(TERM_NAMES[name] for name in fitted["tied"][term])
    return "none"


def model_row(strategy, fitted):
    residuals = fitted["residuals"]
    worst = f"{100 * residuals['worst']:+.0f} % at {size_text(residuals['worst_size_bytes'])}"
    return {"strategy": strategy,
            "cells": [*(price_text(fitted, term) for term in TERM_NAMES),
                      f"{100 * residuals['median']:.1f} %", worst]}


def check_row(check):
    return {"what": check["what"], "whole": f"{check['whole']:.0f} ns",
            "parts": f"{check['parts']:.0f} ns", "apart": f"{100 * check['difference']:+.0f} %",
            "flagged": check["flagged"]}


def sizes_table(summary, names):
    """ns per touched page with all touched: [(size, [text of each strategy])]"""
    return [(size_text(size), [or_empty(row.get(name), time_text) for name in names])
            for size, row in of_sizes(summary).iterrows()]


def sentence_row(sentence):
    return {"text": sentence.text,
            "cells": [(f"{cell} {size_text(cell.size)}", cell.anchor) for cell in sentence.cells]}


def section_row(section):
    """A question's own part of the page."""
    return {"name": section.name, "title": section.title, "headings": section.headings,
            "sentences": [sentence.text for sentence in section.sentences],
            "tables": [[{"anchor": line.cell.anchor, "texts": line.texts} for line in lines]
                       for lines in (section.lines, section.more)], "note": section.note}


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


def warnings(analysis) -> list[str]:
    """What should make a reader doubt, in sentences."""
    summary = analysis.summary
    return [*analysis.run.notes, *([OF_WINE] if doubt(summary) else []),
            *disturbance.sentences(analysis.run.environment["disturbance"]),
            *of_counts(summary), *of_sums(summary), *of_blocks(analysis), *of_skipped(summary)]


def surroundings_section(analysis, folder, drawn):
    """What there is to show of them: sentences, tables, figures."""
    return {"sentences": analysis.surroundings,
            "tables": surroundings.tables(analysis.run.surroundings, analysis.page),
            "figures": figures(SURROUNDINGS, analysis, folder, drawn)}


def numbers():
    """What the suite has settled on, as templates say it."""
    return {"confidence": percent(CONFIDENCE), "answer_confidence": percent(ANSWER_CONFIDENCE),
            "narrow": percent(NARROW), "flagged": percent(selfcheck.FLAGGED),
            "default_step": size_text(DEFAULT_STEP), "upfront": UPFRONT}


def described(strategies):
    return [(strategy.name, strategy.summary) for strategy in strategies.values()]


def write(analysis, folder: pathlib.Path, drawn: list[str]):
    """Writes folder/report.html and folder/REPORT.md; `drawn` names the charts that there are."""
    summary, run = analysis.summary, analysis.run
    names, calibration = names_in(summary), run.environment["calibration"]
    documents.write(folder, FILES, {
        **numbers(),
        "caption": caption(summary, run.environment), "doubt": doubt(summary),
        "warnings": warnings(analysis),
        "sentences": [sentence_row(sentence) for sentence in analysis.sentences],
        "choices": [choice_row(choice) for choice in analysis.choices],
        "sections": [section_row(section) for section in analysis.sections],
        "claims": analysis.claims,
        "names": names, "sizes": sizes_table(summary, names),
        "figures": figures(RUN, analysis, folder, drawn),
        "surroundings": surroundings_section(analysis, folder, drawn),
        "model": [model_row(*fitted) for fitted in analysis.model["strategies"].items()],
        "headings": HEADINGS, "rows": table_rows(summary, run.strategies),
        "wide": wide_ratios(summary), "drifting": int(summary.drifts.sum()),
        "checks": [check_row(check) for check in selfcheck.check(summary, calibration)],
        "calibration": facts.of_calibration(calibration),
        "facts": facts.of(run.environment), "strategies": described(run.strategies)})
