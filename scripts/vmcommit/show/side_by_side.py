"""Several runs (machines, kernels, settings) over each other in the same charts and tables."""

import pathlib
import tempfile

import pandas

from vmcommit.base.files import write_text
from vmcommit.base.strategies import names_in
from vmcommit.base.units import count_text, size_text, time_text
from vmcommit.show import page
from vmcommit.show.charts import (Tables, doubt, parts, powers_between, reach, render, steps_125)

LETTERS = "ABCDEFGH"

MOST = 8  # as many as there are colours and marks that can be told apart
CHARTS = {
    "runs_latency": ("Time per touched page against size, one panel for each strategy, one line "
                     "for each run",
                     "Lower is better. Times of different runs were not measured in turn: a "
                     "difference of some ten per cent may be the machine's."),
    "runs_ratio": ("Time as a multiple of full up-front commit against size, one panel for each "
                   "strategy, one line for each run",
                   "Each run's ratios are paired within its own rounds, so these can be compared "
                   "across runs. Where bands overlap, two runs can't be told apart."),
}
KEY = ["size_bytes", "touched_bytes", "touch_order", "strategy", "chunk_bytes"]


def labels(runs, folders):
    """What tells the runs apart, in few words; their folders' names where nothing else does."""
    facts_by_run = []
    for run in runs:
        described = run.run.environment
        settings, revision = described["settings"], described["revision"]["commit"] or ""
        facts_by_run.append([
            "Wine" if (run.summary.platform == "wine").any() else described["system"]["name"],
            described["system"]["kernel"], described["processor"]["model"],
            f"{described['processor']['cores']} cores",
            f"pages {run.summary['pages'].iloc[0]}", f"THP {settings['thp_enabled']}",
            f"overcommit {settings['overcommit_memory']}", f"profile {described['profile']}",
            f"revision {revision[:8]}"])
    differing = [at for at in range(len(facts_by_run[0]))
                 if len({facts[at] for facts in facts_by_run}) > 1]
    names = [", ".join(str(facts[at]) for at in differing) for facts in facts_by_run]
    if len(set(names)) < len(names):
        names = [", ".join(filter(None, (folder.resolve().name, text)))
                 for folder, text in zip(folders, names)]
    if len(set(names)) < len(names):
        names = [f"{letter}: {text}" for letter, text in zip(LETTERS, names)]
    return names


def draw(runs, names, folder):
    """Writes folder/*.svg and *.png; returns the names drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    every = [parts(run.summary)[0] for run in runs]
    together = pandas.concat(every)
    with tempfile.TemporaryDirectory() as scratch:
        tables = Tables(pathlib.Path(scratch))
        tables.define("present", " ".join(names_in(together)))
        for name, columns in (("runs_latency", "ns_per_page"), ("runs_ratio", "ratio_to_upfront")):
            tables.write(name, {f"{strategy} {at}": rows[rows.strategy == strategy][
                ["size_bytes", columns, f"{columns}_low", f"{columns}_high"]]
                .dropna(subset=[columns]).values.tolist() for strategy in names_in(together)
                for at, rows in enumerate(every)})
        low, high = together.size_bytes.min(), together.size_bytes.max()
        marks = powers_between(low, high, 4)
        tables.define("size_low", low / 1.5)
        tables.define("size_high", high * 1.5)
        tables.define_tics("size_tics", marks[::1 + len(marks) // 6], size_text)
        fastest, slowest = reach(together, "ns_per_page")
        fastest, slowest = fastest / 1.3, slowest * 1.3
        tables.define("page_low", fastest)
        tables.define("page_high", slowest)
        tables.define_tics("page_tics", steps_125(fastest, slowest), time_text)
        tables.define("ratio_high", 1.08 * max(1, reach(together, "ratio_to_upfront")[1]))
        tables.define("runs", len(runs))
        tables.define_names("run_name", names)
        tables.define("doubt", "" if not any(doubt(run.summary) for run in runs)
                      else " (Wine's times are not Windows')")
        tables.define("caption", "medians with 95 % intervals, as each run has them")
        render(tables, CHARTS, folder)
    return list(CHARTS)


def rows_of(runs):
    """A row for each configuration that all runs have: times, ratios and counts of each, and
    which counts differ."""
    keyed = [run.summary.set_index(KEY) for run in runs]
    common = [key for key in keyed[0].index if all(key in other.index for other in keyed[1:])]
    rows = []
    for key in common:
        size, touched, order, strategy, chunk = key
        each = [table.loc[key] for table in keyed]
        differs = [column.replace("_", " ") for column in
                   ("commit_calls", "handled_faults", "minor_faults", "region_count",
                    "commit_bytes", "resident_bytes")
                   if len({one[column] for one in each if not pandas.isna(one[column])}) > 1]
        rows.append({
            "block": (size, touched, order),
            "cells": [page.sortable(size, size_text), page.sortable(touched, size_text),
                      (strategy, ""),
                      page.sortable(chunk, size_text) if keyed[0].loc[key].stepped else ("", ""),
                      (order, "")]
            + [(page.with_interval(one, "ns_per_page", time_text),
                page.or_empty(one.ns_per_page, str)) for one in each]
            + [(page.with_interval(one, "ratio_to_upfront", page.ratio_text),
                page.or_empty(one.ratio_to_upfront, str)) for one in each]
            + [page.sortable(one.minor_faults, count_text) for one in each]
            + [page.sortable(one.commit_bytes, size_text) for one in each],
            "differs": ", ".join(differs)})
    return rows


def write(runs, names, folder, drawn):
    headings = ["size", "touched", "strategy", "step", "order"]
    for what in ("time per page", "ratio to upfront", "minor faults", "charge"):
        headings += [f"{what}: {letter}" for letter in LETTERS[:len(runs)]]
    rows = rows_of(runs)
    values = {
        "runs": [{"letter": letter, "name": name, "caption": page.caption(
            run.summary, run.run.environment), "warnings": page.warnings(run),
            "sentences": [sentence.text for sentence in run.sentences], "facts": page.facts(run.run.environment)}
            for letter, name, run in zip(LETTERS, names, runs)],
        "figures": [{"name": name, "title": CHARTS[name][0], "caption": CHARTS[name][1],
                     "image": page.image(folder / "charts" / f"{name}.svg")} for name in drawn],
        "headings": headings, "rows": rows,
        "differing": sum(bool(row["differs"]) for row in rows),
    }
    for template, name in (("side_by_side.html.jinja", "report.html"),
                           ("SIDE_BY_SIDE.md.jinja", "REPORT.md")):
        write_text(folder / name, page.templates().get_template(template).render(values))
