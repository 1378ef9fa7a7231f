"""`make bench` from outside, in the quick profile: what its files say, never how long anything
took."""

import csv
import importlib.util
import itertools
import json
import os
import pathlib
import re
import shutil
import tempfile
import unittest

from support import BIN, EMULATOR, ROOT, execute, vmcommit

import tiny

from vmcommit.base.columns import CONFIGURATION
from vmcommit.base.strategies import from_json
from vmcommit.measure import profiles
from vmcommit.measure.campaigns import CAMPAIGNS, WHOLE
from vmcommit.measure.environment import CPUS
from vmcommit.show import charts
from vmcommit.show.chart import RUN

tiny.add()
FILES = ["samples.csv", "summary.csv", "environment.json", "advice.json", "report.html",
         "REPORT.md"]
TOOLS = all(map(shutil.which, ("gnuplot", "hyperfine")))


def bench(results, *arguments, **options):
    return execute(vmcommit("bench", "--profile", "quick", "--build", BIN.parent, "--results",
                            results, *arguments), **options)


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def strategies_of(latest):
    """{name: Strategy} of a run."""
    described = json.loads((latest / "environment.json").read_text(encoding="utf-8"))["strategies"]
    return {strategy.name: strategy for strategy in map(from_json, described)}


def wanted(profile, strategies):
    """What harnesses are asked for on a machine with much memory."""
    listed = CAMPAIGNS[WHOLE].configurations(profiles.PROFILES[profile], 2**40,
                                             list(strategies.values()))
    return {(each.strategy, *each.turns()) for each in listed}


