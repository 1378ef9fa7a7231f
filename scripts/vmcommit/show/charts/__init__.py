"""Draws summary.csv by gnuplot: one file in charts/ for each picture, as SVG and as PNG.

This module only prepares what gnuplot plots: tables with one block a series, axis marks and the
caption. How a chart looks stands in its .gp file.
"""

import math
import pathlib
import subprocess
import tempfile

import numpy
import pandas

from vmcommit.base.columns import PHASES
from vmcommit.base.conventions import DEFAULT_STEP, SPARSE_BELOW
from vmcommit.base.strategies import names_in
from vmcommit.base.units import count_text, size_text, time_text

SCRIPTS = pathlib.Path(__file__).resolve().parent
HARNESSES = ("upfront", "fault", "chunked", "guard", "custom", "malloc")  # TODO looks by name
CHARTS = {
    "staircase": "Commit charge against bytes touched, as the touching of one region proceeds",
    "latency": "Time per touched page against the size of the region, with all and a tenth of it "
               "touched",
    "ratio": "Time of each strategy as a multiple of full up-front commit, against size",
    "tradeoff": "Commit charge that is promised and unused against time per touched page, with the "
                "steps of chunked and guard along a path and the frontier marked",
    "grid": "Time of chunked and guard as a multiple of upfront, by the size of the region and the "
            "step",
    "charge": "Commit charge at its peak against the size of the region, with all and a tenth of "
              "it touched",
    "faults": "Page faults that the kernel counted, and faults that a handler answered, against "
              "size",
    "steps": "The step of chunked and guard: time per touched page, and commit charge with a "
             "tenth touched",
    "distribution": "The share of single touches that took longer than a time",
    "touches": "Time of single touches by their page, folded into windows of 1 MiB",
    "orders": "Mappings that the kernel keeps, by the order in which pages are touched",
    "phases": "Where the time of a cycle goes: reserve, commit, touch and release",
    "process_times": "Whole processes timed by hyperfine beside the cycle that each of them timed itself",
}
FOLD_PAGES = 256  # 1 MiB of 4 KiB pages


def powers_between(low, high, factor):
    """Powers of `factor` from the last at or below `low` to the first at or above `high`."""
    first = math.floor(math.log(low, factor) + 1e-9)
    last = math.ceil(math.log(high, factor) - 1e-9)
    return [factor ** power for power in range(first, last + 1)]


def steps_125(low, high):
    """1, 2, 5, 10, ... that lie within the range."""
    found = [digit * 10.0 ** power for power in range(-1, 12) for digit in (1, 2, 5)]
    return [value for value in found if low <= value <= high]


class Tables:
    """Data files for gnuplot, and the settings that go with them. What a run may lack is drawn by
    functions that return whether it is there."""

    def __init__(self, folder):
        self.folder = folder
        self.settings = []
        self.define("data", folder.as_posix() + "/")

    def define(self, name, value):
        """A string or a number; what is unknown becomes gnuplot's NaN, and is not drawn."""
        if isinstance(value, str):
            text = "'" + value.replace("'", "’") + "'"
        else:
            text = "NaN" if math.isnan(value) else repr(float(value))
        self.settings.append(f"{name} = {text}")

    def define_names(self, name, texts):
        """An array of strings."""
        quoted = ", ".join("'" + text.replace("'", "’") + "'" for text in texts)
        self.settings.append(f"array {name}[{len(texts)}] = [{quoted}]")

    def define_tics(self, name, values, text):
        """Axis marks, `text` on each, for `set xtics`."""
        self.define(name, "(" + ", ".join(f'"{text(value)}" {value:.10g}' for value in values)
                    + ")")

    def write(self, name, series):
        """One block a series, {name: rows of numbers}; an empty one keeps its place."""
        with open(self.folder / f"{name}.dat", "w", encoding="utf-8") as file:
            for title, rows in series.items():
                file.write(f"# {title}\n")
                for row in rows or [["NaN"] * 8]:
                    file.write(" ".join(cell if isinstance(cell, str) else "NaN"
                                        if math.isnan(cell) else f"{cell:.10g}"
                                        for cell in row) + "\n")
                file.write("\n\n")


def stepped(rows):
    return names_in(rows[rows.stepped])


