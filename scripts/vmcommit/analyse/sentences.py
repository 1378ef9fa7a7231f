"""What an answer says beside its matrix, in words. Each sentence follows from figures and names the
cells that it rests on."""

import dataclasses

from vmcommit.analyse.answer import Answer, Beside, Crossing, Estimate, Knee, PageCost, Ratio
from vmcommit.base.cells import Cell
from vmcommit.base.conventions import CLOSE, DEFAULT_STEP, TOUCH_NAMES
from vmcommit.base.text import listed, range_text, sizes_text
from vmcommit.base.units import size_text, time_text

TOO_FEW = "(too few rounds for a confidence interval)"


@dataclasses.dataclass(frozen=True)
class Sentence:
    """`subject`: the name of the strategy that it is about, where it is about one."""

    text: str
    cells: tuple[Cell, ...]  # what it rests on
    subject: str = ""


def of_touch(touch: str, step: int | None) -> str:
    """With a tenth of the region touched, at a step of 64 KiB"""
    return f"With {TOUCH_NAMES[touch]} of the region touched" + \
        (f", at a step of {size_text(step)}" if step else "")


def times_text(ratio: Ratio) -> str:
    """1.023 times as long (1.005 to 1.041)"""
    return f"{ratio.median:.3f} times as long ({ratio.low:.3f} to {ratio.high:.3f})"


def interval_text(ratio: Ratio) -> str:
    """1.005 times (0.990 to 1.020)"""
    return f"{ratio.median:.3f} times ({ratio.low:.3f} to {ratio.high:.3f})"


def of_crossing(crossing: Crossing, touch: str) -> Sentence:
    before, after = crossing.ratios
    return Sentence(
        f"{of_touch(touch, crossing.step)}, {crossing.first} takes {times_text(before)} as "
        f"{crossing.second} at {size_text(crossing.below)}, and {crossing.second} "
        f"{times_text(after)} as {crossing.first} at {size_text(crossing.above)}.", crossing.cells)


def ends_text(figure: Ratio | Estimate, digits: int) -> str:
    """(1.003 to 1.047)"""
    return f"({figure.low:.{digits}f} to {figure.high:.{digits}f})" if figure.known else TOO_FEW


def of_ratio(knee: Knee) -> str:
    """64 KiB costs 1.026 times upfront (1.003 to 1.047) at 64 MiB"""
    return (f"{size_text(knee.cell.chunk)} costs {knee.ratio.median:.3f} times upfront "
            f"{ends_text(knee.ratio, 3)} at {size_text(knee.size)}")


def of_pages(knee: Knee) -> str:
    """a step costs as much as 0.34 pages (0.31 to 0.39)"""
    return f"a step costs as much as {knee.pages.value:.2f} pages {ends_text(knee.pages, 2)}"


def of_reach(knee: Knee) -> str:
    """The steps that the interval allows."""
    if knee.high is None:
        return f"{size_text(knee.low)} or more: the confidence interval leaves the upper end open"
    if knee.low == knee.high:
        return "no other step fits"
    return f"{size_text(knee.low)} to {size_text(knee.high)}"


def of_no_knee(knee: Knee) -> str:
    gains = f"{100 * CLOSE:.0f} % or more by steps larger than {size_text(knee.cell.chunk)}, the " \
        "largest measured"
    return f"{knee.strategy} gains {gains}" if knee.low is None or not knee.pages.known else \
        f"The confidence interval leaves open whether {knee.strategy} gains {gains}"


def of_knee(knee: Knee, wastes: dict[str, int]) -> Sentence:
    reach = f" ({of_reach(knee)})" if knee.step and knee.pages.known else ""
    gains = of_no_knee(knee) if knee.step is None else \
        f"{knee.strategy} gains less than {100 * CLOSE:.0f} % by steps larger than " \
        f"{size_text(knee.step)}{reach}"
    text = f"{gains}: {of_pages(knee)}; {of_ratio(knee)}."
    if wastes:
        text += f" With that step {of_wastes(wastes)}."
    return Sentence(text, (knee.cell,), knee.strategy)


def of_wastes(wastes: dict[str, int]) -> str:
    """100 KiB of charge is unused when a tenth is touched, and none when half or all is"""
    touches: dict[int, list[str]] = {}
    for touch, waste in wastes.items():
        touches.setdefault(waste, []).append(TOUCH_NAMES[touch])
    (waste, names), *rest = touches.items()
    first = f"{size_text(waste) + ' of' if waste else 'no'} charge is unused when " \
        f"{listed(names, 'or')} is touched"
    others = [f"{size_text(waste) if waste else 'none'} when {listed(names, 'or')} is"
              for waste, names in rest]
    return ", and ".join([", ".join([first, *others[:-1]]), *others[-1:]])


def of_page_cost(cost: PageCost) -> Sentence:
    rests_on = tuple(dict.fromkeys((cost.cells[0], cost.cells[-1])))
    subject = f"Committing a page at a time ({cost.strategy})"
    if cost.more_ns is None:
        return Sentence(f"{subject} and upfront do not differ significantly "
                        f"{sizes_text(cost.sizes)}.", rests_on)
    dearer = cost.more_ns > 0
    ends = sorted((abs(cost.low), abs(cost.high)))
    return Sentence(f"{subject} costs {time_text(abs(cost.more_ns))} "
                    f"{'more' if dearer else 'less'} for each page than upfront "
                    f"({' to '.join(map(time_text, ends))}), {sizes_text(cost.sizes)}.", rests_on)


SIGNS = {-1: "faster", 1: "slower", 0: "no significant difference",
         None: "too few rounds to compare"}


def of_beside(strategy: str, bands: list[Beside]) -> Sentence:
    clauses = [f"{SIGNS[band.sign]} {sizes_text(band.sizes)}"
               + (f" ({range_text(band.least, band.most)} times)" if band.sign else "")
               for band in bands]
    return Sentence(f"{strategy} beside {bands[0].against}, both at a step of "
                    f"{size_text(DEFAULT_STEP)}: {'; '.join(clauses)}.",
                    tuple(band.cells[0] for band in bands), strategy)


def of_answer(answer: Answer) -> list[Sentence]:
    """What the matrix can't say."""
    return [
        *(of_crossing(crossing, touch) for touch, crossings in answer.crossings.items()
          for crossing in crossings if not crossing.plain),
        *(of_knee(knee, answer.wastes.get(knee.strategy, {})) for knee in answer.knees),
        *map(of_page_cost, answer.page_costs.values()),
        *(of_beside(name, bands) for name, bands in answer.beside.items())]
