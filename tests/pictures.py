"""docs/pictures drawn anew from a run's report: tests/pictures.py [report.html].

Needs Chromium. Without a path it draws results/reference.
"""

import pathlib
import sys

import browser
from support import ROOT

WIDE, PHONE, PAPER = 1000, 400, 794  # A4 at 96 pixels an inch
# Each picture: width and height in pixels, the section that it begins with, and how it is shown.
PICTURES = {"report": (WIDE, 1000, None, {}),
            "charts": (WIDE, 900, "chart-latency", {}),
            "phone": (PHONE, 1000, None, {}),
            "dark": (WIDE, 900, "explore", {"dark": True}),
            "print": (PAPER, 1123, "charts", {"media": "print"})}
TOP = "document.getElementById('%s').getBoundingClientRect().top + scrollY - 10"
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"


def draw(report: pathlib.Path, folder: pathlib.Path):
    """A PNG of each picture into `folder`."""
    with browser.tab() as tab:
        for name, (width, height, section, manner) in PICTURES.items():
            tab.open(report.as_uri(), width, height, **manner)
            top = tab.tell(TOP % section) if section else 0
            tab.tell(f"scrollTo(0, {top})")
            tab.tell(DRAWN)
            picture = tab.picture(x=0, y=top, width=width, height=height)
            (folder / f"{name}.png").write_bytes(picture)


if __name__ == "__main__":
    default = ROOT / "results" / "reference" / "report.html"
    draw(pathlib.Path(sys.argv[1]).absolute() if sys.argv[1:] else default,
         ROOT / "docs" / "pictures")
