"""Many runs together: what holds on every machine, what does not, and on how many; how far machines
lie apart, and which of them lie beyond the others."""

import collections
import concurrent.futures
import dataclasses
import functools
import os

import numpy
import pandas

from vmcommit.analyse import effects
from vmcommit.analyse.digest import Digest, attempt
from vmcommit.base.columns import CELL, COUNTS
from vmcommit.base.conventions import CLOSE, CONFIDENCE, DEFAULT_STEP
from vmcommit.base.problems import Problem
from vmcommit.base.statistics import shared

WORKERS = 8  # more would hold more memory than they save time
# What machines are grouped by: {words: field of Digest}.
KINDS = {"kernel": "kernel", "processor": "processor", "guard kind": "guard"}
WITHIN, BEYOND, OPEN = "within", "beyond", "undecided"
LIMIT = float(numpy.log1p(CLOSE))


@dataclasses.dataclass(frozen=True)
class Verdicts:
    """On how many machines a configuration costs no more than CLOSE above upfront, on how many it
    does, and on how many its confidence interval leaves that open."""

    within: int
    beyond: int
    undecided: int

    @property
    def machines(self):
        return self.within + self.beyond + self.undecided

    @property
    def everywhere(self):
        return self.within == self.machines


@dataclasses.dataclass(frozen=True)
class Across:
    """A configuration on all machines that timed it. `rows`: theirs, with `machine`, its place
    among the digests; `effect` is of log ratios to upfront, `usual` without `outliers`, which are
    places too."""

    cell: tuple
    stepped: bool
    rows: pandas.DataFrame
    verdicts: Verdicts
    effect: effects.Effect
    usual: effects.Effect
    outliers: tuple
    groups: dict

    @property
    def named(self):
        return dict(zip(CELL, self.cell))


@dataclasses.dataclass(frozen=True)
class Difference:
    """A count that is not the same on all machines. `values`: {count: Counter of kernels}."""

    cell: tuple
    stepped: bool
    column: str
    values: dict

    @property
    def split(self) -> tuple:
        """What differs between which kernels: the same for many configurations."""
        return (self.cell[0], self.column, tuple(tuple(sorted(kernels))
                                                 for kernels in self.values.values()))

    @property
    def within_kernel(self):
        """Whether machines with the same kernel differ too."""
        kernels = [kernel for counter in self.values.values() for kernel in counter]
        return len(kernels) > len(set(kernels))


