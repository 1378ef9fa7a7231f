"""The exact counts of every strategy, against a table worked out by hand.

A row of the table: pages in the region, pages in a step, pages touched; then what must come out.
"""

import itertools
import pathlib
import unittest

from support import BIN, PAGE, WINDOWS, describe, number, rows, taken_by

KIB = 1024
OVERCOMMIT = pathlib.Path("/proc/sys/vm/overcommit_memory")
COLUMNS = ("commit_calls", "handled_faults", "minor_faults", "reserved_commit_bytes",
           "commit_bytes", "resident_bytes", "released_commit_bytes", "region_count")
# Windows counts soft faults in runs of pages and trims working sets; Wine counts neither.
EXACT = [column for column in COLUMNS
         if not (WINDOWS and column in ("minor_faults", "resident_bytes"))]


def expect(commit_calls, handled, touched, reserved, peak, regions, faults=None):
    """Pages become bytes; each touched page is one minor fault, and nothing stays charged. What is
    populated counts as touched; `faults` where there are others."""
    return dict(zip(COLUMNS, (commit_calls, handled, touched if faults is None else faults,
                              reserved * PAGE, peak * PAGE, touched * PAGE, 0, regions)))


#            pages  touched     calls handled touched reserved peak regions
UPFRONT = {
    (1, "1"): expect(1, 0, 1, 1, 1, 1),
    (2, "1"): expect(1, 0, 2, 2, 2, 1),
    (16, "1"): expect(1, 0, 16, 16, 16, 1),
    (80, "1"): expect(1, 0, 80, 80, 80, 1),
    (4096, "1"): expect(1, 0, 4096, 4096, 4096, 1),
    (80, "0.1"): expect(1, 0, 8, 80, 80, 1),
    (4096, "0.1"): expect(1, 0, 410, 4096, 4096, 1),
}
FAULT = {
    (1, "1"): expect(1, 1, 1, 0, 1, 1),
    (2, "1"): expect(2, 2, 2, 0, 2, 1),
    (16, "1"): expect(16, 16, 16, 0, 16, 1),
    (80, "1"): expect(80, 80, 80, 0, 80, 1),
    (4096, "1"): expect(4096, 4096, 4096, 0, 4096, 1),
    (80, "0.1"): expect(8, 8, 8, 0, 8, 2),
    (4096, "0.1"): expect(410, 410, 410, 0, 410, 2),
}
#            pages  step  touched
CHUNKED = {
    (1, 1, "1"): expect(1, 0, 1, 0, 1, 1),
    (1, 16, "1"): expect(1, 0, 1, 0, 1, 1),
    (2, 1, "1"): expect(2, 0, 2, 0, 2, 1),
    (2, 16, "1"): expect(1, 0, 2, 0, 2, 1),
    (16, 1, "1"): expect(16, 0, 16, 0, 16, 1),
    (16, 16, "1"): expect(1, 0, 16, 0, 16, 1),
    (80, 1, "1"): expect(80, 0, 80, 0, 80, 1),
    (80, 3, "1"): expect(27, 0, 80, 0, 80, 1),
    (80, 16, "1"): expect(5, 0, 80, 0, 80, 1),
    (80, 256, "1"): expect(1, 0, 80, 0, 80, 1),
    (4096, 1, "1"): expect(4096, 0, 4096, 0, 4096, 1),
    (4096, 16, "1"): expect(256, 0, 4096, 0, 4096, 1),
    (4096, 256, "1"): expect(16, 0, 4096, 0, 4096, 1),
    (80, 16, "0.1"): expect(1, 0, 8, 0, 16, 2),
    (4096, 16, "0.1"): expect(26, 0, 410, 0, 416, 2),
    (4096, 256, "0.1"): expect(2, 0, 410, 0, 512, 2),
}
# The guard page is committed before the first touch; then each hit commits a step, the new guard
# page included, until nothing is left to commit.
GUARD_COMMITTED = {
    (1, 1, "1"): expect(1, 1, 1, 0, 1, 1),
    (1, 16, "1"): expect(1, 1, 1, 0, 1, 1),
    (2, 1, "1"): expect(2, 2, 2, 0, 2, 1),
    (2, 16, "1"): expect(2, 1, 2, 0, 2, 1),
    (16, 1, "1"): expect(16, 16, 16, 0, 16, 1),
    (16, 16, "1"): expect(2, 1, 16, 0, 16, 1),
    (80, 1, "1"): expect(80, 80, 80, 0, 80, 1),
    (80, 3, "1"): expect(28, 27, 80, 0, 80, 1),
    (80, 16, "1"): expect(6, 5, 80, 0, 80, 1),
    (80, 256, "1"): expect(2, 1, 80, 0, 80, 1),
    (4096, 1, "1"): expect(4096, 4096, 4096, 0, 4096, 1),
    (4096, 16, "1"): expect(257, 256, 4096, 0, 4096, 1),
    (4096, 256, "1"): expect(17, 16, 4096, 0, 4096, 1),
    (80, 16, "0.1"): expect(2, 1, 8, 0, 17, 2),
    (4096, 16, "0.1"): expect(27, 26, 410, 0, 417, 2),
    (4096, 256, "0.1"): expect(3, 2, 410, 0, 513, 2),
}
# PAGE_GUARD shows as a region of its own, as long as it stands.
GUARD_WINDOWS = {key: {**counts, "region_count": 3} if key[2] == "0.1" else counts
                 for key, counts in GUARD_COMMITTED.items()}
