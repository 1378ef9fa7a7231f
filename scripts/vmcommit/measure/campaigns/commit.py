"""By which call to make pages usable: kinds of commit, by the strategies that can use them and by
steps, steps that double, and larger pages."""

import dataclasses

from vmcommit.base.cells import PLAIN, Configuration, Manner
from vmcommit.base.units import KIB, MIB, size_text
from vmcommit.measure.campaigns.topic import Topic

STEPS = (4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 256 * KIB, 2 * MIB)
GROWING = (4 * KIB, 64 * KIB)  # first steps, where they double
FEW_STEPS = (4 * KIB, 16 * KIB, 64 * KIB)
CELL_SIZE = 16 * MIB  # that are compared
LARGER_PAGES = "thp-64K"
UNCHARGED = "noreserve"
QUESTION = "commit"


def asked(strategy, size, step=None, **manner):
    """Each stands beside the strategy as it is, in sets of their own."""
    chunk = {} if step is None else {"chunk": step}
    return Configuration(strategy, size, **chunk, manner=Manner(**manner), question=QUESTION)


def kinds_of(strategy):
    """The default one, then each other kind of commit."""
    return ("", *strategy.commit[1:])


def at_once(strategies, size):
    """Each kind of the strategies without a step."""
    return [asked(strategy, size, commit=kind) for strategy in strategies
            if not strategy.stepped for kind in kinds_of(strategy)]


def by_steps(strategies, size, steps, growth=""):
    """Each kind of the strategies with a step, at each one."""
    return [asked(strategy, size, step, commit=kind, growth=growth)
            for step in steps for strategy in strategies if strategy.stepped
            and (not growth or "--growth" in strategy.options) for kind in kinds_of(strategy)]


def on_larger_pages(strategies, size, steps):
    return [asked(strategy, size, step, pages=LARGER_PAGES)
            for step in steps for strategy in strategies
            if strategy.stepped and LARGER_PAGES in strategy.pages]


def built_in(strategies):
    return [strategy for strategy in strategies if not strategy.brought]


def of_step(strategies, size, step):
    """All that is compared with each other at a step, in sets of its own, beside what commits at
    once: smaller sets leave less time to a host that takes free memory back."""
    whole = [asked(strategy, size) for strategy in strategies if strategy.step == "size"]
    growing = (step,) if step in GROWING else ()
    listed = whole + by_steps(strategies, size, (step,)) \
        + by_steps(strategies, size, growing, "double") \
        + on_larger_pages(strategies, size, (step,))
    return [dataclasses.replace(each, question=f"{QUESTION} by {size_text(step)}")
            for each in listed]


def configurations(profile, _available, strategies):
    strategies, size = built_in(strategies), profile.sweep_size
    return at_once(strategies, size) + [
        each for step in STEPS for each in of_step(strategies, size, step)]


def brief(profile, strategies):
    """What a run of everything asks of it: of the strategy that checks, and of upfront, which tells
    what is not charged for both; nothing where there is only one kind, as on Windows."""
    size = profile.sweep_size
    checking = [strategy for strategy in built_in(strategies)
                if strategy.stepped and not strategy.handles_faults]
    upfront = [strategy for strategy in built_in(strategies) if strategy.step == "size"]
    stepped = by_steps(checking, size, FEW_STEPS) + on_larger_pages(checking, size, FEW_STEPS)
    listed = at_once(upfront, size) + [each for each in stepped if each.manner.commit != UNCHARGED]
    return listed if any(each.manner != PLAIN for each in listed) else []


def cells(strategies):
    strategies = built_in(strategies)
    return at_once(strategies, CELL_SIZE) + by_steps(strategies, CELL_SIZE, GROWING) \
        + by_steps(strategies, CELL_SIZE, GROWING[:1], "double")


TOPIC = Topic("by which call to commit, in which steps", configurations, cells=cells,
              replayed=("commit",))
