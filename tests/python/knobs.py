"""What a knob of an allocator comes to, worked out by hand. That real programs do so is for
tests/programs.py to show."""

import pathlib
import tempfile
import unittest

import support  # noqa: F401

from vmcommit.analyse import knobs, recording
from vmcommit.analyse.recording import LOG

KIB, PAGE = 1024, 4096
START = 0x20000000
STEP = 132 * KIB  # the pad, and the page that a small block needs


def call(name, result, *arguments):
    return f"c 1 0 100 {name} {result:x} 1000 {' '.join(f'{one:x}' for one in arguments)}\n"


def brk(end):
    return call("brk", START + end, START + end)


def mapping(start, size):
    return call("mmap", start, 0, size, 3, 0x22, 0xffffffff, 0)


def unmapping(start, size):
    return call("munmap", 0, start, size)


class Knobs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def read(self, *calls, facts=""):
        (self.folder / LOG).write_text(
            f"recording 1\n# page 4096\n{facts}E 0 0 100 {START:x} /bin/x\n{''.join(calls)}# end\n")
        return recording.read(self.folder)


class Glibc(Knobs):
    def moves(self, *ends):
        return knobs.moves_of(self.read(*map(brk, (0, *ends))))[0]

    def test_the_pad_that_was_recorded(self):
        """Whatever the heap did, it would do the same again."""
        moves = self.moves(STEP, 2 * STEP, 2 * STEP + 400 * KIB, STEP, 2 * STEP)
        heap = knobs.with_pad(moves, knobs.TOP_PAD, PAGE)
        self.assertEqual(heap, knobs.recorded(moves))
        self.assertEqual((heap.most, heap.growths, heap.shrinks), (2 * STEP + 400 * KIB, 4, 1))

    def test_small_blocks(self):
        """At each growth a page more than the end of before is in use: 2512 KiB at the last."""
        moves = self.moves(*(STEP * number for number in range(1, 21)))
        for pad, growths in ((256 * KIB, 10), (1024 * KIB, 3), (4096 * KIB, 1)):
            heap = knobs.with_pad(moves, pad, PAGE)
            self.assertEqual((heap.growths, heap.most), (growths, growths * (pad + PAGE)))

    def test_a_large_block_takes_one_growth(self):
        moves = self.moves(STEP, STEP + 2048 * KIB)
        heap = knobs.with_pad(moves, 256 * KIB, PAGE)
        self.assertEqual((heap.growths, heap.most),
                         (2, STEP + 2048 * KIB - knobs.TOP_PAD + 256 * KIB))

    def test_trimming(self):
        """1 MiB is freed: what is left is what is in use, and the pad."""
        moves = self.moves(STEP, STEP + 1024 * KIB, STEP)
        self.assertEqual(knobs.with_pad(moves, 256 * KIB, PAGE).shrinks, 1)
        self.assertEqual(knobs.with_pad(moves, 256 * KIB, PAGE, trim=2048 * KIB).shrinks, 0)

    def test_nothing_is_said_where_the_threshold_moved(self):
        heap = [brk(STEP * number) for number in range(30)]
        block = mapping(0x70000000, 200 * KIB), unmapping(0x70000000, 200 * KIB)
        for calls, facts, says in (
                (heap, "", ""), ([*block, *heap], "", "threshold"),
                ([*heap, *block], "", ""), ([*block, *heap], "# tunables glibc.malloc.top_pad=1\n",
                                            ""),
                ([brk(STEP * (number % 2)) for number in range(60)], "", "to and fro")):
            _, why = knobs.largest_heap(self.read(*calls, facts=facts))
            self.assertEqual(bool(says), bool(why), why)
            self.assertIn(says, why)
        self.assertIsNone(knobs.largest_heap(self.read(*heap[:20])))
        self.assertIsNone(knobs.largest_heap(self.read()))


class Java(Knobs):
    def test_a_heap_that_is_there_from_the_start(self):
        """64 MiB of which 16 are committed after 1 s, 4 of them touched; the bitmap of 1 MiB
        is reserved with it and stays empty. The last 2 s count."""
        facts = "# command java -Xmx64m X\n"
        heap = 0xf0000000
        text = (call("mmap", heap, heap, 64 * KIB * KIB, 0, 0x4032, 0xffffffff, 0)
                + call("mmap", 0x70000000, 0, KIB * KIB, 0, 0x4022, 0xffffffff, 0)).replace(
                    "c 1 ", "c 1000000 ")
        text += call("mmap", heap, heap, 16 * KIB * KIB, 3, 0x32, 0xffffffff, 0).replace(
            "c 1 ", "c 2000000 ")
        text += f"t 3000000 0 {heap // PAGE:x}+400\nX 3000000 0 100 0\n"
        replayed = self.read(text, facts=facts)
        self.assertEqual(knobs.java_heap(replayed), 64 << 20)
        recorded = knobs.JavaHeap(self.folder, 64 << 20, whole=False)
        self.assertEqual((recorded.most_charged, recorded.most_touched), (16 << 20, 4 << 20))
        self.assertEqual(recorded.mean, 8 << 20)
        whole = knobs.JavaHeap(self.folder, 64 << 20)
        self.assertEqual((whole.most_charged, whole.most_touched, whole.mean),
                         (65 << 20, 65 << 20, 65 << 20))

    def test_the_size_of_the_heap_is_what_the_command_says(self):
        for command, size in (("java%20-Xmx1g", 0), ("java -Xmx1g X", 1 << 30), ("java X", 0),
                              ("/usr/bin/java -Xmx300M X", 300 << 20), ("x -Xmx1g", 0)):
            replayed = self.read(facts=f"# command {command}\n")
            self.assertEqual(knobs.java_heap(replayed), size, command)


if __name__ == "__main__":
    unittest.main()