# Where an uncommitted page serves as guard, only the hits commit: as chunked, a fault for each.
GUARD_UNCOMMITTED = {key: {**counts, "handled_faults": counts["commit_calls"]}
                     for key, counts in CHUNKED.items()}


# Each step twice the one before: 1, 2, 4, 8... pages are 1, 3, 7, 15... in all.
CHUNKED_DOUBLE = {
    (1, 1, "1"): expect(1, 0, 1, 0, 1, 1),
    (2, 1, "1"): expect(2, 0, 2, 0, 2, 1),
    (16, 1, "1"): expect(5, 0, 16, 0, 16, 1),
    (80, 1, "1"): expect(7, 0, 80, 0, 80, 1),
    (80, 3, "1"): expect(5, 0, 80, 0, 80, 1),
    (80, 16, "1"): expect(3, 0, 80, 0, 80, 1),
    (4096, 16, "1"): expect(9, 0, 4096, 0, 4096, 1),
    (80, 1, "0.1"): expect(4, 0, 8, 0, 15, 2),
    (4096, 16, "0.1"): expect(5, 0, 410, 0, 496, 2),
}
GUARD_COMMITTED_DOUBLE = {
    (1, 1, "1"): expect(1, 1, 1, 0, 1, 1),
    (2, 1, "1"): expect(2, 2, 2, 0, 2, 1),
    (80, 1, "1"): expect(8, 7, 80, 0, 80, 1),
    (80, 3, "1"): expect(6, 5, 80, 0, 80, 1),
    (4096, 16, "1"): expect(10, 9, 4096, 0, 4096, 1),
    (80, 1, "0.1"): expect(5, 4, 8, 0, 16, 2),
    (4096, 16, "0.1"): expect(6, 5, 410, 0, 497, 2),
}
# Resident as soon as it is committed. The kernel counts a page that it populates as a minor fault.
# A guard page is populated, is emptied by the guard, and faults when the hit access is made again.
POPULATE = {
    "upfront": {
        (80, "1"): expect(1, 0, 80, 80, 80, 1),
        (80, "0.1"): expect(1, 0, 80, 80, 80, 1),
        (4096, "0.1"): expect(1, 0, 4096, 4096, 4096, 1),
    },
    "fault": {
        (1, "1"): expect(1, 1, 1, 0, 1, 1),
        (80, "1"): expect(80, 80, 80, 0, 80, 1),
        (80, "0.1"): expect(8, 8, 8, 0, 8, 2),
    },
    "chunked": {
        (80, 1, "1"): expect(80, 0, 80, 0, 80, 1),
        (80, 3, "1"): expect(27, 0, 80, 0, 80, 1),
        (80, 16, "0.1"): expect(1, 0, 16, 0, 16, 2),
        (4096, 16, "0.1"): expect(26, 0, 416, 0, 416, 2),
    },
    "guard": {
        (1, 1, "1"): expect(1, 1, 1, 0, 1, 1, faults=2),
        (80, 1, "1"): expect(80, 80, 80, 0, 80, 1, faults=160),
        (80, 16, "1"): expect(6, 5, 80, 0, 80, 1, faults=85),
        (80, 16, "0.1"): expect(2, 1, 16, 0, 17, 2, faults=18),
        (4096, 16, "0.1"): expect(27, 26, 416, 0, 417, 2, faults=443),
    },
}


def of_kind(kind, program, table):
    """The counts of a kind of commit. Mapping anew counts as mprotect does; what is not reserved is
    not charged, but in overcommit mode 2, and all else is as it was."""
    if kind == "populate":
        return POPULATE[program]
    if kind == "noreserve" and OVERCOMMIT.read_text().strip() != "2":
        return {key: {**counts, "reserved_commit_bytes": 0, "commit_bytes": 0}
                for key, counts in table.items()}
    return table


