"""What two recorded programs were charged and touched, over time."""

import dataclasses

from vmcommit.show import looks
from vmcommit.show.chart import RECORDINGS, Chart
from vmcommit.show.charts.recorded import lay_out, line_of

LINES = {"charged": "charged", "touched": "touched", "resident": "resident"}


def prepare(pair, plot):
    if not all(used.over.points for used in pair):
        return False
    lines, lines_looks = {}, []
    for letter, used, dash in (("A", pair[0], 1), ("B", pair[1], 2)):
        for (name, text), number in zip(LINES.items(), (1, 2, 3), strict=True):
            if not used.knows(name):
                continue
            lines[f"{letter}: {text}"] = line_of(used, name)
            lines_looks.append(dataclasses.replace(looks.SERIES[number], dash=dash))
    lay_out(plot, lines, lines_looks)
    return True


CHART = Chart(
    order=10, shows=RECORDINGS,
    title="Memory of two recorded programs",
    description="Bytes charged, touched and resident against time, of two recordings",
    caption="All processes of each together.",
    prepare=prepare)
