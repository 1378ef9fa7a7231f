"""Charts: each is a pair of files; what a run's files hold is shown as it is and never runs;
colours go by name; no text leaves its picture."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest
import unittest.mock
from xml.etree import ElementTree

import browser
import made
import reference
from support import ROOT

from vmcommit.analyse import analysis, digest
from vmcommit.analyse import fleet as analyse_fleet
from vmcommit.base.problems import Problem
from vmcommit.base.units import MIB
from vmcommit.gate import changes, history
from vmcommit.show import (caption, charts, fleet, frame, gnuplot, looks, page, side_by_side,
                           trend)
from vmcommit.show.chart import (FLEET, HISTORY, RECORDING, RECORDINGS, RUN, RUNS,
                                 SURROUNDINGS)

FOLDER = ROOT / "scripts" / "vmcommit" / "show" / "charts"
GNUPLOT = shutil.which("gnuplot")
ALL = (RUN, SURROUNDINGS, RUNS, FLEET, HISTORY, RECORDING, RECORDINGS)  # that a chart can show
HOSTILE = "'; system('touch pwned'); x='"
TEXTS = (HOSTILE, '"; system("touch pwned"); x="', "`touch pwned`", "$(touch pwned)", "@pwned",
         "X @ 2.80GHz", "a_b^c_{d}^{e}", "{/Symbol a}", "100 %", "%s%d%n", "\\", "a\\", "\\n\\101",
         "'", "''", "'''", '""', "#7", "#777777", "\\0", "é1 µs ≤ 漢字", "a\tb\rc", "~!$&*[]|<>?")
MEASURE = """<!doctype html><meta charset="utf-8"><title>boxes</title>%s<pre></pre><script>
const outside = [], ROOM = 4;  // pixels, since fonts differ
for (const picture of document.querySelectorAll("svg")) {
  const frame = picture.getBoundingClientRect();
  for (const text of picture.querySelectorAll("text")) {
    const box = text.getBoundingClientRect();
    if (box.width && (box.left < frame.left + ROOM || box.right > frame.right - ROOM ||
                      box.top < frame.top || box.bottom > frame.bottom))
      outside.push(`${picture.dataset.name}: ${text.textContent}`);
  }
}
document.querySelector("pre").textContent = JSON.stringify(
  {outside, texts: document.querySelectorAll("svg text").length});
