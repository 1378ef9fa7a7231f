"""What a recording amounts to, worked out by hand for a log of a few lines."""

import os
import pathlib
import random
import re
import struct
import tempfile
import types
import unittest
from unittest import mock

import damage
import made

from vmcommit.analyse import analysis, replayed, symbols
from vmcommit.analyse.recording import LOG
from vmcommit.analyse.stacks import Code, Place, Stacks
from vmcommit.analyse.usage import Amounts, Usage
from vmcommit.analyse.wasters import Unused
from vmcommit.base.units import MIB
from vmcommit.commands import record as command
from vmcommit.show import gnuplot, recordings
from vmcommit.show.charts import recorded_pair
from vmcommit.show.charts import replayed as chart

# 10 pages are mapped at 1 s, 4 of them touched at 2 s, and gone at 3 s; 8 pages that are not
# charged come at 3 s with 5 touched; a child at 4 s; both end at 5 s.
TEXT = """recording 1
# page 4096
# overcommit 0
# command my%20program x
E 0 0 100 20000000 /bin/my program
m 0 10000000-10002000 rx /bin/my program
c 1000000 0 100 mmap 30000000 3000 0 a000 3 22 ffffffff 0
t 2000000 0 30000+4
s 2000000 0 700000 11 0 40960
v 0 100 30000000-3000a000
c 3000000 0 100 munmap 0 5000 30000000 a000
c 3000000 0 100 mmap 40000000 2500 0 8000 3 4022 ffffffff 0
t 3000000 0 40000+5
c 3000000 0 100 mprotect -12 2100 0 8000 3
F 4000000 1 101 0
C 5000000 1 exit 200000 3 0 8192 10000+2:rx 2fffe+8:rwn
X 5000000 1 101 0
C 5000000 0 exit 900000 20 1 8192 10000+2:rx 2fffe+8:rwn
X 5000000 0 100 0
# null_ns 2000
# end
"""
PAGE = 4096


