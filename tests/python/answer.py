"""The answer on runs that are made up, with known crossings, knees and noise: the sentences name
the right ones or say that they can't tell, and tell no difference where there is none."""

import functools
import json
import sys
import unittest

from support import ROOT

import numpy
import pandas

import advice
import analysis
import answer
import campaign
import model
import predict
import sentences
import summary
from campaign import DEFAULT_STEP, KIB, MIB, STEPPED, STRATEGIES

DRAWS = 100
RIGHT = 95  # at least so many of them must be right
PAGE = 4096
SIZES = [size for size in campaign.powers(4 * KIB, 256 * MIB, 4)]
SWEEP_SIZE = 64 * MIB
STEPS = list(campaign.powers(4 * KIB, 16 * MIB, 2))


def made_cells():
    """Every cell of a made-up run: the sizes with all touched, and the sweep."""
    cells = []
    for size in SIZES:
        for strategy in STRATEGIES:
            swept = strategy in STEPPED and size == SWEEP_SIZE
            for step in STEPS if swept else (DEFAULT_STEP,):
                chunk = {"upfront": size, "fault": PAGE}.get(strategy, step)
                cells.append(answer.Cell(strategy, size, size, chunk))
    return cells


CELLS = made_cells()


def made_run(draws, ratio, rounds, noise, cells=tuple(CELLS)):
    """samples.csv of a run in which `ratio(cell)` tells how many times the time of upfront a cell
    takes, with so many rounds, and lognormal noise on each sample beside a drift that all cells of
    a round share."""
    ratios = numpy.array([ratio(cell) for cell in cells])
    drift = draws.normal(0, 0.1, (rounds, 1))
    logs = numpy.log(ratios) + drift + draws.normal(0, noise, (rounds, len(cells)))
    frame = pandas.DataFrame(
        [(cell.strategy, cell.size, cell.touched, cell.chunk, cell.order, "ok")
         for cell in cells] * rounds,
        columns=["strategy", "size_bytes", "touched_bytes", "chunk_bytes", "touch_order",
                 "status"])
    frame["round"] = numpy.repeat(range(1, rounds + 1), len(cells))
    frame["page_bytes"] = PAGE
    frame["total_ns"] = 500.0 * numpy.exp(logs.ravel()) * frame.touched_bytes / PAGE
    return frame


@functools.cache
def made_summary():
    """The exact charge of each cell, which does not vary."""
    rows = [(cell.strategy, cell.size, cell.touched, cell.chunk, cell.order, PAGE, cell.touched)
            for cell in CELLS]
    return pandas.DataFrame(rows, columns=[
        "strategy", "size_bytes", "touched_bytes", "chunk_bytes", "touch_order", "page_bytes",
        "commit_bytes"])


def decide(samples):
    found = answer.decide(samples, made_summary())
    return found, " ".join(sentence.text for sentence in sentences.tell(found))


