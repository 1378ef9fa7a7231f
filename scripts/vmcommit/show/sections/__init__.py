"""Sections of a run's page: each is a pair of files, NAME.py here, which ends with SECTION, and
templates/sections/NAME.html.jinja, which is filled in with what it returns."""

import dataclasses
import importlib
import pathlib
from typing import Any, Callable

from markupsafe import Markup

from vmcommit.show import documents


@dataclasses.dataclass(frozen=True)
class Section:
    """`order` among the sections; those below CHARTS stand before the charts. values(analysis)
    returns what the template needs, None where the run has nothing of it."""

    order: int
    title: str
    short: str  # in the list of sections
    values: Callable[[Any], dict | None]


CHARTS = 50  # where the charts stand


@dataclasses.dataclass(frozen=True)
class Shown:
    """A section filled in."""

    name: str
    title: str
    short: str
    body: Markup
    after_charts: bool


def names() -> list[str]:
    return [path.stem for path in pathlib.Path(__file__).parent.glob("*.py")
            if path.stem != "__init__"]


def of(analysis) -> list[Shown]:
    """Those that the run has something for, in their order."""
    known = {name: importlib.import_module(f"{__name__}.{name}").SECTION for name in names()}
    shown = []
    for name in sorted(known, key=lambda name: known[name].order):
        section = known[name]
        values = section.values(analysis)
        if values is not None:
            body = Markup(documents.fill(f"sections/{name}.html", values))
            shown.append(Shown(name, section.title, section.short, body, section.order > CHARTS))
    return shown
