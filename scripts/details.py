"""What a run looks into beside its rounds: how touch times are spread (traces), how the charge
grows (staircases), what is refused under a limit on commit, and how long single calls take.

One process each, after the rounds. Every function that reads gives None where a run has nothing.
"""

import io
import pathlib
import shutil

import pandas

import campaign
import environment
from campaign import STEPPED, STRATEGIES, Configuration, size_text


def configurations(profile, available, strategies):
    """(what to trace, what to climb): steps of a staircase are a 64th, a 16th and a quarter.
    malloc, which takes one sample a process, has neither."""
    strategies = [strategy for strategy in strategies if strategy != "malloc"]
    traced = [Configuration(strategy, size, "1") for size in profile.trace_sizes
              if size <= available / 2 for strategy in strategies]
    size = profile.sweep_size
    climbed = [Configuration("upfront", size, "1"), Configuration("fault", size, "1")]
    climbed += [Configuration(strategy, size, "1", size // part)
                for strategy in strategies if strategy in STEPPED for part in (64, 16, 4)]
    return traced, climbed


def measure(programs, profile, available, folder, failed):
    """Writes folder/details/: samples.csv, trace-STRATEGY-SIZE.csv, staircase.csv. What died goes
    into `failed` and is left out, as what is there already is not tried."""
    work = folder / "details"
    work.mkdir()
    traced, climbed = configurations(profile, available, programs)
    rows, stairs = [], []
    for one, option in [(one, "--trace") for one in traced] + \
                       [(one, "--staircase") for one in climbed]:
        if one in failed:
            continue
        path = work / f"trace-{one.strategy}-{one.size}.csv" if option == "--trace" else \
            work / "staircase-one.csv"
        try:
            row = campaign.take(programs[one.strategy], one, option, str(path))
        except campaign.HarnessFailed as failure:
            failed[one] = str(failure)
            continue
        if option == "--trace":
            rows.append(row)
        else:
            stairs.append(pandas.read_csv(path))
            path.unlink()
    for name, frames in (("samples", [pandas.DataFrame(rows)]), ("staircase", stairs)):
        if frames:
            write(pandas.concat(frames), work / f"{name}.csv")
    measure_limited(programs, profile, available, folder, failed)
    measure_calls(programs, folder)


def limiter(bin_folder, limit):
    """The start of a command that runs what follows it with at most `limit` bytes of commit: by
    RLIMIT_DATA on Linux, in a job object on Windows. None where there is no such tool."""
    job = bin_folder / "job.exe"
    if job.exists():
        return [str(job), str(limit)]
    return ["prlimit", f"--data={limit}"] if shutil.which("prlimit") else None


def measure_limited(programs, profile, available, folder, failed):
    """details/limited.csv: each strategy once, with half of the region's size to commit, and a
    tenth of it to touch."""
    size = 4 * profile.sweep_size
    limit = size // 2
    if limit > available / 2:
        return
    rows = []
    for strategy in STRATEGIES:
        *emulator, harness = program = programs[strategy]
        limited = limiter(pathlib.Path(harness).parent, limit)
        if limited is None:
            return
        one = Configuration(strategy, size, campaign.SPARSE_TOUCH)
        command = [*emulator, *limited, harness] if harness.endswith(".exe") else \
            [*limited, *program]
        try:
            rows.append(campaign.take(command, one) | {"limit_bytes": limit})
        except campaign.HarnessFailed as failure:
            failed[one] = f"{failure} (under a limit of {size_text(limit)})"
    if rows:
        write(pandas.DataFrame(rows), folder / "details" / "limited.csv")


def measure_calls(programs, folder):
    """details/calls.csv, by the program `calls`."""
    *emulator, harness = programs["upfront"]
    told = environment.output(*emulator, str(pathlib.Path(harness).with_stem("calls")))
    if told:
        write(pandas.read_csv(io.StringIO(told)), folder / "details" / "calls.csv")


def write(frame, path):
    frame.to_csv(path, index=False, lineterminator="\r\n")


def read(folder, name):
    path = folder / "details" / f"{name}.csv"
    return pandas.read_csv(path) if path.exists() else None


def traces(folder):
    """{size: {strategy: its touches}} of a run; empty if it has none."""
    found = {}
    for path in sorted((folder / "details").glob("trace-*-*.csv")):
        _, strategy, size = path.stem.split("-")
        found.setdefault(int(size), {})[strategy] = pandas.read_csv(path)
    return found
