"""What each chart shows in this run, in a sentence or two: the text for who can't see it."""

import math

from vmcommit.base.columns import PHASES
from vmcommit.base.conventions import DEFAULT_STEP, TOUCH_NAMES, SPARSELY_TOUCHED, WORST_TOUCH
from vmcommit.base.strategies import names_in
from vmcommit.base.units import count_text, size_text, time_text
from vmcommit.show.charts import parts


def by_strategy(rows, text):
    """upfront 1.8 µs, fault 6 µs, ..."""
    return ", ".join(f"{row.strategy} {text(row)}" for _, row in rows.iterrows())


def at_size(rows, size):
    return rows[rows.size_bytes == size]


def latency(analysis, full, sparse):
    sizes = (full.size_bytes.min(), full.size_bytes.max())
    return " ".join(f"At {size_text(size)} a page takes: " + by_strategy(
        at_size(full, size), lambda row: time_text(row.ns_per_page)) + "." for size in sizes)


def ratio(analysis, full, sparse):
    rows = full.dropna(subset=["ratio_to_upfront"])
    told = []
    for strategy in names_in(rows)[1:]:
        found = rows[rows.strategy == strategy].ratio_to_upfront
        if len(found):
            told.append(f"{strategy} costs {found.min():.2f} to {found.max():.2f} times upfront")
    return "; ".join(told) + "."


def charge(analysis, full, sparse):
    if sparse.empty:
        return ""
    size = sparse.size_bytes.max()
    return (f"With a tenth of {size_text(size)} touched the charge is: " + by_strategy(
        at_size(sparse, size).dropna(subset=["commit_bytes"]),
        lambda row: size_text(row.commit_bytes)) + ".")


def faults(analysis, full, sparse):
    size = full.size_bytes.max()
    return (f"At {size_text(size)}, minor and handled faults: " + by_strategy(
        at_size(full, size).dropna(subset=["minor_faults"]),
        lambda row: f"{count_text(row.minor_faults)} and {count_text(row.handled_faults)}") + ".")


def steps(analysis, full, sparse):
    knees = {knee.strategy for knee in analysis.answer.knees}
    return " ".join(sentence.text for sentence in analysis.sentences
                    if sentence.subject in knees)


def grid(analysis, full, sparse):
    rows = analysis.summary
    rows = rows[rows.stepped & (rows.touched_bytes == rows.size_bytes)
                & (rows.touch_order == "sequential")
                & (rows.chunk_bytes <= rows.size_bytes)].dropna(subset=["ratio_to_upfront"])
    if rows.empty:
        return ""
    told = []
    for word, at in (("Least", rows.ratio_to_upfront.idxmin()),
                     ("most", rows.ratio_to_upfront.idxmax())):
        row = rows.loc[at]
        told.append(f"{word}: {row.strategy} by {size_text(row.chunk_bytes)} in "
                    f"{size_text(row.size_bytes)}, {row.ratio_to_upfront:.2f} times upfront")
    return "; ".join(told) + "."


def staircase(analysis, full, sparse):
    stairs = analysis.run.stairs
    ahead = (stairs.commit_bytes - stairs.touched_bytes).groupby(
        [stairs.strategy, stairs.chunk_bytes, stairs.stepped], sort=False).max()
    return "Charged ahead of use, at most: " + ", ".join(
        f"{strategy}{' by ' + size_text(step) if stepped else ''} "
        f"{size_text(most) if most > 0 else 'nothing'}"
        for (strategy, step, stepped), most in ahead.items()) + "."


def distribution(analysis, full, sparse):
    return " ".join(
        f"At {size_text(size)} one touch in a thousand takes longer than: " + ", ".join(
            f"{strategy} {time_text(by[strategy].ns.quantile(0.999))}"
            for strategy in by) + "."
        for size, by in sorted(analysis.run.traces.items()))


def touches(analysis, full, sparse):
    by = analysis.run.traces[min(analysis.run.traces)]
    return "The middle touch takes: " + ", ".join(
        f"{strategy} {time_text(by[strategy].ns.median())}"
        for strategy in by) + "."


def orders(analysis, full, sparse):
    rows = analysis.summary
    told = []
    for order in rows.touch_order.unique():
        plain = rows[(rows.touch_order == order) & (rows.touched_bytes == rows.size_bytes)
                     & (~rows.stepped | (rows.chunk_bytes == DEFAULT_STEP))]
        other = rows[rows.touch_order != "sequential"]
        plain = plain[plain.size_bytes.isin(other.size_bytes)]
        most = plain.region_count.max()
        text = f"{order}: up to {count_text(most)} mappings" if not math.isnan(most) else order
        for status in ("unsupported", "refused"):
            names = plain[plain[status] > 0].strategy.unique()
            text += f", {', '.join(names)} {status}" if len(names) else ""
        told.append(text)
    return "; ".join(told) + "."


def phases(analysis, full, sparse):
    rows = at_size(full, full.size_bytes.max())
    told = []
    for _, row in rows.iterrows():
        most = max(PHASES, key=lambda phase: row[phase])
        told.append(f"{row.strategy} {100 * row[most] / row.total_ns:.0f} % in "
                    f"{most.removesuffix('_ns')}")
    return f"At {size_text(rows.size_bytes.iloc[0])}: {', '.join(told)}."


def process_times(analysis, full, sparse):
    return "Whole processes take: " + ", ".join(
        f"{name} {time_text(median)}"
        for name, (median, *_) in analysis.run.process_times.items()) + "."


FINDINGS = {"latency": latency, "ratio": ratio, "charge": charge, "faults": faults,
            "steps": steps, "tradeoff": steps, "grid": grid, "staircase": staircase,
            "distribution": distribution, "touches": touches, "orders": orders, "phases": phases,
            "process_times": process_times}


def by_chart(analysis, drawn):
    """{chart: what it shows}"""
    full, sparse = parts(analysis.summary)
    return {name: FINDINGS[name](analysis, full, sparse) for name in drawn}
