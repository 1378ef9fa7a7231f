"""`vmcommit record -- PROGRAM` records, as build/bin/record does; `vmcommit record report DIR` says
what a recording shows."""

import pathlib
import shutil
import sys

from vmcommit.analyse import recording, usage
from vmcommit.base.files import relative
from vmcommit.base.places import SETUP, program
from vmcommit.base.problems import Usage
from vmcommit.base.text import counted, printable
from vmcommit.base.units import MIB, count_text, size_text, time_text
from vmcommit.commands.arguments import Parser, say
from vmcommit.commands.edge import become, keeping
from vmcommit.show import charts
from vmcommit.show.chart import RECORDING


def mib_seconds(byte_seconds):
    amount = byte_seconds / MIB
    return f"{count_text(amount) if amount >= 100 else f'{amount:.3g}'} MiB·s"


def share(part, whole):
    return f"{100 * part / whole:.2g} %" if whole else "0 %"


def checked(checkpoints):
    """How far the replay agrees with the kernel."""
    unequal = [checkpoint for checkpoint in checkpoints if not checkpoint.equal]
    if not checkpoints:
        return "No checkpoint: the recording broke off before the first."
    if not unequal:
        return (f"The replay is the kernel's own account, byte for byte, at "
                f"{counted(len(checkpoints), 'checkpoint')} of {len(checkpoints)}.")
    worst = max(unequal, key=lambda checkpoint: checkpoint.different)
    return (f"The replay differs from the kernel's account at {len(unequal)} of "
            f"{counted(len(checkpoints), 'checkpoint')}, most at {worst.time_us / 1e6:.2f} s: by "
            f"{size_text(worst.different)}, and "
            f"{size_text(abs(worst.charge - worst.kernel_charge))} of charge.")


def headline(over):
    """By what a program does more of: charge what it doesn't use, or use what isn't charged."""
    sums = over.byte_seconds
    unused_at, unused = over.peak("unused")
    exposed_at, exposed = over.peak("touched_uncharged")
    of_unused = (f"Charged and unused: {share(sums['unused'], sums['charged'])} of the charge over "
                 f"time ({mib_seconds(sums['unused'])} of {mib_seconds(sums['charged'])}), at most "
                 f"{size_text(unused)} at {unused_at / 1e6:.2f} s.")
    of_exposed = (f"Touched but not charged (MAP_NORESERVE): at most {size_text(exposed)} at "
                  f"{exposed_at / 1e6:.2f} s; without charge, the system may run out of it.")
    if sums["touched_uncharged"] > sums["unused"]:
        return [of_exposed, of_unused]
    return [of_unused, *([of_exposed] if exposed else [])]


def sentences(used):
    replayed, over = used.recording, used.over
    name = pathlib.PurePath(recording.command_of(replayed)[0]).name
    calls, cpu = used.calls(), used.counted("cpu_ns")
    processes = "1 process" if used.processes == 1 else f"{used.processes} processes"
    yield (f"{printable(name)}: {used.seconds:.2f} s, {processes}, "
           f"{count_text(len(replayed.calls))} memory calls.")
    yield from headline(over)
    peaks = {what: over.peak(what) for what in ("reserved", "charged", "touched", "resident")}
    yield "At most " + ", ".join(
        f"{size_text(amount)} {what}" for what, (_, amount) in peaks.items()) + "."
    faults = used.counted("minor_faults")
    yield (f"{count_text(faults)} page faults; the calls took "
           f"{time_text(sum(row[3] for row in calls.values()))} of {time_text(cpu)} of CPU "
           f"({share(sum(row[3] for row in calls.values()), cpu)}).")
    yield checked(replayed.checkpoints)
    if "end" not in replayed.facts:
        yield "The recording breaks off: record was ended, or could not write on."


def tables(used):
    at, _ = used.over.peak("charged")
    yield f"When most was charged, at {at / 1e6:.2f} s:"
    yield f"  {'kind':<12}{'charged':>12}{'touched':>12}{'reserved':>12}  mappings began as"
    for name, kind in used.kinds_at(at).items():
        yield (f"  {name:<12}{size_text(kind.charged):>12}{size_text(kind.touched):>12}"
               f"{size_text(kind.reserved):>12}{kind.arenas:>8}")
    yield ""
    yield f"  {'call':<14}{'calls':>9}{'failed':>8}{'bytes':>12}{'CPU':>10}"
    for name, (calls, failed, size, ns) in used.calls().items():
        yield (f"  {name:<14}{count_text(calls):>9}{failed:>8}{size_text(size):>12}"
               f"{time_text(ns):>10}")


def report(arguments):
    parser = Parser("record report", "What a recording shows: docs/record.md explains it.")
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path, help="of a recording")
    folder = parser.parse_args(arguments).folder
    if not (folder / recording.LOG).is_file():
        raise Usage(f"{folder} holds no recording ({recording.LOG}); {program('record')} -- PROGRAM "
                    "makes one")
    used = usage.Usage(folder)
    if not used.recording.lives:
        raise Usage(f"{folder} recorded no program: --only named none that ran")
    say("\n".join([*sentences(used), "", *tables(used)]))
    if not shutil.which("gnuplot"):
        print(f"record: gnuplot not found, so without a chart: {SETUP}", file=sys.stderr)
        return 1
    with keeping(remedy="make room, or make it writable"):
        for name in charts.draw_each(RECORDING, used, folder, " ".join(list(sentences(used))[:2])):
            say(f"chart: {relative(folder / f'{name}.svg')}")
    return 0


def main(arguments):
    if arguments[:1] == ["report"]:
        return report(arguments[1:])
    return become("record", arguments)
