"""The folder of a run, read back: samples.csv, environment.json and details/.

A run that was cut off, or whose disk was full, is read as far as it goes: what is missing is said
in `notes`. What can't be believed raises Unreadable, which names the file and the place in it.
"""

import dataclasses
import functools
import json
import math
import pathlib

import numpy
import pandas

from vmcommit.base import strategies
from vmcommit.base.columns import NEEDED, NUMBERS, STATUSES
from vmcommit.base.files import relative
from vmcommit.base.problems import Problem
from vmcommit.base.text import counted, listed

SAMPLES, ENVIRONMENT = "samples.csv", "environment.json"
PROCESS_TIMES = "process_times.csv"
START = "start"  # in it: a process that measures nothing

NUMBER = (int, float)
# What environment.json may hold and what of it is used: names, and types where a value is known.
SHAPE = {
    "strategies": list, "profile": str, "seed": int, "started": str, "emulator": str,
    "seconds_measuring": NUMBER, "rounds": int, "cpu": int, "own": dict,
    "processor": {"model": str, "architecture": str, "family_model_stepping": list, "cores": int,
                  "cores_usable": int, "governor": str, "hypervisor": str},
    "memory": {"total_bytes": int, "available_bytes": int, "swap_bytes": int,
               "commit_limit_bytes": int, "committed_bytes": int},
    "system": {"name": str, "kernel": str, "page_bytes": int},
    "settings": {"thp_enabled": str, "thp_defrag": str, "overcommit_memory": int,
                 "overcommit_ratio": int, "max_map_count": int, "clocksource": str},
    "build": {"version_of_vmcommit": str, "compiler": str, "version": str, "type": str,
              "flags": str},
    "revision": {"commit": str, "clean": bool},
    "calibration": {"clock_ns": NUMBER, "empty_window_ns": NUMBER, "clock_tick_ns": NUMBER,
                    "page_fault_ns": NUMBER, "commit_call_ns": NUMBER, "trap_ns": NUMBER,
                    "zeroing_page_ns": NUMBER},
    "disturbance": {"stolen_share": NUMBER, "involuntary_switches_per_second": NUMBER,
                    "others_cpu_share": NUMBER, "major_faults": int, "pages_swapped": int,
                    "settings_changed": list},
}


class Unreadable(Problem):
    """The text names the file, the place in it, and what is wrong there."""


def type_text(wanted):
    names = {int: "a whole number", str: "text", list: "a list", bool: "true or false",
             dict: "an object", NUMBER: "a number"}
    return names[wanted]


def fits(value, wanted):
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, wanted) and not (isinstance(value, float)
                                              and not math.isfinite(value))


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


def read_json(path):
    """Raises Unreadable."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unreadable(f"{relative(path)}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{relative(path)} is no JSON: {error}") from None


def read_environment(path):
    """environment.json with every name of SHAPE, None where the file says nothing."""
    try:
        return filled(read_json(path), SHAPE)
    except ValueError as error:
        raise Unreadable(f"{relative(path)}: {error}") from None


def strategies_of(environment, path):
    """{name: Strategy} in the run's order."""
    if not environment["strategies"]:
        raise Unreadable(f"{relative(path)} names no strategies: it is not of a run, or of one "
                         "before version 0.2; measure again: make bench")
    try:
        found = [strategies.from_json(described) for described in environment["strategies"]]
    except ValueError as error:
        raise Unreadable(f"{relative(path)}: strategies: {error}") from None
    return {strategy.name: strategy for strategy in found}


def as_numbers(table, columns, path):
    """Texts of these columns as numbers, NaN where empty. Raises Unreadable at the first text that
    is none."""
    for column in columns:
        if column not in table:
            continue
        numbers = pandas.to_numeric(table[column].replace("", numpy.nan), errors="coerce")
        wrong = (table[column] != "") & ~numpy.isfinite(numbers)
        if wrong.any():
            at = wrong.idxmax()
            raise Unreadable(f"{relative(path)}, line {at + 2}, {column}: "
                             f"'{table[column][at]:.40}' is no number")
        table[column] = numbers
    return table


def read_table(path, needed):
    """(a CSV file as a table of texts, what was left out). A last line that was cut off is left out.
    Raises Unreadable where it can't be read, or lacks a column."""
    try:
        table = pandas.read_csv(path, dtype=str, keep_default_na=False, na_filter=False,
                                encoding="utf-8", engine="python", on_bad_lines="error")
    except OSError as error:
        raise Unreadable(f"{relative(path)}: {error.strerror}") from None
    except (ValueError, pandas.errors.ParserError) as error:
        raise Unreadable(f"{relative(path)} can't be read as CSV: {error}") from None
    lacking = [column for column in needed if column not in table]
    if lacking:
        raise Unreadable(f"{relative(path)}: no column {', '.join(lacking)}")
    cut = table.isna().any(axis=1)
    if cut[:-1].any():
        raise Unreadable(f"{relative(path)}, line {cut.idxmax() + 2}: fields are missing")
    note = f"the last line of {path.name} was cut off and is left out" if cut.any() else ""
    return table[~cut].copy(), note


