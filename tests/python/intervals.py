"""Intervals hold what they promise, by many of them."""

import unittest

from support import ROOT  # noqa: F401 (puts the package on the path)

import numpy
from scipy import stats

from vmcommit.base.statistics import (COUNTED, binomial_quantile, median_interval, pair_rank,
                                      paired_interval, shared, student, watched)


class Intervals(unittest.TestCase):
    def test_it_is_the_narrowest_that_covers(self):
        for n in range(6, 200):
            _, low, _, coverage = median_interval(range(1, n + 1))
            self.assertGreaterEqual(coverage, 0.95)
            narrower = 1 - 2 * stats.binom.cdf(low, n, 0.5)
            self.assertLess(narrower, 0.95, n)

    def test_quantiles_are_those_of_scipys_distributions(self):
        tails = numpy.array([1.1e-9, 1.1e-4, 0.0125, 0.025, 0.501, 0.975, 0.9999])
        for n in (*range(1, 70), 100, 999, 2**18):
            self.assertEqual(binomial_quantile(tails, n).tolist(),
                             stats.binom.ppf(tails, n, 0.5).tolist(), n)
        for freedom in (1, 6, 40, 1000):
            self.assertAlmostEqual(student(0.999, freedom), stats.t.ppf(0.9995, freedom), 9)
        for n in (COUNTED + 1, 200):
            spread = stats.norm(n * (n + 1) / 4, (n * (n + 1) * (2 * n + 1) / 24) ** 0.5)
            k, coverage = pair_rank(n, 0.99)
            self.assertEqual(k, int(spread.ppf(0.005) - 0.5))
            self.assertAlmostEqual(coverage, 1 - 2 * spread.cdf(k - 0.5), 12)

    def test_no_difference_is_found_where_there_is_none(self):
        """Two hundred runs in which both strategies are drawn from the same distribution: the
        corrected interval of the ratio holds 1 in all but a few."""
        for interval in (median_interval, paired_interval):
            draws = numpy.random.default_rng(1)
            missed = 0
            for _ in range(200):
                logs = draws.lognormal(0, 0.1, 30) - draws.lognormal(0, 0.1, 30)
                _, low, high, _ = interval(logs, shared(20))
                missed += not low <= 0 <= high
            self.assertLessEqual(missed, 3, interval.__name__)

    def test_signed_ranks_hold_what_their_test_does_not_reject(self):
        """SciPy's test of Wilcoxon rejects each value outside, and none that lies within."""
        draws = numpy.random.default_rng(2)
        for n, confidence in ((6, 0.95), (10, 0.95), (13, 0.999), (25, 0.9995), (COUNTED, 0.99)):
            values = draws.normal(0.3, 1, n)
            middle, low, high, coverage = paired_interval(values, confidence)
            self.assertGreaterEqual(coverage, confidence)
            for at, inside in ((low + 1e-9, True), (middle, True), (high - 1e-9, True),
                               (low - 1e-9, False), (high + 1e-9, False)):
                with self.subTest(n=n, confidence=confidence, at=at):
                    p = stats.wilcoxon(values - at, method="exact").pvalue
                    self.assertEqual(p > 1 - confidence, inside)

    def test_what_is_looked_at_all_the_time_errs_no_more_than_it_says(self):
        """Sums of normal values, from 20 values to eight times as many as planned, each with the
        interval that it is given: the share of those that leave 0 out anywhere."""
        values = numpy.arange(20, 161)
        sums = numpy.random.default_rng(1).normal(size=(20000, 160)).cumsum(axis=1)[:, 19:]
        for planned in (20, 40, 100):
            for confidence in (0.95, 0.99):
                reach = [stats.norm.ppf((1 + watched(confidence, n, planned)) / 2) for n in values]
                errors = (abs(sums) > reach * numpy.sqrt(values)).any(axis=1).mean()
                self.assertTrue(0.5 < errors / (1 - confidence) < 1.15, errors)
        unwatched = stats.norm.ppf(0.975)
        self.assertGreater((abs(sums) > unwatched * numpy.sqrt(values)).any(axis=1).mean(), 0.2)

    def test_few_values_reach_over_all_of_them_and_say_so(self):
        self.assertEqual(paired_interval([3, 1], 0.95), (2, 1, 3, 1 - 2 / 4))
        self.assertEqual(paired_interval([7], 0.95), (7, 7, 7, 0))
        self.assertTrue(numpy.isnan(paired_interval([], 0.95)).all())

    def test_an_interval_that_errs_never_is_all_there_is(self):
        """As one that is looked at has to be which has far more values than were planned."""
        confidence = watched(0.95, 5000, 1)
        self.assertEqual(confidence, 1.0)
        values = numpy.linspace(-1, 1, 501)
        middle, low, high, coverage = paired_interval(values, confidence)
        self.assertEqual((low, high), (-1, 1))
        self.assertAlmostEqual(middle, 0)
        self.assertLessEqual(coverage, 1)

    def test_many_values_have_as_much(self):
        """Where ranks are counted no longer: of 2000 intervals of 61 values at 90 %, 200 miss."""
        draws = numpy.random.default_rng(3)
        missed = 0
        for _ in range(2000):
            _, low, high, coverage = paired_interval(draws.laplace(0, 1, COUNTED + 1), 0.9)
            missed += not low <= 0 <= high
        self.assertGreaterEqual(coverage, 0.9)
        self.assertAlmostEqual(missed, 200, delta=40)


if __name__ == "__main__":
    unittest.main()
