"""`make verify`: the counts of one sample of each strategy, and of each other kind of what it can
do, held against tools that are not ours.

strace sees the calls and the signals of the region, perf the page faults of the process, and this
process reads /proc/PID/smaps and Committed_AS while strace holds the harness up at its peak. The
two are printed side by side; the exit status is 1 if any differ. Committed_AS is the whole
system's: where other processes move it meanwhile, that is said, and is no difference.
"""

import concurrent.futures
import csv
import dataclasses
import os
import pathlib
import re
import shutil
import statistics
import tempfile
import time
from typing import Iterator

from vmcommit.base import processes
from vmcommit.base.places import SETUP
from vmcommit.base.problems import Problem
from vmcommit.base.strategies import UPFRONT
from vmcommit.base.text import last_line, listed
from vmcommit.base.units import MIB
from vmcommit.commands.arguments import Parser, add_build, say
from vmcommit.measure import harness, turns
from vmcommit.measure.traced import Traced

SIZE = 16 * MIB
HALF = SIZE // 2
PERF_STAT = f"perf stat, {SIZE // MIB} less {HALF // MIB} MiB"
HOLD_SECONDS = 0.5
PERF_RUNS, OTHERS_PERF_RUNS = 7, 3  # of what is as it is by default; of each other kind
SYSTEM_SLACK = MIB  # Committed_AS moves with every process of the machine
READINGS = 5  # what others have moved, or what was read too late, is read again
BESIDE = 4  # cases at a time: they stand still for most of theirs
SECONDS = 120  # that a harness may take under a tool
PURGE_STEP = ("--purge-step", "64K")
PAGES = ("thp-64K", "huge")
STACK_LIMIT = ("prlimit", f"--stack={2 * SIZE}:")
LIST_BYTES = 4  # a touch of an order that needs a list
COMM_LETTERS = 15  # of a program's name, that /proc/PID/comm has
PEAK = ("commit_bytes", "resident_bytes")
PURGED = ("purged_commit_bytes", "purged_resident_bytes")
RETOUCHED = ("retouched_commit_bytes", "resident_bytes")
WIDTH = 23  # letters of the longest case
UNSEEN = ("populate",)  # commits whose faults perf does not see


class NotTaken(Exception):
    """This machine can't take such a sample now; the row's status, and why."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A harness, and what of it is not as it is by default; `around`: words that its command begins
    with."""

    name: str
    program: str
    options: tuple = ()
    around: tuple = ()

    def command(self, size, *how):
        return [*self.around, self.program, "--size", str(size), *(how or ("--repeat", "1")),
                *self.options]

    def __str__(self):
        kinds = [value for option, value in zip(self.options[::2], self.options[1::2], strict=True)
                 if option != PURGE_STEP[0]]
        return " ".join([self.name, *kinds])


def cases(strategy, program) -> list[Case]:
    """As it is by default, and with each other kind of what it can do."""
    kinds: list[tuple] = [("--commit", kind) for kind in strategy.commit[1:]]
    kinds += [("--growth", "double")] * ("--growth" in strategy.options)
    kinds += [("--trap", kind) for kind in strategy.trap[1:]]
    kinds += [("--pages", kind) for kind in strategy.pages if kind in PAGES]
    if strategy.name == UPFRONT:  # others give back in the same way
        kinds += [("--purge", kind, *PURGE_STEP) for kind in strategy.purge[1:]]
    around = STACK_LIMIT if "growsdown" in strategy.commit else ()
    return [Case(strategy.name, program, options, around) for options in [(), *kinds]]


def without_randomisation(command):
    """Addresses that stay the same from run to run."""
    return ["setarch", "--addr-no-randomize", *command]


def parse_row(text):
    rows = list(csv.DictReader(text.splitlines()))
    if len(rows) != 1:
        raise Problem(f"a harness gave {len(rows)} rows where it should give one")
    return rows[0]


def strace(case, log, *options):
    return [*without_randomisation(["strace", "-f", *options, "-o", log]), *case.command(SIZE)]


def traced(command, **options):
    """A finished process; its output. Raises Problem where it does not end well or in time."""
    tool = command[0] if command[0] != "setarch" else command[2]
    try:
        done = processes.run(command, SECONDS, **options)
    except processes.TimeoutExpired:
        raise Problem(f"{tool} did not end within {SECONDS} s") from None
    if done.returncode != 0:
        raise Problem(f"{tool} ended with status {done.returncode}: {last_line(done.stderr)}")
    return done


def committed_as() -> int:
    text = pathlib.Path("/proc/meminfo").read_text(encoding="utf-8")
    return int(re.findall(r"^Committed_AS:\s+(\d+)", text, re.M)[0]) * 1024


def smaps_charge(process, start, end):
    """Charged and resident bytes of a range in another process."""
    charged = resident = 0
    text = pathlib.Path(f"/proc/{process}/smaps").read_text()
    for mapping in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.M)[1:]:
        low, high = (int(end, 16) for end in re.match(r"(\S+)-(\S+) ", mapping).groups())
        inside = min(high, end) - max(low, start)
        if inside > 0:
            charged += inside * bool(re.search(r"^VmFlags:.* ac\b", mapping, re.M))
            resident += int(re.search(r"^Anonymous:\s+(\d+)", mapping, re.M)[1]) * 1024
    return charged, resident


