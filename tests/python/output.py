"""What a command says is there at once, whoever reads it, and a reader that goes is a Problem."""

import os
import subprocess
import sys
import unittest

from support import ROOT, finish

from vmcommit.base.problems import Problem

SAYER = """
import sys
sys.path.insert(0, sys.argv[1])
from vmcommit.base.output import say
from vmcommit.base.problems import Problem
{}
"""


def begin(code):
    """A process with a pipe to each standard file; what it prints is buffered, as usual."""
    buffered = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen([sys.executable, "-c", SAYER.format(code), ROOT / "scripts"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, start_new_session=True, env=buffered)


class Say(unittest.TestCase):
    def test_a_line_is_there_before_the_command_goes_on(self):
        """Even if it then ends so that nothing more is written."""
        done = finish(begin("import os; say('one'); say(); os._exit(7)"), 60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "one\n\n", ""))

    def test_a_reader_that_has_gone_is_told_once(self):
        process = begin("sys.stdin.readline()\n"
                        "try:\n    say('one')\n"
                        "except Problem as problem:\n"
                        "    print(problem, problem.status, file=sys.stderr)\n"
                        "say('two')")
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.close()
        with process:
            said = process.stderr.read()
        self.assertEqual(process.returncode, 0)
        self.assertRegex(said, r"\Acannot write to standard output: \w[^\n]* 1\n\Z")


class Problems(unittest.TestCase):
    def test_the_status_is_1_unless_said_otherwise(self):
        self.assertEqual((Problem("x").status, Problem("x", 75).status), (1, 75))


if __name__ == "__main__":
    unittest.main()
