"""The reference run, changed as a test needs it, and as a folder that commands read."""

import contextlib
import csv
import json
import pathlib
import unittest.mock

from support import ROOT

from vmcommit.analyse.surroundings import FORKS
from vmcommit.base import strategies
from vmcommit.base.columns import DETAILS
from vmcommit.show import gnuplot

REFERENCE = ROOT / "results" / "reference"


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows(rounds=None):
    """Of all rounds, or of the first ones."""
    samples = table(REFERENCE / "samples.csv")
    return [row for row in samples if rounds is None or int(row["round"]) <= rounds]


def with_questions(samples):
    """These rows, and made-up ones of other kinds of commit, of giving back and of threads, like
    those of the strategies as they are; as they are where they have such rows."""
    size = max((row["size_bytes"] for row in samples if row["status"] == "ok" and row["strategy"]
                == "chunked" and row["chunk_bytes"] != "65536"), key=int)
    alike = [row for row in samples if row["status"] == "ok" and row["size_bytes"] == size
             and row["touched_bytes"] == size and row["touch_order"] == "sequential"]
    remapped = [{**row, **longer(row, 1.5), "commit_kind": "remap"} for row in alike
                if row["strategy"] == "chunked"]
    back = [given_back(row, kind, left) for row in alike if row["strategy"] == "upfront"
            for kind, left in (("dontneed", "0"), ("free", size))]
    several = [by_threads(row, threads, share) for row in alike for threads in (2, 4)
               for share in ("own", "stripes")
               if row["strategy"] in ("upfront", "fault") or row["chunk_bytes"] == "65536"]
    asked = [] if any(row["purge"] not in ("", "none") for row in samples) else remapped + back
    if any(row.get("threads", "1") not in ("", "1") for row in samples):
        return samples + asked
    return [by_threads(row, 1, "own") for row in samples + asked] + several


def longer(row, times):
    """A row's times of a cycle, so many times as long."""
    return {column: str(times * float(row[column])) for column in ("total_ns", "undisturbed_ns")
            if row.get(column)}


def by_threads(row, threads, share):
    """A row of so many threads that scale by half; each does what the row's does."""
    whole = threads if share == "stripes" else 1
    sizes = {column: str(whole * int(row[column])) for column in ("size_bytes", "touched_bytes")}
    if row["strategy"] == "upfront":
        sizes["chunk_bytes"] = sizes["size_bytes"]
    times = longer(row, (threads + 1) / 2)
    wall = times.get("total_ns", "")
    return {**row, **sizes, **times, "threads": str(threads), "share": share, "wall_ns": wall,
            "cpu_ns": wall and str(threads * float(wall)), "voluntary_switches": "0",
            "involuntary_switches": "0",
            "lock_count": row["commit_calls"] and str(threads * int(row["commit_calls"]) + 3),
            "commit_calls": row["commit_calls"] and str(threads * int(row["commit_calls"]))}


def given_back(row, kind, left):
    """A row of upfront that then gave all back, so that so much stayed resident."""
    pages = int(row["touched_bytes"]) // int(row["page_bytes"])
    total = float(row["total_ns"])
    return {**row, "purge": kind, "purge_step_bytes": "65536", "purge_calls": str(pages // 16),
            "purge_ns": str(total / 5), "retouch_ns": str(total / 2), "total_ns": str(1.7 * total),
            "retouch_minor_faults": str(pages), "purged_commit_bytes": row["touched_bytes"],
            "purged_resident_bytes": left, "purged_table_bytes": "4096",
            "purged_region_count": "1", "retouched_commit_bytes": row["touched_bytes"],
            "retouched_region_count": "1"}


def environment():
    return json.loads((REFERENCE / "environment.json").read_text(encoding="utf-8"))


def write_table(path, written):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(written[0]))
        writer.writeheader()
        writer.writerows(written)


def like(old_rows, names):
    """Rows with other names: {new name: name of the strategy that it is like}; rows without a
    strategy stay, those of strategies that are not named go."""
    if not old_rows or "strategy" not in old_rows[0]:
        return old_rows
    by_name = {}
    for row in old_rows:
        by_name.setdefault(row["strategy"], []).append(row)
    return [{**row, "strategy": new} for new, old in {**names, "start": "start"}.items()
            for row in by_name.get(old, ())]


def described_like(described, names):
    """environment.json of a run with these strategies."""
    kinds = {strategy["name"]: strategy for strategy in described["strategies"]}
    return {**described, "strategies": [{**kinds[old], "name": new} for new, old in names.items()]}


def write(folder, samples, described, names=None, details=True):
    """A run's folder of these rows and this environment.json, with the reference's details; `names`
    as for like()."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    (folder / "environment.json").write_text(json.dumps(described), encoding="utf-8")
    write_table(folder / "samples.csv", samples)
    if details:
        (folder / "details").mkdir()
        for path in (REFERENCE / "process_times.csv", *REFERENCE.glob("details/*.csv")):
            old_rows = table(path)
            if new_rows := like(old_rows, names) if names else old_rows:
                write_table(folder / path.relative_to(REFERENCE), new_rows)
    return folder


def names_unchecked():
    """Within it a run may have strategies of any name, which its readers refuse otherwise: what
    shows names must not rest on that."""
    return unittest.mock.patch.object(strategies, "re")


@contextlib.contextmanager
def without_png():
    """Within it charts are SVG alone: PNG takes most of the time of drawing them."""
    with unittest.mock.patch.dict(gnuplot.ENDS):
        del gnuplot.ENDS["png"]
        yield


def add_forks(folder):
    """Made-up forks of each kind, which the reference run does not have."""
    write_table(folder / "details" / "surroundings.csv", [
        dict.fromkeys((column for kind in DETAILS["surroundings"] for column in kind), "") | {
            "part": "fork", "subject": "chunked", "state": state, "way": way, "status": "ok",
            "repeat": "1", "size_bytes": str(size), "ns": str(50000 + number * size // 50),
            "commit_bytes": str(size), "region_count": "1", "copy_commit_bytes": str(size),
            "copy_faults": str(size // 4096), "copy_ns": str(size // 2)}
        for number, (state, way) in enumerate(FORKS) for size in (2**20, 2**24)])


def add_traces(folder, names, size=65536, pages=64):
    """Made-up times of single touches, which the reference run does not keep."""
    (folder / "details").mkdir(exist_ok=True)
    for number, name in enumerate(names, 1):
        slow = {page: 9000 for page in range(0, pages, 16)}
        lines = [f"{name},{page},{page},{100 * number + page * page % 977 + slow.get(page, 0)}"
                 for page in range(pages)]
        (folder / "details" / f"trace-{name}-{size}.csv").write_text(
            "\n".join(["strategy,touch,page,ns", *lines]) + "\n", encoding="utf-8")
