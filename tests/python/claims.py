"""What the literature says: each claim holding, failing and undecided, by made-up figures."""

import unittest

import made
from made import CHUNKED, FAULT, GUARD, PAGE, UPFRONT

import pandas

from vmcommit.analyse import claims
from vmcommit.analyse.summary import summarise
from vmcommit.base.units import KIB, MIB

HOLDS, FAILS, OPEN = claims.HOLDS, claims.FAILS, claims.OPEN
REPEATS = range(1, 10)
STRATEGIES = made.by_name((*made.FOUR, *made.FIFTHS))
TOO_FEW = "Too few repeats."


def calls(*timed, repeats=REPEATS):
    """Of (call, state, size, ns); a list of ns goes repeat by repeat, again and again."""
    return pandas.DataFrame(
        [(call, state, size, repeat, ns[repeat % len(ns)] if isinstance(ns, list) else ns, 0, "ok")
         for repeat in repeats for call, state, size, ns in timed],
        columns=["call", "state", "size_bytes", "repeat", "ns", "mappings", "status"])


def summary(*rows):
    return summarise(made.table(list(rows), tuple(STRATEGIES.values())), {"page_fault_ns": 1.0})


class Verdicts(unittest.TestCase):
    maxDiff = None

    def check(self, verdict, expected, figures):
        self.assertEqual(verdict, (expected, figures))


class Logic(unittest.TestCase):
    def test_one_that_fails_decides_before_one_that_is_open(self):
        for parts, expected in (([True, True], True), ([True, None], None), ([None, False], False),
                                ([True, False], False)):
            self.assertEqual(claims.all_hold(parts), expected)

    def test_within_a_factor(self):
        for interval, expected in (((1, 0.9, 1.1), True), ((1, 0.7, 1.1), True),
                                   ((1, 0.66, 1.1), None), ((1, 0.9, 1.6), None),
                                   ((2, 1.6, 3), False), ((0.5, 0.4, 0.6), False),
                                   ((1.5, 1.5, 1.5), True)):
            self.assertEqual(claims.within(interval, 1.5), expected)

    def test_verdicts(self):
        self.assertEqual([claims.verdict_of(holds) for holds in (True, False, None)],
                         [HOLDS, FAILS, OPEN])


class Reserving(Verdicts):
    def test_holds(self):
        self.check(claims.reserve_time(calls(("reserve", "fresh", 4 * KIB, 100),
                                             ("reserve", "fresh", MIB, 80),
                                             ("reserve", "fresh", 4 * MIB, 110))), HOLDS,
                   "100 ns for 4 KiB, 110 ns for 4 MiB; furthest from the smallest is 1 MiB, at "
                   "0.80 times its time (0.80 to 0.80).")

    def test_fails_where_one_size_does(self):
        self.check(claims.reserve_time(calls(("reserve", "fresh", 4 * KIB, 100),
                                             ("reserve", "fresh", MIB, [200, 100]),
                                             ("reserve", "fresh", 4 * MIB, 200))), FAILS,
                   "100 ns for 4 KiB, 200 ns for 4 MiB; furthest from the smallest is 4 MiB, at "
                   "2.00 times its time (2.00 to 2.00).")

    def test_open_where_one_size_is(self):
        verdict, figures = claims.reserve_time(calls(
            ("reserve", "fresh", 4 * KIB, 100), ("reserve", "fresh", MIB, [100, 160])))
        self.assertEqual(verdict, OPEN)
        self.assertIn("(1.00 to 1.60)", figures)

    def test_too_few_repeats(self):
        """Of two sizes against the smallest, each needs 2^(1 - n) below 0.05 / 2: seven."""
        timed = [("reserve", "fresh", size, 100) for size in (4 * KIB, MIB, 4 * MIB)]
        self.assertEqual(claims.reserve_time(calls(*timed, repeats=range(7)))[0], HOLDS)
        self.assertEqual(claims.reserve_time(calls(*timed, repeats=range(6))), (OPEN, TOO_FEW))
        self.assertEqual(claims.reserve_time(calls(timed[0])), (OPEN, TOO_FEW))
        self.assertEqual(claims.reserve_time(calls(("commit", "fresh", MIB, 1))), (OPEN, TOO_FEW))


class PageTables(Verdicts):
    def calls(self, touched, untouched, repeats=REPEATS):
        return calls(("commit", "beside touched", PAGE, touched),
                     ("commit", "beside untouched", PAGE, untouched),
                     ("commit", "fresh", PAGE, 100), ("commit", "fresh", MIB, 150), repeats=repeats)

    def test_holds(self):
        self.check(claims.commit_and_page_tables(self.calls(300, 200)), HOLDS,
                   "A page beside touched pages takes 300 ns, one beside untouched pages 200 ns: "
                   "1.50 times (1.50 to 1.50). Committing all of an untouched 1 MiB takes 1.50 "
                   "times as long as 4 KiB (1.50 to 1.50).")

    def test_fails(self):
        self.assertEqual(claims.commit_and_page_tables(self.calls(210, 200))[0], FAILS)

    def test_open(self):
        self.assertEqual(claims.commit_and_page_tables(self.calls([200, 300], 200))[0], OPEN)

    def test_too_few_repeats(self):
        few = self.calls(300, 200, repeats=range(5))
        self.assertEqual(claims.commit_and_page_tables(few), (OPEN, TOO_FEW))
        self.assertEqual(claims.commit_and_page_tables(self.calls(300, 200, range(6)))[0], HOLDS)
        for lacking in ("fresh", "beside touched", "beside untouched"):
            rest = self.calls(300, 200)
            with self.subTest(lacking):
                self.assertEqual(claims.commit_and_page_tables(rest[rest.state != lacking]),
                                 (OPEN, TOO_FEW))


