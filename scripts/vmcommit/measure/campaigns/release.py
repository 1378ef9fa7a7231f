"""Which call gives memory back: kinds of giving back, by steps, in the order of addresses and with
every second step left alone."""

from vmcommit.base.cells import Configuration, Manner
from vmcommit.base.conventions import DEFAULT_STEP
from vmcommit.base.units import KIB, MIB
from vmcommit.measure.campaigns.topic import Topic

STEPS = (4 * KIB, DEFAULT_STEP, 2 * MIB)
SMALLEST = STEPS[:1]
CELL_SIZE = 16 * MIB  # that are compared
QUESTION = "release"


def giving_back(strategies, size, steps, order="sequential", question=QUESTION):
    return [Configuration(strategy, size, order=order, question=question,
                          manner=Manner(purge=kind, purge_step=step))
            for strategy in strategies for step in steps if step <= size
            for kind in strategy.purge[1:]]


def of_step(strategies, step):
    """Those whose step is of that kind."""
    return [strategy for strategy in strategies if strategy.step == step and not strategy.brought]


def configurations(profile, _available, strategies):
    """The strategies as they are stand beside, for what a first touch takes. Sets are small: a host
    takes free memory back within seconds."""
    size = profile.sweep_size
    whole, stepped = of_step(strategies, "size"), of_step(strategies, "chunk")
    plain = [Configuration(strategy, size) for strategy in strategies if not strategy.brought]
    return plain + giving_back(whole, size, STEPS[:2]) \
        + giving_back(whole, size, (*STEPS[2:], size), question=f"{QUESTION} by larger steps") \
        + giving_back(stepped, size, STEPS[:2], question=f"{QUESTION} of steps") \
        + giving_back(whole, size, STEPS[:2], "alternate") \
        + giving_back(stepped, size, SMALLEST, "alternate")


def brief(profile, strategies):
    """What a run of everything asks of it: each call, by one step."""
    return giving_back(of_step(strategies, "size"), profile.sweep_size, (DEFAULT_STEP,))


def cells(strategies):
    whole, stepped = of_step(strategies, "size"), of_step(strategies, "chunk")
    return giving_back([*whole, *stepped], CELL_SIZE, (DEFAULT_STEP,)) \
        + giving_back(whole, CELL_SIZE, SMALLEST, "alternate")


TOPIC = Topic("which call gives memory back, and what coming back takes", configurations,
              cells=cells, replayed=("purge",))
