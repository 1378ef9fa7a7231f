"""Memory that was touched a moment ago, freed just before others touch it.

A hypervisor takes free memory from its guest within seconds and gives it back a page at a time,
which costs several times what is to be measured. A set over gigabytes lasts that long. So what it
will touch is touched beforehand, and freed as it goes on. Where Python can't free a part of a
mapping (Windows), this does nothing.
"""

import concurrent.futures
import contextlib
import mmap
import os

import numpy

from vmcommit.base.units import MIB
from vmcommit.measure.environment import CPUS

UNIT = 2 * MIB  # a huge page: a part of one would not be free before the rest of it is
AHEAD = 4 * UNIT  # freed before anything is touched
POSSIBLE = hasattr(mmap, "MADV_DONTNEED")


def touch(memory):
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, CPUS)  # of this thread
    memory[::mmap.PAGESIZE] = 1


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
        """On every CPU: memory that a hypervisor has to give back first comes twice as fast with
        two."""
        if hasattr(mmap, "MADV_HUGEPAGE"):
            try:
                self.memory.madvise(mmap.MADV_HUGEPAGE)
            except OSError:  # a kernel without huge pages
                pass
        parts = numpy.array_split(numpy.frombuffer(self.memory, numpy.uint8), max(len(CPUS), 1))
        with concurrent.futures.ThreadPoolExecutor(len(parts)) as threads:
            try:
                list(threads.map(touch, parts))
            except RuntimeError:  # no thread may be started, as where pids.max is reached
                for part in parts:
                    part[::mmap.PAGESIZE] = 1

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
