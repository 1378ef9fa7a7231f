"""`make verify`: the counts of one sample of each strategy, held against tools that are not ours.

strace sees the calls and the signals of the region, perf the page faults of the process, and this
process reads /proc/PID/smaps and Committed_AS while strace holds the harness up at its peak. The
two are printed side by side; the exit status is 1 if any differ.
"""

import csv
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time

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


def committed_as():
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(re.search(r"^Committed_AS:\s+(\d+)", text, re.M)[1]) * 1024


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


def held_at_release(program, region, folder):
    """Runs the harness again; strace holds it before and after its release, and meanwhile we read.
    Returns the row, the region's charge and residency at the peak, and the fall of Committed_AS."""
    when = region.munmaps_before + 1
    delay = round(HOLD_SECONDS * 1_000_000)
    process = subprocess.Popen(
        strace(program, SIZE, f"{folder}/held", "-f", "-e", "trace=munmap", "-e",
               f"inject=munmap:delay_enter={delay}:delay_exit={delay}:when={when}"),
        stdout=subprocess.PIPE, text=True)
    readings = []
    name = pathlib.Path(program).name
    while process.poll() is None:
        try:
            for child in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children") \
                    .read_text().split():
                if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == name:
                    readings.append((smaps_charge(child, region.start, region.end),
                                     committed_as()))
        except OSError:
            continue  # it has just ended
        time.sleep(0.02)
    # Twice it stood still for long, so what was read most often is what stood then.
    peak = max((memory for memory, _ in readings), default=(0, 0))
    last = max((i for i, (memory, _) in enumerate(readings) if memory == peak), default=0)
    system_peak = statistics.mode(system for memory, system in readings if memory == peak)
    system_after = statistics.mode(system for _, system in readings[last + 1:])
    return parse_row(process.communicate()[0]), *peak, system_peak - system_after


def perf_faults(program, size):
    """The row, and minor faults of the whole process; None where perf can't count them. Starting
    a process takes a fault more or less now and then, so the most frequent of some runs."""
    counted = []
    for _ in range(PERF_RUNS):
        done = subprocess.run(
            without_randomisation(["perf", "stat", "-x", ",", "-e", "minor-faults", program,
                                   *arguments(size)]), capture_output=True, text=True)
        counted += re.findall(r"^(\d+),,minor-faults", done.stderr, re.M)
    return (parse_row(done.stdout), int(statistics.mode(counted))) if counted else None


def verify(program):
    """(figure, ours, theirs, by what, how far they may be apart) for one strategy."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(strace(program, SIZE, f"{folder}/log"), capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise Problem(f"strace ended with status {done.returncode}: {last_line(done.stderr)}")
        row = parse_row(done.stdout)
        region = Region(pathlib.Path(folder, "log").read_text(), SIZE)
        yield "commit_calls", int(row["commit_calls"]), region.commits, "strace", 0
        yield "handled_faults", int(row["handled_faults"]), region.signals, "strace", 0
        for _ in range(SYSTEM_READINGS):
            row, charged, resident, system = held_at_release(program, region, folder)
            if abs(system - int(row["commit_bytes"])) <= SYSTEM_SLACK:
                break
        yield "commit_bytes", int(row["commit_bytes"]), charged, "smaps, from outside", 0
        yield "resident_bytes", int(row["resident_bytes"]), resident, "smaps, from outside", 0
        yield ("commit_bytes", int(row["commit_bytes"]), system, "Committed_AS, at the release",
               SYSTEM_SLACK)
    if shutil.which("perf") and (whole := perf_faults(program, SIZE)):
        row, faults = whole
        half_row, half = perf_faults(program, HALF)
        ours = int(row["minor_faults"]) - int(half_row["minor_faults"])
        # The warm-up touches as much in huge pages: 2 MiB a fault.
        warm = (SIZE - HALF) // (2 * MIB)
        yield "minor_faults", ours, faults - half - warm, "perf stat, 64 less 32 MiB", 0


def main(arguments):
    parser = Parser("verify", __doc__)
    add_build(parser)
    build = parser.parse_args(arguments).build
    missing = [tool for tool in ("strace", "setarch") if not shutil.which(tool)]
    if missing:
        raise Problem(f"{listed(missing)} not found; run ./scripts/setup.sh")
    differing = 0
    say(f"{'strategy':>9}  {'count':<15}{'the suite':>12}{'outside':>12}   by")
    for name, measured in harness.described(build).items():
        if measured.strategy.brought:
            continue
        for count, ours, theirs, by, apart in verify(measured.command[-1]):
            differs = abs(ours - theirs) > apart
            differing += differs
            say(f"{name:>9}  {count:<15}{ours:>12}{theirs:>12}   {by}"
                + ("   DIFFERS" if differs else ""))
    say(f"{differing} differ" if differing else "all agree")
    return 1 if differing else 0
