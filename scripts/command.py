"""What the commands share: where results lie, and how a run ends with one line."""

import argparse
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = pathlib.Path(os.environ.get("VMCOMMIT_RESULTS") or ROOT / "results")


class Problem(Exception):
    """Ends a command with one line; `status` is the exit status."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


class Usage(Problem):
    """Bad input: which argument, which value, what would be right."""

    def __init__(self, message):
        super().__init__(message, 2)


class Parser(argparse.ArgumentParser):
    """Refuses in one line, as everything else does."""

    def error(self, message):
        raise Usage(message)
