"""How commands end: each with its status, and in one line; by signals, closed files and what is
missing."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import types
import unittest
from unittest import mock

from support import BIN, EMULATOR, ROOT, begin, execute, finish, goes, vmcommit

from vmcommit.base.problems import Problem, Usage
from vmcommit.commands import edge

FRONT = BIN / "vmcommit"
MOMENTS = 16
REFERENCE = ROOT / "results" / "reference"


def raising(error):
    def main(_arguments):
        raise error
    return types.SimpleNamespace(main=main)


class Names(unittest.TestCase):
    """What may stand behind `vmcommit`."""

    @unittest.skipUnless(FRONT.exists(), "no front command here")
    def test_which_version(self):
        version = execute([BIN / "upfront", "--version"]).stdout.partition("(vmcommit) ")[2]
        for words, name in ((["--version"], "vmcommit"), (["predict", "--version"],
                                                          "vmcommit predict")):
            done = execute([FRONT, *words])
            self.assertEqual((done.returncode, done.stderr, done.stdout), (0, "",
                                                                           f"{name} {version}"))

    @unittest.skipUnless(FRONT.exists(), "no front command here")
    def test_a_harness_is_run_in_its_place(self):
        self.assertIn("custom, malloc", execute([FRONT, "--help"]).stdout)
        for words in (["--describe"], ["--size", "4x"]):
            there, here = execute([BIN / "fault", *words]), execute([FRONT, "fault", *words])
            self.assertEqual((there.returncode, there.stdout, there.stderr),
                             (here.returncode, here.stdout, here.stderr))

    def test_one_that_cannot_be_started(self):
        with mock.patch.object(edge, "tell") as told:
            self.assertEqual(edge.become("no-such-program", []), 1)
        self.assertIn("no-such-program: cannot be started: No such file", told.call_args[0][0])


class Endings(unittest.TestCase):
    def status_and_line(self, command, name="bench"):
        """What carry_out() makes of a command."""
        with mock.patch.object(edge, "tell") as told, \
                mock.patch.object(edge.traceback, "print_exc") as traced, \
                mock.patch.object(edge.importlib, "import_module", return_value=command):
            status = edge.carry_out(name, [])
        return status, told.call_args[0][0], traced.called

    def test_each_ending(self):
        full = OSError(28, "No space left on device", "/tmp/x/samples.csv")
        denied = PermissionError(13, "Permission denied", "/tmp/x/samples.csv")
        for error, status, words in (
                (Problem("it broke"), 1, "bench: it broke"), (Usage("no"), 2, "bench: no"),
                (Problem("later", 75), 75, "bench: later"),
                (KeyboardInterrupt(), 130, "bench: interrupted"),
                (edge.Terminated(signal.SIGTERM), 143, "bench: ended by SIGTERM"),
                (full, 1, "samples.csv: No space left"), (full, 1, "cannot write"),
                (denied, 1, "samples.csv: Permission denied"),
                (OSError(1, "Operation not permitted"), 1, "the system refused: Operation"),
                (MemoryError(), 1, "memory"),
                (ModuleNotFoundError("no scipy", name="scipy"), 1, "no scipy: run ./scripts/setup"),
                (ImportError("broken", name="numpy"), 1, "can't load numpy")):
            ended, line, traced = self.status_and_line(raising(error))
            with self.subTest(error=error):
                self.assertEqual((ended, traced), (status, False))
                self.assertIn(words, line)

    def test_a_defect_of_ours_is_no_verdict(self):
        for name in ("bench", "compare"):
            status, line, traced = self.status_and_line(raising(ZeroDivisionError()), name)
            self.assertEqual((status, traced), (70, True))
            self.assertIn("defect of vmcommit", line)

    def test_a_failure_of_compare_is_no_verdict(self):
        self.assertEqual(self.status_and_line(raising(Problem("x")), "compare")[0], 74)
        self.assertEqual(self.status_and_line(raising(Usage("x")), "compare")[0], 2)

    def test_keeping_says_what_is_kept(self):
        full = OSError(28, "No space left on device", "a.csv")
        for error, message, status in (
                (full, "cannot write a.csv: No space left on device; 3 kept; make room", 1),
                (KeyboardInterrupt(), "interrupted; 3 kept", 130),
                (edge.Terminated(signal.SIGTERM), "ended by SIGTERM; 3 kept", 143)):
            with self.assertRaises(Problem) as raised:
                with edge.keeping(lambda: "3 kept", "make room"):
                    raise error
            self.assertEqual((str(raised.exception), raised.exception.status), (message, status))
        with self.assertRaises(Problem) as raised, edge.keeping():
            raise KeyboardInterrupt
        self.assertEqual(str(raised.exception), "interrupted")

    def test_what_was_ignored_stays_so(self):
        handler = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            with edge.heeding_signals():
                self.assertIs(signal.getsignal(signal.SIGTERM), signal.SIG_IGN)
                self.assertIsNot(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)
            self.assertIs(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)
        finally:
            signal.signal(signal.SIGTERM, handler)

    def test_a_message_is_one_line(self):
        self.assertEqual(str(Problem("a\nb\t\udcff")), "a\\nb\\t\\udcff")
        with mock.patch("sys.stderr") as stderr:
            edge.tell("a\nb\x1b[31m\udcff")
        written = "".join(call.args[0] for call in stderr.write.call_args_list)
        self.assertEqual(written, "a\\nb\\x1b[31m\\udcff\n")


@unittest.skipIf(EMULATOR, "commands run on the host")
class Files(unittest.TestCase):
    """Standard files that are closed or full, and a reader that goes."""

    def shell(self, line, **options):
        return execute(["sh", "-c", line, "sh", *vmcommit()], **options)

    def test_standard_output_that_takes_nothing(self):
        for redirection, why in ((">/dev/full", "No space left"), (">&-", "Bad file descriptor")):
            for arguments in ("--help", "bench --help", "predict --size 64M --run "
                              f"'{REFERENCE}'"):
                done = self.shell(f'"$@" {arguments} {redirection}')
                with self.subTest(redirection=redirection, arguments=arguments):
                    self.assertEqual(done.returncode, 1)
                    self.assertRegex(done.stderr, rf"\A\w+: cannot write to standard output: {why}"
                                                  r".*\n\Z")

    def test_a_reader_that_goes(self):
        done = self.shell('"$@" bench --help | :; exit 0')
        self.assertRegex(done.stderr, r"\A(bench: cannot write to standard output: Broken pipe\n)?"
                                      r"\Z")

    def test_standard_error_that_takes_nothing(self):
        for redirection in ("2>&-", "2>/dev/full", "2>&- <&-", "2>&- <&- >&-"):
            done = self.shell(f'"$@" bench --profile none {redirection}')
            self.assertEqual((done.returncode, done.stdout), (2, ""), redirection)

    def test_no_file_of_ours_becomes_a_standard_file(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.shell(f'"$@" bench --profile tiny --results {folder}/r 2>&- >&-')
            self.assertEqual(done.returncode, 1)
            for path in pathlib.Path(folder).rglob("*"):
                if path.is_file():
                    self.assertNotIn(b"cannot write", path.read_bytes())

    def test_a_terminal_of_another_alphabet(self):
        done = execute([*vmcommit("predict", "--size", "64M", "--run", REFERENCE)],
                       env={**os.environ, "PYTHONIOENCODING": "ascii"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_where_no_home_and_no_language_is(self):
        done = execute([sys.executable, ROOT / "scripts" / "vmcommit", "predict", "--size", "64M",
                        "--run", REFERENCE], env={"PATH": os.environ["PATH"]}, cwd="/")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_unknown_commands_and_options(self):
        for arguments, words in ((["brew"], "'brew' is no command; use bench"),
                                 (["bench", "--prof", "quick"], "--prof"),
                                 (["bench", "--seed", "x"], "--seed"),
                                 (["bench", "--into", "../x"], "--into: '../x'"),
                                 (["bench", "--into", ""], "--into: ''"),
                                 (["bench", "--profile", "a\nb"], "'a\\nb'")):
            done = execute(vmcommit(*arguments))
            with self.subTest(arguments=arguments):
                self.assertEqual(done.returncode, 2)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn(words, done.stderr)
        self.assertEqual(execute(vmcommit()).returncode, 2)


@unittest.skipIf(EMULATOR or not FRONT.exists(), "no front command in this build")
@unittest.skipUnless("--block-signal" in (FRONT.read_text() if FRONT.exists() else ""),
                     "env can't block signals here")
class Signals(unittest.TestCase):
    """From the first moment on: one line and the signal's status."""

    def ended_at(self, number, after, folder):
        process = begin([FRONT, "bench", "--profile", "quick", "--results", folder])
        time.sleep(after)
        os.killpg(process.pid, number)
        return finish(process, 120)

    def test_at_random_moments(self):
        moments = random.Random(time.time_ns())
        for at in range(MOMENTS):
            after = moments.random() * 1.25  # a run has begun to measure by then
            number = (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[at % 4]
            with tempfile.TemporaryDirectory() as folder:
                done = self.ended_at(number, after, folder)
            if (done.returncode, done.stderr) == (-number, ""):
                continue  # there was no Python yet to say anything
            with self.subTest(after=after, signal=number):
                lines = [line for line in done.stderr.splitlines() if not line.startswith(" ")]
                self.assertEqual((done.returncode, len(lines)), (128 + number, 1), done.stderr)
                self.assertIn("interrupted" if number == signal.SIGINT else "ended by", lines[0])

    def test_what_the_user_ignores_stays_ignored(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            name = number.name.removeprefix("SIG")
            process = begin(["sh", "-c", f"trap '' {name}; exec \"$@\"", "sh", FRONT, "predict",
                             "--size", "64M", "--run", REFERENCE])
            time.sleep(0.2)
            os.killpg(process.pid, number)
            done = finish(process, 120)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)


class Time(unittest.TestCase):
    """A process that a test started ends with all that it started."""

    @unittest.skipIf(os.name == "nt", "process groups are POSIX's")
    def test_the_group_is_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            pid = pathlib.Path(folder, "pid")
            with self.assertRaises(subprocess.TimeoutExpired):
                execute(["sh", "-c", f"sleep 1000 & echo $! > {pid}; wait"], 2)
            self.assertTrue(goes(pid.read_text().strip()))


if __name__ == "__main__":
    unittest.main()
