"""The time of an undisturbed cycle, from turns. docs/trust.md tells what it was chosen from, and by
what trials.

A cycle's time is a sum over its turns: what only one slice in sixteen does must be seen in its true
size, while a turn in which something else ran, or met memory that a host had taken back, must not
move it. So a member's typical cycle is the sum over positions of each position's median over all of
its cycles in all sets. In one set it is faster or slower than that by the weighted median of how
much its turns are, each weighted by its position's time; what moves all members at the same moment
is first taken off. Reserving and releasing are positions of their own, whose median over the set's
own cycles counts, since there is only one of each in a cycle.
"""

import dataclasses
from collections.abc import Sequence

import numpy

OFTEN = 6  # sets up to which all is worked out anew with each
LEAST_NS = 1e-3  # of a turn, where a coarse clock did not tick in it
POLISHINGS = 3  # of levels and positions in turn; they hardly move after the second


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
    def sliced(self) -> bool:
        return self.ns.shape[1] > 1


def medians(values: numpy.ndarray, axis: int) -> numpy.ndarray:
    """Of what is not NaN; NaN where nothing is left: those of numpy.nanmedian, in a quarter of its
    time."""
    ordered = numpy.sort(values, axis=axis)  # NaN last
    known = (~numpy.isnan(values)).sum(axis=axis, keepdims=True)
    last = numpy.maximum(known - 1, 0)
    below, above = last // 2, last - last // 2
    return (numpy.take_along_axis(ordered, below, axis)
            + numpy.take_along_axis(ordered, above, axis)) / 2


def weighted_median(values: numpy.ndarray, weights: numpy.ndarray) -> float:
    """Of what is not NaN; 0 where nothing is left. Between the two values in the middle where half
    of the weight lies between theirs: if it jumped from one to the other, weights that differ in
    their last digit would put one member always below and another one always above."""
    values, weights = values.ravel(), weights.ravel()
    known = ~numpy.isnan(values)
    values, weights = values[known], weights[known]
    if not len(values):
        return 0.0
    order = numpy.argsort(values)
    reached = numpy.cumsum(weights[order])
    return float(numpy.interp(reached[-1] / 2, reached - weights[order] / 2, values[order]))


def undisturbed_of(turns: Turns) -> numpy.ndarray:
    """The turns' ns with NaN for those that were disturbed; all of them where all were."""
    return turns.ns if turns.disturbed.all() else numpy.where(turns.disturbed, numpy.nan, turns.ns)


def logs_of(turns: Turns) -> numpy.ndarray:
    """Of the slices, or of all turns where they hold whole cycles; NaN where disturbed."""
    if turns.sliced:
        turns = Turns(turns.ns[:, 1:-1], turns.disturbed[:, 1:-1])
    return numpy.log(numpy.maximum(undisturbed_of(turns), LEAST_NS))


@dataclasses.dataclass(frozen=True)
class Typical:
    """A member's typical cycle: the logarithm of each slice's ns, and the ns of reserving and
    releasing; of whole cycles as turns a single logarithm, and no ends."""

    slices: numpy.ndarray
    ends: numpy.ndarray


def ends_in(ns: numpy.ndarray, disturbed: numpy.ndarray) -> numpy.ndarray:
    """ns of reserving and releasing. On a busy machine every release of gigabytes is interrupted:
    then they all count."""
    ends, kept = ns[:, [0, -1]], ~disturbed[:, [0, -1]]
    return medians(numpy.where(kept | ~kept.any(axis=0), ends, numpy.nan), 0)[0]


def typical_of(sets: Sequence[Turns]) -> Typical:
    """Of one member, from its turns in all sets. A cycle may be slower as a whole than another one,
    so that is first taken off (Tukey's median polish)."""
    logs = numpy.concatenate([logs_of(turns) for turns in sets])
    if not sets[0].sliced:
        return Typical(medians(logs, 0)[0], numpy.zeros(0))
    level = medians(logs, 1)
    for _ in range(POLISHINGS):
        slices = medians(logs - numpy.nan_to_num(level), 0)
        level = medians(logs - slices, 1)
    slices = numpy.where(numpy.isnan(slices), numpy.nanmedian(slices), slices)
    return Typical(slices[0], ends_in(numpy.concatenate([turns.ns for turns in sets]),
                                      numpy.concatenate([turns.disturbed for turns in sets])))


def ends_of(turns: Turns, usual: numpy.ndarray) -> float:
    """ns of reserving and releasing in a set; as usual where all of them were disturbed."""
    if not turns.sliced:
        return 0.0
    own = medians(undisturbed_of(turns)[:, [0, -1]], 0)[0]
    return float(numpy.nansum(numpy.where(numpy.isnan(own), usual, own)))


def common_of(residuals: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """What moved the members at the same moment; NaN where less than two of them tell, with whom
    nothing could be compared."""
    stacked = numpy.array(residuals)
    told = (~numpy.isnan(stacked)).sum(axis=0) >= min(2, len(residuals))
    return numpy.where(told, medians(stacked, 0)[0], numpy.nan)


def level_of(residual: numpy.ndarray, common: numpy.ndarray, moved: float, weights: numpy.ndarray
             ) -> float:
    """How much slower than its typical cycle a member was, as a logarithm; by its own turns alone
    where none of them can be compared. `moved`: by how much all members were."""
    beyond = residual - common
    if numpy.isnan(beyond).all():
        return weighted_median(residual, weights)
    return weighted_median(beyond, weights) + moved


def of_set(members: dict, typical: dict) -> dict:
    """{key: ns of a cycle} of a set, {key: Turns}. `typical`: {key: Typical}."""
    residuals = {key: logs_of(turns) - typical[key].slices for key, turns in members.items()}
    common = common_of(list(residuals.values())) if residuals else numpy.zeros(0)
    slices = {key: numpy.exp(typical[key].slices) for key in members}
    moved = weighted_median(common, numpy.broadcast_to(sum(slices.values()), common.shape))
    times = {}
    for key, turns in members.items():
        weights = numpy.broadcast_to(slices[key], residuals[key].shape)
        level = level_of(residuals[key], common, moved, weights)
        times[key] = float(slices[key].sum() * numpy.exp(level)) \
            + ends_of(turns, typical[key].ends)
    return times


class Estimates:
    """Sets of the same members, and what each says of a cycle's time. Every further set moves what
    is typical, and so the sets before; that is worked out anew now and then, and by update()."""

    def __init__(self):
        self.sets: list[dict] = []
        self.times: list[dict] = []
        self.typical: dict = {}

    def add(self, members: dict):
        """A set: {key: Turns} of those that came to its end."""
        self.sets.append(members)
        count = len(self.sets)
        if count <= OFTEN or count & (count - 1) == 0 or not self.typical.keys() >= members.keys():
            self.update()
        else:
            self.times.append(of_set(members, self.typical))

    def update(self):
        keys = dict.fromkeys(key for members in self.sets for key in members)
        self.typical = {key: typical_of([members[key] for members in self.sets if key in members])
                        for key in keys}
        self.times = [of_set(members, self.typical) for members in self.sets]

    def of(self, key) -> dict[int, float]:
        """{number of the set, from 0: ns}."""
        return {number: times[key] for number, times in enumerate(self.times) if key in times}
