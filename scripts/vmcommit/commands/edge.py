"""Which commands there are, and how each of them ends: with a status, and with one line where it
could not do what it was asked for."""

import contextlib
import errno
import importlib
import os
import signal
import sys
import textwrap
import traceback

from vmcommit.base.files import relative
from vmcommit.base.output import say
from vmcommit.base.places import BUILD, SETUP, version_text
from vmcommit.base.problems import Problem
from vmcommit.base.strategies import APART
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
    "fleet": "measure many machines, and name those that are lost",
    "kernels": "count on other kernels, booted in QEMU",
    "doctor": "say what of this machine disturbs or limits measuring, and what mends it",
    "record": "record what a program does with memory; report, compare, what-if, measure: on those",
    "rates": "measure how often compare raises a false alarm, and what it finds",
}
# Programs that are in no campaign, and commands of their own.
TOOLS = (*APART, "surroundings", "calls", "walk", "replay", "array", "list", "buffer")
# Besides SIGINT, which raises KeyboardInterrupt.
ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
DEFECT, AROUND = 70, 74  # as in sysexits.h: a defect of ours; a disk, a pipe or a program
VERDICTS = ("compare", "doctor")  # whose exit status 1 is a verdict, so that no failure may have it
INTERRUPTED = 128 + signal.SIGINT
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class Terminated(BaseException):
    """A signal by which somebody asked us to end; `args` has its number."""


def programs():
    """Names of the programs that are commands too: the harnesses, and tools of their own."""
    try:
        harnesses = (BUILD / "bin" / "harnesses.txt").read_text(encoding="utf-8").split()
    except OSError:
        harnesses = []
    return [name for name in (*harnesses, *TOOLS) if (BUILD / "bin" / name).is_file()]


def usage():
    width = max(map(len, COMMANDS))
    return "\n".join(["usage: vmcommit COMMAND [OPTION]...", "",
                      *(f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()),
                      *textwrap.wrap(f"One strategy or tool: {', '.join(programs())}", 80,
                                     initial_indent="\n", subsequent_indent="  "),
                      "", "vmcommit COMMAND --help tells its options; vmcommit --version which "
                      "version this is."])


def become(name, arguments):
    """Turns this process into a program of the build, so that its signals and status are its own.
    Returns only where that can't be done."""
    try:
        os.execv(BUILD / "bin" / name, [name, *arguments])
    except OSError as error:
        tell(f"{name}: cannot be started: {error.strerror}")
    return 1


def how_ended(signalled):
    """(what happened, exit status) of a KeyboardInterrupt or Terminated."""
    if isinstance(signalled, Terminated):
        number = signalled.args[0]
        return f"ended by {signal.Signals(number).name}", 128 + number
    return "interrupted", INTERRUPTED


@contextlib.contextmanager
def keeping(kept=str, remedy=""):
    """Turns what may end a command into a Problem that says what is kept of its work: kept() gives
    that text. `remedy` is for a file that can't be written."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as signalled:
        what, status = how_ended(signalled)
        raise Problem("; ".join(filter(None, (what, kept()))), status) from None
    except OSError as error:
        raise Problem("; ".join(filter(None, (of_file(error), kept(), remedy)))) from None


def of_file(error):
    """What could not be done with which file, in words."""
    why = error.strerror or str(error)
    if error.filename is None:
        return f"the system refused: {why}"
    return f"{'cannot write ' if error.errno in FULL else ''}{relative(error.filename)}: {why}"


def on_ending(number, _frame):
    raise Terminated(number)


@contextlib.contextmanager
def heeding_signals():
    """Signals that ask us to end raise an exception for the time of a with block; what was ignored
    stays so."""
    handlers = {signal.SIGINT: signal.default_int_handler} | dict.fromkeys(ENDING, on_ending)
    before = {number: signal.getsignal(number) for number in handlers}
    heeded = [number for number in handlers if before[number] is not signal.SIG_IGN]
    try:
        for number in heeded:
            signal.signal(number, handlers[number])
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def module_problem(error):
    """Why a module of the distribution can't be loaded."""
    if error.name and error.name.startswith("vmcommit"):
        raise error
    what = "has no" if isinstance(error, ModuleNotFoundError) else "can't load"
    return f"this Python {what} {error.name or 'a module'}: {SETUP}"


def carry_out(name, arguments):
    """The exit status of a command; a Problem becomes one line on standard error."""
    try:
        carried_out = importlib.import_module(f"vmcommit.commands.{name}").main
        with heeding_signals():
            return carried_out(arguments)
    except Problem as problem:
        message, status = str(problem), problem.status
    except (KeyboardInterrupt, Terminated) as signalled:
        message, status = how_ended(signalled)
    except OSError as error:
        message, status = of_file(error), 1
    except MemoryError:
        message, status = "this machine has not enough memory for it", 1
    except ImportError as error:
        message, status = module_problem(error), 1
    except Exception:
        traceback.print_exc()
        message, status = "this is a defect of vmcommit", DEFECT
    tell(f"{name}: {message}")
    return AROUND if status == 1 and name in VERDICTS else status


def tell(message):
    """One line on standard error; if that can't be written, the exit status has to do."""
    with contextlib.suppress(OSError):
        print(printable(message), file=sys.stderr, flush=True)


def answer(text, status):
    try:
        say(text)
    except Problem as problem:
        tell(f"vmcommit: {problem}")
        return problem.status
    return status


def main(arguments):
    if not arguments:
        return answer(usage(), 2)
    name, *rest = arguments
    if name in ("--help", "-h"):
        return answer(usage(), 0)
    if name == "--version":
        return answer(f"vmcommit {version_text()}", 0)
    if name in programs():
        return become(name, rest)
    if name not in COMMANDS:
        tell(f"vmcommit: '{name}' is no command; use {', '.join((*COMMANDS, *programs()))}")
        return 2
    return carry_out(name, rest)
