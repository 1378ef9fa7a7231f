"""What surrounds a commit, in tables and in words; and as a campaign of `make bench`."""

import csv
import io
import json
import pathlib
import tempfile
import types
import unittest

import pandas

from support import EMULATOR, PAGE, campaign, parse, rows

from vmcommit.analyse import surroundings
from vmcommit.base.columns import DETAILS
from vmcommit.base.runs import read_detail
from vmcommit.base.units import MIB
from vmcommit.show import gnuplot
from vmcommit.show.charts import fork

TEXTS, NUMBERS, FIGURES = DETAILS["surroundings"]


def table(*made):
    """As read from a file, of rows of which each says what it is about."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "surroundings.csv"
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, [*TEXTS, *NUMBERS, *FIGURES], restval="")
        writer.writeheader()
        writer.writerows({"status": "ok", "repeat": 1} | row for row in made)
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        return read_detail(path, {})[0]


def call(subject, way, state, outcome, returned, left, **more):
    return {"part": "kernel", "subject": subject, "way": way, "state": state, "outcome": outcome,
            "returned_bytes": returned, "left_bytes": left, "handled_faults": 0} | more


def a_fork(state, way, size, ns, charge, copied, faults=0, copy_ns=0, regions=1):
    return {"part": "fork", "subject": "chunked", "state": state, "way": way, "size_bytes": size,
            "ns": ns, "commit_bytes": charge, "copy_commit_bytes": copied, "region_count": regions,
            "copy_faults": faults, "copy_ns": copy_ns}


CALLS = (call("upfront", "recv_datagram", "past the end", "whole", 512, 0, stored_bytes=512),
         *(call(subject, "recv_datagram", place, outcome, returned, 0, stored_bytes=stored,
                error=error)
           for subject in ("fault", "guard") for place, outcome, returned, stored, error in (
               ("usable", "whole", 512, 512, ""),
               ("across the end", "lost", 0, 256, "Bad address"),
               ("past the end", "lost", 0, 0, "Bad address"))),
         call("fault", "write_file", "across the end", "short", 256, 256),
         call("guard", "write_file", "across the end", "failed", 0, 512, error="Bad address"))
FORKS = (a_fork("reserved", "plain", MIB, 50e3, 0, 0),
         a_fork("touched", "plain", MIB, 76e3, MIB, MIB, 256, 256 * 2000),
         a_fork("touched", "dontfork", MIB, 60e3, MIB, 0, 0, 256 * 20),
         a_fork("every second page touched", "plain", 1000 * PAGE, 500e3, 500 * PAGE, 500 * PAGE,
                500, 500 * 2000, 1000))
STACKS = ({"part": "stacks", "guard": "madvise", "size_bytes": 16384, "commit_bytes": 16384,
           "region_count": 0, "table_bytes": 32, "count": 1000, "most": 10 ** 6,
           "limit": "address space"},
          {"part": "stacks", "guard": "prot_none", "size_bytes": 16384, "commit_bytes": 12288,
           "region_count": 2, "table_bytes": 0, "count": 1000, "most": 32753,
           "limit": "mappings"})


def locked(subject, way, charge, resident, faults, **more):
    return {"part": "locked", "subject": subject, "way": way, "state": "33 pages touched",
            "commit_bytes": charge * PAGE, "resident_bytes": resident * PAGE,
            "minor_faults": faults} | more


LOCKS = (locked("chunked", "none", 48, 33, 33), locked("chunked", "future", 48, 48, 48),
         locked("guard", "none", 49, 33, 33, guard="madvise"),
         locked("guard", "future", 1, 1, 1, guard="madvise", status="refused", error="no guard"))


class Tables(unittest.TestCase):
    maxDiff = None

    def of(self, *made):
        return {each.title.partition(":")[0].partition(",")[0]: list(each.rows)
                for each in surroundings.tables(table(*made), PAGE)}

    def test_calls_of_all_strategies_that_commit_late(self):
        """What differs between them is said for each."""
        (datagram, file), = self.of(*CALLS).values()
        self.assertEqual(datagram, (
            "recv_datagram", "whole", "lost, Bad address: 0 returned, 256 stored, 0 left",
            "lost, Bad address: 0 returned, 0 stored, 0 left"))
        self.assertEqual(file, (
            "write_file", "", "short: 256 returned, 256 left; failed, Bad address: 0 returned, "
            "512 left", ""))

    def test_forks(self):
        made = surroundings.tables(table(*FORKS), PAGE)
        self.assertEqual([list(each.rows) for each in made], [
            [("reserved", "0 %", "0 %", "", "50 µs"), ("touched", "100 %", "100 %", "1", "76 µs"),
             ("touched, MADV_DONTFORK", "100 %", "0 %", "0", "60 µs")],
            [("1 000", "1.953 MiB", "500 µs", "500 ns")]])

    def test_stacks_and_locks(self):
        self.assertEqual(self.of(*STACKS, *LOCKS), {
            "Stacks": [("madvise", "16 KiB", "16 KiB", "0", "32 B", "1 000", "1 000 000",
                        "address space"),
                       ("prot_none", "16 KiB", "12 KiB", "2", "0 B", "1 000", "32 753",
                        "mappings")],
            "Pages charged": [("chunked", "48, 33, 33", "48, 48, 48", ""),
                              ("guard (madvise)", "49, 33, 33", "refused: no guard", "")]})

    def test_nothing_there(self):
        self.assertEqual((surroundings.tables(None, PAGE), surroundings.sentences(None, PAGE)),
                         ([], []))
        none = table({"part": "fork", "status": "unsupported", "error": "Windows has no fork"},
                     {"part": "kernel"}, {"part": "stacks"}, {"part": "locked"})
        self.assertEqual((surroundings.tables(none, PAGE), surroundings.sentences(none, PAGE)),
                         ([], []))


class Sentences(unittest.TestCase):
    maxDiff = None

    def test_each_has_its_figures(self):
        self.assertEqual(surroundings.sentences(table(*CALLS, *FORKS, *STACKS, *LOCKS), PAGE), [
            "Never hand the kernel memory that is not committed: commit it first. 2 of 2 kinds of "
            "system call failed or ended early there, for fault and guard; 0 faults came to the "
            "strategies' handlers. recv_datagram lost what had been sent.",
            "A fork takes 50 µs with 1 MiB reserved, 76 µs with all of it touched (102 ns a page), "
            "and 60 µs with MADV_DONTFORK. It charges all that is committed a second time, and "
            "each page that is written to while the copy lives takes 2 µs and a page fault.",
            "With a guard by prot_none there can be 32 753 stacks of any size: each takes 2 "
            "mappings. With one by madvise there could be 1 000 000 of 16 KiB, ended by address "
            "space.",
            "Under mlockall(MCL_FUTURE) what is committed is resident before it is touched, as "
            "with chunked; guard (madvise) is refused: no guard."])


class Picture(unittest.TestCase):
    def analysed(self, made, platform="linux"):
        return types.SimpleNamespace(
            run=types.SimpleNamespace(surroundings=made),
            every=pandas.DataFrame({"platform": [platform]}), page=PAGE)

    def test_forks_by_size(self):
        analysed = self.analysed(table(*FORKS))
        with tempfile.TemporaryDirectory() as scratch:
            plot = gnuplot.Plot(pathlib.Path(scratch))
            self.assertTrue(fork.prepare(analysed, plot))
            calls, pages = ((plot.folder / f"{name}.dat").read_text("utf-8").split("\n\n\n")
                            for name in ("panel1", "panel2"))
        self.assertEqual(calls[2].splitlines(),
                         ['# "touched"', f"{MIB} 76000 76000 76000"])
        self.assertEqual(pages[3].splitlines(),
                         ['# "touched, MADV_DONTFORK"', f"{MIB} 20 20 20"])
        self.assertEqual(fork.finding(analysed),
                         "A fork with 1 MiB: reserved, 50 µs; touched, 76 µs; touched, "
                         "MADV_DONTFORK, 60 µs.")

    def test_nothing_to_draw(self):
        for analysed in (self.analysed(None), self.analysed(table(*STACKS)),
                         self.analysed(table(*FORKS), "wine")):
            self.assertFalse(fork.prepare(analysed, None))


@unittest.skipIf(EMULATOR, "a run under an emulator is another test's")
class Campaign(unittest.TestCase):
    def test_a_run(self):
        with tempfile.TemporaryDirectory() as results:
            printed, latest = campaign("surroundings", results)
            taken = parse((latest / "details" / "surroundings.csv").read_text())
            page, short = ((latest / name).read_text() for name in ("report.html", "REPORT.md"))
            described = json.loads((latest / "environment.json").read_text())
        self.assertIn("Never hand the kernel memory", printed)
        self.assertEqual({row["part"] for row in taken}, {"kernel", "fork", "stacks", "locked"})
        self.assertEqual(described["campaign"], "surroundings")
        self.assertIn('<section id="surroundings"', page)
        self.assertIn("## What surrounds a commit", short)
        self.assertIn("Never hand the kernel memory", page)

    def test_columns_that_analysis_rests_on_are_printed(self):
        row = rows("surroundings", "--part", "stacks", "--stack", "16K", "--stacks", 10)[0]
        self.assertLessEqual({*TEXTS, *NUMBERS, *FIGURES}, set(row))


if __name__ == "__main__":
    unittest.main()