def by_strategy(rows, *columns):
    """A block for every strategy, whether the rows have it or not; a single sample has no band."""
    return {strategy: rows[rows.strategy == strategy].dropna(subset=[*columns[:2]])[
        [*columns]].values.tolist() for strategy in HARNESSES}


def reach(rows, column):
    """The least and the most of a column and of its intervals."""
    values = rows[[column, f"{column}_low", f"{column}_high"]]
    return values.min().min(), values.max().max()


def sequential(summary):
    return summary[summary.touch_order == "sequential"]


def parts(summary):
    """The rows without the sweep, split into all touched and a tenth touched."""
    summary = sequential(summary)
    plain = summary[~summary.stepped | (summary.chunk_bytes == DEFAULT_STEP)]
    plain = plain[plain.samples > 0]
    return (plain[plain.touched_bytes == plain.size_bytes],
            plain[plain.touched_bytes < SPARSE_BELOW * plain.size_bytes])


def most_stepped(rows):
    """The size with the most steps: the sweep's."""
    return rows[rows.stepped].groupby("size_bytes").chunk_bytes.nunique().idxmax()


def draw_sizes(tables, full, sparse, floor):
    """`floor`: ns of a bare page fault, or NaN; the times' second axis counts in it."""
    band = ("size_bytes", "ns_per_page", "ns_per_page_low", "ns_per_page_high")
    tables.write("latency_full", by_strategy(full, *band))
    tables.write("latency_sparse", by_strategy(sparse, *band))
    tables.write("ratio", by_strategy(full, "size_bytes", "ratio_to_upfront",
                                      "ratio_to_upfront_low", "ratio_to_upfront_high"))
    tables.write("charge_full", by_strategy(full, "size_bytes", "commit_bytes"))
    tables.write("charge_sparse", by_strategy(sparse, "size_bytes", "commit_bytes"))
    tables.write("minor_faults", by_strategy(full, "size_bytes", "minor_faults"))
    tables.write("handled_faults", by_strategy(full, "size_bytes", "handled_faults"))

    low, high = full.size_bytes.min(), full.size_bytes.max()
    marks = powers_between(low, high, 4)
    tables.define("size_low", low / 1.5)
    tables.define("size_high", high * 1.5)
    tables.define_tics("size_tics", marks[::1 + len(marks) // 7], size_text)
    both = pandas.concat([full, sparse])
    fastest, slowest = reach(both, "ns_per_page")
    fastest, slowest = fastest / 1.3, slowest * 1.3
    tables.define("page_low", fastest)
    tables.define("page_high", slowest)
    tables.define_tics("page_tics", steps_125(fastest, slowest), time_text)
    tables.define("floor", floor)
    tables.define_tics("floor_tics", [value for value in steps_125(fastest / floor, slowest / floor)
                                      if value >= 1], lambda multiple: f"{multiple:g}×")
    tables.define("ratio_high", 1.08 * max(1, reach(full, "ratio_to_upfront")[1]))
    most = full[["minor_faults", "handled_faults"]].max().max()
    tables.define("count_high", most * 3)
    tables.define_tics("count_tics", powers_between(1, most, 16), count_text)


def draw_steps(tables, summary):
    summary = sequential(summary)
    swept = summary[summary.stepped & (summary.samples > 0)]
    if swept.empty:
        return False
    size = most_stepped(swept)
    rows = summary[(summary.size_bytes == size) & (summary.samples > 0)]
    full, sparse = rows[rows.touched_bytes == size], \
        rows[rows.touched_bytes < SPARSE_BELOW * size]
    tables.write("steps_time", by_strategy(full, "chunk_bytes", "ns_per_page", "ns_per_page_low",
                                           "ns_per_page_high"))
    tables.write("steps_charge", by_strategy(sparse, "chunk_bytes", "commit_bytes"))
    steps = sorted(rows[rows.stepped].chunk_bytes.unique())
    marks = powers_between(steps[0], steps[-1], 4)
    tables.define_tics("step_tics", marks[::1 + len(marks) // 9], size_text)
    tables.define("step_low", steps[0] / 1.5)
    tables.define("step_high", steps[-1] * 1.5)
    tables.define("step_time_high", 1.1 * reach(full, "ns_per_page")[1])
    for strategy in ("upfront", "fault"):
        tables.define(f"sweep_{strategy}", full[full.strategy == strategy].ns_per_page.median())
    tables.define("sweep_size", size_text(int(size)))
    tables.define("sweep_touched", sparse.touched_bytes.max())
    tables.define("sweep_bytes", size)
    return not full.empty


def frontier(points):
    """The corners of a staircase that no point lies below and to the left of."""
    corners, best = [], math.inf
    for x, y in sorted(points):
        if y < best:
            corners += [[x, best], [x, y]] if corners else [[x, y]]
            best = y
    return corners


def step_labels(path):
    """[x, y, "16 KiB" or "128 KiB–1 MiB"]: neighbours too close for a label each share one."""
    groups = []
    for x, y, step in path:
        if groups and abs(math.log2(x / groups[-1][-1][0])) < 0.5 \
                and abs(math.log(y / groups[-1][-1][1])) < 0.12:
            groups[-1].append((x, y, step))
        else:
            groups.append([(x, y, step)])
    return [[group[0][0], group[0][1], '"' + "–".join(dict.fromkeys(
        size_text(step) for step in (group[0][2], group[-1][2]))) + '"'] for group in groups]


def draw_tradeoff(tables, summary):
    """With a tenth touched, at the size with the most steps."""
    rows = sequential(summary)
    rows = rows[(rows.samples > 0)].dropna(subset=["commit_bytes"])
    sparse = rows[(rows.touched_bytes < SPARSE_BELOW * rows.size_bytes)
                  & rows.stepped]
    if sparse.empty:
        return False
    size = most_stepped(sparse)
    touched = sparse[sparse.size_bytes == size].touched_bytes.min()
    rows = rows[(rows.size_bytes == size) & (rows.touched_bytes == touched)]
    none = rows.page_bytes.iloc[0] / 2
    points = {strategy: [] for strategy in HARNESSES}
    for _, row in rows.sort_values("chunk_bytes").iterrows():
        points[row.strategy].append([max(row.commit_bytes - row.touched_bytes, none),
                                     row.ns_per_page, row.chunk_bytes])
    tables.write("tradeoff", {strategy: [point[:2] for point in by]
                              for strategy, by in points.items()})
    tables.write("tradeoff_steps", {strategy: step_labels(points[strategy])
                                    for strategy in ("chunked", "guard")})
    flat = [point[:2] for by in points.values() for point in by]
    tables.write("frontier", {"frontier": frontier(flat)})
    most = max(x for x, _ in flat)
    tables.define("waste_none", none)
    tables.define("waste_high", most)
    tables.define_tics("waste_tics", powers_between(2 * none, most, 4), size_text)
    low, high = 0.8 * min(y for _, y in flat), 1.2 * max(y for _, y in flat)
    tables.define("tradeoff_low", low)
    tables.define("tradeoff_high", high)
    tables.define_tics("tradeoff_tics", steps_125(low, high), time_text)
    tables.define("tradeoff_title", f"{size_text(int(touched))} of {size_text(int(size))} touched")
    return True


def draw_grid(tables, summary):
    """Steps that are powers of four, at every size that has more than the default one."""
    rows = sequential(summary)
    rows = rows[rows.stepped & (rows.touched_bytes == rows.size_bytes)
                & (rows.chunk_bytes <= rows.size_bytes)].dropna(subset=["ratio_to_upfront"])
    several = rows.groupby("size_bytes").chunk_bytes.transform("nunique") > 1
    smallest = rows.chunk_bytes.min()
    rows = rows[several & (numpy.log2(rows.chunk_bytes / smallest) % 2 == 0)]
    if rows.empty:
        return False
    sizes, steps = sorted(rows.size_bytes.unique()), sorted(rows.chunk_bytes.unique())
    most = max(math.log(rows.ratio_to_upfront.max()), 1e-9)
    tables.write("grid", {strategy: [
        [sizes.index(row.size_bytes) + 1, steps.index(row.chunk_bytes) + 1,
         max(math.log(row.ratio_to_upfront), 0) / most, f'"{row.ratio_to_upfront:.2f}"']
        for _, row in rows[rows.strategy == strategy].iterrows()] for strategy in stepped(rows)})
    tables.define_names("grid_panels", stepped(rows))
    tables.define("grid_sizes", len(sizes))
    tables.define("grid_steps", len(steps))
    for name, values in (("grid_size_tics", sizes), ("grid_step_tics", steps)):
        tables.define(name, "(" + ", ".join(f'"{size_text(int(value))}" {at}'
                                            for at, value in enumerate(values, 1)) + ")")
    return True


def draw_phases(tables, full):
    """A panel for each of four sizes, from the smallest to the largest."""
    sizes = sorted(full.size_bytes.unique())
    chosen = sorted({sizes[round(i * (len(sizes) - 1) / 3)] for i in range(4)})
    panels = {}
    for size in chosen:
        rows = full[full.size_bytes == size].set_index("strategy")
        pages = size / rows.page_bytes.iloc[0]
        panels[size_text(size)] = [
            [f'"{strategy}"', *(rows.loc[strategy, phase] / pages for phase in PHASES)]
            for strategy in HARNESSES if strategy in rows.index]
    tables.write("phases", panels)
    tables.define("phase_panels", "|".join(panels))


def draw_process_times(tables, times):
    if not times:
        return False
    tables.write("process_times", {"process_times": [
        [f'"{name}"', own / 1e6, (median - own) / 1e6, least / 1e6, most / 1e6]
        for name, (median, least, most, own) in times.items()]})
    tables.define("process_high", 1.1e-6 * max(most for _, _, most, _ in times.values()))
    return True


def draw_staircase(tables, stairs):
    """upfront, fault, then chunked and guard, each in steps from small to large."""
    if stairs is None:
        return False
    series = {}
    for strategy in names_in(stairs):
        rows = stairs[stairs.strategy == strategy]
        for step, group in rows.groupby("chunk_bytes"):
            series[f"{strategy} {step}"] = group[["touched_bytes", "commit_bytes"]].values.tolist()
    tables.write("staircase", series)
    tables.define_names("stair_panels", stepped(stairs))
    steps = sorted(stairs[stairs.stepped].chunk_bytes.unique())
    tables.define("stair_steps", ", ".join(map(size_text, steps)))
    return True


def exceedance(ns):
    """(time, share of touches that took longer), thinned to what a chart can show."""
    values, counts = numpy.unique(ns, return_counts=True)
    longer = 1 - counts.cumsum() / counts.sum()
    kept = numpy.unique(numpy.geomspace(1, len(values), 400).astype(int)) - 1
    tail = range(max(0, len(values) - 100), len(values))  # the slow ones, each
    kept = numpy.union1d(kept, list(tail)).astype(int)
    return [[values[i], longer[i]] for i in kept if longer[i] > 0]


def shade(trace, edges):
    """Boxes of a heat map: x, y, low y, high y, and how often, as a logarithm from 0 to 1."""
    counted, _, _ = numpy.histogram2d(trace.page % FOLD_PAGES, trace.ns,
                                      [numpy.arange(FOLD_PAGES + 1) - 0.5, edges])
    most = math.log1p(counted.max())
    return [[x, math.sqrt(edges[y] * edges[y + 1]), edges[y], edges[y + 1],
             math.log1p(counted[x, y]) / most]
            for x, y in numpy.argwhere(counted)]


def draw_traces(tables, traces):
    if not traces:
        return False
    everything = pandas.concat([trace.ns for by in traces.values() for trace in by.values()])
    low, high = everything.quantile(0.0001) / 1.2, everything.max() * 1.2
    tables.define("touch_low", low)
    tables.define("touch_high", high)
    tables.define_tics("touch_tics", [10.0 ** power for power in range(1, 11)
                                      if low <= 10.0 ** power <= high], time_text)
    tables.define("share_low", 0.5 / max(len(trace) for by in traces.values()
                                         for trace in by.values()))
    tables.define("trace_panels", len(traces))
    tables.define("trace_sizes", " ".join(size_text(size) for size in sorted(traces)))
    tables.write("distribution", {
        f"{strategy} {size}": exceedance(by[strategy].ns) if strategy in by else []
        for size, by in sorted(traces.items()) for strategy in HARNESSES})
    tables.define("fold_pages", FOLD_PAGES)
    edges = numpy.geomspace(low, high, 40)
    smallest = traces[min(traces)]
    there = [strategy for strategy in HARNESSES if strategy in smallest]
    tables.define_names("touch_panels", there)
    tables.write("touches", {strategy: shade(smallest[strategy], edges) for strategy in there})
    return True


def draw_orders(tables, summary):
    """One place on the axis for each order of the sweep's size, then for sizes of their own."""
    other = summary[summary.touch_order != "sequential"]
    if other.empty:
        return False
    sizes = sorted(other.size_bytes.unique(), key=lambda size: -(other.size_bytes == size).sum())
    places = [(sizes[0], order) for order in ("sequential", "reverse", "random", "alternate")]
    places += [(size, order) for size in sizes[1:]
               for order in other[other.size_bytes == size].touch_order.unique()]
    series = {strategy: [] for strategy in names_in(summary)}
    for at, (size, order) in enumerate(places, 1):
        rows = summary[(summary.size_bytes == size) & (summary.touch_order == order)
                       & (summary.touched_bytes == size)]
        plain = ~rows.stepped | (rows.chunk_bytes == DEFAULT_STEP)
        for _, row in rows[plain].iterrows():
            outcome = 1 if row.unsupported else 2 if row.refused else 0
            regions = 1 if math.isnan(row.region_count) else row.region_count
            series[row.strategy].append([at, math.nan if outcome == 1 else regions, outcome])
    tables.write("orders", series)
    tables.define("order_count", len(places))
    tables.define("region_high", 4 * summary.region_count.max())
    tables.define("order_tics", "(" + ", ".join(
        f'"{order}, {size_text(int(size))}" {at}'
        for at, (size, order) in enumerate(places, 1)) + ")")
    return True


def doubt(summary):
    """What a title must say of times that stand for no real system."""
    return ": Wine's times, not Windows'" if (summary.platform == "wine").any() else ""


def caption(summary, environment):
    """The machine, the number of samples, and what the bands mean."""
    processor, system = environment["processor"], environment["system"]
    counts = summary.samples[summary.samples > 0]
    samples = f"{counts.min()} to {counts.max()}" if counts.nunique() > 1 else f"{counts.max()}"
    machine = f"{processor['model']}, {processor['cores']} cores"
    if processor.get("hypervisor"):
        machine += f" under {processor['hypervisor']}"
    lowest = summary.confidence[summary.samples > 1].min()
    fewest = [f"{100 * lowest:.0f} % where fewest"] if lowest < 0.95 else []
    fewest += ["none for one"] if counts.min() == 1 else []
    bands = "95 % intervals" + (f" ({', '.join(fewest)})" if fewest else "")
    return (f"{machine}; {system['name']} {system['kernel']}; medians of "
            f"{samples} samples, {bands}")


def render(tables, names, folder, gnuplot="gnuplot"):
    """Draws each of `names` by its .gp file, as SVG and as PNG. Raises CalledProcessError."""
    settings = tables.folder / "settings.gp"
    settings.write_text("\n".join(tables.settings) + "\n", encoding="utf-8")
    for name in names:
        for kind in ("svg", "png"):
            subprocess.run(
                [gnuplot, "-e", f"format='{kind}'; settings='{settings.as_posix()}'; "
                                f"result='{(folder / name).as_posix()}.{kind}'", f"{name}.gp"],
                cwd=SCRIPTS, check=True, capture_output=True, text=True)


def draw(analysis, folder):
    """Writes folder/*.svg and *.png and returns the names drawn. Raises Problem."""
    folder.mkdir(exist_ok=True)
    summary, run = analysis.summary, analysis.run
    full, sparse = parts(summary)
    if full.empty:
        return []
    floor = run.environment["calibration"]["page_fault_ns"] or math.nan
    with tempfile.TemporaryDirectory() as scratch:
        tables = Tables(pathlib.Path(scratch))
        tables.define("doubt", doubt(summary))
        tables.define("present", " ".join(names_in(summary)))
        tables.define("caption", caption(summary, run.environment))
        draw_sizes(tables, full, sparse, floor)
        draw_phases(tables, full)
        swept = draw_steps(tables, summary)
        traced = draw_traces(tables, run.traces)
        there = {  # what a run may lack; all else always is
            "steps": swept, "staircase": swept and draw_staircase(tables, run.stairs),
            "tradeoff": draw_tradeoff(tables, summary), "grid": draw_grid(tables, summary),
            "distribution": traced, "touches": traced, "orders": draw_orders(tables, summary),
            "process_times": draw_process_times(tables, run.process_times)}
        names = [name for name in CHARTS if there.get(name, True)]
        render(tables, names, folder)
    return names
