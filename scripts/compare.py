"""`make compare`: what got slower between two builds, measured interleaved on this machine, or since
a stored baseline. `make baseline` stores one.

Exit status: 0 no regression; 1 a regression; 2 bad usage; 3 inconclusive cells (with --strict);
4 BASE could not be built; 5 the stored baseline can't be used; 6 cells are missing on one side.
"""

import argparse
import csv
import datetime
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

import baseline
import campaign
import environment
import exports
import gate
import history
import own
import progress
from bench import pin, relative, say, write_json
from command import RESULTS, ROOT, Parser, Problem, Usage

ROUNDS = 60
CONFIRMATIONS = 3  # samples in which counts must differ
NOT_BUILT, BAD_BASELINE, MISSING_CELLS = 4, 5, 6


def options(arguments):
    parser = Parser(prog="compare", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revision", default=os.environ.get("VMCOMMIT_BASE"),
                        help="git revision to compare with; it is built in a worktree")
    parser.add_argument("--baseline", default=os.environ.get("VMCOMMIT_BASELINE"), metavar="NAME",
                        help="stored baseline to compare with instead")
    parser.add_argument("--keep", metavar="NAME", nargs="?",
                        const=os.environ.get("VMCOMMIT_NAME", ""),
                        help="compare nothing: store a baseline of head under that name")
    parser.add_argument("--base", type=pathlib.Path, help="folder of built harnesses instead")
    parser.add_argument("--head", type=pathlib.Path, default=ROOT / "build",
                        help="build folder of what is judged (default: build)")
    for side in ("base", "head"):
        own.add_options(parser, side)
    parser.add_argument("--rounds", type=int, default=ROUNDS,
                        help=f"of every cell (default: {ROUNDS})")
    parser.add_argument("--self-check", action="store_true",
                        help="measure base against itself as well, and tell its false alarms")
    parser.add_argument("--strict", action="store_true",
                        help="exit 3 where a cell is inconclusive")
    parser.add_argument("--seed", type=int, help="of the random order (default: a new one)")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS,
                        help="folder that holds baselines/ (default: results)")
    parser.add_argument("--into", type=pathlib.Path,
                        help="folder for samples.csv and every other form (default: compare/ "
                             "below the results)")
    chosen = parser.parse_args(arguments)
    chosen.own = {"base": own.Own(chosen.base_library, chosen.base_allocator, "base"),
                  "head": own.Own(chosen.head_library, chosen.head_allocator, "head")}
    chosen.strategies = (*campaign.STRATEGIES, *chosen.own["head"].strategies)
    named = sum(map(bool, (chosen.base, chosen.revision, chosen.baseline)))
    if chosen.keep is not None:
        chosen.base = chosen.revision = chosen.baseline = None
        if not baseline.valid_name(chosen.keep):
            raise Usage(f"NAME: '{chosen.keep}' is no name for a baseline; use letters, digits, "
                        "'.', '_' and '-'")
        chosen.into = chosen.results / "baselines" / f".{chosen.keep}"  # until it is complete
    elif not named and chosen.own["head"].strategies:
        chosen.base, chosen.strategies = chosen.head, chosen.own["head"].strategies
    elif named != 1:
        raise Usage("name one thing to compare with: make compare BASE=<git revision>, make "
                    "compare BASELINE=<name>, or scripts/compare --base DIR --head DIR")
    stored = chosen.keep is not None or chosen.baseline
    wanted = () if stored else chosen.own["head"].strategies
    if chosen.own["base"].strategies != wanted:
        raise Usage("--base-library, --base-allocator: " + (
            "a baseline has its own; name those of head alone" if stored else
            "name a library and an allocator for both sides or for none"))
    chosen.into = chosen.into or chosen.results / "compare"
    if chosen.rounds < 1:
        raise Usage(f"--rounds: '{chosen.rounds}' is no number of rounds; use {ROUNDS}, or at "
                    "least 1")
    chosen.seed = random.SystemRandom().getrandbits(32) if chosen.seed is None else chosen.seed
    return chosen


