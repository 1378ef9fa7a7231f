"""What a run looks into beside its rounds: how touch times are spread (traces), how the charge
grows (staircases), what is refused under a limit on commit, and how long single calls take.

One process each, after the rounds. base/runs.py reads what is written here.
"""

import io
import pathlib
import shutil

import pandas

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import SPARSELY_TOUCHED
from vmcommit.base.units import size_text
from vmcommit.measure import environment
from vmcommit.measure.harness import Harness, HarnessFailed

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


def measure(harnesses, profile, available, folder, failed):
    """Writes folder/details/: samples.csv, trace-STRATEGY-SIZE.csv, staircase.csv, limited.csv.
    What died goes into `failed` and is left out, as what is there already is not tried."""
    work = folder / "details"
    work.mkdir()
    traced, climbed = configurations(profile, available,
                                     [harness.strategy for harness in harnesses.values()])

    def taken(configuration, option, path):
        if configuration in failed:
            return None
        try:
            return harnesses[configuration.strategy.name].take(configuration, option, str(path))
        except HarnessFailed as failure:
            failed[configuration] = str(failure)
            return None

    rows = [taken(configuration, "--trace", work / f"trace-{configuration.strategy}"
                                                   f"-{configuration.size}.csv")
            for configuration in traced]
    stairs = []
    path = work / "staircase-part.csv"
    for configuration in climbed:
        if taken(configuration, "--staircase", path):
            stairs.append(pandas.read_csv(path))
            path.unlink()
    write([pandas.DataFrame(filter(None, rows))], work / "samples.csv")
    write(stairs, work / "staircase.csv")
    write([pandas.DataFrame(limited(harnesses, profile, available, failed))], work / "limited.csv")


def limiter(bin_folder, limit):
    """The start of a command that runs what follows it with at most `limit` bytes of commit: by
    RLIMIT_DATA on Linux, in a job object on Windows. None where there is no such tool."""
    job = bin_folder / "job.exe"
    if job.exists():
        return [str(job), str(limit)]
    return ["prlimit", f"--data={limit}"] if shutil.which("prlimit") else None


def limited(harnesses, profile, available, failed):
    """Rows of each built-in strategy once, with half of the region's size to commit, and a tenth
    of it to touch."""
    size = 4 * profile.sweep_size
    limit = size // 2
    rows = []
    if limit > available / 2:
        return rows
    for harness in harnesses.values():
        if harness.strategy.brought:
            continue
        *emulator, program = harness.command
        start = limiter(pathlib.Path(program).parent, limit)
        if start is None:
            return rows
        command = (*emulator, *start, program) if program.endswith(".exe") else \
            (*start, *harness.command)
        configuration = Configuration(harness.strategy, size, SPARSELY_TOUCHED)
        try:
            rows.append(Harness(harness.strategy, command).take(configuration)
                        | {"limit_bytes": limit})
        except HarnessFailed as failure:
            failed[configuration] = f"{failure} (under a limit of {size_text(limit)})"
    return rows


def measure_calls(command, folder):
    """details/calls.csv, by the program `calls`; `command` is how that starts."""
    printed = environment.output(*command)
    if printed:
        write([pandas.read_csv(io.StringIO(printed))], folder / "details" / "calls.csv")


def write(frames, path):
    """Nothing where there is no row."""
    if sum(map(len, frames)):
        pandas.concat(frames).to_csv(path, index=False, lineterminator="\r\n")
