"""What each way to commit has in store for those who don't expect it."""

import ctypes
import errno
import os
import pathlib
import platform
import shutil
import unittest

from support import PAGE, SANITIZED, WINDOWS, command, execute, number, parse, rows, taken_by

MIB = 2**20
SETTING = pathlib.Path("/proc/sys/vm/overcommit_memory")
OVERCOMMIT = SETTING.read_text().strip() if SETTING.exists() else ""


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

    @unittest.skipIf(SANITIZED, "sanitizers reserve terabytes by themselves")
    def test_address_space_is_limited_when_it_is_reserved_and_never_later(self):
        """RLIMIT_AS counts mappings, whatever can be done with them."""
        import resource

        def row(limit, program, *arguments):
            return rows(program, "--size", "64M", "--chunk", "1M", *arguments, "--repeat", 1,
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                                              (limit, limit)))[0]
        for kind in ("mprotect", "remap"):
            with self.subTest(kind=kind):
                refused = row(64 * MIB, "chunked", "--commit", kind)
                self.assertEqual((refused["status"], refused["error"]), (
                    "refused", "reserve of 67108864 bytes at offset 0: Cannot allocate memory"))
                self.assertEqual((refused["commit_calls"], refused["commit_bytes"]), ("0", "0"))
                self.assertEqual(row(128 * MIB, "chunked", "--commit", kind)["status"], "ok")

    @unittest.skipIf(OVERCOMMIT != "0", "vm.overcommit_memory is not 0")
    def test_more_than_there_is(self):
        """The heuristic refuses what is charged and larger than memory and swap together. What is
        not charged it lets through, and a mapping that could not be mapped over stays whole."""
        import resource
        if resource.getrlimit(resource.RLIMIT_DATA)[0] != resource.RLIM_INFINITY:
            self.skipTest("RLIMIT_DATA refuses it first")
        size = 2 * sum(int(line.split()[1]) for line in
                       pathlib.Path("/proc/meminfo").read_text().splitlines()
                       if line.startswith(("MemTotal:", "SwapTotal:"))) * 1024 // PAGE * PAGE
        for program, kind, expected in (
                ("upfront", "mprotect", ("refused", "0", "1", "0")),
                ("upfront", "noreserve", ("ok", "0", "1", "1")),
                ("chunked", "mprotect", ("refused", "0", "1", "1")),
                ("chunked", "remap", ("refused", "0", "1", "1")),
                ("chunked", "noreserve", ("ok", "0", "1", "1"))):
            row = rows(program, "--size", size, *taken_by(program, "--chunk", size), "--touch",
                       "0.000001", "--commit", kind, "--repeat", 1)[0]
            with self.subTest(program=program, kind=kind):
                self.assertEqual(tuple(row[column] for column in (
                    "status", "commit_bytes", "commit_calls", "region_count")), expected)

    @unittest.skipIf(SANITIZED, "sanitizers exceed the limit by themselves")
    def test_a_stack_is_not_limited_as_data(self):
        """RLIMIT_DATA does not count what grows downwards."""
        import resource
        hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
        if hard != resource.RLIM_INFINITY and hard < 128 * MIB:
            self.skipTest("RLIMIT_STACK can't be raised")

        def limit():
            resource.setrlimit(resource.RLIMIT_STACK, (128 * MIB, hard))
            resource.setrlimit(resource.RLIMIT_DATA, (32 * MIB, 32 * MIB))
        row = rows("stack", "--size", "64M", "--repeat", 1, preexec_fn=limit)[0]
        self.assertEqual((row["status"], row["commit_bytes"]), ("ok", str(64 * MIB)))

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


def reason_against_userfaultfd():
    """Why a row is unsupported here; empty where it isn't."""
    return rows("uffd", "--size", "4K", "--repeat", 1)[0]["error"]


