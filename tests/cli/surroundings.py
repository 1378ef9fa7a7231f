"""What surrounds a commit: what system calls, copies of the process, stacks and locks make of each
strategy's memory, by tables worked out by hand; and what is refused."""

import collections
import re
import shutil
import tempfile
import unittest

from calls import without_right_to_lock
from support import (EMULATOR, PAGE, SANITIZED, STRATEGIES, WINDOWS, command, execute, number,
                     parse, rows, run)

KIB, MIB = 2**10, 2**20
WANTED = 512
LOCKED = 64 * PAGE
STORING = ("read_pipe", "read_file", "recv_datagram", "recvmsg_datagram", "io_uring_read_pipe")
CALLS = ("read_pipe", "read_file", "recv_datagram", "write_pipe", "write_file") if WINDOWS else \
    (*STORING, "write_pipe", "write_file")
WHOLE = ("whole", WANTED, WANTED, 0)

# (outcome, returned, stored, left) of a call on memory of which half, or none, is committed. Linux
# stores what it can before it fails.
PIPE = {"across the end": ("failed", 0, 256, 512), "past the end": ("failed", 0, 0, 512)}
DATAGRAM = {"across the end": ("lost", 0, 256, 0), "past the end": ("lost", 0, 0, 0)}
FILE = {"across the end": ("short", 256, 256, 256), "past the end": ("failed", 0, 0, 512)}
UNCOMMITTED = {
    "read_pipe": PIPE, "io_uring_read_pipe": PIPE, "write_pipe": PIPE,
    "read_file": FILE, "write_file": FILE,
    "recv_datagram": DATAGRAM, "recvmsg_datagram": DATAGRAM,
}
# Wine looks at all of the memory before it reads, so that nothing is lost or stored there.
NOTHING = ("failed", 0, 0, 512)
UNCOMMITTED_IN_WINE = {call: dict.fromkeys(PIPE, NOTHING) for call in CALLS}


def counts(row, *columns):
    return tuple(number(row, column) if row[column] else None for column in columns)


def subjects():
    """(strategy, guard) of each that this machine can have."""
    taken = rows("surroundings", "--part", "kernel")
    return list(dict.fromkeys((row["subject"], row["guard"]) for row in taken))


class Kernel(unittest.TestCase):
    maxDiff = None

    @unittest.skipIf(WINDOWS and not EMULATOR, "the table is of Wine")
    def test_calls_on_memory_that_is_not_committed(self):
        taken = rows("surroundings", "--part", "kernel")
        self.assertEqual({(row["subject"], row["way"], row["state"]) for row in taken},
                         {(strategy, call, place) for strategy in STRATEGIES for call in CALLS
                          for place in ("usable", *PIPE)})
        uncommitted = UNCOMMITTED_IN_WINE if WINDOWS else UNCOMMITTED
        for row in taken:
            if row["status"] == "unsupported":
                self.assertEqual(row["way"], "io_uring_read_pipe")
                continue
            usable = row["subject"] == "upfront" or row["state"] == "usable"
            wanted = WHOLE if usable else uncommitted[row["way"]][row["state"]]
            if row["way"] not in STORING:
                wanted = (*wanted[:2], None, wanted[3])
            with self.subTest(**{name: row[name] for name in ("subject", "way", "state")}):
                self.assertEqual((row["outcome"], *counts(row, "returned_bytes", "stored_bytes",
                                                          "left_bytes")), wanted)
                self.assertEqual(row["error"] == "", wanted[1] > 0)
                self.assertEqual(number(row, "handled_faults"), 0)


