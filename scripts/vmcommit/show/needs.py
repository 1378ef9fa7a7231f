"""A line for each kind of user: what to use, and what it costs."""

import dataclasses

from vmcommit.analyse import advice
from vmcommit.base.conventions import ALL_TOUCHED, TOUCH_NAMES
from vmcommit.base.units import size_text, time_interval_text, time_text

CHARGED = ("least_charge", "strict_overcommit")  # needs whose figure is charge
USES = {"random_access": "random order, all touched", "bounded_worst_touch": "single touches"}


@dataclasses.dataclass(frozen=True)
class Line:
    """`figure` with its confidence interval, where it has one; `anchor` of its row in the table."""

    need: str
    within: str
    use: str
    figure: str
    why: str = ""
    anchor: str = ""


def interval_of(figures: dict[str, float], name: str) -> str:
    """With its ends, where they are known."""
    if f"{name}_low" not in figures:
        return time_text(figures[name])
    return time_interval_text(*(figures[f"{name}{end}"] for end in ("", "_low", "_high")))


def figure_text(choice: advice.Choice) -> str:
    figures = choice.figures
    if choice.need in CHARGED and "waste_bytes" in figures:
        waste = figures["waste_bytes"]
        return f"{size_text(waste) if waste > 0 else 'no charge'} unused, " \
               f"{time_text(figures['ns_per_page'])} a page"
    if "touch_p99_9_ns" in figures:
        return f"{advice.WORST_NAME} {interval_of(figures, 'touch_p99_9_ns')}"
    return f"{interval_of(figures, 'ns_per_page')} a page"


def because(choice: advice.Choice) -> str:
    """What its figure does not say already."""
    clauses = choice.why.split("; ")
    if choice.need not in ("least_charge", "bounded_worst_touch"):
        clauses = [clause for clause in clauses[1:]
                   if not clause.endswith("of its charge is unused")]
    return "; ".join(clauses)


def of_choice(choice: advice.Choice) -> Line:
    return Line(advice.NEEDS[choice.need],
                USES.get(choice.need, f"{TOUCH_NAMES[choice.touch]} touched"),
                advice.named(choice.cell), figure_text(choice), because(choice),
                choice.cell.anchor)


def of_decommit(given: advice.Decommit) -> Line:
    left = f"{size_text(given.left_bytes) if given.left_bytes else 'nothing'} stays charged"
    return Line("Giving memory back", "all touched", f"decommit of {size_text(given.size)}",
                time_interval_text(given.ns, given.low, given.high),
                f"one call; {left}, and the range stays reserved")


def of(analysis) -> list[Line]:
    """All that this run can answer."""
    return [*map(of_choice, analysis.choices),
            *([of_decommit(analysis.decommit)] if analysis.decommit else [])]


def beside_matrix(analysis) -> list[Line]:
    """Those that the matrix does not say already."""
    shown = [choice for choice in analysis.choices
             if choice.need != "lowest_latency" or choice.touch == ALL_TOUCHED]
    return of(dataclasses.replace(analysis, choices=shown))
