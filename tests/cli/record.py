"""`record` and the model that replays what it wrote, held against the kernel after every call."""

import collections
import os
import pathlib
import platform
import re
import resource
import shutil
import signal
import tempfile
import time
import unittest

from support import (BIN, PAGE, ROOT, SANITIZED, WINDOWS, begin, execute, finish, goes,
                     vmcommit)

from vmcommit.analyse import recording, symbols, wasters
from vmcommit.base.problems import Problem
from vmcommit.show import recordings

ACTS = ("steps", "unwritten", "merged", "noreserve", "holes", "fixed", "remaps", "heap", "files",
        "segments", "discards", "stacks", "forks", "execs", "signals", "threads", "thread_execs",
        "filters", "untraced")
RECORD, ACT, WASTE = BIN / "record", BIN / "act", BIN / "waste"
MEMORY_CALLS = ("mmap", "munmap", "mprotect", "brk", "mremap", "madvise", "mlock", "munlock")
NOBODY = 65534
STACKS = ("--stacks",) if platform.machine() == "x86_64" else ()


def comes_to(pid, states, seconds=10):
    """Whether a process gets into one of these states (proc(5)) within the time."""
    for _ in range(100 * seconds):
        if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in states:
            return True
        time.sleep(0.01)
    return False


class Watched(recording.Recording):
    """Keeps what was touched of the ranges that munmap is given, right before it."""

    def __init__(self):
        super().__init__()
        self.released = []

    def call(self, rest):
        words = rest.split(" ")
        if words[3] == "munmap":
            start, size = int(words[6], 16), int(words[7], 16)
            self.released.append((size // PAGE, self.life(words[1]).space.touched.size(
                start, start + size) // PAGE))
        super().call(rest)


@unittest.skipIf(WINDOWS, "Linux's ptrace")
class Record(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.output = self.folder / "recording"

    def record(self, *words, options=("--check", "1"), **more):
        return execute([RECORD, "--output", self.output, *options, "--", *words], **more)

    def recorded(self, *words, status=0, **more):
        done = self.record(*words, **more)
        self.assertEqual(done.returncode, status, done.stderr)
        return recording.read(self.output)

    def refused(self, words, status, says, **more):
        done = execute([RECORD, *words], **more)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)
        return done


class Replay(Record):
    def assert_equal_throughout(self, replayed, alone=True):
        """`alone`: by a single thread. A call that ends while another one is let through has no
        checkpoint, since that one may be done or not."""
        share = 1 if alone else 0.9
        self.assertGreater(len(replayed.checkpoints), share * len(replayed.calls))
        for checkpoint in replayed.checkpoints:
            self.assertTrue(checkpoint.equal, checkpoint)
            self.assertEqual(checkpoint.charge, checkpoint.kernel_charge)
            self.assertEqual(checkpoint.reserved, checkpoint.kernel_reserved)

    def test_every_act_after_every_call(self):
        for options in (("--check", "1", *STACKS), ("--check", "1", "--no-touch"),
                        ("--check", "1", "--no-queries")):
            for act in ACTS:
                with self.subTest(act=act, options=options):
                    shutil.rmtree(self.output, ignore_errors=True)
                    self.assert_equal_throughout(self.recorded(ACT, act, options=options),
                                                 alone=not act.startswith("thread"))

    def test_random_calls(self):
        """Hardly any differ: docs/record.md says which."""
        replayed = self.recorded(ACT, "stress", "1", "500", "2")
        equal = sum(checkpoint.equal for checkpoint in replayed.checkpoints)
        self.assertGreater(equal / len(replayed.checkpoints), 0.995)

    def test_what_was_touched_is_exact_where_it_is_released(self):
        """32 of 64 pages: 4 of each step of 8."""
        self.recorded(ACT, "steps", options=())
        watched = Watched()
        for line in (self.output / recording.LOG).read_text().splitlines()[1:]:
            watched.feed(line)
        self.assertEqual(watched.released[-1], (64, 32))

    def test_what_was_touched_without_queries(self):
        """As before Linux 6.11: the same 32 of 64 pages."""
        self.recorded(ACT, "steps", options=("--no-queries",))
        watched = Watched()
        for line in (self.output / recording.LOG).read_text().splitlines()[1:]:
            watched.feed(line)
        self.assertEqual(watched.released[-1], (64, 32))

    def test_a_child_begins_with_the_memory_of_its_parent(self):
        replayed = self.recorded(ACT, "forks")
        first, *children = replayed.lives.values()
        self.assertEqual([life.parent for life in children], [first.number] * 5)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    @unittest.skipIf(SANITIZED, "sanitizers map at random")
    def test_the_calls_that_strace_counts(self):
        for act in ("steps", "remaps", "discards", "forks"):
            with self.subTest(act=act):
                shutil.rmtree(self.output, ignore_errors=True)
                replayed = self.recorded(ACT, act)
                traced = execute(["strace", "-f", "-qq", "-e", "trace=" + ",".join(MEMORY_CALLS),
                                  ACT, act]).stderr
                self.assertEqual(
                    collections.Counter(call.name for call in replayed.calls),
                    collections.Counter(re.findall(r"^(?:\[pid +\d+\] )?(\w+)\(", traced, re.M)))


class Passing(Record):
    """What the program gets and gives is its own."""

    def test_standard_streams_and_status(self):
        done = self.record("sh", "-c", "cat; echo error >&2; exit 7", given="input\n")
        self.assertEqual((done.returncode, done.stdout), (7, "input\n"))
        self.assertEqual(done.stderr.splitlines()[0], "error")

    def test_death_by_a_signal(self):
        self.recorded(ACT, "crash", status=-signal.SIGTERM)

    def test_a_thread_that_outlives_the_first(self):
        replayed = self.recorded(ACT, "first_ends", status=7)
        self.assertTrue(all(checkpoint.equal for checkpoint in replayed.checkpoints))
        self.assertEqual(replayed.checkpoints[-1].why, "exit")

    def waiting(self):
        process = begin([RECORD, "--output", self.output, "--check", "1", "--", ACT, "waits"])
        self.assertEqual(process.stdout.readline(), "waits\n")
        return process

    def test_a_signal_to_record_is_passed_on(self):
        process = self.waiting()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(finish(process).returncode, -signal.SIGTERM)
        self.assertTrue(recording.read(self.output).checkpoints[-1].equal)

    def test_stopped_and_continued(self):
        process = self.waiting()
        pid = next(iter(recording.read(self.output).lives.values())).pid
        os.kill(pid, signal.SIGSTOP)
        self.assertTrue(comes_to(pid, "tT"))
        os.kill(pid, signal.SIGCONT)
        self.assertTrue(comes_to(pid, "S"))
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(finish(process).returncode, -signal.SIGTERM)

    def test_ctrl_c(self):
        process = self.waiting()
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(finish(process).returncode, -signal.SIGINT)
        self.assertTrue(recording.read(self.output).checkpoints[-1].equal)

    def left(self):
        """A recorder of a program that has ended, and left one in the background."""
        process = begin([RECORD, "--output", self.output, "--", "sh", "-c",
                         "sleep 1000 >/dev/null 2>&1 & echo $!"])
        pid = int(process.stdout.readline())
        self.assertTrue(comes_to(pid, "S"))
        log = self.output / recording.LOG
        for _ in range(1000):
            if "\nX " in log.read_text():
                break
            time.sleep(0.01)
        return process, pid

    def test_signals_reach_what_the_program_left(self):
        for sent, says in ((signal.SIGTERM, "Terminated"), (signal.SIGHUP, "Hangup"),
                           (signal.SIGINT, "Terminated")):
            with self.subTest(sent=sent):
                shutil.rmtree(self.output, ignore_errors=True)
                process, pid = self.left()
                os.kill(process.pid, sent)
                done = finish(process)
                self.assertEqual(done.returncode, 0)
                self.assertIn(f"the program has ended; what it left is sent the signal as well "
                              f"({says})", done.stderr)
                self.assertTrue(goes(pid))
                self.assertIn("# end", (self.output / recording.LOG).read_text())

    def test_more_processes_than_files_may_be_open(self):
        """Who is left out is said once, and not counted."""
        script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait"
        for soft, hard, whole in ((25, 25, False), (25, 4096, True)):
            with self.subTest(hard=hard):
                shutil.rmtree(self.output, ignore_errors=True)
                done = self.record("sh", "-c", script, options=(), preexec_fn=lambda:
                                   resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))
                self.assertEqual(done.returncode, 0)
                told = "is not recorded, nor are others that can't be read: Too many open files"
                self.assertEqual(done.stderr.count(told), not whole, done.stderr)
                log = (self.output / recording.LOG).read_text()
                began = len(re.findall(r"^[EF] ", log, re.MULTILINE))
                self.assertIn(f" in {began} address spaces", done.stderr)
                self.assertEqual(began == 25, whole)

    def test_threads_beyond_the_files_that_may_be_open(self):
        """Each call's CPU time is known all the same."""
        program = ("import mmap, threading, time\n"
                   "def work():\n"
                   "    time.sleep(0.2)\n"
                   "    for _ in range(20): mmap.mmap(-1, 65536).close()\n"
                   "all = [threading.Thread(target=work) for _ in range(30)]\n"
                   "for each in all: each.start()\n"
                   "for each in all: each.join()\n")
        done = self.record("/usr/bin/python3", "-c", program, options=(), preexec_fn=lambda:
                           resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)))
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = [call for call in recording.read(self.output).calls if call.name == "munmap"]
        self.assertGreater(len(calls), 600)
        self.assertEqual(sum(call.cpu_ns == 0 for call in calls), 0)

    def test_nobody_waits_while_others_have_calls_to_make(self):
        """When the first of eight processes has made its calls, the others have made a part."""
        calls = self.recorded(ACT, "crowd", options=("--no-touch",)).calls
        done = collections.Counter()
        for call in calls:
            done[call.space] += call.name == "mprotect"
            if done[call.space] == 2000:
                break
        self.assertEqual(len(done), 8)
        self.assertGreater(min(done.values()), 2000 / 20)

    def test_a_line_break_in_a_path(self):
        place = self.folder / "d\nX 1 0 0 0"
        place.mkdir()
        shutil.copy(ACT, place)
        self.recorded(place / "act", "steps")
        log = (self.output / recording.LOG).read_text()
        self.assertRegex(log, r"(?m)^E .*/d\?X 1 0 0 0/act$")

    def test_killed_at_once_the_log_is_whole_and_the_program_gone(self):
        process = self.waiting()
        replayed = recording.read(self.output)
        pid = next(iter(replayed.lives.values())).pid
        process.kill()
        finish(process)
        self.assertTrue(goes(pid))
        replayed = recording.read(self.output)
        self.assertGreater(len(replayed.calls), 10)
        self.assertTrue(all(checkpoint.equal for checkpoint in replayed.checkpoints))

    def test_a_full_disk(self):
        """A limit on the size of files does the same to a log."""
        done = self.record(ACT, "threads", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (20000, 20000)))
        self.assertEqual(done.returncode, 0)
        self.assertIn("cannot write the log: File too large", done.stderr)
        self.assertGreater(len(recording.read(self.output).calls), 5)

    def test_its_files_and_signals_are_not_ours(self):
        script = "ls -l /proc/self/fd | wc -l; grep -E 'SigIgn|SigBlk|NoNewPrivs' /proc/self/status"
        bare = execute(["sh", "-c", script]).stdout
        seen = self.record("sh", "-c", script).stdout
        self.assertEqual(seen.splitlines()[:3], bare.splitlines()[:3])


