"""Units, words, cells and strategies: what all else rests on, by tables."""

import dataclasses
import json
import unittest

from support import ROOT  # noqa: F401 (puts the package on the path)

import pandas

from vmcommit.base import strategies, text, units
from vmcommit.base.cells import Cell, Configuration, Manner, cell_of, touched_bytes
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.units import GIB, KIB, MIB

SAID = {"name": "chunked", "summary": "by steps", "version": "1", "platform": "linux",
        "page_bytes": 4096, "step": "chunk", "guarded": False, "blocks": False,
        "options": ["--size", "--chunk"], "commit": ["mprotect"], "purge": [], "pages": ["small"],
        "guard": [], "trap": []}


def strategy(**changes):
    return strategies.from_json(SAID | changes)


class Units(unittest.TestCase):
    def test_sizes(self):
        for size, shown in ((0, "0 B"), (1023, "1023 B"), (KIB, "1 KiB"), (1536, "1.5 KiB"),
                            (65536, "64 KiB"), (MIB - 1, "1024 KiB"), (MIB, "1 MiB"),
                            (3 * GIB // 2, "1.5 GiB"), (6815744, "6.5 MiB")):
            self.assertEqual(units.size_text(size), shown)

    def test_times(self):
        for ns, shown in ((0.5, "0.5 ns"), (999.4, "999 ns"), (999.6, "1 µs"), (1000, "1 µs"),
                          (1849, "1.85 µs"), (999400, "999 µs"), (-999600, "-1 ms"),
                          (12.34e6, "12.3 ms"), (2e9, "2 s")):
            self.assertEqual(units.time_text(ns), shown)

    def test_counts_and_durations(self):
        self.assertEqual(units.count_text(1234567.4), "1 234 567")
        for seconds, shown in ((-3, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"),
                               (150, "2 min 30 s")):
            self.assertEqual(units.duration_text(seconds), shown)

    def test_powers_end_at_or_below_the_last(self):
        self.assertEqual(list(units.powers(4, 65, 4)), [4, 16, 64])
        self.assertEqual(list(units.powers(4, 3, 2)), [])


class Words(unittest.TestCase):
    def test_lists(self):
        self.assertEqual([text.listed("a"), text.listed("ab"), text.listed("abc", "or")],
                         ["a", "a and b", "a, b or c"])

    def test_counted(self):
        self.assertEqual([text.counted(number, "cell") for number in (0, 1, 2)],
                         ["0 cells", "1 cell", "2 cells"])

    def test_ranges(self):
        self.assertEqual(text.sizes_text([4096]), "at 4 KiB")
        self.assertEqual(text.sizes_text([4096, 8192, MIB]), "from 4 KiB to 1 MiB")
        self.assertEqual(text.range_text(1.021, 1.024), "1.02")
        self.assertEqual(text.range_text(1.02, 1.1), "1.02 to 1.10")

    def test_last_line(self):
        self.assertEqual(text.last_line("out", "a\nb\n\n"), "b")
        self.assertEqual(text.last_line("", None), "no message")


class Problems(unittest.TestCase):
    def test_a_problem_is_one_line_whatever_it_quotes(self):
        problem = Problem("status: 'line\nbreak\x1b[2J' is no status", 5)
        self.assertEqual((str(problem), problem.status),
                         (r"status: 'line\nbreak\x1b[2J' is no status", 5))

    def test_bad_usage_is_status_2(self):
        self.assertEqual(Usage("--size: 'x' is no size").status, 2)


class Strategies(unittest.TestCase):
    def test_what_a_strategy_is_follows_from_what_it_says(self):
        for changes, stepped, brought, handles in (
                ({}, True, False, False),
                ({"step": "page", "trap": ["signal"]}, False, False, True),
                ({"blocks": True}, True, True, False),
                ({"options": ["--size", "--library"]}, True, True, False)):
            known = strategy(**changes)
            self.assertEqual((known.stepped, known.brought, known.handles_faults),
                             (stepped, brought, handles), changes)

    def test_the_bytes_of_a_step(self):
        for step, shown in (("size", MIB), ("page", 4096), ("chunk", 65536)):
            self.assertEqual(strategy(step=step).step_bytes(MIB, 4096, 65536), shown)

    def test_what_is_kept_is_read_back(self):
        kept = json.loads(json.dumps(strategies.to_json(strategy())))
        self.assertEqual(strategies.from_json(kept), strategy())

    def test_what_is_no_description_is_refused(self):
        for wrong in (None, [], {}, {"name": "x"}, SAID | {"step": "leap"}):
            with self.assertRaises(ValueError, msg=wrong):
                strategies.from_json(wrong)

    def test_rows_are_joined_with_rank_and_nature(self):
        known = {one.name: one for one in (strategy(name="b"), strategy(name="a", step="page"))}
        rows = strategies.join(pandas.DataFrame({"strategy": ["a", "b", "a"]}), known)
        self.assertEqual(rows["rank"].tolist(), [1, 0, 1])
        self.assertEqual(rows.stepped.tolist(), [False, True, False])
        self.assertEqual(strategies.names_in(rows), ["b", "a"])


class Cells(unittest.TestCase):
    def test_touched_is_rounded_up_to_pages(self):
        for size, touch, touched in ((4096, "0.1", 4096), (320 * KIB, "0.1", 8 * 4096),
                                     (80 * 4096, "0.5", 40 * 4096), (16 * MIB, "0.1", 410 * 4096),
                                     (MIB, "1", MIB)):
            self.assertEqual(touched_bytes(size, touch, 4096), touched)

    def test_only_what_has_a_step_is_given_one(self):
        self.assertEqual(Configuration(strategy(), MIB, "0.1", 8192, "random").arguments(),
                         ["--size", "1048576", "--touch", "0.1", "--chunk", "8192", "--order",
                          "random", "--repeat", "1"])
        self.assertEqual(Configuration(strategy(step="size"), MIB).arguments(),
                         ["--size", "1048576", "--touch", "1", "--repeat", "1"])

    def test_what_takes_turns_is_given_the_same_without_a_number_of_cycles(self):
        self.assertEqual(Configuration(strategy(), MIB, "0.1", 8192, "random").turns(),
                         ["--size", "1048576", "--touch", "0.1", "--chunk", "8192", "--order",
                          "random"])

    def test_a_sweep_is_compared_with_the_same_base(self):
        for step, chunk, swept in (("chunk", 65536, False), ("chunk", 4096, True),
                                   ("size", 4096, False), ("page", 4096, False)):
            one = Configuration(strategy(step=step), MIB, chunk=chunk)
            self.assertEqual((one.block, one.swept), ((MIB, "1", "sequential"), swept))

    def test_names(self):
        one = Configuration(strategy(), MIB, "0.1", order="reverse")
        self.assertEqual(str(one), "chunked 1 MiB, touch 0.1, step 64 KiB, reverse")
        self.assertEqual(one.name, "strategy=chunked/size=1048576/touch=0.1/chunk=65536")
        self.assertEqual(Configuration(strategy(step="page"), MIB).name,
                         "strategy=chunked/size=1048576/touch=1")

    def test_a_cell_of_a_row(self):
        row = pandas.Series({"strategy": "chunked", "size_bytes": 8192.0, "touched_bytes": 4096.0,
                             "chunk_bytes": 4096.0, "touch_order": "random", "pages": "small",
                             "commit_kind": "mprotect", "growth": "fixed", "purge": "none",
                             "purge_step_bytes": 0.0, "threads": 1.0, "share": "own"})
        cell = cell_of(row, {"chunked": strategy()})
        self.assertEqual(cell, Cell(strategy(), 8192, 4096, 4096, "random"))
        self.assertEqual((str(cell), cell.step, cell.anchor),
                         ("chunked by 4 KiB", 4096, "chunked-8192-4096-4096-random"))

    def test_a_cell_knows_in_which_manner(self):
        """What a strategy does by default is no manner, whatever its kinds are called; and the
        harness is asked for what a row then says."""
        usual = {"strategy": "chunked", "size_bytes": 8192.0, "touched_bytes": 8192.0,
                 "chunk_bytes": 4096.0, "touch_order": "sequential", "pages": "small",
                 "commit_kind": "mprotect", "growth": "fixed", "purge": "none",
                 "purge_step_bytes": 0.0, "threads": 1.0, "share": "own"}
        plain = cell_of(pandas.Series(usual), {"chunked": strategy()})
        seen = {plain}
        for columns, manner, words in (
                ({"commit_kind": "remap"}, Manner(commit="remap"), ["--commit", "remap"]),
                ({"growth": "double"}, Manner(growth="double"), ["--growth", "double"]),
                ({"pages": "thp-64K"}, Manner(pages="thp-64K"), ["--pages", "thp-64K"]),
                ({"purge": "free", "purge_step_bytes": 4096.0}, Manner(purge="free",
                                                                       purge_step=4096),
                 ["--purge", "free", "--purge-step", "4096"]),
                ({"purge": "free", "purge_step_bytes": 8192.0}, Manner(purge="free",
                                                                       purge_step=8192),
                 ["--purge", "free", "--purge-step", "8192"]),
                ({"threads": 2.0}, Manner(threads=2, share="own"),
                 ["--threads", "2", "--share", "own"]),
                ({"threads": 2.0, "share": "processes"}, Manner(threads=2, share="processes"),
                 ["--threads", "2", "--processes"])):
            cell = cell_of(pandas.Series(usual | columns), {"chunked": strategy()})
            asked = Configuration(strategy(), 8192, chunk=4096, manner=manner)
            with self.subTest(columns=columns):
                self.assertEqual(cell, dataclasses.replace(plain, manner=manner))
                self.assertEqual(asked.turns()[-len(words):], words)
                self.assertIn(str(manner), str(asked))
                self.assertNotIn(cell.anchor, [each.anchor for each in seen])
                self.assertNotIn(str(cell), [str(each) for each in seen])
                seen.add(cell)

    def test_of_stripes_a_threads_part_is_compared(self):
        several = Configuration(strategy(), MIB, question="2 threads", manner=Manner(
            threads=2, share="own"))
        for share, size in (("stripes", 2 * MIB), ("pages", MIB), ("processes", MIB)):
            one = dataclasses.replace(several, size=size,
                                      manner=Manner(threads=2, share=share))
            self.assertEqual(one.block, several.block)

    def test_what_another_question_asks_is_measured_apart(self):
        plain = Configuration(strategy(), MIB)
        asked = dataclasses.replace(plain, question="commit")
        self.assertEqual(asked.block, (*plain.block, "commit"))
        self.assertEqual((asked.turns(), asked.name, str(asked)),
                         (plain.turns(), plain.name, str(plain)))


if __name__ == "__main__":
    unittest.main()
