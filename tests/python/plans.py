"""Which configurations a profile has, and which of them the next set is of, on pretended
machines."""

import collections
import dataclasses
import itertools
import random
import unittest

from support import describe

from vmcommit.base.cells import block_text
from vmcommit.base.strategies import from_json
from vmcommit.base.units import GIB, KIB, MIB
from vmcommit.measure import profiles
from vmcommit.measure.plan import CHEAP, Plan, need, sets_min, touches_gigabytes

FOUR = [from_json(describe(name)) for name in ("upfront", "fault", "chunked", "guard")]
UPFRONT, FAULT, CHUNKED, GUARD = FOUR
MEMORY = 16 * GIB  # that a set may touch, as of a machine with twice as much
SMALL, LARGER = (64 * KIB, "1", "sequential"), (MIB, "1", "sequential")


def configurations(profile, available=2 * MEMORY):
    return profiles.configurations(profile, available, FOUR)


def planned(name="quick", memory=MEMORY, **changes):
    profile = dataclasses.replace(profiles.PROFILES[name], **changes)
    return Plan(profile, configurations(profile), memory)


def taken(plan, log=lambda each, number: 0.0, speed=1e-6, most=100_000, start=0.003,
          until=lambda block: False):
    """Carries a plan out, to the first set of a block that is `until` at most; log(configuration,
    its block's set) is a time's logarithm, None where the configuration failed; `start`: seconds
    until a process has begun, `speed`: those of a page. Returns [(block, members, seconds)] of each
    set."""
    sets = []
    while (due := plan.next_set()) and len(sets) < most:
        block, members = due
        number = plan.sets[block]
        for each in members:
            if (value := log(each, number)) is None:
                plan.gone.add(each)
            else:
                plan.logs[each][number] = value
        seconds = sum(start + speed * each.size / 4096 * float(each.touch) for each in members)
        plan.took(block, members, seconds)
        sets.append((block, members, seconds))
        if until(block):
            break
    return sets


def noisy(spread, seed=1):
    draws = random.Random(seed)
    return lambda each, number: draws.gauss(0, spread)


