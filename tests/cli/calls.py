"""The program calls: what each call leaves of charge, regions, residency and locks, exactly; that
every call of every size is timed once a repeat; and what it does when the system refuses."""

import collections
import ctypes
import platform
import shutil
import subprocess
import tempfile
import unittest

from support import (EMULATOR, PAGE, SANITIZED, SECONDS, WINDOWS, command, execute, number, parse,
                     rows, run)

KIB, MIB = 2**10, 2**20
SIZE = 64 * KIB
SMALL = ("--size", "64K", "--mappings", "0", "--repeat", "1")
COUNTS = ("commit_bytes", "region_count", "resident_bytes", "locked_bytes", "answered_bytes",
          "minor_faults")


def expect(commit, regions, resident, locked=0, answered=None, faults=0):
    """In pages, regions apart."""
    return (commit * PAGE, regions, resident * PAGE, locked * PAGE,
            answered if answered is None else answered * PAGE, faults)


def keeps_charge(pages):
    """What is charged of pages that were never touched and may not be written to: nothing, seen
    with Linux 6.18; older kernels keep them charged (mm/mprotect.c, mprotect_fixup)."""
    version = tuple(map(int, platform.release().split("-")[0].split(".")[:2]))
    return 0 if version >= (6, 18) else pages


def of_size(pages):
    """{(call, state): counts} of a range of so many pages, on Linux."""
    protected = {
        ("protect_read", "committed"): expect(keeps_charge(pages), 1, 0),
        ("protect_write", "committed read-only"): expect(pages, 1, 0),
        ("protect_none", "committed"): expect(keeps_charge(pages), 1, 0),
        ("protect_write", "committed inaccessible"): expect(pages, 1, 0),
        ("protect_read", "touched"): expect(pages, 1, pages),
        ("protect_write", "touched read-only"): expect(pages, 1, pages),
        ("protect_none", "touched"): expect(pages, 1, pages),
        ("protect_write", "touched inaccessible"): expect(pages, 1, pages)}
    queries = {("procmap_query", "committed"): expect(pages, 1, 0, answered=pages),
               ("procmap_query", "touched"): expect(pages, 1, pages, answered=pages)}
    for query in ("mincore", "pagemap", "pagemap_scan"):
        queries[query, "committed"] = expect(pages, 1, 0, answered=0)
        queries[query, "touched"] = expect(pages, 1, pages, answered=pages)
    return {
        ("reserve", "fresh"): expect(0, 1, 0),
        ("reserve_top_down", "fresh"): expect(0, 1, 0),
        ("reserve_bottom_up", "fresh"): expect(0, 1, 0),
        ("commit", "fresh"): expect(pages, 1, 0),
        ("decommit", "reserved"): expect(0, 1, 0),
        ("decommit", "committed"): expect(0, 1, 0),
        ("decommit", "touched"): expect(0, 1, 0),
        ("release", "reserved"): expect(0, 0, 0),
        ("release", "committed"): expect(0, 0, 0),
        ("release", "touched"): expect(0, 0, 0),
        ("lock", "committed"): expect(pages, 1, pages, pages, faults=pages),
        ("unlock", "committed locked"): expect(pages, 1, pages),
        ("lock", "touched"): expect(pages, 1, pages, pages),
        ("unlock", "touched locked"): expect(pages, 1, pages),
        **protected, **queries}


def of_size_on_windows(pages):
    """Committed stays charged whatever its protection; VirtualQuery instead of the maps. Wine finds
    no page resident that can't be accessed."""
    linux = of_size(pages)
    kept = {key: counts for key, counts in linux.items()
            if key[0] not in ("procmap_query", "mincore", "pagemap", "pagemap_scan")}
    return kept | {
        ("protect_read", "committed"): expect(pages, 1, 0),
        ("protect_none", "committed"): expect(pages, 1, 0),
        ("protect_none", "touched"): expect(pages, 1, 0 if EMULATOR else pages),
        ("virtualquery", "committed"): expect(pages, 1, 0, answered=pages),
        ("virtualquery", "touched"): expect(pages, 1, pages, answered=pages),
        ("working_set", "committed"): expect(pages, 1, 0, answered=0),
        ("working_set", "touched"): expect(pages, 1, pages, answered=pages)}


