"""A cost model of a run: ns of a cycle = a + b pages + c commit calls + d handled faults + e pages
beyond what caches hold.

Fitted for each strategy to the medians of its configurations, by least squares of relative errors,
since noise grows with the time. Those that touch as much have an error in common. What a strategy
always does together has one price: one that commits and handles a fault for each page has a b that
holds all three.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy
import pandas
from scipy import special

from vmcommit.analyse.contention import Price
from vmcommit.base.cells import touched_bytes
from vmcommit.base.conventions import CONFIDENCE, ORDERS
from vmcommit.base.statistics import student
from vmcommit.base.strategies import Strategy

TERMS = ("cycle", "pages", "commit_calls", "handled_faults")
UNCACHED = "uncached_pages"
CACHES_CONFIDENCE = 0.9  # with which a second price of a page explains what one leaves
LEAST_ERROR = 1e-3  # that any fit leaves
Caches = tuple[int, int]  # pages touched up to which caches hold all, and from which on they don't
MOST = 1e60  # no number of a model is larger; keeps what follows from them finite
TINY = 1e-16  # of a variance, which is to have an inverse


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


def measured(summary: pandas.DataFrame) -> pandas.DataFrame:
    """The rows that a model rests on: in sequence, and not just refused."""
    return summary[(summary.touch_order == ORDERS[0]) & (summary.samples > 0)]


def uncached(caches: Caches | None, pages):
    """Which share of so many touched pages costs what a page does that no cache holds; in between,
    as the logarithm of their number goes."""
    return numpy.interp(numpy.log(pages), numpy.log(caches), (0, 1)) if caches else 0.0 * pages


def columns_of(rows: pandas.DataFrame, caches: Caches | None = None) -> dict[str, numpy.ndarray]:
    """{term: how often each row does it}, without terms that no row does."""
    pages = rows.touched_bytes / rows.page_bytes
    columns = dict(zip((*TERMS, UNCACHED), (
        numpy.ones(len(rows)), pages, rows.commit_calls, rows.handled_faults,
        pages * uncached(caches, pages)), strict=True))
    return {name: numpy.asarray(column, float) for name, column in columns.items() if column.any()}


def weights_of(touched: numpy.ndarray) -> numpy.ndarray:
    """With which all rows that touch as much count as one."""
    _, size, rows = numpy.unique(touched, return_inverse=True, return_counts=True)
    return 1 / numpy.sqrt(rows[size])


def freedom_of(columns: list[numpy.ndarray], touched: numpy.ndarray) -> int:
    """How many more sizes touched there are than prices that only sizes tell. Prices of what rows
    that touch as much do not do as often are told by these."""
    told_by_sizes = sum((pandas.Series(column).groupby(touched).nunique() == 1).all()
                        for column in columns)
    return min(len(touched) - len(columns), len(numpy.unique(touched)) - told_by_sizes)


def spreads(residuals: numpy.ndarray, touched: numpy.ndarray, freedom: int) -> tuple[float, float]:
    """Variances: of the error that rows have in common which touch as much, and of their own."""
    rows = pandas.Series(residuals).groupby(touched)
    means, counts = rows.mean(), rows.count()
    own = float(((residuals - rows.transform("mean")) ** 2).sum()
                / max(len(residuals) - len(means), 1))
    common = float((means ** 2).sum() / freedom - own * (1 / counts).mean())
    return max(common, 0.0), max(own, 1e-6 * common, TINY)


def least_squares(columns: list[numpy.ndarray], times: numpy.ndarray, touched: numpy.ndarray
                  ) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, float]:
    """(prices, their covariance, residuals, standard error of a single time) of relative errors.
    There are more sizes touched than columns, and the columns are independent."""
    relative = numpy.column_stack(columns) / times[:, None]
    scale = numpy.linalg.norm(relative, axis=0)  # pages and cycles are of very different size
    scaled = relative / scale
    weights = weights_of(touched)
    first, *_ = numpy.linalg.lstsq(scaled * weights[:, None], weights, rcond=None)
    common, own = spreads(1 - scaled @ first, touched, freedom_of(columns, touched))
    errors = common * (touched[:, None] == touched) + own * numpy.eye(len(times))
    inverse = numpy.linalg.inv(errors)
    covariance = numpy.linalg.inv(scaled.T @ inverse @ scaled)
    prices = covariance @ scaled.T @ inverse @ numpy.ones(len(times))
    return (prices / scale, covariance / numpy.outer(scale, scale), 1 - scaled @ prices,
            math.sqrt(common + own))


def explained(rows: pandas.DataFrame, pairs: list[Caches]) -> tuple[float, numpy.ndarray]:
    """(squares of relative errors, what each of `pairs` would take off), of a size."""
    touched, times = rows.touched_bytes.to_numpy(float), times_of(rows)
    weights = weights_of(touched)
    columns = numpy.column_stack(list(columns_of(rows).values())) * (weights / times)[:, None]
    basis, sizes, _ = numpy.linalg.svd(columns / numpy.linalg.norm(columns, axis=0),
                                       full_matrices=False)
    basis = basis[:, sizes > 1e-6]
    pages = touched / rows.page_bytes.to_numpy(float)
    further = numpy.column_stack([pages * uncached(pair, pages) for pair in pairs]) \
        * (weights / times)[:, None]
    whole = (further ** 2).sum(axis=0)
    left, further = (each - basis @ (basis.T @ each) for each in (weights, further))
    new = (further ** 2).sum(axis=0)
    gain = numpy.divide((left @ further) ** 2, new, out=numpy.zeros(len(pairs)),
                        where=new > 1e-9 * whole)
    count = len(numpy.unique(touched))
    return float(left @ left) / count, gain / count


def caches_of(tables: list[pandas.DataFrame]) -> Caches | None:
    """Between which two of the sizes touched the price of a page changes; None where one price
    does as well. All strategies count alike: they touch the same memory."""
    sizes = sorted({int(pages) for rows in tables
                    for pages in rows.touched_bytes // rows.page_bytes})
    freedom = len(sizes) - 5  # a cycle, two prices of a page, and where each of them ends
    if freedom < 1:
        return None
    pairs = list(itertools.combinations(sizes, 2))
    errors, gains = zip(*(explained(rows, pairs) for rows in tables))
    one, gain = sum(errors), numpy.sum(gains, axis=0)
    best = int(gain.argmax())
    left = max(one - gain[best], len(tables) * LEAST_ERROR ** 2)
    better = gain[best] / 3 / (left / freedom)
    return pairs[best] if special.fdtr(3, freedom, better) > CACHES_CONFIDENCE else None


def residuals_json(rows: pandas.DataFrame, residuals: numpy.ndarray, standard: float, freedom: int
                   ) -> dict:
    worst = int(numpy.abs(residuals).argmax())
    return {"configurations": len(rows),
            "student": student(CONFIDENCE, freedom),
            "standard": standard,
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


def fit_strategy(strategy: Strategy, rows: pandas.DataFrame, caches: Caches | None = None
                 ) -> dict | None:
    """The model of one strategy as advice.json keeps it; None if there is too little to fit, or if
    its counts follow from no formula, so that none could be predicted."""
    if not follows_formulas(strategy, rows):
        return None
    columns = columns_of(rows, caches)
    kept, tied = separable(columns)
    used, touched = [columns[name] for name in kept], rows.touched_bytes.to_numpy(float)
    freedom = freedom_of(used, touched)
    if freedom < 2:
        return None
    prices, covariance, residuals, standard = least_squares(used, times_of(rows), touched)
    errors = residuals_json(rows, residuals, standard, freedom)
    reaches = errors["student"] * numpy.sqrt(numpy.diag(covariance))
    return {
        "ns": {name: {"value": price, "low": price - reach, "high": price + reach}
               for name, price, reach in zip(kept, prices.tolist(), reaches.tolist())},
        "tied": tied,
        "caches": list(caches) if caches and UNCACHED in kept else None,
        "guard": rows.guard.iloc[0] or None,
        "covariance": covariance.tolist(),
        "residuals": errors,
        "measured": ranges_of(rows, strategy.stepped),
        "threads": {},
    }


def add_threads(fitted: dict, prices: Iterable[Price]) -> None:
    """What a page and a commit call cost more by several threads of one address space."""
    for price in prices:
        kept = fitted["strategies"].get(price.strategy.name)
        if kept and price.page.known and price.more.known:
            more = {"pages": price.page} if price.per == "pages" else {
                "pages": price.page, "commit_calls": price.more}
            kept["threads"].setdefault(str(price.threads), []).append({
                "pages": price.pages, "ns": {
                    term: dataclasses.asdict(estimate) for term, estimate in more.items()}})


def threads_like(fitted: dict, threads: int, pages: int) -> dict:
    """What is known of so many threads that touch about as many pages each."""
    return min(fitted["threads"][str(threads)],
               key=lambda each: abs(math.log(each["pages"] / pages)))


def fit(summary: pandas.DataFrame, strategies: Iterable[Strategy]) -> dict:
    """{"page_bytes", "strategies": {name: model}} of the built-in `strategies`."""
    known = measured(summary)
    tables = {strategy: rows for strategy in strategies
              if len(rows := known[known.strategy == strategy.name])}
    caches = caches_of(list(tables.values()))
    fitted = {strategy.name: fit_strategy(strategy, rows, caches)
              for strategy, rows in tables.items()}
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
    need(all(term in (*TERMS, UNCACHED) and isinstance(price, dict) and are_numbers(
        price.get(name) for name in ("value", "low", "high"))
        for term, price in fitted["ns"].items()), f"{place}.ns")
    caches = fitted.get("caches")
    need(caches is None and UNCACHED not in fitted["ns"] or isinstance(caches, list)
         and len(caches) == 2 and are_numbers(caches) and 1 <= caches[0] < caches[1],
         f"{place}.caches")
    need(fitted.get("guard") is None or isinstance(fitted["guard"], str), f"{place}.guard")
    residuals = fitted.get("residuals")
    need(isinstance(residuals, dict) and are_numbers(
        residuals.get(name) for name in ("student", "standard")), f"{place}.residuals")
    covariance = numpy.array(fitted.get("covariance"))
    need(covariance.shape == (len(fitted["ns"]),) * 2 and covariance.dtype.kind in "if"
         and (numpy.abs(covariance) <= MOST).all(), f"{place}.covariance")
    check_threads(fitted.get("threads", {}), f"{place}.threads")
    ranges = fitted.get("measured")
    need(isinstance(ranges, dict) and all(
        isinstance(ends := ranges.get(f"{name}_bytes"), list) and len(ends) == 2
        and are_numbers(ends) or name == "chunk" and ends is None
        for name in ("size", "touched", "chunk")), f"{place}.measured")


def check_threads(threads, place: str) -> None:
    need(isinstance(threads, dict) and all(
        number.isdecimal() and isinstance(known, list) and known and all(
            isinstance(each, dict) and are_numbers([each.get("pages")]) and each["pages"] >= 1
            and isinstance(each.get("ns"), dict) and all(
                term in TERMS and isinstance(price, dict) and are_numbers(
                    price.get(name) for name in ("value", "low", "high"))
                for term, price in each["ns"].items()) for each in known)
        for number, known in threads.items()), place)


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


def cost(fitted: dict, does: dict[str, int], threads: int = 1) -> tuple[float, float, float]:
    """(ns, low, high) of doing that, by the model of a strategy, by each of so many threads.
    Where caches hold a part, they may as well hold all of it, or none."""
    ns, low, high = cost_of_one(fitted, does)
    if threads == 1:
        return ns, low, high
    prices = threads_like(fitted, threads, does["pages"])["ns"]
    more = sum(does[term] * price["value"] for term, price in prices.items())
    below, above = (math.hypot(*(does[term] * (price[end] - price["value"])
                                 for term, price in prices.items())) for end in ("low", "high"))
    return ns + more, max(ns + more - math.hypot(ns - low, below), 0), \
        ns + more + math.hypot(high - ns, above)


def cost_of_one(fitted: dict, does: dict[str, int]) -> tuple[float, float, float]:
    share = float(uncached(fitted.get("caches"), does["pages"]))
    ns, *ends = cost_with(fitted, does, share)
    if 0 < share < 1:
        ends += [end for each in (0, 1) for end in cost_with(fitted, does, each)[1:]]
    return ns, max(min(ends), 0), max(ends)


def cost_with(fitted: dict, does: dict[str, int], share: float) -> tuple[float, float, float]:
    """The same where that share of the pages is in no cache."""
    often = {**does, UNCACHED: share * does["pages"]}
    vector = numpy.array([often[name] for name in fitted["ns"]], float)
    ns = float(vector @ [price["value"] for price in fitted["ns"].values()])
    residuals = fitted["residuals"]
    variance = float(vector @ numpy.array(fitted["covariance"]) @ vector)
    reach = residuals["student"] * math.sqrt(max(variance, 0) + (residuals["standard"] * ns) ** 2)
    return ns, ns - reach, ns + reach


def predict(model: dict, strategy: Strategy, size: int, touch, step: int, threads: int = 1
            ) -> tuple[float, float, float, dict[str, int], list[str]]:
    """(ns, low, high, counts, [what lies outside of what was measured]) of each of so many threads,
    which have a region of `size` each."""
    fitted = model["strategies"][strategy.name]
    touched = touched_bytes(size, touch, model["page_bytes"])
    does = counts(strategy, size, touched, step, model["page_bytes"], fitted.get("guard"))
    return *cost(fitted, does, threads), does, outside(
        fitted["measured"],
        {"size": size, "touched": touched, "chunk": step if strategy.stepped else None})
