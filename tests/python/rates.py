"""What `vmcommit rates` makes slower, and what runs beside it."""

import collections
import contextlib
import io
import unittest

from support import STRATEGIES

from vmcommit.base.problems import Problem, Usage
from vmcommit.commands import rates


class Places(unittest.TestCase):
    def test_one_strategy_is_left_alone_and_each_place_gets_its_turn(self):
        seen = collections.Counter()
        for number in range(60):
            places = rates.chosen_places(number, STRATEGIES, 0.02)
            alone = [name for name, place in places.items() if place is rates.NOWHERE]
            self.assertEqual(alone, [STRATEGIES[number % 4]])
            seen.update((name, place.name) for name, place in places.items())
        for place in rates.PLACES:
            for name in place.strategies:
                self.assertGreater(seen[name, place.name], 5, (name, place.name))

    def test_nothing_is_slower_by_nothing(self):
        self.assertEqual(set(rates.chosen_places(3, STRATEGIES, 0).values()), {rates.NOWHERE})

    def test_a_strategy_that_no_place_suits_is_left_alone(self):
        self.assertIs(rates.chosen_places(0, ["fault", "mine"], 0.02)["mine"], rates.NOWHERE)


class Beside(unittest.TestCase):
    def test_it_runs_for_the_time_of_the_block(self):
        with rates.running("sleep 100") as check:
            check()
        with self.assertRaisesRegex(Problem, "sleep ended by itself, status -9"):
            check()

    def test_nothing_may_be_asked_for(self):
        with rates.running("") as check:
            check()

    def test_what_can_not_be_started(self):
        with self.assertRaisesRegex(Usage, "'no-such-load': No such file"), \
                rates.running("no-such-load --cpu 2"):
            self.fail()

    def test_an_open_quote(self):
        with self.assertRaisesRegex(Usage, "--beside: 'stress-ng .*quote it"), \
                contextlib.redirect_stderr(io.StringIO()):
            rates.options(["--beside", "stress-ng '--cpu"])


if __name__ == "__main__":
    unittest.main()
