"""What the articles say of single calls: each claim holding, failing and undecided, by made-up
figures."""

import unittest

from support import PAGE

import pandas

from vmcommit.analyse import claims, single_calls
from vmcommit.base.units import KIB, MIB

HOLDS, FAILS, OPEN = claims.HOLDS, claims.FAILS, claims.OPEN
COLUMNS = ["call", "state", "size_bytes", "repeat", "ns", "mappings", "status", "commit_bytes",
           "region_count", "locked_bytes"]
SPLIT = ("protect_read", "middle of touched", PAGE)
WHOLE = ("protect_read", "touched", PAGE)
JOINED = ("protect_write", "middle read-only", PAGE)
BYTE = ("lock", "byte of touched", 1)
ACROSS = ("lock", "two bytes across pages", 2)


def row(call, state, size, ns=100, mappings=0, status="ok", commit=0, regions=1, locked=0):
    """In the order of COLUMNS but for the repeat; a list of ns goes repeat by repeat."""
    return call, state, size, ns, mappings, status, commit, regions, locked


def calls(*rows, repeats=range(1, 10)):
    return pandas.DataFrame(
        [(call, state, size, repeat, ns[repeat % len(ns)] if isinstance(ns, list) else ns, *rest)
         for repeat in repeats for call, state, size, ns, *rest in rows], columns=COLUMNS)


class Verdicts(unittest.TestCase):
    maxDiff = None

    def check(self, verdict, expected, figures):
        self.assertEqual(verdict, (expected, figures))


class Freeing(Verdicts):
    def test_decommitting_what_is_not_committed(self):
        ok, refused = row("decommit", "reserved", MIB), row("decommit", "reserved", 4 * MIB,
                                                            status="refused")
        beside = row("decommit", "reserved", MIB, mappings=1000)
        self.check(single_calls.only_committed(calls(ok, beside)), FAILS,
                   "Decommitting a range that was only reserved succeeded at 9 of 9 times, and "
                   "left it reserved.")
        self.check(single_calls.only_committed(calls(ok, refused)), FAILS,
                   "Decommitting a range that was only reserved succeeded at 9 of 18 times, and "
                   "left it reserved.")
        self.check(single_calls.only_committed(calls(refused)), HOLDS,
                   "Decommitting a range that was only reserved succeeded at 0 of 9 times.")
        self.check(single_calls.only_committed(calls(row("decommit", "reserved", MIB, regions=0))),
                   FAILS, "Decommitting a range that was only reserved succeeded at 9 of 9 times.")
        self.assertEqual(single_calls.only_committed(calls(row("decommit", "touched", MIB)))[0],
                         OPEN)

    def test_one_call_frees(self):
        freed = [row("decommit", "touched", MIB), row("decommit", "scattered", MIB, regions=128),
                 row("release", "reserved", MIB, regions=0)]
        self.check(single_calls.one_call_frees(calls(*freed)), HOLDS,
                   "In 27 of 27 calls nothing was left charged, and of what was released no "
                   "region. Decommitted: ranges that were scattered and touched; released: "
                   "reserved.")
        for wrong in (row("decommit", "touched", 4 * MIB, commit=PAGE),
                      row("release", "touched", MIB, regions=1),
                      row("release", "touched", MIB, commit=PAGE, regions=0)):
            self.assertEqual(single_calls.one_call_frees(calls(*freed, wrong))[0], FAILS)
        for unknown in (freed[:2], freed[2:],
                        [row("decommit", "touched", MIB, commit=None), *freed[2:]]):
            self.assertEqual(single_calls.one_call_frees(calls(*unknown))[0], OPEN)


class Parts(Verdicts):
    def test_protecting_splits(self):
        rows = calls(row(*SPLIT, 200, regions=3), row(*JOINED), row(*WHOLE, 100))
        self.check(single_calls.protecting_splits(rows, True), HOLDS,
                   "A page in the middle made read-only turns a region into 3; writable again, "
                   "into 1. Protecting it takes 200 ns, 2.00 times (2.00 to 2.00) what a page "
                   "takes that is a region of its own.")
        self.check(single_calls.protecting_splits(rows, False), HOLDS,
                   "A page in the middle made read-only turns a region into 3; writable again, "
                   "into 1.")
        self.assertEqual(single_calls.protecting_splits(calls(row(*SPLIT), row(*JOINED)), True),
                         (FAILS, "A page in the middle made read-only turns a region into 1; "
                                 "writable again, into 1."))
        self.assertEqual(single_calls.protecting_splits(calls(row(*SPLIT, regions=3)), True)[0],
                         OPEN)

    def test_locking_a_part(self):
        both = [row(*SPLIT), row(*BYTE, locked=PAGE), row(*ACROSS, locked=2 * PAGE)]
        self.check(single_calls.lock_of_a_part(calls(*both)), HOLDS,
                   "Locking one byte locks 4 KiB; two bytes on both sides of a page's end, 8 KiB.")
        self.assertEqual(single_calls.lock_of_a_part(calls(
            both[0], both[1], row(*ACROSS, locked=PAGE)))[0], FAILS)
        for unknown in (row(*BYTE, locked=None), row(*BYTE, status="refused", locked=None)):
            self.assertEqual(single_calls.lock_of_a_part(calls(both[0], unknown, both[2]))[0], OPEN)


