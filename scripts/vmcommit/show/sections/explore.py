"""What a configuration of the reader's choice takes and is charged: by the cost model, and by what
was measured nearest to it. The page looks all of it up; it computes nothing itself."""

import fractions

import pandas

from vmcommit.analyse import model
from vmcommit.base.cells import cell_of, touched_bytes
from vmcommit.base.conventions import CONFIDENCE, DEFAULT_STEP, ORDERS
from vmcommit.base.units import powers, size_text
from vmcommit.show.caption import percent
from vmcommit.show.sections import Section

TOUCHES = ("1", "0.5", "0.25", "0.1", "0.01")
DIGITS = 8  # so many that the three shown are not rounded twice


def rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def measured_rows(analysis) -> list:
    """[strategy, size, touched, step or null, order, ns of a page, low, high, charge, anchor]"""
    known = analysis.run.strategies
    summary = analysis.summary[(analysis.summary.samples > 0)
                               & (analysis.summary.platform != "wine")]
    rows = []
    for _, row in summary.iterrows():
        cell = cell_of(row, known)
        times = [None if pandas.isna(row[column]) else rounded(row[column]) for column in
                 ("ns_per_page", "ns_per_page_low", "ns_per_page_high")]
        charge = None if pandas.isna(row.commit_bytes) else int(row.commit_bytes)
        rows.append([cell.strategy.name, cell.size, cell.touched, cell.step, cell.order, *times,
                     charge, cell.anchor])
    return rows


def predicted(fitted, strategy, size, touch, step, page):
    """[ns of a page, low, high, charge, whether it lies outside of what was measured]"""
    ns, low, high, does, outside = model.predict(fitted, strategy, size, touch, step)
    pages = does["pages"]
    guard = fitted["strategies"][strategy.name].get("guard")
    charge = model.charge(strategy, size, touched_bytes(size, touch, page), step, page, guard)
    return [*(rounded(value / pages) for value in (ns, low, high)), charge, int(bool(outside))]


def predictions(analysis, sizes, steps) -> dict:
    """{strategy: [for each step, or once: [for each size: [for each touch: predicted()]]]}"""
    fitted, page = analysis.model, analysis.model["page_bytes"]
    return {name: [[[predicted(fitted, analysis.run.strategies[name], size,
                               fractions.Fraction(touch), step, page) for touch in TOUCHES]
                    for size in sizes]
                   for step in (steps if analysis.run.strategies[name].stepped else steps[:1])]
            for name in fitted["strategies"]}


def values(analysis):
    rows = measured_rows(analysis)
    if not rows:
        return None
    sizes = list(powers(min(row[1] for row in rows), max(row[1] for row in rows), 2))
    stepped = [row[3] for row in rows if row[3]] or [DEFAULT_STEP]
    steps = list(powers(min(stepped), max(stepped), 2))
    names = list(dict.fromkeys(row[0] for row in rows))
    whole_pages = all(size % analysis.run.samples.page_bytes.iloc[0] == 0
                      for size in (*sizes, *steps))
    return {
        "sizes": [(size, size_text(size)) for size in sizes],
        "touches": [(touch, f"{100 * float(touch):g} %") for touch in TOUCHES],
        "steps": [(step, size_text(step)) for step in steps],
        "orders": ORDERS, "names": names, "confidence": percent(CONFIDENCE),
        "chosen": {"size": nearest(sizes, analysis.answer.sweep_size or sizes[0]),
                   "step": nearest(steps, DEFAULT_STEP)},
        "data": {"page": int(analysis.summary.page_bytes.max()), "sizes": sizes,
                 "touches": [float(touch) for touch in TOUCHES], "steps": steps,
                 "names": names,
                 "rows": rows, "predictions": predictions(analysis, sizes, steps)
                 if whole_pages else {}}}


def nearest(choices, wanted):
    return min(choices, key=lambda choice: abs(choice - wanted))


SECTION = Section(order=40, title="Your own configuration", short="Explore", values=values)
