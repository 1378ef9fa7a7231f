"""What to choose for a need, with the figures that decide it; and advice.json, for programs.

docs/advice.md describes the file, docs/advice.schema.json is its schema.
"""

import dataclasses
import math

import numpy
import pandas
from scipy import stats

from vmcommit.analyse.answer import cheapest, compare
from vmcommit.base.cells import Cell, cell_of, touched_bytes
from vmcommit.base.conventions import (ALL_TOUCHED, DEFAULT_STEP, ORDERS, SPARSELY_TOUCHED,
                                       WORST_TOUCH)
from vmcommit.base.text import listed
from vmcommit.base.units import count_text, size_text, time_text

SCHEMA = 1
NEEDS = {
    "lowest_latency": "Lowest latency",
    "least_charge": "Least commit charge",
    "bounded_worst_touch": "Bounded worst touch (p99.9)",
    "random_access": "Random access",
    "strict_overcommit": "Strict overcommit",
}


@dataclasses.dataclass
class Choice:
    """One cell of the table. `equal`: whose times do not differ significantly from it; it was chosen
    among them for its smaller charge. `figures` are numbers, in the units of their names."""

    need: str
    touch: str
    cell: Cell
    equal: list
    why: str
    figures: dict


def row_of(summary, cell):
    rows = summary[(summary.strategy == cell.strategy.name) & (summary.size_bytes == cell.size)
                   & (summary.touched_bytes == cell.touched)
                   & (summary.chunk_bytes == cell.chunk)
                   & (summary.touch_order == cell.order)]
    return rows.iloc[0]


def figures_of(row):
    wanted = {"ns_per_page": row.ns_per_page, "ns_per_page_low": row.ns_per_page_low,
              "ns_per_page_high": row.ns_per_page_high, "commit_bytes": row.commit_bytes,
              "waste_bytes": row.commit_bytes - row.touched_bytes}
    return {name: round(float(value), 1) for name, value in wanted.items()
            if not pandas.isna(value)}


def candidates(times, answer, size, touch):
    """{strategy: cell} at that size: stepped ones by the step from which they are close to
    upfront, or else by the default one."""
    touched = touched_bytes(size, touch, times.page)
    block = times.block(size, touched)
    for knee in answer.knees:
        by_step = times.steps(knee.strategy, size, touched)
        if knee.strategy in block and knee.step in by_step:
            block[knee.strategy] = by_step[knee.step]
    return block


def least_charged(summary, block, names):
    """Of these strategies the one with the least charge; the first where that is equal too."""
    return min(names, key=lambda name: row_of(summary, block[name]).commit_bytes)


def of_equals(summary, block, name, equal):
    """Why this one, where time does not decide."""
    if not equal:
        return ""
    charge = row_of(summary, block[name]).commit_bytes
    times = "their times do not differ significantly"
    if any(row_of(summary, block[other]).commit_bytes > charge for other in equal):
        return f"; charged less than {listed(equal, 'or')}; {times}"
    return f"; charged as much as {listed(equal)}; {times}"


def by_time(times, summary, block, need, touch, also=""):
    """The fastest of a block; of those that do not differ significantly, the least charged. None
    if there are too few rounds."""
    ratios = compare(times, [block])[0]
    if not ratios:
        return None
    names = cheapest(block, ratios)
    name = least_charged(summary, block, names)
    row = row_of(summary, block[name])
    equal = [other for other in names if other != name]
    why = f"{time_text(row.ns_per_page)} a page" + of_equals(summary, block, name, equal) + also
    return Choice(need, touch, block[name], equal, why, figures_of(row))


def lowest_latency(times, summary, answer, size):
    return [by_time(times, summary, candidates(times, answer, size, touch), "lowest_latency",
                    touch) for touch in (ALL_TOUCHED, SPARSELY_TOUCHED)]


def least_charge(times, summary, size):
    """Counts are exact: the least, and the fastest of those that have it."""
    touched = touched_bytes(size, SPARSELY_TOUCHED, times.page)
    rows = summary[(summary.size_bytes == size) & (summary.touched_bytes == touched)
                   & (summary.touch_order == ORDERS[0]) & (summary.samples > 0)]
    rows = rows.dropna(subset=["commit_bytes"])
    if rows.empty:
        return []
    least = rows[rows.commit_bytes == rows.commit_bytes.min()]
    block = {}
    for _, row in least.sort_values("ns_per_page").iterrows():
        block.setdefault(row.strategy, cell_of(row, times.strategies))
    ratios = compare(times, [block])[0]
    names = cheapest(block, ratios) if ratios else list(block)
    name = next(iter(name for name in block if name in names))
    row = row_of(summary, block[name])
    equal = [other for other in names if other != name]
    why = f"{size_text(row.commit_bytes)} for {size_text(touched)} touched"
    rest = [str(cell) for other, cell in block.items() if other not in names]
    if equal:
        why += f"; {listed(equal)}, charged as little, " + \
            ("does" if len(equal) == 1 else "do") + " not differ significantly in time"
    if rest:
        why += f"; {listed(rest)}, charged as little, " + \
            ("is" if len(rest) == 1 else "are") + " slower"
    return [Choice("least_charge", SPARSELY_TOUCHED, block[name], equal, why, figures_of(row))]


def worst_touch(trace):
    """(p99.9, low, high) of single touches, by ranks."""
    ns = numpy.sort(trace.ns.to_numpy(float))
    ranks = stats.binom.ppf([0.005, 0.5, 0.995], len(ns), WORST_TOUCH).astype(int)
    low, middle, high = ns[numpy.minimum(ranks, len(ns) - 1)]
    return middle, low, high


