"""Runs that are made up, so that a test knows every count and time in them.

Strategies as their harnesses describe them, and fifth ones that nobody has written: each kind of
step with and without a trap. Rows have the counts that follow from a strategy's nature.
"""

import contextlib
import json
import pathlib
import warnings

from support import PAGE, ROOT

import pandas

from vmcommit.base import runs
from vmcommit.base.cells import touched_bytes
from vmcommit.base.columns import (DETAILS, LATENCIES, MANNER, NEEDED, OF_THREADS, PURGE_COUNTS,
                                   PURGE_LATENCIES)
from vmcommit.base.conventions import ALL_TOUCHED, DEFAULT_STEP
from vmcommit.base.files import write_json
from vmcommit.base.folder import SHAPE, filled
from vmcommit.base.strategies import Strategy, join, to_json
from vmcommit.base.units import MIB

NAN = float("nan")
USUAL = {"pages": "small", "commit_kind": "", "growth": "", "purge": "", "purge_step_bytes": 0,
         "threads": 1, "share": "own"}
COLUMNS = [*NEEDED, *MANNER, *PURGE_LATENCIES, *PURGE_COUNTS, *OF_THREADS]
OPTIONS = ("--size", "--touch", "--order", "--repeat", "--seed", "--output", "--trace")


def strategy(name, step, guarded=False, trap=(), options=OPTIONS, **more):
    return Strategy(name=name, summary=f"{name}, made up", step=step, guarded=guarded,
                    blocks=more.pop("blocks", False), trap=trap,
                    options=(*options, "--chunk") if step == "chunk" else options,
                    guard=("madvise",) if guarded else (), **more)


UPFRONT = strategy("upfront", "size")
FAULT = strategy("fault", "page", trap=("signal",))
CHUNKED = strategy("chunked", "chunk")
GUARD = strategy("guard", "chunk", guarded=True, trap=("signal",))
CUSTOM = strategy("custom", "chunk", options=(*OPTIONS, "--library"))
MALLOC = strategy("malloc", "chunk", blocks=True)
FOUR = (UPFRONT, FAULT, CHUNKED, GUARD)
FIFTHS = (strategy("trapping", "chunk", trap=("signal",)), strategy("asking", "page"),
          strategy("eager", "size"))


def by_name(strategies):
    return {each.name: each for each in strategies}


