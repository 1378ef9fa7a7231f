"""Call stacks of a recording: which code their addresses lay in when the call was made."""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

NONE = "-"  # no build-id, no file


class Place(NamedTuple):
    """Where code is: `offset` into its file, or an address where it is of none."""

    path: str
    build: str
    offset: int


class Code:
    """Mappings of code in an address space, as far as stacks led there."""

    def __init__(self):
        self.starts, self.mappings = [], []
        self.origins = {}  # of stacks that lead through it, by the log's number

    def copy(self):
        other = Code()
        other.starts, other.mappings = self.starts[:], self.mappings[:]
        return other

    def put(self, start, end, offset, build, path):
        """In the place of all that it meets."""
        if start >= end:
            raise ValueError("a mapping without a byte")
        first = bisect_right(self.starts, start)
        first -= first > 0 and self.mappings[first - 1][1] > start
        last = bisect_left(self.starts, end)
        self.starts[first:last] = [start]
        self.mappings[first:last] = [(start, end, offset, build, path)]
        self.origins.clear()

    def place(self, address):
        at = bisect_right(self.starts, address) - 1
        start, end, offset, build, path = self.mappings[at] if at >= 0 else (0, 0, 0, NONE, NONE)
        if path == NONE or not start <= address < end:
            return Place(NONE, NONE, address)
        return Place(path, build, address - start + offset)


class Stacks:
    """Those of all processes: equal ones, wherever their code lies, have one number."""

    def __init__(self):
        self.addresses = {}  # by the number that the log has
        self.numbers = {}  # {(Place, ...), innermost first: a number from 1 on}

    def origin(self, number, code):
        """An address is a call's end, and may be behind its function: the byte before it is not."""
        if number not in code.origins:
            places = tuple(code.place(address - 1) for address in self.addresses[number])
            code.origins[number] = self.numbers.setdefault(places, len(self.numbers) + 1)
        return code.origins[number]

    def places(self, origin):
        """What has that number."""
        return next(places for places, number in self.numbers.items() if number == origin)
