"""Commit charge as the touching of one region proceeds."""

from vmcommit.base.strategies import names_in
from vmcommit.base.units import size_text
from vmcommit.show import looks
from vmcommit.show.caption import ONE_CYCLE
from vmcommit.show.chart import Chart
from vmcommit.show.figures import CHARGE, TOUCHED, Figures
from vmcommit.show.rows import stepped_names

NO_COLOR = "#ffffff"  # of a panel without steps


def climbed(analysis):
    """The checkpoints of the largest region; None if the run has none."""
    stairs = analysis.run.stairs
    if stairs is None:
        return None
    stairs = stairs.dropna(subset=["touched_bytes", "commit_bytes"])
    stairs = stairs[stairs.size_bytes == stairs.size_bytes.max()]
    return None if stairs.empty else stairs


def points(rows):
    return rows[["touched_bytes", "commit_bytes"]].values.tolist()


def add_panels(plot, stairs):
    """A panel for each strategy with a step, whose name and steps are its title; at least one."""
    given = looks.of_names(names_in(stairs))
    panels = {name: {step: points(rows) for step, rows in
                     stairs[stairs.strategy == name].groupby("chunk_bytes")}
              for name in stepped_names(stairs)} or {"": {}}
    plot.panels([f"{looks.short(name)}, steps {', '.join(map(size_text, by_step))}"
                 if by_step else "" for name, by_step in panels.items()], across=3)
    plot.define("panel_color", [given[name].color if name else NO_COLOR for name in panels])
    most = max(1, *map(len, panels.values()))
    plot.define("steps", most)
    for number, (name, by_step) in enumerate(panels.items(), 1):
        series = dict(enumerate(by_step.values()))
        plot.behind += [Figures(f"{name}, by its step", (TOUCHED, CHARGE),
                                {size_text(step): rows for step, rows in by_step.items()}, log="",
                                stairs=True)] if name else []
        plot.table(f"panel{number}", {str(at): series.get(at, []) for at in range(most)})


def prepare(analysis, plot):
    stairs = climbed(analysis)
    if stairs is None:
        return False
    names = names_in(stairs)
    looks.add_strategies(plot, names)
    without_step = stairs[~stairs.stepped]
    across = {name: points(without_step[without_step.strategy == name]) for name in names}
    plot.table("across", across)
    plot.behind += [Figures("without a step", (TOUCHED, CHARGE), across, log="")]
    add_panels(plot, stairs)
    plot.samples = ONE_CYCLE
    plot.define("size_bytes", stairs.size_bytes.max())
    plot.define("charge_high", max(stairs.size_bytes.max(), stairs.commit_bytes.max()))
    return True


def finding(analysis):
    stairs = climbed(analysis)
    ahead = (stairs.commit_bytes - stairs.touched_bytes).groupby(
        [stairs.strategy, stairs.chunk_bytes, stairs.stepped], sort=False).max()
    return "Charged ahead of use, at most: " + ", ".join(
        f"{strategy}{' by ' + size_text(step) if stepped else ''} "
        f"{size_text(most) if most > 0 else 'nothing'}"
        for (strategy, step, stepped), most in ahead.items()) + "."


CHART = Chart(
    order=10,
    title="Commit charge as touching proceeds",
    description="Commit charge against bytes touched, as the touching of one region proceeds",
    caption="What is charged, read from the system as touching proceeds.",
    picture="The area between a staircase and the line of a strategy that commits page by page is"
            " charged and not yet used.",
    prepare=prepare, finding=finding)
