"""What the Python tests share: running a built program and reading its rows.

VMCOMMIT_BIN names the folder of the programs; VMCOMMIT_EMULATOR what they are run through, if
anything.
"""

import csv
import functools
import io
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from vmcommit.base.processes import end_group  # noqa: E402

# What nohup or a shell's & ignores would be ignored by all that a test starts.
for ending, default in (("SIGINT", signal.default_int_handler), ("SIGTERM", signal.SIG_DFL),
                        ("SIGHUP", signal.SIG_DFL)):
    if hasattr(signal, ending) and signal.getsignal(getattr(signal, ending)) is signal.SIG_IGN:
        signal.signal(getattr(signal, ending), default)

BIN = pathlib.Path(os.environ.get("VMCOMMIT_BIN", ROOT / "build" / "bin")).absolute()
EMULATOR = shlex.split(os.environ.get("VMCOMMIT_EMULATOR", ""))
SUFFIX = ".exe" if EMULATOR or os.name == "nt" else ""
WINDOWS = bool(SUFFIX)
SANITIZED = bool(os.environ.get("VMCOMMIT_SANITIZED"))
STRATEGIES = ("upfront", "fault", "chunked", "guard")
PAGE = 4096
SECONDS = 240  # that a program may take


def command(program, *arguments):
    return [*EMULATOR, str(BIN / (program + SUFFIX)), *map(str, arguments)]


def begin(words, **options):
    """A process that leads a group of its own; the caller's to end."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8",
             "errors": "replace", "start_new_session": True}
    return subprocess.Popen([*map(str, words)], **{**pipes, **options})


def finish(process, seconds=SECONDS, given=None):
    """The process when it has ended, with its output as text. One that does not end in time is
    ended with all that it started, and subprocess.TimeoutExpired is raised."""
    with process:
        try:
            output, errors = process.communicate(given, timeout=seconds)
        except BaseException:
            end_group(process)
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def execute(words, seconds=SECONDS, given=None, **options):
    """Runs a command to its end; its exit status is the caller's to check."""
    if given is not None:
        options["stdin"] = subprocess.PIPE
    return finish(begin(words, **options), seconds, given)


def goes(pid, seconds=10):
    """Whether a process of that number ends within the time. Needs /proc."""
    stat = pathlib.Path(f"/proc/{pid}/stat")
    for _ in range(100 * seconds):
        try:
            if stat.read_text().rpartition(") ")[2][0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def lost_by_wine(done):
    """Whether Wine lost a process: as its C library ended, or as it started. Then the status is 1
    and nothing is said, while the program runs on, and its row was seen to go into a file that
    Wine's parent had open: once in 5567 starts, three at a time."""
    silent = done.returncode == 1 and not done.stdout and not done.stderr
    return bool(EMULATOR) and (silent or "dl-fini.c" in done.stderr)


def run(program, *arguments, **options):
    """execute() for a program of the build."""
    done = execute(command(program, *arguments), **options)
    return execute(done.args, **options) if lost_by_wine(done) else done


def vmcommit(*arguments):
    """The words of a command of the suite, with one more profile, `tiny`."""
    return [sys.executable, str(ROOT / "tests" / "tiny.py"), *map(str, arguments)]


def campaign(name, results):
    """A campaign of that profile, carried out. (what was said, the run's folder)."""
    done = execute(vmcommit("bench", "--build", BIN.parent, "--results", results,
                            "--profile", "tiny", "--campaign", name),
                   env=os.environ | {"VMCOMMIT_CAMPAIGN": ""})
    assert done.returncode in (0, 1), done.stderr  # 1: gnuplot may be missing
    return done.stdout, pathlib.Path(results) / "latest"


def parse(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def rows(program, *arguments, **options):
    """The rows of a run that must succeed."""
    done = run(program, *arguments, **options)
    if done.returncode != 0:
        raise AssertionError(f"{done.args} ended with {done.returncode}: {done.stderr}")
    return parse(done.stdout)


def number(row, column):
    return int(row[column])


@functools.cache
def describe(program):
    """What a harness says of itself."""
    done = run(program, "--describe")
    if (done.returncode, done.stderr) != (0, ""):
        raise AssertionError(f"{done.args} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def taken_by(program, *arguments):
    """Those of option, value, option, value... that the harness takes."""
    pairs = zip(arguments[::2], arguments[1::2], strict=True)
    return [word for option, value in pairs if option in describe(program)["options"]
            for word in (option, value)]


def tracked():
    """Paths of the files that belong to the repository, committed yet or not. Skips a test where
    git can't say, as in an unpacked archive."""
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached",
                             "--others", "--exclude-standard"], cwd=ROOT, capture_output=True,
                            text=True)
    if listed.returncode != 0:
        raise unittest.SkipTest(f"git can't list the files: {listed.stderr.strip()}")
    return sorted(pathlib.PurePosixPath(name) for name in listed.stdout.split("\0")
                  if name and (ROOT / name).is_file())
