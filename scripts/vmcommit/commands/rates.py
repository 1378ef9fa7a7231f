"""How often `make compare` raises a false alarm, and how small a slowdown it finds: the table of
docs/ci.md.

Each comparison is a real one, of a build with itself, in which one strategy after the other is
slowed down by a preloaded delay in the call that it rests on; or, with --fault, takes one page
fault more in it. Every row goes to rates.csv as soon as it is known; run again, it goes on where it
stopped.
"""

import pathlib
import tempfile

from vmcommit.base.cells import Configuration
from vmcommit.base.files import RowFile, locked, relative
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.runs import Unreadable, as_numbers, read_table
from vmcommit.base.units import MIB
from vmcommit.commands.arguments import Parser, add_build, add_results, say
from vmcommit.commands.compare import ROUNDS, shown
from vmcommit.commands.edge import keeping
from vmcommit.gate import rules
from vmcommit.gate.comparison import Built, Comparison, Samples
from vmcommit.measure import environment, harness

COLUMNS = ("comparison", "strategy", "slowdown", "found", "cells_found", "cells_slowed",
           "false_alarms", "cells_equal", "self_alarms", "cells")
CALLS = {"size": "munmap"}  # what a strategy with that kind of step rests on, else mprotect
PROBE = MIB  # the slowdown is meant for a cycle of this size
FAULT = "fault"  # stands for a slowdown: one page fault more in each mprotect


def call_of(strategy):
    return CALLS.get(strategy.step, "mprotect")


def changed(measured, how):
    """A harness with slow.so before it, `how` in its environment. Raises Problem."""
    library = pathlib.Path(measured.command[-1]).with_name("slow.so")
    if not library.exists() or any(letter in str(library) for letter in " :"):
        raise Problem(f"{relative(library)} can't be preloaded: it must be there, in a folder "
                      "without a space or a colon in its name")
    return harness.Harness(measured.strategy,
                           ("env", f"LD_PRELOAD={library}", how, *measured.command))


def delay_for(measured, slowdown):
    """ns a call, so that a cycle of PROBE takes so much longer."""
    rows = [measured.take(Configuration(measured.strategy, PROBE)) for _ in range(9)]
    times = sorted(float(row["total_ns"]) for row in rows)
    calls = 1 if call_of(measured.strategy) == "munmap" else float(rows[0]["commit_calls"])
    return slowdown * times[len(times) // 2] / calls


def one_comparison(measured, name, slowdown, seed, rounds):
    """A row of rates.csv; `measured`: {name: Harness} of the built-in strategies."""
    strategy = measured[name].strategy
    how = "VMCOMMIT_FAULT=1" if slowdown == FAULT else \
        f"VMCOMMIT_SLOW={call_of(strategy)}:{delay_for(measured[name], slowdown):.0f}"
    base = Built(measured)
    sides = {"base": base, "head": Built(measured | {name: changed(measured[name], how)}),
             "again": base}
    cells = rules.cells([harness_of.strategy for harness_of in measured.values()])
    with tempfile.TemporaryDirectory() as scratch, \
            Samples(pathlib.Path(scratch, "samples.csv")) as samples:
        comparison = Comparison(sides, samples, seed)
        settled, rest = comparison.gate_counts(cells)
        alarms = []
        if slowdown != FAULT:  # which counts alone tell
            alarms = shown(lambda display: comparison.time(rest, rounds, display, len(cells)))
    regressed = [result.cell for result in settled + rest if result.verdict == rules.REGRESSED]
    slowed = [cell for cell in cells if cell.strategy == strategy]
    hits = [cell for cell in regressed if cell.strategy == strategy]
    return {"strategy": name, "slowdown": slowdown, "found": int(bool(hits)),
            "cells_found": len(hits), "cells_slowed": len(slowed),
            "false_alarms": len(regressed) - len(hits), "cells_equal": len(cells) - len(slowed),
            "self_alarms": len(alarms), "cells": 0 if slowdown == FAULT else len(cells)}


def read(path):
    """Rows of an earlier call. Raises Unreadable."""
    if not path.exists():
        return []
    table, note = read_table(path, COLUMNS)
    as_numbers(table.copy(), COLUMNS[3:], path)
    as_numbers(table[table.slowdown != FAULT].copy(), ("slowdown",), path)
    if note or (table[list(COLUMNS)] == "").any(axis=None):
        raise Unreadable(f"{relative(path)} has a row that is not whole; remove the row")
    return table.to_dict("records")


def table(rows):
    """By slowdown and strategy: comparisons in which it was found, cells, and false alarms."""
    lines = [f"{'slowdown':>8}  {'strategy':<8}  {'comparisons':>11}  {'found':>5}  "
             f"{'cells found':>14}"]
    for slowdown in sorted({row["slowdown"] for row in rows}):
        named = "1 fault" if slowdown == FAULT else f"{100 * float(slowdown):.0f} %"
        for strategy in dict.fromkeys(row["strategy"] for row in rows):
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


def options(arguments):
    parser = Parser("rates", __doc__)
    add_build(parser)
    parser.add_argument("--comparisons", type=int, default=100)
    parser.add_argument("--slowdown", type=float, default=0.05)
    parser.add_argument("--fault", dest="slowdown", action="store_const", const=FAULT,
                        help="one page fault more instead of a slowdown")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    add_results(parser, "gets rates.csv")
    asked = parser.parse_args(arguments)
    for option in ("comparisons", "rounds"):
        if getattr(asked, option) < 1:
            raise Usage(f"--{option}: '{getattr(asked, option)}' is too few; use at least 1")
    return asked


def rates(asked, path):
    measured = {name: harness_of for name, harness_of in harness.described(asked.build).items()
                if not harness_of.strategy.brought}
    # With --fault only what calls mprotect can be changed.
    names = [name for name, harness_of in measured.items()
             if asked.slowdown != FAULT or call_of(harness_of.strategy) == "mprotect"]
    rows = read(path)
    done = sum(row["slowdown"] == str(asked.slowdown) for row in rows)
    with keeping(lambda: f"the rows so far are in {relative(path)}"), \
            RowFile(path, COLUMNS, append=True) as file, environment.pinned():
        for number in range(done, asked.comparisons):
            name = names[number % len(names)]
            try:
                row = one_comparison(measured, name, asked.slowdown, number, asked.rounds)
            except harness.HarnessFailed as failure:
                raise Problem(f"{name} {failure}") from None
            row["comparison"] = number + 1
            rows.append({column: str(value) for column, value in row.items()})
            file.add(row)
            say(f"{number + 1} of {asked.comparisons}: {name} "
                f"{'found' if row['found'] else 'NOT FOUND'}, {row['false_alarms']} false alarms")
    say(table(rows))
    say(f"rows: {relative(path)}")


def main(arguments):
    asked = options(arguments)
    with locked(asked.results / ".rates.lock", "measuring"):
        rates(asked, asked.results / "rates.csv")
    return 0
