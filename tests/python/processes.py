"""Other programs end with all that they started, whether in time, too late or by an exception."""

import os
import signal
import sys
import unittest

from support import ROOT, goes  # noqa: F401 (puts the package on the path)

from vmcommit.base import processes

FAMILY = ["sh", "-c", "sleep 1000 & echo $!; exec sleep 1000"]


class Processes(unittest.TestCase):
    def test_what_one_printed_and_how_it_ended(self):
        code = "import sys; sys.stdout.buffer.write(b'a\\xff'); " \
               "print(sys.stdin.read(), file=sys.stderr); sys.exit(7)"
        done = processes.run([sys.executable, "-c", code], 60)
        self.assertEqual((done.returncode, done.stdout, done.stderr.strip()), (7, "a\ufffd", ""))

    def test_one_that_is_not_there(self):
        self.assertRaises(OSError, processes.run, ["/no/such/program"], 60)

    @unittest.skipUnless(os.path.exists("/proc/self/stat"), "processes are looked up in /proc")
    def test_an_exception_ends_it_with_what_it_started(self):
        with self.assertRaises(KeyError), processes.started(FAMILY) as process:
            child = process.stdout.readline().strip()
            raise KeyError
        self.assertEqual(process.returncode, -signal.SIGKILL)
        self.assertTrue(goes(child))

    @unittest.skipIf(os.name == "nt", "sleeps by a program of POSIX systems")
    def test_one_that_takes_too_long(self):
        self.assertRaises(processes.TimeoutExpired, processes.run, ["sleep", "1000"], 0.1)

    @unittest.skipIf(os.name == "nt", "sessions are POSIX'")
    def test_it_has_a_session_of_its_own(self):
        with processes.started(["sleep", "1000"]) as process:
            self.assertEqual(os.getsid(process.pid), process.pid)
            processes.end_group(process)
        processes.end_group(process)  # which has gone: no error


if __name__ == "__main__":
    unittest.main()
