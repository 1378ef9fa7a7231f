"""What another way to commit, or to give back, makes of a recording: a row for each way."""

from vmcommit.analyse.replayed import COUNTED
from vmcommit.show.chart import Chart
from vmcommit.show.figures import Figures, with_ends
from vmcommit.show.looks import SERIES

TIME = "time"
NAMES = {TIME: "time of a cycle", "minor_faults": "page faults",
         "most_commit_bytes": "most charged", "most_resident_bytes": "most resident"}
LOOKS = dict(zip(NAMES, (SERIES[0], SERIES[1], SERIES[2], SERIES[3])))
APART = 0.17  # of a row, between what it shows


def measures(way, base):
    """{what is shown: (times as recorded, and the ends of its confidence interval)}"""
    shown = {TIME: (way.ratio.median, way.ratio.low, way.ratio.high)} if way.ratio else {}
    for column in NAMES:
        if column in COUNTED and base.counts[column] > 0 and way.counts[column] >= 0:
            shown[column] = (way.counts[column] / base.counts[column],) * 3
    return shown


def points(found):
    """{what is shown: {way: those figures}}"""
    every = {way.name: measures(way, found.recorded) for way in found.others}
    return {name: {way: shown[name] for way, shown in every.items() if name in shown}
            for name in NAMES}


def prepare(analysis, plot):
    found = analysis.replayed
    if not found or not found.timed:
        return False
    ways = [way.name for way in found.others]
    series = {name: shown for name, shown in points(found).items() if shown}
    places = {name: APART * (at - (len(series) - 1) / 2) for at, name in enumerate(series)}
    for name, shown in series.items():
        plot.table(name, {name: [[ratio, -ways.index(way) - places[name], low, high]
                                 for way, (ratio, low, high) in shown.items()]})
        plot.behind.append(Figures(NAMES[name], with_ends("times as recorded", "ratio"), {
            way: [list(figures)] for way, figures in shown.items()}, lines=False))
    plot.define("most", 1.08 * max(1, *(high for shown in series.values()
                                        for _, _, high in shown.values())))
    plot.define("file", [f"{name}.dat" for name in series])
    plot.define("line_color", [LOOKS[name].color for name in series])
    plot.define("line_mark", [LOOKS[name].mark for name in series])
    plot.mark_texts("way_text", ways)
    plot.define("subject", f"as a multiple of the same as recorded; {found.program}")
    plot.legend = [(NAMES[name], LOOKS[name].color, LOOKS[name].mark, 1.0) for name in series]
    plot.gap = 150
    return True


def finding(analysis):
    return " ".join(sentence.text for section in analysis.sections if section.name == "recording"
                    for sentence in section.sentences)


CHART = Chart(
    order=5,
    title="A recording, committed and given back in other ways",
    description="Time of a cycle, page faults, and the most that was charged and resident, of each "
                "other way to replay a recording, as a multiple of the same as recorded",
    caption="Below 1 there is less than as recorded. Lines are confidence intervals of the time; "
            "counts are exact.",
    prepare=prepare, finding=finding)
