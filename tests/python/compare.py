"""`make compare` and `make baseline` from outside, with harnesses that are scripts, so that nothing
here depends on how long anything takes; and with real ones that differ in what can be counted."""

import csv
import fcntl
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
import xml.etree.ElementTree as xml

from forks import forked
from support import BIN, ROOT, STRATEGIES, describe

from vmcommit.base import strategies
from vmcommit.base.problems import Problem, Usage
from vmcommit.commands import baseline, compare, trend
from vmcommit.gate import chosen, exports, in_turns, revisions, rules
from vmcommit.measure import environment

KNOWN = [strategies.from_json(describe(name)) for name in STRATEGIES]
CELLS = len(chosen.cells(KNOWN))
COMMAND = [sys.executable, str(ROOT / "scripts" / "vmcommit")]
LOADED = (baseline, compare, trend)  # for the forks to have
QUIET = {"VMCOMMIT_BASE": "", "VMCOMMIT_BASELINE": "", "VMCOMMIT_NAME": ""}
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
total_ps=$((1000000 + calls % 3 * 1000)) commit_calls=3 minor_faults=16 page=4096
{change}
fraction=$((1000 + total_ps % 1000))
: ${{total_ns=$((total_ps / 1000)).${{fraction#1}}}}
echo '{header}'
echo "{row}"
"""
ROW = {"strategy": "{strategy}", "platform": "linux", "pages": "small", "page_bytes": "$page",
       "size_bytes": "$size", "chunk_bytes": "$chunk", "touched_bytes": "$touched",
       "status": "ok", "touch_order": "sequential", "batch": "1", "round": "1", "position": "1",
       "commit_calls": "$commit_calls", "handled_faults": "0", "minor_faults": "$minor_faults",
       "region_count": "1", "commit_bytes": "$size", "total_ns": "$total_ns"}
FEW = ("upfront", "fault")  # eight cells
SLOWER = "total_ps=$((total_ps * {} / 100))"


def fresh_signals():
    """A test may have been started where Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def quiet():
    fresh_signals()
    os.environ.update(QUIET)


def limited(size):
    """No file may grow beyond so many bytes."""
    def prepared():
        quiet()
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return prepared


class Fakes(unittest.TestCase):
    """Twelve rounds are the fewest by which one of twenty cells can be called; thirteen where times
    are not paired."""

    names = STRATEGIES

    @classmethod
    def setUpClass(cls):
        done = subprocess.run([str(BIN / "upfront"), "--size", "4K", "--repeat", "1"],
                              capture_output=True, text=True)
        cls.columns = done.stdout.splitlines()[0].split(",")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.into = self.root / "compared"

    def build(self, name, names=(), **changes):
        """A build folder of fake harnesses; `changes` are lines of shell for a strategy."""
        names = names or self.names
        programs = self.root / name / "bin"
        programs.mkdir(parents=True)
        (programs / "harnesses.txt").write_text("".join(f"{each}\n" for each in names))
        row = ",".join(ROW.get(column, "") for column in self.columns)
        for each in names:
            like = describe(each if each in STRATEGIES else "chunked")
            (programs / f"{each}.json").write_text(json.dumps(like | {"name": each}))
            (programs / each).write_text(FAKE.format(
                header=",".join(self.columns), change=changes.get(each, ""),
                row=row.format(strategy=each)))
            (programs / each).chmod(0o755)
        return programs.parent

    def command(self, *arguments, prepared=quiet):
        return forked(arguments, prepared)

    def compare(self, base, head, *arguments, rounds=12, **options):
        return self.command("compare", "--base", base, "--head", head, "--rounds", rounds,
                            "--into", self.into, "--results", self.root, *arguments, **options)

    def assertVerdicts(self, done, status, sentence):
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        self.assertIn(sentence, done.stdout)
        self.assertNotIn("Traceback", done.stderr)

    def assertOneLine(self, done, status, *words):
        """One line beside the progress that was shown."""
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        lines = [line for line in done.stderr.splitlines() if not re.match(r" *\d+ %, ", line)]
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])


class Recorded(Fakes):
    """A recording that is replayed beside the strategies' cells."""

    names = ("upfront",)

    def setUp(self):
        super().setUp()
        self.recording = self.root / "recording"
        done = subprocess.run([BIN / "record", "--output", self.recording, "--", BIN / "act",
                               "steps"], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def build(self, name, **changes):
        folder = super().build(name, **changes)
        (folder / "bin" / "replay").symlink_to(BIN / "replay")
        return folder

    def replay(self, base, head, *words):
        return self.compare(base, head, "--recording", self.recording, "--seconds", "0.1", *words,
                            rounds=1)

    def test_a_replay_takes_turns_with_that_of_the_other_side(self):
        self.assertVerdicts(self.replay(self.build("base"), self.build("head")), 0, "5 cells")
        with open(self.into / "samples.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["strategy"] == "replay"]
        taken = [row["side"] for row in rows if row["turns"]]
        self.assertEqual((taken.count("base") >= 20, taken.count("base")),
                         (True, taken.count("head")))
        self.assertEqual({row["commit_calls"] for row in rows}, {rows[0]["commit_calls"]})

    def test_a_base_that_is_older_than_replays(self):
        base = self.build("base")
        (base / "bin" / "replay").unlink()
        done = self.replay(base, self.build("head"), "--cells", "recording")
        self.assertVerdicts(done, 0, "5 new")
        for text in ("", " with mprotect", " with remap", " with populate", " with noreserve"):
            self.assertIn(f"new: base has no replay{text}\n", done.stdout)

    def test_what_can_not_be_replayed(self):
        base = self.build("base")
        for words, says in ((["--base", base, "--recording", self.root], "no memory.log"),
                            (["--baseline", "x", "--recording", self.root], "holds no replays")):
            self.assertOneLine(self.command("compare", "--head", base, "--results", self.root,
                                            *words), 2, "--recording", says)


class Verdicts(Fakes):
    def test_nothing_changed(self):
        done = self.compare(self.build("base"), self.build("head"), "--self-check", "--strict")
        self.assertVerdicts(done, 0, f"No regression. {CELLS} cells: {CELLS} same.")
        self.assertEqual(done.stderr.splitlines()[-1].split(",")[0].strip()[-1:], "%", done.stderr)
        self.assertIn("self-check: base against itself gave 0 false alarms in 20 cells",
                      done.stdout)
        self.assertIn(rules.Rule(20).text, done.stdout)
        self.assertIn("By one process a sample, since a side can't take turns: upfront, fault, "
                      "chunked and guard.", done.stdout)  # as these scripts can't
        self.check_forms()

    def check_forms(self):
        self.assertEqual({path.name for path in self.into.iterdir()},
                         {*exports.FORMS, "samples.csv", "environment.json", ".lock"})
        suite = xml.parse(self.into / "junit.xml").getroot().find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), (str(CELLS), "0"))
        self.check_schemas()
        for side in ("base", "head"):
            lines = (self.into / f"{side}.bench.txt").read_text().splitlines()
            measured = [line for line in lines if line.startswith("Benchmark")]
            self.assertEqual(len(measured), 13 * CELLS)
            for line in measured:  # the Go benchmark data format: name, iterations, value unit ...
                self.assertRegex(line, r"^BenchmarkCommit(/\w+=[\w.]+)+ \d+( [\d.]+ \S+/op)+$")
            google = json.loads((self.into / f"{side}.google-benchmark.json").read_text())
            self.assertEqual(len(google["benchmarks"]), 13 * CELLS)
        self.assertEqual(len(json.loads((self.into / "bmf.json").read_text())), CELLS)
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

    def test_a_slower_head_is_found_and_confirmed(self):
        done = self.compare(self.build("base"), self.build("head", fault=SLOWER.format(105)),
                            "--self-check")
        self.assertVerdicts(done, 1, "REGRESSION: fault")
        self.assertIn("base against itself gave 0 false alarms", done.stdout)
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

    def test_a_count_that_varies_by_round(self):
        head = self.build("head", guard="commit_calls=$((3 + (calls > 40)))")
        done = self.compare(self.build("base"), head)
        self.assertVerdicts(done, 1, "counts vary by round: commit_calls 3 -> 4")

    def test_strict_makes_inconclusive_count(self):
        base, head = self.build("base"), self.build("head")
        self.assertVerdicts(self.compare(base, head, rounds=2), 0, "20 inconclusive")
        self.assertVerdicts(self.compare(base, head, "--strict", rounds=2), 3, "20 inconclusive")


class Sides(Fakes):
    """Sides that do not have the same, or do not do what they should."""

    def test_a_strategy_that_head_alone_has(self):
        head = self.build("head", [*STRATEGIES, "fifth"])
        done = self.compare(self.build("base"), head, rounds=1)
        self.assertVerdicts(done, 0, "No regression. 26 cells: 20 inconclusive, 6 new.")
        self.assertIn("fifth 64 KiB, step 64 KiB: new: base has no fifth", done.stdout)

    def test_a_strategy_that_base_alone_has(self):
        base = self.build("base", [*STRATEGIES, "fifth"])
        done = self.compare(base, self.build("head"), rounds=1)
        self.assertVerdicts(done, 6, "INCOMPLETE: fifth 64 KiB, step 64 KiB: head has no fifth. "
                                     "26 cells: 6 missing, 20 inconclusive.")

    def test_a_base_older_than_describe(self):
        base = self.build("base", STRATEGIES[:3])
        for path in [*(base / "bin").glob("*.json"), base / "bin" / "harnesses.txt"]:
            path.unlink()
        head = self.build("head")
        self.assertVerdicts(self.compare(base, head, rounds=1), 0, "base has no guard")
        self.assertVerdicts(self.compare(base / "bin", head, rounds=1), 0, "base has no guard")

    def test_a_base_that_describes_less(self):
        base = self.build("base", [*STRATEGIES, "fifth"])
        for path in (base / "bin").glob("*.json"):
            path.write_text(json.dumps({"name": path.stem}))
        done = self.compare(base, self.build("head"), rounds=1)
        self.assertVerdicts(done, 0, "No regression. 20 cells")

    def test_base_and_head_of_different_machines(self):
        head = self.build("head")
        base = self.build("base", **dict.fromkeys(STRATEGIES, "page=16384"))
        words = "page_bytes is 16384 in base and 4096 in head"
        self.assertOneLine(self.compare(base, head, rounds=1), 2, "--base, --head", words)
        self.command("baseline", "other", "--head", base, "--rounds", 1, "--results", self.root)
        self.assertOneLine(self.command("compare", "--baseline", "other", "--head", head,
                                        "--results", self.root), 5, "'other'", words)

    def test_harnesses_that_die(self):
        changes = {"upfront": "exit 7", "fault": "kill -37 $$", "chunked": "kill -SEGV $$",
                   "guard": "echo nothing is well >&2; exit 1"}
        done = self.compare(self.build("base"), self.build("head", **changes), rounds=1)
        self.assertVerdicts(done, 6, "INCOMPLETE: upfront 64 KiB: head ended with status 7: no "
                                     "message. 20 cells: 20 missing.")
        for words in ("head was ended by signal 37", "head was ended by SIGSEGV",
                      "head ended with status 1: nothing is well"):
            self.assertIn(words, done.stdout)

    def test_harnesses_that_talk_nonsense(self):
        base = self.build("base")
        for number, changes in enumerate((
                {"total_ns=-7": "total_ns: '-7' is no", "total_ns=nan": "total_ns: 'nan' is no",
                 "minor_faults=many": "minor_faults: 'many' is no",
                 "touched=0": "touched_bytes: '0' is no"},
                {"printf 'a\\377\\n'; exit 0": "", "printf 'a\\n\\377'; exit 0": "",
                 "echo a; echo '\"'; exit 0": "", "exit 0": ""})):
            lines = dict(zip(STRATEGIES, changes))
            done = self.compare(base, self.build(f"head{number}", **lines), rounds=1)
            self.assertVerdicts(done, 6, "20 cells: 20 missing.")
            for words in changes.values():
                self.assertIn(words, done.stdout)

    def test_folders_without_harnesses(self):
        base, nowhere = self.build("base"), self.root / "nowhere"
        self.assertOneLine(self.compare(nowhere, base), 2, "no harness", "nowhere")
        self.assertOneLine(self.compare(base, nowhere), 74, "nowhere/bin/harnesses.txt",
                           "build first: make")
        (base / "bin" / "guard").unlink()
        self.assertOneLine(self.compare(base, base), 74, "guard is missing")


class Baselines(Fakes):
    names = FEW

    def keep(self, head, name="before", rounds=2, **options):
        return self.command("baseline", name, "--head", head, "--rounds", rounds, "--results",
                            self.root, **options)

    def kept(self, head, name="before", rounds=2):
        done = self.keep(head, name, rounds)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.root / "baselines" / name

    def against(self, head, name="before", *arguments):
        return self.command("compare", "--head", head, "--results", self.root, "--baseline", name,
                            *arguments)

    def test_counts_exactly_and_times_beyond_drift(self):
        kept = self.kept(self.build("base"), rounds=13)
        for name, change, status, sentence in (
                ("same", "", 0, "8 cells: 8 same."),
                ("drift", SLOWER.format(120), 0, "8 same."),
                ("slow", SLOWER.format(150), 1, "4 regressed"),
                ("fault", "minor_faults=17", 1, "minor_faults 16 -> 17")):
            with self.subTest(name):
                self.assertVerdicts(self.against(self.build(name, fault=change)), status, sentence)
        sides = [line.split(",")[0] for line in (
            self.root / "compare" / "samples.csv").read_text().splitlines()]
        self.assertEqual((sides.count("base"), sides.count("head")),
                         (8 * 14 - 4 * 13 + 4 * 2, 8 * 14 - 4 * 13 + 4 * 2))
        self.rewrite(kept, lambda described: described["system"].update(kernel="0.99"))
        done = self.against(self.root / "slow")
        self.assertVerdicts(done, 0, "Times are not compared")
        self.assertIn("system kernel 0.99 -> ", done.stdout)
        self.assertVerdicts(self.against(self.root / "fault"), 1, "minor_faults 16 -> 17")

    def rewrite(self, kept, change):
        described = json.loads((kept / "environment.json").read_text())
        change(described)
        (kept / "environment.json").write_text(json.dumps(described))

    def test_baselines_of_other_versions(self):
        kept = self.kept(self.build("base"))
        self.rewrite(kept, lambda described: (
            described["settings"].pop("clocksource"), described.update(later=1),
            described["settings"].update(of_a_later_version="x")))
        samples = kept / "samples.csv"
        samples.write_text(samples.read_text().replace("minor_faults", "of_a_later_version"))
        done = self.against(self.build("head", fault="commit_calls=4"))
        self.assertVerdicts(done, 1, "fault 64 KiB: regressed: commit_calls 3 -> 4")
        self.assertNotIn("Times are not compared", done.stdout)
        self.assertIn("Not compared, since the baseline does not have it: minor_faults and "
                      "retouch_minor_faults.", done.stdout)

    def test_strategies_of_one_side(self):
        self.kept(self.build("base"))
        done = self.against(self.build("more", [*FEW, "fifth"]))
        self.assertVerdicts(done, 0, "6 new")
        self.assertIn("base has no fifth", done.stdout)
        done = self.against(self.build("fewer", FEW[:1]))
        self.assertVerdicts(done, 6, "head has no fault")
        self.rewrite(self.root / "baselines" / "before", lambda described: described.pop(
            "strategies"))
        self.assertOneLine(self.against(self.root / "fewer"), 5, "4 are unknown")

    def test_what_cannot_be_used(self):
        head = self.build("head")
        kept = self.kept(head)
        whole = (kept / "samples.csv").read_bytes()
        lines = whole.splitlines(keepends=True)
        fields = dict(zip(lines[0].split(b","), lines[20].split(b",")))
        untimed = b",".join((fields | {b"total_ns": b"-7"}).values())
        environment = (kept / "environment.json").read_bytes()
        for what, samples, described, words in (
                ("between lines", b"".join(lines[:20]), environment, ["cut off"]),
                ("columns", whole.replace(b"total_ns", b"total"), environment,
                 ["no column total_ns"]),
                ("campaign", whole.replace(b"size=1048576", b"size=2097152"), environment,
                 ["another campaign"]),
                ("no text", b"\xff\xfe" + whole, environment, ["samples.csv"]),
                ("list", whole, re.sub(rb'"processor": \{[^}]*\}', b'"processor": []', environment),
                 ["processor is not an object"]),
                ("no time", b"".join([*lines[:20], untimed, *lines[21:]]), environment,
                 ["line 21, total_ns: '-7' is no time of a cycle"])):
            with self.subTest(what):
                (kept / "samples.csv").write_bytes(samples)
                (kept / "environment.json").write_bytes(described)
                self.assertOneLine(self.against(head), 5, "BASELINE: 'before'", *words)
        self.assertOneLine(self.against(head, "nowhere"), 5, "none of that name",
                           "there is before")
        self.assertOneLine(self.against(head, "../before"), 2, "'../before' is no name")

    def test_a_baseline_is_replaced_whole_or_not_at_all(self):
        kept = self.kept(self.build("base"))
        before = (kept / "samples.csv").read_bytes()
        died = self.keep(self.build("dies", fault="[ $calls -lt 9 ] || exit 7"))
        self.assertOneLine(died, 6, "head ended with status 7", "no baseline was kept")
        self.assertEqual((kept / "samples.csv").read_bytes(), before)
        full = self.keep(self.root / "base", prepared=limited(2048))
        self.assertOneLine(full, 1, "samples.csv: ", "no baseline was kept")
        self.assertEqual((kept / "samples.csv").read_bytes(), before)
        self.kept(self.root / "base")
        self.assertNotEqual((kept / "samples.csv").read_bytes(), before)
        self.assertEqual([path.name for path in kept.parent.glob("[!.]*")], ["before"])

    def test_what_a_baseline_keeps(self):
        head = self.build("base", upfront='grep Cpus_allowed_list: /proc/self/status >> "$0.cpus"')
        described = json.loads((self.kept(head) / "environment.json").read_text())
        self.assertEqual([each["name"] for each in described["strategies"]], list(FEW))
        self.assertEqual(described["rounds"], 2)
        with open(self.root / "baselines" / "before" / "samples.csv", newline="") as file:
            self.assertEqual({row["round"] for row in csv.DictReader(file)}, {"0", "1", "2"})
        cpus = set((head / "bin" / "upfront.cpus").read_text().splitlines())
        self.assertEqual(cpus, {f"Cpus_allowed_list:\t{described['cpu']}"})


class Surroundings(Fakes):
    """Disks, descriptors, signals, locks and names."""

    names = FEW

    def test_bad_usage_is_one_line(self):
        base = self.build("base")
        for arguments, words in (
                (["--base", base, "--rounds", "0"], ["--rounds", "'0'"]),
                (["--base", base, "--rounds", "x"], ["--rounds", "'x'"]),
                (["--base", self.root / "nowhere"], ["no harness", "nowhere"]),
                (["--revision", "no-such-revision"], ["'no-such-revision'", "branch"]),
                (["--revision", "no\nrevision"], ["'no\\nrevision'", "branch"]),
                (["--revision", "--all"], ["expected one argument"]),
                ([], ["BASE="]), (["--base", base, "--revision", "HEAD"], ["BASE="]),
                (["--baseline", "a/b"], ["BASELINE", "'a/b'"]), (["--frob"], ["--frob"])):
            with self.subTest(arguments):
                self.assertOneLine(self.command("compare", "--head", base, "--results", self.root,
                                                *arguments), 2, *words)
        self.assertOneLine(self.command("baseline", "a/b", "--head", base), 2, "NAME", "'a/b'")

    def test_a_verdict_that_cannot_be_kept_is_told_all_the_same(self):
        base = self.build("base")
        self.into.mkdir()
        (self.into / "junit.xml").mkdir()  # what can't be written
        for head, status, sentence in ((self.build("head", fault="minor_faults=17"), 1,
                                        "REGRESSION: fault"), (base, 74, "No regression.")):
            done = self.compare(base, head, rounds=1)
            self.assertVerdicts(done, status, sentence)
            self.assertIn("junit.xml: Is a directory", done.stderr)
            self.assertIn("the verdict above stands", done.stderr)

    def test_a_full_disk(self):
        """No file may grow beyond a few KiB: samples.csv ends early, forms can't be written."""
        base = self.build("base")
        for head, status, sentence in ((self.build("head", fault="minor_faults=17"), 1,
                                        "REGRESSION: fault"), (base, 74, "No regression.")):
            for limit in (0, 700):
                done = subprocess.run(
                    [*COMMAND, "compare", "--base", base, "--head", head, "--rounds", "1",
                     "--results", self.root], env=os.environ | QUIET, text=True, timeout=200,
                    capture_output=True, preexec_fn=limited(limit))
                with self.subTest(limit=limit, status=status):
                    if limit == 0:  # the harnesses of this test can't count their calls either
                        self.assertNotEqual(done.returncode, 0)
                        self.assertNotIn("Traceback", done.stderr)
                        continue
                    self.assertVerdicts(done, status, sentence)
                    self.assertRegex(done.stderr, "cannot write .*(File too large|No space left)")
                    self.assertIn("the verdict above stands", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount a small disk")
    def test_a_small_disk(self):
        disk = self.root / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)],
                                 capture_output=True)
        if mounted.returncode:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)])
        base, head = self.build("base"), self.build("head", fault="minor_faults=17")
        for filled in (0, 1 << 20):
            (disk / "fill").write_bytes(b"")
            with open(disk / "fill", "wb", buffering=0) as file:
                try:
                    for _ in range(0, filled, 4096):
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            done = self.command("compare", "--base", base, "--head", head, "--rounds", 4,
                                "--results", disk / "results")
            self.assertVerdicts(done, 1, "REGRESSION: fault")
            self.assertIn("No space left on device", done.stderr)
        (disk / "fill").unlink()
        shutil.rmtree(disk / "results" / "compare")
        done = self.command("compare", "--base", base, "--head", head, "--rounds", 1, "--results",
                            disk / "results", "--into", self.into)
        self.assertVerdicts(done, 1, "all forms")
        trend = self.command("trend", "--results", disk / "results")
        self.assertIn("comparison", trend.stdout, trend.stderr)

    def test_old_forms_are_taken_away(self):
        base = self.build("base")
        self.assertEqual(self.compare(base, base, rounds=1).returncode, 0)
        self.assertEqual(self.compare(base, self.root / "nowhere").returncode, 74)
        self.assertFalse({path.name for path in self.into.iterdir()} & set(exports.FORMS))

    def test_no_standard_output(self):
        base, head = self.build("base"), self.build("head", fault="minor_faults=17")
        command = [*COMMAND, "compare", "--base", base, "--head", head, "--rounds", "1",
                   "--results", self.root, "--into", self.into]
        quoted = " ".join(f"'{word}'" for word in command)
        for redirection, statuses in (
                ("<&-", {1}), ("2>&-", {1}), (">&-", {1, 74}), ("<&- >&- 2>&-", {1, 74}),
                ("| true; exit ${PIPESTATUS[0]}", {74}), (">/dev/full", {74})):
            with self.subTest(redirection):
                done = subprocess.run(["bash", "-c", f"{quoted} {redirection}"], text=True,
                                      capture_output=True, timeout=200, env=os.environ | QUIET)
                self.assertIn(done.returncode, statuses, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
                if done.returncode == 1:
                    self.assertIn("REGRESSION: fault", (self.into / "COMPARE.md").read_text())
                else:
                    self.assertLessEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_names_that_are_hard(self):
        base, head = self.build("base it's \"a\""), self.build("head\n$(touch x)`y`")
        self.into = self.root / "in to'\"\n; touch x"
        done = self.compare(base, head, rounds=1)
        self.assertVerdicts(done, 0, "No regression. 8 cells")
        self.assertTrue((self.into / "COMPARE.md").exists())
        self.assertFalse(list(pathlib.Path.cwd().glob("x")))
        shutil.rmtree(self.into)
        self.into.write_text("")  # a file where a folder should be
        done = self.compare(base, head)
        self.assertEqual(done.returncode, 74)
        self.assertNotIn("Traceback", done.stderr)

    def test_a_name_that_is_no_text(self):
        self.into = pathlib.Path(os.fsdecode(os.fsencode(self.root) + b"/\xff\xfe"))
        base = self.build("base")
        done = self.compare(base, base, rounds=1)
        self.assertVerdicts(done, 0, "No regression.")

    def test_two_at_once(self):
        base = self.build("base")
        self.into.mkdir()
        with open(self.into / ".lock", "a+") as file:
            file.write("process 12345\n")
            file.flush()
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertOneLine(self.compare(base, base), 75, "compared: process 12345 is comparing")
        self.assertEqual(self.compare(base, base, rounds=1).returncode, 0)
        kept = self.root / "baselines"
        kept.mkdir()
        with open(kept / ".mine~lock", "a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertOneLine(self.command("baseline", "mine", "--head", base, "--results",
                                            self.root), 75, "is measuring there already")

    def test_what_is_no_comparison_makes_no_room(self):
        base = self.build("base")
        kept = self.root / "baselines" / "mine"
        kept.mkdir(parents=True)
        (kept / "samples.csv").write_text("side,cell\n")
        self.into.mkdir()
        for where in (kept, kept.parent, kept / "below"):
            self.assertOneLine(self.command("compare", "--base", base, "--head", base, "--into",
                                            where, "--results", self.root), 2,
                               "is where baselines are kept; name another folder")
        for name, text in (("samples.csv", "strategy,platform\n"), ("environment.json", "{}")):
            (self.into / name).write_text(text)
            self.assertOneLine(self.compare(base, base), 2, "holds a run, and no comparison")
            self.assertEqual([path.name for path in self.into.iterdir()], [name])
            (self.into / name).unlink()

    def test_a_folder_that_goes_away_takes_no_verdict_with_it(self):
        process = self.started("--rounds", "9")
        shutil.rmtree(self.into)
        said, errors = process.communicate(timeout=100)
        self.assertNotIn("Traceback", errors)
        self.assertIn("No regression. ", said)
        self.assertIn("the verdict above stands", errors)
        self.assertEqual(process.returncode, 74)

    def started(self, *arguments, preexec=fresh_signals):
        """A comparison of a build with itself that has begun to take samples."""
        base = self.root / "base"
        if not base.exists():
            self.build("base")
        process = subprocess.Popen(
            [*COMMAND, "compare", "--base", base, "--head", base, "--into", self.into, "--results",
             self.root, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | QUIET, start_new_session=True, preexec_fn=preexec)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        samples = self.into / "samples.csv"
        while not samples.exists() or samples.read_bytes().count(b"\n") < 20:
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        return process

    def ended(self, process, number):
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)
        self.assertNotIn("Traceback", errors)
        return process.returncode, errors.splitlines()[-1]

    def test_interrupted_and_ended(self):
        for number, status, words in ((signal.SIGINT, 130, "compare: interrupted; "),
                                      (signal.SIGTERM, 143, "compare: ended by SIGTERM; "),
                                      (signal.SIGHUP, 129, "compare: ended by SIGHUP; ")):
            with self.subTest(number):
                self.assertEqual(self.ended(self.started(), number), (
                    status, f"{words}the samples so far are in "
                            f"{os.path.relpath(self.into / 'samples.csv')}"))
                shutil.rmtree(self.into)

    def test_an_interrupt_that_the_user_had_ignored(self):
        process = self.started("--rounds", "9", preexec=lambda: signal.signal(
            signal.SIGINT, signal.SIG_IGN))
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 0)
        self.assertIn("No regression.", output)

    def test_the_documentation_lists_each_exit_status(self):
        text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
        statuses = re.findall(r"^\| (\d+)(?:, (\d+))? \|", text, re.MULTILINE)
        self.assertEqual({int(status) for pair in statuses for status in pair if status},
                         {0, 1, 2, 3, 4, 5, 6, 70, 74, 75, 129, 130, 143})