</script>"""


def texts_of(path):
    """All texts of a picture."""
    return [text.text for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
            if text.text]


def heights_of(path):
    """(text, how far below the picture's top) of each text."""
    return [(text, float(y)) for y, text in re.findall(
        r"translate\([\d.]+,([\d.]+)\)[^>]*>\s*<text>([^<]*)<",
        path.read_text(encoding="utf-8"))]


def colors_of(path):
    """All colours of a picture, as #RRGGBB."""
    return {"#" + "".join(f"{int(part):02X}" for part in parts) for parts in
            re.findall(r"rgb\( *(\d+), *(\d+), *(\d+)\)", path.read_text(encoding="utf-8"))}


def ten_new():
    """Names no look is known for, and the strategy that each is like."""
    kinds = ("chunked", "fault", "guard")
    return {f"new{number}": kinds[number % 3] for number in range(10)}


def draw_history(folder):
    """The chart of some comparisons, one of which changed."""
    rows = [dict(zip(history.COLUMNS, (
        f"2026-01-{day:02}T00:00:00+00:00", f"{day:040x}", "True", "m", f"{name} {size}", name,
        size, 1, 65536, ns * (1.2 if day > 6 else 1), ns * .9, ns * 1.3, 9, 1, 1, 1, 1)))
        for day in range(1, 13) for name, ns in (("upfront", 1500), ("fault", 6000))
        for size in (4096, 2**20)]
    history.add(folder / "history.csv", rows)
    table, _ = changes.read(folder / "history.csv")
    table["strategy"] = table.strategy.replace("fault", "a_{b}'`")
    trend.draw(table, changes.found(table), folder / "charts")


@contextlib.contextmanager
def within(folder):
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class Pairs(unittest.TestCase):
    def test_each_chart_is_a_pair(self):
        names = {name for shows in ALL for name in charts.of(shows)}
        self.assertEqual(names, {path.stem for path in FOLDER.glob("*.py")} - {"__init__"})
        scripts = {path.stem: path.read_text() for path in FOLDER.glob("*.gp")}
        self.assertLessEqual(names, set(scripts))
        for shared in set(scripts) - names:
            self.assertTrue(any(f"load '{shared}.gp'" in text for text in scripts.values()), shared)

    def test_each_says_what_it_shows_in_an_order(self):
        for shows in ALL:
            known = charts.of(shows).values()
            orders = [chart.order for chart in known]
            self.assertEqual(orders, sorted(set(orders)))
            for chart in known:
                self.assertTrue(chart.title and chart.description and chart.caption)

    def test_no_script_evaluates_text(self):
        for path in FOLDER.glob("*.gp"):
            code = "\n".join(line for line in path.read_text().splitlines()
                             if not line.startswith("#"))
            self.assertNotRegex(code, r"\b(eval|system|shell)\b|`|@|index \d|heading = ", path.name)

    def test_a_chart_is_found_by_its_file(self):
        plain = charts.of(RUN)["phases"]
        path = FOLDER / "added_by_a_test.py"
        path.write_text("import dataclasses\nfrom vmcommit.show.charts.phases import CHART\n"
                        "CHART = dataclasses.replace(CHART, order=125)\n")
        try:
            names = list(charts.of(RUN))
            self.assertEqual(names.index(path.stem), names.index("phases") + 1)
            self.assertEqual(plain.title, charts.of(RUN)[path.stem].title)
        finally:
            path.unlink()


class Words(unittest.TestCase):
    def test_captions_are_plain(self):
        for shows in ALL:
            for name, chart in charts.of(shows).items():
                text = f"{chart.title} {chart.description} {chart.caption} {chart.picture}"
                with self.subTest(chart=name):
                    self.assertNotRegex(text, r"promised|told apart|nothing beats|unseen")
                    self.assertNotRegex(text, r"(?<!confidence )(?<!prediction )\bintervals?\b")

    def test_a_caption_breaks_between_clauses(self):
        self.assertEqual(frame.wrapped("one two; three four", 12), ["one two;", "three four"])
        self.assertEqual(frame.wrapped("one; two", 12), ["one; two"])
        self.assertEqual(frame.wrapped("abcdefgh", 4), ["abcd", "efgh"])
        self.assertEqual(frame.wrapped("", 4), [""])
        lines = frame.wrapped("x" * 10000)
        self.assertEqual((len(lines), lines[-1][-1]), (frame.CAPTION_LINES, "…"))

    def test_marks_of_an_axis(self):
        self.assertEqual(frame.powers_between(4096, 70000, 4), [4096, 16384, 65536, 262144])
        self.assertEqual(frame.powers_between(4096, 4096, 4), [4096])
        self.assertEqual(frame.steps_125(3, 60), [5, 10, 20, 50])
        self.assertEqual(frame.steps_125(1100, 2600), [1500, 2000])
        self.assertEqual(frame.steps_125(2.25, 4), [3])
        self.assertEqual(frame.thinned(list(range(10)), 5), [0, 3, 6, 9])


class Looks(unittest.TestCase):
    def test_a_name_keeps_its_look_whoever_is_beside_it(self):
        alone = looks.of_names(["guard"])["guard"]
        self.assertEqual(looks.of_names(["new", "guard", "upfront"])["guard"], alone)
        self.assertEqual(alone, looks.KNOWN["guard"])

    def test_new_names_get_looks_of_their_own(self):
        names = [*looks.KNOWN, *ten_new()]
        given = looks.of_names(names)
        self.assertEqual(list(given), names)
        self.assertEqual(len({(look.color, look.mark) for look in given.values()}), len(names))
        self.assertEqual(len(looks.of_names([f"new{at}" for at in range(30)])), 30)

    def test_there_is_one_for_each_of_several_runs(self):
        self.assertEqual(len(set(looks.SERIES)), len(looks.SERIES))
        self.assertGreaterEqual(len(looks.SERIES), side_by_side.MOST)


@unittest.skipUnless(GNUPLOT, "gnuplot is not installed")
class Texts(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def test_gnuplot_has_each_text_as_it_is(self):
        texts = [*TEXTS, *(f"{chr(code)}{digit}7" for code in range(33, 127) for digit in "09")]
        lines = [f"print {gnuplot.literal(text)}" for text in texts]
        (self.folder / "texts.gp").write_text("set print 'printed'\n" + "\n".join(lines) + "\n",
                                              encoding="utf-8")
        subprocess.run([GNUPLOT, "-d", "texts.gp"], cwd=self.folder, check=True, timeout=60)
        self.assertEqual((self.folder / "printed").read_text(encoding="utf-8").split("\n"),
                         [re.sub("[\t\r]", " ", text) for text in texts] + [""])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["printed", "texts.gp"])

    def test_unknown_numbers_are_not_drawn(self):
        self.assertEqual([gnuplot.expression(value) for value in
                          (1, 0.5, float("nan"), float("inf"))], ["1.0", "0.5", "NaN", "NaN"])

    def fake(self, script):
        """A gnuplot that does this."""
        path = self.folder / "bin" / "gnuplot"
        path.parent.mkdir()
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return unittest.mock.patch.dict(os.environ, PATH=f"{path.parent}:{os.environ['PATH']}")

    def test_a_gnuplot_that_fails_is_a_problem_of_one_line(self):
        for script, words in (("echo first >&2; echo no terminal >&2; exit 3", "no terminal"),
                              ("printf '<svg>' > picture", "is not whole"), ("", "is not whole")):
            with self.subTest(script=script), self.fake(script):
                plot = gnuplot.Plot(self.folder / "scratch")
                plot.folder.mkdir()
                with self.assertRaisesRegex(Problem, words) as raised:
                    gnuplot.picture(plot, "latency", "svg")
                self.assertEqual(len(str(raised.exception).splitlines()), 1)
            shutil.rmtree(self.folder / "bin")
            shutil.rmtree(self.folder / "scratch")


@unittest.skipUnless(GNUPLOT, "gnuplot is not installed")
class Pictures(unittest.TestCase):
    """The reference run, one with hostile texts and paths, and one with ten new strategies."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.root = pathlib.Path(scratch.name)
        samples = reference.with_questions(reference.rows(rounds=12))
        described = reference.environment()
        cls.names = {"a'`\"; system('touch pwned') @x {b}^2_3 \\ 5 %": "chunked",
                     "upfront": "upfront", "guard": "guard", "<script>|": "fault",
                     "W" * 60: "fault"}
        cls.model = " ".join(TEXTS) + "\nnext line " + "W" * 300
        hostile = reference.like(samples, cls.names)
        hostile[0]["touch_order"] = "`touch pwned` %s '\""
        hostile_run = reference.described_like(described, cls.names)
        hostile_run["processor"] = {**described["processor"], "model": cls.model}
        hostile_run["system"] = {**described["system"], "kernel": HOSTILE}
        ten = {"upfront": "upfront", **ten_new()}
        place = cls.root / f"a b {HOSTILE} \"`touch pwned`\n@x"
        cls.folders = {
            "plain": reference.write(cls.root / "plain", samples, described),
            "hostile": reference.write(place / "run", hostile, hostile_run, cls.names),
            "ten": reference.write(cls.root / "ten", reference.like(samples, ten),
                                   reference.described_like(described, ten), ten)}
        reference.add_traces(cls.folders["plain"], ("upfront", "fault", "chunked", "guard"))
        reference.add_forks(cls.folders["plain"])
        reference.add_traces(cls.folders["ten"], ten_new())
        for name in ("plain", "ten"):
            made.write_replays(cls.folders[name], "`$(x) @2%", [
                *made.replays(), *made.replays(0.7, "populate", most_resident_bytes=8 * MIB),
                *made.replays(2, purge="free")])
        with within(cls.root):
            with reference.names_unchecked():
                cls.analysed = {name: analysis.read(folder)
                                for name, folder in cls.folders.items()}
            cls.drawn = {"plain": charts.draw(cls.analysed["plain"],
                                              cls.folders["plain"] / "charts")}
            with reference.without_png():
                for name in ("hostile", "ten"):
                    cls.drawn[name] = charts.draw(cls.analysed[name],
                                                  cls.folders[name] / "charts")
                cls.draw_together()
                cls.draw_fleet()
                draw_history(cls.root / "history")
        cls.folders["history"] = cls.root / "history"

    @classmethod
    def draw_together(cls):
        runs = list(cls.analysed.values())
        names = side_by_side.labels(runs, list(cls.folders.values()))
        cls.folders["together"] = cls.root / "together"
        cls.drawn["together"] = side_by_side.draw(runs, names, cls.root / "together" / "charts")

    @classmethod
    def draw_fleet(cls):
        folders = list(cls.folders.values())[:3]
        with reference.names_unchecked():
            told = analyse_fleet.Fleet([digest.digest(folder) for folder in folders])
        cls.folders["fleet"] = cls.root / "fleet"
        cls.drawn["fleet"] = fleet.draw(told, cls.root / "fleet" / "charts")

    def picture(self, run, chart):
        return self.folders[run] / "charts" / f"{chart}.svg"

    def test_all_there_is_to_draw_is_drawn(self):
        for run, *shown in (("plain", RUN, SURROUNDINGS), ("ten", RUN), ("together", RUNS),
                            ("fleet", FLEET)):
            self.assertEqual(list(self.drawn[run]),
                             [chart for shows in shown for chart in charts.of(shows)])
        for folder in self.folders.values():
            for path in (folder / "charts").glob("*.png"):
                self.assertTrue(path.read_bytes().endswith(gnuplot.ENDS["png"]))

    def test_each_on_a_page_has_a_table_behind_it(self):
        for run, drawn in self.drawn.items():
            for chart, behind in drawn.items():
                with self.subTest(run=run, chart=chart):
                    self.assertTrue([figures for figures in behind if figures.count])

    def test_nothing_of_a_run_is_carried_out(self):
        self.assertEqual([path for path in self.root.rglob("pwned")], [])
        self.assertEqual([path for path in pathlib.Path(tempfile.gettempdir()).glob("*/pwned")], [])

    def test_texts_show_as_they_are(self):
        for chart in self.drawn["hostile"]:
            shown = texts_of(self.picture("hostile", chart))
            with self.subTest(chart=chart):
                self.assertIn("X @ 2.80GHz a_b^c_{d}^{e} {/Symbol a} 100 % %s%d%n \\ a\\ \\n\\101",
                              " ".join(shown))
                self.assertTrue(any(text.startswith("'; system('touch") for text in shown))
        shown = texts_of(self.picture("hostile", "phases"))
        for name in self.names:
            self.assertIn(looks.short(name), shown)

    def test_colours_go_by_name(self):
        known = {name: look.color for name, look in looks.KNOWN.items()}
        for chart in ("latency", "ratio", "faults", "steps"):
            with self.subTest(chart=chart):
                colors = colors_of(self.picture("hostile", chart))
                self.assertIn(known["guard"], colors)
                self.assertFalse({known["fault"], known["chunked"]} & colors)
        colors = colors_of(self.picture("ten", "latency"))
        self.assertLessEqual({look.color for look in looks.of_names(ten_new()).values()}, colors)
        self.assertNotIn(known["fault"], colors)

    def test_a_page_has_the_colours_of_the_picture(self):
        """But for lines that only a picture can tell apart by more than their colour."""
        for run, drawn in self.drawn.items():
            for chart, behind in drawn.items():
                for each in behind if chart not in ("calls", "staircase") else ():
                    if each.lines and each.count:
                        shown = {row["color"] for row in page.figure_rows(each)}
                        with self.subTest(run=run, chart=chart):
                            self.assertLessEqual(shown, colors_of(self.picture(run, chart)))

    def test_a_caption_says_how_many_samples_its_chart_is_of(self):
        run = self.analysed["plain"].run
        repeats = run.calls.groupby(["call", "state", "size_bytes", "mappings"]).size()
        self.assertEqual(repeats.nunique(), 1)
        for chart, said in (("calls", f"medians of {repeats.iloc[0]} samples, 95 %"),
                            ("staircase", "one cycle of each"),
                            ("distribution", "one cycle of each"),
                            ("process_times", "from the shortest to the longest"),
                            ("latency", caption.samples(self.analysed["plain"].summary))):
            with self.subTest(chart=chart):
                self.assertIn(said, " ".join(texts_of(self.picture("plain", chart))))

    @unittest.skipUnless(browser.CHROMIUM, "chromium is not installed")
    def test_no_text_leaves_its_picture(self):
        pictures = [(f"{run}/{path.stem}", path.read_text(encoding="utf-8"))
                    for run, folder in self.folders.items()
                    for path in sorted((folder / "charts").glob("*.svg"))]
        inline = "".join(re.sub(r"(?s)^.*?<svg", f'<svg data-name="{name}"', text, count=1)
                         for name, text in pictures)
        (self.root / "boxes.html").write_text(MEASURE % inline, encoding="utf-8")
        with browser.tab() as tab:
            tab.open((self.root / "boxes.html").as_uri())
            measured = json.loads(tab.tell("document.querySelector('pre').textContent"))
        self.assertGreater(measured["texts"], 20 * len(pictures))
        self.assertEqual(measured["outside"], [])

    def test_no_title_of_an_axis_is_missing(self):
        """gnuplot leaves out what has no room at all."""
        for run, drawn in self.drawn.items():
            for chart in drawn:
                script = (FOLDER / f"{chart}.gp").read_text()
                titles = re.findall(r"set (?:x|y|y2)label '([^']+)'$", script, re.M)
                with self.subTest(run=run, chart=chart):
                    self.assertLessEqual(set(titles), set(texts_of(self.picture(run, chart))))

    def test_several_runs_share_the_panel_of_a_strategy(self):
        shown = texts_of(self.picture("together", "runs_latency"))
        for name in ("upfront", "guard", "chunked", "new1"):
            self.assertEqual(shown.count(name), 1, name)

    def test_heading_legend_and_panels_lie_below_each_other(self):
        for chart in ("grid", "staircase", "touches"):
            heights = heights_of(self.picture("ten", chart))
            title = dict(heights)[charts.of(RUN)[chart].title]
            panels = [height for text, height in heights if re.match(r"new\d", text)]
            with self.subTest(chart=chart):
                self.assertLess(title, 40)
                self.assertLess(title + 10, min(panels))
        legend = dict(heights_of(self.picture("ten", "staircase")))
        self.assertLess(legend["upfront"] + 10, legend["new0, steps 1 MiB, 4 MiB, 16 MiB"])

    def test_findings_name_every_strategy(self):
        for run in ("plain", "ten"):
            analysed = self.analysed[run]
            for chart in charts.of(RUN).values():
                finding = chart.finding(analysed)
                self.assertTrue(finding.endswith("."), chart.title)
                self.assertNotIn("nan", finding)
        finding = charts.of(RUN)["latency"].finding(self.analysed["ten"])
        for name in ten_new():
            self.assertIn(f"{name} ", finding)


if __name__ == "__main__":
    unittest.main()
