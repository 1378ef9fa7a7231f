"""What a data buffer's high-water mark takes, by how it is noticed."""

from vmcommit.base.statistics import median_interval
from vmcommit.base.units import MIB, powers, size_text, time_text
from vmcommit.show.caption import repeats
from vmcommit.show.chart import Chart
from vmcommit.show.figures import Figures, with_ends
from vmcommit.show.frame import powers_between, steps_125
from vmcommit.show.looks import SERIES

WAYS = {"protect": 1, "guard": 3, "check": 2, "condition": 0}  # by their looks in SERIES
NAMES = {"protect": "inaccessible page", "guard": "guard page", "check": "check",
         "condition": "lock and condition"}
ROOM = 1.25  # of an axis beyond its values


def points(rows, values):
    """[size of a packet, median, and the ends of its interval]"""
    known = values.dropna()
    return [[size, *median_interval(each)[:3]] for size, each in known.groupby(rows.packet_bytes)]


def by_way(buffers, values):
    return {way: points(rows, values(rows)) for way in WAYS
            if not (rows := buffers[buffers.way == way]).empty}


def throughput(rows):
    """MiB/s"""
    return rows.bytes / MIB / (rows.ns / 1e9)


def throttled(rows):
    """Per cent of the time"""
    return 100 * rows.throttled_ns / rows.ns


def latency(column):
    """ns; unknown where a coarse clock did not tick in it."""
    return lambda rows: rows[column].where(rows[column] > 0)


PANELS = {"throughput, MiB/s": throughput,
          "latency of a hit; dashed: 99.9 %": latency("hit_p50_ns"),
          "producer throttled, % of the time": throttled}


def usable(analysis):
    """Rows with times; None where the run has none that mean something."""
    buffers = analysis.run.buffers
    if buffers is None or (analysis.summary.platform == "wine").any():
        return None
    buffers = buffers[buffers.status == "ok"]
    return None if buffers.empty else buffers


def most(*series):
    return max((high for each in series for rows in each.values() for *_, high in rows), default=1)


def prepare(analysis, plot):
    buffers = usable(analysis)
    if buffers is None:
        return False
    plot.samples = repeats(buffers.groupby(["way", "packet_bytes"]))
    flow, hit, waits = (by_way(buffers, values) for values in PANELS.values())
    worst = by_way(buffers, latency("hit_p99_9_ns"))
    for number, each in enumerate((flow, hit, waits), 1):
        plot.table(f"panel{number}", each)
    plot.table("worst", worst)
    plot.behind += [behind(*each) for each in (
        ("throughput", ("MiB/s", "plain"), flow), ("median latency of a hit", ("time", "ns"), hit),
        ("99.9 % of hits are shorter", ("time", "ns"), worst),
        ("producer throttled", ("% of the time", "plain"), waits))]
    low = min((low for rows in hit.values() for *_, low, _ in rows), default=1) / ROOM
    high = most(hit, worst) * ROOM
    plot.define("time_low", low)
    plot.define("time_high", high)
    plot.marks("time", [mark for mark in powers_between(low, high, 10) if low <= mark <= high]
               or steps_125(low, high), time_text)
    plot.define("flow_high", ROOM * most(flow))
    plot.define("share_high", ROOM * most(waits))
    sizes = buffers.packet_bytes
    plot.define("size_low", sizes.min() / ROOM)
    plot.define("size_high", sizes.max() * ROOM)
    plot.marks("size", list(powers(int(sizes.min()), int(sizes.max()), 4)), size_text)
    plot.panels(list(PANELS), across=3)
    looks = {way: SERIES[look] for way, look in WAYS.items()}
    plot.define("way", [f'"{way}"' for way in WAYS])
    plot.define("line_color", [look.color for look in looks.values()])
    plot.define("line_mark", [look.mark for look in looks.values()])
    plot.legend = [(NAMES[way], look.color, look.mark, 1.0) for way, look in looks.items()]
    plot.gap = 150
    return True


def behind(title, heading, series):
    return Figures(title, (("packet", "bytes"), *with_ends(*heading)),
                   {NAMES[way]: rows for way, rows in series.items()},
                   log="xy" if heading[1] == "ns" else "x",
                   colors={NAMES[way]: SERIES[look].color for way, look in WAYS.items()})


def finding(analysis):
    buffers = usable(analysis)
    rows = buffers[buffers.packet_bytes == buffers.packet_bytes.max()]
    return f"With packets of {size_text(buffers.packet_bytes.max())}: " + "; ".join(
        f"{NAMES[way]}, {throughput(each).median():.0f} MiB/s"
        + (f", a hit takes {time_text(each.hit_p50_ns.median())}" if each.hit_p50_ns.notna().any()
           else "") for way in WAYS if not (each := rows[rows.way == way]).empty) + "."


CHART = Chart(
    order=160,
    title="A data buffer's high-water mark",
    description="Throughput, latency of a hit and throttled time of a data buffer, by the size of "
                "packets and by how the high-water mark is noticed",
    caption="A producer, faster and slower than its consumer by turns, on two processors where "
            "there are as many. A hit with a lock and a condition waits for room; the others store "
            "the packet and throttle the producer then.",
    prepare=prepare, finding=finding)
