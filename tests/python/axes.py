"""The axes of charts hold all that is drawn, and not much more; what is drawn is the reference run,
with made-up rows where it has none. Nothing is drawn here: what gnuplot is told is read back."""

import dataclasses
import math
import pathlib
import re
import tempfile
import types
import unittest
from unittest import mock

import pandas

import reference

from vmcommit.analyse import analysis
from vmcommit.base.problems import Problem
from vmcommit.show import charts, gnuplot, side_by_side, trend
from vmcommit.show.chart import HISTORY, RUN, RUNS, SURROUNDINGS
from vmcommit.show.charts import buffer, calls, distribution, tradeoff
from vmcommit.show.charts import list as lists

# chart: {axis: (the tables that are drawn along it, and the columns of each)}
SIZES, TIMES = (("full", 0), ("sparse", 0)), (("full", 1, 2, 3), ("sparse", 1, 2, 3))
PANELS = tuple((f"panel{number}", 1, 2, 3) for number in (1, 2, 3))
PANEL_SIZES = tuple((f"panel{number}", 0) for number in (1, 2, 3))
CALLS_SIZES = tuple((f"panel{number}", 0) for number in range(1, 6))
CALLS_TIMES = tuple((f"panel{number}", 1, 2, 3) for number in range(1, 6))
THREADS = tuple((f"panel{number}", 0) for number in (1, 2))
SPEEDS = tuple((f"panel{number}", 1, 2, 3) for number in (1, 2))
DRAWN = {
    "staircase": {"charge": (("across", 1), ("panel1", 1), ("panel2", 1))},
    "latency": {"size": SIZES, "time": TIMES},
    "ratio": {"size": (("ratio", 0),), "ratio": (("ratio", 1, 2, 3),)},
    "tradeoff": {"waste": (("paths", 0), ("frontier", 0)), "time": (("paths", 1), ("frontier", 1))},
    "charge": {"size": SIZES, "charge": (("full", 1), ("sparse", 1))},
    "faults": {"size": (("minor", 0),), "count": (("minor", 1), ("handled", 1))},
    "steps": {"step": (("time", 0), ("time_across", 0)), "time": (("time", 1), ("time_across", 1)),
              "charge": (("charge", 1), ("charge_across", 1))},
    "calls": {"size": CALLS_SIZES, "time": CALLS_TIMES, "others": (("panel6", 1, 2, 3),)},
    "list": {"time": (*((f"panel{number}", 1, 2, 3) for number in range(1, 6)),
                      ("dashes3", 1, 2, 3), ("dashes5", 1, 2, 3)),
             "overhead": (("panel6", 1, 2, 3),), "node_bytes": (("panel1", 0), ("panel6", 0)),
             "nodes": (("panel4", 0), ("panel5", 0))},
    "buffer": {"size": PANEL_SIZES, "time": (("panel2", 1, 2, 3), ("worst", 1, 2, 3)),
               "flow": (("panel1", 1, 2, 3),), "share": (("panel3", 1, 2, 3),)},
    "commit_kinds": {"step": (("ratios", 0),), "ratio": (("ratios", 1, 2, 3),)},
    "fork": {"size": PANEL_SIZES[:1], "time": PANELS[:2]},
    "giving_back": {"time": (("back", 0, 2, 3), ("again", 0, 2, 3))},
    **{f"threads_{what}": {"threads": THREADS, "value": (*SPEEDS, *more)} for what, more in (
        ("speed", (("perfect1", 1), ("perfect2", 1))), ("cpu", ()), ("locks", ()))},
    "process_times": {"process": (("processes", 0, 1, 2, 3),)},
    "runs_latency": {"size": (("panel1", 0),), "time": PANELS},
    "runs_ratio": {"size": (("panel1", 0),), "ratio": PANELS},
}
MOST = 3.01  # times the largest value that an axis may reach


def numbers(text):
    """Of a table, row by row; what is unknown is left out."""
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return [[float(cell) for cell in row] for row in rows if row[0] != "NaN"]


