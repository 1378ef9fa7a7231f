"""What stands around every chart, heading, legend and caption, so that nothing leaves the picture
whatever its length; and the marks of axes."""

import functools
import itertools
import math
import re
import unicodedata

from vmcommit.base.units import size_text, time_text
from vmcommit.show.gnuplot import Plot

WIDTH = 1000  # pixels, of every picture
LINE = 130  # letters of usual width that fit on a line of the caption
CAPTION_LINES, CAPTION_HEIGHT = 4, 16
LEGEND_HEIGHT = 22
HEADING_LETTER, LEGEND_LETTER, LEGEND_MARK = 9.5, 8, 30  # pixels


@functools.cache
def letter_breadth(letter):
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1.6 if letter in "MW@%mw" \
        else 1.15 if letter.isupper() else 1


def breadth(text):
    """How wide a text is, in letters of usual width."""
    return sum(map(letter_breadth, text))


def shortened(text: str, width: float) -> str:
    """A text on one line, its end left out where it is wider than that."""
    line = " ".join(text.split())
    if breadth(line) <= width:
        return line
    ends = itertools.accumulate(map(letter_breadth, line))
    return line[:sum(1 for _ in itertools.takewhile(lambda end: end <= width - 1, ends))] + "…"


def broken(word, width):
    """A word in pieces that are no wider than that."""
    piece = ""
    for letter in word:
        if piece and breadth(piece + letter) > width:
            yield piece
            piece = ""
        piece += letter
    yield piece


def filled(pieces, width):
    """Pieces put together to lines no wider than that, where the pieces allow it."""
    lines = [""]
    for piece in pieces:
        if lines[-1] and breadth(f"{lines[-1]} {piece}") > width:
            lines.append(piece)
        else:
            lines[-1] = f"{lines[-1]} {piece}".strip()
    return lines


def wrapped(text: str, width: float = LINE) -> list[str]:
    """The lines of a text, none wider than `width`, broken at semicolons rather than elsewhere.
    What is beyond CAPTION_LINES is left out."""
    clauses = re.findall("[^;]+;?", " ".join(text.split()))
    lines = [line for clause in filled(map(str.strip, clauses), width)
             for line in filled((part for word in clause.split() for part in broken(word, width)),
                                width)]
    if len(lines) > CAPTION_LINES:
        lines = [*lines[:CAPTION_LINES - 1], lines[CAPTION_LINES - 1][:-1] + "…"]
    return lines


def place_legend(plot: Plot, heading_width: float) -> int:
    """At the right of the heading where there is room, or else in lines below it. Returns how many
    lines those are."""
    count = len(plot.legend)
    widest = max(breadth(text) for text, *_ in plot.legend)
    gap = max(plot.gap, LEGEND_MARK + LEGEND_LETTER * widest)
    if heading_width + count * gap <= WIDTH:
        lines, places = 0, [(1 - gap / WIDTH * (count - at), 0) for at in range(count)]
    else:
        columns = max(1, int(WIDTH / gap))
        lines = math.ceil(count / columns)
        places = [(0.012 + gap / WIDTH * (at % columns), 1 + at // columns)
                  for at in range(count)]
    plot.define("legend_x", [x for x, _ in places])
    plot.define("legend_line", [line for _, line in places])
    for name, values in zip(("text", "color", "mark", "size"), zip(*plot.legend)):
        plot.define(f"legend_{name}", list(values))
    return lines


def surround(plot: Plot, title: str, caption: str):
    """Heading, legend and caption; `above` and `below` is the height of what lines they need beyond
    the first."""
    lines = wrapped(caption)
    legend_lines = place_legend(plot, HEADING_LETTER * breadth(title)) if plot.legend else 0
    plot.define("wide", WIDTH)
    plot.define("heading", title)
    plot.define("caption", "\n".join(lines))
    plot.define("above", LEGEND_HEIGHT * legend_lines)
    plot.define("below", CAPTION_HEIGHT * (len(lines) - 1))


def powers_between(low, high, factor):
    """Powers of `factor` from the last at or below `low` to the first at or above `high`."""
    first = math.floor(math.log(low, factor) + 1e-9)
    last = math.ceil(math.log(high, factor) - 1e-9)
    return [factor ** power for power in range(first, last + 1)]


def steps_125(low, high):
    """1, 2, 5, 10, ... that lie within the range; more digits where only one does, and the range's
    middle where none does."""
    def steps(*digits):
        return [value for power in range(-3, 13) for digit in digits
                if low <= (value := digit * 10.0 ** power) <= high]

    coarse = steps(1, 2, 5)
    if len(coarse) == 1:
        return steps(1, 1.5, 2, 3, 4, 5, 7)
    return coarse or [math.sqrt(low * high)]


def thinned(values, most):
    """Every one, every second..., so that about so many are left."""
    return values[::1 + len(values) // most]


def size_axis(plot: Plot, sizes, most=7, name="size"):
    """Of bytes, with powers of 4 marked: for sizes.gp."""
    low, high = sizes.min(), sizes.max()
    plot.define(f"{name}_low", low / 1.5)
    plot.define(f"{name}_high", high * 1.5)
    plot.marks(name, thinned(powers_between(low, high, 4), most), size_text)


def time_axis(plot: Plot, least, most, room=(1 / 1.3, 1.3)):
    """Of ns per page, with room below and above: for times.gp. Returns its ends."""
    low, high = least * room[0], most * room[1]
    plot.define("time_low", low)
    plot.define("time_high", high)
    plot.marks("time", steps_125(low, high), time_text)
    return low, high
