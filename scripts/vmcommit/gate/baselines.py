"""Stored baselines: a run of the CI profile kept under a name, with what it was measured on.

Counts of a later run are compared with it exactly. Times only where the environment's fingerprint
is the same, and then by more than a machine drifts between runs, since they were not measured in
turn.
"""

import dataclasses
import pathlib
import re

from vmcommit.base.files import relative
from vmcommit.base.folder import (ENVIRONMENT, SAMPLES, Unreadable, read_environment, read_json,
                                  read_texts, strategies_of)
from vmcommit.base.text import listed
from vmcommit.gate import rules

NEEDED = ("side", "cell", "round", "status", "error", "total_ns", *rules.COUNTED)
# What times depend on: names in environment.json.
FINGERPRINT = {
    "processor": ("model", "family_model_stepping", "cores", "hypervisor", "governor"),
    "system": ("name", "kernel", "page_bytes"),
    "build": ("compiler", "version", "flags"),
    "settings": ("thp_enabled", "thp_defrag", "overcommit_memory", "overcommit_ratio",
                 "max_map_count", "clocksource"),
}


class Unusable(Exception):
    """Why a baseline can't be used; the text says what to do."""


@dataclasses.dataclass
class Baseline:
    """`rows`: {cell's name: its rows, by round}. `strategies`: {name: Strategy}, empty if it does
    not say. `environment` is as the file has it. `lacking`: counts that it does not have."""

    rows: dict
    strategies: dict
    environment: dict
    lacking: list


def fingerprint(environment: dict) -> dict:
    """{name: value} of what times depend on, as far as the environment says anything of it."""
    return {f"{part} {name}": environment[part][name] for part, names in FINGERPRINT.items()
            for name in names if name in (environment.get(part) or {})}


def differences(before: dict, after: dict) -> list[str]:
    """What differs between two environments' fingerprints, in words. What only one of them speaks
    of, such as a setting that a later version reads, is no difference; null is a value."""
    ours, theirs = fingerprint(after), fingerprint(before)
    return [f"{name} {text(theirs[name])} -> {text(value)}" for name, value in ours.items()
            if name in theirs and theirs[name] != value]


def text(value) -> str:
    if isinstance(value, list):
        return "/".join(map(text, value))
    return "none" if value is None else str(value)


def read_rows(path: pathlib.Path):
    """({cell's name: its rows, by round}, counts that it lacks). Raises Unreadable with the line at
    fault."""
    columns, lines, note = read_texts(path, NEEDED)
    if note:
        raise Unreadable(f"{relative(path)}: its last line was cut off")
    if not lines:
        raise Unreadable(f"{relative(path)} holds no sample")
    rows: dict = {}
    for line, texts in enumerate(lines, 2):
        row = dict(zip(columns, texts))
        if not re.fullmatch(r"-?\d{1,9}", row["round"], re.ASCII):
            raise Unreadable(f"{relative(path)}, line {line}, round: '{row['round']:.40}' is no "
                             "number of a round")
        if fault := rules.fault_of(row):
            raise Unreadable(f"{relative(path)}, line {line}, {fault}")
        rows.setdefault(row["cell"], []).append(row)
    for samples in rows.values():
        samples.sort(key=lambda row: int(row["round"]))
    return rows, [column for column in rules.GATED if column not in columns]


def names_there(folder: pathlib.Path) -> str:
    there = sorted(path.name for path in folder.parent.glob("[!.]*") if path.is_dir())
    if not there:
        return f"keep one: make baseline NAME={folder.name}"
    return f"there {'are' if len(there) > 1 else 'is'} {listed(there)}"


def read(folder: pathlib.Path) -> Baseline:
    """Raises Unusable."""
    if not folder.is_dir():
        raise Unusable(f"there is none of that name; {names_there(folder)}")
    try:
        rows, lacking = read_rows(folder / SAMPLES)
        environment = read_environment(folder / ENVIRONMENT)
        strategies = {} if not environment["strategies"] else \
            strategies_of(environment, folder / ENVIRONMENT)
        stated = read_json(folder / ENVIRONMENT)
    except Unreadable as why:
        raise Unusable(f"{why}; keep it anew: make baseline NAME={folder.name}") from None
    rounds = [len(samples) - 1 for samples in rows.values()]  # and one for counts
    if min(rounds) < (environment["rounds"] or max(rounds)):
        raise Unusable(f"it is cut off: its cells have {min(rounds)} to {max(rounds)} rounds of "
                       f"{environment['rounds'] or max(rounds)}; keep it anew: make baseline "
                       f"NAME={folder.name}")
    return Baseline(rows, strategies, stated, lacking)


def refuse_other_campaign(baseline: Baseline, cells: list) -> None:
    """Raises Unusable where the baseline does not have all cells of a strategy that it has any of,
    or has cells that are unknown."""
    names = {cell.name for cell in cells}
    there = {cell.strategy.name for cell in cells if cell.name in baseline.rows}
    lacking = {cell.name for cell in cells
               if cell.strategy.name in there and cell.name not in baseline.rows}
    unknown = set(baseline.rows) - names
    if lacking or unknown or not there:
        raise Unusable(f"it is of another campaign: {len(names - set(baseline.rows))} of "
                       f"{len(names)} cells are missing, {len(unknown)} are unknown; name the same "
                       "libraries and allocators, or keep another one by make baseline")
