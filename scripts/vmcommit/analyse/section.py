"""A question's own part of the report: what is said, and the table that it rests on."""

import dataclasses

import pandas

from vmcommit.analyse.sentences import Sentence
from vmcommit.base.cells import SHARES, Cell, manner_of
from vmcommit.base.strategies import Strategy


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


def not_measured(summary: pandas.DataFrame, strategies: dict[str, Strategy]) -> str:
    """What this machine can't do, and why, in a sentence; '' where it can do all."""
    rows = summary[~summary.plain & (summary.samples == 0) & (summary.unsupported > 0)]
    whys = {}
    for _, row in rows.iterrows():
        manner = manner_of(row, strategies[row.strategy])
        whys[manner.purge or manner.pages or manner.commit or manner.growth
             or SHARES[manner.share]] = row.error
    texts = "; ".join(f"{name}: {why}" for name, why in whys.items())
    return f" Not measured here: {texts}." if texts else ""


def cell_json(cell: Cell) -> dict:
    """As samples.csv has it; of its manner what differs from the default."""
    return {"strategy": cell.strategy.name, "size_bytes": cell.size, "touched_bytes": cell.touched,
            "chunk_bytes": cell.chunk, "touch_order": cell.order, **cell.manner.columns()}


def as_json(section: Section) -> dict:
    """What is said of a question, as advice.json holds it."""
    return {"name": section.name, "title": section.title, "sentences": [
        {"text": sentence.text, "rows": list(map(cell_json, sentence.cells))}
        for sentence in section.sentences]}
