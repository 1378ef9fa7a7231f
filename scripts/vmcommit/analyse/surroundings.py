"""What surrounds a commit, as tables and in sentences: from details/surroundings.csv, which
docs/surroundings.md explains."""

import dataclasses
from collections.abc import Sequence

import pandas

from vmcommit.base.statistics import median_interval
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.text import listed
from vmcommit.base.units import count_text, size_text, time_interval_text, time_text

# States and ways of a fork, in the order of tables, and how they are called.
FORKS = {("reserved", "plain"): "reserved", ("committed", "plain"): "committed, not touched",
         ("touched", "plain"): "touched", ("touched", "dontfork"): "touched, MADV_DONTFORK",
         ("touched", "wipeonfork"): "touched, MADV_WIPEONFORK"}
EVERY_SECOND = "every second page touched"
PLACES = ("usable", "across the end", "past the end")
LOCKS = {"none": "not locked", "future": "MCL_FUTURE", "onfault": "MCL_FUTURE and MCL_ONFAULT"}


@dataclasses.dataclass(frozen=True)
class Table:
    """Texts; the first column names the row."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


# What a row must tell to be shown; one that was refused may tell nothing.
TOLD = {"kernel": ("returned_bytes", "left_bytes", "handled_faults"),
        "fork": ("size_bytes", "ns", "commit_bytes", "copy_commit_bytes", "region_count"),
        "stacks": ("size_bytes", "count"),
        "locked": ("commit_bytes", "resident_bytes", "minor_faults")}


def part(table, name):
    """Rows of what was done; those that the system has not are left out."""
    told = table[list(TOLD[name])].notna().all(axis=1) | (table.status == "refused")
    return table[(table.part == name) & (table.status != "unsupported") & told]


def name_of(row):
    """guard (madvise)"""
    return row.subject + (f" ({row.guard})" if row.guard else "")


def one_text(texts):
    """What all say alike, or each thing that one says."""
    return "; ".join(dict.fromkeys(texts))


# --- The kernel's own accesses ---

def of_call(row):
    """failed, Bad address: 256 stored, 512 left"""
    text = row.outcome + (f", {row.error}" if row.error else "")
    if row.outcome == "whole":
        return text
    stored = "" if pandas.isna(row.stored_bytes) else f"{row.stored_bytes:.0f} stored, "
    return f"{text}: {row.returned_bytes:.0f} returned, {stored}{row.left_bytes:.0f} left"


def kernel_table(table):
    """Of memory that is not committed as a whole, which is that of all strategies but one."""
    rows = part(table, "kernel")
    rows = rows[rows.subject != UPFRONT]
    return Table(
        "System calls that are given 512 bytes", ("call", *PLACES),
        [(way, *(one_text(of_call(row) for row in of_way[of_way.state == place].itertuples())
                 for place in PLACES)) for way, of_way in rows.groupby("way", sort=False)])


def kernel_sentence(table):
    rows = part(table, "kernel")
    bad = rows[rows.outcome != "whole"]
    if bad.empty:
        return []
    lost = sorted(set(bad[bad.outcome == "lost"].way))
    calls = len(set(bad.way))
    return ["Never hand the kernel memory that is not committed: commit it first. "
            f"{calls} of {len(set(rows.way))} kinds of system call failed or ended early there, "
            f"for {listed(dict.fromkeys(bad.subject))}; {bad.handled_faults.sum():.0f} faults came "
            "to the strategies' handlers."
            + (f" {listed(lost)} lost what had been sent." if lost else "")]


# --- fork ---

def forks(table):
    return part(table, "fork")


def of_fork(table, state, way):
    rows = forks(table)
    return rows[(rows.state == state) & (rows.way == way) & (rows.status == "ok") & (rows.ns > 0)]


def interval_text(values):
    """62 µs (58 µs to 70 µs)"""
    middle, low, high, _ = median_interval(values)
    return time_interval_text(middle, low, high) if len(values) > 1 else time_text(middle)


def share_text(part_of, whole):
    """What of a range is charged; a guard's page is less than is said of it."""
    shares = (part_of / whole).round(2)
    return listed([f"{100 * share:.0f} %" for share in sorted(set(shares))])


def fork_row(rows, name, sizes):
    pages = rows.commit_bytes / rows.page_bytes
    faults = (rows.copy_faults / pages.where(pages > 0)).dropna().round(2)
    return (name, share_text(rows.commit_bytes, rows.size_bytes),
            share_text(rows.copy_commit_bytes, rows.size_bytes),
            one_text(f"{each:g}" for each in sorted(set(faults))),
            *(interval_text(each) if len(each := rows[rows.size_bytes == size].ns) else ""
              for size in sizes))


def fork_table(table, page):
    rows = forks(table).assign(page_bytes=page)
    sizes = sorted(set(rows[rows.state != EVERY_SECOND].size_bytes))
    shown = [fork_row(each, name, sizes) for (state, way), name in FORKS.items()
             if len(each := of_fork(rows, state, way))]
    return Table("fork: CPU time by the size of a range, medians of all strategies",
                 ("the range is", "charged", "charged to the copy",
                  "faults a page of writing again", *map(size_text, sizes)), shown)


