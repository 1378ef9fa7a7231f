"""Where output goes, and what is said when it can't: descriptors, clashes of files, full disks."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import unittest

from support import BIN, SANITIZED, WINDOWS, command, parse, rows, run

FULL = pathlib.Path("/dev/full")
FULL_TEXT = "Disk full" if WINDOWS else "No space left on device"
FEW = ("--size", "4K", "--repeat", "1")


def closing(*descriptors):
    """The option of subprocess that starts a program with these closed."""
    def close():
        for descriptor in descriptors:
            os.close(descriptor)
    return {"preexec_fn": close}


class Outputs(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def path(self, name, text=None):
        path = self.folder / name
        if text is not None:
            path.write_text(text)
        return path

    def assertOneLine(self, done, status, start):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith(start), done.stderr)

    def test_each_file_holds_its_own_rows(self):
        samples, trace, staircase = (self.path(name, "old\n" * 9999)
                                     for name in ("samples", "trace", "staircase"))
        done = run("fault", *FEW, "--output", samples, "--trace", trace, "--staircase", staircase)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(parse(samples.read_text())[0]["status"], "ok")
        self.assertEqual([row["page"] for row in parse(trace.read_text())], ["0"])
        self.assertEqual(len(parse(staircase.read_text())), 64)

    def check_clash(self, options, second, first):
        """Refused, and every file is as it was before."""
        before = {path: path.read_bytes() for path in self.folder.iterdir()}
        done = run("fault", *FEW, *options)
        self.assertOneLine(done, 2, f"fault: {second}: '")
        self.assertIn(f"is the file of {first} too; name another", done.stderr)
        self.assertEqual({path: path.read_bytes() for path in before}, before)
        self.assertEqual(done.stdout, "")

    def test_one_file_for_two_is_refused_before_anything_is_lost(self):
        one = self.path("one", "precious")
        other_way = self.folder / "." / ".." / self.folder.name / "one"
        hard = self.path("hard")
        os.link(one, hard)
        for same in (one, other_way, hard):
            with self.subTest(same):
                self.check_clash(["--output", one, "--trace", same], "--trace", "--output")
                self.check_clash(["--output", one, "--staircase", same], "--staircase", "--output")
                self.check_clash(["--trace", one, "--staircase", same], "--staircase", "--trace")

    @unittest.skipIf(WINDOWS, "symbolic links and /dev are POSIX'")
    def test_one_file_by_a_link_or_by_standard_output_is_refused(self):
        one = self.path("one", "precious")
        link = self.path("link")
        link.symlink_to(one)
        self.check_clash(["--output", one, "--trace", link], "--trace", "--output")
        done = run("fault", *FEW, "--trace", "/dev/stdout")
        self.assertOneLine(done, 2, "fault: --trace: '/dev/stdout' is the file of --output too")
        with one.open("a") as appended:
            done = subprocess.run(command("fault", *FEW, "--trace", one), stdout=appended,
                                  stderr=subprocess.PIPE, text=True)
        self.assertOneLine(done, 2, f"fault: --trace: '{one}' is the file of --output too")
        self.assertEqual(one.read_text(), "precious")

    @unittest.skipIf(WINDOWS, "a device of POSIX systems")
    def test_the_null_device_takes_all(self):
        done = run("fault", *FEW, "--output", "/dev/null", "--trace", "/dev/null",
                   "--staircase", "/dev/null")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_trace_has_no_standard_output(self):
        for option in ("--trace", "--staircase"):
            done = run("fault", *FEW, option, "-")
            self.assertOneLine(done, 2, f"fault: {option}: '-' ")
            self.assertEqual(done.stdout, "")
            self.assertFalse((self.folder / "-").exists())

    @unittest.skipIf(WINDOWS, "a loaded DLL can't be opened for writing anyway")
    def test_the_library_is_not_overwritten(self):
        library = self.path("mine.so")
        library.write_bytes((BIN / "mine.so").read_bytes())
        before = library.read_bytes()
        done = run("custom", *FEW, "--library", library, "--output", library)
        self.assertOneLine(done, 2, f"custom: --output: '{library}' is the file of --library too")
        self.assertEqual(library.read_bytes(), before)

    def test_standard_output_is_appended_to_where_the_shell_says_so(self):
        kept = self.path("kept", "kept\n")
        with kept.open("a") as appended:
            subprocess.run(command("fault", *FEW), stdout=appended, check=True)
        self.assertTrue(kept.read_text().startswith("kept\nstrategy,"))

    @unittest.skipIf(WINDOWS, "descriptors are POSIX'")
    def test_closed_descriptors_are_never_used_again(self):
        trace, output = self.path("trace"), self.path("output")
        done = run("fault", *FEW, "--trace", trace, **closing(1))
        self.assertOneLine(done, 2, "fault: --output: cannot write '-': Bad file descriptor")
        self.assertNotIn("status", trace.read_text() if trace.exists() else "")

        done = run("fault", *FEW, "--output", output, "--trace", FULL, **closing(2))
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertNotIn("fault: ", output.read_text())

        for descriptors in ((0,), (0, 1), (0, 1, 2), (1, 2), (2,)):
            with self.subTest(descriptors):
                done = run("fault", *FEW, "--output", output, "--trace", trace,
                           **closing(*descriptors))
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(parse(output.read_text())[0]["status"], "ok")
                self.assertEqual(parse(trace.read_text())[0]["page"], "0")

    @unittest.skipIf(WINDOWS, "descriptors are POSIX'")
    def test_answers_need_a_standard_output(self):
        for option in ("--help", "--version", "--describe"):
            done = run("fault", option, **closing(1))
            self.assertOneLine(done, 1, "fault: cannot write standard output: Bad file descriptor")

    @unittest.skipUnless(FULL.exists(), "no /dev/full")
    def test_a_full_disk_is_named(self):
        for option in ("--output", "--trace", "--staircase"):
            done = run("fault", *FEW, option, FULL)
            self.assertOneLine(done, 1, f"fault: {option}: cannot write '{FULL}': {FULL_TEXT}")
        for option in ("--help", "--version", "--describe"):
            with FULL.open("w") as full:
                done = subprocess.run(command("fault", option), stdout=full, text=True,
                                      stderr=subprocess.PIPE)
            self.assertOneLine(done, 1, f"fault: cannot write standard output: {FULL_TEXT}")
        with FULL.open("w") as full:
            done = subprocess.run(command("fault", *FEW), stdout=full, text=True,
                                  stderr=subprocess.PIPE)
        self.assertOneLine(done, 1, f"fault: --output: cannot write '-': {FULL_TEXT}")

    @unittest.skipIf(WINDOWS or SANITIZED, "a limit of POSIX systems")
    def test_a_disk_that_fills_up_later_is_named(self):
        """By a limit on the size of files: the header fits, some rows do, one does not."""
        import resource
        import signal

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
        for option, size in (("--output", "4K..8M"), ("--trace", "4M"), ("--staircase", "4M")):
            done = run("fault", "--size", size, "--repeat", 1, option, self.path("out"),
                       preexec_fn=limit)
            self.assertOneLine(done, 1, f"fault: {option}: cannot write '")
            self.assertIn("File too large", done.stderr)

    def test_a_path_with_a_line_end_stays_on_one_line(self):
        if WINDOWS:
            self.skipTest("no such name there")
        done = run("fault", *FEW, "--output", "no/such\nfolder")
        self.assertOneLine(done, 2, "fault: --output: cannot write 'no/such?folder': No such file")

    def test_what_is_wrong_with_a_long_path_or_value_is_said_behind_it(self):
        far = "/".join(["x" * 200] * 4 if not WINDOWS else ["no", "such"])
        for options in (["--output", far], ["--trace", far]):
            done = run("fault", *FEW, *options)
            self.assertOneLine(done, 2, f"fault: {options[0]}: cannot write '{far}': ")
            self.assertRegex(done.stderr, "': [A-Z][^']+\n$")
        done = run("fault", "--order", "y" * 2000)
        self.assertOneLine(done, 2, f"fault: --order: '{'y' * 2000}' is no order here; use ")
        self.assertTrue(done.stderr.endswith(" or alternate\n"), done.stderr)

    def test_a_trace_of_a_million_bytes_is_whole(self):
        """Many times the buffer that rows are gathered in."""
        trace = self.path("trace")
        row, = rows("upfront", "--size", "128M", "--repeat", 1, "--trace", trace)
        if row["status"] == "skipped":
            self.skipTest(row["error"])
        touches = parse(trace.read_text())
        self.assertGreater(trace.stat().st_size, 10 * 64 * 1024)
        self.assertEqual([(row["touch"], row["page"]) for row in touches],
                         [(str(i), str(i)) for i in range(32768)])
        self.assertEqual({tuple(row) for row in touches},
                         {("strategy", "round", "position", "touch", "page", "ns", "commit_calls")})
        self.assertEqual({row["strategy"] for row in touches}, {"upfront"})


if __name__ == "__main__":
    unittest.main()
