"""What a recorded program's growth would have cost in other steps, or given back in other ways: the
same pages touched and let go of at the same moments, in memory that is anonymous and its own."""

import collections
from typing import NamedTuple

from vmcommit.analyse import model, recording
from vmcommit.analyse.space import WRITE, Space
from vmcommit.base.conventions import CLOSE, DEFAULT_STEP
from vmcommit.base.units import KIB, MIB, powers, size_text

KINDS = ("heap", "anonymous", "stack")  # of arenas whose growth is replayed
STEPS = tuple(powers(4 * KIB, 64 * MIB, 4))
# What becomes of a block of which no page is touched any more.
RELEASED, KEPT, NEVER = "released", "kept", "never"


class Amount:
    """Bytes over time: the most, and their sum over µs; and how often there was a call for more."""

    def __init__(self):
        self.now = self.most = self.commits = 0
        self.before = self.byte_us = self.since_us = 0

    def add(self, size):
        self.now += size
        self.most = max(self.most, self.now)

    def until(self, time_us):
        """What was added since the last time counts from now on."""
        self.byte_us += self.before * (time_us - self.since_us)
        self.before, self.since_us = self.now, time_us

    @property
    def byte_seconds(self):
        return self.byte_us / 1e6


class Steps(Amount):
    """Commits blocks of `step` bytes from the start of an arena on, each when its first page is
    touched. `way`: a block is released with its last page, kept until nothing of it is mapped, or
    until the process ends."""

    def __init__(self, step, way=RELEASED):
        super().__init__()
        self.step, self.way = step, way
        self.pages = collections.defaultdict(dict)  # {space: {block: bytes touched}}
        self.sizes = collections.defaultdict(dict)  # {space: {block: bytes}}

    def blocks(self, arena, start, end):
        """(start of a block, its size, bytes of it in [start, end))"""
        first = arena.start + (start - arena.start) // self.step * self.step
        for at in range(first, end, self.step):
            size = self.step
            if arena.kind != "heap" and at < arena.start + arena.size:
                size = min(size, arena.start + arena.size - at)
            yield at, size, min(end, at + self.step) - max(start, at)

    def touched(self, space, arena, start, end):
        pages, sizes = self.pages[space], self.sizes[space]
        for at, size, part in self.blocks(arena, start, end):
            if at not in sizes:
                sizes[at] = size
                self.add(size)
                self.commits += not space.copied
            pages[at] = pages.get(at, 0) + part

    def gone(self, space, arena, start, end):
        for at, _, part in self.blocks(arena, start, end):
            self.pages[space][at] -= part
            if self.way == RELEASED and not self.pages[space][at]:
                self.drop(space, at)

    def unmapped(self, space, start, end):
        if self.way != KEPT:
            return
        blocks = self.sizes[space]
        for at in [at for at in blocks if start < at + self.step and at < end]:
            if not space.pieces(at, at + blocks[at]):
                self.drop(space, at)

    def drop(self, space, at):
        self.add(-self.sizes[space].pop(at))
        self.pages[space].pop(at)

    def ended(self, space):
        self.add(-sum(self.sizes.pop(space, {}).values()))
        self.pages.pop(space, None)


class Doubling(Amount):
    """Commits an arena from its start on, each time as much again as there is."""

    def __init__(self, first=DEFAULT_STEP):
        super().__init__()
        self.first = first
        self.ends = collections.defaultdict(dict)  # {space: {arena: bytes committed}}
        self.pages = collections.Counter()  # {(space, arena): bytes touched}

    def touched(self, space, arena, start, end):
        self.pages[space, arena] += end - start
        before = size = self.ends[space].get(arena, 0)
        from_start = end - arena.start
        if arena.kind == "stack":
            from_start = arena.start + arena.size - start
        while size < from_start:
            size = max(self.first, 2 * size)
            if arena.kind != "heap":
                size = max(min(size, arena.size), from_start if size >= arena.size else 0)
            self.commits += not space.copied
        self.ends[space][arena] = size
        self.add(size - before)

    def gone(self, space, arena, start, end):
        self.pages[space, arena] -= end - start
        if not self.pages[space, arena]:
            self.add(-self.ends[space].pop(arena, 0))

    def unmapped(self, space, start, end):
        pass

    def ended(self, space):
        self.add(-sum(self.ends.pop(space, {}).values()))
        for key in [key for key in self.pages if key[0] is space]:
            del self.pages[key]


