"""Where the time of a cycle goes."""

from vmcommit.base.columns import PHASES
from vmcommit.base.strategies import UPFRONT, names_in
from vmcommit.base.units import size_text
from vmcommit.show import looks
from vmcommit.show.chart import Chart
from vmcommit.show.figures import SIZE, Figures
from vmcommit.show.rows import at_size, parts

PANELS = 4
SQUARE, SQUARE_SIZE = 5, 1.6  # marks of the legend


def sizes_shown(rows):
    """From the smallest to the largest."""
    sizes = sorted(rows.size_bytes.unique())
    return sorted({sizes[round(at * (len(sizes) - 1) / (PANELS - 1))] for at in range(PANELS)})


def bars(rows, names):
    """ns per touched page of each phase, a row for each strategy; no height where it is missing."""
    times = rows.drop_duplicates("strategy").set_index("strategy")
    pages = times.touched_bytes / times.page_bytes
    return times[[*PHASES]].div(pages, axis=0).reindex(names).fillna(0).values.tolist()


def prepare(analysis, plot):
    full, _ = parts(analysis.summary)
    if full.empty:
        return False
    names = names_in(full)
    sizes = sizes_shown(full)
    by_size = {size: bars(at_size(full, size), names) for size in sizes}
    plot.table("phases", {str(at): rows for at, rows in enumerate(by_size.values(), 1)})
    plot.behind.append(Figures(
        "a touched page", (SIZE, *((phase.removesuffix("_ns"), "ns") for phase in PHASES)),
        {name: [[size, *rows[at]] for size, rows in by_size.items()]
         for at, name in enumerate(names)}, lines=False))
    plot.panels([size_text(size) for size in sizes], across=PANELS)
    plot.mark_texts("name", [looks.short(name) for name in names])
    phases = [phase.removesuffix("_ns") for phase in PHASES]
    plot.define("fill", [looks.PHASES[phase] for phase in phases])
    plot.legend = [(phase, looks.PHASES[phase], SQUARE, SQUARE_SIZE) for phase in phases]
    return True


def finding(analysis):
    full, _ = parts(analysis.summary)
    size = full.size_bytes.max()
    clauses = []
    for _, row in at_size(full, size).iterrows():
        longest = max(PHASES, key=lambda phase: row[phase])
        clauses.append(f"{row.strategy} {100 * row[longest] / row.total_ns:.0f} % in "
                       f"{longest.removesuffix('_ns')}")
    return f"At {size_text(size)}: {', '.join(clauses)}."


CHART = Chart(
    order=120,
    title="Where the time of a cycle goes",
    description="The time of a cycle by its phases: reserve, commit, touch and release",
    caption=f"Medians of each phase. {UPFRONT} reserves and commits in one call, shown as commit; "
            "commits while touching belong to touch. Each panel has its own scale.",
    prepare=prepare, finding=finding)
