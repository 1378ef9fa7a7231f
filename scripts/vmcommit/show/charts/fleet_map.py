"""Machines against configurations: how far each lies from the middle of all there."""

import math

import numpy

from vmcommit.base.strategies import UPFRONT
from vmcommit.base.units import size_text
from vmcommit.show.chart import FLEET, Chart
from vmcommit.show.charts.fleet_forest import by_machine
from vmcommit.show.figures import Figures
from vmcommit.show.frame import shortened
from vmcommit.show.looks import short

MOST = 60  # machines that have room
LONGEST = 18  # letters of a machine's name
DARKEST = 0.1  # of a logarithm; what is farther away is as dark as this


def around_middle(fleet):
    """Rows with `away`, how far their log ratio is from the median of all machines."""
    rows = fleet.plain(fleet.ratios)
    middle = rows.groupby(["strategy", "size_bytes"]).log_ratio.transform("median")
    return rows.assign(away=rows.log_ratio - middle)


def chosen(rows):
    """Places of the machines that are shown, from the cheapest to the dearest: all, or those that
    lie farthest from the middle of all."""
    away = rows.groupby("machine").away.mean()
    shown = away[away.abs().sort_values(ascending=False).index[:MOST]]
    return list(shown.sort_values().index)


def columns_of(rows):
    """(strategy, size) in the order of the picture."""
    names = list(dict.fromkeys(rows.strategy))
    return [(name, size) for name in names
            for size in sorted(rows[rows.strategy == name].size_bytes.unique())]


def prepare(fleet, plot):
    if not fleet.timed:
        return False
    rows = around_middle(fleet)
    if rows.empty:
        return False
    places = chosen(rows)
    columns = columns_of(rows)
    at = {column: number for number, column in enumerate(columns, 1)}
    line = {place: number for number, place in enumerate(places, 1)}
    shown = rows[rows.machine.isin(places)]
    plot.table("map", {"cells": [
        [at[row.strategy, row.size_bytes], line[row.machine],
         float(numpy.clip(row.away / DARKEST, -1, 1))]
        for row in shown.itertuples()]})
    away = shown.set_index(["machine", "strategy", "size_bytes"]).away
    plot.behind.append(Figures(
        "ratio to the median of all machines",
        tuple((f"{name} {size_text(size)}", "ratio") for name, size in columns),
        by_machine(fleet, places, lambda place: [
            math.exp(away.get((place, *column), math.nan)) for column in columns]),
        lines=False))
    plot.mark_texts("column_text", [size_text(size) for _, size in columns])
    plot.mark_texts("machine_text",
                    [shortened(fleet.digests[place].host, LONGEST) for place in places])
    names = list(dict.fromkeys(name for name, _ in columns))
    widths = [sum(name == each for each, _ in columns) for name in names]
    ends = numpy.cumsum(widths)
    plot.define("group_text", [short(name) for name in names])
    plot.define("group_end", [float(end) for end in ends])
    plot.define("group_middle", [float(end - width / 2 + 0.5) for end, width in zip(ends, widths)])
    return True


def finding(fleet):
    left_out = fleet.timed - min(fleet.timed, MOST)
    if left_out:
        return f"The {MOST} of {fleet.timed} machines that lie farthest from the median are shown."
    return f"All {fleet.timed} machines are shown, the cheapest at the bottom."


CHART = Chart(
    order=20, shows=FLEET,
    title=f"How far each machine's ratio to {UPFRONT} is from the median of all",
    description=f"A heat map of how far each machine's ratio to {UPFRONT} is from the median of "
                "all machines: a line for each machine, a column for each strategy and size",
    caption="White is the median of all machines; blue dearer, orange cheaper, at its darkest by "
            "10 % or more. A line that stands out is a machine, a single cell a configuration of "
            "it.",
    prepare=prepare, finding=finding)
