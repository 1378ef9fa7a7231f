"""The machine and the run as a report names them; what is unknown is left out."""

import unittest

import made

from vmcommit.base.folder import SHAPE, filled
from vmcommit.base.units import GIB
from vmcommit.show import facts

FULL = {
    "processor": {"model": "Made Up 9000", "cores": 8, "cores_usable": 2, "hypervisor": "KVM",
                  "governor": "powersave"},
    "memory": {"total_bytes": 16 * GIB, "swap_bytes": GIB},
    "system": {"name": "Linux", "kernel": "6.18", "page_bytes": 4096},
    "settings": {"thp_enabled": "madvise", "overcommit_memory": 0, "max_map_count": 65530},
    "build": {"compiler": "GNU", "version": "12.2", "flags": "-O2"},
    "revision": {"commit": "0123456789abcdef", "clean": False},
    "profile": "quick", "seed": 7, "started": "2026-01-01", "seconds_measuring": 61.4,
    "emulator": "wine-9", "own": {"library": {"file": "mine.so"}, "allocator": "junk"}}


def of(**changes):
    return facts.of(filled({**FULL, **changes}, SHAPE))


class Facts(unittest.TestCase):
    maxDiff = None

    def test_all(self):
        self.assertEqual(of(), [
            ("Processor", "Made Up 9000"), ("Cores", "8, 2 usable"), ("Hypervisor", "KVM"),
            ("Frequency governor", "powersave"), ("Memory", "16 GiB"), ("Swap", "1 GiB"),
            ("System", "Linux 6.18"), ("Run through", "wine-9"), ("Page", "4 KiB"),
            ("Transparent huge pages", "madvise"), ("Overcommit mode", 0),
            ("Mappings allowed", 65530), ("Compiler", "GNU 12.2 -O2"),
            ("Revision", "0123456789ab, with local changes"), ("Profile", "quick"),
            ("Library", "mine.so"), ("Seed", 7), ("Started", "2026-01-01"),
            ("Measured for", "61 s")])

    def test_what_is_unknown_is_left_out(self):
        unknown = {key: {} for key, value in FULL.items() if isinstance(value, dict)}
        self.assertEqual(of(**unknown, emulator=None, seed=None, started=None, profile=None,
                            seconds_measuring=None), [("Measured for", "cut off")])

    def test_what_makes_a_difference(self):
        self.assertIn(("Swap", "none"), of(memory={"swap_bytes": 0}))
        self.assertIn(("Revision", "0123"), of(revision={"commit": "0123", "clean": True}))

    def test_calibration(self):
        known = made.environment([])["calibration"]
        self.assertEqual(facts.of_calibration(known), [
            ("A page fault, by touching", "500 ns"), ("A commit call of one page", "1 µs"),
            ("A trap, there and back", "2 µs")])


if __name__ == "__main__":
    unittest.main()
