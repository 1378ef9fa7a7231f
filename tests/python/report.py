"""The report as readers meet it: drawn from the checked-in run, opened in headless Chromium at the
width of a phone and of a desk. Also runs side by side."""

import csv
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import BIN, ROOT

REFERENCE = ROOT / "results" / "reference"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
GNUPLOT = shutil.which("gnuplot")

# Runs within the page and tells the page around it what it found.
PROBE = """
<script>
window.addEventListener("load", () => {
  const found = {};
  found.scrolls = document.documentElement.scrollWidth > innerWidth;
  found.cut = [...document.querySelectorAll("main *, header *")].filter((one) =>
    !one.closest(".wide, dialog, .text thead") &&
    one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.outerHTML.slice(0, 80));
  const images = [...document.querySelectorAll("figure img")];
  found.images = images.every((one) => one.complete && one.naturalWidth > 0);
  found.alts = images.every((one) => one.alt.length > 60);
  found.broken = [...document.querySelectorAll("a[href^='#']")].filter((one) =>
    !document.getElementById(one.getAttribute("href").slice(1))).map((one) => one.outerHTML);
  const zoom = document.querySelector("button.zoom");
  if (zoom) zoom.click();
  const dialog = document.querySelector("dialog");
  found.zoomed = dialog.open && dialog.querySelector("img").clientWidth >= 1000;
  dialog.close();
  const table = document.querySelector("table.sortable");
  const headings = [...table.tHead.rows[0].cells];
  const column = headings.findIndex((one) => one.textContent.startsWith("time per page"));
  const values = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.v)
    .filter((value) => value !== undefined).map(Number);
  const sorted = (sign) => values().every(
    (value, at, all) => at === 0 || sign * (all[at - 1] - value) <= 0);
  headings[column].querySelector("button").click();
  found.ascending = sorted(1) && headings[column].getAttribute("aria-sort") === "ascending";
  headings[column].querySelector("button").click();
  found.descending = sorted(-1) && headings[column].getAttribute("aria-sort") === "descending";
  found.levels = [...document.querySelectorAll("h1, h2, h3")].map((one) => Number(one.tagName[1]));
  parent.postMessage(JSON.stringify(found), "*");
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


def draw(folder):
    """The reference run's samples in a folder of their own, drawn anew."""
    latest = folder / "latest"
    shutil.copytree(REFERENCE, latest, ignore=shutil.ignore_patterns("charts", "report.html"))
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / "bench.py"), "--only-report",
                           "--build", str(BIN.parent), "--results", str(folder)],
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return latest, done.stdout


def browse(page, width):
    """(what the probe found, console messages) of a page in a frame of that width."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "probed.html").write_text(page.read_text(encoding="utf-8") + PROBE,
                                            encoding="utf-8")
        (folder / "frame.html").write_text(FRAME.format(width=width))
        done = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--enable-logging=stderr", f"--user-data-dir={folder}/profile",
             "--window-size=1600,2100", "--virtual-time-budget=10000", "--dump-dom",
             (folder / "frame.html").as_uri()],
            capture_output=True, text=True, timeout=120)
    told = re.search("<pre>(.*?)</pre>", done.stdout, re.S)
    if not told or not told[1]:
        raise AssertionError(f"the probe told nothing: {done.stderr[-2000:]}")
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(told[1])), console


class Pages(unittest.TestCase):
    """Each test for both pages, that of one run and that of several."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = pathlib.Path(cls.folder.name)
        cls.latest, cls.said = draw(root / "results")
        cls.together = root / "together"
        cls.done = subprocess.run(
            [str(ROOT / "scripts" / "report"), str(cls.latest), str(REFERENCE), "--into",
             str(cls.together)], capture_output=True, text=True, timeout=300,
            env={**os.environ, "VMCOMMIT_PYTHON": sys.executable})
        if cls.done.returncode != 0:
            raise AssertionError(cls.done.stderr)
        cls.pages = [cls.latest / "report.html", cls.together / "report.html"]

    def test_stands_alone_and_is_small(self):
        for page in self.pages:
            text = page.read_text(encoding="utf-8")
            self.assertNotRegex(text, r'(src|href)="(https?:)?//')
            self.assertLess(len(text.encode()), 3_000_000)

    @unittest.skipUnless(CHROMIUM and GNUPLOT, "chromium or gnuplot is not installed")
    def test_in_a_browser(self):
        for page in self.pages:
            for width in (400, 1400):
                with self.subTest(page=page.parent.name, width=width):
                    found, console = browse(page, width)
                    self.assertEqual(console, [])
                    levels = found.pop("levels")
                    self.assertEqual(found, {
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

    def test_side_by_side_refuses_in_one_line(self):
        for arguments, words in (([str(REFERENCE)], ["1 run given", "2 to 8"]),
                                 ([str(REFERENCE), "nowhere"], ["'nowhere'", "make bench"]),
                                 ([], ["required"])):
            done = subprocess.run([str(ROOT / "scripts" / "report"), *arguments],
                                  capture_output=True, text=True, timeout=60,
                                  env={**os.environ, "VMCOMMIT_PYTHON": sys.executable})
            self.assertEqual(done.returncode, 2)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