class Watched(Space):
    """Tells a Growth what happens to it."""

    def __init__(self, growth, page, overcommit):
        super().__init__(page, overcommit)
        self.growth, self.number = growth, growth.spaces
        self.copied = False  # what is touched is what a parent touched

    def beginning_child(self):
        child = self.growth.make_space(self.page, self.overcommit)
        child.copied = True
        return child

    def copy(self):
        child = super().copy()
        child.copied = False
        return child

    def grown(self, pieces):
        """(arena, start, end, attributes) of those whose growth is replayed."""
        for start, end, attributes in pieces:
            arena = self.arenas[attributes.arena]
            if attributes.anonymous and not attributes.huge and arena.kind in KINDS:
                yield arena, start, end, attributes

    def count(self, pieces, sign):
        super().count(pieces, sign)
        for arena, start, end, attributes in self.grown(pieces):
            size = sign * (end - start)
            self.growth.reserved.add(size)
            self.growth.recorded.add(size * attributes.charged)
            self.growth.used.add(sign * self.touched.size(start, end) * attributes.charged)
            self.growth.usable += size * (attributes.access & WRITE != 0)
            self.growth.arenas.add((self.number, arena))

    def touch(self, runs):
        for start, end in runs:
            at = start
            for a, b in [*self.touched.within(start, end), (end, end)]:
                for arena, first, last, _ in self.grown(self.pieces(at, a) if at < a else ()):
                    self.growth.touch(self, arena, first, last)
                at = b
            super().touch([(start, end)])

    def forget(self, start, end):
        for a, b in self.touched.within(start, end):
            for arena, first, last, _ in self.grown(self.pieces(a, b)):
                self.growth.forget(self, arena, first, last)
        super().forget(start, end)

    def unmap(self, start, end):
        super().unmap(start, end)
        if start < end:
            self.growth.unmapped(self, start, end)

    def call(self, thread, name, result, arguments, file=None):
        before = self.growth.usable
        super().call(thread, name, result, arguments, file)
        self.growth.recorded.commits += self.growth.usable > before


class Growth:
    """A recording in a folder, and what other ways to grow would have made of it: `ways`, {name:
    Steps or Doubling}."""

    def __init__(self, folder, ways):
        self.ways = ways
        self.reserved, self.recorded, self.used, self.touched = (Amount() for _ in range(4))
        self.usable = self.pages = self.again = self.spaces = 0
        self.seen = collections.defaultdict(set)  # {space: pages touched at any time}
        self.arenas = set()
        self.page = 4096
        recording.read(folder, self.watch, make_space=self.make_space)
        self.reserved.commits = len(self.arenas)

    def make_space(self, page, overcommit):
        self.page = page
        self.spaces += 1
        return Watched(self, page, overcommit)

    def watch(self, time_us, life):
        for amount in (*self.ways.values(), self.reserved, self.recorded, self.used,
                       self.touched):
            amount.until(time_us)
        if life.end_us is not None:
            life.space.unmap(0, 1 << 64)
            for way in self.ways.values():
                way.ended(life.space)
            self.seen.pop(life.space, None)

    def touch(self, space, arena, start, end):
        self.touched.add(end - start)
        for way in self.ways.values():
            way.touched(space, arena, start, end)
        if space.copied:
            return
        seen, pages = self.seen[space], range(start // self.page, end // self.page)
        self.pages += len(pages)
        self.again += sum(page in seen for page in pages)
        seen.update(pages)

    def forget(self, space, arena, start, end):
        self.touched.add(start - end)
        for way in self.ways.values():
            way.gone(space, arena, start, end)

    def unmapped(self, space, start, end):
        for way in self.ways.values():
            way.unmapped(space, start, end)


class Outcome(NamedTuple):
    """What a way to grow comes to; `time` is (ns, low, high), None without a model of it."""

    name: str
    most: int  # bytes charged at a time
    byte_seconds: float
    unused: float  # byte-seconds of those
    commits: int
    pages: int  # touched anew
    time: tuple | None = None
    step: int | None = None


def outcome(name, amount, growth, fitted=None, step=None, *, handled=0, spared=0):
    """`handled`: faults that it answers, each with a commit; `spared`: pages that are not touched
    anew."""
    pages = growth.pages - spared
    does = dict(zip(model.TERMS, (1, pages, handled or amount.commits, handled), strict=True))
    return Outcome(name, amount.most, amount.byte_seconds,
                   amount.byte_seconds - growth.touched.byte_seconds, does["commit_calls"], pages,
                   model.cost(fitted, does) if fitted else None, step)


def by_growth(folder, fitted):
    """(Growth, an Outcome for each way to grow). `fitted`: {strategy: its model}, or {}."""
    steps = {step: Steps(step) for step in STEPS}
    doubling = Doubling()
    growth = Growth(folder, steps | {"doubling": doubling})
    chunked = fitted.get("chunked")
    return growth, [
        outcome("as recorded", growth.recorded, growth)._replace(
            unused=growth.recorded.byte_seconds - growth.used.byte_seconds),
        outcome("a page at each fault", steps[STEPS[0]], growth,
                fitted.get("fault"), handled=growth.pages),
        *(outcome(size_text(step), amount, growth, chunked, step)
          for step, amount in steps.items()),
        outcome(f"doubling from {size_text(doubling.first)}", doubling, growth, chunked),
        outcome("up front", growth.reserved, growth, fitted.get("upfront"))]


def by_release(folder, step, fitted):
    """An Outcome for each way to give back, by that step."""
    ways = {way: Steps(step, way) for way in (RELEASED, KEPT, NEVER)}
    growth, chunked = Growth(folder, ways), fitted.get("chunked")
    return [outcome("with its charge", ways[RELEASED], growth, chunked),
            outcome("its charge kept", ways[KEPT], growth, chunked),
            outcome("never", ways[NEVER], growth, chunked, spared=growth.again)]


def knee(outcomes):
    """The smallest step from which larger ones save less than CLOSE of the time; None where no time
    is known."""
    stepped = [one for one in outcomes if one.step and one.time]
    if not stepped:
        return None
    least = min(one.time[0] for one in stepped)
    return next(one for one in stepped if one.time[0] <= (1 + CLOSE) * least)
