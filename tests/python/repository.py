"""What documents say of the repository is so: the tree, links, files, commands, options, and the
counted table of faults."""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support import BIN, ROOT, describe, tracked

from vmcommit.show import charts
from vmcommit.show.chart import RUN

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"^(?:\.ci|\.github|bench|cmake|docs|include|scripts|src|tests|tools)/[\w./-]+$")
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b")  # bench/NAME.c
# Words that readers took for something else, and what is written instead.
WORDS = {
    "can't be told apart": "no significant difference", "can't tell apart": "no significant "
    "difference", "promised": "charged", "unseen": "discarded", "that nobody sees": "discarded",
    "loudly": "flags", "leaves out 1": "excludes 1", "leaves out no": "excludes zero",
    "room for chance": "family-wise", "guard page that grows": "in steps, each triggered by a hit "
    "on a guard page", "nothing beats": "the Pareto frontier", "interleaved": "in turn",
}


def folders(files):
    """The folders that files lie in, with those above them; hidden ones are left to their tools."""
    return {folder for file in files for folder in file.parents
            if folder.parts and not folder.parts[0].startswith(".")}


def listed_folders(tree):
    """Folders of a tree drawn as text, two spaces a level, each line beginning with one."""
    listed, above = set(), []
    for line in tree.splitlines():
        indent, name = re.match(r"( *)(\S+)/", line).groups()
        above = above[:len(indent) // 2] + [name]
        listed.add(pathlib.PurePosixPath(*above))
    return listed


def documents():
    """{path: text} of what people read; a run's report follows from its samples."""
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in tracked()
            if path.suffix == ".md" and path.parts[0] != "results"}


