"""`malloc`: whatever allocator the process runs with, growing by blocks of a step."""

import ctypes
import os
import pathlib
import unittest

from support import EMULATOR, PAGE, SANITIZED, WINDOWS, number, parse, rows, run

MIB = 2**20
COUNTS = ("commit_calls", "handled_faults", "minor_faults", "commit_bytes", "resident_bytes",
          "released_commit_bytes", "region_count")
ADDR_NO_RANDOMIZE = 0x0040000
# What a preloaded allocator says of itself at the end, and how it is asked to.
PRELOADED = {"libjemalloc.so.2": ({"MALLOC_CONF": "stats_print:true"}, "jemalloc statistics"),
             "libmimalloc.so.2": ({"MIMALLOC_SHOW_STATS": "1"}, "heap stats")}


def found(name):
    return next((str(path) for folder in ("/usr/lib", "/usr/local/lib")
                 for path in pathlib.Path(folder).glob(f"**/{name}")), None)


def at_fixed_addresses():
    """Of 300 samples of jemalloc at random addresses nine took one to three pages more for its own
    books, which are a tree over addresses; at fixed ones, of 200 none (personality(2))."""
    ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)


class Malloc(unittest.TestCase):
    def grow(self, size, step, **environment):
        """One sample of a process of its own, as a row; and what the process said besides."""
        fixed = {} if WINDOWS else {"preexec_fn": at_fixed_addresses}
        done = run("malloc", "--size", size, "--chunk", step, "--repeat", 1,
                   env=os.environ | environment, **fixed)
        self.assertEqual(done.returncode, 0, done.stderr)
        row, = parse(done.stdout)
        self.assertEqual((row["strategy"], row["status"], row["error"]), ("malloc", "ok", ""))
        self.assertGreater(float(row["touch_ns"]), 0)
        self.assertEqual([row[name] for name in ("reserved_commit_bytes", "guard", "trap")],
                         [""] * 3)
        return row, done.stderr

    def check_counts(self, **environment):
        for size, step in ((64 * 1024, 64 * 1024), (MIB, PAGE), (MIB, 64 * 1024), (MIB, MIB),
                           (MIB + PAGE, 64 * 1024), (16 * MIB, 64 * 1024)):
            row, _ = self.grow(size, step, **environment)
            again, _ = self.grow(size, step, **environment)
            with self.subTest(size=size, step=step, **environment):
                self.assertEqual([row[name] for name in COUNTS],
                                 [again[name] for name in COUNTS])
                self.assertEqual(number(row, "commit_calls"), -(-size // step))
                self.assertEqual((row["batch"], row["handled_faults"]), ("1", "0"))
                if WINDOWS:
                    self.assertGreater(number(row, "commit_bytes"), size // 2)
                    continue
                # Each page once, and little besides for what the allocator writes itself.
                pages = size // PAGE
                self.assertGreaterEqual(number(row, "minor_faults"), pages)
                self.assertLessEqual(number(row, "minor_faults"), 1.1 * pages + 4)
                self.assertGreaterEqual(number(row, "resident_bytes"), size)

    @unittest.skipIf(SANITIZED, "a sanitizer's own allocator keeps books in memory of its own")
    def test_counts_of_the_systems_allocator(self):
        self.check_counts()

    @unittest.skipIf(WINDOWS or SANITIZED, "nothing is preloaded")
    def test_preloaded_allocators(self):
        for name, (asking, answer) in PRELOADED.items():
            path = found(name)
            with self.subTest(name):
                if path is None:
                    self.skipTest(f"{name} is not here")
                _, said = self.grow(MIB, 64 * 1024, LD_PRELOAD=path, **asking)
                self.assertIn(answer, said)
                self.check_counts(LD_PRELOAD=path)

    def test_only_the_first_sample_of_a_process_is_taken(self):
        """The next one would find what the allocator kept, and be no growth."""
        first, second = rows("malloc", "--size", "1M", "--repeat", 2)
        self.assertEqual(first["status"], "ok")
        self.assertEqual((second["status"], second["total_ns"]), ("skipped", ""))
        self.assertIn("--repeat 1", second["error"])

    @unittest.skipIf(WINDOWS or SANITIZED or EMULATOR, "no limit that would be enforced")
    def test_what_the_allocator_is_refused_is_a_row(self):
        import resource
        limit = 32 * MIB
        done = run("malloc", "--size", "64M", "--repeat", 1, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_DATA, (limit, limit)))
        row, = parse(done.stdout)
        self.assertEqual(row["status"], "refused")
        self.assertRegex(row["error"], r"^malloc of 65536 bytes at offset \d+: Cannot allocate")
        self.assertLess(30 * MIB, number(row, "commit_bytes"))
        self.assertLessEqual(number(row, "commit_bytes"), limit)


if __name__ == "__main__":
    unittest.main()
