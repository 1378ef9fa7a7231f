"""A set of addresses, kept as runs [start, end) that lie apart in rising order."""

from bisect import bisect_left, bisect_right


class Runs:
    def __init__(self, runs=()):
        self.starts, self.ends = [], []
        for start, end in runs:
            self.add(start, end)

    def __iter__(self):
        return zip(self.starts, self.ends, strict=True)

    def copy(self):
        other = Runs()
        other.starts, other.ends = self.starts[:], self.ends[:]
        return other

    def add(self, start, end):
        """Joins with what it meets or touches."""
        first, last = bisect_left(self.ends, start), bisect_right(self.starts, end)
        if first < last:
            start = min(start, self.starts[first])
            end = max(end, self.ends[last - 1])
        self.starts[first:last], self.ends[first:last] = [start], [end]

    def remove(self, start, end):
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end)
        if first >= last:
            return
        left = [(a, b) for a, b in ((self.starts[first], start), (end, self.ends[last - 1]))
                if a < b]
        self.starts[first:last] = [a for a, b in left]
        self.ends[first:last] = [b for a, b in left]

    def within(self, start, end):
        """The parts of runs inside [start, end)."""
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end)
        return [(max(self.starts[i], start), min(self.ends[i], end)) for i in range(first, last)]

    def meets(self, start, end):
        return bisect_right(self.ends, start) < bisect_left(self.starts, end)

    def size(self, start=0, end=1 << 64):
        return sum(b - a for a, b in self.within(start, end))
