"""Whole processes of the harnesses, timed from outside by hyperfine, beside what each of the same
processes says of its own cycle."""

import csv
import json
import os
import random
import shlex
import shutil
import subprocess

from vmcommit.base.problems import Problem
from vmcommit.base.runs import PROCESS_TIMES, START
from vmcommit.base.text import last_line

COLUMNS = ("run", "strategy", "whole_ns", "total_ns")


def commands(programs, size, runs, seed):
    """(run, name, own file, command line) of every process, each run in a new random order.
    `programs`: {name: words}; START is a process that measures nothing."""
    shuffled = random.Random(seed)
    listed = []
    for run in range(runs):
        order = [*programs, START]
        shuffled.shuffle(order)
        for name in order:
            own = f"{name}-{run}.csv"
            words = [*next(iter(programs.values())), "--version"] if name == START else \
                [*programs[name], "--size", str(size), "--repeat", "1", "--output", own]
            listed.append((run, name, own, shlex.join(words)))
    return listed


def own_total_ns(path):
    """The time of the cycles that the process timed; none if it refused or started only."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            row = next(csv.DictReader(file))
    except (OSError, StopIteration):
        return None
    return float(row["total_ns"]) * int(row["batch"]) if row["status"] == "ok" else None


def hyperfine(listed, work, path):
    """Runs the command lines in their order, which --runs 1 with a repeated list keeps. Returns the
    seconds of each."""
    done = subprocess.run(
        ["hyperfine", "--shell=none", "--runs", "1", "--style", "none", "--export-json",
         "../hyperfine.json", *(line for *_, line in listed)],
        cwd=work, env=os.environ | path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode != 0:
        raise Problem(f"hyperfine ended with status {done.returncode}: {last_line(done.stderr)}")
    results = json.loads((work.parent / "hyperfine.json").read_text(encoding="utf-8"))["results"]
    return [result["times"][0] for result in results]


def measure(harnesses, folder, size, runs, seed):
    """Writes hyperfine.json and process_times.csv into `folder`. Programs are found by the path,
    so that the commands in hyperfine.json name no folder of this machine. `harnesses`: in the
    order of tables. Raises Problem."""
    work = folder / "process_times"
    work.mkdir()
    bin_folder = os.path.dirname(harnesses[0].command[-1])
    programs = {harness.strategy.name: [*harness.command[:-1], os.path.basename(harness.command[-1])]
                for harness in harnesses}
    path = {"PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", "")]),
            "WINEPATH": "Z:" + bin_folder}
    listed = commands(programs, size, runs, seed)
    seconds = hyperfine(listed, work, path)
    with open(folder / PROCESS_TIMES, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for (run, name, own, _), whole in zip(listed, seconds, strict=True):
            total = own_total_ns(work / own)
            writer.writerow([run + 1, name, f"{whole * 1e9:.0f}",
                             "" if total is None else f"{total:.1f}"])
    shutil.rmtree(work)
