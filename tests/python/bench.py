"""`make bench` from outside: its outputs in the quick profile, and what it does when something
goes wrong. Checks what the files say, never how long anything took."""

import csv
import importlib.util
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from support import BIN, ROOT, STRATEGIES

import campaign
import charts
import disturbance
import summary as summaries

FILES = ["samples.csv", "summary.csv", "environment.json", "advice.json", "report.html",
         "REPORT.md"]
TOOLS = all(map(shutil.which, ("gnuplot", "hyperfine")))


def command(results, *arguments):
    return [sys.executable, str(ROOT / "scripts" / "bench.py"), "--profile", "quick",
            "--build", str(BIN.parent), "--results", str(results), *map(str, arguments)]


def bench(results, *arguments, **options):
    return subprocess.run(command(results, *arguments), capture_output=True, text=True,
                          timeout=300, **options)


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Quick(unittest.TestCase):
    """One whole quick run, looked at from all sides."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.results = pathlib.Path(cls.folder.name, "results")
        cls.latest = cls.results / "latest"
        cls.done = bench(cls.results, "--seed", "7",
                         env={**os.environ, "LC_ALL": "de_DE.UTF-8"})

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

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
            jumps = row["strategy"] == "guard" and row["touch_order"] in ("reverse", "random")
            self.assertEqual(row["status"], "unsupported" if jumps else "ok", row)
        wanted = campaign.configurations(campaign.PROFILES["quick"], 2**40)
        found = {tuple(row[column] for column in summaries.CONFIGURATION) for row in rows}
        self.assertEqual(len(found), len(wanted))
        for _, taken in itertools.groupby(rows, lambda row: row["round"]):
            positions = [int(row["position"]) for row in taken]
            self.assertEqual(positions, list(range(1, len(positions) + 1)))

    def test_what_is_compared_is_sampled_together(self):
        for _, rows in itertools.groupby(read(self.latest / "samples.csv"),
                                         lambda row: row["round"]):
            blocks = [block for block, _ in itertools.groupby(
                rows, lambda row: [row[column] for column in
                                   ("size_bytes", "touched_bytes", "touch_order")])]
            for block in blocks:
                self.assertEqual(blocks.count(block), 1, block)

    def test_counts_did_not_differ(self):
        for row in read(self.latest / "summary.csv"):
            self.assertEqual(row["counts"], "exact", row)
            if row["samples"] != "0":
                self.assertEqual(int(row["minor_faults"]),
                                 int(row["touched_bytes"]) // int(row["page_bytes"]))

    def test_summary_follows_from_the_samples(self):
        rows = read(self.latest / "samples.csv")
        for line in read(self.latest / "summary.csv"):
            totals = sorted(float(row["total_ns"]) for row in rows if row["total_ns"] and all(
                row[column] == line[column] for column in summaries.CONFIGURATION))
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
            if line["strategy"] == "upfront":
                self.assertEqual(float(line["ratio_to_upfront"]), 1)

    def test_environment(self):
        facts = json.loads((self.latest / "environment.json").read_text())
        self.assertEqual((facts["profile"], facts["seed"]), ("quick", 7))
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
        self.assertEqual(len(results), 6 * (len(STRATEGIES) + 1))
        for row in read(self.latest / "whole.csv"):
            if row["total_ns"]:
                self.assertGreater(float(row["whole_ns"]), float(row["total_ns"]))
        self.assertTrue(all(str(ROOT) not in result["command"] for result in results))

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_charts(self):
        for name in charts.CHARTS:
            svg = (self.latest / "charts" / f"{name}.svg").read_text()
            self.assertTrue(svg.rstrip().endswith("</svg>"), name)
            self.assertIn("samples", svg)
            self.assertEqual((self.latest / "charts" / f"{name}.png").read_bytes()[:4],
                             b"\x89PNG")

    def test_the_answer_is_said_before_the_report(self):
        told = json.loads((self.latest / "advice.json").read_text())["answer"]
        said = " ".join(self.done.stdout.split())
        for sentence in told:
            self.assertIn(sentence["text"], said)

    def test_single_calls_and_what_a_limit_refuses(self):
        calls = read(self.latest / "details" / "calls.csv")
        self.assertEqual({row["call"] for row in calls}, {"reserve", "commit", "release"})
        self.assertTrue(all(float(row["ns"]) > 0 for row in calls))
        if shutil.which("prlimit"):
            outcome = {row["strategy"]: row["status"]
                       for row in read(self.latest / "details" / "limited.csv")}
            self.assertEqual(outcome, {"upfront": "refused", "fault": "ok", "chunked": "ok",
                                       "guard": "ok"})

    def test_zz_second_report_moves_nothing(self):
        again = bench(self.results, "--only-report")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual([path.name for path in self.results.iterdir()], ["latest"])


class Brought(unittest.TestCase):
    """A user's own library and allocator beside the four."""

    def test_they_are_measured_counted_charted_and_told(self):
        with tempfile.TemporaryDirectory() as folder:
            latest = pathlib.Path(folder, "latest")
            done = bench(folder, "--library", BIN / "mine.so", "--allocator", "system")
            if TOOLS:
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout,
                             r" +size +upfront +fault +chunked +guard +custom +malloc\n")
            self.check_rows(read(latest / "samples.csv"), read(latest / "summary.csv"))
            advice = json.loads((latest / "advice.json").read_text())
            schema = json.loads((ROOT / "docs" / "advice.schema.json").read_text())
            if importlib.util.find_spec("jsonschema"):
                import jsonschema
                jsonschema.validate(advice, schema)
            self.assertEqual({band["strategy"] for band in advice["beside"]}, {"custom", "malloc"})
            self.assertLessEqual({choice["strategy"] for choice in advice["advice"]},
                                 set(STRATEGIES))
            report = (latest / "REPORT.md").read_text()
            for strategy in campaign.OWN:
                self.assertIn(f"{strategy} beside chunked, both by 64 KiB: ", report)
            own = json.loads((latest / "environment.json").read_text())["own"]
            self.assertEqual((own["custom"]["file"], own["malloc"]["file"]), ("mine.so", "system"))

    def check_rows(self, rows, summary):
        wanted = campaign.configurations(campaign.PROFILES["quick"], 2**40,
                                         (*STRATEGIES, *campaign.OWN))
        self.assertEqual(len(summary), len(wanted))
        for row in rows:
            if row["strategy"] == "malloc" and row["touch_order"] != "sequential":
                self.assertEqual(row["status"], "unsupported")
            elif row["strategy"] in campaign.OWN:
                self.assertEqual((row["status"], row["error"]), ("ok", ""))
        for row in summary:
            self.assertEqual(row["counts"], "exact", row)
        counts = {strategy: {(*(row[name] for name in ("size_bytes", "touched_bytes", "chunk_bytes",
                                                      "touch_order")),):
                             [row[name] for name in ("commit_calls", "minor_faults", "commit_bytes",
                                                     "resident_bytes", "region_count")]
                             for row in summary if row["strategy"] == strategy}
                  for strategy in ("chunked", "custom")}
        self.assertEqual(counts["custom"], counts["chunked"])

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


