"""A scratch copy of the working tree with a build of its own, in which code is changed and the
tests are run."""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import processes
import reach

BUILD_SECONDS = 900
SPARE_SECONDS = 20  # what a test may take beyond ten times what it took unchanged
NAMED, MENTIONED = 0.1, 0.3  # a likelier test counts as so much shorter


class Broken(Exception):
    """The unchanged tree does not build, or can't be copied."""


@dataclasses.dataclass(frozen=True)
class Test:
    name: str
    command: tuple
    environment: tuple  # pairs
    folder: str
    alone: bool  # no other test beside it
    source: str  # the text of its script or C file
    seconds: float = 0.0  # of the unchanged tree
    reached: frozenset | None = None  # (file, function)s of the package; None: not known

    @property
    def depends_on_others(self):
        """What a compiled test finds is its own; a script starts processes and reads the system's
        counters."""
        return "python" in pathlib.PurePath(self.command[0]).name

    def may_notice(self, change):
        return self.reached is None or (change.file, change.function) in self.reached


def files_of(root):
    """What a commit of the working tree would hold."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=root,
                            check=True, stdout=subprocess.PIPE).stdout
    names = {os.fsdecode(name) for name in listed.split(b"\0") if name}
    return sorted(name for name in names if os.path.lexists(root / name))


def properties_of(entry):
    return {item["name"]: item["value"] for item in entry.get("properties", ())}


def fail_fast(command, source):
    """A unittest program stops at its first failure."""
    return (*command, "-f") if "unittest.main(" in source else tuple(command)


def source_of(root, name, command):
    """The script that is run, or NAME.c below tests/c."""
    paths = [pathlib.Path(part) for part in command if part.endswith(".py")]
    paths = paths or list((root / "tests" / "c").rglob(f"{name}.c"))
    return paths[0].read_text(encoding="utf-8") if paths else ""


def made_test(root, entry):
    properties = properties_of(entry)
    source = source_of(root, entry["name"], entry["command"])
    return Test(entry["name"], fail_fast(entry["command"], source),
                tuple(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", ())),
                properties.get("WORKING_DIRECTORY", str(root)),
                bool(properties.get("RUN_SERIAL")), source)


def expected_cost(test, file):
    """Seconds, weighed by how likely the test is to notice a change of the file: the order in which
    tests are run."""
    path = pathlib.PurePath(file)
    stem = path.parent.name if path.stem == "__init__" else path.stem
    if test.name == stem:
        return test.seconds * NAMED
    if re.search(rf"\b{re.escape(stem)}\b", test.source):
        return test.seconds * MENTIONED
    return test.seconds


class Workshop:
    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        self.tree, self.build = folder / "tree", folder / "tree" / "build"
        self.scratch, self.log = folder / "scratch", folder / "log"
        self.tests, self.objects = {}, {}

    def prepare(self, targets=()):
        """Copies and builds. Raises Broken."""
        for name in files_of(self.root):
            target = self.tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.root / name, target, follow_symlinks=False)
        for command in (["git", "init", "-q"], ["git", "add", "-A"],
                        ["git", "-c", "user.name=mutants", "-c", "user.email=mutants@localhost",
                         "commit", "-q", "-m", "The tree before any change"],
                        ["cmake", "--preset", "release"], ["cmake", "--build", "build", *targets]):
            if self.run(command, self.tree, {}, BUILD_SECONDS) != 0:
                raise Broken(f"{' '.join(command[:3])} in a copy of the tree: {self.output()}")
        self.tests = self.known_tests()
        self.objects = self.codes(self.build.rglob("*.o"))

    def environment(self, pairs):
        """Nothing is read from the user's home or left in the system's folder of scratch files."""
        return {**os.environ, "HOME": str(self.scratch), "TMPDIR": str(self.scratch),
                "PYTHONDONTWRITEBYTECODE": "1", **dict(pairs)}

    def run(self, command, folder, pairs, seconds):
        processes.empty(self.scratch)
        return processes.run(command, folder, self.environment(pairs), seconds, self.log)

    def output(self, characters=2000):
        """The end of what the last command printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-characters:].strip()

    def known_tests(self):
        """{name: test} of those that CTest knows and that are built."""
        listed = subprocess.run(["ctest", "--show-only=json-v1"], cwd=self.build, check=True,
                                stdout=subprocess.PIPE).stdout
        return {entry["name"]: made_test(self.tree, entry)
                for entry in json.loads(listed)["tests"] if "command" in entry}

    def passes(self, name, seconds):
        """True, False or TIMEOUT. Each copy has a test of that name, with paths of its own."""
        return self.passes_in(self.tests[name].environment, name, seconds)

    def passes_in(self, environment, name, seconds):
        test = self.tests[name]
        status = self.run(test.command, test.folder, environment, seconds)
        return status if status == processes.TIMEOUT else status == 0

    def reached_by(self, name):
        """What a Python test begins of the package; None where it fails when it is looked at."""
        with tempfile.TemporaryDirectory(prefix="reach-") as folder:
            environment = reach.environment(folder, self.tests[name].environment)
            passes = self.passes_in(environment, name, BUILD_SECONDS)
            return reach.read(folder, self.tree) if passes is True else None

    def rebuild(self):
        return self.run(["cmake", "--build", "build", "--", "-k", "1"], self.tree, {},
                        BUILD_SECONDS) == 0

    def compiled_files(self):
        """C files and headers of ours that the build reads, from the root."""
        commands = json.loads((self.build / "compile_commands.json").read_text(encoding="utf-8"))
        names = {pathlib.Path(entry["directory"], entry["file"]).resolve() for entry in commands}
        deps = subprocess.run(["ninja", "-t", "deps"], cwd=self.build, check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        names |= {(self.build / line.strip()).resolve() for line in deps.splitlines()
                  if line.startswith("    ")}
        tree = self.tree.resolve()
        return sorted(str(name.relative_to(tree)) for name in names if name.is_relative_to(tree))

    def codes(self, objects):
        """{object file: digest of its machine code and data, debugging data left out}"""
        stripped, digests = self.folder / "stripped.o", {}
        for path in objects:
            subprocess.run(["objcopy", "--strip-debug", path, stripped], check=True)
            digests[path] = hashlib.sha256(stripped.read_bytes()).digest()
        return digests

    def same_code(self, file):
        """True if the compiler makes the same of the changed file as of the unchanged one."""
        objects = list(self.build.rglob(f"{pathlib.PurePath(file).name}.o"))
        if not objects:  # a header
            objects = list(self.objects)
        return self.codes(objects).items() <= self.objects.items()

    def write(self, file, code):
        (self.tree / file).write_bytes(code)


def measured(workshop, tests):
    """The tests that pass in the unchanged tree, with their seconds; the rest is named."""
    passing = []
    for test in tests:
        seconds = seconds_of(workshop, test) or seconds_of(workshop, test)
        if seconds is not None:
            passing.append(dataclasses.replace(test, seconds=seconds))
        else:
            print(f"mutants: {test.name} fails in the unchanged tree and is left out",
                  file=sys.stderr)
    return passing


def seconds_of(workshop, test):
    """None if it fails."""
    start = time.monotonic()
    passes = workshop.passes(test.name, BUILD_SECONDS)
    return time.monotonic() - start if passes is True else None


def limit_of(test):
    return 10 * test.seconds + SPARE_SECONDS
