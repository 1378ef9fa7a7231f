"""`make verify`: the counts of one sample of each strategy, held against tools that are not ours.

strace sees the calls and the signals of the region, perf the page faults of the process, and this
process reads /proc/PID/smaps and Committed_AS while strace holds the harness up at its peak. The
two are printed side by side; the exit status is 1 if any differ. Committed_AS is the whole
system's: where other processes move it meanwhile, that is said, and is no difference.
"""

import csv
import dataclasses
import os
import pathlib
import re
import shutil
import statistics
import tempfile
import time

from vmcommit.base import processes
from vmcommit.base.places import SETUP
from vmcommit.base.problems import Problem
from vmcommit.base.text import last_line, listed
from vmcommit.base.units import MIB
from vmcommit.commands.arguments import Parser, add_build, say
from vmcommit.measure import harness

SIZE = 64 * MIB  # long enough that one cycle is the whole sample
HALF = SIZE // 2
HOLD_SECONDS = 0.5
PERF_RUNS = 7
SYSTEM_SLACK = MIB  # Committed_AS moves with every process of the machine
SYSTEM_READINGS = 5  # so it is read again where some other process has moved it by more
SECONDS = 120  # that a harness may take under a tool
COMM_LETTERS = 15  # of a program's name, that /proc/PID/comm has
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (\S+)")
SIGNAL = re.compile(r"^--- SIGSEGV .*si_addr=(0x[0-9a-f]+)")


def arguments(size):
    return ["--size", str(size), "--repeat", "1"]


def without_randomisation(command):
    """Addresses that stay the same from run to run."""
    return ["setarch", "--addr-no-randomize", *command]


def parse_row(text):
    rows = list(csv.DictReader(text.splitlines()))
    if len(rows) != 1:
        raise Problem(f"a harness gave {len(rows)} rows where it should give one")
    return rows[0]


def strace(program, size, log, *options):
    return [*without_randomisation(["strace", *options, "-o", log]), program, *arguments(size)]


class Region:
    """What strace saw of the region: the last mapping of its size, which is the timed cycle's."""

    def __init__(self, log, size):
        lines = log.splitlines()
        first = max(i for i, line in enumerate(lines)
                    if (call := CALL.match(line)) and call[1] == "mmap" and f", {size}, " in line)
        self.start = int(CALL.match(lines[first])[3], 16)
        self.end = self.start + size
        self.commits = int("PROT_READ|PROT_WRITE" in lines[first])
        self.signals = 0
        for line in lines[first + 1:]:
            if signal := SIGNAL.match(line):
                self.signals += self.holds(int(signal[1], 16))
            call = CALL.match(line)
            if call and call[1] in ("mprotect", "munmap"):
                address = int(call[2].split(",")[0], 16)
                self.commits += call[1] == "mprotect" and self.holds(address)
                if call[1] == "munmap" and address == self.start:
                    break
        until = lines[:lines.index(line, first)]
        self.munmaps_before = sum(line.startswith("munmap(") for line in until)

    def holds(self, address):
        return self.start <= address < self.end


def traced(command):
    """A finished process; its output. Raises Problem where it does not end well or in time."""
    tool = command[0] if command[0] != "setarch" else command[2]
    try:
        done = processes.run(command, SECONDS)
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
        if inside > 0 and re.search(r"^VmFlags:.* ac\b", mapping, re.M):
            charged += inside
            resident += int(re.search(r"^Anonymous:\s+(\d+)", mapping, re.M)[1]) * 1024
    return charged, resident


@dataclasses.dataclass
class Held:
    """What was read while strace held a harness up: its row, its region's charge and residency at
    the peak, and Committed_AS then and after the release; None where no reading came in time."""

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


def held_at_release(program, region, folder) -> Held:
    """Runs the harness again; strace holds it before and after its release, and meanwhile we
    read."""
    delay = round(HOLD_SECONDS * 1_000_000)
    command = strace(program, SIZE, f"{folder}/held", "-f", "-e", "trace=munmap", "-e",
                     f"inject=munmap:delay_enter={delay}:delay_exit={delay}"
                     f":when={region.munmaps_before + 1}")
    with processes.started(command) as process:
        readings = read_while(process, os.path.basename(program), region)
        printed = process.communicate()[0]
    # Twice it stood still for long, so what was read most often is what stood then.
    peak = max((memory for memory, _ in readings), default=(0, 0))
    last = max((i for i, (memory, _) in enumerate(readings) if memory == peak), default=0)
    return Held(parse_row(printed), peak[0], peak[1],
                most_frequent([system for memory, system in readings if memory == peak]),
                most_frequent([system for _, system in readings[last + 1:]]))


