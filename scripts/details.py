"""Traces and staircases of a run: how touch times are spread, and how the charge grows.

One harness process each, after the rounds: these cycles are looked into and never compared.
"""

import pandas

import campaign
from campaign import STEPPED, Configuration


def configurations(profile, available):
    """(what to trace, what to climb): steps of a staircase are a 64th, a 16th and a quarter."""
    traced = [Configuration(strategy, size, "1") for size in profile.trace_sizes
              if size <= available / 2 for strategy in ("upfront", "fault", *STEPPED)]
    size = profile.sweep_size
    climbed = [Configuration("upfront", size, "1"), Configuration("fault", size, "1")]
    climbed += [Configuration(strategy, size, "1", size // part)
                for strategy in STEPPED for part in (64, 16, 4)]
    return traced, climbed


def measure(programs, profile, available, folder, failed):
    """Writes folder/details/: samples.csv, trace-STRATEGY-SIZE.csv, staircase.csv. What died goes
    into `failed` and is left out, as what is there already is not tried."""
    work = folder / "details"
    work.mkdir()
    traced, climbed = configurations(profile, available)
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
            pandas.concat(frames).to_csv(work / f"{name}.csv", index=False,
                                         lineterminator="\r\n")


def traces(folder):
    """{size: {strategy: its touches}} of a run; empty if it has none."""
    found = {}
    for path in sorted((folder / "details").glob("trace-*-*.csv")):
        _, strategy, size = path.stem.split("-")
        found.setdefault(int(size), {})[strategy] = pandas.read_csv(path)
    return found


def staircase(folder):
    path = folder / "details" / "staircase.csv"
    return pandas.read_csv(path) if path.exists() else None
