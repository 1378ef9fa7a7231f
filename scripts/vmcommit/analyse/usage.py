"""What a recording amounts to: memory over time, and who held it."""

import collections
import pathlib
from typing import NamedTuple

from vmcommit.analyse import recording as recordings
from vmcommit.analyse.look import Kind


class Amounts(NamedTuple):
    """Bytes, of one address space or of several together."""

    charged: int = 0
    touched_charged: int = 0  # of what is charged
    touched_uncharged: int = 0  # of what is reserved without being charged: MAP_NORESERVE
    reserved: int = 0
    resident: int = 0  # as the kernel last counted it, with pages of files

    @property
    def unused(self):
        return self.charged - self.touched_charged

    @property
    def touched(self):
        return self.touched_charged + self.touched_uncharged


def amounts_of(life):
    space = life.space
    return Amounts(space.charge, space.touched_charged, space.touched_uncharged, space.reserved,
                   (life.counts[-1].resident or 0) if life.counts else 0)


class Over:
    """A sum that follows what happens, and its integral over time."""

    def __init__(self):
        self.time_us, self.now = 0, Amounts()
        self.spaces = {}
        self.points = []  # (time, Amounts), one for each moment at which it changes
        self.byte_seconds = collections.Counter()

    def watch(self, time_us, life):
        seconds = (time_us - self.time_us) / 1e6
        for name in ("charged", "unused", "touched_uncharged", "reserved"):
            self.byte_seconds[name] += getattr(self.now, name) * seconds
        self.time_us = time_us
        before = self.spaces.get(life.number, Amounts())
        after = Amounts() if life.end_us is not None else amounts_of(life)
        self.spaces[life.number] = after
        self.now = Amounts(*(a - b + c for a, b, c in zip(self.now, before, after, strict=True)))
        if self.points and self.points[-1][0] == time_us:
            self.points.pop()
        self.points.append((time_us, self.now))

    def peak(self, name):
        """(time, bytes) of the most that there was at a time."""
        return max(((time, getattr(amounts, name)) for time, amounts in self.points),
                   key=lambda point: point[1], default=(0, 0))


class Usage:
    """A recording that was read from a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.over = Over()
        self.recording = recordings.read(folder, self.over.watch)
        self.null_ns = self.recording.null_ns

    @property
    def blind(self):
        """Whether what is touched was not looked at."""
        return self.recording.facts.get("touch") == "no"

    @property
    def stacks(self):
        """Whether calls were recorded with their call stacks."""
        return "stacks" in self.recording.facts

    @property
    def sampled(self):
        """Whether it was looked at from outside, without its calls."""
        return recordings.SAMPLED in self.recording.facts

    @property
    def complete(self):
        """Whether the recorder came to its end, and did not break off."""
        return "end" in self.recording.facts

    @property
    def of_every_process(self):
        """Whether those that a sampled process started were looked at as well."""
        return "every" in self.recording.facts

    def children(self):
        """{number: Usage} of such processes."""
        folders = sorted((int(path.parent.name), path.parent) for path in
                         pathlib.Path(self.folder).glob(f"[0-9]*/{recordings.LOG}")
                         if path.parent.name.isdecimal())
        found = {number: Usage(folder) for number, folder in folders}
        return {number: used for number, used in found.items() if used.looks}

    def knows(self, name):
        """Whether it is known how much was so, at any time: by a name of Amounts."""
        if name.startswith("touched"):
            return not self.blind
        return name != "resident" or not self.sampled or self.looks[-1].resident is not None

    @property
    def looks(self):
        """The Counts of each look of a sampling."""
        return [counts for life in self.recording.lives.values() for counts in life.counts]

    @property
    def seconds(self):
        return self.recording.time_us / 1e6

    @property
    def processes(self):
        return len({life.pid for life in self.recording.lives.values()})

    def calls(self):
        """{name: (calls, failed, bytes, ns of CPU)}: bytes of those that have a length, and what
        the kernel took beyond a call that does nothing."""
        table = collections.defaultdict(lambda: [0, 0, 0, 0])
        for call in self.recording.calls:
            row = table[call.name]
            row[0] += 1
            row[1] += call.failed
            row[2] += 0 if call.failed or len(call.arguments) < 2 else call.arguments[1]
            row[3] += max(0, call.cpu_ns - self.null_ns)
        return {name: tuple(table[name]) for name in
                sorted(table, key=lambda name: -table[name][3])}

    def counted(self, name):
        """What the kernel counted for all processes, `name` a field of Counts; None where it does
        not say. It goes on counting for a process that becomes another program; what it counted
        before a process was first looked at is left out."""
        last = collections.Counter()
        if self.sampled:
            return self.counted_from_outside(name)
        for life in self.recording.lives.values():
            for counts in life.counts[-1:]:
                last[life.pid] = max(last[life.pid], getattr(counts, name))
        return sum(last.values())

    def counted_from_outside(self, name):
        first, last = (getattr(self.looks[number], name) for number in (0, -1))
        if last is None:
            return None
        return last - (first if self.recording.facts["sampled"] == "from outside" else 0)

    def kinds_at(self, moment_us):
        """{kind: Kind} of all that was there at a moment, the most charged first."""
        kinds = collections.defaultdict(Kind)
        for life in recordings.read(self.folder, until_us=moment_us).lives.values():
            if life.end_us is not None:
                continue
            for name, kind in life.space.kinds().items():
                for field in ("charged", "touched", "reserved", "arenas"):
                    setattr(kinds[name], field, getattr(kinds[name], field) + getattr(kind, field))
        return {name: kinds[name] for name in
                sorted(kinds, key=lambda name: -kinds[name].charged)}
