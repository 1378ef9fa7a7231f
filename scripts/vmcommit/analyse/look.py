"""An address space as one look from outside saw it."""

import collections
from dataclasses import dataclass

UNKNOWN = "-"


@dataclass
class Kind:
    """The memory of one kind at a moment, in bytes."""

    charged: int = 0
    touched: int = 0
    reserved: int = 0
    arenas: int = 0  # or regions, where no more is known


def whole(text, base=10):
    """A number of a log, none of which has more than 64 bits."""
    number = int(text, base)
    if abs(number) >> 64:
        raise ValueError("too large")
    return number


def known(text):
    """The same; None where the system did not say."""
    return None if text == UNKNOWN else whole(text)


class Look:
    """What is said of it is said as Space does, but by kind. `words`: one for each kind, as a
    recording has them. Where the system doesn't say what is touched, that is 0, where not what is
    resident, None."""

    def __init__(self, words=()):
        self._kinds, totals, unknown = {}, collections.Counter(), False
        for word in words:
            name, regions, *sizes = word.split(":")
            *sizes, resident = map(known, sizes)
            reserved, charged, touched, uncharged = (size or 0 for size in sizes)
            self._kinds[name] = Kind(charged, touched + uncharged, reserved, whole(regions))
            totals.update(charge=charged, reserved=reserved, touched_charged=touched,
                          touched_uncharged=uncharged, resident=resident or 0)
            unknown = unknown or resident is None
        self.charge, self.reserved = totals["charge"], totals["reserved"]
        self.resident = None if unknown else totals["resident"]
        self.touched_charged = totals["touched_charged"]
        self.touched_uncharged = totals["touched_uncharged"]

    def kinds(self):
        """{name: Kind}"""
        return self._kinds