def mappings_table(table):
    rows = of_fork(table, EVERY_SECOND, "plain")
    return Table("fork: CPU time by the number of mappings",
                 ("mappings", "charged to the copy", "time", "a mapping"),
                 [(count_text(number), size_text(each.copy_commit_bytes.iloc[0]),
                   interval_text(each.ns), time_text(each.ns.median() / number))
                  for number, each in rows.groupby("region_count")])


def fork_sentences(table, page):
    reserved, touched, left_out = (of_fork(table, *key) for key in (
        ("reserved", "plain"), ("touched", "plain"), ("touched", "dontfork")))
    if touched.empty or reserved.empty or left_out.empty:
        return []
    most = touched.size_bytes.max()
    times = [each[each.size_bytes == most].ns.median() for each in (reserved, touched, left_out)]
    pages = touched[touched.size_bytes == most]
    written = (pages.copy_ns / pages.copy_faults).median()
    return [f"A fork takes {time_text(times[0])} with {size_text(most)} reserved, "
            f"{time_text(times[1])} with all of it touched "
            f"({time_text((times[1] - times[0]) / (most / page))} a page), and "
            f"{time_text(times[2])} with MADV_DONTFORK. It charges all that is committed a second "
            f"time, and each page that is written to while the copy lives takes "
            f"{time_text(written)} and a page fault."]


# --- Stacks ---

def stacks_table(table):
    rows = part(table, "stacks")
    return Table(
        "Stacks, each with a guard of its own",
        ("guard", "size", "charged each", "mappings each", "page tables each", "made", "could be",
         "ended by"),
        [(row.guard, size_text(row.size_bytes), *figures_of_stack(row), count_text(row.made),
          "" if pandas.isna(row.most) else count_text(row.most), row.limit)
         for row in rows.rename(columns={"count": "made"}).itertuples()])


def figures_of_stack(row):
    return tuple("" if pandas.isna(value) else text(value) for value, text in (
        (row.commit_bytes, size_text), (row.region_count, count_text),
        (row.table_bytes, size_text)))


def stacks_sentence(table):
    rows = part(table, "stacks").dropna(subset=["most"])
    ends = rows[rows.limit == "mappings"]
    others = rows[~rows.guard.isin(ends.guard)]
    if ends.empty or others.empty:
        return []
    smallest = others[others.size_bytes == others.size_bytes.min()].iloc[0]
    return [f"With a guard by {ends.guard.iloc[0]} there can be {count_text(ends.most.min())} "
            f"stacks of any size: each takes {count_text(ends.region_count.max())} mappings. With "
            f"one by {smallest.guard} there could be {count_text(smallest.most)} of "
            f"{size_text(smallest.size_bytes)}, ended by {smallest.limit}."]


# --- Locked memory ---

def of_lock(row, page):
    if row.status != "ok":
        return f"{row.status}: {row.error}"
    return (f"{row.commit_bytes / page:.0f}, {row.resident_bytes / page:.0f}, "
            f"{row.minor_faults:.0f}")


def locked_table(table, page):
    rows = part(table, "locked")
    rows = rows[rows.state != "untouched"]
    return Table(
        "Pages charged, resident, and faults, of 64 in steps of 16, 33 touched",
        ("strategy", *LOCKS.values()),
        [(name, *(one_text(of_lock(row, page) for row in each[each.way == way].itertuples())
                  for way in LOCKS)) for name, each in rows.groupby(
                      rows.apply(name_of, axis=1), sort=False)] if len(rows) else [])


def locked_sentence(table, page):
    rows = part(table, "locked")
    rows = rows[(rows.state != "untouched") & (rows.status == "ok")]
    eager = rows[(rows.way == "future") & (rows.resident_bytes / page > 33)]
    refused = part(table, "locked")
    refused = refused[(refused.status == "refused") & (refused.way == "future")]
    if eager.empty:
        return []
    return ["Under mlockall(MCL_FUTURE) what is committed is resident before it is touched, as "
            f"with {listed(dict.fromkeys(map(name_of, eager.itertuples())))}"
            + (f"; {listed(dict.fromkeys(map(name_of, refused.itertuples())))} is refused: "
               f"{refused.error.iloc[0]}." if len(refused) else ".")]


def tables(table: pandas.DataFrame | None, page: int) -> list[Table]:
    """`page`: bytes of one."""
    if table is None:
        return []
    return [each for each in (kernel_table(table), fork_table(table, page), mappings_table(table),
                              stacks_table(table), locked_table(table, page)) if each.rows]


def sentences(table: pandas.DataFrame | None, page: int) -> list[str]:
    if table is None:
        return []
    return [*kernel_sentence(table), *fork_sentences(table, page), *stacks_sentence(table),
            *locked_sentence(table, page)]
