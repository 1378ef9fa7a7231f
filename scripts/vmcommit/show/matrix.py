"""The matrix of sizes and touched parts, with the winner in each field, as pages and terminals show
it."""

import dataclasses
import itertools

from vmcommit.analyse.answer import Field, Ratio
from vmcommit.base.conventions import TOUCH_NAMES
from vmcommit.base.text import listed
from vmcommit.base.units import size_text

NO_DIFFERENCE, TOO_FEW, NOT_MEASURED = "no significant difference", "too few rounds", "-"


def step_text(field: Field, name: str) -> str:
    """chunked 64 KiB"""
    step = field.block[name].step
    return f"{name} {size_text(step)}" if step else name


def name_text(_field: Field, name: str) -> str:
    return name


def winner_text(field: Field | None, named=step_text) -> str:
    """What a field says: upfront; upfront or chunked 64 KiB; why it names none."""
    if field is None:
        return NOT_MEASURED
    if field.alone:
        return f"only {field.alone} timed"
    if not field.cheapest:
        return TOO_FEW
    if field.equal:
        return NO_DIFFERENCE
    return listed((named(field, name) for name in field.cheapest), "or")


def factor_text(ratio: Ratio) -> str:
    """2.11 times (2.08 to 2.14)"""
    return f"{ratio.median:.2f} times ({ratio.low:.2f} to {ratio.high:.2f})"


@dataclasses.dataclass(frozen=True)
class Row:
    """`sizes` next to each other whose fields say the same; a text for each touch."""

    sizes: tuple[int, ...]
    texts: tuple[str, ...]

    @property
    def label(self) -> str:
        ends = dict.fromkeys((self.sizes[0], self.sizes[-1]))
        return " to ".join(map(size_text, ends))


def touches(answer) -> list[str]:
    return [touch for touch, fields in answer.fields.items() if fields]


def headings(answer) -> list[str]:
    return [f"{TOUCH_NAMES[touch]} touched" for touch in touches(answer)]


def by_size(answer) -> dict[int, list[Field | None]]:
    """{size: its field for each touch}, ascending."""
    columns = [{field.size: field for field in answer.fields[touch]} for touch in touches(answer)]
    return {size: [column.get(size) for column in columns]
            for size in sorted(set().union(*columns))} if columns else {}


def joined(answer) -> list[Row]:
    """The matrix with sizes put together, and without the step, which is the same everywhere."""
    texts = [(size, tuple(winner_text(field, name_text) for field in fields))
             for size, fields in by_size(answer).items()]
    return [Row(tuple(size for size, _ in group), said) for said, group in
            ((said, list(group)) for said, group in
             itertools.groupby(texts, key=lambda each: each[1]))]


def compared(answer) -> list[str]:
    """Names of the strategies that stand in any field."""
    return list(dict.fromkeys(name for fields in answer.fields.values() for field in fields
                              for name in field.block))
