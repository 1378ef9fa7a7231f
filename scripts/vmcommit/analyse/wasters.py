"""Who has memory charged and does not touch it: by the call stacks from which it was charged."""

import collections
import functools
from typing import NamedTuple

from vmcommit.analyse import recording
from vmcommit.analyse.space import Space
from vmcommit.analyse.what_if import Amount

SHOWN = 10


class Waster(NamedTuple):
    """`places` of its stack, innermost first; none of what no traced call had charged."""

    places: tuple
    byte_seconds: float
    most: int  # bytes charged and not touched, at a time
    calls: int  # after which more was charged


class Settled(Amount):
    """At most what there was after a change as a whole."""

    def add(self, size):
        self.now += size

    def until(self, time_us):
        super().until(time_us)
        self.most = max(self.most, self.now)


class Charged(Space):
    """Tells of what is charged and not touched, by its origin."""

    def __init__(self, unused, page, overcommit):
        super().__init__(page, overcommit)
        self.unused = unused

    def beginning_child(self):
        return Charged(self.unused, self.page, self.overcommit)

    def count(self, pieces, sign):
        super().count(pieces, sign)
        for start, end, attributes in pieces:
            if attributes.charged:
                self.unused.add(attributes.origin,
                                sign * (end - start - self.touched.size(start, end)))

    def call(self, thread, name, result, arguments, file=None):
        before = self.charge
        super().call(thread, name, result, arguments, file)
        self.unused.amounts[self.origin].commits += self.charge > before


class Unused:
    """Of all processes of a recording in a folder, over time."""

    def __init__(self, folder):
        self.amounts, self.changed = collections.defaultdict(Settled), set()
        self.recording = recording.read(folder, self.watch,
                                        make_space=functools.partial(Charged, self))
        for amount in self.amounts.values():
            amount.until(self.recording.time_us)

    def add(self, origin, size):
        self.amounts[origin].add(size)
        self.changed.add(origin)

    def watch(self, time_us, life):
        if life.end_us is not None:
            life.space.unmap(0, 1 << 64)
        for origin in self.changed:
            self.amounts[origin].until(time_us)
        self.changed.clear()

    def wasters(self, most=SHOWN):
        """The largest, by bytes over time."""
        found = sorted(((origin, amount) for origin, amount in self.amounts.items()
                        if amount.byte_us > 0), key=lambda pair: -pair[1].byte_us)
        return [Waster(self.recording.stacks.places(origin) if origin else (),
                       amount.byte_seconds, amount.most, amount.commits)
                for origin, amount in found[:most]]