class Axes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        run = analysis.read(reference.REFERENCE)
        whole = reference.write(pathlib.Path(scratch.name, "asked"), reference.with_questions(
            reference.rows(rounds=12)), reference.environment())
        reference.add_forks(whole)
        asked = analysis.read(whole)
        cls.both = side_by_side.Together([run, run], ["one", "two"])
        cls.analysed, cls.plots = run, {}
        for shows, subject in ((RUN, run), (RUN, asked), (SURROUNDINGS, asked), (RUNS, cls.both)):
            for name in sorted(charts.of(shows).keys() - cls.plots.keys()):
                folder = pathlib.Path(scratch.name, name)
                folder.mkdir(exist_ok=True)
                plot = gnuplot.Plot(folder)
                if charts.of(shows)[name].prepare(subject, plot):
                    cls.plots[name] = plot

    def defined(self, chart, name):
        """The number that gnuplot is told; None where it is told none."""
        told = [line.rpartition(" = ")[2] for line in self.plots[chart].settings
                if line.startswith(f"{name} = ")]
        return float(told[-1]) if told else None

    def values(self, chart, tables):
        return [row[column] for name, *columns in tables
                for row in numbers((self.plots[chart].folder / f"{name}.dat").read_text("utf-8"))
                for column in columns if column < len(row) and not math.isnan(row[column])]

    def test_each_holds_what_is_drawn(self):
        for chart, axes in DRAWN.items():
            for axis, tables in axes.items():
                values = self.values(chart, tables)
                low = self.defined(chart, f"{axis}_low")
                with self.subTest(chart=chart, axis=axis):
                    self.assertLessEqual(max(values), self.defined(chart, f"{axis}_high"))
                    self.assertLessEqual(self.defined(chart, f"{axis}_high"), MOST * max(values))
                    if low is not None:
                        self.assertLessEqual(low, min(values))
                        self.assertLessEqual(min(values), MOST * low)

    def test_what_has_no_step_goes_across_the_whole_chart(self):
        ends = [self.defined("steps", f"step_{end}") for end in ("low", "high")]
        for table in ("time_across", "charge_across"):
            rows = numbers((self.plots["steps"].folder / f"{table}.dat").read_text("utf-8"))
            xs = [row[0] for row in rows]
            self.assertGreaterEqual(len(xs), 2)
            for at, x in enumerate(xs):
                self.assertAlmostEqual(x / ends[at % 2], 1, 6)

    def test_marks_lie_on_their_axis_and_rise(self):
        for chart, plot in self.plots.items():
            for line in plot.settings:
                marked = re.match(r"array (\w+)_at\[\d+\] = \[(.*)\]", line)
                high = marked and self.defined(chart, f"{marked[1]}_high")
                if not high:
                    continue
                with self.subTest(chart=chart, axis=marked[1]):
                    at = [float(number) for number in marked[2].split(", ")]
                    self.assertEqual(at, sorted(set(at)))
                    self.assertGreaterEqual(len(at), 2)
                    self.assertGreaterEqual(at[0], self.defined(chart, f"{marked[1]}_low") or 0)

    def test_panels_of_several_runs_stand_in_two_rows_or_three_columns(self):
        for count, columns in ((1, 1), (2, 1), (3, 2), (4, 2), (6, 3), (7, 3)):
            names = [f"n{number}" for number in range(count)]
            plot = gnuplot.Plot(self.plots["runs_latency"].folder.parent)
            with mock.patch.object(self.both, "strategies", return_value=names):
                charts.of(RUNS)["runs_latency"].prepare(self.both, plot)
            self.assertIn(f"columns = {columns}.0", plot.settings)

    def test_a_single_size_or_step_is_no_chart(self):
        """As in a campaign that asks something else."""
        rows = self.analysed.summary
        rows = rows[(rows.size_bytes == 2**26) & ~(rows.stepped & (rows.chunk_bytes != 2**16))]
        alone = dataclasses.replace(self.analysed, summary=rows)
        for name in ("latency", "ratio", "charge", "faults", "steps"):
            self.assertIn(name, self.plots)
            self.assertFalse(charts.of(RUN)[name].prepare(alone, mock.Mock()), name)

    def test_without_a_row_there_is_nothing_to_draw(self):
        empty = types.SimpleNamespace(summary=self.analysed.summary.iloc[:0])
        together = side_by_side.Together([empty, empty], ["one", "two"])
        for name, chart in charts.of(RUNS).items():
            self.assertIs(chart.prepare(together, None), False, name)

    def test_runs_of_one_name_are_told_apart_by_their_folders(self):
        runs = [types.SimpleNamespace()] * 2
        with mock.patch.object(side_by_side, "distinguishing", return_value=("alike",)):
            for folders, names in ((("a/latest", "b/latest"), ["a/latest", "b/latest"]),
                                   (("a/first", "b/second"), ["first", "second"])):
                self.assertEqual(side_by_side.labels(runs, list(map(pathlib.Path, folders))), names)

    def test_too_few_rounds_are_not_apart(self):
        def row(low, high, confidence=0.95):
            return types.SimpleNamespace(ratio_to_upfront_low=low, ratio_to_upfront_high=high,
                                         ratio_confidence=confidence)
        one, other = row(1.0, 1.1), row(1.2, 1.3)
        self.assertTrue(side_by_side.apart("fault", [one, other]))
        self.assertFalse(side_by_side.apart("fault", [one, row(1.05, 1.3)]))
        for confidence in (0.5, math.nan):
            self.assertIsNone(side_by_side.apart("fault", [one, row(1.2, 1.3, confidence)]))

    def test_a_chart_of_several_runs_has_no_finding(self):
        for shows in (RUNS, HISTORY):
            for name, chart in charts.of(shows).items():
                self.assertEqual(chart.finding(None), "", name)

    def test_every_axis_is_looked_at(self):
        told = {(chart, line.partition("_high = ")[0]) for chart, plot in self.plots.items()
                for line in plot.settings if re.match(r"\w+_high = ", line)}
        self.assertEqual(told - {("orders", "region")},
                         {(chart, axis) for chart, axes in DRAWN.items() for axis in axes})


