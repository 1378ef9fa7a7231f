"""Stored baselines: a run of the CI profile kept under a name, with what it was measured on.

Counts of a later run are compared with it exactly. Times only where the environment's fingerprint
is the same, and then by more than a machine drifts between runs, since they were not measured in
turn.
"""

import csv
import json
import re

import exports
import gate

NEEDED = ("side", "cell", "round", "status", "total_ns", *gate.GATED)


class Unusable(Exception):
    """Why a baseline can't be used; the text says what to do."""


def valid_name(name):
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) is not None


def fingerprint(described):
    """What times depend on, {name: value}."""
    processor, system, build = (described[key] or {} for key in ("processor", "system", "build"))
    facts = {f"processor {key}": processor.get(key) for key in
             ("model", "family_model_stepping", "cores", "hypervisor", "governor")}
    facts |= {f"system {key}": system.get(key) for key in ("name", "kernel", "page_bytes")}
    facts |= {f"build {key}": build.get(key) for key in ("compiler", "version", "flags")}
    return facts | described["settings"]


def differences(before, after):
    """What differs between two fingerprints, in words."""
    ours, theirs = fingerprint(after), fingerprint(before)
    return [f"{name} {theirs[name]} -> {value}" for name, value in ours.items()
            if theirs[name] != value]


def read_rows(path):
    """{cell's name: rows by round}. Raises Unusable with the line at fault."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise Unusable(f"its samples.csv can't be read: {error}") from None
    if not rows:
        raise Unusable("its samples.csv holds no sample")
    lacking = [column for column in NEEDED if column not in rows[0]]
    if lacking:
        raise Unusable(f"its samples.csv has other columns: {', '.join(lacking)} missing")
    found = {}
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise Unusable(f"its samples.csv is cut off in line {line}")
        found.setdefault(row["cell"], []).append(row)
    return found


def load(folder, cells):
    """(rows of each cell, environment) of a stored baseline that has just these cells."""
    if not folder.is_dir():
        there = sorted(path.name for path in folder.parent.glob("*") if path.is_dir())
        raise Unusable("there is none of that name; " + (
            f"there {'are' if len(there) > 1 else 'is'} {', '.join(there)}" if there else
            f"keep one by make baseline NAME={folder.name}"))
    rows = read_rows(folder / "samples.csv")
    try:
        described = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
        fingerprint(described)
    except (OSError, ValueError, KeyError, TypeError):
        raise Unusable("its environment.json is missing or can't be read") from None
    wanted = {exports.name(cell) for cell in cells}
    if set(rows) != wanted:
        raise Unusable(f"it is of another campaign: {len(wanted - set(rows))} of "
                       f"{len(wanted)} cells are missing, {len(set(rows) - wanted)} are unknown")
    rounds = {len(each) for each in rows.values()}
    if len(rounds) > 1:
        raise Unusable(f"it is cut off: its cells have {min(rounds)} to {max(rounds)} rounds")
    return rows, described
