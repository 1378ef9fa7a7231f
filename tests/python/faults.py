"""What may go wrong while a run is measured: rows stay, one line says what to do, and the exit
status tells of which kind it was. The profile is `tiny`, which is added in one place."""

import csv
import json
import os
import pathlib
import resource
import shutil
import signal
import tempfile
import time
import unittest
from unittest import mock

import tiny
from forks import forked
from support import BIN, EMULATOR, ROOT, begin, execute, finish, goes, vmcommit

from vmcommit.base.cells import Configuration
from vmcommit.base.problems import Usage
from vmcommit.commands import bench, report
from vmcommit.measure import environment, harness, subjects

tiny.add()
LOADED = (report,)  # for the forks to have
STRATEGIES = (BIN / "harnesses.txt").read_text().split()
PROGRAMS = ("calibrate", "calls", "list", "buffer")
# What these print is what they printed once: they take longer than all the rest of a tiny run.
SLOW = {"calibrate": (), "calls": ("--populate", "1M", "--repeat", "1", "--size", "4K",
                                   "--mappings", "0")}
ROOT_USER = hasattr(os, "geteuid") and os.geteuid() == 0


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Trouble(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        said = tempfile.TemporaryDirectory()
        cls.addClassCleanup(said.cleanup)
        cls.said = pathlib.Path(said.name)
        for name, options in SLOW.items():
            done = execute([BIN / name, *options])
            (cls.said / name).write_text(done.stdout, encoding="utf-8")

    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)
        self.results = self.folder / "results"
        self.latest = self.results / "latest"
        self.environment = {**os.environ, "PATH": str(self.tools("git", "lscpu"))}
        for name in ("VMCOMMIT_PROFILE", "VMCOMMIT_LIBRARY", "VMCOMMIT_ALLOCATOR"):
            self.environment.pop(name, None)
        self.real = self.build("real")

    def tools(self, *names):
        """A folder of links to these programs and what runs anyway: without gnuplot and hyperfine
        a run takes little time."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for name in ("sh", "env", "kill", "sleep", "cat", *names):
            if shutil.which(name):
                (folder / name).symlink_to(shutil.which(name))
        return folder

    def words(self, *arguments):
        return ["bench", "--profile", "tiny", *self.real, "--results", self.results, *arguments]

    def done(self, words, path=None, limit=None):
        """The finished command, with these tools; no file may grow beyond `limit` bytes."""
        def prepared():
            os.chdir(self.folder)
            os.environ.clear()
            os.environ.update(self.environment | ({"PATH": path} if path else {}))
            if limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return forked(words, prepared)

    def bench(self, *arguments, **options):
        return self.done(self.words(*arguments), **options)

    def report(self):
        return self.done(["report", self.latest])

    def assertOneLine(self, done, status, *words, name="bench"):
        self.assertEqual(done.returncode, status, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith(f"{name}: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertNotIn("Traceback", done.stderr)

    def assertDrawn(self, *notes):
        """make report draws what there is, and says what is missing."""
        done = self.report()
        self.assertOneLine(done, 1, "gnuplot not found", name="report")
        for note in notes:
            self.assertIn(note, done.stdout)
            self.assertIn(note, (self.latest / "report.html").read_text(encoding="utf-8"))

    def build(self, folder="build", **programs):
        """A build folder whose programs are the real ones, or shell scripts that we give."""
        build = self.folder / folder
        (build / "bin").mkdir(parents=True)
        programs = {name: f"cat '{self.said / name}'\n" for name in SLOW} | programs
        shutil.copy(BIN / "harnesses.txt", build / "bin")
        for name in (*STRATEGIES, *PROGRAMS):
            path = build / "bin" / name
            if name in programs:
                path.write_text("#!/bin/sh\n" + programs[name].format(real=BIN / name))
                path.chmod(0o755)
            else:
                path.symlink_to(BIN / name)
        return ["--build", str(build)]

    def begun(self, *arguments, rows=10):
        """A run that has taken so many samples and goes on."""
        process = begin(vmcommit(*self.words(*arguments)), env=self.environment)
        samples = self.latest / "samples.csv"
        while not samples.exists() or samples.read_bytes().count(b"\n") < rows:
            if process.poll() is not None:
                self.fail(process.stderr.read())
            time.sleep(0.01)
        return process


class Interrupted(Trouble):
    SLOW = 'case "$*" in *"--size 4096 "*) sleep 0.2;; esac\nexec {real} "$@"\n'

    def test_by_each_signal_and_drawn_afterwards(self):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # children inherit what is ignored
        build = self.build(fault=self.SLOW)
        for number, words in ((signal.SIGINT, "interrupted"), (signal.SIGTERM, "by SIGTERM"),
                              (signal.SIGHUP, "by SIGHUP"), (signal.SIGKILL, None)):
            process = self.begun(*build)
            os.kill(process.pid, number)
            done = finish(process)
            with self.subTest(number):
                if words:
                    self.assertOneLine(done, 128 + number, words, "samples kept in", "make report")
                else:
                    self.assertEqual(done.returncode, -signal.SIGKILL)
                self.assertDrawn("This run was cut off")
            shutil.rmtree(self.results)

    def test_before_the_first_sample(self):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        build = self.build(upfront='case "$*" in *--repeat*) kill -INT $PPID; sleep 60;; esac\n'
                                   'exec {real} "$@"\n')
        self.assertOneLine(self.bench(*build), 130, "interrupted; nothing was measured")
        self.assertOneLine(self.report(), 1, "samples.csv", name="report")

    def test_however_few_rows_there_are_they_are_drawn(self):
        self.bench()
        samples = self.latest / "samples.csv"
        lines = samples.read_bytes().splitlines(keepends=True)
        for count in (len(lines) - 1, 5, 2, 1):
            samples.write_bytes(b"".join(lines[:1 + count]))
            self.assertDrawn()
        samples.write_bytes(lines[0])
        self.assertOneLine(self.report(), 1, "no sample", "make bench", name="report")


class TwoAtOnce(Trouble):
    def test_the_second_says_who_runs_and_leaves_the_first_alone(self):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        build = self.build(fault=Interrupted.SLOW)
        first = self.begun(*build)
        self.assertOneLine(self.bench(*build), 75, f"process {first.pid} is measuring or drawing",
                           "results")
        self.assertOneLine(self.report(), 75, f"process {first.pid}", name="report")
        self.assertEqual([path.name for path in self.results.glob("[!.]*")], ["latest"])
        done = finish(first)
        self.assertOneLine(done, 1, "hyperfine and gnuplot not found")
        self.assertIn(os.path.relpath(self.latest), done.stdout)
        self.assertTrue((self.latest / "report.html").exists())


class Disk(Trouble):
    def check_full(self, done, path):
        self.assertOneLine(done, 1, "cannot write", "samples.csv", "samples kept", "make room")
        self.assertTrue(path.read_bytes().endswith(b"\r\n"))
        rows = read(path)
        self.assertGreater(len(rows), 5)
        self.assertEqual([row for row in rows if None in row.values()], [])
        return len(rows)

    def test_full_while_samples_are_taken(self):
        """A file size limit stands for the full disk: the write is refused in the same way."""
        done = self.bench(limit=6000)
        rows = self.check_full(done, self.latest / "samples.csv")
        self.assertDrawn(f"This run was cut off: {rows} samples")

    @unittest.skipUnless(ROOT_USER and shutil.which("mount"), "only root may mount")
    def test_a_small_disk_gets_full_at_each_place(self):
        self.results.mkdir()
        for kilobytes in (16, 32, 100):
            mounted = execute([shutil.which("mount"), "-t", "tmpfs", "-o", f"size={kilobytes}k",
                               "tmpfs", self.results])
            if mounted.returncode != 0:
                self.skipTest(f"no mount: {mounted.stderr}")
            try:
                done = self.bench()
                with self.subTest(kilobytes=kilobytes):
                    self.assertEqual(done.returncode, 1)
                    self.assertOneLine(done, 1)
                execute(["mount", "-o", "remount,size=8m", self.results])
                if (self.latest / "samples.csv").exists() and read(self.latest / "samples.csv"):
                    self.assertDrawn()
            finally:
                execute(["umount", self.results])

    def test_the_first_file_without_room_is_named(self):
        """And not what could not be written either when the rounds had ended by that."""
        first, second = (OSError(28, "No space left", name) for name in ("samples", "environment"))
        with mock.patch.object(bench, "write_json", side_effect=second), \
                self.assertRaises(OSError) as raised, \
                bench.keeping_environment(self.folder, {}, mock.Mock(rounds=1, left_out=[]),
                                          None):
            raise first
        self.assertIs(raised.exception, first)

    def test_results_that_cannot_be_written(self):
        self.results.write_text("a file where the folder should be")
        self.assertOneLine(self.bench(), 1, "results", "nothing was measured", "RESULTS=")

    @unittest.skipUnless(pathlib.Path("/proc/self").exists(), "no /proc here")
    def test_results_where_nothing_can_be_made(self):
        self.results = pathlib.Path("/proc/results")
        self.assertOneLine(self.bench(), 1, "/proc/results", "nothing was measured")

    @unittest.skipIf(ROOT_USER, "root may write everywhere")
    def test_results_without_permission(self):
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        self.assertOneLine(self.bench(), 1, "Permission denied", "nothing was measured")

    def test_names_of_any_kind(self):
        self.results = self.folder / "-with space and ünï, it's \"%s{}$HOME`id`;\nx\udcff"
        self.assertOneLine(self.bench(), 1, "hyperfine and gnuplot not found")
        self.assertTrue((self.results / "latest" / "report.html").exists())

    def test_a_relative_path(self):
        self.results = pathlib.Path("here")
        done = self.bench()
        self.assertOneLine(done, 1, "hyperfine and gnuplot not found")
        self.assertIn("report: here/latest/report.html\n", done.stdout)


class EarlierRuns(Trouble):
    def make(self, content):
        """A latest whose environment.json has that content, or is not there."""
        self.latest.mkdir(parents=True)
        (self.latest / "samples.csv").write_text("an earlier run")
        if content is not None:
            (self.latest / "environment.json").write_bytes(content)

    def test_one_that_can_not_be_read_stops_no_new_one(self):
        self.make(b"")
        self.assertOneLine(self.bench(), 1, "hyperfine and gnuplot not found")
        kept, = (path for path in self.results.glob("[!.]*") if path.name != "latest")
        self.assertEqual((kept / "samples.csv").read_text(), "an earlier run")

    def test_they_are_kept_whatever_their_environment_says(self):
        for content, name in ((b'{"started": "2020-01-02T03:04:05+00:00"}', "2020-01-02-030405"),
                              (b"{", None), (b"[]", None), (b"\xff\0", None),
                              (b'{"started": 7}', None), (b'{"started": "soon"}', None),
                              (b"[" * 100000, None), (None, None)):
            self.make(content)
            with self.subTest(content=content and content[:20]):
                self.assertEqual(list(bench.fresh_folder(self.results, "latest").iterdir()), [])
                kept, = (path for path in self.results.iterdir() if path.name != "latest")
                self.assertEqual((kept / "samples.csv").read_text(), "an earlier run")
                self.assertRegex(kept.name, name or r"^\d{4}-\d\d-\d\d-\d{6}$")
            shutil.rmtree(self.results)

    def test_names_that_are_taken(self):
        self.make(b'{"started": "2020-01-02T03:04:05+00:00"}')
        for taken in ("2020-01-02-030405", "2020-01-02-030405-2"):
            (self.results / taken / "of_another").mkdir(parents=True)
        bench.fresh_folder(self.results, "latest")
        self.assertTrue((self.results / "2020-01-02-030405-1" / "samples.csv").exists())

    def test_only_runs_make_room(self):
        self.make(b"{}")
        shutil.move(self.latest, self.results / "mine")
        (self.results / "baselines" / "x").mkdir(parents=True)
        (self.results / "empty").mkdir()
        (self.results / "history.csv").touch()
        for name in ("mine", "empty", "another"):
            bench.fresh_folder(self.results, name)
        for name in ("baselines", "history.csv"):
            with self.assertRaisesRegex(Usage, f"--into: '{name}' is there and holds no run"):
                bench.fresh_folder(self.results, name)
        self.assertTrue((self.results / "baselines" / "x").is_dir())

    def test_a_latest_that_is_no_folder(self):
        for make in (lambda: self.latest.write_text("a file"),
                     lambda: self.latest.symlink_to("nowhere")):
            self.results.mkdir()
            make()
            bench.fresh_folder(self.results, "latest")
            self.assertTrue(self.latest.is_dir() and not self.latest.is_symlink())
            shutil.rmtree(self.results)


ASKED = ("chunk_bytes", "touch_order", "commit_kind", "growth", "pages", "purge",
         "purge_step_bytes")  # of what was asked at one size


class Harnesses(Trouble):
    AT_1M = 'case "$*" in *"--size 1048576 --touch 1 "*) {does};; esac\nexec {{real}} "$@"\n'

    def check_failed(self, **harnesses):
        """A run in which harnesses fail at 1 MiB; {strategy: (what it does, what is said)}."""
        done = self.bench(*self.build(**{name: self.AT_1M.format(does=does)
                                         for name, (does, _) in harnesses.items()}))
        self.assertOneLine(done, 1, "1 MiB")
        self.assertTrue(any(f"{name} 1 MiB" in done.stderr and why in done.stderr
                            for name, (_, why) in harnesses.items()), done.stderr)
        rows = read(self.latest / "samples.csv")
        failed = [row for row in rows if row["status"] == "skipped"]
        self.assertEqual({row["strategy"] for row in failed}, {*harnesses})
        for name, (_, why) in harnesses.items():
            own = [row for row in failed if row["strategy"] == name]
            asked = [tuple(row[column] for column in ASKED) for row in own]
            self.assertLessEqual(max(map(asked.count, asked)), 2)  # once in each question's sets
            for row in own:
                self.assertTrue(row["error"].startswith(f"the harness {why}"), row["error"])
        self.assertEqual({row["status"] for row in rows} - {"skipped", "unsupported"}, {"ok"})
        self.assertTrue((self.latest / "report.html").exists())

    def test_killed_by_signals_with_and_without_a_name(self):
        self.check_failed(chunked=("kill -KILL $$", "was ended by SIGKILL"),
                          guard=("kill -37 $$", "was ended by signal 37"))

    def test_what_makes_no_sense_and_what_is_no_text(self):
        """A line that comes before the greeting: what takes turns has no other row here."""
        self.check_failed(
            chunked=("echo hello", "began with 'hello"),
            guard=(r"printf '\377\376 broken\n' >&2; exit 3", "ended with status 3: \ufffd"))

    def test_one_that_never_works(self):
        done = self.bench(*self.build(guard="exit 3\n"))
        self.assertOneLine(done, 1, "guard", "status 3", "build again")
        self.assertFalse(self.results.joinpath("latest").exists())

    def test_one_that_does_not_say_what_it_is(self):
        for number, says in enumerate(("", "[]", "{{}}", '{{"name": 7}}', "\\377")):
            build = self.build(guard=f"printf '{says}'\n")
            with self.subTest(says=says):
                self.assertOneLine(self.bench(*build), 1, "guard", "build again")
            shutil.rmtree(self.folder / "build")

    def test_missing_tools(self):
        """Of which none is needed to measure."""
        done = self.bench(path=str(self.tools()))
        self.assertOneLine(done, 1, "hyperfine and gnuplot not found", "setup.sh", "make report")
        for name in ("samples.csv", "summary.csv", "advice.json", "report.html", "REPORT.md"):
            self.assertGreater((self.latest / name).stat().st_size, 500, name)
        facts = json.loads((self.latest / "environment.json").read_text(encoding="utf-8"))
        self.assertEqual(facts["revision"], {"commit": None, "clean": None})
        self.assertFalse((self.latest / "hyperfine.json").exists())

    def test_the_programs_beside_them(self):
        done = self.bench(*self.build(calibrate="exit 5\n", calls="kill -KILL $$\n",
                                      list="exit 6\n", buffer="exit 7\n"))
        self.assertOneLine(done, 1, "calibrate ended with status 5", "calls was ended by SIGKILL",
                           "list ended with status 6", "buffer ended with status 7",
                           "samples are complete")
        self.assertTrue((self.latest / "report.html").exists())

    def test_no_build(self):
        done = self.bench("--build", self.folder)
        self.assertOneLine(done, 1, "harnesses.txt", "No such file", "build first")
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "harnesses.txt").write_bytes(b"\xff\0fault\n")
        self.assertOneLine(self.bench("--build", self.folder), 1, "harnesses.txt", "lacks upfront")
        self.assertFalse(self.results.exists())


class Rows(unittest.TestCase):
    """What a harness prints is checked before it is believed."""

    @classmethod
    def setUpClass(cls):
        cls.harness = harness.described(BIN.parent, tuple(EMULATOR))["chunked"]
        cls.configuration = Configuration(cls.harness.strategy, 65536)
        done = execute([*cls.harness.command, *cls.configuration.arguments()])
        cls.printed = done.stdout

    def changed(self, column, text):
        header, row = csv.reader(self.printed.splitlines())
        row[header.index(column)] = text
        return ",".join(header) + "\r\n" + ",".join(row) + "\r\n"

    def test_a_row(self):
        self.assertEqual(harness.row_in(self.printed, self.configuration)["strategy"], "chunked")

    def test_what_is_no_row(self):
        header, row = self.printed.splitlines()
        for printed in ("", "hello", header, f"{header}\r\n{row}\r\n{row}\r\n", f"{header}\r\n,",
                        f"{header}\r\n{row},more", f"hello\n{self.printed}", "\0",
                        self.changed("strategy", "fault"), self.changed("size_bytes", "4096"),
                        self.changed("touch_order", "random"), self.changed("status", "fine"),
                        self.changed("total_ns", ""), self.changed("total_ns", "0"),
                        self.changed("total_ns", "nan"), self.changed("minor_faults", "many"),
                        self.changed("commit_bytes", "9" * 30)):
            with self.subTest(printed=printed[-60:]):
                self.assertRaises(ValueError, harness.row_in, printed, self.configuration)

    @unittest.skipIf(EMULATOR, "scripts run on the host")
    def test_time_limits_end_what_a_harness_started(self):
        with tempfile.TemporaryDirectory() as folder:
            pid = pathlib.Path(folder, "pid")
            stuck = harness.Harness(self.harness.strategy, (
                "sh", "-c", f"sleep 1000 & echo $! > {pid}; wait", "sh"))
            with mock.patch.object(Configuration, "time_limit", return_value=1):
                with self.assertRaises(harness.HarnessFailed) as raised:
                    stuck.take(self.configuration)
            self.assertIn("did not end within 1 s", str(raised.exception))
            self.assertTrue(goes(pid.read_text().strip()))

    def test_a_harness_that_is_not_there(self):
        gone = harness.Harness(self.harness.strategy, ("/no/such/program",))
        with self.assertRaises(harness.HarnessFailed) as raised:
            gone.take(self.configuration)
        self.assertIn("did not start: No such file", str(raised.exception))


@unittest.skipIf(EMULATOR or not shutil.which("cc"), "no compiler here")
class Libraries(unittest.TestCase):
    """A user's own library, that does not behave."""

    def library(self, code):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        path = pathlib.Path(kept.name, "brought.so")
        execute(["cc", "-shared", "-fPIC", "-xc", "-o", path, "-"], given=code)
        return path

    def refusal(self, kind, body):
        """What is said of a file that does this when it is loaded, in one line."""
        path = str(self.library(
            "#include <signal.h>\n#include <stdio.h>\n#include <unistd.h>\n"
            f"__attribute__((constructor)) static void begin(void) {{ {body} }}\n"))
        with self.assertRaises(Usage) as raised:
            subjects.Subjects(**{kind: path}).harnesses(harness.described(BIN.parent))
        said = str(raised.exception)
        self.assertNotIn("\n", said)
        self.assertTrue(said.startswith(f"--{kind}: 'brought.so': "), said)
        return said

    def test_one_that_hangs(self):
        with mock.patch.object(Configuration, "time_limit", return_value=1):
            for kind, name in (("library", "custom"), ("allocator", "malloc")):
                self.assertIn(f"{name} did not end within 1 s",
                              self.refusal(kind, "for (;;) sleep(1);"))

    def test_one_that_ends_the_process(self):
        for body, ends in (("_exit(0);", "status 0"), ("_exit(7);", "status 7"),
                           ("raise(37);", "signal 37")):
            with self.subTest(body):
                self.assertIn(f"malloc {'was ended by' if 'raise' in body else 'ended with'} "
                              f"{ends}", self.refusal("allocator", body))
                self.assertIn("ends the process", self.refusal("library", body))

    def test_one_that_writes_what_is_no_text(self):
        said = self.refusal("allocator", 'fputs("\\377\\n", stderr); fflush(stderr); _exit(7);')
        self.assertIn("\ufffd", said)


