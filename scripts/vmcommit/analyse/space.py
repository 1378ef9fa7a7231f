"""A model of an address space that replays a recording: which bytes are mapped, with which access,
and which of them are charged. Each rule is the kernel's own; mm/mmap.c, mm/vma.c, mm/mprotect.c,
mm/mremap.c and kernel/fork.c of Linux 6.18 have them."""

import collections
from bisect import bisect_left, bisect_right
from errno import EINVAL, ENOMEM
from typing import NamedTuple

from vmcommit.analyse.look import Kind
from vmcommit.analyse.runs import Runs

READ, WRITE, EXECUTE = 1, 2, 4
PROT_GROWSDOWN = 0x01000000
MAP_SHARED, MAP_PRIVATE, MAP_DROPPABLE, MAP_TYPE = 1, 2, 8, 15
MAP_FIXED, MAP_ANONYMOUS, MAP_GROWSDOWN, MAP_NORESERVE = 0x10, 0x20, 0x100, 0x4000
MAP_STACK, MAP_HUGETLB, MAP_HUGE_SHIFT = 0x20000, 0x40000, 26
MREMAP_FIXED, MREMAP_DONTUNMAP = 2, 4
DONTNEED, FREE, REMOVE, DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK = 4, 8, 9, 10, 11, 18, 19
DONTNEED_LOCKED, GUARD_INSTALL = 24, 102
GIVING_BACK = {DONTNEED, REMOVE, DONTNEED_LOCKED, GUARD_INSTALL}
NEVER_OVERCOMMIT = 2


class Attributes(NamedTuple):
    """What all bytes of a region share."""

    access: int = 0
    charged: bool = False
    shared: bool = False
    noreserve: bool = False
    huge: bool = False  # from the hugetlb pool, which is never charged
    grows: bool = False  # downwards, by itself
    dontfork: bool = False
    wipe: bool = False  # empty in a child
    anonymous: bool = False  # neither a file nor shared
    arena: int = 0  # what it was first reserved with
    origin: int = 0  # the call stack by which it came to be charged; 0: none is known

    @property
    def flags(self):
        """As a recording writes them."""
        letters = (("r", self.access & READ), ("w", self.access & WRITE),
                   ("x", self.access & EXECUTE), ("s", self.shared), ("a", self.charged),
                   ("n", self.noreserve), ("t", self.huge), ("g", self.grows),
                   ("d", self.dontfork), ("k", self.wipe))
        return "".join(letter for letter, holds in letters if holds)


def attributes_of(flags, **more):
    """The reverse of Attributes.flags."""
    return Attributes(sum(bit for bit, letter in ((READ, "r"), (WRITE, "w"), (EXECUTE, "x"))
                          if letter in flags),
                      "a" in flags, "s" in flags, "n" in flags, "t" in flags, "g" in flags,
                      "d" in flags, "k" in flags, **more)


class Arena(NamedTuple):
    """What was reserved together, and what is carved out of it later."""

    kind: str  # heap, stack, file, shared, program, anonymous
    name: str
    start: int
    size: int


