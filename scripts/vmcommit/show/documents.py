"""Templates filled in, with whatever a run's files hold shown as it is: in HTML and in Markdown no
value becomes a tag, an attribute, a heading or the end of a cell."""

import functools
import pathlib
import re

import jinja2
import pandas
from markupsafe import Markup

from vmcommit.base.files import write_text
from vmcommit.base.text import markdown
from vmcommit.base.units import SIZES, TIMES

HERE = pathlib.Path(__file__).parent
TEMPLATES = jinja2.FileSystemLoader(HERE / "templates")
VENDOR = HERE / "vendor"  # with its licence
UNITS = "|".join(name for _, name in (*SIZES, *TIMES))
BEFORE_UNIT = re.compile(rf"(?<=\d) (?=(?:{UNITS}|min|\d{{3}})\b|%)")


def unbroken(value):
    """A value whose text keeps numbers and units together where a narrow page breaks lines."""
    return BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", value) if type(value) is str else value


def vendored() -> dict[str, Markup]:
    """The chart library's script and style, which need no escaping: they are files of ours."""
    return {"script": Markup((VENDOR / "uPlot.iife.min.js").read_text(encoding="utf-8")),
            "style": Markup((VENDOR / "uPlot.min.css").read_text(encoding="utf-8"))}


@functools.cache
def environment(html: bool) -> jinja2.Environment:
    """Which keeps the templates that it has translated. The page's script writes sizes and times in
    the units that all else does."""
    made = jinja2.Environment(
        loader=TEMPLATES, autoescape=html, finalize=unbroken if html else markdown,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {"unit_sizes": SIZES, "unit_times": TIMES}
    return made


def fill(template: str, values: dict) -> str:
    """The text of templates/TEMPLATE.jinja with these values."""
    filling = environment(template.endswith(".html"))
    return filling.get_template(f"{template}.jinja").render(values)


def write(folder: pathlib.Path, names: dict[str, str], values: dict):
    """Writes a file for each of {template: name}. Raises OSError."""
    for template, name in names.items():
        write_text(folder / name, fill(template, values))


def or_empty(value, text) -> str:
    return "" if pandas.isna(value) else text(value)


def sortable(value, text) -> tuple[str, str]:
    """(what a cell shows, the number by which the page sorts)"""
    return or_empty(value, text), or_empty(value, "{:.10g}".format)


def beside(value: str, remark: str) -> Markup:
    """A value, and in smaller letters what is said of it."""
    return Markup("{} <small>{}</small>").format(value, remark)


def with_interval(row, name: str, text) -> tuple[str, str]:
    """A cell of a median with its confidence interval, where it has one."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    shown, number = sortable(row[name], text)
    known = shown and not pandas.isna(low)
    return beside(shown, f"{text(low)}–{text(high)}") if known else shown, number