class Standing(Record):
    """What stands in the way of a recording, each in one line."""

    def test_a_32_bit_program(self):
        program = self.folder / "old"
        program.write_bytes(b"\x7fELF\x01" + bytes(60))
        program.chmod(0o755)
        self.refused(["--output", self.output, program], 125, "is a 32-bit program")
        self.assertFalse(self.output.exists())

    @unittest.skipUnless(hasattr(os, "getuid") and os.getuid() == 0, "needs another user's file")
    def test_a_setuid_program(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as name:
            folder = pathlib.Path(name)
            folder.chmod(0o755)
            copied, program = shutil.copy(RECORD, folder), shutil.copy("/bin/true", folder)
            os.chmod(program, 0o4755)
            done = execute([copied, program], user=NOBODY, cwd="/")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (125, 1), done.stderr)
        self.assertIn("setuid", done.stderr)

    @unittest.skipUnless(hasattr(os, "getuid") and os.getuid() == 0, "is no other user already")
    def test_without_privileges(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as name:
            folder = pathlib.Path(name)
            folder.chmod(0o777)
            copied, act = shutil.copy(RECORD, folder), shutil.copy(ACT, folder)
            done = execute([copied, "--check", "1", "--output", folder / "r", act, "forks"],
                           user=NOBODY, cwd="/")
            self.assertEqual(done.returncode, 0, done.stderr)
            for checkpoint in recording.read(folder / "r").checkpoints:
                self.assertTrue(checkpoint.equal, checkpoint)

    @unittest.skipIf(SANITIZED, "a search for leaks can't be traced, and complains")
    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_under_another_tracer(self):
        done = execute(["strace", "-f", "-qq", "-o", self.folder / "trace", RECORD, "--output",
                        self.output, "true"])
        self.assertEqual(done.returncode, 125)
        self.assertIn("debugger", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_a_filter_of_the_programs_own(self):
        done = self.record(ACT, "filters")
        self.assertIn("act sets a filter of its own", done.stderr)

    def test_a_program_that_traces(self):
        done = self.record(ACT, "traces")
        self.assertEqual((done.returncode, done.stdout), (0, "-1\n"))
        self.assertIn("act asks to trace a process", done.stderr)

    def test_a_folder_that_was_there_stays(self):
        self.output.mkdir()
        for options in ((), ("--sample",)):
            execute([RECORD, *options, "--output", self.output, "/no-such-program"])
            execute([RECORD, *options, "--output", self.output, self.folder])
            self.assertEqual(list(self.output.iterdir()), [])

    @unittest.skipUnless(platform.machine() == "x86_64", "its number of seccomp(2)")
    def test_a_question_about_filters_sets_none(self):
        program = ("import ctypes\n"
                   "asked = ctypes.byref(ctypes.c_uint(0x7fff0000))  # SECCOMP_RET_ALLOW\n"
                   "ctypes.CDLL(None).syscall(317, 2, 0, asked)  # SECCOMP_GET_ACTION_AVAIL\n")
        done = self.record("/usr/bin/python3", "-c", program, options=())
        self.assertNotIn("filter", done.stderr)

    def test_no_program(self):
        self.refused(["--output", self.output, "no-such-program"], 127, "no-such-program")
        self.assertFalse(self.output.exists())

    def test_a_file_that_is_none(self):
        program = self.folder / "text"
        program.write_text("text\n")
        self.refused(["--output", self.output, program], 126, "Permission denied")
        self.assertFalse(self.output.exists())

    def test_a_recording_is_never_overwritten(self):
        self.recorded("true")
        self.refused(["--output", self.output, "true"], 2, "never overwritten")

    def test_bad_usage(self):
        for words, says in (([], "no program given"), (["--check"], "--check needs a value"),
                            (["--check", "0", "true"], "'0' is no number of calls"),
                            (["--interval", "1.5", "true"], "'1.5' is no number of milliseconds"),
                            (["--touch", "true"], "'--touch' is no option"),
                            (["--every-process", "--only", "x", "true"], "exclude each other"),
                            (["--stacks", "--no-touch", "true"], "exclude each other"),
                            (["--stacks"], "no program given")):
            with self.subTest(words=words):
                self.refused(words, 2, says)


class Reporting(Record):
    def report(self, *words):
        return execute(vmcommit("record", "report", *words))

    def test_what_a_recording_shows(self):
        self.recorded(ACT, "steps", options=())
        done = self.report(self.output)
        self.assertEqual(done.stderr, "")
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^act: .* 1 process, \d+ memory calls\.$")
        self.assertRegex(lines[1], r"^Charged and unused: \d")
        self.assertIn("byte for byte, at 1 checkpoint of 1.", done.stdout)
        self.assertIn("\n  mprotect ", done.stdout)
        self.assertEqual((done.returncode, (self.output / "recorded.svg").is_file()), (0, True))

    def test_what_is_touched_and_not_charged_comes_first_where_it_is_more(self):
        self.recorded(ACT, "uncharged", options=())
        self.assertRegex(self.report(self.output).stdout.splitlines()[1],
                         r"^Touched but not charged \(MAP_NORESERVE\): at most 64(\.\d+)? MiB ")

    def test_what_is_no_recording(self):
        for words, says in (([self.folder], "holds no recording"), ([], "DIR"),
                            ([self.folder / "gone"], "holds no recording")):
            done = self.report(*words)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(says, done.stderr)

    def test_two_side_by_side(self):
        """The same program twice, and one that touches 64 MiB which are not charged."""
        folders = [self.folder / name for name in "abc"]
        for folder, act in zip(folders, ("steps", "steps", "uncharged"), strict=True):
            done = execute([RECORD, "--output", folder, "--", ACT, act])
            self.assertEqual(done.returncode, 0, done.stderr)
        done = execute(vmcommit("record", "compare", folders[0], folders[1]))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^  most charged  .* same$")
        self.assertRegex(done.stdout, r"(?m)^  mprotect .* 11 +11 +same$")
        self.assertTrue((folders[1] / "recorded_pair.svg").is_file())
        done = execute(vmcommit("record", "compare", folders[0], folders[2],
                                "--into", self.folder / "pictures"))
        self.assertRegex(done.stdout, r"^B touches without charge more over time: .*, the other "
                                      r"nothing\.\n")
        self.assertRegex(done.stdout, r"(?m)^  most touched uncharged +0 B +64 MiB +-$")
        self.assertTrue((self.folder / "pictures" / "recorded_pair.svg").is_file())
        done = execute(vmcommit("record", "compare", folders[0], self.folder))
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
        self.assertIn("holds no recording", done.stderr)

    def test_what_if(self):
        self.recorded(ACT, "uncharged", options=())
        run = ROOT / "results" / "reference"
        done = execute(vmcommit("record", "what-if", self.output, "--run", run))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^The knee is \d+ [KM]iB: ")
        self.assertRegex(done.stdout, r"(?m)^  64 KiB  .* 64(\.\d+)? MiB .* to ")
        blind = self.folder / "blind"
        execute([RECORD, "--no-touch", "--output", blind, "--", ACT, "steps"])
        for words in ((self.output, "--run", self.folder), (blind,)):
            done = execute(vmcommit("record", "what-if", *words))
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
        done = execute(vmcommit("record", "what-if", self.output, "--run", self.folder))
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)

    def test_what_is_told_to_malloc_is_kept(self):
        os.environ["GLIBC_TUNABLES"] = "glibc.malloc.top_pad=131072"
        self.addCleanup(os.environ.pop, "GLIBC_TUNABLES")
        self.assertEqual(self.recorded("true").facts["tunables"], "glibc.malloc.top_pad=131072")

    def test_recording_by_the_command_for_all(self):
        done = execute(vmcommit("record", "--output", self.output, "--", "sh", "-c", "exit 3"))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(recording.read(self.output).checkpoints[-1].why, "exit")


@unittest.skipIf(SANITIZED, "sanitizers make calls of their own")
@unittest.skipUnless(STACKS, "frames are known of x86-64 alone")
class CallStacks(Record):
    def wasters(self, *words, options=STACKS):
        """[(functions of waste, innermost first), (pages at most, calls)] for each stack."""
        shutil.rmtree(self.output, ignore_errors=True)
        self.recorded(WASTE, *words, options=options)
        found = wasters.Unused(self.output).wasters(1000)
        names = symbols.Names(place for one in found for place in one.places)
        functions = [tuple(names.texts[place].partition(" (waste.c:")[0] for place in one.places
                           if place.path == str(WASTE.resolve())) for one in found]
        return [(stack, (one.most // PAGE, one.calls))
                for stack, one in zip(functions, found, strict=True) if stack]

    @unittest.skipUnless(symbols.tool(), "binutils are not installed")
    def test_what_is_wasted_and_where(self):
        """As tests/c/linux/waste.c has it, whether a page was touched before a look or not."""
        for options in (STACKS, (*STACKS, "--no-queries")):
            found = self.wasters(options=options)
            self.assertEqual(sorted(found), [
                (("map", "take_more", "main"), (1, 1)), (("map", "take_whole", "main"), (256, 1)),
                (("take_heap", "main"), (48, 1)), (("take_more", "main"), (32, 1)),
                (("take_steps", "main"), (64, 4))])
        done = execute(vmcommit("record", "report", self.output))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"at most 1 MiB at a time, 1 call\n"
                                      r"(      .*\n)?      map \(waste\.c:\d+\)\n"
                                      r"      take_whole \(waste\.c:\d+\)\n      main \(waste")
        self.assertEqual(done.stdout.count("-fno-omit-frame-pointer"), 1)

    @unittest.skipUnless(symbols.tool(), "binutils are not installed")
    def test_frames_that_lead_nowhere(self):
        """Those of which one is its own caller, or each other's, or lies elsewhere; and more than
        are followed."""
        found = [stack for stack, _ in self.wasters("astray")]
        self.assertEqual(max(map(len, found)), 63)  # and the C library's
        astray = [stack for stack in found if stack[:2] == ("take_astray", "go_astray")]
        self.assertEqual(len(astray), 6)
        self.assertTrue(all(set(stack[2:]) == {"main"} and len(stack) < 7 for stack in astray))

    def test_where_no_stack_is_known(self):
        self.recorded("true", options=STACKS)
        log = self.output / recording.LOG
        log.write_text(re.sub(r"^[ow] .*\n", "", log.read_text(), flags=re.M))
        done = execute(vmcommit("record", "report", self.output))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("\n      without a call stack: ", done.stdout)


class Choosing(Record):
    def test_only_one_program(self):
        script = f"{ACT} steps; true; {ACT} unwritten; true"
        self.assertEqual(len(self.recorded("sh", "-c", script, options=("--only", "act")).lives), 2)

    def test_a_folder_of_its_own_is_numbered(self):
        for number in (1, 2):
            done = execute([RECORD, "true"], cwd=self.folder)
            self.assertIn(f"record-true-{number}", done.stderr)
            self.assertTrue((self.folder / f"record-true-{number}" / recording.LOG).exists())

    def test_a_log_that_breaks_off_is_read_up_to_there(self):
        whole = self.recorded(ACT, "steps", options=("--check", "1", *STACKS))
        log = self.output / recording.LOG
        text = log.read_text()
        for cut in (len(text) // 3, len(text) // 2, len(text) - 1):
            log.write_text(text[:cut])
            replayed = recording.read(self.output)
            self.assertTrue(all(checkpoint.equal for checkpoint in replayed.checkpoints))
            self.assertLessEqual(len(replayed.calls), len(whole.calls))
            wasters.Unused(self.output).wasters()

    def test_what_is_damaged_is_named(self):
        self.recorded("true")
        log = self.output / recording.LOG
        lines = log.read_text().splitlines(keepends=True)
        for line in ("c 1 0 x\n", "t 1 0 zz+1\n", "C 1 77 call 1 2 3 4 1+1:rw\n", "w 0 1 77\n",
                     "w 0 1 0 x\n", "o 0 5000-4000 0 - -\n", "o 0 4000-5000 0 -\n",
                     "S 1 0 1 2 3 4 heap:1:1:1:1:1:1\n", "\0\0c 1 0\n", "what is this\n", "\n"):
            log.write_text("".join([*lines[:8], line]))
            with self.assertRaisesRegex(Problem, "line 9 is damaged"):
                recording.read(self.output)
        log.write_text("".join([*lines[:8], "Z of a later version\n"]))
        self.assertEqual(recording.read(self.output).facts["command"], "true")
        for text, says in (("something else\n", "is no recording"), ("", "is empty")):
            log.write_text(text)
            with self.assertRaisesRegex(Problem, says):
                recording.read(self.output)

    def test_what_breaks_off_before_the_first_program(self):
        self.recorded("true")
        log = self.output / recording.LOG
        log.write_text("".join(log.read_text().splitlines(keepends=True)[:5]))
        done = execute(vmcommit("record", "report", self.output))
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
        self.assertIn("recorded no program: it breaks off before the first", done.stderr)

    def test_a_folder_that_holds_other_files(self):
        self.output.mkdir()
        (self.output / "mine").touch()
        for options in ((), ("--sample",)):
            self.refused([*options, "--output", self.output, "true"], 2,
                         "holds other files; name a folder that is not there yet, or is empty")
            self.assertEqual([path.name for path in self.output.iterdir()], ["mine"])

    def test_nearly_all_is_no_power_of_ten(self):
        self.assertEqual([recordings.share(part, 1000) for part in (0, 1, 94, 990, 998, 1000)],
                         ["0 %", "0.1 %", "9.4 %", "99 %", "100 %", "100 %"])


if __name__ == "__main__":
    unittest.main()
