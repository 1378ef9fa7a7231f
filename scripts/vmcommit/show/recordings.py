"""What recordings show, in sentences and aligned tables: of one, and of two side by side."""

import itertools
import math
import pathlib

from vmcommit.analyse import knobs, recording, symbols
from vmcommit.analyse.what_if import NEVER, Growth, Steps
from vmcommit.base.conventions import CLOSE
from vmcommit.base.text import counted, printable
from vmcommit.base.units import MIB, count_text, size_text, time_text


UNTOUCHED = "What was touched is not known: it was recorded with --no-touch."
UNSAID = "What was touched is not known: the system does not say."
FRAMES = ("Call stacks are by frame pointers: of what was compiled without, as Debian's libraries "
          "are, callers may be missing; -fno-omit-frame-pointer keeps them.")
NAMELESS = "Functions have no names: addr2line is not found (Debian: apt-get install binutils)."
STACKLESS = "without a call stack: what programs began with, and stacks that grew"
FRAMES_SHOWN, NAME_LETTERS = 16, 120
UNSEEN = ("Looks see no calls and no call stacks, not what was touched and given back between two "
          "of them, and no process that ")
LOOKS = f"{UNSEEN}this one started."
LOOKS_AT_EVERY = f"{UNSEEN}came and went between two, or whose parent went before it was seen."


def mib_seconds(byte_seconds):
    amount = byte_seconds / MIB
    return f"{count_text(amount) if amount >= 100 else f'{amount:.3g}'} MiB·s"


def share(part, whole):
    percent = 100 * part / whole if whole else 0
    return f"{percent:.2g} %" if percent < 99 else f"{percent:.0f} %"


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


def name_of(used):
    facts = used.recording.facts
    words = recording.command_of(used.recording) or [
        life.name for life in used.recording.lives.values()]
    path = (pathlib.PurePath if facts.get("system", "linux") == "linux"
            else pathlib.PureWindowsPath)
    return printable(path(words[0]).name)


def apart(looks):
    """The longest time between two looks, in ns."""
    return max((1000 * (after.time_us - before.time_us)
                for before, after in itertools.pairwise(looks)), default=0)


def amounts_at_most(used):
    peaks = {what: used.over.peak(what) for what in ("reserved", "charged", "touched", "resident")
             if used.knows(what)}
    return "At most " + ", ".join(
        f"{size_text(amount)} {what}" for what, (_, amount) in peaks.items()) + "."


def missed(used):
    """More than any look saw resident, where the system noted it while it was looked at."""
    first, last = (used.looks[number].most_resident for number in (0, -1))
    fresh = used.recording.facts["sampled"] != "from outside" or first != last
    seen = used.over.peak("resident")[1]
    if last is not None and fresh and last > seen:
        yield (f"The system itself noted {size_text(last)} resident at most, "
               f"{size_text(last - seen)} more than any look saw.")


def sampled_sentences(used):
    looks, faults, cpu = used.looks, used.counted("minor_faults"), used.counted("cpu_ns")
    yield (f"{name_of(used)}: looked at {counted(len(looks), 'time')} within {used.seconds:.2f} s, "
           f"at most {time_text(apart(looks))} apart.")
    yield from [UNSAID] if used.blind else headline(used.over)
    yield amounts_at_most(used)
    if faults is not None and cpu is not None:
        yield f"{count_text(faults)} page faults and {time_text(cpu)} of CPU."
    yield from missed(used)
    yield LOOKS_AT_EVERY if used.of_every_process else LOOKS


def sentences(used):
    yield from sampled_sentences(used) if used.sampled else traced_sentences(used)
    if not used.complete:
        yield "The recording breaks off: record was ended, or could not write on."


def traced_sentences(used):
    replayed, over = used.recording, used.over
    calls, cpu = used.calls(), used.counted("cpu_ns")
    processes = "1 process" if used.processes == 1 else f"{used.processes} processes"
    yield (f"{name_of(used)}: {used.seconds:.2f} s, {processes}, "
           f"{count_text(len(replayed.calls))} memory calls.")
    yield from [UNTOUCHED] if used.blind else headline(over)
    yield amounts_at_most(used)
    faults = used.counted("minor_faults")
    yield (f"{count_text(faults)} page faults; the calls took "
           f"{time_text(sum(row[3] for row in calls.values()))} of {time_text(cpu)} of CPU "
           f"({share(sum(row[3] for row in calls.values()), cpu)}).")
    yield checked(replayed.checkpoints)


