"""The answer on runs that are drawn at random with known crossings, knees and noise; on strategies
that nobody has written yet, and on runs that lack what others have; and on the checked-in run.

Sentences name what is right or say that there is no significant difference, and nothing else.
"""

import copy
import dataclasses
import functools
import pathlib
import tempfile
import unittest

import made
from made import CHUNKED, CUSTOM, FAULT, FIFTHS, FOUR, GUARD, MALLOC, PAGE, UPFRONT
from support import ROOT

import numpy
import pandas

from vmcommit.analyse import advice, analysis, answer, claims, model, selfcheck, sentences
from vmcommit.analyse import headline as heading
from vmcommit.base import runs
from vmcommit.base.cells import Cell, cell_of, touched_bytes
from vmcommit.base.conventions import DEFAULT_STEP, TOUCH_NAMES
from vmcommit.base.problems import Usage
from vmcommit.base.strategies import names_in
from vmcommit.base.units import KIB, MIB, powers, size_text
from vmcommit.commands import predict

DRAWS = 100
RIGHT = 95  # at least so many of them must be right
SIZES = list(powers(4 * KIB, 256 * MIB, 4))
SWEEP_SIZE = 64 * MIB
STEPS = list(powers(4 * KIB, 16 * MIB, 2))


def made_cells():
    """Every cell of a made-up run: the sizes with all touched, and the sweep."""
    cells = []
    for size in SIZES:
        for strategy in FOUR:
            swept = strategy.stepped and size == SWEEP_SIZE
            for step in STEPS if swept else (DEFAULT_STEP,):
                cells.append(Cell(strategy, size, size, strategy.step_bytes(size, PAGE, step)))
    return cells


CELLS = made_cells()


def made_run(draws, ratio, rounds, noise, cells=tuple(CELLS)):
    """samples.csv of a run in which a cell takes `ratio(cell)` times the time of upfront, with so
    many rounds, and lognormal noise on each sample beside a drift that all cells of a round
    share."""
    ratios = numpy.array([ratio(cell) for cell in cells])
    drift = draws.normal(0, 0.1, (rounds, 1))
    logs = numpy.log(ratios) + drift + draws.normal(0, noise, (rounds, len(cells)))
    frame = pandas.DataFrame(
        [(cell.strategy.name, cell.size, cell.touched, cell.chunk, cell.order, "ok")
         for cell in cells] * rounds,
        columns=["strategy", "size_bytes", "touched_bytes", "chunk_bytes", "touch_order",
                 "status"])
    frame["round"] = numpy.repeat(range(1, rounds + 1), len(cells))
    frame["page_bytes"] = PAGE
    frame["cycle_ns"] = 500.0 * numpy.exp(logs.ravel()) * frame.touched_bytes / PAGE
    return frame.assign(**made.USUAL)


@functools.cache
def made_summary():
    """The exact charge of each cell, which does not vary."""
    rows = [(cell.strategy.name, cell.size, cell.touched, cell.chunk, cell.order, PAGE,
             cell.touched)
            for cell in CELLS]
    return pandas.DataFrame(rows, columns=[
        "strategy", "size_bytes", "touched_bytes", "chunk_bytes", "touch_order", "page_bytes",
        "commit_bytes"])


def decide(samples, strategies=FOUR):
    """(Answer, its sentences)"""
    decided = answer.decide(answer.Times(samples, made.by_name(strategies)), made_summary())
    return decided, " ".join(sentence.text for sentence in sentences.of_answer(decided))