# By their own sizes. A part that is locked is a mapping of its own on Linux.
LOCKED_PARTS = 1 if WINDOWS else 3
OTHERS = {
    ("release", "touched read-only", 16 * MIB): expect(0, 0, 0),
    ("release", "touched inaccessible", 16 * MIB): expect(0, 0, 0),
    ("release", "touched locked", 4 * MIB): expect(0, 0, 0),
    ("release", "scattered", 16 * MIB): expect(0, 0, 0),
    # Wine remembers what the pages were.
    ("decommit", "scattered", 16 * MIB): expect(0, 4096 if EMULATOR else 1, 0),
    ("protect_read", "middle of touched", PAGE): expect(16, 3, 16),
    ("protect_write", "middle read-only", PAGE): expect(16, 1, 16),
    ("lock", "byte of touched", 1): expect(16, LOCKED_PARTS, 16, 1),
    ("unlock", "byte of touched locked", 1): expect(16, 1, 16),
    ("lock", "two bytes across pages", 2): expect(16, LOCKED_PARTS, 16, 2),
    ("unlock", "two bytes across locked", 2): expect(16, 1, 16),
    ("commit", "beside untouched", PAGE): expect(256, 1, 0),  # after the last of 256 calls
    ("commit", "beside touched", PAGE): expect(256, 1, 255),
}


