"""Holds build/bin/replay against what it replays: calls, touches and charge, exactly."""

import json
import os
import pathlib
import platform
import re
import signal
import tempfile
import time
import unittest

from support import (BIN, PAGE, SANITIZED, WINDOWS, begin, execute, finish, parse,
                     vmcommit)

from vmcommit.analyse import recording
from vmcommit.analyse.space import WRITE
from vmcommit.base.problems import Usage
from vmcommit.commands import bench

# Each ends as a program that does nothing else; the others fork, or are cut off.
ACTS = ("steps", "unwritten", "merged", "noreserve", "uncharged", "holes", "fixed", "remaps",
        "heap", "files", "segments", "discards", "stacks", "signals", "threads")
STACKS = ("--stacks",) if platform.machine() == "x86_64" else ()  # which a replay leaves out
OVERCOMMIT = pathlib.Path("/proc/sys/vm/overcommit_memory").read_text().strip() \
    if not WINDOWS else ""
RECORD, REPLAY, ACT = BIN / "record", BIN / "replay", BIN / "act"


def usable(space):
    """Bytes that may be written to, as a set of runs says."""
    return sum(end - start for start, end, attributes in space if attributes.access & WRITE)


class Watched(recording.Recording):
    """Counts what the first program of a recording did: calls that made memory usable, pages
    touched, its charge in the end as the kernel has it, and the most of both at any moment; bytes
    that were found touched when they were no longer writable, and so had been long before."""

    def __init__(self):
        super().__init__(watch=self.see)
        self.commits, self.pages, self.charge = 0, 0, 0
        self.most_charged = self.most_touched = self.late = 0

    def see(self, _time, life):
        if life.number == 0:
            self.most_charged = max(self.most_charged, life.space.charge)
            self.most_touched = max(self.most_touched, life.space.touched_charged
                                    + life.space.touched_uncharged)

    def call(self, rest):
        life = self.life(rest.split(" ")[1])
        before = life.space.copy()
        super().call(rest)
        self.commits += self.calls[-1].space == 0 and commits(self.calls[-1], before)

    def checkpoint(self, rest):
        super().checkpoint(rest)
        if self.checkpoints[-1].space == 0:
            self.charge = self.checkpoints[-1].kernel_charge

    def touched(self, rest):
        _, space, *runs = rest.split()
        if space == "0":
            found = list(self.runs(runs))
            self.pages += sum(end - start for start, end in found) // PAGE
            self.late += sum(end - start for run in found for start, end, attributes in
                             self.lives[0].space.pieces(*run) if not attributes.access & WRITE)
        super().touched(rest)


def commits(call, before):
    """Whether a call made memory usable that was not, by what was mapped before."""
    if call.failed:
        return False
    name, arguments = call.name, call.arguments
    if name == "mmap":
        return arguments[2] & WRITE != 0
    if name == "brk":
        return before.pages(call.result) > before.pages(before.brk)
    if name == "mprotect":
        pieces = before.pieces(arguments[0], arguments[0] + before.pages(arguments[1]))
        return arguments[2] & WRITE != 0 and any(
            not attributes.access & WRITE for _, _, attributes in pieces)
    if name == "mremap":
        piece = before.pieces(arguments[0], arguments[0] + 1)
        return before.pages(arguments[2]) > before.pages(arguments[1]) and bool(
            piece and piece[0][2].access & WRITE)
    return name in ("shmat",)


@unittest.skipIf(WINDOWS, "Linux's ptrace")
class Replay(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def record(self, *words, name="recording", options=()):
        output = self.folder / name
        done = execute([RECORD, "--output", output, *options, "--", *words])
        self.assertEqual(done.returncode, 0, done.stderr)
        return output

    def replay(self, *words):
        done = execute([REPLAY, *words, "--repeat", "2"])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return parse(done.stdout)

    def refused(self, words, says):
        done = execute([REPLAY, *words])
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1),
                         done.stderr)
        self.assertIn(says, done.stderr)