@dataclasses.dataclass
class Drawn:
    """What is drawn anew: guard is dearer than fault up to a size and cheaper after it, and chunked
    gains nothing to speak of by steps larger than one."""

    seed: int

    def __post_init__(self):
        self.draws = numpy.random.default_rng(self.seed)
        self.noise = self.draws.choice([0.01, 0.03, 0.06])
        self.cross = int(self.draws.integers(1, len(SIZES) - 2))
        self.bend = int(self.draws.integers(3, len(STEPS) - 2))

    def ratio(self, cell):
        before = SIZES.index(cell.size) <= self.cross
        return {"upfront": 1, "fault": 3, "chunked": 1 + 0.022 * STEPS[self.bend] / cell.chunk,
                "guard": 3 * (1.25 if before else 0.8)}[cell.strategy.name]

    def crossing(self, decided):
        """(said, right)"""
        crossings = [crossing for crossing in decided.crossings["1"]
                     if {crossing.first, crossing.second} == {"fault", "guard"}]
        return bool(crossings), len(crossings) <= 1 and all(
            crossing.first == "fault" and abs(SIZES.index(crossing.below) - self.cross) <= 1
            and abs(SIZES.index(crossing.above) - self.cross - 1) <= 1 for crossing in crossings)

    def knee(self, decided):
        knee = next(knee for knee in decided.knees if knee.strategy == "chunked")
        if knee.step is None:
            return False, knee.low is not None
        return True, abs(STEPS.index(knee.step) - self.bend) <= 1

    def cheapest(self, decided):
        clear = [band.cheapest for band in decided.bands["1"] if band.cheapest]
        return ("upfront",) in clear, all("upfront" in names for names in clear)

    def page_cost(self, decided):
        cost = decided.page_costs["fault"]
        return cost.more_ns is not None, 900 < cost.more_ns < 1100  # upfront takes 500


class Crossings(unittest.TestCase):
    def test_known_crossings_and_knees_are_named(self):
        questions = (Drawn.crossing, Drawn.knee, Drawn.cheapest, Drawn.page_cost)
        said, right = dict.fromkeys(questions, 0), dict.fromkeys(questions, 0)
        for seed in range(DRAWS):
            drawn = Drawn(seed)
            decided, text = decide(made_run(drawn.draws, drawn.ratio, 30, drawn.noise))
            for question in questions:
                is_said, is_right = question(drawn, decided)
                said[question] += is_said
                right[question] += is_right
            for crossing in decided.crossings["1"]:
                told = f"as {crossing.second} at {size_text(crossing.below)}, and"
                self.assertEqual(told in text, not crossing.plain)
        for question in questions:
            with self.subTest(question.__name__):
                self.assertGreaterEqual(right[question], RIGHT)
                self.assertGreater(said[question], DRAWS / 2)  # saying nothing is not enough

    def test_nothing_is_claimed_where_there_is_no_difference(self):
        """All that a run says of one question holds at 99.9 %, so of a hundred runs one may err."""
        claimed = []
        for seed in range(DRAWS):
            draws = numpy.random.default_rng(1000 + seed)
            noise = draws.choice([0.01, 0.05, 0.2])
            rounds = int(draws.choice([3, 6, 14, 24, 40]))
            decided, text = decide(made_run(draws, lambda cell: 1, rounds, noise))
            claimed += [(seed, noise, rounds, claim) for claim in (
                "times as long", "for each page", "gains 3 %") if claim in text]
            claimed += [(seed, noise, rounds, field) for fields in decided.fields.values()
                        for field in fields if field.factors]
            self.assertEqual(decided.crossings, {"1": [], "0.1": []})
        self.assertLessEqual(len({seed for seed, *_ in claimed}), 1, claimed)

    def test_what_a_user_brought_stands_beside_chunked(self):
        """custom is dearer than chunked up to 1 MiB and cheaper after it; malloc is equal to it."""
        def ratio(cell):
            return 1 if cell.strategy != CUSTOM else 1.1 if cell.size <= MIB else 0.9

        cells = CELLS + [Cell(strategy, size, size, DEFAULT_STEP) for size in SIZES
                         for strategy in (CUSTOM, MALLOC)]
        strategies = (*FOUR, CUSTOM, MALLOC)
        run = made_run(numpy.random.default_rng(5), ratio, 24, 0.01, cells)
        decided, text = decide(run, strategies)
        self.assertEqual([(band.sign, band.sizes[-1]) for band in decided.beside["custom"]],
                         [(1, MIB), (-1, SIZES[-1])])
        self.assertIn("custom beside chunked, both at a step of 64 KiB: slower from 4 KiB to 1 MiB "
                      "(1.", text)
        self.assertIn("; faster from 4 MiB to 256 MiB (0.90 times).", text)
        self.assertEqual([band.sign for band in decided.beside["malloc"]], [0])
        few, text = decide(made_run(numpy.random.default_rng(5), ratio, 1, 0.01, cells), strategies)
        self.assertEqual([band.sign for band in few.beside["custom"]], [None])
        self.assertIn("custom beside chunked, both at a step of 64 KiB: too few rounds to compare",
                      text)

    def test_a_step_that_never_suffices(self):
        """A step costs as much as 200 pages, and 16 MiB are 4096."""
        run = made_run(numpy.random.default_rng(1), lambda cell: 1 + 200 * PAGE / cell.chunk
                       if cell.strategy.stepped else 1, 24, 0.01)
        decided, text = decide(run)
        self.assertEqual([(knee.step, knee.low) for knee in decided.knees], [(None, None)] * 2)
        self.assertIn("chunked gains 3 % or more by steps larger than 16 MiB, the largest measured:"
                      " a step costs as much as ", text)

    def test_a_strategy_that_is_dearer_than_upfront_has_a_knee_of_its_own(self):
        run = made_run(numpy.random.default_rng(1),
                       lambda cell: 1.2 * (1 + 0.35 * PAGE / cell.chunk)
                       if cell.strategy.stepped else 1, 24, 0.01)
        decided, text = decide(run)
        self.assertEqual([knee.step for knee in decided.knees], [64 * KIB] * 2)
        self.assertIn("; 64 KiB costs 1.2", text)

    def test_too_few_rounds_say_so(self):
        """One round has no interval, and the spread of three ratios in two rounds has but three
        degrees of freedom; at the swept size there are more of them."""
        for rounds, known in ((1, []), (2, [SWEEP_SIZE]), (3, SIZES)):
            run = made_run(numpy.random.default_rng(1), lambda cell: 1 + (cell.strategy == FAULT),
                           rounds, 0.01)
            decided, text = decide(run)
            fields = decided.fields["1"]
            self.assertEqual([field.size for field in fields if field.cheapest], known)
            if rounds == 3:
                self.assertIn("(fault) costs 519 ns more for each page than upfront", text)


