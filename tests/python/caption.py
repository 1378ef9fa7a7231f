"""What pictures, pages and a terminal say of a run: the machine, the samples, the table of sizes.
By summaries that are made up."""

import unittest
from unittest import mock

import pandas

from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.base import runs
from vmcommit.base.units import KIB, MIB
from vmcommit.show import caption, tables


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

    def test_the_machine(self):
        for processor, system, said in (
                ({"model": "Made Up", "cores": 2, "hypervisor": "KVM"},
                 {"name": "Linux", "kernel": "6.18"}, "Made Up, 2 cores under KVM; Linux 6.18"),
                ({"model": "Made Up", "cores": 1}, {"name": "Linux"}, "Made Up, 1 core; Linux"),
                ({"cores": 4}, {}, "4 cores"), ({}, {}, "an unknown processor")):
            known = runs.filled({"processor": processor, "system": system}, runs.SHAPE)
            self.assertEqual(caption.machine(known), said)
            self.assertEqual(caption.caption(summary([0]), known), f"{said}; no samples")

    def test_shares(self):
        self.assertEqual([caption.percent(share) for share in (0.999, 0.95, 1)],
                         ["99.9 %", "95 %", "100 %"])

    def test_what_stands_for_no_system_is_doubtful(self):
        self.assertEqual(caption.doubt(summary([1])), "")
        self.assertEqual(caption.doubt(summary([1], platform="wine")),
                         ": Wine's times, not Windows'")


class Tables(unittest.TestCase):
    def test_sizes(self):
        long_name = "a_long_name_of_a_strategy"
        rows = [("upfront", 0, 4 * KIB, 4 * KIB, 1234.4, 1), ("upfront", 0, MIB, MIB, 99.6, 1),
                ("upfront", 0, MIB, MIB // 2, 7.0, 1),  # not all touched
                (long_name, 1, MIB, MIB, 5.0, 1), ("late", 2, MIB, MIB, 3.0, 0)]
        table = pandas.DataFrame(rows, columns=["strategy", "rank", "size_bytes", "touched_bytes",
                                                "ns_per_page", "samples"])
        table = table.assign(touch_order="sequential", stepped=False, chunk_bytes=64 * KIB,
                             platform="linux")
        self.assertEqual(tables.of_sizes(table).splitlines(), [
            "ns per touched page, all touched, at a step of 64 KiB",
            f"      size   upfront  {long_name}      late",
            "     4 KiB     1 234                          -         -",
            "     1 MiB       100                          5         -"])
        self.assertIn("at a step of 64 KiB: Wine's times",
                      tables.of_sizes(table.assign(platform="wine")))


if __name__ == "__main__":
    unittest.main()
