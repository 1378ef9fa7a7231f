"""The history of comparisons: what is written is read back, and changes are found where they
began."""

import dataclasses
import fcntl
import math
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from support import ROOT, STRATEGIES, describe

import numpy
import pandas

from vmcommit.base import strategies
from vmcommit.base.cells import OWN, SAME_PAGES, Manner
from vmcommit.base.folder import Unreadable
from vmcommit.base.problems import Problem
from vmcommit.commands import trend
from vmcommit.gate import changes, chosen, comparison, history, rules
from vmcommit.show import trend as drawn

CELLS = chosen.cells([strategies.from_json(describe(name)) for name in STRATEGIES])
ENVIRONMENT = {"started": "2026-02-03T04:05:06+01:00", "build": None, "settings": {}, "system": {},
               "revision": {"commit": "ab" * 20, "clean": False}, "processor": {"cores": 2}}


def made(revisions, level, noise, seed=1):
    """A history of so many revisions; level(cell, revision) is the true ns per page."""
    draws = numpy.random.default_rng(seed)
    rows = []
    for revision in range(revisions):
        for cell in CELLS:
            ns = level(cell, revision) * draws.lognormal(0, noise)
            rows.append(dict(zip(history.COLUMNS, (
                f"2026-01-{1 + revision // 24:02}T{revision % 24:02}:00:00",
                f"{revision:012x}{0:028}", True, "m", cell.name, cell.strategy.name, cell.size,
                cell.touch, cell.chunk, ns, ns * 0.99, ns * 1.01, 60, 16, 0, 1, 65536),
                strict=True)))
    return pandas.DataFrame(rows)


def levels(values, machine="m"):
    """A history of one cell with exactly these ns per page."""
    return pandas.DataFrame({"machine": machine, "cell": "c", "ns_per_page": values,
                             "revision": [f"r{at}" for at in range(len(values))]})