def choice_names(analysed):
    return {(choice.need, choice.touch): choice.cell.strategy.name for choice in analysed.choices}


def winners(analysed, touch):
    return {field.size: field.cheapest for field in analysed.answer.fields[touch]}


def headline(analysed):
    return " ".join(sentence.text for sentence in analysed.headline)


def texts(analysed):
    return [sentence.text for sentence in analysed.sentences]


# ns a page at a step of 64 KiB, with all touched and with a tenth.
TIMES = {UPFRONT: (1000, 1000), FAULT: (3000, 1500), CHUNKED: (1200, 1100), GUARD: (2000, 1300),
         FIFTHS[0]: (1500, 1000), FIFTHS[1]: (2500, 900), FIFTHS[2]: (950, 1200)}
SWEEP = {4 * KIB: 3.0, 64 * KIB: 1.0, 256 * KIB: 0.5}  # of the time at 64 KiB, by the step


def rows_of(strategies, rounds=range(1, 17)):
    """A small run of these: two sizes, two touches, and steps at the larger size."""
    cells = []
    for which in strategies:
        for size in (MIB, 4 * MIB):
            for touch, ns in zip(("1", "0.1"), TIMES[which]):
                for step, factor in SWEEP.items() if which.stepped and size > MIB else \
                        ((DEFAULT_STEP, 1),):
                    cells.append((which, size, ns * factor, {"touch": touch, "step": step}))
        if not which.guarded:
            cells.append((which, 4 * MIB, TIMES[which][0], {"touch_order": "random"}))
    return made.in_rounds(rounds, *cells)


def read_back(test, rows, strategies):
    """The analysis of a folder with these rows, without any warning of numpy's, and with an
    advice.json that follows its schema."""
    with tempfile.TemporaryDirectory() as folder, made.strict():
        made.write(pathlib.Path(folder), rows, strategies)
        analysed = analysis.read(folder)
        selfcheck.check(analysed.summary, analysed.run.environment["calibration"])
    made.check_schema(test, analysed.as_json())
    return analysed


