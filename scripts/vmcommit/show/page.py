"""report.html: one self-contained page that begins with the answer; REPORT.md, its short form."""

import base64
import pathlib

from vmcommit.analyse import model, selfcheck, surroundings
from vmcommit.analyse.answer import Field
from vmcommit.base.cells import PLAIN, cell_of
from vmcommit.base.columns import PHASES
from vmcommit.base.conventions import ANSWER_CONFIDENCE, CONFIDENCE, DEFAULT_STEP
from vmcommit.base.strategies import UPFRONT, names_in
from vmcommit.base.units import count_text, size_text, time_text
from vmcommit.show import (charts, documents, doubts, facts, looks, matrix, needs, sections)
from vmcommit.show.caption import caption, doubt, percent
from vmcommit.show.chart import RUN, SURROUNDINGS
from vmcommit.show.documents import beside, or_empty, sortable, with_interval
from vmcommit.show.figures import Figures, ratio_text, shown
from vmcommit.show.rows import of_sizes

FILES = {"report.html": "report.html", "REPORT.md": "REPORT.md"}
HEADINGS = ("size", "touched", "strategy", "step", "order", "samples", "time per page",
            f"ratio to {UPFRONT}", "reserve", "commit", "touch", "release", "commit calls",
            "handled faults", "minor faults", "regions", "charge", "resident")
TERM_NAMES = {"cycle": "a cycle", "pages": "a page", "commit_calls": "a commit call",
              "handled_faults": "a handled fault", model.UNCACHED: "an uncached page, more"}


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


def image(path: pathlib.Path) -> str:
    """A picture as a data address, so that its styles and names stay its own."""
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()


def figure_rows(figures: Figures) -> list[dict]:
    units = [unit for _, unit in figures.columns]
    known = looks.of_names(figures.series)
    return [{"series": name, "color": figures.colors.get(name, known[name].color),
             "cells": [shown(value, unit) for value, unit in zip(row, units)]}
            for name, rows in figures.series.items() for row in rows]


def figure_table(figures: Figures) -> dict:
    """What a chart rests on. The page draws `lines` itself, over axes of which `log` names the
    logarithmic ones."""
    return {"title": figures.title, "lines": figures.lines, "log": figures.log,
            "stairs": figures.stairs,
            "headings": [heading for heading, _ in figures.columns],
            "units": [unit for _, unit in figures.columns],
            "rows": figure_rows(figures)}


def figure(name, chart, folder, finding, behind):
    """`alt`: what is plotted and what it shows, for who can't see it."""
    return {"name": name, "title": chart.title, "caption": chart.caption, "picture": chart.picture,
            "alt": f"{chart.description}. {finding}".strip(),
            "image": image(folder / "charts" / f"{name}.svg"),
            "tables": [figure_table(figures) for figures in behind if figures.count]}


def figures(shows, subject, folder, drawn):
    return [figure(name, chart, folder, chart.finding(subject), drawn[name])
            for name, chart in charts.of(shows).items() if name in drawn]


def page_color(color: str) -> str:
    """Black is a theme's ink."""
    return "var(--ink)" if color == "#000000" else color


def matrix_field(field: Field | None, names) -> dict:
    """What a field of the matrix says, and what it says of the losers."""
    said = {"text": matrix.winner_text(field), "color": "", "anchor": "", "factors": []}
    if field is None or not field.cheapest:
        return said
    winner = field.cheapest[0]
    return {**said, "anchor": field.block[winner].anchor,
            "color": "" if field.equal else page_color(names[winner].color),
            "factors": [(name, matrix.factor_text(ratio))
                        for name, ratio in field.factors.items()]}


def matrix_rows(answer) -> list[dict]:
    names = looks.of_names(matrix.compared(answer))
    return [{"size": size_text(size), "fields": [matrix_field(field, names) for field in fields]}
            for size, fields in matrix.by_size(answer).items()]


def price_text(fitted, term):
    """A coefficient in words: value and confidence interval, or what it is held in."""
    if term in fitted["ns"]:
        value, low, high = (time_text(fitted["ns"][term][name])
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


def caches_text(fitted, page):
    """Where pages cost more; all strategies have it alike."""
    ends = [each["caches"] for each in fitted.values() if each["caches"]]
    if not ends:
        return ""
    held, missed = (size_text(pages * page) for pages in ends[0])
    return f"Of up to {held} touched all pages are cached, of {missed} and more none."


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


def anchor_of(cell):
    """In a question's table; '' where the table of all has it."""
    return "" if cell.manner == PLAIN else cell.anchor


def section_row(section):
    """A question's own part of the page."""
    return {"name": section.name, "title": section.title, "headings": section.headings,
            "sentences": [sentence.text for sentence in section.sentences],
            "tables": [[{"anchor": anchor_of(line.cell), "texts": line.texts} for line in lines]
                       for lines in (section.lines, section.more)], "note": section.note}


def surroundings_section(analysis, folder, drawn):
    """What there is to show of them: sentences, tables, figures."""
    return {"sentences": analysis.surroundings,
            "tables": surroundings.tables(analysis.run.surroundings, analysis.page),
            "figures": figures(SURROUNDINGS, analysis, folder, drawn)}


def numbers():
    """What the suite has settled on, as templates say it."""
    return {"confidence": percent(CONFIDENCE), "answer_confidence": percent(ANSWER_CONFIDENCE),
            "flagged": percent(selfcheck.FLAGGED),
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
        "warnings": doubts.warnings(analysis),
        "headline": [sentence_row(sentence) for sentence in analysis.headline],
        "sentences": [sentence_row(sentence) for sentence in analysis.sentences],
        "needs": needs.of(analysis),
        "touches": matrix.headings(analysis.answer), "matrix": matrix_rows(analysis.answer),
        "joined": matrix.joined(analysis.answer), "compared": matrix.compared(analysis.answer),
        "parts": sections.of(analysis), "vendor": documents.vendored(),
        "sections": [section_row(section) for section in analysis.sections],
        "claims": analysis.claims,
        "names": names, "sizes": sizes_table(summary, names),
        "figures": figures(RUN, analysis, folder, drawn),
        "surroundings": surroundings_section(analysis, folder, drawn),
        "model": [model_row(*fitted) for fitted in analysis.model["strategies"].items()],
        "terms": TERM_NAMES.values(),
        "caches": caches_text(analysis.model["strategies"], analysis.model["page_bytes"]),
        "headings": HEADINGS, "rows": table_rows(summary, run.strategies),
        "checks": [check_row(check) for check in selfcheck.check(summary, calibration)],
        "calibration": facts.of_calibration(calibration),
        "facts": facts.of(run.environment), "strategies": described(run.strategies)})
