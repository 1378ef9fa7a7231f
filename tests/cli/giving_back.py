"""`--purge`: what each call gives back, and what coming back takes, against a table worked out by
hand; and what happens when giving back is refused."""

import pathlib
import unittest

from support import PAGE, SANITIZED, WINDOWS, describe, number, rows, taken_by

SIZE = 64 * 2**20
PAGES = SIZE // PAGE
KIB = 1024
STEPS = ("4K", "64K", "2M", "64M")
MAPPINGS = pathlib.Path("/proc/sys/vm/max_map_count")
SWAPS = pathlib.Path("/proc/swaps")
OVERCOMMIT = pathlib.Path("/proc/sys/vm/overcommit_memory")

# 64 MiB, all 16 384 pages touched, given back in steps of 4 KiB, 64 KiB, 2 MiB, and at once. In
# KiB: the charge, what is resident, the page tables by step; the faults of touching again, the
# charge then. Page tables are 32 of the lowest level and one above: 132 KiB. One goes with the 2
# MiB that it maps, if those are wholly in one call (for an advice: Linux 6.14), the one above with
# its last mapping.
KEPT = (132, 132, 132, 132)
BY_TABLE = (132, 132, 4, 4)
BY_MAPPING = (132, 132, 4, 0)
LINUX = {
    "dontneed": (65536, 0, BY_TABLE, PAGES, 65536),
    "free": (65536, 65536, KEPT, 0, 65536),
    "cold": (65536, 65536, KEPT, 0, 65536),
    "pageout": (65536, 65536, KEPT, 0, 65536),
    "protect": (65536, 65536, KEPT, 0, 65536),
    "remap": (0, 0, BY_MAPPING, PAGES, 65536),
    "remap_noreserve": (0, 0, BY_MAPPING, PAGES, 0),
    "guard": (65536, 0, KEPT, PAGES, 65536),
}
# The charge once it is given back; all of it is charged once it was touched again.
WINDOWS_CHARGE = {"decommit": 0, "reset": 65536, "offer": 65536, "discard": 65536,
                  "protect": 65536}
# Every second page: mappings then, and once they were touched again; the charge at both times.
ALTERNATE = {
    "dontneed": (1, 1, 65536, 65536), "free": (1, 1, 65536, 65536), "cold": (1, 1, 65536, 65536),
    "pageout": (1, 1, 65536, 65536), "guard": (1, 1, 65536, 65536),
    "protect": (PAGES, 1, 65536, 65536), "remap": (PAGES, 1, 32768, 65536),
    "remap_noreserve": (PAGES, PAGES, 32768, 32768),
}
ALTERNATE_WINDOWS = {
    "decommit": (PAGES, 1, 32768, 65536), "protect": (PAGES, 1, 65536, 65536),
    "reset": (1, 1, 65536, 65536), "offer": (1, 1, 65536, 65536), "discard": (1, 1, 65536, 65536),
}


def take(program, kind, *options, size=SIZE):
    return rows(program, *taken_by(program, "--chunk", "64K"), "--size", size, "--purge", kind,
                *options, "--repeat", 1)[0]


def advice_frees_tables():
    """CONFIG_PT_RECLAIM, which x86-64 has since 6.14."""
    release = pathlib.Path("/proc/sys/kernel/osrelease").read_text().split(".")
    return (int(release[0]), int(release[1])) >= (6, 14)


