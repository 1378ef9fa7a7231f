"""How often `make compare` cries wolf, and how small a slowdown it finds: the table of docs/ci.md.

Each comparison is a real one, of a build with itself, in which one strategy after the other is
slowed down by a preloaded delay in the call that it rests on; or, with --fault, takes one page
fault more in it. Every row goes to rates.csv as soon as it is known; run again, it goes on where it
stopped.
"""

import argparse
import csv
import pathlib
import sys
import tempfile

import campaign
import compare
import gate
import progress
from bench import pin, relative, say
from command import RESULTS

COLUMNS = ("comparison", "strategy", "slowdown", "found", "cells_found", "cells_slowed",
           "false_alarms", "cells_equal", "self_alarms", "cells")
CALLS = {"upfront": "munmap", "fault": "mprotect", "chunked": "mprotect", "guard": "mprotect"}
PROBE = campaign.MIB  # the slowdown is meant for a cycle of this size
FAULT = "fault"  # stands for a slowdown: one page fault more in each mprotect


class Changed(compare.Built):
    """A build in which one strategy runs with slow.so, `how` in its environment."""

    def __init__(self, folder, strategy, how):
        super().__init__(folder, "--build")
        library = (folder / "bin" / "slow.so").resolve()
        self.programs[strategy] = ["env", f"LD_PRELOAD={library}", how, *self.programs[strategy]]


def delay_for(folder, strategy, slowdown):
    """ns a call, so that a cycle of PROBE takes so much longer."""
    one = campaign.Configuration(strategy, PROBE, "1")
    program = compare.programs(folder, "--build")[strategy]
    rows = [campaign.take(program, one) for _ in range(9)]
    times = sorted(float(row["total_ns"]) for row in rows)
    calls = 1 if CALLS[strategy] == "munmap" else float(rows[0]["commit_calls"])
    return slowdown * times[len(times) // 2] / calls


def one_comparison(folder, strategy, slowdown, seed, rounds):
    """A row of rates.csv."""
    base = compare.Built(folder, "--build")
    how = "VMCOMMIT_FAULT=1" if slowdown == FAULT else \
        f"VMCOMMIT_SLOW={CALLS[strategy]}:{delay_for(folder, strategy, slowdown):.0f}"
    head = Changed(folder, strategy, how)
    sides = {"base": base, "head": head, "again": base}
    cells = gate.cells()
    with tempfile.TemporaryDirectory() as scratch:
        comparison = compare.Comparison(
            sides, compare.Samples(pathlib.Path(scratch, "samples.csv")), seed)
        done, rest = comparison.gate_counts(cells)
        alarms = []
        if slowdown != FAULT:  # which counts alone tell
            shown = progress.on()
            alarms = comparison.time(rest, rounds, shown, len(cells))
            shown.close()
    regressed = [one.cell for one in done + rest if one.verdict == gate.REGRESSED]
    slowed = [cell for cell in cells if cell.strategy == strategy]
    found = [cell for cell in regressed if cell.strategy == strategy]
    return {"strategy": strategy, "slowdown": slowdown, "found": int(bool(found)),
            "cells_found": len(found), "cells_slowed": len(slowed),
            "false_alarms": len(regressed) - len(found), "cells_equal": len(cells) - len(slowed),
            "self_alarms": len(alarms), "cells": 0 if slowdown == FAULT else len(cells)}


def read(path):
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(rows):
    """By slowdown and strategy: comparisons in which it was found, cells, and false alarms."""
    lines = [f"{'slowdown':>8}  {'strategy':<8}  {'comparisons':>11}  {'found':>5}  "
             f"{'cells found':>14}"]
    for slowdown in sorted({row["slowdown"] for row in rows}):
        named = "1 fault" if slowdown == FAULT else f"{100 * float(slowdown):.0f} %"
        for strategy in campaign.STRATEGIES:
            these = [row for row in rows if (row["slowdown"], row["strategy"]) ==
                     (slowdown, strategy)]
            if these:
                cells = sum(int(row["cells_slowed"]) for row in these)
                seen = sum(int(row["cells_found"]) for row in these)
                lines.append(f"{named:>8}  {strategy:<8}  {len(these):>11}  "
                             f"{sum(int(row['found']) for row in these):>5}  "
                             f"{f'{seen} of {cells}':>14}")
    equal = sum(int(row["cells_equal"]) for row in rows)
    alarms = sum(int(row["false_alarms"]) for row in rows)
    again = sum(int(row["cells"]) for row in rows)
    self_alarms = sum(int(row["self_alarms"]) for row in rows)
    lines.append(f"false alarms: {alarms} in {equal} cells that were not slowed; base against "
                 f"itself, unconfirmed: {self_alarms} in {again}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--comparisons", type=int, default=100)
    parser.add_argument("--slowdown", type=float, default=0.05)
    parser.add_argument("--fault", dest="slowdown", action="store_const", const=FAULT,
                        help="one page fault more instead of a slowdown")
    parser.add_argument("--rounds", type=int, default=compare.ROUNDS)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    chosen = parser.parse_args()
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / "rates.csv"
    rows = read(path)
    pin()
    if not rows:
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(COLUMNS)
    done = [row for row in rows if row["slowdown"] == str(chosen.slowdown)]
    strategies = campaign.STRATEGIES[chosen.slowdown == FAULT:]  # upfront calls no mprotect
    for number in range(len(done), chosen.comparisons):
        strategy = strategies[number % len(strategies)]
        row = one_comparison(chosen.build, strategy, chosen.slowdown, number, chosen.rounds) \
            | {"comparison": number + 1}
        rows.append({name: str(value) for name, value in row.items()})
        with open(path, "a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS).writerow(row)
        say(f"{number + 1} of {chosen.comparisons}: {strategy} "
            f"{'found' if row['found'] else 'NOT FOUND'}, {row['false_alarms']} false alarms")
    say(table(rows))
    say(f"rows: {relative(path)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