class Crossings(unittest.TestCase):
    def test_known_crossings_and_knees_are_named(self):
        """upfront is the cheapest; guard is dearer than fault up to a size and cheaper after it;
        chunked comes within 3 % of upfront at a known step. All are drawn anew each time."""
        right = {"crossing": 0, "knee": 0, "cheapest": 0, "page cost": 0}
        told = dict.fromkeys(right, 0)
        for seed in range(DRAWS):
            draws = numpy.random.default_rng(seed)
            noise = draws.choice([0.01, 0.03, 0.06])
            cross = int(draws.integers(1, len(SIZES) - 2))
            bend = int(draws.integers(3, len(STEPS) - 2))

            def ratio(cell):
                before = SIZES.index(cell.size) <= cross
                own = {"upfront": 1, "fault": 3, "chunked": 1 + 0.022 * STEPS[bend] / cell.chunk,
                       "guard": 3 * (1.25 if before else 0.8)}
                return own[cell.strategy]

            found, text = decide(made_run(draws, ratio, 24, noise))
            crossings = [one for one in found.crossings["1"]
                         if {one.first, one.second} == {"fault", "guard"}]
            told["crossing"] += bool(crossings)
            right["crossing"] += all(
                one.first == "fault" and abs(SIZES.index(one.below) - cross) <= 1
                and abs(SIZES.index(one.above) - cross - 1) <= 1 for one in crossings) \
                and len(crossings) <= 1
            knee = next(knee for knee in found.knees if knee.strategy == "chunked")
            told["knee"] += knee.step is not None
            right["knee"] += knee.low is not None if knee.step is None else \
                abs(STEPS.index(knee.step) - bend) <= 1
            clear = [band.cheapest for band in found.bands["1"] if band.cheapest]
            told["cheapest"] += any(names == ("upfront",) for names in clear)
            right["cheapest"] += all("upfront" in names for names in clear)
            told["page cost"] += found.page_cost is not None
            right["page cost"] += found.page_cost is None or \
                0.9 * 3 < found.page_cost.least <= found.page_cost.most < 1.1 * 3
            if crossings:
                self.assertIn("fault is cheaper than guard up to "
                              + campaign.size_text(crossings[0].below), text)
        for what, count in right.items():
            with self.subTest(what):
                self.assertGreaterEqual(count, RIGHT)
                self.assertGreater(told[what], DRAWS / 2)  # saying nothing is not enough

    def test_nothing_is_told_where_there_is_no_difference(self):
        for seed in range(DRAWS):
            draws = numpy.random.default_rng(1000 + seed)
            noise = draws.choice([0.01, 0.05, 0.2])
            rounds = int(draws.choice([6, 14, 24, 40]))
            found, text = decide(made_run(draws, lambda cell: 1, rounds, noise))
            with self.subTest(seed=seed, noise=noise, rounds=rounds):
                for claim in ("is the cheapest", "are the cheapest", "is cheaper than",
                              "times as much", "No measured step"):
                    self.assertNotIn(claim, text)
                self.assertEqual(found.crossings, {"1": [], campaign.SPARSE_TOUCH: []})
                self.assertIsNone(found.page_cost)

    def test_what_a_user_brought_stands_beside_chunked(self):
        """custom is dearer than chunked up to 1 MiB and cheaper after it; malloc is equal to it."""
        def ratio(cell):
            return 1 if cell.strategy != "custom" else 1.1 if cell.size <= MIB else 0.9

        cells = CELLS + [answer.Cell(strategy, size, size, DEFAULT_STEP) for size in SIZES
                         for strategy in campaign.OWN]
        run = made_run(numpy.random.default_rng(5), ratio, 24, 0.01, cells)
        found, text = decide(run)
        self.assertEqual([(band.sign, band.sizes[-1]) for band in found.beside["custom"]],
                         [(1, MIB), (-1, SIZES[-1])])
        self.assertIn("custom beside chunked, both by 64 KiB: slower from 4 KiB to 1 MiB (1.", text)
        self.assertIn("; faster from 4 MiB to 256 MiB (0.90 times).", text)
        self.assertEqual([band.sign for band in found.beside["malloc"]], [0])
        few, text = decide(made_run(numpy.random.default_rng(5), ratio, 3, 0.01, cells))
        self.assertEqual([band.sign for band in few.beside["custom"]], [None])
        self.assertIn("custom beside chunked, both by 64 KiB: too few rounds to tell", text)

    def test_a_step_that_never_suffices_is_told(self):
        run = made_run(numpy.random.default_rng(1),
                       lambda cell: 1.2 if cell.strategy in STEPPED else 1, 24, 0.01)
        found, text = decide(run)
        self.assertEqual([(knee.step, knee.low) for knee in found.knees], [(None, None)] * 2)
        self.assertIn("No measured step of chunked comes within 3 % of upfront", text)

    def test_too_few_rounds_say_so(self):
        run = made_run(numpy.random.default_rng(1), lambda cell: 1 + (cell.strategy == "fault"),
                       4, 0.01)
        _, text = decide(run)
        self.assertIn("from 4 KiB to 256 MiB there are too few rounds to tell", text)

    def test_rounds_that_suffice(self):
        """The sign test's interval over n rounds covers at most 1 - 2^(1 - n)."""
        for comparisons in (1, 6, 66):
            n = answer.rounds_needed(comparisons)
            confidence = 1 - (1 - answer.CONFIDENCE) / comparisons
            self.assertGreaterEqual(summary.median_interval(range(n), confidence)[3], confidence)
            self.assertLess(summary.median_interval(range(n - 1), confidence)[3], confidence)


