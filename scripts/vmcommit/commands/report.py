"""`make report` draws a run again from its folder; `vmcommit report RUN RUN...` lays several runs
(machines, kernels, settings) over each other in the same charts and tables. More runs than colours,
or a folder of runs as fleet and kernels leave it, become one report of what holds on how many
machines."""

import contextlib
import pathlib
import shutil
import sys
import textwrap

from vmcommit.analyse import analysis, fleet_sentences
from vmcommit.analyse import fleet as analyse_fleet
from vmcommit.base import runs
from vmcommit.base.files import locked, relative
from vmcommit.base.folder import ENVIRONMENT, SAMPLES
from vmcommit.base.places import SETUP, command
from vmcommit.base.problems import Problem, Usage
from vmcommit.commands.arguments import RESULTS, Parser, say
from vmcommit.commands.bench import LATEST, draw
from vmcommit.commands.edge import keeping
from vmcommit.show import fleet, side_by_side


def options(arguments):
    parser = Parser("report", __doc__)
    parser.add_argument("runs", nargs="*", type=pathlib.Path, metavar="RUN",
                        help="folder of a run, or a folder of such folders (default: "
                             "results/latest)")
    parser.add_argument("--into", type=pathlib.Path,
                        help="folder for report.html, REPORT.md and charts/ of several runs "
                             "(default: results/side-by-side, or the folder of runs)")
    asked = parser.parse_args(arguments)
    asked.holding = next((folder for folder in asked.runs if runs_within(folder)), None)
    if asked.into and len(asked.runs) < 2 and not asked.holding:
        raise Usage("--into: one run is drawn into its own folder; name two runs or more")
    return asked


def runs_within(folder):
    """Folders of runs that a folder holds, where it is no run itself."""
    if (folder / ENVIRONMENT).exists():
        return []
    return [path.parent for path in sorted(folder.glob(f"[!.]*/{ENVIRONMENT}"))]


def all_runs(folders):
    return [each for folder in folders for each in runs_within(folder) or [folder]]


def is_fleet(asked):
    """Whether these runs are told of as many: there are more than can be laid over each other, they
    came as a folder of runs, or one of them has no times to lay over others."""
    return asked.holding or len(asked.runs) > side_by_side.MOST or (
        len(asked.runs) > 1 and any(runs.is_emulated(folder) for folder in asked.runs))


def tell_of_all(folders, into):
    told = analyse_fleet.read(folders)
    drawn = []
    if shutil.which("gnuplot"):
        drawn = fleet.draw(told, into / "charts")
    else:
        print(f"report: gnuplot not found, so without charts: {SETUP}", file=sys.stderr)
    fleet.write(told, into, drawn)
    say(fleet_sentences.head(told))
    for text in (*told.notes, *fleet_sentences.of_fleet(told)):
        say(textwrap.fill(text, 96, initial_indent="- ", subsequent_indent="  "))
    say(f"report: {relative(into / 'report.html')}")


def lay_over(folders, into):
    runs = [analysis.read(folder) for folder in folders]
    names = side_by_side.labels(runs, folders)
    drawn = {}
    if shutil.which("gnuplot"):
        drawn = side_by_side.draw(runs, names, into / "charts")
    else:
        print(f"report: gnuplot not found, so without charts: {SETUP}",
              file=sys.stderr)
    side_by_side.write(runs, names, into, drawn)
    for letter, name in zip(side_by_side.LETTERS, names):
        say(f"{letter}: {name}")
    say(f"report: {relative(into / 'report.html')}")


def lock_of(folder):
    """What make bench holds while it measures; there is none where it never did."""
    lock = folder.resolve().parent / ".lock"
    return locked(lock, "measuring or drawing") if lock.exists() else contextlib.nullcontext()


def main(arguments):
    asked = options(arguments)
    if len(asked.runs) > 1 or asked.holding:
        into = asked.into or asked.holding or RESULTS / "side-by-side"
        if (into / SAMPLES).exists():
            raise Usage(f"--into: '{into}' holds a run, which has a report of its own; name "
                        "another folder")
        with keeping(remedy="make it writable, or name another folder by --into"):
            into.mkdir(parents=True, exist_ok=True)
            with locked(into / ".lock", "drawing"):
                if is_fleet(asked):
                    tell_of_all(all_runs(asked.runs), into)
                else:
                    lay_over(asked.runs, into)
        return 0
    folder = asked.runs[0] if asked.runs else RESULTS / LATEST
    if not folder.is_dir():
        raise Problem(f"{relative(folder)} is no folder of a run; run {command('bench')}")
    remedy = f"make room, or make it writable, then {command('report')}"
    with keeping(remedy=remedy), lock_of(folder):
        draw(folder)
    if not shutil.which("gnuplot"):
        raise Problem(f"gnuplot not found, so without charts: {SETUP}")
    return 0