class Calls(unittest.TestCase):
    """The chart of single calls, by times that are made up."""

    ROWS = [(call, state, size, mappings, "ok", ns)
            for call, state, ns in (("reserve", "fresh", 500), ("protect_read", "touched", 900),
                                    ("protect_read", "committed", 300),
                                    ("virtualquery", "touched", 200),
                                    ("reserve_top_down", "fresh", 600))
            for size in (4096, 32768) for mappings in (0, 1000) for repeat in range(9)]

    def analysed(self, rows, platform="linux"):
        table = pandas.DataFrame(rows, columns=["call", "state", "size_bytes", "mappings", "status",
                                                "ns"])
        return types.SimpleNamespace(run=types.SimpleNamespace(calls=table),
                                     summary=pandas.DataFrame({"platform": [platform]}))

    def test_what_is_drawn(self):
        with tempfile.TemporaryDirectory() as scratch:
            plot = gnuplot.Plot(pathlib.Path(scratch))
            self.assertTrue(calls.prepare(self.analysed(self.ROWS), plot))
            protect, query, beside = ((plot.folder / f"panel{number}.dat").read_text("utf-8")
                                      .split("\n\n\n") for number in (3, 5, 6))
        self.assertEqual(protect[0].splitlines(), ['# "1 touched"', "4096 900 900 900",
                                                   "32768 900 900 900"])
        self.assertEqual(protect[1].splitlines()[1], "4096 300 300 300")
        self.assertEqual(query[0].splitlines()[1], "4096 200 200 200")
        self.assertEqual(beside[1].splitlines(), ['# "1 untouched"', "0 600 600 600",
                                                  "1 600 600 600"])
        names = {line.partition("[")[0]: line.partition(" = ")[2] for line in plot.settings
                 if "_name[" in line}
        self.assertEqual(names["array full_name"].count("only"), 2, names)  # and beside others
        self.assertEqual(names["array dashed_name"].count("top down"), 1)

    def test_finding(self):
        self.assertEqual(calls.finding(self.analysed(self.ROWS)),
                         "A touched range of 32 KiB takes: protect_read 900 ns, virtualquery "
                         "200 ns.")

    def test_nothing_to_draw(self):
        alike = [row for row in self.ROWS if row[0] == "reserve_top_down"]
        for analysed in (self.analysed([]), self.analysed(alike), self.analysed(self.ROWS, "wine"),
                         self.analysed([(*row[:4], "refused", math.nan) for row in self.ROWS])):
            self.assertFalse(calls.prepare(analysed, mock.Mock()))


