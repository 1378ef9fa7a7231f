"""Files that are written whole or not at all, and folders that one command at a time writes to."""

import contextlib
import csv
import errno
import io
import json
import os
import pathlib
import sys
import tempfile

from vmcommit.base.problems import Problem

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

BUSY = 75  # EX_TEMPFAIL: somebody else is at it
HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}  # by another process


def relative(path):
    """As the reader would type it; there is no such path to another drive of Windows, or from a
    folder that is gone."""
    try:
        return os.path.relpath(path)
    except (ValueError, OSError):
        return str(path)


def write_bytes(path, content):
    """Written beside `path` and renamed, so that a reader finds the old content or the new."""
    path = pathlib.Path(path)
    with naming(path):
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)  # else a crash may leave the new name with nothing in it
            os.chmod(scratch, 0o666 & ~umask())
            os.replace(scratch, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(scratch)
            raise


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def naming(path):
    """An OSError names this file, not the scratch file beside it, or none."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def encoded(text) -> bytes:
    """UTF-8. What is no text, as in a file name of other bytes, becomes an escape; in JSON that is
    the same text when it is read back."""
    return text.encode("utf-8", "backslashreplace")


def write_text(path, text):
    write_bytes(path, encoded(text))


def write_json(path, value):
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def line_of(row, columns) -> bytes:
    """A row of a CSV file (RFC 4180). What the row lacks is an empty cell; what the file lacks is
    left out."""
    line = io.StringIO()
    csv.DictWriter(line, columns, extrasaction="ignore").writerow(row)
    return encoded(line.getvalue())


def write_rows(path, columns, rows):
    write_bytes(path, b"".join(line_of(row, columns)
                               for row in (dict(zip(columns, columns)), *rows)))


class RowFile:
    """A CSV file (RFC 4180) in which each row is as soon as it is added, whole or not at all."""

    def __init__(self, path, columns, append=False):
        self.path = path
        self.columns = list(columns)
        self.file = open(path, "ab" if append else "wb", buffering=0)
        if self.file.tell() == 0:
            self.add(dict(zip(self.columns, self.columns)))

    def add(self, row):
        """Raises OSError."""
        with naming(self.path):
            self.write(line_of(row, self.columns))

    def write(self, content):
        """All of it or nothing. A disk that is nearly full takes a part, and says why it takes no
        more when it is asked again."""
        end = self.file.seek(0, os.SEEK_END)
        try:
            while content:
                content = content[self.file.write(content):]
        except BaseException:
            with contextlib.suppress(OSError):
                self.file.truncate(end)
            raise

    def close(self):
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def take_lock(file) -> bool:
    """Whether nobody else has it. Raises OSError where this file system has no locks."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            return False
        raise
    return True


def open_lock(path):
    """To append, or to read where somebody else's may not be written."""
    try:
        return open(path, "a+b", buffering=0)
    except PermissionError:
        return open(path, "rb", buffering=0)


@contextlib.contextmanager
def locked(path, what):
    """Holds the lock file at `path`, whose text names who has it, for the time of a with block.
    Raises Problem if another process holds it; `what` says what both want to do. The system gives
    it back however its holder ends, so the file itself may stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(path) as file:
        with naming(path):
            free = take_lock(file)
        if not free:
            file.seek(0)
            holder = file.read(80).decode("utf-8", "replace").strip() or "another process"
            raise Problem(f"{relative(path.parent)}: {holder} is {what} there already; wait for "
                          "it, or name another folder", BUSY)
        # A full disk takes a lock, if no name.
        with contextlib.suppress(OSError, ValueError):
            file.truncate(0)
            file.write(f"process {os.getpid()}\n".encode())
        yield
