"""One chart drawn by gnuplot. Whatever Python knows reaches it as data, never as code.

gnuplot runs in a scratch folder in which every file has a name of ours; its pictures are moved to
their place when they are whole.
"""

import json
import math
import pathlib
import re
import shutil
import subprocess
import tempfile

from vmcommit.base.files import write_bytes
from vmcommit.base.problems import Problem
from vmcommit.base.text import last_line

SCRIPTS = pathlib.Path(__file__).resolve().parent / "charts"
ENDS = {"svg": b"</svg>\n\n", "png": b"IEND\xaeB`\x82"}  # by which a picture is known to be whole
SECONDS = 120  # generous, so that only a gnuplot that hangs meets it
SPECIAL = re.compile(r"[^A-Za-z0-9 ,;.:+/()=\x80-\U0010ffff-][0-9]*")


def octal(match):
    return "".join(f"\\{ord(letter):03o}" for letter in match[0])


def literal(text):
    """A gnuplot string that holds this text. Quotes, backquotes, backslashes, macros and line ends
    are looked for before octal escapes are read, so none is recognised. Digits after an escape
    would belong to it and are escaped too (seen with gnuplot 5.4)."""
    visible = "".join(letter if letter == "\n" or letter.isprintable() else " " for letter in text)
    return '"' + SPECIAL.sub(octal, visible) + '"'


def expression(value):
    """A string or a number; what is unknown becomes NaN, which gnuplot does not draw."""
    if isinstance(value, str):
        return literal(value)
    return repr(float(value)) if math.isfinite(value) else "NaN"


def key(name):
    """What marks a block of a table; as a JSON string no key is the beginning of another, which is
    all that gnuplot compares."""
    return json.dumps(name)


class Plot:
    """What one chart hands to gnuplot: settings, and tables with one block a series. `legend`:
    (text, colour, mark, size of the mark) of each entry, `gap` apart in pixels. `behind`: the
    figures.Figures that a page shows beside the picture. `samples`: how many its figures are of,
    where it is others than those of a run's summary."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.settings: list[str] = []
        self.legend: list[tuple[str, str, float, float]] = []
        self.gap = 110
        self.behind: list = []
        self.samples = ""

    def define(self, name: str, value):
        """A string, a number, or a list of them, which must not be empty."""
        if isinstance(value, list):
            values = ", ".join(map(expression, value))
            self.settings.append(f"array {name}[{len(value)}] = [{values}]")
        else:
            self.settings.append(f"{name} = {expression(value)}")

    def mark_texts(self, name: str, texts):
        """Texts for the marks of an axis, in which gnuplot takes % for a format."""
        self.define(name, [text.replace("%", "%%") for text in texts])

    def marks(self, axis: str, values, text):
        """Marks of an axis, `text` of each value beside it."""
        self.define(f"{axis}_at", list(values))
        self.mark_texts(f"{axis}_text", map(text, values))

    def panels(self, titles, across: int):
        """A panel each, in rows of at most so many."""
        self.define("panel", list(titles))
        self.define("columns", min(len(titles), across))
        self.define("rows", math.ceil(len(titles) / across))

    def table(self, name: str, series):
        """name.dat: a block for each of {key: rows}. Cells are numbers, or texts of ours."""
        with open(self.folder / f"{name}.dat", "w", encoding="utf-8") as file:
            for title, rows in series.items():
                file.write(f"# {key(title)}\n")
                for row in rows or [["NaN"] * 8]:
                    file.write(" ".join(f'"{cell}"' if isinstance(cell, str) and cell != "NaN"
                                        else "NaN" if cell == "NaN" or not math.isfinite(cell)
                                        else f"{cell:.10g}" for cell in row) + "\n")
                file.write("\n\n")


def run_gnuplot(folder):
    try:
        subprocess.run(["gnuplot", "-d", "settings.gp", "chart.gp"], cwd=folder, check=True,
                       capture_output=True, encoding="utf-8", errors="replace", timeout=SECONDS)
    except subprocess.CalledProcessError as error:
        return last_line(error.stderr)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} s"
    return ""


def picture(plot: Plot, name: str, kind: str) -> bytes:
    """Draws charts/name.gp as "svg" or "png". Raises Problem."""
    settings = [f"format = {literal(kind)}", *plot.settings]
    (plot.folder / "settings.gp").write_text("\n".join(settings) + "\n", encoding="utf-8")
    said = run_gnuplot(plot.folder)
    drawn = plot.folder / "picture"
    content = drawn.read_bytes() if drawn.exists() else b""
    if said or not content.endswith(ENDS[kind]):
        why = said or f"the picture is not whole; make room in {tempfile.gettempdir()}"
        raise Problem(f"gnuplot could not draw {name}.{kind}: {why}")
    drawn.unlink()
    return content


def render(plot: Plot, name: str, folder: pathlib.Path):
    """Writes folder/name.svg and folder/name.png. Raises Problem and OSError."""
    for script in SCRIPTS.glob("*.gp"):
        shutil.copyfile(script, plot.folder / script.name)
    (plot.folder / f"{name}.gp").rename(plot.folder / "chart.gp")
    for kind in ENDS:
        write_bytes(folder / f"{name}.{kind}", picture(plot, name, kind))
