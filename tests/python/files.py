"""Files are written whole or not at all, and one command at a time works in a folder."""

import csv
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

from support import ROOT, begin, end_group, execute

from vmcommit.base import files
from vmcommit.base.problems import Problem

HOLDER = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
from vmcommit.base.files import locked
with locked(pathlib.Path(sys.argv[2]), "measuring"):
    print("held", flush=True)
    sys.stdin.read()
"""
WRITER = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from vmcommit.base import files
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
{}
"""


class Folder(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)

    def limited(self, code, path):
        """Runs code that may write no more than 8 KiB into a file, as on a disk that is full."""
        done = execute([sys.executable, "-c", WRITER.format(code), ROOT / "scripts", path])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class Whole(Folder):
    def test_text_and_json(self):
        path = self.folder / "a.json"
        files.write_json(path, {"text": "µ", "name": "\udcff"})
        self.assertEqual(json.loads(path.read_bytes()), {"text": "µ", "name": "\udcff"})
        self.assertEqual(os.listdir(self.folder), ["a.json"])
        self.assertEqual(path.stat().st_mode & 0o777, 0o666 & ~files.umask())

    def test_the_old_content_stays_where_the_new_one_has_no_room(self):
        path = self.folder / "a.txt"
        path.write_text("old")
        said = self.limited("""
try:
    files.write_text(sys.argv[2], "x" * 10000)
except OSError as error:
    print(error.filename == sys.argv[2], error.strerror)
""", path)
        self.assertEqual(said, "True File too large\n")
        self.assertEqual(path.read_text(), "old")
        self.assertEqual(os.listdir(self.folder), ["a.txt"])

    def test_what_is_no_json_leaves_nothing(self):
        self.assertRaises(ValueError, files.write_json, self.folder / "a.json", float("nan"))
        self.assertEqual(os.listdir(self.folder), [])

    def test_an_error_names_the_file_that_was_asked_for(self):
        for path in (self.folder, self.folder / "no" / "such.txt"):
            with self.assertRaises(OSError) as raised:
                files.write_text(path, "text")
            self.assertEqual(raised.exception.filename, str(path))

    def test_rows_are_whole_or_not_there(self):
        path = self.folder / "rows.csv"
        said = self.limited("""
with files.RowFile(sys.argv[2], ["a", "b"]) as rows:
    for number in range(100):
        try:
            rows.add({"a": number, "b": "y" * 1000, "c": "of no column"})
        except OSError as error:
            print(number, error.filename == sys.argv[2], error.strerror)
            break
    rows.file.truncate(5000)
    rows.add({"a": "later"})
""", path)
        self.assertEqual(said, "8 True File too large\n")
        content = path.read_bytes()
        self.assertTrue(content.endswith(b"later,\r\n"))

    def test_a_row_that_did_not_fit_is_taken_back(self):
        path = self.folder / "rows.csv"
        self.limited("""
with files.RowFile(sys.argv[2], ["a", "b"]) as rows:
    for number in range(100):
        try:
            rows.add({"a": number, "b": "y" * 1000})
        except OSError:
            pass
""", path)
        self.assertTrue(path.read_bytes().endswith(b"\r\n"))
        with open(path, newline="") as file:
            self.assertEqual([row["a"] for row in csv.DictReader(file)],
                             [str(number) for number in range(8)])

    def test_rows_are_appended_below_one_header(self):
        path = self.folder / "rows.csv"
        for number in range(2):
            with files.RowFile(path, ["a"], append=True) as rows:
                rows.add({"a": number})
        self.assertEqual(path.read_bytes(), b"a\r\n0\r\n1\r\n")


class Locks(Folder):
    def test_the_second_is_told_who_has_it_until_that_ends_however(self):
        path = self.folder / "new" / ".lock"
        holder = begin([sys.executable, "-c", HOLDER, ROOT / "scripts", path], stdin=-1)
        self.addCleanup(holder.__exit__, None, None, None)
        self.addCleanup(end_group, holder)
        self.assertEqual(holder.stdout.readline(), "held\n")
        with self.assertRaises(Problem) as raised, files.locked(path, "measuring"):
            pass
        self.assertEqual(raised.exception.status, 75)
        self.assertIn(f"process {holder.pid} is measuring", str(raised.exception))
        end_group(holder)  # by SIGKILL
        holder.wait()
        with files.locked(path, "measuring"):
            self.assertEqual(path.read_text(), f"process {os.getpid()}\n")

    def test_what_is_no_lock_is_not_taken_for_held(self):
        (self.folder / "lock").mkdir()
        with self.assertRaises(OSError) as raised, files.locked(self.folder / "lock", "drawing"):
            pass
        self.assertNotIsInstance(raised.exception, Problem)
        self.assertEqual(raised.exception.filename, str(self.folder / "lock"))

    def test_a_lock_with_junk_in_it(self):
        (self.folder / "lock").write_bytes(b"\xff\0junk")
        with files.locked(self.folder / "lock", "drawing"):
            with self.assertRaises(Problem), files.locked(self.folder / "lock", "drawing"):
                pass

    @unittest.skipUnless(pathlib.Path("/dev/full").exists(), "no /dev/full here")
    def test_a_full_disk_takes_a_lock(self):
        with files.locked(pathlib.Path("/dev/full"), "drawing"):
            pass


class Relative(unittest.TestCase):
    def test_from_a_folder_that_is_gone(self):
        here = os.getcwd()
        gone = tempfile.mkdtemp()
        try:
            os.chdir(gone)
            shutil.rmtree(gone)
            self.assertEqual(files.relative("/a/b"), "/a/b")
        finally:
            os.chdir(here)


if __name__ == "__main__":
    unittest.main()