def last_line(error):
    return ((error.stderr or error.stdout or "").strip().splitlines() or ["no message"])[-1]


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True,
                          text=True).stdout.strip()


def build_revision(revision):
    """The folder of that revision's harnesses, built once and kept below build-compare/."""
    try:
        commit = git("rev-parse", "--verify", "--quiet", revision + "^{commit}")
    except (subprocess.CalledProcessError, OSError):
        raise Usage(f"BASE: '{revision}' is no revision of this repository; use a branch, tag or "
                    "commit (and fetch enough of the history)") from None
    built = ROOT / "build-compare" / commit[:16]
    if (built / "complete").exists():
        return built, commit
    say(f"building {revision} ({commit[:12]})")
    source = ROOT / "build-compare" / f"source-{commit[:16]}"
    try:
        git("worktree", "prune")
        if not source.exists():
            git("worktree", "add", "--detach", "--force", str(source), commit)
        for command in (["cmake", "-S", str(source), "-B", str(built), "-G", "Ninja",
                         "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DBUILD_TESTING=OFF"],
                        ["cmake", "--build", str(built), "--target", *campaign.STRATEGIES]):
            subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise Problem(f"BASE: '{revision}' does not build: {error.cmd[0]}: {last_line(error)}; "
                      f"its source is in {relative(source)}", NOT_BUILT) from None
    git("worktree", "remove", "--force", str(source))
    (built / "complete").touch()
    return built, commit


def programs(folder, side):
    """{strategy: command}; a build folder has its harnesses in bin/, an installed set may not."""
    suffix = ".exe" if os.name == "nt" else ""
    for below in (folder / "bin", folder):
        found = {strategy: [str((below / (strategy + suffix)).resolve())]
                 for strategy in campaign.STRATEGIES if (below / (strategy + suffix)).exists()}
        if found:
            return found
    raise Usage(f"{side}: no harness in '{folder}'; name a build folder, or one that holds "
                f"{', '.join(campaign.STRATEGIES)}")


