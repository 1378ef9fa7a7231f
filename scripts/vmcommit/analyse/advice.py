"""What to choose for a need, with the figures that decide it; and advice.json, for programs.

docs/advice.md describes the file, docs/advice.schema.json is its schema.
"""

import dataclasses
import math
from collections.abc import Iterable

import numpy
import pandas

from vmcommit.analyse.answer import Answer, Estimate, Ratio, Times, cheapest, compare, wastes
from vmcommit.analyse.claims import Claim
from vmcommit.analyse.section import cell_json
from vmcommit.analyse.sentences import Sentence
from vmcommit.base.cells import Cell, cell_of, touched_bytes
from vmcommit.base.conventions import (ALL_TOUCHED, CONFIDENCE, ORDERS, SPARSELY_TOUCHED,
                                       WORST_CLOSE, WORST_TOUCH)
from vmcommit.base.statistics import median_interval
from vmcommit.base.text import listed
from vmcommit.base.units import MIB, count_text, size_text, time_text

SCHEMA = 1
GIVEN_BACK = 16 * MIB  # of which it is said what giving back takes
WORST_NAME = f"p{100 * WORST_TOUCH:.4g}"
NEEDS = {
    "lowest_latency": "Lowest latency",
    "least_charge": "Least commit charge",
    "bounded_worst_touch": "Bounded worst touch",
    "random_access": "Unpredictable use",
    "strict_overcommit": "Strict overcommit",
    "growing_buffers": "Growing buffers",
    "many_stacks": "Many stacks",
}
Block = dict[str, Cell]  # {strategy: its cell}


@dataclasses.dataclass
class Choice:
    """One cell of the table. `equal`: strategies whose times do not differ significantly from its
    own. `figures` are numbers, in the units of their names."""

    need: str
    touch: str
    cell: Cell
    equal: list[str]
    why: str
    figures: dict[str, float]


def row_of(summary: pandas.DataFrame, cell: Cell):
    rows = summary[(summary.strategy == cell.strategy.name) & (summary.size_bytes == cell.size)
                   & (summary.touched_bytes == cell.touched)
                   & (summary.chunk_bytes == cell.chunk)
                   & (summary.touch_order == cell.order)]
    return rows.iloc[0]


def unused(summary: pandas.DataFrame, cell: Cell) -> float:
    """Bytes of charge where a region is used sparsely; infinite where that is unknown."""
    of_touches = wastes(summary, cell.strategy.name, cell.size, cell.chunk)
    return of_touches.get(SPARSELY_TOUCHED, math.inf)


def figures_of(row) -> dict[str, float]:
    wanted = {"ns_per_page": row.ns_per_page, "ns_per_page_low": row.ns_per_page_low,
              "ns_per_page_high": row.ns_per_page_high, "commit_bytes": row.commit_bytes,
              "waste_bytes": row.commit_bytes - row.touched_bytes}
    return {name: round(float(value), 1) for name, value in wanted.items()
            if not pandas.isna(value)}


def named(cell: Cell) -> str:
    """guard (step 512 KiB)"""
    return cell.strategy.name + (f" (step {size_text(cell.step)})" if cell.step else "")


def cost_text(row, cell: Cell) -> str:
    """1.69 µs a page at a step of 128 KiB"""
    return f"{time_text(row.ns_per_page)} a page{at_step(cell)}"


def at_step(cell: Cell) -> str:
    return f" at a step of {size_text(cell.step)}" if cell.step else ""


def candidates(times: Times, answer: Answer, size: int, touch: str) -> Block:
    """{strategy: cell} at that size: stepped ones by the step from which they are close to
    upfront, or else by the default one."""
    touched = touched_bytes(size, touch, times.page)
    block = times.block(size, touched)
    for knee in answer.knees:
        by_step = times.steps(knee.strategy, size, touched)
        if knee.strategy in block and knee.step in by_step:
            block[knee.strategy] = by_step[knee.step]
    return block


