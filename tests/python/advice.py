"""The answer, its sentences and the advice on a run whose every time is known: what is worked out
by hand must come out word by word."""

import json
import math
import unittest

import made
from made import CHUNKED, CUSTOM, FAULT, GUARD, MALLOC, PAGE, UPFRONT

import numpy
import pandas

from vmcommit.analyse import advice, analysis, answer, claims, sentences
from vmcommit.analyse.answer import Beside, Estimate, PageCost, Ratio
from vmcommit.base.cells import Cell
from vmcommit.base.conventions import ANSWER_CONFIDENCE
from vmcommit.base.statistics import paired_interval, shared
from vmcommit.base.units import GIB, KIB, MIB

# As many as it takes for ranks to decide; all on one side of 1 then do for 524 comparisons at
# 99.9 %
# (2^-19 is 0.001 / 524.3).
ROUNDS = range(1, 21)
SIZES = (64 * KIB, MIB, 4 * MIB, 16 * MIB)
SWEPT = 16 * MIB
AROUND = (980, 1040)  # every second round 2 % below, or 4 % above
TENTH = 410 * PAGE  # of SWEPT

# ns a page by size, at a step of 64 KiB; a strategy's own list goes round by round.
ALL = {
    UPFRONT: (1000, 1000, 1000, 1000), FAULT: (3000, 4000, 4500, 5000),
    CHUNKED: (1500, 1000, 1000, 1200), GUARD: (5000, 3000, 2500, 2000),
    CUSTOM: (1650, 1120, 900, 960), MALLOC: (1500, 1000, 1000, 1200)}
SPARSE = {  # not at 64 KiB
    UPFRONT: (1000, 1000, 1000), FAULT: (800, 1000, 2000),
    CHUNKED: (1000, 1000, 1100), GUARD: (1000, 1000, 1300)}
# At SWEPT, by the step; the same with a tenth touched, but for what TENTHS says.
STEPS = {CHUNKED: {4 * KIB: 2000, 256 * KIB: 1020, MIB: 1010, 4 * MIB: 1010},
         GUARD: {4 * KIB: 3000, 256 * KIB: 1300, MIB: AROUND, 4 * MIB: 1010}}
TENTHS = {(CHUNKED, 4 * KIB): 1500, (CHUNKED, 256 * KIB): 1000, (GUARD, MIB): 1000}
RANDOM = {UPFRONT: 1000, FAULT: 6000, CHUNKED: 1200}


def cells():
    """(strategy, size, ns, columns) of every configuration with many rounds."""
    for which, times in ALL.items():
        yield from ((which, size, ns, {}) for size, ns in zip(SIZES, times))
    for which, times in SPARSE.items():
        yield from ((which, size, ns, {"touch": "0.1"}) for size, ns in zip(SIZES[1:], times))
    for which, steps in STEPS.items():
        for step, ns in steps.items():
            yield which, SWEPT, ns, {"step": step}
            yield which, SWEPT, TENTHS.get((which, step), ns), {"step": step, "touch": "0.1"}
            yield which, SWEPT, 1000, {"step": step, "touch": "0.5"}
    yield CUSTOM, SWEPT, 1, {"touch": "0.1", "commit_bytes": PAGE, "released_commit_bytes": PAGE}
    for which, ns in RANDOM.items():
        yield which, SWEPT, ns, {"touch_order": "random"}


def rows():
    few = [(which, 64 * MIB, 1000, {"touch": touch}) for which in made.FOUR
           for touch in ("1", "0.1")] + [(CUSTOM, 64 * MIB, 1000, {})]
    return [*made.in_rounds(ROUNDS, *cells()), *made.in_rounds((1, 2), *few),
            made.refused(GUARD, SWEPT, status="unsupported", error="the order jumps past it",
                         touch_order="random"),
            made.refused(FAULT, 64 * MIB, touch_order="random", region_count=65506)]


def traced(size, **ns):
    """A row of each traced process: what one in a thousand of its touches takes longer than, by
    strategy and round."""
    by_name = made.by_name((*made.FOUR, CUSTOM))
    rows = [(made.row(by_name[name], size, 1000, number), worst)
            for name, of_rounds in ns.items() for number, worst in enumerate(of_rounds, 1)]
    table = made.table([row for row, _ in rows], (*made.FOUR, CUSTOM)).drop(columns="cycle_ns")
    return table.assign(touch_p999_ns=[float(worst) for _, worst in rows])


# From process to process chunked is now slower than upfront and now faster.
TRACED = pandas.concat([
    traced(SWEPT, upfront=[4000, 4100] * 3, fault=[9000, 9100] * 3, chunked=[4100, 4000] * 3,
           guard=[4500, 4600] * 3),
    traced(64 * MIB, upfront=[1] * 9)])


