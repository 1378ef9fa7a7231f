"""The folder of a run, read back: samples.csv, environment.json and details/.

A run that was cut off, or whose disk was full, is read as far as it goes: what is missing is said
in `notes`. What can't be believed raises Unreadable, which names the file and the place in it.
"""

import csv
import dataclasses
import functools
import io
import json
import math
import pathlib

import numpy
import pandas

from vmcommit.base import strategies
from vmcommit.base.cells import default_of
from vmcommit.base.columns import (CONFIGURATION, COUNTS, DETAILS, EARLIER, LATENCIES, NEEDED,
                                   NUMBERS, PURGE_COUNTS, PURGE_LATENCIES, SIZES, STATUSES)
from vmcommit.base.files import relative
from vmcommit.base.places import command
from vmcommit.base.problems import Problem
from vmcommit.base.text import counted, listed, printable

SAMPLES, ENVIRONMENT = "samples.csv", "environment.json"
PROCESS_TIMES = "process_times.csv"
START = "start"  # in it: a process that measures nothing
VERSION = 1  # of environment.json, as it is written today; without one it is of before

NUMBER = (int, float)
MOST = 2.0 ** 62  # no size, count or time is larger; keeps what follows from them finite
LEAST_NS = 1e-3  # of a cycle
CELL_LETTERS = 40  # of a cell, in a message
# What environment.json may hold and what of it is used: names, and types where a value is known.
SHAPE = {
    "version": int, "host": str, "guard": str, "emulated": str,
    "strategies": list, "profile": str, "campaign": str, "seed": int, "started": str,
    "emulator": str, "seconds_measuring": NUMBER, "rounds": int, "cpu": int, "own": dict,
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
    except ValueError as error:
        raise Unreadable(f"{relative(path)}: strategies: {error}") from None
    return {strategy.name: strategy for strategy in known}


def cell_text(cell) -> str:
    """As the file has it, or near enough."""
    if isinstance(cell, str):
        return printable(cell[:CELL_LETTERS])
    return "" if math.isnan(cell) else f"{cell:.15g}"


def refuse(path, table, wrong, column, why):
    """Raises Unreadable that names the first row for which `wrong` is true."""
    if wrong.any():
        at = wrong.idxmax()
        raise Unreadable(f"{relative(path)}, line {at + 2}, {column}: "
                         f"'{cell_text(table[column][at])}' {why}")


def number_of(text) -> float:
    """NaN for an empty cell, an infinite number for what is no number."""
    try:
        return float(text.replace("_", "junk")) if text else math.nan
    except ValueError:
        return math.inf


def as_numbers(table, columns, path) -> pandas.DataFrame:
    """Texts of these columns as numbers, NaN where empty. Raises Unreadable at the first text that
    is none."""
    for column in columns:
        texts = table[column]
        known = {text: number_of(text) for text in set(texts)}
        wrong = [text for text, number in known.items() if text and not abs(number) <= MOST]
        if wrong:
            refuse(path, table, texts.isin(wrong), column, "is no number")
        table[column] = numpy.array([known[text] for text in texts])
    return table


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


def read_table(path, needed):
    """(a CSV file as a table of texts, what was left out). Row 0 is line 2. Raises Unreadable where
    it can't be read, or lacks a column."""
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
    cells = dict(zip(columns, zip(*rows) if rows else [()] * len(columns)))
    return pandas.DataFrame({column: numpy.array(texts, object) for column, texts in cells.items()},
                            copy=False), note


def check_samples(table, known, path, timed=True):
    """Raises Unreadable at the first row that no harness writes. `timed`: whether what went well
    has a time."""
    ok = (table.status == "ok") & timed
    refuse(path, table, ~table.strategy.isin(known), "strategy", "is no strategy of this run")
    refuse(path, table, ~table.status.isin(STATUSES), "status", "is no status")
    for column in SIZES:
        refuse(path, table, ~(table[column] >= 1), column, "is no size")
    for column in (*SIZES, "round"):
        refuse(path, table, ~(table[column] % 1 == 0), column, "is no whole number")
    refuse(path, table, table.touched_bytes > table.size_bytes, "touched_bytes",
           "is more than the region")
    for column in (*LATENCIES, *COUNTS):
        refuse(path, table, table[column] < 0, column, "is less than nothing")
    refuse(path, table, ok & ~(table.total_ns >= LEAST_NS), "total_ns", "is no time of a cycle")
    refuse(path, table, table.duplicated(subset=[*CONFIGURATION, "round"]), "round",
           "has a row of that configuration already")


def cycle_ns(table, path):
    """A cycle's time: as its turns have it, or the plain one where there were none."""
    if "undisturbed_ns" not in table:
        return table.total_ns
    estimates = as_numbers(table[["undisturbed_ns"]].copy(), ["undisturbed_ns"],
                           path).undisturbed_ns
    refuse(path, table, estimates < LEAST_NS, "undisturbed_ns", "is no time of a cycle")
    return estimates.fillna(table.total_ns)


def plain_rows(rows, known):
    """Which rows are of the strategies as they are without being asked for another manner.
    `known`: {name: Strategy}."""
    plain = pandas.Series(True, rows.index)
    for name, strategy in known.items():
        for column, default in default_of(strategy).items():
            plain &= (rows.strategy != name) | rows[column].isin(default)
    return plain


def add_manner(table, path):
    """The columns that earlier runs did not write, and those of giving back as numbers."""
    for column, text in EARLIER["samples"].items():
        if column not in table:
            table[column] = text
    as_numbers(table, ("purge_step_bytes", *PURGE_LATENCIES, *PURGE_COUNTS), path)
    for column in ("purge_step_bytes", *PURGE_LATENCIES, *PURGE_COUNTS):
        refuse(path, table, table[column] < 0, column, "is less than nothing")
    table["purge_step_bytes"] = table.purge_step_bytes.fillna(0)


def read_samples(path, known, timed=True):
    """(samples.csv with joined columns and ns_per_page, notes). `known`: {name: Strategy}."""
    table, note = read_table(path, NEEDED)
    if table.empty:
        raise Unreadable(f"{relative(path)} holds no sample yet; run {command('bench')}")
    add_manner(table, path)
    as_numbers(table, NUMBERS, path)
    check_samples(table, known, path, timed)
    strategies.join(table, known)
    table["plain"] = plain_rows(table, known)
    table["cycle_ns"] = cycle_ns(table, path)
    table["ns_per_page"] = table.cycle_ns / (table.touched_bytes / table.page_bytes)
    return table, [note] if note else []


def read_detail(path, known):
    """(a table of details/, with joined columns where it names strategies, what was left out).
    Raises Unreadable."""
    name = path.stem.partition("-")[0]
    texts, numbers, figures = DETAILS[name]
    earlier = EARLIER.get(name, {})
    table, note = read_table(path, [column for column in (*texts, *numbers, *figures)
                                    if column not in earlier])
    for column, text in earlier.items():
        if column not in table:
            table[column] = text
    if table.empty:
        raise Unreadable(f"{relative(path)} holds no row")
    as_numbers(table, (*numbers, *figures), path)
    for column in (*numbers, *figures):
        wrong = table[column] < 0 if column in figures else ~(table[column] >= 0)
        refuse(path, table, wrong, column, "is no count and no time")
    if name == "calls":
        refuse(path, table, table.duplicated(subset=["call", "state", *numbers]), "repeat",
               "stands there already")
        refuse(path, table, table.ns <= 0, "ns", "is no time of a call")
        refuse(path, table, ~table.status.isin(STATUSES), "status", "is no status")
        refuse(path, table, (table.status == "ok") & table.ns.isna(), "ns",
               "is no time of a call")
    if "strategy" in table:
        refuse(path, table, ~table.strategy.isin(known), "strategy", "is no strategy of this run")
        strategies.join(table, known)
    return table, note


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
            table, note = read_detail(path, self.strategies)
        except Unreadable as why:
            self.note(f"{why}; it is left out")
            return None
        if note:
            self.note(note)
        return table

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
    def lists(self):
        return self.detail("list")

    @functools.cached_property
    def buffers(self):
        return self.detail("buffer")

    @functools.cached_property
    def surroundings(self):
        return self.detail("surroundings")

    @functools.cached_property
    def limited(self):
        return self.detail("limited")

    @functools.cached_property
    def supported(self):
        """Which kinds of an option a kernel has, by status."""
        return self.detail("supported")

    @functools.cached_property
    def traces(self):
        """{size: {strategy's name: its touches}}; empty if the run has none."""
        by_size = {}
        for path in sorted((self.folder / "details").glob("trace-*-*.csv")):
            name, _, size = path.stem.removeprefix("trace-").rpartition("-")
            table = self.detail(path.stem) if name in self.strategies and size.isdecimal() else None
            if table is not None:
                by_size.setdefault(int(size), {})[name] = table
        return by_size

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
            refuse(path, table, ~(table.whole_ns > 0), "whole_ns", "is no time of a process")
            refuse(path, table, table.total_ns < 0, "total_ns", "is no time of a cycle")
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


def is_emulated(folder) -> bool:
    """Whether a run has counts and no times. Raises Unreadable."""
    return bool(read_environment(pathlib.Path(folder) / ENVIRONMENT)["emulated"])


def read(folder):
    """A run's folder. Raises Unreadable."""
    folder = pathlib.Path(folder)
    environment = read_environment(folder / ENVIRONMENT)
    known = strategies_of(environment, folder / ENVIRONMENT)
    samples, notes = read_samples(folder / SAMPLES, known, not environment["emulated"])
    run = Run(folder, environment, known, samples, notes)
    if run.cut_off:
        run.note(f"This run was cut off: {counted(len(samples), 'sample')} of "
                 f"{listed(known)} were kept")
    return run
