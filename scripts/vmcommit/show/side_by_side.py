"""Several runs (machines, kernels, settings) over each other in the same charts and tables."""

import functools

import pandas

from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.files import relative
from vmcommit.base.strategies import UPFRONT, names_in
from vmcommit.base.units import count_text, size_text, time_text
from vmcommit.show import charts, differences, documents, doubts, facts, page
from vmcommit.show.caption import caption, doubt, percent
from vmcommit.show.chart import RUNS
from vmcommit.show.documents import sortable, with_interval
from vmcommit.show.figures import Figures, ratio_text
from vmcommit.show.frame import shortened
from vmcommit.show.rows import parts

LETTERS = "ABCDEFGH"
MOST = len(LETTERS)  # as many as there are colours and marks that can be told apart
FILES = {"side_by_side.html": "report.html", "SIDE_BY_SIDE.md": "REPORT.md"}
KEY = ["size_bytes", "touched_bytes", "touch_order", "strategy", "chunk_bytes"]
COUNTED = ("commit_calls", "handled_faults", "minor_faults", "region_count", "commit_bytes",
           "resident_bytes")
LONGEST = 110  # of a run's name in a legend


class Together:
    """The runs as charts take them."""

    def __init__(self, runs, names):
        self.runs, self.names = runs, names

    @functools.cached_property
    def full(self):
        """Of each run the rows with all touched."""
        return [parts(run.summary)[0] for run in self.runs]

    @functools.cached_property
    def rows(self):
        return pandas.concat(self.full)

    def strategies(self, rows):
        """The names that rows of any run have; a strategy may have another rank in each."""
        return list(dict.fromkeys(names_in(rows)))

    @property
    def shown_names(self):
        """Each with its letter, and short enough for a legend."""
        return [shortened(f"{letter}: {name}", LONGEST)
                for letter, name in zip(LETTERS, self.names)]


def distinguishing(run):
    """What may tell runs apart, in few words each."""
    described = run.run.environment
    settings, revision = described["settings"], described["revision"]["commit"] or ""
    return ("Wine" if doubt(run.summary) else described["system"]["name"],
            described["system"]["kernel"], described["processor"]["model"],
            f"{described['processor']['cores']} cores",
            f"pages {run.summary['pages'].iloc[0]}", f"THP {settings['thp_enabled']}",
            f"overcommit {settings['overcommit_memory']}", f"profile {described['profile']}",
            f"revision {revision[:8]}")


def labels(runs, folders) -> list[str]:
    """What tells the runs apart, in few words; their folders where nothing else does."""
    columns = [column for column in zip(*map(distinguishing, runs)) if len(set(column)) > 1]
    names = [", ".join(map(str, words)) for words in zip(*columns)] or [""] * len(runs)
    if len(set(names)) < len(names):
        short = [folder.resolve().name for folder in folders]
        told = short if len(set(short)) == len(short) else map(relative, folders)
        names = [", ".join(filter(None, (folder, text))) for folder, text in zip(told, names)]
    return names


def draw(runs, names, folder) -> dict[str, list[Figures]]:
    """Writes folder/*.svg and *.png; returns {name: figures behind it} of the charts drawn."""
    doubtful = " (Wine's times are not Windows')" if any(doubt(run.summary) for run in runs) else ""
    text = f"medians with {percent(CONFIDENCE)} confidence intervals, as each run has them"
    return charts.draw_each(RUNS, Together(runs, names), folder, text, doubtful)


def differing(rows):
    """The counts that are known of several rows and not the same."""
    return [column.replace("_", " ") for column in COUNTED
            if len({row[column] for row in rows if not pandas.isna(row[column])}) > 1]


def apart(strategy, rows) -> bool | None:
    """Whether the confidence intervals of two runs' ratios do not overlap; None where one has
    none, or one of too few rounds."""
    if any(not row.ratio_confidence >= CONFIDENCE for row in rows):
        return None
    ends = [(row.ratio_to_upfront_low, row.ratio_to_upfront_high) for row in rows]
    if strategy == UPFRONT or any(pandas.isna(end) for both in ends for end in both):
        return None
    lows, highs = zip(*ends)
    return max(lows) > min(highs)


def table_row(key, rows):
    """One configuration, a row of each run."""
    size, touched, order, strategy, chunk = key
    return {
        "block": (size, touched, order),
        "cells": [sortable(size, size_text), sortable(touched, size_text), (strategy, ""),
                  sortable(chunk, size_text) if rows[0].stepped else ("", ""), (order, ""),
                  *(with_interval(row, "ns_per_page", time_text) for row in rows),
                  *(with_interval(row, "ratio_to_upfront", ratio_text) for row in rows),
                  *(sortable(row.minor_faults, count_text) for row in rows),
                  *(sortable(row.commit_bytes, size_text) for row in rows)],
        "differs": ", ".join(differing(rows)), "apart": apart(strategy, rows)}


def rows_of(runs):
    """A row for each configuration that all runs have: times, ratios and counts of each, and which
    counts differ."""
    keyed = [run.summary.drop_duplicates(KEY).set_index(KEY) for run in runs]
    return [table_row(key, [table.loc[key] for table in keyed]) for key in keyed[0].index
            if all(key in table.index for table in keyed[1:])]


def headings(number):
    return ["size", "touched", "strategy", "step", "order",
            *(f"{what}: {letter}"
              for what in ("time per page", "ratio to upfront", "minor faults", "charge")
              for letter in LETTERS[:number])]


def described(letter, name, run):
    return {"letter": letter, "name": name, "caption": caption(run.summary, run.run.environment),
            "warnings": doubts.warnings(run), "facts": facts.of(run.run.environment),
            "headline": [sentence.text for sentence in run.headline]}


def write(runs, names, folder, drawn):
    """Writes folder/report.html and folder/REPORT.md; `drawn` names the charts that there are."""
    rows = rows_of(runs)
    documents.write(folder, FILES, {
        "headline": differences.headline(LETTERS, runs, rows), "vendor": documents.vendored(),
        "runs": [described(*run) for run in zip(LETTERS, names, runs)],
        "figures": page.figures(RUNS, Together(runs, names), folder, drawn),
        "headings": headings(len(runs)), "rows": rows,
        "differing": sum(bool(row["differs"]) for row in rows)})