class Sets(unittest.TestCase):
    def test_each_configuration_below_gigabytes_gets_a_first_set_whatever_the_time(self):
        """And those of the headline three, so that there is one."""
        plan = planned("default", seconds=0)
        sets = taken(plan, noisy(0.1))
        self.assertEqual(len(sets), len(plan.blocks) - len(plan.left_out) + 2)
        self.assertEqual({each.block: tries for each, tries in plan.tries.items()},
                         {block: 3 if block == plan.headline else int(not touches_gigabytes(block))
                          for block in plan.blocks})
        self.assertCountEqual(plan.left_out, filter(touches_gigabytes, plan.blocks))
        self.assertEqual(plan.seconds_left(), 0)

    def test_gigabytes_that_there_is_no_time_for_are_left_out(self):
        """A page takes 10 us: 1 GiB of four strategies 10 s, 4 GiB 42 s, and the fewest sets of all
        that is smaller some 170 s. What is left goes to the others, though nothing told of the
        speed before."""
        large, dear = (GIB, "1", "sequential"), (4 * GIB, "1", "sequential")
        for seconds, left_out in ((180, [large, dear]), (210, [dear]), (240, [])):
            plan = planned("default", seconds=seconds)
            sets = taken(plan, noisy(0.1), 1e-5, start=0.1)
            with self.subTest(seconds=seconds):
                self.assertEqual(plan.left_out, left_out)
                self.assertEqual({each.block for each, tries in plan.tries.items() if not tries},
                                 {*left_out})
                self.assertLessEqual(plan.spent, seconds)
                self.assertGreater(plan.spent, seconds - max(took for *_, took in sets))

    def test_what_is_compared_is_measured_together(self):
        """All of a block in its first set, and its base in every one."""
        plan = planned()
        for block, members, _ in taken(plan, noisy(0.03)):
            self.assertEqual({each.block for each in members}, {block})
            self.assertEqual(members[0], plan.bases.get(block, members[0]))
            self.assertEqual(len(set(members)), len(members))
            if all(plan.tries[each] == 0 for each in members):
                self.assertEqual(set(members), set(plan.blocks[block]))

    def test_what_is_known_is_left_alone(self):
        """Without noise the fewest sets suffice."""
        plan = planned("default", seconds=1e6)
        taken(plan)
        for each, tries in plan.tries.items():
            if each != plan.bases.get(each.block):
                self.assertEqual(tries, sets_min(plan.profile, each), str(each))
        self.assertEqual(plan.seconds_left(), 0)

    def test_a_block_stays_together_while_one_of_it_is_open(self):
        """fault is noisy at 64 KiB, where nothing else is."""
        plan = planned(seconds=8)
        draws = noisy(0.3)
        sets = taken(plan, lambda each, number: draws(each, number) * (
            each.strategy == FAULT and each.block == SMALL))
        members = [set(members) for block, members, _ in sets if block == SMALL]
        self.assertGreater(len(members), 40)
        self.assertTrue(all(each == set(plan.blocks[SMALL]) for each in members))

    def test_of_gigabytes_one_that_is_known_leaves_its_block_to_the_others(self):
        """fault is noisy, where nothing else is: only fault goes on, beside upfront, once ranks
        decide; before that the others are as unknown as what they share a spread with."""
        block = (GIB, "1", "sequential")
        profile = dataclasses.replace(profiles.PROFILES["default"], seconds=100)
        plan = Plan(profile, [each for each in configurations(profile) if each.block == block],
                    MEMORY)
        draws = noisy(0.3)
        sets = taken(plan, lambda each, number: draws(each, number) * (
            each.strategy == FAULT and each.block == block))
        later = [members for taken, members, _ in sets if taken == block][20:]
        self.assertGreater(len(later), 20)
        self.assertEqual({tuple(each.strategy.name for each in members) for members in later},
                         {("upfront", "fault")})

    def pair(self, narrow=0.02, seconds=100.0):
        """A plan of two sizes, all touched, with what upfront and fault need there."""
        profile = dataclasses.replace(profiles.PROFILES["quick"], narrow=narrow, seconds=seconds)
        listed = [each for each in configurations(dataclasses.replace(
            profile, sizes=(64 * KIB, MIB), sweep_size=16 * MIB))
            if each.strategy in (UPFRONT, FAULT) and each.block in (SMALL, LARGER)]
        plan = Plan(profile, listed, MEMORY)
        for _ in range(12):
            plan.took(plan.next_set()[0], plan.next_set()[1], 0.01)
        self.assertEqual(plan.sets, {SMALL: 6, LARGER: 6})
        return plan

    def known(self, plan, **spreads):
        """Gives both sizes twelve ratios with these spreads."""
        for block, spread in ((SMALL, spreads["small"]), (LARGER, spreads["larger"])):
            for each in plan.blocks[block]:
                plan.logs[each] = {number: spread * (-1) ** number * (each.strategy == FAULT)
                                   for number in range(12)}
        plan.shortages.clear()
        return plan.next_set()

    def test_the_fewest_sets_come_first_and_the_cheap_ones_before_the_dear(self):
        plan = planned("default", seconds=1000)
        draws = noisy(0.5)
        smaller = [each for each in plan.tries if not touches_gigabytes(each.block)]
        while any(map(plan.lacks, smaller)):
            block, members = plan.next_set()
            self.assertTrue(any(map(plan.lacks, members)))
            for each in members:
                plan.logs[each][plan.sets[block]] = draws(each, 0)
            plan.took(block, members, 0.01 * len(members))
        order = [block for block, _, _ in taken(planned("default", seconds=0))]
        alike = [size for size, touch, way in order if touch == "0.1" and size < 16 * MIB]
        self.assertEqual(alike, [MIB, 4 * MIB])

    def test_cheap_ones_get_more_before_gigabytes_while_they_are_open(self):
        """A hundredth of the time each; what is known gets no more than the fewest sets."""
        for spread in (0.1, 0.0):
            plan = planned("default", seconds=200)
            before = collections.defaultdict(list)
            for block, _, seconds in taken(plan, noisy(spread), until=touches_gigabytes)[:-1]:
                before[block].append(seconds)
            self.assertEqual(len(before), 20)
            for block, seconds in before.items():
                fewest = max(plan.least[each] for each in plan.blocks[block])
                timed = any(plan.needs[each] for each in plan.blocks[block])
                with self.subTest(block=block, spread=spread):
                    if spread and timed:
                        self.assertGreaterEqual(sum(seconds), min(2, sum(seconds[:fewest])))
                        self.assertLess(sum(seconds[fewest:-1]), 2)
                    else:
                        self.assertEqual(len(seconds), fewest)

    def test_then_comes_what_is_soonest_known(self):
        """A spread twice as wide takes four times the sets."""
        plan = self.pair()
        plan.spent_on = dict.fromkeys(plan.blocks, CHEAP * plan.profile.seconds)
        for small, larger, block in ((0.1, 0.05, LARGER), (0.05, 0.1, SMALL), (0.1, 0, SMALL),
                                     (0, 0.1, LARGER)):
            self.assertEqual(self.known(plan, small=small, larger=larger)[0], block)
        self.assertIsNone(self.known(plan, small=0.001, larger=0.001))
        plan.costs[SMALL] = [0.1] * 5
        self.assertEqual(self.known(plan, small=0.05, larger=0.1)[0], LARGER)

    def test_a_need_is_a_half_width(self):
        """Twelve ratios of 0.01 and -0.01 reach by 0.0083: the standard deviation is 0.01045, and
        at 97.5 %, half of 5 % for each of two, Student's t of 11 degrees is 2.593; 0.00785 as a
        share."""
        for narrow, left in ((0.0075, True), (0.0082, False)):
            plan = self.pair(narrow)
            self.assertEqual(self.known(plan, small=0.01, larger=0) is not None, left, narrow)

    def test_time_is_kept_on_machines_of_any_speed_but_for_the_first_sets(self):
        for name, speed, spread in itertools.product(("quick", "default"), (1e-7, 1e-6, 1e-5),
                                                     (0.02, 1.0)):
            plan = planned(name, seconds=3)
            sets = taken(plan, noisy(spread), speed)
            tried = {block: seconds for block, _, seconds in reversed(sets)}
            least = sum(tried.values()) + 2 * tried[plan.headline]
            with self.subTest(profile=name, speed=speed, spread=spread):
                self.assertEqual(tried.keys() | set(plan.left_out), plan.blocks.keys())
                smaller = [block for block in plan.blocks if not touches_gigabytes(block)]
                self.assertCountEqual([block for block, *_ in sets[:len(smaller)]], smaller)
                self.assertLessEqual(plan.spent,
                                     max(least, plan.profile.seconds) + 1e-6)
                if spread == 1:  # so noisy that nothing is known early
                    dearest = max(seconds for _, _, seconds in sets)
                    self.assertGreater(plan.spent, plan.profile.seconds - dearest)

    def test_what_is_left_is_never_more_than_the_time(self):
        plan = planned()
        while due := plan.next_set():
            left = plan.seconds_left()
            self.assertGreaterEqual(left, 0)
            self.assertLessEqual(left, max(plan.profile.seconds - plan.spent, 0) + 1e-6)
            plan.took(*due, 0.5)

    def test_memory_bounds_a_set_and_every_member_gets_its_sets(self):
        for gigabytes, most in ((0.5, 2), (2, 2), (3, 3), (4, 4)):
            plan = planned("default", memory=gigabytes * GIB, seconds=1e6)
            sizes = {}
            for block, members, _ in taken(plan):
                sizes[block] = max(sizes.get(block, 0), len(members))
            with self.subTest(gigabytes=gigabytes):
                self.assertEqual(sizes[GIB, "1", "sequential"], most)
                for each, tries in plan.tries.items():
                    self.assertGreaterEqual(tries, sets_min(plan.profile, each), str(each))

    def test_gigabytes_come_after_the_fewest_sets_of_all_else(self):
        """Times that can be compared are worth more than one of a region that can't be."""
        for seconds in (300, 130):
            plan = planned("default", seconds=seconds)
            sets = taken(plan, noisy(0.1), 1e-5, until=touches_gigabytes)
            self.assertTrue(touches_gigabytes(sets[-1][0]))
            before = collections.Counter(each for _, members, _ in sets[:-1] for each in members)
            with self.subTest(seconds=seconds):
                self.assertEqual([str(each) for each, least in plan.least.items()
                                  if not touches_gigabytes(each.block) and before[each] < least],
                                 [])

    def test_what_the_headline_rests_on_comes_before_all_other_second_sets(self):
        """On the slowest machine, where there is time for little else."""
        headline = (64 * MIB, "1", "sequential")
        plan = planned("default", seconds=45)
        sets = [block for block, _, _ in taken(plan, noisy(0.1), 1e-5)]
        firsts = len(set(sets))
        self.assertEqual(sets[firsts:firsts + 5], 5 * [headline])
        self.assertTrue(any(map(plan.lacks, plan.tries)))
        self.assertFalse(any(map(plan.lacks, plan.blocks[headline])))

    def test_gigabytes_follow_each_other(self):
        """Whatever takes several sets to try has them one after the other."""
        plan = planned("default", memory=2 * GIB, seconds=30)
        large = (4 * GIB, "1", "sequential")
        blocks = [block for block, _, _ in taken(plan, noisy(0.1))]
        first = blocks.index(large)
        self.assertEqual(blocks[first:first + 3], 3 * [large])

    def test_what_failed_is_not_tried_again(self):
        plan = planned()
        draws = noisy(0.05)
        sets = taken(plan, lambda each, number: None if each.strategy == GUARD and number == 2
                     else draws(each, number))
        self.assertEqual(max(plan.tries[each] for each in plan.tries
                             if each.strategy == GUARD), 3)
        self.assertGreater(len(sets), 3 * len(plan.blocks))

    def test_without_its_base_a_block_gets_its_fewest_sets(self):
        """There is no ratio that could become known."""
        plan = planned(seconds=1e6)
        taken(plan, lambda each, number: None if each.strategy == UPFRONT and each.block == SMALL
              else 0.0, most=2000)
        self.assertEqual(plan.sets[SMALL], 6)
        self.assertIsNone(plan.next_set())

    def test_with_all_failed_each_is_tried_once(self):
        plan = planned("default")
        taken(plan, lambda each, number: None)
        self.assertEqual(set(plan.tries.values()), {1})


