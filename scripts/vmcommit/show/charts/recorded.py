"""What a recorded program reserved, was charged, touched and had in memory, over time."""

from vmcommit.show import looks
from vmcommit.show.chart import RECORDING, Chart

LINES = {"reserved": "reserved", "charged": "charged", "touched_charged": "touched, charged",
         "touched_uncharged": "touched, not charged", "resident": "resident"}
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


def prepare(used, plot):
    points = used.over.points
    if not points:
        return False
    used_looks = [looks.SERIES[number] for number in (7, 1, 2, 4, 3)]
    looks.define(plot, list(LINES.values()), used_looks)
    plot.legend = [(text, look.color, look.mark, 1)
                   for text, look in zip(LINES.values(), used_looks, strict=True)]
    plot.gap = 170
    plot.table("lines", {str(number): thinned([(time / 1e6, getattr(amounts, name))
                                               for time, amounts in points])
                         for number, name in enumerate(LINES, 1)})
    plot.define("last", max(1e-6, used.seconds))
    highest = max(max(amounts) for _, amounts in points)
    plot.define("high_bytes", max(1, highest))
    return True


CHART = Chart(
    order=10, shows=RECORDING,
    title="Memory of a recorded program",
    description="Bytes reserved, charged, touched and resident against time",
    caption="All processes together. What is charged and not touched lies idle; what is touched "
            "and not charged is exposed to overcommit.",
    prepare=prepare)
