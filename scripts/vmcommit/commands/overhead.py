"""`make overhead`: what the harness adds to what it measures.

Holds two harnesses against bare loops (tools/bare.c) that share no code with the suite, in turns;
cycles of 16 and 256 MiB in slices. Prints the median ratio with its confidence interval.
"""

from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.problems import Problem
from vmcommit.base.units import KIB, MIB, size_text
from vmcommit.commands.arguments import Parser, add_build, say
from vmcommit.measure import bare as bare_loops
from vmcommit.measure import environment, harness, sets

SETS = {4 * KIB: 60, 64 * KIB: 60, MIB: 60, 4 * MIB: 40, 16 * MIB: 40, 256 * MIB: 12}
IN_ONE_GO = (4 * MIB, 16 * MIB)  # measured in one go as well
STRATEGIES = ("upfront", "fault")  # of which there are bare loops


def row_text(measured, bare, size, pace, way):
    try:
        median, low, high = bare_loops.ratio(measured, bare, size, pace, SETS[size])
    except harness.HarnessFailed as failure:
        raise Problem(f"{measured.strategy} {size_text(size)}: {failure}") from None
    return (f"{size_text(size):>10} {measured.strategy.name:>10} {way:>11} {median:>15.3f}   "
            f"{low:.3f} to {high:.3f}")


def main(arguments):
    parser = Parser("overhead", __doc__)
    add_build(parser)
    build = parser.parse_args(arguments).build
    described = harness.described(build)
    bare = str(build.resolve() / "bin" / "bare")
    say(f"{'size':>10} {'strategy':>10} {'cycle':>11} {'harness / bare':>15}   "
        f"{100 * CONFIDENCE:.0f} % confidence interval")
    with environment.pinned():
        pace = sets.pace_of(described[STRATEGIES[0]])
        for size in SETS:
            for name in STRATEGIES:
                sliced = bool(pace.slices(size // (4 * KIB)))
                say(row_text(described[name], bare, size, pace,
                             "in slices" if sliced else "in one go"))
                if sliced and size in IN_ONE_GO:
                    say(row_text(described[name], bare, size, sets.Pace(size), "in one go"))
    return 0
