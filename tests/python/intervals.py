"""Intervals hold what they promise, by many of them."""

import unittest

from support import ROOT  # noqa: F401 (puts the package on the path)

import numpy
from scipy import stats

from vmcommit.base.statistics import median_interval, shared


class Intervals(unittest.TestCase):
    def test_it_is_the_narrowest_that_covers(self):
        for n in range(6, 200):
            _, low, _, coverage = median_interval(range(1, n + 1))
            self.assertGreaterEqual(coverage, 0.95)
            narrower = 1 - 2 * stats.binom.cdf(low, n, 0.5)
            self.assertLess(narrower, 0.95, n)

    def test_no_difference_is_found_where_there_is_none(self):
        """Two hundred runs in which both strategies are drawn from the same distribution: the
        corrected interval of the ratio holds 1 in all but a few."""
        draws = numpy.random.default_rng(1)
        missed = 0
        for _ in range(200):
            logs = draws.lognormal(0, 0.1, 30) - draws.lognormal(0, 0.1, 30)
            _, low, high, _ = median_interval(logs, shared(20))
            missed += not low <= 0 <= high
        self.assertLessEqual(missed, 3)


if __name__ == "__main__":
    unittest.main()
