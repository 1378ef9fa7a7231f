"""`make bench`: measure, analyse, draw, and say what to choose on this machine.

Whatever happens, rows that were measured stay in samples.csv, one line says what happened and what
to do, and the exit status is not 0.
"""

import datetime
import json
import os
import pathlib
import random
import shutil
import textwrap
import time

from vmcommit.analyse import analysis
from vmcommit.analyse.summary import write_summary
from vmcommit.base import strategies
from vmcommit.base.conventions import DEFAULT_STEP
from vmcommit.base.files import locked, relative, write_json
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.runs import ENVIRONMENT, SAMPLES
from vmcommit.base.text import counted, listed
from vmcommit.base.units import duration_text, size_text
from vmcommit.commands.arguments import ROOT, Parser, add_build, add_results, add_subjects, say
from vmcommit.commands.edge import keeping
from vmcommit.measure import (campaign, details, disturbance, environment, harness, process_times,
                              profiles, progress)
from vmcommit.measure.plan import Plan
from vmcommit.measure.subjects import Subjects
from vmcommit.show import charts, page, tables

LATEST = "latest"


def options(arguments):
    parser = Parser("bench", __doc__)
    parser.add_argument("--profile", default=os.environ.get("VMCOMMIT_PROFILE") or "default",
                        help=f"{', '.join(profiles.PROFILES)} (default: default)")
    add_build(parser)
    parser.add_argument("--emulator", default="",
                        help="what the harnesses are run through, as in wine")
    parser.add_argument("--into", default=LATEST, help="folder of the run, below the results")
    add_results(parser, "gets latest/")
    parser.add_argument("--seed", type=int, help="of the random order (default: a new one)")
    add_subjects(parser)
    parser.set_defaults(library=os.environ.get("VMCOMMIT_LIBRARY", ""),
                        allocator=os.environ.get("VMCOMMIT_ALLOCATOR", ""))
    asked = parser.parse_args(arguments)
    asked.subjects = Subjects(asked.library, asked.allocator)
    asked.results = asked.results.resolve()
    asked.emulator = asked.emulator.split()
    if asked.profile not in profiles.PROFILES:
        raise Usage(f"PROFILE: '{asked.profile}' is no profile; use "
                    f"{', '.join(profiles.PROFILES)}")
    return asked


def harnesses(asked):
    """{name: Harness} of the built-in strategies, and of what the user brought."""
    if asked.emulator and not shutil.which(asked.emulator[0]):
        raise Problem(f"{asked.emulator[0]} is missing; run ./scripts/setup.sh")
    described = harness.described(asked.build, tuple(asked.emulator))
    brought = asked.subjects.harnesses(described, asked.emulator)
    return {name: brought.get(name, one) for name, one in described.items()
            if name in brought or not one.strategy.brought}


def when_begun(folder):
    """When a run began: as it says itself, or else when its folder was made."""
    try:
        text = json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8"))["started"]
        return datetime.datetime.fromisoformat(text)
    except (OSError, ValueError, KeyError, TypeError):
        return datetime.datetime.fromtimestamp(folder.stat().st_ctime)


def fresh_folder(results, name):
    """The run's folder, empty; the run that was there moves beside it under the time it began."""
    latest = results / name
    try:
        if latest.exists():
            moved = when_begun(latest).strftime("%Y-%m-%d-%H%M%S")
            taken = len(list(results.glob(f"{moved}*")))
            latest.rename(results / (f"{moved}-{taken}" if taken else moved))
        latest.mkdir()
    except OSError as error:
        raise Problem(f"cannot write {relative(latest)}: {error.strerror}; nothing was measured. "
                      "Make it writable, or name another folder by RESULTS=") from None
    return latest


def beside(measured, program):
    """How a program starts that lies beside the harnesses."""
    *emulator, path = next(iter(measured.values())).command
    return [*emulator, str(pathlib.Path(path).with_stem(program))]


def calibrate(measured):
    """What the parts cost alone, by build/bin/calibrate; None if it could not be had."""
    printed = environment.output(*beside(measured, "calibrate"))
    return json.loads(printed) if printed else None


