"""Many runs on one page: what holds on how many machines, how far they lie apart, which lie beyond
the others, and which counts are not the same."""

import csv
import io

import numpy
import pandas

from vmcommit.analyse import fleet_sentences
from vmcommit.analyse.fleet import KINDS, Fleet
from vmcommit.analyse.fleet_sentences import (cell_text, kernels_text, percent_text,
                                              strategy_text, values_text)
from vmcommit.base.columns import CELL
from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.files import write_bytes
from vmcommit.base.text import listed
from vmcommit.base.units import size_text
from vmcommit.show import charts, documents, page
from vmcommit.show.caption import percent
from vmcommit.show.chart import FLEET
from vmcommit.show.documents import sortable
from vmcommit.show.figures import Figures

FILES = {"fleet.html": "report.html", "FLEET.md": "REPORT.md"}
TABLE = "fleet.csv"
MOST_ROWS = 400  # of a table on the page; fleet.csv has all
MOST_MACHINES = 60
HEADINGS = ("size", "touched", "strategy", "step", "order", "machines", "within 3 %", "beyond",
            "undecided", "mean", "confidence interval", "predicted", "between machines", "I²")
MACHINE_HEADINGS = ("kernel", "processor", "guard kind", "machine", "beyond the others in")


def draw(fleet, folder) -> dict[str, list[Figures]]:
    """Writes folder/*.svg and *.png; returns {name: figures behind it} of the charts drawn."""
    text = (f"{fleet_sentences.head(fleet)}; {percent(CONFIDENCE)} confidence intervals; random "
            "effects of machines (Paule and Mandel; Hartung and Knapp)")
    return charts.draw_each(FLEET, fleet, folder, text)


def or_nothing(value, text):
    return "" if pandas.isna(value) else text(value)


def range_cell(low, high):
    """Sorted by its upper end."""
    return (or_nothing(low, lambda _: f"{percent_text(low)} to {percent_text(high)}"),
            or_nothing(high, "{:.10g}".format))


def cell_cells(cell, stepped):
    named = dict(zip(CELL, cell))
    return [sortable(named["size_bytes"], size_text), sortable(named["touched_bytes"], size_text),
            (named["strategy"], ""),
            sortable(named["chunk_bytes"], size_text) if stepped else ("", ""),
            (named["touch_order"], "")]


def across_row(across):
    effect, verdicts = across.effect, across.verdicts
    return [*cell_cells(across.cell, across.stepped),
            *(sortable(number, str) for number in
              (verdicts.machines, verdicts.within, verdicts.beyond, verdicts.undecided)),
            sortable(effect.mean, percent_text), range_cell(effect.low, effect.high),
            range_cell(effect.least, effect.most),
            sortable(effect.between, lambda value: f"{100 * value:.2f} %"),
            sortable(effect.heterogeneity, lambda value: f"{100 * value:.0f} %")]


def group_rows(fleet):
    """(kind, group, strategy, machines, mean, confidence interval) of each."""
    return [(kind, name, strategy_text(across), str(count), percent_text(mean),
             or_nothing(low, lambda _: f"{percent_text(low)} to {percent_text(high)}"))
            for kind in KINDS for across in fleet.headline if kind in across.groups
            for name, (mean, low, high, count) in across.groups[kind].means.items()]


def difference_rows(fleet):
    """(configuration, count, what it is with which kernels, remark)"""
    return [(cell_text(each.cell, each.stepped), each.column.replace("_", " "), values_text(each),
             "also within one kernel" if each.within_kernel else "")
            for each in fleet.differences]


def lacking_rows(fleet):
    return [(f"--{option} {kind}", strategy, status, kernels_text(kernels))
            for (option, kind, status), by_strategy in fleet.lacking.items()
            for strategy, kernels in by_strategy.items()]


def machine_rows(fleet):
    """Those that lie beyond the others first."""
    places = sorted(range(len(fleet.digests)), key=lambda place: place not in fleet.outliers)
    return [[(each.release, ""), (each.processor, ""), (each.guard, ""),
             (each.host + ("" if each.timed else " (counts alone)"), ""),
             (listed(fleet.outliers[place]) if place in fleet.outliers else "", "")]
            for place in places for each in [fleet.digests[place]]]


def table_row(across) -> dict:
    """As fleet.csv has it: ratios, and shares."""
    effect, verdicts = across.effect, across.verdicts
    ends = {name: f"{numpy.exp(getattr(effect, name)):.4f}" for name in
            ("mean", "low", "high", "least", "most")
            if not pandas.isna(getattr(effect, name))}
    return {**across.named, "machines": verdicts.machines, "within": verdicts.within,
            "beyond": verdicts.beyond, "undecided": verdicts.undecided,
            **{f"ratio_{name}": text for name, text in ends.items()},
            "between": f"{effect.between:.5f}", "heterogeneity": f"{effect.heterogeneity:.4f}",
            "probability": f"{effect.probability:.3g}"}


def write_table(fleet, path):
    """Every configuration that machines share, for other programs."""
    columns = [*CELL, "machines", "within", "beyond", "undecided", "ratio_mean", "ratio_low",
               "ratio_high", "ratio_least", "ratio_most", "between", "heterogeneity",
               "probability"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(table_row(across) for across in fleet.everything)
    write_bytes(path, text.getvalue().encode())


def folded(rows):
    """(rows that stand there at once, those that a reader asks for)"""
    return rows[:MOST_MACHINES], rows[MOST_MACHINES:]


def shortened(rows):
    return rows[:MOST_ROWS], len(rows)


def write(fleet: Fleet, folder, drawn):
    """Writes report.html, REPORT.md and fleet.csv; `drawn` names the charts that there are."""
    write_table(fleet, folder / TABLE)
    documents.write(folder, FILES, {
        "head": fleet_sentences.head(fleet), "sentences": fleet_sentences.of_fleet(fleet),
        "vendor": documents.vendored(),
        "notes": fleet.notes, "figures": page.figures(FLEET, fleet, folder, drawn),
        "headings": HEADINGS, "rows": shortened([across_row(each) for each in fleet.everything]),
        "groups": group_rows(fleet), "differences": shortened(difference_rows(fleet)),
        "lacking": shortened(lacking_rows(fleet)), "table": TABLE,
        "machine_headings": MACHINE_HEADINGS, "machines": folded(machine_rows(fleet))})
