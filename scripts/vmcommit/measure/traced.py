"""What strace saw of a harness's last cycle: the calls and the faults that fall into its region."""

import re

ADDRESS = "(NULL|0x[0-9a-f]+)"
WRITABLE = f"mmap\\({ADDRESS}, \\d+, PROT_READ\\|PROT_WRITE, "
PROTECT = f"mprotect\\({ADDRESS}, \\d+, PROT_READ\\|PROT_WRITE\\)"
GROW = f"mremap\\({ADDRESS}, "
# The calls that commit, by the kind of that; all other kinds are USUAL. What populates beside one
# of them is part of the same commit, and the kernel grows a stack without any.
USUAL = (WRITABLE, PROTECT)
COMMITS = {
    "in_place": (WRITABLE, GROW),
    "move": (WRITABLE, GROW),
    "growsdown": (),
    "copy": (f"ioctl\\(\\d+, UFFDIO_COPY, {{dst={ADDRESS}",),
    "zeropage": (f"ioctl\\(\\d+, UFFDIO_ZEROPAGE, {{range={{start={ADDRESS}",),
}


def advice(name, number):
    """strace may not know an advice's name yet."""
    return f"madvise\\({ADDRESS}, \\d+, (?:MADV_{name}|0x{number:x}\\b)"


def mapped_over(flags):
    return f"mmap\\({ADDRESS}, \\d+, PROT_NONE, {re.escape(flags)},"


PURGES = {
    "dontneed": advice("DONTNEED", 4),
    "free": advice("FREE", 8),
    "cold": advice("COLD", 20),
    "pageout": advice("PAGEOUT", 21),
    "guard": advice("GUARD_INSTALL", 102),
    "protect": f"mprotect\\({ADDRESS}, \\d+, PROT_NONE\\)",
    "remap": mapped_over("MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"),
    "remap_noreserve": mapped_over("MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS|MAP_NORESERVE"),
}
TASK = re.compile(r"^\d+ +")  # whose line it is
RESERVE = re.compile(r"mmap\((NULL), (\d+), ")
RELEASE = re.compile(r"munmap\((0x[0-9a-f]+), (\d+)")
SIGNAL = re.compile(r"--- SIG(?:SEGV|BUS) .*si_addr=(0x[0-9a-f]+)")
MESSAGE = r'"\22\0'  # how a userfaultfd's begins: UFFD_EVENT_PAGEFAULT


def name_of(line) -> str:
    return line.partition("(")[0]


def mapping_in(pattern, line) -> tuple[int, int]:
    """The address and the bytes in a line, (0, 0) where it is another."""
    found = pattern.match(line)
    return (int(found[1].replace("NULL", "0"), 16), int(found[2])) if found else (0, 0)


class Traced:
    """The last cycle of a log: from the mapping from which its region came to its release. `size`:
    the region's; `row`: the harness's own."""

    def __init__(self, log, size, row):
        self.lines = [TASK.sub("", line) for line in log.splitlines()]
        release = max(at for at, line in enumerate(self.lines)
                      if mapping_in(RELEASE, line)[1] in (size, 2 * size))
        reserve = max(at for at, line in enumerate(self.lines[:release])
                      if mapping_in(RESERVE, line)[1] >= size)
        self.start, length = mapping_in(RELEASE, self.lines[release])
        self.end = self.start + length
        self.munmaps_before = self.calls_until("munmap", release)
        cycle = range(reserve, release)
        purge = PURGES.get(row["purge"])
        purges = [at for at in cycle if purge and self.within(purge, at)]
        self.purges = len(purges)
        self.purge_call = name_of(self.lines[purges[-1]]) if purges else ""
        self.purge_calls_until_last = self.calls_until(self.purge_call, purges[-1] + 1) \
            if purges else 0
        # What makes usable again what was given back is no commit.
        until = purges[0] if purges else release
        self.commits = sum(any(self.within(commit, at) for commit in
                               COMMITS.get(row["commit_kind"], USUAL))
                           for at in range(reserve, until))
        self.faults = sum(MESSAGE in self.lines[at] or self.within(SIGNAL, at) for at in cycle)

    def within(self, pattern, at) -> bool:
        """Whether a line is such a call, or such a signal, in the region. What names no address is
        what the region came from."""
        found = re.match(pattern, self.lines[at])
        return found is not None and (found[1] == "NULL" or self.holds(int(found[1], 16)))

    def calls_until(self, name, end) -> int:
        return sum(line.startswith(f"{name}(") for line in self.lines[:end])

    def holds(self, address) -> bool:
        return self.start <= address < self.end
