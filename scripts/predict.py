"""What a cycle is expected to cost, by the cost model that a run's advice.json holds."""

import fractions
import json
import os
import pathlib
import re
import sys

import model
from campaign import DEFAULT_STEP, KIB, GIB, MIB, STEPPED, STRATEGIES, size_text
from charts import count_text, time_text
from command import RESULTS, Parser, Usage

NAMES = {"size": "size", "touched": "touched part", "chunk": "step"}
UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB}


def size_of(option, text):
    found = re.fullmatch(r"(\d+)([KMG]?)", text)
    if not found or int(found[1]) == 0:
        raise Usage(f"{option}: '{text}' is no size; use bytes, or K, M, G, as in 64M")
    return int(found[1]) * UNITS[found[2]]


def touch_of(text):
    try:
        touch = fractions.Fraction(text)
    except (ValueError, ZeroDivisionError):
        touch = 0
    if not 0 < touch <= 1:
        raise Usage(f"--touch: '{text}' is no part of a region; use more than 0 and up to 1, "
                    "as in 0.1")
    return touch


def options(arguments):
    parser = Parser(prog="predict", description=__doc__)
    parser.add_argument("--size", required=True, help="of the region, as in 64M")
    parser.add_argument("--touch", default="1", help="part of it that is written to (default: 1)")
    parser.add_argument("--chunk", default=str(DEFAULT_STEP),
                        help="step of chunked and guard (default: 64K)")
    parser.add_argument("--strategy", help=f"{', '.join(STRATEGIES)} (default: all)")
    parser.add_argument("--run", type=pathlib.Path, default=RESULTS / "latest",
                        help="folder of the run (default: results/latest)")
    chosen = parser.parse_args(arguments)
    chosen.size, chosen.chunk = size_of("--size", chosen.size), size_of("--chunk", chosen.chunk)
    chosen.touch = touch_of(chosen.touch)
    if chosen.strategy not in (None, *STRATEGIES):
        raise Usage(f"--strategy: '{chosen.strategy}' is no strategy; use {', '.join(STRATEGIES)}")
    return chosen


def read_model(run):
    path = run / "advice.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))["model"]
    except OSError as error:
        raise Usage(f"--run: cannot read {os.path.relpath(path)}: {error.strerror}; run make bench "
                    "or make report first") from None
    except (ValueError, KeyError):
        raise Usage(f"--run: {os.path.relpath(path)} is no advice.json; run make report") from None


def in_pages(option, value, page):
    if value % page:
        raise Usage(f"{option}: '{value}' is no multiple of the page size, {page}")


def table(fitted, chosen):
    """Aligned lines, one for each strategy, and what lies outside of what was measured."""
    page = fitted["page_bytes"]
    if not fitted["strategies"]:
        raise Usage("--run: this run has no cost model; its times stand for no system, or are too "
                    "few")
    in_pages("--size", chosen.size, page)
    in_pages("--chunk", chosen.chunk, page)
    lines = [f"{'strategy':>8} {'step':>8} {'expected':>9} {'low':>9} {'high':>9} {'per page':>9} "
             f"{'pages':>9} {'commits':>9} {'faults':>9}"]
    notes = {}
    for strategy in STRATEGIES:
        if chosen.strategy not in (None, strategy) or strategy not in fitted["strategies"]:
            continue
        ns, low, high, does, outside = model.predict(fitted, strategy, chosen.size, chosen.touch,
                                                     chosen.chunk)
        step = size_text(chosen.chunk) if strategy in STEPPED else "-"
        lines.append(f"{strategy:>8} {step:>8} " + " ".join(
            f"{time_text(value):>9}" for value in (ns, low, high, ns / does["pages"])) + " "
            + " ".join(f"{count_text(does[name]):>9}" for name in model.TERMS[1:]))
        for name in outside:
            low, high = fitted["strategies"][strategy]["measured"][f"{name}_bytes"]
            notes.setdefault(f"extrapolated: the {NAMES[name]} lies outside of what was measured, "
                             f"{size_text(low)} to {size_text(high)}", []).append(strategy)
    return lines + [f"{note} ({', '.join(of)})" for note, of in notes.items()]


def main(arguments):
    try:
        chosen = options(arguments)
        print("\n".join(table(read_model(chosen.run), chosen)))
    except Usage as wrong:
        print(f"predict: {wrong}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
