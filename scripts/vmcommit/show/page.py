"""report.html: one self-contained page that begins with the answer; REPORT.md, its short form."""

import base64
import pathlib

import jinja2
import pandas

from vmcommit.analyse import advice, selfcheck
from vmcommit.base.cells import cell_of
from vmcommit.base.columns import PHASES
from vmcommit.base.conventions import NARROW, TOUCH_NAMES
from vmcommit.base.files import write_text
from vmcommit.base.strategies import UPFRONT, names_in
from vmcommit.base.text import counted
from vmcommit.base.units import count_text, size_text, time_text
from vmcommit.measure import disturbance
from vmcommit.show import findings
from vmcommit.show.charts import CHARTS, caption, doubt, parts

CAPTIONS = {
    "staircase": "What the system has promised to back, read from it as touching proceeds. The "
                 "area between a staircase and the line of fault is promised and not yet used.",
    "distribution": "One cycle of each strategy with every touch timed. Both axes are logarithmic; "
                    "to the right and down are the rare, slow touches.",
    "touches": "The same touches by their page: darker where more of them are. What repeats with "
               "every step of 64 KiB, or 16 pages, shows as a comb.",
    "orders": "A region whose committed pages lie scattered takes the kernel many mappings, until "
              "it refuses (vm.max_map_count). A cross: the order jumps past the guard page.",
    "latency": "Lower is better. The band is the interval of the median. Left, all of the region "
               "is written to; right, a tenth of it. The axis on the right counts in page faults: "
               "what touching one committed page costs alone on this machine.",
    "ratio": "Paired: each sample is divided by the one of upfront in the same round, so that "
             "drift of the machine cancels. Where the band holds 1, the two can't be told apart.",
    "charge": "What the system has promised to back, at the peak. The dotted line is what was "
              "touched: charge above it is promised and not used.",
    "faults": "Exact counts. Left, what the kernel counted; right, what the strategy's own handler "
              "answered on top of that. Zero stands on a line of its own.",
    "steps": "Left, the time that each step costs; right, the charge that it leaves unused when a "
             "tenth is touched. The lines across are upfront and fault, which have no step.",
    "tradeoff": "To the left and down is better. Each point of a path is a step; the grey line is "
                "the frontier, which nothing beats in both.",
    "grid": "Darker costs more. 1.00 is as fast as upfront; intervals are in the table.",
    "phases": "Medians of each phase. upfront reserves and commits in one call, shown as commit; "
              "commits while touching belong to touch. Each panel has its own scale.",
    "process_times": "hyperfine times whole processes from outside. The grey part is what a harness does "
             "beside its cycle; the blue part is its own figure for the same process.",
}


def with_interval(row, name, text):
    if pandas.isna(row[name]):
        return ""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if pandas.isna(low):
        return text(row[name])
    return f"{text(row[name])} <small>{text(low)}–{text(high)}</small>"


def ratio_text(ratio):
    return f"{ratio:.3f}"


def or_empty(value, text):
    return "" if pandas.isna(value) else text(value)


def sortable(value, text):
    """(what is shown, the number by which the page sorts)"""
    return ("", "") if pandas.isna(value) else (text(value), f"{value:.10g}")


def table_row(row, strategies):
    pages = row.touched_bytes / row.page_bytes
    return {
        "anchor": cell_of(row, strategies).anchor,
        "block": (row.size_bytes, row.touched_bytes, row.touch_order),
        "cells": [
            sortable(row.size_bytes, size_text), sortable(row.touched_bytes, size_text),
            (row.strategy + (f" ({row.guard})" if row.guard else ""), ""),
            sortable(row.chunk_bytes, size_text) if row.stepped else ("", ""),
            (row.touch_order, ""), sortable(row.samples, str),
            (with_interval(row, "ns_per_page", time_text), or_empty(row.ns_per_page, str)),
            (with_interval(row, "ratio_to_upfront", ratio_text),
             or_empty(row.ratio_to_upfront, str)),
            *(sortable(row[phase] / pages, time_text) for phase in PHASES),
            *(sortable(row[column], count_text) for column in
              ("commit_calls", "handled_faults", "minor_faults", "region_count")),
            sortable(row.commit_bytes, size_text), sortable(row.resident_bytes, size_text)],
        "differs": row.counts if row.counts != "exact" else "",
        "problem": row.error,
    }


