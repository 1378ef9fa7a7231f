"""`make compare`: what got slower between two builds, measured in turn on this machine, or since a
stored baseline.

Exit status: 0 no regression; 1 a regression; 2 bad usage; 3 inconclusive cells (with --strict);
4 BASE could not be built; 5 the stored baseline can't be used; 6 cells are missing on head's side;
74 something around the comparison failed; 75 another command is at it; 130, 143 interrupted, ended.
"""

import contextlib
import dataclasses
import datetime
import functools
import os
import pathlib
import random
import sys

from vmcommit.base.cells import PLAIN
from vmcommit.base.conventions import DRIFT, LEAST_SETS, THRESHOLD
from vmcommit.base.files import locked, relative, write_json
from vmcommit.base.folder import ENVIRONMENT, SAMPLES
from vmcommit.base.places import INSTALLED
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.text import counted, listed
from vmcommit.base.units import duration_text
from vmcommit.commands.arguments import (BUILD, BUILD_TEXT, ROOT, Parser, add_results, add_seed,
                                         add_subjects, say)
from vmcommit.commands.edge import AROUND, keeping, of_file, tell
from vmcommit.gate import baselines, chosen
from vmcommit.gate import comparison as comparing
from vmcommit.gate import exports, history, revisions, rules
from vmcommit.gate.chosen import SIDES
from vmcommit.measure import environment, harness, progress, replays
from vmcommit.measure.subjects import Subjects

ROUNDS = 60
CELL_SECONDS = 2.8  # of turns, for each cell
BAD_BASELINE = 5


def add_options(parser):
    """What comparing and keeping a baseline have in common."""
    parser.add_argument("--head", type=pathlib.Path, default=BUILD,
                        help=f"build folder of what is judged (default: {BUILD_TEXT})")
    parser.add_argument("--rounds", type=int, default=ROUNDS,
                        help="of every cell that can't be measured in turns (default: "
                             f"{ROUNDS})")
    parser.add_argument("--cells", default=os.environ.get("VMCOMMIT_CELLS") or chosen.PLAIN,
                        metavar="NAME", help=f"which cells: {', '.join(chosen.CELLS)} (default: "
                                             f"{chosen.PLAIN})")
    add_seed(parser)
    add_results(parser, "holds baselines/ and compare/")
    for side in SIDES:
        add_subjects(parser, side)


def check(asked):
    asked.subjects = {side: Subjects(getattr(asked, f"{side}_library"),
                                     getattr(asked, f"{side}_allocator"), side)
                      for side in SIDES}
    if asked.rounds < 1:
        raise Usage(f"--rounds: '{asked.rounds}' is no number of rounds; use {ROUNDS}, or at "
                    "least 1")
    chosen.refuse_unfit(asked.cells, getattr(asked, "recording", None))
    asked.seed = random.SystemRandom().getrandbits(32) if asked.seed is None else asked.seed
    return asked


def refuse_bad_name(option, name):
    if not chosen.valid_name(name):
        raise Usage(f"{option}: '{name}' is no name for a baseline; use letters, digits, '.', '_' "
                    "and '-'")


def refuse_subjects_of_base(asked):
    if asked.subjects["base"].kinds:
        raise Usage("--base-library, --base-allocator: a baseline has its own; name those of head "
                    "alone")


def parser():
    parser = Parser("compare", __doc__)
    parser.add_argument("--revision", default=os.environ.get("VMCOMMIT_BASE"),
                        help="git revision to compare with; it is built aside, once")
    parser.add_argument("--baseline", default=os.environ.get("VMCOMMIT_BASELINE"), metavar="NAME",
                        help="stored baseline to compare with instead")
    parser.add_argument("--base", type=pathlib.Path,
                        help="build folder, or folder of harnesses, to compare with instead")
    add_options(parser)
    parser.add_argument("--recording", default=os.environ.get("VMCOMMIT_RECORDING"), metavar="DIR",
                        help="compare what replaying that recording takes as well: as it was, "
                             "and by each kind of commit and of giving back that --cells vary; "
                             "--cells recording: that alone, by all")
    parser.add_argument("--threshold", type=float, default=100 * THRESHOLD, metavar="PERCENT",
                        help=f"slower by less is no regression (default: {100 * THRESHOLD:g})")
    parser.add_argument("--seconds", type=float,
                        help="that measuring in turns may take, before anything is confirmed; "
                             f"{LEAST_SETS} sets of each cell are taken whatever that is "
                             f"(default: {CELL_SECONDS} for each cell)")
    parser.add_argument("--self-check", action="store_true",
                        help="measure base against itself as well, and tell its false alarms")
    parser.add_argument("--strict", action="store_true",
                        help="exit 3 where a cell is inconclusive")
    parser.add_argument("--into", type=pathlib.Path,
                        help="folder for samples.csv and every other form (default: compare/ "
                             "below the results)")
    return parser


