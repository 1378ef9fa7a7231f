"""The tool that changes code: it changes what it should, nothing else, and the same each time."""

import contextlib
import csv
import functools
import io
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

import c_code
import processes
import python_code
import reach
import run
import workshop
from changes import Equivalent, in_order, read_equivalent, wanted
from workshop import Test, expected_cost, files_of


def after(module, code, operator=None):
    """What the code reads like after each change."""
    return [change.applied(code.encode()).decode() for change in
            module.changes_of("a file", code.encode()) if operator in (None, change.operator)]


class C(unittest.TestCase):
    def inside(self, statement, operator, returns="int"):
        """The same of a statement in a function."""
        frame = f"{returns} f(int a, int b)\n{{\n    %s\n}}\n"
        changed = after(c_code, frame % statement, operator)
        start, end = frame.split("%s")
        return [text.removeprefix(start).removesuffix(end) for text in changed]

    def test_each_operator(self):
        for operator, statement, expected in (
                ("comparison", "x = a < b;", ["x = a <= b;"]),
                ("comparison", "x = a == b;", ["x = a != b;"]),
                ("arithmetic", "x = a + b;", ["x = a - b;"]),
                ("arithmetic", "a += b;", ["a -= b;"]),
                ("arithmetic", "x = a * 2;", ["x = a / 2;"]),
                ("logic", "x = a && b;", ["x = a || b;"]),
                ("logic", "x = A | B;", ["x = A & B;"]),
                ("negation", "x = !a;", ["x = a;"]),
                ("truth", "x = true;", ["x = false;"]),
                ("constant", "x = 7u;", ["x = 8u;", "x = 6u;"]),
                ("constant", "x = 0x10;", ["x = 17;", "x = 15;"]),
                ("constant", "x = 0;", ["x = 1;"]),
                ("condition", "if (g(a)) b = c;", ["if (!(g(a))) b = c;"]),
                ("condition", "for (;;) b = c;", []),
                ("condition", "for (;a;) b = c;", ["for (;!(a);) b = c;"]),
                ("dropped statement", "f(a, b);", [";"]),
                ("dropped statement", "if (a) g(b);", ["if (a) ;"]),
                ("dropped statement", "*a = b;", [";"]),
                ("dropped statement", "struct s x = f(a);", []),
                ("dropped statement", "uint64_t x = f(a);", []),
                ("dropped statement", "char *x = f(a);", []),
                ("swapped arguments", "f(a, g(b, b));", ["f(g(b, b), a);"]),
                ("swapped arguments", "x = sizeof(a);", []),
                ("returned value", "return a + b;", ["return 0;"]),
                ("returned value", "return 0;", ["return 1;"])):
            with self.subTest(operator=operator, statement=statement):
                self.assertCountEqual(self.inside(statement, operator), expected)

    def test_what_is_returned_follows_the_type(self):
        self.assertEqual(self.inside("return a;", "returned value", "static bool"),
                         ["return !(a);"])
        self.assertEqual(self.inside("return a;", "returned value", "const char *"),
                         ["return NULL;"])
        self.assertEqual(self.inside("return a;", "returned value", "struct s"), [])

    def test_pointers_are_no_arithmetic(self):
        for statement in ("x = -a;", "x = *a;", "x = (int *)&a;", "f(&a);", "const char *c;",
                          "return -1;"):
            with self.subTest(statement):
                self.assertEqual(self.inside(statement, "arithmetic"), [])
                self.assertEqual(self.inside(statement, "logic"), [])

    def test_what_stays(self):
        for code in ('#define A (1 + 2)\n', "/* a < b && 1 */\n", "// 1 + 2\n",
                     'const char *text = "a < 1";\n', "char c = '+';\n",
                     "_Static_assert(sizeof(int) == 4, \"4 < 5\");\n",
                     "#define B \\\n    (1 + 2)\n", "struct s {\n    char text[32];\n};\n",
                     "int f(int a, int b);\n"):
            with self.subTest(code):
                self.assertEqual(after(c_code, code), [])

    def test_the_function_around_is_named(self):
        code = (b"static int a(void)\n{\n    return 3;\n}\n"
                b"int limit = 4;\nint b(void)\n{\n    g();\n}\n")
        places = {(change.function, change.line) for change in c_code.changes_of("f", code)}
        self.assertEqual(places, {("a", 3), ("", 5), ("b", 8)})