class Workloads(unittest.TestCase):
    """The charts of the list and of the buffer, by figures that are made up."""

    LISTS = [(source, growth, chunk, "ok", node, number, append, 2.0, 3.0, release, charge)
             for source, growth, chunk, append, release, share in (
                 ("check", "fixed", 65536, 20.0, 4000.0, 1.0),
                 ("malloc", "fixed", 65536, 30.0, math.nan, 1.5))
             for node, number in ((64, 1000), (64, 4096), (256, 1024))
             for charge in (share * node * number,) for repeat in range(7)]
    BUFFERS = [(way, "ok", 64, 2**20, ns, 0, hit, hit and 10 * hit, 5e5)
               for way, ns, hit in (("protect", 2e6, 20000.0), ("check", 1e6, 100.0),
                                    ("condition", 4e6, math.nan)) for repeat in range(7)]

    def analysed(self, table, rows, platform="linux"):
        columns = {"lists": ["source", "growth", "chunk_bytes", "status", "node_bytes", "nodes",
                             "append_node_ns", "traverse_node_ns", "free_node_ns", "release_ns",
                             "commit_bytes"],
                   "buffers": ["way", "status", "packet_bytes", "bytes", "ns", "hits",
                               "hit_p50_ns", "hit_p99_9_ns", "throttled_ns"]}[table]
        run = types.SimpleNamespace(lists=None, buffers=None)
        if rows is not None:
            setattr(run, table, pandas.DataFrame(rows, columns=columns))
        return types.SimpleNamespace(run=run, summary=pandas.DataFrame({"platform": [platform]}))

    def drawn(self, chart, analysed, name):
        with tempfile.TemporaryDirectory() as scratch:
            plot = gnuplot.Plot(pathlib.Path(scratch))
            self.assertTrue(chart.prepare(analysed, plot))
            text = (plot.folder / f"{name}.dat").read_text("utf-8")
        return [block.splitlines() for block in text.split("\n\n\n")]

    def test_a_list_by_size_and_by_number(self):
        analysed = self.analysed("lists", self.LISTS)
        self.assertEqual(self.drawn(lists, analysed, "panel1")[0],
                         ['# "1"', "64 20 20 20", "256 20 20 20"])
        self.assertEqual(self.drawn(lists, analysed, "panel4")[4], ['# "5"', "1000 30 30 30"])
        self.assertEqual(self.drawn(lists, analysed, "panel6")[4][1], "64 50 50 50")
        self.assertEqual(self.drawn(lists, analysed, "dashes3")[0][2],
                         "256 3.90625 3.90625 3.90625")
        self.assertEqual(lists.finding(analysed),
                         "Appending a node of 64 bytes takes 20 ns (check, 64 KiB), 30 ns "
                         "(malloc). All of them go back in 4 µs as one range, in 12.3 µs node "
                         "by node by malloc.")

    def test_lists_of_other_sizes_alone(self):
        rows = [row for row in self.LISTS if row[4] == 256]
        self.assertFalse(lists.prepare(self.analysed("lists", rows), mock.Mock()))

    def test_a_hit_in_which_the_clock_did_not_tick(self):
        rows = [row[:6] + (0.0, 0.0) + row[8:] if row[0] == "protect" else row
                for row in self.BUFFERS]
        analysed = self.analysed("buffers", rows)
        self.assertEqual(self.drawn(buffer, analysed, "panel2")[1], ['# "check"', "64 100 100 100"])

    def test_a_buffer_by_way(self):
        analysed = self.analysed("buffers", self.BUFFERS)
        self.assertEqual(self.drawn(buffer, analysed, "panel1")[0],
                         ['# "protect"', "64 500 500 500"])
        self.assertEqual(self.drawn(buffer, analysed, "panel3")[1], ['# "check"', "64 50 50 50"])
        self.assertEqual(self.drawn(buffer, analysed, "worst")[1],
                         ['# "check"', "64 1000 1000 1000"])
        self.assertEqual(buffer.finding(analysed),
                         "With packets of 64 B: inaccessible page, 500 MiB/s, a hit takes 20 µs; "
                         "check, 1000 MiB/s, a hit takes 100 ns; lock and condition, 250 MiB/s.")

    def test_times_without_a_power_of_ten_between_them_have_marks(self):
        for hit in (20000.0, math.nan):
            rows = [(*row[:6], hit, hit, row[-1]) for row in self.BUFFERS]
            with tempfile.TemporaryDirectory() as scratch:
                plot = gnuplot.Plot(pathlib.Path(scratch))
                self.assertTrue(buffer.prepare(self.analysed("buffers", rows), plot))
            marks, = [line for line in plot.settings if line.startswith("array time_at")]
            self.assertNotIn("[]", marks)

    def test_nothing_to_draw(self):
        for chart, table, rows in ((lists, "lists", self.LISTS), (buffer, "buffers", self.BUFFERS)):
            for analysed in (self.analysed(table, None), self.analysed(table, []),
                             self.analysed(table, rows, "wine")):
                self.assertFalse(chart.prepare(analysed, None))


class Touches(unittest.TestCase):
    def marks(self, *ns):
        with tempfile.TemporaryDirectory() as scratch:
            plot = gnuplot.Plot(pathlib.Path(scratch))
            distribution.touch_axis(plot, {4096: {"fault": pandas.DataFrame({"ns": ns})}})
        told, = [line for line in plot.settings if line.startswith("array touch_at")]
        return [float(number) for number in told.rpartition("[")[2].rstrip("]").split(",")]

    def test_an_axis_with_less_than_two_powers_of_ten_has_other_marks(self):
        self.assertEqual(self.marks(90, 20000), [100, 1000, 10000])
        self.assertEqual(self.marks(1900, 46000), [2000, 5000, 10000, 20000, 50000])
        self.assertEqual(self.marks(2000, 4000), [2000, 3000, 4000])


