"""The time of an undisturbed cycle, from turns. docs/trust.md tells what it was chosen from, and by
what trials.

A cycle's time is a sum over its turns: what only one slice in sixteen does must be seen in its true
size, while a turn in which something else ran, or met memory that a host had taken back, must not
move it. So each position of a cycle has a typical time, the median over a member's cycles in all
sets, by which it is told what is unusual in a turn. A member's time in a set is the sum of its own
turns there, of which the most unusual tenth to either side are drawn in to where it begins
(Winsor's mean). A moment at which all members together were far from usual counts for none of them;
otherwise a time rests on nothing but what the member did in that set, so that sets differ
by all that makes them differ, and their spread tells how far their mean can be trusted.
"""

import dataclasses
from collections.abc import Sequence

import numpy

OFTEN = 6  # sets up to which all is worked out anew with each
LEAST_NS = 1e-3  # of a turn, where a coarse clock did not tick in it
POLISHINGS = 3  # of levels and positions in turn; they hardly move after the second
UNUSUAL = 0.1  # of a member's turns in a set, to either side
# A moment is unusual that lies so many times as far off as half of them do, and by 1 %.
FAR, LEAST_FAR = 9, 0.01


def with_time(row: dict, ns: float | None) -> dict:
    """A harness's row with what its set says of a cycle's time, if it does."""
    return row if ns is None else row | {"undisturbed_ns": f"{ns:.1f}"}


@dataclasses.dataclass(frozen=True)
class Turns:
    """What a member did in a set: `ns` of each turn, a row for each cycle and a column for each
    position, the first of which reserves and the last of which releases; or a single column where a
    turn holds whole cycles, then by the cycle. `disturbed`: the processor was taken away in it."""

    ns: numpy.ndarray
    disturbed: numpy.ndarray

    def columns(self) -> dict:
        """What a row says of them."""
        return {"turns": self.ns.size, "disturbed_turns": int(self.disturbed.sum())}

    @property
    def positions(self) -> int:
        return self.ns.shape[1]

    @property
    def sliced(self) -> bool:
        return self.positions > 1


def medians(values: numpy.ndarray, axis: int) -> numpy.ndarray:
    """Of what is not NaN; NaN where nothing is left: those of numpy.nanmedian, in a quarter of its
    time."""
    ordered = numpy.sort(values, axis=axis)  # NaN last
    known = (~numpy.isnan(values)).sum(axis=axis, keepdims=True)
    last = numpy.maximum(known - 1, 0)
    below, above = last // 2, last - last // 2
    return (numpy.take_along_axis(ordered, below, axis)
            + numpy.take_along_axis(ordered, above, axis)) / 2


def counted(turns: Turns) -> numpy.ndarray:
    """Which turns count: those that were not disturbed. All of them where all slices were; and of
    reserving and releasing, of which a cycle has one each, where each of a set was."""
    inner = slice(1, -1) if turns.sliced else slice(None)
    if turns.disturbed[:, inner].all():
        return numpy.ones(turns.ns.shape, bool)
    kept = ~turns.disturbed
    if turns.sliced:
        for end in (0, -1):
            kept[:, end] |= not kept[:, end].any()
    return kept


def logs_of(turns: Turns) -> numpy.ndarray:
    """Of each turn; NaN where it does not count."""
    return numpy.where(counted(turns), numpy.log(numpy.maximum(turns.ns, LEAST_NS)), numpy.nan)


def typical_of(sets: Sequence[Turns]) -> numpy.ndarray:
    """The logarithm of each position's ns in a member's typical cycle. A cycle may be slower as a
    whole than another one, so that is first taken off (Tukey's median polish)."""
    logs = numpy.concatenate([logs_of(turns) for turns in sets])
    if not sets[0].sliced:
        return medians(logs, 0)[0]
    level = medians(logs, 1)
    for _ in range(POLISHINGS):
        positions = medians(logs - numpy.nan_to_num(level), 0)
        level = medians(logs - positions, 1)
    positions += medians(level, 0)
    return numpy.where(numpy.isnan(positions), numpy.nanmedian(positions), positions)[0]


def beyond_typical(turns: Turns, typical: numpy.ndarray) -> numpy.ndarray:
    """By how much, as a logarithm, each slice is slower than what is typical of its position, or
    each turn of whole cycles; NaN where it does not count."""
    beyond = logs_of(turns) - typical
    return beyond[:, 1:-1] if turns.sliced else beyond


def usual_moments(beyond: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """In which all members' turns count, by what these are beside what is typical of each: those
    that are not far from most others, for the members together."""
    together = medians(numpy.array(beyond), 0)[0]
    away = numpy.abs(together - numpy.nanmedian(together))
    return ~(away > max(FAR * numpy.nanmedian(away), LEAST_FAR))


def time_of(turns: Turns, typical: numpy.ndarray, usual: numpy.ndarray) -> float:
    """ns of a member's cycle in a set, of turns at usual moments. Reserving and releasing, of which
    there is one in a cycle, are as they were."""
    beyond = beyond_typical(turns, typical)
    if (usual & ~numpy.isnan(beyond)).any():
        beyond = numpy.where(usual, beyond, numpy.nan)
    if not turns.sliced:
        return sum_of(beyond, typical)
    ends = numpy.exp(medians(logs_of(turns)[:, [0, -1]], 0)).sum()
    return sum_of(beyond, typical[1:-1]) + float(ends)


def sum_of(beyond: numpy.ndarray, typical: numpy.ndarray) -> float:
    """ns of a cycle's turns, each position's mean, with what is unusual drawn in. A position that
    does not count in any cycle takes what others do beside what is typical of them."""
    factors = numpy.exp(numpy.clip(beyond, *numpy.nanquantile(beyond, (UNUSUAL, 1 - UNUSUAL))))
    known = ~numpy.isnan(factors)
    counts = known.sum(axis=0)
    sums = numpy.where(known, factors, 0.0).sum(axis=0)
    means = numpy.where(counts > 0, sums / numpy.maximum(counts, 1), sums.sum() / counts.sum())
    return float((means * numpy.exp(typical)).sum())


class Estimates:
    """Sets of the same members, and what each says of a cycle's time. Every further set moves what
    is typical, and so the sets before; that is worked out anew now and then, and by update()."""

    def __init__(self):
        self.sets: list[dict] = []
        self.times: list[dict] = []
        self.typical: dict = {}  # {(key, positions): logarithms}; some sets release in one go

    def add(self, members: dict):
        """A set: {key: Turns} of those that came to its end."""
        self.sets.append(members)
        count = len(self.sets)
        if count <= OFTEN or count & (count - 1) == 0 or \
                any(self.kind(key, members) not in self.typical for key in members):
            self.update()
        else:
            self.times.append(self.times_of(members))

    @staticmethod
    def kind(key, members: dict) -> tuple:
        return key, members[key].positions

    def times_of(self, members: dict) -> dict:
        if not members:
            return {}
        typical = {key: self.typical[self.kind(key, members)] for key in members}
        usual = usual_moments([beyond_typical(turns, typical[key])
                               for key, turns in members.items()])
        return {key: time_of(turns, typical[key], usual) for key, turns in members.items()}

    def update(self):
        alike: dict = {}
        for members in self.sets:
            for key, turns in members.items():
                alike.setdefault(self.kind(key, members), []).append(turns)
        self.typical = {kind: typical_of(sets) for kind, sets in alike.items()}
        self.times = [self.times_of(members) for members in self.sets]

    def of(self, key) -> dict[int, float]:
        """{number of the set, from 0: ns}."""
        return {number: times[key] for number, times in enumerate(self.times) if key in times}
