"""A cost model of a run: ns of a cycle = a + b pages + c commit calls + d handled faults.

Fitted for each strategy to the medians of its configurations, by least squares of relative errors,
since noise grows with the time. What a strategy always does together has one price: one that
commits and handles a fault for each page has a b that holds all three.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy
import pandas

from vmcommit.base.cells import touched_bytes
from vmcommit.base.conventions import CONFIDENCE, ORDERS
from vmcommit.base.statistics import student
from vmcommit.base.strategies import Strategy

TERMS = ("cycle", "pages", "commit_calls", "handled_faults")
MOST = 1e60  # no number of a model is larger; keeps what follows from them finite


def counts(strategy: Strategy, size: int, touched: int, step: int, page: int,
           guard: str | None = None) -> dict[str, int]:
    """What a cycle does: {term: how often}, by the nature of a Strategy; sizes in bytes. The table
    that tests/cli/counts.py holds the harnesses against, as formulas. A guard page is committed
    itself, unless it is `prot_none`."""
    pages = touched // page
    commits = math.ceil(touched / strategy.step_bytes(size, page, step))
    calls = commits
    if strategy.guarded and guard != "prot_none":
        calls = 1 + min(commits, math.ceil((size - page) / step))
    return dict(zip(TERMS, (1, pages, calls, commits if strategy.handles_faults else 0)))


def charge(strategy: Strategy, size: int, touched: int, step: int, page: int,
           guard: str | None = None) -> int:
    """Bytes charged once `touched` of `size` bytes were written to in order, by the nature of a
    Strategy; a guard page is charged itself, unless it is `prot_none`."""
    by = strategy.step_bytes(size, page, step)
    committed = math.ceil(touched / by) * by
    guarded = page if strategy.guarded and guard != "prot_none" else 0
    return min(size, committed + guarded)


def follows_formulas(strategy: Strategy, rows: pandas.DataFrame) -> bool:
    """Whether counts() says what the rows counted."""
    return all((row.commit_calls, row.handled_faults) == tuple(counts(
        strategy, row.size_bytes, row.touched_bytes, row.chunk_bytes, row.page_bytes,
        row.guard).values())[2:] for row in rows.itertuples())


def separable(columns: dict[str, numpy.ndarray]) -> tuple[list[str], dict[str, list[str]]]:
    """(names of terms that are independent, {tied term: the terms that it follows from})"""
    kept: list[str] = []
    tied: dict[str, list[str]] = {}
    for name, column in columns.items():
        if kept:
            basis = numpy.column_stack([columns[term] for term in kept])
            factors, *_ = numpy.linalg.lstsq(basis, column, rcond=None)
            if numpy.allclose(basis @ factors, column, rtol=1e-3, atol=1e-9):
                tied[name] = [term for term, factor in zip(kept, factors) if abs(factor) > 1e-6]
                continue
        kept.append(name)
    return kept, tied


def measured(summary: pandas.DataFrame, strategy: str) -> pandas.DataFrame:
    """The rows that a model rests on: in sequence, and not just refused."""
    return summary[(summary.strategy == strategy) & (summary.touch_order == ORDERS[0])
                   & (summary.samples > 0)]


def columns_of(rows: pandas.DataFrame) -> dict[str, numpy.ndarray]:
    """{term: how often each row does it}, without terms that no row does."""
    columns = dict(zip(TERMS, (numpy.ones(len(rows)), rows.touched_bytes / rows.page_bytes,
                               rows.commit_calls, rows.handled_faults)))
    return {name: numpy.asarray(column, float) for name, column in columns.items() if column.any()}


def least_squares(columns: list[numpy.ndarray], times: numpy.ndarray
                  ) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """(prices, their covariance, residuals) of relative errors. There are more times than columns,
    and the columns are independent."""
    relative = numpy.column_stack(columns) / times[:, None]
    scale = numpy.linalg.norm(relative, axis=0)  # pages and cycles are of very different size
    scaled = relative / scale
    prices, *_ = numpy.linalg.lstsq(scaled, numpy.ones(len(times)), rcond=None)
    residuals = 1 - scaled @ prices
    variance = residuals @ residuals / (len(times) - len(columns))
    covariance = numpy.linalg.inv(scaled.T @ scaled) * variance
    return prices / scale, covariance / numpy.outer(scale, scale), residuals


def residuals_json(rows: pandas.DataFrame, residuals: numpy.ndarray, freedom: int) -> dict:
    worst = int(numpy.abs(residuals).argmax())
    return {"configurations": len(rows),
            "student": student(CONFIDENCE, freedom),
            "standard": float(math.sqrt(residuals @ residuals / freedom)),
            "median": float(numpy.median(numpy.abs(residuals))),
            "worst": float(residuals[worst]),
            "worst_size_bytes": int(rows.size_bytes.iloc[worst]),
            "worst_touched_bytes": int(rows.touched_bytes.iloc[worst]),
            "worst_chunk_bytes": int(rows.chunk_bytes.iloc[worst])}


def ranges_of(rows: pandas.DataFrame, stepped: bool) -> dict:
    ranges: dict[str, list[int] | None]
    ranges = {name: [int(rows[name].min()), int(rows[name].max())]
              for name in ("size_bytes", "touched_bytes", "chunk_bytes")}
    return ranges if stepped else {**ranges, "chunk_bytes": None}


def times_of(rows: pandas.DataFrame) -> numpy.ndarray:
    """ns of a cycle."""
    return (rows.ns_per_page * rows.touched_bytes / rows.page_bytes).to_numpy(float)


def fit_strategy(strategy: Strategy, rows: pandas.DataFrame) -> dict | None:
    """The model of one strategy as advice.json keeps it; None if there is too little to fit, or if
    its counts follow from no formula, so that none could be predicted."""
    if not follows_formulas(strategy, rows):
        return None
    columns = columns_of(rows)
    kept, tied = separable(columns)
    freedom = len(rows) - len(kept)
    if freedom < 2:
        return None
    prices, covariance, residuals = least_squares([columns[name] for name in kept],
                                                  times_of(rows))
    errors = residuals_json(rows, residuals, freedom)
    reaches = errors["student"] * numpy.sqrt(numpy.diag(covariance))
    return {
        "ns": {name: {"value": price, "low": price - reach, "high": price + reach}
               for name, price, reach in zip(kept, prices.tolist(), reaches.tolist())},
        "tied": tied,
        "guard": rows.guard.iloc[0] or None,
        "covariance": covariance.tolist(),
        "residuals": errors,
        "measured": ranges_of(rows, strategy.stepped),
    }


def fit(summary: pandas.DataFrame, strategies: Iterable[Strategy]) -> dict:
    """{"page_bytes", "strategies": {name: model}} of the built-in `strategies`."""
    fitted = {strategy.name: fit_strategy(strategy, rows) for strategy in strategies
              if len(rows := measured(summary, strategy.name))}
    return {"page_bytes": int(summary.page_bytes.max()) if len(summary) else None,
            "strategies": {name: model for name, model in fitted.items() if model}}


def need(condition, place: str) -> None:
    if not condition:
        raise ValueError(f"{place} is missing or no model's")


def are_numbers(values: Iterable) -> bool:
    return all(type(value) in (int, float) and abs(value) <= MOST for value in values)


def check_strategy(fitted, place: str) -> None:
    """Raises ValueError where it is no model of a strategy."""
    need(isinstance(fitted, dict) and isinstance(fitted.get("ns"), dict) and fitted["ns"], place)
    need(all(term in TERMS and isinstance(price, dict) and are_numbers(
        price.get(name) for name in ("value", "low", "high"))
        for term, price in fitted["ns"].items()), f"{place}.ns")
    need(fitted.get("guard") is None or isinstance(fitted["guard"], str), f"{place}.guard")
    residuals = fitted.get("residuals")
    need(isinstance(residuals, dict) and are_numbers(
        residuals.get(name) for name in ("student", "standard")), f"{place}.residuals")
    covariance = numpy.array(fitted.get("covariance"))
    need(covariance.shape == (len(fitted["ns"]),) * 2 and covariance.dtype.kind in "if"
         and (numpy.abs(covariance) <= MOST).all(), f"{place}.covariance")
    ranges = fitted.get("measured")
    need(isinstance(ranges, dict) and all(
        isinstance(ends := ranges.get(f"{name}_bytes"), list) and len(ends) == 2
        and are_numbers(ends) or name == "chunk" and ends is None
        for name in ("size", "touched", "chunk")), f"{place}.measured")


def checked(advice) -> dict:
    """The model that an advice.json holds. Raises ValueError where it is none."""
    model: Any = advice.get("model") if isinstance(advice, dict) else None
    need(isinstance(model, dict) and isinstance(model.get("strategies"), dict), "model")
    page = model.get("page_bytes")
    need(not model["strategies"] or are_numbers([page]) and page >= 1 and page % 1 == 0,
         "model.page_bytes")
    for name, fitted in model["strategies"].items():
        check_strategy(fitted, f"model.strategies.{name}")
    return model


def outside(ranges: dict, asked: dict[str, int | None]) -> list[str]:
    """Which of these lie outside of what was measured; None asks for nothing."""
    def beyond(value, ends):
        return ends is None or not ends[0] <= value <= ends[1]

    return [name for name, value in asked.items()
            if value is not None and beyond(value, ranges[f"{name}_bytes"])]


def cost(fitted: dict, does: dict[str, int]) -> tuple[float, float, float]:
    """(ns, low, high) of doing that, by the model of a strategy."""
    vector = numpy.array([does[name] for name in fitted["ns"]], float)
    ns = float(vector @ [price["value"] for price in fitted["ns"].values()])
    residuals = fitted["residuals"]
    variance = float(vector @ numpy.array(fitted["covariance"]) @ vector)
    reach = residuals["student"] * math.sqrt(max(variance, 0) + (residuals["standard"] * ns) ** 2)
    return ns, max(ns - reach, 0), ns + reach


def predict(model: dict, strategy: Strategy, size: int, touch, step: int
            ) -> tuple[float, float, float, dict[str, int], list[str]]:
    """(ns, low, high, counts, [what lies outside of what was measured])"""
    fitted = model["strategies"][strategy.name]
    touched = touched_bytes(size, touch, model["page_bytes"])
    does = counts(strategy, size, touched, step, model["page_bytes"], fitted.get("guard"))
    return *cost(fitted, does), does, outside(
        fitted["measured"],
        {"size": size, "touched": touched, "chunk": step if strategy.stepped else None})