class Fifth(unittest.TestCase):
    """A strategy that nobody has written yet: what it commits by decides what is said of it."""

    def analysed(self, fifth):
        strategies = (*FOUR, fifth)
        return read_back(self, rows_of(strategies), strategies)

    def test_stepped_with_a_trap(self):
        analysed = self.analysed(FIFTHS[0])
        self.assertIn("trapping gains 3 % or more by steps larger than 256 KiB, the largest "
                      "measured: a step costs as much as 4.88 pages (4.88 to 4.88); 256 KiB costs "
                      "0.750 times upfront (0.750 to 0.750) at 4 MiB.", texts(analysed))
        self.assertEqual(winners(analysed, "0.1"),
                         dict.fromkeys((MIB, 4 * MIB), ("upfront", "trapping")))
        names = choice_names(analysed)
        self.assertEqual(names["lowest_latency", "0.1"], "trapping")
        self.assertEqual(names["strict_overcommit", "0.1"], "trapping")
        self.assertEqual(set(analysed.model["strategies"]), set(analysed.run.strategies))

    def test_by_pages_without_a_trap(self):
        analysed = self.analysed(FIFTHS[1])
        self.assertIn("Committing a page at a time (asking) costs 1.5 µs more for each page than "
                      "upfront (1.5 µs to 1.5 µs), from 1 MiB to 4 MiB.", texts(analysed))
        self.assertEqual(winners(analysed, "0.1"), {MIB: ("asking",), 4 * MIB: ("asking",)})
        self.assertEqual(choice_names(analysed)["least_charge", "0.1"], "asking")
        self.assertTrue(any("fault, asking is charged exactly" in claim.figures
                            for claim in analysed.claims))

    def test_all_at_once(self):
        analysed = self.analysed(FIFTHS[2])
        self.assertEqual(winners(analysed, "1"), {MIB: ("eager",), 4 * MIB: ("eager",)})
        names = choice_names(analysed)
        self.assertEqual(names["random_access", "1"], "eager")
        self.assertNotIn("eager", (names["least_charge", "0.1"], names["strict_overcommit", "0.1"]))
        self.assertFalse(any("eager" in claim.figures for claim in analysed.claims))
        self.assertFalse(any("(eager)" in text for text in texts(analysed)))

    def test_what_was_brought_stands_beside_one_that_checks(self):
        """Not beside one that traps, although that comes first."""
        strategies = (UPFRONT, FIFTHS[0], CHUNKED, CUSTOM)
        rows = rows_of(strategies[:3]) + made.in_rounds(range(1, 17), (CUSTOM, MIB, 1200, {}))
        self.assertIn("custom beside chunked, both at a step of 64 KiB: no significant difference "
                      "at 1 MiB.", texts(read_back(self, rows, strategies)))
        analysed = read_back(self, [row for row in rows if row["strategy"] != "chunked"],
                             (UPFRONT, FIFTHS[0], CUSTOM))
        self.assertEqual(analysed.answer.beside, {})

    def test_predict_computes_with_it(self):
        """4 MiB: 64 steps of 64 KiB, or 1024 pages."""
        strategies = (*FOUR, *FIFTHS)
        analysed = read_back(self, rows_of(strategies), strategies)
        lines = predict.table(predict.options(["--size", "4M"]), model.checked(analysed.as_json()),
                              analysed.run.strategies)
        counts = {line.split()[0]: [line[-19:-10].strip(), line[-9:].strip()]
                  for line in lines[1:8]}
        self.assertEqual(counts, {
            "upfront": ["1", "0"], "fault": ["1 024", "1 024"], "chunked": ["64", "0"],
            "guard": ["65", "64"], "trapping": ["64", "64"], "asking": ["1 024", "0"],
            "eager": ["1", "0"]})