class Machine(unittest.TestCase):
    """A machine that says little of itself."""

    def test_without_anything(self):
        with mock.patch.object(environment, "read", return_value=None), \
                mock.patch.object(environment, "output", return_value=None), \
                mock.patch.object(environment, "constant", return_value=None), \
                mock.patch.object(os, "sched_getaffinity", side_effect=OSError):
            facts = environment.describe(ROOT, BIN.parent)
            self.assertEqual(set(facts["settings"].values()), {None})
            self.assertEqual(facts["build"], {})
            self.assertEqual(facts["revision"], {"commit": None, "clean": None})
            self.assertGreater(environment.available_bytes(), 0)
            with environment.pinned() as cpu:
                self.assertIsNone(cpu)
        json.dumps(facts)

    def test_with_junk_everywhere(self):
        for junk in ("", "junk", "a: b: c\n:\n\n kB", "[", '{"lscpu": [1, {}]}', "{}", "-1", "[]",
                     "cpu 1 2 x", "\ufffd" * 99):
            with mock.patch.object(environment, "read", return_value=junk), \
                    mock.patch.object(environment, "output", return_value=junk), self.subTest(junk):
                json.dumps(environment.describe(ROOT, BIN.parent))
                self.assertGreater(environment.available_bytes(), 0)

    def test_a_cpu_that_can_not_be_had(self):
        with mock.patch.object(os, "sched_setaffinity", side_effect=PermissionError), \
                environment.pinned() as cpu:
            self.assertIsNone(cpu)

    def test_a_tool_that_hangs(self):
        with mock.patch.object(environment, "OUTPUT_SECONDS", 0.2):
            self.assertIsNone(environment.output("sleep", "1000"))

    def test_what_tools_say_is_not_translated(self):
        self.assertEqual(environment.output("sh", "-c", "echo $LC_ALL"), "C.UTF-8")


if __name__ == "__main__":
    unittest.main()
