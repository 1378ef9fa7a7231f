"""Other programs, run to their end or for a limited time. What they started ends with them."""

import contextlib
import os
import signal
import subprocess
from subprocess import TimeoutExpired

__all__ = ["TimeoutExpired", "end_group", "run", "started"]


def end_group(process):
    """Ends a process that leads a group, and all that it started in there."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


@contextlib.contextmanager
def started(command, **options):
    """A process with its output as text, unless `options` send it elsewhere; bytes that are no
    UTF-8 are replaced. It is ended with its group where the with block ends by an exception. It has
    a session of its own, which a terminal sends no signal. Raises OSError where it did not
    start."""
    usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
             "text": True, "encoding": "utf-8", "errors": "replace", "start_new_session": True}
    with subprocess.Popen(command, **usual | options) as process:
        try:
            yield process
        except BaseException:
            end_group(process)
            raise


def run(command, seconds, **options) -> subprocess.CompletedProcess:
    """A process that ended. Raises TimeoutExpired where it did not in time."""
    with started(command, **options) as process:
        printed, said = process.communicate(timeout=seconds)
    return subprocess.CompletedProcess(command, process.returncode, printed, said)
