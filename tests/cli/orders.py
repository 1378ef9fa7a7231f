"""Touching in other orders: exact counts, what guard can't do, and the limit on mappings."""

import pathlib
import unittest

from support import PAGE, SANITIZED, WINDOWS, number, rows, taken_by

PAGES = 512
MAPPINGS = pathlib.Path("/proc/sys/vm/max_map_count")


def take(program, order, size=PAGES * PAGE, step=16 * PAGE):
    return rows(program, *taken_by(program, "--chunk", step), "--size", size, "--order", order,
                "--repeat", 1)[0]


class Orders(unittest.TestCase):
    def test_every_page_is_touched_once_in_any_order(self):
        for program in ("upfront", "fault", "chunked"):
            for order in ("sequential", "reverse", "random", "alternate"):
                with self.subTest(program=program, order=order):
                    row = take(program, order)
                    self.assertEqual((row["status"], row["touch_order"]), ("ok", order))
                    self.assertEqual(number(row, "commit_bytes"), PAGES * PAGE)
                    if not WINDOWS:
                        self.assertEqual(number(row, "minor_faults"), PAGES)
                        self.assertEqual(number(row, "resident_bytes"), PAGES * PAGE)

    def test_commit_calls(self):
        """fault commits each page whatever the order; chunked commits up to the highest."""
        for program, order, calls in (("fault", "reverse", PAGES), ("fault", "random", PAGES),
                                      ("fault", "alternate", PAGES), ("chunked", "reverse", 1),
                                      ("chunked", "alternate", PAGES // 16)):
            with self.subTest(program=program, order=order):
                self.assertEqual(number(take(program, order), "commit_calls"), calls)

    def test_a_random_order_comes_from_the_seed(self):
        def calls(seed):
            return [rows("chunked", "--size", PAGES * PAGE, "--chunk", PAGE, "--order", "random",
                         "--seed", one, "--repeat", 1)[0]["commit_calls"] for one in seed]
        self.assertEqual(calls(range(5)), calls(range(5)))
        self.assertGreater(len(set(calls(range(5)))), 1)

    def test_guard_says_where_an_order_jumps_past_it(self):
        for order, step, status in (("reverse", 16, "unsupported"), ("random", 16, "unsupported"),
                                    ("alternate", 1, "unsupported"),
                                    ("alternate", 3, "unsupported"),
                                    ("alternate", 16, "ok"), ("sequential", 1, "ok"),
                                    ("reverse", PAGES, "unsupported")):
            with self.subTest(order=order, step=step):
                row = take("guard", order, step=step * PAGE)
                self.assertEqual(row["status"], status)
                if status == "unsupported":
                    self.assertEqual(row["error"], "the order jumps past the guard page")

    @unittest.skipIf(WINDOWS or SANITIZED or not MAPPINGS.exists(), "a limit of Linux")
    def test_the_limit_on_mappings(self):
        """Alternate pages: each commit adds two mappings until the kernel's limit is reached."""
        limit = int(MAPPINGS.read_text())
        if limit > 100_000:
            self.skipTest(f"would need {limit} mappings")
        row = take("fault", "alternate", size=2**30)
        if row["status"] == "skipped":
            self.skipTest(row["error"])
        self.assertEqual(row["status"], "refused")
        self.assertIn("vm.max_map_count mappings are reached", row["error"])
        self.assertLess(limit - number(row, "region_count"), 200)
        self.assertLessEqual(number(row, "region_count"), limit)
        self.assertEqual(number(row, "commit_bytes"), number(row, "handled_faults") * PAGE)
        self.assertEqual(number(row, "commit_calls"), number(row, "handled_faults") + 1)


if __name__ == "__main__":
    unittest.main()