class Partial(unittest.TestCase):
    """Runs that lack what others have."""

    def analysed(self, rows, strategies=FOUR):
        return read_back(self, rows, strategies)

    def test_without_fault(self):
        analysed = self.analysed(rows_of((UPFRONT, CHUNKED, GUARD)))
        self.assertEqual(analysed.answer.page_costs, {})
        self.assertEqual(choice_names(analysed)["least_charge", "0.1"], "chunked")

    def test_without_chunked(self):
        analysed = self.analysed(rows_of((UPFRONT, FAULT, GUARD)))
        self.assertEqual([knee.strategy for knee in analysed.answer.knees], ["guard"])
        self.assertEqual(choice_names(analysed)["strict_overcommit", "0.1"], "guard")
        self.assertEqual(choice_names(analysed)["least_charge", "0.1"], "fault")

    def test_without_steps(self):
        analysed = self.analysed(rows_of((UPFRONT, FAULT)))
        for touch in ("1", "0.1"):
            self.assertEqual(winners(analysed, touch), {MIB: ("upfront",), 4 * MIB: ("upfront",)})
        self.assertEqual({choice.cell.size for choice in analysed.choices}, {4 * MIB})
        self.assertEqual(choice_names(analysed), {
            ("lowest_latency", "1"): "upfront", ("lowest_latency", "0.1"): "upfront",
            ("least_charge", "0.1"): "fault", ("random_access", "1"): "upfront",
            ("strict_overcommit", "0.1"): "fault", ("growing_buffers", "1"): "fault"})

    def test_only_upfront(self):
        for strategies in (FOUR, (UPFRONT,)):
            analysed = self.analysed(rows_of((UPFRONT,)), strategies)
            self.assertEqual(headline(analysed),
                             "Choose nothing by this run: only upfront was timed.")
            self.assertEqual((texts(analysed), analysed.choices), ([], []))
            self.assertEqual({field.alone for field in analysed.answer.fields["1"]}, {"upfront"})

    def test_without_upfront(self):
        analysed = self.analysed(rows_of((FAULT, CHUNKED)))
        for touch in ("1", "0.1"):
            self.assertEqual(winners(analysed, touch), {MIB: ("chunked",), 4 * MIB: ("chunked",)})
        self.assertEqual(texts(analysed), [])
        self.assertEqual(choice_names(analysed)["lowest_latency", "1"], "chunked")

    def test_only_refused_rows(self):
        for status in ("refused", "unsupported", "skipped"):
            rows = [made.refused(which, MIB, number, status) for which in FOUR
                    for number in (1, 2, 3)]
            analysed = self.analysed(rows)
            self.assertEqual(analysed.headline, [heading.UNTIMED])
            self.assertEqual((analysed.choices, analysed.model["strategies"]), ([], {}))

    def test_rows_without_counts(self):
        empty = dict.fromkeys(made.counts(UPFRONT, MIB, MIB, MIB), "")
        analysed = self.analysed([{**row, **empty} for row in rows_of(FOUR)])
        self.assertEqual(set(choice_names(analysed)), {
            ("lowest_latency", "1"), ("lowest_latency", "0.1"), ("random_access", "1"),
            ("many_stacks", "0.1")})
        self.assertEqual([claim.verdict for claim in analysed.claims], [claims.OPEN] * 12)
        self.assertEqual(analysed.model["strategies"], {})

    def test_one_sample_each(self):
        analysed = self.analysed(rows_of(FOUR, [1]))
        self.assertEqual(headline(analysed), "Choose nothing by this run yet: it has too few "
                         "rounds to tell which strategy is the fastest at 4 MiB; measure longer, "
                         "by a larger profile, or on a quieter machine.")
        few = "(too few rounds for a confidence interval)"
        self.assertIn("chunked gains 3 % or more by steps larger than 256 KiB, the largest "
                      f"measured: a step costs as much as 4.88 pages {few}; 256 KiB costs 0.600 "
                      f"times upfront {few} at 4 MiB.", " ".join(texts(analysed)))
        self.assertEqual(set(choice_names(analysed)), {("least_charge", "0.1"),
                                                       ("many_stacks", "0.1")})

    def test_one_row(self):
        for which in FOUR:
            analysed = self.analysed([made.row(which, MIB, 1000)])
            self.assertIn(f"only {which.name} was timed", headline(analysed))

    def test_an_environment_that_says_little(self):
        with tempfile.TemporaryDirectory() as folder:
            made.write(pathlib.Path(folder), rows_of((UPFRONT, FAULT)), FOUR, started=None,
                       profile=None, processor={}, system={}, calibration={})
            made.check_schema(self, analysis.read(folder).as_json())


