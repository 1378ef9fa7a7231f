"""`vmcommit record -- PROGRAM` records, as build/bin/record does; `vmcommit record report DIR` says
what a recording shows, `record compare DIR_A DIR_B` what two do, `record what-if DIR` what other
choices would have made of it, `record measure DIR` what it takes to replay it in other ways."""

import pathlib
import shutil
import sys

from vmcommit.analyse import recording, usage, wasters
from vmcommit.analyse import what_if as growth
from vmcommit.base.conventions import DEFAULT_STEP
from vmcommit.base.files import relative
from vmcommit.base.places import SETUP, command, program
from vmcommit.base.problems import Usage
from vmcommit.base.text import counted
from vmcommit.base.units import size_text
from vmcommit.commands.arguments import (BUILD, RESULTS, Parser, add_seed, say,
                                         whole_between)
from vmcommit.commands.bench import LATEST
from vmcommit.commands.edge import become, keeping
from vmcommit.commands.predict import read_run
from vmcommit.measure import environment, replays
from vmcommit.show import charts, recordings
from vmcommit.show.chart import RECORDING, RECORDINGS

SETS, MOST_SETS = 12, 10_000


def read(folder, calls=False):
    """The Usage of a recording; `calls`: one that holds them. Raises Usage where there is none."""
    if not (folder / recording.LOG).is_file():
        raise Usage(f"{folder} holds no recording ({recording.LOG}); {program('record')} -- "
                    "PROGRAM makes one")
    used = usage.Usage(folder)
    if not used.recording.lives or used.sampled and not used.looks:
        why = ("it ended before the first look" if used.sampled
               else "--only named none that ran" if used.complete
               else "it breaks off before the first")
        raise Usage(f"{folder} recorded no program: {why}")
    if calls and used.sampled:
        raise Usage(f"{folder} was sampled, and what is asked for needs the calls; record the "
                    "program without --sample")
    return used


def draw(shows, subject, folder, text):
    """Draws what there is, and returns the exit status."""
    if not shutil.which("gnuplot"):
        print(f"record: gnuplot not found, so without a chart: {SETUP}", file=sys.stderr)
        return 1
    with keeping(remedy="make room, or make it writable"):
        for name in charts.draw_each(shows, subject, folder, text):
            say(f"chart: {relative(folder / f'{name}.svg')}")
    return 0


def report(arguments):
    parser = Parser("record report", "What a recording shows: docs/record.md explains it.")
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path, help="of a recording")
    folder = parser.parse_args(arguments).folder
    used = read(folder)
    sentences = list(recordings.sentences(used))
    lines = [*sentences, "", *recordings.tables(used)]
    if children := used.children() if used.of_every_process else {}:
        lines += ["", *recordings.child_lines(children)]
    if used.stacks:
        found = wasters.Unused(folder).wasters()
        lines += ["", *recordings.waster_lines(used, found)]
    say("\n".join(lines))
    return draw(RECORDING, used, folder, " ".join(sentences[:2]))


def compare(arguments):
    parser = Parser("record compare", "Two recordings side by side: of two versions, or of a "
                                      "program with another allocator.")
    parser.add_argument("a", metavar="DIR_A", type=pathlib.Path, help="of a recording")
    parser.add_argument("b", metavar="DIR_B", type=pathlib.Path, help="of another")
    parser.add_argument("--into", type=pathlib.Path, metavar="DIR",
                        help="folder for the pictures (default: DIR_B)")
    asked = parser.parse_args(arguments)
    pair = read(asked.a), read(asked.b)
    sentences = list(recordings.sentences_of_both(*pair))
    say("\n".join([*sentences, "", *recordings.tables_of_both(*pair)]))
    return draw(RECORDINGS, pair, asked.into or asked.b,
                f"{sentences[0]} A: whole lines; B: broken lines.")


def fitted_models(folder):
    """({strategy: its cost model}, where it is from). None of them where there is no run and none
    was named."""
    if folder is None and not (RESULTS / LATEST).exists():
        return {}, f"No times: there is no run; {command('bench')} makes one, with a cost model."
    folder = folder or RESULTS / LATEST
    fitted, _ = read_run(folder)
    return fitted["strategies"], f"Times are by the cost model of the run in {relative(folder)}."


def what_if(arguments):
    parser = Parser("record what-if", "What other steps, and other ways of giving back, would have "
                                      "made of a recording.")
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path, help="of a recording")
    parser.add_argument("--run", type=pathlib.Path, metavar="DIR",
                        help="whose cost model says what it takes (default: results/latest)")
    asked = parser.parse_args(arguments)
    used = read(asked.folder, calls=True)
    if used.blind:
        raise Usage(f"{asked.folder} was recorded with --no-touch, and what was touched is what "
                    "another choice is judged by; record it without")
    fitted, source = fitted_models(asked.run)
    _, outcomes = growth.by_growth(asked.folder, fitted)
    best = growth.knee(outcomes)
    step = best.step if best else DEFAULT_STEP
    stepped = next(one for one in outcomes if one.step)
    lines = list(recordings.knob_lines(used))
    say("\n".join([
        recordings.of_knee(best, stepped), source, "",
        *recordings.outcome_lines("committed", outcomes), "",
        *recordings.outcome_lines(f"given back, {size_text(step)}",
                                  growth.by_release(asked.folder, step, fitted)),
        *([""] if lines else []), *lines]))
    return 0


def measure(arguments):
    parser = Parser("record measure", "What replaying a recording takes, as recorded and in other "
                                      "ways, in turns with each other.")
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path, help="of a recording")
    parser.add_argument("--commit", action="append", default=[], metavar="KIND",
                        help="commit so; may be given several times")
    parser.add_argument("--purge", action="append", default=[], metavar="KIND",
                        help="give back so; may be given several times")
    parser.add_argument("--sets", type=of_sets, default=SETS, metavar="N",
                        help=f"from 2 to {MOST_SETS} (default: {SETS})")
    add_seed(parser, "1", default=1)
    asked = parser.parse_args(arguments)
    read(asked.folder, calls=True)
    program = replays.harness_of(BUILD / "bin", asked.folder)
    parts = {replays.name_of(manner): replays.able_part_of(program, manner)
             for manner in replays.manners(program.strategy, asked.commit, asked.purge)}
    measured = replays.Replays(parts, asked.seed, environment.available_bytes() / 2)
    with keeping(lambda: show(measured)):
        for number in range(1, asked.sets + 1):
            if sys.stderr.isatty():
                print(f"set {number} of {asked.sets}", end="\r", file=sys.stderr)
            measured.take()
    show(measured)
    measured.refuse_lost()
    return 0


def show(measured):
    """Says what its sets so far do, and returns how many there are, in words."""
    if measured.sets == 0:
        return "no set was whole"
    measured.update()
    say("\n".join(recordings.way_lines(measured.ways())))
    return f"the table is of {counted(measured.sets, 'set')}"


def of_sets(text):
    return whole_between(text, 2, MOST_SETS, f"--sets: '{text}' is no number of sets; use {SETS}, "
                                             f"or from 2 to {MOST_SETS}")


COMMANDS = {"report": report, "compare": compare, "what-if": what_if, "measure": measure}


def main(arguments):
    on_recordings = COMMANDS.get(arguments[0]) if arguments else None
    return on_recordings(arguments[1:]) if on_recordings else become("record", arguments)
