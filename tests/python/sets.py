"""Sets of harnesses that are scripts and speak the protocol of turns: who takes a turn when, and
what becomes of the others where one of them dies, hangs, is refused or makes no sense. Nothing here
depends on how long anything takes."""

import collections
import contextlib
import csv
import dataclasses
import io
import itertools
import json
import math
import pathlib
import random
import signal
import sys
import tempfile
import threading
import unittest
from unittest import mock

import made
from support import goes

from vmcommit.base.cells import Configuration, Manner
from vmcommit.base.columns import MEMORY, NEEDED
from vmcommit.base.problems import Problem
from vmcommit.base.units import GIB, KIB, MIB
from vmcommit.gate import comparison
from vmcommit.measure import profiles, reservoir, sets, turns
from vmcommit.measure.campaign import Campaign
from vmcommit.measure.harness import Harness, HarnessFailed
from vmcommit.measure.plan import Plan
from vmcommit.measure.sets import (BATCHES, CREW, SLICES, USUAL_TOUCH_NS, Pace, Part, Set,
                                   pace_of)

COLUMNS = list(dict.fromkeys((*NEEDED, *MEMORY, "position", "set")))
TOUCHES = 16  # of a cycle
SLICED, BATCHED = Pace(4), Pace(64)  # four slices a cycle; whole cycles
CYCLE = ["begin", *["touch 4"] * 4, "end"]
CYCLES = SLICES // 4
PROBE = ["probe", "touch 16", "end", "header", "row"]

# Its arguments: a name, a folder, a row as JSON, and what it does other than well as JSON:
# {"touch 2": what} is done at its second touch. It notes its process and what it was asked for.
FAKE = """
import json, os, signal, subprocess, sys, time
name, folder, row, acts = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
options = sys.argv[5:]
def note(file, text):
    with open(os.path.join(folder, file), "a") as log:
        log.write(text)
def say(text):
    os.write(1, text.encode() + b"\\n")
header = ",".join(row)
row["size_bytes"] = options[options.index("--size") + 1]
if "--turns" not in options:
    say(header + "\\n" + ",".join(map(str, row.values())))
    sys.exit()
note("pids", f"{os.getpid()}\\n")
counts, refused = {}, False
def asked(command):
    verb = command.split()[0]
    counts[verb] = counts.get(verb, 0) + 1
    act = acts.get(f"{verb} {counts[verb]}", acts.get(verb))
    if act == "die":
        print("first\\nout of luck", file=sys.stderr)
        sys.exit(7)
    if act == "kill":
        os.kill(os.getpid(), signal.SIGSEGV)
    if act == "close":
        os.close(1)
    while act in ("drip", "flood"):
        os.write(1, b"d" * (1 if act == "drip" else 65536))
        time.sleep(0.05 if act == "drip" else 0)
    if act in ("close", "hang"):
        child = subprocess.Popen(["sleep", "300"])
        note("pids", f"{child.pid}\\n")
        time.sleep(300)
    return act
say(asked("greet") or "turns 3 16 0 16 ok")
for line in iter(sys.stdin.readline, ""):
    note("asked", f"{name} {line}")
    act = asked(line)
    if act:
        refused = act.startswith("refused")
        say(act)
    elif line == "header\\n":
        say(header)
    elif line.startswith("row "):
        number, position, at = line.split()[1:]
        told = row | {"round": number, "position": position, "set": at}
        if refused or acts.get("greet", "").endswith("unable"):
            told |= {"status": "refused" if refused else "unsupported", "error": "no memory"}
            told |= dict.fromkeys([each for each in told if each.endswith("_ns")], "")
        refused = False
        say(",".join(map(str, told.values())))
    else:
        say("done 1000000 0 0 0")
"""


class Short(Configuration):
    def time_limit(self):
        return 0.3


