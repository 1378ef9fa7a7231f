"""`make bench`: measure, analyse, draw, and say what to choose on this machine.

Whatever happens, rows that were measured stay in samples.csv, one line says what happened and what
to do, and the exit status says of which kind it was.

Exit status: 0 all was measured and drawn; 1 something broke, or is missing; 2 bad usage; 75 another
command is measuring or drawing in the same results folder; 128 and a signal's number: ended by it,
as 130 by Ctrl-C and 143 by SIGTERM.
"""

import contextlib
import dataclasses
import datetime
import hashlib
import itertools
import json
import os
import pathlib
import platform
import random
import re
import shutil
import time

from vmcommit.analyse import analysis, recording, summary
from vmcommit.base import strategies
from vmcommit.base.cells import PLAIN, Configuration, block_text
from vmcommit.base.files import locked, relative, write_json
from vmcommit.base.folder import ENVIRONMENT, SAMPLES, SHAPE, VERSION, Unreadable, filled, read_json
from vmcommit.base.places import OTHER_RESULTS, SETUP, command
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.text import counted, listed
from vmcommit.base.units import duration_text
from vmcommit.commands.arguments import (ROOT, Parser, add_build, add_results, add_seed,
                                         add_subjects, say)
from vmcommit.commands.edge import keeping
from vmcommit.measure import campaign, checkup, disturbance, environment, harness
from vmcommit.measure import plan as planning
from vmcommit.measure import profiles, progress, replays
from vmcommit.measure.campaigns import CAMPAIGNS, RECORDING, WHOLE, Scene
from vmcommit.measure.subjects import Subjects
from vmcommit.show import charts, page, terminal

LATEST = "latest"
PAGES_TIMED = 3  # cycles that tell how long a page takes
USUAL_PAGE_NS = 1500.0  # where they fail


def options(arguments):
    parser = Parser("bench", __doc__)
    parser.add_argument("--profile", default=os.environ.get("VMCOMMIT_PROFILE") or "default",
                        help=f"{', '.join(profiles.PROFILES)} (default: default)")
    parser.add_argument("--campaign", default=os.environ.get("VMCOMMIT_CAMPAIGN") or "",
                        metavar="NAME", help="; ".join(
                            f"{name}: {topic.summary}" for name, topic in CAMPAIGNS.items())
                        + f" (default: {WHOLE}; with --recording: {RECORDING})")
    parser.add_argument("--recording", metavar="DIR",
                        default=os.environ.get("VMCOMMIT_RECORDING") or "",
                        help="measure what record wrote there, replayed: as it was, against each "
                             "other kind of commit and of giving back")
    add_build(parser)
    parser.add_argument("--emulator", default="",
                        help="what the harnesses are run through, as in wine")
    parser.add_argument("--into", default=LATEST, help="folder of the run, below the results")
    add_results(parser, "gets latest/")
    add_seed(parser)
    add_subjects(parser)
    parser.set_defaults(library=os.environ.get("VMCOMMIT_LIBRARY", ""),
                        allocator=os.environ.get("VMCOMMIT_ALLOCATOR", ""))
    asked = parser.parse_args(arguments)
    asked.subjects = Subjects(asked.library, asked.allocator)
    asked.results = asked.results.resolve()
    asked.emulator = asked.emulator.split()
    if not re.fullmatch(r"\w[\w.-]*", asked.into):
        raise Usage(f"--into: '{asked.into}' is no name of a folder below the results; use "
                    "letters, digits, '.', '_' and '-'")
    if asked.profile not in profiles.PROFILES:
        raise Usage(f"PROFILE: '{asked.profile}' is no profile; use "
                    f"{', '.join(profiles.PROFILES)}")
    asked.campaign = asked.campaign or (RECORDING if asked.recording else WHOLE)
    if asked.campaign not in CAMPAIGNS:
        raise Usage(f"CAMPAIGN: '{asked.campaign}' is no campaign; use {', '.join(CAMPAIGNS)}")
    refuse_unfit_recording(asked)
    return asked


def refuse_unfit_recording(asked):
    if asked.campaign == RECORDING and not asked.recording:
        raise Usage(f"CAMPAIGN: '{RECORDING}' measures one; name its folder: make bench "
                    "RECORDING=DIR, or --recording DIR")
    if not asked.recording:
        return
    if asked.campaign != RECORDING:
        raise Usage(f"RECORDING: '{asked.recording}' has a campaign of its own; leave "
                    f"CAMPAIGN={asked.campaign} out")
    if asked.emulator:
        raise Usage(f"RECORDING: '{asked.recording}': nothing is replayed through "
                    f"{asked.emulator[0]}; leave --emulator out")


