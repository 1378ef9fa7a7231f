"""How often `make compare` raises a false alarm, and how small a slowdown it finds and how exactly:
the tables of docs/ci.md.

Each comparison is a real one, of a build with itself or with one in another folder. In head one
place of each strategy but one is slower by a known share of a cycle: each commit, each handled
fault, each touch, the release, or one slice in sixteen. What the one strategy is called then is a
false alarm. With --share 0 nothing is slower. A cycle's time is measured before, and again by the
comparison: `injected` is the delay's share of the latter, 0 in cells that are equal. Every cell is
a row of rates.csv as soon as its comparison is done; run again, it goes on where it stopped.
"""

import contextlib
import dataclasses
import pathlib
import random
import shlex
import subprocess
import time

import numpy

from vmcommit.base import processes
from vmcommit.base.cells import Configuration
from vmcommit.base.files import RowFile, locked, relative
from vmcommit.base.folder import Unreadable
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.runs import as_numbers, read_table
from vmcommit.base.text import counted
from vmcommit.commands.arguments import Parser, add_build, add_results, say
from vmcommit.commands.compare import CELL_SECONDS, shown
from vmcommit.commands.edge import keeping
from vmcommit.gate import chosen, rules
from vmcommit.gate.in_turns import InTurns
from vmcommit.measure import environment, harness
from vmcommit.measure.estimate import Estimates
from vmcommit.measure.sets import Part, Set, pace_of

NUMBERS = ("comparison", "share", "threshold", "injected", "ratio", "low", "high", "sets",
           "seconds")
COLUMNS = ("comparison", "beside", "place", "share", "threshold", "injected", "cell", "verdict",
           "ratio", "low", "high", "sets", "seconds")
TRIALS = 5  # sets of base alone, for how long a cycle takes
SLOW_TOUCH = "slow_"  # begins the names of harnesses whose touches can be slower


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a cycle is made slower. `call`: what slow.so delays; '' for a touch. `once`: in only
    one call of a cycle, and so in one slice."""

    name: str
    call: str
    strategies: tuple
    once: bool = False

    def calls(self, row) -> float:
        """Of a cycle, by a harness's row."""
        if self.call == "handler":
            return float(row["handled_faults"])
        if self.call == "mprotect":
            return float(row["commit_calls"])
        return 1.0 if self.call else float(row["touched_bytes"]) / float(row["page_bytes"])

    def environment(self, row, ns) -> str:
        """VMCOMMIT_SLOW, so that a cycle takes `ns` longer. It is as long for any time, since where
        a process's stack lies depends on its environment."""
        calls = self.calls(row)
        if self.once:
            return f"{self.call}:{ns:014.3f}:{calls:.0f}"
        return f"{self.call or 'touch'}:{ns / calls:014.3f}"


PLACES = (Place("commit", "mprotect", ("fault", "chunked")),
          Place("handled fault", "handler", ("fault", "guard")),
          Place("touch", "", ("upfront", "fault", "guard")),
          Place("release", "munmap", ("upfront", "fault", "chunked", "guard")),
          Place("one slice", "mprotect", ("fault", "chunked"), once=True))
NOWHERE = Place("nowhere", "", ())


def chosen_places(number, strategies, share):
    """{strategy: where it is slower in a comparison}: each is left alone in turn, and has another
    place after that."""
    found = {}
    for position, strategy in enumerate(strategies):
        suiting = [place for place in PLACES if strategy in place.strategies]
        rounds, at = divmod(number, len(strategies))
        slowed = number - rounds - (at > position)  # how often it was before
        alone = not share or not suiting or at == position
        found[strategy] = NOWHERE if alone else suiting[slowed % len(suiting)]
    return found


def delayed(measured, place, how):
    """A harness with VMCOMMIT_SLOW, `how`; of a touch it is another program."""
    *before, program = measured.command
    path = pathlib.Path(program)
    if not place.call:
        command = (str(path.with_name(SLOW_TOUCH + path.name)),)
        return harness.Harness(measured.strategy, ("env", f"VMCOMMIT_SLOW={how}", *command))
    return harness.Harness(measured.strategy, ("env", f"LD_PRELOAD={path.with_name('slow.so')}",
                                               f"VMCOMMIT_SLOW={how}", *before, program))


