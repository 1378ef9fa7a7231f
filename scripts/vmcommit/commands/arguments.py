"""What the commands share: how arguments are read, and where results lie."""

import argparse
import os
import pathlib

from vmcommit.base.output import say
from vmcommit.base.problems import Usage

__all__ = ["RESULTS", "ROOT", "Parser", "add_build", "add_results", "add_subjects", "say"]
ROOT = pathlib.Path(__file__).resolve().parents[3]
RESULTS = pathlib.Path(os.environ.get("VMCOMMIT_RESULTS") or ROOT / "results")


class Parser(argparse.ArgumentParser):
    """Refuses in one line, as everything else does."""

    def __init__(self, name, description):
        super().__init__(prog=f"vmcommit {name}", description=description,
                         formatter_class=argparse.RawDescriptionHelpFormatter,
                         allow_abbrev=False)

    def error(self, message):
        raise Usage(message)

    def print_help(self, file=None):
        say(self.format_help().rstrip("\n"))


def add_results(parser, what):
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS,
                        help=f"folder that {what} (default: results)")


def add_build(parser):
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="build folder; the harnesses are in its bin/ (default: build)")


def add_subjects(parser, side=""):
    """--library and --allocator; with a side, --SIDE-library and --SIDE-allocator."""
    prefix, at = (f"--{side}-", f" on the side of {side}") if side else ("--", "")
    parser.add_argument(f"{prefix}library", metavar="FILE", default="",
                        help=f"measure custom too, with this library{at}")
    parser.add_argument(f"{prefix}allocator", metavar="FILE", default="",
                        help=f"measure malloc too, with this allocator preloaded{at}; system: "
                             "the one that a process has anyway")
