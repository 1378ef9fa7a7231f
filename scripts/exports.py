"""A comparison in the forms that people and other programs read. Every function returns text."""

import json
import xml.etree.ElementTree as xml

from campaign import STEPPED
from charts import time_text
from gate import INCONCLUSIVE, MISSING, REGRESSED, THRESHOLD, closing, in_order


def name(cell, equals="=", joint="/"):
    """strategy=fault/size=65536/touch=1, and the step where there is one."""
    parts = [("strategy", cell.strategy), ("size", cell.size), ("touch", cell.touch)]
    if cell.strategy in STEPPED:
        parts.append(("chunk", cell.chunk))
    return joint.join(f"{key}{equals}{value}" for key, value in parts)


def share(ratio):
    return f"{100 * (ratio - 1):+.1f} %"


def change(result):
    return "" if result.ratio != result.ratio else share(result.ratio)


def interval(result):
    return "" if result.ratio != result.ratio else f"{share(result.low)} to {share(result.high)}"


def time_of(ns):
    return "" if ns != ns else time_text(ns)


HEADINGS = ("cell", "base", "head", "change", "interval", "verdict", "")


def fields(result):
    return (str(result.cell), time_of(result.base_ns), time_of(result.head_ns), change(result),
            interval(result), result.verdict, result.why)


def table(results, colour=False):
    """Aligned, worst first, with one closing sentence."""
    rows = [HEADINGS, *map(fields, in_order(results))]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS) - 1)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [text.rjust(width) for text, width
                                             in zip(row[1:5], widths[1:5])]
        line = "  ".join([*cells, row[5].ljust(widths[5]), row[6]]).rstrip()
        if colour and row[5] == REGRESSED:
            line = f"\033[31m{line}\033[0m"
        lines.append(line)
    return "\n".join([*lines, "", closing(results)])


def markdown(results, notes):
    rows = [f"| {' | '.join(fields(result))} |" for result in in_order(results)]
    return "\n".join([
        "## vmcommit compare", "", closing(results), "",
        *(f"> {note}\n" for note in notes),
        f"| {' | '.join(HEADINGS[:-1])} | why |", "|---|---:|---:|---:|---:|---|---|", *rows, ""])


def junit(results):
    """A test case a cell: regressed and missing ones fail, inconclusive ones are skipped."""
    failures = [one for one in results if one.verdict in (REGRESSED, MISSING)]
    skipped = [one for one in results if one.verdict == INCONCLUSIVE]
    suite = xml.Element("testsuite", name="vmcommit compare", tests=str(len(results)),
                        failures=str(len(failures)), skipped=str(len(skipped)), errors="0")
    for result in results:
        case = xml.SubElement(suite, "testcase", classname="vmcommit", name=name(result.cell))
        said = " ".join(filter(None, (change(result), result.why)))
        if result in failures:
            xml.SubElement(case, "failure", message=said, type=result.verdict)
        elif result in skipped:
            xml.SubElement(case, "skipped", message=said or result.verdict)
    root = xml.Element("testsuites")
    root.append(suite)
    xml.indent(root)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def go_bench(rows):
    """One side's samples as Go benchmark text, for benchstat: `rows` are (cell, row)."""
    lines = ["goos: " + rows[0][1]["platform"], "pkg: vmcommit",
             "Unit faults/op assume=exact", "Unit handled/op assume=exact",
             "Unit commits/op assume=exact"] if rows else []
    for cell, row in rows:
        if row["total_ns"]:
            faults = f" {row['minor_faults']} faults/op" if row["minor_faults"] else ""
            lines.append(f"BenchmarkCommit/{name(cell)} {row['batch']} {row['total_ns']} ns/op"
                         f"{faults} {row['handled_faults']} handled/op "
                         f"{row['commit_calls']} commits/op")
    return "\n".join(lines) + "\n"


def bencher_metric_format(results):
    """{benchmark: {measure: {value, lower_value, upper_value}}} of head."""
    found = {}
    for one in results:
        if one.head_ns == one.head_ns:
            measures = {"latency": {"value": one.head_ns,
                                    "lower_value": one.base_ns * one.low,
                                    "upper_value": one.base_ns * one.high}}
            for column, count in one.counts.items():
                measures[column.replace("_", "-")] = {"value": count}
            found[name(one.cell)] = measures
    return json.dumps(found, indent=2) + "\n"


def github_action_benchmark(results):
    """customSmallerIsBetter, of head."""
    return json.dumps([
        {"name": name(one.cell, " ", ", "), "unit": "ns/cycle", "value": one.head_ns,
         "range": f"± {one.base_ns * (one.high - one.low) / 2:.0f}",
         "extra": f"{one.verdict} against base: {change(one)} ({interval(one)})"}
        for one in results if one.head_ns == one.head_ns], indent=2, ensure_ascii=False) + "\n"


def google_benchmark(rows, described):
    """One side's samples as Google Benchmark writes them, one repetition a round."""
    found, seen = [], {}
    for cell, row in rows:
        if not row["total_ns"]:
            continue
        at = seen[cell] = seen.get(cell, -1) + 1
        found.append({
            "name": name(cell, ":"), "run_name": name(cell, ":"), "run_type": "iteration",
            "repetition_index": at, "threads": 1, "iterations": int(row["batch"]),
            "real_time": float(row["total_ns"]), "cpu_time": float(row["total_ns"]),
            "time_unit": "ns", "handled_faults": float(row["handled_faults"]),
            "commit_calls": float(row["commit_calls"])})
    for one in found:
        one["repetitions"] = sum(other["name"] == one["name"] for other in found)
    processor = described["processor"]
    context = {"date": described["started"], "host_name": "", "executable": "vmcommit",
               "num_cpus": processor["cores"], "mhz_per_cpu": 0, "cpu_scaling_enabled": False,
               "caches": [], "load_avg": [], "library_build_type": "release"}
    return json.dumps({"context": context, "benchmarks": found}, indent=1) + "\n"


def rule(number_of_cells):
    """The rule in a sentence, for a reader of the table."""
    return (f"regressed: the paired interval (99 % for all {number_of_cells} cells together) leaves "
            f"out no change, and the median exceeds {100 * THRESHOLD:.0f} %, twice")