class Asking(Verdicts):
    def test_holds(self):
        self.check(single_calls.cost_of_a_query(calls(
            row("procmap_query", "committed", PAGE), row("procmap_query", "committed", MIB),
            row("procmap_query", "touched", PAGE), row("procmap_query", "touched", MIB, 140),
            row("mincore", "touched", PAGE), row("mincore", "touched", MIB, 5000),
            row("pagemap", "touched", PAGE))), HOLDS,
            "procmap_query takes 100 ns for 4 KiB, 100 ns for 1 MiB, committed; procmap_query "
            "takes 100 ns for 4 KiB, 140 ns for 1 MiB, touched; furthest from the smallest size is "
            "1.40 times (1.40 to 1.40). Questions of each page: mincore takes 100 ns for 4 KiB, "
            "5 µs for 1 MiB.")

    def test_fails_and_is_open(self):
        def asked(ns, **more):
            return calls(row("virtualquery", "touched", PAGE),
                         row("virtualquery", "touched", MIB, ns), **more)
        self.check(single_calls.cost_of_a_query(asked(200)), FAILS,
                   "virtualquery takes 100 ns for 4 KiB, 200 ns for 1 MiB, touched; furthest from "
                   "the smallest size is 2.00 times (2.00 to 2.00).")
        self.assertEqual(single_calls.cost_of_a_query(asked([100, 200]))[0], OPEN)
        self.assertEqual(single_calls.cost_of_a_query(asked(100, repeats=range(5))),
                         single_calls.TOO_FEW)
        self.assertEqual(single_calls.cost_of_a_query(calls(row("mincore", "touched", PAGE))),
                         single_calls.UNTIMED)


class Placing(Verdicts):
    def placed(self, beside, none=100, up=100, **more):
        return calls(*(row(call, "fresh", size, ns, mappings)
                       for size in (4 * KIB, 64 * KIB)
                       for call, ns, mappings in (("reserve_top_down", none, 0),
                                                  ("reserve_top_down", beside, 1000),
                                                  ("reserve_bottom_up", 100, 0),
                                                  ("reserve_bottom_up", up, 1000))), **more)

    def test_holds(self):
        self.check(single_calls.top_down(self.placed(200)), HOLDS,
                   "Reserving 64 KiB from the top down takes 100 ns, beside 1 000 other "
                   "reservations 200 ns: 2.00 times (2.00 to 2.00). From the bottom up it takes "
                   "100 ns and 100 ns: 1.00 times (1.00 to 1.00).")

    def test_fails_and_is_open(self):
        self.assertEqual(single_calls.top_down(self.placed(105))[0], FAILS)
        self.assertEqual(single_calls.top_down(self.placed(50))[0], FAILS)
        self.assertEqual(single_calls.top_down(self.placed([100, 120]))[0], OPEN)
        self.assertEqual(single_calls.top_down(self.placed(200, repeats=range(4))),
                         single_calls.TOO_FEW)
        for none in (calls(), calls(row("reserve_top_down", "fresh", MIB))):
            self.assertEqual(single_calls.top_down(none), single_calls.UNTIMED)


class All(unittest.TestCase):
    def test_without_calls(self):
        for nothing in (None, calls(), pandas.DataFrame({"call": ["lock"]})):
            for in_time in (True, False):
                self.assertEqual({claim.verdict for claim in single_calls.test(nothing, in_time)},
                                 {OPEN})

    def test_times_that_mean_nothing_decide_nothing(self):
        rows = calls(row("virtualquery", "touched", PAGE), row("virtualquery", "touched", MIB),
                     row("decommit", "reserved", MIB))
        timed, untimed = (single_calls.test(rows, in_time) for in_time in (True, False))
        self.assertEqual([claim.verdict for claim in timed], [FAILS, OPEN, OPEN, OPEN, HOLDS, OPEN])
        self.assertEqual([claim.verdict for claim in untimed], [FAILS, *[OPEN] * 5])
        self.assertEqual([claim.figures for claim in untimed[-2:]], [claims.OF_WINE[1]] * 2)
        self.assertEqual(len({claim.claim for claim in timed}), 6)


if __name__ == "__main__":
    unittest.main()
