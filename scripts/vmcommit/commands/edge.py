"""Which commands there are, and how each of them ends: with a status, and with one line where it
could not do what it was asked for."""

import contextlib
import importlib
import os
import signal
import sys
import traceback

from vmcommit.base.files import relative
from vmcommit.base.problems import Problem
from vmcommit.base.text import printable

COMMANDS = {
    "bench": "measure what it costs to commit memory, draw it and say what to choose",
    "report": "draw a run again; lay several runs over each other",
    "predict": "say what a cycle is expected to cost, by a run's cost model",
    "compare": "say what got slower between two builds, or since a stored baseline",
    "baseline": "store a baseline for later comparisons",
    "trend": "draw the history of comparisons, and say where changes began",
    "verify": "hold the counts against strace, perf and /proc",
    "overhead": "measure what a harness adds to what it measures",
    "rates": "measure how often compare raises a false alarm, and what it finds",
}
INTERRUPTED, TERMINATED = 130, 143
DEFECT, AROUND = 70, 74  # as in sysexits.h: a defect of ours; a disk, a pipe or a program
VERDICTS = ("compare",)  # whose exit status 1 is a verdict, so that no failure may have it


class Terminated(BaseException):
    """SIGTERM: somebody asked us to end."""


def usage():
    width = max(map(len, COMMANDS))
    return "\n".join(["usage: vmcommit COMMAND [OPTION]...", "",
                      *(f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()),
                      "", "vmcommit COMMAND --help tells its options."])


@contextlib.contextmanager
def keeping(kept, remedy=""):
    """Turns what may end a measurement into a Problem that says what is kept of it; kept() gives
    that text, `remedy` what to do with it."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as signalled:
        early = isinstance(signalled, KeyboardInterrupt)
        raise Problem(f"{'interrupted' if early else 'ended by SIGTERM'}; {kept()}{remedy}",
                      INTERRUPTED if early else TERMINATED) from None
    except OSError as error:
        raise Problem(f"{of_file(error)}; {kept()}{remedy}") from None


def of_file(error):
    """What could not be done with which file, in words."""
    if error.filename is None:
        return f"the system refused: {error.strerror or error}"
    return f"cannot write {relative(error.filename)}: {error.strerror}"


def on_terminate(_number, _frame):
    raise Terminated


def carry_out(name, arguments):
    """The exit status of a command; a Problem becomes one line on standard error."""
    try:
        signal.signal(signal.SIGTERM, on_terminate)
        return importlib.import_module(f"vmcommit.commands.{name}").main(arguments)
    except Problem as problem:
        message, status = str(problem), problem.status
    except KeyboardInterrupt:
        message, status = "interrupted", INTERRUPTED
    except Terminated:
        message, status = "ended by SIGTERM", TERMINATED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        message, status = "standard output was closed", 1
    except OSError as error:
        message, status = of_file(error), 1
    except ModuleNotFoundError as error:
        if error.name.startswith("vmcommit"):
            raise
        message, status = f"this Python has no {error.name}: run ./scripts/setup.sh", 1
    except Exception:
        traceback.print_exc()
        message, status = "this is a defect of vmcommit", DEFECT
    print(printable(f"{name}: {message}"), file=sys.stderr)
    return AROUND if status == 1 and name in VERDICTS else status


def main(arguments):
    if not arguments or arguments[0] in ("--help", "-h"):
        print(usage())
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"vmcommit: '{name}' is no command; use {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return carry_out(name, rest)