def tables(used):
    at, _ = used.over.peak("charged")
    yield f"When most was charged, at {at / 1e6:.2f} s:"
    began = "regions" if used.sampled else "mappings began as"
    yield f"  {'kind':<12}{'charged':>12}{'touched':>12}{'reserved':>12}  {began}"
    for name, kind in used.kinds_at(at).items():
        touched = "-" if used.blind else size_text(kind.touched)
        yield (f"  {name:<12}{size_text(kind.charged):>12}{touched:>12}"
               f"{size_text(kind.reserved):>12}{kind.arenas:>8}")
    if used.sampled:
        return
    yield ""
    yield f"  {'call':<14}{'calls':>9}{'failed':>8}{'bytes':>12}{'CPU':>10}"
    for name, (calls, failed, size, ns) in used.calls().items():
        yield (f"  {name:<14}{count_text(calls):>9}{failed:>8}{size_text(size):>12}"
               f"{time_text(ns):>10}")


def child_lines(children):
    """Of processes that a sampled one started: {their number: Usage}."""
    processes = "a process" if len(children) == 1 else f"{len(children)} processes"
    yield f"It started {processes}, each recorded in a folder by its number:"
    yield f"  {'process':<9}{'program':<20}{'looks':>8}{'most charged':>14}{'touched':>12}"
    for number, used in children.items():
        touched = "-" if used.blind else size_text(used.over.peak("touched")[1])
        yield (f"  {number:<9}{name_of(used)[:19]:<20}{len(used.looks):>8}"
               f"{size_text(used.over.peak('charged')[1]):>14}{touched:>12}")


# Who wastes what is charged.

def waster_lines(used, found):
    """Of wasters.Waster, the largest first."""
    names = symbols.Names(place for one in found for place in one.places)
    yield "The largest wasters, by what was charged and not touched over time:"
    for one in found:
        yield (f"  {mib_seconds(one.byte_seconds)}, "
               f"{share(one.byte_seconds, used.over.byte_seconds['unused'])} of all; at most "
               f"{size_text(one.most)} at a time"
               + (f", {counted(one.calls, 'call')}" if one.places else ""))
        if not one.places:
            yield f"      {STACKLESS}"
        for place in one.places[:FRAMES_SHOWN]:
            yield f"      {printable(names.texts[place])[:NAME_LETTERS]}"
        if len(one.places) > FRAMES_SHOWN:
            yield f"      {counted(len(one.places) - FRAMES_SHOWN, 'more caller')}"
    yield FRAMES
    if not symbols.tool():
        yield NAMELESS
    for path in names.changed:
        yield f"{printable(path)} is another file than was recorded: nothing in it has a name."


# Two side by side.

def amounts(used, touched, traced):
    """(name, value, text of a value) of what two recordings are compared by; `touched`: what was
    touched is known of both; `traced`: their calls are. None is not known."""
    over, calls = used.over, used.calls()
    sums = over.byte_seconds
    yield "time", used.seconds, lambda seconds: f"{seconds:.2f} s"
    yield "CPU", used.counted("cpu_ns"), time_text
    if traced:
        yield "CPU of memory calls", sum(row[3] for row in calls.values()), time_text
        yield "memory calls", sum(row[0] for row in calls.values()), count_text
    yield "page faults", used.counted("minor_faults"), count_text
    for name in ("reserved", "charged", "resident"):
        yield f"most {name}", over.peak(name)[1] if used.knows(name) else None, size_text
    yield "charged over time", sums["charged"], mib_seconds
    if touched:
        for name, text in (("touched", "touched"), ("unused", "unused"),
                           ("touched_uncharged", "touched uncharged")):
            yield f"most {text}", over.peak(name)[1], size_text
        yield "unused over time", sums["unused"], mib_seconds
        yield "touched uncharged over time", sums["touched_uncharged"], mib_seconds


def against(a, b):
    """b against a: 0.85; nothing where a is none."""
    if a is None or b is None:
        return "-"
    return "same" if a == b else f"{b / a:.2f}" if a else "-"


def headline_of_both(a, b):
    """By what either does more of."""
    for used in (a, b):
        if used.blind:
            return UNSAID if used.sampled else UNTOUCHED
    sums = [used.over.byte_seconds for used in (a, b)]
    exposed = sum(one["touched_uncharged"] for one in sums) > sum(one["unused"] for one in sums)
    name, what = (("touched_uncharged", "touches without charge") if exposed
                  else ("unused", "is charged for and does not touch"))
    values = [one[name] for one in sums]
    if values[0] == values[1]:
        return f"Both are alike in what each {what}: {mib_seconds(values[0])}."
    more, less = max(values), min(values)
    which = "B" if values[1] > values[0] else "A"
    other = (f"{more / less:.3g} times as much as the other ({mib_seconds(less)})" if less
             else "the other nothing")
    return f"{which} {what} more over time: {mib_seconds(more)}, {other}."


def sentences_of_both(a, b):
    yield headline_of_both(a, b)
    for letter, used in (("A", a), ("B", b)):
        how = LOOKS if used.sampled else checked(used.recording.checkpoints)
        yield f"{letter}: {next(sentences(used))} {how}"
    yield ("One recording each: time and what was touched between looks differ from run to run; "
           "calls and charge seldom do.")


