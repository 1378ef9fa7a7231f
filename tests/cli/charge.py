"""Charge and residency as the suite reads them, against readings by another process."""

import subprocess
import unittest

from support import PAGE, SANITIZED, WINDOWS, command

from vmcommit.commands.verify import committed_as, smaps_charge

MIB = 2**20


class Hold:
    """A process that holds a region for as long as the with block lasts."""

    def __init__(self, *sizes):
        self.process = subprocess.Popen(command("hold", *sizes), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        self.start, self.size, self.charge, self.process_charge, self.resident = \
            map(int, line.split())
        return self

    def __exit__(self, *error):
        self.process.communicate()


@unittest.skipIf(WINDOWS, "reads /proc/PID/smaps, which is Linux's")
class Charge(unittest.TestCase):
    def test_region_against_smaps_read_by_another_process(self):
        for reserved, committed, touched in ((64, 64, 64), (64, 20, 8), (1, 1, 0), (512, 3, 1)):
            with self.subTest(reserved=reserved, committed=committed, touched=touched), \
                    Hold(reserved * MIB, committed * MIB, touched * MIB) as held:
                charged, anonymous = smaps_charge(held.process.pid, held.start,
                                                  held.start + held.size)
                self.assertEqual((held.charge, held.process_charge), (charged, charged))
                self.assertEqual(charged, committed * MIB)
                if not SANITIZED:  # the neighbours' pages are merged in
                    self.assertEqual(held.resident, touched * MIB)
                self.assertGreaterEqual(anonymous, touched * MIB)

    @unittest.skipIf(SANITIZED, "sanitizers charge memory of their own")
    def test_region_against_committed_as(self):
        """The system's figure moves with every process: the nearest of some tries must agree."""
        size = 1024 * MIB
        errors = []
        for _ in range(10):
            before = committed_as()
            with Hold(2 * size, size, PAGE) as held:
                errors.append(abs(committed_as() - before - held.charge))
            if errors[-1] < 8 * MIB:
                return
        self.fail(f"Committed_AS never came within 8 MiB of the charge: {errors}")


if __name__ == "__main__":
    unittest.main()
