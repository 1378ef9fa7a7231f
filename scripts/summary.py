"""samples.csv to summary.csv: one row for each configuration, an interval on every latency.

Medians with distribution-free intervals from order statistics. Ratios are paired within a round.
"""

import numpy
import pandas
from scipy import stats

STRATEGIES = ("upfront", "fault", "chunked", "guard")
OWN = ("custom", "malloc")  # measured beside them where they are asked for
HARNESSES = (*STRATEGIES, *OWN)  # in every table's order
CONFIGURATION = ["strategy", "platform", "pages", "page_bytes", "size_bytes", "chunk_bytes",
                 "touched_bytes", "guard", "trap", "touch_order"]
COMPARED = ["platform", "pages", "page_bytes", "size_bytes", "touched_bytes", "touch_order"]
LATENCIES = ["reserve_ns", "commit_ns", "touch_ns", "release_ns", "total_ns"]
COUNTS = ["commit_calls", "handled_faults", "minor_faults", "major_faults",
          "reserved_commit_bytes", "commit_bytes", "commit_process_bytes", "resident_bytes",
          "released_commit_bytes", "region_count"]
STATUSES = ["ok", "refused", "unsupported", "skipped"]
CONFIDENCE = 0.95
NARROW = 0.03  # a ratio that is known within 3 % is known well enough


def read_samples(path):
    """Ratios and intervals need numbers; a cell that is empty becomes NaN, a text ''."""
    samples = pandas.read_csv(path, keep_default_na=False, na_values={
        column: [""] for column in ["batch", "page_bytes", *LATENCIES, *COUNTS,
                                    "commit_system_bytes"]})
    samples["ns_per_page"] = samples.total_ns / (samples.touched_bytes / samples.page_bytes)
    return samples


def median_interval(values, confidence=CONFIDENCE):
    """(median, low, high, coverage) of a sample's median. The interval runs from the k-th smallest
    to the k-th largest value and covers the median with a probability that follows from the
    binomial distribution alone. Too few values for `confidence`: all of them, with the coverage
    that they do give."""
    values = numpy.sort(numpy.asarray(values, dtype=float))
    n = len(values)
    if n == 0:
        return (numpy.nan,) * 4
    k = max(1, int(stats.binom.ppf((1 - confidence) / 2, n, 0.5)))
    while k > 1 and 1 - 2 * stats.binom.cdf(k - 1, n, 0.5) < confidence:
        k -= 1
    coverage = 1 - 2 * stats.binom.cdf(k - 1, n, 0.5)
    return numpy.median(values), values[k - 1], values[n - k], coverage


def shared(cells):
    """The confidence of one of `cells` intervals, so that all hold together with CONFIDENCE."""
    return 1 - (1 - CONFIDENCE) / max(cells, 1)


def corrected(rounds):
    """The same for intervals of so many rounds each. One with so few rounds that even all of them
    on one side of 1 would not do can claim nothing, and takes no share (Tarone 1990)."""
    cells = 1
    while sum(2.0 ** (1 - count) <= 1 - shared(cells) for count in rounds) > cells:
        cells += 1
    return shared(cells)


def half_width(median, low, high):
    """How far an interval of logarithms reaches, as a share: 0.03 is plus or minus 3 %."""
    return numpy.expm1(max(high - median, median - low))


def add_interval(row, name, values, confidence=CONFIDENCE):
    median, low, high, coverage = median_interval(values, confidence)
    if coverage <= 0:  # one sample has no interval
        low = high = numpy.nan
    row[name], row[f"{name}_low"], row[f"{name}_high"] = median, low, high
    return coverage


def add_drift(row, ok, confidence):
    """Whether times rose or fell over the rounds (Kendall's tau), and by how much from the first
    third of the rounds to the last."""
    ordered = ok.sort_values("round").total_ns
    third = len(ordered) // 3
    row["drift"] = ordered[-third:].median() / ordered[:third].median() - 1 if third >= 3 \
        else numpy.nan
    row["drifts"] = bool(third >= 3 and
                         stats.kendalltau(ok["round"], ok.total_ns).pvalue < 1 - confidence)


