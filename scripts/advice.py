"""What to choose for a need, with the figures that decide it; and advice.json, for programs.

docs/advice.md describes the file, docs/advice.schema.json is its schema.
"""

import dataclasses
import math

import numpy
import pandas
from scipy import stats

import answer as answers
from answer import compare, cheapest, touched_bytes
from campaign import DEFAULT_STEP, SPARSE_TOUCH, STRATEGIES, size_text
from charts import count_text, time_text
from sentences import listed

SCHEMA = 1
WORST = 0.999
NEEDS = {
    "lowest_latency": "Lowest latency",
    "least_charge": "Least commit charge",
    "bounded_worst_touch": "Bounded worst touch (p99.9)",
    "random_access": "Random access",
    "strict_overcommit": "Strict overcommit",
}


@dataclasses.dataclass
class Choice:
    """One cell of the table. `equal`: what can't be told apart from it by time; it was chosen among
    them for its smaller charge. `figures` are numbers, in the units of their names."""

    need: str
    touch: str
    cell: answers.Cell
    equal: list
    why: str
    figures: dict


def row_of(summary, cell):
    found = summary[(summary.strategy == cell.strategy) & (summary.size_bytes == cell.size)
                    & (summary.touched_bytes == cell.touched)
                    & (summary.chunk_bytes == cell.chunk)
                    & (summary.touch_order == cell.order)]
    return found.iloc[0]


def figures_of(row):
    wanted = {"ns_per_page": row.ns_per_page, "ns_per_page_low": row.ns_per_page_low,
              "ns_per_page_high": row.ns_per_page_high, "commit_bytes": row.commit_bytes,
              "waste_bytes": row.commit_bytes - row.touched_bytes}
    return {name: round(float(value), 1) for name, value in wanted.items()
            if not pandas.isna(value)}


def candidates(times, found, size, touch):
    """{strategy: cell} at that size: stepped ones by the step from which they are close to
    upfront, or else by the default one."""
    touched = touched_bytes(size, touch, times.page)
    block = times.block(size, touched)
    for knee in found.knees:
        by_step = times.steps(knee.strategy, size, touched)
        if knee.strategy in block and knee.step in by_step:
            block[knee.strategy] = by_step[knee.step]
    return block


def least_charged(summary, block, names):
    """Of these strategies the one with the least charge; as listed where that is equal too."""
    return min(names, key=lambda name: (row_of(summary, block[name]).commit_bytes,
                                        STRATEGIES.index(name)))


def of_equals(summary, block, name, equal):
    """Why this one, where time does not decide."""
    if not equal:
        return ""
    own = row_of(summary, block[name]).commit_bytes
    if any(row_of(summary, block[other]).commit_bytes > own for other in equal):
        return f"; of less charge than {listed(equal, 'or')}, which time can't tell from it"
    return f"; time and charge can't tell {listed(equal)} from it"


def by_time(times, summary, block, need, touch, also=""):
    """The fastest of a block; of those that can't be told apart, the least charged. None if there
    are too few rounds."""
    ratios = compare(times, [block])[0]
    if not ratios:
        return None
    names = cheapest(block, ratios)
    name = least_charged(summary, block, names)
    row = row_of(summary, block[name])
    equal = [other for other in names if other != name]
    why = f"{time_text(row.ns_per_page)} a page" + of_equals(summary, block, name, equal) + also
    return Choice(need, touch, block[name], equal, why, figures_of(row))


def lowest_latency(times, summary, found, size):
    return [by_time(times, summary, candidates(times, found, size, touch), "lowest_latency", touch)
            for touch in ("1", SPARSE_TOUCH)]


def least_charge(times, summary, found, size):
    """Counts are exact: the least, and the fastest of those that have it."""
    touched = touched_bytes(size, SPARSE_TOUCH, times.page)
    rows = summary[(summary.size_bytes == size) & (summary.touched_bytes == touched)
                   & (summary.touch_order == "sequential") & (summary.samples > 0)]
    rows = rows.dropna(subset=["commit_bytes"])
    if rows.empty:
        return []
    least = rows[rows.commit_bytes == rows.commit_bytes.min()]
    block = {}
    for _, row in least.sort_values("ns_per_page").iterrows():
        block.setdefault(row.strategy, answers.cell_of(row))
    ratios = compare(times, [block])[0]
    names = cheapest(block, ratios) if ratios else list(block)
    name = next(iter(name for name in block if name in names))
    row = row_of(summary, block[name])
    equal = [other for other in names if other != name]
    why = f"{size_text(row.commit_bytes)} for {size_text(touched)} touched"
    rest = [str(cell) for other, cell in block.items() if other not in names]
    if equal:
        why += f"; {listed(equal)} can't be told from it, by charge or by time"
    if rest:
        why += f"; {listed(rest)}, as little charged, " + \
            ("is" if len(rest) == 1 else "are") + " slower"
    return [Choice("least_charge", SPARSE_TOUCH, block[name], equal, why, figures_of(row))]


def worst_touch(trace):
    """(p99.9, low, high) of single touches, by ranks."""
    ns = numpy.sort(trace.ns.to_numpy(float))
    ranks = stats.binom.ppf([0.005, 0.5, 0.995], len(ns), WORST).astype(int)
    low, middle, high = ns[numpy.minimum(ranks, len(ns) - 1)]
    return middle, low, high


