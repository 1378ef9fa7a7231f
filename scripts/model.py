"""A cost model of a run: ns of a cycle = a + b pages + c commit calls + d handled faults.

Fitted for each strategy to the medians of its configurations, by least squares of relative errors,
since noise grows with the time. What a strategy ties together can't be told apart: fault commits
and handles a fault for each page, so that its b is the price of all three.
"""

import math

import numpy
from scipy import stats

from answer import touched_bytes
from campaign import STEPPED, STRATEGIES

TERMS = ("cycle", "pages", "commit_calls", "handled_faults")
CONFIDENCE = 0.95


def counts(strategy, size, touch, step, page, guard=None):
    """What a cycle does: {term: how often}. The table that tests/counts.py holds the harnesses
    against, as formulas. A guard page is committed itself, unless it is `prot_none`."""
    pages = touched_bytes(size, touch, page) // page
    steps = math.ceil(pages * page / step) if strategy in STEPPED else 0
    grown = steps if guard == "prot_none" else 1 + min(steps, math.ceil((size - page) / step))
    calls = {"upfront": 1, "fault": pages, "chunked": steps, "guard": grown}[strategy]
    handled = {"fault": pages, "guard": steps}.get(strategy, 0)
    return dict(zip(TERMS, (1, pages, calls, handled)))


def separable(columns):
    """(names of terms that can be told apart, {tied term: the terms that it follows from})"""
    kept, tied = [], {}
    for name, column in columns.items():
        if kept:
            basis = numpy.column_stack([columns[one] for one in kept])
            found, *_ = numpy.linalg.lstsq(basis, column, rcond=None)
            if numpy.allclose(basis @ found, column, rtol=1e-3, atol=1e-9):
                tied[name] = [one for one, factor in zip(kept, found) if abs(factor) > 1e-6]
                continue
        kept.append(name)
    return kept, tied


def measured(summary, strategy):
    """The rows that a model rests on: in sequence, and not just refused."""
    return summary[(summary.strategy == strategy) & (summary.touch_order == "sequential")
                   & (summary.samples > 0)]


def fit_strategy(rows):
    """The model of one strategy as advice.json keeps it; None if there is too little to fit."""
    pages = rows.touched_bytes / rows.page_bytes
    columns = dict(zip(TERMS, (numpy.ones(len(rows)), pages.to_numpy(float),
                               rows.commit_calls.to_numpy(float),
                               rows.handled_faults.to_numpy(float))))
    columns = {name: column for name, column in columns.items() if column.any()}
    kept, tied = separable(columns)
    times = rows.total_ns.to_numpy(float)
    freedom = len(rows) - len(kept)
    if freedom < 2:
        return None
    relative = numpy.column_stack([columns[name] for name in kept]) / times[:, None]
    scale = numpy.linalg.norm(relative, axis=0)  # pages and cycles are of very different size
    values, *_ = numpy.linalg.lstsq(relative / scale, numpy.ones(len(rows)), rcond=None)
    residuals = 1 - relative / scale @ values
    variance = residuals @ residuals / freedom
    spread = numpy.linalg.inv((relative / scale).T @ (relative / scale)) * variance
    student = stats.t.ppf((1 + CONFIDENCE) / 2, freedom)
    half = student * numpy.sqrt(numpy.diag(spread)) / scale
    values = values / scale
    worst = int(numpy.abs(residuals).argmax())
    stepped = rows.strategy.iloc[0] in STEPPED
    return {
        "ns": {name: {"value": value, "low": value - reach, "high": value + reach}
               for name, value, reach in zip(kept, values.tolist(), half.tolist())},
        "tied": tied,
        "guard": rows.guard.iloc[0] or None,
        "covariance": (spread / numpy.outer(scale, scale)).tolist(),
        "residuals": {
            "configurations": len(rows), "student": float(student),
            "standard": float(math.sqrt(variance)),
            "median": float(numpy.median(numpy.abs(residuals))),
            "worst": float(residuals[worst]),
            "worst_size_bytes": int(rows.size_bytes.iloc[worst]),
            "worst_touched_bytes": int(rows.touched_bytes.iloc[worst]),
            "worst_chunk_bytes": int(rows.chunk_bytes.iloc[worst])},
        "measured": {
            "size_bytes": [int(rows.size_bytes.min()), int(rows.size_bytes.max())],
            "touched_bytes": [int(rows.touched_bytes.min()), int(rows.touched_bytes.max())],
            "chunk_bytes": [int(rows.chunk_bytes.min()), int(rows.chunk_bytes.max())]
            if stepped else None},
    }


def fit(summary):
    """{"page_bytes", "strategies": {strategy: model}}"""
    fitted = {strategy: fit_strategy(measured(summary, strategy)) for strategy in STRATEGIES
              if len(measured(summary, strategy))}
    return {"page_bytes": int(summary.page_bytes.max()) if len(summary) else None,
            "strategies": {name: one for name, one in fitted.items() if one}}


def predict(model, strategy, size, touch, step):
    """(ns, low, high, counts, [what lies outside of what was measured])"""
    fitted = model["strategies"][strategy]
    page = model["page_bytes"]
    does = counts(strategy, size, touch, step, page, fitted["guard"])
    kept = list(fitted["ns"])
    vector = numpy.array([does[name] for name in kept], float)
    ns = float(vector @ [fitted["ns"][name]["value"] for name in kept])
    residuals = fitted["residuals"]
    deviation = math.sqrt(vector @ numpy.array(fitted["covariance"]) @ vector
                          + (residuals["standard"] * ns) ** 2)
    reach = residuals["student"] * deviation
    ranges = fitted["measured"]
    outside = [name for name, value in (("size", size),
                                        ("touched", touched_bytes(size, touch, page)),
                                        ("chunk", step if strategy in STEPPED else None))
               if value is not None and not ranges[f"{name}_bytes"][0] <= value
               <= ranges[f"{name}_bytes"][1]]
    return ns, max(ns - reach, 0), ns + reach, does, outside