class Purge(unittest.TestCase):
    maxDiff = None

    def check(self, row, expected):
        if row["status"] == "unsupported":
            self.skipTest(row["error"])
        self.assertEqual(row["status"], "ok", row["error"])
        self.assertEqual({column: number(row, column) for column in expected}, expected)

    def test_every_kind_has_counts(self):
        table = WINDOWS_CHARGE if WINDOWS else LINUX
        for program in ("upfront", "chunked"):
            self.assertEqual(describe(program)["purge"][0], "none")
            self.assertCountEqual(describe(program)["purge"][1:], table)

    @unittest.skipIf(WINDOWS, "kinds of Linux")
    def test_what_is_given_back(self):
        for kind, (charge, resident, tables, faults, again) in LINUX.items():
            if kind == "pageout" and len(SWAPS.read_text().splitlines()) > 1:
                resident, faults = 0, None
            if kind == "remap_noreserve" and OVERCOMMIT.read_text().strip() == "2":
                again = 65536
            for step, table in zip(STEPS, tables, strict=True):
                expected = {"purge_calls": SIZE // KIB // {"4K": 4, "64K": 64, "2M": 2048,
                                                           "64M": 65536}[step],
                            "purged_commit_bytes": charge * KIB,
                            "purged_resident_bytes": resident * KIB,
                            "purged_table_bytes": table * KIB, "purged_region_count": 1,
                            "retouch_minor_faults": faults, "retouched_commit_bytes": again * KIB,
                            "retouched_region_count": 1, "released_commit_bytes": 0,
                            "commit_bytes": SIZE, "resident_bytes": SIZE, "region_count": 1}
                if kind == "dontneed" and not advice_frees_tables():
                    expected["purged_table_bytes"] = 132 * KIB
                if faults is None:
                    del expected["retouch_minor_faults"]
                for program in ("upfront", "chunked"):
                    with self.subTest(kind=kind, step=step, program=program):
                        self.check(take(program, kind, "--purge-step", step), expected)

    @unittest.skipUnless(WINDOWS, "kinds of Windows")
    def test_what_is_given_back_on_windows(self):
        for kind, charge in WINDOWS_CHARGE.items():
            for program in ("upfront", "chunked"):
                with self.subTest(kind=kind, program=program):
                    self.check(take(program, kind, "--purge-step", "64K"), {
                        "purge_calls": 1024, "purged_commit_bytes": charge * KIB,
                        "purged_region_count": 1, "retouched_commit_bytes": SIZE,
                        "retouched_region_count": 1, "released_commit_bytes": 0})

    def test_every_second_page(self):
        """Half is given back, and then no two neighbours are alike; all are again once the half is
        usable, but for what came without a reservation."""
        for kind, (mappings, again, charge, charge_again) in (
                ALTERNATE_WINDOWS if WINDOWS else ALTERNATE).items():
            if kind == "remap_noreserve" and OVERCOMMIT.read_text().strip() == "2":
                again, charge_again = 1, 65536
            with self.subTest(kind=kind):
                self.check(take("upfront", kind, "--purge-step", "4K", "--order", "alternate"), {
                    "purge_calls": PAGES // 2, "purged_region_count": mappings,
                    "retouched_region_count": again, "purged_commit_bytes": charge * KIB,
                    "retouched_commit_bytes": charge_again * KIB})

    @unittest.skipIf(WINDOWS, "kinds of Linux")
    def test_only_what_was_touched_is_given_back(self):
        """8 of 80 pages, by 3: three calls; chunked has committed 16 of them."""
        for program, charge in (("upfront", 80), ("chunked", 16)):
            row = take(program, "dontneed", "--touch", "0.1", "--purge-step", 3 * PAGE,
                       size=80 * PAGE)
            self.check(row, {"purge_calls": 3, "purge_step_bytes": 3 * PAGE,
                             "purged_resident_bytes": 0, "retouch_minor_faults": 8,
                             "minor_faults": 16, "commit_bytes": charge * PAGE,
                             "purged_commit_bytes": charge * PAGE})

    def test_batches_count_as_their_cycles(self):
        kind = describe("chunked")["purge"][1]
        for row in rows("chunked", "--size", "64K", "--purge", kind, "--purge-step", "8K",
                        "--repeat", 3):
            self.assertGreater(number(row, "batch"), 1)
            self.assertEqual(row["purge_calls"], "8")
            times = [float(row[f"{phase}_ns"]) for phase in ("reserve", "commit", "touch", "purge",
                                                             "retouch", "release")]
            self.assertAlmostEqual(sum(times), float(row["total_ns"]), delta=0.4)

    def test_a_step_beyond_what_is_touched_is_all_at_once(self):
        kind = describe("upfront")["purge"][1]
        for options in ((), ("--purge-step", "1M")):
            row = take("upfront", kind, *options, size="64K")
            self.assertEqual((row["purge_step_bytes"], row["purge_calls"]), ("65536", "1"))

    def test_without_it_the_cells_are_empty(self):
        row = rows("upfront", "--size", "64K", "--repeat", 1)[0]
        self.assertEqual(row["purge"], "none")
        self.assertEqual({row[column] for column in row
                          if column.startswith(("purge_", "purged_", "retouch"))}, {""})
        self.assertEqual(rows("fault", "--size", "64K", "--repeat", 1)[0]["purge"], "")

    @unittest.skipIf(WINDOWS or SANITIZED or not MAPPINGS.exists(), "a limit of Linux")
    def test_giving_back_is_refused_too(self):
        """A page that is given back splits a mapping in three: the kernel's limit on mappings ends
        it, and the row keeps what was reached."""
        limit = int(MAPPINGS.read_text())
        if limit > 100_000:
            self.skipTest(f"would need {limit} mappings")
        for kind in ("protect", "remap"):
            row = take("upfront", kind, "--purge-step", "4K", "--order", "alternate", size=2**29)
            if row["status"] == "skipped":
                self.skipTest(row["error"])
            with self.subTest(kind=kind):
                self.assertEqual(row["status"], "refused")
                self.assertRegex(row["error"], "^give back of 4096 bytes at offset .*; "
                                               "vm.max_map_count mappings are reached$")
                mappings = number(row, "purged_region_count")
                self.assertLess(limit - mappings, 200)
                self.assertEqual(number(row, "purge_calls"), mappings // 2 + 1)
                self.assertEqual((row["retouched_commit_bytes"], row["purge_ns"],
                                  row["released_commit_bytes"]), ("", "", "0"))

    @unittest.skipIf(WINDOWS, "pages of Linux")
    def test_pages_of_the_pool(self):
        """Given back by whole ones, and by few calls."""
        row = take("upfront", "dontneed", "--pages", "huge", "--purge-step", "2M", size="8M")
        self.check(row, {"purge_calls": 4, "retouch_minor_faults": 4, "minor_faults": 8})
        for kind, step, why in (("free", "2M", "huge pages of the pool can't be given back so"),
                                ("dontneed", "64K", "what is given back at a time must be whole "
                                                    "huge pages")):
            row = take("upfront", kind, "--pages", "huge", "--purge-step", step, size="8M")
            self.assertEqual((row["status"], row["error"]), ("unsupported", why))


if __name__ == "__main__":
    unittest.main()