class Run(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with made.strict():
            cls.analysed = analysis.analyse(
                made.run(rows(), (*made.FOUR, CUSTOM, MALLOC), traced=TRACED))
        cls.json = json.loads(json.dumps(cls.analysed.as_json(), allow_nan=False))

    def test_headline(self):
        """guard costs 1.0096 times upfront, and leaves less unused; fault is among the fastest at
        1 MiB, a tenth touched, and so not warned of."""
        self.assertEqual([sentence.text for sentence in self.analysed.headline], [
            "Use chunked (step 256 KiB): at 16 MiB, all touched, it takes 1.020 times as long "
            "(1.020 to 1.020) as upfront, the fastest, and leaves 152 KiB of charge unused when a "
            "tenth is touched, where upfront leaves 14.4 MiB."])
        self.assertEqual([cell.strategy for cell in self.analysed.headline[0].cells],
                         [CHUNKED, UPFRONT])

    def test_matrix(self):
        def fields(touch):
            return {field.size: field for field in self.analysed.answer.fields[touch]}

        self.assertEqual({size: field.cheapest for size, field in fields("1").items()}, {
            64 * KIB: ("upfront",), MIB: ("upfront", "chunked"), 4 * MIB: ("upfront", "chunked"),
            SWEPT: ("upfront",), 64 * MIB: ()})
        self.assertEqual({size: field.cheapest for size, field in fields("0.1").items()}, {
            MIB: ("fault",), 4 * MIB: ("upfront", "fault", "chunked", "guard"),
            SWEPT: ("upfront",), 64 * MIB: ()})
        self.assertEqual([field.size for field in fields("0.1").values() if field.equal], [4 * MIB])
        self.assertEqual({name: round(ratio.median, 9) for name, ratio in
                          fields("1")[MIB].factors.items()}, {"fault": 4, "guard": 3})
        self.assertEqual(fields("1")[64 * MIB].factors, {})
        item = self.json["matrix"][0]
        self.assertEqual((item["size_bytes"], item["touch"], item["chunk_bytes"], item["cheapest"],
                          item["compared"]), (64 * KIB, 1, 64 * KIB, ["upfront"],
                                              ["upfront", "fault", "chunked", "guard"]))
        self.assertEqual(item["factors"]["guard"], {"ratio": 5, "ratio_low": 5, "ratio_high": 5,
                                                    "known": True})

    def test_sentences(self):
        """Where fault is cheaper than chunked and guard up to 1 MiB the matrix shows nothing of
        what they are against each other."""
        self.assertEqual([sentence.text for sentence in self.analysed.sentences], [
            "With all of the region touched, at a step of 64 KiB, fault takes 0.600 times as long "
            "(0.600 to 0.600) as guard at 64 KiB, and guard 0.750 times as long (0.750 to 0.750) "
            "as fault at 1 MiB.",
            "With a tenth of the region touched, at a step of 64 KiB, fault takes 0.800 times as "
            "long (0.800 to 0.800) as chunked at 1 MiB, and chunked 0.550 times as long (0.550 to "
            "0.550) as fault at 16 MiB.",
            "With a tenth of the region touched, at a step of 64 KiB, fault takes 0.800 times as "
            "long (0.800 to 0.800) as guard at 1 MiB, and guard 0.650 times as long (0.650 to "
            "0.650) as fault at 16 MiB.",
            "chunked gains less than 3 % by steps larger than 256 KiB (no other step fits): a step "
            "costs as much as 0.96 pages (0.96 to 0.96); 256 KiB costs 1.020 times upfront (1.020 "
            "to 1.020) at 16 MiB. With that step 152 KiB of charge is unused when a tenth is "
            "touched, and none when half or all is.",
            "guard gains less than 3 % by steps larger than 1 MiB (no other step fits): a step "
            "costs as much as 1.74 pages (1.71 to 1.78); 1 MiB costs 1.010 times upfront (0.980 "
            "to 1.040) at 16 MiB. With that step 412 KiB of charge is unused when a tenth is "
            "touched, 4 KiB when half is, and none when all is.",
            "Committing a page at a time (fault) costs 3.25 µs more for each page than upfront "
            "(3.25 µs to 3.25 µs), from 64 KiB to 16 MiB.",
            "custom beside chunked, both at a step of 64 KiB: slower from 64 KiB to 1 MiB (1.10 to "
            "1.12 times); faster from 4 MiB to 16 MiB (0.80 to 0.90 times); too few rounds to "
            "compare at 64 MiB.",
            "malloc beside chunked, both at a step of 64 KiB: no significant difference from "
            "64 KiB to 16 MiB."])

    def test_sentences_rest_on_their_cells(self):
        crossing = self.analysed.sentences[0]
        self.assertEqual([(cell.strategy, cell.size) for cell in crossing.cells],
                         [(FAULT, 64 * KIB), (GUARD, MIB)])
        subjects = [sentence.subject for sentence in self.analysed.sentences]
        self.assertEqual(subjects[3:], ["chunked", "guard", "", "custom", "malloc"])
        page_cost = self.analysed.sentences[5]
        self.assertEqual([(cell.strategy, cell.size) for cell in page_cost.cells],
                         [(FAULT, 64 * KIB), (FAULT, SWEPT)])

    def test_advice(self):
        self.assertEqual([
            (choice.need, choice.touch, choice.cell.strategy.name, choice.cell.step, choice.equal,
             choice.why) for choice in self.analysed.choices], [
            ("lowest_latency", "1", "upfront", None, ["guard"],
             "1 µs a page; charged as much as guard (step 1 MiB); their times do not differ "
             "significantly"),
            ("lowest_latency", "0.1", "chunked", 256 * KIB, ["upfront", "guard"],
             "1 µs a page at a step of 256 KiB; charged less than upfront or guard (step 1 MiB); "
             "their times do not differ significantly"),
            ("least_charge", "0.1", "chunked", 4 * KIB, [],
             "1.602 MiB for 1.602 MiB touched at a step of 4 KiB; fault, charged as little, is "
             "slower"),
            ("bounded_worst_touch", "1", "chunked", 64 * KIB, ["upfront"],
             "4.05 µs at p99.9 of 16 MiB (4 µs to 4.1 µs) at a step of 64 KiB; upfront does not "
             "differ significantly; fault 9.05 µs and guard 4.55 µs"),
            ("random_access", "1", "upfront", None, [],
             "1 µs a page; guard can't: the order jumps past the guard page; fault of 64 MiB was "
             "refused at 65 506 mappings"),
            ("strict_overcommit", "0.1", "chunked", 256 * KIB, ["guard"],
             "1 µs a page at a step of 256 KiB; charged less than guard (step 1 MiB); their times "
             "do not differ significantly; 152 KiB of its charge is unused"),
            ("growing_buffers", "1", "chunked", 256 * KIB, ["guard"],
             "1.02 µs a page at a step of 256 KiB; charged as much as guard (step 1 MiB); their "
             "times do not differ significantly; growing copies nothing within the range that was "
             "reserved"),
            ("many_stacks", "0.1", "guard", MIB, [],
             "1 µs a page at a step of 1 MiB; no other qualifies")])

    def test_figures(self):
        by_need = {choice.need: choice for choice in self.analysed.choices}
        self.assertEqual(by_need["strict_overcommit"].figures,
                         {"ns_per_page": 1000, "ns_per_page_low": 1000, "ns_per_page_high": 1000,
                          "commit_bytes": 1792 * KIB, "waste_bytes": 152 * KIB})
        self.assertEqual(by_need["bounded_worst_touch"].figures,
                         {"touch_p99_9_ns": 4049.7, "touch_p99_9_ns_low": 4000,
                          "touch_p99_9_ns_high": 4100})
        self.assertEqual(by_need["bounded_worst_touch"].cell,
                         Cell(CHUNKED, SWEPT, SWEPT, 64 * KIB))
        self.assertEqual(by_need["least_charge"].figures["ns_per_page"], 1500)

    def test_bands_and_crossings_in_json(self):
        def band(touch, first, last, *cheapest):
            return {"touch": touch, "from_bytes": first, "to_bytes": last, "chunk_bytes": 64 * KIB,
                    "cheapest": list(cheapest)}

        self.assertEqual(self.json["bands"], [
            band(1, 64 * KIB, 64 * KIB, "upfront"), band(1, MIB, 4 * MIB, "upfront", "chunked"),
            band(1, SWEPT, SWEPT, "upfront"), band(1, 64 * MIB, 64 * MIB),
            band(0.1, MIB, MIB, "fault"),
            band(0.1, 4 * MIB, 4 * MIB, "upfront", "fault", "chunked", "guard"),
            band(0.1, SWEPT, SWEPT, "upfront"), band(0.1, 64 * MIB, 64 * MIB)])
        self.assertEqual(self.json["crossings"][:2], [
            {"touch": 1, "cheaper_below": "fault", "cheaper_above": "guard",
             "below_bytes": 64 * KIB, "above_bytes": MIB, "chunk_bytes": 64 * KIB},
            {"touch": 0.1, "cheaper_below": "fault", "cheaper_above": "upfront",
             "below_bytes": MIB, "above_bytes": SWEPT, "chunk_bytes": None}])

    def test_knees_and_what_was_brought_in_json(self):
        self.assertEqual(self.json["knees"], [
            {"strategy": "chunked", "size_bytes": SWEPT, "chunk_bytes": 256 * KIB,
             "chunk_bytes_low": 256 * KIB, "chunk_bytes_high": 256 * KIB,
             "step_pages": 0.9565, "step_pages_low": 0.9565, "step_pages_high": 0.9565,
             "ratio": 1.02, "ratio_low": 1.02, "ratio_high": 1.02, "known": True,
             "waste_bytes": {"0.1": 152 * KIB, "0.5": 0, "1": 0}},
            {"strategy": "guard", "size_bytes": SWEPT, "chunk_bytes": MIB,
             "chunk_bytes_low": MIB, "chunk_bytes_high": MIB,
             "step_pages": 1.7431, "step_pages_low": 1.7089, "step_pages_high": 1.778,
             "ratio": 1.0096, "ratio_low": 0.98, "ratio_high": 1.04, "known": True,
             "waste_bytes": {"0.1": 412 * KIB, "0.5": 4 * KIB, "1": 0}}])
        self.assertEqual(self.json["beside"], [
            {"strategy": "custom", "against": "chunked", "from_bytes": 64 * KIB, "to_bytes": MIB,
             "sign": 1, "ratio_least": 1.1, "ratio_most": 1.12},
            {"strategy": "custom", "against": "chunked", "from_bytes": 4 * MIB,
             "to_bytes": SWEPT, "sign": -1, "ratio_least": 0.8, "ratio_most": 0.9},
            {"strategy": "custom", "against": "chunked", "from_bytes": 64 * MIB,
             "to_bytes": 64 * MIB, "sign": None},
            {"strategy": "malloc", "against": "chunked", "from_bytes": 64 * KIB,
             "to_bytes": SWEPT, "sign": 0, "ratio_least": 1, "ratio_most": 1}])

    def test_the_rest_of_the_json(self):
        self.assertEqual(self.json["run"], {
            "started": "2026-01-01T00:00:00+00:00", "profile": "quick", "platform": "linux",
            "processor": "made up", "kernel": "6.18", "revision": None})
        self.assertEqual(self.json["schema"], 1)
        self.assertEqual(self.json["advice"][1], {
            "need": "lowest_latency", "touch": 0.1, "strategy": "chunked", "size_bytes": SWEPT,
            "touched_bytes": TENTH, "chunk_bytes": 256 * KIB, "touch_order": "sequential",
            "equal": ["upfront", "guard"], "why": self.analysed.choices[1].why,
            "ns_per_page": 1000, "ns_per_page_low": 1000, "ns_per_page_high": 1000,
            "commit_bytes": 1792 * KIB, "waste_bytes": 152 * KIB})
        self.assertEqual(self.json["answer"][0]["rows"][1], {
            "strategy": "guard", "size_bytes": MIB, "touched_bytes": MIB, "chunk_bytes": 64 * KIB,
            "touch_order": "sequential"})
        made.check_schema(self, self.json)

    def test_what_was_brought_is_never_advised_and_tests_no_claim(self):
        """Although custom is the fastest and the least charged with a tenth touched, and keeps a
        page."""
        self.assertFalse({"custom", "malloc"} & {choice.cell.strategy.name
                                                 for choice in self.analysed.choices})
        verdicts = {claim.claim.split()[0]: claim.verdict for claim in self.analysed.claims}
        self.assertEqual(verdicts["Releasing"], claims.HOLDS)
        self.assertEqual(set(self.analysed.model["strategies"]),
                         {"upfront", "fault", "chunked", "guard"})


def times_of(*cells, rounds=ROUNDS, strategies=(*made.FOUR, CUSTOM)):
    samples = made.table(made.in_rounds(rounds, *cells), strategies)
    return answer.Times(samples, made.by_name(strategies))


class Comparisons(unittest.TestCase):
    RATIOS = [0.95, 0.96, 0.97, 0.98, 0.99, *(1 + number / 100 for number in range(1, 16))]

    def pair(self, rounds, size=MIB):
        """Rows of upfront, and of fault, which takes these ratios to it, round by round."""
        return made.in_rounds(range(rounds), (UPFRONT, size, 1000, {}),
                              (FAULT, size, [1000 * each for each in self.RATIOS], {}))

    def compared(self, *rounds):
        """What compare() says of a pair at 1 MiB, 2 MiB and so on, with so many rounds each."""
        rows = [row for at, number in enumerate(rounds) for row in self.pair(number, MIB << at)]
        times = answer.Times(made.table(rows, made.FOUR), made.by_name(made.FOUR))
        return answer.compare(times, [times.block(MIB << at, MIB << at)
                                      for at in range(len(rounds))])

    def assertShared(self, ratio, cells):
        """That the ratio of upfront to fault has one of so many intervals at 99.9 %."""
        logs = [-math.log(each) for each in self.RATIOS]
        for others in {1, 2, 3, 4}:
            _, low, high, _ = paired_interval(logs, shared(others, ANSWER_CONFIDENCE))
            check = self.assertAlmostEqual if others == cells else self.assertNotAlmostEqual
            check(ratio.low, math.exp(low))
            check(ratio.high, math.exp(high))

    def test_rounds_that_suffice(self):
        """A pair's own spread is relied on from six degrees of freedom on, which are seven rounds;
        two pairs of the same rounds have as many in four."""
        for rounds, known in ((1, False), (2, False), (6, False), (7, True), (19, True),
                              (20, True)):
            self.assertEqual([bool(ratios) for ratios in self.compared(rounds)], [known], rounds)
        for rounds, known in ((3, False), (4, True)):
            fields = answer.fields(times_of(
                *((which, MIB, ns, {}) for which, ns in (
                    (UPFRONT, 1000), (FAULT, [2000, 2001]), (CHUNKED, [3000, 3001]))),
                rounds=range(rounds)), "1")
            self.assertEqual([field.cheapest for field in fields], [("upfront",) if known else ()])

    def test_blocks_with_too_few_rounds_take_no_share(self):
        """Two rounds could suffice, if others' spread were known."""
        for rounds, cells in (((20,), 1), ((20, 1, 1), 1), ((20, 2, 1), 2), ((20, 2, 2), 3)):
            first, *others = self.compared(*rounds)
            self.assertEqual(others, [{}] * len(others))
            self.assertShared(first["upfront", "fault"], cells)

    def test_gigabytes_share_their_spread_and_other_sizes_do_not(self):
        """Three rounds of a pair have two degrees of freedom; three such sizes have six."""
        for sizes, known in (((1, 2, 4), True), ((1, 2), False), ((0.125, 0.25, 0.5), False)):
            cells = [(which, int(size * GIB), ns, {}) for size in sizes
                     for which, ns in ((UPFRONT, 1000), (FAULT, [2000, 2100, 2200]))]
            times = times_of(*cells, rounds=range(3))
            compared = answer.compare(times, [times.block(size, size) for size in
                                              times.sizes(["fault"], "1")])
            self.assertEqual([bool(ratios) for ratios in compared], [known] * len(sizes), sizes)

    def test_the_sign_of_a_ratio(self):
        for low, high, known, sign in ((1.01, 1.2, True, 1), (0.8, 0.99, True, -1),
                                       (0.9, 1.1, True, 0), (1.01, 1.2, False, 0),
                                       (1, 1.2, True, 0), (0.9, 1, True, 0)):
            self.assertEqual(Ratio(1, low, high, known).sign, sign)

    def test_ratios_are_the_first_to_the_second(self):
        times = times_of((UPFRONT, MIB, 1000, {}), (CHUNKED, MIB, 3000, {}))
        upfront, chunked = times.block(MIB, MIB).values()
        ratio = times.ratio(chunked, upfront, 0.99)
        for value in (ratio.median, ratio.low, ratio.high):
            self.assertAlmostEqual(value, 3)
        self.assertTrue(ratio.known)
        self.assertFalse(times.ratio(chunked, upfront, 0.999999).known)

    def test_a_pair_is_compared_at_999_of_1000(self):
        """At 95 % it would be significant."""
        ratio = self.compared(20)[0]["upfront", "fault"]
        self.assertShared(ratio, 1)
        self.assertEqual(ratio.sign, 0)
        self.assertLess(paired_interval([-math.log(each) for each in self.RATIOS], 0.95)[2], 0)

    def test_ratios_are_paired_by_round(self):
        """Twice as long in each round that both have, in whatever order; the machine drifts."""
        rows = [made.row(UPFRONT, MIB, 1000 * number, number) for number in range(1, 9)]
        rows += [made.row(CHUNKED, MIB, 2000 * number, number) for number in (9, 7, 5, 6, 3)]
        times = answer.Times(made.table(rows, made.FOUR), made.by_name(made.FOUR))
        upfront, chunked = times.block(MIB, MIB).values()
        ratio = times.ratio(chunked, upfront, 0.8)
        for value in (ratio.median, ratio.low, ratio.high):
            self.assertAlmostEqual(value, 2)
        self.assertTrue(ratio.known)
        self.assertFalse(times.ratio(chunked, upfront, 0.9).known)  # of four rounds that both have

    def test_a_region_too_small_for_a_part_counts_as_all_touched(self):
        times = times_of((UPFRONT, PAGE, 1000, {}), (UPFRONT, PAGE, 1000, {"touch": "0.1"}),
                         (UPFRONT, MIB, 1000, {"touch": "0.1"}))
        self.assertEqual((times.sizes(["upfront"], "1"), times.sizes(["upfront"], "0.1")),
                         ([PAGE], [MIB]))

    def test_one_strategy_alone_is_not_compared(self):
        fields = answer.fields(times_of((UPFRONT, MIB, 1000, {})), "1")
        self.assertEqual([(field.cheapest, field.alone) for field in fields], [((), "upfront")])
        self.assertEqual(answer.crossings(["upfront", "fault"], fields), [])

    def test_a_size_that_upfront_lacks_is_compared_among_the_others(self):
        fields = answer.fields(times_of((FAULT, MIB, 3000, {}), (CHUNKED, MIB, 1000, {})), "1")
        self.assertEqual([field.cheapest for field in fields], [("chunked",)])

    def test_the_sweep_is_where_most_steps_are(self):
        swept = [(CHUNKED, size, 1000, {"step": step})
                 for size, step in ((MIB, PAGE), (MIB, 64 * KIB), (4 * MIB, PAGE))]
        self.assertEqual(answer.sweep_size(times_of(*swept)), MIB)
        even = times_of(*swept, (CHUNKED, 4 * MIB, 1000, {}))
        self.assertEqual(answer.sweep_size(even), 4 * MIB)
        sparse = [(CHUNKED, 4 * MIB, 1000, {"step": step, "touch": "0.1"})
                  for step in (PAGE, 8 * KIB, 16 * KIB, 32 * KIB)]
        random = [(CHUNKED, 4 * MIB, 1000, {"step": step, "touch_order": "random"})
                  for step in (PAGE, 8 * KIB, 16 * KIB, 32 * KIB)]
        self.assertEqual(answer.sweep_size(times_of(*swept, *sparse, *random)), MIB)
        self.assertEqual(answer.sweep_size(times_of((UPFRONT, MIB, 1, {}), (FAULT, MIB, 1, {}),
                                                    (UPFRONT, 4 * MIB, 1, {}))), MIB)
        self.assertIsNone(answer.sweep_size(times_of()))

    def test_pages_cost_nothing_more_below_the_default_step(self):
        """Smaller sizes are left out; of the rest only those count that differ."""
        times = times_of(*((which, size, ns, {}) for which, by_size in (
            (UPFRONT, (1000, 1000, 1000)), (FAULT, (9000, 1000, 500))) for size, ns in zip(
                (32 * KIB, 64 * KIB, MIB), by_size)))
        cost = answer.page_at_a_time(times, "fault")
        self.assertEqual(cost.sizes, (MIB,))
        for more in (cost.more_ns, cost.low, cost.high):
            self.assertAlmostEqual(more, -500)
        self.assertEqual(sentences.of_page_cost(cost).text,
                         "Committing a page at a time (fault) costs 500 ns less for each page than "
                         "upfront (500 ns to 500 ns), at 1 MiB.")
        same = answer.page_at_a_time(times, "fault", 64 * KIB)
        self.assertEqual(same, cost)

    def test_pages_that_cost_the_same_or_were_not_compared(self):
        same = times_of((UPFRONT, MIB, 1000, {}), (FAULT, MIB, 1000, {}))
        self.assertEqual(sentences.of_page_cost(answer.page_at_a_time(same, "fault")).text,
                         "Committing a page at a time (fault) and upfront do not differ "
                         "significantly at 1 MiB.")
        few = times_of((UPFRONT, MIB, 1000, {}), (FAULT, MIB, 3000, {}), rounds=range(3))
        self.assertIsNone(answer.page_at_a_time(few, "fault"))
        self.assertIsNone(answer.page_at_a_time(times_of((FAULT, MIB, 3000, {})), "fault"))

    def test_wastes(self):
        def summary(*rows):
            return pandas.DataFrame(rows, columns=[
                "strategy", "size_bytes", "touched_bytes", "chunk_bytes", "touch_order",
                "page_bytes", "commit_bytes"])

        def of(touched, commit, name="chunked", step=MIB, order="sequential"):
            return name, MIB, touched, step, order, PAGE, commit

        both = summary(of(26 * PAGE, 40 * PAGE), of(MIB, MIB), of(MIB, 5 * MIB, step=PAGE),
                       of(MIB, 6 * MIB, order="random"), of(MIB, 7 * MIB, "guard"),
                       of(MIB // 2, made.NAN))
        self.assertEqual(answer.wastes(both, "chunked", MIB, MIB), {"0.1": 14 * PAGE, "1": 0})
        self.assertEqual(answer.wastes(summary(of(26 * PAGE, 0), of(MIB, MIB)), "chunked", MIB,
                                       MIB), {})
        self.assertEqual(answer.wastes(both, "chunked", MIB, 2 * MIB), {})


class Headlines(unittest.TestCase):
    """What to use is not significantly further than 3 % from the fastest, and of these the least
    charged ahead of use."""

    def headline(self, *cells, rounds=ROUNDS):
        run = made.run(made.in_rounds(rounds, *cells), made.FOUR)
        return [sentence.text for sentence in analysis.analyse(run).headline]

    def test_the_least_charged_of_the_near(self):
        for ns, used in ((1030, "fault"), (1031, "upfront"), (1000, "fault"), (500, "fault")):
            text, *_ = self.headline(*sweep(UPFRONT, 1000), *sweep(FAULT, ns))
            self.assertIn(f"Use {used}:", text)

    def test_what_may_be_near_counts_as_near(self):
        """Its median is 4 % above in both."""
        for ns, used in (([1020, 1060], "fault"), ([1035, 1045], "upfront")):
            text, *_ = self.headline(*sweep(UPFRONT, 1000), *sweep(FAULT, ns))
            self.assertIn(f"Use {used}:", text)

    def test_the_fastest_itself(self):
        first, second = self.headline(*sweep(UPFRONT, 1000), *sweep(FAULT, 3000))
        self.assertEqual(first, "Use upfront: at 1 MiB, all touched, nothing is significantly "
                         "faster; it takes 1 µs a page (1 µs to 1 µs), and leaves 920 KiB of "
                         "charge unused when a tenth is touched.")
        self.assertEqual(second, "Do not use fault where time counts: it takes 3.0 times as long "
                         "as the fastest at 1 MiB.")

    def test_no_significant_difference_is_said(self):
        text, = self.headline(*sweep(UPFRONT, 1000), *sweep(FAULT, [990, 1020]))
        self.assertIn("it does not differ significantly in time from upfront, 1.005 times (0.990 "
                      "to 1.020), and leaves no charge unused", text)

    def test_nobody_is_warned_of_who_is_close_or_somewhere_among_the_fastest(self):
        self.assertEqual(len(self.headline(*sweep(UPFRONT, 1000), *sweep(FAULT, 1029))), 1)
        both = [(FAULT, MIB, 5000, {}), (FAULT, MIB, 900, {"touch": "0.1"})]
        self.assertEqual(len(self.headline(*sweep(UPFRONT, 1000), *both)), 1)

    def test_the_slowest_is_named_with_its_range(self):
        first, second = self.headline(
            *sweep(UPFRONT, 1000), *sweep(CHUNKED, 1100), (FAULT, MIB, 5000, {}),
            (FAULT, MIB, 2000, {"touch": "0.1"}))
        self.assertIn("Do not use fault where time counts: it takes 2.0 to 5.0 times", second)

    def test_sizes_of_which_only_a_tenth_was_touched_are_told_apart(self):
        _, second = self.headline(
            *sweep(UPFRONT, 1000), *sweep(FAULT, 3000),
            *((strategy, 4 * MIB, ns, {"touch": "0.1"})
              for strategy, ns in ((UPFRONT, 1000), (FAULT, 2000))))
        self.assertTrue(second.endswith("it takes 2.0 to 3.0 times as long as the fastest at "
                                        "1 MiB, and of 4 MiB with a tenth touched."), second)

    def test_too_few_rounds(self):
        text, = self.headline(*sweep(UPFRONT, 1000), *sweep(FAULT, 3000), rounds=(1, 2))
        self.assertIn("too few rounds to tell which strategy is the fastest at 1 MiB", text)

    def test_an_unknown_charge_is_not_spoken_of(self):
        unknown = {"commit_bytes": made.NAN}
        text, *_ = self.headline(*sweep(UPFRONT, 1000, **unknown), *sweep(FAULT, 3000, **unknown))
        self.assertTrue(text.endswith("a page (1 µs to 1 µs)."), text)


class Knees(unittest.TestCase):
    STEPS = (4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB)

    def check(self, pages, step, low, high, text, first=4 * KIB, known=True):
        pages = Estimate(*pages)
        found = answer.knee(self.STEPS, PAGE, pages, first)
        self.assertEqual(found, (step, low, high))
        cell = Cell(GUARD, MIB, MIB, step or self.STEPS[-1])
        knee = answer.Knee("guard", MIB, *found, pages, Ratio(1.02, 1.01, 1.04, known), cell)
        self.assertEqual(sentences.of_knee(knee, {}).text, text)

    def test_a_range(self):
        """3 % of four pages are 0.12 of one, of two 0.06."""
        self.check((0.08, 0.05, 0.13), 16 * KIB, 8 * KIB, 32 * KIB,
                   "guard gains less than 3 % by steps larger than 16 KiB (8 KiB to 32 KiB): a "
                   "step costs as much as 0.08 pages (0.05 to 0.13); 16 KiB costs 1.020 times "
                   "upfront (1.010 to 1.040) at 1 MiB.")
        self.check((0.1199, 0.0601, 0.12), 16 * KIB, 16 * KIB, 16 * KIB,
                   "guard gains less than 3 % by steps larger than 16 KiB (no other step fits): a "
                   "step costs as much as 0.12 pages (0.06 to 0.12); 16 KiB costs 1.020 times "
                   "upfront (1.010 to 1.040) at 1 MiB.")

    def test_an_open_upper_end(self):
        self.check((0.2, 0.1, 0.3), 32 * KIB, 16 * KIB, None,
                   "guard gains less than 3 % by steps larger than 32 KiB (16 KiB or more: the "
                   "confidence interval leaves the upper end open): a step costs as much as 0.20 "
                   "pages (0.10 to 0.30); 32 KiB costs 1.020 times upfront (1.010 to 1.040) at "
                   "1 MiB.")

    def test_steps_below_the_first_do_not_count(self):
        self.check((0.02, 0.01, 0.02), 16 * KIB, 16 * KIB, 16 * KIB,
                   "guard gains less than 3 % by steps larger than 16 KiB (no other step fits): a "
                   "step costs as much as 0.02 pages (0.01 to 0.02); 16 KiB costs 1.020 times "
                   "upfront (1.010 to 1.040) at 1 MiB.", first=16 * KIB)

    def test_no_step_is_large_enough(self):
        self.check((0.5, 0.4, 0.6), None, None, None,
                   "guard gains 3 % or more by steps larger than 32 KiB, the largest measured: a "
                   "step costs as much as 0.50 pages (0.40 to 0.60); 32 KiB costs 1.020 times "
                   "upfront (1.010 to 1.040) at 1 MiB.")

    def test_it_is_left_open_whether_one_is(self):
        self.check((0.3, 0.2, 0.4), None, 32 * KIB, None,
                   "The confidence interval leaves open whether guard gains 3 % or more by steps "
                   "larger than 32 KiB, the largest measured: a step costs as much as 0.30 pages "
                   "(0.20 to 0.40); 32 KiB costs 1.020 times upfront (1.010 to 1.040) at 1 MiB.")

    def test_too_few_rounds(self):
        self.check((0.05, math.nan, math.nan), 8 * KIB, 4 * KIB, None,
                   "guard gains less than 3 % by steps larger than 8 KiB: a step costs as much as "
                   "0.05 pages (too few rounds for a confidence interval); 8 KiB costs 1.020 "
                   "times upfront (too few rounds for a confidence interval) at 1 MiB.",
                   known=False)

    def sweep(self, price, spread=lambda number: 1.0, rounds=range(20)):
        """Each page 1000 ns, each step the price of so many pages."""
        return [(which, MIB, [1000 * spread(number) * (1 + price * PAGE / step)
                              for number in rounds], {"step": step})
                for which in (CHUNKED, GUARD) for step in self.STEPS]

    def test_a_line_tells_what_a_step_costs_in_pages(self):
        """However much all of a round take."""
        times = times_of((UPFRONT, MIB, 500, {}), *self.sweep(0.07, lambda number: 1 + number))
        for knee in answer.knees(times, MIB):
            self.assertAlmostEqual(knee.pages.value, 0.07)
            self.assertAlmostEqual(knee.pages.high, 0.07)
            self.assertEqual((knee.step, knee.low, knee.high), (16 * KIB,) * 3)
            self.assertAlmostEqual(knee.ratio.median,
                                   2 * (1 + 0.07 / 4) * math.exp(paired_interval(
                                       numpy.log(range(1, 21)), 0.95)[0]))

    def test_steps_that_cost_all_there_is(self):
        """Pages cost less than nothing by a line that may be below it."""
        for power in (1, 1.2):
            sweep = [(which, MIB, 1000 * (PAGE / step) ** power, {"step": step})
                     for which in (CHUNKED, GUARD) for step in self.STEPS]
            for knee in answer.knees(times_of((UPFRONT, MIB, 1, {}), *sweep), MIB):
                self.assertGreater(knee.pages.value, 1e5)
                self.assertIsNone(knee.step)

    def test_steps_that_cost_nothing(self):
        for price in (0, -0.2):  # less the larger the step is, or more
            for knee in answer.knees(times_of((UPFRONT, MIB, 1, {}), *self.sweep(price)), MIB):
                self.assertAlmostEqual(knee.pages.value, answer.LEAST_PAGES)
                self.assertEqual(knee.step, 4 * KIB)

    def test_a_step_that_larger_ones_undercut_counts_against_the_smaller_ones(self):
        """16 KiB takes 20 % more than its neighbours."""
        sweep = [(which, MIB, 1200 if columns["step"] == 16 * KIB else 1000, columns)
                 for which, _, _, columns in self.sweep(0)]
        knees = answer.knees(times_of((UPFRONT, MIB, 1000, {}), *sweep), MIB)
        self.assertEqual([knee.step for knee in knees], [32 * KIB] * 2)

    def test_what_is_said_of_all_strategies_holds_together_at_95_percent(self):
        """Two prices and two ratios share 0.05. In one round there is no interval, in four there
        are six degrees of freedom."""
        for rounds, known in ((1, False), (3, False), (4, True), (20, True)):
            sweep = self.sweep(0.07, lambda number: 1 + number / 1000, range(rounds))
            knees = answer.knees(times_of((UPFRONT, MIB, 1000, {}), *sweep, rounds=range(rounds)),
                                 MIB)
            self.assertEqual([knee.pages.known for knee in knees], [known] * 2, rounds)
        _, low, high, _ = paired_interval(
            [math.log((1 + number / 1000) * (1 + 0.07 / 4)) for number in range(20)], shared(4))
        for knee in knees:
            self.assertAlmostEqual(knee.ratio.low, math.exp(low))
            self.assertAlmostEqual(knee.ratio.high, math.exp(high))

    def test_steps_without_upfront_or_too_few_in_a_round(self):
        sweep = [(CHUNKED, MIB, 1010, {"step": step}) for step in self.STEPS]
        upfront = (UPFRONT, MIB, 1, {})
        self.assertEqual(answer.knees(times_of(*sweep), MIB), [])
        self.assertEqual(answer.knees(times_of(upfront, *sweep[:2]), MIB), [])
        rows = made.in_rounds((1, 2), upfront, *sweep[:2]) + made.in_rounds((3, 4), upfront,
                                                                            *sweep[2:])
        times = answer.Times(made.table(rows, made.FOUR), made.by_name(made.FOUR))
        self.assertEqual(answer.knees(times, MIB), [])
        rows = made.in_rounds((1, 2), upfront) + made.in_rounds((3, 4), *sweep)
        times = answer.Times(made.table(rows, made.FOUR), made.by_name(made.FOUR))
        self.assertEqual(answer.knees(times, MIB), [])


class Words(unittest.TestCase):
    def test_wastes(self):
        for wastes, text in (
                ({"0.1": 100 * KIB, "0.5": 0, "1": 0}, "100 KiB of charge is unused when a tenth "
                 "is touched, and none when half or all is"),
                ({"0.1": 0, "0.5": 0, "1": 0}, "no charge is unused when a tenth, half or all is "
                 "touched"),
                ({"0.1": 100 * KIB}, "100 KiB of charge is unused when a tenth is touched"),
                ({"0.1": 0, "1": 4096}, "no charge is unused when a tenth is touched, and 4 KiB "
                 "when all is"),
                ({"0.1": 8192, "0.5": 4096, "1": 0}, "8 KiB of charge is unused when a tenth is "
                 "touched, 4 KiB when half is, and none when all is")):
            self.assertEqual(sentences.of_wastes(wastes), text)

    def test_a_page_cost_and_a_comparison_name_their_ends(self):
        cells = tuple(Cell(FAULT, size, size, PAGE) for size in (MIB, 2 * MIB, 4 * MIB))
        cost = PageCost("fault", (MIB, 2 * MIB, 4 * MIB), 1500.0, 1400.0, 1600.0, cells)
        sentence = sentences.of_page_cost(cost)
        self.assertEqual(sentence.text,
                         "Committing a page at a time (fault) costs 1.5 µs more for each page than "
                         "upfront (1.4 µs to 1.6 µs), from 1 MiB to 4 MiB.")
        self.assertEqual(sentence.cells, (cells[0], cells[-1]))
        band = Beside("custom", "chunked", (MIB,), 0, 1.0, 1.1, cells[:1])
        self.assertEqual(sentences.of_beside("custom", [band]).text, "custom beside chunked, both "
                         "at a step of 64 KiB: no significant difference at 1 MiB.")

    def test_equals_that_are_charged_more_and_as_much(self):
        block = {which.name: Cell(which, MIB, MIB, 64 * KIB) for which in made.FOUR}
        for charge, text in (
                ({"upfront": 2.0, "fault": 1.0, "chunked": 1.0},
                 "; charged less than upfront and as much as chunked (step 64 KiB); their times do "
                 "not differ significantly"),
                ({"fault": 1.0, "chunked": 1.0, "guard": 1.0}, "; charged as much as chunked (step "
                 "64 KiB) and guard (step 64 KiB); their times do not differ significantly"),
                ({"upfront": 2.0, "fault": 1.0, "chunked": 3.0}, "; charged less than upfront or "
                 "chunked (step 64 KiB); their times do not differ significantly"),
                ({"upfront": float("inf"), "fault": float("inf")}, "; as for upfront, their times "
                 "do not differ significantly"),
                ({"fault": 1.0}, "")):
            self.assertEqual(advice.against_equals(charge, block, "fault"), text)

    def test_what_is_charged_as_little(self):
        ratios = {("a", "b"): None}
        for equal, slower, text in (
                (["a"], ["b", "c"], "; a, charged as little, does not differ significantly in "
                 "time; b and c, charged as little, are slower"),
                (["a", "b"], [], "; a and b, charged as little, do not differ significantly in "
                 "time"), ([], ["b"], "; b, charged as little, is slower"), ([], [], "")):
            self.assertEqual(advice.of_the_others(ratios, equal, slower), text)
        self.assertEqual(advice.of_the_others({}, ["a"], []), "; a, charged as little: too few "
                         "rounds to compare")
        self.assertEqual(advice.of_the_others({}, [], []), "")


def choices_of(rows, strategies=made.FOUR, **details):
    return {(choice.need, choice.touch): choice for choice in
            analysis.analyse(made.run(rows, strategies, **details)).choices}


def sweep(which, ns, step=64 * KIB, **columns):
    return [(which, MIB, ns, {"touch": touch, "step": step, **columns}) for touch in ("1", "0.1")]


class Choices(unittest.TestCase):
    def test_ties_go_to_the_least_charge_and_then_to_the_first(self):
        cells = [*sweep(UPFRONT, 1000), *sweep(CHUNKED, 1000), *sweep(FAULT, 1000)]
        choices = choices_of(made.in_rounds(ROUNDS, *cells))
        tenth = choices["lowest_latency", "0.1"]
        self.assertEqual((tenth.cell.strategy, tenth.equal), (FAULT, ["upfront", "chunked"]))
        whole = choices["lowest_latency", "1"]
        self.assertEqual((whole.cell.strategy, whole.equal), (UPFRONT, ["fault", "chunked"]))
        strict = choices["strict_overcommit", "0.1"]
        self.assertEqual((strict.cell.strategy, strict.equal), (FAULT, ["chunked"]))
        self.assertTrue(strict.why.endswith("; none of its charge is unused"), strict.why)

    def test_the_fastest_wins_whatever_its_charge(self):
        cells = [*sweep(UPFRONT, 1000), *sweep(CHUNKED, 1500), *sweep(FAULT, 2000)]
        choices = choices_of(made.in_rounds(ROUNDS, *cells))
        self.assertEqual({key: choice.cell.strategy.name for key, choice in choices.items()},
                         {("lowest_latency", "1"): "upfront", ("lowest_latency", "0.1"): "upfront",
                          ("least_charge", "0.1"): "fault",
                          ("strict_overcommit", "0.1"): "chunked",
                          ("growing_buffers", "1"): "chunked"})

    def test_one_that_qualifies_needs_no_rounds(self):
        cells = [*sweep(UPFRONT, 1000), *sweep(GUARD, 1500)]
        choices = choices_of(made.in_rounds((1, 2), *cells))
        self.assertEqual(choices["strict_overcommit", "0.1"].why, "1.5 µs a page at a step of "
                         "64 KiB; no other qualifies; 28 KiB of its charge is unused")
        self.assertNotIn(("lowest_latency", "1"), choices)

    def test_too_few_rounds_leave_the_least_charge(self):
        cells = [*sweep(UPFRONT, 1000), *sweep(FAULT, 1500), *sweep(CHUNKED, 1400, step=PAGE)]
        choice = choices_of(made.in_rounds((1, 2), *cells))["least_charge", "0.1"]
        self.assertEqual((choice.cell.strategy, choice.equal), (CHUNKED, []))
        self.assertTrue(choice.why.endswith("fault, charged as little: too few rounds to compare"))

    def test_unknown_charges_decide_nothing(self):
        cells = [*sweep(UPFRONT, 1000, commit_bytes=made.NAN, reserved_commit_bytes=made.NAN),
                 *sweep(FAULT, 1000, commit_bytes=made.NAN, reserved_commit_bytes=made.NAN)]
        with made.strict():
            choices = choices_of(made.in_rounds(ROUNDS, *cells))
        self.assertEqual(set(choices), {("lowest_latency", "1"), ("lowest_latency", "0.1")})
        self.assertEqual(choices["lowest_latency", "1"].why,
                         "1 µs a page; as for fault, their times do not differ significantly")
        self.assertNotIn("commit_bytes", choices["lowest_latency", "1"].figures)

    def test_a_charge_before_use_rules_out_where_overcommit_is_strict(self):
        """A step may be charged before use, and not more than it; nor may the step be all."""
        for reserved, step, qualifies in ((64 * KIB, 64 * KIB, True), (68 * KIB, 64 * KIB, False),
                                          (0, MIB, False), (0, 2 * MIB, False),
                                          (made.NAN, 64 * KIB, False)):
            row = pandas.Series({"reserved_commit_bytes": reserved})
            with self.subTest(reserved=reserved, step=step):
                cell = Cell(CHUNKED, MIB, 26 * PAGE, step)
                self.assertEqual(advice.charged_by_steps(row, cell), qualifies)

    def test_stacks_fit_into_the_mappings_that_are_allowed(self):
        """A stack that is partly used takes two mappings."""
        cells = [*sweep(UPFRONT, 1000), *sweep(GUARD, 1500)]
        for settings, words in (({"max_map_count": 1001}, "; 2 mappings each, so that 500 fit into "
                                 "max_map_count"), ({}, "; no other qualifies")):
            run = made.run(made.in_rounds(ROUNDS, *cells), made.FOUR)
            run.environment["settings"] |= settings
            stack = [choice for choice in analysis.analyse(run).choices
                     if choice.need == "many_stacks"]
            self.assertEqual([choice.cell.strategy for choice in stack], [GUARD])
            self.assertTrue(stack[0].why.endswith(words), stack[0].why)

    def test_giving_back(self):
        """Of seven repeats all are needed for 95 %; six would not do. What has another size, state
        or company does not count."""
        def calls(repeats, **changed):
            rows = [{"call": "decommit", "state": "touched", "size_bytes": 16 * MIB, "mappings": 0,
                     "status": "ok", "ns": 1000.0 + number, "commit_bytes": 0, **changed}
                    for number in range(repeats)]
            return pandas.DataFrame(rows)

        self.assertEqual(advice.decommit(calls(7)),
                         advice.Decommit(16 * MIB, 1003, 1000, 1006, 0))
        self.assertEqual(advice.decommit(calls(7, commit_bytes=PAGE)).left_bytes, PAGE)
        for other in (calls(5), calls(7, state="committed"), calls(7, mappings=1),
                      calls(7, size_bytes=MIB), calls(7, call="release"),
                      calls(7, status="refused"), calls(7, commit_bytes=made.NAN), None):
            self.assertIsNone(advice.decommit(other))

    def test_refusals_in_words(self):
        rows = made.in_rounds(ROUNDS, *sweep(UPFRONT, 1000), *sweep(FAULT, 1000),
                              (UPFRONT, MIB, 1000, {"touch_order": "random"}),
                              (FAULT, MIB, 2000, {"touch_order": "random"}))
        rows += [made.refused(FAULT, 4 * MIB, touch_order="random", region_count=made.NAN),
                 made.refused(CHUNKED, 4 * MIB, touch_order="random", status="unsupported")]
        self.assertEqual(choices_of(rows)["random_access", "1"].why,
                         "1 µs a page; chunked can't run in that order; fault of 4 MiB was refused")

    def test_worst_touches(self):
        """Of one process each nothing is said, nor of one strategy, nor of what a user brought."""
        rows = made.in_rounds((1, 2), *sweep(UPFRONT, 1000), *sweep(FAULT, 1500))
        need = ("bounded_worst_touch", "1")
        for too_little in (None, traced(SWEPT, upfront=[7000] * 6),
                           traced(SWEPT, upfront=[7000], fault=[5000])):
            self.assertNotIn(need, choices_of(rows, traced=too_little))
        three = {"upfront": [7000, 7100] * 3, "fault": [5000, 4900] * 3, "guard": [8000] * 6,
                 "custom": [10] * 6}
        tables = pandas.concat([traced(MIB, **three), traced(SWEPT, **three),
                                traced(64 * MIB, upfront=[1] * 20)])
        choice = choices_of(rows, traced=tables)[need]
        self.assertEqual((choice.cell, choice.why), (
            Cell(FAULT, SWEPT, SWEPT, PAGE),
            "4.95 µs at p99.9 of 16 MiB (4.9 µs to 5 µs); upfront 7.05 µs and guard 8 µs"))
        stepped = traced(MIB, upfront=[9000, 9100, 9200], fault=[9000] * 3,
                         chunked=[5000, 5100, 5200], guard=[9000] * 3)
        choice = choices_of(rows, traced=stepped)[need]
        self.assertEqual(choice.cell, Cell(CHUNKED, MIB, MIB, 64 * KIB))
        self.assertEqual(choice.why, "5.1 µs at p99.9 of 1 MiB at a step of 64 KiB; upfront "
                                     "9.1 µs, fault 9 µs and guard 9 µs")
        self.assertEqual(choice.figures, {"touch_p99_9_ns": 5100})

    def test_of_worst_touches_that_are_close_the_least_charged_is_named(self):
        """Whoever was a little faster that day; but nobody who is slower by more than a tenth,
        though processes vary too much to tell that they differ."""
        rows = made.in_rounds(ROUNDS, *sweep(UPFRONT, 1000), *sweep(FAULT, 1500))
        for ns, named in (([4000, 4200], FAULT), ([4600, 4400, 4400], FAULT),
                          ([5000, 4600, 4000], UPFRONT)):
            table = traced(MIB, upfront=[4100] * 6, fault=ns * (6 // len(ns)),
                           guard=[9000, 20000] * 3)
            choice = choices_of(rows, traced=table)["bounded_worst_touch", "1"]
            self.assertEqual(choice.cell.strategy, named)
            self.assertEqual({named.name, *choice.equal}, {"upfront", "fault"})


if __name__ == "__main__":
    unittest.main()
