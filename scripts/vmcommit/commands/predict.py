"""What a cycle is expected to cost, by the cost model that a run's advice.json holds."""

import fractions
import pathlib
import re

from vmcommit.analyse import model
from vmcommit.base.conventions import DEFAULT_STEP
from vmcommit.base.files import relative
from vmcommit.base.folder import (ENVIRONMENT, MOST, Unreadable, read_environment, read_json,
                                  strategies_of)
from vmcommit.base.places import command
from vmcommit.base.problems import Usage
from vmcommit.base.units import GIB, KIB, MIB, count_text, size_text, time_text
from vmcommit.commands.arguments import RESULTS, Parser, say
from vmcommit.commands.bench import LATEST

NAMES = {"size": "size", "touched": "touched part", "chunk": "step"}
UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB}


def size_of(option, text):
    size = re.fullmatch(r"([0-9]{1,15})([KMG]?)", text)
    if not size or int(size[1]) == 0:
        raise Usage(f"{option}: '{text}' is no size; use bytes, or K, M, G, as in 64M")
    if int(size[1]) * UNITS[size[2]] > MOST:
        raise Usage(f"{option}: '{text}' is more than there is; use at most {int(MOST)}")
    return int(size[1]) * UNITS[size[2]]


def touch_of(text):
    touch = fractions.Fraction(text) if re.fullmatch(r"[01](\.[0-9]{1,6})?", text) else 0
    if not 0 < touch <= 1:
        raise Usage(f"--touch: '{text}' is no part of a region; use more than 0 and up to 1, "
                    "as in 0.1")
    return touch


def threads_of(text):
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise Usage(f"--threads: '{text}' is no number of threads; use a whole number from 1 on")
    return int(text)


def options(arguments):
    parser = Parser("predict", __doc__)
    parser.add_argument("--size", required=True, help="of the region, as in 64M")
    parser.add_argument("--touch", default="1", help="part of it that is written to (default: 1)")
    parser.add_argument("--chunk", default=str(DEFAULT_STEP),
                        help="step of those strategies that have one (default: 64K)")
    parser.add_argument("--threads", default="1", metavar="N",
                        help="do it at the same time, with a region each (default: 1)")
    parser.add_argument("--strategy", help="of the run's (default: all)")
    parser.add_argument("--run", type=pathlib.Path, default=RESULTS / LATEST,
                        help="folder of the run (default: results/latest)")
    asked = parser.parse_args(arguments)
    asked.size, asked.chunk = size_of("--size", asked.size), size_of("--chunk", asked.chunk)
    asked.touch, asked.threads = touch_of(asked.touch), threads_of(asked.threads)
    return asked


def read_run(folder):
    """(cost model, {name: Strategy}) of a run."""
    path = folder / "advice.json"
    try:
        strategies = strategies_of(read_environment(folder / ENVIRONMENT), folder / ENVIRONMENT)
        fitted = model.checked(read_json(path))
        refuse_unknown_steps(fitted, strategies)
        return fitted, strategies
    except Unreadable as why:
        raise Usage(f"--run: {why}; run {command('bench')} or {command('report')} first") from None
    except ValueError as error:
        raise Usage(f"--run: {relative(path)} is no advice.json of this version ({error}); run "
                    f"{command('report')}") from None


def refuse_unknown_steps(fitted, strategies):
    """Raises ValueError where a strategy has steps, and its model says nothing of which."""
    for name, known in fitted["strategies"].items():
        if name in strategies and strategies[name].stepped \
                and known["measured"].get("chunk_bytes") is None:
            raise ValueError(f"model.strategies.{name}.measured")


def asked_strategies(asked, fitted, strategies):
    """Those that the run has a model of."""
    if asked.strategy is not None and asked.strategy not in strategies:
        raise Usage(f"--strategy: '{asked.strategy}' is no strategy of this run; use "
                    f"{', '.join(strategies)}")
    wanted = [strategy for name, strategy in strategies.items()
              if asked.strategy in (None, name) and name in fitted["strategies"]]
    if not wanted:
        raise Usage("--run: this run has no cost model of "
                    f"{asked.strategy or 'any strategy'}; its times stand for no system, or are "
                    "too few")
    return wanted


def refuse_unknown_threads(threads, wanted, fitted):
    """Where the run has no prices of so many."""
    by_number = [fitted["strategies"][strategy.name].get("threads", {}) for strategy in wanted]
    if threads == 1 or all(str(threads) in by for by in by_number):
        return
    known = sorted(set.intersection(*map(set, by_number)), key=int)
    raise Usage(f"--threads: '{threads}': this run has no price of what so many threads do; "
                + (f"use 1 or {', '.join(known)}" if known else
                   f"run {command('bench')} with the campaign threads"))


def in_pages(option, value, page):
    if value % page:
        raise Usage(f"{option}: '{value}' is no multiple of the page size, {page}")


def table(asked, fitted, strategies):
    """Aligned lines, one for each strategy, and what lies outside of what was measured."""
    page = fitted["page_bytes"]
    in_pages("--size", asked.size, page)
    in_pages("--chunk", asked.chunk, page)
    lines = [f"{'strategy':>8} {'step':>8} {'expected':>9} {'low':>9} {'high':>9} {'per page':>9} "
             f"{'pages':>9} {'commits':>9} {'faults':>9}"]
    notes = {}
    wanted = asked_strategies(asked, fitted, strategies)
    refuse_unknown_threads(asked.threads, wanted, fitted)
    for strategy in wanted:
        ns, low, high, does, outside = model.predict(fitted, strategy, asked.size, asked.touch,
                                                     asked.chunk, asked.threads)
        step = size_text(asked.chunk) if strategy.stepped else "-"
        lines.append(f"{strategy.name:>8} {step:>8} " + " ".join(
            f"{time_text(value):>9}" for value in (ns, low, high, ns / does["pages"])) + " "
            + " ".join(f"{count_text(does[name]):>9}" for name in model.TERMS[1:]))
        for name in outside:
            low, high = fitted["strategies"][strategy.name]["measured"][f"{name}_bytes"]
            notes.setdefault(f"extrapolated: the {NAMES[name]} lies outside of what was measured, "
                             f"{size_text(low)} to {size_text(high)}", []).append(strategy.name)
    return lines + [f"{note} ({', '.join(of)})" for note, of in notes.items()] \
        + threads_note(asked.threads, fitted["strategies"][wanted[0].name], does["pages"], page)


def threads_note(threads, fitted, pages, page):
    if threads == 1:
        return []
    size = model.threads_like(fitted, threads, pages)["pages"] * page
    return [f"by each of {threads} threads of one address space, with a region each; what that "
            f"adds was measured with {size_text(size)} each"]


def main(arguments):
    asked = options(arguments)
    say("\n".join(table(asked, *read_run(asked.run))))
    return 0