@unittest.skipIf(WINDOWS, "a call of Linux")
class Userfaultfd(unittest.TestCase):
    NUMBERS = {"x86_64": 323, "aarch64": 282}  # of the call
    USER_MODE_ONLY = 1
    NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}

    def setUp(self):
        if why := reason_against_userfaultfd():
            self.skipTest(why)

    def unprivileged(self, words):
        """A finished process of a user without privileges."""
        try:
            return execute(words, **(self.NOBODY if os.geteuid() == 0 else {}))
        except PermissionError:
            self.skipTest("another user can't reach the programs")

    def test_users_without_privileges_are_told_of_their_own_accesses(self):
        for trap in ("sigbus", "thread"):
            done = self.unprivileged(command("uffd", "--size", "64K", "--chunk", "16K", "--trap",
                                             trap, "--repeat", 1))
            with self.subTest(trap=trap):
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                row = parse(done.stdout)[0]
                self.assertEqual((row["status"], row["error"]), ("ok", ""))
                self.assertEqual(number(row, "handled_faults"), 4)

    def test_they_are_told_of_nothing_else(self):
        """vm.unprivileged_userfaultfd is 0: EPERM, but with UFFD_USER_MODE_ONLY."""
        setting = pathlib.Path("/proc/sys/vm/unprivileged_userfaultfd")
        if not setting.exists() or setting.read_text().strip() != "0":
            self.skipTest("vm.unprivileged_userfaultfd is not 0")
        if platform.machine() not in self.NUMBERS:
            self.skipTest("the call's number is not known here")
        child = os.fork()
        if child == 0:
            os._exit(self.errors_without_privileges() != [errno.EPERM, 0])
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def errors_without_privileges(self):
        """Of asking for all faults, and for those of user code alone; 0 where it was allowed."""
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(self.NOBODY["group"])
            os.setuid(self.NOBODY["user"])
        call = ctypes.CDLL(None, use_errno=True).syscall
        number_of_call = self.NUMBERS[platform.machine()]
        return [0 if call(number_of_call, os.O_CLOEXEC | flag) >= 0 else ctypes.get_errno()
                for flag in (0, self.USER_MODE_ONLY)]

    @unittest.skipIf(SANITIZED or not shutil.which("strace"), "strace; a search for leaks minds it")
    def test_where_there_is_none_the_row_says_why(self):
        for call, error, why in (
                ("userfaultfd", "ENOSYS", "this kernel has no userfaultfd (CONFIG_USERFAULTFD)"),
                ("userfaultfd", "EPERM", "userfaultfd is not allowed here "
                                         "(vm.unprivileged_userfaultfd, a sandbox)"),
                ("ioctl", "EINVAL", "this kernel's userfaultfd raises no SIGBUS (Linux 4.14)")):
            for trap in ("sigbus", "thread"):
                done = execute(["strace", "-o", os.devnull, "-e", f"trace={call}", "-e",
                                f"inject={call}:error={error}",
                                *command("uffd", "--size", "64K", "--trap", trap, "--repeat", 1)])
                with self.subTest(error=error, trap=trap):
                    self.assertEqual(done.returncode, 0, done.stderr)
                    row = parse(done.stdout)[0]
                    self.assertEqual((row["status"], row["error"], row["commit_calls"]),
                                     ("unsupported", why, ""))

    @unittest.skipIf(SANITIZED or not shutil.which("strace"), "strace; a search for leaks minds it")
    def test_a_supply_that_is_refused_is_a_row(self):
        """By the kernel's lack of memory. The signal's cycle ends there; whoever waits for a thread
        can only be let go on, and then touches all."""
        for trap in ("sigbus", "thread"):
            done = execute(["strace", "-f", "-o", os.devnull, "-e", "trace=ioctl", "-e",
                            "inject=ioctl:error=ENOMEM:when=20", *command(
                                "uffd", "--size", "64K", "--chunk", "4K", "--trap", trap,
                                "--repeat", 1)])
            with self.subTest(trap=trap):
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                row = parse(done.stdout)[0]
                self.assertEqual((row["status"], row["total_ns"]), ("refused", ""))
                self.assertRegex(row["error"], "^supply of 4096 bytes at offset [0-9]+: Cannot "
                                               "allocate memory$")
                supplied = int(row["error"].split()[6].strip(":")) // PAGE
                reached = (supplied + 1, supplied, supplied) if trap == "sigbus" else (16, 15, 16)
                self.assertEqual((number(row, "commit_calls"), number(row, "handled_faults"),
                                  number(row, "resident_bytes") // PAGE), reached)
                self.assertEqual(number(row, "released_commit_bytes"), 0)


if __name__ == "__main__":
    unittest.main()
