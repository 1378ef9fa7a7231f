"""The report as readers meet it: drawn from the checked-in run, opened in headless Chromium at the
width of a phone, a tablet and a desk, in both themes. Also runs side by side."""

import csv
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import browser
import reference
from reference import REFERENCE
from support import BIN

from vmcommit.analyse import analysis
from vmcommit.show import charts, page

GNUPLOT = shutil.which("gnuplot")

SCREENS = ((400, True), (900, False), (1400, True), (1400, False))  # width, dark
PAPER = 717  # A4 between its margins
NAMES = {"upfront": "upfront", "a@_^{<b>": "fault", "x^{2}_y": "chunked", "{/Symbol a}": "guard"}

# Before a page's own scripts: where each canvas has its texts and the ends of its lines, in its
# pixels.
WATCH = """
window.drawn = new Map();
window.ends = new Map();
const line = CanvasRenderingContext2D.prototype.lineTo;
CanvasRenderingContext2D.prototype.lineTo = function (x, y) {
  if (!ends.has(this.canvas)) ends.set(this.canvas, []);
  ends.get(this.canvas).push(y);
  return line.call(this, x, y);
};
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
  const size = this.measureText(text), at = this.getTransform();
  const corners = [[x - size.actualBoundingBoxLeft, y - size.actualBoundingBoxAscent],
    [x + size.actualBoundingBoxRight, y + size.actualBoundingBoxDescent]]
    .map(([left, top]) => at.transformPoint({ x: left, y: top }));
  const [xs, ys] = ["x", "y"].map((name) => corners.map((corner) => corner[name]));
  if (!drawn.has(this.canvas)) drawn.set(this.canvas, []);
  drawn.get(this.canvas).push({ text, left: Math.min(...xs), right: Math.max(...xs),
    top: Math.min(...ys), bottom: Math.max(...ys) });
  return fill.call(this, text, x, y, ...rest);
};
const clear = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.clearRect = function (...where) {
  drawn.delete(this.canvas);
  ends.delete(this.canvas);
  return clear.call(this, ...where);
};
"""
# What stands wrong on a page: pairs of texts that overlap, what is cut off or outside.
PROBE = """
(async () => {
  redraw();
  await new Promise((done) => setTimeout(done, 50));
  const seen = {}, ROOM = 1;
  const apart = (a, b) => a.right <= b.left + ROOM || b.right <= a.left + ROOM ||
    a.bottom <= b.top + ROOM || b.bottom <= a.top + ROOM;
  const overlapping = (boxes) => {
    const sorted = boxes.sort((a, b) => a.top - b.top), pairs = [];
    sorted.forEach((box, at) => {
      for (let next = at + 1; next < sorted.length && sorted[next].top < box.bottom; next += 1) {
        const other = sorted[next];
        const within = box.of && (box.of.contains(other.of) || other.of.contains(box.of));
        if (!within && !apart(box, other))
          pairs.push(`${box.text} / ${other.text}`);
      }
    });
    return pairs;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const boxes = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const of = node.parentElement;
    if (!node.data.trim() || of.closest("script, style, option, .skip, .text thead, select") ||
        !of.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      const { left, right, top, bottom } = box;
      boxes.push({ text: node.data.trim().slice(0, 40), of, left, right, top, bottom });
    }
  }
  seen.overlapping = overlapping(boxes);
  seen.texts = boxes.length > 100;
  seen.outside = boxes.filter(({ of, left, right }) => !of.closest(".wide") &&
    (right > innerWidth + 1 || left < -1)).map(({ text }) => text);
  seen.cut = [...document.querySelectorAll("main *")].filter((one) =>
    getComputedStyle(one).overflowX === "hidden" && one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.outerHTML.slice(0, 80));
  seen.captions = [...document.querySelectorAll(".wide caption")].filter((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return one.checkVisibility() && range.getBoundingClientRect().right >
      one.closest(".wide").getBoundingClientRect().right + ROOM;
  }).map((one) => one.textContent);
  seen.scrolls = document.documentElement.scrollWidth > innerWidth;
  seen.canvases = [...drawn].flatMap(([canvas, texts]) => [...overlapping(texts),
    ...texts.filter(({ left, right, top, bottom }) => left < 0 || top < 0 || right > canvas.width ||
      bottom > canvas.height).map(({ text }) => `outside: ${text}`)]);
  const TICK = 12;
  const standing = [...ends].filter(([canvas]) => canvas.isConnected);
  seen.lines = standing.filter(([canvas, all]) => {
    const area = canvas.parentElement.querySelector(".u-over").getBoundingClientRect();
    const top = area.top - canvas.getBoundingClientRect().top;
    return Math.min(...all) < (top - ROOM) * devicePixelRatio ||
      Math.max(...all) > (top + area.height + TICK) * devicePixelRatio;
  }).map(([canvas]) => canvas.closest(".live").getAttribute("aria-label"));
  seen.drew = standing.length > 0;
  return seen;
})()
"""
# Tables that paper would cut off.
WIDER = """
[...document.querySelectorAll(".wide")].filter((one) => one.checkVisibility() &&
  one.scrollWidth > one.clientWidth + 1).map((one) => one.querySelector("caption").textContent)
"""
# What a page is for who does something with it.
USE = """
(async () => {
  const seen = {};
  const images = [...document.querySelectorAll("figure img")];
  seen.images = images.every((one) => one.complete && one.naturalWidth > 0);
  seen.alts = images.every((one) => one.alt.length > 60);
  const all = (which) => [...document.querySelectorAll(which)];
  seen.tables = all("figure").filter((one) => !one.querySelector("table")).map((one) => one.id);
  seen.captions = all("table:not(.u-legend)").filter((one) => !one.caption).length;
  seen.described = all(".has-live figcaption").map((one) => one.innerText).filter((text) =>
    /\\b(bands?|left|right|dashed|dotted|thin|thick|panel|last)\\b/i.test(text));
  seen.broken = [...document.querySelectorAll("a[href^='#']")].filter((one) =>
    !document.getElementById(one.getAttribute("href").slice(1))).map((one) => one.outerHTML);
  const zoom = [...document.querySelectorAll("button.zoom")].find((one) => one.checkVisibility()) ??
    document.querySelector("button.zoom");
  zoom.click();
  const dialog = document.querySelector("dialog");
  seen.zoomed = dialog.open && dialog.querySelector("img").clientWidth >= 1000;
  dialog.close();
  const table = document.querySelector("table.every");
  const headings = [...table.tHead.rows[0].cells];
  const column = headings.findIndex((one) => one.textContent.startsWith("time per page"));
  const values = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.v)
    .filter((value) => value !== undefined).map(Number);
  const sorted = (sign) => values().every(
    (value, at, all) => at === 0 || sign * (all[at - 1] - value) <= 0);
  headings[column].querySelector("button").click();
  seen.ascending = sorted(1) && headings[column].getAttribute("aria-sort") === "ascending";
  headings[column].querySelector("button").click();
  seen.descending = sorted(-1) && headings[column].getAttribute("aria-sort") === "descending";
  const tools = table.parentElement.previousElementSibling, filter = tools.querySelector("input");
  filter.value = "chunked random";
  filter.dispatchEvent(new Event("input"));
  const left = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  seen.filtered = left.length > 0 && left.length < table.tBodies[0].rows.length &&
    left.every((row) => /chunked/.test(row.textContent) && /random/.test(row.textContent));
  Object.defineProperty(navigator, "clipboard",
    { value: { writeText: async (text) => { seen.copied = text; } } });
  tools.querySelector("button").click();
  seen.copied = seen.copied.trimEnd().split("\\n").length === left.length + 1;
  seen.levels = [...document.querySelectorAll("h1, h2, h3")].map((one) => Number(one.tagName[1]));
  return seen;
})()
"""
EXPLORE = """
((size, touch, step, order) => {
  const form = document.getElementById("chosen");
  Object.entries({ size, touch, step, order }).forEach(([name, value]) => {
    form.elements[name].value = value;
  });
  form.dispatchEvent(new Event("input"));
  const rows = (id) => document.getElementById(id).hidden ? [] :
    [...document.getElementById(id).tBodies[0].rows].map((row) =>
      [...row.cells].map((cell) => cell.firstElementChild ? cell.firstElementChild.firstChild ?
        cell.textContent : "" : cell.textContent).map((text) => text.replaceAll("\\u00a0", " ")));
  return [rows("chosen-model"), rows("chosen-rows"),
    document.getElementById("chosen-note").textContent];
})(%s)
"""


