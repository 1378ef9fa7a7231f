"""The folder of a run: which files are in it, and what can be said of them without a table:
environment.json as it is, and CSV files as texts. base/runs.py makes tables of these.
"""

import csv
import io
import json
import math

from vmcommit.base import strategies
from vmcommit.base.files import relative
from vmcommit.base.places import command
from vmcommit.base.problems import Problem
from vmcommit.base.text import counted

SAMPLES, ENVIRONMENT = "samples.csv", "environment.json"
PROCESS_TIMES = "process_times.csv"
START = "start"  # in it: a process that measures nothing
VERSION = 1  # of environment.json, as it is written today; without one it is of before

NUMBER = (int, float)
MOST = 2.0 ** 62  # no size, count or time is larger; keeps what follows from them finite
LEAST_NS = 1e-3  # of a cycle
# What environment.json may hold and what of it is used: names, and types where a value is known.
SHAPE = {
    "version": int, "host": str, "guard": str, "emulated": str,
    "strategies": list, "profile": str, "campaign": str, "seed": int, "started": str,
    "emulator": str, "seconds_measuring": NUMBER, "rounds": int, "left_out": list, "cpu": int,
    "own": dict,
    "recording": {"folder": str, "program": str, "sha256": str, "strategy": dict},
    "processor": {"model": str, "architecture": str, "family_model_stepping": list, "cores": int,
                  "cores_usable": int, "governor": str, "hypervisor": str},
    "memory": {"total_bytes": int, "available_bytes": int, "swap_bytes": int,
               "commit_limit_bytes": int, "committed_bytes": int},
    "system": {"name": str, "kernel": str, "page_bytes": int},
    "settings": {"thp_enabled": str, "thp_defrag": str, "overcommit_memory": int,
                 "overcommit_ratio": int, "max_map_count": int, "clocksource": str},
    "build": {"version_of_vmcommit": str, "revision": str, "compiler": str, "version": str,
              "type": str, "flags": str},
    "revision": {"commit": str, "clean": bool},
    "calibration": {"clock_ns": NUMBER, "empty_window_ns": NUMBER, "clock_tick_ns": NUMBER,
                    "page_fault_ns": NUMBER, "commit_call_ns": NUMBER, "trap_ns": NUMBER,
                    "zeroing_page_ns": NUMBER},
    "disturbance": {"stolen_share": NUMBER, "others_cpu_share": NUMBER, "major_faults": int,
                    "pages_swapped": int, "settings_changed": list},
}


class Unreadable(Problem):
    """The text names the file, the place in it, and what is wrong there."""


def type_text(wanted):
    names = {int: "a whole number", str: "text", list: "a list", bool: "true or false",
             dict: "an object", NUMBER: "a number"}
    return names[wanted]


def fits(value, wanted):
    """Whether a value from a file is of that type; a number no machine has is none."""
    if isinstance(value, bool):
        return wanted is bool
    if isinstance(value, NUMBER):
        return isinstance(value, wanted) and -MOST <= value <= MOST
    return isinstance(value, wanted)


def filled(value, shape, path=""):
    """`value` with None for each name of `shape` that it lacks. Raises ValueError where a value is
    of another type."""
    if not isinstance(value, dict):
        raise ValueError(f"{path or 'it'} is not an object")
    whole = dict(value)
    for name, wanted in shape.items():
        place = f"{path}.{name}" if path else name
        known = value.get(name)
        if isinstance(wanted, dict):
            whole[name] = filled({} if known is None else known, wanted, place)
        elif known is not None and not fits(known, wanted):
            raise ValueError(f"{place}: {json.dumps(known)[:40]} is not {type_text(wanted)}")
        else:
            whole[name] = known
    return whole


def read_text(path) -> str:
    """Raises Unreadable."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(f"{relative(path)}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Unreadable(f"{relative(path)} is no UTF-8 from byte {error.start + 1} on") from None


def whole_number(text) -> int | float:
    """Infinite where it is so long that sums with it fail; whoever checks a value refuses that."""
    return int(text) if len(text) < 20 else math.inf


def read_json(path):
    """Raises Unreadable."""
    text = read_text(path)
    try:
        return json.loads(text, parse_int=whole_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{relative(path)} is no JSON: {error}") from None


def read_environment(path):
    """environment.json with every name of SHAPE, None where the file says nothing."""
    try:
        environment = filled(read_json(path), SHAPE)
    except ValueError as error:
        raise Unreadable(f"{relative(path)}: {error}") from None
    if (environment["version"] or 0) > VERSION:
        raise Unreadable(f"{relative(path)} is of version {environment['version']}; this vmcommit "
                         f"reads up to {VERSION}: use the one that measured, or a later one")
    return environment


def strategies_of(environment, path):
    """{name: Strategy} in the run's order."""
    if not environment["strategies"]:
        raise Unreadable(f"{relative(path)} names no strategies: it is not of a run, or of one "
                         f"before version 0.2; measure again: {command('bench')}")
    try:
        known = [strategies.from_json(described) for described in environment["strategies"]]
        if replay := environment["recording"]["strategy"]:
            strategies.from_json(replay)
    except ValueError as error:
        raise Unreadable(f"{relative(path)}: strategies: {error}") from None
    return {strategy.name: strategy for strategy in known}


def number_of(text) -> float:
    """NaN for an empty cell, an infinite number for what is no number."""
    try:
        return float(text.replace("_", "junk")) if text else math.nan
    except ValueError:
        return math.inf


def read_rows(path):
    """(lists of a CSV file's fields, line by line, whether its last line was cut off: it lacks its
    end, and is left out). Raises Unreadable."""
    text = read_text(path)
    whole = text[:text.rfind("\n") + 1]
    reader = csv.reader(io.StringIO(whole, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise Unreadable(f"{relative(path)}, line {reader.line_num}: {error}") from None
    while rows and not rows[-1]:
        rows.pop()
    return rows, whole != text


def read_texts(path, needed):
    """(a CSV file's columns, its rows of texts, what was left out). Row 0 is line 2. Raises
    Unreadable where it can't be read, or lacks a column."""
    rows, cut = read_rows(path)
    columns = rows.pop(0) if rows else []
    if not columns:
        raise Unreadable(f"{relative(path)} is empty")
    lacking = [column for column in needed if column not in columns]
    if lacking:
        raise Unreadable(f"{relative(path)}: no column {', '.join(lacking)}")
    twice = [column for column in needed if columns.count(column) > 1]
    if twice:
        raise Unreadable(f"{relative(path)}: column {twice[0]} stands there twice")
    for line, row in enumerate(rows, 2):
        if len(row) != len(columns):
            raise Unreadable(f"{relative(path)}, line {line}: {counted(len(row), 'field')} where "
                             f"there are {counted(len(columns), 'column')}")
    note = f"the last line of {path.name} was cut off and is left out" if cut else ""
    return columns, rows, note