class Samples:
    """results/compare/samples.csv, with `side` and the columns of both sides; {(side, cell): rows}
    in memory."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.rows = {}
        self.columns = None

    def add(self, side, cell, round_number, row):
        if self.columns is None:
            self.columns = ["side", "cell", *row]
            with open(self.path, "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerow(self.columns)
        self.rows.setdefault((side, cell), []).append((round_number, row))
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, extrasaction="ignore").writerow(
                row | {"side": side, "cell": exports.name(cell), "round": round_number})

    def paired(self, one, other, cell, first_round):
        """Times of two sides in the rounds from first_round on that have both."""
        by_side = [{number: float(row["total_ns"]) for number, row in self.rows.get(
            (side, cell), []) if row["total_ns"] and number >= first_round}
            for side in (one, other)]
        common = sorted(by_side[0].keys() & by_side[1].keys())
        return [[times[number] for number in common] for times in by_side]

    def of(self, side):
        return [(cell, row) for (where, cell), rows in self.rows.items() if where == side
                for _, row in rows]


class Stored:
    """A side that was measured earlier: gives its rows by round."""

    def __init__(self, rows):
        self.rows = rows

    def take(self, cell, round_number):
        rows = self.rows[exports.name(cell)]
        return rows[round_number] if round_number < len(rows) else None


class Built:
    """A side that is measured now."""

    def __init__(self, folder, name, brought=None):
        self.programs = programs(folder, name) | (brought or {})

    def take(self, cell, _round_number):
        if cell.strategy not in self.programs:
            raise campaign.HarnessFailed("has no such harness")
        return campaign.take(self.programs[cell.strategy], cell)


class Comparison:
    def __init__(self, sides, samples, seed):
        self.sides = sides  # {"base", "head", and "again", which is base once more}
        self.samples = samples
        self.random = random.Random(seed)
        self.broken = {}  # {cell: which side, and what happened}
        self.round = 0

    def take(self, side, cell):
        try:
            row = self.sides[side].take(cell, self.round)
        except campaign.HarnessFailed as failure:
            self.broken[cell] = f"{side} {failure}"
            return None
        if row:
            self.samples.add(side, cell, self.round, row)
        return row

    def gate_counts(self, cells):
        """One sample of each side: what differs in counts, at once and each time that it is looked
        at again. Returns the rest as well."""
        found, rest = [], []
        self.round = 0
        for cell in cells:
            for _ in range(CONFIRMATIONS):
                base, head = self.take("base", cell), self.take("head", cell)
                changed = cell not in self.broken and (
                    gate.status_change(base, head) or
                    gate.count_change(gate.compare_counts(base, head)))
                if not changed:
                    break
            if cell in self.broken:
                found.append(gate.Result(cell, gate.MISSING, self.broken[cell]))
                continue
            counts = {column: int(float(head[column])) for column in gate.GATED
                      if head.get(column)}
            result = gate.Result(cell, gate.INCONCLUSIVE, counts=counts)
            if changed:
                result.verdict, result.why = changed
                if base["total_ns"] and head["total_ns"]:
                    result.by_counts = changed
                found.append(result)
            elif not base["total_ns"]:
                result.verdict, result.why = gate.SAME, f"{base['status']} on both sides"
                found.append(result)
            else:
                rest.append(result)
        return found, rest

    def measure(self, results, rounds, shown):
        """Rounds of pairs in changing order: base first in one round, head first in the next, so
        that two rounds make an ABBA. Returns the first round's number."""
        first = self.round + 1
        begun = time.monotonic()
        for done in range(rounds):
            self.round += 1
            order = list(results)
            self.random.shuffle(order)
            for at, result in enumerate(order):
                spent = time.monotonic() - begun
                share = (done + at / len(order)) / rounds
                left = spent / share - spent if share > 0.02 else 0.05 * rounds * len(order)
                shown(spent, left, self.round, result.cell)
                pair = [side for side in ("base", "head") if side in self.sides]
                if (self.round + results.index(result)) % 2:
                    pair.reverse()
                if "again" in self.sides:
                    pair.insert(self.random.randrange(3), "again")
                for side in pair:
                    if result.cell not in self.broken:
                        self.take(side, result.cell)
        return first

    def judge(self, results, first, number_of_cells, rule=gate.judge_times):
        for result in results:
            if result.cell in self.broken:
                result.verdict, result.why = gate.MISSING, self.broken[result.cell]
                continue
            base, head = self.samples.paired("base", "head", result.cell, first)
            if not base:
                result.verdict, result.why = gate.INCONCLUSIVE, "no round was timed on both sides"
                continue
            result.verdict, result.ratio, result.low, result.high = rule(
                base, head, number_of_cells)
            result.base_ns, result.head_ns = statistics.median(base), statistics.median(head)
            result.rounds = len(base)

    def time(self, results, rounds, shown, number_of_cells):
        """Measures and judges; whatever regressed is measured again on fresh rounds before it is
        believed. Returns the cells in which base differs from itself, if it is measured twice."""
        first = self.measure(results, rounds, shown)
        self.judge(results, first, number_of_cells)
        alarms = self.false_alarms(results, first, number_of_cells)
        suspects = [one for one in results if one.verdict == gate.REGRESSED]
        if suspects:
            self.judge(suspects, self.measure(suspects, rounds, shown), number_of_cells)
        for one in suspects:
            if one.verdict == gate.REGRESSED:
                one.why = f"{exports.change(one)}, and again on fresh rounds"
            else:
                one.verdict, one.why = gate.INCONCLUSIVE, "not confirmed on fresh rounds"
        self.drifting_counts(results)
        return alarms

    def counts_that_vary(self, result, side):
        """How many rounds had other counts than the first one, and what differed; (0, "")."""
        rows = [row for _, row in self.samples.rows.get((side, result.cell), [])]
        found = [gate.compare_counts(rows[0], row) for row in rows]
        differing = [one for one in found if one]
        return len(differing), gate.count_change(differing[0])[1] if differing else ""

    def drifting_counts(self, results):
        """Counts of head that vary from round to round, where base's do not, are a regression too;
        in a single round, or on both sides, they may be the machine's. An allocator's may vary by
        where it happens to lie: then times alone decide."""
        for result in results:
            rounds, told = self.counts_that_vary(result, "head")
            if rounds == 0:
                continue
            result.why = "; ".join(filter(None, (result.why, f"counts vary by round: {told}")))
            of_base = self.counts_that_vary(result, "base")[0]
            if result.cell.strategy != "malloc" or not of_base:
                result.verdict = gate.INCONCLUSIVE if rounds == 1 or of_base else gate.REGRESSED

    def false_alarms(self, results, first, number_of_cells):
        """Cells in which base differs from itself by the same rule."""
        return [result.cell for result in results
                if "again" in self.sides and result.cell not in self.broken
                and gate.judge_times(*self.samples.paired("base", "again", result.cell, first),
                                     number_of_cells)[0] in (gate.REGRESSED, gate.IMPROVED)]


