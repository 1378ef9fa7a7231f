"""A question's own part of the report: what is said, and the table that it rests on."""

import dataclasses

from vmcommit.analyse.sentences import Sentence
from vmcommit.base.cells import Cell


@dataclasses.dataclass(frozen=True)
class Line:
    """Of a table: the row of the run that it shows, and a text for each heading."""

    cell: Cell
    texts: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Section:
    """`name`: by which the page knows it. `lines` stand there at once, `more` where a reader asks
    for them; `note` stands below."""

    name: str
    title: str
    sentences: list[Sentence]
    headings: tuple[str, ...]
    lines: list[Line]
    more: list[Line]
    note: str


def cell_json(cell: Cell) -> dict:
    """As samples.csv has it; of its manner what differs from the default."""
    return {"strategy": cell.strategy.name, "size_bytes": cell.size, "touched_bytes": cell.touched,
            "chunk_bytes": cell.chunk, "touch_order": cell.order, **cell.manner.columns()}


def as_json(section: Section) -> dict:
    """What is said of a question, as advice.json holds it."""
    return {"name": section.name, "title": section.title, "sentences": [
        {"text": sentence.text, "rows": list(map(cell_json, sentence.cells))}
        for sentence in section.sentences]}