def perf_faults(program, size):
    """The row, and minor faults of the whole process; None where perf can't count them. Starting
    a process takes a fault more or less now and then, so the most frequent of some runs."""
    counted = []
    for _ in range(PERF_RUNS):
        done = traced(without_randomisation(["perf", "stat", "-x", ",", "-e", "minor-faults",
                                             program, *arguments(size)]))
        counted += re.findall(r"^(\d+),,minor-faults", done.stderr, re.M)
    return (parse_row(done.stdout), int(statistics.mode(counted))) if counted else None


@dataclasses.dataclass
class Compared:
    """A figure of ours beside that of an outside tool."""

    figure: str
    ours: int
    theirs: int | None
    by: str
    apart: int = 0  # that they may be
    void: str = ""  # why theirs says nothing

    @property
    def differs(self) -> bool:
        return not self.void and (self.theirs is None or abs(self.ours - self.theirs) > self.apart)


def spread(values) -> int:
    return max(values) - min(values)


def system_charge(attempts) -> Compared:
    """Committed_AS over the release, of several attempts. In all of them it stands alike before and
    after where nobody else moves it: then a difference is ours."""
    compared = Compared("commit_bytes", int(attempts[-1].row["commit_bytes"]),
                        attempts[-1].system_fall, "Committed_AS, at the release", SYSTEM_SLACK)
    timely = [held for held in attempts if held.system_fall is not None]
    if not timely:
        compared.void = "not read in time"
    elif compared.differs and max(spread([held.system_peak for held in timely]),
                                  spread([held.system_after for held in timely])) > SYSTEM_SLACK:
        compared.void = "moved by other processes"
    return compared


def hold_until_known(program, region, folder) -> list[Held]:
    """Attempts, until one finds Committed_AS where it should be."""
    attempts: list[Held] = []
    while len(attempts) < SYSTEM_READINGS:
        attempts.append(held_at_release(program, region, folder))
        if not Compared("", int(attempts[-1].row["commit_bytes"]), attempts[-1].system_fall, "",
                        SYSTEM_SLACK).differs:
            break
    return attempts


def verify(program):
    """Each figure of one strategy, Compared."""
    with tempfile.TemporaryDirectory() as folder:
        row = parse_row(traced(strace(program, SIZE, f"{folder}/log")).stdout)
        region = Region(pathlib.Path(folder, "log").read_text(errors="replace"), SIZE)
        yield Compared("commit_calls", int(row["commit_calls"]), region.commits, "strace")
        yield Compared("handled_faults", int(row["handled_faults"]), region.signals, "strace")
        attempts = hold_until_known(program, region, folder)
        held = max(attempts, key=lambda held: held.charged)  # the others were read too late
        for figure, theirs in (("commit_bytes", held.charged), ("resident_bytes", held.resident)):
            yield Compared(figure, int(held.row[figure]), theirs, "smaps, from outside")
        yield system_charge(attempts)
    if shutil.which("perf") and (whole := perf_faults(program, SIZE)):
        row, faults = whole
        half_row, half = perf_faults(program, HALF)
        ours = int(row["minor_faults"]) - int(half_row["minor_faults"])
        # The warm-up touches as much in huge pages: 2 MiB a fault.
        warm = (SIZE - HALF) // (2 * MIB)
        yield Compared("minor_faults", ours, faults - half - warm, "perf stat, 64 less 32 MiB")


def main(arguments):
    parser = Parser("verify", __doc__)
    add_build(parser)
    build = parser.parse_args(arguments).build
    missing = [tool for tool in ("strace", "setarch") if not shutil.which(tool)]
    if missing:
        raise Problem(f"{listed(missing)} not found; {SETUP}")
    differing = 0
    say(f"{'strategy':>9}  {'count':<15}{'the suite':>12}{'outside':>12}   by")
    for name, measured in harness.described(build).items():
        if measured.strategy.brought:
            continue
        for compared in verify(measured.command[-1]):
            differing += compared.differs
            theirs = "-" if compared.theirs is None else compared.theirs
            say(f"{name:>9}  {compared.figure:<15}{compared.ours:>12}{theirs:>12}   {compared.by}"
                + ("   DIFFERS" if compared.differs else f"   {compared.void}").rstrip())
    say(f"{differing} differ" if differing else "all agree")
    return 1 if differing else 0
