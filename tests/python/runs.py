"""Runs read back: what is damaged is named by file, line and column; what is merely less is
read."""

import json
import os
import pathlib
import shutil
import tempfile
import unittest

import pandas

from support import ROOT

import damage

from vmcommit.base import runs, strategies
from vmcommit.base.columns import CONFIGURATION, NEEDED
from vmcommit.base.folder import SHAPE, START, Unreadable

REFERENCE = ROOT / "results" / "reference"
SEEDS = 100
ONCE_FAILED = (1060, 1986, 3849, 6139, 8397, 13732)  # seeds that once ended otherwise


class Copy(unittest.TestCase):
    """A small run to spoil."""

    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.kept.cleanup)
        cls.whole = pathlib.Path(cls.kept.name, "whole")
        damage.thin(cls.whole, 4)

    def setUp(self):
        self.run_folder = pathlib.Path(self.kept.name, "spoilt")
        shutil.copytree(self.whole, self.run_folder)
        self.addCleanup(shutil.rmtree, self.run_folder, ignore_errors=True)

    def rows(self, name="samples.csv"):
        return damage.read_csv(self.run_folder / name)

    def write(self, rows, name="samples.csv"):
        (self.run_folder / name).write_bytes(damage.csv_bytes(rows))

    def assertUnreadable(self, *words):
        with self.assertRaises(Unreadable) as raised:
            runs.read(self.run_folder)
        for word in words:
            self.assertIn(word, str(raised.exception))
        self.assertNotIn("\n", str(raised.exception))


class Common(unittest.TestCase):
    """What is read fast is what is read with care, or is left to that."""

    NUMBERS = ["touch", "page", "ns"]
    AS_THEY_ARE = ("1", "+1", "-1", "1.", ".5", "1e5", "1E+05", "00001", "0.1", "",
                   "9007199254740993")
    LEFT = ("nan", "NaN", "NA", "inf", "-Infinity", "1e400", "1e300", "0x1", "1_0", "--1", "1e",
            "True", "\N{ARABIC-INDIC DIGIT THREE}", " 1", '"1"', "1,2", "1\n", "1\n2")

    def read(self, text):
        """(as it is read fast, as it is read with care; None where that refuses it)"""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "trace-fault-8192.csv")
            path.write_bytes(text.encode())
            columns = ["strategy", *self.NUMBERS]
            fast = runs.read_common(path, columns, self.NUMBERS)
            try:
                return fast, runs.as_numbers(runs.read_table(path, columns)[0], self.NUMBERS, path)
            except Unreadable:
                return fast, None

    def test_numbers(self):
        for number in self.AS_THEY_ARE:
            for end in ("\n", "\r\n"):
                with self.subTest(number, end=end):
                    fast, careful = self.read(end.join((
                        "strategy,touch,more,page,ns", f"fault,0,x,0,{number}",
                        "fault,1,,1,5", "")))
                    pandas.testing.assert_frame_equal(fast, careful)

    def test_what_is_left_to_care(self):
        for number in self.LEFT:
            with self.subTest(number):
                fast, _ = self.read(f"strategy,touch,page,ns\nfault,0,0,{number}\nfault,1,1,5\n")
                self.assertIsNone(fast)
        for text in ("", "\n", "strategy,touch,page\nfault,0,0\n", "strategy,touch,page,ns,ns\n",
                     "strategy,touch,page,ns\nfault,0,0,1",
                     "strategy,touch,page,ns\nfault,0,0\n1,2\n",
                     "strategy,touch,page,ns\n\nfault,0,0,1\n"):
            with self.subTest(text):
                self.assertIsNone(self.read(text)[0])