class Quick(unittest.TestCase):
    """One whole quick run, looked at from all sides."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.results = pathlib.Path(folder.name, "results")
        cls.latest = cls.results / "latest"
        cls.done = bench(cls.results, "--seed", "7", env={**os.environ, "LC_ALL": "de_DE.UTF-8"})
        if not (cls.latest / "report.html").exists():
            raise AssertionError(cls.done.stderr)
        cls.strategies = strategies_of(cls.latest)

    def test_ends_well_and_says_where_the_report_is(self):
        if TOOLS:
            self.assertEqual((self.done.returncode, self.done.stdout.splitlines()[-1]),
                             (0, f"report: {os.path.relpath(self.latest / 'report.html')}"),
                             self.done.stderr)
        self.assertNotIn("\033", self.done.stdout + self.done.stderr)  # no colour in a log

    def test_every_file_is_there(self):
        for name in FILES:
            self.assertGreater((self.latest / name).stat().st_size, 500, name)

    def test_every_configuration_is_sampled_in_some_rounds(self):
        rows = read(self.latest / "samples.csv")
        for row in rows:
            jumps = self.strategies[row["strategy"]].guarded and \
                row["touch_order"] in ("reverse", "random")
            if row["pages"] == "small" and row["purge"] in ("", "none"):
                self.assertEqual(row["status"], "unsupported" if jumps else "ok", row)
            self.assertIn(row["status"], ("ok", "unsupported"))
        sampled = {tuple(row[column] for column in CONFIGURATION) for row in rows}
        self.assertEqual(len(sampled), len(wanted("quick", self.strategies)))
        for _, taken in itertools.groupby(rows, lambda row: row["set"]):
            positions = [int(row["position"]) for row in taken]
            self.assertEqual(positions, list(range(1, len(positions) + 1)))

    def test_what_is_compared_is_sampled_together(self):
        for _, rows in itertools.groupby(read(self.latest / "samples.csv"),
                                         lambda row: row["set"]):
            blocks = [block for block, _ in itertools.groupby(
                rows, lambda row: [row[column] for column in
                                   ("size_bytes", "touched_bytes", "touch_order")])]
            for block in blocks:
                self.assertEqual(blocks.count(block), 1, block)

    def test_counts_did_not_differ(self):
        for row in read(self.latest / "summary.csv"):
            self.assertEqual(row["counts"], "exact", row)
            if row["samples"] != "0" and row["pages"] == "small":
                again = int(row["retouch_minor_faults"] or 0)
                self.assertEqual(int(row["minor_faults"]) - again,
                                 int(row["touched_bytes"]) // int(row["page_bytes"])
                                 * int(row["threads"]))

    def test_summary_follows_from_the_samples(self):
        rows = read(self.latest / "samples.csv")
        for line in read(self.latest / "summary.csv"):
            totals = sorted(float(row["total_ns"]) for row in rows if row["total_ns"] and all(
                row[column] == line[column] for column in CONFIGURATION))
            if line["samples"] == "0":
                continue
            self.assertEqual(len(totals), int(line["samples"]))
            middle = (totals[(len(totals) - 1) // 2] + totals[len(totals) // 2]) / 2
            self.assertAlmostEqual(float(line["total_ns"]), middle, delta=0.11)
            if len(totals) == 1:
                self.assertEqual((line["total_ns_low"], line["total_ns_high"]), ("", ""))
                continue
            self.assertLessEqual(float(line["total_ns_low"]), float(line["total_ns"]))
            self.assertGreaterEqual(float(line["total_ns_high"]), float(line["total_ns"]))
            if (line["strategy"], line["commit_kind"], line["purge"], line["threads"]) == (
                    "upfront", self.strategies["upfront"].commit[0], "none", "1"):
                self.assertEqual(float(line["ratio_to_upfront"]), 1)

    def test_environment(self):
        facts = json.loads((self.latest / "environment.json").read_text())
        self.assertEqual((facts["profile"], facts["seed"], facts["left_out"]), ("quick", 7, []))
        for group, names in {"processor": ["model", "cores", "hypervisor", "governor"],
                             "memory": ["total_bytes"], "system": ["kernel", "page_bytes"],
                             "settings": ["thp_enabled", "overcommit_memory", "max_map_count"],
                             "build": ["compiler", "version", "flags"],
                             "calibration": ["clock_ns", "page_fault_ns", "trap_ns"],
                             "disturbance": ["stolen_share", "settings_changed"],
                             "revision": ["commit", "clean"]}.items():
            for name in names:
                self.assertIn(name, facts[group])
        self.assertNotIn(str(ROOT), json.dumps(facts))

    @unittest.skipUnless(shutil.which("hyperfine"), "hyperfine is not installed")
    def test_whole_processes(self):
        results = json.loads((self.latest / "hyperfine.json").read_text())["results"]
        self.assertEqual(len(results), 6 * (len(self.strategies) + 1))
        for row in read(self.latest / "process_times.csv"):
            if row["total_ns"]:
                self.assertGreater(float(row["whole_ns"]), float(row["total_ns"]))
        self.assertTrue(all(str(ROOT) not in result["command"] for result in results))

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_charts(self):
        of_others = {name for name in charts.of(RUN) if name.startswith(("threads", "replayed"))}
        brief = {"threads_speed"} if len(CPUS) > 1 else set()
        for name in charts.of(RUN).keys() - of_others | brief:
            svg = (self.latest / "charts" / f"{name}.svg").read_text()
            self.assertTrue(svg.rstrip().endswith("</svg>"), name)
            self.assertRegex(svg, "sample|one cycle of each|medians of whole processes")
            self.assertEqual((self.latest / "charts" / f"{name}.png").read_bytes()[:4],
                             b"\x89PNG")

    def test_the_answer_is_said_before_the_report(self):
        told = json.loads((self.latest / "advice.json").read_text())
        self.assertEqual([section["name"] for section in told["sections"]],
                         ["commit-kinds", "giving-back"] + ["threads"] * (len(CPUS) > 1))
        said = " ".join(self.done.stdout.split())
        for sentence in told["headline"]:
            self.assertIn(sentence["text"], said)
        report = (self.latest / "REPORT.md").read_text(encoding="utf-8").replace("\\_", "_")
        for part in ({"sentences": told["answer"]}, *told["sections"]):
            for sentence in part["sentences"]:
                self.assertIn(sentence["text"], report)

    def test_single_calls_and_what_a_limit_refuses(self):
        calls = read(self.latest / "details" / "calls.csv")
        self.assertLessEqual({"reserve", "commit", "release", "protect_read", "lock", "unlock"},
                             {row["call"] for row in calls})
        self.assertEqual({row["mappings"] for row in calls}, {"0", "1000"})
        self.assertTrue(all(float(row["ns"]) > 0 for row in calls if row["status"] == "ok"))
        if shutil.which("prlimit"):
            for row in read(self.latest / "details" / "limited.csv"):
                whole = self.strategies[row["strategy"]].step == "size"
                self.assertEqual(row["status"], "refused" if whole else "ok", row)

    def test_lists_and_buffers(self):
        """Each of a list's samples is of a process of its own, so that malloc's is growth."""
        if EMULATOR:
            self.assertFalse((self.latest / "details" / "list.csv").exists())
            return
        lists = read(self.latest / "details" / "list.csv")
        self.assertEqual({row["status"] for row in lists}, {"ok"})
        self.assertEqual({row["source"] for row in lists}, {"check", "fault", "malloc"})
        self.assertEqual({row["repeat"] for row in lists}, {"1", "2"})
        buffers = read(self.latest / "details" / "buffer.csv")
        self.assertEqual(len(buffers), 4 * 3 * 2)
        self.assertLessEqual({row["status"] for row in buffers}, {"ok", "unsupported"})

    def test_each_phase_is_shown_to_whoever_waits(self):
        phases = () if EMULATOR else ("linked lists", "data buffers")
        shown = [int(tenth) for tenth in
                 re.findall(r"^ *(\d+) %, .* left, round \d+$", self.done.stderr, re.M)]
        self.assertGreater(len(shown), 2)
        self.assertEqual(shown, sorted({tenth for tenth in shown if tenth % 10 == 0}))
        for words in ("whole processes: 6 steps", "traces: ", "staircases: ", "single calls",
                      *phases):
            if words != "whole processes: 6 steps" or shutil.which("hyperfine"):
                self.assertIn(words, self.done.stderr)

    def test_zz_second_report_moves_nothing(self):
        before = (self.latest / "samples.csv").read_bytes()
        again = execute(vmcommit("report", self.latest))
        if shutil.which("gnuplot"):
            self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual([path.name for path in self.results.glob("[!.]*")], ["latest"])
        self.assertEqual((self.latest / "samples.csv").read_bytes(), before)


class Brought(unittest.TestCase):
    """A user's own library and allocator beside the four."""

    def test_they_are_measured_counted_charted_and_told(self):
        with tempfile.TemporaryDirectory() as folder:
            latest = pathlib.Path(folder, "latest")
            done = bench(folder, "--profile", "tiny", "--library", BIN / "mine.so", "--allocator",
                         "system")
            if TOOLS:
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("| size | upfront | fault | chunked | guard | custom | malloc |",
                          (latest / "REPORT.md").read_text())
            self.strategies = strategies_of(latest)
            self.check_rows(read(latest / "samples.csv"), read(latest / "summary.csv"))
            advice = json.loads((latest / "advice.json").read_text())
            schema = json.loads((ROOT / "docs" / "advice.schema.json").read_text())
            if importlib.util.find_spec("jsonschema"):
                import jsonschema
                jsonschema.validate(advice, schema)
            self.assertEqual({band["strategy"] for band in advice["beside"]}, {"custom", "malloc"})
            self.assertLessEqual({choice["strategy"] for choice in advice["advice"]},
                                 {name for name, strategy in self.strategies.items()
                                  if not strategy.brought})
            report = (latest / "REPORT.md").read_text()
            for strategy in ("custom", "malloc"):
                self.assertIn(f"{strategy} beside chunked, both at a step of 64 KiB: ", report)
            own = json.loads((latest / "environment.json").read_text())["own"]
            self.assertEqual((own["library"]["file"], own["allocator"]["file"]),
                             ("mine.so", "system"))

    def check_rows(self, rows, summary):
        self.assertEqual(len(summary), len(wanted("tiny", self.strategies)))
        for row in rows:
            if row["strategy"] == "malloc" and row["touch_order"] != "sequential":
                self.assertEqual(row["status"], "unsupported")
            elif self.strategies[row["strategy"]].brought:
                self.assertEqual((row["status"], row["error"]), ("ok", ""))
        for row in summary:
            self.assertEqual(row["counts"], "exact", row)
        custom, chunked = self.counts(summary, "custom"), self.counts(summary, "chunked")
        self.assertEqual(custom, {done: took for done, took in chunked.items() if done in custom})

    def counts(self, summary, strategy):
        """{what was done: what it took} of a strategy as it is."""
        usual = ("", *self.strategies[strategy].commit[:1])
        done = ("size_bytes", "touched_bytes", "chunk_bytes", "touch_order")
        took = ("commit_calls", "minor_faults", "commit_bytes", "resident_bytes", "region_count")
        return {tuple(row[name] for name in done): [row[name] for name in took]
                for row in summary if row["strategy"] == strategy and row["pages"] == "small"
                and row["commit_kind"] in usual and row["purge"] in ("", "none")
                and row["threads"] == "1"}

    def test_bad_usage(self):
        for option, value, words in (
                ("--library", "nowhere.so", ["'nowhere.so' is no file", "vmcommit.h"]),
                ("--library", BIN / "lacking.so", ["'lacking.so'", "vmcommit_ensure"]),
                ("--allocator", ROOT / "README.md", ["'README.md'", "cannot be preloaded"])):
            with tempfile.TemporaryDirectory() as folder:
                done = bench(folder, option, value)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                for word in (f"bench: {option}: ", *words):
                    self.assertIn(word, done.stderr)
                self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