class Tradeoff(unittest.TestCase):
    def test_the_corners_of_what_nothing_beats(self):
        self.assertEqual(tradeoff.frontier([[3, 5], [1, 9], [2, 9], [4, 7]]),
                         [[1, 9], [3, 9], [3, 5]])

    def test_labels_that_are_too_close_are_one(self):
        path = [[4096, 1000, 4096], [4096 * 1.4, 950, 8192], [4096 * 1.9, 900, 16384],
                [65536, 880, 65536], [65536 * 1.3, 700, 131072], [2**20, 700, 2**20]]
        self.assertEqual(tradeoff.step_labels(path), [
            [4096, 1000, "4 KiB–16 KiB"], [65536, 880, "64 KiB"],
            [65536 * 1.3, 700, "128 KiB"], [2**20, 700, "1 MiB"]])
        self.assertEqual(tradeoff.step_labels([]), [])


class History(unittest.TestCase):
    """The chart of comparisons, by a history that is made up."""

    def plot(self, strategies, sizes=(4096, 2**20), folder=None):
        rows = [{"time": f"day {day}", "machine": "m", "strategy": f"s{number}",
                 "cell": f"strategy=s{number}/size={size}/touch=1", "size_bytes": size,
                 "touch": 1.0,
                 "chunk_bytes": 65536, "ns_per_page": 100 * number, "ns_per_page_low": 90,
                 "ns_per_page_high": 1000} for day in (1, 2, 3)
                for number in range(1, strategies + 1) for size in sizes]
        table = pandas.DataFrame(rows)
        changed = ("s1 4 KiB", table.iloc[2 * len(table) // 3], 1.5)  # on the third day
        plot = gnuplot.Plot(folder)
        self.assertTrue(charts.of(HISTORY)["trend"].prepare(trend.History(table, [changed]), plot))
        return plot

    def test_drawn_or_said(self):
        table = pandas.DataFrame({"time": ["a", "b", "a"], "machine": "m", "cell": "strategy=a",
                                  "touch": 1.0, "chunk_bytes": 65536})
        with mock.patch.object(trend.charts, "draw_each", return_value=["trend"]) as drawn:
            trend.draw(table, [], "folder")
        shows, history, folder, text = drawn.call_args.args
        self.assertEqual((shows, list(history.rows.time), folder), (HISTORY, ["a", "b", "a"],
                                                                    "folder"))
        self.assertTrue(text.startswith("2 comparisons, oldest left; medians with "), text)
        with mock.patch.object(trend.charts, "draw_each", return_value=[]), \
                self.assertRaisesRegex(Problem, "no chart: no comparison .* at a step of 64 KiB"):
            trend.draw(table, [], "folder")
        for column in ("touch", "chunk_bytes"):
            self.assertTrue(trend.History(table.assign(**{column: 0.5}), []).rows.empty)

    def test_panels(self):
        for strategies, columns, rows in ((1, 1, 1), (2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 3, 2),
                                          (6, 3, 2), (7, 3, 3)):
            with tempfile.TemporaryDirectory() as scratch:
                told = self.plot(strategies, folder=pathlib.Path(scratch)).settings
            self.assertIn(f"columns = {columns:.1f}", told, strategies)
            self.assertIn(f"rows = {rows:.1f}", told, strategies)

    def test_what_is_drawn(self):
        with tempfile.TemporaryDirectory() as scratch:
            plot = self.plot(2, folder=pathlib.Path(scratch))
            panel, changes = ((plot.folder / f"{name}.dat").read_text("utf-8").split("\n\n\n")
                              for name in ("panel2", "changes"))
        self.assertEqual(panel[0].splitlines(), ['# "1"', "1 200 90 1000", "2 200 90 1000",
                                                 "3 200 90 1000"])
        self.assertEqual(changes[0].splitlines(), ['# "1"', "3"])
        self.assertEqual(changes[1].splitlines()[1][:3], "NaN")
        for told in ("time_low = 72.0", "time_high = 1200.0", "comparisons = 3.0"):
            self.assertIn(told, plot.settings)
        self.assertEqual([entry[0] for entry in plot.legend], ["4 KiB", "1 MiB"])


if __name__ == "__main__":
    unittest.main()
