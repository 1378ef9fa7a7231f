"""`make overhead`: what the harness adds to what it measures.

Holds two harnesses against bare loops (tools/bare.c) that share no code with the suite, in
processes of their own, taken in turn; prints the median ratio with its confidence interval.
"""

import numpy

from vmcommit.base.cells import Configuration
from vmcommit.base.conventions import CONFIDENCE
from vmcommit.base.problems import Problem
from vmcommit.base.statistics import median_interval
from vmcommit.base.units import KIB, MIB, size_text
from vmcommit.commands.arguments import Parser, add_build, say
from vmcommit.measure import environment, harness

ROUNDS = {4 * KIB: 60, 64 * KIB: 60, MIB: 60, 16 * MIB: 40, 256 * MIB: 10}
STRATEGIES = ("upfront", "fault")  # of which there are bare loops
BARE_SECONDS = 600


def harness_ns(measured, _bare, size):
    return float(measured.take(Configuration(measured.strategy, size))["total_ns"])


def bare_ns(measured, bare, size):
    printed, _ = harness.succeeded([bare, measured.strategy.name, str(size)], BARE_SECONDS)
    return float(printed)


def ratios(measured, bare, size, rounds):
    """log(harness / bare), the two taken in alternating order."""
    logs = []
    for round_number in range(rounds):
        order = (harness_ns, bare_ns) if round_number % 2 else (bare_ns, harness_ns)
        ns = {measure: measure(measured, bare, size) for measure in order}
        logs.append(numpy.log(ns[harness_ns] / ns[bare_ns]))
    return logs


def main(arguments):
    parser = Parser("overhead", __doc__)
    add_build(parser)
    build = parser.parse_args(arguments).build
    described = harness.described(build)
    bare = str(build.resolve() / "bin" / "bare")
    say(f"{'size':>10} {'strategy':>10} {'harness / bare':>15}   "
        f"{100 * CONFIDENCE:.0f} % confidence interval")
    with environment.pinned():
        for size, rounds in ROUNDS.items():
            for name in STRATEGIES:
                try:
                    logs = ratios(described[name], bare, size, rounds)
                except harness.HarnessFailed as failure:
                    raise Problem(f"{name} {size_text(size)}: {failure}") from None
                median, low, high, _ = numpy.exp(median_interval(logs))
                say(f"{size_text(size):>10} {name:>10} {median:>15.3f}   {low:.3f} to {high:.3f}")
    return 0