class Counts(Replay):
    def read(self, output):
        watched = Watched()
        for line in (output / recording.LOG).read_text().splitlines()[1:]:
            watched.feed(line)
        return watched

    @unittest.skipIf(SANITIZED, "a sanitizer maps more than a region can hold")
    def test_every_act(self):
        """A private mapping of a file keeps its charge when it is protected, unwritten; the memory
        that plays it doesn't: 8 pages. What failed is not played, though it charged 10 pages for a
        while."""
        for act in ACTS:
            output = self.record(ACT, act, name=act, options=STACKS)
            watched = self.read(output)
            for row in self.replay(output):
                with self.subTest(act=act):
                    self.assertEqual((row["status"], row["error"]), ("ok", ""))
                    self.assertEqual(int(row["commit_calls"]), watched.commits)
                    self.assertEqual(int(row["touched_bytes"]) // PAGE, watched.pages)
                    self.assertEqual(int(row["commit_bytes"]),
                                     watched.charge - (8 * PAGE if act == "files" else 0))
                    self.assertEqual(int(row["most_commit_bytes"]),
                                     watched.most_charged - (10 * PAGE if act == "holes" else 0))
                    self.assertIn(int(row["most_resident_bytes"]) - watched.most_touched,
                                  (0, watched.late))

    @unittest.skipIf(SANITIZED, "a sanitizer's own memory faults too")
    def test_each_touch_is_a_fault(self):
        for act in ("steps", "heap", "uncharged", "threads"):
            row = self.replay(self.record(ACT, act, name=act))[1]
            self.assertEqual(int(row["minor_faults"]), int(row["touched_bytes"]) // PAGE, act)

    def test_in_slices(self):
        """A cycle touch by touch, and in two parts, is the same as in one go."""
        output = self.record(ACT, "steps")
        columns = ("commit_calls", "minor_faults", "commit_bytes", "region_count", "status")
        whole = self.replay(output)[0]
        touches = int(whole["touched_bytes"]) // PAGE
        for parts in ([1] * touches, [touches - 7, 7]):
            said = execute([REPLAY, output, "--turns"], given="\n".join(
                ["header", "probe", *(f"touch {part}" for part in parts), "end", "row 1 1 1", ""]))
            lines = said.stdout.splitlines()
            row = parse("\n".join([lines[1], lines[-1]]))[0]
            self.assertEqual({column: row[column] for column in columns},
                             {column: whole[column] for column in columns})


class Otherwise(Replay):
    """Committed or given back in another way than in the recording."""

    def test_each_way_to_commit(self):
        output = self.record(ACT, "steps")
        recorded = self.replay(output)[0]
        for kind in ("mprotect", "remap", "populate", "noreserve"):
            row = self.replay(output, "--commit", kind)[0]
            if row["status"] == "unsupported":
                continue
            self.assertEqual((row["status"], row["commit_kind"]), ("ok", kind))
            self.assertEqual(row["commit_calls"], recorded["commit_calls"])
        self.assertLess(int(row["commit_bytes"]), int(recorded["commit_bytes"]))  # noreserve

    def test_each_way_to_give_back(self):
        """8 pages of 64 are discarded, 8 freed; other advice gives nothing back."""
        output = self.record(ACT, "discards")
        for kind in ("dontneed", "free", "cold", "protect", "remap", "remap_noreserve", "guard"):
            row = self.replay(output, "--purge", kind)[0]
            if row["status"] == "unsupported":
                continue
            self.assertEqual((row["status"], row["purge"], row["error"]), ("ok", kind, ""))
            self.assertEqual(row["purge_calls"], "2")

    def test_what_was_given_back_is_usable_when_it_is_touched_again(self):
        log = self.record(ACT, "steps") / recording.LOG
        lines = log.read_text().splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if " mprotect 0 " in line and
                  line.rstrip().endswith(" 8000 3"))
        start = lines[at].split()[7]
        pages = f"{int(start, 16) // PAGE:x}+4"
        time = lines[at].split()[1]
        lines[at + 1:at + 1] = [f"t {time} 0 {pages}\n",
                                f"c {time} 0 1 madvise 0 1 {start} 8000 4\n",
                                f"t {time} 0 {pages}\n"]
        log.write_text("".join(lines))
        whole = self.replay(log.parent)[0]
        for kind in ("protect", "remap", "guard"):
            row = self.replay(log.parent, "--purge", kind)[0]
            if row["status"] != "unsupported":
                self.assertEqual((row["status"], row["purge_calls"]), ("ok", "1"), kind)
                self.assertEqual(row["touched_bytes"], whole["touched_bytes"])


class ByHand(Replay):
    """A recording of a page that is there from the beginning, 16 pages committed of a reservation,
    12 touched, 8 of them discarded, 4 of these touched again; 32 mapped, 10 touched, all unmapped;
    and 4 more of the 12 freed."""

    LOG = """recording 1
# page 4096
# touch yes
# command /made
E 0 0 1 100000 /made
m 0 10000-11000 rwa [stack]
c 1 0 1 mmap 200000 0 0 40000 0 22 ffffffff 0
c 2 0 1 mprotect 0 0 200000 10000 3
t 3 0 200+c
c 4 0 1 madvise 0 0 200000 8000 4
t 5 0 200+4
c 6 0 1 mmap 300000 0 0 20000 3 22 ffffffff 0
t 7 0 300+a
c 8 0 1 munmap 0 0 300000 20000
c 9 0 1 madvise 0 0 208000 4000 8
X 10 0 1 0
"""
    COLUMNS = ("minor_faults", "most_commit_bytes", "commit_bytes", "most_resident_bytes",
               "resident_bytes")
    KINDS = {("--commit", "recorded"): (26, 49, 17, 18, 8),
             ("--commit", "mprotect"): (26, 49, 17, 18, 8),
             ("--commit", "remap"): (26, 49, 17, 18, 8),
             ("--commit", "populate"): (16 + 4 + 32, 49, 17, 8 + 4 + 32, 12),
             ("--commit", "noreserve"): (26, 1, 1, 18, 8),
             ("--purge", "dontneed"): (26, 49, 17, 18, 4),
             ("--purge", "free"): (22, 49, 17, 22, 12),
             ("--purge", "cold"): (22, 49, 17, 22, 12),
             ("--purge", "protect"): (22, 49, 17, 22, 12),
             ("--purge", "remap"): (26, 49, 13, 18, 4),
             ("--purge", "remap_noreserve"): (26, 1 + 8 + 32, 5, 18, 4),
             ("--purge", "guard"): (26, 49, 17, 18, 4)}

    def test_touches_that_nobody_could_make(self):
        """A damaged log has more of them than there are addresses; none was ever usable."""
        damaged = self.LOG.replace("200+c", "200+c 400+fffffffff")
        self.assertNotEqual(damaged, self.LOG)
        (self.folder / recording.LOG).write_text(damaged)
        self.assertEqual(int(self.replay(self.folder)[0]["touched_bytes"]) // PAGE, 26)

    def test_memory_above_all_that_was_ever_mapped(self):
        (self.folder / recording.LOG).write_text(self.LOG.replace(
            "X 10 0", "c 10 0 1 munmap 0 0 7ffffffe0000 1000\nX 10 0"))
        self.assertEqual(int(self.replay(self.folder)[0]["touched_bytes"]) // PAGE, 26)

    @unittest.skipIf(SANITIZED, "a sanitizer's own memory faults too")
    def test_counts_of_each_kind(self):
        (self.folder / recording.LOG).write_text(self.LOG)
        for words, expected in self.KINDS.items():
            row = self.replay(self.folder, *words)[1]
            if row["status"] == "unsupported" or (OVERCOMMIT == "2" and "noreserve" in words[1]):
                continue
            counts = [int(row["commit_calls"]), int(row["purge_calls"]),
                      int(row["touched_bytes"]) // PAGE, int(row["minor_faults"]),
                      *(int(row[column]) / PAGE for column in self.COLUMNS[1:])]
            self.assertEqual(counts, [2, 2, 26, *expected], words)


@unittest.skipIf(SANITIZED, "measures")
class Measured(Replay):
    def measure(self, *words):
        return execute(vmcommit("record", "measure", *words))

    def ways(self, output, sets):
        """Rows of words: of the way as recorded, and of two others."""
        done = self.measure(output, "--commit", "mprotect", "--purge", "free", "--sets", sets)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = [re.split(r"  +", line.strip()) for line in done.stdout.splitlines()[1:]]
        self.assertEqual([row[0] for row in rows],
                         ["as recorded", "--commit mprotect", "--purge free"])
        for row in rows:
            self.assertEqual(row[-2:], ["12", "256 KiB"])
        return rows

    def test_ways_in_turns(self):
        output = self.record(ACT, "steps")
        for row in self.ways(output, "12")[1:]:
            ratio, (low, high) = float(row[2]), map(float, row[3].split(" to "))
            self.assertTrue(low <= ratio <= high, row)
        for row in self.ways(output, "2")[1:]:
            self.assertEqual(row[3], "too few sets")

    def test_interrupted(self):
        """What was measured is shown."""
        output = self.record(ACT, "steps")
        process = begin(vmcommit("record", "measure", output, "--purge", "free", "--sets", 10000))
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        done = finish(process)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (130, 1), done.stderr)
        if "no set was whole" not in done.stderr:
            self.assertRegex(done.stderr, r"interrupted; the table is of \d+ sets?$")
            self.assertIn("--purge free", done.stdout)

    def test_numbers_that_are_none(self):
        output = self.record(ACT, "steps")
        for option, value, says in (
                ("--sets", "1", "is no number of sets; use 12"), ("--sets", "1_0", "use 12"),
                ("--sets", "\u0663", "use 12"), ("--sets", "99999999999", "to 10000"),
                ("--seed", "-1", "is no seed; use a whole number from 0 to 2^64 - 1"),
                ("--seed", "x", "is no seed"), ("--seed", str(2**64), "is no seed")):
            done = self.measure(output, option, value)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(f"{option}: '{value}' ", done.stderr)
            self.assertIn(says, done.stderr)

    def bench(self, *words):
        return execute(vmcommit("bench", "--build", BIN.parent, "--results", self.folder / "runs",
                                "--profile", "tiny", *words),
                       env=os.environ | {"VMCOMMIT_CAMPAIGN": "",
                                         "VMCOMMIT_RECORDING": str(self.folder)})

    def test_a_campaign(self):
        """Each other way that has a meaning where nothing is given back, in turns."""
        (self.folder / recording.LOG).write_text(re.sub(".* madvise .*\n", "", ByHand.LOG))
        done = self.bench()
        latest = self.folder / "runs" / "latest"
        self.assertIn(done.returncode, (0, 1), done.stderr)  # 1: gnuplot may be missing
        self.assertIn("\n\nWhat made did with its memory takes ", done.stdout)
        told = json.loads((latest / "advice.json").read_text())["recording"]
        ways = {way["way"]: way for way in told["ways"]}
        kinds = ("mprotect", "remap", "populate", "noreserve")
        self.assertEqual({*ways, *told["not_measured"]},
                         {"as recorded", *(f"--commit {kind}" for kind in kinds)})
        self.assertEqual([ways["as recorded"][column] / PAGE for column in ByHand.COLUMNS[1:]],
                         [49, 17, 22, 12])
        taken = parse((latest / "details" / "recording.csv").read_text())
        timed = [row["commit_kind"] for row in taken if row["undisturbed_ns"]]
        for way in ways:
            self.assertGreaterEqual(timed.count(way.rpartition(" ")[2]), 6, way)
        self.assertIn('<section id="recording"', (latest / "report.html").read_text())

    def test_what_is_no_campaign(self):
        for words, says in (
                (["--campaign", "recording", "--recording", ""], "make bench RECORDING=DIR"),
                (["--recording", "x", "--campaign", "commit"], "'x' has a campaign of its own"),
                (["--recording", "x", "--emulator", "env"], "leave --emulator out")):
            with self.assertRaisesRegex(Usage, says):
                bench.options(words)
        done = self.bench()
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        self.assertIn("no memory.log", done.stderr)
        self.assertFalse((self.folder / "runs" / "latest").exists())

    def test_what_can_not_be_measured(self):
        output = self.record(ACT, "steps")
        for words, says in (([output, "--commit", "recorded"], "is no other way; use mprotect"),
                            ([output, "--purge", "x"], "use dontneed"), ([self.folder], "holds no"),
                            ([output, "--sets", "1"], "is no number of sets"), ([], "DIR")):
            done = self.measure(*words)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(says, done.stderr)


class Refusals(Replay):
    def test_what_is_no_recording(self):
        self.refused([], "--recording: none given; name the folder of a recording")
        self.refused([self.folder], "no memory.log to read in it")
        (self.folder / recording.LOG).write_text("something else\n")
        self.refused([self.folder], "no recording of this version")

    def test_what_is_damaged_is_named(self):
        for old, new in (("200000 8000", "200000 zz"), (" mmap 200000", " mmap 200001"),
                         ("c 1 0 1 mmap", "c 1 0 mmap"), ("0 40000 0 22 ffffffff 0", "0 40000"),
                         ("200+c", "200 c"), ("200+c", "200+"), ("m 0 10000-", "m 0 10000+"),
                         ("c 9 0 1", "\0 9 0 1"), ("c 9 0 1", "c 9 0 -1"), ("c 9 0 1", "c 9")):
            damaged = ByHand.LOG.replace(old, new)
            line = 1 + damaged[:next(at for at, (one, other) in enumerate(zip(
                ByHand.LOG, damaged)) if one != other)].count("\n")
            (self.folder / recording.LOG).write_text(damaged)
            self.refused([self.folder], f"line {line} of memory.log in it is damaged")

    def test_what_a_later_version_may_add(self):
        (self.folder / recording.LOG).write_text(ByHand.LOG.replace("t 3", "Z a new one\nt 3"))
        self.assertEqual(self.replay(self.folder)[1]["status"], "ok")

    def test_what_is_no_file(self):
        os.mkfifo(self.folder / recording.LOG)
        self.refused([self.folder], "no memory.log to read in it")

    def test_a_recording_without_touches(self):
        self.refused([self.record("true", options=("--no-touch",))], "--no-touch")

    def test_options_that_a_recording_decides(self):
        for option, value in (("--size", "4K"), ("--touch", "1"), ("--chunk", "64K"),
                              ("--order", "random"), ("--growth", "double"),
                              ("--purge-step", "4K"), ("--trace", "t.csv")):
            self.refused([option, value], f"leave {option} out")


if __name__ == "__main__":
    unittest.main()
