"""What stands around a chart, by figures worked out by hand: where its legend goes, how long a name
may be, and the marks and ends of its axes."""

import pathlib
import re
import unittest

import pandas

from support import ROOT  # noqa: F401 (puts the package on the path)

from vmcommit.base.units import KIB, MIB
from vmcommit.show import frame, looks
from vmcommit.show.gnuplot import Plot


class Made(unittest.TestCase):
    def setUp(self):
        self.plot = Plot(pathlib.Path("nowhere"))

    def defined(self, name):
        """What gnuplot is told of that name."""
        told, = [line.split(" = ", 1)[1] for line in self.plot.settings
                 if re.match(rf"(array )?{name}\b", line)]
        return told

    def assertNumbers(self, name, numbers):
        """An array of these."""
        told = self.defined(name).strip("[]").split(", ")
        self.assertEqual(len(told), len(numbers))
        for number, expected in zip(told, numbers):
            self.assertAlmostEqual(float(number), expected)


class Texts(unittest.TestCase):
    def test_breadth(self):
        for text, letters in (("", 0), ("abc", 3), ("漢", 2), ("mw@", 4.8), ("AB", 2.3)):
            self.assertAlmostEqual(frame.breadth(text), letters)

    def test_a_long_name_loses_its_end(self):
        self.assertEqual(frame.shortened("abcd", 4), "abcd")
        self.assertEqual(frame.shortened("abcde", 4), "abc…")
        self.assertEqual(frame.shortened(" a\n b ", 4), "a b")
        self.assertEqual(frame.shortened("漢漢漢", 4), "漢…")
        self.assertEqual(looks.short("a" * 17), "a" * 15 + "…")
        self.assertEqual(looks.short("a" * 16), "a" * 16)


class Legend(Made):
    def entries(self, count, text="abcde"):
        self.plot.legend = [(text, "#000000", 6, 1.0)] * count

    def test_at_the_right_where_there_is_room(self):
        self.entries(4)  # 110 pixels each
        self.assertEqual(frame.place_legend(self.plot, 560), 0)
        self.assertNumbers("legend_x", [0.56, 0.67, 0.78, 0.89])
        self.assertNumbers("legend_line", [0, 0, 0, 0])
        self.assertNumbers("legend_mark", [6, 6, 6, 6])

    def test_below_the_heading_where_there_is_none(self):
        self.entries(10)
        self.assertEqual(frame.place_legend(self.plot, 561), 2)  # 9 on the first line
        self.assertNumbers("legend_line", [1] * 9 + [2])
        self.assertNumbers("legend_x", [0.012 + 0.11 * at for at in range(9)] + [0.012])

    def test_long_texts_get_more_room(self):
        self.entries(1, "x" * 100)  # 30 + 800 pixels
        self.assertEqual(frame.place_legend(self.plot, 170), 0)
        self.assertNumbers("legend_x", [0.17])

    def test_heights(self):
        self.entries(10)
        frame.surround(self.plot, "t", "one; two")
        self.assertEqual((self.defined("above"), self.defined("below")), ("44.0", "0.0"))
        self.assertEqual((self.defined("heading"), self.defined("wide")), ('"t"', "1000.0"))

    def test_heights_without_a_legend_and_with_a_long_caption(self):
        frame.surround(self.plot, "t", "; ".join(["a" * 100] * 3))
        self.assertEqual((self.defined("above"), self.defined("below")), ("0.0", "32.0"))


class Axes(Made):
    def test_of_sizes(self):
        frame.size_axis(self.plot, pandas.Series([4 * KIB, 6 * MIB]))
        self.assertEqual(float(self.defined("size_low")), 4 * KIB / 1.5)
        self.assertEqual(float(self.defined("size_high")), 9 * MIB)
        self.assertEqual(self.defined("size_text"), '["4 KiB", "64 KiB", "1 MiB", "16 MiB"]')

    def test_of_times(self):
        low, high = frame.time_axis(self.plot, 130, 1000)
        self.assertAlmostEqual(low, 100)
        self.assertAlmostEqual(high, 1300)
        self.plot.settings.clear()
        self.assertEqual(frame.time_axis(self.plot, 200, 1000, (0.5, 1.5)), (100, 1500))
        self.assertEqual((self.defined("time_low"), self.defined("time_high")), ("100.0", "1500.0"))
        self.assertNumbers("time_at", [100, 200, 500, 1000])
        self.assertEqual(self.defined("time_text"), '["100 ns", "200 ns", "500 ns", "1 µs"]')

    def test_marks_are_thinned(self):
        for count, most, left in ((7, 7, 4), (6, 7, 6), (1, 7, 1), (15, 7, 5)):
            self.assertEqual(len(frame.thinned(list(range(count)), most)), left, count)


class Looks(unittest.TestCase):
    def test_each_is_a_colour_and_numbers_of_gnuplot(self):
        for look in (*looks.KNOWN.values(), *looks.SPARE, *looks.SERIES):
            self.assertRegex(look.color, r"^#[0-9A-F]{6}$")
            self.assertIn(look.mark, range(1, 16))
            self.assertIn(look.dash, (1, 2))
            self.assertTrue(0.5 <= look.size <= 1.5)
        for color in looks.PHASES.values():
            self.assertRegex(color, r"^#[0-9A-F]{6}$")


if __name__ == "__main__":
    unittest.main()
