"""`make baseline NAME=x`: measures head alone and keeps it under a name, for make compare
BASELINE=x."""

import os
import shutil

from vmcommit.base.files import locked, relative, write_json
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.runs import ENVIRONMENT, SAMPLES
from vmcommit.base.text import counted
from vmcommit.commands.arguments import Parser, say
from vmcommit.commands.compare import (add_options, check, describe, refuse_subjects_of_base, shown,
                                       sides_of)
from vmcommit.commands.edge import keeping
from vmcommit.gate import baselines, rules
from vmcommit.gate.comparison import Built, Comparison, Samples

MISSING_CELLS = 6


def options(arguments):
    parser = Parser("baseline", __doc__)
    parser.add_argument("name", nargs="?", default=os.environ.get("VMCOMMIT_NAME", ""),
                        metavar="NAME", help="letters, digits, '.', '_' and '-'")
    add_options(parser)
    asked = check(parser.parse_args(arguments))
    if not baselines.valid_name(asked.name):
        raise Usage(f"NAME: '{asked.name}' is no name for a baseline; use letters, digits, '.', '_' "
                    "and '-'")
    refuse_subjects_of_base(asked)
    asked.base, asked.brought_alone = None, False
    return asked


def measure(asked, folder):
    strategies, sides = sides_of(asked)
    cells = rules.cells(strategies)
    comparison = Comparison({"head": Built(sides["head"])}, Samples(folder / SAMPLES), asked.seed)
    say(f"vmcommit baseline {asked.name}: {asked.rounds} rounds of {counted(len(cells), 'cell')}")
    comparison.round = -1  # a comparison's counts are of round 0
    shown(lambda display: comparison.measure(
        [rules.Result(cell, rules.SAME) for cell in cells], asked.rounds + 1, display))
    if comparison.broken:
        cell, why = next(iter(comparison.broken.items()))
        raise Problem(f"{cell}: {why}; no baseline was kept", MISSING_CELLS)


def main(arguments):
    asked = options(arguments)
    kept = asked.results / "baselines" / asked.name
    aside = kept.with_name(f".{asked.name}")  # until it is complete
    described = describe(asked)
    with locked(kept.with_name(f".{asked.name}.lock"), "measuring"):
        with keeping(lambda: "no baseline was kept"):
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            measure(asked, aside)
            write_json(aside / ENVIRONMENT, described)
            shutil.rmtree(kept, ignore_errors=True)
            aside.rename(kept)
    say(f"baseline: {relative(kept)}")
    return 0
