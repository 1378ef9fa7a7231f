"""A comparison in the forms that people and other programs read.

Each form is a function that gives the text of one file, or of one file for each side; `form` and
`form_of_side` enter it in FORMS, which is all that writing them and docs/ci.md go by.
"""

import collections
import contextlib
import csv
import dataclasses
import functools
import json
import math
import pathlib
import xml.etree.ElementTree as xml
from collections.abc import Callable

from vmcommit.base.files import write_text
from vmcommit.base.folder import ENVIRONMENT, SAMPLES
from vmcommit.base.text import cell_of_markdown, markdown
from vmcommit.base.units import time_text
from vmcommit.gate import rules
from vmcommit.gate.chosen import SIDES
from vmcommit.gate.comparison import Samples
from vmcommit.gate.rules import (INCONCLUSIVE, MISSING, NEW, REGRESSED, Result, closing, in_order,
                                 share_text)

HEADINGS = ("cell", "base", "head", "change", "confidence interval", "verdict", "")
GO_UNITS = {"minor_faults": "faults/op", "handled_faults": "handled/op",
            "commit_calls": "commits/op"}


@dataclasses.dataclass
class Compared:
    """A comparison that is done: `notes` are sentences, `environment` what environment.json will
    hold."""

    results: list[Result]
    notes: list[str]
    samples: Samples
    environment: dict


@dataclasses.dataclass(frozen=True)
class Form:
    text: Callable[[Compared], str]
    purpose: str


FORMS: dict[str, Form] = {}  # {name of the file: Form}


def form(name: str, purpose: str):
    """Enters a function of a Compared as the form with that file name."""
    def enter(function):
        FORMS[name] = Form(function, purpose)
        return function
    return enter


def form_of_side(name: str, purpose: str):
    """The same for a function of a Compared and a side; the side comes before the name."""
    def enter(function):
        for side in SIDES:
            FORMS[f"{side}.{name}"] = Form(functools.partial(function, side=side), purpose)
        return function
    return enter


def write_forms(compared: Compared, folder: pathlib.Path) -> None:
    """Raises OSError."""
    for name, entered in FORMS.items():
        write_text(folder / name, entered.text(compared))


def remove_forms(folder: pathlib.Path) -> None:
    """Takes away an earlier comparison's, so that nobody reads them as this one's."""
    for name in (*FORMS, ENVIRONMENT):
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def holds_another(folder: pathlib.Path) -> bool:
    """Whether something else than a comparison has its rows or its environment there."""
    samples = folder / SAMPLES
    if not samples.is_file():
        return (folder / ENVIRONMENT).exists() and not any((folder / name).exists()
                                                           for name in FORMS)
    with open(samples, newline="", encoding="utf-8", errors="replace") as file:
        columns: list[str] = next(csv.reader(file), [])  # none, where a disk was full
    return columns != [] and "side" not in columns


def change(result: Result) -> str:
    return share_text(result.ratio) if result.timed else ""


def interval(result: Result) -> str:
    return f"{share_text(result.low)} to {share_text(result.high)}" if result.timed else ""


def time_of(ns: float) -> str:
    return "" if math.isnan(ns) else time_text(ns)


def bounds(result: Result) -> tuple[float, float]:
    """Within which head's time lies, by the confidence interval of its ratio to base's."""
    return (result.head_ns * result.low / result.ratio, result.head_ns * result.high / result.ratio)


def fields(result: Result) -> tuple:
    return (str(result.cell), time_of(result.base_ns), time_of(result.head_ns), change(result),
            interval(result), result.verdict, result.why)


def table(results: list[Result], colour: bool = False) -> str:
    """For a terminal: aligned, worst first, with one closing sentence."""
    rows = [HEADINGS, *map(fields, in_order(results))]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS) - 1)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [text.rjust(width) for text, width
                                             in zip(row[1:5], widths[1:5])]
        line = "  ".join([*cells, row[5].ljust(widths[5]), row[6]]).rstrip()
        lines.append(f"\033[31m{line}\033[0m" if colour and row[5] == REGRESSED else line)
    return "\n".join([*lines, "", closing(results)])


def xml_text(text: str) -> str:
    """What XML 1.0 can hold of a text."""
    return "".join(letter if letter in "\t\n" or letter >= " " and letter not in "\ufffe\uffff"
                   and not "\ud800" <= letter <= "\udfff" else "\ufffd" for letter in text)