def anchors(text):
    """What headings can be linked as, by GitHub's rule."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text):
    """Lines of shell in a document, whether in blocks or within a sentence."""
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    return lines + [" ".join(code.split()) for code in CODE.findall(BLOCK.sub("", text))]


class Tree(unittest.TestCase):
    maxDiff = None

    def test_the_tree_of_the_readme_is_the_tree(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        tree, = [block for block in BLOCK.findall(text) if block.startswith("bench/")]
        listed, there = listed_folders(tree), folders(tracked())
        whole = {folder for folder in listed if not any(folder in other.parents
                                                        for other in listed)}
        self.assertEqual(listed, {folder for folder in there
                                  if not whole & set(folder.parents)})

    def test_what_people_expect_of_a_repository_is_there(self):
        for name in ("README.md", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", ".editorconfig"):
            self.assertIn(pathlib.PurePosixPath(name), tracked())

    def test_every_header_of_the_system_is_explained(self):
        text = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
        for header in (ROOT / "src" / "system").glob("*.h"):
            self.assertIn(f"`{header.name}`", text)

    def test_every_chart_is_explained(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        table = text.split("## Reading the charts\n")[1].split("\n## ")[0]
        self.assertEqual(set(re.findall(r"^\| `(\w+)` \|", table, re.M)), set(charts.of(RUN)))


class Documents(unittest.TestCase):
    maxDiff = None

    def test_every_relative_link_leads_somewhere(self):
        for path, text in documents().items():
            for link in LINK.findall(BLOCK.sub("", text)):
                if re.match(r"[a-z]+:", link):
                    continue
                target, _, anchor = link.partition("#")
                there = ROOT / path.parent / target if target else ROOT / path
                with self.subTest(document=str(path), link=link):
                    self.assertTrue(there.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(there.read_text(encoding="utf-8")))

    def test_no_document_names_a_file_that_is_gone(self):
        new = {f"bench/{name}.c" for name in re.findall(r"Write `bench/(\w+)\.c`", documents()[
            pathlib.PurePosixPath("README.md")])}  # by the recipe for a new strategy
        for path, text in documents().items():
            if path.name == "CHANGELOG.md":  # which tells of files that are gone
                continue
            for name in {name.rstrip(".") for name in CODE.findall(text) if NAMED.match(name)}:
                if PLACEHOLDER.search(name) or name in new:
                    continue
                with self.subTest(document=str(path), file=name):
                    self.assertTrue((ROOT / name).exists())

    def test_no_source_names_a_document_that_is_gone(self):
        for path in tracked():
            if path.suffix not in (".c", ".h", ".py", ".sh", ".txt", ".cmake", ".yml", ".jinja"):
                continue
            text = (ROOT / path).read_text(encoding="utf-8")
            for name in set(re.findall(r"\bdocs/[\w.]+\.(?:md|json)\b", text)):
                with self.subTest(source=str(path), document=name):
                    self.assertTrue((ROOT / name).exists())

    def test_words(self):
        pattern = re.compile("|".join(re.escape(word).replace("\\ ", r"\s+") for word in WORDS))
        for path, text in documents().items():
            used = {" ".join(word.split()) for word in pattern.findall(text)}
            with self.subTest(document=str(path)):
                self.assertEqual({word: f"write: {WORDS[word]}" for word in used}, {})

    def test_no_path_of_somebodys_machine(self):
        for path in tracked():
            if path.parts[0] == "results" or path.suffix == ".png":
                continue
            text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
            with self.subTest(file=str(path)):
                self.assertNotRegex(text, r"(?<![\w.])/(home|root|Users)/\w")


class Commands(unittest.TestCase):
    """Every command line in a document could be typed."""

    def each(self, pattern):
        """(document, match) of each command in which the pattern occurs."""
        for path, text in documents().items():
            if path.name != "CHANGELOG.md":
                for line in commands(text):
                    for match in re.finditer(pattern, line):
                        yield str(path), match

    def help(self, name):
        done = subprocess.run([str(BIN / "vmcommit"), *name, "--help"], capture_output=True,
                              text=True, timeout=120, check=True)
        return done.stdout

    @unittest.skipUnless((BIN / "vmcommit").exists(), "no front command here")
    def test_commands_and_their_options(self):
        usage = self.help([])
        programs = re.search(r"^One strategy or tool: ([\w, \n]+)\n\n", usage, re.M)[1]
        known = dict.fromkeys(re.findall(r"^  (\w+)  ", usage, re.M) + re.findall(r"\w+", programs))
        for path, match in self.each(r"(?:build/bin/|^)vmcommit ([a-z][\w-]*)"
                                     r"((?: (?:report|compare|what-if|measure)\b)?)(.*)"):
            name, what, rest = match.groups()
            with self.subTest(document=path, command=match[0]):
                self.assertIn(name, known)
                known[name + what] = known.get(name + what) or self.help([name, *what.split()])
                for option in re.findall(r"(?<!\w)--[\w-]+", rest):
                    self.assertIn(option, known[name + what])

    def test_make_targets(self):
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        targets = set(re.findall(r"^([\w-][\w -]*):(?!=)", makefile, re.M))
        targets = {target for names in targets for target in names.split()}
        for path, match in self.each(r"^(?:\./scripts/setup\.sh && )?make ([a-z][\w-]*)"):
            with self.subTest(document=path, command=match[0]):
                self.assertIn(match[1], targets)

    def test_every_target_is_explained_where_it_stands(self):
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        phony = re.search(r"^\.PHONY: ((?:[^\\\n]|\\\n)*)", makefile, re.M)[1]
        explained = set(re.findall(r"^#   make ([\w-]+)", makefile, re.M))
        explained |= set(re.findall(r"; make ([\w-]+)", makefile))
        self.assertEqual(set(phony.replace("\\", "").split()) - {"all", "cmake-is-there"},
                         explained)

    def test_harnesses_and_their_options(self):
        names = (BIN / "harnesses.txt").read_text().split()
        for path, match in self.each(r"(?:build/bin/|^)([a-z]+)((?: --[\w-]+.*)?)$"):
            if match[1] not in names:
                continue
            taken = {*describe(match[1])["options"], "--help", "--version", "--describe"}
            with self.subTest(document=path, command=match[0]):
                self.assertEqual(set(re.findall(r"--[\w-]+", match[2])) - taken, set())

    def test_programs_of_the_build(self):
        names = {path.stem for path in BIN.iterdir()}
        for path, match in self.each(r"\bbuild/bin/([a-z]+)"):
            with self.subTest(document=path, command=match[0]):
                self.assertIn(match[1], names)

    def test_presets(self):
        presets = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))
        names = {preset["name"] for preset in presets["configurePresets"]}
        for path, match in self.each(r"--preset (\w+)"):
            with self.subTest(document=path, command=match[0]):
                self.assertIn(match[1], names)

    def test_the_readmes_options_are_those_of_the_harnesses(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        table = text.split("| option | meaning | default |\n")[1].split("\n\n")[0]
        listed = {option for row in table.splitlines()[1:]
                  for option in re.findall(r"--[\w-]+", row.replace("\\|", "").split("|")[1])}
        names = (BIN / "harnesses.txt").read_text().split()
        taken = {option for name in names for option in describe(name)["options"]}
        self.assertEqual(listed, taken | {"--help", "--version", "--describe"})


@unittest.skipUnless(shutil.which("make"), "make is not installed")
class MissingTools(unittest.TestCase):
    """What the first commands say on a machine that lacks something."""

    def run_with(self, tools, *command):
        """A command that finds only these programs."""
        with tempfile.TemporaryDirectory() as folder:
            for name in tools:
                (pathlib.Path(folder) / name).symlink_to(shutil.which(name))
            return subprocess.run(command, cwd=ROOT, env={"PATH": folder}, capture_output=True,
                                  text=True, timeout=60)

    def test_make_without_cmake(self):
        done = self.run_with(["sh"], shutil.which("make"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no cmake here: run ./scripts/setup.sh", done.stderr.splitlines()[0])

    def test_set_up_elsewhere_lists_what_is_needed_and_changes_nothing(self):
        done = self.run_with([], shutil.which("sh"), "scripts/setup.sh")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        first, packages = done.stdout.splitlines()
        self.assertIn("neither Debian nor Ubuntu", first)
        for package in ("cmake", "gnuplot-nox", "hyperfine", "flake8", "wine64"):
            self.assertIn(package, packages.split())


class Faults(unittest.TestCase):
    def setUp(self):
        text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
        self.stated = int(re.search(r"^(\d+) faults", text, re.M)[1])
        self.rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                     for line in text.splitlines() if line.startswith("|")
                     and not line.startswith(("|---", "| what is done"))]

    def test_as_many_as_stated(self):
        self.assertEqual(len(self.rows), self.stated)
        self.assertGreaterEqual(self.stated, 60)

    def test_each_fault_stands_once(self):
        counted = collections.Counter(row[0] for row in self.rows)
        self.assertEqual([fault for fault, times in counted.items() if times > 1], [])

    def test_each_names_a_test_that_is_there(self):
        for fault, does, test in self.rows:
            with self.subTest(fault):
                self.assertTrue(fault and does)
                file, function = re.fullmatch(r"`([\w/]+\.(?:py|c)) (\w+)`", test).groups()
                source = (ROOT / "tests" / file).read_text(encoding="utf-8")
                pattern = rf"(?m)^(?:    )?(?:def|static \w+) \*?{function}\("
                self.assertTrue(re.search(pattern, source), f"{file} has no {function}")


if __name__ == "__main__":
    unittest.main()
