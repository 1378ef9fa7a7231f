"""What a run looks into beside its rounds: how touch times are spread (traces), how slow the slow
ones are from process to process, how the charge grows (staircases), what is refused under a limit
on commit, and how long single calls take.

One process each, after the rounds. base/runs.py reads what is written here.
"""

import pathlib
import random
import shutil

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import SPARSELY_TOUCHED
from vmcommit.base.files import write_rows, write_text
from vmcommit.base.folder import Unreadable, read_texts
from vmcommit.base.problems import Problem
from vmcommit.base.units import size_text
from vmcommit.measure import progress
from vmcommit.measure.harness import Harness, HarnessFailed, succeeded

CALLS_SECONDS = 600
STAIR_PARTS = (64, 16, 4)  # of the region, that a staircase's steps are


def configurations(profile, available, strategies):
    """(what to trace, what to climb)"""
    traced = [Configuration(strategy, size) for size in profile.trace_sizes
              if size <= available / 2 for strategy in strategies if "--trace" in strategy.options]
    climbing = [strategy for strategy in strategies if "--staircase" in strategy.options]
    size = profile.sweep_size
    climbed = [Configuration(strategy, size) for strategy in climbing if not strategy.stepped]
    climbed += [Configuration(strategy, size, chunk=size // part)
                for strategy in climbing if strategy.stepped for part in STAIR_PARTS]
    return traced, climbed


def measure(harnesses, profile, available, folder, seed, failed, shown):
    """Writes folder/details/: samples.csv, trace-STRATEGY-SIZE.csv, staircase.csv, limited.csv.
    What died goes into `failed` and is left out, as what is there already is not tried. `seed`: of
    the order of what is compared; `shown`: a display of progress."""
    work = folder / "details"
    work.mkdir()
    traced, climbed = configurations(profile, available,
                                     [harness.strategy for harness in harnesses.values()])
    rows = [trace(harnesses, configuration, work, failed)
            for configuration in progress.steps(shown, "traces", traced)]
    rows += [trace_again(harnesses, *each, work, failed) for each in progress.steps(
        shown, "slow touches", repeats(profile, traced, random.Random(seed)))]
    stairs = [climb(harnesses, configuration, work, failed)
              for configuration in progress.steps(shown, "staircases", climbed)]
    write([row for row in rows if row], work / "samples.csv")
    write([step for steps in stairs for step in steps], work / "staircase.csv")
    under_limit = limited(harnesses, profile, available, failed, shown)
    write(under_limit, work / "limited.csv")


def taken(harness, configuration, failed, *more):
    """A row; None where the harness dies, or died before."""
    if configuration in failed:
        return None
    try:
        return harness.take(configuration, *more)
    except HarnessFailed as failure:
        failed[configuration] = str(failure)
        return None


def trace(harnesses, configuration, work, failed):
    """Its row; its touches are in a file of their own, which only stays whole."""
    path = work / f"trace-{configuration.strategy}-{configuration.size}.csv"
    row = taken(harnesses[configuration.strategy.name], configuration, failed,
                "--trace", str(path))
    if row is None:
        path.unlink(missing_ok=True)
    return row


def repeats(profile, traced, drawn):
    """(configuration, round) of the other processes of the sweep's size: in each round all
    strategies, in a new random order."""
    swept = [each for each in traced if each.size == profile.sweep_size]
    return [(each, number) for number in range(2, profile.trace_repeat + 1)
            for each in drawn.sample(swept, len(swept))]


def trace_again(harnesses, configuration, number, work, failed):
    """Its row; single touches are those of the first round alone."""
    path = work / "trace-part.csv"
    row = taken(harnesses[configuration.strategy.name], configuration, failed,
                "--trace", str(path))
    path.unlink(missing_ok=True)
    return row and row | {"round": number}


def climb(harnesses, configuration, work, failed):
    """Its staircase as rows of texts; none where it has none."""
    path = work / "staircase-part.csv"
    row = taken(harnesses[configuration.strategy.name], configuration, failed,
                "--staircase", str(path))
    try:
        columns, steps, _ = read_texts(path, ()) if row else ((), (), "")
        return [dict(zip(columns, step)) for step in steps]
    except Unreadable as why:
        failed[configuration] = f"wrote no staircase: {why}"
        return []
    finally:
        path.unlink(missing_ok=True)


def limiter(bin_folder, limit):
    """The start of a command that runs what follows it with at most `limit` bytes of commit: by
    RLIMIT_DATA on Linux, in a job object on Windows. None where there is no such tool."""
    job = bin_folder / "job.exe"
    if job.exists():
        return [str(job), str(limit)]
    return ["prlimit", f"--data={limit}"] if shutil.which("prlimit") else None


def under(start, harness):
    """The harness, started by what limits it; an emulator is not itself limited by a Windows
    program."""
    *emulator, program = harness.command
    command = (*emulator, *start, program) if program.endswith(".exe") else \
        (*start, *harness.command)
    return Harness(harness.strategy, command)


def limited(harnesses, profile, available, failed, shown) -> list[dict]:
    """Rows of each built-in strategy once, with half of the region's size to commit, and a tenth
    of it to touch."""
    size = 4 * profile.sweep_size
    limit = size // 2
    built_in = [harness for harness in harnesses.values() if not harness.strategy.brought]
    start = limiter(pathlib.Path(built_in[0].command[-1]).parent, limit)
    if start is None or limit > available / 2:
        return []
    rows = []
    for harness in progress.steps(shown, "a limit on commit", built_in):
        configuration = Configuration(harness.strategy, size, SPARSELY_TOUCHED)
        try:
            rows.append(under(start, harness).take(configuration) | {"limit_bytes": limit})
        except HarnessFailed as failure:
            failed[configuration] = f"{failure} (under a limit of {size_text(limit)})"
    return rows


def measure_calls(command, profile, folder, seed, shown):
    """details/calls.csv, by the program `calls`; `command` is how that starts. Raises Problem. Wine
    works page by page on what Windows does not: a gigabyte would take it minutes."""
    options = ["--populate", str(profile.calls_populate), "--repeat", str(profile.calls_repeat),
               "--seed", str(seed + 1)]
    if len(command) > 1:
        options += ["--size", "4K..2M*8", "--mappings", "0,1000"]
    else:
        options += profile.calls_options
    for _ in progress.steps(shown, "single calls", [command]):
        try:
            printed, _ = succeeded([*command, *options], CALLS_SECONDS)
        except HarnessFailed as failure:
            raise Problem(f"the program calls {failure}") from None
    write_text(folder / "details" / "calls.csv", printed)


def write(rows, path):
    """Nothing where there is no row. Their columns are those of any of them."""
    if rows:
        write_rows(path, dict.fromkeys(column for row in rows for column in row), rows)