def charges(summary: pandas.DataFrame, block: Block, names: Iterable[str]) -> dict[str, float]:
    """{strategy: its charge}, infinite where no row has it."""
    known = {name: row_of(summary, block[name]).commit_bytes for name in names}
    return {name: math.inf if pandas.isna(charge) else charge for name, charge in known.items()}


def against_equals(charge: dict[str, float], block: Block, name: str) -> str:
    """Why this strategy, where its time does not differ significantly from the others'."""
    if len(block) == 1:
        return "; no other qualifies"
    others = {other: named(block[other]) for other in charge if other != name}
    if not others:
        return ""
    same = "their times do not differ significantly"
    if math.isinf(charge[name]):
        return f"; as for {listed(others.values())}, {same}"
    more = [text for other, text in others.items() if charge[other] > charge[name]]
    as_much = [text for other, text in others.items() if charge[other] == charge[name]]
    clauses = ([f"less than {listed(more, 'or')}"] if more else []) \
        + ([f"as much as {listed(as_much)}"] if as_much else [])
    return f"; charged {listed(clauses)}; {same}"


def by_time(times: Times, summary: pandas.DataFrame, block: Block, need: str, touch: str
            ) -> list[Choice]:
    """The fastest of a block; of those that do not differ significantly, the least charged. Empty
    if there are too few rounds."""
    ratios = compare(times, [block])[0]
    if not ratios and len(block) != 1:
        return []
    charge = charges(summary, block, cheapest(block, ratios))
    name = min(charge, key=charge.__getitem__)
    row = row_of(summary, block[name])
    why = cost_text(row, block[name]) + against_equals(charge, block, name)
    return [Choice(need, touch, block[name], [other for other in charge if other != name], why,
                   figures_of(row))]


def lowest_latency(times: Times, summary: pandas.DataFrame, answer: Answer, size: int
                   ) -> list[Choice]:
    return [choice for touch in (ALL_TOUCHED, SPARSELY_TOUCHED)
            for choice in by_time(times, summary, candidates(times, answer, size, touch),
                                  "lowest_latency", touch)]


def least_charged(times: Times, summary: pandas.DataFrame, size: int, touched: int) -> Block:
    """Of each strategy that has the least charge the fastest cell that has it; fastest first."""
    rows = summary[(summary.size_bytes == size) & (summary.touched_bytes == touched)
                   & (summary.touch_order == ORDERS[0]) & (summary.samples > 0)]
    least = rows[rows.commit_bytes == rows.commit_bytes.min()]
    block: Block = {}
    for _, row in least.sort_values("ns_per_page", kind="stable").iterrows():
        block.setdefault(row.strategy, cell_of(row, times.strategies))
    return block


def of_the_others(ratios: dict, equal: list[str], slower: list[str]) -> str:
    """How the times of those compare that are charged as little."""
    if not ratios:
        return f"; {listed(equal)}, charged as little: too few rounds to compare" if equal else ""
    text = ""
    for names, singular, plural in (
            (equal, "does not differ", "do not differ"), (slower, "is slower", "are slower")):
        if names:
            text += f"; {listed(names)}, charged as little, " \
                + (singular if len(names) == 1 else plural)
            text += " significantly in time" if names is equal else ""
    return text


def least_charge(times: Times, summary: pandas.DataFrame, size: int) -> list[Choice]:
    """Counts are exact: the least, and the fastest of those that have it."""
    touched = touched_bytes(size, SPARSELY_TOUCHED, times.page)
    block = least_charged(times, summary, size, touched)
    if not block:
        return []
    ratios = compare(times, [block])[0]
    name, *equal = [name for name in block if name in cheapest(block, ratios)] if ratios else block
    slower = [other for other in block if other != name and other not in equal]
    row = row_of(summary, block[name])
    why = f"{size_text(row.commit_bytes)} for {size_text(touched)} touched{at_step(block[name])}" \
        + of_the_others(ratios, [named(block[other]) for other in equal],
                        [named(block[other]) for other in slower])
    return [Choice("least_charge", SPARSELY_TOUCHED, block[name], equal if ratios else [], why,
                   figures_of(row))]


