"""What is said of kinds of commit, of giving back and of threads: rows with planted answers."""

import dataclasses
import json
import pathlib
import random
import re
import tempfile
import unittest

import made
from made import CHUNKED, FAULT, GUARD, PAGE, UPFRONT

from vmcommit.analyse import analysis, giving_back, model
from vmcommit.base.cells import SHARES
from vmcommit.base.problems import Usage
from vmcommit.base.units import GIB, KIB, MIB
from vmcommit.commands import predict
from vmcommit.show import charts, page
from vmcommit.show import scaling as scaling_charts
from vmcommit.show.chart import RUN
from vmcommit.show.gnuplot import Plot

SIZE = 64 * MIB
PAGES = SIZE // PAGE
COMMIT = ("mprotect", "remap", "populate", "noreserve")
PURGE = ("none", "dontneed", "free", "pageout", "remap", "remap_noreserve")
KNOWN = [dataclasses.replace(each, commit=COMMIT, purge=PURGE, pages=("small", "thp-64K"),
                             options=(*each.options, "--commit", "--purge", "--growth"))
         for each in (UPFRONT, FAULT, CHUNKED, GUARD)]
WHOLE, _, STEPPED, _ = KNOWN
MEMORY = {"memory": {"total_bytes": 16 * GIB}, "processor": {"model": "made up", "cores": 4}}
# Of all pages: charged and resident after giving back, faults of touching again, the charge then;
# ns a page of giving back and of touching again.
CALLS = {
    "dontneed": (SIZE, 0, PAGES, SIZE, 400, 1600),
    "free": (SIZE, SIZE, 0, SIZE, 300, 200),
    "pageout": (SIZE, SIZE, 0, SIZE, 500, 20),
    "remap": (0, 0, PAGES, SIZE, 800, 1600),
    "remap_noreserve": (0, 0, PAGES, 0, 800, 1600),
}


def noisy(seed=1):
    """A factor, by a thousandth."""
    draws = random.Random(seed)
    return lambda: draws.gauss(1, 0.001)


def plain_rows(rounds=8, size=SIZE):
    noise = noisy(2)
    return [made.row(which, size, 1000 * noise(), number) for number in range(1, rounds + 1)
            for which in KNOWN]


def purged(kind, number, noise, step=64 * KIB, order="sequential", times=1.0, **columns):
    charge, resident, faults, again, back_ns, again_ns = CALLS[kind]
    part = 0.5 if order == "alternate" else 1
    back, retouch = (part * PAGES * ns * noise() for ns in (times * back_ns, again_ns))
    return made.row(WHOLE, SIZE, (1000 * PAGES + back + retouch) / PAGES, number, **{
        "touch_order": order, "commit_kind": "mprotect", "purge": kind, "purge_step_bytes": step,
        "purge_calls": part * SIZE / step, "purge_ns": back, "retouch_ns": retouch,
        "retouch_minor_faults": part * faults,
        "purged_commit_bytes": SIZE - part * (SIZE - charge),
        "purged_resident_bytes": SIZE - part * (SIZE - resident), "purged_table_bytes": 0,
        "purged_region_count": 1, "retouched_commit_bytes": again, "retouched_region_count": 1,
        **columns})


def purged_rows(rounds=8, **columns):
    noise = noisy()
    return [purged(kind, number, noise, **columns) for number in range(1, rounds + 1)
            for kind in CALLS]


def analysed(rows, **known):
    run = made.run(rows, KNOWN)
    run.environment.update(made.environment(KNOWN, **MEMORY) | known)
    with made.strict():
        return analysis.analyse(run)


def said(of, name):
    return [sentence.text for section in of.sections if section.name == name
            for sentence in section.sentences]


def one(test, texts, start):
    """The only one of these sentences that begins so."""
    found = [text for text in texts if text.startswith(start)]
    test.assertEqual(len(found), 1, (start, texts))
    return found[0]