class Space:
    """`page` and `overcommit` are the machine's page size and its vm.overcommit_memory."""

    def __init__(self, page=4096, overcommit=0):
        self.page, self.overcommit = page, overcommit
        self.starts, self.ends, self.attributes = [], [], []
        self.touched = Runs()
        self.written = Runs()  # what belongs to a mapping of which a page was ever written
        self.arenas = [Arena("unknown", "", 0, 0)]
        self.heap_arena = None
        self.brk = 0
        self.charge = self.reserved = 0  # bytes
        self.touched_charged = self.touched_uncharged = 0
        self.bounds = {}  # by thread: what the call that it is in found
        self.begun = set()  # threads whose removal has been carried out before the call's end
        self.origins = {}  # by thread: the stack of the call that it is in
        self.origin = 0  # of the call that is carried out

    # What is mapped.

    def __iter__(self):
        return zip(self.starts, self.ends, self.attributes, strict=True)

    def pieces(self, start, end):
        """(start, end, attributes) of what is mapped in [start, end), cut to it."""
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end)
        return [(max(self.starts[i], start), min(self.ends[i], end), self.attributes[i])
                for i in range(first, last)]

    def at(self, address):
        """The attributes at an address; None if nothing is mapped there."""
        pieces = self.pieces(address, address + 1)
        return pieces[0][2] if pieces else None

    def count(self, pieces, sign):
        for start, end, attributes in pieces:
            size = end - start
            self.reserved += sign * size
            self.charge += sign * size * attributes.charged
            touched = sign * self.touched.size(start, end) if self.touched.starts else 0
            if attributes.charged:
                self.touched_charged += touched
            else:
                self.touched_uncharged += touched

    def put(self, start, end, pieces):
        """Maps `pieces`, and nothing else, in [start, end)."""
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end)
        self.count(self.pieces(start, end), -1)
        kept = list(pieces)
        if first < last and self.starts[first] < start:
            kept.insert(0, (self.starts[first], start, self.attributes[first]))
        if first < last and self.ends[last - 1] > end:
            kept.append((end, self.ends[last - 1], self.attributes[last - 1]))
        if first > 0:
            first -= 1
            kept.insert(0, (self.starts[first], self.ends[first], self.attributes[first]))
        if last < len(self.starts):
            kept.append((self.starts[last], self.ends[last], self.attributes[last]))
            last += 1
        kept = joined(kept)
        self.starts[first:last] = [a for a, _, _ in kept]
        self.ends[first:last] = [b for _, b, _ in kept]
        self.attributes[first:last] = [c for _, _, c in kept]
        self.count(pieces, 1)

    def unmap(self, start, end):
        if start >= end:
            return
        self.forget(start, end)
        self.put(start, end, [])
        self.written.remove(start, end)

    def map(self, start, end, attributes):
        self.unmap(start, end)
        if start < end:
            self.put(start, end, [(start, end, attributes)])

    def change(self, start, end, changed):
        """Gives each piece in a range the attributes changed(attributes)."""
        if start < end:
            self.put(start, end, [(a, b, changed(c)) for a, b, c in self.pieces(start, end)])

    # What was touched.

    def touch(self, runs):
        for start, end in runs:
            self.count(self.pieces(start, end), -1)
            self.touched.add(start, end)
            self.written.add(start, end)
            self.count(self.pieces(start, end), 1)

    def forget(self, start, end):
        """What was touched there is gone, what is mapped stays."""
        if not self.touched.meets(start, end):
            return
        self.count(self.pieces(start, end), -1)
        self.touched.remove(start, end)
        self.count(self.pieces(start, end), 1)

    def mark(self, bounds):
        """Bounds of mappings: one that holds a touched page has been written to as a whole. The
        kernel notes it by mapping (anon_vma), both parts of a split keep it, and a mapping that
        two merge into has it from either."""
        for start, end in bounds:
            if self.written.meets(start, end):
                self.written.add(start, end)

    # Arenas.

    def arena(self, kind, name, start, end):
        self.arenas.append(Arena(kind, name, start, end - start))
        return len(self.arenas) - 1

    # How it begins.

    def begin(self, mappings, brk):
        """From all mappings at the start of a program: (start, end, flags, name)."""
        self.brk = brk
        for start, end, flags, name in mappings:
            kind = {"[stack]": "stack", "[heap]": "heap"}.get(name)
            kind = kind or ("file" if name.startswith("/") else "program")
            arena = self.arena(kind, name, start, end)
            if kind == "heap":
                self.heap_arena = arena
            plain = not name or name.startswith(("[heap]", "[stack]", "[anon:"))
            self.map(start, end, attributes_of(flags, anonymous=plain, arena=arena))

    def copy(self):
        """What fork gives to a child (dup_mmap): all but MADV_DONTFORK, charged as it is."""
        child = self.beginning_child()
        child.brk, child.heap_arena = self.brk, self.heap_arena
        child.arenas = self.arenas[:]
        child.written = self.written.copy()
        for start, end, attributes in self:
            if not attributes.dontfork:
                child.put(start, end, [(start, end, attributes)])
            if attributes.dontfork or attributes.wipe:
                child.written.remove(start, end)
        child.touch([run for start, end, attributes in child if not attributes.wipe
                     for run in self.touched.within(start, end)])
        return child

    def beginning_child(self):
        """One without memory, for copy()."""
        return Space(self.page, self.overcommit)

    # Calls.

    def pages(self, size):
        return -(-size // self.page) * self.page

    def begin_call(self, thread, name, arguments):
        """A call that others are let in beside: what it removes counts from its beginning."""
        if name == "munmap":
            self.mark(self.bounds.pop(thread, []))
            self.unmap(arguments[0], arguments[0] + self.pages(arguments[1]))
            self.begun.add(thread)

    def call(self, thread, name, result, arguments, file=None):
        """Carries out a call that succeeded with `result`; `file` is (letter, path) of what mmap
        maps."""
        bounds = self.bounds.pop(thread, [])
        self.mark(bounds)
        self.origin = self.origins.pop(thread, 0)
        begun = thread in self.begun
        self.begun.discard(thread)
        if name == "mmap":
            self.mmap(result, *arguments[1:4], file)
        elif name == "munmap" and not begun:
            self.unmap(arguments[0], arguments[0] + self.pages(arguments[1]))
        elif name in ("mprotect", "pkey_mprotect"):
            self.mprotect(arguments[0], arguments[0] + self.pages(arguments[1]), arguments[2])
        elif name == "brk":
            self.set_brk(result)
        elif name == "mremap":
            self.mremap(result, *arguments[:4], bounds)
        elif name == "madvise":
            self.madvise(arguments[0], arguments[0] + self.pages(arguments[1]), arguments[2])
        elif name in ("shmdt", "io_destroy"):
            for start, end in bounds:
                self.unmap(start, end)

    def failed(self, thread, name, error, arguments, left):
        """A call failed, perhaps after a part of its work. `left` is (start, end, mapped) for each
        range that it may have worked on: what is mapped there now, as (start, end, access)."""
        self.mark(self.bounds.pop(thread, []))
        self.origin = self.origins.pop(thread, 0)
        self.begun.discard(thread)
        if name == "madvise":
            self.madvise(arguments[0], arguments[0] + self.pages(arguments[1]), arguments[2], error)
        elif name in ("mprotect", "pkey_mprotect"):
            for start, end, mapped in left:
                for a, b, access in mapped:
                    if access & 7 == arguments[2] & 7:
                        self.mprotect(max(a, start), min(b, end), arguments[2])
        else:
            if name == "mremap" and len(left) == 2:
                self.moved_before_failing(arguments[4] - arguments[0], left[0])
            for start, end, mapped in left:
                for a, b in holes_of(start, end, mapped):
                    self.unmap(a, b)

    def moved_before_failing(self, shift, source):
        """mremap of several mappings moves one after the other (Linux 6.17)."""
        for start, end in holes_of(*source):
            for a, b, _ in self.pieces(start, end):
                self.move(a + shift, a, b, b - a, 0)

    def mmap(self, start, length, protection, flags, file):
        """Charged if private, writable, reserved and not of the hugetlb pool (accountable_mapping).
        MAP_NORESERVE means nothing where overcommit is never allowed (do_mmap)."""
        letter, path = file or ("-", "")
        kind = flags & MAP_TYPE
        huge = flags & MAP_HUGETLB != 0 or letter == "t"
        unit = 1 << ((flags >> MAP_HUGE_SHIFT & 63) or 21) if huge else self.page
        end = start + -(-length // unit) * unit
        shared = kind not in (MAP_PRIVATE, MAP_DROPPABLE)
        noreserve = kind == MAP_DROPPABLE or (
            flags & MAP_NORESERVE != 0 and (huge or self.overcommit != NEVER_OVERCOMMIT))
        anonymous = not shared and not huge and (flags & MAP_ANONYMOUS != 0 or letter == "z")
        inside = self.at(start) if flags & MAP_FIXED else None
        arena = inside.arena if inside else self.arena(
            kind_of(flags, shared, anonymous), path, start, end)
        charged = not shared and not noreserve and not huge and protection & WRITE != 0
        self.map(start, end, Attributes(
            protection & 7, charged, shared, noreserve, huge,
            grows=flags & MAP_GROWSDOWN != 0 and not shared,
            wipe=kind == MAP_DROPPABLE, anonymous=anonymous, arena=arena,
            origin=self.origin if charged else 0))

    def attach(self, start, end, access, name):
        """What shmat, io_setup and map_shadow_stack made. Of these the last is charged."""
        shared = access & 8 != 0
        self.map(start, end, Attributes(
            access & 7, not shared and access & WRITE != 0, shared, anonymous=not shared,
            arena=self.arena("shared" if shared else "stack", name, start, end)))

    def mprotect(self, start, end, protection):
        """mprotect_fixup: what becomes writable is charged unless it is, or was writable, or is
        shared, of the hugetlb pool or not reserved. What becomes unwritable gives its charge back
        if it is anonymous and its mapping was never written to. Over a hole it fails, and has
        changed all before the hole."""
        if protection & PROT_GROWSDOWN:
            while (below := self.pieces(start - 1, start)) and below[0][2].grows:
                start = self.starts[bisect_right(self.ends, start - 1)]
        access = protection & 7
        if protection & WRITE:
            self.change(start, end, lambda old: self.charged(old)._replace(access=access))
            return
        self.change(start, end, lambda old: old._replace(access=access))
        unwritten = Runs([(start, end)])
        for a, b in self.written.within(start, end):
            unwritten.remove(a, b)
        for a, b in unwritten:
            self.change(a, b, lambda old: old._replace(
                charged=old.charged and not old.anonymous))

    def charged(self, old):
        """What becomes of attributes that mprotect makes writable."""
        if old.charged or old.access & WRITE or old.shared or old.noreserve or old.huge:
            return old
        return old._replace(charged=True, origin=self.origin)

    def set_brk(self, brk):
        old, new = self.pages(self.brk), self.pages(brk)
        self.brk = brk
        if new < old:
            self.unmap(new, old)
        elif new > old:
            if self.heap_arena is None:
                self.heap_arena = self.arena("heap", "[heap]", old, new)
            self.map(old, new, Attributes(READ | WRITE, True, anonymous=True,
                                          arena=self.heap_arena, origin=self.origin))

    def mremap(self, to, start, old_size, new_size, flags, bounds=()):
        """Keeps what the mapping is. A size of 0 maps it a second time, MREMAP_DONTUNMAP leaves an
        empty one behind that is charged as well."""
        old_end, new_end = start + self.pages(old_size), to + self.pages(new_size)
        if to != start:
            self.move(to, start, old_end, new_end - to, flags)
            if flags & MREMAP_DONTUNMAP:  # a mapping that was moved as a whole starts afresh
                for a, b in bounds:
                    if start <= a and b <= old_end:
                        self.written.remove(a, b)
        elif new_end <= old_end:
            self.unmap(new_end, old_end)
        else:
            self.extend(old_end, new_end)

    def extend(self, start, end):
        """The mapping that ends at `start` grows, and has been written to if it was before."""
        before = self.at(start - 1)
        if before is not None and start < end:
            self.map(start, end, before._replace(origin=self.origin if before.charged else 0))
            if self.written.meets(start - 1, start):
                self.written.add(start, end)

    def move(self, to, start, end, new_size, flags):
        """What is not mapped is not moved: a hole leaves what is mapped at its new place."""
        if start == end:  # a size of 0
            end = start + self.page
        size, shift = min(end - start, new_size), to - start
        pieces = self.pieces(start, start + size)
        touched = self.touched.within(start, start + size)
        written = self.written.within(start, start + size)
        if pieces and pieces[0][2].shared and end - start < new_size:  # the size of 0
            pieces = [(start, start + new_size, pieces[0][2])]
        elif flags & MREMAP_DONTUNMAP:
            self.unmap(start + size, end)
            self.forget(start, start + size)
        else:
            self.unmap(start, end)
        for a, b, attributes in pieces:
            self.map(a + shift, b + shift, attributes)
        for a, b in written:
            self.written.add(a + shift, b + shift)
        self.touch([(a + shift, b + shift) for a, b in touched])
        if new_size > size:
            self.extend(to + size, to + new_size)

    def madvise(self, start, end, advice, error=0):
        """Over a hole it fails with ENOMEM and has done all the same, at a mapping that it can't be
        done to with EINVAL and has done all before it (madvise_walk_vmas)."""
        changes = {DONTFORK: {"dontfork": True}, DOFORK: {"dontfork": False},
                   WIPEONFORK: {"wipe": True}, KEEPONFORK: {"wipe": False}}.get(advice)
        if changes and error == EINVAL:
            end = next((a for a, _, old in self.pieces(start, end)
                        if advice == WIPEONFORK and not old.anonymous), start)
        if changes and error in (0, EINVAL, ENOMEM):
            self.change(start, end, lambda old: old._replace(**changes))
        if advice in GIVING_BACK and not error:
            self.forget(start, end)
        if advice == GUARD_INSTALL and error in (0, ENOMEM):  # prepares it as a write would
            for a, b, _ in self.pieces(start, end):
                self.written.add(a, b)

    def grow(self, start, end):
        """A mapping that grows by itself, up to `end`, has come down to `start`."""
        pieces = [piece for piece in self.pieces(start, end) if piece[2].grows]
        if pieces and pieces[0][0] > start:
            self.put(start, pieces[0][0], [(start, pieces[0][0], pieces[0][2])])

    def kinds(self):
        """{name: Kind} of all that is mapped."""
        kinds, arenas = collections.defaultdict(Kind), set()
        for start, end, attributes in self:
            kind = kinds[self.arenas[attributes.arena].kind]
            kind.reserved += end - start
            kind.charged += (end - start) * attributes.charged
            kind.touched += self.touched.size(start, end)
            kind.arenas += attributes.arena not in arenas
            arenas.add(attributes.arena)
        return kinds

    # Held against the kernel.

    def listed(self):
        """(start, end, flags), as a checkpoint has them."""
        return joined([(start, end, attributes.flags) for start, end, attributes in self])

    def take_over(self, mappings):
        """Becomes what a checkpoint says; arenas stay where something was mapped."""
        old = Space(self.page)
        old.starts, old.ends, old.attributes = self.starts[:], self.ends[:], self.attributes[:]
        touched, written = self.touched.copy(), self.written.copy()
        self.unmap(0, 1 << 64)
        for start, end, flags in mappings:
            at = start
            for a, b, attributes in [*old.pieces(start, end), (end, end, Attributes())]:
                for from_, to, known in ((at, a, Attributes()), (a, b, attributes)):
                    if from_ < to:
                        self.map(from_, to, attributes_of(
                            flags, anonymous=known.anonymous, arena=known.arena,
                            origin=known.origin))
                at = b
        self.touch([run for start, end, _ in mappings for run in touched.within(start, end)])
        for start, end in written:
            self.written.add(start, end)


def holes_of(start, end, mapped):
    holes = Runs([(start, end)])
    for a, b, _ in mapped:
        holes.remove(a, b)
    return holes


def kind_of(flags, shared, anonymous):
    if shared:
        return "shared"
    if flags & (MAP_STACK | MAP_GROWSDOWN):
        return "stack"
    return "anonymous" if anonymous else "file"


def joined(pieces):
    """Neighbours that are alike become one piece."""
    result = []
    for start, end, what in pieces:
        if start >= end:
            continue
        if result and result[-1][1] == start and result[-1][2] == what:
            result[-1] = (result[-1][0], end, what)
        else:
            result.append((start, end, what))
    return result
