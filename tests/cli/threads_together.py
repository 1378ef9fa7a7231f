"""Several threads, or processes, that do the same at the same time: the exact counts of 1 to 16,
held against those of one, which counts.py has worked out by hand."""

import os
import pathlib
import shutil
import subprocess
import unittest

from counts import COUNTS, EXACT, GUARD_UNCOMMITTED
from support import (PAGE, SANITIZED, STRATEGIES, WINDOWS, command, number, parse, rows, run,
                     taken_by)

THREADS = (1, 2, 3, 16)
# Of one thread's region or stripe: pages, step, part touched. A stripe has at least two steps: the
# last step of one that has a single step merges with its neighbours or not, by who came first.
CASES = {
    "upfront": ((16, 1, "1"), (80, 1, "0.1")),
    "fault": ((2, 1, "1"), (16, 1, "1"), (80, 1, "0.1")),
    "chunked": ((16, 1, "1"), (80, 3, "1"), (80, 16, "1"), (80, 16, "0.1")),
    "guard": ((16, 1, "1"), (80, 3, "1"), (80, 16, "1"), (80, 16, "0.1")),
}
CYCLES = 1000  # at least, of each strategy with several threads
SIZE = 64 * 2**20
# A sanitizer has memory of its own for each thread.
KNOWN = [column for column in EXACT
         if not (SANITIZED and column in ("minor_faults", "resident_bytes"))]
TRACEFS = pathlib.Path("/sys/kernel/tracing")


def kept_uncommitted(row):
    return row["guard"] == "prot_none"


def of_one(strategy, case, uncommitted):
    """{column: count} of one thread alone."""
    pages, step, touch = case
    table = GUARD_UNCOMMITTED if strategy == "guard" and uncommitted else COUNTS[strategy]
    return table[(pages, touch) if strategy in ("upfront", "fault") else (pages, step, touch)]


def times(counts, threads):
    return {column: threads * count for column, count in counts.items()}


def of_stripes(strategy, counts, threads, touch):
    """T times one's; but all stripes are committed at once where all is committed up front, which
    leaves one mapping. Windows tells regions apart by their state alone."""
    expected = times(counts, threads)
    if strategy == "upfront":
        expected |= {"commit_calls": 1, "region_count": 1}
    elif WINDOWS and touch == "1":
        expected["region_count"] = 1
    return expected


