"""The report as readers meet it: drawn from the checked-in run, opened in headless Chromium at the
width of a phone and of a desk. Also runs side by side."""

import csv
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import browser
from reference import REFERENCE
from support import BIN

GNUPLOT = shutil.which("gnuplot")

# Runs within the page and tells the page around it what it saw.
PROBE = """
<script>
window.addEventListener("load", () => {
  const seen = {};
  seen.scrolls = document.documentElement.scrollWidth > innerWidth;
  seen.cut = [...document.querySelectorAll("main *, header *")].filter((element) =>
    !element.closest(".wide, dialog, .text thead") &&
    element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 80));
  const images = [...document.querySelectorAll("figure img")];
  seen.images = images.every((element) => element.complete && element.naturalWidth > 0);
  seen.alts = images.every((element) => element.alt.length > 60);
  seen.broken = [...document.querySelectorAll("a[href^='#']")].filter((element) =>
    !document.getElementById(element.getAttribute("href").slice(1)))
    .map((element) => element.outerHTML);
  const zoom = document.querySelector("button.zoom");
  if (zoom) zoom.click();
  const dialog = document.querySelector("dialog");
  seen.zoomed = dialog.open && dialog.querySelector("img").clientWidth >= 1000;
  dialog.close();
  const table = document.querySelector("table.sortable");
  const headings = [...table.tHead.rows[0].cells];
  const column = headings.findIndex(
    (element) => element.textContent.startsWith("time per page"));
  const values = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.v)
    .filter((value) => value !== undefined).map(Number);
  const sorted = (sign) => values().every(
    (value, at, all) => at === 0 || sign * (all[at - 1] - value) <= 0);
  headings[column].querySelector("button").click();
  seen.ascending = sorted(1) && headings[column].getAttribute("aria-sort") === "ascending";
  headings[column].querySelector("button").click();
  seen.descending = sorted(-1) && headings[column].getAttribute("aria-sort") === "descending";
  seen.levels = [...document.querySelectorAll("h1, h2, h3")].map(
    (element) => Number(element.tagName[1]));
  parent.postMessage(JSON.stringify(seen), "*");
});
</script>
"""
FRAME = """<!doctype html><title>probe</title>
<iframe src="probed.html" style="border:0; width:{width}px; height:2000px"></iframe>
<pre></pre>
<script>
addEventListener("message", (event) => {{
  document.querySelector("pre").textContent = event.data;
}});
</script>
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


def browse(page, width):
    """(what the probe saw, console messages) of a page in a frame of that width."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "probed.html").write_text(page.read_text(encoding="utf-8") + PROBE,
                                            encoding="utf-8")
        (folder / "frame.html").write_text(FRAME.format(width=width))
        return browser.opened(folder / "frame.html")


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
        for page in self.pages:
            text = page.read_text(encoding="utf-8")
            self.assertNotRegex(text, r'(src|href)="(https?:)?//')
            self.assertLess(len(text.encode()), 3_000_000)

    @unittest.skipUnless(browser.CHROMIUM and GNUPLOT, "chromium or gnuplot is not installed")
    def test_in_a_browser(self):
        for page in self.pages:
            for width in (400, 1400):
                with self.subTest(page=page.parent.name, width=width):
                    seen, console = browse(page, width)
                    self.assertEqual(console, [])
                    levels = seen.pop("levels")
                    self.assertEqual(seen, {
                        "scrolls": False, "cut": [], "images": True, "alts": True, "broken": [],
                        "zoomed": True, "ascending": True, "descending": True})
                    self.assertEqual(levels.count(1), 1)
                    for before, after in zip(levels, levels[1:]):
                        self.assertLessEqual(after, before + 1)

    def test_the_answer_is_said_in_the_terminal_and_in_markdown(self):
        advice = json.loads((self.latest / "advice.json").read_text())
        markdown = (self.latest / "REPORT.md").read_text()
        said = " ".join(self.said.split())
        for sentence in advice["answer"]:
            self.assertIn(sentence["text"], markdown)
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
        self.assertIn("No of ", (self.together / "REPORT.md").read_text())
        self.assertEqual(self.done.stdout.splitlines()[0][:3], "A: ")

    def test_refusals_take_one_line(self):
        for arguments, status, words in (
                ([REFERENCE, "--into", self.together], 2, ["--into", "two runs"]),
                (["nowhere"], 1, ["nowhere", "make bench"]),
                ([REFERENCE, "nowhere"], 1, ["nowhere", "environment.json"])):
            done = report(*arguments)
            self.assertEqual(done.returncode, status)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