def expected(*sizes):
    by_size = of_size_on_windows if WINDOWS else of_size
    counts = {(call, state, size): values for size in sizes
              for (call, state), values in by_size(size // PAGE).items()}
    return {**counts, **OTHERS}


def key(row):
    return row["call"], row["state"], number(row, "size_bytes")


def counts(row):
    return known([int(row[column]) if row[column] else None for column in COUNTS])


def known(values):
    """Wine tells of no faults and no locks; a sanitizer's own memory takes faults too."""
    without = ("locked_bytes", "minor_faults") if EMULATOR else \
        ("minor_faults",) if SANITIZED else ()
    return tuple(None if column in without else value
                 for column, value in zip(COUNTS, values, strict=True))


class Exact(unittest.TestCase):
    maxDiff = None

    def test_counts(self):
        taken = rows("calls", "--size", "4K,64K,1M", "--mappings", "0", "--repeat", 2)
        wanted = expected(PAGE, SIZE, MIB)
        self.assertEqual({key(row) for row in taken}, set(wanted))
        for row in taken:
            self.assertEqual((row["status"], row["error"]), ("ok", ""), row)
            if not (SANITIZED and row["call"] in ("lock", "unlock")):
                self.assertEqual(counts(row), known(wanted[key(row)]), key(row))


class Turns(unittest.TestCase):
    def taken(self, *arguments):
        return rows("calls", "--size", "4K,4M", "--mappings", "0,50", "--populate", "1M",
                    "--repeat", 3, *arguments)

    def test_every_call_is_timed_once_a_repeat(self):
        taken = self.taken()
        times = collections.Counter((*key(row), row["mappings"]) for row in taken)
        self.assertEqual(set(times.values()), {3})
        self.assertEqual(len({(*key(row), row["mappings"], row["repeat"]) for row in taken}),
                         len(taken))
        self.assertTrue(all(float(row["ns"]) > 0 for row in taken))

    def test_what_is_not_populated(self):
        """4 MiB are neither touched nor locked; other reservations beside: up to 2 MiB."""
        taken = [row for row in self.taken() if number(row, "size_bytes") == 4 * MIB]
        self.assertEqual({row["mappings"] for row in taken}, {"0"})
        self.assertEqual({row["state"] for row in taken},
                         {"fresh", "reserved", "committed", "committed read-only",
                          "committed inaccessible"})
        self.assertFalse([row for row in taken if row["call"] in ("lock", "unlock")])

    def test_nothing_is_counted_beside_others(self):
        for row in self.taken():
            self.assertEqual(row["commit_bytes"] == "", row["mappings"] == "50", row)

    def test_the_order_is_of_the_seed(self):
        def order(taken, repeat):
            return [(*key(row), row["mappings"]) for row in taken if row["repeat"] == repeat]
        once, again, other = self.taken(), self.taken(), self.taken("--seed", 2)
        self.assertEqual(order(once, "1"), order(again, "1"))
        self.assertNotEqual(order(once, "1"), order(other, "1"))
        self.assertNotEqual(order(once, "1"), order(once, "2"))
        self.assertEqual(sorted(order(once, "1")), sorted(order(other, "2")))

    def test_defaults(self):
        """All sizes up to 1 GiB, as --help says them."""
        said = run("calls", "--help")
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        for default in ("[4K..1G*8]", "[1G]", "[0,1000,10000]", "[15]", "[1]"):
            self.assertIn(default, said.stdout)


def without_right_to_lock(limit):
    """For a child: RLIMIT_MEMLOCK, and no CAP_IPC_LOCK (14), which would lift it, after its exec:
    prctl(PR_CAPBSET_DROP)."""
    def limit_it():
        import resource
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
        ctypes.CDLL(None).prctl(24, 14, 0, 0, 0)
    return limit_it


class Refused(unittest.TestCase):
    @unittest.skipIf(SANITIZED, "a sanitizer's mlock does nothing")
    @unittest.skipIf(WINDOWS and not EMULATOR, "RLIMIT_MEMLOCK is Linux's")
    def test_a_lock_beyond_the_limit_is_a_row(self):
        done = execute(command("calls", "--size", "64K,1M", "--mappings", 0, "--repeat", 1),
                       preexec_fn=without_right_to_lock(SIZE))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        taken = {key(row): row for row in parse(done.stdout)}
        for state, locked in (("committed", "committed locked"), ("touched", "touched locked")):
            self.assertEqual(taken["lock", state, SIZE]["status"], "ok")
            row = taken["lock", state, MIB]
            self.assertEqual((row["status"], row["ns"], row["locked_bytes"]), ("refused", "", ""))
            if not WINDOWS:
                self.assertEqual(row["error"], "Cannot allocate memory: RLIMIT_MEMLOCK is 65536 "
                                               "bytes")
            self.assertNotIn(("unlock", locked, MIB), taken)
        self.assertEqual(taken["decommit", "touched", MIB]["status"], "ok")
        self.assertNotIn(("release", "touched locked", 4 * MIB), taken)

    @unittest.skipIf(WINDOWS, "vm.max_map_count is Linux's")
    @unittest.skipIf(SANITIZED, "the sanitizer needs mappings of its own")
    def test_more_reservations_than_mappings_are_allowed_is_a_row(self):
        with open("/proc/sys/vm/max_map_count", encoding="utf-8") as file:
            too_many = int(file.read()) + 1
        if too_many > 1000000:
            self.skipTest("vm.max_map_count is high")
        taken = rows("calls", "--size", "64K", "--mappings", f"0,{too_many}", "--repeat", 1,
                     seconds=SECONDS)
        beside = [row for row in taken if row["mappings"] != "0"]
        self.assertEqual([(key(row), row["status"], row["error"]) for row in beside],
                         [(("reserve", "fresh", SIZE), "refused",
                           "Cannot allocate memory: vm.max_map_count mappings are reached")])
        self.assertEqual({row["status"] for row in taken if row["mappings"] == "0"}, {"ok"})

    def under(self, name, limit, *options):
        """Rows of a run with a limit of so many bytes."""
        def limited():
            import resource
            resource.setrlimit(getattr(resource, name), (limit, limit))
        done = execute(command("calls", "--mappings", 0, *options), preexec_fn=limited)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return parse(done.stdout)

    @unittest.skipIf(WINDOWS, "RLIMIT_DATA is Linux's")
    @unittest.skipIf(SANITIZED, "sanitizers exceed the limit by themselves")
    def test_a_commit_beyond_the_limit_is_a_row(self):
        large = [row for row in self.under("RLIMIT_DATA", 32 * MIB, "--size", "1M,64M",
                                           "--repeat", 2) if number(row, "size_bytes") == 64 * MIB]
        self.assertEqual({(row["call"], row["state"], row["status"]) for row in large},
                         {("reserve", "fresh", "ok"), ("reserve_top_down", "fresh", "ok"),
                          ("reserve_bottom_up", "fresh", "ok"), ("commit", "fresh", "refused")})
        self.assertEqual(len(large), 8)

    @unittest.skipIf(WINDOWS, "RLIMIT_AS is Linux's")
    @unittest.skipIf(SANITIZED, "sanitizers exceed the limit by themselves")
    def test_what_can_not_be_reserved_is_worked_on_by_no_call(self):
        large = [row for row in self.under("RLIMIT_AS", 256 * MIB, "--size", "1G", "--repeat", 1)
                 if number(row, "size_bytes") == 1024 * MIB]
        self.assertEqual({(row["call"], row["status"], row["error"]) for row in large},
                         {(call, "refused", "Cannot allocate memory") for call in (
                             "reserve", "reserve_top_down", "reserve_bottom_up")})

    def test_lines_end_in_cr_lf(self):
        done = subprocess.run(command("calls", *SMALL), capture_output=True, timeout=SECONDS)
        self.assertEqual((done.returncode, done.stdout.count(b"\r\r")), (0, 0))
        self.assertEqual(done.stdout.count(b"\r\n"), done.stdout.count(b"\n"))

    def test_usage(self):
        for arguments, said in (
                (["--size", "4KB"], "--size: '4KB' is no size"),
                (["--size", ""], "--size: '' is an empty list"),
                (["--size", "4095"], "--size: '4095' gives 4095 bytes, which is no multiple"),
                (["--populate", "0"], "--populate: '0' is no size; use bytes or K, M, G"),
                (["--mappings", "1,x"], "--mappings: 'x' is no whole number from 0 to 10000000"),
                (["--mappings", ""], "--mappings: '' is an empty list"),
                (["--mappings", "1,,2"], "--mappings: '' is no whole number"),
                (["--mappings", "10000001"], "--mappings: '10000001' is no whole number"),
                (["--mappings", "0,0"], "--mappings: '0' comes a second time; name each once"),
                (["--mappings", ",".join(map(str, range(65)))], "'64' is one too many; at most 64"),
                (["--repeat", "0"], "--repeat: '0' is no whole number from 1"),
                (["--seed", "-1"], "--seed: '-1' is no whole number from 1"),
                (["--repeat"], "--repeat: no value; --help says what it takes"),
                (["--bogus", "1"], "--bogus: no such option; --help lists them")):
            done = run("calls", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertTrue(done.stderr.startswith("calls: "))
            self.assertIn(said, done.stderr)

    @unittest.skipIf(WINDOWS, "there is no /dev/full")
    def test_a_full_disk(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = execute(command("calls", *SMALL), stdout=full)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "calls: cannot write standard output: No space left on device\n"))


@unittest.skipIf(WINDOWS or SANITIZED or not shutil.which("strace"), "needs strace")
class FromOutside(unittest.TestCase):
    """What strace sees, and what it lets go wrong."""

    def traced(self, *options, status=0):
        """(what calls did, the lines of strace)"""
        with tempfile.NamedTemporaryFile("r", encoding="utf-8") as log:
            done = execute(["strace", "-o", log.name, *options, *command("calls", *SMALL)])
            if done.returncode != status and "ptrace" in done.stderr:
                self.skipTest("ptrace is not allowed here")
            self.assertEqual(done.returncode, status, done.stderr)
            return done, log.read().splitlines()

    def test_calls_that_are_made(self):
        """An episode of 16 pages is made 16 times, once before that and once for its counts."""
        _, lines = self.traced("-e", "trace=mlock,munlock,mprotect")
        made = collections.Counter(line.partition("(")[0] + line.partition(",")[2].split(")")[0]
                                   for line in lines)
        once = 1 + 1 + 16
        self.assertEqual(made["mlock 65536"], 2 * once)
        self.assertEqual(made["munlock 65536"], 2 * once)
        self.assertEqual((made["mlock 1"], made["munlock 1"]), (once, once))
        self.assertEqual((made["mlock 2"], made["munlock 2"]), (once, once))
        self.assertEqual((made["mlock 4194304"], made["munlock 4194304"]), (3, 0))
        self.assertEqual(made["mprotect 65536, PROT_READ"], 2 * once)
        self.assertEqual(made["mprotect 65536, PROT_NONE"], 2 * once)

    def test_bottom_up_gets_the_low_address(self):
        _, lines = self.traced("-e", "trace=mmap")
        hinted = [line for line in lines if line.startswith("mmap(0x10000000, 65536")]
        self.assertEqual(len(hinted), 1 + 1 + 64)
        self.assertTrue(all(line.endswith("= 0x10000000") for line in hinted))

    def test_a_system_without_a_question_is_a_row(self):
        done, _ = self.traced("-e", "inject=ioctl:error=ENOTTY")
        status = {(row["call"], row["state"]): (row["status"], row["error"])
                  for row in parse(done.stdout)}
        for call, needs in (("procmap_query", "6.11"), ("pagemap_scan", "6.7")):
            for state in ("committed", "touched"):
                self.assertEqual(status[call, state], (
                    "unsupported", f"Inappropriate ioctl for device: Linux {needs}"))
        self.assertEqual(status["mincore", "touched"], ("ok", ""))

    def test_what_breaks_is_one_line(self):
        done, _ = self.traced("-e", "inject=mlock:error=EIO", status=1)
        self.assertRegex(done.stderr, r"^calls: at or after lock of \d+ bytes, [a-z ]+: "
                                      r"Input/output error\n$")


if __name__ == "__main__":
    unittest.main()
