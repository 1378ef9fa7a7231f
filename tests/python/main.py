"""The first moments of `vmcommit`, before any command is there: which signal ends them, and how."""

import ast
import os
import pathlib
import signal
import sys
import tempfile
import unittest
from unittest import mock

from support import BIN, ROOT, execute

from vmcommit import __main__ as main
from vmcommit.commands import edge

SCRIPT = """
import signal, sys
sys.path.insert(0, sys.argv[1])
from vmcommit import __main__ as main
{}
"""


def in_a_process(code, **options):
    return execute([sys.executable, "-c", SCRIPT.format(code), ROOT / "scripts"], **options)


class Signals(unittest.TestCase):
    def test_each_is_named_and_its_status_is_its_own(self):
        for number, how in ((signal.SIGINT, "interrupted"), (signal.SIGTERM, "ended by SIGTERM")):
            done = in_a_process(f"main.leave(signal.{number.name}, None)")
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (128 + number, "", f"vmcommit: {how}; nothing was done\n"))

    @unittest.skipIf(os.name == "nt", "signals of POSIX systems")
    def test_they_are_heeded_from_the_start(self):
        for number in main.ENDING:
            done = in_a_process(f"signal.signal({int(number)}, signal.SIG_DFL); "
                                f"main.heed(main.leave); signal.raise_signal({int(number)})")
            self.assertEqual(done.returncode, 128 + number, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_an_ignored_one_stays_ignored(self):
        done = in_a_process("signal.signal(signal.SIGINT, signal.SIG_IGN); "
                            "main.heed(main.leave); signal.raise_signal(signal.SIGINT); "
                            "print('goes on')")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "goes on\n", ""))

    @unittest.skipIf(os.name == "nt", "standard error is a descriptor of POSIX systems")
    def test_the_status_is_right_where_nothing_can_be_said(self):
        done = in_a_process("import os; os.close(2); main.leave(signal.SIGINT, None)")
        self.assertEqual((done.returncode, done.stderr), (130, ""))


LOADS = """
import importlib, os
from vmcommit.base import late
HEAVY = ("numpy", "pandas", "scipy", "scipy.stats", "jinja2", "tqdm")

def told():
    print(sys.argv[1:], "has", [name for name in HEAVY if name in sys.modules],
          file=sys.__stdout__, flush=True)
    os._exit(0)

def carried_out(words, stop):
    sys.argv = ["vmcommit", *words]
    sys.stdout = sys.stderr = open(os.devnull, "w")
    if stop:
        late.load_late("vmcommit", main.ENDING)
        module, name = stop
        setattr(importlib.import_module(module), name, lambda *_: told())
    try:
        main.main()
    except SystemExit:
        pass
    told()

for words, stop in {}:
    sys.stdout.flush()
    if os.fork() == 0:
        carried_out(words, stop)
    os.wait()
"""
CHEAP = [(words.split(), None) for words in (
    "--help", "--version", "no-such", "doctor", "bench --help", "bench --profile no-such",
    "compare --version", "compare", "compare --baseline no/name", "record report --no-such",
    *(f"{name} --no-such" for name in edge.COMMANDS if name not in ("record", "rates")))]
# A command, and the function that begins to measure.
MEASURING = [(["bench", "--profile", "quick", "--results", "{folder}"],
              ("vmcommit.measure.campaign", "first_rows")),
             (["compare", "--base", "{build}", "--results", "{folder}"],
              ("vmcommit.gate.comparison", "Comparison")),
             (["verify"], ("vmcommit.commands.verify", "verify")),
             (["overhead"], ("vmcommit.measure.bare", "ratio"))]


@unittest.skipIf(os.name == "nt", "no forks on Windows")
class Loaded(unittest.TestCase):
    """What a command has loaded, by sys.modules."""

    def loaded(self, cases):
        """(words, the libraries that were there in the end), of each case."""
        done = in_a_process(LOADS.replace("{}", repr(cases)))
        self.assertEqual(done.stderr, "")
        lines = [line.partition(" has ") for line in done.stdout.splitlines()]
        self.assertEqual([ast.literal_eval(words) for words, _, _ in lines],
                         [words for words, _ in cases])
        return [(words, ast.literal_eval(heavy)) for words, _, heavy in lines]

    def test_who_asks_or_mistypes_waits_for_no_library(self):
        for words, heavy in self.loaded(CHEAP):
            with self.subTest(words):
                self.assertEqual(heavy, [])

    def test_what_measures_waits_for_nothing_that_analyses(self):
        with tempfile.TemporaryDirectory() as folder:
            cases = [([word.format(folder=folder, build=BIN.parent) for word in words], stop)
                     for words, stop in MEASURING]
            for words, heavy in self.loaded(cases):
                with self.subTest(words):
                    self.assertLessEqual(set(heavy), {"numpy", "scipy", "tqdm"})


class Whole(unittest.TestCase):
    def test_the_status_is_that_of_the_command_and_its_arguments_are_ours(self):
        with mock.patch("vmcommit.commands.edge.main", return_value=7) as carried_out, \
                mock.patch("vmcommit.base.late.load_late") as load_late, \
                mock.patch.object(main, "heed") as heed, \
                mock.patch.object(main, "hold_standard_files") as hold, \
                mock.patch.object(sys, "argv", ["vmcommit", "predict", "--help"]):
            self.assertEqual(main.main(), 7)
        carried_out.assert_called_once_with(["predict", "--help"])
        hold.assert_called_once_with()
        load_late.assert_called_once_with("vmcommit", main.ENDING)
        self.assertEqual([call.args for call in heed.call_args_list],
                         [(main.leave,), (signal.SIG_IGN,)])

    def test_run_by_its_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            done = execute([sys.executable, ROOT / "scripts" / "vmcommit", "--help"],
                           cwd=pathlib.Path(folder))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.startswith("usage: vmcommit COMMAND"))


if __name__ == "__main__":
    unittest.main()