def worst_touches(times: Times, traced: pandas.DataFrame | None) -> Times | None:
    """What one touch in a thousand takes longer than, as if it were the time of its process's
    cycle. Of the size at which most strategies were traced; then most processes; then the largest.
    """
    if traced is None:
        return None
    ok = traced[(traced.status == "ok") & traced.strategy.isin(times.built_in)
                & (traced.touch_p999_ns > 0) & (traced.touched_bytes == traced.size_bytes)]
    if ok.empty:
        return None
    by_size = ok.groupby("size_bytes").strategy.agg(["nunique", "size"]).reset_index()
    size = by_size.sort_values(["nunique", "size", "size_bytes"]).size_bytes.iloc[-1]
    return Times(ok[ok.size_bytes == size].rename(columns={"touch_p999_ns": "cycle_ns"}),
                 times.strategies)


def bounded_worst_touch(times: Times, summary: pandas.DataFrame, traced: pandas.DataFrame | None
                        ) -> list[Choice]:
    """The strategy whose slow touches are the fastest, from process to process; of those that lie
    within WORST_CLOSE of it, the one that leaves the least charge unused."""
    worst = worst_touches(times, traced)
    if worst is None:
        return []
    size = next(iter(worst.logs)).size
    block = worst.block(size, size)
    ratios = compare(worst, [block])[0]
    if not ratios:
        return []
    median = {name: float(numpy.exp(numpy.median(worst.logs[cell])))
              for name, cell in block.items()}
    names = cheapest(block, ratios)
    least = min(median[name] for name in names)
    near = [name for name in names if median[name] <= (1 + WORST_CLOSE) * least]
    name = min(near, key=lambda name: (unused(summary, block[name]), median[name]))
    figures, interval = {"touch_p99_9_ns": median[name]}, ""
    _, low, high, coverage = median_interval(numpy.exp(worst.logs[block[name]]))
    if coverage >= CONFIDENCE:
        figures |= {"touch_p99_9_ns_low": float(low), "touch_p99_9_ns_high": float(high)}
        interval = f" ({time_text(low)} to {time_text(high)})"
    why = f"{time_text(median[name])} at {WORST_NAME} of {size_text(size)}{interval}" \
          f"{at_step(block[name])}"
    equal = [other for other in names if other != name]
    if equal:
        why += f"; {listed(equal)} {'does' if len(equal) == 1 else 'do'} not differ significantly"
    if others := [f"{other} {time_text(median[other])}" for other in block if other not in names]:
        why += f"; {listed(others)}"
    return [Choice("bounded_worst_touch", ALL_TOUCHED, block[name], equal, why,
                   {key: round(ns, 1) for key, ns in figures.items()})]


def outcomes(times: Times, summary: pandas.DataFrame, order: str) -> str:
    """What an order did not let through, in words."""
    rows = summary[summary.touch_order == order]
    clauses = []
    unsupported = list(rows[rows.unsupported > 0].strategy.unique())
    guarded = [name for name in unsupported if times.strategies[name].guarded]
    others = [name for name in unsupported if name not in guarded]
    if guarded:
        clauses.append(f"{listed(guarded)} can't: the order jumps past the guard page")
    if others:
        clauses.append(f"{listed(others)} can't run in that order")
    for _, row in rows[rows.refused > 0].iterrows():
        at = "" if pandas.isna(row.region_count) else f" at {count_text(row.region_count)} mappings"
        clauses.append(f"{row.strategy} of {size_text(row.size_bytes)} was refused{at}")
    return "".join(f"; {clause}" for clause in clauses)


def random_access(times: Times, summary: pandas.DataFrame, size: int) -> list[Choice]:
    choices = by_time(times, summary, times.block(size, size, "random"), "random_access",
                      ALL_TOUCHED)
    for choice in choices:
        choice.why += outcomes(times, summary, "random")
    return choices