def paired_ratios(taken, base):
    """log(time / base's time), within each round that has both."""
    return numpy.log(taken.set_index("round").total_ns / base.set_index("round").total_ns).dropna()


def add_counts(row, group):
    """Counts must be the same in every round: where one is not, the row says so, loudly."""
    differing = []
    for column in COUNTS:
        found = group[column].dropna()
        row[column] = found.iloc[0] if len(found) else numpy.nan
        if found.nunique() > 1:
            differing.append(f"{column} {found.min():g}..{found.max():g}")
    row["counts"] = "DIFFER: " + "; ".join(differing) if differing else "exact"


def summarise_configuration(key, group, bases, confidence, drift_confidence):
    """One row; ratios with `confidence`, and drift with `drift_confidence`: each holds for all rows
    together."""
    row = dict(zip(CONFIGURATION, key))
    ok = group[group.status == "ok"]
    row["samples"] = len(ok)
    for status in STATUSES[1:]:
        row[status] = int((group.status == status).sum())
    row["error"] = next((error for error in group.error if error), "")
    for column in LATENCIES:
        add_interval(row, column, ok[column])
    row["confidence"] = add_interval(row, "ns_per_page", ok.ns_per_page)
    base = bases.get(tuple(row[column] for column in COMPARED))
    ratios = paired_ratios(ok, base) if base is not None else []
    row["ratio_samples"] = len(ratios)
    row["ratio_confidence"] = add_interval(row, "ratio_to_upfront", ratios, confidence)
    row["ratio_half_width"] = half_width(*(row[f"ratio_to_upfront{end}"]
                                           for end in ("", "_low", "_high")))
    for column in ("ratio_to_upfront", "ratio_to_upfront_low", "ratio_to_upfront_high"):
        row[column] = numpy.exp(row[column])
    quartiles = ok.total_ns.quantile([0.25, 0.75]).tolist()
    row["spread"] = (quartiles[1] - quartiles[0]) / row["total_ns"]
    add_drift(row, ok, drift_confidence)
    add_counts(row, group[group.status.isin(["ok", "refused"])])
    row["commit_system_bytes"] = group.commit_system_bytes.dropna().median()
    return row


def summarise(samples, calibration=None):
    bases = {key: group[group.status == "ok"]
             for key, group in samples[samples.strategy == "upfront"].groupby(COMPARED)}
    groups = list(samples.groupby(CONFIGURATION, sort=False))
    confidence = corrected([(group.status == "ok").sum() for key, group in groups
                            if key[0] != "upfront"])
    rows = [summarise_configuration(key, group, bases, confidence, shared(len(groups)))
            for key, group in groups]
    summary = pandas.DataFrame(rows)
    floor = calibration["page_fault_ns"] if calibration else numpy.nan
    summary["multiple_of_page_fault"] = summary.ns_per_page / floor
    return summary.sort_values(
        ["platform", "pages", "size_bytes", "touched_bytes", "touch_order", "strategy",
         "chunk_bytes"],
        key=lambda column: column.map(HARNESSES.index) if column.name == "strategy" else
        column != "sequential" if column.name == "touch_order" else column,
        ignore_index=True)


def write_summary(summary, path):
    """Whole numbers stay whole; times to a tenth, ratios to a ten-thousandth."""
    text = summary.copy()
    for column in [*COUNTS, "commit_system_bytes"]:
        text[column] = text[column].map(
            lambda value: "" if pandas.isna(value) else f"{value:.10g}"
            if value != int(value) else f"{int(value)}")
    for column in text.columns:
        if "_ns" in column or column.startswith("ns_per_page"):
            text[column] = text[column].round(1)
        elif column.startswith(("ratio_to", "ratio_half", "multiple_of", "spread")) or \
                column.endswith("confidence") or column == "drift":
            text[column] = text[column].round(4)
    text.to_csv(path, index=False, lineterminator="\r\n")