class Python(unittest.TestCase):
    def test_each_operator(self):
        for operator, code, expected in (
                ("comparison", "x = a < b <= c", ["x = a <= b <= c", "x = a < b < c"]),
                ("comparison", "x = (a) is not (b)", ["x = (a) is (b)"]),
                ("comparison", "x = a not in b", ["x = a in b"]),
                ("arithmetic", "x = (a) - (b)", ["x = (a) + (b)"]),
                ("arithmetic", "x = a + '-' + b", []),
                ("arithmetic", "x = folder / name", []),
                ("arithmetic", "x += a", ["x -= a"]),
                ("constant", "x = 3", ["x = 4", "x = 2"]),
                ("constant", "x = 0.5", ["x = 1.0", "x = 0.25"]),
                ("truth", "x = True", ["x = False"]),
                ("negation", "x = not a", ["x = (a)"]),
                ("condition", "x = a if b else c", ["x = a if (not (b)) else c"]),
                ("condition", "x = [a for a in b if a]", ["x = [a for a in b if (not (a))]"]),
                ("logic", "x = a and b and c", ["x = a or b and c", "x = a and b or c"]),
                ("dropped statement", "f(a)", ["pass"]),
                ("dropped statement", "raise a", ["pass"]),
                ("swapped arguments", "f(a, b)", ["f(b, a)"]),
                ("swapped arguments", "f(*a, b)", []),
                ("returned value", "def f():\n    return a", ["def f():\n    return None"]),
                ("returned value", "def f():\n    return None", []),
                ("key", "x = a['b'] + a['c']", ["x = a['c'] + a['c']", "x = a['b'] + a['b']"]),
                ("key", "x = a['b'] + a[0]", [])):
            with self.subTest(operator=operator, code=code):
                self.assertCountEqual(after(python_code, code, operator), expected)

    def test_what_stays(self):
        for code in ('"""1 < 2"""\n', "# 1 < 2\n", "import a\n", 'x = f"{1 + 2}"\n',
                     "def f(a: A[1] = b) -> B[2]:\n    pass\n", "@g(1, 2)\ndef f():\n    pass\n",
                     "if __name__ == '__main__':\n    f()\n"):
            with self.subTest(code):
                self.assertEqual(after(python_code, code), [])

    def test_signs_in_comments_between_operands(self):
        self.assertEqual(after(python_code, "x = (a  # - or +\n     - b)\n"),
                         ["x = (a  # - or +\n     + b)\n"])

    def test_places_count_bytes(self):
        self.assertEqual(after(python_code, "x = 'é' if a < b else c", "comparison"),
                         ["x = 'é' if a <= b else c"])

    def test_the_function_around_is_named(self):
        code = b"class A:\n    def f(self):\n        return 1\n"
        self.assertEqual({change.function for change in python_code.changes_of("f", code)},
                         {"A.f"})


class OurCode(unittest.TestCase):
    """Of this repository."""

    @functools.cache
    def changes(self, language):
        return run.changes_by_file(language, run.ROOT, files_of(run.ROOT), None)

    def test_identities_are_unique(self):
        for language in run.TITLES:
            identities = [change.identity for changes in self.changes(language).values()
                          for change in changes]
            self.assertEqual(len(identities), len(set(identities)), language)
            self.assertGreater(len(identities), 1000)

    def test_changed_python_compiles(self):
        for change in in_order(self.changes("python"), 1)[:60]:
            code = (run.ROOT / change.file).read_bytes()
            self.assertTrue(run.compiles(change.applied(code)), change)

    def test_the_same_seed_draws_the_same(self):
        changes = self.changes("python")
        self.assertEqual(in_order(changes, 1), in_order(changes, 1))
        self.assertNotEqual(in_order(changes, 1)[:50], in_order(changes, 2)[:50])
        self.assertEqual(len(in_order(changes, 1)), sum(map(len, changes.values())))

    def test_each_file_has_its_share(self):
        changes = self.changes("c")
        first = in_order(changes, 1)[:100]
        self.assertEqual({change.file for change in first}, set(changes))
        self.assertGreaterEqual(len({change.operator for change in first}), 9)
        total = sum(map(len, changes.values()))
        for file, items in changes.items():
            fair = 100 * len(items) / total
            count = sum(change.file == file for change in first)
            self.assertLessEqual(count, 2 * fair + 2, file)

    def test_a_change_elsewhere_moves_no_draw(self):
        changes = self.changes("c")
        without = {file: items for file, items in changes.items() if file != "src/row.c"}
        rest = [change for change in in_order(changes, 1) if change.file != "src/row.c"]
        self.assertEqual(in_order(without, 1), rest)

    def test_the_list_of_equivalent_changes_can_be_read(self):
        read_equivalent(run.EQUIVALENT)


