"""report.html: one self-contained page with the charts, the summary table and the machine."""

import base64
import pathlib

import jinja2
import pandas

import disturbance
import selfcheck
from campaign import STEPPED, size_text
from charts import CHARTS, caption, count_text, doubt, time_text
from summary import NARROW

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
               "is written to; right, a tenth of it.",
    "ratio": "Paired: each sample is divided by the one of upfront in the same round, so that "
             "drift of the machine cancels. Where the band holds 1, the two can't be told apart.",
    "charge": "What the system has promised to back, at the peak. The dotted line is what was "
              "touched: charge above it is promised and not used.",
    "faults": "Exact counts. Left, what the kernel counted; right, what the strategy's own handler "
              "answered on top of that. Zero stands on a line of its own.",
    "steps": "Left, the time that each step costs; right, the charge that it leaves unused when a "
             "tenth is touched. The lines across are upfront and fault, which have no step.",
    "phases": "Medians of each phase. upfront reserves and commits in one call, shown as commit; "
              "commits while touching belong to touch. Each panel has its own scale.",
    "whole": "hyperfine times whole processes from outside. The grey part is what a harness does "
             "beside its cycle; the blue part is its own figure for the same process.",
}
PHASES = ["reserve_ns", "commit_ns", "touch_ns", "release_ns"]


def with_interval(row, name, text):
    if pandas.isna(row[name]):
        return ""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{text(row[name])} <small>{text(low)}–{text(high)}</small>"


def ratio_text(ratio):
    return f"{ratio:.3f}"


def or_empty(value, text):
    return "" if pandas.isna(value) else text(value)


def table_row(row):
    pages = row.touched_bytes / row.page_bytes
    return {
        "size": size_text(row.size_bytes),
        "touched": size_text(row.touched_bytes),
        "order": row.touch_order,
        "strategy": row.strategy + (f" ({row.guard})" if row.guard else ""),
        "step": size_text(row.chunk_bytes) if row.strategy in STEPPED else "",
        "samples": row.samples,
        "ns_per_page": with_interval(row, "ns_per_page", time_text),
        "ratio": with_interval(row, "ratio_to_upfront", ratio_text),
        "phases": [or_empty(row[phase] / pages, time_text) for phase in PHASES],
        "counts": [or_empty(row[column], count_text) for column in
                   ("commit_calls", "handled_faults", "minor_faults", "region_count")],
        "charge": or_empty(row.commit_bytes, size_text),
        "resident": or_empty(row.resident_bytes, size_text),
        "differs": row.counts if row.counts != "exact" else "",
        "problem": row.error,
    }


def wide_ratios(summary):
    """Which ratios stayed wider than 3 %, the widest first, and of how many."""
    cells = summary[(summary.strategy != "upfront") & (summary.ratio_samples > 0)]
    wide = cells[cells.ratio_half_width > NARROW].sort_values("ratio_half_width", ascending=False)
    named = [f"{row.strategy} {size_text(row.size_bytes)}"
             + (f" by {size_text(row.chunk_bytes)}" if row.strategy in STEPPED else "")
             + ("" if row.touched_bytes == row.size_bytes else ", a tenth touched")
             + ("" if row.touch_order == "sequential" else f", {row.touch_order}")
             + f" (±{100 * row.ratio_half_width:.0f} %)" for _, row in wide.iterrows()]
    return {"named": named[:8], "count": len(wide), "of": len(cells)}


def calibration_facts(calibration):
    names = {"clock_ns": "Reading the clock", "empty_window_ns": "A window with nothing in it",
             "clock_tick_ns": "The clock's tick", "page_fault_ns": "A page fault, by touching",
             "commit_call_ns": "A commit call of one page", "trap_ns": "A trap, there and back",
             "zeroing_page_ns": "Zeroing a resident page"}
    return [(text, time_text(calibration[name])) for name, text in names.items()] \
        if calibration else []


def facts(environment):
    """The machine and the run, as (name, value) pairs; what is unknown is left out."""
    processor, memory = environment["processor"], environment["memory"]
    system, settings = environment["system"], environment["settings"]
    build, revision = environment["build"] or {}, environment["revision"]
    listed = [
        ("Processor", processor["model"]),
        ("Cores", f"{processor['cores']}, {processor['cores_usable']} usable"),
        ("Hypervisor", processor["hypervisor"]),
        ("Frequency governor", processor["governor"]),
        ("Memory", memory["total_bytes"] and size_text(memory["total_bytes"])),
        ("Swap", size_text(memory["swap_bytes"]) if memory["swap_bytes"] else "none"),
        ("System", f"{system['name']} {system['kernel']}"),
        ("Run through", environment.get("emulator")),
        ("Page", system["page_bytes"] and size_text(system["page_bytes"])),
        ("Transparent huge pages", settings["thp_enabled"]),
        ("Overcommit mode", settings["overcommit_memory"]),
        ("Mappings allowed", settings["max_map_count"]),
        ("Compiler", build and f"{build['compiler']} {build['version']} {build['flags']}"),
        ("Revision", revision["commit"] and
         revision["commit"][:12] + ("" if revision["clean"] else ", with local changes")),
        ("Profile", environment["profile"]),
        ("Seed", environment["seed"]),
        ("Started", environment["started"]),
        ("Measured for", f"{environment['seconds_measuring']:.0f} s"),
    ]
    return [(name, value) for name, value in listed if value not in (None, "")]


def image(path):
    """A picture as a data address, so that its styles and names stay its own."""
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()


def write(summary, environment, folder, drawn):
    template = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), autoescape=True,
        trim_blocks=True, lstrip_blocks=True).get_template("report.html.jinja")
    page = template.render(
        caption=caption(summary, environment),
        doubt=doubt(summary),
        figures=[{"name": name, "alt": CHARTS[name], "caption": CAPTIONS[name],
                  "image": image(folder / "charts" / f"{name}.svg")} for name in drawn],
        rows=[table_row(row) for _, row in summary.iterrows()],
        differing=int((summary.counts != "exact").sum()),
        troubled=int((summary.samples == 0).sum()),
        doubts=disturbance.sentences(environment.get("disturbance")),
        wide=wide_ratios(summary),
        drifting=int(summary.drifts.sum()),
        checks=selfcheck.check(summary, environment.get("calibration")),
        calibration=calibration_facts(environment.get("calibration")),
        facts=facts(environment))
    (folder / "report.html").write_text(page, encoding="utf-8")