def harnesses(asked) -> dict:
    """{name: Harness} of the built-in strategies, and of what the user brought."""
    if asked.emulator and not shutil.which(asked.emulator[0]):
        raise Problem(f"{asked.emulator[0]} is missing; {SETUP}")
    described = harness.described(asked.build, tuple(asked.emulator))
    brought = asked.subjects.harnesses(described, asked.emulator)
    return {name: brought.get(name, built_in) for name, built_in in described.items()
            if name in brought or not built_in.strategy.brought}


def when_begun(folder) -> datetime.datetime:
    """When a run began: as it says itself, or else when its folder was made."""
    try:
        return datetime.datetime.fromisoformat(read_json(folder / ENVIRONMENT)["started"])
    except (Unreadable, ValueError, KeyError, TypeError):
        return datetime.datetime.fromtimestamp(folder.lstat().st_ctime)


def free_name(results, name) -> pathlib.Path:
    """A path below the results that nothing has, as near to the name as can be."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(1)))
    return next(results / each for each in names if not os.path.lexists(results / each))


def is_run(folder) -> bool:
    """Or one that was begun, or a link in the place of one."""
    return folder.is_symlink() or folder.is_dir() and (
        any((folder / name).exists() for name in (ENVIRONMENT, SAMPLES))
        or not any(folder.iterdir()))


def fresh_folder(results, name) -> pathlib.Path:
    """The run's folder, empty; the run that was there moves beside it under the time it began.
    Raises Usage where a name that was asked for is something else's, as baselines is."""
    latest = results / name
    if name != LATEST and os.path.lexists(latest) and not is_run(latest):
        raise Usage(f"--into: '{name}' is there and holds no run; name another folder")
    try:
        if os.path.lexists(latest):
            latest.rename(free_name(results, when_begun(latest).strftime("%Y-%m-%d-%H%M%S")))
        latest.mkdir()
    except OSError as error:
        raise Problem(f"cannot write {relative(latest)}: {error.strerror}; nothing was measured. "
                      f"Make it writable, or name another folder by {OTHER_RESULTS}") from None
    return latest


@dataclasses.dataclass
class Outcome:
    """What a run could not measure. `failed`: {configuration: how its harness died}; `troubles`:
    what else is missing, and why."""

    failed: dict
    troubles: list

    def attempt(self, action, *arguments):
        """What fails leaves the rest alone."""
        try:
            action(*arguments)
        except Problem as problem:
            self.troubles.append(str(problem))


def calibrate(scene, troubles):
    """What the parts cost alone, by build/bin/calibrate; None if it could not be had."""
    try:
        printed, _ = harness.succeeded(scene.program("calibrate"), environment.OUTPUT_SECONDS)
        return filled(json.loads(printed), SHAPE["calibration"])
    except (harness.HarnessFailed, ValueError, RecursionError) as error:
        troubles.append(f"no calibration: the program calibrate {error}")
        return None


def page_ns(upfront, size) -> float:
    """Of a whole cycle, roughly: what large regions take, which calibrating has none of. The least
    of some, since the first ones may meet memory that the host had taken back."""
    configuration = Configuration(upfront.strategy, size)
    try:
        return min(float(row["total_ns"]) / float(row["minor_faults"]) for row in
                   [upfront.take(configuration) for _ in range(PAGES_TIMED)])
    except (harness.HarnessFailed, ValueError, ZeroDivisionError):
        return USUAL_PAGE_NS


def measure(asked, measured, folder, described) -> Outcome:
    """Carries the campaign out, and what follows its rounds."""
    topic = CAMPAIGNS[asked.campaign]
    profile = topic.profile(profiles.PROFILES[asked.profile])
    available = environment.available_bytes()
    configurations = topic.configurations(profile, available,
                                          [each.strategy for each in measured.values()])
    say(f"vmcommit bench, {campaign_text(asked)}: {len(configurations)} configurations, "
        f"about {duration_text(profile.seconds)} of measuring")
    outcome = Outcome({}, [])
    with contextlib.closing(progress.on()) as shown:
        scene = Scene(measured, profile, folder, described["seed"], available, outcome.failed,
                      shown, asked.recording and pathlib.Path(asked.recording))
        with environment.pinned() as cpu:
            described["cpu"] = cpu
            described["calibration"] = calibrate(scene, outcome.troubles)
            plan = planning.Plan(
                topic.of_rounds(profile, page_ns(measured[UPFRONT], profile.sweep_size)),
                configurations, available / 2)
            carried = campaign.Campaign(measured, plan, described["seed"], folder / SAMPLES,
                                        outcome.failed)
            described["guard"] = carried.guard
            carry_out(carried, scene, described)
            for step in topic.steps:
                outcome.attempt(step, scene)
        for step in topic.unpinned:
            outcome.attempt(step, scene)
    return outcome


def campaign_text(asked) -> str:
    """profile default; campaign release, profile default"""
    return ("" if asked.campaign == WHOLE else f"campaign {asked.campaign}, ") \
        + f"profile {asked.profile}"