class CostModel(unittest.TestCase):
    PRICES = {"cycle": 6000.0, "pages": 400.0, "commit_calls": 900.0, "handled_faults": 1500.0}

    def made(self, noise):
        """A summary of cells whose times follow from their counts, but for noise."""
        draws = numpy.random.default_rng(5)
        rows = []
        for cell in CELLS:
            does = model.counts(cell.strategy, cell.size, "1", cell.chunk, PAGE)
            rows.append({
                "strategy": cell.strategy, "size_bytes": cell.size, "touched_bytes": cell.touched,
                "chunk_bytes": cell.chunk, "touch_order": "sequential", "page_bytes": PAGE,
                "samples": 9, "guard": "", "commit_calls": does["commit_calls"],
                "handled_faults": does["handled_faults"],
                "total_ns": sum(self.PRICES[name] * count for name, count in does.items())
                * draws.lognormal(0, noise)})
        return pandas.DataFrame(rows)

    def test_known_prices_are_found(self):
        fitted = model.fit(self.made(0))["strategies"]
        price = self.PRICES
        expected = {
            ("upfront", "cycle"): price["cycle"] + price["commit_calls"],
            ("upfront", "pages"): price["pages"],
            ("fault", "cycle"): price["cycle"],
            ("fault", "pages"): sum(price.values()) - price["cycle"],
            ("chunked", "cycle"): price["cycle"], ("chunked", "pages"): price["pages"],
            ("chunked", "commit_calls"): price["commit_calls"]}
        for (strategy, term), value in expected.items():
            self.assertAlmostEqual(fitted[strategy]["ns"][term]["value"] / value, 1, 6)
        self.assertEqual(fitted["fault"]["tied"],
                         {"commit_calls": ["pages"], "handled_faults": ["pages"]})
        self.assertEqual(fitted["upfront"]["tied"], {"commit_calls": ["cycle"]})

    def test_intervals_hold_the_true_price(self):
        fitted = model.fit(self.made(0.03))["strategies"]["chunked"]["ns"]
        for term in ("cycle", "pages", "commit_calls"):
            self.assertLess(fitted[term]["low"], self.PRICES[term], term)
            self.assertGreater(fitted[term]["high"], self.PRICES[term], term)

    def test_a_prediction_says_when_it_extrapolates(self):
        fitted = model.fit(self.made(0.03))
        for size, touch, step, outside in ((64 * MIB, "0.5", 64 * KIB, []),
                                           (2**40, "1", 64 * KIB, ["size", "touched"]),
                                           (64 * MIB, "1", 32 * MIB, ["chunk"])):
            ns, low, high, does, found = model.predict(fitted, "chunked", size, touch, step)
            truth = sum(self.PRICES[name] * count for name, count in does.items())
            self.assertTrue(low < truth < high and low < ns < high)
            self.assertEqual(found, outside)


class Wine(unittest.TestCase):
    def test_nothing_follows_from_the_times_of_wine(self):
        folder = ROOT / "results" / "reference"
        samples = summary.read_samples(folder / "samples.csv")
        samples["platform"] = "wine"
        described = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
        found = analysis.analyse(samples, described, folder)
        value = found.as_json()
        self.assertEqual([one["text"] for one in value["answer"]], [sentences.OF_WINE.text])
        self.assertEqual([value[key] for key in ("bands", "crossings", "knees", "advice")],
                         [[]] * 4)
        self.assertEqual(value["model"]["strategies"], {})
        verdicts = {claim["claim"].split()[0]: claim["verdict"] for claim in value["claims"]}
        self.assertEqual((verdicts["Reserving"], verdicts["Commit"]), ("can't tell",) * 2)


