"""`make baseline NAME=x`: measures head alone and keeps it under a name, for make compare
BASELINE=x."""

import os
import shutil

from vmcommit.base import strategies
from vmcommit.base.files import locked, relative, write_json
from vmcommit.base.folder import ENVIRONMENT, SAMPLES
from vmcommit.base.problems import Problem
from vmcommit.base.text import counted
from vmcommit.commands.arguments import Parser, say
from vmcommit.commands.compare import (add_options, check, describe, refuse_bad_name,
                                       refuse_subjects_of_base, shown, sides_of)
from vmcommit.commands.edge import keeping
from vmcommit.gate import chosen
from vmcommit.gate import comparison as comparing
from vmcommit.gate import rules


def options(arguments):
    parser = Parser("baseline", __doc__)
    parser.add_argument("name", nargs="?", default=os.environ.get("VMCOMMIT_NAME", ""),
                        metavar="NAME", help="letters, digits, '.', '_' and '-'")
    add_options(parser)
    asked = check(parser.parse_args(arguments))
    refuse_bad_name("NAME", asked.name)
    refuse_subjects_of_base(asked)
    asked.base, asked.brought_alone = None, False
    return asked


def measure(asked, samples):
    """Takes all samples, and returns the strategies that they are of."""
    measured, sides = sides_of(asked)
    cells = chosen.cells(measured, asked.cells)
    comparison = comparing.Comparison({"head": comparing.Built(sides["head"])}, samples, asked.seed,
                                      rules.Rule(len(cells)))
    say(f"vmcommit baseline {asked.name}: {counted(asked.rounds, 'round')} of "
        f"{counted(len(cells), 'cell')}")
    comparison.round = -1  # a comparison's counts are of round 0
    shown(lambda display: comparison.measure(
        [rules.Result(cell, rules.SAME) for cell in cells], asked.rounds + 1, display))
    if comparison.broken:
        cell, why = next(iter(comparison.broken.items()))
        raise Problem(f"{cell}: {why}; no baseline was kept", rules.INCOMPLETE)
    if samples.failure:
        raise samples.failure
    return measured


def replace(kept, aside):
    """Puts `aside` in the place of `kept`. Raises OSError."""
    old = kept.with_name(f".{kept.name}~old")
    if old.exists() and not kept.exists():  # as a command that was ended here left it
        old.rename(kept)
    shutil.rmtree(old, ignore_errors=True)
    if kept.exists():
        kept.rename(old)
    aside.rename(kept)
    shutil.rmtree(old, ignore_errors=True)


def keep(asked, kept):
    aside = kept.with_name(f".{asked.name}~new")  # until it is complete; no name has a tilde
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        described = describe(asked)
        with comparing.Samples(aside / SAMPLES) as samples:
            measured = measure(asked, samples)
        write_json(aside / ENVIRONMENT, described | {
            "strategies": [strategies.to_json(strategy) for strategy in measured]})
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    replace(kept, aside)


def main(arguments):
    asked = options(arguments)
    kept = asked.results / "baselines" / asked.name
    with keeping(lambda: "no baseline was kept"):
        with locked(kept.with_name(f".{asked.name}~lock"), "measuring"):
            keep(asked, kept)
    say(f"baseline: {relative(kept)}")
    return 0