def charged_by_steps(row, cell: Cell) -> bool:
    """Whether it is charged a step at most before use, and its step is not all of the region."""
    return row.reserved_commit_bytes <= cell.chunk < cell.size


def by_steps(times: Times, summary: pandas.DataFrame, answer: Answer, size: int, touch: str
             ) -> Block:
    """Of the candidates those that are charged as they are used."""
    return {name: cell for name, cell in candidates(times, answer, size, touch).items()
            if charged_by_steps(row_of(summary, cell), cell)}


def strict_overcommit(times: Times, summary: pandas.DataFrame, answer: Answer, size: int
                      ) -> list[Choice]:
    """Where all that is charged counts: the fastest strategy that is charged by steps, by the step
    from which it is close to upfront."""
    choices = by_time(times, summary, by_steps(times, summary, answer, size, SPARSELY_TOUCHED),
                      "strict_overcommit", SPARSELY_TOUCHED)
    for choice in choices:
        waste = choice.figures.get("waste_bytes")
        if waste is not None:
            choice.why += f"; {size_text(waste) if waste else 'none'} of its charge is unused"
    return choices


def growing_buffers(times: Times, summary: pandas.DataFrame, answer: Answer, size: int
                    ) -> list[Choice]:
    """What grows to an end that is not known beforehand, and is written to the end."""
    choices = by_time(times, summary, by_steps(times, summary, answer, size, ALL_TOUCHED),
                      "growing_buffers", ALL_TOUCHED)
    for choice in choices:
        choice.why += "; growing copies nothing within the range that was reserved"
    return choices


def many_stacks(times: Times, summary: pandas.DataFrame, answer: Answer, size: int,
                most_mappings: int | None) -> list[Choice]:
    """Who uses a stack makes no check before a write: only a guard page can ask for the next step.
    `most_mappings`: what the system allows a process."""
    block = {name: cell for name, cell in
             candidates(times, answer, size, SPARSELY_TOUCHED).items() if cell.strategy.guarded}
    choices = by_time(times, summary, block, "many_stacks", SPARSELY_TOUCHED)
    for choice in choices:
        regions = row_of(summary, choice.cell).region_count
        if most_mappings and regions > 0:
            choice.why += (f"; {count_text(regions)} mappings each, so that "
                           f"{count_text(most_mappings // regions)} fit into max_map_count")
    return choices


@dataclasses.dataclass(frozen=True)
class Decommit:
    """What giving touched memory back takes, `size` bytes by one call, and what stays charged."""

    size: int
    ns: float
    low: float
    high: float
    left_bytes: int


def decommit(calls: pandas.DataFrame | None, size: int = GIVEN_BACK) -> Decommit | None:
    """By `decommit`, which leaves the range reserved; None where the run did not time it."""
    if calls is None:
        return None
    rows = calls[(calls.call == "decommit") & (calls.state == "touched") & (calls.mappings == 0)
                 & (calls.size_bytes == size) & (calls.status == "ok")]
    middle, low, high, coverage = median_interval(rows.ns)
    if not coverage >= CONFIDENCE or rows.commit_bytes.isna().any():
        return None
    return Decommit(size, float(middle), float(low), float(high), int(rows.commit_bytes.max()))


def recommend(times: Times, summary: pandas.DataFrame, answer: Answer,
              traced: pandas.DataFrame | None, most_mappings: int | None = None) -> list[Choice]:
    """Choices for every need that this run can answer, among the built-in strategies."""
    size = answer.sweep_size
    worst = bounded_worst_touch(times, summary, traced)
    timed = {cell.strategy for cell in times.logs if not cell.strategy.brought}
    if size is None or len(timed) < 2:
        return worst
    return lowest_latency(times, summary, answer, size) + least_charge(times, summary, size) \
        + worst + random_access(times, summary, size) \
        + strict_overcommit(times, summary, answer, size) \
        + growing_buffers(times, summary, answer, size) \
        + many_stacks(times, summary, answer, size, most_mappings)


