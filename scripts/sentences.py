"""An answer in words. Each sentence follows from figures and names the cells that it rests on."""

import dataclasses

from answer import CLOSE
from campaign import DEFAULT_STEP, HALF_TOUCH, SPARSE_TOUCH, STRATEGIES, size_text
from charts import time_text

TOUCHES = {"1": "all", HALF_TOUCH: "half", SPARSE_TOUCH: "a tenth"}


@dataclasses.dataclass(frozen=True)
class Sentence:
    text: str
    cells: tuple  # what it rests on


OF_WINE = Sentence("These are Wine's times, not Windows': no choice follows from them. Counts and "
                   "charge are what Windows programs ask for.", ())


def listed(words, joint="and"):
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}"


def span(sizes):
    """at 4 KiB; from 4 KiB to 16 MiB"""
    return f"at {size_text(sizes[0])}" if len(sizes) == 1 else \
        f"from {size_text(sizes[0])} to {size_text(sizes[-1])}"


def of_band(band):
    if not band.cheapest:
        return f"{span(band.sizes)} there are too few rounds to tell"
    if len(band.cheapest) == len(STRATEGIES):
        return f"{span(band.sizes)} no strategy can be told from the others"
    if len(band.cheapest) == 1:
        return f"{band.cheapest[0]} is the cheapest {span(band.sizes)}"
    return (f"{listed(band.cheapest)} are the cheapest {span(band.sizes)} and can't be told apart")


def of_bands(bands, touch):
    if not bands:
        return []
    told = "; ".join(map(of_band, bands))
    return [Sentence(f"With {TOUCHES[touch]} of the region touched, {told}.",
                     tuple(band.cells[0] for band in bands))]


def of_crossings(crossings, touch):
    return [Sentence(f"With {TOUCHES[touch]} of the region touched, {one.first} is cheaper than "
                     f"{one.second} up to {size_text(one.below)}, and {one.second} is from "
                     f"{size_text(one.above)} on.", one.cells) for one in crossings]


def of_knee(knee, wastes):
    near = f"within {100 * CLOSE:.0f} % of upfront"
    at = f"at {size_text(knee.size)}"
    ratio = f"{knee.ratio.median:.3f} times upfront ({knee.ratio.low:.3f} to {knee.ratio.high:.3f})"
    if knee.step is None:
        text = f"No measured step of {knee.strategy} comes {near} {at}" if knee.low is None else \
            f"It can't be told whether {knee.strategy} comes {near} {at} with any measured step"
        return Sentence(f"{text}: {size_text(knee.cell.chunk)} costs {ratio}.", (knee.cell,))
    if knee.high is None:
        reach = f"{size_text(knee.low)} or more: the intervals leave the upper end open"
    elif knee.low == knee.high:
        reach = "no other step fits"
    else:
        reach = f"{size_text(knee.low)} to {size_text(knee.high)}"
    text = (f"{knee.strategy} comes {near} from steps of {size_text(knee.step)} on ({reach}): "
            f"{ratio} {at}.")
    if wastes:
        text += f" That step leaves {of_wastes(wastes)} of it touched."
    return Sentence(text, (knee.cell,))


def of_wastes(wastes):
    """100 KiB promised and unused with a tenth, and nothing with half or all"""
    touches = {}
    for touch, waste in wastes.items():
        touches.setdefault(waste, []).append(TOUCHES[touch])
    return listed(f"{size_text(waste) if waste else 'nothing'} "
                  f"{'' if number else 'promised and unused '}with {listed(names, 'or')}"
                  for number, (waste, names) in enumerate(touches.items()))


def span_of(least, most, digits=2):
    """1.02; 1.02 to 1.10"""
    return f"{least:.{digits}f}" if f"{least:.{digits}f}" == f"{most:.{digits}f}" else \
        f"{least:.{digits}f} to {most:.{digits}f}"


def of_page_cost(cost):
    if cost is None:
        return Sentence("What committing a page at a time (fault) costs beyond upfront can't be "
                        "told.", ())
    return Sentence(f"Committing a page at a time (fault) costs "
                    f"{span_of(cost.least, cost.most, 1)} times as much as upfront {span(cost.sizes)}: {time_text(abs(cost.more_ns))} "
                    f"{'more' if cost.more_ns > 0 else 'less'} for each page.",
                    (cost.cells[0], cost.cells[-1]))


def of_beside(strategy, bands):
    told = []
    for band in bands:
        times = "" if not band.sign else f" ({span_of(band.least, band.most)} times)"
        told.append({-1: "faster", 1: "slower", 0: "no difference that can be told",
                     None: "too few rounds to tell"}[band.sign] + f" {span(band.sizes)}{times}")
    return Sentence(f"{strategy} beside chunked, both by {size_text(DEFAULT_STEP)}: "
                    f"{'; '.join(told)}.", tuple(band.cells[0] for band in bands))


def tell(answer):
    """The sentences, most important first."""
    told = of_bands(answer.bands["1"], "1") + of_bands(answer.bands[SPARSE_TOUCH], SPARSE_TOUCH)
    told += of_crossings(answer.crossings["1"], "1")
    told += of_crossings(answer.crossings[SPARSE_TOUCH], SPARSE_TOUCH)
    told += [of_knee(knee, answer.wastes.get(knee.strategy)) for knee in answer.knees]
    if answer.page_cost_asked:
        told.append(of_page_cost(answer.page_cost))
    told += [of_beside(strategy, bands) for strategy, bands in answer.beside.items()]
    return told
