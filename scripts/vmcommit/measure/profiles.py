"""What a profile measures: sizes, steps, touches, and for how long."""

import dataclasses

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import (ALL_TOUCHED, DEFAULT_STEP, HALF_TOUCHED, ORDERS, SPARSE_FROM,
                                       SPARSELY_TOUCHED)
from vmcommit.base.units import GIB, KIB, MIB, powers


@dataclasses.dataclass(frozen=True)
class Profile:
    """`seconds` is for all that is measured; drawing comes on top."""

    seconds: float
    detail_pages: float  # pages of cycles that take as long as what follows the rounds
    sizes: tuple
    sweep_size: int
    sweep_steps: tuple
    trace_sizes: tuple
    trace_repeat: int  # processes that are traced at the sweep's size; one tells nothing of others
    limit_size: int  # where random page-at-a-time commit meets the limit on mappings; 0: left out
    narrow: float  # half-width that strategies are to be known within, all touched; below gigabytes
    large: float  # the same of gigabytes, of a tenth touched, and of the sweep's steps
    coarse: float  # of what else is timed
    process_runs: int  # of whole processes, by hyperfine
    calls_populate: int  # the largest size that single calls find touched
    calls_repeat: int  # samples of each single call
    workload_bytes: int  # of the nodes of a list; four times as many go through a buffer
    workload_repeat: int  # samples of each list and buffer
    surroundings_repeat: int  # samples of each fork
    campaign_seconds: float  # for the samples of a campaign that asks one question alone
    calls_options: tuple = ()  # of the program that times them: fewer sizes, and less beside
    question: float | None = None  # half-width of what such a question compares; None: few sets do


# How many pages details take was read off runs; of full it is reckoned from default, by
# sizes and repeats, and was not measured.
PROFILES = {
    "quick": Profile(12.5, 1.4e6, (*powers(4 * KIB, 16 * MIB, 16), 64 * MIB), 16 * MIB,
                     tuple(powers(4 * KIB, 4 * MIB, 4)), (16 * MIB,), 1, 0, 0.02, 0.04, 0.1,
                     6, 16 * MIB, 6, MIB, 2, 3, 10,
                     ("--size", "4K..16M*64", "--mappings", "0,1000")),
    "default": Profile(127, 13.4e6, tuple(powers(4 * KIB, 4 * GIB, 4)), 64 * MIB,
                       tuple(powers(4 * KIB, 16 * MIB, 2)), (64 * MIB,), 6, GIB, 0.01, 0.02,
                       0.05, 10, 128 * MIB, 11, 8 * MIB, 6, 7, 50),
    "full": Profile(1190, 100e6, tuple(powers(4 * KIB, 16 * GIB, 2)), 64 * MIB,
                    tuple(powers(4 * KIB, 64 * MIB, 2)), (64 * MIB, GIB), 12, GIB,
                    0.005, 0.01, 0.02, 20, GIB, 31, 80 * MIB, 7, 21, 500),
}


def configurations(profile, available, strategies):
    """All of a profile's of which two fit into half of the available memory. `strategies`: in the
    order of tables."""
    stepped = [strategy for strategy in strategies if strategy.stepped]
    listed = {}  # a dict keeps the order and drops what comes twice
    for size in profile.sizes:
        if size > available / 4:
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
    if 0 < profile.limit_size <= available / 4:
        for strategy in strategies:
            if strategy.step == "page":
                listed[Configuration(strategy, profile.limit_size, order="random")] = True
    return list(listed)
