"""The README's recipe for a new strategy, carried out in a copy of the repository: the strategy
must then be in everything that a reader of a run sees, with no other file touched; and whoever
leaves a step out must be told."""

import ast
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import jsonschema

from support import BIN, ROOT, tracked

CMAKE, GNUPLOT = shutil.which("cmake"), shutil.which("gnuplot")
SECONDS = 300  # for each program that is started here
# A profile of the test's own, in the copy alone: small regions, and any interval is narrow enough.
PROFILE = '''

PROFILES["recipe"] = dataclasses.replace(
    PROFILES["quick"], seconds=60, sizes=(4 * KIB, 64 * KIB, MIB), sweep_size=MIB,
    sweep_steps=(4 * KIB, 64 * KIB, MIB), trace_sizes=(MIB,), limit_size=0, narrow=1.0, large=1.0,
    coarse=1.0, process_runs=2)
'''


def recipe():
    """{file: the code block that follows where the README's recipe names it}"""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Adding a strategy\n")[1].split("\n## ")[0]
    blocks = re.findall(r"(.*?)^```\w+\n(.*?)^```$", section, re.M | re.S)
    return {re.findall(r"`([\w/]+\.\w+)`", before)[-1]: code for before, code in blocks}


def strategy_name(files):
    """The one that the recipe adds, by the name of its file."""
    return next(pathlib.Path(file).stem for file in files if file.startswith("bench/"))


def replace_line(path, beginning, text):
    """Puts `text` in place of the line that begins so."""
    before = path.read_text(encoding="utf-8")
    after = re.sub(rf"^{re.escape(beginning)}.*\n", lambda _: text, before, flags=re.M)
    if before == after:
        raise AssertionError(f"{path}: no line begins with '{beginning}'")
    path.write_text(after, encoding="utf-8")


def carry_out(files, copy):
    """Each step as a reader would do it: a file that is not there is written, a `set(...)` line
    replaces the one that sets the same, and a row goes into the table COUNTS."""
    for file, code in files.items():
        path = copy / file
        if not path.exists():
            path.write_text(code, encoding="utf-8")
        elif code.startswith("set("):
            replace_line(path, code.split()[0] + " ", code)
        else:
            replace_line(path, "COUNTS = {", "COUNTS = {\n" + code)


def copy_tree(copy):
    """The files of the repository as they are in the working tree."""
    for name in tracked():
        if name.parts[0] != "results":
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)


def start(copy, *command, **environment):
    """A finished program, run in the copy and without what this test was started with."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("VMCOMMIT_")}
    return subprocess.run([str(part) for part in command], cwd=copy, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=SECONDS,
                          env=kept | {"VMCOMMIT_PYTHON": sys.executable} | environment)


def build(copy):
    """Configured and built without its tests' programs; the result of the last step tried."""
    for command in ([CMAKE, "--preset", "release", "-DBUILD_TESTING=OFF"],
                    [CMAKE, "--build", "build"]):
        done = start(copy, *command)
        if done.returncode != 0:
            break
    return done


def counts_test(tree, programs):
    """A tree's test of counts, without its gigabytes, on a folder of programs."""
    return start(tree, sys.executable, tree / "tests" / "cli" / "counts.py", "-k", "every_strategy",
                 "-k", "test_counts", PYTHONPATH=str(tree / "tests"), VMCOMMIT_BIN=str(programs))


def words_of(picture):
    """All that a reader of an SVG can read."""
    return " ".join(xml.etree.ElementTree.parse(picture).getroot().itertext())


def legend(picture, names):
    """{strategy: (mark, colour)} of a chart's legend: a mark stands just left of its name."""
    text = picture.read_text(encoding="utf-8")
    place = r"translate\(([\d.]+),([\d.]+)\)"
    marks = [(float(x), float(y), mark, colour) for mark, x, y, colour in re.findall(
        rf"<use xlink:href='(\S+)' transform='{place}[^']*' color='([^']+)'", text)]
    looks = {}
    for x, y, words in re.findall(rf"{place}[^>]*>\s*<text>(?:<tspan[^>]*>)?(\w+)<", text):
        beside = [(mark, colour) for left, height, mark, colour in marks
                  if 0 < float(x) - left < 30 and abs(float(y) - height) < 3]
        if words in names and beside:
            looks[words] = beside[-1]
    return looks


