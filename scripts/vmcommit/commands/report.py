"""`make report` draws a run again from its folder; `vmcommit report RUN RUN...` lays several runs
(machines, kernels, settings) over each other in the same charts and tables."""

import contextlib
import pathlib
import shutil
import sys

from vmcommit.analyse import analysis
from vmcommit.base.files import locked, relative
from vmcommit.base.places import SETUP, command
from vmcommit.base.problems import Problem, Usage
from vmcommit.commands.arguments import RESULTS, Parser, say
from vmcommit.commands.bench import LATEST, draw
from vmcommit.commands.edge import keeping
from vmcommit.show import side_by_side


def options(arguments):
    parser = Parser("report", __doc__)
    parser.add_argument("runs", nargs="*", type=pathlib.Path, metavar="RUN",
                        help="folder of a run (default: results/latest)")
    parser.add_argument("--into", type=pathlib.Path,
                        help="folder for report.html, REPORT.md and charts/ of several runs "
                             "(default: results/side-by-side)")
    asked = parser.parse_args(arguments)
    if len(asked.runs) > side_by_side.MOST:
        raise Usage(f"{len(asked.runs)} runs given; use at most {side_by_side.MOST}")
    if asked.into and len(asked.runs) < 2:
        raise Usage("--into: one run is drawn into its own folder; name two runs or more")
    return asked


def lay_over(folders, into):
    runs = [analysis.read(folder) for folder in folders]
    names = side_by_side.labels(runs, folders)
    drawn = []
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
    if len(asked.runs) > 1:
        into = asked.into or RESULTS / "side-by-side"
        with keeping(remedy="make it writable, or name another folder by --into"):
            into.mkdir(parents=True, exist_ok=True)
            with locked(into / ".lock", "drawing"):
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
