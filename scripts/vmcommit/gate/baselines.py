"""Stored baselines: a run of the CI profile kept under a name, with what it was measured on.

Counts of a later run are compared with it exactly. Times only where the environment's fingerprint
is the same, and then by more than a machine drifts between runs, since they were not measured in
turn.
"""

import math
import re

from vmcommit.base.columns import COUNTS, STATUSES
from vmcommit.base.runs import ENVIRONMENT, SAMPLES, Unreadable, read_environment, read_table
from vmcommit.base.files import relative
from vmcommit.base.text import listed
from vmcommit.gate import rules

NEEDED = ("side", "cell", "round", "status", "error", "total_ns", *rules.GATED)
# What times depend on: names in environment.json.
FINGERPRINT = {
    "processor": ("model", "family_model_stepping", "cores", "hypervisor", "governor"),
    "system": ("name", "kernel", "page_bytes"),
    "build": ("compiler", "version", "flags"),
}


class Unusable(Exception):
    """Why a baseline can't be used; the text says what to do."""


def valid_name(name):
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) is not None


def fingerprint(environment):
    """{name: value} of what times depend on."""
    facts = {f"{part} {name}": environment[part][name]
             for part, names in FINGERPRINT.items() for name in names}
    return facts | environment["settings"]


def differences(before, after):
    """What differs between two environments' fingerprints, in words. What only one of them knows, a
    setting that a later version reads, is no difference."""
    ours, theirs = fingerprint(after), fingerprint(before)
    return [f"{name} {theirs[name]} -> {value}" for name, value in ours.items()
            if theirs.get(name) is not None and value is not None and theirs[name] != value]


def check_numbers(table, path):
    """Raises Unreadable at the first text that is no count, or no time of a cycle."""
    for column in ("total_ns", *(column for column in COUNTS if column in rules.GATED)):
        for line, text in enumerate(table[column], 2):
            if text and not proper(text, least=0 if column in rules.GATED else math.ulp(0.0)):
                raise Unreadable(f"{relative(path)}, line {line}, {column}: '{text:.40}' is "
                                 f"no {'count' if column in rules.GATED else 'time of a cycle'}")


def proper(text, least):
    """Whether a text is a finite number from `least` on."""
    try:
        return least <= float(text) < math.inf
    except ValueError:
        return False


def read_rows(path):
    """{cell's name: its rows, by round}. Raises Unreadable with the line at fault."""
    table, note = read_table(path, NEEDED)
    if note:
        raise Unreadable(f"{relative(path)}: {note.removesuffix(' and is left out')}")
    if table.empty:
        raise Unreadable(f"{relative(path)} holds no sample")
    wrong = ~table.status.isin(STATUSES) | ((table.status == "ok") & (table.total_ns == ""))
    if wrong.any():
        at = wrong.idxmax()
        raise Unreadable(f"{relative(path)}, line {at + 2}, status: '{table.status[at]:.40}' "
                         "beside that time is no outcome of a sample")
    check_numbers(table, path)
    rows = {}
    for row in table.to_dict("records"):
        rows.setdefault(row["cell"], []).append(row)
    return rows


def load(folder, cells):
    """(rows of each cell, environment) of a stored baseline that has just these cells. Raises
    Unusable."""
    if not folder.is_dir():
        there = sorted(path.name for path in folder.parent.glob("[!.]*") if path.is_dir())
        raise Unusable("there is none of that name; " + (
            f"there {'are' if len(there) > 1 else 'is'} {listed(there)}" if there else
            f"keep one by make baseline NAME={folder.name}"))
    try:
        rows = read_rows(folder / SAMPLES)
        environment = read_environment(folder / ENVIRONMENT)
    except Unreadable as why:
        raise Unusable(f"{why}; keep it anew: make baseline NAME={folder.name}") from None
    wanted = {cell.name for cell in cells}
    if set(rows) != wanted:
        raise Unusable(f"it is of another campaign: {len(wanted - set(rows))} of "
                       f"{len(wanted)} cells are missing, {len(set(rows) - wanted)} are unknown")
    rounds = {len(each) for each in rows.values()}
    if len(rounds) > 1:
        raise Unusable(f"it is cut off: its cells have {min(rounds)} to {max(rounds)} rounds")
    return rows, environment