@dataclasses.dataclass
class Held:
    """What was read while strace held a harness up: its row, its region's charge and residency
    before the release, and Committed_AS then and after it; None where no reading came in time."""

    row: dict
    charged: int
    resident: int
    system_peak: int | None
    system_after: int | None

    @property
    def system_fall(self):
        return None if None in (self.system_peak, self.system_after) else \
            self.system_peak - self.system_after


def read_while(process, name, region):
    """((charged, resident), Committed_AS) again and again, until the harness of that name ends."""
    readings = []
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + SECONDS
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise Problem(f"strace did not end within {SECONDS} s")
        time.sleep(0.02)
        try:
            for child in children.read_text().split():
                if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == name[:COMM_LETTERS]:
                    readings.append((smaps_charge(child, region.start, region.end),
                                     committed_as()))
        except OSError:
            continue  # it has just ended
    return readings


def most_frequent(values):
    return statistics.mode(values) if values else None


def read_held(case, region, folder, call, *delays):
    """(row, readings) of a run that strace holds up at a call."""
    command = strace(case, f"{folder}/held", "-e", f"trace={call}", "-e",
                     f"inject={call}:{':'.join(delays)}")
    with processes.started(command) as process:
        readings = read_while(process, os.path.basename(case.program), region)
        printed = process.communicate()[0]
    return parse_row(printed), readings


def delay(where) -> str:
    return f"delay_{where}={round(HOLD_SECONDS * 1_000_000)}"


def held_at_release(case, region, folder) -> Held:
    """Runs the harness again; strace holds it before and after its release, and meanwhile we
    read."""
    row, readings = read_held(case, region, folder, "munmap", delay("enter"), delay("exit"),
                              f"when={region.munmaps_before + 1}")
    # Twice it stood still for long, so what was read most often is what stood then.
    peak = max((memory for memory, _ in readings), default=(0, 0))
    last = max((i for i, (memory, _) in enumerate(readings) if memory == peak), default=0)
    return Held(row, peak[0], peak[1],
                most_frequent([system for memory, system in readings if memory == peak]),
                most_frequent([system for _, system in readings[last + 1:]]))


def held_once(case, region, folder, call, *delays):
    """(row, charged, resident), of a run that is held up at one moment."""
    row, readings = read_held(case, region, folder, call, *delays)
    return row, *(most_frequent([memory for memory, _ in readings]) or (None, None))


def perf_faults(case, size):
    """The row, and minor faults of the whole process; None where perf can't count them. It is asked
    for one cycle: of a sample, a machine's speed decides how many it has. Starting a process takes
    a fault more or less now and then, so the most frequent of some runs."""
    counted = []
    command = without_randomisation(["perf", "stat", "-x", ",", "-e", "minor-faults",
                                     *case.command(size, turns.OPTION)])
    with tempfile.TemporaryFile("w+") as asked:
        asked.write("cycles 1\nheader\nrow 1 1 1\n")
        for _ in range(OTHERS_PERF_RUNS if case.options else PERF_RUNS):
            asked.seek(0)
            done = traced(command, stdin=asked)
            counted += re.findall(r"^(\d+),,minor-faults", done.stderr, re.M)
    row = "\n".join(done.stdout.splitlines()[-2:])
    return (parse_row(row), int(statistics.mode(counted))) if counted else None


@dataclasses.dataclass
class Compared:
    """A figure of ours beside that of an outside tool."""

    figure: str
    ours: int
    theirs: int | None
    by: str
    apart: int = 0  # that they may be
    void: str = ""  # why theirs says nothing
    readings: int = 1  # that were taken, up to this one

    @property
    def remark(self) -> str:
        """What stands behind the line. A figure that agrees at times only is to be seen there."""
        said = ["DIFFERS"] if self.differs else [self.void] if self.void else []
        return ", ".join(said + [f"at reading {self.readings}"] * (self.readings > 1))

    @property
    def differs(self) -> bool:
        return not self.void and (self.theirs is None or abs(self.ours - self.theirs) > self.apart)


def spread(values) -> int:
    return max(values) - min(values)


def system_charge(attempts) -> Compared:
    """Committed_AS over the release, of several attempts. In all of them it stands alike before and
    after where nobody else moves it: then a difference is ours."""
    compared = Compared("commit_bytes", int(attempts[-1].row["commit_bytes"]),
                        attempts[-1].system_fall, "Committed_AS, at the release", SYSTEM_SLACK,
                        readings=len(attempts))
    timely = [held for held in attempts if held.system_fall is not None]
    if not timely:
        compared.void = "not read in time"
    elif compared.differs and max(spread([held.system_peak for held in timely]),
                                  spread([held.system_after for held in timely])) > SYSTEM_SLACK:
        compared.void = "moved by other processes"
    return compared