def tables_of_both(a, b):
    yield f"  {'':<28}{'A':>17}{'B':>17}{'B / A':>8}"
    known = {"touched": not (a.blind or b.blind), "traced": not (a.sampled or b.sampled)}
    for (name, before, text), (_, after, _) in zip(amounts(a, **known), amounts(b, **known),
                                                   strict=True):
        texts = ["not known" if value is None else text(value) for value in (before, after)]
        yield f"  {name:<28}{texts[0]:>17}{texts[1]:>17}{against(before, after):>8}"
    if not known["traced"]:
        return
    calls = [used.calls() for used in (a, b)]
    yield ""
    yield f"  {'calls':<28}{'A':>17}{'B':>17}{'B / A':>8}"
    for name in dict.fromkeys([*calls[0], *calls[1]]):
        before, after = (of[name][0] if name in of else 0 for of in calls)
        yield (f"  {name:<28}{count_text(before):>17}{count_text(after):>17}"
               f"{against(before, after):>8}")


# What if.

def outcome_lines(title, outcomes):
    timed = "     time  confidence interval" if any(one.time for one in outcomes) else ""
    yield (f"  {title:<22}{'most charged':>14}{'over time':>16}{'unused':>16}{'commits':>10}"
           f"{'touches':>10}{timed}")
    for one in outcomes:
        time = ""
        if one.time:
            ns, low, high = map(time_text, one.time)
            time = f"{ns:>9}  {low} to {high}"
        yield (f"  {one.name:<22}{size_text(one.most):>14}{mib_seconds(one.byte_seconds):>16}"
               f"{mib_seconds(one.unused):>16}{count_text(one.commits):>10}"
               f"{count_text(one.pages):>10}{time}").rstrip()


def of_knee(best, by_page):
    """`by_page`: the Outcome of the smallest step."""
    if best is None:
        return "Which step is the knee, times tell alone."
    more = best.byte_seconds - by_page.byte_seconds
    return (f"The knee is {best.name}: a larger step saves less than {CLOSE:.0%} of the time. It "
            f"takes {count_text(best.commits)} commits, and {mib_seconds(more)} more charge than "
            "pages that are committed one by one.").replace("%", " %")


def knob_lines(used):
    """Of the knobs whose meaning was tested, those that the program has."""
    replayed = used.recording
    if knobs.uses(replayed, "libmimalloc"):
        yield from mimalloc_lines(used)
    elif heap := knobs.largest_heap(replayed):
        yield from glibc_lines(*heap, replayed.page)
    if size := knobs.java_heap(replayed):
        yield from java_lines(used, size)


def glibc_lines(moves, why, page):
    heap = knobs.recorded(moves)
    if why:
        yield f"The heap of glibc's malloc: {why}."
        return
    yield ("The heap of glibc's malloc by M_TOP_PAD, as in GLIBC_TUNABLES=glibc.malloc.top_pad="
           f"{knobs.PADS[0]}:")
    yield f"  {'pad':<22}{'growths':>14}{'most in it':>16}"
    yield f"  {'as recorded':<22}{count_text(heap.growths):>14}{size_text(heap.most):>16}"
    for pad in knobs.PADS:
        heap = knobs.with_pad(moves, pad, page)
        yield f"  {size_text(pad):<22}{count_text(heap.growths):>14}{size_text(heap.most):>16}"


def java_lines(used, size):
    heap = knobs.JavaHeap(used.folder, size)
    yield (f"Java with -Xms as large as -Xmx, {size_text(size)}: charged "
           f"{size_text(heap.most_charged)} at most, {size_text(heap.mean)} in the mean; with "
           f"-XX:+AlwaysPreTouch {size_text(heap.most_touched)} touched at most.")


def mimalloc_lines(used):
    way = Steps(used.recording.page, NEVER)
    growth = Growth(used.folder, {NEVER: way})
    yield (f"Mimalloc that gives nothing back (MIMALLOC_ALLOW_DECOMMIT=0, since 2.1 "
           f"MIMALLOC_PURGE_DELAY=-1): {size_text(way.most)} touched at most, not "
           f"{size_text(growth.touched.most)}; {count_text(growth.pages - growth.again)} pages "
           f"touched anew, not {count_text(growth.pages)}.")


def way_lines(ways):
    """Of replays.Way; the first is what the others are compared with."""
    yield (f"  {'':<24}{'a replay':>10}{'against it':>12}{'confidence interval':>22}"
           f"{'commits':>10}{'charge in the end':>19}")
    for number, way in enumerate(ways):
        interval = ("too few sets" if math.isnan(way.low) else
                    f"{way.low:.3f} to {way.high:.3f}")
        ratio = (f"{way.ratio:.3f}", interval) if number else ("", "")
        yield (f"  {way.name:<24}{time_text(way.ns):>10}{ratio[0]:>12}{ratio[1]:>22}"
               f"{count_text(way.commits):>10}{size_text(way.charge):>19}")
