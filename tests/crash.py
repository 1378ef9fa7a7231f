"""What must still crash, and what must not: faults in and outside the region, in any order."""

import random
import signal
import unittest

from support import PAGE, SANITIZED, number, parse, run

SIZE = 64 * PAGE
KINDS = ("auto", "prot_none")


def touch(strategy, offsets, step=4 * PAGE, guard="auto"):
    return run(f"touch_{strategy}", SIZE, step, guard, *offsets)


class Crash(unittest.TestCase):
    def assertCrashed(self, done):
        if SANITIZED:  # its own handler was there before ours, and reports
            self.assertIn("SEGV on unknown address", done.stderr)
        else:
            self.assertEqual(done.returncode, -signal.SIGSEGV, done.stdout)
        self.assertEqual(done.stdout, "")

    def test_wild_access_crashes_every_strategy(self):
        for strategy in ("upfront", "fault", "guard"):
            for offset in (-2**40, 2**40):
                with self.subTest(strategy=strategy, offset=offset):
                    self.assertCrashed(touch(strategy, [0, offset]))

    def test_jump_past_the_guard_crashes(self):
        for kind in KINDS:
            for offsets in ([PAGE], [SIZE - 1], [0, 5 * PAGE], [0, 4 * PAGE, 12 * PAGE]):
                with self.subTest(kind=kind, offsets=offsets):
                    self.assertCrashed(touch("guard", offsets, guard=kind))

    def test_guard_may_be_hit_anywhere_on_its_page(self):
        for kind in KINDS:
            done = touch("guard", [PAGE - 1, 3 * PAGE, 5 * PAGE - 1, 7 * PAGE + 3], guard=kind)
            self.assertEqual(done.returncode, 0, done.stderr)
            row = parse(done.stdout)[0]
            self.assertEqual(number(row, "handled_faults"), 2)
            self.assertEqual(number(row, "resident_bytes"), 4 * PAGE)

    def test_fault_commits_the_wanted_page_in_any_order(self):
        pages = list(range(64))
        for seed in range(5):
            random.Random(seed).shuffle(pages)
            chosen = pages[:10 * seed + 7]
            done = touch("fault", [page * PAGE + seed for page in chosen])
            self.assertEqual(done.returncode, 0, done.stderr)
            row = parse(done.stdout)[0]
            for column in ("commit_calls", "handled_faults", "minor_faults"):
                self.assertEqual(number(row, column), len(chosen), column)
            for column in ("commit_bytes", "resident_bytes"):
                self.assertEqual(number(row, column), len(chosen) * PAGE, column)


if __name__ == "__main__":
    unittest.main()
