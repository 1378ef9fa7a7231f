#!/usr/bin/env python3
"""How long a turn should be and how many a set should have: a table of docs/trust.md. Run by hand,
on a machine that does nothing else: scripts/python.sh tests/turn_lengths.py BUILD

The four strategies take turns in sets of each kind, one kind after the other so that all meet the
same machine. Printed for each kind: what a set takes; how much a ratio to upfront varies from set
to set (a normal deviation by the quartiles, of the three ratios together); and from that how much
the mean of as many sets would vary as fit into three seconds.
"""

import pathlib
import random
import sys
import time

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))

from vmcommit.base.cells import Configuration  # noqa: E402
from vmcommit.base.conventions import COUNTED_ROUNDS  # noqa: E402
from vmcommit.base.units import KIB, MIB, size_text  # noqa: E402
from vmcommit.measure import environment, harness, sets  # noqa: E402
from vmcommit.measure.estimate import Estimates  # noqa: E402

SIZES = (4 * KIB, 64 * KIB, MIB, 16 * MIB)
STRATEGIES = ("upfront", "fault", "chunked", "guard")
SETS = 80
USUAL = (sets.TURN_NS, sets.BATCHES, sets.SLICES)
KINDS = ((1, 0.5), (1, 1), (1, 2), (1, 4), (0.5, 1), (0.5, 2))  # lengths of turns, work of a set
SECONDS = 3


def use(length, work):
    """Turns of so many times the usual length, and sets of so many times the usual time in them."""
    ns, batches, slices = USUAL
    sets.TURN_NS = round(length * ns)
    sets.BATCHES, sets.SLICES = (round(count * work / length) for count in (batches, slices))


def varied(estimates):
    """By the quartiles, of each strategy's ratios to the first one, as logarithms."""
    first, *others = (numpy.array(list(estimates.of(name).values())) for name in STRATEGIES)
    deviations = []
    for other in others:
        low, high = numpy.quantile(numpy.log(other / first), (0.25, 0.75))
        deviations.append((high - low) / 1.349)
    return float(numpy.sqrt(numpy.mean(numpy.square(deviations))))


def measured(build, size):
    described = harness.described(build)
    parts = {}
    for name in STRATEGIES:
        configuration = Configuration(described[name].strategy, size)
        parts[name] = sets.Part(described[name], configuration, described[name].take(configuration))
    estimates = {kind: Estimates() for kind in KINDS}
    seconds = dict.fromkeys(KINDS, 0.0)
    paces = {}
    for kind in KINDS:
        use(*kind)
        paces[kind] = sets.pace_of(described[STRATEGIES[0]])
    for number in range(1, SETS + 1):
        for kind in KINDS:
            use(*kind)
            begun = time.monotonic()
            taken = sets.Set(parts, paces[kind], number, COUNTED_ROUNDS + number,
                             random.Random(number)).take()
            seconds[kind] += time.monotonic() - begun
            estimates[kind].add({name: each.turns for name, each in taken.items()})
    for kind in KINDS:
        use(*kind)
        estimates[kind].update()
        turns = next(iter(estimates[kind].sets[0].values())).ns.size
        of_one, deviation = seconds[kind] / SETS, varied(estimates[kind])
        print(f"{size_text(size):>7} {sets.TURN_NS / 1e6:7.2f} ms {turns:5} {of_one * 1e3:8.0f} ms "
              f"{100 * deviation:8.2f} % {100 * deviation * (of_one / SECONDS) ** 0.5:8.2f} %",
              flush=True)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: scripts/python.sh tests/turn_lengths.py BUILD")
    print(f"{'':7} {'a turn':>10} {'turns':>5} {'a set':>11} {'varies':>10} "
          f"{f'in {SECONDS} s':>10}")
    with environment.pinned():
        for size in SIZES:
            measured(pathlib.Path(sys.argv[1]), size)


if __name__ == "__main__":
    main()
