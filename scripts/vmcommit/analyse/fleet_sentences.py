"""What holds over many machines, in words."""

import numpy
import pandas

from vmcommit.analyse.fleet import KINDS, Across, Difference, Fleet
from vmcommit.base.cells import Manner
from vmcommit.base.columns import CELL
from vmcommit.base.conventions import CLOSE, CONFIDENCE, ORDERS
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.text import counted, listed, sizes_text
from vmcommit.base.units import count_text, size_text

CLOSE_TEXT = f"within {100 * CLOSE:g} % of {UPFRONT}"
MOST_NAMED = 8  # machines, kernels or configurations in one sentence


def percent_text(log_ratio) -> str:
    """+1.2 % of a logarithm."""
    return f"{100 * numpy.expm1(log_ratio):+.1f} %"


def cell_text(cell, stepped) -> str:
    """chunked 64 MiB by 64 KiB, 6.4 MiB touched, random"""
    named = dict(zip(CELL, cell))
    parts = [f"{named['strategy']} {size_text(named['size_bytes'])}"
             + (f" by {size_text(named['chunk_bytes'])}" if stepped else "")]
    if named["touched_bytes"] != named["size_bytes"]:
        parts.append(f"{size_text(named['touched_bytes'])} touched")
    if named["touch_order"] != ORDERS[0]:
        parts.append(named["touch_order"])
    manner = Manner(named["commit_kind"], named["growth"], named["pages"], named["purge"],
                    named["purge_step_bytes"])
    return ", ".join(filter(None, [*parts, str(manner)]))


def strategy_text(across: Across) -> str:
    """chunked by 64 KiB"""
    named = across.named
    return named["strategy"] + (f" by {size_text(named['chunk_bytes'])}" if across.stepped else "")


def named_some(names) -> str:
    """The first of them, and how many more there are."""
    names = list(names)
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return listed([*names[:MOST_NAMED], *more])


def verdict_text(verdicts) -> str:
    """within 3 % of upfront on 47 of 50 machines, beyond on 1, undecided on 2"""
    if verdicts.everywhere:
        return f"{CLOSE_TEXT} on all {counted(verdicts.machines, 'machine')}"
    rest = [f"{word} on {number}" for word, number in
            (("beyond", verdicts.beyond), ("undecided", verdicts.undecided)) if number]
    return ", ".join([f"{CLOSE_TEXT} on {verdicts.within} of "
                      f"{counted(verdicts.machines, 'machine')}", *rest])


def effect_text(across: Across) -> str:
    """The mean over machines, and where a further one is to be expected."""
    effect = across.effect
    usual = f" ({100 * across.usual.between:.2f} % without " \
        f"{counted(len(across.outliers), 'outlier')})" if across.outliers else ""
    if pandas.isna(effect.low):
        return f"{percent_text(effect.mean)} on one machine"
    return (f"on average {percent_text(effect.mean)} ({percent_text(effect.low)} to "
            f"{percent_text(effect.high)}); a further machine is predicted between "
            f"{percent_text(effect.least)} and {percent_text(effect.most)}; between machines "
            f"{100 * effect.between:.2f} % standard deviation{usual}, heterogeneity I² "
            f"{100 * effect.heterogeneity:.0f} %")


def headline(fleet: Fleet) -> list[str]:
    return [f"At {size_text(fleet.size)}, all touched, {strategy_text(across)} is "
            f"{verdict_text(across.verdicts)}; {effect_text(across)}."
            for across in fleet.headline]


def over_sizes(fleet: Fleet) -> list[str]:
    """Of each strategy at its usual step: at which sizes it holds everywhere, and where nowhere."""
    told: dict[str, tuple[list, list]] = {}
    for across in fleet.everything:
        if not fleet.plain(across.rows).empty:
            everywhere, nowhere = told.setdefault(strategy_text(across), ([], []))
            if across.verdicts.everywhere:
                everywhere.append(across.named["size_bytes"])
            elif across.verdicts.beyond == across.verdicts.machines:
                nowhere.append(across.named["size_bytes"])
    sentences = []
    for name, (everywhere, nowhere) in told.items():
        holds = [f"{CLOSE_TEXT} on every machine {of_sizes(everywhere)}"] if everywhere else []
        fails = [f"beyond on every machine {of_sizes(nowhere)}"] if nowhere else []
        clauses = "; ".join(holds + fails) or "at no size the same on every machine"
        sentences.append(f"Over all sizes, {name} is {clauses}.")
    return sentences