class Texts(unittest.TestCase):
    def test_a_block_as_a_reader_has_it(self):
        for block, text in (((4 * GIB, "1", "sequential"), "4 GiB, all touched"),
                            ((16 * GIB, "0.1", "sequential"), "16 GiB, 10 % touched"),
                            ((GIB, "1", "random", "commit"), "1 GiB, all touched, random")):
            self.assertEqual(block_text(block), text)


class Needs(unittest.TestCase):
    def test_by_what_a_sentence_rests_on(self):
        profile = profiles.PROFILES["default"]
        narrow, large, coarse = profile.narrow, profile.large, profile.coarse
        self.assertEqual(sorted((narrow, large, coarse)), [narrow, large, coarse])
        for strategy, size, changes, needed in (
                (UPFRONT, MIB, {}, None), (FAULT, MIB, {}, narrow), (FAULT, GIB, {}, large),
                (FAULT, MIB, {"touch": "0.1"}, large), (FAULT, GIB, {"touch": "0.1"}, coarse),
                (FAULT, MIB, {"touch": "0.5"}, None), (CHUNKED, MIB, {"chunk": 4096}, coarse),
                (CHUNKED, profile.sweep_size, {"chunk": 4096}, large),
                (FAULT, MIB, {"chunk": 4096}, narrow),  # which has no step
                (FAULT, MIB, {"order": "random"}, coarse), (FAULT, GIB, {"order": "random"}, None),
                (FAULT, MIB, {"order": "reverse"}, None)):
            each = dataclasses.replace(profiles.Configuration(strategy, size), **changes)
            with self.subTest(str(each)):
                self.assertEqual(need(profile, each), needed)
                self.assertEqual(sets_min(profile, each), 2 if needed is None or size >= GIB
                                 else 6)


class Profiles(unittest.TestCase):
    def test_no_size_takes_more_than_half_of_memory(self):
        for memory in (1, 4, 24):
            sizes = [each.size for each in configurations(profiles.PROFILES["full"], memory * GIB)]
            self.assertLessEqual(max(sizes), memory * GIB / 4)  # two of a set at once
            self.assertGreater(max(sizes), memory * GIB / 10)

    def test_upfront_is_in_each_block_of_which_times_are_asked(self):
        for name in profiles.PROFILES:
            plan = planned(name)
            for block in plan.blocks.keys() - plan.bases.keys():
                self.assertEqual([plan.needs[each] for each in plan.blocks[block]], [None])


if __name__ == "__main__":
    unittest.main()