class Threads(unittest.TestCase):
    maxDiff = None

    def taken(self, strategy, case, threads, *options, regions=1, repeat=1):
        """Rows of regions that are so many times as large as the case's."""
        pages, step, touch = case
        found = rows(strategy, *taken_by(strategy, "--chunk", step * PAGE),
                     "--size", regions * pages * PAGE, "--touch", touch, "--threads", threads,
                     "--repeat", repeat, *options)
        self.assertEqual([row["status"] for row in found], ["ok"] * repeat, found[0]["error"])
        return found

    def each(self):
        for strategy, cases in CASES.items():
            for case in cases:
                for threads in THREADS:
                    yield strategy, case, threads

    def check(self, row, expected):
        self.assertEqual({column: row[column] for column in KNOWN},
                         {column: str(expected[column]) for column in KNOWN})

    def test_regions_of_their_own(self):
        for strategy, case, threads in self.each():
            with self.subTest(strategy=strategy, case=case, threads=threads):
                for row in self.taken(strategy, case, threads):
                    one = of_one(strategy, case, kept_uncommitted(row))
                    self.check(row, times(one, threads))
                    self.assertEqual((row["threads"], row["share"]), (str(threads), "own"))

    def test_stripes(self):
        for strategy, case, threads in self.each():
            with self.subTest(strategy=strategy, case=case, threads=threads):
                for row in self.taken(strategy, case, threads, "--share", "stripes",
                                      regions=threads):
                    one = of_one(strategy, case, kept_uncommitted(row))
                    self.check(row, of_stripes(strategy, one, threads, case[2])
                               if threads > 1 else one)
                    self.assertEqual(number(row, "size_bytes"), threads * case[0] * PAGE)

    def test_the_same_pages(self):
        """Charge, residency and mappings are one's. Whoever comes second to a page may commit it,
        and fault on it, once more; a guard is moved by one thread alone."""
        for strategy, case, threads in self.each():
            with self.subTest(strategy=strategy, case=case, threads=threads):
                for row in self.taken(strategy, case, threads, "--share", "pages"):
                    self.check_shared(strategy, row, of_one(strategy, case, kept_uncommitted(row)),
                                      threads)

    def check_shared(self, strategy, row, one, threads):
        same = [column for column in KNOWN if column.endswith(("_bytes", "_count"))]
        self.assertEqual({column: row[column] for column in same},
                         {column: str(one[column]) for column in same})
        commits = float(row["commit_calls"])
        self.assertGreaterEqual(commits, one["commit_calls"])
        self.assertLessEqual(commits, one["commit_calls"] * (
            1 if strategy in ("upfront", "guard") else threads))
        self.assertGreaterEqual(float(row["handled_faults"]), one["handled_faults"])
        if not WINDOWS:
            self.assertGreaterEqual(float(row["minor_faults"]), one["minor_faults"])

    @unittest.skipIf(WINDOWS, "Windows can't copy a process")
    def test_processes(self):
        """As regions of their own, in address spaces of their own. A copy may fault once more on
        what it still had in common with the first."""
        for strategy, cases in CASES.items():
            for threads in (1, 2, 5, 16):
                with self.subTest(strategy=strategy, threads=threads):
                    row = self.taken(strategy, cases[-1], threads, "--processes")[0]
                    one = times(of_one(strategy, cases[-1], kept_uncommitted(row)), threads)
                    stray = float(row["minor_faults"]) - one["minor_faults"]
                    self.assertTrue(SANITIZED or 0 <= stray < threads, stray)
                    self.check(row | {"minor_faults": str(one["minor_faults"])}, one)
                    self.assertEqual(row["share"], "processes")

    @unittest.skipIf(WINDOWS or SANITIZED, "limited by RLIMIT_DATA, as a sanitizer would be too")
    def test_refused_processes_keep_what_each_had_reached(self):
        """Of each at most one call was refused; all others' steps stay in the row."""
        import resource

        def limit():
            resource.setrlimit(resource.RLIMIT_DATA, (3_000_000, 3_000_000))
        done = run("chunked", "--size", "3840K", "--threads", "3", "--processes", "--repeat", "3",
                   preexec_fn=limit)
        for row in parse(done.stdout):
            steps, left = divmod(number(row, "commit_bytes"), 64 * 1024)
            self.assertEqual((row["status"], left), ("refused", 0), row["error"])
            self.assertIn(number(row, "commit_calls") - steps, (1, 2, 3))
            self.assertGreater(steps, 1)

    @unittest.skipUnless(WINDOWS, "elsewhere processes can be copied")
    def test_processes_on_windows(self):
        row = rows("fault", "--size", "64K", "--threads", 2, "--processes", "--repeat", 1)[0]
        self.assertEqual((row["status"], row["error"]),
                         ("unsupported", "Windows has no fork"))

    def test_a_thousand_cycles(self):
        """A cycle that differed would make a fraction of its batch's count."""
        for strategy in STRATEGIES:
            case = CASES[strategy][0]
            for threads in (2, 4):
                done = 0
                while done < CYCLES:
                    row = self.taken(strategy, case, threads, "--share", "stripes",
                                     regions=threads)[0]
                    one = of_one(strategy, case, kept_uncommitted(row))
                    self.check(row, of_stripes(strategy, one, threads, "1"))
                    done += number(row, "batch")

    def test_other_orders_and_kinds(self):
        """Of stripes, each in that order."""
        for options in (["--order", "random"], ["--commit", "remap"], ["--commit", "populate"],
                        ["--purge", "dontneed"], ["--growth", "double"]):
            if WINDOWS and options[0] in ("--commit", "--purge"):
                continue
            one = rows("chunked", "--size", "320K", "--repeat", 1, *options)[0]
            four = rows("chunked", "--size", "1280K", "--threads", 4, "--share", "stripes",
                        "--repeat", 1, *options)[0]
            columns = ["commit_calls", "commit_bytes"] + \
                ["minor_faults"] * (not WINDOWS and not SANITIZED)
            with self.subTest(options=options):
                self.assertEqual({column: number(four, column) for column in columns},
                                 {column: 4 * number(one, column) for column in columns})

    @unittest.skipIf(WINDOWS, "Wine and Windows tell nothing of these")
    def test_times_and_switches(self):
        """Processor time is of all threads; what they took together is no less than one took."""
        for share in ("own", "stripes", "pages"):
            row = rows("fault", "--size", "4M", "--threads", 4, "--share", share, "--repeat", 1)[0]
            with self.subTest(share=share):
                self.assertGreater(float(row["cpu_ns"]), 0)
                self.assertGreaterEqual(float(row["wall_ns"]), float(row["total_ns"]) - 1000)
                self.assertNotIn("", (row["voluntary_switches"], row["involuntary_switches"]))
        row = rows("fault", "--size", "4M", "--repeat", 1)[0]
        self.assertEqual(row["wall_ns"], row["total_ns"])

    def test_turns(self):
        """In slices or in one go, all the same."""
        asked = "begin\ntouch 3\ntouch 13\nend\ncycles 2\nrow 1 1 1\n"
        done = run("fault", "--size", "256K", "--threads", 4, "--share", "stripes", "--turns",
                   given=asked)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "turns 3 16 0 0 ok")
        self.assertEqual([line.split()[2:4] for line in lines[1:6]],
                         [["0", "0"], ["12", "12"], ["52", "52"], ["0", "0"], ["128", "128"]])

    def test_a_turn_is_timed_from_the_first_start_to_the_last_end(self):
        """And the row of slices knows of all that its turns took, though one thread alone reserves
        and releases."""
        for share in ("own", "stripes", "pages"):
            done = run("fault", "--size", "256K", "--threads", 4, "--share", share, "--turns",
                       given="begin\ntouch 8\ntouch 8\nend\nheader\nrow 1 1 1\n".replace(
                           "touch 8", "touch 8" if share == "stripes" else "touch 32"))
            *turns, header, text = done.stdout.splitlines()[1:]
            row = parse(f"{header}\n{text}\n")[0]
            with self.subTest(share=share):
                self.assertEqual(sum(int(turn.split()[1]) for turn in turns),
                                 float(row["wall_ns"]))
                if not WINDOWS:
                    self.assertNotIn("", [row[column] for column in (
                        "minor_faults", "cpu_ns", "voluntary_switches", "involuntary_switches")])
                    self.assertEqual(sum(int(turn.split()[4]) for turn in turns),
                                     int(row["involuntary_switches"]))


