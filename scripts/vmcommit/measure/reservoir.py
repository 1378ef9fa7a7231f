"""Memory that was touched a moment ago, freed just before others touch it.

A hypervisor takes free memory from its guest within seconds and gives it back a page at a time,
which costs several times what is to be measured. A set over gigabytes lasts that long. So what it
will touch is touched beforehand, and freed as it goes on. Where Python can't free a part of a
mapping (Windows), this does nothing.
"""

import mmap

import numpy

from vmcommit.base.units import MIB

UNIT = 2 * MIB  # a huge page: a part of one would not be free before the rest of it is
AHEAD = 4 * UNIT  # freed before anything is touched
POSSIBLE = hasattr(mmap, "MADV_DONTNEED")


class Reservoir:
    """`size`: bytes that will be touched."""

    def __init__(self, size: int):
        self.size = size // UNIT * UNIT if POSSIBLE else 0
        self.freed = 0
        self.owed = AHEAD
        self.memory = None
        if self.size > AHEAD:
            self.memory = mmap.mmap(-1, self.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            self.fill()
            self.free(0)

    def fill(self):
        if hasattr(mmap, "MADV_HUGEPAGE"):
            try:
                self.memory.madvise(mmap.MADV_HUGEPAGE)
            except OSError:  # a kernel without huge pages
                pass
        pages = numpy.frombuffer(self.memory, numpy.uint8)
        pages[::mmap.PAGESIZE] = 1

    def free(self, size: int):
        """`size` more bytes are about to be touched."""
        self.owed += size
        whole = min(self.owed // UNIT * UNIT, self.size - self.freed)
        if self.memory and whole:
            self.memory.madvise(mmap.MADV_DONTNEED, self.freed, whole)
            self.freed += whole
            self.owed -= whole

    def close(self):
        if self.memory:
            self.memory.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
