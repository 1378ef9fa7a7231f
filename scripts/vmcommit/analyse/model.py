"""A cost model of a run: ns of a cycle = a + b pages + c commit calls + d handled faults.

Fitted for each strategy to the medians of its configurations, by least squares of relative errors,
since noise grows with the time. What a strategy ties together can't be told apart: fault commits
and handles a fault for each page, so that its b is the price of all three.
"""

import math

import numpy
from scipy import stats

from vmcommit.base.cells import touched_bytes
from vmcommit.base.conventions import CONFIDENCE, ORDERS

TERMS = ("cycle", "pages", "commit_calls", "handled_faults")


def counts(strategy, size, touched, step, page, guard=None):
    """What a cycle does: {term: how often}, by the nature of a Strategy; sizes in bytes. The table
    that tests/cli/counts.py holds the harnesses against, as formulas. A guard page is committed
    itself, unless it is `prot_none`."""
    pages = touched // page
    commits = math.ceil(touched / strategy.step_bytes(size, page, step))
    calls = commits
    if strategy.guarded and guard != "prot_none":
        calls = 1 + min(commits, math.ceil((size - page) / step))
    return dict(zip(TERMS, (1, pages, calls, commits if strategy.handles_faults else 0)))


def follows_formulas(strategy, rows):
    """Whether counts() says what the rows counted."""
    return all((row.commit_calls, row.handled_faults) == tuple(counts(
        strategy, row.size_bytes, row.touched_bytes, row.chunk_bytes, row.page_bytes,
        row.guard).values())[2:] for row in rows.itertuples())


def separable(columns):
    """(names of terms that can be told apart, {tied term: the terms that it follows from})"""
    kept, tied = [], {}
    for name, column in columns.items():
        if kept:
            basis = numpy.column_stack([columns[term] for term in kept])
            factors, *_ = numpy.linalg.lstsq(basis, column, rcond=None)
            if numpy.allclose(basis @ factors, column, rtol=1e-3, atol=1e-9):
                tied[name] = [term for term, factor in zip(kept, factors) if abs(factor) > 1e-6]
                continue
        kept.append(name)
    return kept, tied


def measured(summary, strategy):
    """The rows that a model rests on: in sequence, and not just refused."""
    return summary[(summary.strategy == strategy) & (summary.touch_order == ORDERS[0])
                   & (summary.samples > 0)]


def fit_strategy(strategy, rows):
    """The model of one strategy as advice.json keeps it; None if there is too little to fit, or if
    its counts follow from no formula, so that none could be predicted."""
    if not follows_formulas(strategy, rows):
        return None
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
            if strategy.stepped else None},
    }


def fit(summary, strategies):
    """{"page_bytes", "strategies": {name: model}} of the built-in `strategies`."""
    fitted = {strategy.name: fit_strategy(strategy, rows) for strategy in strategies
              if len(rows := measured(summary, strategy.name))}
    return {"page_bytes": int(summary.page_bytes.max()) if len(summary) else None,
            "strategies": {name: model for name, model in fitted.items() if model}}


def checked(advice):
    """The model that an advice.json holds. Raises ValueError where it is none."""
    def need(condition, place):
        if not condition:
            raise ValueError(f"{place} is missing or no model's")

    def numbers(value, names):
        return isinstance(value, dict) and all(
            type(value.get(name)) in (int, float) and math.isfinite(value[name]) for name in names)

    model = advice.get("model") if isinstance(advice, dict) else None
    need(isinstance(model, dict) and isinstance(model.get("strategies"), dict), "model")
    need(not model["strategies"] or numbers(model, ["page_bytes"]) and model["page_bytes"] > 0,
         "model.page_bytes")
    for name, fitted in model["strategies"].items():
        place = f"model.strategies.{name}"
        need(isinstance(fitted, dict) and isinstance(fitted.get("ns"), dict), place)
        terms = fitted["ns"]
        need(terms and all(term in TERMS and numbers(value, ["value", "low", "high"])
                           for term, value in terms.items()), f"{place}.ns")
        need(numbers(fitted.get("residuals"), ["student", "standard"]), f"{place}.residuals")
        covariance = numpy.array(fitted.get("covariance"))
        need(covariance.shape == (len(terms),) * 2 and covariance.dtype.kind in "if",
             f"{place}.covariance")
        ranges = fitted.get("measured")
        need(isinstance(ranges, dict) and all(
            ranges.get(key) is None and key == "chunk_bytes" or numbers(
                dict(enumerate(ranges.get(key) or ())), (0, 1))
            for key in ("size_bytes", "touched_bytes", "chunk_bytes")), f"{place}.measured")
    return model


def predict(model, strategy, size, touch, step):
    """(ns, low, high, counts, [what lies outside of what was measured])"""
    fitted = model["strategies"][strategy.name]
    page = model["page_bytes"]
    touched = touched_bytes(size, touch, page)
    does = counts(strategy, size, touched, step, page, fitted["guard"])
    kept = list(fitted["ns"])
    vector = numpy.array([does[name] for name in kept], float)
    ns = float(vector @ [fitted["ns"][name]["value"] for name in kept])
    residuals = fitted["residuals"]
    deviation = math.sqrt(vector @ numpy.array(fitted["covariance"]) @ vector
                          + (residuals["standard"] * ns) ** 2)
    reach = residuals["student"] * deviation
    ranges = fitted["measured"]
    outside = [name for name, value in (("size", size), ("touched", touched),
                                        ("chunk", step if strategy.stepped else None))
               if value is not None and not ranges[f"{name}_bytes"][0] <= value
               <= ranges[f"{name}_bytes"][1]]
    return ns, max(ns - reach, 0), ns + reach, does, outside
