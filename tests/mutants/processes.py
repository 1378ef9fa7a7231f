"""Running a test so that neither a hang nor a process that it leaves behind outlives it."""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import threading
import time
import uuid

MARK = "VMCOMMIT_MUTANT"  # in the environment of all that a test starts
FILE_BYTES = 4 << 30  # a changed loop may write for ever
TIMEOUT = "timeout"
RUNNING = set()  # the marks of what has not ended yet
STOPPED = threading.Event()  # nothing more is started


class Stopped(Exception):
    """The run is being ended."""


def limit(memory_bytes):
    """What a change may make a program take of the machine. In the background SIGQUIT would be
    ignored."""
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def machine_bytes():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def marked(mark):
    """The processes whose environment holds the mark."""
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes():
                    yield int(folder.name)


def end_marked(mark, tries=50):
    """Ends them, and those that they start meanwhile."""
    for _ in range(tries):
        remaining = list(marked(mark.encode()))
        for process in remaining:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        if not remaining:
            return
        time.sleep(0.1)


def empty(folder):
    """Without what is in it, whatever its permissions."""
    subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def remove(folder, tries=50):
    """What was ended a moment ago may still be writing there."""
    for _ in range(tries):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def run(command, folder, environment, seconds, log, memory_bytes=None):
    """The exit status, or TIMEOUT; output goes to the file `log`. Ends all that was started.
    Raises Stopped."""
    if STOPPED.is_set():
        raise Stopped
    mark = f"{MARK}={uuid.uuid4().hex}"
    bound = memory_bytes or machine_bytes() * 3 // 4
    RUNNING.add(mark)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**environment, MARK: mark.split("=")[1]},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=lambda: limit(bound))
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return TIMEOUT
        finally:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            end_marked(mark)
            RUNNING.discard(mark)


def stop(threads):
    """Ends what the threads have started, and waits for them: they start nothing more."""
    STOPPED.set()
    for thread in threads:
        while thread.is_alive():
            for mark in list(RUNNING):
                end_marked(mark)
            thread.join(0.1)
    STOPPED.clear()