def digests_of(folders) -> tuple[list[Digest], list[str]]:
    """(digests, why others can't be read), in the order of the folders; several at a time."""
    workers = min(WORKERS, os.cpu_count() or 1, len(folders))
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        read = list(pool.map(attempt, folders, chunksize=max(1, len(folders) // (8 * workers))))
    found = [each for each in read if isinstance(each, Digest)]
    return found, [each for each in read if isinstance(each, str)]


def once_each(digests) -> tuple[list[Digest], list[str]]:
    """Without what is the same run under another name, and notes of what was left out."""
    seen: dict[tuple, Digest] = {}
    notes = []
    for each in digests:
        first = seen.setdefault(each.identity, each)
        if first is not each and None not in each.identity:
            notes.append(f"{each.folder} is the run of {first.folder} again; it counts once")
    kept = [each for each in digests
            if None in each.identity or seen[each.identity] is each]
    return kept, notes


def verdict_of(low, high) -> str:
    """Of a configuration on one machine, by the confidence interval of its log ratio."""
    return WITHIN if high <= LIMIT else BEYOND if low > LIMIT else OPEN


def verdicts_of(rows) -> Verdicts:
    numbers = collections.Counter(map(verdict_of, rows.log_low, rows.log_high))
    return Verdicts(numbers[WITHIN], numbers[BEYOND], numbers[OPEN])


def groups_of(rows, digests) -> dict:
    """{kind: Groups} of the kinds in which the machines differ."""
    found = {}
    for kind, field in KINDS.items():
        names = [getattr(digests[place], field) for place in rows.machine]
        if len(set(names)) > 1:
            found[kind] = effects.grouped(rows.log_ratio, rows.log_error, names)
    return found


class Fleet:
    """All runs, and what follows from them. `digests` are of machines: each run counts as one.
    `notes` say what was left out."""

    def __init__(self, digests, notes=()):
        if not digests:
            raise Problem("; ".join(notes) or "no run was given")
        self.digests, notes_of_copies = once_each(digests)
        self.notes = [*notes, *notes_of_copies]
        self.notes += [f"{each.folder}: {note}" for each in self.digests for note in each.notes]

    @property
    def timed(self):
        """How many machines have times: an emulator's are none."""
        return sum(each.timed for each in self.digests)

    @functools.cached_property
    def cells(self) -> pandas.DataFrame:
        return pandas.concat([each.cells.assign(machine=place)
                              for place, each in enumerate(self.digests)], ignore_index=True)

    @functools.cached_property
    def ratios(self) -> pandas.DataFrame:
        """Rows with a ratio to upfront, of machines whose times mean something."""
        places = [place for place, each in enumerate(self.digests) if each.timed]
        return self.cells[self.cells.machine.isin(places)].dropna(subset=["log_ratio"])

    def plain(self, rows):
        """All touched in order, as it is without being asked for more, at the step that stands for
        others."""
        return rows[(rows.touched_bytes == rows.size_bytes) & (rows.touch_order == "sequential")
                    & rows.plain & (~rows.stepped | (rows.chunk_bytes == DEFAULT_STEP))]

    @functools.cached_property
    def size(self):
        """The region that stands for others, of those that most machines timed: the one with the
        most configurations, as that of the sweep of steps; the largest of such. None without
        times."""
        rows = self.plain(self.ratios)
        if rows.empty:
            return None
        machines = rows.groupby("size_bytes").machine.nunique()
        sizes = machines[machines == machines.max()].index
        swept = self.ratios[self.ratios.size_bytes.isin(sizes)].drop_duplicates([*CELL])
        numbers = swept.groupby("size_bytes").size()
        return int(numbers[numbers == numbers.max()].index.max())

    @functools.cached_property
    def headline(self) -> list[Across]:
        """Each strategy at that size."""
        rows = self.plain(self.ratios)
        groups = list(rows[rows.size_bytes == self.size].groupby("strategy", sort=False))
        confidence = shared(sum(len(group) for _, group in groups), CONFIDENCE)
        return [self.across(tuple(group[[*CELL]].iloc[0]), group, confidence)
                for _, group in groups]

    def across(self, cell, rows, confidence=None) -> Across:
        """Of one configuration; outliers and groups are looked for where `confidence` is given."""
        far = effects.outliers(rows.log_ratio, rows.log_error, confidence) if confidence else []
        usual = rows.drop(index=rows.index[far])
        effect = effects.together(rows.log_ratio, rows.log_error)
        return Across(cell, bool(rows.stepped.iloc[0]), rows, verdicts_of(rows), effect,
                      effects.together(usual.log_ratio, usual.log_error) if far else effect,
                      tuple(int(rows.machine.iloc[place]) for place in far),
                      groups_of(rows, self.digests) if confidence else {})

    @functools.cached_property
    def everything(self) -> list[Across]:
        """Every configuration that more than one machine timed."""
        return [self.across(cell, rows) for cell, rows in
                self.ratios.groupby([*CELL], sort=False) if len(rows) > 1]

    @functools.cached_property
    def outliers(self) -> dict:
        """{machine's place: strategies in which it lies beyond the others}."""
        found: dict[int, list] = {}
        for across in self.headline:
            for place in across.outliers:
                found.setdefault(place, []).append(across.named["strategy"])
        return found

    @functools.cached_property
    def counted(self) -> int:
        """Configurations that more than one machine has counts of."""
        return int((self.cells.groupby([*CELL]).machine.count() > 1).sum())

    @functools.cached_property
    def differences(self) -> list[Difference]:
        groups = self.cells.groupby([*CELL], sort=False)
        several = groups[[*COUNTS]].nunique() > 1
        found = []
        for cell, differs in several[several.any(axis=1)].iterrows():
            rows = groups.get_group(cell)
            found += [Difference(cell, bool(rows.stepped.iloc[0]), column,
                                 self.by_value(rows.dropna(subset=[column]), column))
                      for column in COUNTS if differs[column]]
        return found

    def by_value(self, rows, column) -> dict:
        values: dict[float, collections.Counter] = {}
        for value, place in sorted(zip(rows[column], rows.machine)):
            values.setdefault(value, collections.Counter())[self.digests[place].kernel] += 1
        return values

    @functools.cached_property
    def splits(self) -> dict:
        """{split: its Differences}"""
        found: dict[tuple, list] = {}
        for difference in self.differences:
            found.setdefault(difference.split, []).append(difference)
        return found

    @functools.cached_property
    def lacking(self) -> dict:
        """{(option, kind, status): {strategy: Counter of kernels}} of what some machines lack and
        others have."""
        found: dict[tuple, dict] = {}
        for key in dict.fromkeys(key for each in self.digests for key in each.supported):
            strategy, option, kind = key
            tried = [each for each in self.digests if key in each.supported]
            if any(each.supported[key] == "ok" for each in tried):
                for each in tried:
                    if each.supported[key] != "ok":
                        found.setdefault((option, kind, each.supported[key]), {}).setdefault(
                            strategy, collections.Counter())[each.kernel] += 1
        return found


def read(folders) -> Fleet:
    """Raises Problem where not one run can be read."""
    return Fleet(*digests_of(folders))
