"""`make overhead`: what the harness adds to what it measures.

Holds upfront and fault against bare loops (tests/bare.c) that share no code with the suite, in
processes of their own, taken in turn; prints the median ratio with its interval.
"""

import argparse
import pathlib
import subprocess

import numpy

import bench
import campaign
import summary

ROUNDS = {4 * campaign.KIB: 60, 64 * campaign.KIB: 60, campaign.MIB: 60, 16 * campaign.MIB: 40,
          256 * campaign.MIB: 10}


def harness_ns(folder, strategy, size):
    row = campaign.take([str(folder / strategy)], campaign.Configuration(strategy, size, "1"))
    return float(row["total_ns"])


def bare_ns(folder, strategy, size):
    return float(subprocess.run([str(folder / "bare"), strategy, str(size)], check=True,
                                capture_output=True, text=True).stdout)


def ratios(folder, strategy, size, rounds):
    """log(harness / bare), the two taken in alternating order."""
    found = []
    for round_number in range(rounds):
        order = (harness_ns, bare_ns) if round_number % 2 else (bare_ns, harness_ns)
        took = {measure: measure(folder, strategy, size) for measure in order}
        found.append(numpy.log(took[harness_ns] / took[bare_ns]))
    return found


def main():
    parser = argparse.ArgumentParser(description="Measure what the harness itself adds.")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    folder = parser.parse_args().build / "bin"
    bench.pin()
    print(f"{'size':>10} {'strategy':>10} {'harness / bare':>15}   95 % interval")
    for size, rounds in ROUNDS.items():
        for strategy in ("upfront", "fault"):
            median, low, high, _ = numpy.exp(
                summary.median_interval(ratios(folder, strategy, size, rounds)))
            print(f"{campaign.size_text(size):>10} {strategy:>10} {median:>15.3f}   "
                  f"{low:.3f} to {high:.3f}", flush=True)


if __name__ == "__main__":
    main()
