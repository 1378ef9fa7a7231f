"""Which campaigns there are, what each asks of which strategies, and in which sets."""

import dataclasses
import json
import os
import tempfile
import unittest
import unittest.mock

import made
from support import STRATEGIES, campaign, describe, execute, parse, vmcommit

from vmcommit.base.cells import PLAIN, SHARES, Configuration, Manner
from vmcommit.base.columns import MANNER
from vmcommit.base.strategies import from_json
from vmcommit.base.units import GIB, KIB, MIB
from vmcommit.gate import chosen
from vmcommit.gate.comparison import Built
from vmcommit.measure import environment, plan, replays
from vmcommit.measure.campaigns import CAMPAIGNS, WHOLE, threads
from vmcommit.measure.campaigns.topic import Scene
from vmcommit.measure.harness import Harness
from vmcommit.measure.plan import Plan, need, sets_min
from vmcommit.measure.profiles import PROFILES
from vmcommit.measure.sets import Part

KNOWN = [from_json(describe(name)) for name in STRATEGIES]
UPFRONT, FAULT, CHUNKED, GUARD = KNOWN
PLENTY = 64 * GIB


def asked(name, profile="default"):
    """(the campaign's profile, its configurations)"""
    topic = CAMPAIGNS[name]
    changed = topic.profile(PROFILES[profile])
    return changed, topic.configurations(changed, PLENTY, KNOWN)


class Campaigns(unittest.TestCase):
    def test_a_wrong_name_is_refused_in_a_line(self):
        with tempfile.TemporaryDirectory() as folder:
            for words, more in ((["--campaign", "x"], {}), ([], {"VMCOMMIT_CAMPAIGN": "x"})):
                done = execute(vmcommit("bench", "--results", folder, *words),
                               env={**os.environ, **more})
                self.assertEqual((done.returncode, done.stderr), (
                    2, f"bench: CAMPAIGN: 'x' is no campaign; use {', '.join(CAMPAIGNS)}\n"))
                self.assertEqual(os.listdir(folder), [])

    def test_each_asks_what_a_strategy_can_and_upfront_as_it_is(self):
        for name in CAMPAIGNS:
            for profile in PROFILES:
                _, listed = asked(name, profile)
                with self.subTest(campaign=name, profile=profile):
                    self.assertEqual(len(set(listed)), len(listed))
                    self.assertTrue(any(each.strategy == UPFRONT and each.manner == PLAIN
                                        for each in listed))
                    self.assertTrue(all(each.manner.fits(each.strategy) for each in listed))

    def test_of_one_block_no_two_are_the_same_to_a_harness(self):
        for name in CAMPAIGNS:
            _, listed = asked(name)
            words = [(each.block, each.strategy, *each.turns()) for each in listed]
            self.assertEqual(len(set(words)), len(words), name)

    def test_the_whole_asks_the_four_as_if_nothing_stood_beside(self):
        """A set of theirs holds them alone; the other questions have sets of their own, of few."""
        _, listed = asked(WHOLE)
        plan = Plan(PROFILES["default"], listed, PLENTY)
        for block, members in plan.blocks.items():
            questions = {each.question for each in members}
            self.assertEqual(len(questions), 1)
            if questions == {""}:
                self.assertTrue(all(each.manner == PLAIN for each in members), block)
            else:
                self.assertLessEqual(len(members), 20)
                self.assertEqual({plan.needs[each] for each in members}, {None})
                self.assertEqual({plan.least[each] for each in members}, {6})

    def test_one_kind_of_commit_is_no_question(self):
        bare = [dataclasses.replace(each, commit=("virtualalloc",), pages=("small",), purge=(),
                                    options=made.OPTIONS)
                for each in KNOWN]
        listed = CAMPAIGNS[WHOLE].configurations(PROFILES["default"], PLENTY, bare)
        self.assertEqual({each.question for each in listed}, {""})

    def test_one_question_has_its_own_time_and_is_known_as_well_as_a_sweep(self):
        for name in ("commit", "release"):
            profile, listed = asked(name)
            self.assertEqual(profile.seconds, PROFILES["default"].campaign_seconds)
            self.assertLessEqual(profile.seconds, 60)
            for each in listed:
                base = each.strategy == UPFRONT and each.manner == PLAIN
                if each.question:
                    scattered = each.order != "sequential"
                    self.assertEqual(need(profile, each),
                                     None if base or scattered else profile.large)
                    self.assertEqual(sets_min(profile, each), 2 if scattered else 6)

    def test_what_follows_the_rounds_takes_of_the_same_time(self):
        profile = PROFILES["default"]
        for page_ns, seconds in ((0.0, profile.seconds), (1e6, profile.seconds / 2),
                                 (1000.0, profile.seconds - profile.detail_pages / 1e6)):
            self.assertAlmostEqual(CAMPAIGNS[WHOLE].of_rounds(profile, page_ns).seconds, seconds)
        for name, part in (("commit", 1), ("threads", 1), ("surroundings", 0.1),
                           ("recording", 0.1)):
            self.assertAlmostEqual(CAMPAIGNS[name].of_rounds(profile, 1000.0).seconds,
                                   part * profile.seconds)

    def test_commit_asks_each_kind_of_each_strategy_and_step(self):
        _, listed = asked("commit")
        kinds = {(each.strategy.name, each.chunk, each.manner.commit) for each in listed
                 if not each.manner.growth and not each.manner.pages}
        for strategy in KNOWN:
            for kind in ("", *strategy.commit[1:]):
                for step in ((4 * KIB, 64 * KIB, 2 * MIB) if strategy.stepped else (64 * KIB,)):
                    self.assertIn((strategy.name, step, kind), kinds)
        self.assertEqual({each.strategy.name for each in listed if each.manner.growth},
                         {strategy.name for strategy in KNOWN if "--growth" in strategy.options})

    def test_release_asks_each_call_of_each_step_and_order(self):
        _, listed = asked("release")
        calls = {(each.strategy.name, each.manner.purge, each.manner.purge_step, each.order)
                 for each in listed}
        for kind in UPFRONT.purge[1:]:
            for step in (4 * KIB, 64 * KIB, 2 * MIB, 64 * MIB):
                self.assertIn(("upfront", kind, step, "sequential"), calls)
            for name in ("upfront", "chunked"):
                self.assertIn((name, kind, 64 * KIB, "sequential"), calls)
                self.assertIn((name, kind, 4 * KIB, "alternate"), calls)

    def test_what_gives_back_has_the_first_call_for_its_base(self):
        _, listed = asked("release")
        plan = Plan(PROFILES["default"], listed, PLENTY)
        for block, members in plan.blocks.items():
            base = plan.bases[block]
            self.assertEqual(base, members[0])
            self.assertEqual(bool(base.manner.purge), bool(base.question))


