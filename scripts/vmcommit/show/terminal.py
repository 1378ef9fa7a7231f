"""What a run says in a terminal: the headline, a line for each need, the matrix, how sure all that
is and where the report lies, on LINES lines of WIDTH columns at most."""

import itertools
import textwrap

from vmcommit.base.conventions import ANSWER_CONFIDENCE, DEFAULT_STEP
from vmcommit.base.text import counted, listed
from vmcommit.base.units import size_text
from vmcommit.show import doubts, matrix, needs
from vmcommit.show.caption import doubt, percent

LINES, WIDTH = 25, 80
DOUBTS = 3  # lines at most
LEAST_ROWS = 3  # of the matrix


def cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[:WIDTH - 1] + "…"


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Aligned lines, each cell two spaces from the next."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [cut("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip())
            for row in rows]


def shortest(parts: list[list[str]], room: int) -> list[str]:
    """The lines of so many parts as there is room for, each whole; the last line says how many are
    left out."""
    lines = [line for part in parts for line in part]
    if len(lines) <= room:
        return lines
    fitting = list(itertools.takewhile(lambda end: end < room,
                                       itertools.accumulate(map(len, parts))))
    return [*lines[:max(fitting, default=0)],
            f"... {len(parts) - len(fitting)} more in the report"]


def of_headline(analysis) -> list[str]:
    return [line for sentence in analysis.headline for line in textwrap.wrap(sentence.text, WIDTH)]


def of_needs(analysis) -> list[str]:
    lines = needs.beside_matrix(analysis)
    return columns([(line.need, line.use, line.figure) for line in lines]) if lines else []


def of_matrix(analysis) -> list[str]:
    rows = matrix.joined(analysis.answer)
    if not rows:
        return []
    head = ("Fastest", *matrix.headings(analysis.answer))
    return columns([head, *((row.label, *row.texts) for row in rows)])


def of_sections(analysis) -> list[list[str]]:
    """The lines of each sentence about further questions."""
    said = [sentence.text for section in analysis.sections for sentence in section.sentences
            if sentence not in analysis.headline]
    return [textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ")
            for text in (*said, *analysis.surroundings)]


def of_comparison(analysis) -> str:
    compared = matrix.compared(analysis.answer)
    if len(compared) < 2:
        return ""
    return (f"Compared: {listed(compared)}, in steps of {size_text(DEFAULT_STEP)}; 'or' is no "
            f"significant difference at {percent(ANSWER_CONFIDENCE)}.")


def of_precision(summary) -> str:
    """Nothing of times that stand for no real system."""
    wide = doubts.wide_ratios(summary)
    if not wide["of"] or doubt(summary):
        return ""
    known = wide["of"] - wide["count"]
    return (f"{known} of {counted(wide['of'], 'ratio')} known within ±{percent(doubts.NARROW)}"
            + (": measure longer, or on a quieter machine." if 2 * known < wide["of"] else "."))


def first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".") + "."


def of_doubts(analysis) -> list[str]:
    """The first sentence of each; the report has the others."""
    return shortest([textwrap.wrap(first_sentence(text), WIDTH)
                     for text in doubts.warnings(analysis)], DOUBTS)


def answer(analysis, path: str) -> str:
    """All of it; `path` is that of the report. Beside a recording, the strategies stand there
    alone."""
    of_strategies = analysis.replayed is None
    lines = of_needs(analysis) if of_strategies else []
    above = [*of_headline(analysis), *([""] if lines else []), *lines]
    sure = " ".join(filter(None, (of_comparison(analysis), of_precision(analysis.summary)))) \
        if of_strategies else ""
    below = [*textwrap.wrap(sure, WIDTH), *of_doubts(analysis), f"report: {path}"]
    table = of_matrix(analysis) if of_strategies else []
    further = of_sections(analysis)
    room = max(LINES - len(above) - len(below) - 2, LEAST_ROWS)
    parts = [*([line] for line in table), *further]
    middle = ["", *shortest(parts, room), ""] if parts else [""]
    return "\n".join([*above, *middle, *below])
