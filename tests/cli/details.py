"""Traces and staircases: every touch once, every commit where it belongs, exact steps of charge."""

import pathlib
import tempfile
import unittest

from support import PAGE, STRATEGIES, WINDOWS, number, parse, run, taken_by

PAGES = 256
STEP = 16


class Details(unittest.TestCase):
    def take(self, program, *arguments):
        """(sample, trace rows, staircase rows) of one sample."""
        with tempfile.TemporaryDirectory() as folder:
            trace, staircase = pathlib.Path(folder, "trace"), pathlib.Path(folder, "staircase")
            done = run(program, *taken_by(program, "--chunk", STEP * PAGE), "--size",
                       PAGES * PAGE, "--repeat", 1, "--trace", trace, "--staircase", staircase,
                       *arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return (parse(done.stdout)[0], parse(trace.read_text()), parse(staircase.read_text()))

    def test_every_touch_is_traced_once(self):
        for program in STRATEGIES:
            sample, trace, _ = self.take(program)
            self.assertEqual([number(row, "page") for row in trace], list(range(PAGES)))
            self.assertEqual({row["strategy"] for row in trace}, {program})
            slowest = max(number(row, "ns") for row in trace)
            self.assertEqual(number(sample, "touch_max_ns"), slowest)
            times = [number(sample, f"touch_{part}_ns")
                     for part in ("p50", "p90", "p99", "p999", "max")]
            self.assertEqual(times, sorted(times))
            self.assertEqual(times[0], sorted(number(row, "ns") for row in trace)[PAGES // 2 - 1])
            self.assertLessEqual(sum(number(row, "ns") for row in trace),
                                 number(sample, "traced_touch_ns") + 1)

    def test_commits_are_traced_where_they_are_made(self):
        expected = {"upfront": [], "fault": list(range(PAGES)),
                    "chunked": list(range(0, PAGES, STEP)), "guard": list(range(0, PAGES, STEP))}
        for program in STRATEGIES:
            _, trace, _ = self.take(program)
            self.assertEqual([number(row, "page") for row in trace
                              if row["commit_calls"] != "0"], expected[program], program)

    def test_a_trace_follows_the_order(self):
        _, trace, _ = self.take("fault", "--order", "reverse")
        self.assertEqual([number(row, "page") for row in trace], list(range(PAGES))[::-1])

    def test_steps_of_charge(self):
        """At each checkpoint the charge is what the touched pages needed, by whole steps."""
        def up(pages, step):
            return -(-pages // step) * step
        for program in STRATEGIES:
            sample, _, staircase = self.take(program)
            self.assertEqual(len(staircase), 64)
            guard = sample["guard"] not in ("", "prot_none")
            for row in staircase:
                pages = number(row, "touched_bytes") // PAGE
                charge = {"upfront": PAGES, "fault": pages, "chunked": up(pages, STEP),
                          "guard": min(PAGES, up(pages, STEP) + guard)}[program]
                self.assertEqual(number(row, "commit_bytes"), charge * PAGE, (program, pages))
                if not WINDOWS:
                    self.assertEqual(number(row, "resident_bytes"), pages * PAGE)
            self.assertEqual(number(staircase[-1], "commit_calls"), number(sample, "commit_calls"))

    def test_files_that_cannot_be_written(self):
        for option in ("--trace", "--staircase"):
            done = run("fault", "--size", "4K", option, "no/such/file")
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith(f"fault: {option}: cannot write 'no/such/file'"))


if __name__ == "__main__":
    unittest.main()
