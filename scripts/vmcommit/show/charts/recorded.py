"""What a recorded program reserved, was charged, touched and had in memory, over time."""

from vmcommit.show import looks
from vmcommit.show.chart import RECORDING, Chart

LINES = {"reserved": "reserved", "charged": "charged", "touched_charged": "touched, charged",
         "touched_uncharged": "touched, not charged", "resident": "resident"}
LINE_LOOKS = dict(zip(LINES, (7, 1, 2, 4, 3), strict=True))
MOST = 2000  # points of a line; more can't be seen


def thinned(points):
    """Points at most two a column of the picture: the least and the most of each."""
    if len(points) <= MOST:
        return points
    width = points[-1][0] / (MOST / 2) or 1
    columns = {}
    for point in points:
        columns.setdefault(int(point[0] / width), []).append(point)
    kept = []
    for column in columns.values():
        ends = {min(column, key=lambda point: point[1]), max(column, key=lambda point: point[1])}
        kept.extend(sorted(ends))
    return kept


def line_of(used, name):
    return [(time / 1e6, getattr(amounts, name)) for time, amounts in used.over.points]


def lay_out(plot, lines, lines_looks):
    """`lines`: {text: [(s, bytes)]}."""
    looks.define(plot, list(lines), lines_looks)
    plot.legend = [(text, look.color, look.mark, 1)
                   for text, look in zip(lines, lines_looks, strict=True)]
    plot.gap = 170
    plot.table("lines", {str(number): thinned(points)
                         for number, points in enumerate(lines.values(), 1)})
    plot.define("last", max(1e-6, *(points[-1][0] for points in lines.values())))
    plot.define("high_bytes", max(1, *(size for points in lines.values() for _, size in points)))


def prepare(used, plot):
    if not used.over.points:
        return False
    drawn = [(name, number) for name, number in LINE_LOOKS.items()
             if used.knows(name)]
    lay_out(plot, {LINES[name]: line_of(used, name) for name, _ in drawn},
            [looks.SERIES[number] for _, number in drawn])
    return True


CHART = Chart(
    order=10, shows=RECORDING,
    title="Memory of a recorded program",
    description="Bytes reserved, charged, touched and resident against time",
    caption="All processes together. What is charged and not touched lies idle; what is touched "
            "and not charged is exposed to overcommit.",
    prepare=prepare)
