"""`make compare`: its rules on made-up times, and the command from outside, with harnesses that are
scripts, so that nothing here depends on how long anything takes."""

import csv
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

from support import BIN, ROOT, STRATEGIES, describe

from vmcommit.base import strategies
from vmcommit.base.problems import Problem, Usage
from vmcommit.gate import revisions, rules

KNOWN = [strategies.from_json(describe(name)) for name in STRATEGIES]
CELLS = len(rules.cells(KNOWN))
COMMAND = [sys.executable, str(ROOT / "scripts" / "vmcommit")]
GOOGLE_COMPARE = pathlib.Path("/usr/share/benchmark/compare.py")
# As Bencher and github-action-benchmark describe what they take.
SCHEMAS = {
    "bmf.json": {"type": "object", "minProperties": 1, "additionalProperties": {
        "type": "object", "minProperties": 1, "additionalProperties": {
            "type": "object", "required": ["value"], "additionalProperties": False,
            "properties": dict.fromkeys(("value", "lower_value", "upper_value"),
                                        {"type": "number"})},
        "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64}},
        "propertyNames": {"minLength": 1, "maxLength": 1024}},
    "github-action-benchmark.json": {"type": "array", "minItems": 1, "items": {
        "type": "object", "required": ["name", "unit", "value"], "additionalProperties": False,
        "properties": {"value": {"type": "number"}, **dict.fromkeys(
            ("name", "unit", "range", "extra"), {"type": "string"})}}}}


# A harness that measures nothing: the real header, and a row whose time follows from its options
# and from how often it was called. A shell script, since some thousand of them are started.
FAKE = """#!/bin/sh
[ "$1" != --describe ] || exec cat "$0.json"
while [ $# -gt 0 ]; do
    case $1 in --size) size=$2 ;; --touch) touch=$2 ;; --chunk) chunk=$2 ;; esac
    shift 2
done
[ -e "$0.calls" ] && read calls < "$0.calls" || calls=0
echo $((calls + 1)) > "$0.calls"
[ "$touch" = 1 ] && touched=$size || touched=$((size / 10))
total_ps=$((1000000 + calls % 3 * 1000)) commit_calls=3 minor_faults=16
{change}
fraction=$((1000 + total_ps % 1000))
total_ns=$((total_ps / 1000)).${{fraction#1}}
echo '{header}'
echo "{row}"
"""
ROW = {"strategy": "{strategy}", "platform": "linux", "pages": "small", "page_bytes": "4096",
       "size_bytes": "$size", "chunk_bytes": "$chunk", "touched_bytes": "$touched",
       "status": "ok", "touch_order": "sequential", "batch": "1", "round": "1", "position": "1",
       "commit_calls": "$commit_calls", "handled_faults": "0", "minor_faults": "$minor_faults",
       "region_count": "1", "commit_bytes": "$size", "total_ns": "$total_ns"}
SLOWER = "total_ps=$((total_ps * {} / 100))"


class Command(unittest.TestCase):
    """Twelve rounds are the fewest by which one of twenty cells can be called."""

    @classmethod
    def setUpClass(cls):
        done = subprocess.run([str(BIN / "upfront"), "--size", "4K", "--repeat", "1"],
                              capture_output=True, text=True)
        cls.columns = done.stdout.splitlines()[0].split(",")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.into = self.root / "results"
        self.folders = ["--into", str(self.into), "--results", str(self.root)]

    def build(self, name, strategies=STRATEGIES, **changes):
        """A folder of fake harnesses; `changes` are lines of shell for a strategy."""
        folder = self.root / name
        folder.mkdir()
        for strategy in strategies:
            path = folder / strategy
            row = ",".join(ROW.get(column, "") for column in self.columns)
            path.write_text(FAKE.format(header=",".join(self.columns), change=changes.get(
                strategy, ""), row=row.format(strategy=strategy)))
            path.chmod(0o755)
        return folder

    def compare(self, base, head, *arguments, rounds=12):
        return subprocess.run(
            [*COMMAND, "compare", "--base", str(base), "--head",
             str(head), "--rounds", str(rounds), *self.folders, *arguments],
            capture_output=True, text=True, timeout=300,
            env={**os.environ, "VMCOMMIT_BASE": ""})

    def assertVerdicts(self, done, status, sentence):
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        self.assertIn(sentence, done.stdout)
        self.assertNotIn("Traceback", done.stderr)

    def test_nothing_changed(self):
        done = self.compare(self.build("base"), self.build("head"), "--self-check", "--strict")
        self.assertVerdicts(done, 0, f"No regression. {CELLS} cells: {CELLS} same.")
        self.assertIn("self-check: base against itself gave 0 false alarms in 20 cells",
                      done.stdout)
        self.check_forms()

    def check_forms(self):
        """Each form is read back by a parser that is not ours, or by its own grammar."""
        suite = xml.parse(self.into / "junit.xml").getroot().find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), (str(CELLS), "0"))
        self.assertEqual(len(suite.findall("testcase")), CELLS)
        self.check_schemas()
        self.check_readers()
        for side in ("base", "head"):
            lines = (self.into / f"{side}.bench.txt").read_text().splitlines()
            measured = [line for line in lines if line.startswith("Benchmark")]
            self.assertEqual(len(measured), 13 * CELLS)
            for line in measured:  # the Go benchmark data format: name, iterations, value unit ...
                self.assertRegex(line, r"^BenchmarkCommit(/\w+=[\w.]+)+ \d+( [\d.]+ \S+/op)+$")
            google = json.loads((self.into / f"{side}.google-benchmark.json").read_text())
            self.assertEqual(len(google["benchmarks"]), 13 * CELLS)
            for one in google["benchmarks"]:
                self.assertEqual((one["run_type"], one["time_unit"], one["repetitions"]),
                                 ("iteration", "ns", 13))
        bmf = json.loads((self.into / "bmf.json").read_text())
        self.assertEqual(len(bmf), CELLS)
        for measures in bmf.values():
            latency = measures["latency"]
            self.assertLessEqual(latency["lower_value"], latency["value"] * 1.01)
            self.assertGreaterEqual(latency["upper_value"], latency["value"] * 0.99)
        custom = json.loads((self.into / "github-action-benchmark.json").read_text())
        self.assertEqual({tuple(one) for one in custom},
                         {("name", "unit", "value", "range", "extra")})
        self.assertFalse([one for one in custom if "=" in one["name"]])
        with open(self.into / "samples.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({row["side"] for row in rows}, {"base", "head", "again"})
        self.assertNotIn(None, [value for row in rows for value in row.values()])

    def check_schemas(self):
        try:
            import jsonschema
        except ImportError:
            return
        for name, schema in SCHEMAS.items():
            jsonschema.validate(json.loads((self.into / name).read_text()), schema)

    def check_readers(self):
        """What their own programs make of two equal sides; where these are installed."""
        both = {kind: [str(self.into / f"{side}.{kind}") for side in ("base", "head")]
                for kind in ("bench.txt", "google-benchmark.json")}
        if shutil.which("benchcmp"):  # of the Go tools
            told = self.read_by("benchcmp", *both["bench.txt"])
            read = re.findall(r"^BenchmarkCommit/\S+ +100\d +100\d +[+-]0\.\d\d%$", told, re.M)
            self.assertEqual(len(read), 13 * CELLS)
        if GOOGLE_COMPARE.exists():
            told = self.read_by(sys.executable, str(GOOGLE_COMPARE), "--no-color", "benchmarks",
                                *both["google-benchmark.json"])
            read = re.findall(r"^strategy:\S+ +[+-]0\.00\d\d +[+-]0\.00\d\d +100\d ", told, re.M)
            self.assertEqual(len(read), 13 * CELLS)
            self.assertEqual(told.count("U Test, Repetitions: 13 vs 13"), CELLS)
        if importlib.util.find_spec("junitparser"):
            import junitparser
            suite = next(iter(junitparser.JUnitXml.fromfile(str(self.into / "junit.xml"))))
            self.assertEqual((suite.tests, suite.failures, suite.skipped, len(list(suite))),
                             (CELLS, 0, 0, CELLS))

    def read_by(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_slower_head_is_found_and_confirmed(self):
        done = self.compare(self.build("base"), self.build("head", fault=SLOWER.format(105)))
        self.assertVerdicts(done, 1, "REGRESSION: fault")
        self.assertIn("+5.0 %, and again on fresh rounds", done.stdout)
        self.assertIn(f"{CELLS} cells: 4 regressed, 16 same.", done.stdout)
        lines = done.stdout.splitlines()
        first = lines[next(at for at, line in enumerate(lines) if line.startswith("cell ")) + 1]
        self.assertIn("regressed", first)  # worst first
        suite = xml.parse(self.into / "junit.xml").getroot().find("testsuite")
        self.assertEqual(suite.get("failures"), "4")
        self.assertIn("REGRESSION", (self.into / "COMPARE.md").read_text())

    def test_a_faster_head(self):
        done = self.compare(self.build("base"), self.build("head", guard=SLOWER.format(80)))
        self.assertVerdicts(done, 0, "6 improved")

    def test_a_slowdown_that_passes_is_not_believed(self):
        head = self.build("head", chunked=f"[ $calls -ge 78 ] || {SLOWER.format(120)}")
        done = self.compare(self.build("base"), head)
        self.assertVerdicts(done, 0, "6 inconclusive")
        self.assertIn("not confirmed on fresh rounds", done.stdout)

    def test_one_more_fault_is_always_found(self):
        head = self.build("head", chunked="minor_faults=17")
        done = self.compare(self.build("base"), head, rounds=1)
        self.assertVerdicts(done, 1, "minor_faults 16 -> 17")
        before, _, after = done.stdout.partition("times: ")
        self.assertIn("chunked 1 MiB, step 4 KiB: regressed: minor_faults 16 -> 17", before)
        self.assertRegex(after, "chunked 1 MiB, step 4 KiB +1 µs +1 µs .*regressed +minor_faults")

    def test_fewer_faults_and_more_time(self):
        head = self.build("head", chunked=f"minor_faults=15; {SLOWER.format(110)}",
                          guard="minor_faults=15")
        done = self.compare(self.build("base"), head)
        self.assertVerdicts(done, 1, "6 regressed, 6 improved, 8 same")
        self.assertRegex(done.stdout, r"chunked 64 KiB.*regressed +\+10\.0 %, and again on fresh "
                                      r"rounds; minor_faults 16 -> 15")

    def test_fewer_faults_and_then_death(self):
        head = self.build("head", guard="minor_faults=15; [ $calls -lt 40 ] || exit 7")
        self.assertVerdicts(self.compare(self.build("base"), head), 6,
                            "head ended with status 7")

    def test_a_verdict_that_cannot_be_kept_is_told_all_the_same(self):
        base, head = self.build("base"), self.build("head", fault="minor_faults=17")
        self.into.mkdir()
        (self.into / "junit.xml").mkdir()  # what can't be written
        done = self.compare(base, head, rounds=1)
        self.assertVerdicts(done, 2, "REGRESSION: fault")
        self.assertIn("cannot write", done.stderr)

    def test_a_count_that_varies_by_round(self):
        head = self.build("head", guard="commit_calls=$((3 + (calls > 40)))")
        done = self.compare(self.build("base"), head)
        self.assertVerdicts(done, 1, "counts vary by round: commit_calls 3 -> 4")

    def test_strict_makes_inconclusive_count(self):
        base, head = self.build("base"), self.build("head")
        self.assertVerdicts(self.compare(base, head, rounds=2), 0, "20 inconclusive")
        self.assertVerdicts(self.compare(base, head, "--strict", rounds=2), 3, "20 inconclusive")

    def test_a_harness_that_one_side_lacks(self):
        done = self.compare(self.build("base", STRATEGIES[:3]), self.build("head"), rounds=1)
        self.assertVerdicts(done, 6, "base has no such harness")

    def test_a_harness_that_dies(self):
        done = self.compare(self.build("base"), self.build("head", guard="exit 7"), rounds=1)
        self.assertVerdicts(done, 6, "head ended with status 7")

    def keep(self, head, name="before"):
        done = subprocess.run(
            [*COMMAND, "compare", "--head", str(head), "--rounds",
             "13", "--results", str(self.into), "--keep", name], capture_output=True, text=True,
            timeout=300, env=os.environ | {"VMCOMMIT_BASE": ""})
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.into / "baselines" / name

    def against(self, head, name="before"):
        return subprocess.run(
            [*COMMAND, "compare", "--head", str(head),
             "--results", str(self.into), "--baseline", name], capture_output=True, text=True,
            timeout=300, env=os.environ | {"VMCOMMIT_BASE": ""})

    def test_a_stored_baseline(self):
        kept = self.keep(self.build("base"))
        for name, change, status, sentence in (
                ("same", "", 0, "20 cells: 20 same."),
                ("drift", SLOWER.format(120), 0, "20 same."),
                ("slow", SLOWER.format(150), 1, "4 regressed"),
                ("fault", "minor_faults=17", 1, "minor_faults 16 -> 17")):
            with self.subTest(name):
                self.assertVerdicts(self.against(self.build(name, fault=change)), status, sentence)
        described = json.loads((kept / "environment.json").read_text())
        described["system"]["kernel"] = "0.99"
        (kept / "environment.json").write_text(json.dumps(described))
        done = self.against(self.root / "slow")
        self.assertVerdicts(done, 0, "Times are not compared")
        self.assertIn("system kernel 0.99 -> ", done.stdout)
        self.assertVerdicts(self.against(self.root / "fault"), 1, "minor_faults 16 -> 17")

    def test_baselines_that_cannot_be_used(self):
        head = self.build("head")
        kept = self.keep(head)
        whole = (kept / "samples.csv").read_bytes()
        lines = whole.splitlines(keepends=True)
        environment = (kept / "environment.json").read_bytes()
        for what, samples, described, words in (
                ("middle of a line", whole[:len(whole) // 2], environment, ["cut off"]),
                ("between lines", b"".join(lines[:100]), environment, ["cut off"]),
                ("first line only", lines[0], environment, ["no sample"]),
                ("columns", whole.replace(b"minor_faults", b"soft_faults"), environment,
                 ["other columns", "minor_faults"]),
                ("campaign", whole.replace(b"size=1048576", b"size=2097152"), environment,
                 ["another campaign"]),
                ("no text", b"\xff\xfe" + whole, environment, ["samples.csv"]),
                ("environment", whole, b"{", ["environment.json"])):
            with self.subTest(what):
                (kept / "samples.csv").write_bytes(samples)
                (kept / "environment.json").write_bytes(described)
                self.assertUnusable(self.against(head), *words)
        self.assertUnusable(self.against(head, "nowhere"), "none of that name", "there is before")

    def assertUnusable(self, done, *words):
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in ("BASELINE", *words):
            self.assertIn(word, done.stderr)

    def test_bad_usage_is_one_line(self):
        base = self.build("base")
        for arguments, words in (
                (["--base", base, "--rounds", "0"], ["--rounds", "'0'"]),
                (["--base", self.root / "nowhere"], ["no harness", "nowhere"]),
                (["--revision", "no-such-revision"], ["'no-such-revision'", "branch"]),
                ([], ["BASE="]), (["--keep", "a/b"], ["NAME", "'a/b'"]),
                (["--base", base, "--revision", "HEAD"], ["BASE="]),
                (["--frob"], ["--frob"])):
            done = subprocess.run(
                [*COMMAND, "compare", "--head", str(base),
                 *self.folders, *map(str, arguments)], capture_output=True, text=True,
                timeout=60, env={**os.environ, "VMCOMMIT_BASE": ""})
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)

    def test_interrupted(self):
        base = self.build("base")
        process = subprocess.Popen(
            [*COMMAND, "compare", "--base", str(base), "--head",
             str(base), *self.folders], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        samples = self.into / "samples.csv"
        while not samples.exists() or samples.read_bytes().count(b"\n") < 50:
            self.assertIsNone(process.poll())
        os.killpg(process.pid, 2)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("compare: interrupted; the samples so far are in", errors)
        self.assertNotIn("Traceback", errors)


class Real(unittest.TestCase):
    """Harnesses and libraries that are real, and differ in what can be counted."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.into = pathlib.Path(folder.name)

    def compare(self, *arguments):
        return subprocess.run(
            [*COMMAND, "compare", "--head", str(BIN.parent),
             "--rounds", "1", "--results", str(self.into), *map(str, arguments)],
            capture_output=True, text=True, timeout=300,
            env={**os.environ, "VMCOMMIT_BASE": "", "VMCOMMIT_BASELINE": ""})

    def test_one_page_fault_more_in_a_commit_call(self):
        """Each cell of the strategy, in the first samples, whatever the times."""
        for strategy in ("fault", "chunked", "guard"):
            head = self.into / strategy
            head.mkdir()
            for other in STRATEGIES:
                (head / other).symlink_to(BIN / other)
            (head / strategy).unlink()
            (head / strategy).write_text(
                f'#!/bin/sh\nLD_PRELOAD={BIN / "slow.so"} VMCOMMIT_FAULT=1 exec '
                f'{BIN / strategy} "$@"\n')
            (head / strategy).chmod(0o755)
            done = self.compare("--base", BIN, "--head", head)
            self.assertEqual(done.returncode, 1, done.stderr)
            before, _, _ = done.stdout.partition("times: ")
            found = [line.split(":")[0].strip() for line in before.splitlines()
                     if ": regressed: minor_faults " in line]
            self.assertEqual(found, [str(cell) for cell in gate.cells()
                                     if cell.strategy == strategy])

    def test_two_libraries(self):
        same = self.compare("--base-library", BIN / "mine.so", "--head-library", BIN / "mine.so")
        self.assertEqual(same.returncode, 0, same.stderr)
        self.assertIn("vmcommit compare: 6 cells", same.stdout)
        self.assertIn("counts are equal in every cell", same.stdout)
        early = self.compare("--base-library", BIN / "mine.so", "--head-library", BIN / "early.so")
        self.assertEqual(early.returncode, 1, early.stderr)
        self.assertIn("custom 16 MiB, touch 0.1, step 64 KiB: regressed: minor_faults 410 -> 411",
                      early.stdout)
        rows = (self.into / "history.csv").read_text()
        self.assertIn(",custom,", rows)
        described = json.loads((self.into / "compare" / "environment.json").read_text())
        self.assertEqual(described["own"]["head"]["custom"]["file"], "early.so")
        self.assertNotIn(str(BIN), json.dumps(described["own"]))

    def test_a_baseline_with_a_library(self):
        kept = self.compare("--keep", "mine", "--head-library", BIN / "mine.so")
        self.assertEqual(kept.returncode, 0, kept.stderr)
        early = self.compare("--baseline", "mine", "--head-library", BIN / "early.so")
        self.assertEqual(early.returncode, 1, early.stderr)
        self.assertIn("26 cells: 1 regressed", early.stdout)
        without = self.compare("--baseline", "mine")
        self.assertEqual(without.returncode, 5)
        self.assertIn("6 are unknown", without.stderr)

    def test_the_systems_allocator(self):
        done = self.compare("--base-allocator", "system", "--head-allocator", "system")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertIn("counts are equal in every cell", done.stdout)

    def test_bad_usage(self):
        mine = BIN / "mine.so"
        for arguments, words in (
                (["--head-library", mine], ["--base-library", "both sides"]),
                (["--base-library", mine, "--head-library", "nowhere.so"],
                 ["--head-library", "'nowhere.so' is no file"]),
                (["--base-library", mine, "--head-library", BIN / "lacking.so"],
                 ["--head-library", "'lacking.so'", "no function vmcommit_ensure"]),
                (["--base-allocator", "system", "--head-allocator", "nowhere.so"],
                 ["--head-allocator", "'nowhere.so' is no file"]),
                (["--base-allocator", "system", "--head-allocator", ROOT / "README.md"],
                 ["--head-allocator", "'README.md'", "cannot be preloaded"]),
                (["--baseline", "mine", "--base-library", mine, "--head-library", mine],
                 ["--base-library", "baseline"])):
            done = self.compare(*arguments)
            with self.subTest(arguments):
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)


class Revisions(unittest.TestCase):
    """Building a revision, in a repository of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.addCleanup(setattr, compare, "ROOT", compare.ROOT)
        compare.ROOT = self.root
        self.git("init", "-q")

    def git(self, *arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        return subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True,
                              capture_output=True, text=True).stdout

    def commit(self, cmake):
        (self.root / "CMakeLists.txt").write_text(cmake)
        self.git("add", "-A")
        self.git("commit", "-qm", "x")

    def test_a_revision_is_built_once_and_leaves_no_worktree(self):
        targets = "\n".join(f"add_custom_target({strategy})" for strategy in STRATEGIES)
        self.commit(f"cmake_minimum_required(VERSION 3.20)\nproject(x NONE)\n{targets}\n")
        built, commit = compare.build_revision("HEAD")
        self.assertTrue((built / "complete").exists())
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1)
        self.assertEqual(compare.build_revision(commit), (built, commit))

    def test_a_revision_that_does_not_build(self):
        self.commit("cmake_minimum_required(VERSION 3.20)\nproject(x NONE)\n"
                    'message(FATAL_ERROR "no")')
        with self.assertRaises(compare.Problem) as raised:
            compare.build_revision("HEAD")
        self.assertEqual(raised.exception.status, compare.NOT_BUILT)
        self.assertIn("'HEAD' does not build", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
