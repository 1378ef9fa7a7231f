"""Which call gives memory back: kinds of giving back, by steps, in the order of addresses and with
every second step left alone."""

from vmcommit.base.cells import Configuration, Manner
from vmcommit.base.conventions import DEFAULT_STEP
from vmcommit.base.units import KIB, MIB
from vmcommit.measure.campaigns.topic import Topic

STEPS = (4 * KIB, 64 * KIB, 2 * MIB)
SCATTERED_STEPS = (4 * KIB, 64 * KIB)  # of which every second one is given back


def giving_back(strategies, size, steps, order="sequential"):
    return [Configuration(strategy, size, order=order, manner=Manner(purge=kind, purge_step=step))
            for strategy in strategies for step in steps if step <= size
            for kind in strategy.purge[1:]]


def configurations(profile, _available, strategies):
    """The strategies as they are stand beside, for what a first touch takes."""
    size = profile.sweep_size
    plain = [Configuration(strategy, size) for strategy in strategies if not strategy.brought]
    return plain + giving_back(strategies, size, (*STEPS, size)) \
        + giving_back(strategies, size, SCATTERED_STEPS, "alternate")


def brief(profile, strategies):
    """What a run of everything asks of it: each call, by one step."""
    upfront = [strategy for strategy in strategies if strategy.step == "size"]
    return giving_back(upfront, profile.sweep_size, (DEFAULT_STEP,))


TOPIC = Topic("which call gives memory back, and what coming back takes", configurations)