def bounded_worst_touch(summary, traces):
    """By the largest region of which each touch was timed."""
    if not traces:
        return []
    size = max(size for size, by in traces.items() if len(by) == max(map(len, traces.values())))
    found = {strategy: worst_touch(traces[size][strategy]) for strategy in STRATEGIES
             if strategy in traces[size]}
    least_high = min(high for _, _, high in found.values())
    names = [name for name in found if found[name][1] <= least_high]
    chunk = {"upfront": size, "fault": int(summary.page_bytes.max())}
    block = {name: answers.Cell(name, size, size, chunk.get(name, DEFAULT_STEP))
             for name in found}
    name = min(names, key=lambda one: found[one][0])
    middle, low, high = found[name]
    others = [f"{other} {time_text(found[other][0])}" for other in STRATEGIES
              if other in found and other not in names]
    equal = [other for other in names if other != name]
    why = f"{time_text(middle)} at p99.9 of {size_text(size)} ({time_text(low)} to " \
          f"{time_text(high)})"
    if equal:
        why += f"; {listed(equal)} can't be told from it"
    if others:
        why += f"; {listed(others)}"
    return [Choice("bounded_worst_touch", "1", block[name], equal, why,
                   {"touch_p99_9_ns": middle, "touch_p99_9_ns_low": low,
                    "touch_p99_9_ns_high": high})]


def outcomes(summary, order):
    """What an order did not let through, in words."""
    rows = summary[summary.touch_order == order]
    told = []
    jumps = rows[rows.unsupported > 0].strategy.unique()
    if len(jumps):
        told.append(f"{listed(jumps)} can't: the order jumps past it")
    for _, row in rows[rows.refused > 0].iterrows():
        told.append(f"{row.strategy} of {size_text(row.size_bytes)} was refused at "
                    f"{count_text(row.region_count)} mappings")
    return "".join(f"; {one}" for one in told)


def random_access(times, summary, found, size):
    return [by_time(times, summary, times.block(size, size, "random"), "random_access", "1",
                    outcomes(summary, "random"))]


def strict_overcommit(times, summary, found, size):
    """Where every promise counts: the fastest strategy that promises nothing before use, by the
    step from which it is close to upfront."""
    block = {name: cell for name, cell in candidates(times, found, size, SPARSE_TOUCH).items()
             if row_of(summary, cell).reserved_commit_bytes <= cell.chunk < size}
    chosen = by_time(times, summary, block, "strict_overcommit", SPARSE_TOUCH)
    if chosen:
        waste = chosen.figures.get("waste_bytes", math.nan)
        chosen.why += f"; {size_text(waste) if waste else 'nothing'} promised and unused"
    return [chosen]


def recommend(times, summary, found, traces):
    """Choices for every need that this run can answer."""
    size = found.sweep_size
    choices = bounded_worst_touch(summary, traces)
    if size:
        choices = lowest_latency(times, summary, found, size) \
            + least_charge(times, summary, found, size) + choices \
            + random_access(times, summary, found, size) \
            + strict_overcommit(times, summary, found, size)
    return [choice for choice in choices if choice]


def cell_json(cell):
    return {"strategy": cell.strategy, "size_bytes": cell.size, "touched_bytes": cell.touched,
            "chunk_bytes": cell.chunk, "touch_order": cell.order}


def ratio_json(ratio):
    return {"ratio": round(ratio.median, 4), "ratio_low": round(ratio.low, 4),
            "ratio_high": round(ratio.high, 4), "known": bool(ratio.known)}


def as_json(described, platform, found, told, choices, model, claims):
    """What advice.json holds."""
    return {
        "schema": SCHEMA,
        "run": {"started": described["started"], "profile": described["profile"],
                "platform": platform, "processor": described["processor"]["model"],
                "kernel": described["system"]["kernel"],
                "revision": described["revision"]["commit"]},
        "answer": [{"text": one.text, "rows": [cell_json(cell) for cell in one.cells]}
                   for one in told],
        "bands": [{"touch": float(touch), "from_bytes": band.sizes[0], "to_bytes": band.sizes[-1],
                   "cheapest": list(band.cheapest)}
                  for touch, bands in found.bands.items() for band in bands],
        "crossings": [{"touch": float(touch), "cheaper_below": one.first,
                       "cheaper_above": one.second, "below_bytes": one.below,
                       "above_bytes": one.above}
                      for touch, crossings in found.crossings.items() for one in crossings],
        "knees": [{"strategy": knee.strategy, "size_bytes": knee.size, "chunk_bytes": knee.step,
                   "chunk_bytes_low": knee.low, "chunk_bytes_high": knee.high,
                   **ratio_json(knee.ratio),
                   "waste_bytes": found.wastes.get(knee.strategy, {})} for knee in found.knees],
        "beside": [{"strategy": band.strategy, "against": "chunked", "from_bytes": band.sizes[0],
                    "to_bytes": band.sizes[-1], "sign": band.sign,
                    **({} if band.sign is None else {"ratio_least": round(band.least, 4),
                                                     "ratio_most": round(band.most, 4)})}
                   for bands in found.beside.values() for band in bands],
        "advice": [{"need": choice.need, "touch": float(choice.touch), **cell_json(choice.cell),
                    "equal": choice.equal, "why": choice.why, **choice.figures}
                   for choice in choices],
        "model": model,
        "claims": [dataclasses.asdict(claim) for claim in claims],
    }
