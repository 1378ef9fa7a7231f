"""`make trend`: ns per page over revisions, and the revision at which each change began."""

import shutil
import sys

from vmcommit.base.files import relative
from vmcommit.base.places import SETUP, command
from vmcommit.base.text import counted
from vmcommit.commands.arguments import Parser, add_results, say
from vmcommit.commands.edge import keeping
from vmcommit.gate import changes, rules
from vmcommit.show import trend


def sentences(found):
    """What changed, the largest first."""
    return [f"{cell}: {rules.share_text(ratio)} from revision "
            f"{str(row.revision)[:12] or 'unknown'} ({row.time[:16]}) on" for cell, row, ratio in
            sorted(found, key=lambda change: -abs(change[2] - 1))]


def say_changes(table, found, note):
    say(f"{counted(table.time.nunique(), 'comparison')}, {counted(table.cell.nunique(), 'cell')}, "
        f"{counted(table.machine.nunique(), 'machine')}; "
        f"{counted(len(found), 'change') if found else 'no changes'}")
    for sentence in sentences(found):
        say(f"  {sentence}")
    if note:
        say(f"NOTE: {note}")


def main(arguments):
    parser = Parser("trend", __doc__)
    add_results(parser, "holds history.csv")
    results = parser.parse_args(arguments).results
    table, note = changes.read(results / "history.csv")
    found = changes.found(table)
    say_changes(table, found, note)
    if not shutil.which("gnuplot"):
        print(f"trend: gnuplot not found, so without a chart: {SETUP}",
              file=sys.stderr)
        return 1
    with keeping(remedy=f"make room, or make it writable, then {command('trend')}"):
        trend.draw(table, found, results / "trend")
    say(f"chart: {relative(results / 'trend' / 'trend.svg')}")
    return 0