class GivingBack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.of = analysed(plain_rows() + purged_rows())
        cls.texts = said(cls.of, "giving-back")

    def test_whether_free_returns_charge(self):
        self.assertEqual(one(self, self.texts, "MADV_FREE"),
                         "MADV_FREE returns no charge: after it 64 MiB of 64 MiB stay charged, and "
                         "64 MiB stay resident until the system wants them.")

    def test_a_free_that_returned_charge_would_be_told(self):
        of = analysed(plain_rows() + purged_rows(purged_commit_bytes=16 * MIB))
        self.assertIn("MADV_FREE returns charge: after it 16 MiB of 64 MiB stay charged",
                      one(self, said(of, "giving-back"), "MADV_FREE"))

    def test_what_each_call_gives_back(self):
        self.assertEqual(one(self, self.texts, "Of 64 MiB"), (
            "Of 64 MiB touched, at a step of 64 KiB, mmap(PROT_NONE) and mmap(MAP_NORESERVE) give "
            "back charge and memory; MADV_DONTNEED gives back memory; MADV_FREE gives back memory, "
            "when the system wants it; MADV_PAGEOUT gives back nothing."))
        self.assertEqual(one(self, self.texts, "What mmap(MAP_NORESERVE)"),
                         "What mmap(MAP_NORESERVE) gave back is never charged again: touched anew, "
                         "0 B of 64 MiB are charged.")

    def test_which_call_for_which_need(self):
        """2.4 µs for charge, whichever of the two; 2 µs for memory; 200 ns of free, for what gives
        nothing back does not count."""
        for start, call, ns, rest in (
                ("To get charge back", "mmap(PROT_NONE)", "2.4 µs",
                 "; no significant difference to mmap(MAP_NORESERVE)."),
                ("To get memory back", "MADV_DONTNEED", "2 µs", "step of 64 KiB."),
                ("To come back most cheaply", "MADV_FREE", "200 ns", "step of 64 KiB.")):
            text = one(self, self.texts, start)
            self.assertTrue(text.startswith(f"{start}, use {call}: {ns} ("), text)
            self.assertTrue(text.endswith(rest), text)
            low, high = re.search(r"\(([\d.]+) [nµ]s to ([\d.]+) [nµ]s\)", text).groups()
            self.assertLessEqual(float(low), float(ns.split()[0]))
            self.assertGreaterEqual(float(high), float(ns.split()[0]))

    def test_when_to_give_back(self):
        """2 µs a page of 4 KiB, of the 4 GiB that there are for each CPU: a million times that."""
        text = one(self, self.texts, "Giving back by MADV_DONTNEED pays")
        self.assertIn("for 2.1 s or longer (2.1 s to 2.1 s)", text)
        self.assertIn("a CPU of this machine has 4 GiB of memory", text)
        unused = {each.returned.kind: each.unused for each in self.of.returned.unused}
        self.assertEqual(set(unused), {"dontneed", "remap", "remap_noreserve"})
        self.assertAlmostEqual(unused["remap"].ns / (2400 * 2**20), 1, 2)
        self.assertLess(unused["remap"].low, unused["remap"].ns)

    def test_no_break_even_without_the_machines_memory(self):
        of = analysed(plain_rows() + purged_rows(), memory={"total_bytes": None})
        self.assertEqual(of.returned.unused, [])
        self.assertFalse(any("pays" in text for text in said(of, "giving-back")))

    def test_what_small_steps_cost(self):
        small = purged_rows(step=4 * KIB, times=4)
        of = analysed(plain_rows() + purged_rows() + small)
        self.assertRegex(one(self, said(of, "giving-back"), "Giving back by MADV_DONTNEED, 4 KiB"),
                         r"costs 4\.0\d times as much a page as 64 KiB a call "
                         r"\((3\.9|4\.0)\d to 4\.0\d\)\.$")
        same = analysed(plain_rows() + purged_rows() + [
            {**row, "purge_step_bytes": 4 * KIB, "purge_calls": PAGES,
             "purge_ns": row["purge_ns"] * (1.1 if row["round"] % 2 else 0.9)}
            for row in purged_rows()])
        self.assertIn("shows no significant difference to 64 KiB a call: ",
                      one(self, said(same, "giving-back"), "Giving back by MADV_DONTNEED, 4 KiB"))

    def test_too_few_rounds_compare_nothing(self):
        of = analysed(plain_rows() + purged_rows(rounds=1))
        text = one(self, said(of, "giving-back"), "To get memory back")
        self.assertIn("too few rounds to compare it with the others", text)
        self.assertNotIn("(", text.replace("mmap(PROT_NONE)", ""))
        self.assertFalse(any("pays" in text for text in said(of, "giving-back")))

    def test_mappings_of_every_second_page(self):
        noise = noisy()
        scattered = [purged(kind, number, noise, 4 * KIB, "alternate", **columns)
                     for number in (1, 2) for kind, columns in (
                         ("dontneed", {}),
                         ("remap", {"purged_region_count": PAGES}),
                         ("remap_noreserve", {"purged_region_count": PAGES,
                                              "retouched_region_count": PAGES}))]
        of = analysed(plain_rows() + purged_rows() + scattered)
        self.assertEqual(one(self, said(of, "giving-back"), "Where every second"), (
            "Where every second 4 KiB of 64 MiB is given back, it has mappings: 16 384 after "
            "mmap(MAP_NORESERVE), and 16 384 once it is touched again; 16 384 after "
            "mmap(PROT_NONE), and 1 once it is touched again; 1 after MADV_DONTNEED, and 1 once it "
            "is touched again."))

    def test_prices_of_half_a_region_are_of_the_pages_given_back(self):
        noise = noisy()
        of = analysed(plain_rows() + [purged("dontneed", number, noise, 4 * KIB, "alternate")
                                      for number in range(1, 9)])
        cell, = of.returned.cells
        self.assertEqual(cell.pages, PAGES // 2)
        self.assertAlmostEqual(cell.back.ns, 400, delta=2)

    def test_what_was_refused_is_said_and_has_no_price(self):
        refused = [made.refused(WHOLE, SIZE, number, error="mmap: ENOMEM", purge="remap",
                                touch_order="alternate", purge_step_bytes=4 * KIB,
                                region_count=65530)
                   for number in (1, 2)]
        of = analysed(plain_rows() + refused)
        self.assertEqual(said(of, "giving-back"), [
            "Giving back was refused at 65 530 mappings: upfront, purge remap, purge step 4 KiB of "
            "64 MiB, alternate: mmap: ENOMEM."])
        self.assertEqual((of.returned.cells, of.returned.choices), ([], []))

    def test_unsupported_kinds_are_left_out(self):
        rows = [row for row in purged_rows() if row["purge"] != "dontneed"]
        of = analysed(plain_rows() + rows + [
            made.refused(WHOLE, SIZE, number, "unsupported", "too old", purge="dontneed",
                         purge_step_bytes=64 * KIB) for number in (1, 2)])
        self.assertEqual({each.kind for each in of.returned.cells}, set(CALLS) - {"dontneed"})
        self.assertTrue(of.sections[0].note.endswith(" Not measured here: dontneed: too old."))
        self.assertTrue(one(self, said(of, "giving-back"), "To get memory back").startswith(
            "To get memory back, use mmap(PROT_NONE)"))

    def test_wine_counts_and_times_nothing(self):
        rows = [{**row, "platform": "wine"} for row in plain_rows() + purged_rows()]
        of = analysed(rows)
        self.assertEqual(of.returned.choices, [])
        self.assertTrue(one(self, said(of, "giving-back"), "MADV_FREE returns no charge"))

    def test_a_run_without_says_nothing(self):
        of = analysed(plain_rows())
        self.assertIsNone(of.returned)
        self.assertEqual((of.sections, of.commits), ([], []))

    def test_programs_get_the_same(self):
        told = self.of.as_json()
        made.check_schema(self, told)
        choices = {each["need"]: (each["purge"], each["equal"])
                   for each in told["giving_back"]["choices"]}
        self.assertEqual(choices, {"charge_back": ("remap", ["remap_noreserve"]),
                                   "residency_back": ("dontneed", []),
                                   "cheapest_return": ("free", [])})
        texts = [sentence["text"] for section in told["sections"]
                 for sentence in section["sentences"]]
        self.assertEqual(texts, self.texts)
        rows = [row for section in told["sections"] for sentence in section["sentences"]
                for row in sentence["rows"]]
        self.assertTrue(all(row["purge_step_bytes"] == 64 * KIB for row in rows))


def committed(which, number, ns, noise, step=64 * KIB, **columns):
    return made.row(which, SIZE, ns * noise(), number, step=step,
                    **{"commit_kind": "mprotect", "growth": "fixed" if which.stepped else "",
                       **columns})


# ns a page of chunked by step: mprotect, remap, populate, doubling, pages of 64 KiB.
TIMES = {4 * KIB: (1500, 2250, 1500, 1000, 1500), 16 * KIB: (1200, 1440, 1080, 1000, 1200),
         64 * KIB: (1000, 1000, 750, 1000, 400)}
MANNERS = ({}, {"commit_kind": "remap"}, {"commit_kind": "populate"}, {"growth": "double"},
           {"pages": "thp-64K"})


def commit_rows(rounds=8, times=TIMES):
    noise = noisy()
    rows = []
    for number in range(1, rounds + 1):
        for which in KNOWN[:2]:
            rows.append(committed(which, number, 1000, noise))
        rows += [committed(WHOLE, number, 800, noise, commit_kind="populate"),
                 committed(WHOLE, number, 1000, noise, commit_kind="noreserve", commit_bytes=0)]
        rows += [committed(STEPPED, number, ns, noise, step, **manner)
                 for step, by_manner in times.items()
                 for ns, manner in zip(by_manner, MANNERS, strict=True)]
    return rows


class CommitKinds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.of = analysed(commit_rows())
        cls.texts = said(cls.of, "commit-kinds")

    def find(self, words):
        found = [text for text in self.texts if words in text]
        self.assertEqual(len(found), 1, (words, self.texts))
        return found[0]

    def test_whether_remap_is_slower_and_from_which_step_not(self):
        self.assertRegex(self.find("remap"), (
            r"^At 64 MiB by chunked, remap is slower than mprotect: 1\.50 times \(1\.\d\d to "
            r"1\.\d\d\) at a step of 4 KiB, 1\.20 times \(.*\) at a step of 16 KiB; from 64 KiB on "
            r"it is not, 1\.00 times \((0\.99|1\.00) to 1\.0\d\)\.$"))

    def test_a_remap_that_is_nowhere_slower(self):
        of = analysed(commit_rows(times={step: (1000, 1000, *rest)
                                         for step, (_, _, *rest) in TIMES.items()}))
        text = next(text for text in said(of, "commit-kinds") if "remap" in text)
        self.assertIn("at no measured step significantly slower than mprotect: at most 1.00 times",
                      text)

    def test_what_populating_saves(self):
        upfront, chunked = (text for text in self.texts if "populate" in text)
        self.assertRegex(upfront, r"by upfront, beside mprotect, populate saves 20 % of the time "
                                  r"\((19|20) to 2\d\)\.$")
        self.assertRegex(chunked, r"shows no significant difference at a step of 4 KiB, 1\.00 "
                                  r"times \(.*\), and saves 25 % of the time \(2\d to 2\d\) at a "
                                  r"step of 64 KiB\.$")

    def test_what_noreserve_hides(self):
        self.assertEqual(self.find("hides"), "At 64 MiB by upfront, noreserve hides 64 MiB: 64 MiB "
                                             "are resident, and 0 B charged.")

    def test_from_which_step_larger_pages_pay(self):
        self.assertRegex(self.find("pages of 64 KiB"), r"pages of 64 KiB pay from steps of 64 KiB "
                         r"on: 0\.40 times \(.*\) the time of base pages\.$")

    def test_a_step_with_too_few_rounds_hides_no_answer_about_larger_pages(self):
        of = analysed([row for row in commit_rows() if row["round"] == 1 or row["pages"] == "small"
                       or row["chunk_bytes"] != 4 * KIB])
        self.assertIn("pages of 64 KiB pay from steps of 64 KiB on: 0.40 times", " ".join(
            said(of, "commit-kinds")))

    def test_larger_pages_that_pay_nowhere(self):
        of = analysed(commit_rows(times={step: (*rest, rest[0])
                                         for step, (*rest, _) in TIMES.items()}))
        self.assertIn("pages of 64 KiB pay with no measured step", " ".join(
            said(of, "commit-kinds")))

    def test_what_is_unsupported_is_not_spoken_of(self):
        rows = [{**row, **(made.refused(STEPPED, SIZE, row["round"], "unsupported", "not enabled",
                                        step=row["chunk_bytes"], pages="thp-64K",
                                        commit_kind="mprotect", growth="fixed")
                           if row["pages"] != "small" else {})} for row in commit_rows()]
        of = analysed(rows)
        self.assertNotIn("pages of", " ".join(said(of, "commit-kinds")))
        self.assertTrue(of.sections[0].note.endswith(" Not measured here: thp-64K: not enabled."))

    def test_too_few_rounds_say_nothing_of_times(self):
        texts = said(analysed(commit_rows(rounds=1)), "commit-kinds")
        self.assertEqual(len(texts), 1)
        self.assertIn("noreserve hides 64 MiB", texts[0])

    def test_programs_get_the_same(self):
        told = self.of.as_json()
        made.check_schema(self, told)
        ratios = {(row["chunk_bytes"], row.get("commit_kind"), row.get("growth"),
                   row.get("pages")): row["ratio"] for row in told["commit_kinds"]
                  if row["strategy"] == "chunked"}
        for step, (base, remap, populate, double, pages) in TIMES.items():
            for key, ns in ((("remap", None, None), remap), (("populate", None, None), populate),
                            ((None, "double", None), double), ((None, None, "thp-64K"), pages)):
                self.assertAlmostEqual(ratios[step, *key], ns / base, 2)


# ns a page of one thread, and how many times as many pages a second two threads do.
SINGLE = {"upfront": 1000, "fault": 2000, "chunked": 1100, "guard": 1200}
SPEED = {"own": {"upfront": 2.0, "fault": 1.0, "chunked": 1.8, "guard": 1.5},
         "stripes": {"upfront": 1.9, "fault": 0.8, "chunked": 1.7, "guard": 1.6},
         "pages": {"upfront": 1.0, "fault": 0.5, "chunked": 0.9, "guard": 0.8}}
BESIDE = {"upfront": 1.0, "fault": 1.5, "chunked": 1.0, "guard": 1.2}  # of what processes take
STEPS = PAGES // 16
LOCKS = {"upfront": 0, "fault": PAGES, "chunked": STEPS, "guard": 3 * STEPS}  # and 4 beside


def by_threads(which, number, noise, threads, share, speed, locks=True, **columns):
    """A row of so many threads; `speed`: how many times one thread's pages a second they do."""
    own = threads if share in ("own", "processes") else 1
    whole = threads if share == "stripes" else 1
    pages = own * whole * PAGES  # of all, the same ones once
    total = SINGLE[which.name] * pages / speed * noise()
    calls = made.counts(which, SIZE, SIZE, 64 * KIB)["commit_calls"]
    return made.row(which, whole * SIZE, total / (whole * PAGES), number, **{
        "threads": threads, "share": share, "wall_ns": total,
        "total_ns": total * (0.9 if threads > 1 else 1),
        "cpu_ns": SINGLE[which.name] * pages * 1.25 * noise(), "voluntary_switches": 3,
        "involuntary_switches": 0, "commit_calls": own * whole * calls, "region_count": threads,
        "lock_count": own * whole * LOCKS[which.name] + 4 if locks else made.NAN, **columns})


def thread_rows(rounds=8, threads=(2, 4), shares=tuple(SPEED), **columns):
    """With one thread in the same rounds; processes in further ones, with threads beside."""
    noise = noisy(5)
    rows = []
    for number in range(1, rounds + 1):
        rows += [by_threads(which, number, noise, 1, "own", 1, **columns) for which in KNOWN]
        rows += [by_threads(which, number, noise, count, share,
                            SPEED[share][which.name] ** (count // 2), **columns)
                 for count in threads for share in shares for which in KNOWN]
        rows += [by_threads(which, 100 + number, noise, 2, share, speed, **columns)
                 for which in KNOWN for share, speed in (
                     ("own", SPEED["own"][which.name]),
                     ("processes", SPEED["own"][which.name] * BESIDE[which.name]))]
    return rows


def with_cpus(count):
    return {"processor": {"model": "made up", "cores": count, "cores_usable": count}}


class Threads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.of = analysed(thread_rows(), **with_cpus(2))
        cls.texts = said(cls.of, "threads")
        cls.scaling = cls.of.scaling

    def test_planted_speeds_come_out(self):
        for share, speeds in SPEED.items():
            for each in self.scaling.of(share, 2):
                name = each.cell.strategy.name
                speed = 1e9 / SINGLE[name] * speeds[name]
                with self.subTest(share=share, name=name):
                    self.assertAlmostEqual(each.times.median / speeds[name], 1, 2)
                    self.assertTrue(each.times.known)
                    self.assertLess(each.times.low, speeds[name])
                    self.assertGreater(each.times.high, speeds[name])
                    self.assertAlmostEqual(each.speed.value / speed, 1, 2)
                    self.assertLess(each.speed.low, each.speed.value)
                    self.assertAlmostEqual(each.cpu_ns.value / (1.25 * SINGLE[name]), 1, 2)

    def test_sentences_on_speed(self):
        for start, perfect, first in (
                ("Pages a second of 2 threads, as a multiple of one's, with a region each (", 2,
                 "2.00"),
                ("With a stripe each (", 2, "1.90"),
                ("On the same pages (", 1, "1.00")):
            self.assertRegex(one(self, self.texts, start),
                             rf"\({perfect} is perfect\): upfront {first} "
                             r"\(\d\.\d\d to \d\.\d\d\), fault \d")

    def test_planted_locks_come_out(self):
        for each in self.scaling.all:
            calls = LOCKS[each.cell.strategy.name] / PAGES
            self.assertAlmostEqual(each.a_page["locks"], calls, 2)
        self.assertEqual(one(self, self.texts, "By 4 threads"), (
            "By 4 threads with a region each, fault takes the address space's lock once a page, "
            "guard by 64 KiB 0.188 times a page, chunked by 64 KiB 0.0626 times a page, upfront 4 "
            "times in all. fault takes it 16 times as often as chunked by 64 KiB."))
        self.assertEqual(one(self, self.texts, "How often"),
                         "How often that is for each page does not depend on the number of "
                         "threads.")

    def test_one_more_acquisition_a_page_by_more_threads_is_told(self):
        rows = [{**row, "lock_count": row["lock_count"] + row["threads"] * PAGES}
                if (row["threads"], row["share"], row["strategy"]) == (4, "own", "chunked")
                else row for row in thread_rows()]
        texts = said(analysed(rows, **with_cpus(2)), "threads")
        self.assertEqual(one(self, texts, "With 4 threads"),
                         "With 4 threads with a region each chunked by 64 KiB takes it 1.06 times "
                         "a page, more often than a single thread.")
        self.assertFalse([text for text in texts if text.startswith("How often")])

    def test_without_the_kernels_count_calls_are_told(self):
        of = analysed(thread_rows(locks=False), **with_cpus(2))
        self.assertIn("takes the address space's lock. By 4 threads with a region each, fault "
                      "makes such calls once a page, guard by 64 KiB 0.0626 times a page",
                      one(self, said(of, "threads"), "Each call that commits"))
        self.assertIn("was not counted", of.sections[-1].note)

    def test_more_threads_than_cpus_have_no_time(self):
        for each in self.scaling.all:
            if each.threads > 2:
                self.assertEqual((each.speed, each.times), (None, None))
                self.assertIsNotNone(each.cpu_ns)
        self.assertEqual(one(self, self.texts, "With 2 CPUs"), (
            "With 2 CPUs, how 4 threads scale can't be told by the clock, which would tell of the "
            "scheduler: what is counted of them holds, and no time of theirs is given."))
        self.assertFalse([text for text in self.texts
                          if "Pages a second of 4 threads" in text])
        series = scaling_charts.series_of(self.scaling, "own", lambda each: each.speed)
        self.assertEqual([threads for threads, *_ in series["fault"]], [1, 2])

    def test_where_there_are_cpus_enough_they_have(self):
        of = analysed(thread_rows(), **with_cpus(4))
        self.assertEqual(of.scaling.told, 4)
        self.assertRegex(one(self, said(of, "threads"), "Pages a second of 4 threads"),
                         r"\(4 is perfect\): upfront 4\.00 \(")
        self.assertFalse([text for text in said(of, "threads") if "be told by the clock" in text])

    def test_asked_in_brief_it_has_one_chart(self):
        for shares, drawn in ((("own",), [True, False, False]), (("own", "stripes"), [True] * 3)):
            rows = [row for row in thread_rows(threads=(2,), shares=shares)
                    if row["share"] in shares]
            of = analysed(rows, **with_cpus(2))
            with tempfile.TemporaryDirectory() as scratch:
                plots = [Plot(pathlib.Path(scratch)) for _ in drawn]
                self.assertEqual([charts.of(RUN)[f"threads_{name}"].prepare(of, plot) for name, plot
                                  in zip(("speed", "cpu", "locks"), plots)], drawn)
            self.assertEqual([figures.title for figures in plots[0].behind],
                             [SHARES[share] for share in shares])

    def test_one_cpu_says_nothing_of_times(self):
        texts = said(analysed(thread_rows(), **with_cpus(1)), "threads")
        self.assertEqual([text.split()[0] for text in texts], ["By", "How", "With"])

    def test_against_processes(self):
        ratios = {cell.strategy.name: ratio.median for cell, ratio in self.scaling.beside.items()}
        for name, ratio in BESIDE.items():
            self.assertAlmostEqual(ratios[name], ratio, 2)
        text = one(self, self.texts, "Against 2 processes")
        self.assertIn("upfront shows no significant difference, 1.00 times", text)
        self.assertIn("fault takes 1.50 times (1.50 to 1.50) as long", text)

    def test_too_few_rounds_compare_nothing(self):
        texts = said(analysed(thread_rows(rounds=1), **with_cpus(2)), "threads")
        self.assertEqual([text.split()[0] for text in texts], ["By", "How", "With"])

    def test_wine_counts_and_times_nothing(self):
        of = analysed([{**row, "platform": "wine"} for row in thread_rows()], **with_cpus(2))
        self.assertEqual({each.speed for each in of.scaling.all}, {None})
        self.assertTrue(one(self, said(of, "threads"), "By 4 threads"))

    def test_what_took_turns_is_timed_by_turns_alone(self):
        rows = thread_rows()
        table = made.table(rows, KNOWN)
        table["turns"] = ["" if row["round"] > 100 else "80" for row in rows]
        table["cycle_ns"] = table.cycle_ns.where(table.turns != "", 10 * table.cycle_ns)
        run = made.run(rows, KNOWN)
        run.samples = table
        run.environment.update(made.environment(KNOWN, **with_cpus(2)))
        of = analysis.analyse(run).scaling
        for each in of.of("own", 2):
            self.assertAlmostEqual(each.speed.value / (1e9 / SINGLE[each.cell.strategy.name]
                                                       * SPEED["own"][each.cell.strategy.name]),
                                   1, 2)
        self.assertEqual({each.speed for each in of.of("processes", 2)}, {None})

    def test_a_time_is_from_the_first_start_to_the_last_end(self):
        """And not the mean of threads, which is that of a thread that waits for another's work."""
        table = made.table(thread_rows(), KNOWN)
        several = table[table.threads > 1]
        self.assertTrue((several.cycle_ns == several.wall_ns).all())
        self.assertTrue((several.cycle_ns > several.total_ns).all())

    def test_programs_get_the_same(self):
        told = self.of.as_json()
        made.check_schema(self, told)
        self.assertEqual(told["threads"]["cpus"], 2)
        cells = {(cell["strategy"], cell["threads"], cell.get("share")): cell
                 for cell in told["threads"]["cells"]}
        fault = cells["fault", 2, "own"]
        self.assertAlmostEqual(fault["times_one_thread"], 1, 2)
        self.assertAlmostEqual(fault["times_processes"], 1.5, 2)
        self.assertAlmostEqual(fault["lock_count_per_page"], 1, 2)
        self.assertNotIn("pages_per_s", cells["fault", 4, "own"])

    def test_a_run_of_single_threads_says_nothing(self):
        of = analysed(plain_rows())
        self.assertIsNone(of.scaling)
        self.assertIsNone(of.as_json()["threads"])

    def test_what_is_unsupported_is_left_out(self):
        rows = [{**row, **(made.refused(
            KNOWN[0], SIZE, row["round"], "unsupported", "no fork", threads=2, share="processes")
            if row["share"] == "processes" and row["strategy"] == "upfront" else {})}
            for row in thread_rows()]
        of = analysed(rows, **with_cpus(2))
        self.assertTrue(of.sections[-1].note.endswith(" Not measured here: processes: no fork."))
        self.assertEqual(len(of.scaling.of("processes", 2)), 3)


# ns of a commit, with the fault in which it is made: of one thread, and what others add to it, in
# another address space and in the same one.
COMMITS = {"fault": (2000, 30, 700), "chunked": (500, 30, 100), "guard": (2500, 30, 0)}
PAGE_NS, PAGE_MORE = 1000, 200  # of a page, and what others add to it


def contended(which, number, noise, share="", step=64 * KIB, size=SIZE, threads=2):
    """A row of a thread, or of two that meet."""
    count = threads if share else 1
    does = made.counts(which, size, size, step)
    alone, others, same = COMMITS.get(which.name, (0, 0, 0))
    commit = alone + others * (share != "") + same * (share == "own")
    wall = 5000 + size // PAGE * (PAGE_NS + PAGE_MORE * (share != "")) \
        + commit * does["commit_calls"]
    return made.row(which, size, 0, number, step=step, **{
        "threads": count, "share": share or "own", "total_ns": wall + noise(),
        "wall_ns": wall + noise(), "cpu_ns": count * wall, "voluntary_switches": 0,
        "involuntary_switches": 0, "lock_count": count * (does["commit_calls"] + 4),
        "commit_calls": count * does["commit_calls"]})


def contended_rows(rounds=20, spread=20_000, threads=2):
    draws = random.Random(3)
    noise = lambda: draws.gauss(0, spread)  # noqa: E731
    sizes = [contended(which, number, lambda: 0, step=step, size=size) for number in (1, 2)
             for size in (64 * KIB, MIB, 4 * MIB, 16 * MIB) for which in KNOWN
             for step in (4 * KIB, 64 * KIB)[not which.stepped:]]
    return sizes + [contended(which, number, noise, share, step, threads=threads)
                    for number in range(10, 10 + rounds) for share in ("", "own", "processes")
                    for which in KNOWN for step in (4 * KIB, 64 * KIB)[not which.stepped:]]


class Contended(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.of = analysed(contended_rows(), **with_cpus(2))
        cls.prices = {price.strategy.name: price for price in cls.of.scaling.prices}

    def test_planted_prices_come_out(self):
        for name, (alone, others, same) in COMMITS.items():
            price = self.prices[name]
            for estimate, planted in ((price.alone, alone), (price.shared, same),
                                      (price.more, others + same), (price.page, PAGE_MORE)):
                with self.subTest(name=name, planted=planted):
                    self.assertAlmostEqual(estimate.value, planted, delta=5)
                    self.assertTrue(estimate.low < estimate.value < estimate.high)
            self.assertTrue(price.shared.low <= same <= price.shared.high)

    def test_sentence(self):
        text = one(self, said(self.of, "threads"), "Among 2 threads")
        self.assertRegex(text, r"^Among 2 threads of one address space instead of as many "
                         r"processes, of 64 MiB each, a page of upfront shows no significant "
                         r"difference, -?\d.* ns \(-.*\); a handled fault of fault, its commit "
                         r"included, costs "
                         r"(69|70)\d ns \(.* to .*\) more, beside 2 µs alone; a commit call of "
                         r"chunked costs (9|10)\d(\.\d)? ns \(.*\) more, beside \d+ ns alone; a "
                         r"handled fault of guard, its commit included, shows no significant "
                         r"difference, -?\d.* ns \(-.*\)\.$")

    def test_more_threads_than_cpus_have_no_price(self):
        of = analysed(contended_rows(threads=4), **with_cpus(2))
        self.assertEqual((of.scaling.prices, of.as_json()["threads"]["prices"]), ([], []))
        self.assertEqual(of.model["strategies"]["chunked"]["threads"], {})

    def test_without_processes_or_with_too_few_sets_there_is_none(self):
        rows = [row for row in contended_rows() if row["share"] != "processes"]
        self.assertEqual(analysed(rows, **with_cpus(2)).scaling.prices, [])
        of = analysed(contended_rows(rounds=3), **with_cpus(2))
        self.assertFalse([text for text in said(of, "threads") if text.startswith("Among")])
        self.assertEqual([price["significant"] for price in of.as_json()["threads"]["prices"]],
                         [False] * 4)

    def test_programs_get_the_same(self):
        told = self.of.as_json()
        made.check_schema(self, told)
        prices = {price["strategy"]: price for price in told["threads"]["prices"]}
        self.assertEqual({name: (price["per"], price["significant"], price["size_bytes"])
                          for name, price in prices.items()},
                         {"upfront": ("pages", False, SIZE),
                          "fault": ("handled_faults", True, SIZE),
                          "chunked": ("commit_calls", True, SIZE),
                          "guard": ("handled_faults", False, SIZE)})
        self.assertAlmostEqual(prices["chunked"]["shared_ns"], 100, delta=5)

    def test_growth_by_threads_is_predicted_at_steps_that_were_not_measured(self):
        kept = model.checked(json.loads(json.dumps(self.of.as_json())))
        for which in KNOWN:
            row = contended(which, 1, lambda: 0, "own", 16 * KIB, 16 * MIB)
            ns, low, high, does, _ = model.predict(kept, which, 16 * MIB, "1", 16 * KIB, 2)
            with self.subTest(which.name):
                self.assertEqual(2 * does["commit_calls"], row["commit_calls"])
                self.assertAlmostEqual(ns / row["wall_ns"], 1, delta=0.02)
                self.assertTrue(low <= row["wall_ns"] <= high)
                self.assertLess(model.predict(kept, which, 16 * MIB, "1", 16 * KIB)[0], ns)

    def test_predict_says_what_it_rests_on(self):
        kept = self.of.as_json()["model"]
        lines = predict.table(predict.options(["--size", "16M", "--threads", "2"]), kept,
                              self.of.run.strategies)
        self.assertEqual(lines[-1], "by each of 2 threads of one address space, with a region "
                         "each; what that adds was measured with 64 MiB each")
        for number, words in (("3", ["'3'", "use 1 or 2"]), ("x", ["'x'", "whole number"]),
                              ("0", ["'0'", "from 1 on"])):
            with self.assertRaises(Usage) as raised:
                predict.table(predict.options(["--size", "16M", "--threads", number]), kept,
                              self.of.run.strategies)
            for word in ("--threads: ", *words):
                self.assertIn(word, str(raised.exception))


class Apart(unittest.TestCase):
    """What other manners take decides nothing of the strategies as they are."""

    def test_the_answer_is_the_same_beside_them(self):
        plain = plain_rows()
        fast = [{**row, "purge_ns": 1.0, "retouch_ns": 1.0, "total_ns": 1.0, "touch_ns": 1.0}
                for row in purged_rows()]
        others = [row for row in commit_rows() if row["commit_kind"] in ("populate", "noreserve")]
        several = [{**row, "total_ns": 1.0, "wall_ns": 1.0} for row in thread_rows()
                   if row["threads"] > 1]
        alone, beside = analysed(plain), analysed(plain + fast + others + several)
        self.assertEqual([sentence.text for sentence in beside.sentences],
                         [sentence.text for sentence in alone.sentences])
        self.assertEqual(beside.choices, alone.choices)
        self.assertEqual(beside.model, alone.model)
        self.assertEqual(len(beside.summary), len(alone.summary))

    def test_no_two_manners_share_a_row(self):
        of = analysed(plain_rows() + purged_rows() + purged_rows(step=4 * KIB) + [
            row for row in commit_rows() if row["commit_kind"] == "populate"])
        self.assertEqual(len(of.every), 4 + 2 * len(CALLS) + 4)
        self.assertTrue((of.every.samples == 8).all())
        self.assertTrue((of.every.counts == "exact").all())

    def test_ratios_to_upfront_are_of_what_took_turns_with_it(self):
        of = analysed(plain_rows() + purged_rows() + [
            row for row in commit_rows() if row["commit_kind"] == "noreserve"])
        uncharged = of.every[of.every.commit_kind == "noreserve"]
        self.assertAlmostEqual(uncharged.ratio_to_upfront.item(), 1, 2)
        self.assertTrue(of.every[of.every.purge != ""].ratio_to_upfront.isna().all())

    def test_a_run_of_nothing_else_is_read(self):
        of = analysed(purged_rows())
        self.assertTrue(of.summary.empty)
        self.assertEqual([sentence.text for sentence in of.headline],
                         ["This run timed nothing of the strategies as they are; what it says of "
                          "other questions stands below."])
        made.check_schema(self, of.as_json())


class Shown(unittest.TestCase):
    def test_every_row_that_is_spoken_of_stands_in_a_table(self):
        of = analysed(plain_rows() + purged_rows() + [
            row for row in commit_rows() if row["commit_kind"] in ("populate", "remap")]
            + [row for row in thread_rows() if row["threads"] > 1])
        for section in of.sections:
            row = page.section_row(section)
            anchors = [line["anchor"] for table in row["tables"] for line in table
                       if line["anchor"]]  # that of one thread stands elsewhere
            self.assertEqual(len(set(anchors)), len(anchors))
            for sentence in section.sentences:
                self.assertLessEqual({cell.anchor for cell in sentence.cells}, set(anchors))
            self.assertTrue(all(len(line["texts"]) == len(section.headings)
                                for table in row["tables"] for line in table))

    def test_charts_are_of_runs_that_have_the_rows(self):
        full = analysed(plain_rows() + purged_rows() + [
            row for row in commit_rows() if row["commit_kind"] != "mprotect"])
        self.assertEqual(len(giving_back.GIVES), 4)
        named = charts.of(RUN)
        self.assertIn("MADV_FREE gives back memory, when the system wants it, for 300 ns",
                      named["giving_back"].finding(full))


if __name__ == "__main__":
    unittest.main()
