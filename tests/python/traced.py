"""What of strace's log counts as a commit, a fault and giving back of the last cycle's region."""

import unittest

from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.measure.traced import PURGES, Traced

SIZE = 65536
RW = "PROT_READ|PROT_WRITE"
PRIVATE = "MAP_PRIVATE|MAP_ANONYMOUS"
WARM = [f"mmap(NULL, {SIZE}, {RW}, {PRIVATE}, -1, 0) = 0x10000", f"munmap(0x10000, {SIZE}) = 0"]


def traced(*lines, commit="mprotect", purge="", size=SIZE, base=0x20000, protection="PROT_NONE",
           before="71  "):
    log = [*WARM, f"mmap(NULL, {SIZE}, {protection}, {PRIVATE}, -1, 0) = {base:#x}", *lines,
           f"munmap({base:#x}, {size} <unfinished ...>", "mprotect(0x21000, 4096, PROT_READ) = 0"]
    return Traced("\n".join(before + line for line in log), SIZE,
                  {"commit_kind": commit, "purge": purge})


class Counts(unittest.TestCase):
    def check(self, commits, faults, purges, *lines, **options):
        found = traced(*lines, **options)
        self.assertEqual((found.commits, found.faults, found.purges), (commits, faults, purges))
        return found

    def test_the_region_is_that_of_the_last_cycle(self):
        for before in ("", "71  "):
            found = self.check(0, 0, 0, before=before)
            self.assertEqual((found.start, found.end, found.munmaps_before), (0x20000, 0x30000, 1))

    def test_commits_of_each_kind(self):
        protect = f"mprotect(0x20000, 4096, {RW}) = 0"
        remap = f"mmap(0x21000, 4096, {RW}, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0) = 0x21000"
        outside = f"mprotect(0x30000, 4096, {RW}) = 0"
        populate = "madvise(0x20000, 4096, MADV_POPULATE_WRITE) = 0"
        for kind in ("mprotect", "remap", "populate", "noreserve"):
            self.check(2, 0, 0, protect, remap, outside, populate, commit=kind)
        self.check(1, 0, 0, protection=RW)

    def test_commits_of_harnesses_apart(self):
        first = f"mmap(0x20000, 4096, {RW}, {PRIVATE}, -1, 0) = 0x20000"
        grow = "mremap(0x20000, 4096, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, 0x30000) = 0x30000"
        back = "mremap(0x30000, 8192, 12288, MREMAP_MAYMOVE|MREMAP_FIXED, 0x20000) = 0x20000"
        self.check(3, 0, 0, first, grow, back, commit="move", size=2 * SIZE)
        self.check(2, 0, 0, first, grow, commit="in_place")
        self.check(0, 0, 0, first, commit="growsdown")
        copy = "ioctl(3, UFFDIO_COPY, {dst=0x20000, src=0x50000, len=0x1000, mode=0 <unfinished"
        zero = "ioctl(3, UFFDIO_ZEROPAGE, {range={start=0x21000, len=0x1000}, mode=0}) = 0"
        self.check(1, 0, 0, copy, zero, commit="copy", protection=RW)
        self.check(1, 0, 0, copy, zero, commit="zeropage", protection=RW)

    def test_faults(self):
        self.check(0, 3, 0,
                   "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x20008} ---",
                   "--- SIGBUS {si_signo=SIGBUS, si_code=BUS_ADRERR, si_addr=0x21000} ---",
                   "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x1} ---",
                   r'<... read resumed>"\22\0\0\0\0\0\0\0\1\0\0\0"..., 32) = 32',
                   'read(3, "VmPTE:"..., 16383) = 12')

    def test_giving_back(self):
        over = "mmap(0x20000, 4096, PROT_NONE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"
        calls = {kind: f"madvise(0x20000, 4096, MADV_{advice}) = 0" for kind, advice in (
            ("dontneed", "DONTNEED"), ("free", "FREE"), ("cold", "COLD"), ("pageout", "PAGEOUT"),
            ("guard", "GUARD_INSTALL"))}
        calls |= {"protect": "mprotect(0x20000, 4096, PROT_NONE) = 0",
                  "remap": f"{over}, -1, 0) = 0x20000",
                  "remap_noreserve": f"{over}|MAP_NORESERVE, -1, 0) = 0x20000"}
        self.assertEqual(set(calls), set(PURGES))
        for kind in calls:
            with self.subTest(kind=kind):
                found = self.check(1, 0, 1, *calls.values(), purge=kind, protection=RW)
                self.assertEqual(found.purge_call, calls[kind].partition("(")[0])
        self.check(1, 0, 1, "madvise(0x20000, 4096, 0x66 /* MADV_??? */) = 0", purge="guard",
                   protection=RW)

    def test_what_makes_usable_again_is_no_commit(self):
        found = self.check(1, 0, 2, f"mprotect(0x20000, 65536, {RW}) = 0",
                           "mprotect(0x20000, 4096, PROT_NONE) = 0",
                           "mprotect(0x21000, 4096, PROT_NONE) = 0",
                           f"mprotect(0x20000, 4096, {RW}) = 0", purge="protect")
        self.assertEqual((found.purge_call, found.purge_calls_until_last), ("mprotect", 3))


if __name__ == "__main__":
    unittest.main()
