"""What a profile measures: sizes, steps, touches, and for how long."""

import dataclasses

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import (ALL_TOUCHED, DEFAULT_STEP, HALF_TOUCHED, ORDERS, SPARSE_FROM,
                                       SPARSELY_TOUCHED)
from vmcommit.base.units import GIB, KIB, MIB, powers


@dataclasses.dataclass(frozen=True)
class Profile:
    """`seconds` is for the samples; drawing and the rest come on top."""

    seconds: float
    sizes: tuple
    sweep_size: int
    sweep_steps: tuple
    trace_sizes: tuple
    limit_size: int  # where random page-at-a-time commit meets the limit on mappings; 0: left out
    rounds_min: int  # of strategies against each other, all touched; below the sweep's size, twice
    rounds_max: int
    process_runs: int  # of whole processes, by hyperfine


PROFILES = {
    "quick": Profile(15, (*powers(4 * KIB, 16 * MIB, 16), 64 * MIB), 16 * MIB,
                     tuple(powers(4 * KIB, 4 * MIB, 4)), (16 * MIB,), 0, 8, 20, 6),
    "default": Profile(180, tuple(powers(4 * KIB, 4 * GIB, 4)), 64 * MIB,
                       tuple(powers(4 * KIB, 16 * MIB, 2)), (64 * MIB, GIB), GIB, 22, 120, 10),
    "full": Profile(1150, tuple(powers(4 * KIB, 16 * GIB, 2)), 64 * MIB,
                    tuple(powers(4 * KIB, 64 * MIB, 2)), (64 * MIB, GIB), GIB, 40, 200, 20),
}


def configurations(profile, available, strategies):
    """All of a profile's, up to half of the available memory. `strategies`: in the order of
    tables."""
    stepped = [strategy for strategy in strategies if strategy.stepped]
    listed = {}  # a dict keeps the order and drops what comes twice
    for size in profile.sizes:
        if size > available / 2:
            continue
        for touch in (ALL_TOUCHED, SPARSELY_TOUCHED)[:1 + (size >= SPARSE_FROM)]:
            for strategy in strategies:
                listed[Configuration(strategy, size, touch)] = True
    for touch in (ALL_TOUCHED, HALF_TOUCHED, SPARSELY_TOUCHED):
        for strategy in strategies:
            for step in profile.sweep_steps if strategy.stepped else (DEFAULT_STEP,):
                listed[Configuration(strategy, profile.sweep_size, touch, step)] = True
    for size in profile.sizes:
        if DEFAULT_STEP <= size < profile.sweep_size:
            for strategy in stepped:
                for step in powers(4 * KIB, size, 4):
                    listed[Configuration(strategy, size, ALL_TOUCHED, step)] = True
    for order in ORDERS[1:]:
        for strategy in strategies:
            if "--order" in strategy.options:
                listed[Configuration(strategy, profile.sweep_size, order=order)] = True
    if 0 < profile.limit_size <= available / 2:
        for strategy in strategies:
            if strategy.step == "page":
                listed[Configuration(strategy, profile.limit_size, order="random")] = True
    return list(listed)
