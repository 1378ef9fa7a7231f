"""How each strategy scales with threads: a region each, stripes of one, the same pages, and as many
processes, which tells the address space's lock from the machine's memory."""

import dataclasses

from vmcommit.base.cells import (OWN, PLAIN, PROCESSES, SAME_PAGES, SHARES, STRIPES,
                                 Configuration, Manner)
from vmcommit.base.conventions import COUNTED_ROUNDS, DEFAULT_STEP
from vmcommit.base.units import KIB, MIB, powers
from vmcommit.measure.campaigns.topic import Topic
from vmcommit.measure.environment import CPUS

LEAST_THREADS = 4  # also of a machine with fewer CPUs: what is counted does not depend on them
MOST_THREADS = 256  # that a harness has
MEMBERS = 16  # of a set, which hold their regions at the same time
LEAST_SIZE = 64 * KIB  # of what a single thread does
FEWEST_THREADS, CELL_SIZE = 2, 4 * MIB  # of what is compared by `make compare`
QUESTION = "threads"
FINE_STEP = 4 * KIB  # beside the default one: two steps tell a commit call from a page
PRICE_SIZE = MIB  # of a thread's region
APART, TOGETHER = (OWN, PROCESSES), (STRIPES, SAME_PAGES)
# Samples that prices rest on: they take no turns, so that their times lie far apart; of small
# cycles, and of others, which cost more.
PRICED, LARGE_PRICED = 80, 12


def numbers(cpus):
    """1, 2, 4 and on; all CPUs, whatever their number."""
    most = min(max(cpus, LEAST_THREADS), MOST_THREADS)
    return sorted({*powers(1, most, 2), most})


def runs_threads(strategy):
    return "--threads" in strategy.options and not strategy.brought


def size_of(profile, available, threads):
    """Of a thread's region: a set of so many threads fits into a quarter of the memory."""
    size = profile.sweep_size // 4
    while size > MIB // 4 and MEMBERS * threads * size > available / 4:
        size //= 2
    return size


def shared(strategies, size, threads, share, question):
    """Each thread has so many bytes, whatever they share."""
    whole = threads * size if share == STRIPES else size
    return [Configuration(strategy, whole, question=question, manner=Manner(
        threads=threads, share=share)) for strategy in strategies]


def single(strategies, size, threads, question):
    """What so many threads are compared with; where they have CPUs enough, and once for counts."""
    wanted = threads <= len(CPUS) or threads == FEWEST_THREADS
    return [Configuration(strategy, size, question=question) for strategy in strategies
            if wanted]


def by_fine_steps(strategies, size, threads, question):
    """What else tells what a commit costs among others, where there are CPUs enough."""
    return [Configuration(strategy, size, chunk=FINE_STEP, question=question, manner=manner)
            for manner in (PLAIN, Manner(threads=threads, share=OWN),
                           Manner(threads=threads, share=PROCESSES))
            for strategy in strategies if strategy.stepped and threads <= len(CPUS)]


def in_turns(strategies, size, threads, shares=tuple(SHARES)):
    """All but processes, which end with each turn."""
    question = f"{threads} {QUESTION}"
    return single(strategies, size, threads, question) + [
        each for share in shares if share != PROCESSES
        for each in shared(strategies, size, threads, share, question)]


def not_in_turns(strategies, size, threads, shares):
    """By a process for each sample, which also counts how often the address space's lock is
    taken."""
    question = f"{threads} {QUESTION}, {' and '.join(SHARES[share] for share in shares)}"
    listed = single(strategies, size, threads, question) + [
        each for share in shares for each in shared(strategies, size, threads, share, question)]
    samples = COUNTED_ROUNDS
    if shares == APART:
        listed += by_fine_steps(strategies, size, threads, question)
        samples = PRICED if size <= PRICE_SIZE else LARGE_PRICED
    return [dataclasses.replace(each, alone=samples) for each in listed]


def all_of(strategies, size, threads):
    """What is asked of so many threads. Where a cycle is small, little but commits takes time, and
    a price of these is known the better."""
    sizes = {PRICE_SIZE, size} if threads <= len(CPUS) else {size}
    return in_turns(strategies, size, threads) \
        + [each for apart in sorted(sizes)
           for each in not_in_turns(strategies, apart, threads, APART)] \
        + not_in_turns(strategies, size, threads, TOGETHER)


def by_one(strategies, most):
    """What a cost model of a single thread rests on, to which threads add."""
    return [Configuration(strategy, size, chunk=step, question="one thread")
            for size in powers(LEAST_SIZE, most, 2) for strategy in strategies
            for step in ((DEFAULT_STEP, FINE_STEP) if strategy.stepped else (DEFAULT_STEP,))]


def configurations(profile, available, strategies):
    strategies = list(filter(runs_threads, strategies))
    counts = numbers(len(CPUS))
    size = size_of(profile, available, counts[-1])
    return by_one(strategies, min(profile.sweep_size, available // MEMBERS)) + [
        each for threads in counts[1:] for each in all_of(strategies, size, threads)]


def brief(profile, strategies):
    """What a run of everything asks of it: one thread, and one for each CPU where there are
    several, with a region each."""
    threads = min(len(CPUS), MOST_THREADS)
    strategies = list(filter(runs_threads, strategies))
    return in_turns(strategies, profile.sweep_size // 16, threads, (OWN,)) if threads > 1 else []


def cells(strategies):
    """What is counted there is the same in each cycle, which it is not on the same pages."""
    strategies = list(filter(runs_threads, strategies))
    return [each for share in (OWN, STRIPES)
            for each in shared(strategies, CELL_SIZE, FEWEST_THREADS, share, "")]


TOPIC = Topic("how each strategy scales with threads", configurations, cells=cells)