def describe_counts(found):
    for result in found:
        if result.verdict != gate.SAME:
            say(f"  {result.cell}: {result.verdict}: {result.why}")


def built(chosen, side, folder):
    """A side with what the user brought to it, which head's harnesses measure on both sides."""
    below = chosen.head / "bin" if (chosen.head / "bin").is_dir() else chosen.head
    return Built(folder, f"--{side}", chosen.own[side].programs(below))


def keep(chosen):
    """Measures head alone, for later comparisons."""
    cells = gate.cells(chosen.strategies)
    comparison = Comparison({"head": built(chosen, "head", chosen.head)},
                            Samples(chosen.into / "samples.csv"), chosen.seed)
    say(f"vmcommit baseline {chosen.keep}: {chosen.rounds} rounds of {len(cells)} cells")
    comparison.round = -1  # a comparison's counts are of round 0
    shown = progress.on()
    try:
        comparison.measure([gate.Result(cell, gate.SAME) for cell in cells], chosen.rounds + 1,
                           shown)
    finally:
        shown.close()
    if comparison.broken:
        cell, why = next(iter(comparison.broken.items()))
        raise Problem(f"{cell}: {why}; no baseline was kept", MISSING_CELLS)


def compare_stored(chosen, described):
    """Against a stored baseline: counts exactly, times where that means something."""
    try:
        rows, before = baseline.load(chosen.results / "baselines" / chosen.baseline,
                                     gate.cells(chosen.strategies))
    except baseline.Unusable as why:
        raise Problem(f"BASELINE: '{chosen.baseline}': {why}", BAD_BASELINE) from None
    differing = baseline.differences(before, described)
    base = Stored(rows)
    samples = Samples(chosen.into / "samples.csv")
    comparison = Comparison({"base": base, "head": built(chosen, "head", chosen.head)}, samples,
                            chosen.seed)
    say(f"vmcommit compare: {len(rows)} cells, counts first")
    done, rest = comparison.gate_counts(gate.cells(chosen.strategies))
    describe_counts(done)
    if differing:
        for result in rest:
            result.verdict, result.why = gate.SAME, "by its counts"
        return done + rest, ["Times are not compared, since they were measured elsewhere: "
                             + "; ".join(differing)], samples
    rounds = len(next(iter(rows.values()))) - 1
    shown = progress.on()
    try:
        first = comparison.measure(rest, rounds, shown)
    finally:
        shown.close()
    comparison.judge(rest, first, len(rows), gate.judge_unpaired)
    comparison.drifting_counts(rest)
    return done + rest, [f"Times were not measured in turn: only changes beyond "
                         f"{100 * gate.DRIFT:.0f} % are called. Smaller ones need "
                         "BASE=<revision>."], samples