class Copy(unittest.TestCase):
    maxDiff = None

    @classmethod
    def make(cls):
        """A copy whose path has a space in it."""
        scratch = tempfile.TemporaryDirectory(prefix="a copy ")
        cls.addClassCleanup(scratch.cleanup)
        copy = pathlib.Path(scratch.name) / "vm commit"
        copy_tree(copy)
        return copy


@unittest.skipUnless(CMAKE and GNUPLOT, "needs cmake and gnuplot")
class Recipe(Copy):
    @classmethod
    def setUpClass(cls):
        cls.files = recipe()
        cls.name = strategy_name(cls.files)
        cls.copy = cls.make()
        carry_out(cls.files, cls.copy)
        with open(cls.copy / "scripts" / "vmcommit" / "measure" / "profiles.py", "a",
                  encoding="utf-8") as file:
            file.write(PROFILE)
        done = build(cls.copy)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.results = cls.copy / "results"
        cls.bench = cls.command("bench", "--profile", "recipe", "--seed", "1")
        cls.latest = cls.results / "latest"

    @classmethod
    def command(cls, name, *arguments):
        return start(cls.copy, cls.copy / "build" / "bin" / "vmcommit", name, *arguments)

    def advice(self):
        return json.loads((self.latest / "advice.json").read_text(encoding="utf-8"))

    def test_its_counts_are_tested_and_right(self):
        done = counts_test(self.copy, self.copy / "build" / "bin")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_without_its_counts_their_test_names_it(self):
        done = counts_test(ROOT, self.copy / "build" / "bin")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(self.name, done.stderr)

    def test_the_bench_ends_well_and_says_its_times(self):
        self.assertEqual(self.bench.returncode, 0, self.bench.stderr)
        self.assertRegex(self.bench.stdout, rf"\b{self.name}\b")
        self.assertNotIn("COUNTS DIFFER", self.bench.stdout)

    def test_it_is_sampled_as_often_as_the_other_strategy_with_a_step(self):
        with open(self.latest / "samples.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        asked = {strategy: sorted({(int(row["size_bytes"]), int(row["touched_bytes"]),
                                    int(row["chunk_bytes"]), row["touch_order"]) for row in rows
                                   if row["strategy"] == strategy})
                 for strategy in (self.name, "chunked")}
        kinds = {(2**20, 2**20, 2**14, "sequential")}  # beside it, kinds of commit are compared
        self.assertEqual(set(asked[self.name]), set(asked["chunked"]) - kinds)
        self.assertEqual({row["status"] for row in rows if row["strategy"] == self.name}, {"ok"})

    def test_every_chart_of_strategies_names_it(self):
        """But for those of what it does not say that it can: give back, several threads."""
        charts = sorted(path for path in (self.latest / "charts").glob("*.svg")
                        if path.stem not in ("calls", "list", "buffer", "commit_kinds",
                                             "giving_back", "threads_speed"))
        self.assertGreater(len(charts), 10)
        for chart in charts:
            with self.subTest(chart.name):
                self.assertRegex(words_of(chart), rf"\b{self.name}\b")

    def test_no_chart_gives_two_strategies_one_look(self):
        names = [json.loads(line)["name"] for line in self.described()]
        legends = {chart.name: legend(chart, names)
                   for chart in sorted((self.latest / "charts").glob("*.svg"))}
        self.assertIn(self.name, legends["ratio.svg"])
        for chart, looks in legends.items():
            colours = [colour for _, colour in looks.values()]
            self.assertEqual(len(colours), len(set(colours)), (chart, looks))

    def test_charts_draw_it_in_the_colour_of_its_legend(self):
        """The legend itself uses a colour twice."""
        for chart in sorted((self.latest / "charts").glob("*.svg")):
            looks = legend(chart, [self.name])
            if looks:
                drawn = chart.read_text(encoding="utf-8").count(looks[self.name][1])
                self.assertGreater(drawn, 2, chart.name)

    def described(self):
        """What each harness of the copy says of itself."""
        names = (self.copy / "build" / "bin" / "harnesses.txt").read_text().split()
        return [start(self.copy, self.copy / "build" / "bin" / name, "--describe").stdout
                for name in names]

    def test_the_answer_weighs_it(self):
        advice = self.advice()
        report = (self.latest / "REPORT.md").read_text(encoding="utf-8")
        self.assertIn(self.name, {knee["strategy"] for knee in advice["knees"]})
        self.assertRegex(" ".join(sentence["text"] for sentence in advice["answer"]),
                         rf"\b{self.name}\b")
        self.assertRegex(report, rf"\b{self.name}\b")
        page = (self.latest / "report.html").read_text(encoding="utf-8")
        self.assertRegex(page, rf"\b{self.name}\b")

    def test_the_advice_file_follows_its_schema(self):
        schema = json.loads((ROOT / "docs" / "advice.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(self.advice(), schema)

    def test_predict_knows_its_price(self):
        done = self.command("predict", "--size", "1M", "--strategy", self.name)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout.splitlines()[-1], rf"^ *{self.name} +64 KiB ")
        everything = self.command("predict", "--size", "1M")
        self.assertRegex(everything.stdout, rf"\b{self.name}\b")

    def test_compared_with_itself_nothing_got_slower(self):
        done = self.command("compare", "--base", "build", "--head", "build", "--rounds", "2",
                            "--seconds", "1", "--results", self.results)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        text = (self.results / "compare" / "COMPARE.md").read_text(encoding="utf-8")
        self.assertRegex(text, rf"\b{self.name}\b")

    def test_a_report_of_two_runs_has_it(self):
        done = self.command("report", self.latest, self.latest, "--into", self.results / "both")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for chart in (self.results / "both" / "charts").glob("*.svg"):
            with self.subTest(chart.name):
                self.assertRegex(words_of(chart), rf"\b{self.name}\b")


class Text(unittest.TestCase):
    """What can be seen without building anything."""

    def test_three_files(self):
        files = recipe()
        self.assertEqual(list(files), [f"bench/{strategy_name(files)}.c", "CMakeLists.txt",
                                       "tests/cli/counts.py"])

    def test_only_the_file_of_the_strategy_is_new(self):
        self.assertEqual([file for file in recipe() if not (ROOT / file).exists()],
                         [f"bench/{strategy_name(recipe())}.c"])

    def test_the_recipe_adds_a_name_and_drops_none(self):
        line = recipe()["CMakeLists.txt"]
        built = re.search(r"^set\(STRATEGIES (.*)\)$", (ROOT / "CMakeLists.txt").read_text(), re.M)
        self.assertEqual(line, f"set(STRATEGIES {built[1]} {strategy_name(recipe())})\n")

    def test_counts_are_a_row_of_a_table(self):
        row = ast.parse("{" + recipe()["tests/cli/counts.py"] + "}", mode="eval").body
        self.assertEqual([key.value for key in row.keys], [strategy_name(recipe())])


@unittest.skipUnless(CMAKE, "needs cmake")
class LeftOut(Copy):
    """Every step is needed, and what is missing is named."""

    def without(self, file):
        """(a copy in which that step was left out, the recipe's files)"""
        copy, files = self.make(), recipe()
        carry_out({name: code for name, code in files.items() if name != file}, copy)
        return copy, files

    def test_the_file(self):
        copy, files = self.without(f"bench/{strategy_name(recipe())}.c")
        done = start(copy, CMAKE, "--preset", "release", "-DBUILD_TESTING=OFF")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"bench/{strategy_name(files)}.c", done.stderr)

    def test_its_name_in_the_build(self):
        copy, files = self.without("CMakeLists.txt")
        done = counts_test(copy, BIN)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(strategy_name(files), done.stderr)


if __name__ == "__main__":
    unittest.main()
