"""The first moments of `vmcommit`, before any command is there: which signal ends them, and how."""

import os
import pathlib
import signal
import sys
import tempfile
import unittest
from unittest import mock

from support import ROOT, execute

from vmcommit import __main__ as main

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


class Whole(unittest.TestCase):
    def test_the_status_is_that_of_the_command_and_its_arguments_are_ours(self):
        with mock.patch("vmcommit.commands.edge.main", return_value=7) as edge, \
                mock.patch.object(main, "heed") as heed, \
                mock.patch.object(main, "hold_standard_files") as hold, \
                mock.patch.object(sys, "argv", ["vmcommit", "predict", "--help"]):
            self.assertEqual(main.main(), 7)
        edge.assert_called_once_with(["predict", "--help"])
        hold.assert_called_once_with()
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