def options(arguments):
    asked = check(parser().parse_args(arguments))
    named = sum(map(bool, (asked.base, asked.revision, asked.baseline)))
    if not 0 < asked.threshold <= 100:
        raise Usage(f"--threshold: '{asked.threshold:g}' is no threshold; use a number of per cent "
                    f"above 0 and up to 100, such as {100 * THRESHOLD:g}")
    if asked.seconds is not None and not 0 < asked.seconds < 1e6:
        raise Usage(f"--seconds: '{asked.seconds:g}' is no time; use a number of seconds above 0")
    kinds = {side: subjects.kinds for side, subjects in asked.subjects.items()}
    asked.brought_alone = not named and bool(kinds["head"])
    if asked.brought_alone:
        asked.base = asked.head
    elif not named and kinds["base"]:
        raise Usage("--head-library, --head-allocator: name a library and an allocator for both "
                    "sides")
    elif named != 1:
        raise Usage("name one thing to compare with: make compare BASE=<git revision>, make "
                    "compare BASELINE=<name>, or vmcommit compare --base DIR --head DIR")
    if asked.revision and INSTALLED:
        raise Usage(f"--revision: '{asked.revision}': an installed vmcommit has no repository to "
                    "build it from; name a build folder by --base, or a --baseline")
    if asked.baseline:
        refuse_bad_name("BASELINE", asked.baseline)
        refuse_subjects_of_base(asked)
        if asked.recording:
            raise Usage(f"--recording: '{asked.recording}': a baseline holds no replays; name a "
                        "revision or a build to compare with")
    elif kinds["base"] != kinds["head"]:
        raise Usage("--base-library, --base-allocator: name a library and an allocator for both "
                    "sides or for none")
    asked.into = asked.into or asked.results / "compare"
    return asked


def programs_in(folder, side, strategies):
    """{name: Harness} of the programs in a folder that have the names of `strategies`, {name:
    Strategy}; a build folder has its harnesses in bin/, an installed set may not."""
    suffix = harness.suffix_of_programs()
    for below in (folder / "bin", folder):
        programs = {name: harness.Harness(strategy, (str((below / (name + suffix)).resolve()),))
                    for name, strategy in strategies.items()
                    if (below / (name + suffix)).exists()}
        if programs:
            return programs
    raise Usage(f"--{side}: no harness in '{folder}'; name a build folder, or one that holds "
                f"{', '.join(strategies)}")


def described_by_base(folder):
    """{name: Harness} of a folder of harnesses that may be older than --describe, or than a part of
    it: what can't say what it is, is left out."""
    try:
        commands = harness.programs(folder)
    except Problem:
        return {}
    described = {}
    for name, command in commands.items():
        with contextlib.suppress(harness.HarnessFailed):
            described[name] = harness.Harness(harness.describe(command), command)
    return described


def sides_of(asked):
    """(strategies to compare, {side: {name: Harness}}): the built-in strategies of head, those that
    base alone has, and what was brought to both. Head says what a strategy is that both have."""
    described = harness.described(asked.head)
    of_base = described_by_base(asked.base) if asked.base else {}
    built_in = {name: harness_of.strategy for name, harness_of in (of_base | described).items()
                if not harness_of.strategy.brought}
    brought = {side: subjects.harnesses(described) for side, subjects in asked.subjects.items()}
    folders = {"head": asked.head} | ({"base": asked.base} if asked.base else {})
    sides = {side: programs_in(folder, side, built_in) | brought[side]
             for side, folder in folders.items()}
    if asked.base:  # what it can be asked for, it says itself
        sides["base"] |= {name: dataclasses.replace(
            sides["base"][name], strategy=each.strategy) for name, each in of_base.items()
            if name in sides["base"] and not each.strategy.brought}
    compared = [] if asked.brought_alone else list(built_in.values())
    return compared + [harness_of.strategy for harness_of in brought["head"].values()], sides


