"""An answer in words. Each sentence follows from figures and names the cells that it rests on."""

import dataclasses

from vmcommit.base.conventions import (ALL_TOUCHED, CLOSE, DEFAULT_STEP, SPARSELY_TOUCHED,
                                       TOUCH_NAMES)
from vmcommit.base.text import listed, range_text, sizes_text
from vmcommit.base.units import size_text, time_text


@dataclasses.dataclass(frozen=True)
class Sentence:
    """`subject`: the name of the strategy that it is about, where it is about one."""

    text: str
    cells: tuple  # what it rests on
    subject: str = ""


OF_WINE = Sentence("These are Wine's times, not Windows': no choice follows from them. Counts and "
                   "charge are what Windows programs ask for.", ())


def of_band(band, compared):
    """`compared`: how many strategies were."""
    sizes = sizes_text(band.sizes)
    if not band.cheapest:
        return f"{sizes} there are too few rounds to compare them"
    if len(band.cheapest) == compared:
        return f"{sizes} there is no significant difference between the strategies"
    if len(band.cheapest) == 1:
        return f"{band.cheapest[0]} is the cheapest {sizes}"
    return (f"{listed(band.cheapest)} are the cheapest {sizes}, with no significant difference "
            "between them")


def of_bands(bands, touch, compared):
    if not bands:
        return []
    clauses = "; ".join(of_band(band, compared) for band in bands)
    return [Sentence(f"With {TOUCH_NAMES[touch]} of the region touched, {clauses}.",
                     tuple(band.cells[0] for band in bands))]


def of_crossings(crossings, touch):
    return [Sentence(f"With {TOUCH_NAMES[touch]} of the region touched, {crossing.first} is cheaper "
                     f"than {crossing.second} up to {size_text(crossing.below)}, and "
                     f"{crossing.second} is cheaper from {size_text(crossing.above)} on.",
                     crossing.cells) for crossing in crossings]


def of_knee(knee, wastes):
    near = f"within {100 * CLOSE:.0f} % of upfront"
    at = f"at {size_text(knee.size)}"
    ratio = f"{knee.ratio.median:.3f} times upfront ({knee.ratio.low:.3f} to {knee.ratio.high:.3f})"
    if knee.step is None:
        text = f"No measured step of {knee.strategy} comes {near} {at}" if knee.low is None else \
            f"The intervals leave open whether {knee.strategy} comes {near} {at} with any " \
            "measured step"
        return Sentence(f"{text}: {size_text(knee.cell.chunk)} costs {ratio}.", (knee.cell,),
                        knee.strategy)
    if knee.high is None:
        reach = f"{size_text(knee.low)} or more: the intervals leave the upper end open"
    elif knee.low == knee.high:
        reach = "no other step fits"
    else:
        reach = f"{size_text(knee.low)} to {size_text(knee.high)}"
    text = (f"{knee.strategy} comes {near} from steps of {size_text(knee.step)} on ({reach}): "
            f"{ratio} {at}.")
    if wastes:
        text += f" With that step {of_wastes(wastes)} of it is touched."
    return Sentence(text, (knee.cell,), knee.strategy)


def of_wastes(wastes):
    """100 KiB of charge is unused when a tenth, and none when half or all"""
    touches = {}
    for touch, waste in wastes.items():
        touches.setdefault(waste, []).append(TOUCH_NAMES[touch])
    return listed(f"{size_text(waste) if waste else 'none' if number else 'no charge'}"
                  f"{'' if number else (' of charge' if waste else '') + ' is unused'} "
                  f"when {listed(names, 'or')}"
                  for number, (waste, names) in enumerate(touches.items()))


def of_page_cost(name, cost):
    if cost is None:
        return Sentence(f"Committing a page at a time ({name}) and upfront do not differ "
                        "significantly.", ())
    return Sentence(f"Committing a page at a time ({name}) costs "
                    f"{range_text(cost.least, cost.most, 1)} times as much as upfront "
                    f"{sizes_text(cost.sizes)}: {time_text(abs(cost.more_ns))} "
                    f"{'more' if cost.more_ns > 0 else 'less'} for each page.",
                    (cost.cells[0], cost.cells[-1]))


def of_beside(strategy, bands):
    clauses = []
    for band in bands:
        times = "" if not band.sign else f" ({range_text(band.least, band.most)} times)"
        clauses.append({-1: "faster", 1: "slower", 0: "no significant difference",
                        None: "too few rounds to compare"}[band.sign]
                       + f" {sizes_text(band.sizes)}{times}")
    return Sentence(f"{strategy} beside {bands[0].against}, both by {size_text(DEFAULT_STEP)}: "
                    f"{'; '.join(clauses)}.", tuple(band.cells[0] for band in bands), strategy)


def of_answer(answer, compared):
    """The sentences, most important first; `compared`: how many strategies were."""
    sentences = []
    for touch in (ALL_TOUCHED, SPARSELY_TOUCHED):
        sentences += of_bands(answer.bands[touch], touch, compared)
    for touch in (ALL_TOUCHED, SPARSELY_TOUCHED):
        sentences += of_crossings(answer.crossings[touch], touch)
    sentences += [of_knee(knee, answer.wastes.get(knee.strategy)) for knee in answer.knees]
    sentences += [of_page_cost(name, cost) for name, cost in answer.page_costs.items()]
    return sentences + [of_beside(name, bands) for name, bands in answer.beside.items()]
