"""`vmcommit COMMAND`. Modules are loaded late, so that even an early Ctrl-C ends in one line."""

import os
import signal
import sys

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP")
          if hasattr(signal, name)]


def leave(number, _frame):
    """Ends at once: an exception raised in the middle of an import may go unheard."""
    how = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    try:
        os.write(2, f"vmcommit: {how}; nothing was done\n".encode())
    finally:
        os._exit(128 + number)


def heed(handler):
    """Whoever started us with a signal ignored wants it to stay so."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def hold_standard_files():
    """A descriptor that was closed must not become that of a file. Writing to standard output then
    fails; there is nobody to tell about standard error."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")
    sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be no text


def main():
    heed(leave)
    if hasattr(signal, "pthread_sigmask"):  # the front command blocks it until here
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    hold_standard_files()
    if not __package__:  # run by its folder, as scripts/python.sh does
        sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    from vmcommit.base import late
    late.load_late("vmcommit", ENDING)
    from vmcommit.commands import edge
    status = edge.main(sys.argv[1:])
    heed(signal.SIG_IGN)  # the interpreter's end is no moment for a traceback
    return status


if __name__ == "__main__":
    sys.exit(main())