class Samples(Copy):
    def test_the_whole_run(self):
        run = runs.read(self.run_folder)
        self.assertEqual((run.notes, run.cut_off), ([], False))
        self.assertEqual(len(run.samples), len(self.rows()) - 1)
        self.assertEqual({*run.process_times} - {START}, set(run.strategies))
        self.assertEqual([*run.traces[64 * 2**20]], [*sorted(damage.CELLS)])
        row = run.samples[run.samples.status == "ok"].iloc[0]
        self.assertEqual(row.ns_per_page, float(row.undisturbed_ns) / (row.touched_bytes / 4096))

    def test_quotes_that_do_not_enclose_a_field(self):
        path = self.run_folder / "samples.csv"
        text = path.read_text()
        for field, why in (('"ok"x', "',' expected after '\"'"), ('"ok', "unexpected end of data")):
            path.write_text(text.replace(",ok,", f",{field},", 1))
            self.assertUnreadable("samples.csv, line ", why)

    def test_each_column_is_needed(self):
        for column in NEEDED:
            header, *rows = damage.read_csv(self.whole / "samples.csv")
            at = header.index(column)
            self.write([row[:at] + row[at + 1:] for row in (header, *rows)])
            self.assertUnreadable("samples.csv: no column ", column)
            self.write([[*row, row[at]] for row in (header, *rows)])
            self.assertUnreadable("samples.csv", column, "twice")

    def test_a_column_more_is_no_fault(self):
        self.write([[*row, "more"] for row in self.rows()])
        self.assertEqual(runs.read(self.run_folder).samples.shape[0], len(self.rows()) - 1)

    def test_a_cell_that_makes_no_sense_is_named(self):
        header = self.rows()[0]
        ok = next(at for at, row in enumerate(self.rows()) if row[header.index("status")] == "ok")
        for column, text, why in (
                ("total_ns", "text", "no number"), ("total_ns", "nan", "no number"),
                ("total_ns", "inf", "no number"), ("total_ns", "0", "no time"),
                ("total_ns", "", "no time"), ("total_ns", "-7", "less than nothing"),
                ("minor_faults", "1_000", "no number"), ("minor_faults", "9" * 400, "no number"),
                ("commit_calls", "-1", "less than nothing"), ("size_bytes", "0", "no size"),
                ("size_bytes", "4096.5", "whole number"),
                ("touched_bytes", "1000000000000", "region"),
                ("page_bytes", "", "no size"), ("chunk_bytes", "-4096", "no size"),
                ("round", "", "whole number"), ("strategy", "nobody", "no strategy"),
                ("status", "fine", "no status"), ("commit_system_bytes", "much", "no number")):
            rows = damage.read_csv(self.whole / "samples.csv")
            rows[ok][header.index(column)] = text
            self.write(rows)
            with self.subTest(column=column, text=text[:9]):
                self.assertUnreadable(f"samples.csv, line {ok + 1}, {column}: '{text[:40]}'", why)

    def test_a_row_that_stands_there_twice(self):
        rows = self.rows()
        self.write([*rows, rows[3]])
        self.assertUnreadable(f"samples.csv, line {len(rows) + 1}, round", "already")

    def test_rows_of_another_length(self):
        for change in (lambda row: row[:-1], lambda row: [*row, ""], lambda row: []):
            rows = damage.read_csv(self.whole / "samples.csv")
            rows[4] = change(rows[4])
            self.write(rows)
            self.assertUnreadable("samples.csv, line 5", "field", "columns")

    def test_a_last_line_that_was_cut_off_is_left_out_and_told(self):
        content = (self.whole / "samples.csv").read_bytes()
        for missing in (1, 2, 30):
            (self.run_folder / "samples.csv").write_bytes(content[:-missing])
            run = runs.read(self.run_folder)
            self.assertEqual(len(run.samples), len(self.rows()) - 2, missing)
            self.assertEqual(len(run.notes), 1)
            self.assertIn("cut off", run.notes[0])

    def test_no_row_at_all(self):
        for content in (b"", b"\r\n", b"strategy,platform"):
            (self.run_folder / "samples.csv").write_bytes(content)
            self.assertUnreadable("samples.csv")
        self.write(damage.read_csv(self.whole / "samples.csv")[:1])
        self.assertUnreadable("samples.csv", "no sample", "make bench")

    def test_what_is_no_text(self):
        content = (self.whole / "samples.csv").read_bytes()
        for spoilt, words in ((content[:999] + b"\xff" + content[999:], "no UTF-8 from byte 1000"),
                              (content[:999] + b"\0" + content[999:], "line"),
                              (content.decode().encode("utf-16"), "no UTF-8 from byte 1"),
                              (content.replace(b"linux", b'"linux', 1), "line")):
            (self.run_folder / "samples.csv").write_bytes(spoilt)
            self.assertUnreadable("samples.csv", words)
        (self.run_folder / "samples.csv").write_bytes(b"\xef\xbb\xbf" + content)
        self.assertEqual(runs.read(self.run_folder).notes, [])  # a spreadsheet's mark is no fault

    def test_a_file_that_is_none(self):
        (self.run_folder / "samples.csv").unlink()
        self.assertUnreadable("samples.csv", "No such file")
        (self.run_folder / "samples.csv").mkdir()
        self.assertUnreadable("samples.csv", "directory")

    def test_a_row_is_known_by_its_configuration_and_round(self):
        samples = runs.read(REFERENCE).samples
        self.assertFalse(samples.duplicated(subset=[*CONFIGURATION, "round"]).any())