class Reference(unittest.TestCase):
    """The checked-in run: advice, its file and the command that reads it."""

    folder = ROOT / "results" / "reference"

    @classmethod
    def setUpClass(cls):
        cls.found = analysis.read(cls.folder)

    def test_counts_follow_the_formulas(self):
        """What predict says of commits and faults is what the harnesses counted."""
        rows = self.found.summary
        rows = rows[(rows.samples > 0) & (rows.touch_order == "sequential")]
        touches = {campaign.SPARSE_TOUCH, campaign.HALF_TOUCH, "1"}
        checked = 0
        for _, row in rows.iterrows():
            touch = next(touch for touch in touches if answer.touched_bytes(
                int(row.size_bytes), touch, PAGE) == row.touched_bytes)
            does = model.counts(row.strategy, int(row.size_bytes), touch, int(row.chunk_bytes),
                                PAGE, row.guard)
            self.assertEqual([does[name] for name in model.TERMS[1:]],
                             [row.minor_faults, row.commit_calls, row.handled_faults], row)
            checked += 1
        self.assertGreater(checked, 100)

    def test_every_need_has_an_advice_with_its_figures(self):
        needs = {choice.need for choice in self.found.choices}
        traced = bool(self.found.traces)  # too large to be checked in
        self.assertEqual(needs, {need for need in advice.NEEDS
                                 if traced or need != "bounded_worst_touch"})
        for choice in self.found.choices:
            self.assertNotIn(choice.cell.strategy, choice.equal)
            self.assertTrue(choice.figures)

    def test_sentences_rest_on_rows(self):
        anchors = {answer.cell_of(row).anchor for _, row in self.found.summary.iterrows()}
        for sentence in self.found.told:
            self.assertTrue(sentence.cells, sentence.text)
            for cell in sentence.cells:
                self.assertIn(cell.anchor, anchors)

    def test_advice_file_follows_its_schema(self):
        schema = json.loads((ROOT / "docs" / "advice.schema.json").read_text())
        value = json.loads(json.dumps(self.found.as_json(), allow_nan=False))
        try:
            import jsonschema
        except ImportError:
            self.assertEqual(set(value), set(schema["properties"]))
        else:
            jsonschema.validate(value, schema)

    def test_every_claim_has_a_verdict(self):
        self.assertEqual(len(self.found.claims), 6)
        for claim in self.found.claims:
            self.assertIn(claim.verdict, ("holds", "does not hold", "can't tell"))
            self.assertRegex(claim.figures, r"\d")

    def test_predict(self):
        fitted = self.found.as_json()["model"]
        lines = predict.table(fitted, predict.options(["--size", "64M", "--touch", "0.5"]))
        self.assertEqual([line.split()[0] for line in lines], ["strategy", *STRATEGIES])
        self.assertEqual(len({len(line) for line in lines}), 1)  # aligned
        lines = predict.table(fitted, predict.options(["--size", "1024G", "--strategy", "fault"]))
        self.assertEqual(len(lines), 4)
        self.assertIn("extrapolated: the size", lines[2])

    def test_predict_refuses_in_one_line(self):
        for arguments, words in ((["--size", "12Q"], ["--size", "'12Q'", "64M"]),
                                 (["--size", "1M", "--touch", "2"], ["--touch", "'2'"]),
                                 (["--size", "1M", "--strategy", "lazy"], ["'lazy'", "upfront"]),
                                 (["--size", "5000"], ["--size", "5000", "4096"]),
                                 (["--size", "1M", "--chunk", "7"], ["--chunk", "'7'"]),
                                 (["--size", "1M", "--run", "nowhere"], ["--run", "make bench"])):
            with self.subTest(arguments):
                with self.assertRaises(predict.Usage) as raised:
                    chosen = predict.options(arguments)
                    fitted = predict.read_model(chosen.run) if "--run" in arguments \
                        else self.found.as_json()["model"]
                    predict.table(fitted, chosen)
                for word in words:
                    self.assertIn(word, str(raised.exception))


if __name__ == "__main__":
    unittest.main()
