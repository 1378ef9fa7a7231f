"""How strategies look in charts: a colour, a mark and a dash for each, by its name."""

import dataclasses
import itertools

from vmcommit.show.frame import shortened
from vmcommit.show.gnuplot import Plot, key


@dataclasses.dataclass(frozen=True)
class Look:
    """In gnuplot's numbers of marks and dashes."""

    color: str
    mark: int
    size: float = 1.0
    dash: int = 1


# Okabe and Ito's colours, which colour-blind readers can tell apart, and a mark beside each.
KNOWN = {
    "upfront": Look("#000000", 6, 1.5),
    "fault": Look("#D55E00", 9),
    "chunked": Look("#0072B2", 5, 0.7),
    "guard": Look("#009E73", 13, 1.0, 2),
    "custom": Look("#CC79A7", 4, 1.2),
    "malloc": Look("#E69F00", 10, 1.2),
}
SPARE = (Look("#56B4E9", 7, 0.9), Look("#808000", 8, 1.2), Look("#882255", 11),
         Look("#8C6D31", 12, 1.2), Look("#332288", 1, 1.2), Look("#117733", 2, 1.2),
         Look("#AA4499", 3, 1.2), Look("#666666", 15), Look("#44AA99", 14, 1.2),
         Look("#A50026", 4, 0.8))
SERIES = (*(Look(look.color, look.mark) for look in KNOWN.values()), Look("#56B4E9", 7),
          Look("#808000", 12))  # of lines that stand for no strategy: runs, sizes
PHASES = {"reserve": "#56B4E9", "commit": "#E69F00", "touch": "#B0B0B0", "release": "#CC79A7"}
LONGEST = 16  # letters of usual width that a chart has room for in a name


def short(name: str) -> str:
    return shortened(name, LONGEST)


def of_names(names) -> dict[str, Look]:
    """{name: Look}: their own for known names; for others spare ones, in order."""
    spare = itertools.cycle(SPARE)
    return {name: KNOWN.get(name) or next(spare) for name in names}


def define(plot: Plot, texts, looks):
    """name, color, mark, mark_size and dash of each series."""
    plot.define("name", [short(text) for text in texts])
    for array, field in (("color", "color"), ("mark", "mark"), ("mark_size", "size"),
                         ("dash", "dash")):
        plot.define(array, [getattr(look, field) for look in looks])


def add_strategies(plot: Plot, names):
    """Gives a chart the looks of these strategies, and key, by which its tables have them."""
    looks = of_names(names)
    plot.define("key", [key(name) for name in names])
    define(plot, names, looks.values())
    plot.gap = 80 if len(looks) > 4 else plot.gap
    plot.legend = [(short(name), look.color, look.mark, look.size)
                   for name, look in looks.items()]