class Trial:
    """One comparison after the other. `sides`: {side: {name: Harness}}."""

    def __init__(self, sides, share, threshold, beside):
        self.sides = sides
        self.share, self.threshold, self.beside = share, threshold, beside
        self.cells = chosen.cells([each.strategy for each in sides["head"].values()])
        self.pace = pace_of(next(iter(sides["head"].values())))
        self.like = {name: each.take(Configuration(each.strategy, self.cells[0].size))
                     for name, each in sides["head"].items()}

    def part(self, side, cell):
        return Part(self.sides[side][cell.strategy.name], cell, self.like[cell.strategy.name])

    def place_in(self, cell, place):
        """NOWHERE too where a cycle is no sixteen slices long."""
        short = cell.size // 4096 < 16 * self.pace.slice_touches
        return NOWHERE if place.once and short else place

    def cycle(self, part, order):
        """(a row, ns of a cycle) of base alone."""
        estimates = Estimates()
        for number in range(TRIALS):
            taken = Set({"base": part}, self.pace, number + 1, 3, order).take()["base"]
            if taken.turns is None:
                raise harness.HarnessFailed(taken.failure or "took no turns")
            estimates.add({"base": taken.turns})
        return taken.row, float(numpy.median(list(estimates.of("base").values())))

    def parts(self, cell, place, order):
        """({side: Part}, ns by which head is slower). Both sides are alike but for the delay: what
        makes it possible is there on both."""
        base, head = self.part("base", cell), self.part("head", cell)
        if place is NOWHERE:
            return {"base": base, "head": head}, 0.0
        row, ns = self.cycle(dataclasses.replace(base, harness=delayed(
            base.harness, place, f"{place.call or 'touch'}:0")), order)
        return {side: dataclasses.replace(part, harness=delayed(
                    part.harness, place, place.environment(row, share * ns)))
                for side, part, share in (("base", base, 0.0), ("head", head, self.share))
                }, self.share * ns

    def take(self, number):
        """Rows of one comparison."""
        order = random.Random(number)
        by_strategy = chosen_places(number, list(self.like), self.share)
        places = {cell: self.place_in(cell, by_strategy[cell.strategy.name])
                  for cell in self.cells}
        parts, delays = {}, {}
        for cell, place in places.items():
            parts[cell], delays[cell] = self.parts(cell, place, order)
        results = [rules.Result(cell, rules.INCONCLUSIVE) for cell in self.cells]
        in_turns = InTurns(parts, rules.Rule(len(self.cells), self.threshold), self.pace, order,
                           lambda *_: None)
        started = time.monotonic()
        shown(lambda display: in_turns.measure(results, CELL_SECONDS * len(results), display))
        shown(lambda display: in_turns.confirm(results, CELL_SECONDS, display))
        seconds = time.monotonic() - started
        for result in results:
            if result.verdict == rules.MISSING:
                raise harness.HarnessFailed(f"{result.cell}: {result.why}")
        return [self.row(number, places[result.cell], result, delays[result.cell], seconds)
                for result in results]

    def row(self, number, place, result, delay_ns, seconds):
        return {"comparison": number + 1, "beside": self.beside, "place": place.name,
                "share": self.share, "threshold": self.threshold,
                "injected": f"{delay_ns / result.base_ns:.5f}", "cell": result.cell.name,
                "verdict": result.verdict, "ratio": f"{result.ratio:.5f}",
                "low": f"{result.low:.5f}", "high": f"{result.high:.5f}", "sets": result.rounds,
                "seconds": f"{seconds:.1f}"}


def read(path):
    """Rows of an earlier call. Raises Unreadable."""
    if not path.exists():
        return []
    table, note = read_table(path, COLUMNS)
    as_numbers(table.copy(), NUMBERS, path)
    if note or (table[list(COLUMNS)].drop(columns="beside") == "").any(axis=None):
        raise Unreadable(f"{relative(path)} has a row that is not whole; remove the row")
    return table.to_dict("records")


