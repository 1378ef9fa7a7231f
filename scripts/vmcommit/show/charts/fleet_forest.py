"""Each machine's ratio with its confidence interval, the mean over machines, and where a further
one is predicted."""

import math

import numpy

from vmcommit.analyse import fleet_sentences
from vmcommit.analyse.digest import NORMAL
from vmcommit.base.conventions import CLOSE
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import size_text
from vmcommit.show.chart import FLEET, Chart
from vmcommit.show.figures import Figures, with_ends
from vmcommit.show.frame import shortened
from vmcommit.show.looks import short

NAMED = 60  # more machines than this have no room for their names, nor for one order of all panels
LONGEST = 18  # letters of a machine's name


def order_of(fleet):
    """Places of machines by the first strategy with a step, or the first there is."""
    first = next((across for across in fleet.headline if across.stepped), fleet.headline[0])
    ranked = list(first.rows.sort_values("log_ratio").machine)
    others = [place for across in fleet.headline for place in across.rows.machine]
    return list(dict.fromkeys(ranked + others))


def percent(log_ratio):
    return 100 * float(numpy.expm1(log_ratio))


def point(row, line, outlier):
    reach = NORMAL * row.log_error
    return [percent(row.log_ratio), line, percent(row.log_ratio - reach),
            percent(row.log_ratio + reach), float(outlier)]


def ratios(row):
    """[ratio, and the ends of its confidence interval]"""
    reach = NORMAL * row.log_error
    return [math.exp(row.log_ratio + away) for away in (0, -reach, reach)]


def by_machine(fleet, places, values):
    """{host: a row of values(place) for each machine of that name}, as they stand in the picture,
    from the top."""
    series = {}
    for place in reversed(places):
        series.setdefault(fleet.digests[place].host, []).append(values(place))
    return series


def figures(fleet, shown, places):
    columns = [column for across in shown for column in
               with_ends(fleet_sentences.strategy_text(across), "ratio")]
    known = [{row.machine: ratios(row) for row in across.rows.itertuples()} for across in shown]

    def values(place):
        return [value for of in known for value in of.get(place, [math.nan] * 3)]
    return Figures(f"time / {UPFRONT}, {size_text(fleet.size)}", tuple(columns),
                   by_machine(fleet, places, values), lines=False)


def reach(across):
    """(least, most) of what a panel shows, with some room: the band of a further machine, and each
    machine's confidence interval."""
    rows = across.rows
    low = min(across.effect.least, (rows.log_ratio - NORMAL * rows.log_error).min())
    high = max(across.effect.most, (rows.log_ratio + NORMAL * rows.log_error).max())
    room = 0.03 * (high - low)
    return percent(low - room), percent(high + room)


def step(low, high):
    """Between marks of an axis, so that about four have room: 1, 2 or 5 of some power of ten."""
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= (high - low) / 4)


def prepare(fleet, plot):
    shown = [across for across in fleet.headline if not numpy.isnan(across.effect.low)]
    if not shown:
        return False
    places = order_of(fleet)
    named = len(places) <= NAMED
    for number, across in enumerate(shown, 1):
        ranked = places if named else across.rows.sort_values("log_ratio").machine
        line = {place: number for number, place in enumerate(ranked, 1)}
        plot.table(f"panel{number}", {"machines": [
            point(row, line[row.machine], row.machine in across.outliers)
            for row in across.rows.itertuples()]})
    plot.behind.append(figures(fleet, shown, places))
    for array, name in (("lower", "low"), ("upper", "high"), ("least", "least"), ("most", "most")):
        plot.define(array, [percent(getattr(across.effect, name)) for across in shown])
    ends = [reach(across) for across in shown]
    for array, values in (("left", (low for low, _ in ends)), ("right", (high for _, high in ends)),
                          ("mark_step", (step(*each) for each in ends))):
        plot.define(array, list(values))
    plot.mark_texts("machine_text", [shortened(fleet.digests[place].host, LONGEST) if named else ""
                                     for place in places])
    plot.define("lines", len(places))
    plot.define("named", float(named))
    plot.define("close", 100 * CLOSE)
    plot.panels([f"{short(across.named['strategy'])}, {size_text(fleet.size)}"
                 for across in shown], 4)
    return True


CHART = Chart(
    order=10, shows=FLEET,
    title=f"What each strategy costs above {UPFRONT}, by machine",
    description=f"A forest plot of what each strategy costs above {UPFRONT}: a line for each "
                "machine, with confidence interval; the mean over machines and a prediction "
                "interval",
    caption="Dark band: the mean over machines. Light band: where a further machine is predicted. "
            f"Dashed: {100 * CLOSE:g} % above {UPFRONT}. Red: machines beyond what the others let "
            "expect.",
    prepare=prepare)