class Threads(unittest.TestCase):
    def asked(self, cpus, available=PLENTY, profile="default"):
        with unittest.mock.patch.object(threads, "CPUS", set(range(cpus))), \
                unittest.mock.patch.object(plan, "CPUS", set(range(cpus))):
            profile = CAMPAIGNS["threads"].profile(PROFILES[profile])
            listed = threads.configurations(profile, available, KNOWN)
            return profile, listed, {each: (need(profile, each), sets_min(profile, each))
                                     for each in listed}

    def test_threads_up_to_the_cpus_and_at_least_four(self):
        for cpus, numbers in ((0, {2, 4}), (1, {2, 4}), (2, {2, 4}), (6, {2, 4, 6}),
                              (8, {2, 4, 8}), (1000, {2, 4, 8, 16, 32, 64, 128, 256})):
            _, listed, _ = self.asked(cpus)
            for share in SHARES:
                for strategy in KNOWN:
                    self.assertEqual({each.manner.threads for each in listed if (
                        each.manner.share, each.strategy) == (share, strategy)}, numbers)

    def test_what_is_compared_takes_turns_and_each_thread_has_as_much(self):
        profile, listed, _ = self.asked(8)
        for block, members in Plan(profile, listed, PLENTY).blocks.items():
            if "one thread" in block:
                continue
            self.assertEqual({each.part for each in members},
                             {MIB if members[0].part == MIB and members[0].alone else 16 * MIB})
            self.assertEqual(len({each.alone for each in members}), 1)
            self.assertEqual([each.strategy for each in members if each.manner == PLAIN
                              and not each.swept], KNOWN)
            shares = {each.manner.share for each in members} - {""}
            self.assertIn(shares, [{"own", "processes"}, {"stripes", "pages"}]
                          if members[0].alone else [{"own", "stripes", "pages"}])

    def test_more_threads_than_cpus_are_counted_alone(self):
        profile, listed, asked_for = self.asked(2)
        for each, known in asked_for.items():
            if each.manner.threads == 4:
                self.assertEqual(known, (None, 2))
            elif each.alone:
                self.assertEqual(known, (None, 2 if "processes" not in each.question
                                         else 80 if each.part == MIB else 12))
            elif each.manner.threads:
                self.assertEqual(known, (profile.large, 6))
        self.assertNotIn(PLAIN, [each.manner for each in listed if "4" in each.question])

    def test_what_a_commit_costs_among_others_is_told_by_two_steps(self):
        """By one thread, by threads and by processes; where there are CPUs enough."""
        _, listed, _ = self.asked(4)
        fine = [each for each in listed if each.swept and each.alone]
        self.assertEqual({(each.strategy, each.size, each.chunk, each.manner.threads,
                           each.manner.share, each.question) for each in fine},
                         {(strategy, size, 4 * KIB, number, share,
                           f"{asked} threads, a region each and processes")
                          for strategy in (CHUNKED, GUARD) for asked in (2, 4)
                          for size in (MIB, 16 * MIB)
                          for number, share in ((0, ""), (asked, "own"), (asked, "processes"))})
        _, listed, _ = self.asked(2)
        self.assertEqual({each.question[0] for each in listed if each.swept and each.alone}, {"2"})

    def test_a_single_thread_has_a_cost_model(self):
        """Of a whole run's largest swept size and less."""
        for profile, most in (("quick", 16 * MIB), ("default", 64 * MIB)):
            _, listed, _ = self.asked(2, profile=profile)
            sizes = {each.size for each in listed if each.question == "one thread"}
            self.assertEqual((min(sizes), max(sizes)), (64 * KIB, most))
            self.assertGreaterEqual(len(sizes), 8)
        _, listed, _ = self.asked(2, available=GIB // 8)
        self.assertEqual(max(each.size for each in listed if each.question == "one thread"),
                         8 * MIB)

    def test_one_cpu_counts_a_single_thread_too(self):
        _, listed, asked_for = self.asked(1)
        self.assertEqual({each.strategy for each in listed if each.manner == PLAIN}, set(KNOWN))
        self.assertEqual({known for each, known in asked_for.items() if each.manner.threads},
                         {(None, 2)})

    def test_the_whole_asks_one_thread_and_all_cpus(self):
        """At a size that it has anyway: another one would be a row of the answer."""
        for cpus, numbers in ((0, []), (1, []), (2, [2]), (6, [6]), (1000, [256])):
            with unittest.mock.patch.object(threads, "CPUS", set(range(cpus))):
                for profile in PROFILES.values():
                    listed = threads.brief(profile, KNOWN)
                    self.assertEqual([(each.strategy, each.manner.threads) for each in listed],
                                     [(strategy, number) for each in numbers
                                      for number in (0, each) for strategy in KNOWN])
                    self.assertLessEqual({each.size for each in listed}, set(profile.sizes))

    def test_a_set_fits_into_memory(self):
        for available in (GIB, 16 * GIB, PLENTY):
            _, listed, _ = self.asked(64, available)
            size = next(each.part for each in listed if each.manner.threads)
            self.assertTrue(size <= MIB // 4 or 16 * 64 * size <= available / 4, size)

    def test_threads_may_use_each_cpu_and_a_single_one_may_not(self):
        cpus = environment.usable_cpus()
        with environment.pinned():
            alone = environment.usable_cpus()
            for number, allowed in ((0, alone), (1, alone), (2, cpus)):
                with environment.room_for(number):
                    self.assertEqual(environment.usable_cpus(), allowed)
                self.assertEqual(environment.usable_cpus(), alone)

    def test_a_run(self):
        with tempfile.TemporaryDirectory() as results:
            _, latest = campaign("threads", results)
            taken = parse((latest / "samples.csv").read_text())
            told = json.loads((latest / "advice.json").read_text())
            page = (latest / "report.html").read_text()
        self.assertEqual({row["status"] for row in taken}, {"ok"})
        self.assertEqual({row["share"] for row in taken}, {*SHARES})
        counted = {(cell["strategy"], cell["share"], cell["threads"]): cell["commit_calls_per_page"]
                   for cell in told["threads"]["cells"] if cell.get("share") in ("own", "stripes")}
        for (name, _, _), calls in counted.items():
            if name in ("fault", "chunked"):
                self.assertEqual(calls, {"fault": 1, "chunked": 1 / 16}[name])
        self.assertIn('<section id="threads"', page)


class Manners(unittest.TestCase):
    def test_each_has_its_column(self):
        every = Manner("remap", "double", "thp-64K", "free", 4 * KIB, 2, "own")
        self.assertEqual(set(every.columns()), {*MANNER, "pages"})
        self.assertTrue(all(every.asked().values()))

    def test_whom_it_fits(self):
        for manner, names in ((PLAIN, STRATEGIES), (Manner(commit="remap"), STRATEGIES[1:]),
                              (Manner(commit="populate"), STRATEGIES),
                              (Manner(growth="double"), ("chunked", "guard")),
                              (Manner(purge="dontneed", purge_step=4096), ("upfront", "chunked")),
                              (Manner(commit="unheard of"), ()), (Manner(pages="thp-64K"),
                                                                  STRATEGIES)):
            self.assertEqual([each.name for each in KNOWN if manner.fits(each)], [*names],
                             str(manner))


class Scenes(unittest.TestCase):
    def test_programs_beside_the_harnesses(self):
        """By an emulator or without one."""
        for before in ((), ("wine",)):
            harnesses = {"upfront": Harness(made.UPFRONT, (*before, "b/bin/upfront.exe"))}
            scene = Scene(harnesses, None, None, 1, PLENTY, {}, None)
            self.assertIs(scene.emulated, bool(before))
            self.assertEqual(str(scene.bin), os.path.join("b", "bin"))
            self.assertEqual(scene.program("calls"),
                             [*before, os.path.join("b", "bin", "calls.exe")])


class Compared(unittest.TestCase):
    """`make compare CELLS=NAME`."""

    def test_a_wrong_name_is_refused_in_a_line(self):
        for command in (["compare", "--base", "."], ["baseline", "x"]):
            done = execute(vmcommit(*command, "--cells", "x"))
            self.assertEqual((done.returncode, done.stderr), (
                2, f"{command[0]}: --cells: 'x' names no cells; use {', '.join(chosen.CELLS)}\n"))

    def test_a_recording_that_is_not_named_is_refused_in_a_line(self):
        for command in (["compare", "--base", "."], ["baseline", "x"]):
            done = execute(vmcommit(*command, "--cells", "recording"))
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))
            self.assertIn("name its folder: make compare RECORDING=DIR", done.stderr)

    def test_cells_of_a_recording_are_those_that_a_name_varies(self):
        """As recorded always; and nothing that the recording does not do."""
        replay = made.strategy("replay", "size", commit=("recorded", "remap"),
                               purge=("recorded", "free", "guard"))
        for name, commits, purges, manners in (
                ("plain", 5, 5, []), ("threads", 5, 5, []), ("commit", 5, 5, ["remap"]),
                ("release", 5, 5, ["purge free", "purge guard"]),
                ("recording", 5, 5, ["remap", "purge free", "purge guard"]),
                ("recording", 5, 0, ["remap"]), ("recording", 0, 5, ["purge free", "purge guard"])):
            part = Part(None, replays.Recorded(replay, MIB),
                        {"commit_calls": str(commits), "purge_calls": str(purges)})
            self.assertEqual([str(cell.manner) for cell in chosen.recorded_cells(part, name)],
                             ["", *manners], name)
        self.assertEqual(chosen.cells(KNOWN, "recording"), [])

    def test_turns_of_a_replay_are_as_long_as_others(self):
        like = {"touched_bytes": str(MIB), "page_bytes": "4096", "total_ns": str(256 * 1200)}
        pace = replays.pace_of(Part(None, replays.Recorded(made.UPFRONT, MIB), like))
        self.assertEqual(pace.slice_touches, 128)  # of 1.2 us: no more than 0.3 ms

    def test_cells_of_a_question_are_small_and_named_apart(self):
        for name in ("commit", "release", "threads"):
            cells = chosen.cells(KNOWN, name)
            self.assertGreaterEqual(len(cells), 8)
            self.assertEqual(len({cell.name for cell in cells}), len(cells))
            self.assertLessEqual(max(cell.size for cell in cells), 16 * MIB)
        self.assertEqual(chosen.cells(KNOWN), chosen.plain_cells(KNOWN))
        self.assertEqual({cell.manner for cell in chosen.cells(KNOWN)}, {PLAIN})

    def test_what_strategies_cannot_do_is_no_cell(self):
        bare = [dataclasses.replace(each, commit=each.commit[:1], purge=(), pages=("small",))
                for each in KNOWN]
        self.assertEqual(chosen.cells(bare, "release"), [])
        single = [dataclasses.replace(each, options=made.OPTIONS) for each in KNOWN]
        self.assertEqual(chosen.cells(single, "threads"), [])
        self.assertEqual({cell.manner.commit for cell in chosen.cells(bare, "commit")}, {""})

    def test_a_side_lacks_what_its_strategy_cannot_do(self):
        able = dataclasses.replace(made.UPFRONT, purge=("none", "free"),
                                   options=(*made.OPTIONS, "--purge", "--purge-step"))
        cell = Configuration(able, MIB, manner=Manner(purge="free", purge_step=4096))
        for strategy, has in ((able, True), (made.UPFRONT, False)):
            side = Built({"upfront": Harness(strategy, ("nothing",))})
            self.assertEqual(side.has(cell), has)


if __name__ == "__main__":
    unittest.main()