class Limits(unittest.TestCase):
    def test_what_can_not_be_had_is_a_row(self):
        row = rows("fault", "--size", "64K", "--threads", 3, "--share", "stripes", "--repeat", 1)[0]
        self.assertEqual((row["status"], row["error"]),
                         ("unsupported", "each thread's stripe must be whole pages"))

    @unittest.skipIf(WINDOWS, "a kind of Linux")
    def test_pages_are_not_mapped_anew_under_other_threads(self):
        row = rows("chunked", "--size", "64K", "--threads", 2, "--share", "pages", "--commit",
                   "remap", "--repeat", 1)[0]
        self.assertEqual(row["status"], "unsupported")
        self.assertIn("discard", row["error"])

    @unittest.skipIf(WINDOWS or SANITIZED or not shutil.which("prlimit"), "limits by prlimit")
    def test_a_refusal_to_some_ends_all(self):
        """And keeps what was reached: no more than the limit, and nothing stays charged."""
        for strategy in ("fault", "chunked", "guard"):
            for share in ("own", "stripes", "pages"):
                done = subprocess.run(
                    ["prlimit", f"--data={100 << 20}", *command(
                        strategy, "--size", "256M", "--threads", 4, "--share", share,
                        "--repeat", "1")], capture_output=True, text=True, timeout=120)
                with self.subTest(strategy=strategy, share=share):
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    row = parse(done.stdout)[0]
                    self.assertEqual(row["status"], "refused", row["error"])
                    self.assertLess(number(row, "commit_bytes"), 100 << 20)
                    self.assertGreater(number(row, "commit_bytes"), 32 << 20)
                    self.assertEqual(row["released_commit_bytes"], "0")


class Locks(unittest.TestCase):
    def rows_of(self, strategy, *options):
        """Where tracefs is not mounted, it is for this process alone."""
        words = command(strategy, "--size", SIZE, "--repeat", 1, *options)
        if not (TRACEFS / "events").exists():
            words = ["unshare", "--mount", "sh", "-c", f'mount -t tracefs tracefs {TRACEFS} && '
                     'exec "$@"', "sh", *words]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=240)
        if done.returncode != 0:
            self.skipTest(f"tracefs can't be mounted: {done.stderr.strip()}")
        return parse(done.stdout)

    @unittest.skipIf(WINDOWS or SANITIZED, "tracepoints of Linux")
    def test_locks_of_the_address_space(self):
        """Committing takes it once; setting and clearing a guard in the page table once each. So
        do reserving, releasing and a thread's first commit in a stripe, some few times."""
        if os.geteuid() != 0:
            self.skipTest("reading the kernel's tracepoints takes root")
        pages, steps = SIZE // PAGE, SIZE // (64 * 1024)
        cases = (("upfront", (), 0), ("fault", (), pages), ("chunked", (), steps),
                 ("guard", ("--guard", "prot_none"), steps), ("guard", (), 3 * steps))
        for strategy, options, locks in cases:
            for more in ((), ("--threads", 4, "--share", "stripes")):
                row = self.rows_of(strategy, *options, *more)[0]
                if row["lock_count"] == "":
                    self.skipTest("this kernel has no tracepoints of mmap_lock, or perf can't")
                with self.subTest(strategy=strategy, options=(*options, *more)):
                    if strategy == "guard" and not options and kept_uncommitted(row):
                        continue
                    self.assertIn(number(row, "lock_count") - locks, range(64))


if __name__ == "__main__":
    unittest.main()