def report(*arguments):
    return subprocess.run([BIN / "vmcommit", "report", *arguments], capture_output=True, text=True,
                          timeout=300)


def draw(folder):
    """The reference run in a folder of its own, drawn anew: (the folder, what was said)."""
    latest = folder / "latest"
    shutil.copytree(REFERENCE, latest, ignore=shutil.ignore_patterns("charts", "report.html"))
    done = report(latest)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return latest, done.stdout


class Pages(unittest.TestCase):
    """Each test for both pages, that of one run and that of several."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = pathlib.Path(cls.folder.name)
        cls.latest, cls.said = draw(root / "results")
        cls.together = root / "together"
        cls.done = report(cls.latest, REFERENCE, "--into", cls.together)
        if cls.done.returncode != 0:
            raise AssertionError(cls.done.stderr)
        cls.pages = [cls.latest / "report.html", cls.together / "report.html"]

    def test_stands_alone_and_is_small(self):
        for each in self.pages:
            text = each.read_text(encoding="utf-8")
            self.assertNotRegex(text, r'(src|href)="(https?:)?//')
            self.assertLess(len(text.encode()), 3_000_000)

    @unittest.skipUnless(browser.CHROMIUM and GNUPLOT, "chromium or gnuplot is not installed")
    def test_in_a_browser(self):
        with browser.tab() as tab:
            tab.before(WATCH)
            for each in self.pages:
                for width, dark in SCREENS:
                    with self.subTest(page=each.parent.name, width=width, dark=dark):
                        tab.open(each.as_uri(), width, dark=dark)
                        self.assertEqual(tab.tell(PROBE), {
                            "overlapping": [], "texts": True, "outside": [], "cut": [],
                            "captions": [], "scrolls": False, "canvases": [], "lines": [],
                            "drew": True})
                with self.subTest(page=each.parent.name, printed=True):
                    tab.open(each.as_uri(), PAPER, media="print")
                    tab.tell("document.querySelectorAll('details').forEach((one) => "
                             "{ one.open = true; })")
                    self.assertEqual(tab.tell(WIDER), [])
            self.assertEqual(tab.console, [])

    @unittest.skipUnless(browser.CHROMIUM and GNUPLOT, "chromium or gnuplot is not installed")
    def test_what_a_reader_does(self):
        with browser.tab() as tab:
            for each in self.pages:
                with self.subTest(page=each.parent.name):
                    tab.open(each.as_uri())
                    seen = tab.tell(USE)
                    levels = seen.pop("levels")
                    self.assertEqual(seen, {
                        "images": True, "alts": True, "tables": [], "captions": 0,
                        "described": [], "broken": [], "zoomed": True, "ascending": True,
                        "descending": True, "filtered": True, "copied": True})
                    self.assertEqual(levels.count(1), 1)
                    for before, after in zip(levels, levels[1:]):
                        self.assertLessEqual(after, before + 1)
            self.assertEqual(tab.console, [])

    @unittest.skipUnless(browser.CHROMIUM, "chromium is not installed")
    def test_a_configuration_of_ones_choice(self):
        """The page says what predict says: 64 MiB in steps of 64 KiB."""
        done = subprocess.run([BIN / "vmcommit", "predict", "--size", "64M", "--touch", "0.5",
                               "--run", self.latest], capture_output=True, text=True, check=True,
                              timeout=120)
        per_page = {line.split()[0]: " ".join(line.split()[-5:-3])
                    for line in re.sub(r"(\d) (\d{3})\b", r"\1\2", done.stdout).splitlines()[1:5]}
        with browser.tab() as tab:
            tab.open(self.pages[0].as_uri())
            model, near, note = tab.tell(EXPLORE % "67108864, '0.5', 65536, 'sequential'")
            self.assertEqual(note, "")
            self.assertEqual([row[0] for row in model], list(per_page))
            for name, time, _, charge, unused, _ in model:
                self.assertTrue(time.startswith(per_page[name]), (name, time, per_page))
                self.assertEqual((charge, unused), {
                    "upfront": ("64 MiB", "32 MiB"), "guard": ("32 MiB", "4 KiB")}.get(
                        name, ("32 MiB", "0 B")), name)
            self.assertTrue(all(row[1] == "64 MiB" for row in near), near)
            model, near, note = tab.tell(EXPLORE % "67108864, '1', 65536, 'random'")
            self.assertEqual(model, [])
            self.assertTrue(near)
            self.assertIn("in sequence", note)
            tab.tell("data.predictions = {}")
            model, near, note = tab.tell(EXPLORE % "67108864, '1', 65536, 'sequential'")
            self.assertEqual(model, [])
            self.assertIn("no cost model", note)

    def test_the_answer_is_said_in_the_terminal_and_in_markdown(self):
        advice = json.loads((self.latest / "advice.json").read_text())
        markdown = (self.latest / "REPORT.md").read_text()
        said = " ".join(self.said.split())
        for sentence in advice["headline"] + advice["answer"]:
            self.assertIn(sentence["text"], markdown)
        for sentence in advice["headline"]:
            self.assertIn(sentence["text"], said)
        self.assertTrue(self.said.splitlines()[-1].startswith("report: "))
        for line in markdown.splitlines():
            if line.startswith("|"):
                self.assertTrue(line.endswith("|"), line)

    def test_one_table_row_for_each_configuration(self):
        with open(self.latest / "summary.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        text = self.pages[0].read_text(encoding="utf-8")
        anchors = re.findall(r'<tr id="([^"]+)"', text)
        self.assertEqual(len(anchors), len(rows))
        self.assertEqual(len(set(anchors)), len(anchors))

    def test_the_same_run_twice_shows_no_differing_count(self):
        text = (self.together / "REPORT.md").read_text()
        self.assertIn("No of ", text)
        self.assertRegex(text, r"Use [\w() ]+ in each of them\. The fastest differ in 0 of \d+ "
                         r"fields of the matrix, ratios significantly in 0 of \d+ configurations, "
                         r"counts in 0 of \d+\.")
        self.assertEqual(self.done.stdout.splitlines()[0][:3], "A: ")

    def test_refusals_take_one_line(self):
        for arguments, status, words in (
                ([REFERENCE, "--into", self.together], 2, ["--into", "two runs"]),
                ([REFERENCE, REFERENCE, "--into", REFERENCE], 2, ["--into", "holds a run"]),
                (["nowhere"], 1, ["nowhere", "make bench"]),
                ([REFERENCE, "nowhere"], 1, ["nowhere", "environment.json"])):
            done = report(*arguments)
            self.assertEqual(done.returncode, status)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)


@unittest.skipUnless(browser.CHROMIUM and GNUPLOT, "chromium or gnuplot is not installed")
class Names(unittest.TestCase):
    def test_names_appear_as_they_are(self):
        """In tables, in legends of charts and in the choice of a strategy."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = reference.write(
                pathlib.Path(scratch) / "run", reference.like(reference.rows(rounds=8), NAMES),
                reference.described_like(reference.environment(), NAMES), NAMES)
            with reference.names_unchecked():
                analysed = analysis.read(folder)
            with reference.without_png():
                page.write(analysed, folder, charts.draw(analysed, folder / "charts"))
            with browser.tab() as tab:
                tab.open((folder / "report.html").as_uri())
                seen = tab.tell("""(() => { redraw(); const of = (which) =>
                  [...document.querySelectorAll(which)].map((one) => one.textContent);
                  return [of(".every td:nth-child(3)"), of(".u-label"),
                          of("[name=strategy] option"), of("#chosen-model th")]; })()""")
                self.assertEqual(tab.console, [])
        for name in NAMES:
            for place, texts in zip(("table", "legend", "choice", "model"), seen, strict=True):
                self.assertTrue(any(text == name or text.startswith(f"{name} (") for text in texts),
                                (place, name, set(texts)))


if __name__ == "__main__":
    unittest.main()
