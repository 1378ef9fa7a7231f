"""What must still crash, and what must not: faults in and outside the region, in any order."""

import itertools
import random
import re
import signal
import subprocess
import unittest

from support import BIN, EMULATOR, PAGE, SANITIZED, WINDOWS, number, parse, run

SIZE = 64 * PAGE
KINDS = ("auto",) if WINDOWS else ("auto", "prot_none")
TRAPS = ("seh", "veh") if WINDOWS else ("signal",)
ACCESS_VIOLATION = 0xC0000005


def touch(strategy, offsets, step=4 * PAGE, guard="auto", trap=TRAPS[0]):
    return run(f"touch_{strategy}", SIZE, step, guard, trap, *offsets)


def windows_status(done):
    """The whole exit status of a program: through an emulator only its last 8 bits come back, so
    it is run again by a Windows shell, which can tell."""
    if not EMULATOR:
        return done.returncode
    program, arguments = done.args[len(EMULATOR)], done.args[len(EMULATOR) + 1:]
    asked = f"{program.rpartition('/')[2]} {' '.join(arguments)} & echo status !errorlevel!"
    told = subprocess.run([*EMULATOR, "cmd", "/v:on", "/c", asked], cwd=BIN, timeout=60,
                          capture_output=True, text=True).stdout
    return int(re.search(r"status (-?\d+)", told)[1]) % 2**32


class Crashing(unittest.TestCase):
    def assertCrashed(self, done):
        if WINDOWS:
            self.assertEqual(windows_status(done), ACCESS_VIOLATION)
        elif SANITIZED:  # its own handler was there before ours, and reports
            self.assertIn("SEGV on unknown address", done.stderr)
        else:
            self.assertEqual(done.returncode, -signal.SIGSEGV, done.stdout)
        self.assertEqual(done.stdout, "")


class Crash(Crashing):
    def test_wild_access_crashes_every_strategy(self):
        for strategy, trap in itertools.product(("upfront", "fault", "guard"), TRAPS):
            for offset in (-2**40, 2**40):
                with self.subTest(strategy=strategy, trap=trap, offset=offset):
                    self.assertCrashed(touch(strategy, [0, offset], trap=trap))

    def test_jump_past_the_guard_crashes(self):
        for kind, trap in itertools.product(KINDS, TRAPS):
            for offsets in ([PAGE], [SIZE - 1], [0, 5 * PAGE], [0, 4 * PAGE, 12 * PAGE]):
                with self.subTest(kind=kind, trap=trap, offsets=offsets):
                    self.assertCrashed(touch("guard", offsets, guard=kind, trap=trap))

    def test_a_fault_that_comes_again_crashes(self):
        """A handler that mends nothing is asked once; then it is a crash, not an endless loop."""
        done = run("again")
        self.assertEqual(done.stdout, "asked at 0\n")
        if WINDOWS:
            self.assertNotEqual(done.returncode, 0)
        elif SANITIZED:
            self.assertIn("SEGV on unknown address", done.stderr)
        else:
            self.assertEqual(done.returncode, -signal.SIGSEGV)

    @unittest.skipIf(WINDOWS or SANITIZED, "a signal of POSIX systems")
    def test_a_fault_signal_that_was_blocked_is_answered(self):
        def block():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSEGV])
        for program in ("fault", "guard"):
            done = run(program, "--size", "64K", "--repeat", 1, preexec_fn=block)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(parse(done.stdout)[0]["status"], "ok")

    def test_guard_may_be_hit_anywhere_on_its_page(self):
        for kind in KINDS:
            done = touch("guard", [PAGE - 1, 3 * PAGE, 5 * PAGE - 1, 7 * PAGE + 3], guard=kind)
            self.assertEqual(done.returncode, 0, done.stderr)
            row = parse(done.stdout)[0]
            self.assertEqual(number(row, "handled_faults"), 2)
            self.assertEqual(number(row, "commit_bytes") // PAGE,
                             9 if row["guard"] != "prot_none" else 8)

    def test_fault_commits_the_wanted_page_in_any_order(self):
        pages = list(range(64))
        for seed in range(5):
            random.Random(seed).shuffle(pages)
            chosen = pages[:10 * seed + 7]
            done = touch("fault", [page * PAGE + seed for page in chosen])
            self.assertEqual(done.returncode, 0, done.stderr)
            row = parse(done.stdout)[0]
            expected = dict.fromkeys(("commit_calls", "handled_faults"), len(chosen))
            expected["commit_bytes"] = len(chosen) * PAGE
            if not WINDOWS:
                expected |= {"minor_faults": len(chosen), "resident_bytes": len(chosen) * PAGE}
            self.assertEqual({column: number(row, column) for column in expected}, expected)


if __name__ == "__main__":
    unittest.main()