class Changes(unittest.TestCase):
    def test_a_change_is_found_at_its_revision(self):
        slowed = CELLS[1].name
        found = changes.found(made(40, lambda cell, revision: 2000 * (
            1.08 if cell.name == slowed and revision >= 25 else 1), 0.01))
        self.assertEqual([cell for cell, _, _ in found], [slowed])
        _, row, ratio = found[0]
        self.assertLessEqual(abs(int(row.revision[:12], 16) - 25), 1)
        self.assertAlmostEqual(ratio, 1.08, delta=0.02)

    def test_two_changes_of_one_cell(self):
        steps = (2000, 2400, 1900)
        found = changes.found(made(45, lambda cell, revision: (
            steps[revision // 15] if cell == CELLS[0] else 2000), 0.01))
        self.assertEqual([int(row.revision[:12], 16) for _, row, _ in found], [15, 30])
        for (_, _, ratio), expected in zip(found, (2400 / 2000, 1900 / 2400), strict=True):
            self.assertAlmostEqual(ratio, expected, delta=0.02)

    def test_values_by_hand(self):
        """Eight of about 100, nine of about 110, ten of about 88: medians 100, 110 and 88."""
        values = [101, 99, 100, 100, 98, 102, 100, 100] + [110, 111, 109] * 3
        values += [88, 87, 89, 88, 88] * 2
        found = changes.found(levels(values))
        self.assertEqual([(cell, row.revision) for cell, row, _ in found],
                         [("c", "r8"), ("c", "r17")])
        self.assertEqual([round(ratio, 12) for _, _, ratio in found], [1.1, 0.8])

    def test_a_smaller_change_after_a_larger_one(self):
        found = changes.found(levels([100] * 8 + [200] * 9 + [210] * 10))
        self.assertEqual([(row.revision, round(ratio, 12)) for _, row, ratio in found],
                         [("r8", 2), ("r17", 1.05)])

    def test_down_and_up_alike(self):
        for values, ratio in (([100] * 8 + [102.1] * 8, 1.021),
                              ([102.1] * 8 + [100] * 8, 100 / 102.1),
                              ([100] * 8 + [101.9] * 8, None), ([101.9] * 8 + [100] * 8, None)):
            found = changes.found(levels(values))
            self.assertEqual([round(each, 9) for _, _, each in found],
                             [round(ratio, 9)] if ratio else [])

    def test_a_change_needs_four_revisions_on_each_side(self):
        self.assertEqual(changes.change_points([1] * 4 + [2] * 3, 0.05, random(1)), [])
        self.assertEqual(changes.change_points([1] * 4 + [2] * 4, 0.05, random(1)), [4])
        self.assertEqual(changes.change_points([1] * 20 + [2] * 4, 0.05, random(1)), [20])

        self.assertEqual(changes.change_points([1] * 3 + [2] * 40, 0.05, random(1)), [4])

    def test_the_confidence_is_shared_between_cells(self):
        """Five against five are so ordered by chance twice in 252: below 1 %, above half of it."""
        table = levels([100] * 5 + [200] * 5)
        self.assertEqual(len(changes.found(table)), 1)
        other = levels([100] * 10).assign(cell="d")
        self.assertEqual(changes.found(pandas.concat([table, other])), [])

    def test_what_chance_may_do_is_no_change(self):
        """Four against four are so ordered by chance twice in 70: above 1 %, below 5 %."""
        self.assertEqual(changes.change_points([1] * 4 + [2] * 4, 0.01, random(1)), [])

    def test_the_statistic_of_a_split(self):
        """Ranks 1 to 8 in order, split in halves: 10 is 8 below what is expected of the first four,
        whose variance is 4 * 4 * 9 / 12."""
        ranks = numpy.arange(1.0, 9)
        self.assertAlmostEqual(float(changes.largest_statistic(ranks)), 8 / math.sqrt(12), 12)
        self.assertAlmostEqual(float(changes.largest_statistic(ranks[::-1])), 8 / math.sqrt(12), 12)
        self.assertEqual(changes.best_split([1.0] * 5 + [2.0] * 6), 5)
        self.assertEqual(changes.best_split([2.0] * 6 + [1.0] * 5), 6)

    def test_nothing_is_found_in_noise_and_below_the_threshold(self):
        for seed in range(5):
            self.assertEqual(changes.found(made(30, lambda *_: 2000, 0.1, seed)), [])
        self.assertEqual(changes.found(made(40, lambda _, revision: 2000 * (
            1.015 if revision >= 20 else 1), 0.001)), [])

    def test_machines_are_apart(self):
        table = made(30, lambda *_: 2000, 0.01)
        table.loc[table.index[len(table) // 2:], ["machine"]] = "other"
        table.loc[table.machine == "other", "ns_per_page"] *= 2
        self.assertEqual(changes.found(table), [])

    def test_in_words(self):
        row = pandas.Series({"revision": "0123456789abcdef", "time": "2026-02-03T04:05:06+01:00"})
        unknown = row.copy()
        unknown["revision"] = ""
        found = [("a", row, 1.05), ("b", unknown, 0.8), ("c", row, 1.1)]
        self.assertEqual(trend.sentences(found), [
            "b: -20.0 % from revision unknown (2026-02-03T04:05) on",
            "c: +10.0 % from revision 0123456789ab (2026-02-03T04:05) on",
            "a: +5.0 % from revision 0123456789ab (2026-02-03T04:05) on"])


def random(seed):
    return numpy.random.default_rng(seed)


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "history.csv"


class Rows(Scratch):
    """What a comparison adds, by hand: 16 pages, half of them touched."""

    def rows(self, environment=ENVIRONMENT):
        samples = comparison.Samples(self.folder / "samples.csv")
        self.addCleanup(samples.close)
        cell, refused = CELLS[0], CELLS[1]
        base = {"total_ns": "1", "touched_bytes": "4096", "page_bytes": "4096"}
        samples.add("base", cell, 0, base)
        for number, ns in enumerate((800, 880, 960, 840, 920, 808)):
            samples.add("head", cell, number, {
                "total_ns": str(ns), "touched_bytes": "32768", "page_bytes": "4096",
                "minor_faults": str(8 + number), "commit_calls": "3", "commit_bytes": ""})
        samples.add("head", refused, 0, base | {"total_ns": ""})
        return history.rows_of([rules.Result(refused, rules.SAME), rules.Result(cell, rules.SAME),
                                rules.Result(CELLS[2], rules.MISSING)], samples, environment)

    def test_by_hand(self):
        """800, 808, 840, 880, 920 and 960 ns for 8 pages; of six values, 95 % reach from the least
        to the most."""
        row, = self.rows()
        machine = row.pop("machine")
        self.assertEqual(row, {
            "time": "2026-02-03T04:05:06+01:00", "revision": "ab" * 20, "clean": False,
            "cell": CELLS[0].name, "strategy": "upfront", "size_bytes": 65536, "touch": "1",
            "chunk_bytes": 65536, "ns_per_page": "107.5", "ns_per_page_low": "100.0",
            "ns_per_page_high": "120.0", "rounds": 6, "minor_faults": "8", "handled_faults": "",
            "commit_calls": "3", "commit_bytes": ""})
        self.assertRegex(machine, "^[0-9a-f]{12}$")
        self.assertEqual(set(row) | {"machine"}, set(history.COLUMNS))

    def test_a_page_of_each_threads_region_counts(self):
        """Two regions of 8 pages take as long for each page of both as one takes twice."""
        for manner, pages in ((Manner(threads=2, share=OWN), 16),
                              (Manner(threads=2, share=SAME_PAGES), 8)):
            cell = dataclasses.replace(CELLS[0], manner=manner)
            row = history.row_of(cell, [{"total_ns": "1600", "wall_ns": "1600", "threads": "2",
                                         "touched_bytes": "32768", "page_bytes": "4096"}],
                                 ENVIRONMENT)
            self.assertEqual(float(row["ns_per_page"]), 1600 / pages)

    def test_a_machine_is_what_times_depend_on(self):
        def machine(**parts):
            return history.machine(ENVIRONMENT | parts)
        self.assertEqual(machine(), machine(started="later", seed=1, memory={"total_bytes": 2}))
        for parts in ({"processor": {"cores": 3}}, {"system": {"kernel": "1"}},
                      {"settings": {"thp_enabled": "never"}}, {"build": {"flags": "-O3"}}):
            self.assertNotEqual(machine(), machine(**parts))

    def test_written_and_read_back(self):
        rows = self.rows()
        history.add(self.path, rows)
        history.add(self.path, self.rows(ENVIRONMENT | {"started": "2026-01-01T00:00:00+00:00"}))
        table, note = changes.read(self.path)
        self.assertEqual((len(table), note), (2, ""))
        self.assertEqual(list(table.time.str[:10]), ["2026-01-01", "2026-02-03"])
        self.assertEqual((table.ns_per_page[0], table.minor_faults[0]), (107.5, 8))
        self.assertEqual(self.path.read_text().splitlines()[0], ",".join(history.COLUMNS))


class Files(Scratch):
    def text(self, rows=3, columns=history.COLUMNS, **values):
        """A history of a cell; `values` are of its last row."""
        table = made(rows, lambda *_: 2000, 0.01).iloc[::len(CELLS)].astype(str)
        for column, value in values.items():
            table.loc[table.index[-1], column] = value
        table = table.reindex(columns=columns, fill_value="x")
        return table.to_csv(index=False, lineterminator="\r\n")

    def test_a_row_that_was_cut_off_is_left_out_and_told(self):
        whole = self.text().encode()
        for cut in (2, 5, 40, 150):
            self.path.write_bytes(whole[:-cut])
            table, note = changes.read(self.path)
            self.assertEqual((len(table), note), (2, "the last line of history.csv was cut off and "
                                                     "is left out"))
        history.mend(self.path)
        self.assertEqual(self.path.read_bytes(), b"".join(whole.splitlines(keepends=True)[:3]))
        history.mend(self.path)
        self.assertEqual(len(changes.read(self.path)[0]), 2)

    def test_rows_are_added_after_what_was_cut_off(self):
        whole = self.text().encode()
        rows = made(1, lambda *_: 2000, 0.01).iloc[:1].to_dict("records")
        for content, expected in ((whole[:-9], 3), (whole[:20], 1), (b"", 1)):
            self.path.write_bytes(content)
            history.add(self.path, rows)
            self.assertEqual((len(changes.read(self.path)[0]), changes.read(self.path)[1]),
                             (expected, ""))

    def test_a_full_disk_leaves_whole_rows(self):
        script = (f"import sys, pathlib; sys.path[:0] = ['{ROOT / 'scripts'}']\n"
                  "from vmcommit.gate import history\n"
                  f"row = dict.fromkeys(history.COLUMNS, 'text')\n"
                  "try:\n"
                  "    history.add(pathlib.Path(sys.argv[1]), [row] * 99)\n"
                  "except OSError as error:\n"
                  "    print(error.strerror, error.filename)\n")
        done = subprocess.run([sys.executable, "-c", script, str(self.path)], capture_output=True,
                              text=True, timeout=100, preexec_fn=lambda: resource.setrlimit(
                                  resource.RLIMIT_FSIZE, (1000, 1000)))
        self.assertRegex(done.stdout, rf"^(File too large|No space left on device) {self.path}\n$",
                         done.stderr)
        lines = self.path.read_bytes().splitlines(keepends=True)
        self.assertGreater(len(lines), 5)
        self.assertEqual({line.count(b",") for line in lines}, {len(history.COLUMNS) - 1})
        self.assertTrue(lines[-1].endswith(b"\r\n"))

    def test_histories_of_other_versions(self):
        rows = made(1, lambda *_: 2000, 0.01).iloc[:1].to_dict("records")
        self.path.write_text(self.text(columns=["of_a_later_version", *history.COLUMNS[::-1]]))
        history.add(self.path, rows)
        table, _ = changes.read(self.path)
        self.assertEqual(list(table.of_a_later_version), ["x", "", "x", "x"])
        self.assertAlmostEqual(table.ns_per_page[1], rows[0]["ns_per_page"])
        self.path.write_text(self.text(columns=history.COLUMNS[1:]))
        with self.assertRaisesRegex(Unreadable, "no column time; move it away"):
            history.add(self.path, rows)

    def test_a_mark_of_byte_order_is_no_part_of_a_name(self):
        self.path.write_text("\ufeff" + self.text(), encoding="utf-8")
        history.add(self.path, made(1, lambda *_: 2000, 0.01).iloc[:1].to_dict("records"))
        self.assertEqual(len(changes.read(self.path)[0]), 4)

    def test_one_comparison_at_a_time_adds(self):
        with open(self.folder / ".history.csv.lock", "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with self.assertRaisesRegex(Problem, "adding to the history"):
                history.add(self.path, [])

    def test_in_order_of_time_whatever_the_zone(self):
        """03:30 in winter time comes after 03:10 in summer time."""
        lines = self.text(2).splitlines(keepends=True)
        early = lines[1].replace("2026-01-01T00:00:00", "2026-10-25T02:30:00+02:00")
        late = lines[1].replace("2026-01-01T00:00:00", "2026-10-25T02:10:00+01:00")
        self.path.write_text("".join([lines[0], late, early]))
        self.assertEqual(list(changes.read(self.path)[0].time.str[11:]),
                         ["02:30:00+02:00", "02:10:00+01:00"])

    def test_values_that_no_comparison_writes(self):
        for column, values in (("time", ("", "x", "2026-13-01T00:00:00")),
                               ("revision", ("x", "\x1b[31m")), ("cell", ("a\x1b[31m",)),
                               ("strategy", ("", "'; system('x')", "a b")),
                               ("size_bytes", ("", "0", "-1", "x", "nan", "inf")),
                               ("touch", ("0",)), ("chunk_bytes", ("",)),
                               ("ns_per_page", ("", "0", "-7", "nan")),
                               ("ns_per_page_low", ("0",)), ("ns_per_page_high", ("",)),
                               ("minor_faults", ("x",))):
            for value in values:
                with self.subTest(column=column, value=value):
                    self.path.write_text(self.text(**{column: value}))
                    with self.assertRaisesRegex(Unreadable, rf"history\.csv, line 4, {column}: "):
                        changes.read(self.path)


class Trend(Scratch):
    def trend(self):
        return subprocess.run([sys.executable, str(ROOT / "scripts" / "vmcommit"), "trend",
                               "--results", str(self.folder)], capture_output=True, text=True,
                              timeout=120)

    def test_drawn(self):
        table = made(20, lambda cell, revision: 2000 * (1.5 if revision >= 10 else 1), 0.01)
        half = len(table) // 2
        history.add(self.path, table.iloc[:half].to_dict("records"))
        history.add(self.path, table.iloc[half:].to_dict("records"))
        with open(self.path, "a") as file:
            file.write("2026-01-09,cut")
        done = self.trend()
        self.assertIn("20 comparisons, 20 cells, 1 machine; 20 changes", done.stdout)
        self.assertRegex(done.stdout, rf"upfront\S*: \+\d\d\.\d % from revision {10:012x} ")
        self.assertIn("NOTE: the last line of history.csv was cut off", done.stdout)
        if done.returncode == 0:
            self.assertTrue((self.folder / "trend" / "trend.png").exists())

    def test_what_is_drawn(self):
        """Cells in no manner that was asked for, of the machine that compared last."""
        plain = made(2, lambda *_: 2000, 0.01)
        plain["touch"] = plain.touch.astype(float)
        asked = plain.assign(cell=plain.cell + "/commit=populate", ns_per_page=100.0)
        table = pandas.concat([plain.assign(machine="n"), plain, asked])
        with mock.patch.object(drawn.charts, "draw_each", return_value=["trend"]) as drawing:
            drawn.draw(table, [], self.folder)
        _, shown, _, text = drawing.call_args.args
        self.assertEqual(set(shown.rows.machine), {"m"})
        self.assertTrue(shown.rows.ns_per_page.min() > 1000)
        self.assertEqual(set(shown.rows.strategy), set(plain.strategy))
        self.assertIn("2 comparisons on the machine that compared last, oldest left", text)

    def test_what_cannot_be_read(self):
        for content, words in ((None, "history.csv"), ("a,b\n1,2\n", "no column time"),
                               ("", "history.csv"),
                               (",".join(history.COLUMNS) + "\n", "make compare writes it"),
                               ("\0", "history.csv")):
            if content is not None:
                self.path.write_text(content)
            done = self.trend()
            self.assertEqual(done.returncode, 1)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