def of_sizes(sizes) -> str:
    sizes = sorted(sizes)
    return f"at {named_some(map(size_text, sizes))}" if len(sizes) < 4 else \
        f"at {len(sizes)} sizes {sizes_text(sizes)}"


def outliers(fleet: Fleet) -> list[str]:
    if not fleet.timed:
        return []
    if not fleet.outliers:
        return ["No machine lies beyond what the others let expect."]
    named = [f"{fleet.digests[place].host} ({listed(strategies)})"
             for place, strategies in fleet.outliers.items()]
    verb = "lies" if len(named) == 1 else "lie"
    return [f"{counted(len(named), 'machine')} {verb} beyond what the others let expect: "
            f"{named_some(named)}."]


def groups(fleet: Fleet) -> list[str]:
    """Whether groups differ, at a confidence that all of these have together."""
    found = [(kind, across, across.groups[kind]) for kind in KINDS for across in fleet.headline
             if kind in across.groups]
    limit = (1 - CONFIDENCE) / max(1, len(found))
    sentences = []
    for kind in KINDS:
        differing = [strategy_text(across) for named, across, of in found
                     if named == kind and of.probability < limit]
        if differing:
            sentences.append(f"By {kind}, machines differ significantly in {listed(differing)}.")
        elif any(named == kind for named, *_ in found):
            sentences.append(f"By {kind} there is no significant difference.")
    return sentences


def kernels_text(counter) -> str:
    """6.1 and 6.12 (20 machines)"""
    return named_some(kernel if number == 1 else f"{kernel} ({number} machines)"
                      for kernel, number in counter.items())


def values_text(difference: Difference) -> str:
    """256 with kernel 6.1 and 6.12; 257 with kernel 6.18"""
    return "; ".join(f"{count_text(value)} with kernel {kernels_text(kernels)}"
                     for value, kernels in difference.values.items())


def splits(fleet: Fleet) -> list[str]:
    """What differs, once for all configurations that the same kernels differ in."""
    sentences = []
    for (strategy, column, _), differences in list(fleet.splits.items())[:MOST_NAMED]:
        first = differences[0]
        more = len(differences) - 1
        others = f", and so in {counted(more, 'other configuration')}" if more else ""
        sentences.append(f"{column.replace('_', ' ').capitalize()} of {strategy} differ: "
                         f"{cell_text(first.cell, first.stepped)} has {values_text(first)}"
                         f"{others}.")
    return sentences


def lacking(fleet: Fleet) -> list[str]:
    """What some kernels do not have."""
    sentences = []
    for (option, kind, status), by_strategy in fleet.lacking.items():
        kernels = next(iter(by_strategy.values()))
        sentences.append(f"--{option} {kind} is {status} with kernel {kernels_text(kernels)} "
                         f"({listed(by_strategy)}).")
    return sentences


def counts(fleet: Fleet) -> list[str]:
    if not fleet.counted:
        return []
    of = counted(fleet.counted, "configuration")
    cells = {difference.cell for difference in fleet.differences}
    if not cells:
        return [f"All counts of {of} are the same on every machine."]
    strategies = dict.fromkeys(cell[0] for cell in cells)
    same = [name for name in dict.fromkeys(fleet.cells.strategy) if name not in strategies]
    spared = f" All counts of {listed(same)} are the same." if same else ""
    return [f"Counts differ in {len(cells)} of {of}, of {listed(strategies)}.{spared}"]


def head(fleet: Fleet) -> str:
    """50 machines, 3 kernels, 2 processors; times of 48."""
    kinds = [counted(len({getattr(each, field) for each in fleet.digests}), kind)
             for kind, field in KINDS.items()]
    untimed = "" if fleet.timed == len(fleet.digests) else \
        f"; times of {fleet.timed}: an emulator's are left out"
    return f"{counted(len(fleet.digests), 'run')}, {', '.join(kinds)}{untimed}"


def of_fleet(fleet: Fleet) -> list[str]:
    return [*headline(fleet), *over_sizes(fleet), *counts(fleet), *splits(fleet),
            *lacking(fleet), *groups(fleet), *outliers(fleet)]
