"""Where vmcommit lies: in its source tree, or installed; and which version it is."""

import json
import os
import pathlib

ABOVE = pathlib.Path(__file__).resolve().parents[2]  # the folder that holds the package
MARK = ABOVE / "programs.txt"  # installed with it: where the programs are, seen from there


def programs_of(mark):
    """The folder of an installed build; None where nothing is installed."""
    try:
        return (mark.parent / mark.read_text(encoding="utf-8").strip()).resolve()
    except OSError:
        return None


INSTALLED = programs_of(MARK)
ROOT = None if INSTALLED else ABOVE.parent  # of the source tree
BUILD = INSTALLED or ABOVE.parent / "build"  # has bin/ and build.json
RESULTS = pathlib.Path(os.environ.get("VMCOMMIT_RESULTS") or (ROOT or pathlib.Path()) / "results")
SETUP = "vmcommit doctor says how to install it" if INSTALLED else "run ./scripts/setup.sh"
OTHER_RESULTS = "--results" if INSTALLED else "RESULTS="


def command(name):
    """How a command is typed here, for messages."""
    return f"vmcommit {name}" if INSTALLED else f"make {name}"


def program(name):
    """How a program of the build is typed here, for messages."""
    return f"vmcommit {name}" if INSTALLED else f"build/bin/{name}"


def version_text(build=BUILD):
    """0.1.0, revision 0123456789ab, GNU 12.2.0 -O2: as the programs of a build say it."""
    try:
        facts = json.loads((build / "build.json").read_text(encoding="utf-8"))
        revision, plus, changes = facts["revision"].partition("+")
        return (f"{facts['version_of_vmcommit']}, revision {revision[:12]}{plus}{changes}, "
                f"{facts['compiler']} {facts['version']} {facts['flags']}")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return f"of unknown version: there is no build in {build}"