class Lists(unittest.TestCase):
    def equivalent(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "equivalent.txt")
            path.write_text(text, encoding="utf-8")
            return read_equivalent(path)

    def test_reasons(self):
        self.assertEqual(self.equivalent("# of\n1a a.c f: x\n  because\n  so\n\n2b x: z\n  y\n"),
                         {"1a": Equivalent("a.c", "because so"), "2b": Equivalent("x", "y")})
        with self.assertRaisesRegex(ValueError, "2b has no reason"):
            self.equivalent("1a a.c\n  because\n2b a.c\n")

    def test_an_entry_is_stale_where_its_code_changed_or_went(self):
        """One of another language, or of a file that is not built here, is not."""
        changes = {"src/row.c": c_code.changes_of("src/row.c", b"int f(void)\n{\n    g();\n}\n")}
        identity = changes["src/row.c"][0].identity
        entries = {identity: Equivalent("src/row.c"), "1a": Equivalent("src/row.c"),
                   "2b": Equivalent("scripts/vmcommit/__main__.py"), "3c": Equivalent("src/gone.c")}
        self.assertEqual(run.stale(changes, entries, run.ROOT), ["1a", "3c"])

    def test_files_by_name_folder_and_pattern(self):
        self.assertTrue(wanted("src/row.c", None))
        self.assertTrue(wanted("src/row.c", ["bench", "src"]))
        self.assertTrue(wanted("src/row.c", ["src/r*.c"]))
        self.assertFalse(wanted("src/row.c", ["src/row"]))

    def test_which_tests_are_run(self):
        def relevant(*command):
            test = Test("", command, (), "", False, "")
            return [language for language in run.TITLES if run.is_relevant(language, test)]
        self.assertEqual(relevant("build/bin/test_row"), ["c"])
        self.assertEqual(relevant("python3", "tests/cli/counts.py"), ["c", "python"])
        self.assertEqual(relevant("python3", "tests/python/base.py", "-f"), ["python"])
        self.assertEqual(relevant("python3", "scripts/vmcommit", "verify"), ["c", "python"])
        self.assertEqual(relevant("python3", "tests/mutants/check.py"), [])

    def test_likelier_tests_come_first(self):
        def test(name, source, seconds):
            return Test(name, (), (), "", False, source, seconds)
        tests = [test("long", "nothing", 8), test("mentions", "import rules\n", 20),
                 test("rules", "", 50), test("short", "rulesets", 5.5)]
        ordered = sorted(tests, key=lambda test: expected_cost(test, "gate/rules.py"))
        self.assertEqual([test.name for test in ordered], ["rules", "short", "mentions", "long"])


class Reach(unittest.TestCase):
    """Which functions a Python test begins, so that others need not be tried."""

    PACKAGE = """
import os, subprocess, sys, threading
class Box:
    size = 1
    def inside(self):
        return [each for each in map(lambda one: one, [1])]
def in_a_thread():
    pass
def never():
    pass
def in_another_program():
    def within():
        pass
    within()
def main():
    for number in range(50):  # code that goes again, whose place other code gets
        exec(compile(f"def made_{number}(): pass\\nmade_{number}()", __file__, "exec"), {})
    os.closerange(3, 100)
    Box().inside()
    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    subprocess.run([sys.executable, __file__, "again"], check=True)
    os._exit(0)
if sys.argv[1:]:
    in_another_program()
else:
    main()
"""

    def test_each_function_that_is_begun_is_noted(self):
        """In threads and other programs too, with descriptors closed, and with an end by _exit."""
        with tempfile.TemporaryDirectory() as tree, tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(tree, "scripts", "vmcommit", "program.py")
            program.parent.mkdir(parents=True)
            program.write_text(self.PACKAGE)
            environment = reach.environment(folder, {**os.environ, "PYTHONPATH": "/nowhere"})
            self.assertEqual(environment["PYTHONPATH"], f"{reach.HOOK}:/nowhere")
            subprocess.run(["/usr/bin/python3", program], env=environment, check=True)
            reached = reach.read(folder, pathlib.Path(tree))
        self.assertEqual({file for file, _ in reached}, {"scripts/vmcommit/program.py"})
        self.assertEqual({name for _, name in reached},
                         {"", "Box", "Box.inside", "in_a_thread", "in_another_program",
                          "in_another_program.within", "main",
                          *(f"made_{number}" for number in range(50))})

    def test_a_function_has_the_name_that_a_change_gives_it(self):
        code = b"class A:\n    def f(self):\n        def g():\n            return 1 + a\n"
        names = {change.function for change in python_code.changes_of("a.py", code)}
        self.assertIn(reach.scope("A.f.<locals>.g"), names)
        self.assertEqual((reach.scope("<module>"), reach.scope("f.<locals>.<lambda>"),
                          reach.scope("<lambda>")), ("", "f", ""))

    def test_what_a_test_does_not_begin_it_is_not_run_for(self):
        change = python_code.changes_of("a.py", b"def f():\n    return 1 + a\n")[0]
        for reached, may in ((None, True), (frozenset({("a.py", "f")}), True),
                             (frozenset({("a.py", "g"), ("b.py", "f")}), False)):
            test = Test("t", (), (), "", False, "", 1.0, reached)
            self.assertIs(test.may_notice(change), may)