def bounded_worst_touch(times, summary, traces):
    """By the largest region of which each touch was timed."""
    traces = {size: kept for size, by in traces.items()
              if (kept := {name: by[name] for name in times.built_in if name in by})}
    if not traces:
        return []
    size = max(size for size, by in traces.items() if len(by) == max(map(len, traces.values())))
    worst = {name: worst_touch(trace) for name, trace in traces[size].items()}
    least_high = min(high for _, _, high in worst.values())
    names = [name for name in worst if worst[name][1] <= least_high]
    name = min(names, key=lambda name: worst[name][0])
    strategy = times.strategies[name]
    cell = Cell(strategy, size, size,
                strategy.step_bytes(size, int(summary.page_bytes.max()), DEFAULT_STEP))
    middle, low, high = worst[name]
    others = [f"{other} {time_text(worst[other][0])}" for other in worst if other not in names]
    equal = [other for other in names if other != name]
    why = f"{time_text(middle)} at p99.9 of {size_text(size)} ({time_text(low)} to " \
          f"{time_text(high)})"
    if equal:
        why += f"; {listed(equal)} {'does' if len(equal) == 1 else 'do'} not differ significantly"
    if others:
        why += f"; {listed(others)}"
    return [Choice("bounded_worst_touch", ALL_TOUCHED, cell, equal, why,
                   {"touch_p99_9_ns": middle, "touch_p99_9_ns_low": low,
                    "touch_p99_9_ns_high": high})]


def outcomes(summary, order):
    """What an order did not let through, in words."""
    rows = summary[summary.touch_order == order]
    clauses = []
    jumps = rows[rows.unsupported > 0].strategy.unique()
    if len(jumps):
        clauses.append(f"{listed(jumps)} can't: the order jumps past it")
    for _, row in rows[rows.refused > 0].iterrows():
        clauses.append(f"{row.strategy} of {size_text(row.size_bytes)} was refused at "
                       f"{count_text(row.region_count)} mappings")
    return "".join(f"; {clause}" for clause in clauses)


def random_access(times, summary, size):
    return [by_time(times, summary, times.block(size, size, "random"), "random_access",
                    ALL_TOUCHED, outcomes(summary, "random"))]


def strict_overcommit(times, summary, answer, size):
    """Where all that is charged counts: the fastest strategy that is charged nothing before use, by
    the step from which it is close to upfront."""
    block = {name: cell for name, cell in candidates(times, answer, size, SPARSELY_TOUCHED).items()
             if row_of(summary, cell).reserved_commit_bytes <= cell.chunk < size}
    choice = by_time(times, summary, block, "strict_overcommit", SPARSELY_TOUCHED)
    if choice:
        waste = choice.figures.get("waste_bytes", math.nan)
        choice.why += f"; {size_text(waste) if waste else 'none'} of its charge is unused"
    return [choice]


def recommend(times, summary, answer, traces):
    """Choices for every need that this run can answer, among the built-in strategies."""
    size = answer.sweep_size
    choices = bounded_worst_touch(times, summary, traces)
    if size:
        choices = lowest_latency(times, summary, answer, size) \
            + least_charge(times, summary, size) + choices \
            + random_access(times, summary, size) \
            + strict_overcommit(times, summary, answer, size)
    return [choice for choice in choices if choice]


def cell_json(cell):
    return {"strategy": cell.strategy.name, "size_bytes": cell.size, "touched_bytes": cell.touched,
            "chunk_bytes": cell.chunk, "touch_order": cell.order}


def ratio_json(ratio):
    return {"ratio": round(ratio.median, 4), "ratio_low": round(ratio.low, 4),
            "ratio_high": round(ratio.high, 4), "known": bool(ratio.known)}


def as_json(environment, platform, answer, sentences, choices, model, claims):
    """What advice.json holds."""
    return {
        "schema": SCHEMA,
        "run": {"started": environment["started"], "profile": environment["profile"],
                "platform": platform, "processor": environment["processor"]["model"],
                "kernel": environment["system"]["kernel"],
                "revision": environment["revision"]["commit"]},
        "answer": [{"text": sentence.text, "rows": [cell_json(cell) for cell in sentence.cells]}
                   for sentence in sentences],
        "bands": [{"touch": float(touch), "from_bytes": band.sizes[0], "to_bytes": band.sizes[-1],
                   "cheapest": list(band.cheapest)}
                  for touch, bands in answer.bands.items() for band in bands],
        "crossings": [{"touch": float(touch), "cheaper_below": crossing.first,
                       "cheaper_above": crossing.second, "below_bytes": crossing.below,
                       "above_bytes": crossing.above}
                      for touch, crossings in answer.crossings.items()
                      for crossing in crossings],
        "knees": [{"strategy": knee.strategy, "size_bytes": knee.size, "chunk_bytes": knee.step,
                   "chunk_bytes_low": knee.low, "chunk_bytes_high": knee.high,
                   **ratio_json(knee.ratio),
                   "waste_bytes": answer.wastes.get(knee.strategy, {})} for knee in answer.knees],
        "beside": [{"strategy": band.strategy, "against": band.against, "from_bytes": band.sizes[0],
                    "to_bytes": band.sizes[-1], "sign": band.sign,
                    **({} if band.sign is None else {"ratio_least": round(band.least, 4),
                                                     "ratio_most": round(band.most, 4)})}
                   for bands in answer.beside.values() for band in bands],
        "advice": [{"need": choice.need, "touch": float(choice.touch), **cell_json(choice.cell),
                    "equal": choice.equal, "why": choice.why, **choice.figures}
                   for choice in choices],
        "model": model,
        "claims": [dataclasses.asdict(claim) for claim in claims],
    }
