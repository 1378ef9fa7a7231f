"""`make trend`: ns per page over revisions, and the revision at which each change began."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

import charts
import history
from bench import relative, say
from campaign import DEFAULT_STEP, STEPPED, size_text
from command import RESULTS


def drawn_rows(table):
    """The cells that the chart shows: all touched, at the default step."""
    plain = ~table.strategy.isin(STEPPED) | (table.chunk_bytes == DEFAULT_STEP)
    return table[plain & (table.touch == 1)]


def draw(table, found, folder):
    """folder/trend.svg and .png: a panel for each strategy, a line for each size."""
    folder.mkdir(parents=True, exist_ok=True)
    order = {when: at for at, when in enumerate(table.time.unique(), 1)}
    rows = drawn_rows(table)
    sizes = sorted(rows.size_bytes.unique())
    there = charts.strategies(rows)
    with tempfile.TemporaryDirectory() as scratch:
        tables = charts.Tables(pathlib.Path(scratch))
        tables.define("present", " ".join(there))
        tables.write("trend", {f"{strategy} {size}": [
            [order[row.time], row.ns_per_page, row.ns_per_page_low, row.ns_per_page_high]
            for _, row in rows[(rows.strategy == strategy) & (rows.size_bytes == size)].iterrows()]
            for strategy in there for size in sizes})
        tables.write("changes", {strategy: [[order[row.time]] for _, row, _ in found
                                            if row.strategy == strategy]
                                 for strategy in there})
        low, high = 0.8 * rows.ns_per_page_low.min(), 1.2 * rows.ns_per_page_high.max()
        tables.define("page_low", low)
        tables.define("page_high", high)
        tables.define_tics("page_tics", charts.steps_125(low, high), charts.time_text)
        tables.define("revisions", len(order))
        tables.define("sizes", len(sizes))
        tables.define_names("size_name", [size_text(int(size)) for size in sizes])
        tables.define("doubt", "")
        tables.define("caption", f"{len(order)} comparisons, oldest left; medians with 95 % "
                                 "intervals; a line across: a change began")
        charts.render(tables, ["trend"], folder)


def sentences(found):
    """What changed, the largest first."""
    return [f"{cell}: {100 * (ratio - 1):+.1f} % from revision {str(row.revision)[:12]} "
            f"({row.time[:16]}) on" for cell, row, ratio in
            sorted(found, key=lambda one: -abs(one[2] - 1))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    results = parser.parse_args().results
    try:
        table = history.read(results / "history.csv")
    except history.Unusable as why:
        print(f"trend: {relative(results / 'history.csv')}: {why}", file=sys.stderr)
        return 2
    found = history.changes(table)
    say(f"{table.time.nunique()} comparisons, {table.cell.nunique()} cells, "
        f"{table.machine.nunique()} machines; {len(found) or 'no'} "
        f"change{'s' if len(found) != 1 else ''}")
    for sentence in sentences(found):
        say(f"  {sentence}")
    if not shutil.which("gnuplot"):
        print("trend: gnuplot not found, so without a chart: run ./scripts/setup.sh",
              file=sys.stderr)
        return 1
    try:
        draw(table, found, results / "trend")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"trend: cannot draw: {getattr(error, 'stderr', None) or error}", file=sys.stderr)
        return 1
    say(f"chart: {relative(results / 'trend' / 'trend.svg')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
