"""Whole processes of the four harnesses, timed from outside by hyperfine, beside what each of the
same processes says of its own cycle."""

import csv
import json
import os
import random
import shlex
import shutil
import statistics
import subprocess

from campaign import STRATEGIES

BARE_START = "start"  # a process that measures nothing: what starting one costs
COLUMNS = ["run", "strategy", "whole_ns", "total_ns"]


def commands(programs, size, runs, seed):
    """(run, strategy, own file, command) of every process, each run in a new random order."""
    shuffled = random.Random(seed)
    listed = []
    for run in range(runs):
        order = [*STRATEGIES, BARE_START]
        shuffled.shuffle(order)
        for strategy in order:
            own = f"{strategy}-{run}.csv"
            words = [*programs["upfront"], "--version"] if strategy == BARE_START else \
                [*programs[strategy], "--size", str(size), "--repeat", "1", "--output", own]
            listed.append((run, strategy, own, shlex.join(words)))
    return listed


def own_total_ns(path):
    """The time of the cycles that the process timed; none if it refused or started only."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            row = next(csv.DictReader(file))
    except (OSError, StopIteration):
        return None
    return float(row["total_ns"]) * int(row["batch"]) if row["status"] == "ok" else None


def measure(programs, folder, size, runs, seed):
    """Writes hyperfine.json and whole.csv into `folder`. One call of hyperfine; `--runs 1` with a
    repeated list keeps our order, which its own would not. Programs are found by the path, so that
    the commands in hyperfine.json name no folder of this machine."""
    work = folder / "whole"
    work.mkdir()
    programs = {strategy: programs[strategy] for strategy in STRATEGIES}
    bin_folder = os.path.dirname(programs["upfront"][-1])
    path = os.pathsep.join([bin_folder, os.environ.get("PATH", "")])
    by_name = {strategy: [*emulator, os.path.basename(program)]
               for strategy, (*emulator, program) in programs.items()}
    listed = commands(by_name, size, runs, seed)
    subprocess.run(["hyperfine", "--shell=none", "--runs", "1", "--style", "none",
                    "--export-json", "../hyperfine.json",
                    *(command for *_, command in listed)],
                   cwd=work, env=os.environ | {"PATH": path, "WINEPATH": "Z:" + bin_folder},
                   check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    timed = json.loads((folder / "hyperfine.json").read_text())["results"]
    with open(folder / "whole.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for (run, strategy, own, _), result in zip(listed, timed, strict=True):
            total = own_total_ns(work / own)
            writer.writerow([run + 1, strategy, f"{result['times'][0] * 1e9:.0f}",
                             "" if total is None else f"{total:.1f}"])
    shutil.rmtree(work)


def read(path):
    """{strategy: (median whole ns, least, most, median own ns)} of a whole.csv."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = {}
    for strategy in (*STRATEGIES, BARE_START):
        wholes = [float(row["whole_ns"]) for row in rows if row["strategy"] == strategy]
        owns = [float(row["total_ns"]) for row in rows
                if row["strategy"] == strategy and row["total_ns"]]
        if wholes:
            found[strategy] = (statistics.median(wholes), min(wholes), max(wholes),
                               statistics.median(owns) if owns else 0.0)
    return found
