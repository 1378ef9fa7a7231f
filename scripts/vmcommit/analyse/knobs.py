"""What a knob of a program's allocator would have made of a recording. Each is here because what it
does was simulated and held against real runs: docs/record.md has the figures."""

import collections
import dataclasses
import math
import re

from vmcommit.analyse import recording as recordings
from vmcommit.analyse.space import MAP_ANONYMOUS, MAP_PRIVATE, Space
from vmcommit.base.units import KIB, MIB

# glibc's defaults: M_TOP_PAD and M_TRIM_THRESHOLD (mallopt(3)).
TOP_PAD = TRIM_THRESHOLD = 128 * KIB
PADS = (256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB)
# Where it gives back and takes again as often, small blocks don't tell what is in use.
MOST_SHRINKS = 0.2  # of the growths
LEAST_GROWTHS = 20


@dataclasses.dataclass
class Heap:
    """Of brk: bytes at most, and how often its end moved."""

    most: int = 0
    growths: int = 0
    shrinks: int = 0


def moves_of(recording):
    """{space: [(end before, end after)]} of each heap that moved its end by brk."""
    ends, moves = {}, {}
    for call in recording.calls:
        if call.name != "brk" or call.failed:
            continue
        before = ends.get(call.space)
        ends[call.space] = call.result
        if before is not None and before != call.result:
            moves.setdefault(call.space, []).append((before, call.result))
    return moves


def threshold_moved(recording, space):
    """Whether malloc gave back a block that it had mapped alone, and its heap grew later: blocks of
    that size are then mapped no more, unless a knob is set (M_MMAP_THRESHOLD, mallopt(3))."""
    mapped, moved = {}, False
    for call in recording.calls:
        if call.space != space or call.failed:
            continue
        if call.name == "mmap" and call.arguments[3] == MAP_PRIVATE | MAP_ANONYMOUS:
            mapped[call.result] = call.arguments[1]
        elif call.name == "munmap":
            size = mapped.get(call.arguments[0], 0)
            moved = moved or TOP_PAD < size == call.arguments[1]
        elif call.name == "brk" and moved:
            return True
    return False


def largest_heap(recording):
    """(moves of the heap that moved most often, why nothing can be said of another pad, or '');
    None without a heap that grows."""
    moves = moves_of(recording)
    if not moves:
        return None
    space = max(moves, key=lambda number: len(moves[number]))
    heap = recorded(moves[space])
    if heap.growths < LEAST_GROWTHS:
        return None
    why = ""
    if "top_pad" not in recording.facts.get("tunables", "") and threshold_moved(recording, space):
        why = ("malloc's threshold for blocks of their own moved, which it doesn't once a pad is "
               f"set; record it with GLIBC_TUNABLES=glibc.malloc.top_pad={TOP_PAD}, its default")
    elif heap.shrinks > MOST_SHRINKS * heap.growths:
        why = "its end went to and fro too often to say what a larger pad would have changed"
    return moves[space], why


def recorded(moves):
    start = moves[0][0]
    return Heap(max(end for _, end in moves) - start, sum(b > a for a, b in moves),
                sum(b < a for a, b in moves))


def with_pad(moves, pad, page, *, trim=TRIM_THRESHOLD, recorded_pad=TOP_PAD):
    """The Heap as glibc's malloc would have moved it with another M_TOP_PAD, and M_TRIM_THRESHOLD.
    Between two growths what is in use rises by small blocks, past the end of before; where a growth
    is larger than the pad and a page, by one block. (malloc/malloc.c: sysmalloc, systrim.)"""
    start = end = moves[0][0]
    heap = Heap()
    for before, after in moves:
        used = after - recorded_pad
        if after > before:
            while end < before:
                end += pad + page
                heap.growths += 1
            if used > end:
                end = start + math.ceil((used + pad - start) / page) * page
                heap.growths += 1
        elif end - used >= trim and used + pad < end:
            end = start + math.ceil((used + pad - start) / page) * page
            heap.shrinks += 1
        heap.most = max(heap.most, end - start)
    return heap


# Java's heap (HotSpot with G1): one reservation of -Xmx, and beside it those of the marking bitmaps
# and card tables, which are committed as the heap is.
SHARES = (1, 64, 512)  # of the heap's size
UNITS = {"": 1, "k": KIB, "m": MIB, "g": 1024 * MIB}


def java_heap(recording):
    """Bytes that -Xmx gave a recorded java; 0 where it is none, or was not told."""
    command = recordings.command_of(recording)
    if not command or not command[0].endswith("java"):
        return 0
    sizes = [re.fullmatch(r"-Xmx(\d+)([kmgKMG]?)", word) for word in command]
    return next((int(size[1]) * UNITS[size[2].lower()] for size in sizes if size), 0)


class Charges(Space):
    """Knows what is charged and touched of each arena, in bytes."""

    def __init__(self, page, overcommit):
        super().__init__(page, overcommit)
        self.charged, self.touches = collections.Counter(), collections.Counter()

    def beginning_child(self):
        return Charges(self.page, self.overcommit)

    def count(self, pieces, sign):
        super().count(pieces, sign)
        for start, end, attributes in pieces:
            self.charged[attributes.arena] += sign * (end - start) * attributes.charged
            self.touches[attributes.arena] += sign * self.touched.size(start, end)


class JavaHeap:
    """What -Xms as large as -Xmx, `size` bytes, makes of a recorded java: bytes charged at most and
    in the mean since the heap was reserved, and what AlwaysPreTouch then has touched at most. With
    `whole` unset, as recorded."""

    def __init__(self, folder, size, *, whole=True):
        self.size, self.whole = size, whole
        self.since_us = self.last_us = None
        self.charge = self.byte_us = 0
        self.most_charged = self.most_touched = 0
        recordings.read(folder, self.watch, make_space=Charges)

    @property
    def mean(self):
        return self.byte_us / max(1, (self.last_us or 0) - (self.since_us or 0))

    def watch(self, time_us, life):
        space = life.space
        parts = {self.size // share for share in SHARES}
        arenas = {number: arena.size for number, arena in enumerate(space.arenas)
                  if arena.size in parts and arena.kind == "anonymous"}
        if self.size not in arenas.values() or life.end_us is not None:
            return
        if self.since_us is None:
            self.since_us = self.last_us = time_us
        self.byte_us += self.charge * (time_us - self.last_us)
        self.last_us = time_us
        self.charge, touched = space.charge, space.touched_charged + space.touched_uncharged
        if self.whole:
            self.charge += sum(size - space.charged[number] for number, size in arenas.items())
            touched += sum(size - space.touches[number] for number, size in arenas.items())
        self.most_charged = max(self.most_charged, self.charge)
        self.most_touched = max(self.most_touched, touched)


def uses(recording, library):
    """Whether a program of a recording mapped a library of that name."""
    return any(library in arena.name for life in recording.lives.values()
               for arena in life.space.arenas)
