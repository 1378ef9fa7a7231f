"""What pictures and pages say of a run: the machine and the samples. By summaries that are made
up."""

import unittest
from unittest import mock

import pandas

from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.base.folder import SHAPE, filled
from vmcommit.show import caption


def summary(samples, confidence=(), platform="linux"):
    confidence = confidence or [0.95] * len(samples)
    return pandas.DataFrame({"samples": samples, "confidence": confidence, "platform": platform})


class Captions(unittest.TestCase):
    def test_the_samples(self):
        for samples, confidence, said in (
                ([20, 20], (), "medians of 20 samples, 95 % confidence intervals"),
                ([20, 30, 0], (), "medians of 20 to 30 samples, 95 % confidence intervals"),
                ([1], [0], "medians of 1 sample, 95 % confidence intervals (none for one)"),
                ([5, 20], [0.9375, 0.95],
                 "medians of 5 to 20 samples, 95 % confidence intervals (94 % where fewest)"),
                ([1, 5], [0, 0.9375], "medians of 1 to 5 samples, 95 % confidence intervals "
                 "(94 % where fewest, none for one)"),
                ([0, 0], (), "no samples")):
            with mock.patch.object(caption, "CONFIDENCE", 0.95):
                self.assertEqual(caption.samples(summary(samples, confidence)), said)

    def test_medians_that_a_chart_takes_itself(self):
        rows = pandas.DataFrame({"call": ["a"] * 21 + ["b"] * 5 + ["c"]})
        for calls, said in (
                ("a", "medians of 21 samples, 95 % confidence intervals"),
                ("ab", "medians of 5 to 21 samples, 95 % confidence intervals (94 % where fewest)"),
                ("c", "medians of 1 sample, 95 % confidence intervals (none for one)")):
            self.assertEqual(caption.repeats(rows[rows.call.isin([*calls])].groupby("call")), said)

    def test_the_machine(self):
        for processor, system, said in (
                ({"model": "Made Up", "cores": 2, "hypervisor": "KVM"},
                 {"name": "Linux", "kernel": "6.18"}, "Made Up, 2 cores under KVM; Linux 6.18"),
                ({"model": "Made Up", "cores": 1}, {"name": "Linux"}, "Made Up, 1 core; Linux"),
                ({"cores": 4}, {}, "4 cores"), ({}, {}, "an unknown processor")):
            known = filled({"processor": processor, "system": system}, SHAPE)
            self.assertEqual(caption.machine(known), said)
            self.assertEqual(caption.caption(summary([0]), known), f"{said}; no samples")

    def test_shares(self):
        self.assertEqual([caption.percent(share) for share in (0.999, 0.95, 1)],
                         ["99.9 %", "95 %", "100 %"])

    def test_what_stands_for_no_system_is_doubtful(self):
        self.assertEqual(caption.doubt(summary([1])), "")
        self.assertEqual(caption.doubt(summary([1], platform="wine")),
                         ": Wine's times, not Windows'")


if __name__ == "__main__":
    unittest.main()