@form("COMPARE.md", "a comment on a pull request")
def comment(compared: Compared) -> str:
    rows = [f"| {' | '.join(map(cell_of_markdown, fields(result)))} |"
            for result in in_order(compared.results)]
    return "\n".join([
        "## vmcommit compare", "", markdown(closing(compared.results)), "",
        *(f"> {markdown(note)}\n" for note in compared.notes),
        f"| {' | '.join(HEADINGS[:-1])} | why |", "|---|---:|---:|---:|---:|---|---|", *rows, ""])


@form("junit.xml", "what CI servers show as tests: a case a cell")
def junit(compared: Compared) -> str:
    """Regressed and missing cells fail; inconclusive and new ones are skipped."""
    results = compared.results
    failures = [result for result in results if result.verdict in (REGRESSED, MISSING)]
    skipped = [result for result in results if result.verdict in (INCONCLUSIVE, NEW)]
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


@form_of_side("bench.txt", "Go benchmark text: `benchstat base.bench.txt head.bench.txt`")
def go_bench(compared: Compared, side: str) -> str:
    rows = compared.samples.of(side)
    lines = ["goos: " + rows[0][1].get("platform", ""), "pkg: vmcommit",
             *(f"Unit {unit} assume=exact" for unit in GO_UNITS.values())] if rows else []
    for cell, row in rows:
        counts = "".join(f" {row[column]} {unit}" for column, unit in GO_UNITS.items()
                         if row.get(column))
        lines.append(f"BenchmarkCommit/{cell.name} {row['batch']} {rules.time_of(row):.1f} ns/op"
                     f"{counts}")
    return "\n".join(lines) + "\n"


@form("bmf.json", "Bencher Metric Format")
def bencher_metric_format(compared: Compared) -> str:
    """{benchmark: {measure: {value, lower_value, upper_value}}} of head."""
    benchmarks = {}
    for result in compared.results:
        if result.timed:
            lower, upper = bounds(result)
            benchmarks[result.cell.name] = {
                "latency": {"value": result.head_ns, "lower_value": lower, "upper_value": upper},
                **{column.replace("_", "-"): {"value": count}
                   for column, count in result.counts.items()}}
    return json.dumps(benchmarks, indent=2) + "\n"


@form("github-action-benchmark.json", "`customSmallerIsBetter`")
def github_action_benchmark(compared: Compared) -> str:
    """Of head; the range is half of the confidence interval."""
    benchmarks = []
    for result in filter(lambda result: result.timed, compared.results):
        lower, upper = bounds(result)
        benchmarks.append({
            "name": result.cell.named(" ", ", "), "unit": "ns/cycle", "value": result.head_ns,
            "range": f"± {(upper - lower) / 2:.0f}",
            "extra": f"{result.verdict} against base: {change(result)} ({interval(result)})"})
    return json.dumps(benchmarks, indent=2, ensure_ascii=False) + "\n"


@form_of_side("google-benchmark.json", "what reads Google Benchmark's JSON")
def google_benchmark(compared: Compared, side: str) -> str:
    """One repetition a round."""
    rows = compared.samples.of(side)
    repetitions = collections.Counter(cell for cell, _ in rows)
    seen: collections.Counter = collections.Counter()
    benchmarks = []
    for cell, row in rows:
        name, time = cell.named(":", "/"), rules.time_of(row)
        benchmarks.append({
            "name": name, "run_name": name, "run_type": "iteration",
            "repetitions": repetitions[cell], "repetition_index": seen[cell], "threads": 1,
            "iterations": int(float(row["batch"])), "real_time": time, "cpu_time": time,
            "time_unit": "ns", **{column: float(row[column]) for column in
                                  ("handled_faults", "commit_calls") if row.get(column)}})
        seen[cell] += 1
    context = {"date": compared.environment["started"], "host_name": "", "executable": "vmcommit",
               "num_cpus": compared.environment["processor"]["cores"], "mhz_per_cpu": 0,
               "cpu_scaling_enabled": False, "caches": [], "load_avg": [],
               "library_build_type": "release"}
    return json.dumps({"context": context, "benchmarks": benchmarks}, indent=1) + "\n"
