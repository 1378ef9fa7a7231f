"""Words put together."""

import re

from vmcommit.base.units import size_text

MESSAGE_LETTERS = 300  # of what another program said
SPECIAL = re.compile(r"[\\`*_\[\]|]")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def listed(words, joint="and"):
    """upfront, chunked and guard"""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}"


def counted(number, noun):
    """1 cell, 2 cells"""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def sizes_text(sizes):
    """at 4 KiB; from 4 KiB to 16 MiB"""
    return f"at {size_text(sizes[0])}" if len(sizes) == 1 else \
        f"from {size_text(sizes[0])} to {size_text(sizes[-1])}"


def range_text(least, most, digits=2):
    """1.02; 1.02 to 1.10"""
    texts = [f"{value:.{digits}f}" for value in (least, most)]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)


def printable(text):
    """The text as one line without control characters: what is no letter becomes its escape."""
    return "".join(letter if letter.isprintable() else
                   letter.encode("unicode_escape").decode("ascii") for letter in text)


def last_line(*texts):
    """The last line that any of these texts has; what a failed program said."""
    lines = [line for text in texts for line in (text or "").strip().splitlines()]
    return printable(lines[-1])[:MESSAGE_LETTERS] if lines else "no message"


def cell_of_markdown(value) -> str:
    """A value as text within a line of Markdown."""
    text = re.sub("[&<>]", lambda match: ENTITIES[match[0]], " ".join(str(value).split()))
    return SPECIAL.sub(lambda match: "\\" + match[0], text)


def markdown(value) -> str:
    """The same where it may begin a line."""
    return re.sub("^[#+-]", r"\\\g<0>", cell_of_markdown(value))