def check_samples(table, known, path):
    """Raises Unreadable at the first row that no harness writes."""
    ok = table.status == "ok"
    whole = table[["size_bytes", "chunk_bytes", "touched_bytes", "page_bytes"]]
    for column, wrong, why in (
            ("strategy", ~table.strategy.isin(known), "is no strategy of this run"),
            ("status", ~table.status.isin(STATUSES), "is no status"),
            ("size_bytes", (whole <= 0).any(axis=1) | whole.isna().any(axis=1)
             | (table.touched_bytes > table.size_bytes), "and the sizes beside it make no region"),
            ("total_ns", ok & ~(table.total_ns > 0), "is no time of a cycle"),
            ("round", table["round"].isna(), "is no round")):
        if wrong.any():
            at = wrong.idxmax()
            raise Unreadable(f"{relative(path)}, line {at + 2}, {column}: "
                             f"'{table[column][at]}' {why}")


def read_samples(path, known):
    """(samples.csv with joined columns and ns_per_page, notes). `known`: {name: Strategy}."""
    table, note = read_table(path, NEEDED)
    if table.empty:
        raise Unreadable(f"{relative(path)} holds no sample yet; run make bench")
    as_numbers(table, NUMBERS, path)
    check_samples(table, known, path)
    strategies.join(table, known)
    table["ns_per_page"] = table.total_ns / (table.touched_bytes / table.page_bytes)
    return table, [note] if note else []


@dataclasses.dataclass
class Run:
    """`environment` has every name of SHAPE; `strategies` is {name: Strategy}, in order."""

    folder: pathlib.Path
    environment: dict
    strategies: dict
    samples: pandas.DataFrame
    notes: list

    def detail(self, name):
        """A table of details/, with joined columns where it names strategies; None if the run has
        none that can be read."""
        path = self.folder / "details" / f"{name}.csv"
        if not path.exists():
            return None
        try:
            table = pandas.read_csv(path)
            if table.empty:
                raise ValueError("it is empty")
            if "strategy" in table:
                table = table[table.strategy.isin(self.strategies)]
                strategies.join(table := table.copy(), self.strategies)
            return table
        except (OSError, ValueError) as error:
            self.note(f"details/{path.name} can't be read ({error}) and is left out")
            return None

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    @functools.cached_property
    def stairs(self):
        return self.detail("staircase")

    @functools.cached_property
    def calls(self):
        return self.detail("calls")

    @functools.cached_property
    def limited(self):
        return self.detail("limited")

    @functools.cached_property
    def traces(self):
        """{size: {strategy's name: its touches}}; empty if the run has none."""
        found = {}
        for path in sorted((self.folder / "details").glob("trace-*-*.csv")):
            _, name, size = path.stem.split("-")
            table = self.detail(path.stem) if name in self.strategies and size.isdecimal() else None
            if table is not None:
                found.setdefault(int(size), {})[name] = table
        return found

    @functools.cached_property
    def process_times(self):
        """{name: (median ns of whole processes, least, most, median ns of their own cycles)}, in
        the order of tables, START last; empty if the run has none."""
        path = self.folder / PROCESS_TIMES
        if not path.exists():
            return {}
        try:
            table, note = read_table(path, ("strategy", "whole_ns", "total_ns"))
            as_numbers(table, ("whole_ns", "total_ns"), path)
        except Unreadable as why:
            self.note(f"{why}; it is left out")
            return {}
        if note:
            self.note(note)
        times = {}
        for name in (*self.strategies, START):
            rows = table[table.strategy == name]
            if len(rows):
                own = rows.total_ns.dropna()
                times[name] = (rows.whole_ns.median(), rows.whole_ns.min(), rows.whole_ns.max(),
                               own.median() if len(own) else 0.0)
        return times

    @property
    def cut_off(self):
        """Whether measuring did not come to its end."""
        return self.environment["seconds_measuring"] is None


def read(folder):
    """A run's folder. Raises Unreadable."""
    folder = pathlib.Path(folder)
    environment = read_environment(folder / ENVIRONMENT)
    known = strategies_of(environment, folder / ENVIRONMENT)
    samples, notes = read_samples(folder / SAMPLES, known)
    run = Run(folder, environment, known, samples, notes)
    if run.cut_off:
        run.note(f"This run was cut off: {counted(len(samples), 'sample')} of "
                 f"{listed(known)} were kept")
    return run