def table(rows):
    """What was found of what was slower, how exactly, and what was not slower and called so."""
    lines = [f"{'beside':<10} {'slower by':>9}  {'place':<13} {'threshold':>9}  {'found':>10}  "
             f"{'off by: median, 95 % of cells, within 0.5 %'}"]
    slowed = [row for row in rows if float(row["injected"]) > 0]
    for key in sorted({(row["beside"], float(row["share"]), row["place"], float(row["threshold"]))
                       for row in slowed}):
        these = [row for row in slowed if key == (row["beside"], float(row["share"]), row["place"],
                                                  float(row["threshold"]))]
        found = sum(row["verdict"] == rules.REGRESSED for row in these)
        off = 100 * numpy.array([float(row["ratio"]) - 1 - float(row["injected"])
                                 for row in these])
        low, middle, high = numpy.percentile(off, [2.5, 50, 97.5])
        close = int((numpy.abs(off) <= 0.5).sum())
        lines.append(f"{key[0] or '-':<10} {100 * key[1]:>7.1f} %  {key[2]:<13} "
                     f"{100 * key[3]:>7.1f} %  {f'{found} of {len(these)}':>10}  "
                     f"{middle:+.2f} %, {low:+.2f} to {high:+.2f} %, {close} of {len(these)}")
    for beside in sorted({row["beside"] for row in rows}):
        equal = [row for row in rows
                 if row["beside"] == beside and float(row["injected"]) == 0]
        alarms = sum(row["verdict"] == rules.REGRESSED for row in equal)
        unclear = sum(row["verdict"] == rules.INCONCLUSIVE for row in equal)
        seconds = [float(row["seconds"]) for row in rows if row["beside"] == beside]
        comparisons = {(row["comparison"], row["share"], row["threshold"]) for row in equal}
        lines.append(f"beside {beside or 'nothing'}: {counted(alarms, 'false alarm')} in "
                     f"{len(equal)} equal cells of {len(comparisons)} comparisons, {unclear} "
                     f"inconclusive; {numpy.median(seconds):.0f} s a comparison")
    return "\n".join(lines)


def options(arguments):
    parser = Parser("rates", __doc__)
    add_build(parser)
    parser.add_argument("--other", type=pathlib.Path,
                        help="build folder of the other side (default: the same)")
    parser.add_argument("--comparisons", type=int, default=100)
    parser.add_argument("--share", type=float, default=0.02,
                        help="of a cycle; 0: nothing is slower")
    parser.add_argument("--threshold", type=float, default=rules.Rule(1).threshold)
    parser.add_argument("--beside", default="", metavar="COMMAND",
                        help="what runs at the same time, as 'stress-ng --cpu 2'; the table has "
                             "its name")
    add_results(parser, "gets rates.csv")
    asked = parser.parse_args(arguments)
    try:
        shlex.split(asked.beside)
    except ValueError as error:
        raise Usage(f"--beside: '{asked.beside}': {error}; quote it as in a shell") from None
    if asked.comparisons < 1:
        raise Usage(f"--comparisons: '{asked.comparisons}' is too few; use at least 1")
    for option in ("share", "threshold"):
        if not 0 <= getattr(asked, option) < 1:
            raise Usage(f"--{option}: '{getattr(asked, option):g}' is no share; use 0.02 for 2 %")
    return asked


@contextlib.contextmanager
def running(command):
    """check(), which raises Problem where a command does not run any more that is to run for the
    time of a with block; none where it is empty."""
    words = shlex.split(command)
    if not words:
        yield lambda: None
        return
    with contextlib.ExitStack() as stack:
        try:
            process = stack.enter_context(processes.started(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        except OSError as error:
            raise Usage(f"--beside: '{words[0]}': {error.strerror}; name a program that can be "
                        "started") from None
        stack.callback(processes.end_group, process)

        def check():
            if (status := process.poll()) is not None:
                raise Problem(f"{words[0]} ended by itself, status {status}; the comparison that "
                              "was measured beside it is not kept")

        yield check


def built_in(build):
    return {name: each for name, each in harness.described(build).items()
            if not each.strategy.brought}


def living(action, *arguments):
    """What it returns. Raises Problem where a harness dies of it."""
    try:
        return action(*arguments)
    except harness.HarnessFailed as failure:
        raise Problem(str(failure)) from None


def rates(asked, path):
    head = built_in(asked.build)
    base = built_in(asked.other) if asked.other else head
    rows = read(path)
    beside = pathlib.PurePath(next(iter(shlex.split(asked.beside)), "")).name
    like = {"beside": beside, "share": str(asked.share), "threshold": str(asked.threshold)}
    done = len({row["comparison"] for row in rows
                if {key: row[key] for key in like} == like})
    with keeping(lambda: f"the rows so far are in {relative(path)}"), \
            RowFile(path, COLUMNS, append=True) as file, running(asked.beside) as check, \
            environment.pinned():
        trial = living(Trial, {"base": base, "head": head}, asked.share, asked.threshold, beside)
        for number in range(done, asked.comparisons):
            taken = living(trial.take, number)
            check()
            for row in taken:
                file.add(row)
                rows.append({column: str(value) for column, value in row.items()})
            say(f"{number + 1} of {asked.comparisons}: {taken[0]['seconds']} s")
    say(table(rows))
    say(f"rows: {relative(path)}")


def main(arguments):
    asked = options(arguments)
    with locked(asked.results / ".rates.lock", "measuring"):
        rates(asked, asked.results / "rates.csv")
    return 0