class Resident(Verdicts):
    STAIRS = pandas.DataFrame([("upfront", MIB, MIB // 4, MIB // 4), ("upfront", MIB, MIB, MIB),
                               ("chunked", MIB, MIB, 0)],
                              columns=["strategy", "commit_bytes", "touched_bytes",
                                       "resident_bytes"])

    def test_holds(self):
        rows = summary(made.row(UPFRONT, MIB, 1), made.row(CHUNKED, MIB, 1),
                       made.row(FAULT, 4 * MIB, 1), made.row(UPFRONT, MIB, 1, touch="0.5"),
                       made.row(GUARD, MIB, 1, touch="0.5"))
        self.check(claims.resident_after_commit(rows, self.STAIRS), HOLDS,
                   "In 2 of 2 sets of configurations that touch the same pages, all strategies end "
                   "with the same resident size; with 1 MiB committed up front and 256 KiB of it "
                   "touched, 256 KiB are resident.")

    def test_fails_where_one_set_differs(self):
        rows = summary(made.row(UPFRONT, MIB, 1), made.row(CHUNKED, MIB, 1, resident_bytes=4096),
                       made.row(UPFRONT, 2 * MIB, 1), made.row(CHUNKED, 2 * MIB, 1))
        self.check(claims.resident_after_commit(rows, None), FAILS,
                   "In 1 of 2 sets of configurations that touch the same pages, all strategies end "
                   "with the same resident size.")

    def test_fails_where_memory_comes_before_the_first_access(self):
        early = self.STAIRS.assign(resident_bytes=MIB)
        self.check(claims.resident_after_commit(summary(made.row(UPFRONT, MIB, 1)), early), FAILS,
                   "With 1 MiB committed up front and 256 KiB of it touched, 1 MiB are resident.")

    def test_open_where_nothing_can_be_compared(self):
        nothing = (OPEN, "No rows have resident sizes to compare.")
        for rows in (summary(made.row(UPFRONT, MIB, 1)),
                     summary(made.refused(UPFRONT, MIB), made.refused(CHUNKED, MIB)),
                     summary(*(made.row(which, MIB, 1, resident_bytes=made.NAN)
                               for which in made.FOUR))):
            self.assertEqual(claims.resident_after_commit(rows, None), nothing)


class Charge(Verdicts):
    def verdict(self, *rows):
        return claims.charge_follows_use(summary(*rows), STRATEGIES)

    def test_holds_up_to_a_step_and_a_guard_page(self):
        self.check(self.verdict(made.row(UPFRONT, MIB, 1, touch="0.1"),
                                made.row(FAULT, MIB, 1, touch="0.1"),
                                made.row(GUARD, MIB, 1, touch="0.1")), HOLDS,
                   "fault is charged exactly what it touched in 1 of 1 configurations; in 2 of 2 "
                   "dynamic ones the excess is less than a step and a guard page, 28 KiB at most.")

    def test_fails_where_one_is_charged_more(self):
        self.check(self.verdict(made.row(CHUNKED, MIB, 1, touch="0.5"),
                                made.row(CHUNKED, MIB, 1, touch="0.1",
                                         commit_bytes=26 * PAGE + 68 * KIB)), FAILS,
                   "in 1 of 2 dynamic ones the excess is less than a step and a guard page, 68 KiB "
                   "at most.")

    def test_those_that_commit_all_at_once_are_not_dynamic(self):
        eager, asking = made.FIFTHS[2], made.FIFTHS[1]
        self.assertEqual(self.verdict(made.row(eager, MIB, 1), made.row(UPFRONT, MIB, 1)),
                         (OPEN, "No row of a dynamic strategy has its charge."))
        self.check(self.verdict(made.row(eager, MIB, 1, touch="0.1"), made.row(asking, MIB, 1),
                                made.row(asking, MIB, 1, touch="0.1", commit_bytes=27 * PAGE)),
                   HOLDS, "asking is charged exactly what it touched in 1 of 2 configurations; in "
                   "2 of 2 dynamic ones the excess is less than a step and a guard page, 4 KiB at "
                   "most.")

    def test_open_without_rows(self):
        nothing = (OPEN, "No row of a dynamic strategy has its charge.")
        for row in (made.refused(CHUNKED, MIB), made.row(CHUNKED, MIB, 1, commit_bytes=made.NAN),
                    made.row(CHUNKED, MIB, 1, touch_order="random")):
            self.assertEqual(self.verdict(row), nothing)


def limited(platform="linux", **status):
    return pandas.DataFrame([(name, outcome, platform, 256 * MIB, 128 * MIB)
                             for name, outcome in status.items()],
                            columns=["strategy", "status", "platform", "size_bytes", "limit_bytes"])


class Limit(Verdicts):
    WHAT = "256 MiB of which a tenth is touched, under a limit of 128 MiB: "

    def test_verdicts(self):
        for status, verdict in (
                ({"upfront": "refused", "fault": "ok", "chunked": "refused"}, HOLDS),
                ({"upfront": "refused", "fault": "refused", "chunked": "refused"}, FAILS),
                ({"upfront": "ok", "fault": "ok"}, FAILS),
                ({"upfront": "refused", "eager": "ok", "fault": "refused"}, FAILS),
                ({"upfront": "refused", "eager": "ok"}, OPEN),
                ({"upfront": "refused", "fault": "unsupported"}, OPEN),
                ({"upfront": "skipped", "fault": "ok"}, OPEN), ({"fault": "ok"}, OPEN)):
            with self.subTest(status=status):
                texts = "; ".join(f"{name} {outcome}" for name, outcome in status.items())
                self.check(claims.refused_under_a_limit(limited(**status), STRATEGIES), verdict,
                           f"{self.WHAT}{texts}.")

    def test_wine_enforces_no_limit(self):
        self.check(claims.refused_under_a_limit(limited("wine", upfront="ok", fault="ok"),
                                                STRATEGIES), OPEN,
                   self.WHAT + "upfront ok; fault ok. Wine does not enforce the limit.")


class Release(Verdicts):
    TIMES = [("release", "committed", MIB, 100), ("release", "touched", MIB, 2000),
             ("release", "scattered", MIB, 3000)]

    def test_holds(self):
        self.check(claims.release_in_one_call(
            summary(made.row(UPFRONT, MIB, 1), made.refused(FAULT, MIB, region_count=65506)),
            calls(*self.TIMES)), HOLDS,
            "One call left no charge in 2 of 2 configurations, of up to 65 506 mappings each. Its "
            "time depends on them: 1 MiB take 100 ns committed and untouched, 2 µs touched, 3 µs "
            "with every second page committed.")

    def test_fails_where_one_leaves_a_charge(self):
        rows = summary(made.row(UPFRONT, MIB, 1), made.row(FAULT, MIB, 1,
                                                           released_commit_bytes=4096))
        for times in (None, calls(*self.TIMES[:2]), calls(("reserve", "fresh", MIB, 1))):
            self.check(claims.release_in_one_call(rows, times), FAILS,
                       "One call left no charge in 1 of 2 configurations, of up to 1 mapping each.")

    def test_open_without_rows(self):
        rows = summary(made.row(UPFRONT, MIB, 1, released_commit_bytes=made.NAN))
        self.check(claims.release_in_one_call(rows, None), OPEN,
                   "No row has the charge after the release.")
        rows = summary(made.row(UPFRONT, MIB, 1, region_count=made.NAN))
        self.check(claims.release_in_one_call(rows, None), HOLDS,
                   "One call left no charge in 1 of 1 configurations.")


class All(Verdicts):
    def test_a_run_without_details(self):
        rows = summary(made.row(UPFRONT, MIB, 1), made.row(FAULT, MIB, 1))
        for nothing in (None, pandas.DataFrame(), pandas.DataFrame({"strategy": ["upfront"]})):
            tested = claims.test(rows, STRATEGIES, nothing, nothing, nothing, True)
            self.assertEqual([claim.verdict for claim in tested],
                             [OPEN, HOLDS, HOLDS, OPEN, OPEN, HOLDS])
            self.assertEqual([tested[at].figures for at in (0, 3, 4)],
                             ["This run timed no single calls.", "No limit could be set here.",
                              "This run timed no single calls."])

    def test_each_claim_has_its_own_verdict(self):
        rows = summary(made.row(UPFRONT, MIB, 1), made.row(FAULT, MIB, 1))
        times = calls(("reserve", "fresh", PAGE, 1), ("reserve", "fresh", MIB, 9),
                      ("commit", "fresh", PAGE, 1), ("commit", "fresh", MIB, 1),
                      ("commit", "beside touched", PAGE, 2),
                      ("commit", "beside untouched", PAGE, 1))
        tested, of_wine = (
            claims.test(rows, STRATEGIES, times, None, limited(upfront="ok", fault="ok"), in_time)
            for in_time in (True, False))
        self.assertEqual([(claim.claim.split()[0], claim.verdict) for claim in tested],
                         [("Reserving", FAILS), ("Committing", HOLDS), ("Dynamic", HOLDS),
                          ("A", FAILS), ("Commit", HOLDS), ("Releasing", HOLDS)])
        for at in (0, 4):
            self.check((of_wine[at].verdict, of_wine[at].figures), *claims.OF_WINE)


if __name__ == "__main__":
    unittest.main()
