"""What differs between runs that are laid over each other, and what does not, in two sentences."""

from vmcommit.analyse.advice import named
from vmcommit.base.text import counted, listed


def use_of(run) -> str:
    """What a run says to use; '' where it can't say."""
    first, *_ = run.headline
    return named(first.cells[0]) if first.cells else ""


def of_uses(letters, runs) -> str:
    uses = [use_of(run) for run in runs]
    if not all(uses):
        without = [letter for letter, use in zip(letters, uses) if not use]
        return f"Compare nothing but counts with {listed(without)}: no choice follows from " \
               f"{'it' if len(without) == 1 else 'them'}."
    if len(set(uses)) == 1:
        return f"Use {uses[0]} in each of them."
    return "Choose by the run: " + "; ".join(
        f"{letter} {use}" for letter, use in zip(letters, uses)) + "."


def fields(run) -> dict:
    """{(size, touch): its cheapest} of what a run could compare."""
    return {(field.size, touch): set(field.cheapest) for touch, of_touch in
            run.answer.fields.items() for field in of_touch if field.cheapest}


def of_fields(runs) -> str:
    """In how many fields of the matrix no strategy is among the fastest of all runs."""
    each = [fields(run) for run in runs]
    shared = [key for key in each[0] if all(key in other for other in each[1:])]
    if not shared:
        return "no field of the matrix can be compared"
    apart = sum(not set.intersection(*(one[key] for one in each)) for key in shared)
    return f"the fastest differ in {apart} of {counted(len(shared), 'field')} of the matrix"


def of_rows(rows) -> str:
    ratios = [row["apart"] for row in rows if row["apart"] is not None]
    counts = sum(bool(row["differs"]) for row in rows)
    return (f"ratios significantly in {sum(ratios)} of {len(ratios)} configurations, counts in "
            f"{counts} of {len(rows)}")


def headline(letters, runs, rows) -> list[str]:
    """`letters` of the runs; `rows` of the table, of all configurations that they share."""
    second = f"{of_fields(runs)}, {of_rows(rows)}."
    return [of_uses(letters, runs), second[0].upper() + second[1:]]
