"""A comparison in the forms that people and other programs read. Every function returns text."""

import json
import math
import xml.etree.ElementTree as xml

from vmcommit.base.units import time_text
from vmcommit.gate.rules import INCONCLUSIVE, MISSING, REGRESSED, closing, in_order, share_text


def change(result):
    return "" if math.isnan(result.ratio) else share_text(result.ratio)


def interval(result):
    return "" if math.isnan(result.ratio) else f"{share_text(result.low)} to {share_text(result.high)}"


def time_of(ns):
    return "" if math.isnan(ns) else time_text(ns)


HEADINGS = ("cell", "base", "head", "change", "confidence interval", "verdict", "")


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


def cell_text(text):
    """A Markdown table's cell: what would end it, or begin a tag, is shown as it is."""
    for letter, shown in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("\n", " ")):
        text = text.replace(letter, shown)
    return text


def xml_text(text):
    """What XML 1.0 can hold of a text."""
    return "".join(letter if letter in "\t\n" or letter >= " " and letter not in "\ufffe\uffff"
                   and not "\ud800" <= letter <= "\udfff" else "\ufffd" for letter in text)


def markdown(results, notes):
    rows = [f"| {' | '.join(map(cell_text, fields(result)))} |" for result in in_order(results)]
    return "\n".join([
        "## vmcommit compare", "", closing(results), "",
        *(f"> {note}\n" for note in notes),
        f"| {' | '.join(HEADINGS[:-1])} | why |", "|---|---:|---:|---:|---:|---|---|", *rows, ""])


def junit(results):
    """A test case a cell: regressed and missing ones fail, inconclusive ones are skipped."""
    failures = [result for result in results if result.verdict in (REGRESSED, MISSING)]
    skipped = [result for result in results if result.verdict == INCONCLUSIVE]
    suite = xml.Element("testsuite", name="vmcommit compare", tests=str(len(results)),
                        failures=str(len(failures)), skipped=str(len(skipped)), errors="0")
    for result in results:
        case = xml.SubElement(suite, "testcase", classname="vmcommit", name=result.cell.name)
        why = xml_text(" ".join(filter(None, (change(result), result.why))))
        if result in failures:
            xml.SubElement(case, "failure", message=why, type=result.verdict)
        elif result in skipped:
            xml.SubElement(case, "skipped", message=why or result.verdict)
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
            lines.append(f"BenchmarkCommit/{cell.name} {row['batch']} {row['total_ns']} ns/op"
                         f"{faults} {row['handled_faults']} handled/op "
                         f"{row['commit_calls']} commits/op")
    return "\n".join(lines) + "\n"


def bencher_metric_format(results):
    """{benchmark: {measure: {value, lower_value, upper_value}}} of head."""
    benchmarks = {}
    for result in results:
        if not math.isnan(result.head_ns):
            measures = {"latency": {"value": result.head_ns,
                                    "lower_value": result.base_ns * result.low,
                                    "upper_value": result.base_ns * result.high}}
            for column, count in result.counts.items():
                measures[column.replace("_", "-")] = {"value": count}
            benchmarks[result.cell.name] = measures
    return json.dumps(benchmarks, indent=2) + "\n"


def github_action_benchmark(results):
    """customSmallerIsBetter, of head."""
    return json.dumps([
        {"name": result.cell.named(" ", ", "), "unit": "ns/cycle", "value": result.head_ns,
         "range": f"± {result.base_ns * (result.high - result.low) / 2:.0f}",
         "extra": f"{result.verdict} against base: {change(result)} ({interval(result)})"}
        for result in results if not math.isnan(result.head_ns)],
        indent=2, ensure_ascii=False) + "\n"


def google_benchmark(rows, environment):
    """One side's samples as Google Benchmark writes them, one repetition a round."""
    benchmarks, seen = [], {}
    for cell, row in rows:
        if not row["total_ns"]:
            continue
        at = seen[cell] = seen.get(cell, -1) + 1
        benchmarks.append({
            "name": cell.named(":", "/"), "run_name": cell.named(":", "/"), "run_type": "iteration",
            "repetition_index": at, "threads": 1, "iterations": int(row["batch"]),
            "real_time": float(row["total_ns"]), "cpu_time": float(row["total_ns"]),
            "time_unit": "ns", "handled_faults": float(row["handled_faults"]),
            "commit_calls": float(row["commit_calls"])})
    for benchmark in benchmarks:
        benchmark["repetitions"] = sum(other["name"] == benchmark["name"] for other in benchmarks)
    processor = environment["processor"]
    context = {"date": environment["started"], "host_name": "", "executable": "vmcommit",
               "num_cpus": processor["cores"], "mhz_per_cpu": 0, "cpu_scaling_enabled": False,
               "caches": [], "load_avg": [], "library_build_type": "release"}
    return json.dumps({"context": context, "benchmarks": benchmarks}, indent=1) + "\n"
