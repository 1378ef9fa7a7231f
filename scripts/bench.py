"""`make bench`: measure, collect, draw. `make report`: draw again what results/latest holds.

Whatever happens, rows that were measured stay in samples.csv, one line says what happened and what
to do, and the exit status is not 0.
"""

import argparse
import datetime
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import textwrap
import time

import campaign
import disturbance
import environment
import own
import progress
from command import RESULTS, ROOT, Problem, Usage

WHOLE_RUNS = {"quick": 6, "default": 10, "full": 20}


def say(text=""):
    print(text, flush=True)


def relative(path):
    """As the reader would type it."""
    return os.path.relpath(path)


def options():
    parser = argparse.ArgumentParser(description="Measure what it costs to commit memory.")
    parser.add_argument("--profile", default=os.environ.get("VMCOMMIT_PROFILE") or "default",
                        help=f"{', '.join(campaign.PROFILES)} (default: default)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="build folder; the harnesses are in its bin/")
    parser.add_argument("--emulator", default="",
                        help="what the harnesses are run through, as in wine")
    parser.add_argument("--into", default="latest", help="folder of the run, below the results")
    parser.add_argument("--results", type=pathlib.Path,
                        default=RESULTS,
                        help="folder that gets latest/")
    parser.add_argument("--seed", type=int, help="of the random order (default: a new one)")
    own.add_options(parser)
    parser.add_argument("--only-report", action="store_true",
                        help="measure nothing; draw results/latest again")
    parser.set_defaults(library=os.environ.get("VMCOMMIT_LIBRARY", ""),
                        allocator=os.environ.get("VMCOMMIT_ALLOCATOR", ""))
    chosen = parser.parse_args()
    chosen.own = own.Own(chosen.library, chosen.allocator)
    chosen.results = chosen.results.resolve()
    if chosen.profile not in campaign.PROFILES:
        raise Usage(f"PROFILE: '{chosen.profile}' is no profile; use "
                    f"{', '.join(campaign.PROFILES)}")
    return chosen


def programs(chosen):
    """{strategy: the start of its command}"""
    suffix = ".exe" if os.name == "nt" or chosen.emulator else ""
    emulator = chosen.emulator.split()
    found = {}
    for strategy in campaign.STRATEGIES:
        path = chosen.build.resolve() / "bin" / (strategy + suffix)
        if not path.exists():
            raise Problem(f"{relative(path)} is missing; build first: make, or "
                          "cmake --preset release && cmake --build build")
        found[strategy] = [*emulator, str(path)]
    if emulator and not shutil.which(emulator[0]):
        raise Problem(f"{emulator[0]} is missing; run ./scripts/setup.sh")
    return found | chosen.own.programs(chosen.build.resolve() / "bin", emulator)


def fresh_folder(results, name):
    """The run's folder, empty; the run that was there moves beside it under the time it began."""
    latest = results / name
    try:
        results.mkdir(parents=True, exist_ok=True)
        if latest.exists():
            when = datetime.datetime.fromtimestamp(latest.stat().st_ctime)
            described = latest / "environment.json"
            if described.exists():
                when = datetime.datetime.fromisoformat(json.loads(described.read_text())["started"])
            moved = when.strftime("%Y-%m-%d-%H%M%S")
            taken = len(list(results.glob(f"{moved}*")))
            latest.rename(results / (f"{moved}-{taken}" if taken else moved))
        latest.mkdir()
    except OSError as error:
        raise Problem(f"cannot write {relative(latest)}: {error.strerror}; nothing was measured. "
                      "Make it writable, or name another folder by RESULTS=") from None
    return latest


def pin():
    """Keeps this process, and so every harness that it starts, on the last CPU it may use."""
    if hasattr(os, "sched_setaffinity"):
        cpu = max(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cpu})
        return cpu
    return None


def unpin(cpus):
    if cpus:
        os.sched_setaffinity(0, cpus)


def write_json(path, value):
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def calibrate(commands):
    """What the parts cost alone, by build/bin/calibrate; None if it could not be had."""
    *emulator, upfront = commands["upfront"]
    program = str(pathlib.Path(upfront).with_stem("calibrate"))
    told = environment.output(*emulator, program)
    return json.loads(told) if told else None


def measure(chosen, commands, folder, described):
    """Carries the campaign out. Returns it, so that what failed can be told."""
    profile = campaign.PROFILES[chosen.profile]
    configurations = campaign.configurations(profile, environment.available_bytes(), [*commands])
    say(f"vmcommit bench, profile {chosen.profile}: {len(configurations)} configurations, "
        f"about {progress.duration(profile.seconds)} of measuring")
    cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    described["cpu"] = pin()
    started = time.monotonic()
    try:
        carried = campaign.Campaign(commands, campaign.Plan(profile, configurations),
                                    described["seed"], folder / "samples.csv")
    except campaign.HarnessFailed as failure:
        raise Problem(f"a harness {failure}; nothing was measured") from None
    described["calibration"] = calibrate(commands)
    before = disturbance.read(described["cpu"])
    shown = progress.on()
    try:
        carried.run(shown)
    finally:
        described["disturbance"] = disturbance.between(before, disturbance.read(described["cpu"]))
        shown.close()
        described["seconds_measuring"] = round(time.monotonic() - started, 1)
        described["rounds"] = carried.plan.rounds
        write_json(folder / "environment.json", described)
    if shutil.which("hyperfine"):
        import whole
        whole.measure(commands, folder, profile.sweep_size, WHOLE_RUNS[chosen.profile],
                      described["seed"])
    import details
    details.measure(commands, profile, environment.available_bytes(), folder,
                    carried.failed)
    unpin(cpus)
    return carried


