"""What other steps and other ways of giving back come to, worked out by hand for a log of a few
lines."""

import pathlib
import tempfile
import unittest

import support  # noqa: F401

from vmcommit.analyse import what_if
from vmcommit.analyse.recording import LOG
from vmcommit.show import recordings

PAGE = 4096
KIB = 1024
# 16 pages are mapped at 1 s; 0, 1 and 8 touched at 2 s; 0 and 1 discarded at 3 s; 0 touched again
# at 4 s; all is unmapped at 5 s, and over at 6 s. The file that is mapped counts for nothing.
TEXT = """recording 1
# page 4096
# overcommit 0
# command x
E 0 0 100 20000000 /bin/x
m 0 10000000-10002000 rwa /bin/x
c 1000000 0 100 mmap 30000000 3000 0 10000 3 22 ffffffff 0
t 2000000 0 10000+1 1ffff+2 6+1
v 0 100 30000000-30010000
c 3000000 0 100 madvise 0 2500 30000000 2000 4
t 4000000 0 30000+1
v 0 100 30000000-30010000
c 5000000 0 100 munmap 0 5000 30000000 10000
X 6000000 0 100 0
# null_ns 2000
# end
"""


class WhatIf(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / LOG).write_text(TEXT)

    def expect(self, way, most, over_time, commits):
        what_if.Growth(self.folder, {"one": way})
        self.assertEqual((way.most / PAGE, way.byte_seconds / PAGE, way.commits),
                         (most, over_time, commits))

    def test_steps_that_are_released_with_their_last_page(self):
        self.expect(what_if.Steps(4 * KIB), 3, 3 + 1 + 2, 4)
        self.expect(what_if.Steps(16 * KIB), 8, 8 + 4 + 8, 3)
        self.expect(what_if.Steps(32 * KIB), 16, 16 + 8 + 16, 3)

    def test_a_step_is_no_larger_than_what_was_mapped(self):
        self.expect(what_if.Steps(1024 * KIB), 16, 3 * 16, 1)

    def test_steps_whose_charge_is_kept(self):
        self.expect(what_if.Steps(16 * KIB, what_if.KEPT), 8, 3 * 8, 2)

    def test_steps_that_are_never_given_back(self):
        self.expect(what_if.Steps(16 * KIB, what_if.NEVER), 8, 4 * 8, 2)

    def test_doubling(self):
        """4 pages, then 8 and 16 for page 8."""
        self.expect(what_if.Doubling(16 * KIB), 16, 3 * 16, 3)

    def test_outcomes(self):
        growth, outcomes = what_if.by_growth(self.folder, {})
        named = {one.name: one for one in outcomes}
        self.assertEqual((growth.pages, growth.again), (4, 1))
        self.assertEqual([one.byte_seconds / PAGE for one in (
            named["as recorded"], named["up front"], named["a page at each fault"])], [64, 64, 6])
        self.assertEqual(named["as recorded"].unused / PAGE, 58)
        self.assertEqual([one.commits for one in (
            named["as recorded"], named["up front"], named["a page at each fault"])], [1, 1, 4])
        *_, never = what_if.by_release(self.folder, 16 * KIB, {})
        self.assertEqual((never.pages, never.commits), (3, 2))
        self.assertIsNone(what_if.knee(outcomes))

    def test_the_knee(self):
        """Within 3 % of the least, by a model in which a commit takes 1 µs and a page 10 µs."""
        def one(step, commits):
            ns = 1000.0 * commits + 10000 * 100
            return what_if.Outcome(str(step), 0, 0, 0, commits, 100, (ns, ns, ns), step)
        outcomes = [one(4, 100), one(16, 32), one(64, 30), one(256, 1)]
        self.assertEqual(what_if.knee(outcomes).step, 64)
        self.assertIn("The knee is 64: a larger step saves less than 3 % of the time.",
                      recordings.of_knee(what_if.knee(outcomes), outcomes[0]))

    def test_times_by_a_model(self):
        """10 ns a cycle, 100 a page, 1000 a commit; known exactly."""
        fitted = {"ns": {name: {"value": value} for name, value in (
            ("cycle", 10), ("pages", 100), ("commit_calls", 1000))},
            "covariance": [[0] * 3] * 3, "residuals": {"student": 2, "standard": 0.01}}
        outcomes = what_if.by_release(self.folder, 16 * KIB, {"chunked": fitted})
        self.assertEqual([one.time[0] for one in outcomes], [3410, 2410, 2310])
        self.assertAlmostEqual(outcomes[0].time[1], 3410 * 0.98)


if __name__ == "__main__":
    unittest.main()
