"""What a command says on standard output."""

import contextlib
import os

from vmcommit.base.problems import Problem


def discard():
    """What is still to be written to standard output goes nowhere, so that ending does not try
    again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def say(text=""):
    """A line on standard output, at once. Raises Problem where it can't be written."""
    try:
        print(text, flush=True)
    except OSError as error:
        discard()
        raise Problem(f"cannot write to standard output: {error.strerror}") from None
