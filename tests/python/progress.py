"""How far a run is, as a log and as a terminal show it, by a clock that the test moves."""

import io
import types
import unittest
from unittest import mock

from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.measure import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Closed(io.StringIO):
    """Takes nothing."""

    def write(self, _text):
        raise OSError(32, "Broken pipe")


class Timed(unittest.TestCase):
    def setUp(self):
        self.now = 1000.0
        patch = mock.patch.object(progress, "time",
                                  types.SimpleNamespace(monotonic=lambda: self.now))
        patch.start()
        self.addCleanup(patch.stop)


class InALog(Timed):
    def setUp(self):
        super().setUp()
        self.stream = io.StringIO()
        self.shown = progress.on(self.stream)

    def lines(self):
        return self.stream.getvalue().splitlines()

    def test_each_tenth_is_a_line(self):
        for done in range(0, 100, 4):
            self.shown(done, 100 - done, 3, "a configuration")
        self.assertEqual(len(self.lines()), 9)
        self.assertEqual(self.lines()[0], " 10 %, 1 min 28 s left, round 3")
        self.assertEqual(self.lines()[-1], " 90 %, 8 s left, round 3")

    def test_the_end_that_was_thought_nearer(self):
        self.shown(50, -7, 9, "")
        self.assertEqual(self.lines(), [" 90 %, 0 s left, round 9"])

    def test_what_follows_is_named_once_and_then_now_and_again(self):
        for number in range(1, 6):
            self.shown.step("traces", number, 5, 4 * (number - 1), None if number == 1 else 9)
            self.now += 4
        self.shown.step("single calls", 1, 1, 0, None)
        self.assertEqual(self.lines(), ["then traces: 5 steps", "traces: 4 of 5, 9 s left",
                                        "then single calls"])

    def test_ten_seconds_are_not_yet_long(self):
        self.shown.step("traces", 1, 9, 0, None)
        self.now += 10
        self.shown.step("traces", 2, 9, 10, 80)
        self.now += 1
        self.shown.step("traces", 3, 9, 11, None)
        self.assertEqual(len(self.lines()), 1)

    def test_a_log_that_takes_nothing_stops_nobody(self):
        shown = progress.on(Closed())
        shown(50, 50, 1, "")
        shown.step("traces", 1, 2, 0, None)
        shown.close()


class OnATerminal(Timed):
    def setUp(self):
        super().setUp()
        self.shown = progress.on(Terminal())
        self.addCleanup(self.shown.close)

    def state(self):
        bar = self.shown.bar
        return bar.n, bar.total, bar.desc

    def test_the_bar_goes_by_seconds(self):
        self.shown(30, 90, 2, "fault 4 KiB")
        self.assertEqual(self.state(), (30, 120, "1 min 30 s left, round 2, fault 4 KiB"))
        self.shown(60, -5, 2, "fault 4 KiB")
        self.assertEqual(self.state()[0], 30)  # too soon after the last
        self.now += self.shown.REDRAW_SECONDS
        self.shown(60, -5, 2, "x")
        self.assertEqual(self.state()[:2], (60, 60.1))

    def test_what_follows(self):
        self.shown.step("traces", 1, 4, 0, None)
        self.assertEqual(self.state(), (0, 0.1, "traces, 1 of 4"))
        self.shown.step("traces", 3, 4, 6, 6)
        self.assertEqual(self.state(), (6, 12, "6 s left, traces, 3 of 4"))
        self.shown.step("single calls", 1, 1, 0, None)
        self.assertEqual(self.state()[2], "single calls")


class Steps(Timed):
    def test_each_item_is_shown_before_it_is_taken(self):
        shown = mock.Mock()
        for item in progress.steps(shown, "traces", "abc"):
            self.assertEqual(shown.step.call_count, "abc".index(item) + 1)
            self.now += 5
        self.assertEqual([call.args for call in shown.step.call_args_list],
                         [("traces", 1, 3, 0, None), ("traces", 2, 3, 5, 10),
                          ("traces", 3, 3, 10, 5)])


if __name__ == "__main__":
    unittest.main()
