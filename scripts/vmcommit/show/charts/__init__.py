"""Every chart is a pair of files in this folder: NAME.py, which ends with CHART, says what it shows
and prepares its data; NAME.gp says how it looks. What charts share is in the other .gp files."""

import concurrent.futures
import importlib
import os
import pathlib
import tempfile

from vmcommit.show.caption import doubt, machine, samples
from vmcommit.show.chart import RUN, SURROUNDINGS, Chart
from vmcommit.show.figures import Figures
from vmcommit.show.frame import surround
from vmcommit.show.gnuplot import Plot, render


def of(shows: str) -> dict[str, Chart]:
    """{name: Chart} of those that show this, in the order of a page."""
    names = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("*.py")
                   if path.stem != "__init__")
    charts = {name: importlib.import_module(f"{__name__}.{name}").CHART for name in names}
    return {name: charts[name] for name in sorted(names, key=lambda name: charts[name].order)
            if charts[name].shows == shows}


def draw_each(shows: str, subject, folder: pathlib.Path, text: str, doubtful="", counted=""
              ) -> dict[str, list[Figures]]:
    """Draws what the subject has data for, with `text` as caption, followed by `counted` where a
    chart does not say itself how many samples its figures are of, and `doubtful` after each title;
    returns {name: figures behind it} of the charts drawn. Raises Problem and OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        rendered = []
        for name, chart in of(shows).items():
            plot = Plot(pathlib.Path(scratch, name))
            plot.folder.mkdir()
            if chart.prepare(subject, plot):
                surround(plot, chart.title + doubtful,
                         "; ".join(filter(None, (text, plot.samples or counted))))
                rendered.append(pool.submit(render, plot, name, folder))
                drawn[name] = plot.behind
        for each in rendered:
            each.result()
    return drawn


def draw(analysis, folder: pathlib.Path) -> dict[str, list[Figures]]:
    """The charts of one run."""
    text, counted = machine(analysis.run.environment), samples(analysis.summary)
    return {name: behind for shows in (RUN, SURROUNDINGS) for name, behind in
            draw_each(shows, analysis, folder, text, doubt(analysis.summary), counted).items()}