class Environment(Copy):
    def environment(self, **changes):
        value = json.loads((self.whole / "environment.json").read_text()) | changes
        (self.run_folder / "environment.json").write_text(json.dumps(value))

    def test_what_it_does_not_say_is_unknown(self):
        kept = json.loads((self.whole / "environment.json").read_text())["strategies"]
        (self.run_folder / "environment.json").write_text(json.dumps({"strategies": kept}))
        environment = runs.read(self.run_folder).environment
        for part, names in SHAPE.items():
            if isinstance(names, dict):
                self.assertEqual(environment[part], dict.fromkeys(names), part)

    def test_what_it_says_wrongly_is_named(self):
        for changes, words in (
                ({"rounds": "many"}, "rounds"), ({"processor": []}, "processor is not an object"),
                ({"processor": {"model": ["X"]}}, "processor.model"),
                ({"seed": True}, "seed"), ({"calibration": {"clock_ns": 1e300}}, "clock_ns"),
                ({"memory": {"total_bytes": 10**400}}, "memory.total_bytes"),
                ({"calibration": {"clock_ns": float("nan")}}, "calibration.clock_ns"),
                ({"strategies": []}, "no strategies"), ({"strategies": [7]}, "strategies"),
                ({"strategies": None}, "no strategies")):
            self.environment(**changes)
            with self.subTest(words):
                self.assertUnreadable("environment.json", words)

    def test_each_key_of_a_strategy_is_held_to_its_type(self):
        described = json.loads((self.whole / "environment.json").read_text())["strategies"][0]
        strategies.from_json(described)
        for key in strategies.to_json(strategies.from_json(described)):
            for value in (None, 7, {}, [7], "../up"):
                spoilt = described | {key: value}
                if key == "summary" and value == "../up":
                    continue
                with self.subTest(key=key, value=value):
                    self.assertRaises(ValueError, strategies.from_json, spoilt)

    def test_what_is_no_json(self):
        for content in (b"", b"{", b"[]", b"null", b"\xff", b"[" * 100000, b"9" * 5000):
            (self.run_folder / "environment.json").write_bytes(content)
            self.assertUnreadable("environment.json")

    def test_a_run_that_was_cut_off_says_so(self):
        self.environment(seconds_measuring=None)
        run = runs.read(self.run_folder)
        self.assertTrue(run.cut_off)
        self.assertIn("cut off", run.notes[0])