# The mapping's first step is made by the reserve. A stack's pages are committed by the kernel, but
# for the first.
MREMAP = {key: {**counts, "reserved_commit_bytes": min(key[0], key[1]) * PAGE, "region_count": 1}
          for key, counts in CHUNKED.items()}
STACK = {
    (1, "1"): expect(0, 0, 1, 1, 1, 1),
    (2, "1"): expect(0, 0, 2, 1, 2, 1),
    (80, "1"): expect(0, 0, 80, 1, 80, 1),
    (2048, "1"): expect(0, 0, 2048, 1, 2048, 1),
    (80, "0.1"): expect(0, 0, 8, 1, 8, 1),
}


def supplied(calls, touched, pages, copied):
    """All is charged from the start, whatever is supplied. Of the zero page each write makes a
    copy, by a minor fault; what was copied is resident as a whole, and faults no more."""
    return {"zeropage": expect(calls, calls, touched, pages, pages, 1),
            "copy": expect(calls, calls, copied, pages, pages, 1, faults=0)}


UFFD = {
    (1, 1, "1"): supplied(1, 1, 1, 1),
    (1, 16, "1"): supplied(1, 1, 1, 1),
    (2, 1, "1"): supplied(2, 2, 2, 2),
    (16, 16, "1"): supplied(1, 16, 16, 16),
    (80, 1, "1"): supplied(80, 80, 80, 80),
    (80, 3, "1"): supplied(27, 80, 80, 80),
    (80, 16, "1"): supplied(5, 80, 80, 80),
    (80, 256, "1"): supplied(1, 80, 80, 80),
    (4096, 1, "1"): supplied(4096, 4096, 4096, 4096),
    (4096, 16, "1"): supplied(256, 4096, 4096, 4096),
    (80, 1, "0.1"): supplied(8, 8, 80, 8),
    (80, 16, "0.1"): supplied(1, 8, 80, 16),
    (4096, 1, "0.1"): supplied(410, 410, 4096, 410),
    (4096, 16, "0.1"): supplied(26, 410, 4096, 416),
    (4096, 256, "0.1"): supplied(2, 410, 4096, 512),
}
# 8 MiB are 2048 pages, 128 of 64 KiB, or 4 of 2 MiB.
LARGER_PAGES = [
    ("thp", "upfront", "8M", expect(1, 0, 2048, 2048, 2048, 1, faults=4)),
    ("thp", "chunked", "2M", expect(4, 0, 2048, 0, 2048, 1, faults=4)),
    ("thp", "chunked", "64K", expect(128, 0, 2048, 0, 2048, 1)),
    ("thp-64K", "upfront", "8M", expect(1, 0, 2048, 2048, 2048, 1, faults=128)),
    ("thp-64K", "chunked", "64K", expect(128, 0, 2048, 0, 2048, 1, faults=128)),
    ("thp-64K", "chunked", "4K", expect(2048, 0, 2048, 0, 2048, 1)),
    ("thp-64K", "fault", "4K", expect(2048, 2048, 2048, 0, 2048, 1)),
    ("huge", "upfront", "8M", expect(1, 0, 0, 0, 0, 1, faults=4)),
    ("huge", "chunked", "2M", expect(4, 0, 0, 0, 0, 4, faults=4)),
    ("huge", "chunked", "4M", expect(2, 0, 0, 0, 0, 2, faults=4)),
]
# 64 MiB on Linux: the charge reserved, with half of it touched, and with all, in KiB; mappings and
# minor faults at the half. What is committed as a whole, or ahead, is charged so.
HALF_WAY = [
    ("upfront", (), 65536, 65536, 65536, 1, 8192),
    ("upfront", ("--commit", "noreserve"), 0, 0, 0, 1, 8192),
    ("upfront", ("--commit", "populate"), 65536, 65536, 65536, 1, 16384),
    ("chunked", ("--chunk", "64M"), 0, 65536, 65536, 1, 8192),
    ("chunked", ("--chunk", "64K", "--commit", "noreserve"), 0, 0, 0, 2, 8192),
    *(("chunked", ("--chunk", step, "--commit", kind), 0, 32768, 65536, 2, 8192)
      for step in ("4K", "64K", "2M") for kind in ("mprotect", "remap", "populate")),
    ("fault", (), 0, 32768, 65536, 2, 8192),
    *(("guard", ("--guard", "prot_none", "--chunk", step), 0, 32768, 65536, 2, 8192)
      for step in ("4K", "64K", "2M")),
    *(("mremap", ("--chunk", f"{kib}K", "--commit", kind), kib, 32768, 65536, 1, 8192)
      for kib, kind in ((4, "in_place"), (64, "in_place"), (2048, "in_place"), (64, "move"),
                        (1024, "move"))),
    ("stack", (), 4, 32768, 65536, 1, 8192),
    *(("uffd", ("--commit", "zeropage", "--trap", trap, "--chunk", step), 65536, 65536, 65536, 1,
       8192) for trap in ("sigbus", "thread") for step in ("4K", "64K", "2M")),
    *(("uffd", ("--commit", "copy", "--trap", trap, "--chunk", step), 65536, 65536, 65536, 1,
       faults) for trap, step, faults in (
           ("sigbus", "4K", 0), ("sigbus", "64K", 0), ("sigbus", "2M", 0),
           ("thread", "4K", 8192), ("thread", "64K", 512), ("thread", "2M", 16))),
]
# A strategy's counts by what it is asked for: (pages, touched), or (pages, step, touched) in pages
# where it has a step. Every strategy that is built in has some.
COUNTS = {
    "upfront": UPFRONT,
    "fault": FAULT,
    "chunked": CHUNKED,
    "guard": GUARD_WINDOWS if WINDOWS else GUARD_COMMITTED,
}


