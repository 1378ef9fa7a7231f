"""Commands that run in a fork of the test's process, which has loaded their modules already: what
is checked is what a command does, and not how it is started."""

import contextlib
import os
import subprocess
import sys
import tempfile
import traceback

from support import ROOT  # noqa: F401  which also says where vmcommit is

from vmcommit.commands import edge


def forked(arguments, prepared):
    """The finished command; what `prepared` does is done in the fork first."""
    arguments = list(map(str, arguments))
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = os.fork()
        if process == 0:
            status = 98
            with contextlib.suppress(BaseException):
                status = carried_out(arguments, prepared, output.fileno(), errors.fileno())
            os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, status, *(
            file.read().decode("utf-8", "replace") for file in (output, errors)))


def carried_out(arguments, prepared, output, errors):
    """The exit status of a command whose standard files are these."""
    for number, file in ((1, output), (2, errors)):
        os.dup2(file, number)
    try:
        sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace")
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace")
        prepared()
        status = edge.main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        return status
    except BaseException:
        traceback.print_exc()
        return 99
