"""What each way to commit has in store for those who don't expect it."""

import unittest

from support import PAGE, SANITIZED, WINDOWS, number, rows

MIB = 2**20


def under_a_limit(program, *arguments):
    """A row, with room for 32 MiB of data, less what the process itself has."""
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (32 * MIB, 32 * MIB))
    return rows(program, "--size", "64M", *arguments, "--repeat", 1, preexec_fn=limit)[0]


@unittest.skipIf(WINDOWS, "kinds of Linux")
class Commit(unittest.TestCase):
    @unittest.skipIf(SANITIZED, "sanitizers exceed the limit by themselves")
    def test_what_is_mapped_over_counts_as_data_that_was_there(self):
        """RLIMIT_DATA: mmap with MAP_FIXED adds what it maps less what it maps over, so only a step
        after the limit was passed is refused, and one for all never is (mm/vma.c)."""
        reached = {kind: under_a_limit("chunked", "--chunk", "1M", "--commit", kind)
                   for kind in ("mprotect", "remap")}
        for row in reached.values():
            self.assertEqual(row["status"], "refused")
            self.assertIn("Cannot allocate memory", row["error"])
        charged = {kind: number(row, "commit_bytes") // MIB for kind, row in reached.items()}
        self.assertEqual(charged["remap"], charged["mprotect"] + 1)
        row = under_a_limit("chunked", "--chunk", "64M", "--commit", "remap")
        self.assertEqual((row["status"], row["commit_calls"], row["commit_bytes"]),
                         ("ok", "1", str(64 * MIB)))

    @unittest.skipIf(SANITIZED, "sanitizers exceed the limit by themselves")
    def test_what_is_never_charged_is_limited_all_the_same(self):
        """RLIMIT_DATA counts writable private memory, with or without a charge."""
        for program in ("upfront", "chunked"):
            row = under_a_limit(program, "--commit", "noreserve")
            self.assertEqual((row["status"], row["commit_bytes"]), ("refused", "0"))

    @unittest.skipIf(SANITIZED, "a sanitizer's own handler was there before ours")
    def test_a_stack_is_refused_at_its_limit(self):
        """By a fault, which without a handler would be the end of the process."""
        import resource

        def limit():
            resource.setrlimit(resource.RLIMIT_STACK, (8 * MIB, 8 * MIB))
        full, more = (rows("stack", "--size", size, "--repeat", 1, preexec_fn=limit)[0]
                      for size in (8 * MIB, 8 * MIB + PAGE))
        self.assertEqual((full["status"], number(full, "commit_bytes")), ("ok", 8 * MIB))
        self.assertEqual((more["status"], more["error"]), (
            "refused", "grow of 4096 bytes at offset 0: Cannot allocate memory"))
        self.assertEqual((number(more, "commit_bytes"), number(more, "minor_faults"),
                          number(more, "released_commit_bytes")), (8 * MIB, 2048, 0))

    @unittest.skipIf(SANITIZED, "sanitizers exceed the limit by themselves")
    def test_the_limit_on_data_ends_a_mapping_that_grows(self):
        for kind in ("in_place", "move"):
            row = under_a_limit("mremap", "--chunk", "1M", "--commit", kind)
            with self.subTest(kind=kind):
                self.assertEqual(row["status"], "refused")
                self.assertRegex(row["error"], "^grow of 1048576 bytes at offset .*: Cannot")
                self.assertEqual(number(row, "commit_calls"),
                                 number(row, "commit_bytes") // MIB + 1)

    def test_a_step_below_64_kib_gains_nothing_from_pages_of_64_kib(self):
        faults = {}
        for step in (PAGE, 16 * PAGE):
            row = rows("chunked", "--size", MIB, "--chunk", step, "--pages", "thp-64K",
                       "--repeat", 1)[0]
            if row["status"] == "unsupported":
                self.skipTest(row["error"])
            faults[step] = number(row, "minor_faults")
        self.assertEqual(faults, {PAGE: 256, 16 * PAGE: 16})


if __name__ == "__main__":
    unittest.main()