class Fakes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.script = self.folder / "fake.py"
        self.script.write_text(FAKE)
        for number in (signal.SIGINT, signal.SIGTERM):  # ignored where tests were started so
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.addCleanup(self.assertAllGone)

    def row(self, strategy, size=64 * KIB):
        row = made.row(strategy, size, 100, position=1, set=0)
        return {column: row.get(column, 0) for column in COLUMNS}

    def harness(self, strategy, name=None, **acts):
        """One that does `acts`, {"touch_2": what it does at its second touch}."""
        acts = {key.replace("_", " "): act for key, act in acts.items()}
        return Harness(strategy, (
            sys.executable, "-SEI", str(self.script), name or strategy.name, str(self.folder),
            json.dumps(self.row(strategy)), json.dumps(acts)))

    def part(self, strategy, name=None, kind=Configuration, **acts):
        like = {column: str(value) for column, value in self.row(strategy).items()}
        return Part(self.harness(strategy, name, **acts), kind(strategy, 64 * KIB), like)

    def parts(self, names="abc", **acts):
        """{name: Part}; `acts`: {name: what it does, by keywords}."""
        return {name: self.part(made.UPFRONT, name, **acts.get(name, {})) for name in names}

    def asked(self):
        """[(name, command)] in the order in which they were asked."""
        path = self.folder / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(line.split(" ", 1)) for line in lines]

    def timed(self, names="abc"):
        """The same of turns that are timed: what comes after the last probed cycle or chosen
        batch, up to the rows."""
        asked = self.asked()
        first = 1 + max(at for at, (_, command) in enumerate(asked[:-2 * len(names)])
                        if command.startswith("row"))
        return [(name, command) for name, command in asked[first:]
                if not command.startswith(("row", "header"))]

    def assertAllGone(self):
        path = self.folder / "pids"
        for pid in path.read_text().split() if path.exists() else ():
            self.assertTrue(goes(int(pid)), f"process {pid} is left over")

    def take(self, parts, pace=SLICED, number=5, round_number=1, seed=1):
        return Set(parts, pace, number, round_number, random.Random(seed)).take()


