"""Several runs (machines, kernels, settings) over each other in the same charts and tables."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pandas

import analysis
import report
from campaign import STEPPED, size_text
from charts import (Tables, count_text, doubt, parts, powers_between, reach, render, steps_125,
                    strategies, time_text)
from command import RESULTS, Parser, Usage

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


def options(arguments):
    parser = Parser(prog="report", description=__doc__)
    parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="RUN",
                        help="folder of a run, as results/latest")
    parser.add_argument("--into", type=pathlib.Path, default=RESULTS / "side-by-side",
                        help="folder for report.html, REPORT.md and charts/ "
                             "(default: results/side-by-side)")
    chosen = parser.parse_args(arguments)
    if not 2 <= len(chosen.runs) <= MOST:
        raise Usage(f"{len(chosen.runs)} run given; use 2 to {MOST}")
    return chosen


def read(folder):
    try:
        return analysis.read(folder)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise Usage(f"cannot read the run in '{folder}': {said}; name a folder that make bench "
                    "wrote") from None


def labels(runs, folders):
    """What tells the runs apart, in few words; their folders' names where nothing else does."""
    told = []
    for run in runs:
        described = run.described
        settings, revision = described["settings"], described["revision"]["commit"] or ""
        told.append([
            "Wine" if (run.summary.platform == "wine").any() else described["system"]["name"],
            described["system"]["kernel"], described["processor"]["model"],
            f"{described['processor']['cores']} cores",
            f"pages {run.summary['pages'].iloc[0]}", f"THP {settings['thp_enabled']}",
            f"overcommit {settings['overcommit_memory']}", f"profile {described['profile']}",
            f"revision {revision[:8]}"])
    differing = [at for at in range(len(told[0])) if len({facts[at] for facts in told}) > 1]
    found = [", ".join(str(facts[at]) for at in differing) for facts in told]
    if len(set(found)) < len(found):
        found = [", ".join(filter(None, (folder.resolve().name, text)))
                 for folder, text in zip(folders, found)]
    if len(set(found)) < len(found):
        found = [f"{letter}: {text}" for letter, text in zip("ABCDEFGH", found)]
    return found


def draw(runs, names, folder):
    """Writes folder/*.svg and *.png; returns the names drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    every = [parts(run.summary)[0] for run in runs]
    together = pandas.concat(every)
    with tempfile.TemporaryDirectory() as scratch:
        tables = Tables(pathlib.Path(scratch))
        tables.define("present", " ".join(strategies(together)))
        for name, columns in (("runs_latency", "ns_per_page"), ("runs_ratio", "ratio_to_upfront")):
            tables.write(name, {f"{strategy} {at}": rows[rows.strategy == strategy][
                ["size_bytes", columns, f"{columns}_low", f"{columns}_high"]]
                .dropna(subset=[columns]).values.tolist() for strategy in strategies(together)
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
    found = []
    for key in common:
        size, touched, order, strategy, chunk = key
        each = [table.loc[key] for table in keyed]
        differs = [column.replace("_", " ") for column in
                   ("commit_calls", "handled_faults", "minor_faults", "region_count",
                    "commit_bytes", "resident_bytes")
                   if len({one[column] for one in each if not pandas.isna(one[column])}) > 1]
        found.append({
            "block": (size, touched, order),
            "cells": [report.sortable(size, size_text), report.sortable(touched, size_text),
                      (strategy, ""),
                      report.sortable(chunk, size_text) if strategy in STEPPED else ("", ""),
                      (order, "")]
            + [(report.with_interval(one, "ns_per_page", time_text),
                report.or_empty(one.ns_per_page, str)) for one in each]
            + [(report.with_interval(one, "ratio_to_upfront", report.ratio_text),
                report.or_empty(one.ratio_to_upfront, str)) for one in each]
            + [report.sortable(one.minor_faults, count_text) for one in each]
            + [report.sortable(one.commit_bytes, size_text) for one in each],
            "differs": ", ".join(differs)})
    return found


def write(runs, names, folder, drawn):
    headings = ["size", "touched", "strategy", "step", "order"]
    for what in ("time per page", "ratio to upfront", "minor faults", "charge"):
        headings += [f"{what}: {letter}" for letter in "ABCDEFGH"[:len(runs)]]
    rows = rows_of(runs)
    values = {
        "runs": [{"letter": letter, "name": name, "caption": report.caption(
            run.summary, run.described), "warnings": report.warnings(run),
            "sentences": [one.text for one in run.told], "facts": report.facts(run.described)}
            for letter, name, run in zip("ABCDEFGH", names, runs)],
        "figures": [{"name": name, "title": CHARTS[name][0], "caption": CHARTS[name][1],
                     "image": report.image(folder / "charts" / f"{name}.svg")} for name in drawn],
        "headings": headings, "rows": rows,
        "differing": sum(bool(row["differs"]) for row in rows),
    }
    for template, name in (("side_by_side.html.jinja", "report.html"),
                           ("SIDE_BY_SIDE.md.jinja", "REPORT.md")):
        (folder / name).write_text(report.templates().get_template(template).render(values),
                                   encoding="utf-8")


def main(arguments):
    try:
        chosen = options(arguments)
        runs = [read(folder) for folder in chosen.runs]
    except Usage as wrong:
        print(f"report: {wrong}", file=sys.stderr)
        return 2
    names = labels(runs, chosen.runs)
    drawn = []
    try:
        chosen.into.mkdir(parents=True, exist_ok=True)
        if shutil.which("gnuplot"):
            drawn = draw(runs, names, chosen.into / "charts")
        else:
            print("report: gnuplot not found, so without charts: run ./scripts/setup.sh",
                  file=sys.stderr)
        write(runs, names, chosen.into, drawn)
    except OSError as error:
        print(f"report: cannot write {error.filename or chosen.into}: {error.strerror}; make it "
              "writable, or name another folder by --into", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"report: {error.cmd[0]} ended with status {error.returncode}: "
              f"{(error.stderr or '').strip()}", file=sys.stderr)
        return 1
    for letter, name in zip("ABCDEFGH", names):
        print(f"{letter}: {name}")
    print(f"report: {os.path.relpath(chosen.into / 'report.html')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
