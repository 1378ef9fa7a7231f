"""Other programs, run to their end or for a limited time. What they started ends with them."""

import contextlib
import os
import signal
import subprocess


def end_group(process):
    """Ends a process that leads a group, and all that it started in there."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def run(command, seconds, **options) -> subprocess.CompletedProcess:
    """A process that ended, with its output as text; bytes that are no UTF-8 are replaced. Raises
    OSError where it did not start, subprocess.TimeoutExpired where it did not end in time. A signal
    that ends us ends it too: it has a session of its own, which a terminal sends none."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
                          start_new_session=True, **options) as process:
        try:
            printed, said = process.communicate(timeout=seconds)
        except BaseException:
            end_group(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, printed, said)