class Trouble(unittest.TestCase):
    """Whatever happens: rows stay, one line says what to do, the status is not 0."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.results = pathlib.Path(self.folder.name, "results")

    def assertOneLine(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("bench: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertNotIn("Traceback", done.stderr)

    def fake_build(self, **programs):
        """A build folder whose harnesses are the real ones, or shell scripts that we give."""
        build = pathlib.Path(self.folder.name, "build")
        (build / "bin").mkdir(parents=True)
        for strategy in STRATEGIES:
            path = build / "bin" / strategy
            if strategy in programs:
                path.write_text("#!/bin/sh\n" + programs[strategy].format(real=BIN / strategy))
                path.chmod(0o755)
            else:
                path.symlink_to(BIN / strategy)
        return ["--build", str(build)]

    def path_without(self, *tools):
        """A folder of links to what is on the PATH, the tools left out."""
        folder = pathlib.Path(self.folder.name, "path")
        folder.mkdir()
        for name in ("git", "lscpu", "gnuplot", "hyperfine"):
            if name not in tools and shutil.which(name):
                (folder / name).symlink_to(shutil.which(name))
        return {**os.environ, "PATH": str(folder)}

    def test_bad_profile(self):
        self.assertOneLine(bench(self.results, "--profile", "slow"), 2, "'slow'", "quick")

    def test_no_build(self):
        done = bench(self.results, "--build", self.folder.name)
        self.assertOneLine(done, 1, "upfront", "build first")
        self.assertFalse(self.results.exists())

    def test_results_that_cannot_be_written(self):
        self.results.write_text("a file where the folder should be")
        self.assertOneLine(bench(self.results), 1, "cannot write", "nothing was measured")

    def test_interrupted(self):
        process = subprocess.Popen(command(self.results), stderr=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, start_new_session=True)
        samples = self.results / "latest" / "samples.csv"
        while not samples.exists() or samples.read_bytes().count(b"\n") < 20:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C sends
        output, errors = process.communicate(timeout=60)
        done = subprocess.CompletedProcess([], process.returncode, output, errors)
        self.assertOneLine(done, 130, "interrupted", "samples are kept", "make report")
        rows = read(samples)
        self.assertGreaterEqual(len(rows), 19)
        self.assertNotIn(None, [value for row in rows for value in row.values()])
        lines = samples.read_bytes().splitlines(keepends=True)
        for count in (len(rows), 5, 2, 1, 0):  # however little there is, it can be drawn
            samples.write_bytes(b"".join(lines[:1 + count]))
            drawn = bench(self.results, "--only-report")
            if count:
                self.assertEqual(drawn.returncode, 0, drawn.stderr)
            else:
                self.assertOneLine(drawn, 1, "no sample")

    def test_earlier_runs_are_kept(self):
        latest = self.results / "latest"
        latest.mkdir(parents=True)
        (latest / "samples.csv").write_text("an earlier run")
        (latest / "environment.json").write_text('{"started": "2020-01-02T03:04:05+00:00"}')
        build = self.fake_build(guard="exit 3\n")
        self.assertOneLine(bench(self.results, *build), 1, "status 3")
        self.assertEqual((self.results / "2020-01-02-030405" / "samples.csv").read_text(),
                         "an earlier run")

    def test_a_harness_that_is_killed_leaves_a_row_and_the_rest_goes_on(self):
        build = self.fake_build(chunked='case "$*" in '
                                        '*--order*) ;; *"--size 16777216 --touch 1 "*) '
                                        'kill -KILL $$;; esac\nexec {real} "$@"\n')
        done = bench(self.results, *build)
        self.assertOneLine(done, 1, "chunked 16 MiB", "SIGKILL")
        rows = read(self.results / "latest" / "samples.csv")
        killed = [row for row in rows if row["status"] == "skipped"]
        steps = [row["chunk_bytes"] for row in killed]
        self.assertEqual(len(steps), len(set(steps)))  # not tried again
        self.assertEqual(len(steps), len(campaign.PROFILES["quick"].sweep_steps))
        self.assertEqual({row["error"] for row in killed}, {"the harness was ended by SIGKILL"})
        self.assertEqual({row["status"] for row in rows} - {"skipped", "unsupported"}, {"ok"})
        self.assertTrue((self.results / "latest" / "report.html").exists())

    def test_missing_tools(self):
        done = bench(self.results, env=self.path_without("gnuplot", "hyperfine"))
        self.assertOneLine(done, 1, "hyperfine and gnuplot not found", "setup.sh", "make report")
        for name in FILES:
            self.assertTrue((self.results / "latest" / name).exists(), name)

    @unittest.skipUnless(shutil.which("prlimit"), "prlimit is not installed")
    def test_full_disk(self):
        """A file size limit stands for the full disk: the write is refused in the same way."""
        done = subprocess.run(["prlimit", "--fsize=4096", *command(self.results)],
                              capture_output=True, text=True, timeout=300)
        self.assertOneLine(done, 1, "cannot write", "samples are kept")
        path = self.results / "latest" / "samples.csv"
        self.assertTrue(path.read_bytes().endswith(b"\r\n"))
        rows = read(path)
        self.assertGreater(len(rows), 5)
        self.assertEqual([row for row in rows if None in row.values()], [])


class Statistics(unittest.TestCase):
    def test_interval_of_a_median(self):
        """Known ranks: for 10 values the 2nd and 9th cover the median in 97.9 %."""
        values = list(range(1, 11))
        median, low, high, coverage = summaries.median_interval(values)
        self.assertEqual((median, low, high), (5.5, 2, 9))
        self.assertAlmostEqual(coverage, 1 - 2 * 11 / 1024)

    def test_too_few_values_say_so(self):
        self.assertEqual(summaries.median_interval([3, 1, 2]), (2, 1, 3, 0.75))
        self.assertEqual(summaries.median_interval([5])[1:], (5, 5, 0.0))

    def test_interval_is_the_narrowest_that_covers(self):
        for n in range(6, 200):
            _, low, _, coverage = summaries.median_interval(range(1, n + 1))
            self.assertGreaterEqual(coverage, 0.95)
            narrower = 1 - 2 * summaries.stats.binom.cdf(low, n, 0.5)
            self.assertLess(narrower, 0.95, n)

    def test_correction_for_many_cells(self):
        for rounds, cells in (([], 1), ([30], 1), ([30] * 100, 100),
                              ([30] * 20 + [2] * 80, 20),  # two rounds can claim nothing
                              ([30] * 20 + [8] * 80, 20), ([12] * 100, 100), ([11] * 100, 52)):
            with self.subTest(rounds):
                self.assertAlmostEqual(summaries.corrected(rounds), 1 - 0.05 / cells)

    def test_no_difference_is_found_where_there_is_none(self):
        """Two hundred runs in which both strategies are drawn from the same distribution: the
        corrected interval of the ratio holds 1 in all but a few."""
        numpy = summaries.numpy
        draws = numpy.random.default_rng(1)
        missed = 0
        for _ in range(200):
            logs = draws.lognormal(0, 0.1, 30) - draws.lognormal(0, 0.1, 30)
            _, low, high, _ = summaries.median_interval(logs, summaries.shared(20))
            missed += not low <= 0 <= high
        self.assertLessEqual(missed, 3)

    def test_drift_is_found(self):
        frame = summaries.pandas.DataFrame({"round": range(1, 31), "total_ns": range(100, 130)})
        row = {}
        summaries.add_drift(row, frame, 0.999)
        self.assertTrue(row["drifts"])
        self.assertAlmostEqual(row["drift"], 124.5 / 104.5 - 1)

    def test_counts_that_differ_are_marked(self):
        group = summaries.pandas.DataFrame({column: [4, 4] for column in summaries.COUNTS})
        row = {}
        summaries.add_counts(row, group)
        self.assertEqual(row["counts"], "exact")
        group["minor_faults"] = [4, 5]
        summaries.add_counts(row, group)
        self.assertEqual(row["counts"], "DIFFER: minor_faults 4..5")


class Doubts(unittest.TestCase):
    """What disturbs a run is told; a run that nothing disturbed is left alone."""

    QUIET = {"stolen_share": 0.001, "involuntary_switches_per_second": 50.0,
             "others_cpu_share": 0.02, "major_faults": 0, "pages_swapped": 0,
             "settings_changed": []}

    def test_a_quiet_run(self):
        self.assertEqual(disturbance.sentences(self.QUIET), [])

    def test_each_disturbance_is_told(self):
        for change, word in (({"stolen_share": 0.05}, "5.0 %"),
                             ({"involuntary_switches_per_second": 500.0}, "interrupted 500 times"),
                             ({"major_faults": 200}, "disk"), ({"pages_swapped": 9}, "swapped 9"),
                             ({"settings_changed": ["thp_enabled"]}, "thp_enabled"),
                             ({"others_cpu_share": 0.5}, "50 % of a CPU")):
            told = disturbance.sentences(self.QUIET | change)
            self.assertEqual(len(told), 1)
            self.assertIn(word, told[0])

    def test_changed_settings_are_found(self):
        before = disturbance.read(0)
        after = before | {"settings": before["settings"] | {"overcommit_memory": 99}}
        self.assertEqual(disturbance.between(before, after)["settings_changed"],
                         ["overcommit_memory"])


class Planning(unittest.TestCase):
    def plan(self, name, speed, spread=lambda one: 1):
        """Carries a plan out against a pretended machine, so noisy that nothing is known early;
        returns rounds by group and seconds."""
        noise = random.Random(1)
        profile = campaign.PROFILES[name]
        plan = campaign.Plan(profile, campaign.configurations(profile, 24 * campaign.GIB))
        while blocks := plan.next_round():
            seconds = {}
            for one in itertools.chain(*blocks.values()):
                plan.times[one][plan.rounds] = 1000 * noise.lognormvariate(0, spread(one))
                seconds[one.group] = seconds.get(one.group, 0) + \
                    0.01 + speed * one.size / 4096 * float(one.touch)
            plan.took(seconds)
        return {group: len(costs) for group, costs in plan.costs.items()}, plan.spent

    def test_time_is_kept_on_machines_of_any_speed(self):
        for name, profile in campaign.PROFILES.items():
            for speed in (0.3e-6, 1e-6, 3e-6):
                rounds, spent = self.plan(name, speed)
                with self.subTest(profile=name, speed=speed):
                    for group, count in rounds.items():
                        self.assertGreaterEqual(count, campaign.rounds_min(profile, group))
                    for group, count in rounds.items():  # a sweep brings its block along
                        bound = profile.rounds_max + rounds.get((*group[:-1], True), 0)
                        self.assertLessEqual(count, bound if not group[-1] else
                                             profile.rounds_max)
                    least = max(rounds.values()) == profile.rounds_max and \
                        min(rounds.values()) == profile.rounds_max
                    if not least:
                        self.assertLess(spent, 1.15 * profile.seconds)

    def test_a_group_whose_ratios_are_known_is_left_alone(self):
        """Without noise the fewest rounds that give the corrected confidence suffice; where one
        cell is noisy, its group goes on."""
        profile = campaign.PROFILES["default"]
        chosen = campaign.configurations(profile, 24 * campaign.GIB)
        plan = campaign.Plan(profile, chosen)
        noisy = (64 * campaign.KIB, "1", "sequential", False)
        while blocks := plan.next_round():
            due = list(itertools.chain(*blocks.values()))
            for one in due:
                noise = 1 + 0.2 * (plan.rounds % 7) * (one.group == noisy and
                                                       one.strategy == "fault")
                plan.times[one][plan.rounds] = 1000.0 * noise
            plan.took({group: 0.01 for group in {one.group for one in due}})
        fewest = next(n for n in range(1, 99)
                      if summaries.median_interval(range(n), plan.confidence)[3]
                      >= plan.confidence)
        quiet = (16 * campaign.KIB, "1", "sequential", False)
        self.assertLessEqual(abs(len(plan.costs[quiet]) - max(fewest, 2 * profile.rounds_min)), 1)
        self.assertEqual(len(plan.costs[noisy]), profile.rounds_max)

    def test_a_sweep_has_upfront_beside_it_in_each_round(self):
        profile = campaign.PROFILES["quick"]
        plan = campaign.Plan(profile, campaign.configurations(profile, 24 * campaign.GIB))
        while blocks := plan.next_round():
            for block, chosen in blocks.items():
                self.assertEqual({one.block for one in chosen}, {block})
                self.assertIn("upfront", [one.strategy for one in chosen])
            plan.took({group: 0.1 if group[-1] else 0.001 for group in
                       {one.group for one in itertools.chain(*blocks.values())}})

    def test_rounds_go_where_ratios_spread(self):
        wild = (256 * campaign.MIB, "1", "sequential", False)
        even, _ = self.plan("default", 3e-6)
        uneven, _ = self.plan("default", 3e-6, lambda one: 2 if one.group == wild else 0.5)
        self.assertGreater(uneven[wild], 1.5 * even[wild])

    def test_small_sizes_get_more_rounds(self):
        rounds, _ = self.plan("default", 3e-6)
        self.assertGreater(rounds[(4 * campaign.KIB, "1", "sequential", False)], 20)
        self.assertLess(rounds[(4 * campaign.GIB, "1", "sequential", False)], 10)

    def test_no_size_takes_more_than_half_of_memory(self):
        for memory in (1, 4, 24):
            sizes = [one.size for one in campaign.configurations(
                campaign.PROFILES["full"], memory * campaign.GIB)]
            self.assertLessEqual(max(sizes), memory * campaign.GIB / 2)
            self.assertGreater(max(sizes), memory * campaign.GIB / 5)


if __name__ == "__main__":
    unittest.main()