def compare(chosen, base):
    sides = {"base": built(chosen, "base", base), "head": built(chosen, "head", chosen.head)}
    if chosen.self_check:
        sides["again"] = sides["base"]
    samples = Samples(chosen.into / "samples.csv")
    comparison = Comparison(sides, samples, chosen.seed)
    cells = gate.cells(chosen.strategies)
    say(f"vmcommit compare: {len(cells)} cells, counts first")
    done, rest = comparison.gate_counts(cells)
    describe_counts(done)
    if not done:
        say("  counts are equal in every cell")
    notes = []
    timed = rest + [one for one in done if one.by_counts]
    if timed:
        say(f"times: {chosen.rounds} rounds of {len(timed)} cells")
        shown = progress.on()
        try:
            alarms = comparison.time(timed, chosen.rounds, shown, len(cells))
        finally:
            shown.close()
        for one in timed[len(rest):]:
            one.settle_by_counts()
        if chosen.self_check:
            notes.append(f"self-check: base against itself gave {len(alarms)} false "
                         f"alarm{'s' if len(alarms) != 1 else ''} in {len(timed)} cells"
                         + (f": {', '.join(map(str, alarms))}" if alarms else ""))
    return done + rest, notes, samples


def tell(results, notes, chosen):
    """On the terminal, before anything is written: a full disk does not hide the verdict."""
    say()
    say(exports.table(results, sys.stdout.isatty()))
    for note in notes:
        say(note)
    if not chosen.baseline:
        say(exports.rule(len(results)))


def write_forms(results, notes, samples, described, folder):
    """Every form, side by side in the results' folder."""
    forms = {"COMPARE.md": exports.markdown(results, notes), "junit.xml": exports.junit(results),
             "bmf.json": exports.bencher_metric_format(results),
             "github-action-benchmark.json": exports.github_action_benchmark(results)}
    for side in ("base", "head"):
        forms[f"{side}.bench.txt"] = exports.go_bench(samples.of(side))
        forms[f"{side}.google-benchmark.json"] = exports.google_benchmark(samples.of(side),
                                                                          described)
    for name, text in forms.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_json(folder / "environment.json", described)


def main(arguments):
    into = None
    try:
        chosen = options(arguments)
        into = chosen.into
        base, revision = build_revision(chosen.revision) if chosen.revision else \
            (chosen.base, None)
        described = environment.describe(ROOT, chosen.head) | {
            "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "seed": chosen.seed, "base_revision": revision, "rounds": chosen.rounds,
            "own": {side: brought.described() for side, brought in chosen.own.items()}}
        described["cpu"] = pin()
        if chosen.keep:
            keep(chosen)
            write_json(into / "environment.json", described)
            kept = into.with_name(chosen.keep)
            shutil.rmtree(kept, ignore_errors=True)
            into.rename(kept)
            say(f"baseline: {relative(kept)}")
            return 0
        results, notes, samples = compare_stored(chosen, described) if chosen.baseline else \
            compare(chosen, base)
        tell(results, notes, chosen)
        write_forms(results, notes, samples, described, into)
        history.add(chosen.results / "history.csv",
                    history.rows_of(results, samples, described))
    except Problem as problem:
        message, status = str(problem), problem.status
    except KeyboardInterrupt:
        kept = into / "samples.csv" if into else None
        message = "interrupted" + (f"; the samples so far are in {relative(kept)}"
                                   if kept and kept.exists() else "; nothing was measured")
        status = 130
    except OSError as error:
        message, status = (f"cannot write {relative(error.filename or into)}: {error.strerror}; "
                           "make room, or name another folder by --into"), 2
    else:
        say(f"all forms: {relative(into)}")
        return gate.status_of(results, chosen.strict)
    print(f"compare: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
