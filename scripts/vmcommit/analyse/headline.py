"""What to do on this machine, in two sentences at most: what to use, what that costs against the
fastest, what it wastes, and what not to use."""

import dataclasses
import math

import pandas

from vmcommit.analyse.advice import candidates, named, row_of, unused
from vmcommit.analyse.answer import Answer, Ratio, Times, cheapest, compare, of_pair
from vmcommit.analyse.sentences import Sentence, interval_text, times_text
from vmcommit.base.cells import Cell
from vmcommit.base.conventions import ALL_TOUCHED, CLOSE, SPARSELY_TOUCHED, TOUCH_NAMES
from vmcommit.base.text import range_text, sizes_text
from vmcommit.base.units import size_text, time_text

OF_WINE = Sentence("Choose nothing by this run: its times are Wine's, not Windows'. Its counts and "
                   "charge are what Windows programs ask for.", ())
UNTIMED = Sentence("Choose nothing by this run: it timed nothing, since each configuration was "
                   "refused, unsupported or skipped.", ())
OF_OTHERS = Sentence("This run timed nothing of the strategies as they are; what it says of other "
                     "questions stands below.", ())
MORE = "measure longer, by a larger profile, or on a quieter machine"


@dataclasses.dataclass(frozen=True)
class Pick:
    """What to use: of the strategies that are not significantly further than CLOSE from the
    fastest, the one that leaves the least charge unused. By medians alone the choice would change
    from run to run where one lies some 3 % from the fastest. `ratio`: to the fastest, None for
    itself. `waste`, `fastest_waste`: bytes unused where a region is used sparsely; infinite where
    that is unknown."""

    cell: Cell
    fastest: Cell
    ratio: Ratio | None
    waste: float
    fastest_waste: float


def pick(times: Times, summary: pandas.DataFrame, answer: Answer) -> Pick | None:
    """At the size of the sweep, all touched; None where rounds are too few."""
    if answer.sweep_size is None:
        return None
    block = candidates(times, answer, answer.sweep_size, ALL_TOUCHED)
    ratios = compare(times, [block])[0]
    if not ratios:
        return None
    first = next(iter(block))
    taken = {name: 1.0 if name == first else of_pair(ratios, name, first).median for name in block}
    fastest = min(cheapest(block, ratios), key=taken.__getitem__)
    near = [name for name in block
            if name == fastest or of_pair(ratios, name, fastest).low <= 1 + CLOSE]
    waste = {name: unused(summary, block[name]) for name in near}
    name = min(near, key=lambda name: (waste[name], taken[name]))
    return Pick(block[name], block[fastest],
                None if name == fastest else of_pair(ratios, name, fastest), waste[name],
                waste[fastest])


def charge_text(picked: Pick) -> str:
    """, and leaves 4 KiB of charge unused when a tenth is touched, where upfront leaves 58 MiB"""
    if math.isinf(picked.waste):
        return ""
    waste = f"{size_text(picked.waste)} of" if picked.waste else "no"
    text = (f", and leaves {waste} charge unused when "
            f"{TOUCH_NAMES[SPARSELY_TOUCHED]} is touched")
    if picked.cell == picked.fastest or math.isinf(picked.fastest_waste):
        return text
    return f"{text}, where {picked.fastest.strategy} leaves {size_text(picked.fastest_waste)}"


def of_pick(picked: Pick, summary: pandas.DataFrame) -> Sentence:
    where = f"Use {named(picked.cell)}: at {size_text(picked.cell.size)}, all touched,"
    if picked.ratio is None:
        row = row_of(summary, picked.cell)
        cost = (f"nothing is significantly faster; it takes {time_text(row.ns_per_page)} a page "
                f"({time_text(row.ns_per_page_low)} to {time_text(row.ns_per_page_high)})")
    elif picked.ratio.sign:
        cost = f"it takes {times_text(picked.ratio)} as {picked.fastest.strategy}, the fastest"
    else:
        cost = (f"it does not differ significantly in time from {picked.fastest.strategy}, "
                f"{interval_text(picked.ratio)}")
    return Sentence(f"{where} {cost}{charge_text(picked)}.", (picked.cell, picked.fastest),
                    picked.cell.strategy.name)


@dataclasses.dataclass(frozen=True)
class Loser:
    """A strategy that is slower than the fastest in every field of the matrix that it stands in;
    `factors` in each of these. `sparse`: sizes of which only a tenth was touched."""

    strategy: str
    sizes: tuple[int, ...]
    sparse: tuple[int, ...]
    factors: tuple[float, ...]
    cells: tuple[Cell, ...]


def losses(answer: Answer, name: str) -> Loser | None:
    fields = [field for of_touch in answer.fields.values() for field in of_touch
              if field.cheapest and name in field.block]
    if not fields or any(name in field.cheapest for field in fields):
        return None
    sizes = {field.size for field in fields}
    whole = {field.size for field in fields if field.touch == ALL_TOUCHED} or sizes
    return Loser(name, tuple(sorted(whole)), tuple(sorted(sizes - whole)),
                 tuple(field.factors[name].median for field in fields),
                 (fields[0].block[name], fields[-1].block[name]))


def worst(times: Times, answer: Answer) -> Loser | None:
    """The strategy with the largest factor of those that are slower by more than CLOSE in every
    field."""
    found = (losses(answer, name) for name in times.built_in)
    far = [loser for loser in found if loser and min(loser.factors) > 1 + CLOSE]
    return max(far, key=lambda loser: max(loser.factors)) if far else None


def of_loser(loser: Loser) -> Sentence:
    factors = range_text(min(loser.factors), max(loser.factors), 1)
    sparse = f", and of {' and '.join(map(size_text, loser.sparse))} with " \
             f"{TOUCH_NAMES[SPARSELY_TOUCHED]} touched" if loser.sparse else ""
    return Sentence(f"Do not use {loser.strategy} where time counts: it takes {factors} times as "
                    f"long as the fastest {sizes_text(loser.sizes)}{sparse}.", loser.cells,
                    loser.strategy)


def without_pick(times: Times, answer: Answer) -> Sentence:
    """Why nothing can be chosen."""
    timed = {cell.strategy.name for cell in times.logs if not cell.strategy.brought}
    if len(timed) == 1:
        name, = timed
        return Sentence(f"Choose nothing by this run: only {name} was timed.", ())
    if answer.sweep_size is None:
        return UNTIMED
    return Sentence("Choose nothing by this run yet: it has too few rounds to tell which strategy "
                    f"is the fastest at {size_text(answer.sweep_size)}; {MORE}.", ())


def of_run(times: Times, summary: pandas.DataFrame, answer: Answer) -> list[Sentence]:
    """The headline of a run; `times` and `summary` of what there is to choose from."""
    picked = pick(times, summary, answer)
    loser = worst(times, answer)
    first = of_pick(picked, summary) if picked else without_pick(times, answer)
    return [first, *([of_loser(loser)] if loser else [])]