class Details(Copy):
    def test_a_table_that_can_not_be_read_is_left_out_and_told(self):
        for name in ("calls", "limited", "samples", "staircase", f"trace-fault-{64 * 2**20}"):
            path = self.run_folder / "details" / f"{name}.csv"
            path.write_bytes(b"strategy,nothing\r\nfault,1\r\n")
            run = runs.read(self.run_folder)
            self.assertIsNone(run.detail(name))
            self.assertEqual(len(run.notes), 1, name)
            self.assertIn(f"{name}.csv", run.notes[0])
        self.assertNotIn("fault", run.traces[64 * 2**20])

    def test_one_that_is_missing_is_none(self):
        shutil.rmtree(self.run_folder / "details")
        (self.run_folder / "process_times.csv").unlink()
        run = runs.read(self.run_folder)
        self.assertEqual((run.stairs, run.calls, run.limited, run.traces, run.process_times),
                         (None, None, None, {}, {}))
        self.assertEqual(run.notes, [])

    def test_a_repeat_that_stands_there_twice(self):
        rows = self.rows("details/calls.csv")
        self.write([*rows, rows[-1]], "details/calls.csv")
        run = runs.read(self.run_folder)
        self.assertIsNone(run.calls)
        self.assertIn("already", run.notes[0])

    def test_calls_of_an_earlier_version(self):
        """They were all made beside no others, and nothing was counted."""
        header = ["call", "state", "size_bytes", "repeat", "ns"]
        row = ["reserve", "fresh", "4096", "1", "500.5"]
        self.write([header, row], "details/calls.csv")
        table = runs.read(self.run_folder).calls
        self.assertEqual((table.ns[0], table.mappings[0], table.status[0]), (500.5, 0, "ok"))
        self.assertTrue(table.commit_bytes.isna().all())

    def test_calls_that_nobody_timed(self):
        """Only a row of another status has no time."""
        header = ["call", "state", "size_bytes", "repeat", "ns", "status"]
        for ns, status, reads in (("", "refused", True), ("", "ok", False), ("0", "ok", False),
                                  ("1", "done", False), ("-1", "refused", False)):
            self.write([header, ["lock", "touched", "4096", "1", ns, status]], "details/calls.csv")
            self.assertEqual(runs.read(self.run_folder).calls is not None, reads, (ns, status))

    def test_a_strategy_may_have_a_dash_in_its_name(self):
        facts = json.loads((self.whole / "environment.json").read_text())
        facts["strategies"].append(facts["strategies"][1] | {"name": "by-page"})
        (self.run_folder / "environment.json").write_text(json.dumps(facts))
        header, *rows = self.rows(f"details/trace-fault-{64 * 2**20}.csv")
        self.write([header, *(["by-page", *row[1:]] for row in rows)],
                   "details/trace-by-page-4096.csv")
        self.assertEqual([*runs.read(self.run_folder).traces[4096]], ["by-page"])

    def test_process_times(self):
        self.write([["strategy", "whole_ns", "total_ns"], ["fault", "30", "1"],
                    ["fault", "10", "2"], ["fault", "20", ""], [START, "5", ""]],
                   "process_times.csv")
        self.assertEqual(runs.read(self.run_folder).process_times,
                         {"fault": (20, 10, 30, 1.5), START: (5, 5, 5, 0.0)})
        self.write([["strategy", "whole_ns", "total_ns"], ["fault", "0", "1"]], "process_times.csv")
        run = runs.read(self.run_folder)
        self.assertEqual(run.process_times, {})
        self.assertIn("process_times.csv, line 2, whole_ns", run.notes[0])


class Damaged(unittest.TestCase):
    """Nothing that happens to a file ends otherwise than well or with one line."""

    def test_by_many_seeds(self):
        outcomes = []
        with damage.Workshop() as workshop:
            for seed in (*range(SEEDS), *ONCE_FAILED):
                with self.subTest(seed=seed):
                    outcomes += workshop.attempt(seed)[1]
        well = outcomes.count("well")
        self.assertGreater(well, len(outcomes) / 5)
        self.assertGreater(len(outcomes) - well, len(outcomes) / 5)

    def test_random_subsets_of_rows_are_drawn(self):
        for strategies_kept in ({"fault"}, {"upfront"}, {"chunked"}, {"guard", "fault"}):
            with damage.Workshop() as workshop, self.subTest(strategies_kept):
                header, *rows = damage.read_csv(workshop.run / "samples.csv")
                for kept in ([row for row in rows if row[0] in strategies_kept],
                             [row for row in rows if row[0] in strategies_kept][:1]):
                    (workshop.run / "samples.csv").write_bytes(damage.csv_bytes([header, *kept]))
                    self.assertEqual(damage.outcome(damage.draw, workshop.run), "well")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_without_permission(self):
        with damage.Workshop() as workshop:
            (workshop.run / "samples.csv").chmod(0)
            self.assertIn("samples.csv: Permission denied",
                          damage.outcome(damage.draw, workshop.run))


if __name__ == "__main__":
    unittest.main()