def ratio_json(ratio: Ratio) -> dict:
    return {"ratio": round(ratio.median, 4), "ratio_low": round(ratio.low, 4),
            "ratio_high": round(ratio.high, 4), "known": bool(ratio.known)}


def pages_json(pages: Estimate) -> dict:
    ends = {"step_pages_low": round(pages.low, 4), "step_pages_high": round(pages.high, 4)}
    return {"step_pages": round(pages.value, 4)} | (ends if pages.known else {})


def run_json(environment: dict, platform: str) -> dict:
    return {"started": environment["started"], "profile": environment["profile"],
            "platform": platform, "processor": environment["processor"]["model"],
            "kernel": environment["system"]["kernel"],
            "revision": environment["revision"]["commit"]}


def answer_json(answer: Answer) -> dict:
    """What was decided, by its keys in advice.json."""
    return {
        "bands": [{"touch": float(touch), "from_bytes": band.sizes[0], "to_bytes": band.sizes[-1],
                   "chunk_bytes": band.step, "cheapest": list(band.cheapest)}
                  for touch, bands in answer.bands.items() for band in bands],
        "crossings": [{"touch": float(touch), "cheaper_below": crossing.first,
                       "cheaper_above": crossing.second, "below_bytes": crossing.below,
                       "above_bytes": crossing.above, "chunk_bytes": crossing.step}
                      for touch, crossings in answer.crossings.items()
                      for crossing in crossings],
        "knees": [{"strategy": knee.strategy, "size_bytes": knee.size, "chunk_bytes": knee.step,
                   "chunk_bytes_low": knee.low, "chunk_bytes_high": knee.high,
                   **pages_json(knee.pages),
                   **ratio_json(knee.ratio),
                   "waste_bytes": answer.wastes.get(knee.strategy, {})} for knee in answer.knees],
        "beside": [{"strategy": band.strategy, "against": band.against, "from_bytes": band.sizes[0],
                    "to_bytes": band.sizes[-1], "sign": band.sign,
                    **({} if band.sign is None else {"ratio_least": round(band.least, 4),
                                                     "ratio_most": round(band.most, 4)})}
                   for bands in answer.beside.values() for band in bands],
    }


def sentences_json(sentences: list[Sentence]) -> list[dict]:
    return [{"text": sentence.text, "rows": [cell_json(cell) for cell in sentence.cells]}
            for sentence in sentences]


def matrix_json(answer: Answer) -> list[dict]:
    return [{"size_bytes": field.size, "touch": float(touch), "chunk_bytes": field.step,
             "compared": list(field.block), "cheapest": list(field.cheapest),
             "factors": {name: ratio_json(ratio) for name, ratio in field.factors.items()}}
            for touch, fields in answer.fields.items() for field in fields]


def decommit_json(given: Decommit | None) -> dict | None:
    if given is None:
        return None
    return {"size_bytes": given.size, "ns": given.ns, "ns_low": given.low, "ns_high": given.high,
            "left_bytes": given.left_bytes}


def as_json(environment: dict, platform: str, answer: Answer, headline: list[Sentence],
            sentences: list[Sentence], choices: list[Choice], given: Decommit | None,
            model: dict, claims: list[Claim]) -> dict:
    """What advice.json holds."""
    return {
        "schema": SCHEMA,
        "run": run_json(environment, platform),
        "headline": sentences_json(headline),
        "matrix": matrix_json(answer),
        "answer": sentences_json(sentences),
        "decommit": decommit_json(given),
        **answer_json(answer),
        "advice": [{"need": choice.need, "touch": float(choice.touch), **cell_json(choice.cell),
                    "equal": choice.equal, "why": choice.why, **choice.figures}
                   for choice in choices],
        "model": model,
        "claims": [dataclasses.asdict(claim) for claim in claims],
    }
