"""results/history.csv: one row for each cell and revision that was compared. gate/changes.py reads
it.
"""

import csv
import hashlib
import json
import os
import pathlib

from vmcommit.base.cells import SEPARATE
from vmcommit.base.files import RowFile, locked, relative
from vmcommit.base.folder import Unreadable
from vmcommit.base.statistics import median_interval
from vmcommit.gate import baselines
from vmcommit.gate.rules import time_of

COUNTS = ("minor_faults", "handled_faults", "commit_calls", "commit_bytes")
POSITIVE = ("size_bytes", "touch", "chunk_bytes", "ns_per_page", "ns_per_page_low",
            "ns_per_page_high")
COLUMNS = ("time", "revision", "clean", "machine", "cell", "strategy", *POSITIVE, "rounds", *COUNTS)


def machine(environment: dict) -> str:
    """Few letters that stand for what times depend on."""
    text = json.dumps(baselines.fingerprint(environment), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def row_of(cell, taken: list[dict], environment: dict) -> dict:
    """A cell that head was timed in: `taken` are its rows."""
    manner = cell.manner
    regions = manner.threads if manner.share in SEPARATE else 1
    pages = regions * float(taken[0]["touched_bytes"]) / float(taken[0]["page_bytes"])
    median, low, high, _ = median_interval([time_of(row) / pages for row in taken])
    return {"time": environment["started"], "revision": environment["revision"]["commit"],
            "clean": environment["revision"]["clean"], "machine": machine(environment),
            "cell": cell.name, "strategy": cell.strategy.name, "size_bytes": cell.size,
            "touch": cell.touch, "chunk_bytes": cell.chunk, "ns_per_page": f"{median:.1f}",
            "ns_per_page_low": f"{low:.1f}", "ns_per_page_high": f"{high:.1f}",
            "rounds": len(taken), **{column: taken[0].get(column, "") for column in COUNTS}}


def rows_of(results, samples, environment: dict) -> list[dict]:
    """A row for each cell that head was timed in."""
    taken = {result.cell: samples.timed("head", result.cell) for result in results}
    return [row_of(cell, rows, environment) for cell, rows in taken.items() if rows]


def mend(path: pathlib.Path) -> None:
    """Takes away the end of a last row that was cut off when the disk was full."""
    content = path.read_bytes()
    whole = content[:content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(path, len(whole))


def columns_of(path: pathlib.Path) -> list[str]:
    """Those of a history that is there; an older or a later version may have written it. Raises
    Unreadable where it lacks any of ours."""
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
        columns = next(csv.reader(file), list(COLUMNS))
    if lacking := [column for column in COLUMNS if column not in columns]:
        raise Unreadable(f"{relative(path)}: no column {', '.join(lacking)}; move it away, and the "
                         "next comparison begins another")
    return columns


def add(path: pathlib.Path, rows: list[dict]) -> None:
    """Each row is in the file whole or not at all. Raises OSError, Unreadable, and Problem where
    another comparison is adding its rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f".{path.name}.lock"), "adding to the history"):
        columns = list(COLUMNS)
        if path.exists():
            mend(path)
            columns = columns_of(path)
        with RowFile(path, columns, append=True) as file:
            for row in rows:
                file.add(row)
