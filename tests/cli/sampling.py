"""`record --sample` and `--pid`: what looks from outside see of a program that does what it is
told, worked out by hand."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from support import BIN, SANITIZED, WINDOWS, begin, command, execute, finish, run, vmcommit

from vmcommit.analyse import recording
from vmcommit.analyse.look import Look
from vmcommit.analyse.usage import Usage

MIB = 2**20
RESERVED, COMMITTED, TOUCHED = 64 * MIB, 20 * MIB, 8 * MIB
SECONDS = 60  # that a look may be waited for
SANITIZERS_OWN = range(2**16)  # bytes that it touches at any stage
# What the stages add: bytes reserved, charged, touched.
STAGES = [(0, 0, 0), (RESERVED, 0, 0), (RESERVED, COMMITTED, 0), (RESERVED, COMMITTED, TOUCHED),
          (0, 0, 0)]


def stages(*options):
    return command("stages", RESERVED, COMMITTED, TOUCHED, *options)


class Sampling(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.output = self.folder / "recording"

    def begin(self, words):
        process = begin(words, stdin=subprocess.PIPE)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        return finish(process, SECONDS, "") if process.returncode is None else None

    def tell(self, process):
        """Has the next stage done."""
        process.stdin.write("\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "0\n")

    def looks(self):
        """The lines of looks that are whole."""
        log = self.output / recording.LOG
        text = log.read_text() if log.exists() else ""
        return [line for line in text.splitlines(keepends=True)
                if line.startswith("S ") and line.endswith("\n")]

    def look(self):
        """Anonymous memory as of a look that began from now on: the second to end."""
        before = len(self.looks())
        for _ in range(100 * SECONDS):
            if len(self.looks()) >= before + 2:
                return Look(self.looks()[-1].split()[7:]).kinds()["anonymous"]
            time.sleep(0.01)
        self.fail("no look came")

    def check_stages(self, target, looked_at=range(len(STAGES))):
        """A look takes long under Wine, and there are few for that reason."""
        first = None
        for number, (reserved, charged, touched) in enumerate(STAGES):
            self.tell(target)
            if number not in looked_at:
                continue
            kind = self.look()
            first = first or kind
            self.assertEqual((kind.reserved - first.reserved, kind.charged - first.charged),
                             (reserved, charged), f"stage {number}")
            stray = kind.touched - first.touched - (0 if WINDOWS else touched)
            self.assertIn(stray, SANITIZERS_OWN if SANITIZED else [0], f"stage {number}")


class Attached(Sampling):
    def begin_both(self):
        target = self.begin(stages())
        self.pid = int(target.stdout.readline())
        recorder = begin(command("record", "--pid", self.pid, "--interval", 5, "--output",
                                 self.output))
        return target, recorder

    def test_each_stage_until_the_process_ends(self):
        target, recorder = self.begin_both()
        self.check_stages(target, (0, 2, 4) if WINDOWS else range(len(STAGES)))
        status = self.end(target).returncode
        done = finish(recorder)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertRegex(done.stderr, r"^record: \d+ looks: \S+\n$")
        self.assertEqual(status, 3)
        said = execute(vmcommit("record", "report", self.output))
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertRegex(said.stdout, r"^stages(\.exe)?: looked at \d+ times within ")
        self.assertIn("Looks see no calls and no call stacks", said.stdout)
        self.assertTrue((self.output / "recorded.svg").is_file())
        if WINDOWS:
            self.assertIn("What was touched is not known: the system does not say.", said.stdout)
            return
        used = Usage(self.output)
        self.assertGreaterEqual(used.over.peak("touched")[1], TOUCHED)
        # Of 20 MiB 8 are touched one stage later; so much was unused for as long as one stood.
        self.assertGreaterEqual(used.over.peak("unused")[1], COMMITTED)
        for words in (vmcommit("record", "what-if", self.output), command("replay", self.output)):
            done = execute(words)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn("was sampled", done.stderr)

    @unittest.skipIf(WINDOWS, "signals are POSIX's")
    def test_ctrl_c_ends_the_recording_and_not_the_process(self):
        for ending in (signal.SIGINT, signal.SIGTERM):
            target, recorder = self.begin_both()
            self.look()
            os.kill(recorder.pid, ending)
            self.assertEqual(finish(recorder).returncode, 0)
            self.assertIn("end", recording.read(self.output).facts)
            self.tell(target)
            (self.output / recording.LOG).unlink()

    def test_a_process_that_is_not_there(self):
        done = run("record", "--pid", 4194305 * 16, "--output", self.output)
        self.assertEqual((done.returncode, done.stderr), (
            125, f"record: process {4194305 * 16} doesn't exist\n"))
        self.assertFalse(self.output.exists())


@unittest.skipIf(WINDOWS, "which processes one started, Windows does not say")
class Family(Sampling):
    """A shell that starts two programs, which commit 20 and 48 MiB, touch 8 and 16, and outlive
    it."""

    SIZES = ((64 * MIB, 20 * MIB, 8 * MIB), (96 * MIB, 48 * MIB, 16 * MIB))

    def begin_all(self):
        pipes = [[self.folder / f"{name}{number}" for name in ("in", "out")] for number in (0, 1)]
        for path in (*pipes[0], *pipes[1]):
            os.mkfifo(path)
        script = " ".join(f"{BIN / 'stages'} {' '.join(map(str, sizes))} <{given} >{said} &"
                          for sizes, (given, said) in zip(self.SIZES, pipes, strict=True))
        recorder = self.begin(command("record", "--sample", "--every-process", "--interval", 5,
                                      "--output", self.output, "--", "sh", "-c",
                                      f"{script} read line; exit 7"))
        streams = [[self.enterContext(open(path, mode, encoding="utf-8"))
                    for path, mode in zip(pair, "wr", strict=True)] for pair in pipes]
        return recorder, {int(said.readline()): (given, said) for given, said in streams}

    def tell_all(self, streams):
        for given, said in streams.values():
            given.write("\n")
            given.flush()
            self.assertEqual(said.readline(), "0\n")

    @unittest.skipIf(SANITIZED, "a sanitizer touches memory of its own at any stage")
    def test_each_child_at_each_stage(self):
        recorder, streams = self.begin_all()
        outer, first = self.output, {}
        for stage, held in enumerate(STAGES):
            self.tell_all(streams)
            if stage == 3:
                recorder.stdin.write("\n")  # which ends the shell
                recorder.stdin.flush()
            for pid, sizes in zip(streams, self.SIZES, strict=True):
                self.output = outer / str(pid)
                kind = self.look()
                kind = (kind.reserved, kind.charged, kind.touched)
                before = first.setdefault(pid, kind)
                self.assertEqual([now - then for now, then in zip(kind, before, strict=True)],
                                 [size if part else 0 for size, part in
                                  zip(sizes, held, strict=True)], f"{pid}, stage {stage}")
        self.output = outer
        for given, _ in streams.values():
            given.close()
        done = self.end(recorder)
        self.assertEqual(done.returncode, 7)
        self.assertRegex(done.stderr,
                         r"\A(record: process \d+ started another program while it was being "
                         r"read; it is looked at on\n)*record: \d+ looks, and at 2 processes that "
                         r"it started: \S+\n\Z")
        self.check_report(streams)

    def check_report(self, pids):
        done = execute(vmcommit("record", "report", self.output))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("\nIt started 2 processes, ", done.stdout)
        for pid in pids:
            self.assertRegex(done.stdout, rf"(?m)^  {pid} +stages +\d+ +(20|48)\.\d+ MiB +\d")
            self.assertIn("end", recording.read(self.output / str(pid)).facts)


class Started(Sampling):
    def begin_program(self):
        recorder = self.begin(command("record", "--sample", "--interval", 5, "--output",
                                      self.output, "--", str(BIN / stages()[-4].rpartition("/")[2]),
                                      RESERVED, COMMITTED, TOUCHED))
        recorder.stdout.readline()
        return recorder

    def test_each_stage_and_the_programs_own_streams_and_status(self):
        recorder = self.begin_program()
        self.check_stages(recorder, () if WINDOWS else (0, 3))
        self.assertEqual(self.end(recorder).returncode, 3)

    @unittest.skipIf(WINDOWS, "signals are POSIX's")
    def test_a_key_that_interrupts_is_the_programs_affair(self):
        """A terminal sends it to both; who looks at a program goes on until that ends."""
        recorder = self.begin_program()
        self.look()
        for key in (signal.SIGINT, signal.SIGQUIT):
            os.kill(recorder.pid, key)
            self.look()
        self.assertEqual(self.end(recorder).returncode, 3)
        self.assertIn("end", recording.read(self.output).facts)

    @unittest.skipIf(WINDOWS, "signals are POSIX's")
    def test_signals_are_the_programs(self):
        done = run("record", "--sample", "--output", self.output, "--", "sh", "-c", "kill -TERM $$")
        self.assertEqual(done.returncode, -signal.SIGTERM)
        (self.output / recording.LOG).unlink()
        recorder = begin(command("record", "--sample", "--output", self.output, "--interval", 5,
                                 "--", "sh", "-c",
                                 "trap 'exit 7' TERM; echo; while :; do sleep 0.05; done"))
        recorder.stdout.readline()
        recorder.terminate()
        self.assertEqual(finish(recorder).returncode, 7)

    def test_what_does_not_start(self):
        done = run("record", "--sample", "--output", self.output, "--", "no/such/program")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (127, 1), done.stderr)
        self.assertIn("record: cannot start no/such/program: ", done.stderr)
        self.assertFalse(self.output.exists())

    @unittest.skipIf(WINDOWS, "the same code, and each start takes long")
    def test_bad_usage(self):
        for words, says in ((["--pid", "x"], "--pid: 'x' is no process"),
                            (["--pid", "0"], "--pid: '0' is no process"),
                            (["--pid"], "--pid needs a value"),
                            (["--pid", "1", "--", "x"], "--pid: 'x' is to be started as well"),
                            (["--sample"], "no program given"),
                            (["--sample", "--check", "1", "x"], "--check has no meaning"),
                            (["--no-touch", "--pid", "1"], "--no-touch has no meaning"),
                            (["--only", "x", "--sample", "x"], "--only has no meaning"),
                            (["--stacks", "--sample", "x"], "--stacks has no meaning")):
            with self.subTest(words=words):
                done = run("record", *words)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
                self.assertIn(says, done.stderr)

    @unittest.skipUnless(WINDOWS, "Linux traces")
    def test_what_can_not_be_traced(self):
        for words, says in (((), "record --sample -- x"), (("--stacks",), "record --sample -- x"),
                            (("--stacks", "--sample"), "--stacks has no meaning with --sample"),
                            (("--every-process", "--sample"), "--every-process: ")):
            done = run("record", "--output", self.output, *words, "x")
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()
