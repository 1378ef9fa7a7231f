"""Pages and Markdown show what a run's files hold as it is: nothing of it becomes a tag, a cell or
a heading. Numbers that the suite has settled on stand in them as conventions say."""

import contextlib
import fractions
import html.parser
import io
import itertools
import pathlib
import re
import tempfile
import unittest
import unittest.mock

import pandas

import made
import reference
from support import ROOT

from vmcommit.analyse import analysis, model
from vmcommit.base import conventions
from vmcommit.base.units import KIB, MIB, time_text
from vmcommit.commands import report
from vmcommit.show import (charts, differences, documents, doubts, figures, needs, page,
                           sections, side_by_side, terminal)
from vmcommit.show.caption import caption, percent
from vmcommit.show.sections import explore, measured

TAG = "<script>alert('|`*_[#&\"')</script>"
TEMPLATES = ROOT / "scripts" / "vmcommit" / "show" / "templates"


class Reader(html.parser.HTMLParser):
    """Counts tags, and keeps texts and attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.attributes = {}, [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


def pipes(line):
    """Those that end a cell."""
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))


def hostile():
    """Rows and environment.json with TAG wherever they hold text."""
    names = {"upfront": "upfront", "fault": "fault", "chunked": "chunked", f"guard{TAG}": "guard"}
    samples = reference.like(
            reference.with_questions(reference.rows(rounds=8)), names)
    for at, column in enumerate(("guard", "touch_order", "error", "guard", "touch_order")):
        samples[at] = {**samples[at], column: f"{TAG}{at}" if column == "guard" else TAG}
    samples[4]["status"], samples[5]["error"] = "refused", TAG
    run = reference.described_like(reference.environment(), names)
    for part in ("processor", "system", "settings", "build"):
        run[part] = {name: TAG if isinstance(value, str) else value
                     for name, value in run[part].items()}
    run["strategies"][0]["summary"] = run["profile"] = run["emulator"] = run["started"] = TAG
    run["left_out"] = [TAG]
    run["own"] = {"library": {"file": TAG, "sha256": TAG}}
    run["disturbance"] = {**run["disturbance"], "settings_changed": [TAG]}
    run["revision"] = {"commit": TAG, "clean": False}
    return samples, run, names


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        root = pathlib.Path(scratch.name)
        samples, run, names = hostile()
        folder = reference.write(root / "run", samples, run, names)
        plain = reference.write(root / "plain", reference.rows(rounds=8), reference.environment())
        with reference.names_unchecked():
            cls.runs = [analysis.read(folder), analysis.read(plain)]
        page.write(cls.runs[0], folder, [])
        page.write(cls.runs[1], plain, [])
        together = root / "together"
        together.mkdir()
        side_by_side.write(cls.runs, side_by_side.labels(cls.runs, [folder, plain]), together, [])
        cls.folders = {"run": folder, "plain": plain, "together": together}

    def page(self, name):
        return (self.folders[name] / "report.html").read_text(encoding="utf-8")

    def markdown(self, name):
        return (self.folders[name] / "REPORT.md").read_text(encoding="utf-8")

    def test_no_text_becomes_a_tag_or_an_attribute(self):
        plain = Reader(self.page("plain"))
        for name in ("run", "together"):
            read = Reader(self.page(name))
            self.assertEqual(read.tags["script"], 1 if name == "together" else 2, name)
            self.assertLessEqual(set(read.tags), set(plain.tags))
            self.assertLessEqual(set(read.attributes), set(plain.attributes))

    def test_each_text_shows_as_it_is(self):
        text = Reader(self.page("run")).text
        for shown in (f"({TAG}0)", f"({TAG}3)", f"{TAG}, 2 cores", f"Library{TAG}",
                      f"Settings changed during the run: {TAG}", f"{TAG[:12]}, with local changes",
                      f"guard{TAG}", f"upfront{TAG}"):
            self.assertIn(shown, text)
        self.assertGreater(text.count(TAG), 20)
        self.assertIn(TAG, Reader(self.page("together")).text)

    def test_small_print_is_ours_alone(self):
        text = self.page("run")
        self.assertIn("<small>", text)
        self.assertEqual(set(re.findall(r"<small>(.)", text)) - set("-0123456789"), set())

    def test_markdown_holds_no_tag_and_whole_tables(self):
        for name in ("run", "together", "plain"):
            text = self.markdown(name)
            self.assertNotRegex(text, "<[a-z/]")
            self.assertNotRegex(text, r"(?<!\\)`")
            sizes = [pipes(line) for line in text.splitlines() if line.startswith("|")]
            blocks = [pipes(line) for line in text.splitlines() if re.match(r"\|[-:|]+$", line)]
            self.assertLessEqual(set(sizes), set(blocks))
        headings = [line for line in self.markdown("run").splitlines() if line.startswith("#")]
        self.assertEqual(len(headings), 8)  # with three further questions

    def test_anchors_are_one_for_each_row(self):
        rows = page.table_rows(self.runs[0].summary, self.runs[0].run.strategies)
        self.assertEqual(len({row["anchor"] for row in rows}), len(self.runs[0].summary))

    def test_several_runs_are_named_by_letters_and_the_page_by_its_path(self):
        with tempfile.TemporaryDirectory() as into, \
                unittest.mock.patch.object(report.analysis, "read", self.runs.__getitem__), \
                unittest.mock.patch.object(report.side_by_side, "labels",
                                           return_value=["first", "second"]), \
                unittest.mock.patch.object(report.shutil, "which", return_value=None), \
                contextlib.redirect_stderr(io.StringIO()), \
                unittest.mock.patch.object(report, "say") as said:
            report.lay_over([0, 1], pathlib.Path(into))
        lines = [call.args[0] for call in said.call_args_list]
        self.assertEqual(lines[:2], ["A: first", "B: second"])
        self.assertRegex(lines[2], r"\Areport: .*report\.html\Z")

    def test_the_widest_ratios_are_named(self):
        rows = pandas.DataFrame(
            [("upfront", False, MIB, MIB, "sequential", 9, 0.9),
             ("fault", False, MIB, MIB, "sequential", 9, 0.051),
             ("chunked", True, MIB, MIB // 2, "random", 9, 0.2),
             ("guard", True, MIB, MIB, "reverse", 9, 0.0),
             ("late", True, MIB, MIB, "reverse", 0, 0.9)],
            columns=["strategy", "stepped", "size_bytes", "touched_bytes", "touch_order",
                     "ratio_samples", "ratio_half_width"]).assign(
                         chunk_bytes=64 * KIB, ratio_confidence=0.999)
        with unittest.mock.patch.object(doubts, "NARROW", 0.05):
            wide = doubts.wide_ratios(rows)
            self.assertEqual((wide["count"], wide["of"]), (2, 3))
            for text, pattern in zip(wide["named"], (
                    r"chunked 1 MiB by 64 KiB, 512 KiB touched, random \(±20\.?0* %\)",
                    r"fault 1 MiB \(±5\.?1? %\)"), strict=True):
                self.assertRegex(text, rf"\A{pattern}\Z")
            few = doubts.wide_ratios(rows.assign(ratio_confidence=0.5))
            self.assertEqual((few["count"], few["of"]), (3, 3))
            many = pandas.concat([rows[1:2]] * 20)
            self.assertEqual([len(doubts.wide_ratios(many)["named"]),
                              doubts.wide_ratios(many)["count"]], [8, 20])

    def test_what_there_was_no_time_for_is_said(self):
        run = made.run(made.in_rounds(range(8), (made.UPFRONT, MIB, 1000, {})), made.FOUR)
        for left_out, said in ((None, []), ([], []), (["4 GiB, all touched", "1 GiB, random"], [
                "There was no time for 4 GiB, all touched; 1 GiB, random: one cycle of each "
                "strategy would have taken longer than was left. PROFILE=full has more time."])):
            run.environment["left_out"] = left_out
            warned = doubts.warnings(analysis.analyse(run))
            self.assertEqual([text for text in warned if "no time" in text], said)
        run.environment["profile"] = "full"
        self.assertIn("no time for 4 GiB", " ".join(doubts.warnings(analysis.analyse(run))))
        self.assertNotIn("PROFILE", " ".join(doubts.warnings(analysis.analyse(run))))

    def test_the_step_is_named_where_a_time_depends_on_it(self):
        step = "64 KiB"
        self.assertIn(f"in steps of {step}", self.markdown("plain"))
        self.assertIn(f"steps of {step}", terminal.answer(self.runs[1], "report.html"))
        for choice in self.runs[1].choices:
            self.assertEqual("(step " in needs.of_choice(choice).use, choice.cell.strategy.stepped)
        with unittest.mock.patch.object(page, "DEFAULT_STEP", 4096):
            self.assertEqual(page.numbers()["default_step"], "4 KiB")


class Differences(unittest.TestCase):
    """What differs between runs, worked out by hand."""

    def read(self, fault_ns, **columns):
        """upfront takes 1000 ns a page at 1 MiB, all touched and a tenth; fault as given."""
        cells = [(which, MIB, ns, {"touch": touch, **more}) for touch in ("1", "0.1")
                 for which, ns, more in ((made.UPFRONT, 1000, {}),
                                         (made.FAULT, fault_ns, columns))]
        return analysis.analyse(made.run(made.in_rounds(range(20), *cells), made.FOUR))

    def said(self, *runs):
        rows = side_by_side.rows_of(runs)
        return differences.headline("ABC", runs, rows)

    def test_the_same(self):
        self.assertEqual(self.said(self.read(2000), self.read(2000)), [
            "Use upfront in each of them.", "The fastest differ in 0 of 2 fields of the matrix, "
            "ratios significantly in 0 of 2 configurations, counts in 0 of 4."])

    def test_other_winners_ratios_and_counts(self):
        runs = [self.read(2000), self.read(500), self.read(2000, minor_faults=7)]
        self.assertEqual(self.said(*runs), [
            "Choose by the run: A upfront; B fault; C upfront.", "The fastest differ in 2 of 2 "
            "fields of the matrix, ratios significantly in 2 of 2 configurations, counts in 2 of "
            "4."])

    def test_equals_are_no_difference(self):
        """upfront alone is the fastest of the one, both are of the other."""
        _, second = self.said(self.read(2000), self.read(1000))
        self.assertIn("differ in 0 of 2 fields", second)

    def test_a_run_from_which_no_choice_follows(self):
        wine = made.in_rounds(range(20), (made.UPFRONT, MIB, 1000, {"platform": "wine"}))
        self.assertEqual(self.said(self.read(2000), analysis.analyse(made.run(wine, made.FOUR))), [
            "Compare nothing but counts with B: no choice follows from it.", "No field of the "
            "matrix can be compared, ratios significantly in 0 of 0 configurations, counts in 0 "
            "of 1."])


class Behind(unittest.TestCase):
    def test_every_chart_of_a_run_has_its_figures(self):
        """Where it has data. What is behind a chart fits its columns."""
        known = analysis.read(reference.REFERENCE)
        for name, chart in charts.of("run").items():
            with tempfile.TemporaryDirectory() as scratch, self.subTest(chart=name):
                plot = charts.Plot(pathlib.Path(scratch))
                if not chart.prepare(known, plot):
                    continue
                self.assertTrue(plot.behind)
                for each in plot.behind:
                    self.assertLess(each.count, 400)
                    for rows in each.series.values():
                        self.assertLessEqual({len(row) for row in rows}, {len(each.columns)})

    def test_cells(self):
        for value, unit, cell in ((65536, "bytes", ("64 KiB", "65536")), (1500.0, "ns", (
                "1.5 µs", "1500")), (float("nan"), "ns", ("", "")), (None, "count", ("", "")),
                                  ("random", "text", ("random", "")), (1.02, "ratio", (
                                      "1.020", "1.02")), (3, "count", ("3", "3"))):
            self.assertEqual(figures.shown(value, unit), cell)


class Sections(unittest.TestCase):
    def test_each_is_a_pair_in_an_order(self):
        folder = TEMPLATES / "sections"
        self.assertEqual(sorted(sections.names()), sorted(
            path.name.partition(".")[0] for path in folder.glob("*.html.jinja")))
        shown = sections.of(analysis.read(reference.REFERENCE))
        self.assertEqual([section.name for section in shown][:2], ["measured", "explore"])
        for section in shown:
            self.assertTrue(section.title and section.short and section.body)

    def test_times_that_are_looked_up_are_those_that_predict_computes(self):
        known = analysis.read(reference.REFERENCE)
        data = explore.values(known)["data"]
        for name, by_step in data["predictions"].items():
            strategy = known.run.strategies[name]
            for (step, by_size), (size_at, size), (touch_at, touch) in itertools.product(
                    zip(data["steps"], by_step), list(enumerate(data["sizes"]))[::5],
                    enumerate(explore.TOUCHES)):
                *exact, does, outside = model.predict(known.model, strategy, size,
                                                      fractions.Fraction(touch), step)
                *told, charge, beyond = by_size[size_at][touch_at]
                with self.subTest(strategy=name, step=step, size=size, touch=touch):
                    self.assertEqual([time_text(ns * does["pages"]) for ns in told],
                                     [time_text(ns) for ns in exact])
                    self.assertEqual(bool(beyond), bool(outside))
                    self.assertGreaterEqual(charge, does["pages"] * data["page"])

    def test_a_run_without_turns_says_so(self):
        run = made.run(made.in_rounds(range(20), (made.UPFRONT, MIB, 1000, {})), made.FOUR)
        facts = dict(measured.facts_of(analysis.analyse(run)))
        self.assertEqual(facts["Turns"], "Each sample is a process of its own.")
        self.assertEqual(facts["Disturbances"], "None was seen.")
        run.samples["turns"], run.samples["disturbed_turns"] = "24", "1"
        self.assertIn("took 480 turns", dict(measured.facts_of(analysis.analyse(run)))["Turns"])
        self.assertIn("20 turns in which", dict(measured.facts_of(analysis.analyse(run)))["Turns"])
        run.samples.loc[9:, "threads"] = 2
        self.assertIn("took 216 turns", measured.turns_text(run.samples))


class Documents(unittest.TestCase):
    def test_markdown_of_a_value(self):
        for value, text in (("a | b", r"a \| b"), ("<b>&", "&lt;b&gt;&amp;"), ("a\nb\tc", "a b c"),
                            ("`x`", r"\`x\`"), ("# a #", r"\# a #"), ("> a", "&gt; a"),
                            ("[a](b)", r"\[a\](b)"), ("\\|", r"\\\|"), (7, "7"), ("- a", r"\- a"),
                            ("chunked 1.02 (1.00 to 1.04)", "chunked 1.02 (1.00 to 1.04)")):
            self.assertEqual(documents.markdown(value), text)

    def test_small_print_beside_a_value_is_escaped(self):
        self.assertEqual(str(documents.beside("<1>", "<2>")),
                         "&lt;1&gt; <small>&lt;2&gt;</small>")

    def test_a_template_that_lacks_a_value_is_an_error(self):
        with self.assertRaises(Exception):
            documents.fill("REPORT.md", {})

    def test_no_template_trusts_a_value_or_types_a_number_of_conventions(self):
        for path in TEMPLATES.glob("*.jinja"):
            text = path.read_text(encoding="utf-8")
            self.assertNotRegex(text, r"\|\s*safe|autoescape", path.name)
            self.assertNotRegex(text, r"\d\s*%[^}]|a tenth|64 KiB|told apart|promised", path.name)

    def test_percents(self):
        self.assertEqual([percent(share) for share in (0.999, 0.95, 0.03, 0.25)],
                         ["99.9 %", "95 %", "3 %", "25 %"])
        self.assertEqual(page.numbers()["answer_confidence"],
                         percent(conventions.ANSWER_CONFIDENCE))


class Captions(unittest.TestCase):
    def setUp(self):
        self.summary = pandas.DataFrame({"samples": [5, 9, 1], "confidence": [0.9375, 0.96, 0]})
        self.environment = {"processor": {"model": "M", "cores": 2, "hypervisor": None},
                            "system": {"name": "Linux", "kernel": "6"}}

    def test_a_caption_says_what_the_bands_are(self):
        self.assertEqual(caption(self.summary, self.environment),
                         "M, 2 cores; Linux 6; medians of 1 to 9 samples, 95 % confidence "
                         "intervals (94 % where fewest, none for one)")

    def test_what_is_unknown_is_left_out(self):
        unknown = {"processor": dict.fromkeys(("model", "cores", "hypervisor")),
                   "system": dict.fromkeys(("name", "kernel"))}
        self.summary["samples"] = 0
        self.assertEqual(caption(self.summary, unknown), "an unknown processor; no samples")


if __name__ == "__main__":
    unittest.main()