def wide_ratios(summary):
    """Which ratios stayed wider than 3 %, the widest first, and of how many."""
    cells = summary[(summary.strategy != UPFRONT) & (summary.ratio_samples > 0)]
    wide = cells[cells.ratio_half_width > NARROW].sort_values("ratio_half_width", ascending=False)
    named = [f"{row.strategy} {size_text(row.size_bytes)}"
             + (f" by {size_text(row.chunk_bytes)}" if row.stepped else "")
             + ("" if row.touched_bytes == row.size_bytes else f", {size_text(row.touched_bytes)} touched")
             + ("" if row.touch_order == "sequential" else f", {row.touch_order}")
             + f" (±{100 * row.ratio_half_width:.0f} %)" for _, row in wide.iterrows()]
    return {"named": named[:8], "count": len(wide), "of": len(cells)}


def calibration_facts(calibration):
    names = {"clock_ns": "Reading the clock", "empty_window_ns": "A window with nothing in it",
             "clock_tick_ns": "The clock's tick", "page_fault_ns": "A page fault, by touching",
             "commit_call_ns": "A commit call of one page", "trap_ns": "A trap, there and back",
             "zeroing_page_ns": "Zeroing a resident page"}
    return [(text, time_text(calibration[name])) for name, text in names.items()
            if calibration[name] is not None]


def facts(environment):
    """The machine and the run, as (name, value) pairs; what is unknown is left out."""
    processor, memory = environment["processor"], environment["memory"]
    system, settings = environment["system"], environment["settings"]
    build, revision = environment["build"], environment["revision"]
    listed = [
        ("Processor", processor["model"]),
        ("Cores", processor["cores"] and f"{processor['cores']}, {processor['cores_usable']} usable"),
        ("Hypervisor", processor["hypervisor"]),
        ("Frequency governor", processor["governor"]),
        ("Memory", memory["total_bytes"] and size_text(memory["total_bytes"])),
        ("Swap", size_text(memory["swap_bytes"]) if memory["swap_bytes"] else "none"),
        ("System", " ".join(filter(None, (system["name"], system["kernel"])))),
        ("Run through", environment["emulator"]),
        ("Page", system["page_bytes"] and size_text(system["page_bytes"])),
        ("Transparent huge pages", settings["thp_enabled"]),
        ("Overcommit mode", settings["overcommit_memory"]),
        ("Mappings allowed", settings["max_map_count"]),
        ("Compiler", " ".join(filter(None, (build["compiler"], build["version"], build["flags"])))),
        ("Revision", revision["commit"] and
         revision["commit"][:12] + ("" if revision["clean"] else ", with local changes")),
        ("Profile", environment["profile"]),
        ("Seed", environment["seed"]),
        ("Started", environment["started"]),
        ("Measured for", "cut off" if environment["seconds_measuring"] is None else
         f"{environment['seconds_measuring']:.0f} s"),
    ]
    return [(name, value) for name, value in listed if value not in (None, "")]


def image(path):
    """A picture as a data address, so that its styles and names stay its own."""
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()


def choice_row(choice):
    use = f"{TOUCH_NAMES[choice.touch]} touched"
    return {"need": advice.NEEDS[choice.need], "use": use, "strategy": choice.cell.strategy.name,
            "step": size_text(choice.cell.chunk) if choice.cell.step else "",
            "why": choice.why, "anchor": choice.cell.anchor}