def programs_of(folder):
    """Of a build folder, or of one of programs alone."""
    return folder / "bin" if (folder / "bin").is_dir() else folder


def replayed(asked, sides):
    """The cells of the recording that is asked for; its harnesses go to the sides that have one."""
    recording = pathlib.Path(asked.recording)
    sides["head"][replays.NAME] = replays.harness_of(programs_of(asked.head), recording)
    with contextlib.suppress(Problem):  # of a base that is older than recordings
        sides["base"][replays.NAME] = replays.harness_of(programs_of(asked.base), recording)
    return chosen.recorded_cells(replays.able_part_of(sides["head"][replays.NAME], PLAIN),
                                 asked.cells)


def describe_counts(settled):
    for result in settled:
        if result.verdict != rules.SAME:
            say(f"  {result.cell}: {result.verdict}: {result.why}")
    if not settled:
        say("  counts are equal in every cell")


def shown(action):
    """What `action` returns, which is given a progress display for its time."""
    display = progress.on()
    try:
        return action(display)
    finally:
        display.close()


def by_counts(comparison, cells):
    """Tells what counts say, and returns (results that they settle, results left for times)."""
    say(f"vmcommit compare: {counted(len(cells), 'cell')}, counts first")
    settled, left = comparison.gate_counts(cells)
    describe_counts(settled)
    return settled, left


def stored_side(asked, strategies):
    """(the stored Baseline, cells to compare with it): those of head's strategies, and those of
    built-in strategies that the baseline alone has."""
    try:
        baseline = baselines.read(asked.results / "baselines" / asked.baseline)
        names = {strategy.name for strategy in strategies}
        cells = chosen.cells(strategies + [
            strategy for name, strategy in baseline.strategies.items()
            if name not in names and not strategy.brought], asked.cells)
        baselines.refuse_other_campaign(baseline, cells)
    except baselines.Unusable as why:
        raise unusable(asked, why) from None
    return baseline, cells


def unusable(asked, why):
    return Problem(f"BASELINE: '{asked.baseline}': {why}", BAD_BASELINE)


def judged_since(comparison, left, baseline, described):
    """Judges what counts left over by the times that were stored, and returns notes."""
    if differing := baselines.differences(baseline.environment, described):
        for result in left:
            result.verdict, result.why = rules.SAME, "by its counts"
        return ["Times are not compared, since they were measured elsewhere: "
                + "; ".join(differing)]
    samples = len(next(iter(baseline.rows.values())))
    first = shown(lambda display: comparison.measure(left, samples - 1, display))
    comparison.judge(left, first, functools.partial(rules.judge_unpaired,
                                                    number_of_cells=len(baseline.rows)))
    comparison.drifting_counts(left)
    return [f"Times were not measured in turn: only changes beyond {100 * DRIFT:.0f} % are called. "
            "Smaller ones need BASE=<revision>."]


def compare_stored(asked, described, samples):
    """Against a stored baseline: counts exactly, times where that means something."""
    strategies, sides = sides_of(asked)
    baseline, cells = stored_side(asked, strategies)
    both = {"base": comparing.Stored(baseline.rows), "head": comparing.Built(sides["head"])}
    comparison = comparing.Comparison(both, samples, asked.seed, rules.Rule(len(cells)))
    try:
        settled, left = by_counts(comparison, cells)
    except comparing.Unlike as difference:
        raise unusable(asked, f"{difference}: only like can be compared with like") from None
    notes = judged_since(comparison, left, baseline, described)
    if baseline.lacking:
        notes.append(f"Not compared, since the baseline does not have it: "
                     f"{listed(baseline.lacking)}.")
    return exports.Compared(settled + left, notes, samples, described)


def self_check_text(alarms, cells):
    return (f"self-check: base against itself gave {counted(len(alarms), 'false alarm')} in "
            f"{counted(cells, 'cell')}" + (f": {', '.join(map(str, alarms))}" if alarms else ""))