def cell(ns):
    return "-" if ns is None or ns != ns else f"{ns:,.0f}".replace(",", " ")


def table(summary):
    """ns per touched page with all touched, a row for each size: what most readers look for."""
    import charts
    full, _ = charts.parts(summary)
    cells = full.pivot(index="size_bytes", columns="strategy", values="ns_per_page")
    strategies = charts.strategies(summary)
    step = campaign.size_text(campaign.DEFAULT_STEP)
    lines = [f"ns per touched page, all touched, step {step}{charts.doubt(summary)}",
             f"{'size':>10}" + "".join(f"{strategy:>10}" for strategy in strategies)]
    for size, row in cells.iterrows():
        lines.append(f"{campaign.size_text(size):>10}" + "".join(
            f"{cell(row.get(strategy)):>10}" for strategy in strategies))
    return "\n".join(lines)


def draw(folder):
    """Everything that follows from what was measured; says the answer."""
    import analysis
    import charts
    import report
    import summary as summaries
    try:
        found = analysis.read(folder)
    except (OSError, ValueError) as error:
        raise Problem(f"cannot read the run in {relative(folder)}: {error}; run make bench") \
            from None
    summaries.write_summary(found.summary, folder / "summary.csv")
    write_json(folder / "advice.json", found.as_json())
    drawn = []
    if shutil.which("gnuplot"):
        drawn = charts.draw(found.summary, found.described, folder / "charts")
    report.write(found, folder, drawn)
    say()
    say(table(found.summary))
    for _, row in found.summary[found.summary.counts != "exact"].iterrows():
        say(f"COUNTS DIFFER between rounds: {row.strategy} {campaign.size_text(row.size_bytes)}: "
            f"{row.counts}")
    say()
    for sentence in found.told:
        say(textwrap.fill(sentence.text, 96, initial_indent="- ", subsequent_indent="  "))
    say()
    say(f"report: {relative(folder / 'report.html')}")


def missing_tools():
    return [tool for tool in ("hyperfine", "gnuplot") if not shutil.which(tool)]


def bench(chosen):
    if chosen.only_report:
        draw(chosen.results / chosen.into)
        return
    commands = programs(chosen)
    missing = missing_tools()
    if missing:
        say(f"{' and '.join(missing)} not found: measuring goes on without")
    folder = fresh_folder(chosen.results, chosen.into)
    described = environment.describe(ROOT, chosen.build) | {
        "own": chosen.own.described(),
        "profile": chosen.profile,
        "emulator": environment.output(*chosen.emulator.split(), "--version")
        if chosen.emulator else None,
        "seed": chosen.seed if chosen.seed is not None else random.SystemRandom().getrandbits(32),
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds")}
    write_json(folder / "environment.json", described)
    carried = measure(chosen, commands, folder, described)
    draw(folder)
    if carried.failed:
        configuration, why = next(iter(carried.failed.items()))
        number = len(carried.failed)
        raise Problem(f"{number} configuration{'s' if number > 1 else ''} failed, first {configuration}: the "
                      f"harness {why}; their rows say so, and all others are complete")
    if missing:
        raise Problem(f"{' and '.join(missing)} not found, so not everything could be drawn; "
                      "samples are complete. Run ./scripts/setup.sh, then make report for the "
                      "charts")


def kept(chosen):
    """How many samples the run's folder holds."""
    path = chosen.results / chosen.into / "samples.csv"
    return f"{sum(1 for _ in open(path)) - 1} samples are kept in {relative(path)}" \
        if path.exists() else "nothing was measured"


def main():
    try:
        chosen = options()
    except Problem as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return problem.status
    try:
        bench(chosen)
        return 0
    except Problem as problem:
        message, status = str(problem), problem.status
    except KeyboardInterrupt:
        message, status = f"interrupted; {kept(chosen)}; make report draws them", 130
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines() or ["no message"]
        message = (f"{error.cmd[0]} ended with status {error.returncode}: {said[-1]}; "
                   f"{kept(chosen)}; make report draws them again")
        status = 1
    except OSError as error:
        written = relative(error.filename) if error.filename else "the results"
        message = (f"cannot write {written}: {error.strerror}; "
                   f"{kept(chosen)}. Make room, then make report or make bench")
        status = 1
    print(f"bench: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