def counts(which, size, touched, step):
    """The exact counts of a cycle; a guard page is committed itself."""
    step = which.step_bytes(size, PAGE, step)
    commits = -(-touched // step)
    committed = min(size, commits * step + (PAGE if which.guarded else 0))
    calls = 1 + min(commits, -(-(size - PAGE) // step)) if which.guarded else commits
    return {"commit_calls": calls, "handled_faults": commits if which.trap else 0,
            "minor_faults": touched // PAGE, "major_faults": 0,
            "reserved_commit_bytes": size if which.step == "size" else 0,
            "commit_bytes": committed, "commit_process_bytes": committed,
            "commit_system_bytes": committed, "resident_bytes": touched,
            "released_commit_bytes": 0, "region_count": 1 if committed == size else 2}


def row(which, size, ns, round_number=1, touch=ALL_TOUCHED, step=DEFAULT_STEP, **columns):
    """A row of samples.csv that took `ns` a touched page; any column may be given instead."""
    touched = touched_bytes(size, touch, PAGE)
    total = ns * touched / PAGE
    return {"strategy": which.name, "platform": "linux", "page_bytes": PAGE,
            "size_bytes": size, "chunk_bytes": which.step_bytes(size, PAGE, step),
            "touched_bytes": touched, "round": round_number, "batch": 1, "status": "ok",
            "error": "", "reserve_ns": 0.0, "commit_ns": 0.0, "touch_ns": total,
            "release_ns": 0.0, "total_ns": total, "guard": "madvise" if which.guarded else "",
            "trap": which.trap[0] if which.trap else "", "touch_order": "sequential",
            **USUAL,
            **counts(which, size, touched, step), **columns}


def refused(which, size, round_number=1, status="refused", error="ENOMEM", **columns):
    """A row without times."""
    return {**row(which, size, NAN, round_number, **columns), "status": status, "error": error,
            **dict.fromkeys(LATENCIES, NAN)}


def table(rows, strategies):
    """Rows as runs.read_samples gives them."""
    samples = join(pandas.DataFrame(rows, columns=COLUMNS), by_name(strategies))
    samples["plain"] = runs.plain_rows(samples, by_name(strategies))
    samples["cycle_ns"] = runs.cycle_ns(samples, "made up")
    samples["ns_per_page"] = samples.cycle_ns / runs.pages_of(samples)
    return samples


def environment(strategies, **more):
    known = {"strategies": [to_json(each) for each in strategies], "profile": "quick", "seed": 1,
             "started": "2026-01-01T00:00:00+00:00", "seconds_measuring": 1.0,
             "processor": {"model": "made up"}, "system": {"kernel": "6.18", "page_bytes": PAGE},
             "calibration": {"page_fault_ns": 500.0, "commit_call_ns": 1000.0, "trap_ns": 2000.0}}
    return filled({**known, **more}, SHAPE)


def run(rows, strategies, **details):
    """A run that lies in no folder; `details`: its tables by name, traces, calls, stairs or
    limited."""
    made = runs.Run(pathlib.Path("nowhere"), environment(strategies), by_name(strategies),
                    table(rows, strategies), [])
    for name, detail in details.items():
        setattr(made, name, detail)
    return made


def write(folder, rows, strategies, **more):
    """samples.csv and environment.json of a run's folder."""
    pandas.DataFrame(rows, columns=COLUMNS).to_csv(folder / "samples.csv", index=False,
                                                   lineterminator="\r\n")
    write_json(folder / "environment.json", environment(strategies, **more))


REPLAY = strategy("replay", "size", options=("--commit", "--purge", "--recording", "--turns"),
                  commit=("recorded", "populate", "noreserve"),
                  purge=("recorded", "free", "guard"))


def replays(factor=1.0, commit="recorded", purge="recorded", sets=6, error="", **counts):
    """Rows of replays in that way: one of a process by itself, and one of each set, whose cycle
    takes 2 ms times the factor; the first alone of what can't be done."""
    row = dict.fromkeys(sum(DETAILS["recording"], ()), "") | {
        "strategy": REPLAY.name, "platform": "linux", "pages": "small", "touch_order": "sequential",
        "share": "own", "threads": 1, "page_bytes": PAGE, "size_bytes": MIB, "chunk_bytes": MIB,
        "touched_bytes": 500 * PAGE, "commit_kind": commit, "purge": purge, "round": 1,
        "total_ns": 3e6, "status": "unsupported" if error else "ok", "error": error,
        "commit_calls": 7, "purge_calls": 2, "minor_faults": 500, "most_commit_bytes": 4 * MIB,
        "most_resident_bytes": 2 * MIB, "commit_bytes": MIB, "resident_bytes": MIB,
        "region_count": 3} | counts
    return [row] + [row | {"set": number, "round": number, "undisturbed_ns":
                           2e6 * factor * (1 + number % 3 / 10000)}
                    for number in range(1, sets + 1) if not error]


def write_replays(folder, program, rows):
    """Adds to a run's folder that it replayed a recording of that program."""
    path = folder / "environment.json"
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | {"recording": {
        "folder": "recording", "program": program, "strategy": to_json(REPLAY)}})
    (folder / "details").mkdir(exist_ok=True)
    pandas.DataFrame(rows).to_csv(folder / "details" / "recording.csv", index=False,
                                  lineterminator="\r\n")


def in_rounds(numbers, *cells):
    """Rows of every round; a cell is (strategy, size, ns, columns of row()), and ns a number, or a
    list that the rounds go through again and again."""
    return [row(which, size, ns[number % len(ns)] if isinstance(ns, (list, tuple)) else ns,
                number, **columns) for number in numbers for which, size, ns, columns in cells]


@contextlib.contextmanager
def strict():
    """Turns numpy's and scipy's warnings into failures for the time of a with block."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


def check_schema(test, value):
    """advice.json against its schema; without jsonschema, only its keys."""
    schema = json.loads((ROOT / "docs" / "advice.schema.json").read_text(encoding="utf-8"))
    value = json.loads(json.dumps(value, allow_nan=False))
    try:
        import jsonschema
    except ImportError:
        test.assertEqual(set(value), set(schema["properties"]))
    else:
        jsonschema.validate(value, schema)
