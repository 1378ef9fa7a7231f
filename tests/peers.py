#!/usr/bin/env python3
"""How exactly others compare two builds in the same time: the table of docs/ci.md. Run by hand, on
an idle machine: scripts/python.sh tests/peers.py

Both sides are the same build; on one of them each commit is delayed, by 2 % of a cycle or by
nothing. Four ways have the same seconds for each comparison: ours in turns; hyperfine, of processes
that make the same calls and touches; Google Benchmark's compare.py, of repetitions of them; and a U
test of our own harness's samples, one side after the other. Each comparison is a row of peers.csv;
run again, it goes on where it stopped.
"""

import argparse
import csv
import io
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
from scipy import stats

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from vmcommit.base.cells import Configuration  # noqa: E402
from vmcommit.base.files import RowFile  # noqa: E402
from vmcommit.base.statistics import set_interval  # noqa: E402
from vmcommit.base.units import KIB, MIB, size_text  # noqa: E402
from vmcommit.commands import rates  # noqa: E402
from vmcommit.measure import environment  # noqa: E402
from vmcommit.measure.estimate import Estimates  # noqa: E402
from vmcommit.measure.sets import Set  # noqa: E402

COLUMNS = ("number", "way", "share", "size_bytes", "ratio", "differs", "seconds")
CELLS = {64 * KIB: 16 * KIB, MIB: 16 * KIB, 16 * MIB: 64 * KIB}  # {size: step}
SHARES = (0, 0.02)
ERROR = 0.05  # as the peers judge a difference: hyperfine's Welch test, compare.py's U test
REPETITIONS = 10  # of Google Benchmark; compare.py asks for nine at least


class Sides:
    """A cell's two sides: `parts` of sets; `environments`, as words for env."""

    def __init__(self, trial, cell, share, order):
        place = rates.PLACES[0]
        plain, like = trial.sides["base"]["chunked"], trial.like["chunked"]
        row, self.ns = trial.cycle(rates.Part(rates.delayed(plain, place, "mprotect:0"), cell,
                                              like), order)
        self.cell, self.pace, self.order = cell, trial.pace, order
        self.parts = {side: rates.Part(rates.delayed(plain, place, place.environment(
                          row, slower * self.ns)), cell, like)
                      for side, slower in (("base", 0.0), ("head", share))}
        self.environments = [[word for word in side.harness.command if "=" in word]
                             for side in self.parts.values()]


def in_turns(sides, seconds):
    estimates, number, started = Estimates(), 0, time.monotonic()
    while time.monotonic() - started < seconds:
        number += 1
        taken = Set(sides.parts, sides.pace, number, 3, sides.order).take()
        estimates.add({side: each.turns for side, each in taken.items()})
    estimates.update()
    base, head = (estimates.of(side) for side in ("base", "head"))
    middle, low, high, _ = set_interval(
        [numpy.log(head[each] / base[each]) for each in base], 1 - ERROR)
    return numpy.exp(middle), low > 0 or high < 0


def welch(base, head):
    return stats.ttest_ind(base, head, equal_var=False).pvalue < ERROR


def by_hyperfine(sides, seconds, program):
    """Ten processes of a side, and one before them that does not count."""
    cycles = max(1, int(seconds / 2 / (REPETITIONS + 1) * 1e9 / sides.ns))
    with tempfile.TemporaryDirectory() as folder:
        into = pathlib.Path(folder) / "times.json"
        words = [" ".join(map(str, ("env", *words, program, sides.cell.size, sides.cell.chunk,
                                    cycles))) for words in sides.environments]
        subprocess.run(["hyperfine", "-N", "--style", "none", "--warmup", "1", "--runs",
                        str(REPETITIONS), "--export-json", into, *words], check=True,
                       stdout=subprocess.DEVNULL)
        base, head = (each["times"] for each in json.loads(into.read_text())["results"])
    return statistics.mean(head) / statistics.mean(base), welch(base, head)