class Wine(unittest.TestCase):
    def test_nothing_follows_from_the_times_of_wine(self):
        run = runs.read(ROOT / "results" / "reference")
        run.samples["platform"] = "wine"
        analysed = analysis.analyse(run)
        value = analysed.as_json()
        self.assertEqual([sentence["text"] for sentence in value["headline"]],
                         [heading.OF_WINE.text])
        self.assertEqual([value[key] for key in ("answer", "matrix", "bands", "crossings", "knees",
                                                 "advice")], [[]] * 6)
        self.assertIsNone(value["decommit"])
        self.assertEqual(value["model"]["strategies"], {})
        verdicts = {claim["claim"].split()[0]: claim["verdict"] for claim in value["claims"]}
        self.assertEqual((verdicts["Reserving"], verdicts["Commit"]), (claims.OPEN,) * 2)


class Reference(unittest.TestCase):
    """The checked-in run: advice, its file and the command that reads it."""

    @classmethod
    def setUpClass(cls):
        cls.run_read = runs.read(ROOT / "results" / "reference")
        cls.analysed = analysis.analyse(cls.run_read)

    def test_counts_follow_the_formulas(self):
        """What predict says of commits and faults is what the harnesses counted."""
        rows = self.analysed.summary
        rows = rows[(rows.samples > 0) & (rows.touch_order == "sequential")]
        for row in rows.itertuples():
            self.assertIn(row.touched_bytes, [touched_bytes(row.size_bytes, touch, PAGE)
                                              for touch in TOUCH_NAMES])
            does = model.counts(self.run_read.strategies[row.strategy], row.size_bytes,
                                row.touched_bytes, row.chunk_bytes, PAGE, row.guard)
            self.assertEqual([does[name] for name in model.TERMS[1:]],
                             [row.minor_faults, row.commit_calls, row.handled_faults], row)
            if not pandas.isna(row.commit_bytes):
                self.assertEqual(model.charge(
                    self.run_read.strategies[row.strategy], row.size_bytes, row.touched_bytes,
                    row.chunk_bytes, PAGE, row.guard), row.commit_bytes, row)
        self.assertGreater(len(rows), 100)

    def test_every_need_has_an_advice_with_its_figures(self):
        needs = {choice.need for choice in self.analysed.choices}
        several = self.run_read.traced["round"].max() > 1
        self.assertEqual(needs, {need for need in advice.NEEDS
                                 if several or need != "bounded_worst_touch"})
        for choice in self.analysed.choices:
            self.assertNotIn(choice.cell.strategy.name, choice.equal)
            self.assertTrue(choice.figures)

    def test_whoever_is_advised_with_a_step_says_so(self):
        """So that a band at another step does not read as a contradiction."""
        for choice in self.analysed.choices:
            self.assertEqual("at a step of" in choice.why, choice.cell.step is not None)
        for sentence in self.analysed.headline[:1]:
            self.assertIn(f"step {size_text(sentence.cells[0].step)}", sentence.text)

    def test_sentences_rest_on_rows(self):
        anchors = {cell_of(row, self.run_read.strategies).anchor
                   for _, row in self.analysed.summary.iterrows()}
        for sentence in self.analysed.headline + self.analysed.sentences:
            self.assertTrue(sentence.cells, sentence.text)
            for cell in sentence.cells:
                self.assertIn(cell.anchor, anchors)

    def test_advice_file_follows_its_schema(self):
        made.check_schema(self, self.analysed.as_json())

    def test_every_claim_has_a_verdict(self):
        """That commit time varies with page tables is close to the factor from which it does."""
        verdicts = {claim.claim: claim.verdict for claim in self.analysed.claims}
        self.assertEqual(len(verdicts), 12)
        fails = "Only committed pages can be decommitted."
        close = ("Commit time varies with page tables.",
                 "The more regions there are, the longer a reservation from the top down takes.")
        self.assertEqual(verdicts.pop(fails), claims.FAILS)
        for claim in close:
            self.assertIn(verdicts.pop(claim), (claims.HOLDS, claims.OPEN))
        self.assertEqual(set(verdicts.values()), {claims.HOLDS})
        for claim in self.analysed.claims:
            self.assertRegex(claim.figures, r"\d")

    def test_any_part_of_it_can_be_analysed(self):
        """Few rows or many, of all strategies or few: no traceback, no warning, and an advice.json
        that follows its schema."""
        samples, details = self.run_read.samples, self.run_read
        for seed in range(12):
            draws = numpy.random.default_rng(seed)
            names = draws.choice(names_in(samples), draws.integers(1, 5), replace=False)
            rows = samples[samples.strategy.isin(names)]
            number = min(len(rows), int(draws.choice([1, 3, 30, 300])))
            rows = rows.sample(number, random_state=seed) if seed % 2 else \
                rows[rows["round"] == 1 + seed // 2]
            with self.subTest(seed=seed, rows=len(rows)), made.strict():
                part = dataclasses.replace(self.run_read, samples=rows.copy())
                part.calls, part.stairs = details.calls, details.stairs
                made.check_schema(self, analysis.analyse(part).as_json())

    def test_sizes_that_are_left_out_lie_within_what_is_predicted(self):
        """Of 100 at least 95, for a size among others."""
        rows = model.measured(self.analysed.summary)
        strategies = self.run_read.strategies
        within = []
        for touched in sorted(rows.touched_bytes.unique())[1:-1]:
            kept = model.fit(rows[rows.touched_bytes != touched], strategies.values())
            for row in rows[rows.touched_bytes == touched].itertuples():
                does = model.counts(strategies[row.strategy], row.size_bytes, touched,
                                    row.chunk_bytes, PAGE, row.guard)
                _, low, high = model.cost(kept["strategies"][row.strategy], does)
                within.append(low <= row.ns_per_page * does["pages"] <= high)
        self.assertGreater(len(within), 100)
        self.assertGreaterEqual(sum(within) / len(within), 0.95)

    def test_predict(self):
        kept, strategies = self.analysed.as_json()["model"], self.run_read.strategies
        lines = predict.table(predict.options(["--size", "64M", "--touch", "0.5"]), kept,
                              strategies)
        self.assertEqual([line.split()[0] for line in lines], ["strategy", *strategies])
        self.assertEqual(len({len(line) for line in lines}), 1)  # aligned
        lines = predict.table(predict.options(["--size", "1024G", "--strategy", "fault"]), kept,
                              strategies)
        self.assertEqual(len(lines), 4)
        self.assertIn("extrapolated: the size", lines[2])

    def test_a_model_of_steps_that_says_of_none(self):
        for change in (lambda ranges: ranges.update(chunk_bytes=None),
                       lambda ranges: ranges.pop("chunk_bytes")):
            kept = copy.deepcopy(self.analysed.as_json()["model"])
            change(kept["strategies"]["chunked"]["measured"])
            with self.assertRaisesRegex(ValueError, "chunked.measured"):
                predict.refuse_unknown_steps(kept, self.run_read.strategies)
        predict.refuse_unknown_steps(self.analysed.as_json()["model"], self.run_read.strategies)

    def test_predict_refuses_in_one_line(self):
        for arguments, words in ((["--size", "12Q"], ["--size", "'12Q'", "64M"]),
                                 (["--size", "1M", "--touch", "2"], ["--touch", "'2'"]),
                                 (["--size", "1M", "--strategy", "lazy"], ["'lazy'", "upfront"]),
                                 (["--size", "5000"], ["--size", "5000", "4096"]),
                                 (["--size", "70368744177664G"], ["--size", "at most"]),
                                 (["--size", "1M", "--chunk", "7"], ["--chunk", "'7'"]),
                                 (["--size", "1M", "--run", "nowhere"], ["--run", "make bench"])):
            with self.subTest(arguments):
                with self.assertRaises(Usage) as raised:
                    asked = predict.options(arguments)
                    kept = predict.read_run(asked.run) if "--run" in arguments else \
                        (self.analysed.as_json()["model"], self.run_read.strategies)
                    predict.table(asked, *kept)
                for word in words:
                    self.assertIn(word, str(raised.exception))


if __name__ == "__main__":
    unittest.main()
