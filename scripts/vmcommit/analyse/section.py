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
