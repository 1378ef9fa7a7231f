"""The folder of a run, read back: samples.csv, environment.json and details/.

A run that was cut off, or whose disk was full, is read as far as it goes: what is missing is said
in `notes`. What can't be believed raises Unreadable, which names the file and the place in it.
"""

import dataclasses
import functools
import io
import math
import pathlib
import re

import numpy
import pandas

from vmcommit.base import strategies
from vmcommit.base.cells import SEPARATE, SHARES, default_of
from vmcommit.base.columns import (CONFIGURATION, COUNTS, CYCLE_NS, DETAILS, EARLIER, LATENCIES,
                                   NEEDED, NUMBERS, OF_THREADS, PURGE_COUNTS, PURGE_LATENCIES,
                                   SIZES, STATUSES)
from vmcommit.base.files import relative
from vmcommit.base.folder import (ENVIRONMENT, LEAST_NS, MOST, PROCESS_TIMES, SAMPLES, START,
                                  Unreadable, number_of, read_environment, read_texts,
                                  strategies_of)
from vmcommit.base.places import command
from vmcommit.base.text import counted, listed, printable

CELL_LETTERS = 40  # of a cell, in a message
COMMON = re.compile(rb"[\w,.+\n-]+\n")  # all that a harness writes where nothing went wrong


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


def read_table(path, needed):
    """(a CSV file as a table of texts, what was left out). Row 0 is line 2. Raises Unreadable where
    it can't be read, or lacks a column."""
    columns, rows, note = read_texts(path, needed)
    cells = dict(zip(columns, zip(*rows) if rows else [()] * len(columns)))
    return pandas.DataFrame({column: numpy.array(texts, object) for column, texts in cells.items()},
                            copy=False), note


def commas_by_line(content) -> numpy.ndarray:
    signs = numpy.frombuffer(content, numpy.uint8)
    before = numpy.searchsorted(numpy.flatnonzero(signs == ord(",")),
                                numpy.flatnonzero(signs == ord("\n")))
    return numpy.diff(before, prepend=0)


def read_common(path, needed, numbers) -> pandas.DataFrame | None:
    """What read_table and as_numbers make of a file, seven times as fast. None where anything in it
    is uncommon: they tell what."""
    try:
        content = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError:
        return None
    columns = content.partition(b"\n")[0].decode("ascii", "replace").split(",")
    if not COMMON.fullmatch(content) or b"\n\n" in content or not set(needed) <= set(columns) \
            or len(set(columns)) < len(columns) \
            or (commas_by_line(content) != len(columns) - 1).any():
        return None
    try:
        table = pandas.read_csv(
            io.BytesIO(content), keep_default_na=False, na_values=dict.fromkeys(numbers, [""]),
            float_precision="round_trip",
            dtype={column: float if column in numbers else object for column in columns})
    except ValueError:
        return None
    values = table[[column for column in numbers if column in table]]
    return table if (values.isna() | (values.abs() <= MOST)).all(axis=None) else None


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
    single, several = CYCLE_NS.values()
    plain = table[single].where(table.threads == 1, table[several])
    refuse(path, table, table[single].notna() & plain.isna(), several, "is no time of a cycle")
    if "undisturbed_ns" not in table:
        return plain
    estimates = as_numbers(table[["undisturbed_ns"]].copy(), ["undisturbed_ns"],
                           path).undisturbed_ns
    refuse(path, table, estimates < LEAST_NS, "undisturbed_ns", "is no time of a cycle")
    return estimates.fillna(plain)


def pages_of(table):
    """That are touched in a cycle: of all regions, and of the same pages once."""
    regions = table.threads.where(table.share.isin(SEPARATE), 1)
    return regions * table.touched_bytes / table.page_bytes


def plain_rows(rows, known):
    """Which rows are of the strategies as they are without being asked for another manner.
    `known`: {name: Strategy}."""
    plain = pandas.Series(True, rows.index)
    for name, strategy in known.items():
        for column, default in default_of(strategy).items():
            plain &= (rows.strategy != name) | rows[column].isin(default)
    return plain


def add_manner(table, path):
    """The columns that earlier runs did not write, and those of giving back and of threads as
    numbers."""
    for column, text in EARLIER["samples"].items():
        if column not in table:
            table[column] = text
    columns = ("purge_step_bytes", "threads", *PURGE_LATENCIES, *PURGE_COUNTS, *OF_THREADS)
    as_numbers(table, columns, path)
    for column in columns:
        refuse(path, table, table[column] < 0, column, "is less than nothing")
    table["purge_step_bytes"] = table.purge_step_bytes.fillna(0)
    table["threads"] = table.threads.fillna(1)
    refuse(path, table, ~(table.threads >= 1) | (table.threads % 1 != 0), "threads",
           "is no number of threads")
    refuse(path, table, (table.threads > 1) & ~table.share.isin(SHARES), "share",
           "is nothing that threads share")


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
    table["ns_per_page"] = table.cycle_ns / pages_of(table)
    return table, [note] if note else []


def read_detail(path, known):
    """(a table of details/, with joined columns where it names strategies, what was left out).
    Raises Unreadable."""
    name = path.stem.partition("-")[0]
    texts, numbers, figures = DETAILS[name]
    earlier = EARLIER.get(name, {})
    needed = [column for column in (*texts, *numbers, *figures) if column not in earlier]
    table, note = read_common(path, needed, (*numbers, *figures)), ""
    unread = (*numbers, *figures)
    if table is None:
        table, note = read_table(path, needed)
    else:
        unread = tuple(column for column in unread if column not in table)
    for column, text in earlier.items():
        if column not in table:
            table[column] = text
    if table.empty:
        raise Unreadable(f"{relative(path)} holds no row")
    as_numbers(table, unread, path)
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
    if name == "samples":
        add_manner(table, path)
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

    def detail(self, name, known=None):
        """A table of details/, with joined columns where it names strategies, the run's or those
        that are `known`; None if the run has none that can be read."""
        path = self.folder / "details" / f"{name}.csv"
        if not path.exists():
            return None
        try:
            table, note = read_detail(path, self.strategies if known is None else known)
        except Unreadable as why:
            self.note(f"{why}; it is left out")
            return None
        if note:
            self.note(note)
        return table

    @functools.cached_property
    def replay(self):
        """The strategy that a recording was replayed by; None where none was."""
        described = self.environment["recording"]["strategy"]
        return described and strategies.from_json(described)

    @functools.cached_property
    def replays(self):
        """Rows of replays: of each way one of a process by itself, which has all counts and no
        `set`, and one of each set."""
        table = self.detail("recording", {self.replay.name: self.replay}) if self.replay else None
        if table is not None:
            table["purge_step_bytes"] = table.purge_step_bytes.fillna(0)
            table["plain"] = plain_rows(table, {self.replay.name: self.replay})
            table["cycle_ns"] = table.undisturbed_ns.fillna(table.total_ns)
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
    def traced(self):
        """A row of each traced process."""
        return self.detail("samples")

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