def model_rows(model):
    """The coefficients in words: value, interval, or what they are held in."""
    rows = []
    for strategy, fitted in model["strategies"].items():
        cells = []
        for term in ("cycle", "pages", "commit_calls", "handled_faults"):
            if term in fitted["ns"]:
                price = fitted["ns"][term]
                cells.append(f"{signed_time(price['value'])} <small>{signed_time(price['low'])} to "
                             f"{signed_time(price['high'])}</small>")
            elif term in fitted["tied"]:
                cells.append("in " + " and ".join(TERM_NAMES[name]
                                                  for name in fitted["tied"][term]))
            else:
                cells.append("none")
        residuals = fitted["residuals"]
        worst = size_text(residuals["worst_size_bytes"])
        cells.append(f"{100 * residuals['median']:.1f} %")
        cells.append(f"{100 * residuals['worst']:+.0f} % at {worst}")
        rows.append({"strategy": strategy, "cells": cells})
    return rows


TERM_NAMES = {"cycle": "a cycle", "pages": "a page", "commit_calls": "a commit call",
              "handled_faults": "a handled fault"}


def signed_time(ns):
    return f"-{time_text(-ns)}" if ns < 0 else time_text(ns)


def sizes_table(summary):
    """ns per touched page with all touched: [(size, {strategy: text})]"""
    full, _ = parts(summary)
    cells = full.pivot(index="size_bytes", columns="strategy", values="ns_per_page")
    return [(size_text(size), [or_empty(row.get(strategy), time_text)
                               for strategy in names_in(summary)])
            for size, row in cells.iterrows()]


def sentence_rows(sentences):
    return [{"text": sentence.text,
             "cells": [(f"{cell} {size_text(cell.size)}", cell.anchor) for cell in sentence.cells]}
            for sentence in sentences]


def warnings(analysis):
    """What should make a reader doubt, in sentences."""
    summary, sentences = analysis.summary, list(analysis.run.notes)
    if doubt(summary):
        sentences.append("These rows come from Windows programs run by Wine. They prove that the "
                         "programs work; their times are Wine's and say nothing of Windows. "
                         "Counters that mean nothing under Wine are left out.")
    sentences += disturbance.sentences(analysis.run.environment["disturbance"])
    differing = int((summary.counts != "exact").sum())
    if differing:
        sentences.append(f"Counts differed between rounds in {counted(differing, 'configuration')}: "
                         "they are marked in the table. Counts are exact where the machine is left "
                         "alone, so look there first.")
    blocks = [name for name in names_in(summary) if analysis.run.strategies[name].blocks]
    sentences += [f"{name} is timed in one cycle a process, its first, with cold caches; short "
                  "cycles of the others in batches. At small sizes that is part of its time."
                  for name in blocks]
    skipped = int(((summary.samples == 0) & (summary.skipped > 0)).sum())
    if skipped:
        sentences.append(f"{counted(skipped, 'configuration')} "
                         f"{'was' if skipped == 1 else 'were'} skipped: the table says why.")
    return sentences


def templates():
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(["html.jinja"]), trim_blocks=True, lstrip_blocks=True)


def write(analysis, folder, drawn):
    """Writes folder/report.html and folder/REPORT.md; `drawn` names the charts that there are."""
    summary, run = analysis.summary, analysis.run
    shown = findings.by_chart(analysis, drawn)
    values = {
        "caption": caption(summary, run.environment),
        "doubt": doubt(summary),
        "warnings": warnings(analysis),
        "sentences": sentence_rows(analysis.sentences),
        "choices": [choice_row(choice) for choice in analysis.choices],
        "claims": analysis.claims,
        "strategies": names_in(summary),
        "sizes": sizes_table(summary),
        "figures": [{"name": name, "title": CHARTS[name], "finding": shown.get(name, ""),
                     "caption": CAPTIONS[name],
                     "image": image(folder / "charts" / f"{name}.svg")} for name in drawn],
        "model": model_rows(analysis.model),
        "rows": [table_row(row, run.strategies) for _, row in summary.iterrows()],
        "wide": wide_ratios(summary),
        "drifting": int(summary.drifts.sum()),
        "checks": selfcheck.check(summary, run.environment["calibration"]),
        "calibration": calibration_facts(run.environment["calibration"]),
        "facts": facts(run.environment),
    }
    for template, name in (("report.html.jinja", "report.html"), ("REPORT.md.jinja", "REPORT.md")):
        write_text(folder / name, templates().get_template(template).render(values))
