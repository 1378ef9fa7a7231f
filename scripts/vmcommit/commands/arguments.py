"""What the commands share: how arguments are read, and where results lie."""

import argparse
import pathlib
import re

from vmcommit.base.output import say
from vmcommit.base.places import BUILD, INSTALLED, RESULTS, ROOT, version_text
from vmcommit.base.problems import Usage

__all__ = ["BUILD", "BUILD_TEXT", "RESULTS", "ROOT", "Parser", "add_build", "add_results",
           "add_seed", "add_subjects", "say", "whole_between"]
BUILD_TEXT = "the installed one" if INSTALLED else "build"


class SayVersion(argparse.Action):
    """--version, as the whole command has it."""

    def __call__(self, parser, *_):
        say(f"{parser.prog} {version_text()}")
        parser.exit()


class Parser(argparse.ArgumentParser):
    """Refuses in one line, as everything else does."""

    def __init__(self, name, description):
        super().__init__(prog=f"vmcommit {name}", description=description,
                         formatter_class=argparse.RawDescriptionHelpFormatter,
                         allow_abbrev=False)
        self.add_argument("--version", action=SayVersion, nargs=0, default=argparse.SUPPRESS,
                          help="show version, revision and build, and exit")

    def error(self, message):
        if wrong := re.fullmatch(r"argument (--[\w-]+): invalid (int|float) value: '(.*)'", message,
                                 re.DOTALL):
            what = "whole number" if wrong[2] == "int" else "number"
            raise Usage(f"{wrong[1]}: '{wrong[3]}' is no {what}")
        raise Usage(message)

    def print_help(self, file=None):
        say(self.format_help().rstrip("\n"))


def add_results(parser, what):
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS,
                        help=f"folder that {what} (default: results)")


def add_build(parser):
    parser.add_argument("--build", type=pathlib.Path, default=BUILD,
                        help="build folder; the harnesses are in its bin/ (default: "
                             f"{BUILD_TEXT})")


def whole_between(text, least, most, wrong) -> int:
    """Raises Usage, whose text `wrong` is, for what is no such number."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))
            and least <= int(text) <= most):
        raise Usage(wrong)
    return int(text)


def seed(text):
    return whole_between(text, 0, 2 ** 64 - 1, f"--seed: '{text}' is no seed; use a whole number "
                                               "from 0 to 2^64 - 1")


def add_seed(parser, usual="a new one", default=None):
    parser.add_argument("--seed", type=seed, default=default, metavar="N",
                        help=f"of the random order (default: {usual})")


def add_subjects(parser, side=""):
    """--library and --allocator; with a side, --SIDE-library and --SIDE-allocator."""
    prefix, at = (f"--{side}-", f" on the side of {side}") if side else ("--", "")
    parser.add_argument(f"{prefix}library", metavar="FILE", default="",
                        help=f"measure custom too, with this library{at}")
    parser.add_argument(f"{prefix}allocator", metavar="FILE", default="",
                        help=f"measure malloc too, with this allocator preloaded{at}; system: "
                             "the one that a process has anyway")