def compare_built(asked, described, samples):
    """Two builds, or two libraries or allocators, in turn."""
    strategies, harnesses = sides_of(asked)
    sides = {side: comparing.Built(harnesses[side]) for side in SIDES}
    if asked.self_check:
        sides["again"] = sides["base"]
    cells = chosen.cells(strategies, asked.cells)
    if asked.recording:
        cells += replayed(asked, harnesses)
    rule = rules.Rule(len(cells), asked.threshold / 100)
    comparison = comparing.Comparison(sides, samples, asked.seed, rule)
    try:
        settled, left = by_counts(comparison, cells)
    except comparing.Unlike as difference:
        raise Usage(f"--base, --head: {difference}: only like can be compared with like") from None
    timed = left + [result for result in settled if result.by_counts]
    notes = time_cells(asked, comparison, timed) if timed else []
    notes.append(rule.text)
    return exports.Compared(settled + left, notes, samples, described)


def time_cells(asked, comparison, timed):
    """Gives the results their verdicts by times, and returns notes."""
    taking, alone = comparison.split(timed)
    if not taking and not alone:
        return []
    seconds = asked.seconds or CELL_SECONDS * len(taking)
    ways = [f"{counted(len(taking), 'cell')} in turns, up to {duration_text(seconds)}"] * (
        len(taking) > 0) + [f"{counted(asked.rounds, 'round')} of "
                            f"{counted(len(alone), 'cell')}"] * (len(alone) > 0)
    say(f"times: {listed(ways)}")
    alarms = shown(lambda display: comparison.time(taking, alone, asked.rounds, seconds, display))
    for result in timed:
        result.settle_by_counts()
    notes = [alone_text(alone)] if alone else []
    return notes + ([self_check_text(alarms, len(timed))] if asked.self_check else [])


def alone_text(alone):
    names = dict.fromkeys(str(result.cell.strategy) for result in alone)
    return f"By one process a sample, since a side can't take turns: {listed(names)}."


def print_verdict(compared):
    """On the terminal, before anything is written: a full disk does not hide the verdict."""
    say()
    say(exports.table(compared.results, sys.stdout is not None and sys.stdout.isatty()))
    for note in compared.notes:
        say(note)


def describe(asked, revision=None):
    """What environment.json holds."""
    return environment.describe(ROOT, asked.head) | {
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "seed": asked.seed, "base_revision": revision, "rounds": asked.rounds,
        "own": {side: brought.described() for side, brought in asked.subjects.items()},
        "cpu": environment.pin()}


def kept_in(path):
    """What is kept of the samples, in words."""
    return f"the samples so far are in {relative(path)}" if path.exists() else \
        "no samples are kept"


def keep(asked, compared):
    """Writes every form and the history. Returns what went wrong, in words; empty if nothing."""
    try:
        exports.write_forms(compared, asked.into)
        write_json(asked.into / ENVIRONMENT, compared.environment)
        history.add(asked.results / "history.csv", history.rows_of(
            compared.results, compared.samples, compared.environment))
        if compared.samples.failure:
            raise compared.samples.failure
    except OSError as error:
        return f"{of_file(error)}; make room, or name another folder by --into"
    except Problem as problem:
        return str(problem)
    return ""


def compared_now(asked):
    """The Compared that was asked for."""
    revision = None
    if asked.revision:
        asked.base, revision = revisions.build(ROOT, asked.revision, say)
    described = describe(asked, revision)
    compare_sides = compare_stored if asked.baseline else compare_built
    with keeping(lambda: kept_in(asked.into / SAMPLES)), \
            comparing.Samples(asked.into / SAMPLES) as samples:
        return compare_sides(asked, described, samples)


def compare(asked):
    exports.remove_forms(asked.into)
    compared = compared_now(asked)
    print_verdict(compared)
    status = rules.status_of(compared.results, asked.strict)
    if failure := keep(asked, compared):
        tell(f"compare: {failure}; the verdict above stands")
        return status or AROUND
    say(f"all forms: {relative(asked.into)}")
    return status


def refuse_other_folder(asked):
    """What is compared takes the place of an earlier comparison, and of nothing else."""
    kept, into = (asked.results / "baselines").resolve(), asked.into.resolve()
    if kept in (into, *into.parents):
        raise Usage(f"--into: '{asked.into}' is where baselines are kept; name another folder")
    if exports.holds_another(into):
        raise Usage(f"--into: '{asked.into}' holds a run, and no comparison; name another folder")


def main(arguments):
    asked = options(arguments)
    refuse_other_folder(asked)
    with keeping(remedy="name another folder by --into"):
        asked.into.mkdir(parents=True, exist_ok=True)
    with locked(asked.into / ".lock", "comparing"):
        return compare(asked)
