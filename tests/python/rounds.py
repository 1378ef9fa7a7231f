"""Which configurations a profile has, and how rounds are shared out between them."""

import itertools
import random
import unittest

from support import describe

from vmcommit.base.statistics import median_interval
from vmcommit.base.strategies import from_json
from vmcommit.base.units import GIB, KIB, MIB
from vmcommit.measure import profiles
from vmcommit.measure.plan import Plan, rounds_min

FOUR = [from_json(describe(name)) for name in ("upfront", "fault", "chunked", "guard")]


def configurations(profile, available=24 * GIB):
    return profiles.configurations(profile, available, FOUR)


class Planning(unittest.TestCase):
    def plan(self, name, speed, spread=lambda each: 1):
        """Carries a plan out against a pretended machine, so noisy that nothing is known early;
        returns rounds by group and seconds."""
        noise = random.Random(1)
        profile = profiles.PROFILES[name]
        plan = Plan(profile, configurations(profile))
        while blocks := plan.next_round():
            seconds = {}
            for each in itertools.chain(*blocks.values()):
                plan.times[each][plan.rounds] = 1000 * noise.lognormvariate(0, spread(each))
                seconds[each.group] = seconds.get(each.group, 0) + \
                    0.01 + speed * each.size / 4096 * float(each.touch)
            plan.took(seconds)
        return {group: len(costs) for group, costs in plan.costs.items()}, plan.spent

    def test_time_is_kept_on_machines_of_any_speed(self):
        for name, profile in profiles.PROFILES.items():
            for speed in (0.3e-6, 1e-6, 3e-6):
                rounds, spent = self.plan(name, speed)
                with self.subTest(profile=name, speed=speed):
                    for group, count in rounds.items():
                        self.assertGreaterEqual(count, rounds_min(profile, group))
                    for group, count in rounds.items():  # a sweep brings its block along
                        bound = profile.rounds_max + rounds.get((*group[:-1], True), 0)
                        self.assertLessEqual(count, bound if not group[-1] else
                                             profile.rounds_max)
                    least = max(rounds.values()) == profile.rounds_max and \
                        min(rounds.values()) == profile.rounds_max
                    if not least:
                        self.assertLess(spent, 1.15 * profile.seconds)

    def test_a_group_whose_ratios_are_known_is_left_alone(self):
        """Without noise the fewest rounds that give the corrected confidence suffice; where each
        cell is noisy, its group goes on."""
        profile = profiles.PROFILES["default"]
        due = configurations(profile)
        plan = Plan(profile, due)
        noisy = (64 * KIB, "1", "sequential", False)
        while blocks := plan.next_round():
            due = list(itertools.chain(*blocks.values()))
            for each in due:
                noise = 1 + 0.2 * (plan.rounds % 7) * (each.group == noisy and
                                                       each.strategy.name == "fault")
                plan.times[each][plan.rounds] = 1000.0 * noise
            plan.took({group: 0.01 for group in {each.group for each in due}})
        fewest = next(n for n in range(1, 99)
                      if median_interval(range(n), plan.confidence)[3]
                      >= plan.confidence)
        quiet = (16 * KIB, "1", "sequential", False)
        self.assertLessEqual(abs(len(plan.costs[quiet]) - max(fewest, 2 * profile.rounds_min)), 1)
        self.assertEqual(len(plan.costs[noisy]), profile.rounds_max)

    def test_a_sweep_has_upfront_beside_it_in_each_round(self):
        profile = profiles.PROFILES["quick"]
        plan = Plan(profile, configurations(profile))
        while blocks := plan.next_round():
            for block, due in blocks.items():
                self.assertEqual({each.block for each in due}, {block})
                self.assertIn("upfront", [each.strategy.name for each in due])
            plan.took({group: 0.1 if group[-1] else 0.001 for group in
                       {each.group for each in itertools.chain(*blocks.values())}})

    def test_rounds_go_where_ratios_spread(self):
        wild = (256 * MIB, "1", "sequential", False)
        even, _ = self.plan("default", 3e-6)
        uneven, _ = self.plan("default", 3e-6, lambda each: 2 if each.group == wild else 0.5)
        self.assertGreater(uneven[wild], 1.5 * even[wild])

    def test_small_sizes_get_more_rounds(self):
        rounds, _ = self.plan("default", 3e-6)
        self.assertGreater(rounds[(4 * KIB, "1", "sequential", False)], 20)
        self.assertLess(rounds[(4 * GIB, "1", "sequential", False)], 10)

    def test_no_size_takes_more_than_half_of_memory(self):
        for memory in (1, 4, 24):
            sizes = [each.size for each in configurations(profiles.PROFILES["full"], memory * GIB)]
            self.assertLessEqual(max(sizes), memory * GIB / 2)
            self.assertGreater(max(sizes), memory * GIB / 5)


if __name__ == "__main__":
    unittest.main()