@unittest.skipIf(WINDOWS, "Windows has no fork")
class Fork(unittest.TestCase):
    COUNTS = ("commit_bytes", "region_count", "copy_commit_bytes", "copy_region_count")

    def expected(self, row):
        """Charge and mappings, of this process and of the copy; faults of writing again."""
        size, pages = number(row, "size_bytes"), number(row, "size_bytes") // PAGE
        if row["state"] == "every second page touched":
            half = (pages + 1) // 2
            return half * PAGE, pages, half * PAGE, pages, half
        if row["state"] == "committed":
            return size, 1, size, 1, 0
        if row["state"] == "reserved":
            guard = row["guard"] == "madvise"
            return guard * PAGE, 1 + guard, guard * PAGE, 1 + guard, 0
        return (size, 1, *{"plain": (size, 1, pages), "dontfork": (0, 0, 0),
                           "wipeonfork": (size, 1, 0)}[row["way"]])

    def test_counts(self):
        taken = rows("surroundings", "--part", "fork", "--size", "64K,1M", "--mappings", "2,101",
                     "--repeat", 2)
        cells = collections.Counter(tuple(row[name] for name in
                                          ("subject", "guard", "way", "state", "size_bytes"))
                                    for row in taken)
        self.assertEqual(set(cells.values()), {2})
        self.assertEqual(len(cells), len(subjects()) * 2 * 4 + 2)
        for row in taken:
            with self.subTest(row=row):
                self.assertEqual(row["status"], "ok")
                charge, faults = self.expected(row)[:4], self.expected(row)[4]
                self.assertEqual(counts(row, *self.COUNTS), charge)
                if not SANITIZED:  # whose own memory is copied too
                    self.assertEqual(number(row, "copy_faults"), faults)

    @unittest.skipIf(WINDOWS or SANITIZED, "of POSIX; sanitizers open files themselves")
    def test_where_no_more_files_may_be_open(self):
        """A copy answers by a pipe."""
        import resource
        for most in (4, 6):
            done = run("surroundings", "--part", "fork", "--size", "1M", "--repeat", 1,
                       preexec_fn=lambda most=most: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                                       (most, most)))
            self.assertEqual((done.returncode, done.stderr),
                             (1, "surroundings: fork: Too many open files\n"))

    def test_the_order_is_of_the_seed(self):
        def order(seed):
            return [(row["subject"], row["way"], row["state"]) for row in
                    rows("surroundings", "--part", "fork", "--size", "64K", "--seed", seed)]
        self.assertEqual(order(1), order(1))
        self.assertNotEqual(order(1), order(2))


def most_mappings():
    with open("/proc/sys/vm/max_map_count", encoding="utf-8") as file:
        return int(file.read())


class Stacks(unittest.TestCase):
    def test_what_a_stack_takes(self):
        """A guard that is a mapping of its own is not charged, and keeps neighbours apart; a guard
        in the page tables is charged, and all stacks together are one mapping."""
        for row in rows("surroundings", "--part", "stacks", "--stacks", 100, "--stack",
                        "16K,64K,1M,8M"):
            size = number(row, "size_bytes")
            wanted = {"prot_none": (size - PAGE, 2), "madvise": (size, 0),
                      "page_guard": (size, 2)}[row["guard"]]
            with self.subTest(guard=row["guard"], size=size):
                self.assertEqual((row["status"], number(row, "count")), ("ok", 100))
                self.assertEqual(counts(row, "commit_bytes", "region_count"), wanted)

    @unittest.skipIf(WINDOWS, "vm.max_map_count is Linux's")
    @unittest.skipIf(SANITIZED, "the sanitizer makes mappings of its own")
    def test_where_they_end_is_where_it_was_said_that_they_would(self):
        if most_mappings() > 200000:
            self.skipTest("vm.max_map_count is high")

        def of_kind(stacks):
            return next(row for row in rows("surroundings", "--part", "stacks", "--stack", "16K",
                                            "--stacks", stacks) if row["guard"] == "prot_none")
        few, all_of_them = of_kind(1000), of_kind(most_mappings())
        self.assertEqual((few["status"], few["limit"]), ("ok", "mappings"))
        self.assertEqual((all_of_them["status"], all_of_them["error"]),
                         ("refused", "Cannot allocate memory"))
        self.assertEqual(all_of_them["count"], all_of_them["most"])
        self.assertAlmostEqual(number(all_of_them, "most"), number(few, "most"), delta=4,
                               msg="the process's other mappings lie elsewhere each time")
        others = most_mappings() - 2 * number(few, "most")
        self.assertLess(0, others)
        self.assertLess(others, 200)

    @unittest.skipIf(WINDOWS, "RLIMIT_DATA is Linux's")
    @unittest.skipIf(SANITIZED, "sanitizers exceed the limit by themselves")
    def test_a_limit_on_commit_ends_them(self):
        def limit():
            import resource
            resource.setrlimit(resource.RLIMIT_DATA, (64 * MIB, 64 * MIB))
        done = execute(command("surroundings", "--part", "stacks", "--stack", "1M"),
                       preexec_fn=limit)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for row in parse(done.stdout):
            self.assertEqual(row["status"], "refused")
            self.assertLess(number(row, "count"), 66)


# (commit, regions, resident, locked, minor faults, handled faults) of 64 pages in steps of 16,
# before the first touch and when 33 are touched. Under MCL_FUTURE what is committed is resident.
def of_locks(untouched, touched, populated):
    """Each as (commit, regions, resident, faults, handled), in pages."""
    return {("none", "untouched"): (*untouched[:3], 0, *untouched[3:]),
            ("none", "33 pages touched"): (*touched[:3], 0, *touched[3:]),
            ("future", "untouched"): (*populated[0][:3], 64, *populated[0][3:]),
            ("future", "33 pages touched"): (*populated[1][:3], 64, *populated[1][3:]),
            ("onfault", "untouched"): (*untouched[:3], 64, *untouched[3:]),
            ("onfault", "33 pages touched"): (*touched[:3], 64, *touched[3:])}


