"""What disturbed a run, and what is said of it."""

import unittest

from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.measure import disturbance


class Doubts(unittest.TestCase):
    """What disturbs a run is told; a run that nothing disturbed is left alone."""

    QUIET = {"stolen_share": 0.001,
             "others_cpu_share": 0.02, "major_faults": 0, "pages_swapped": 0,
             "settings_changed": []}

    def test_a_quiet_run(self):
        self.assertEqual(disturbance.sentences(self.QUIET), [])

    def test_each_disturbance_is_told(self):
        for change, word in (({"stolen_share": 0.05}, "5.0 %"),
                             ({"major_faults": 200}, "disk"), ({"pages_swapped": 9}, "swapped 9"),
                             ({"settings_changed": ["thp_enabled"]}, "thp_enabled"),
                             ({"others_cpu_share": 0.5}, "50 % of a CPU")):
            told = disturbance.sentences(self.QUIET | change)
            self.assertEqual(len(told), 1)
            self.assertIn(word, told[0])

    def test_changed_settings_are_found(self):
        before = disturbance.read(0)
        after = before | {"settings": before["settings"] | {"overcommit_memory": 99}}
        self.assertEqual(disturbance.between(before, after)["settings_changed"],
                         ["overcommit_memory"])


if __name__ == "__main__":
    unittest.main()