class Queues(unittest.TestCase):
    def test_what_does_not_count_is_made_up_for(self):
        queue, taken = run.Queue(range(10), 3), []
        while (item := queue.next()) is not None:
            taken.append(item)
            queue.done(item % 2 == 1)
        self.assertEqual(taken, [0, 1, 2, 3, 4, 5])

    def test_jobs_take_what_one_job_takes(self):
        queue, taken = run.Queue(range(100), 20), []

        def work():
            while (item := queue.next()) is not None:
                taken.append(item)
                time.sleep(0.0001 * (item % 3))
                queue.done(item % 3 == 0)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(taken), list(range(58)))

    def test_one_that_wants_to_be_alone_is(self):
        turnstile, running, most = run.Turnstile(), [], []

        def work(alone):
            for _ in range(30):
                with turnstile.passed(alone):
                    running.append(alone)
                    most.append(list(running))
                    time.sleep(0.0005)
                    running.remove(alone)

        threads = [threading.Thread(target=work, args=(alone,)) for alone in (True, True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(all(len(beside) == 1 for beside in most if True in beside))


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_shell(self, script, seconds=60):
        return processes.run(["sh", "-c", script], self.folder, {"PATH": "/usr/bin:/bin"}, seconds,
                             self.folder / "log")

    def test_status_and_output(self):
        self.assertEqual(self.run_shell("echo text; echo error >&2; exit 3"), 3)
        self.assertEqual((self.folder / "log").read_text(), "text\nerror\n")

    def test_a_hang_is_ended_with_all_that_it_started(self):
        script = "setsid sh -c 'echo $$ > started; sleep 600' & sleep 600"
        self.assertEqual(self.run_shell(script, 1), processes.TIMEOUT)
        started = int((self.folder / "started").read_text())
        self.assertFalse(pathlib.Path(f"/proc/{started}/environ").exists() and
                         b"sleep 600" in pathlib.Path(f"/proc/{started}/cmdline").read_bytes())

    def test_what_a_finished_test_left_running_is_ended(self):
        self.assertEqual(self.run_shell("setsid sleep 600 & echo $! > started"), 0)
        started = int((self.folder / "started").read_text())
        commands = pathlib.Path(f"/proc/{started}/cmdline")
        self.assertFalse(commands.exists() and b"sleep" in commands.read_bytes())

    def test_a_write_without_end_is_stopped(self):
        self.assertIn("4294967296", f"{processes.FILE_BYTES}")
        self.assertNotEqual(self.run_shell(f"truncate -s {processes.FILE_BYTES + 1} f"), 0)


TREE = {
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES C)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
add_executable(small src/small.c src/other.c)
enable_testing()
add_test(NAME other COMMAND small)
add_test(NAME zebra COMMAND small zebra)
add_test(NAME fails COMMAND false)
set_tests_properties(zebra PROPERTIES RUN_SERIAL ON)
""",
    "CMakePresets.json": """{"version": 6, "configurePresets": [{"name": "release",
"generator": "Ninja", "binaryDir": "${sourceDir}/build"}]}""",
    "src/small.c": """int other(int count);
int unused = 0;
int main(int count, char **arguments)
{
    if (count > 1 && arguments[1][0] != 'z')
        return 3;
    return other(count) != 9 + count;
}
""",
    "src/other.c": """int other(int count)
{
    int sum = 0;
    while (sum < 9)
        sum += 3;
    return sum + count;
}
""",
}


@unittest.skipUnless(shutil.which("ninja") and shutil.which("objcopy"), "builds with ninja")
class Whole(unittest.TestCase):
    """From a working tree to the closing line."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.root, self.output = self.folder / "root", self.folder / "out.csv"
        for name, text in TREE.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)
        for place, value in (("ROOT", self.root), ("SPARE", 10)):
            self.replace(place, value)

    def replace(self, place, value):
        where, name = {"ROOT": (run, "ROOT"), "SPARE": (workshop, "SPARE_SECONDS")}[place]
        change = unittest.mock.patch.object(where, name, value)
        change.start()
        self.addCleanup(change.stop)

    def rows(self, *words):
        with contextlib.redirect_stdout(io.StringIO()) as printed, \
                contextlib.redirect_stderr(io.StringIO()) as progress:
            status = run.main(["--language", "c", "--output", str(self.output), *words])
        self.assertEqual(status, 0, progress.getvalue())
        self.printed, self.progress = printed.getvalue(), progress.getvalue()
        with open(self.output, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_all_changes(self):
        before = {path: path.read_bytes() for path in self.root.rglob("*.c")}
        rows = {(row["before"], row["after"]): row for row in self.rows("--jobs", "2")}
        self.assertEqual({path: path.read_bytes() for path in before}, before)
        for change, result, test in (
                (("while (sum < 9)", "while (sum <= 9)"), "noticed", "other"),
                (("sum += 3;", ";"), "timeout", "other"),
                (("int unused = 0;", "int unused = 1;"), "survived", ""),
                (("return 3;", "return 4;"), "survived", ""),
                (("if (count > 1 && arguments[1][0] != 'z')",
                  "if (count > 1 && arguments[1][0] == 'z')"), "noticed", "zebra")):
            with self.subTest(change):
                self.assertEqual((rows[change]["result"], rows[change]["test"]), (result, test))
        self.assertIn("fails fails in the unchanged tree", self.progress)
        self.assertRegex(self.printed, r"C: \d+ of \d+ noticed \(\d of them by the time limit")

    def test_an_interrupted_run_leaves_nothing_behind(self):
        scratch = self.folder / "scratch"
        scratch.mkdir()
        program = subprocess.Popen(
            [sys.executable, "-c", "import pathlib, sys, run; run.ROOT = pathlib.Path(sys.argv[1]);"
             "sys.exit(run.main(sys.argv[2:]))", self.root, "--language", "c", "--output",
             self.output], env={**os.environ, "TMPDIR": str(scratch),
                                "PYTHONPATH": str(pathlib.Path(run.__file__).parent)},
            stderr=subprocess.PIPE, text=True)
        for line in program.stderr:
            if re.match(" +2 ", line):
                program.send_signal(signal.SIGTERM)
                program.send_signal(signal.SIGINT)  # as of a second Ctrl-C
                break
        self.assertIn("interrupted", program.stderr.read())
        program.stderr.close()
        self.assertEqual(program.wait(60), 130)
        self.assertEqual(list(scratch.iterdir()), [])
        with open(self.output, newline="", encoding="utf-8") as file:
            self.assertGreaterEqual(len(list(csv.DictReader(file))), 2)

    def test_survivors_again_and_by_identity(self):
        first = self.rows("--only", "src/small.c", "--tests", "other", "--count", "9")
        survivors = {row["id"] for row in first if row["result"] == "survived"}
        again = self.folder / "again.csv"
        shutil.copy(self.output, again)
        second = self.rows("--again", str(again), "--jobs", "1")
        self.assertEqual({row["id"] for row in second}, survivors)
        self.assertIn("zebra", {row["test"] for row in second})
        third = self.rows("--id", first[0]["id"], "--jobs", "1")
        self.assertEqual([row["id"] for row in third], [first[0]["id"]])


class Edges(unittest.TestCase):
    def row(self, **values):
        return {"file": "f", "line": 1, "id": "x", "operator": "o", "before": "a", "after": "b",
                "test": "t", **values}

    def test_the_closing_lines(self):
        trial = run.Trial("c", [], None, [])
        trial.rows = [self.row(result=result) for result in (
            "noticed", "noticed", "timeout", "survived", "did not build", "same machine code")]
        lines, noticed, tried = run.summary("c", trial)
        self.assertEqual((noticed, tried), (3, 4))
        self.assertEqual(lines, [
            "f:1: x o: a  =>  b",
            "C: 3 of 4 noticed (1 of them by the time limit, 1 more did not build, "
            "1 more gave the same machine code)"])


if __name__ == "__main__":
    unittest.main()