NONE_YET = (0, 1, 0, 0, 0)
LOCKS = {
    ("upfront", ""): of_locks((64, 1, 0, 0, 0), (64, 1, 33, 33, 0),
                              ((64, 1, 64, 64, 0), (64, 1, 64, 64, 0))),
    ("fault", ""): of_locks(NONE_YET, (33, 2, 33, 33, 33), (NONE_YET, (33, 2, 33, 33, 33))),
    ("chunked", ""): of_locks(NONE_YET, (48, 2, 33, 33, 0), (NONE_YET, (48, 2, 48, 48, 0))),
    ("guard", "prot_none"): of_locks(NONE_YET, (48, 2, 33, 33, 3), (NONE_YET, (48, 2, 48, 48, 3))),
}
GUARDS_UNLOCKED = {"untouched": (1, 2, 0, 0, 0, 0), "33 pages touched": (49, 2, 33, 0, 33, 3)}


@unittest.skipIf(WINDOWS, "Windows has no such lock")
@unittest.skipIf(SANITIZED, "a sanitizer's mlockall does nothing")
class Locked(unittest.TestCase):
    maxDiff = None
    COUNTS = ("commit_bytes", "region_count", "resident_bytes", "locked_bytes", "minor_faults",
              "handled_faults")

    def pages(self, row):
        return tuple(value // PAGE if name.endswith("_bytes") else value for name, value in
                     zip(self.COUNTS, counts(row, *self.COUNTS)))

    def taken(self):
        taken = rows("surroundings", "--part", "locked")
        if any("temporarily unavailable" in row["error"] or "not permitted" in row["error"]
               for row in taken):
            self.skipTest("RLIMIT_MEMLOCK is low")
        return taken

    def test_what_is_resident_and_charged(self):
        taken = [row for row in self.taken() if row["guard"] != "madvise"]
        self.assertEqual(len(taken), 4 * 6)
        for row in taken:
            with self.subTest(row=row):
                self.assertEqual(row["status"], "ok")
                self.assertEqual(self.pages(row), LOCKS[row["subject"], row["guard"]][
                    row["way"], row["state"]])

    def test_guards_in_the_page_tables_are_refused(self):
        """And leave their page committed, and resident where it was populated."""
        taken = [row for row in self.taken() if row["guard"] == "madvise"]
        if not taken:
            self.skipTest("needs MADV_GUARD_INSTALL, Linux 6.13")
        for row in taken:
            with self.subTest(row=row):
                if row["way"] == "none":
                    self.assertEqual((row["status"], self.pages(row)),
                                     ("ok", GUARDS_UNLOCKED[row["state"]]))
                    continue
                populated = int(row["way"] == "future")
                self.assertEqual((row["status"], row["error"]), (
                    "refused", "set guard of 4096 bytes at offset 0: Invalid argument"))
                self.assertEqual(self.pages(row), (1, 2, populated, 64, populated, 0))

    def limited(self, limit):
        done = execute(command("surroundings", "--part", "locked"),
                       preexec_fn=without_right_to_lock(limit))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return parse(done.stdout)

    def test_a_reservation_counts_against_the_limit(self):
        for row in self.limited(64 * KIB):
            locks = row["way"] != "none"
            self.assertEqual(row["status"], "refused" if locks else "ok", row)
            call = "reserve and commit" if row["subject"] == "upfront" else "reserve"
            self.assertEqual(row["error"], f"{call} of {LOCKED} bytes at offset 0: Resource "
                             "temporarily unavailable" if locks else "", row)

    def test_who_may_lock_nothing(self):
        for row in self.limited(0):
            self.assertEqual((row["status"], row["error"]),
                             ("ok", "") if row["way"] == "none" else
                             ("refused", "Operation not permitted"), row)


@unittest.skipUnless(WINDOWS, "Linux has both")
class Windows(unittest.TestCase):
    def test_what_it_has_not(self):
        taken = rows("surroundings", "--part", "fork,locked")
        self.assertEqual([(row["part"], row["status"], row["error"]) for row in taken],
                         [("fork", "unsupported", "Windows has no fork"),
                          ("locked", "unsupported",
                           "Windows locks nothing before it is committed")])