def by_google_benchmark(sides, seconds, program, compare):
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for side, words in zip(("base", "head"), sides.environments):
            files.append(pathlib.Path(folder) / f"{side}.json")
            chosen = f"chunked/{sides.cell.size}/{sides.cell.chunk}$"
            subprocess.run(["env", *words, program, f"--benchmark_filter={chosen}",
                            f"--benchmark_min_time={seconds / 2 / REPETITIONS / 1.4}",
                            f"--benchmark_repetitions={REPETITIONS}",
                            f"--benchmark_out={files[-1]}"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        into = pathlib.Path(folder) / "differences.json"
        subprocess.run([sys.executable, compare, "-d", into, "benchmarks", *files], check=True,
                       stdout=subprocess.DEVNULL)
        tested = json.loads(into.read_text())[0]
        medians = [next(each["real_time"] for each in json.loads(file.read_text())["benchmarks"]
                        if each.get("aggregate_name") == "median") for file in files]
    return medians[1] / medians[0], tested["utest"]["time_pvalue"] < ERROR


def by_samples(sides, seconds):
    """As many samples of one side as half of the time has, then those of the other."""
    times = []
    for part in sides.parts.values():
        taken, started = [], time.monotonic()
        while time.monotonic() - started < seconds / 2:
            printed = subprocess.run([*part.harness.command, *sides.cell.arguments(), "--repeat",
                                      "20"], check=True, stdout=subprocess.PIPE, text=True).stdout
            taken += [float(row["total_ns"]) for row in csv.DictReader(io.StringIO(printed))]
        times.append(taken)
    base, head = times
    return (statistics.median(head) / statistics.median(base),
            stats.mannwhitneyu(base, head).pvalue < ERROR)


def google_benchmark(folder):
    """Its program, built."""
    program = folder / "peers"
    subprocess.run(["c++", "-O2", ROOT / "tests/peers.cc", "-o", program, "-lbenchmark",
                    "-lpthread"], check=True)
    return program


def table(rows):
    lines = [f"{'way':<18} {'size':>7} {'ratios of equal sides lie':>27} {'called different':>17} "
             f"{'2 % found':>10} {'and estimated as':>22} {'seconds':>8}"]
    for way, size in dict.fromkeys((row["way"], row["size_bytes"]) for row in rows):
        equal, slower = ([row for row in rows if (row["way"], row["size_bytes"],
                                                  float(row["share"])) == (way, size, share)]
                         for share in SHARES)
        if not equal or not slower:
            continue
        shares = [[100 * (float(row["ratio"]) - 1) for row in these] for these in (equal, slower)]
        apart = "{:+.1f} to {:+.1f} %".format
        called = [f"{sum(row['differs'] == '1' for row in these)} of {len(these)}"
                  for these in (equal, slower)]
        seconds = statistics.median(float(row["seconds"]) for row in equal)
        spread = apart(min(shares[0]), max(shares[0]))
        lines.append(f"{way:<18} {size_text(int(size)):>7} {spread:>27} "
                     f"{called[0]:>17} {called[1]:>10} "
                     f"{apart(min(shares[1]), max(shares[1])):>22} {seconds:>8.1f}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--repeat", type=int, default=10, help="comparisons of each kind")
    parser.add_argument("--seconds", type=float, default=3, help="of each comparison")
    parser.add_argument("--compare", default="/usr/share/benchmark/compare.py",
                        help="Google Benchmark's")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "results")
    asked = parser.parse_args()
    path = asked.results / "peers.csv"
    asked.results.mkdir(parents=True, exist_ok=True)
    rows = list(csv.DictReader(path.open())) if path.exists() else []
    done = {(row["number"], row["way"], float(row["share"]), row["size_bytes"]) for row in rows}
    built = rates.built_in(asked.build)
    with tempfile.TemporaryDirectory() as folder, environment.pinned(), \
            RowFile(path, COLUMNS, append=True) as file:
        program = google_benchmark(pathlib.Path(folder))
        ways = {"turns": in_turns,
                "hyperfine": lambda sides, seconds: by_hyperfine(sides, seconds, program),
                "Google Benchmark": lambda sides, seconds: by_google_benchmark(
                    sides, seconds, program, asked.compare),
                "samples, U test": by_samples}
        trial = rates.Trial({"base": built, "head": built}, 0, 0.01, "")
        order = random.Random(1)
        for number in range(1, asked.repeat + 1):
            for size, step in CELLS.items():
                cell = Configuration(built["chunked"].strategy, size, "1", step)
                for share in SHARES:
                    due = [way for way in ways
                           if (str(number), way, float(share), str(size)) not in done]
                    sides = Sides(trial, cell, share, order) if due else None
                    for way in due:
                        started = time.monotonic()
                        ratio, differs = ways[way](sides, asked.seconds)
                        row = {"number": number, "way": way, "share": share, "size_bytes": size,
                               "ratio": f"{ratio:.5f}", "differs": int(differs),
                               "seconds": f"{time.monotonic() - started:.1f}"}
                        file.add(row)
                        rows.append({column: str(value) for column, value in row.items()})
            print(f"{number} of {asked.repeat}", flush=True)
    print(table(rows))
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
