"""Whole processes of the harnesses, timed from outside by hyperfine, beside what each of the same
processes says of its own cycle."""

import csv
import io
import os
import pathlib
import random
import shlex
import subprocess
import tempfile

from vmcommit.base import processes
from vmcommit.base.files import write_json, write_text
from vmcommit.base.folder import PROCESS_TIMES, START, Unreadable, read_json
from vmcommit.base.problems import Problem
from vmcommit.base.text import last_line
from vmcommit.base.units import GIB
from vmcommit.measure import progress

COLUMNS = ("run", "strategy", "whole_ns", "total_ns")
TIMED = "hyperfine.json"


def commands(programs, size, run, order) -> dict:
    """{name: command line} of a run's processes. `programs`: {name: words}; START is a process that
    measures nothing."""
    lines = {}
    for name in order:
        words = [*next(iter(programs.values())), "--version"] if name == START else \
            [*programs[name], "--size", str(size), "--repeat", "1", "--output", own_file(name, run)]
        lines[name] = shlex.join(words)
    return lines


def own_file(name, run):
    """Where a process writes its own row."""
    return f"{name}-{run}.csv"


def own_total_ns(path):
    """The time of the cycles that the process timed; None if it refused or started only."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            row = next(csv.DictReader(file))
        return float(row["total_ns"]) * int(row["batch"]) if row["status"] == "ok" else None
    except (OSError, StopIteration, ValueError, KeyError, TypeError, csv.Error):
        return None


def hyperfine(lines, work, path, seconds) -> list[dict]:
    """What hyperfine says of each command line, which it runs once, in their order. Raises
    Problem."""
    try:
        done = processes.run(
            ["hyperfine", "--shell=none", "--runs", "1", "--style", "none", "--export-json", TIMED,
             *lines], seconds, cwd=work, env=os.environ | path)
    except subprocess.TimeoutExpired:
        raise Problem(f"hyperfine did not end within {seconds:.0f} s") from None
    if done.returncode != 0:
        raise Problem(f"hyperfine ended with status {done.returncode}: {last_line(done.stderr)}")
    try:
        results = read_json(pathlib.Path(work, TIMED))["results"]
        if not all(result["times"][0] > 0 for result in results) or len(results) != len(lines):
            raise ValueError
        return results
    except (Unreadable, KeyError, IndexError, TypeError, ValueError):
        raise Problem("hyperfine wrote no times for each process; version 1.15 or later does") \
            from None


def search_path(bin_folder):
    """By which programs are found, so that the commands in hyperfine.json name no folder of this
    machine."""
    return {"PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", "")]),
            "WINEPATH": "Z:" + bin_folder}


def measure(harnesses, folder, size, runs, seed, shown):
    """Writes hyperfine.json and process_times.csv into `folder`. `harnesses`: in the order of
    tables. Raises Problem."""
    programs = {harness.strategy.name: [*harness.command[:-1],
                                        os.path.basename(harness.command[-1])]
                for harness in harnesses}
    path = search_path(os.path.dirname(harnesses[0].command[-1]))
    seconds = 60 + 120 * len(programs) * size / GIB
    shuffled, order = random.Random(seed), [*programs, START]
    results, rows = [], []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".process_times-") as work:
        for run in progress.steps(shown, "whole processes", range(runs)):
            shuffled.shuffle(order)
            lines = commands(programs, size, run, order)
            timed = hyperfine(lines.values(), work, path, seconds)
            results += timed
            rows += [(run + 1, name, 1e9 * result["times"][0],
                      own_total_ns(os.path.join(work, own_file(name, run))))
                     for name, result in zip(lines, timed)]
    write_json(folder / TIMED, {"results": results})
    write_text(folder / PROCESS_TIMES, table(rows))


def table(rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for run, name, whole, own in rows:
        writer.writerow([run, name, f"{whole:.0f}", "" if own is None else f"{own:.1f}"])
    return text.getvalue()
