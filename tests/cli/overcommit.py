"""Overcommit mode 2, in which the kernel ignores MAP_NORESERVE. The setting is the whole system's:
it is changed for some tenths of a second, with a limit that refuses nobody, and put back by a
process that waits for our end, whatever that is."""

import contextlib
import os
import pathlib
import subprocess
import unittest

from support import PAGE, WINDOWS, number, rows

FOLDER = pathlib.Path("/proc/sys/vm")
MIB = 2**20
STRICT = "2"
LIMIT_KIB = 1 << 40  # a pebibyte
# Waits, and writes each path's value.
PUT_BACK = 'cat; while [ $# -gt 1 ]; do echo "$2" > "$1"; shift 2; done'


def settings():
    """{path: text}, in the order in which they are put back. Of the two limits the one that was set
    last is not 0."""
    names = ["overcommit_memory"]
    names += ["overcommit_kbytes" if read("overcommit_kbytes") != "0" else "overcommit_ratio"]
    return {str(FOLDER / name): read(name) for name in names}


def read(name):
    return (FOLDER / name).read_text().strip()


def write(name, value):
    (FOLDER / name).write_text(f"{value}\n")


@contextlib.contextmanager
def strict():
    """Mode 2. Skips the test where it can't be set."""
    if read("overcommit_memory") == STRICT:
        yield
        return
    before = settings()
    words = [word for pair in before.items() for word in pair]
    with subprocess.Popen(["sh", "-c", PUT_BACK, "sh", *words], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, start_new_session=True):
        try:
            write("overcommit_kbytes", LIMIT_KIB)
            write("overcommit_memory", STRICT)
        except OSError as error:
            raise unittest.SkipTest(f"vm.overcommit_memory can't be set: {error}") from None
        yield


@unittest.skipIf(WINDOWS or not FOLDER.exists(), "a setting of Linux")
class Strict(unittest.TestCase):
    def setUp(self):
        self.before = {name: read(name) for name in os.listdir(FOLDER)
                       if name.startswith("overcommit_")}
        self.addCleanup(lambda: self.assertEqual(
            {name: read(name) for name in self.before}, self.before))

    def test_noreserve_is_ignored(self):
        with strict():
            taken = {(program, kind): rows(program, "--size", "4M", "--commit", kind, "--repeat",
                                           1)[0]
                     for program in ("upfront", "chunked") for kind in ("mprotect", "noreserve")}
        for (program, kind), row in taken.items():
            with self.subTest(program=program, kind=kind):
                self.assertEqual((row["status"], number(row, "reserved_commit_bytes"),
                                  number(row, "commit_bytes")),
                                 ("ok", 4 * MIB if program == "upfront" else 0, 4 * MIB))

    def test_so_it_is_where_memory_is_given_back(self):
        """All is charged once it is usable again, and its mappings merge."""
        with strict():
            taken = [rows("upfront", "--size", "4M", "--purge", kind, "--purge-step", PAGE,
                          "--order", "alternate", "--repeat", 1)[0]
                     for kind in ("remap", "remap_noreserve")]
        for row in taken:
            with self.subTest(kind=row["purge"]):
                self.assertEqual([number(row, column) for column in (
                    "purged_commit_bytes", "purged_region_count", "retouched_commit_bytes",
                    "retouched_region_count")], [2 * MIB, 1024, 4 * MIB, 1])


if __name__ == "__main__":
    unittest.main()