def hold_until_known(case, region, folder) -> list[Held]:
    """Attempts, until one finds Committed_AS where it should be."""
    attempts: list[Held] = []
    while len(attempts) < READINGS:
        attempts.append(held_at_release(case, region, folder))
        if not Compared("", int(attempts[-1].row["commit_bytes"]), attempts[-1].system_fall, "",
                        SYSTEM_SLACK).differs:
            break
    return attempts


def from_outside(figures, row, *theirs):
    """Charge and residency as smaps has them."""
    for figure, value in zip(figures, theirs, strict=True):
        yield Compared(figure, int(row[figure]), value, "smaps, from outside")


def peak_and_system(case, region, folder):
    """The memory of what is as it is by default."""
    attempts = hold_until_known(case, region, folder)
    held = max(attempts, key=lambda held: held.charged)  # the others were read too late
    yield from from_outside(PEAK, held.row, held.charged, held.resident)
    yield system_charge(attempts)


def held_in_time(figures, case, region, folder, call, *delays) -> list[Compared]:
    """Of some attempts the first in which all agrees: a busy machine lets others be read too
    late."""
    for number in range(1, READINGS + 1):
        compared = [dataclasses.replace(each, readings=number) for each in from_outside(
            figures, *held_once(case, region, folder, call, *delays))]
        if not any(each.differs for each in compared):
            break
    return compared


def memory(case, region, folder):
    """The memory of any other kind; where it is given back, then, and once it was touched again."""
    figures = PEAK
    if region.purges:
        yield from held_in_time(PURGED, case, region, folder, region.purge_call, delay("exit"),
                                f"when={region.purge_calls_until_last}")
        figures = RETOUCHED
    yield from held_in_time(figures, case, region, folder, "munmap", delay("enter"),
                            f"when={region.munmaps_before + 1}")


def minor_faults(case):
    """Those of SIZE less those of HALF: what both have beside the region's is left out."""
    whole, half = perf_faults(case, SIZE), perf_faults(case, HALF)
    if whole is None or half is None:
        return
    (row, faults), (half_row, half_faults) = whole, half
    ours = int(row["minor_faults"]) - int(half_row["minor_faults"])
    page = int(row["page_bytes"])
    beside = 0
    if row["touch_order"] != "sequential":
        beside = (SIZE - HALF) // page * LIST_BYTES // page
    yield Compared("minor_faults", ours, faults - half_faults - beside, PERF_STAT)


def verify(case):
    """Each figure of one case, Compared. Raises NotTaken."""
    with tempfile.TemporaryDirectory() as folder:
        row = parse_row(traced(strace(case, f"{folder}/log")).stdout)
        if row["status"] != "ok":
            raise NotTaken(f"{row['status']}: {row['error']}")
        region = Traced(pathlib.Path(folder, "log").read_text(errors="replace"), SIZE, row)
        yield Compared("commit_calls", int(row["commit_calls"]), region.commits, "strace")
        yield Compared("handled_faults", int(row["handled_faults"]), region.faults, "strace")
        if region.purges:
            yield Compared("purge_calls", int(row["purge_calls"]), region.purges, "strace")
        yield from (memory if case.options else peak_and_system)(case, region, folder)
    if shutil.which("perf") and row["commit_kind"] not in UNSEEN:
        yield from minor_faults(case)


def all_cases(build) -> list[Case]:
    """Those of a build's own strategies, and of the harnesses beside them."""
    measured = [one for one in harness.described(build).values() if not one.strategy.brought]
    measured += harness.apart(build)
    return [case for one in measured for case in cases(one.strategy, one.command[-1])]


def show(case, compared):
    theirs = "-" if compared.theirs is None else compared.theirs
    say(f"{str(case):<{WIDTH}}  {compared.figure:<23}{compared.ours:>12}{theirs:>12}   "
        f"{compared.by}   {compared.remark}".rstrip())


def lines_of(case) -> tuple[list[Compared], str]:
    """(each figure, why there is none)"""
    try:
        return list(verify(case)), ""
    except NotTaken as why:
        return [], str(why)


def verified(listed) -> Iterator[tuple]:
    """Each case with its lines_of(). What is as it is by default, and what takes huge pages, comes
    first and alone, since Committed_AS and the pool are everybody's; the others some at a time."""
    alone = [case for case in listed if not case.options or "huge" in case.options]
    yield from ((case, lines_of(case)) for case in alone)
    others = [case for case in listed if case not in alone]
    with concurrent.futures.ThreadPoolExecutor(BESIDE) as pool:
        try:
            yield from zip(others, pool.map(lines_of, others), strict=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def main(arguments):
    parser = Parser("verify", __doc__)
    add_build(parser)
    build = parser.parse_args(arguments).build
    missing = [tool for tool in ("strace", "setarch") if not shutil.which(tool)]
    if missing:
        raise Problem(f"{listed(missing)} not found; {SETUP}")
    differing = 0
    say(f"{'what':<{WIDTH}}  {'count':<23}{'the suite':>12}{'outside':>12}   by")
    for case, (figures, why) in verified(all_cases(build)):
        for compared in figures:
            differing += compared.differs
            show(case, compared)
        if why:
            say(f"{str(case):<{WIDTH}}  {why}")
    say(f"{differing} differ" if differing else "all agree")
    return 1 if differing else 0