def carry_out(carried, scene, described):
    """The rounds alone."""
    with keeping_environment(scene.folder, described, carried.plan, described["cpu"]):
        started = time.monotonic()
        carried.run(scene.shown)
        described["seconds_measuring"] = round(time.monotonic() - started, 1)


@contextlib.contextmanager
def keeping_environment(folder, described, plan, cpu):
    """Writes environment.json when the rounds end, however they end."""
    before = disturbance.read(cpu)

    def write():
        described["disturbance"] = disturbance.between(before, disturbance.read(cpu))
        described["rounds"] = plan.rounds
        described["left_out"] = list(map(block_text, plan.left_out))
        write_json(folder / ENVIRONMENT, described)

    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # what ended the rounds is what there is to say
            write()
        raise
    write()


def draw(folder):
    """Everything that follows from what was measured; says the answer."""
    analysed = analysis.read(folder)
    summary.write_summary(analysed.every, folder / "summary.csv")
    write_json(folder / "advice.json", analysed.as_json())
    drawn = charts.draw(analysed, folder / "charts") if shutil.which("gnuplot") else {}
    page.write(analysed, folder, drawn)
    say()
    say(terminal.answer(analysed, relative(folder / "report.html")))


def refuse_missing_modules():
    """What draws is loaded only when all is measured, and should be there then."""
    if missing := checkup.missing_modules():
        raise Problem(f"this Python has no {listed(missing)}: {SETUP}")


def missing_tools():
    return [tool for tool in ("hyperfine", "gnuplot") if not shutil.which(tool)]


def kept_in(folder) -> str:
    """How many samples a run's folder holds, and what to do with them, in words."""
    try:
        lines = (folder / SAMPLES).read_bytes().count(b"\n")
    except OSError:
        lines = 0
    if lines < 2:
        return "nothing was measured"
    return f"{counted(lines - 1, 'sample')} kept in {relative(folder / SAMPLES)}; " \
        f"{command('report')} draws them"


def describe(asked, measured) -> dict:
    """What environment.json holds from the start."""
    return environment.describe(ROOT, asked.build) | {
        "version": VERSION, "host": platform.node() or None,
        "strategies": [strategies.to_json(each.strategy) for each in measured.values()],
        "own": asked.subjects.described(), "recording": describe_recording(asked),
        "profile": asked.profile, "campaign": asked.campaign,
        "emulator": environment.output(*asked.emulator, "--version") if asked.emulator else None,
        "seed": asked.seed if asked.seed is not None else random.SystemRandom().getrandbits(32),
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds")}


def describe_recording(asked):
    """What environment.json holds of the recording; None where none was asked for. Raises Usage
    where it can't be replayed."""
    if not asked.recording:
        return None
    folder = pathlib.Path(asked.recording)
    program = replays.harness_of(asked.build / "bin", folder)
    replays.able_part_of(program, PLAIN)
    log = folder / recording.LOG
    return {"folder": folder.resolve().name, "program": recording.program_of(log),
            "sha256": hashlib.sha256(log.read_bytes()).hexdigest(),
            "strategy": strategies.to_json(program.strategy)}


def refuse_incomplete(outcome, missing):
    """Raises Problem where something could not be measured or drawn; what could be is there."""
    if outcome.failed:
        configuration, why = next(iter(outcome.failed.items()))
        raise Problem(f"{counted(len(outcome.failed), 'configuration')} failed, first "
                      f"{configuration}: the harness {why}; their rows say so, and all others are "
                      "complete")
    if outcome.troubles:
        raise Problem(f"{'; '.join(outcome.troubles)}; samples are complete")
    if missing:
        raise Problem(f"{listed(missing)} not found, so not everything could be drawn; samples are "
                      f"complete. {SETUP[0].upper()}{SETUP[1:]}, then {command('report')} for the "
                      "charts")


def bench(asked, measured):
    missing = missing_tools()
    if missing:
        say(f"{listed(missing)} not found: measuring goes on without")
    described = describe(asked, measured)
    folder = fresh_folder(asked.results, asked.into)
    with keeping(lambda: kept_in(folder), "make room where that is the cause"):
        write_json(folder / ENVIRONMENT, described)
        outcome = measure(asked, measured, folder, described)
    with keeping(lambda: kept_in(folder), "make room where that is the cause"):
        draw(folder)
    refuse_incomplete(outcome, missing)


def main(arguments):
    with keeping(lambda: "nothing was measured",
                 f"make it writable, or name another folder by {OTHER_RESULTS}"):
        asked = options(arguments)
        refuse_missing_modules()
        measured = harnesses(asked)
        with locked(asked.results / ".lock", "measuring or drawing"):
            bench(asked, measured)
    return 0