def with_room_for_a_stack():
    import resource
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (128 * KIB * KIB, hard))


def sizes_of_huge_pages():
    """In KiB, of the transparent ones that are enabled."""
    settings = pathlib.Path("/sys/kernel/mm/transparent_hugepage").glob("hugepages-*kB/enabled")
    return [path.parent.name[len("hugepages-"):-len("kB")] for path in settings
            if "[never]" not in path.read_text()]


class Counts(unittest.TestCase):
    maxDiff = None

    def check(self, program, table, *options):
        for steps, touches in itertools.groupby(sorted(table), key=lambda key: key[1:]):
            step, touch = (1, *steps)[-2:]
            sizes = ",".join(str(key[0] * PAGE) for key in touches)
            taken = rows(program, *taken_by(program, "--chunk", step * PAGE), "--size", sizes,
                         "--touch", touch, "--repeat", 2, *options)
            self.assertEqual(len(taken), 2 * len(sizes.split(",")))
            for row in taken:
                pages = number(row, "size_bytes") // PAGE
                with self.subTest(program=program, pages=pages, step=step, touch=touch):
                    self.assertEqual(row["status"], "ok", row["error"])
                    found = {column: row[column] for column in EXACT}
                    expected = {column: str(table[(pages, *steps)][column]) for column in EXACT}
                    self.assertEqual(found, expected)
                    self.assertEqual((row["most_commit_bytes"], row["most_resident_bytes"]),
                                     ("", ""))  # of replays alone

    def test_every_strategy_has_counts(self):
        names = (BIN / "harnesses.txt").read_text().split()
        self.assertCountEqual([name for name in names if describe(name)["commit"]], COUNTS)

    def test_counts(self):
        for program, table in COUNTS.items():
            for trap in describe(program)["trap"] or [""]:
                with self.subTest(program=program, trap=trap):
                    self.check(program, self.table_here(program, table),
                               *(["--trap", trap] if trap else []))

    def table_here(self, program, table):
        """What a guard page costs depends on how the kernel can make it."""
        if program == "guard" and rows("guard", "--size", "4K", "--repeat", 1)[0][
                "guard"] == "prot_none":
            return GUARD_UNCOMMITTED
        return table

    @unittest.skipIf(WINDOWS, "PAGE_GUARD needs a committed page")
    def test_guard_uncommitted(self):
        self.check("guard", GUARD_UNCOMMITTED, "--guard", "prot_none")

    def test_growth(self):
        guard = {key: {**counts, "region_count": 3} if key[2] == "0.1" else counts
                 for key, counts in GUARD_COMMITTED_DOUBLE.items()} if WINDOWS else \
            GUARD_COMMITTED_DOUBLE
        self.check("chunked", CHUNKED_DOUBLE, "--growth", "double")
        if self.table_here("guard", guard) is guard:
            self.check("guard", guard, "--growth", "double")

    def test_each_kind_of_commit(self):
        for program, table in COUNTS.items():
            for kind in describe(program)["commit"]:
                with self.subTest(program=program, kind=kind):
                    whole = self.table_here(program, table)
                    if whole is GUARD_UNCOMMITTED and kind == "populate":
                        continue
                    self.check(program, of_kind(kind, program, whole), "--commit", kind)

    @unittest.skipIf(WINDOWS, "a kind of Linux")
    def test_populated_behind_an_uncommitted_guard(self):
        """Without a guard page to empty, as chunked, a fault handled for each commit."""
        self.check("guard", {key: {**counts, "handled_faults": counts["commit_calls"]}
                             for key, counts in POPULATE["chunked"].items()},
                   "--guard", "prot_none", "--commit", "populate")

    @unittest.skipIf(WINDOWS, "mappings of Linux")
    def test_mappings_that_grow(self):
        for kind in ("in_place", "move"):
            with self.subTest(kind=kind):
                self.check("mremap", MREMAP, "--commit", kind)
        double = {key: {**counts, "region_count": 1,
                        "reserved_commit_bytes": min(key[0], key[1]) * PAGE}
                  for key, counts in CHUNKED_DOUBLE.items()}
        self.check("mremap", double, "--growth", "double")
        self.check("stack", STACK)

    @unittest.skipIf(WINDOWS, "a call of Linux")
    def test_userfaultfd(self):
        """In any order a step is supplied once. An access that waits for a thread is a minor fault,
        one that ends in a signal is none."""
        row = rows("uffd", "--size", "4K", "--repeat", 1)[0]
        if row["status"] == "unsupported":
            self.skipTest(row["error"])
        orders = ("sequential", "reverse", "random", "alternate")
        for trap, kind, order in itertools.product(("sigbus", "thread"), ("copy", "zeropage"),
                                                   orders):
            table = {key: counts[kind] for key, counts in UFFD.items()}
            if (trap, kind) == ("thread", "copy"):
                table = {key: {**counts, "minor_faults": counts["handled_faults"]}
                         for key, counts in table.items()}
            with self.subTest(trap=trap, kind=kind, order=order):
                self.check("uffd", table, "--trap", trap, "--commit", kind, "--order", order)

    @unittest.skipIf(WINDOWS, "counts of Linux")
    def test_half_way(self):
        for program, options, reserved, half, full, mappings, faults in HALF_WAY:
            if "noreserve" in options and OVERCOMMIT.read_text().strip() == "2":
                continue
            taken = rows(program, "--size", "64M", "--touch", "0.5,1", *options, "--repeat", 1,
                         preexec_fn=with_room_for_a_stack)
            with self.subTest(program=program, options=options):
                if taken[0]["status"] == "unsupported":
                    self.skipTest(taken[0]["error"])
                self.assertEqual([row["status"] for row in taken], ["ok", "ok"])
                found = {number(row, "touched_bytes") // KIB: [
                    number(row, column) // KIB for column in
                    ("reserved_commit_bytes", "commit_bytes")] for row in taken}
                self.assertEqual(found, {32768: [reserved, half], 65536: [reserved, full]})
                at_half = next(row for row in taken if number(row, "touched_bytes") == 32768 * KIB)
                self.assertEqual([number(at_half, column) for column in
                                  ("region_count", "minor_faults")], [mappings, faults])

    @unittest.skipIf(WINDOWS, "pages of Linux")
    def test_larger_pages(self):
        """One fault for each larger page, where a step holds a whole one; else one for each base
        page, as if there were none. What comes from the pool is in no charge and no residency, and
        its mappings, which have an operation on closing, are never merged (mm/vma.c)."""
        for pages, program, step, expected in LARGER_PAGES:
            row = rows(program, "--size", "8M", "--pages", pages, "--repeat", 1,
                       *taken_by(program, "--chunk", step))[0]
            with self.subTest(pages=pages, program=program, step=step):
                if row["status"] == "unsupported":
                    self.skipTest(row["error"])
                if pages == "thp" and sizes_of_huge_pages() != ["2048"]:
                    self.skipTest("transparent huge pages are not those of 2 MiB alone")
                self.assertEqual({column: number(row, column) for column in EXACT}, expected)

    def test_gigabyte(self):
        """No count changes its law with the size."""
        pages = 2**30 // PAGE
        for program, commits, handled in (("upfront", 1, 0), ("fault", pages, pages),
                                          ("chunked", pages // 16, 0)):
            row = rows(program, "--size", "1G", "--repeat", 1)[0]
            if row["status"] == "skipped":
                self.skipTest(row["error"])
            with self.subTest(program=program):
                expected = expect(commits, handled, pages,
                                  pages if program == "upfront" else 0, pages, 1)
                self.assertEqual({column: number(row, column) for column in EXACT},
                                 {column: expected[column] for column in EXACT})

    def test_the_sample_of_eighty_pages(self):
        """320 KiB written from end to end, a page at a time: 80 exceptions, 80 commits."""
        row = rows("fault", "--size", "320K", "--repeat", 1)[0]
        self.assertEqual((number(row, "handled_faults"), number(row, "commit_calls")), (80, 80))


if __name__ == "__main__":
    unittest.main()