class Order(Fakes):
    def test_all_members_get_the_same_turns(self):
        for pace, expected in ((SLICED, CYCLE * CYCLES), (BATCHED, ["cycles 1"] * BATCHES)):
            with contextlib.suppress(FileNotFoundError):
                (self.folder / "asked").unlink()
            taken = self.take(self.parts(), pace)
            for name in "abc":
                self.assertEqual([command for each, command in self.timed() if each == name],
                                 expected)
                self.assertEqual(taken[name].turns.ns.shape, (CYCLES, 6) if pace is SLICED
                                 else (BATCHES, 1))

    def test_each_round_has_an_order_of_its_own(self):
        rounds = []
        for seed in range(4):
            self.take(self.parts("abcd"), seed=seed)
            names = [name for name, _ in self.timed("abcd")]
            rounds += [tuple(names[at:at + 4]) for at in range(0, len(names), 4)]
        self.assertEqual(len(rounds), 4 * CYCLES * len(CYCLE))
        self.assertEqual({frozenset(order) for order in rounds}, {frozenset("abcd")})
        self.assertEqual(len(set(rounds)), math.factorial(4))

    def test_as_much_memory_is_freed_as_is_touched_next(self):
        with mock.patch.object(sets, "Reservoir") as made_of:
            self.take(self.parts())
        reservoir = made_of.return_value.__enter__.return_value
        made_of.assert_called_once_with(3 * TOUCHES * 4096)
        freed = [call.args[0] for call in reservoir.free.call_args_list]
        self.assertEqual(freed, [size for size in (0, *[4 * 4096] * 4, 0) for _ in "abc"] * CYCLES)

    def test_nobody_takes_two_turns_in_a_row(self):
        for pace, seed in itertools.product((SLICED, BATCHED), range(3)):
            (self.folder / "asked").write_text("")
            self.take(self.parts(), pace, seed=seed)
            for (before, _), (after, _) in itertools.pairwise(self.timed()):
                self.assertNotEqual(before, after)

    def test_two_members_alternate(self):
        self.take(self.parts("ab"), BATCHED)
        for (before, _), (after, _) in itertools.pairwise(self.timed("ab")):
            self.assertNotEqual(before, after)

    def test_cycles_are_as_many_as_have_the_slices(self):
        """Long ones are released in parts."""
        for touches, slices, parts in ((1, 16, 2), (3, 6, 0), (4, 4, 0), (8, 2, 0)):
            taken = self.take(self.parts("ab"), Pace(touches))
            with self.subTest(slices=slices):
                self.assertEqual(taken["a"].turns.ns.shape,
                                 (math.ceil(SLICES / slices), slices + parts + 2))

    def test_turns_of_several_threads_are_longer_and_fewer(self):
        """Threads are started for each. Where one member has several, all take such turns."""
        parts = self.parts("ab")
        several = dict(parts, b=dataclasses.replace(parts["b"], configuration=Configuration(
            made.UPFRONT, 64 * KIB, manner=Manner(threads=2, share="own"))))
        for asked, longer in ((parts, 1), (several, CREW)):
            self.assertEqual(Set(asked, SLICED, 5, 5, random.Random(1)).longer, longer)
        for touches, slices in ((1, 8), (4, 2), (8, None)):
            taking = Set(self.parts("ab"), Pace(touches), 5, 5, random.Random(1))
            taking.longer = CREW
            with self.subTest(touches=touches):
                self.assertEqual({each.turns.ns.shape for each in taking.take().values()},
                                 {(math.ceil(SLICES / CREW / slices), slices + 2) if slices
                                  else (BATCHES // CREW, 1)})

    def test_a_batch_fills_a_turn(self):
        """Of cycles of 10 000 ns it takes thirty to fill 300 000."""
        taken = self.take(self.parts("ab", a={"cycles": "done 20000 0 0 0"}), BATCHED)
        batches = [command for name, command in self.timed("ab") if name == "a"]
        self.assertEqual(set(batches), {"cycles 30"})
        self.assertEqual(set(taken["a"].turns.ns.ravel()), {20000 / 30})

    def test_memory_is_read_in_the_first_two_rounds(self):
        """In a cycle of its own; of gigabytes in the first one that is timed."""
        for pace, size, round_number, probes, begins in (
                (SLICED, 64 * KIB, 1, 1, CYCLES), (SLICED, 64 * KIB, 2, 1, CYCLES),
                (SLICED, 64 * KIB, 3, 0, CYCLES), (BATCHED, 64 * KIB, 2, 1, 0),
                (BATCHED, 64 * KIB, 3, 0, 0), (SLICED, GIB, 1, 1, CYCLES - 1),
                (SLICED, GIB, 2, 1, CYCLES - 1), (SLICED, GIB, 3, 0, CYCLES)):
            (self.folder / "asked").write_text("")
            parts = {name: dataclasses.replace(part, configuration=Configuration(
                made.UPFRONT, size)) for name, part in self.parts().items()}
            taken = self.take(parts, pace, round_number=round_number)
            verbs = [command.split(" ")[0] for name, command in self.asked() if name == "a"]
            with self.subTest(pace=pace, size=size, round_number=round_number):
                self.assertEqual((verbs.count("probe"), verbs.count("begin")), (probes, begins))
                self.assertEqual(taken["a"].row["round"], str(round_number))

    def test_a_row_has_its_places_and_the_probed_cycles_memory(self):
        taken = self.take(self.parts())
        for position, name in enumerate("abc", 1):
            row = taken[name].row
            self.assertEqual((row["position"], row["round"], row["set"]), (str(position), "1", "5"))
            for column in MEMORY:
                self.assertNotEqual(row[column], "")

    def test_a_turn_in_which_the_processor_was_taken_away_is_told(self):
        taken = self.take(self.parts("ab", a={"touch_7": "done 5 0 0 3", "touch_8": "done 6 0 0"}))
        turns_of = taken["a"].turns
        self.assertEqual(int(turns_of.disturbed.sum()), 1)
        self.assertEqual(turns_of.ns[turns_of.disturbed].tolist(), [5])
        self.assertIn(6, turns_of.ns)

    def test_who_takes_turns_is_compared_so_but_for_an_allocator(self):
        options = (*made.OPTIONS, turns.OPTION)
        for strategy, speaks in ((dataclasses.replace(made.UPFRONT, options=options), True),
                                 (dataclasses.replace(made.MALLOC, options=options), False),
                                 (made.UPFRONT, False)):
            built = comparison.Built({strategy.name: self.harness(strategy)})
            with self.subTest(strategy=strategy.name, options=strategy.options):
                self.assertIs(built.speaks(Configuration(strategy, 64 * KIB)), speaks)

    def test_giving_back_is_sliced_too(self):
        """By as many parts in each member, whatever its steps."""
        self.take(self.parts("ab", a={"greet": "turns 3 16 2 0 ok"},
                             b={"greet": "turns 3 16 9 0 ok"}), round_number=3)
        asked = self.asked()
        for name, steps in (("a", ["1", "1"]), ("b", ["4", "5"])):
            cycle = [command for who, command in asked if who == name][:14]
            touches = ["4"] * 4
            self.assertEqual(cycle, ["begin", *(
                f"{stage} {count}" for stage, counts in (
                    ("touch", touches), ("purge", steps), ("restore", steps), ("retouch", touches))
                for count in counts), "end"])

    def test_a_probed_cycle_gives_back_all(self):
        self.take(self.parts("a", a={"greet": "turns 3 16 9 0 ok"}))
        self.assertEqual([command for _, command in self.asked()][:6],
                         ["probe", "touch 16", "purge 9", "restore 9", "retouch 16", "end"])

    def test_a_long_release_is_sliced_too(self):
        """Of eight slices' pages each, where all members can do so; else in one go."""
        for releases, parts in ((16, ["release 8", "release 8"]), (0, [])):
            (self.folder / "asked").write_text("")
            self.take(self.parts("ab", b={"greet": f"turns 3 16 0 {releases} ok"}), Pace(1),
                      round_number=3)
            for name in "ab":
                cycle = [command for who, command in self.asked() if who == name]
                with self.subTest(releases=releases, name=name):
                    self.assertEqual(cycle[:18 + len(parts)],
                                     ["begin", *["touch 1"] * 16, *parts, "end"])

    def test_what_is_not_alike_is_not_sliced(self):
        """Other touches; giving back in turns of its own, and in one go, as harnesses did once."""
        for greeting in ("turns 3 32 0 0 ok", "turns 3 16 9 0 ok"):
            (self.folder / "asked").write_text("")
            self.take(self.parts("ab", a={"greet": greeting}))
            self.assertNotIn("begin", [command for _, command in self.asked()])


@unittest.skipUnless(reservoir.POSSIBLE, "parts of a mapping can't be freed here")
class InReserve(unittest.TestCase):
    def resident(self):
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096

    def test_memory_is_touched_at_first_and_freed_as_it_is_asked_for(self):
        before = self.resident()
        with reservoir.Reservoir(64 * MIB) as memory:
            full = self.resident() - before
            memory.free(32 * MIB)
            half = self.resident() - before
        self.assertAlmostEqual(full / MIB, 56, delta=4)  # four huge pages are freed ahead
        self.assertAlmostEqual(half / MIB, 24, delta=4)
        self.assertLess(self.resident() - before, 4 * MIB)

    def test_it_is_filled_where_no_thread_may_be_started(self):
        def refuse(_thread):
            raise RuntimeError("can't start new thread")

        before = self.resident()
        with mock.patch.object(threading.Thread, "start", refuse), reservoir.Reservoir(64 * MIB):
            self.assertAlmostEqual((self.resident() - before) / MIB, 56, delta=4)

    def test_a_small_set_needs_none(self):
        self.assertIsNone(reservoir.Reservoir(reservoir.AHEAD).memory)


class Failures(Fakes):
    ACTS = (("die", "ended with status 7: out of luck"), ("kill", "was ended by SIGSEGV"),
            ("nonsense", "answered 'nonsense', which is none of the protocol's"),
            ("done", "answered 'done', which is none of the protocol's"),
            ("done x 1 1", "answered 'done x 1 1', which is none"),
            ("done -5 1 1", "answered 'done -5 1 1', which is none"), ("", "answered ''"))

    def check(self, words, pace=SLICED, kind=Configuration, **acts):
        """b does `acts`; a and c come to their end, and b's row says why."""
        parts = self.parts()
        parts["b"] = self.part(made.UPFRONT, "b", kind, **acts)
        taken = self.take(parts, pace)
        with self.subTest(acts=acts, pace=pace):
            self.assertEqual(set(taken), set("abc"))
            for name in "ac":
                self.assertEqual((taken[name].row["status"], taken[name].failure), ("ok", ""))
                self.assertIn(taken[name].turns.ns.shape, [(BATCHES, 1), (SLICES // 4, 6)])
            self.assertEqual(taken["a"].turns.ns.shape, taken["c"].turns.ns.shape)
            self.assertIn(words, taken["b"].failure)
            row = taken["b"].row
            self.assertEqual((row["status"], row["set"], row["total_ns"]), ("skipped", 5, ""))
            self.assertIn(words, row["error"])
            self.assertIsNone(taken["b"].turns)
        self.assertAllGone()

    def test_a_turn_that_goes_wrong(self):
        for act, words in self.ACTS:
            if act:
                self.check(words, touch_6=act)

    def test_wherever_it_goes_wrong(self):
        for place in ("probe_1", "touch_1", "begin_1", "begin_3", "end_1", "end_2"):
            self.check("status 7", **{place: "die"})
        for place in ("cycles_1", "cycles_3", "cycles_4", "cycles_20"):
            self.check("status 7", BATCHED, **{place: "die"})

    def test_one_that_hangs(self):
        """With all that it started."""
        self.check("gave no answer within 0 s", kind=Short, touch_6="hang")

    def test_one_that_closes_its_output(self):
        with mock.patch.object(turns, "END_SECONDS", 0.1):
            self.check("closed its standard output", touch_6="close")

    def test_greetings_that_are_none(self):
        for greeting, words in (
                ("turns 1 16 ok", "is an older harness: its turns are of another version"),
                ("turns 2 16 ok", "another version"), ("turns 4", "another version"),
                ("hello", "began with 'hello', which is no"),
                ("turns 3 ok", "which is no greeting"), ("turns", "which is no greeting"),
                ("turns 3 16 x 0 ok", "which is no greeting"),
                ("turns 3 16 8 1 1 ok", "which is no greeting"),
                ("turns 3 16 0 -1 ok", "which is no greeting"),
                ("die", "status 7"), ("kill", "SIGSEGV")):
            self.check(words, greet=greeting)

    def test_rows_that_make_no_sense(self):
        """At its first row, of the probed cycle, and at its last."""
        row = ",".join(map(str, self.row(made.UPFRONT).values()))
        other = ",".join(map(str, self.row(made.FAULT).values()))
        smaller = ",".join(map(str, self.row(made.UPFRONT, 4 * KIB).values()))
        for act, words in (
                ("nonsense", "makes no sense"), (f"{row},more", "not a field for each column"),
                (row.rpartition(",")[0], "not a field for each column"),
                (f"{row}\n{row}", "2 rows"), ('a,"', "makes no sense"), (" ", "makes no sense"),
                (other, "strategy is 'fault' where upfront was asked for"),
                (smaller, "size_bytes is '4096' where 65536 was asked for"),
                (row.replace(",ok,", ",fine,"), "'fine' is no status"), ("die", "status 7")):
            self.assertNotEqual(act, row)
            for place in ("row_1", "row_2"):
                self.check(words, **{place: act})
        for act in ("nonsense", " ", 'a,"', "a,b", "die"):
            self.check("", header_1=act)

    def test_a_harness_that_does_not_start(self):
        parts = self.parts()
        parts["b"] = dataclasses.replace(parts["b"], harness=Harness(
            made.UPFRONT, (str(self.folder / "nowhere"),)))
        taken = self.take(parts)
        self.assertIn("did not start: No such file", taken["b"].failure)
        self.assertEqual([taken[name].turns.ns.shape for name in "ac"],
                         [(CYCLES, 6)] * 2)

    def test_all_of_them_die(self):
        for pace in (SLICED, BATCHED):
            for place in ("greet", "touch_3", "cycles_2"):
                taken = self.take(self.parts(**dict.fromkeys("abc", {place: "die"})), pace)
                self.assertEqual(set(taken), set("abc"))

    def test_one_that_is_refused_leaves_with_its_row(self):
        """In the middle of a cycle, at its begin or in a batch; it is no failure."""
        refused = "refused commit of 4096 bytes at offset 0: no memory"
        for pace, place in ((SLICED, "touch_6"), (SLICED, "begin_2"), (SLICED, "probe_1"),
                            (BATCHED, "cycles_1"), (BATCHED, "cycles_7")):
            taken = self.take(self.parts(b={place: refused}), pace)
            with self.subTest(place):
                row = taken["b"].row
                self.assertEqual((row["status"], row["error"], row["total_ns"], row["set"]),
                                 ("refused", "no memory", "", "5"))
                self.assertEqual((taken["b"].turns, taken["b"].failure), (None, ""))
                self.assertEqual(taken["a"].turns.ns.shape, taken["c"].turns.ns.shape)
                self.assertGreater(taken["a"].turns.ns.size, 1)

    def test_one_that_is_refused_and_dies_of_it(self):
        self.check("status 7", touch_6="refused x", row_2="die")

    def test_what_this_machine_can_not_take_is_a_row(self):
        taken = self.take(self.parts(b={"greet": "turns 3 0 0 0 unable"}))
        self.assertEqual((taken["b"].row["status"], taken["b"].turns, taken["b"].failure),
                         ("unsupported", None, ""))
        self.assertEqual([command for name, command in self.asked() if name == "b"],
                         ["header", "row 1 2 5"])

    def test_answers_without_sense_end_the_member_alone(self):
        for act, says in (("drip", "gave no answer within 0 s"),
                          ("flood", "gave an answer without an end"),
                          (f"done {'9' * 30} 1 0 0", "which is none of the protocol's"),
                          (f"done {'9' * 5000} 1 0 0", "which is none of the protocol's"),
                          ("done -1 1 0 0", "which is none of the protocol's"),
                          ("done 1 1 0 x", "which is none of the protocol's")):
            parts = {**self.parts("ab"), "c": self.part(made.UPFRONT, "c", Short, touch_3=act)}
            taken = self.take(parts)
            with self.subTest(act=act[:20]):
                self.assertIn(says, taken["c"].failure)
                self.assertEqual((taken["a"].failure, taken["b"].failure), ("", ""))

    def test_a_second_interrupt_leaves_no_process_either(self):
        """All are ended at once, though it comes while they are."""
        interrupted = Set(self.parts(), SLICED, 1, 1, random.Random(1))
        ended = []

        def end(member, real=turns.Member.end):
            ended.append(member)
            real(member)
            if len(ended) == 1:
                raise KeyboardInterrupt

        with mock.patch.object(interrupted, "turn", side_effect=KeyboardInterrupt), \
                mock.patch.object(turns.Member, "end", end):
            with self.assertRaises(KeyboardInterrupt):
                interrupted.take()
        self.assertEqual(len(set(ended)), 3)
        self.assertAllGone()

    def test_an_interrupt_leaves_no_process(self):
        for action in ("greet", "probe", "turn", "finish"):
            interrupted = Set(self.parts(), SLICED, 1, 1, random.Random(1))
            with mock.patch.object(interrupted, action, side_effect=KeyboardInterrupt):
                with self.assertRaises(KeyboardInterrupt):
                    interrupted.take()
            self.assertAllGone()


class Speaking(Fakes):
    def test_who_takes_turns(self):
        options = (*made.OPTIONS, "--turns")
        able, unable = (dataclasses.replace(made.UPFRONT, options=each)
                        for each in (options, made.OPTIONS))
        for strategy, acts, speaks in (
                (able, {}, True), (unable, {}, False), (able, {"greet": "turns 1 16 ok"}, False),
                (able, {"greet": "turns 3 0 0 0 unable"}, True)):
            harness = self.harness(strategy, **acts)
            self.assertEqual(turns.speaks(harness, Configuration(strategy, 64 * KIB)), speaks,
                             (strategy.options, acts))
        for harness in (self.harness(able, greet="die"), self.harness(able, greet="x"),
                        self.harness(able, greet=f"turns 3 {'9' * 5000} 0 0 ok"),
                        Harness(able, (str(self.folder / "nowhere"),))):
            with self.assertRaises(HarnessFailed):
                turns.speaks(harness, Configuration(able, 64 * KIB))

    def test_the_pace_is_by_whoever_lives_to_tell(self):
        cell = Configuration(made.UPFRONT, 64 * KIB)
        alive, dead = (self.part(made.UPFRONT, name, cycles=act) for name, act in (
            ("a", "done 160000 0 0 0"), ("b", "die")))
        for base, head, pace in ((alive, dead, Pace(16)), (dead, alive, Pace(16)),
                                 (dead, dead, Pace.of(USUAL_TOUCH_NS))):
            self.assertEqual(comparison.pace_for({cell: {"base": base, "head": head}}), pace)

    def test_the_pace_is_a_power_of_two_by_the_fastest_of_five(self):
        """16 touches in 160 000 ns: 30 of them fill a turn of 300 000."""
        acts = {"cycles": "done 900000 0 0 0", "cycles_4": "done 160000 0 0 0"}
        self.assertEqual(pace_of(self.harness(made.UPFRONT, **acts)), Pace(16))
        for acts in ({"greet": "turns 3 0 0 0 unable"}, {"cycles": "refused x"}):
            self.assertEqual(pace_of(self.harness(made.UPFRONT, **acts)), Pace(256))
        with self.assertRaises(HarnessFailed):
            pace_of(self.harness(made.UPFRONT, cycles="die"))

    def test_slices(self):
        for pace, touches, slices in ((4, 16, [4] * 4), (4, 9, [4, 4, 1]), (4, 8, [4, 4]),
                                      (4, 7, []), (256, 410, []), (128, 410, [128] * 3 + [26])):
            self.assertEqual(Pace(pace).slices(touches), slices)


class Carried(Fakes):
    """A campaign of three strategies at one size, with harnesses that are scripts."""

    def campaign(self, fault=None, chunked=None, upfront=None, questions=("",)):
        harnesses = {strategy.name: self.harness(strategy, **acts or {})
                     for strategy, acts in ((made.UPFRONT, upfront), (made.FAULT, fault),
                                            (made.CHUNKED, chunked))}
        configurations = [Configuration(each.strategy, 64 * KIB, question=question)
                          for question in questions for each in harnesses.values()]
        profile = dataclasses.replace(profiles.PROFILES["quick"], seconds=60, narrow=1)
        carried = Campaign(harnesses, Plan(profile, configurations, GIB), 1,
                           self.folder / "samples.csv", {})
        self.addCleanup(carried.samples.close)
        return carried

    def rows(self):
        text = (self.folder / "samples.csv").read_text(encoding="utf-8")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def test_rows_have_what_their_turns_say(self):
        carried = self.campaign()
        calls = []
        carried.run(lambda *call: calls.append(call))
        rows = self.rows()
        self.assertEqual(len(rows), 3 * len(calls))
        self.assertEqual(collections.Counter(row["strategy"] for row in rows),
                         dict.fromkeys(("upfront", "fault", "chunked"), len(calls)))
        for row in rows:
            self.assertGreater(int(row["turns"]), 10)
            self.assertEqual(row["disturbed_turns"], "0")
            self.assertEqual(float(row["undisturbed_ns"]) % 1e6, 0)
        self.assertEqual([call[2] for call in calls], list(range(1, len(calls) + 1)))
        self.assertEqual({row["round"] for row in rows}, {str(call[2]) for call in calls})
        self.assertEqual(carried.failed, {})

    def test_rounds_of_a_size_are_numbered_over_all_questions(self):
        """What has the same number took turns with each other, and nothing else did."""
        carried = self.campaign(questions=("", "another"))
        carried.run(lambda *_: None)
        rows = self.rows()
        self.assertEqual(set(carried.plan.sets.values()), {6})
        of_rounds = collections.Counter(row["round"] for row in rows)
        self.assertEqual(of_rounds, {str(number): 3 for number in range(1, 13)})
        self.assertEqual(len({(row["round"], row["set"]) for row in rows}), 12)
        self.assertTrue(all(row["undisturbed_ns"] for row in rows))

    def test_what_died_is_kept_and_not_tried_again(self):
        carried = self.campaign(fault={"touch_10": "die"})
        carried.run(lambda *_: None)
        rows = self.rows()
        failed = [row for row in rows if row["strategy"] == "fault"]
        self.assertEqual([(row["status"], row["undisturbed_ns"]) for row in failed],
                         [("skipped", "")])
        self.assertIn("ended with status 7: out of luck", failed[0]["error"])
        self.assertEqual({each.strategy.name: why for each, why in carried.failed.items()},
                         {"fault": "ended with status 7: out of luck"})
        self.assertGreater(len(rows), 3)

    def test_what_can_not_be_measured_here_is_a_row_and_no_failure(self):
        carried = self.campaign(fault={"greet": "turns 3 0 0 0 unable"})
        carried.run(lambda *_: None)
        self.assertEqual([row["status"] for row in self.rows() if row["strategy"] == "fault"],
                         ["unsupported"])
        self.assertEqual(carried.failed, {})

    def test_an_interrupt_keeps_the_rows(self):
        carried = self.campaign()

        def progress(_spent, _left, number, _configuration):
            if number == 3:
                raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            carried.run(progress)
        rows = self.rows()
        self.assertEqual([row["round"] for row in rows], ["1"] * 3 + ["2"] * 3)
        self.assertTrue(all(row["undisturbed_ns"] for row in rows))

    def test_an_interrupt_before_anything(self):
        carried = self.campaign()
        with self.assertRaises(KeyboardInterrupt):
            carried.run(mock.Mock(side_effect=KeyboardInterrupt))
        self.assertEqual(self.rows(), [])

    def test_without_a_pace_nothing_is_measured(self):
        with self.assertRaisesRegex(Problem, "the harness upfront ended with status 7.*nothing"):
            self.campaign(upfront={"cycles_2": "die"})


if __name__ == "__main__":
    unittest.main()