def measure(asked, measured, folder, described):
    """Carries the campaign out. Returns {configuration: how its harness died}."""
    profile = profiles.PROFILES[asked.profile]
    configurations = profiles.configurations(profile, environment.available_bytes(),
                                             [one.strategy for one in measured.values()])
    say(f"vmcommit bench, profile {asked.profile}: {len(configurations)} configurations, "
        f"about {duration_text(profile.seconds)} of measuring")
    with environment.pinned() as cpu:
        described["cpu"] = cpu
        started = time.monotonic()
        try:
            carried = campaign.Campaign(measured, Plan(profile, configurations),
                                        described["seed"], folder / SAMPLES)
        except harness.HarnessFailed as failure:
            raise Problem(f"a harness {failure}; nothing was measured") from None
        described["calibration"] = calibrate(measured)
        before = disturbance.read(cpu)
        shown = progress.on()
        try:
            carried.run(shown)
            described["seconds_measuring"] = round(time.monotonic() - started, 1)
        finally:
            described["disturbance"] = disturbance.between(before, disturbance.read(cpu))
            shown.close()
            described["rounds"] = carried.plan.rounds
            write_json(folder / ENVIRONMENT, described)
        look_into(measured, profile, folder, described["seed"], carried.failed)
    return carried.failed


def look_into(measured, profile, folder, seed, failed):
    """What is measured after the rounds: whole processes, and details."""
    if shutil.which("hyperfine"):
        built_in = [one for one in measured.values() if not one.strategy.brought]
        process_times.measure(built_in, folder, profile.sweep_size, profile.process_runs, seed)
    details.measure(measured, profile, environment.available_bytes(), folder, failed)
    details.measure_calls(beside(measured, "calls"), folder)


def draw(folder):
    """Everything that follows from what was measured; says the answer."""
    analysed = analysis.read(folder)
    write_summary(analysed.summary, folder / "summary.csv")
    write_json(folder / "advice.json", analysed.as_json())
    drawn = charts.draw(analysed, folder / "charts") if shutil.which("gnuplot") else []
    page.write(analysed, folder, drawn)
    say()
    say(tables.of_sizes(analysed.summary))
    for _, row in analysed.summary[analysed.summary.counts != "exact"].iterrows():
        say(f"COUNTS DIFFER between rounds: {row.strategy} {size_text(row.size_bytes)}: "
            f"{row.counts}")
    for note in analysed.run.notes:
        say(f"NOTE: {note}")
    say()
    for sentence in analysed.sentences:
        say(textwrap.fill(sentence.text, 96, initial_indent="- ", subsequent_indent="  "))
    say()
    say(f"report: {relative(folder / 'report.html')}")


def missing_tools():
    return [tool for tool in ("hyperfine", "gnuplot") if not shutil.which(tool)]


def kept_in(folder):
    """How many samples a run's folder holds, in words."""
    path = folder / SAMPLES
    if not path.exists():
        return "nothing was measured"
    lines = path.read_bytes().count(b"\n")
    return f"{counted(max(lines - 1, 0), 'sample')} kept in {relative(path)}"


def bench(asked):
    measured = harnesses(asked)
    missing = missing_tools()
    if missing:
        say(f"{listed(missing)} not found: measuring goes on without")
    folder = fresh_folder(asked.results, asked.into)
    described = environment.describe(ROOT, asked.build) | {
        "strategies": [strategies.to_json(one.strategy) for one in measured.values()],
        "own": asked.subjects.described(), "profile": asked.profile,
        "emulator": environment.output(*asked.emulator, "--version") if asked.emulator else None,
        "seed": asked.seed if asked.seed is not None else random.SystemRandom().getrandbits(32),
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds")}
    with keeping(lambda: kept_in(folder), "; make report draws them"):
        write_json(folder / ENVIRONMENT, described)
        failed = measure(asked, measured, folder, described)
    with keeping(lambda: kept_in(folder), "; make room where that is the cause, then make report"):
        draw(folder)
    if failed:
        configuration, why = next(iter(failed.items()))
        raise Problem(f"{counted(len(failed), 'configuration')} failed, first {configuration}: the "
                      f"harness {why}; their rows say so, and all others are complete")
    if missing:
        raise Problem(f"{listed(missing)} not found, so not everything could be drawn; samples are "
                      "complete. Run ./scripts/setup.sh, then make report for the charts")


def main(arguments):
    asked = options(arguments)
    with locked(asked.results / ".lock", "measuring or drawing"):
        bench(asked)
    return 0