@unittest.skipIf(WINDOWS or SANITIZED or not shutil.which("strace"), "needs strace")
class Traced(unittest.TestCase):
    """The same as strace sees it."""

    def trace(self, calls, *words):
        """(rows, {(call, error or ""): how often})"""
        with tempfile.NamedTemporaryFile("r") as log:
            done = execute(["strace", "-e", calls, "-o", log.name,
                            *command("surroundings", *words)])
            lines = log.read().splitlines()
        if done.returncode != 0 and "ptrace" in done.stderr:
            self.skipTest("ptrace is not allowed here")
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = collections.Counter()
        for line in lines:
            if match := re.match(r"(\w+)\(.* = (-?\w+)(?: (\w+))?", line):
                seen[match[1], match[3] if match[2] == "-1" else ""] += 1
        return parse(done.stdout), seen

    def test_bad_addresses(self):
        taken, seen = self.trace("trace=read,write,recvfrom,recvmsg", "--part", "kernel")
        bad = collections.Counter(row["way"] for row in taken if row["error"] == "Bad address")
        self.assertEqual(seen["read", "EFAULT"], bad["read_pipe"] + bad["read_file"])
        self.assertEqual(seen["write", "EFAULT"], bad["write_pipe"] + bad["write_file"])
        self.assertEqual(seen["recvfrom", "EFAULT"], bad["recv_datagram"])
        self.assertEqual(seen["recvmsg", "EFAULT"], bad["recvmsg_datagram"])
        self.assertEqual(bad["read_pipe"], 2 * bad["read_file"])
        self.assertGreater(bad["read_file"], 2)

    def test_without_io_uring(self):
        taken, _ = self.trace("inject=io_uring_setup:error=EPERM", "--part", "kernel")
        rings = [row for row in taken if row["way"] == "io_uring_read_pipe"]
        self.assertEqual({(row["status"], row["error"], row["outcome"]) for row in rings},
                         {("unsupported", "Operation not permitted", "")})
        self.assertEqual({row["status"] for row in taken if row not in rings}, {"ok"})

    def test_forks_and_locks(self):
        taken, seen = self.trace("trace=clone,clone3,fork,mlockall,munlockall", "--part",
                                 "fork,locked", "--size", "64K", "--mappings", 2)
        parts = collections.Counter(row["part"] for row in taken)
        self.assertEqual(seen["clone", ""] + seen["clone3", ""] + seen["fork", ""], parts["fork"])
        self.assertEqual(seen["mlockall", ""], parts["locked"] * 2 // 3)
        self.assertEqual(seen["munlockall", ""], parts["locked"])

    def test_a_refused_fork_is_a_row(self):
        taken, _ = self.trace("inject=clone,clone3:error=ENOMEM", "--part", "fork", "--strategy",
                              "upfront", "--size", "64K")
        self.assertEqual({(row["status"], row["error"], row["ns"]) for row in taken},
                         {("refused", "Cannot allocate memory", "")})
        self.assertEqual(len(taken), 4)


class Usage(unittest.TestCase):
    def test_bad_usage(self):
        for arguments, line in (
                (["--part", "spin"], "--part: 'spin' is no part here; use kernel, fork, stacks or "
                                     "locked"),
                (["--part", "fork,fork"], "--part: 'fork' comes a second time; name each once"),
                (["--strategy", "malloc"], "--strategy: 'malloc' is no strategy here; use upfront, "
                                           "fault, chunked or guard"),
                (["--size", "4095"], "--size: '4095' is no multiple of 4096 bytes from 4096 to "
                                     "68719476736"),
                (["--size", "4KB"], "--size: '4KB' is no size; use bytes or K, M, G, as in 64K"),
                (["--stack", "4K"], "--stack: '4K' is no multiple of 4096 bytes from 8192 to "
                                    "68719476736"),
                (["--mappings", "1"], "--mappings: '1' is no whole number from 2 to 60000"),
                (["--stacks", "0"], "--stacks: '0' is no whole number from 1 to 1000000"),
                (["--repeat", "0"], "--repeat: '0' is no whole number from 1 to 4294967295"),
                (["--seed", "-1"], "--seed: '-1' is no whole number from 0 to "
                                   "18446744073709551615"),
                (["--bogus"], "--bogus: no such option; --help lists them")):
            with self.subTest(arguments=arguments):
                done = run("surroundings", *arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (2, "", f"surroundings: {line}\n"))

    def test_help_names_its_options(self):
        said = run("surroundings", "--help")
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        for option in ("--part", "--strategy", "--size", "--mappings", "--stack", "--stacks",
                       "--repeat", "--seed"):
            self.assertIn(f"  {option} ", said.stdout)


if __name__ == "__main__":
    unittest.main()