class Reading(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def read(self, text=TEXT):
        (self.folder / LOG).write_text(text)
        return Usage(self.folder)


class Amount(Reading):
    def test_integrals(self):
        sums = self.read().over.byte_seconds
        self.assertEqual({name: value / PAGE for name, value in sums.items()}, {
            "charged": 10 + 10, "unused": 10 + 6, "touched_uncharged": 5 + 10,
            "reserved": 2 + 12 + 12 + 10 + 20})

    def test_peaks(self):
        over = self.read().over
        self.assertEqual(over.peak("charged"), (1000000, 10 * PAGE))
        self.assertEqual(over.peak("reserved"), (4000000, 20 * PAGE))
        self.assertEqual(over.peak("touched"), (4000000, 10 * PAGE))
        self.assertEqual(over.now, Amounts())

    def test_calls_and_counts(self):
        used = self.read()
        self.assertEqual(used.calls(), {"munmap": (1, 0, 10 * PAGE, 3000),
                                        "mmap": (2, 0, 18 * PAGE, 1500),
                                        "mprotect": (1, 1, 0, 100)})
        self.assertEqual((used.counted("minor_faults"), used.counted("cpu_ns")), (23, 1100000))
        self.assertEqual((used.processes, used.seconds), (2, 5))

    def test_kinds_at_a_moment(self):
        kinds = self.read().kinds_at(2500000)
        self.assertEqual((kinds["anonymous"].charged, kinds["anonymous"].touched,
                          kinds["file"].reserved), (10 * PAGE, 4 * PAGE, 2 * PAGE))

    def test_sentences(self):
        self.assertEqual(list(recordings.sentences(self.read())), [
            "my program: 5.00 s, 2 processes, 4 memory calls.",
            "Charged and unused: 80 % of the charge over time (0.0625 MiB·s of 0.0781 MiB·s), at "
            "most 40 KiB at 1.00 s.",
            "Touched but not charged (MAP_NORESERVE): at most 40 KiB at 4.00 s; without "
            "charge, the system may run out of it.",
            "At most 80 KiB reserved, 40 KiB charged, 40 KiB touched, 40 KiB resident.",
            "23 page faults; the calls took 4.6 µs of 1.1 ms of CPU (0.42 %).",
            "The replay is the kernel's own account, byte for byte, at 2 checkpoints of 2."])

    def test_a_recording_that_did_not_look_at_what_was_touched(self):
        used = self.read(TEXT.replace("# command", "# touch no\n# command"))
        said = "\n".join([*recordings.sentences(used), *recordings.tables_of_both(used, used),
                          *recordings.sentences_of_both(used, used)])
        self.assertIn("What was touched is not known: it was recorded with --no-touch.", said)
        self.assertNotRegex(said, "unused|KiB touched")

    def test_two_that_are_alike(self):
        used = self.read()
        self.assertEqual(recordings.headline_of_both(used, used),
                         "Both are alike in what each is charged for and does not touch: "
                         "0.0625 MiB·s.")
        rows = list(recordings.tables_of_both(used, used))
        self.assertTrue(all(row.endswith("same") for row in rows if row and "B / A" not in row))

    def test_a_recording_that_breaks_off(self):
        used = self.read(TEXT.removesuffix("# end\n"))
        self.assertEqual(list(recordings.sentences(used))[-1],
                         "The recording breaks off: record was ended, or could not write on.")

    def test_a_difference_is_said_and_taken_over(self):
        used = self.read(TEXT.replace("C 5000000 0 exit 900000 20 1 8192 10000+2:rx 2fffe+8:rwn",
                                      "C 5000000 0 exit 900000 20 1 8192 10000+2:rx 2fffe+8:rwa\n"
                                      "C 5000000 0 exit 900000 20 1 8192 10000+2:rx 2fffe+8:rwa"))
        self.assertEqual(list(recordings.sentences(used))[-1],
                         "The replay differs from the kernel's account at 1 of 3 checkpoints, most "
                         "at 5.00 s: by 32 KiB, and 32 KiB of charge.")


# One stack maps 10 pages at 1 s, 4 of them touched at 2 s, and 1 page at 3 s; another, by which the
# heap grows by 3 pages at 2 s, comes of a call that fails as well. A child has all this from 3 to 4
# s. 2 pages come at 3 s without a stack, 10 go at 4 s, and it ends at 5 s.
STACKS = """recording 1
# page 4096
# overcommit 0
# touch yes
# stacks yes
# command /bin/my%20program x
E 0 0 100 20000000 /bin/my program
m 0 10000000-10002000 rx /bin/my program
o 0 10000000-10002000 1000 - /bin/my program
w 0 100 0 10000101 10000201
c 1000000 0 100 mmap 30000000 3000 0 a000 3 22 ffffffff 0
t 2000000 0 30000+4
w 0 100 1 10000301 7fff1235
c 2000000 0 100 brk 20003000 1000 20003000
w 0 100 0
c 3000000 0 100 mmap 50000000 3000 0 1000 3 22 ffffffff 0
F 3000000 1 101 0
w 0 100 1
c 3000000 0 100 mprotect -12 2100 0 8000 3
c 3000000 0 100 mmap 60000000 3000 0 2000 3 22 ffffffff 0
X 4000000 1 101 0
c 4000000 0 100 munmap 0 5000 30000000 a000
X 5000000 0 100 0
# end
"""
PROGRAM = "/bin/my program"
SEEDS = int(os.environ.get("VMCOMMIT_SEEDS", 400))


class Wasters(Reading):
    def test_by_their_stacks(self):
        self.read(STACKS)
        self.assertEqual(
            [(one.places, one.byte_seconds / PAGE, one.most // PAGE, one.calls)
             for one in Unused(self.folder).wasters()],
            [((Place(PROGRAM, "-", 0x1100), Place(PROGRAM, "-", 0x1200)),
              10 + 6 + 2 * 7 + 1, 14, 2),
             ((Place(PROGRAM, "-", 0x1300), Place("-", "-", 0x7fff1234)), 3 + 2 * 3 + 3, 6, 1),
             ((), 4, 2, 1)])
        self.assertEqual(len(Unused(self.folder).wasters(2)), 2)

    def test_what_is_said(self):
        used = self.read(STACKS)
        said = list(recordings.waster_lines(used, Unused(self.folder).wasters()))
        self.assertEqual(said[1:4], [
            "  0.121 MiB·s, 66 % of all; at most 56 KiB at a time, 2 calls",
            "      my program+0x1100", "      my program+0x1200"])
        self.assertEqual(said[4:7], [
            "  0.0469 MiB·s, 26 % of all; at most 24 KiB at a time, 1 call",
            "      my program+0x1300", "      0x7fff1234"])
        self.assertEqual(said[8], f"      {recordings.STACKLESS}")
        self.assertEqual(said[9], recordings.FRAMES)

    def test_long_ones_are_cut(self):
        addresses = " ".join(f"100003{number:02x}" for number in range(1, 21))
        used = self.read(STACKS.replace("10000301 7fff1235", addresses))
        said = list(recordings.waster_lines(used, Unused(self.folder).wasters()))
        self.assertIn("      4 more callers", said)

    def test_a_log_of_before_has_none(self):
        self.assertFalse(self.read().stacks)
        self.assertTrue(self.read(STACKS).stacks)

    def test_code_in_the_place_of_other_code(self):
        code = Code()
        code.put(0x1000, 0x5000, 0, "-", "/a")
        code.put(0x7000, 0x8000, 0, "-", "/b")
        other = code.copy()
        code.put(0x4000, 0x7800, 0x10000, "c0", "/c")
        self.assertEqual([code.place(at) for at in (0xfff, 0x2000, 0x4000, 0x7700, 0x7900)], [
            Place("-", "-", 0xfff), Place("-", "-", 0x2000), Place("/c", "c0", 0x10000),
            Place("/c", "c0", 0x13700), Place("-", "-", 0x7900)])
        self.assertEqual(other.place(0x7900), Place("/b", "-", 0x900))

    def test_the_same_addresses_in_other_code(self):
        stacks, code = Stacks(), Code()
        stacks.addresses[0] = [0x2001]
        code.put(0x1000, 0x5000, 0, "-", "/a")
        origins = [stacks.origin(0, code), stacks.origin(0, code.copy())]
        code.put(0x2000, 0x3000, 0, "-", "/b")
        origins += [stacks.origin(0, code), stacks.origin(0, Code())]
        self.assertEqual(origins, [1, 1, 2, 3])
        self.assertEqual(stacks.places(2), (Place("/b", "-", 0),))


def elf(build=b"\xab\xcd"):
    """A file of 64 bits with a note, and a part from 0x100 on that is loaded at 0x401000."""
    note = struct.pack("<III4s", 4, len(build), 3, b"GNU") + build
    parts = (struct.pack("<IIQQQQQQ", 4, 4, 0x200, 0, 0, len(note), len(note), 4)
             + struct.pack("<IIQQQQQQ", 1, 5, 0x100, 0x401000, 0, 0x80, 0x80, 4096))
    head = b"\x7fELF\x02\x01" + bytes(26) + struct.pack("<QQIHHH", 64, 0, 0, 64, 56, 2)
    return (head.ljust(64, b"\0") + parts).ljust(0x200, b"\0") + note


class Symbols(Reading):
    def setUp(self):
        super().setUp()
        self.path = str(self.folder / "module")
        (self.folder / "module").write_bytes(elf())

    def names(self, *places):
        named = symbols.Names(places)
        return [named.texts[place] for place in places], named.changed

    def test_a_module(self):
        module = symbols.read(self.path)
        self.assertEqual(module.build, "abcd")
        self.assertEqual([symbols.address_of(module, at) for at in (0xff, 0x100, 0x17f, 0x180)],
                         [None, 0x401000, 0x40107f, None])
        for cut in range(0x210):
            (self.folder / "module").write_bytes(elf()[:cut])
            symbols.read(self.path)

    def test_by_file_and_address_where_there_is_no_name(self):
        self.assertEqual(self.names(Place(self.path, "abcd", 0x120), Place(self.path, "-", 1)),
                         (["module+0x401020", "module+0x1"], []))
        with mock.patch("shutil.which", return_value=None):
            self.assertEqual(self.names(Place(self.path, "abcd", 0x120))[0], ["module+0x401020"])
            used = self.read(STACKS)
            said = list(recordings.waster_lines(used, Unused(self.folder).wasters()))
        self.assertEqual(said[-1], recordings.NAMELESS)

    def test_another_file_than_was_recorded(self):
        self.assertEqual(self.names(Place(self.path, "dcba", 0x120)),
                         (["module+0x120"], [self.path]))
        used = self.read(STACKS.replace("1000 - /bin/my program", f"100 dcba {self.path}"))
        said = list(recordings.waster_lines(used, Unused(self.folder).wasters()))
        self.assertEqual(said[-1],
                         f"{self.path} is another file than was recorded: nothing in it has a "
                         "name.")

    def test_a_function_ends_where_its_symbol_says(self):
        """Which the nearest symbol does not."""
        symbols_of = [16, 64], {16: (32, "f"), 64: (72, "g")}
        self.assertEqual([symbols.function_at(symbols_of, at) for at in (15, 16, 31, 32, 64, 72)],
                         ["??", "f", "f", "??", "g", "??"])
        self.assertEqual(symbols.function_at(([], {}), 16), "??")
        for tool, name in (("/x/addr2line", "g"), ("/x/eu-addr2line", "f")):
            lines = {tool: ["0x00000021", "f", "??:?"],
                     "nm": ["0000000000000010 0000000000000010 T f",
                            "0000000000000020 0000000000000010 t g@@V1", "junk",
                            "0000000000000030 0000000000000010 D h"]}
            with mock.patch.object(symbols, "tool", return_value=tool), \
                    mock.patch("shutil.which", return_value="nm"), \
                    mock.patch.object(symbols, "said", side_effect=lambda words, all=lines:
                                      all[words[0]]):
                self.assertEqual(symbols.asked("/m", [0x21])[0x21][0], name)

    def test_what_is_no_file_is_not_opened(self):
        places = [Place(path, "-", 16) for path in (
            "[vdso]", "$(exit 1)", "-x", str(self.folder), str(self.folder / "gone"),
            "/dev/zero", "/a (deleted)")]
        if hasattr(os, "mkfifo"):
            os.mkfifo(self.folder / "pipe")  # which nobody writes to
            places.append(Place(str(self.folder / "pipe"), "-", 16))
        self.assertTrue(all(name.endswith("+0x10") for name in self.names(*places)[0]))

    def test_what_a_tool_says(self):
        for function, source, text in (("f", "/a/b.c:12", "f (b.c:12)"),
                                       ("f", "/a b/c.c:1 (discriminator 3)", "f (c.c:1)"),
                                       ("f", "/a/b.c:12:7", "f (b.c:12)"),
                                       ("f", "??:0", "f (m)"), ("f", "??:?", "f (m)"),
                                       ("??", "??:0", "m+0x1f")):
            self.assertEqual(symbols.text_of("/x/m", 0x1f, function, source), text)


class Damaged(Reading):
    """Nothing that happens to a log ends otherwise than well or with one line."""

    def report(self, folder):
        """What `record report` does, without its chart."""
        used = command.read(folder)
        list(recordings.sentences(used))
        list(recordings.tables(used))
        if used.stacks:
            list(recordings.waster_lines(used, Unused(folder).wasters()))

    def test_by_many_seeds(self):
        outcomes = []
        for seed in range(SEEDS):
            rng = random.Random(seed)
            change = rng.choice(damage.BYTES) if seed % 4 == 0 else damage.change_log
            text = rng.choice((TEXT, STACKS, STACKS, LOOKS))
            (self.folder / LOG).write_bytes(change(text.encode(), rng))
            with self.subTest(seed=seed):
                outcomes.append(damage.outcome(self.report, self.folder))
        well = outcomes.count("well")
        self.assertGreater(well, len(outcomes) / 5)
        self.assertGreater(len(outcomes) - well, len(outcomes) / 5)


# A process that ran already: looked at after 1 s and 4 s, and then with 2 more pages charged, which
# it did not touch, beside 5 that are touched and not charged.
LOOKS = """recording 1
# sampled from outside
# system linux
# page 4096
# command /bin/my%20program
# touch yes
E 1000000 0 100 0 /bin/my%20program
S 1000000 0 700000 11 0 40960 anonymous:3:40960:12288:8192:20480:28672 file:1:4096:0:0:0:4096
S 4000000 0 900000 13 0 65536 anonymous:3:49152:20480:8192:20480:28672 file:1:4096:0:0:0:4096
# end
"""


class Pictures(Reading):
    def test_what_is_not_known_is_no_line(self):
        """Touched memory that was not looked at, of both recordings or of one."""
        seen, blind = self.read(), self.read(TEXT.replace("\nE", "\n# touch no\nE", 1))
        for pair, names in (((seen, seen), 2 * ["charged", "touched", "resident"]),
                            ((seen, blind), ["charged", "touched", "resident", "charged",
                                             "resident"]),
                            ((blind, blind), 2 * ["charged", "resident"])):
            with tempfile.TemporaryDirectory() as scratch:
                plot = gnuplot.Plot(pathlib.Path(scratch))
                self.assertTrue(recorded_pair.CHART.prepare(pair, plot))
                lines = [text for text, *_ in plot.legend]
            self.assertEqual([line.partition(": ")[2] for line in lines], names)
            self.assertEqual([line[0] for line in lines], sorted(line[0] for line in lines))


class Sampled(Reading):
    def test_amounts(self):
        used = self.read(LOOKS)
        self.assertEqual({name: value / PAGE for name, value in used.over.byte_seconds.items()}, {
            "charged": 3 * 3, "unused": 3 * 1, "touched_uncharged": 3 * 5, "reserved": 3 * 11})
        self.assertEqual(used.over.now, Amounts(5 * PAGE, 2 * PAGE, 5 * PAGE, 13 * PAGE, 8 * PAGE))
        kind = used.kinds_at(2000000)["anonymous"]
        self.assertEqual((kind.charged, kind.touched, kind.reserved, kind.arenas),
                         (3 * PAGE, 7 * PAGE, 10 * PAGE, 3))

    def test_sentences(self):
        """What was counted before the first look is none of this recording's."""
        self.assertEqual(list(recordings.sentences(self.read(LOOKS))), [
            "my program: looked at 2 times within 4.00 s, at most 3 s apart.",
            "Touched but not charged (MAP_NORESERVE): at most 20 KiB at 1.00 s; without charge, "
            "the system may run out of it.",
            "Charged and unused: 33 % of the charge over time (0.0117 MiB·s of 0.0352 MiB·s), at "
            "most 12 KiB at 4.00 s.",
            "At most 52 KiB reserved, 20 KiB charged, 28 KiB touched, 32 KiB resident.",
            "2 page faults and 200 µs of CPU.",
            "The system itself noted 64 KiB resident at most, 32 KiB more than any look saw.",
            recordings.LOOKS])

    def test_a_peak_of_before_is_not_told(self):
        used = self.read(LOOKS.replace(" 0 40960 anon", " 0 65536 anon"))
        self.assertNotIn("itself noted", " ".join(recordings.sentences(used)))

    def test_a_program_that_was_started_is_counted_from_its_start(self):
        used = self.read(LOOKS.replace("from outside", "from its start"))
        self.assertEqual((used.counted("minor_faults"), used.counted("cpu_ns")), (13, 900000))

    def test_what_the_system_does_not_say(self):
        """As under Wine."""
        used = self.read(re.sub(r" 0 \d+ 1[13] 0 \d+ ", " 0 - - - - ", re.sub(
            r"(:\d+:\d+:\d+):\d+:\d+:\d+", r"\1:-:-:-", LOOKS)).replace("touch yes", "touch no"))
        said = list(recordings.sentences(used))
        self.assertEqual(said[1:3], [recordings.UNSAID,
                                     "At most 52 KiB reserved, 20 KiB charged."])
        self.assertEqual(said[3:], [recordings.LOOKS])
        rows = "\n".join([*recordings.tables_of_both(used, used), *recordings.tables(used)])
        self.assertRegex(rows, r"most resident +not known +not known +-\n")
        self.assertRegex(rows, r"anonymous +20 KiB +- +48 KiB")

    def test_beside_one_that_was_traced(self):
        rows = "\n".join(recordings.tables_of_both(self.read(), self.read(LOOKS)))
        self.assertNotIn("calls", rows)
        self.assertIn("page faults", rows)


WAYS = (made.replays(),
        made.replays(0.9, "populate", minor_faults=900, most_resident_bytes=3 * MIB),
        made.replays(1.0005, "noreserve", most_commit_bytes=PAGE, commit_bytes=PAGE),
        made.replays(1.5, purge="free", minor_faults=499),
        made.replays(purge="guard", error="no guard here"))


class Ways(unittest.TestCase):
    """A recording that was replayed in other ways."""

    maxDiff = None

    def analysed(self, *ways):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        made.write(folder, made.in_rounds(range(1, 7), (made.UPFRONT, MIB, 1000, {})),
                   (made.UPFRONT,))
        made.write_replays(folder, "my program", sum(ways, []))
        return analysis.read(folder)

    def texts(self, analysed):
        section, = analysed.sections
        return [sentence.text for sentence in section.sentences]

    def test_each_says_what_it_changes(self):
        analysed = self.analysed(*WAYS)
        first = ("What my program did with its memory takes 2 ms (2 ms to 2 ms) as recorded, in 7 "
                 "commit calls, 2 that give back and 500 page faults; 4 MiB charged at most and "
                 "2 MiB resident at most.")
        self.assertEqual(self.texts(analysed), [
            first,
            "--commit populate takes 0.90 times (0.90 to 0.90) as long; 900 page faults, not 500; "
            "3 MiB resident at most, not 2 MiB.",
            "--commit noreserve takes 1.00 times (1.00 to 1.00) as long; 4 KiB charged at most, "
            "not 4 MiB.",
            "--purge free takes 1.50 times (1.50 to 1.50) as long; 499 page faults, not 500."])
        self.assertEqual([sentence.text for sentence in analysed.headline], [
            first, "The fastest other way is --commit populate: 0.90 times (0.90 to 0.90) as long; "
            "900 page faults, not 500; 3 MiB resident at most, not 2 MiB."])
        self.assertIn("Not measured here: --purge guard: no guard here.", analysed.sections[0].note)
        lines = [line.texts[:1] + line.texts[3:7] for line in analysed.sections[0].lines]
        self.assertEqual(lines, [("as recorded", "7", "2", "500", "4 MiB"),
                                 ("--commit populate", "7", "2", "900", "4 MiB"),
                                 ("--commit noreserve", "7", "2", "500", "4 KiB"),
                                 ("--purge free", "7", "2", "499", "4 MiB")])

    def test_for_programs(self):
        analysed = self.analysed(*WAYS)
        made.check_schema(self, analysed.as_json())
        told = analysed.as_json()["recording"]
        self.assertEqual([way["way"] for way in told["ways"]],
                         ["as recorded", "--commit populate", "--commit noreserve", "--purge free"])
        self.assertEqual(told["not_measured"], {"--purge guard": "no guard here"})
        self.assertEqual((told["ways"][1]["ratio"], told["ways"][1]["minor_faults"],
                          told["ways"][3]["purge"]), (0.9, 900, "free"))
        self.assertNotIn("ratio", told["ways"][0])

    def test_nothing_is_faster(self):
        for ways, says in ((WAYS[:1] + WAYS[3:], "None of 1 other way is significantly faster."),
                           ((made.replays(sets=1), made.replays(0.5, "populate", sets=1)),
                            "Too few sets to compare other ways")):
            self.assertIn(says, self.analysed(*ways).headline[1].text)
        alone = self.analysed(made.replays(purge_calls=0))
        self.assertEqual(len(alone.headline), 1)
        self.assertIn("gives nothing back that could be given back in", alone.sections[0].note)

    def test_a_run_that_replayed_none_or_whose_file_is_damaged(self):
        self.assertIsNone(replayed.examine(types.SimpleNamespace(replays=None)))
        analysed = self.analysed([row | {"page_bytes": "x"} for row in made.replays()])
        self.assertIsNone(analysed.replayed)
        self.assertIn("page_bytes: 'x' is no number; it is left out", analysed.run.notes[0])

    def test_picture(self):
        analysed = self.analysed(*WAYS)
        with tempfile.TemporaryDirectory() as scratch:
            plot = gnuplot.Plot(pathlib.Path(scratch))
            self.assertTrue(chart.prepare(analysed, plot))
            charged, faults = ([line.split() for line in (plot.folder / f"{name}.dat").read_text()
                                .splitlines() if line and not line.startswith("#")]
                               for name in ("most_commit_bytes", "minor_faults"))
        self.assertEqual([float(row[0]) for row in charged], [1, PAGE / (4 * MIB), 1])
        self.assertEqual([float(row[0]) for row in faults], [1.8, 1, 0.998])
        self.assertEqual([round(float(row[1])) for row in faults], [0, -1, -2])
        self.assertFalse(chart.prepare(self.analysed(made.replays()), plot))


if __name__ == "__main__":
    unittest.main()