class Real(unittest.TestCase):
    """Harnesses and libraries that are real, and differ in what can be counted."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.into = pathlib.Path(folder.name)

    def command(self, *arguments):
        """With as few turns as can be: counts are known before them."""
        def prepared():
            quiet()
            in_turns.LEAST_SETS = 1
        return forked(arguments, prepared)

    def compare(self, *arguments):
        return self.command("compare", "--head", BIN.parent, "--rounds", 1, "--seconds", 0.1,
                            "--results", self.into, *arguments)

    def test_one_page_fault_more_in_a_commit_call(self):
        """Each cell of the strategies that commit by such calls, and no other, in the first
        samples, whatever the times."""
        slower = ("fault", "chunked", "guard")
        head = self.into / "head"
        shutil.copytree(BIN, head / "bin", symlinks=True, ignore=lambda _, names: [
            name for name in names if name not in (*STRATEGIES, "harnesses.txt")])
        (head / "bin" / "harnesses.txt").write_text("\n".join(STRATEGIES))
        for strategy in slower:
            (head / "bin" / strategy).unlink()
            (head / "bin" / strategy).write_text(
                f'#!/bin/sh\nLD_PRELOAD={BIN / "slow.so"} VMCOMMIT_FAULT=1 exec '
                f'{BIN / strategy} "$@"\n')
            (head / "bin" / strategy).chmod(0o755)
        done = self.compare("--base", BIN, "--head", head)
        self.assertEqual(done.returncode, 1, done.stderr)
        before, _, _ = done.stdout.partition("times: ")
        regressed = [line.split(":")[0].strip() for line in before.splitlines()
                     if ": regressed: minor_faults " in line]
        self.assertEqual(regressed, [str(cell) for cell in chosen.cells(KNOWN)
                                     if cell.strategy.name in slower])

    def test_two_libraries(self):
        same = self.compare("--base-library", BIN / "mine.so", "--head-library", BIN / "mine.so")
        self.assertEqual(same.returncode, 0, same.stderr)
        self.assertIn("vmcommit compare: 6 cells", same.stdout)
        self.assertIn("counts are equal in every cell", same.stdout)
        spaced = self.into / "an \"old's\" one" / "my early.so"
        spaced.parent.mkdir()
        shutil.copy(BIN / "early.so", spaced)
        early = self.compare("--base-library", BIN / "mine.so", "--head-library", spaced)
        self.assertEqual(early.returncode, 1, early.stderr)
        self.assertIn("custom 16 MiB, touch 0.1, step 64 KiB: regressed: minor_faults 410 -> 411",
                      early.stdout)
        rows = (self.into / "history.csv").read_text()
        self.assertIn(",custom,", rows)
        described = json.loads((self.into / "compare" / "environment.json").read_text())
        self.assertEqual(described["own"]["head"]["library"]["file"], "my early.so")
        self.assertNotIn(str(BIN), json.dumps(described["own"]))

    def test_a_baseline_with_a_library(self):
        kept = self.command("baseline", "mine", "--head", BIN.parent, "--rounds", 1, "--results",
                            self.into, "--head-library", BIN / "mine.so")
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


PROJECT = "cmake_minimum_required(VERSION 3.20)\nproject(x NONE)\n"
BUILD = f"""
import pathlib, sys
sys.path.insert(0, {str(ROOT / 'scripts')!r})
from vmcommit.gate import revisions
print(revisions.build(pathlib.Path(sys.argv[1]), "HEAD", print)[0].name)
"""


class Revisions(unittest.TestCase):
    """Building a revision, in a repository of its own in a folder with a hard name."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name, "a 'repository'")
        self.root.mkdir()
        self.git("init", "-q")
        self.said = []

    def git(self, *arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        return subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True,
                              capture_output=True, text=True).stdout

    def commit(self, cmake):
        (self.root / "CMakeLists.txt").write_text(PROJECT + cmake)
        (self.root / ".gitignore").write_text("/build*/\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "x")
        return self.git("rev-parse", "HEAD").strip()

    def build(self, revision="HEAD"):
        return revisions.build(self.root, revision, self.said.append)

    def test_a_revision_is_built_once_and_the_repository_notices_nothing(self):
        commit = self.commit("file(WRITE ${CMAKE_BINARY_DIR}/bin/upfront x)\n")
        (self.root / "staged").write_text("x")
        self.git("add", "staged")
        (self.root / "CMakeLists.txt").write_text("not this one")
        built, known = self.build()
        self.assertEqual((built.name, known), (commit, commit))
        self.assertEqual((built / "bin" / "upfront").read_text(), "x")
        self.assertEqual(self.build(commit), (built, commit))
        self.assertEqual(self.said, [f"building HEAD ({commit[:12]})"])
        self.assertEqual({path.name for path in built.parent.iterdir()},
                         {commit, f".{commit}.lock"})
        self.assertEqual(self.git("status", "--porcelain"), " M CMakeLists.txt\nA  staged\n")
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1)

    def test_the_users_index_is_left_alone(self):
        self.commit("")
        os.utime(self.root / "CMakeLists.txt", (1, 1))  # what git status writes down if it may
        index = self.root / ".git" / "index"
        before = index.read_bytes()
        self.assertTrue(environment.revision(self.root, {})["clean"])
        self.assertEqual(index.read_bytes(), before)

    def assertProblem(self, status, *words, revision="HEAD", kind=Problem):
        with self.assertRaises(kind) as raised:
            self.build(revision)
        self.assertEqual(raised.exception.status, status)
        for word in words:
            self.assertIn(word, str(raised.exception))

    def test_a_revision_that_does_not_build(self):
        commit = self.commit('message(FATAL_ERROR "no luck")')
        self.assertProblem(4, "'HEAD' does not build: cmake: CMake Error at CMakeLists.txt:3 "
                              "(message): no luck", f"{commit}.log")
        log = (self.root / "build-compare" / f"{commit}.log").read_text()
        self.assertIn("Configuring incomplete", log)
        self.assertFalse((self.root / "build-compare" / commit).exists())
        self.commit('add_custom_target(x ALL COMMAND sh -c "echo x.c:1:2: error: a typo >&2; '
                    'false" VERBATIM)')
        self.assertProblem(4, "x.c:1:2: error: a typo")

    def test_revisions_that_are_none(self):
        self.commit("")
        for revision in ("nowhere", "--all", "HEAD~7", "HEAD:CMakeLists.txt", "", "a\nb", "a\0b"):
            self.assertProblem(2, "is no revision", revision=revision, kind=Usage)

    def test_no_repository(self):
        shutil.rmtree(self.root / ".git")
        with unittest.mock.patch.dict(os.environ, GIT_CEILING_DIRECTORIES=str(self.root.parent)):
            self.assertProblem(4, "not a git repository")

    def test_missing_tools(self):
        self.commit("")
        tools = self.root / "tools"
        tools.mkdir()
        with unittest.mock.patch.dict(os.environ, PATH=str(tools)):
            for tool in revisions.TOOLS:
                self.assertProblem(4, f"can't be built: {tool} is missing", "scripts/setup.sh")
                (tools / tool).symlink_to(shutil.which(tool, path=os.environ["PATH"] + os.pathsep
                                                       + "/usr/bin:/bin:/usr/local/bin"))

    def test_an_interrupted_build_blocks_nothing(self):
        """Killed while it configures, by a signal that nobody can catch."""
        go = self.root.parent / "go"
        commit = self.commit(f'if(NOT EXISTS "{go}")\nexecute_process(COMMAND sleep 99)\nendif()\n'
                             'file(WRITE ${CMAKE_BINARY_DIR}/whole x)\n')
        process = subprocess.Popen([sys.executable, "-c", BUILD, str(self.root)],
                                   start_new_session=True, stdout=subprocess.DEVNULL)
        aside = self.root / "build-compare" / f".build-{commit}"
        while not (aside / "CMakeCache.txt").exists() and not (aside / "CMakeFiles").exists():
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        with self.assertRaises(Problem) as raised:
            self.build()
        self.assertEqual(raised.exception.status, 75)
        self.assertIn(f"process {process.pid} is building", str(raised.exception))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        (aside / "stale").touch()
        go.touch()
        built, _ = self.build()
        self.assertEqual((built / "whole").read_text(), "x")
        self.assertFalse(aside.exists() or (built / "stale").exists())

    def test_what_an_earlier_version_left_there_is_not_taken_for_a_build(self):
        commit = self.commit("")
        (self.root / "build-compare" / commit[:16]).mkdir(parents=True)
        self.assertEqual(self.build()[0].name, commit)


if __name__ == "__main__":
    unittest.main()
