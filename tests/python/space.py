"""The rules by which a replay charges an address space, each worked out by hand. That the kernel
keeps them is for cli/record.py to show."""

import unittest
from errno import EINVAL, ENOMEM

import support  # noqa: F401

from vmcommit.analyse import space as s
from vmcommit.analyse.recording import difference
from vmcommit.analyse.runs import Runs

PAGE = 4096
BASE = 0x10000000
RW, NONE, READ = s.READ | s.WRITE, 0, s.READ
PLAIN = s.MAP_PRIVATE | s.MAP_ANONYMOUS


def at(page):
    return BASE + page * PAGE


class Rules(unittest.TestCase):
    def setUp(self):
        self.space = s.Space()

    def map(self, page, pages, protection, flags=PLAIN, file=None, fixed=True):
        self.space.call(1, "mmap", at(page), [at(page), pages * PAGE, protection,
                                              flags | s.MAP_FIXED * fixed, 0, 0], file)

    def call(self, name, *arguments, result=0):
        self.space.call(1, name, result, list(arguments))

    def protect(self, page, pages, protection):
        self.call("mprotect", at(page), pages * PAGE, protection)

    def touch(self, page, pages):
        self.space.touch([(at(page), at(page + pages))])

    def expect(self, charged, reserved):
        self.assertEqual((self.space.charge // PAGE, self.space.reserved // PAGE),
                         (charged, reserved))

    def flags(self):
        return [((start - BASE) // PAGE, (end - BASE) // PAGE, flags)
                for start, end, flags in self.space.listed()]

    def test_what_is_charged_when_mapped(self):
        for protection, flags, file, charged in (
                (RW, PLAIN, None, 4), (NONE, PLAIN, None, 0), (READ, PLAIN, None, 0),
                (s.WRITE, PLAIN, None, 4), (RW, PLAIN | s.MAP_NORESERVE, None, 0),
                (RW, s.MAP_SHARED | s.MAP_ANONYMOUS, None, 0), (RW, 3, ("-", "/f"), 0),
                (RW, s.MAP_PRIVATE, ("-", "/f"), 4), (READ, s.MAP_PRIVATE, ("-", "/f"), 0),
                (RW, s.MAP_PRIVATE, ("t", "/huge"), 0), (RW, PLAIN | s.MAP_GROWSDOWN, None, 4),
                (RW, s.MAP_DROPPABLE | s.MAP_ANONYMOUS, None, 0)):
            with self.subTest(protection=protection, flags=flags, file=file):
                self.space = s.Space()
                self.map(0, 4, protection, flags, file)
                self.assertEqual(self.space.charge // PAGE, charged)

    def test_noreserve_means_nothing_where_overcommit_is_never_allowed(self):
        self.space = s.Space(overcommit=2)
        self.map(0, 4, RW, PLAIN | s.MAP_NORESERVE)
        self.expect(4, 4)
        self.assertEqual(self.flags(), [(0, 4, "rwa")])

    def test_huge_pages_are_mapped_whole(self):
        self.map(0, 1, RW, PLAIN | s.MAP_HUGETLB)
        self.map(1024, 1, RW, PLAIN | s.MAP_HUGETLB | 30 << s.MAP_HUGE_SHIFT)
        self.expect(0, 512 + (1 << 18))

    def test_commit_by_protection(self):
        self.map(0, 16, NONE)
        self.protect(4, 4, RW)
        self.expect(4, 16)
        self.protect(4, 4, RW | s.EXECUTE)
        self.expect(4, 16)
        self.assertEqual(self.flags(), [(0, 4, ""), (4, 8, "rwxa"), (8, 16, "")])

    def test_what_protection_never_charges(self):
        self.map(0, 4, NONE, PLAIN | s.MAP_NORESERVE)
        self.map(4, 4, NONE, s.MAP_SHARED | s.MAP_ANONYMOUS)
        self.protect(0, 8, RW)
        self.expect(0, 8)

    def test_unwritten_gives_its_charge_back(self):
        self.map(0, 8, RW)
        self.protect(0, 4, NONE)
        self.expect(4, 8)
        self.protect(4, 4, READ)
        self.expect(0, 8)

    def test_written_keeps_it(self):
        self.map(0, 8, RW)
        self.touch(7, 1)
        self.space.bounds[1] = [(at(0), at(8))]
        self.protect(0, 4, NONE)
        self.expect(8, 8)

    def test_written_is_a_mappings_own(self):
        """Two that are alike to us, and two to the kernel."""
        self.map(0, 8, RW)
        self.touch(7, 1)
        self.space.bounds[1] = [(at(0), at(4)), (at(4), at(8))]
        self.protect(0, 8, NONE)
        self.expect(4, 8)

    def test_guards_count_as_written(self):
        """madvise_guard_install prepares the mapping for anonymous pages."""
        self.map(0, 8, RW)
        self.call("madvise", at(2), PAGE, s.GUARD_INSTALL)
        self.space.bounds[1] = [(at(0), at(8))]
        self.protect(0, 8, READ)
        self.expect(8, 8)

    def test_written_survives_being_discarded_and_split(self):
        self.map(0, 8, RW)
        self.touch(0, 8)
        self.call("madvise", at(0), 8 * PAGE, s.DONTNEED)
        self.assertEqual(self.space.touched.size(), 0)
        self.call("munmap", at(2), 2 * PAGE)
        self.protect(4, 4, NONE)
        self.expect(6, 6)

    def test_written_ends_with_the_mapping(self):
        self.map(0, 8, RW)
        self.touch(0, 8)
        self.map(0, 8, RW)
        self.assertEqual(self.space.touched.size(), 0)
        self.protect(0, 8, NONE)
        self.expect(0, 8)

    def test_a_private_file_never_gives_it_back(self):
        self.map(0, 8, RW, s.MAP_PRIVATE, ("-", "/f"))
        self.map(8, 8, RW, s.MAP_PRIVATE, ("z", "/dev/zero"))
        self.protect(0, 16, READ)
        self.expect(8, 16)

    def test_protection_that_meets_a_hole_has_changed_all_before_it(self):
        self.map(0, 4, NONE)
        self.map(8, 4, NONE)
        self.space.failed(1, "mprotect", ENOMEM, [at(0), 12 * PAGE, RW],
                          [(at(0), at(12), [(at(0), at(4), RW), (at(8), at(12), NONE)])])
        self.expect(4, 8)

    def test_advice_over_a_hole_and_up_to_what_refuses_it(self):
        self.map(0, 4, RW)
        self.map(8, 4, RW)
        self.map(12, 4, RW, s.MAP_SHARED | s.MAP_ANONYMOUS)
        self.map(16, 4, RW)
        self.space.failed(1, "madvise", ENOMEM, [at(0), 12 * PAGE, s.DONTFORK], [])
        self.assertEqual(self.flags()[:2], [(0, 4, "rwad"), (8, 12, "rwad")])
        self.space.failed(1, "madvise", EINVAL, [at(8), 12 * PAGE, s.WIPEONFORK], [])
        self.assertEqual(self.flags()[1:], [(8, 12, "rwadk"), (12, 16, "rws"), (16, 20, "rwa")])

    def test_a_fixed_mapping_that_failed_may_have_left_a_hole(self):
        self.map(0, 8, RW)
        self.space.failed(1, "mmap", ENOMEM, [at(2), 4 * PAGE, RW, PLAIN | s.MAP_FIXED],
                          [(at(2), at(6), [(at(5), at(6), RW)])])
        self.expect(5, 5)

    def test_the_heap(self):
        self.space.begin([], at(0) + 100)
        self.call("brk", at(3), result=at(3) + 1)
        self.expect(3, 3)
        self.call("brk", at(9), result=at(9))
        self.expect(8, 8)
        self.call("brk", at(2), result=at(2) - 5)
        self.expect(1, 1)
        self.call("brk", 0, result=at(2) - 5)
        self.expect(1, 1)

    def remap(self, to, start, old, new, flags=1):
        self.call("mremap", at(start), old * PAGE, new * PAGE, flags, at(to), result=at(to))

    def test_growing_shrinking_and_moving(self):
        self.map(0, 8, RW)
        self.touch(0, 2)
        self.remap(0, 0, 8, 12)
        self.expect(12, 12)
        self.remap(0, 0, 12, 4)
        self.expect(4, 4)
        self.remap(100, 0, 4, 6)
        self.assertEqual(self.flags(), [(100, 106, "rwa")])
        self.assertEqual(list(self.space.touched), [(at(100), at(102))])
        self.assertTrue(self.space.written.meets(at(100), at(101)))

    def test_moving_leaves_an_empty_one_behind_if_asked_to(self):
        self.map(0, 4, RW)
        self.touch(0, 4)
        self.space.bounds[1] = [(at(0), at(4))]
        self.remap(10, 0, 4, 4, 1 | s.MREMAP_DONTUNMAP)
        self.expect(8, 8)
        self.assertEqual(list(self.space.touched), [(at(10), at(14))])
        self.protect(0, 4, NONE)  # which starts afresh
        self.expect(4, 8)

    def test_moving_several_spares_what_stands_under_their_holes(self):
        self.map(0, 2, RW)
        self.map(4, 2, NONE)
        self.map(10, 8, RW, PLAIN | s.MAP_NORESERVE)
        self.remap(10, 0, 6, 6, 3)
        self.assertEqual(self.flags(), [(10, 12, "rwa"), (12, 14, "rwn"), (14, 16, ""),
                                        (16, 18, "rwn")])

    def test_a_size_of_zero_maps_shared_memory_twice(self):
        self.map(0, 4, RW, s.MAP_SHARED | s.MAP_ANONYMOUS)
        self.remap(10, 0, 0, 4)
        self.assertEqual(self.flags(), [(0, 4, "rws"), (10, 14, "rws")])

    def test_moves_that_were_made_before_one_failed(self):
        self.map(0, 2, RW)
        self.map(2, 2, NONE)
        self.space.failed(1, "mremap", EINVAL, [at(0), 4 * PAGE, 4 * PAGE, 3, at(10)],
                          [(at(0), at(4), [(at(2), at(4), NONE)]),
                           (at(10), at(14), [(at(10), at(12), RW)])])
        self.assertEqual(self.flags(), [(2, 4, ""), (10, 12, "rwa")])

    def test_a_child(self):
        self.map(0, 4, RW)
        self.map(4, 4, RW)
        self.map(8, 4, RW)
        self.touch(0, 12)
        self.call("madvise", at(4), 4 * PAGE, s.DONTFORK)
        self.call("madvise", at(8), 4 * PAGE, s.WIPEONFORK)
        self.space = self.space.copy()
        self.expect(8, 8)
        self.assertEqual(list(self.space.touched), [(at(0), at(4))])
        self.protect(8, 4, NONE)
        self.expect(4, 8)

    def test_segments(self):
        self.space.attach(at(0), at(4), 8 | RW, "shmat")
        self.space.attach(at(4), at(8), RW, "map_shadow_stack")
        self.expect(4, 8)
        self.space.bounds[1] = [(at(0), at(2))]
        self.call("shmdt", at(0))
        self.expect(4, 6)

    def test_a_slow_release_counts_from_its_beginning(self):
        self.map(0, 8, RW)
        self.space.begin_call(2, "munmap", [at(0), 8 * PAGE])
        self.expect(0, 0)
        self.map(0, 2, RW)  # by another thread, meanwhile
        self.space.call(2, "munmap", 0, [at(0), 8 * PAGE])
        self.expect(2, 2)

    def test_a_stack_grows(self):
        self.map(8, 8, RW, PLAIN | s.MAP_GROWSDOWN)
        self.space.grow(at(4), at(16))
        self.expect(12, 12)

    def test_touched_is_split_by_charge(self):
        self.map(0, 4, RW)
        self.map(4, 4, RW, PLAIN | s.MAP_NORESERVE)
        self.touch(2, 4)
        self.assertEqual((self.space.touched_charged, self.space.touched_uncharged),
                         (2 * PAGE, 2 * PAGE))
        self.map(2, 1, NONE)
        self.assertEqual((self.space.touched_charged, self.space.touched_uncharged),
                         (PAGE, 2 * PAGE))

    def test_what_is_mapped_over_belongs_to_the_arena_beneath(self):
        self.map(0, 16, NONE, fixed=False)
        self.map(4, 4, RW)
        self.map(100, 4, RW, fixed=False)
        arenas = [attributes.arena for _, _, attributes in self.space]
        self.assertEqual(arenas[0], arenas[1])
        self.assertNotEqual(arenas[0], arenas[-1])

    def test_who_had_it_charged(self):
        """Whoever commits, not who reserves; of what grows, who has it grow."""
        def make(origin, name, *arguments, result=0):
            self.space.origins[1] = origin
            self.call(name, *arguments, result=result)

        def origins():
            return [((start - BASE) // PAGE, (end - start) // PAGE, attributes.origin)
                    for start, end, attributes in self.space if attributes.charged]

        make(1, "mmap", at(0), 8 * PAGE, NONE, PLAIN | s.MAP_FIXED, 0, 0, result=at(0))
        self.assertEqual(origins(), [])
        make(2, "mprotect", at(0), 4 * PAGE, RW)
        make(3, "mprotect", at(2), 4 * PAGE, RW)
        self.assertEqual(origins(), [(0, 4, 2), (4, 2, 3)])
        self.touch(0, 6)
        make(4, "mprotect", at(0), 6 * PAGE, READ)
        make(5, "mprotect", at(0), 6 * PAGE, RW)
        self.assertEqual(origins(), [(0, 4, 2), (4, 2, 3)])
        make(6, "mremap", at(0), 4 * PAGE, 6 * PAGE, s.MREMAP_FIXED, at(20), result=at(20))
        self.assertEqual(origins(), [(4, 2, 3), (20, 4, 2), (24, 2, 6)])
        self.space.origins[1] = 7
        self.space.failed(1, "mprotect", ENOMEM, [at(6), 9 * PAGE, RW], [(at(6), at(15), [
            (at(6), at(8), RW)])])
        self.call("mmap", at(40), PAGE, RW, PLAIN | s.MAP_FIXED, 0, 0, result=at(40))
        self.assertEqual(origins()[1:2] + origins()[-1:], [(6, 2, 7), (40, 1, 0)])
        self.assertEqual(self.space.copy().at(at(21)).origin, 2)
        self.space.take_over(self.space.listed())
        self.assertEqual(origins()[1], (6, 2, 7))
        self.space.brk = at(60)
        make(8, "brk", at(63), result=at(63))
        self.call("mmap", at(70), PAGE, RW, PLAIN | s.MAP_FIXED, 0, 0, result=at(70))
        self.assertEqual(origins()[-2:], [(60, 3, 8), (70, 1, 0)])

    def test_taking_over_what_the_kernel_says(self):
        self.map(0, 4, RW)
        self.touch(0, 2)
        self.space.take_over([(at(1), at(3), "rw"), (at(8), at(9), "rwa")])
        self.assertEqual(self.flags(), [(1, 3, "rw"), (8, 9, "rwa")])
        self.expect(1, 3)
        self.assertEqual(self.space.touched_uncharged, PAGE)


class Differences(unittest.TestCase):
    def test_bytes_of_which_two_lists_differ(self):
        ours = [(0, 10, "rw"), (20, 30, "r")]
        for theirs, different in ((ours, 0), ([(0, 10, "rw")], 10), ([(0, 5, "rw"), (5, 10, "r"),
                                                                     (20, 30, "r")], 5),
                                  ([(0, 30, "rw")], 20), ([], 20)):
            with self.subTest(theirs=theirs):
                self.assertEqual(difference(ours, theirs), different)


class Sets(unittest.TestCase):
    def test_against_a_set_of_numbers(self):
        state, runs, numbers = 1, Runs(), set()
        for _ in range(2000):
            state = (state * 1103515245 + 12345) % 2**31
            start, length = state >> 8 & 63, 1 + (state >> 16 & 7)
            change = (Runs.remove, set.difference_update) if state & 1 << 20 else \
                (Runs.add, set.update)
            change[0](runs, start, start + length)
            change[1](numbers, range(start, start + length))
            self.assertEqual({n for a, b in runs for n in range(a, b)}, numbers)
            self.assertTrue(all(b < c for (_, b), (c, _) in
                                zip(runs, list(runs)[1:], strict=False)))
            self.assertEqual(runs.size(start, start + 9),
                             len(numbers & set(range(start, start + 9))))
            self.assertEqual(runs.meets(start, start + 1), start in numbers)


if __name__ == "__main__":
    unittest.main()
