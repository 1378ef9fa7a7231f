"""`make compare`: what got slower between two builds, measured interleaved on this machine, or since
a stored baseline.

Exit status: 0 no regression; 1 a regression; 2 bad usage; 3 inconclusive cells (with --strict);
4 BASE could not be built; 5 the stored baseline can't be used; 6 cells are missing on one side.
"""

import datetime
import os
import pathlib
import random
import shutil
import subprocess
import sys

from vmcommit.base.conventions import DRIFT
from vmcommit.base.files import locked, relative, write_json, write_text
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.runs import ENVIRONMENT, SAMPLES
from vmcommit.base.text import counted, last_line
from vmcommit.commands.arguments import (RESULTS, ROOT, Parser, add_results, add_subjects, say)
from vmcommit.commands.edge import keeping
from vmcommit.gate import baselines, exports, history, rules
from vmcommit.gate.comparison import SIDES, Built, Comparison, Samples, Stored
from vmcommit.measure import environment, harness, progress
from vmcommit.measure.subjects import Subjects

ROUNDS = 60
NOT_BUILT, BAD_BASELINE = 4, 5


def add_options(parser):
    """What comparing and keeping a baseline have in common."""
    parser.add_argument("--head", type=pathlib.Path, default=ROOT / "build",
                        help="build folder of what is judged (default: build)")
    parser.add_argument("--rounds", type=int, default=ROUNDS,
                        help=f"of every cell (default: {ROUNDS})")
    parser.add_argument("--seed", type=int, help="of the random order (default: a new one)")
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
    asked.seed = random.SystemRandom().getrandbits(32) if asked.seed is None else asked.seed
    return asked


def refuse_subjects_of_base(asked):
    if asked.subjects["base"].kinds:
        raise Usage("--base-library, --base-allocator: a baseline has its own; name those of head "
                    "alone")


def options(arguments):
    parser = Parser("compare", __doc__)
    parser.add_argument("--revision", default=os.environ.get("VMCOMMIT_BASE"),
                        help="git revision to compare with; it is built in a worktree")
    parser.add_argument("--baseline", default=os.environ.get("VMCOMMIT_BASELINE"), metavar="NAME",
                        help="stored baseline to compare with instead")
    parser.add_argument("--base", type=pathlib.Path, help="folder of built harnesses instead")
    add_options(parser)
    parser.add_argument("--self-check", action="store_true",
                        help="measure base against itself as well, and tell its false alarms")
    parser.add_argument("--strict", action="store_true",
                        help="exit 3 where a cell is inconclusive")
    parser.add_argument("--into", type=pathlib.Path,
                        help="folder for samples.csv and every other form (default: compare/ "
                             "below the results)")
    asked = check(parser.parse_args(arguments))
    named = sum(map(bool, (asked.base, asked.revision, asked.baseline)))
    kinds = {side: subjects.kinds for side, subjects in asked.subjects.items()}
    asked.brought_alone = not named and bool(kinds["head"])
    if asked.brought_alone:
        asked.base = asked.head
    elif named != 1:
        raise Usage("name one thing to compare with: make compare BASE=<git revision>, make "
                    "compare BASELINE=<name>, or vmcommit compare --base DIR --head DIR")
    if asked.baseline:
        refuse_subjects_of_base(asked)
    elif kinds["base"] != kinds["head"]:
        raise Usage("--base-library, --base-allocator: name a library and an allocator for both "
                    "sides or for none")
    asked.into = asked.into or asked.results / "compare"
    return asked


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True,
                          text=True, errors="replace", stdin=subprocess.DEVNULL).stdout.strip()


def commit_of(revision):
    if not shutil.which("git"):
        raise Problem(f"BASE: '{revision}': git is missing; run ./scripts/setup.sh", NOT_BUILT)
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    except subprocess.CalledProcessError:
        raise Usage(f"BASE: '{revision}' is no revision of this repository; use a branch, tag or "
                    "commit (and fetch enough of the history)") from None


