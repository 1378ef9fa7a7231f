"""Files that are written whole or not at all, and folders that one command at a time writes to."""

import contextlib
import csv
import errno
import io
import json
import os
import pathlib
import tempfile

from vmcommit.base.problems import Problem

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

BUSY = 75  # EX_TEMPFAIL: somebody else is at it


def relative(path):
    """As the reader would type it; Windows has no relative path to another drive."""
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)


def write_bytes(path, content):
    """Written beside `path` and renamed, so that a reader finds the old content or the new."""
    path = pathlib.Path(path)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(scratch, 0o666 & ~umask)
        os.replace(scratch, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def write_text(path, text):
    write_bytes(path, text.encode("utf-8"))


def write_json(path, value):
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


class RowFile:
    """A CSV file (RFC 4180) in which each row is as soon as it is added, whole or not at all."""

    def __init__(self, path, columns, append=False):
        self.path = path
        self.columns = list(columns)
        self.file = open(path, "ab" if append else "wb", buffering=0)
        if self.file.tell() == 0:
            self.add(dict(zip(self.columns, self.columns)))

    def add(self, row):
        """Columns that the file lacks are left out. Raises OSError."""
        line = io.StringIO()
        csv.DictWriter(line, self.columns, extrasaction="ignore").writerow(row)
        content = line.getvalue().encode("utf-8")
        end = self.file.seek(0, os.SEEK_END)
        try:
            if self.file.write(content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with contextlib.suppress(OSError):
                self.file.truncate(end)
            error.filename = str(self.path)
            raise

    def close(self):
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def take_lock(file):
    """Raises OSError where somebody else has it."""
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)


@contextlib.contextmanager
def locked(path, what):
    """Holds the lock file at `path`, whose text names who has it, for the time of a with block.
    Raises Problem if another process holds it; `what` says what both want to do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            take_lock(file)
        except OSError:
            file.seek(0)
            holder = file.read(80).strip() or "another process"
            raise Problem(f"{relative(path.parent)}: {holder} is {what} there already; wait for "
                          "it, or name another folder", BUSY) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}\n")
        file.flush()
        yield