def build_revision(revision):
    """(folder of that revision's harnesses, commit); built once and kept below build-compare/."""
    commit = commit_of(revision)
    builds = ROOT / "build-compare"
    built = builds / commit[:16]
    with locked(builds / f".{commit[:16]}.lock", "building"):
        if not built.exists():
            say(f"building {revision} ({commit[:12]})")
            build_aside(revision, commit, builds, built)
    return built, commit


def build_aside(revision, commit, builds, built):
    """Built under another name and renamed once it is whole, so that what was interrupted begins
    anew."""
    source, aside = (builds / f".{part}-{commit[:16]}" for part in ("source", "build"))
    try:
        shutil.rmtree(source, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)
        git("worktree", "prune")
        git("worktree", "add", "--detach", "--force", str(source), commit)
        for command in (["cmake", "-S", str(source), "-B", str(aside), "-G", "Ninja",
                         "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DBUILD_TESTING=OFF"],
                        ["cmake", "--build", str(aside)]):
            subprocess.run(command, check=True, capture_output=True, text=True, errors="replace",
                           stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise Problem(f"BASE: '{revision}' can't be built: {error.filename} is missing; run "
                      "./scripts/setup.sh", NOT_BUILT) from None
    except subprocess.CalledProcessError as error:
        raise Problem(f"BASE: '{revision}' does not build: {error.cmd[0]}: "
                      f"{last_line(error.stdout, error.stderr)}; its source is in "
                      f"{relative(source)}", NOT_BUILT) from None
    git("worktree", "remove", "--force", str(source))
    aside.rename(built)


def programs_in(folder, side, strategies):
    """{name: Harness} of the programs in a folder that have the names of `strategies`, {name:
    Strategy}; a build folder has its harnesses in bin/, an installed set may not."""
    suffix = harness.suffix_of_programs()
    for below in (folder / "bin", folder):
        found = {name: harness.Harness(strategy, (str((below / (name + suffix)).resolve()),))
                 for name, strategy in strategies.items() if (below / (name + suffix)).exists()}
        if found:
            return found
    raise Usage(f"--{side}: no harness in '{folder}'; name a build folder, or one that holds "
                f"{', '.join(strategies)}")


def strategies_of(asked):
    """({name: Strategy} to compare, {side: {name: Harness}}): the built-in strategies that head or
    base has, and what was brought to both. Only head is asked what they are, but for what base
    alone has: an older base can't say."""
    described = harness.described(asked.head)
    strategies = {name: one.strategy for name, one in described.items()}
    if asked.base:
        with_list = (asked.base / "bin" / harness.LIST).exists()
        of_base = harness.described(asked.base) if with_list else {}
        strategies = {name: one.strategy for name, one in of_base.items()} | strategies
    return strategies, described


def sides_of(asked):
    """(strategies to compare, {side: {name: Harness}})"""
    strategies, described = strategies_of(asked)
    built_in = {name: strategy for name, strategy in strategies.items() if not strategy.brought}
    brought = {side: subjects.harnesses(described) for side, subjects in asked.subjects.items()}
    folders = {"head": asked.head} | ({"base": asked.base} if asked.base else {})
    sides = {side: programs_in(folder, side, built_in) | brought[side]
             for side, folder in folders.items()}
    compared = [] if asked.brought_alone else list(built_in.values())
    return compared + [one.strategy for one in brought["head"].values()], sides


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


def compare_stored(asked, described):
    """Against a stored baseline: counts exactly, times where that means something."""
    strategies, sides = sides_of(asked)
    cells = rules.cells(strategies)
    try:
        rows, before = baselines.load(asked.results / "baselines" / asked.baseline, cells)
    except baselines.Unusable as why:
        raise Problem(f"BASELINE: '{asked.baseline}': {why}", BAD_BASELINE) from None
    samples = Samples(asked.into / SAMPLES)
    comparison = Comparison({"base": Stored(rows), "head": Built(sides["head"])}, samples,
                            asked.seed)
    say(f"vmcommit compare: {counted(len(rows), 'cell')}, counts first")
    settled, rest = comparison.gate_counts(cells)
    describe_counts(settled)
    differing = baselines.differences(before, described)
    if differing:
        for result in rest:
            result.verdict, result.why = rules.SAME, "by its counts"
        return settled + rest, ["Times are not compared, since they were measured elsewhere: "
                                + "; ".join(differing)], samples
    rounds = len(next(iter(rows.values()))) - 1
    first = shown(lambda display: comparison.measure(rest, rounds, display))
    comparison.judge(rest, first, len(rows), rules.judge_unpaired)
    comparison.drifting_counts(rest)
    return settled + rest, [f"Times were not measured in turn: only changes beyond "
                            f"{100 * DRIFT:.0f} % are called. Smaller ones need "
                            "BASE=<revision>."], samples


def compare_built(asked):
    strategies, harnesses = sides_of(asked)
    sides = {side: Built(harnesses[side]) for side in SIDES}
    if asked.self_check:
        sides["again"] = sides["base"]
    samples = Samples(asked.into / SAMPLES)
    comparison = Comparison(sides, samples, asked.seed)
    cells = rules.cells(strategies)
    say(f"vmcommit compare: {counted(len(cells), 'cell')}, counts first")
    settled, rest = comparison.gate_counts(cells)
    describe_counts(settled)
    notes = []
    timed = rest + [result for result in settled if result.by_counts]
    if timed:
        say(f"times: {asked.rounds} rounds of {counted(len(timed), 'cell')}")
        alarms = shown(lambda display: comparison.time(timed, asked.rounds, display, len(cells)))
        for result in timed[len(rest):]:
            result.settle_by_counts()
        if asked.self_check:
            notes.append(f"self-check: base against itself gave "
                         f"{counted(len(alarms), 'false alarm')} in "
                         f"{counted(len(timed), 'cell')}"
                         + (f": {', '.join(map(str, alarms))}" if alarms else ""))
    return settled + rest, notes, samples


def print_verdict(results, notes, asked):
    """On the terminal, before anything is written: a full disk does not hide the verdict."""
    say()
    say(exports.table(results, sys.stdout.isatty()))
    for note in notes:
        say(note)
    if not asked.baseline:
        say(rules.rule_text(len(results)))


def write_forms(results, notes, samples, described, folder):
    """Every form, side by side in the results' folder."""
    forms = {"COMPARE.md": exports.markdown(results, notes), "junit.xml": exports.junit(results),
             "bmf.json": exports.bencher_metric_format(results),
             "github-action-benchmark.json": exports.github_action_benchmark(results)}
    for side in SIDES:
        forms[f"{side}.bench.txt"] = exports.go_bench(samples.of(side))
        forms[f"{side}.google-benchmark.json"] = exports.google_benchmark(samples.of(side),
                                                                          described)
    for name, text in forms.items():
        write_text(folder / name, text)
    write_json(folder / ENVIRONMENT, described)


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
        "nothing was measured"


def compare(asked):
    revision = None
    if asked.revision:
        asked.base, revision = build_revision(asked.revision)
    described = describe(asked, revision)
    with keeping(lambda: kept_in(asked.into / SAMPLES)):
        results, notes, samples = compare_stored(asked, described) if asked.baseline else \
            compare_built(asked)
    print_verdict(results, notes, asked)
    with keeping(lambda: "the verdict above stands",
                 "make room, or name another folder by --into"):
        write_forms(results, notes, samples, described, asked.into)
        history.add(asked.results / "history.csv",
                    history.rows_of(results, samples, described))
    say(f"all forms: {relative(asked.into)}")
    return rules.status_of(results, asked.strict)


def main(arguments):
    asked = options(arguments)
    with keeping(remedy="name another folder by --into"):
        asked.into.mkdir(parents=True, exist_ok=True)
    with locked(asked.into / ".lock", "comparing"):
        return compare(asked)
