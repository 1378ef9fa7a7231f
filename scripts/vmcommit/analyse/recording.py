"""Reads a recording and replays it: docs/record.md says what its records hold. What follows the
last whole record, after a full disk or SIGKILL, is left out."""

import itertools
import pathlib
import urllib.parse
from dataclasses import dataclass, field

from vmcommit.analyse.look import Look, known, whole
from vmcommit.analyse.space import Space
from vmcommit.analyse.stacks import Code, Stacks
from vmcommit.base.problems import Problem
from vmcommit.base.text import printable

LOG = "memory.log"
HEAD = "recording 1"


class Later(Exception):
    """What comes now is after the moment up to which a recording is read."""


@dataclass
class Checkpoint:
    """What the kernel said at a moment, and what the replay says; bytes."""

    time_us: int
    space: int
    why: str
    charge: int
    kernel_charge: int
    reserved: int
    kernel_reserved: int
    different: int  # of which the two say different things
    cut_off: bool  # a call was cut off by the end of its process: whether it was done is not known

    @property
    def equal(self):
        return self.different == 0


@dataclass
class Call:
    time_us: int
    space: int
    thread: int
    name: str
    result: int  # -errno if it failed
    cpu_ns: int  # as recorded, with what tracing adds
    arguments: list

    @property
    def failed(self):
        return -4096 < self.result < 0


@dataclass
class Counts:
    """What the kernel counted for a process up to a moment; None where it doesn't say."""

    time_us: int
    cpu_ns: int | None
    minor_faults: int | None
    major_faults: int | None
    resident: int | None
    most_resident: int | None = None  # that there ever was; sampling asks for it


@dataclass
class Life:
    """An address space from its beginning to its end."""

    number: int
    pid: int
    name: str
    start_us: int
    space: Space | Look
    parent: int | None = None
    end_us: int | None = None
    threads: int = 1
    counts: list = field(default_factory=list)
    cut_off: bool = False
    code: Code = field(default_factory=Code)


RECORDS = {"#": "fact", "E": "program", "m": "mapping",
           "F": "fork", "T": "thread", "v": "bounds",
           "t": "touched", "l": "lost", "g": "grown",
           "h": "mapped", "a": "made", "b": "begun",
           "o": "described", "w": "made_from", "c": "call", "k": "killed", "s": "counted",
           "C": "checkpoint", "S": "sampled", "x": "over", "X": "over"}


SAMPLED = "sampled"  # the fact that it was looked at from outside

# Arguments of those calls that a Space carries out.
ARGUMENTS = {"mmap": 6, "munmap": 2, "mprotect": 3, "pkey_mprotect": 4, "brk": 1, "mremap": 5,
             "madvise": 3}


class Recording:
    """Lines go in one by one, through feed(); what they amount to stands in `lives`, `checkpoints`
    and `calls`. `watch`, if given, is called with the time and a Life after each change to it. What
    happens after `until_us` raises Later, and changes nothing. `make_space` is called as Space."""

    def __init__(self, watch=None, until_us=None, make_space=Space):
        self.make_space = make_space
        self.facts, self.lives, self.checkpoints, self.calls = {}, {}, [], []
        self.watch, self.until_us = watch, until_us
        self.time_us = 0
        self.beginning, self.mappings = None, []
        self.left, self.attached = {}, {}
        self.stacks = Stacks()
        self.page, self.overcommit, self.null_ns = 4096, 0, 0

    def feed(self, line):
        kind, _, rest = line.partition(" ")
        if kind != "m" and self.beginning is not None:
            self.begin()
        if kind in RECORDS:
            getattr(self, RECORDS[kind])(rest)
        elif len(kind) != 1 or not (kind.isascii() and kind.isalpha()):
            raise ValueError("no record")  # one letter may be a record of a later version

    def fact(self, rest):
        name, _, value = rest.partition(" ")
        self.facts[name] = value
        if name == "page":
            self.page = whole(value)
            if self.page <= 0:
                raise ValueError("pages without a byte")
        elif name == "null_ns":
            self.null_ns = whole(value)
        elif name == "overcommit" and value.isdigit():
            self.overcommit = whole(value)

    def at(self, text):
        if self.until_us is not None and whole(text) > self.until_us:
            raise Later
        self.time_us = whole(text)

    def life(self, number):
        return self.lives[whole(number)]

    def begin(self):
        """All mappings of a program's start are known."""
        life, self.beginning = self.beginning, None
        life.space.begin(self.mappings, life.space.brk)
        self.changed(life)

    def changed(self, life):
        if self.watch is not None:
            self.watch(self.time_us, life)

    # A record each.

    def program(self, rest):
        time, number, pid, brk, name = rest.split(" ", 4)
        self.at(time)
        space = self.make_space(self.page, self.overcommit)
        space.brk = whole(brk, 16)
        self.beginning = Life(whole(number), whole(pid), name, self.time_us, space)
        self.lives[whole(number)] = self.beginning
        self.mappings = []

    def mapping(self, rest):
        _, bounds, flags, name = rest.split(" ", 3)
        self.mappings.append((*hexadecimal(bounds, "-"), flags, name))

    def fork(self, rest):
        time, number, pid, parent = rest.split()
        self.at(time)
        above = self.life(parent)
        life = Life(whole(number), whole(pid), above.name, self.time_us, above.space.copy(),
                    above.number, code=above.code.copy())
        self.lives[life.number] = life
        self.changed(life)

    def thread(self, rest):
        time, number, pid, tid = rest.split()
        self.at(time)
        life = self.life(number)
        life.threads += pid != tid

    def bounds(self, rest):
        number, thread, *bounds = rest.split()
        found = self.life(number).space.bounds.setdefault(whole(thread), [])
        found.extend(hexadecimal(text, "-") for text in bounds)

    def touched(self, rest):
        time, number, *runs = rest.split()
        self.at(time)
        life = self.life(number)
        life.space.touch(self.runs(runs))
        self.changed(life)

    def lost(self, rest):
        time, number, *runs = rest.split()
        self.at(time)
        life = self.life(number)
        for start, end in self.runs(runs):
            life.space.forget(start, end)
        self.changed(life)

    def runs(self, words):
        """(start, end) of runs that are written as the gap before each and its length in pages."""
        at = 0
        for word in words:
            gap, length = hexadecimal(word, "+")
            start = at + gap * self.page
            at = start + length * self.page
            yield start, at

    def grown(self, rest):
        time, number, bounds = rest.split()
        self.at(time)
        life = self.life(number)
        life.space.grow(*hexadecimal(bounds, "-"))
        self.changed(life)

    def mapped(self, rest):
        """What a call that failed left mapped in a range."""
        _, thread, bounds, *mappings = rest.split()
        pieces = [(*hexadecimal(word.partition(":")[0], "-"), whole(word.partition(":")[2]))
                  for word in mappings]
        self.left.setdefault(whole(thread), []).append((*hexadecimal(bounds, "-"), pieces))

    def made(self, rest):
        """What a call mapped whose arguments don't tell its size."""
        _, thread, mapping = rest.split()
        bounds, _, access = mapping.partition(":")
        self.attached[whole(thread)] = (*hexadecimal(bounds, "-"), whole(access))

    def described(self, rest):
        """Code that call stacks lead through."""
        number, bounds, offset, build, path = rest.split(" ", 4)
        self.life(number).code.put(*hexadecimal(bounds, "-"), whole(offset, 16), build, path)

    def made_from(self, rest):
        """Where the next call of a thread comes from."""
        number, thread, stack, *addresses = rest.split()
        if addresses:
            self.stacks.addresses[whole(stack)] = [whole(word, 16) for word in addresses]
        life = self.life(number)
        life.space.origins[whole(thread)] = self.stacks.origin(whole(stack), life.code)

    def begun(self, rest):
        time, number, thread, name, *arguments = rest.split()
        self.at(time)
        life = self.life(number)
        life.space.begin_call(whole(thread), name, [whole(word, 16) for word in arguments])
        self.changed(life)

    def call(self, rest):
        time, number, thread, name, result, cpu, *words = rest.split(" ")
        self.at(time)
        life, thread = self.life(number), whole(thread)
        value = whole(result) if result[0] == "-" else whole(result, 16)
        count = ARGUMENTS["mmap"] if name == "mmap" else len(words)
        if min(count, len(words)) < ARGUMENTS.get(name, 0):
            raise ValueError("arguments are missing")
        call = Call(self.time_us, life.number, thread, name, value, whole(cpu),
                    [whole(word, 16) for word in words[:count]])
        self.calls.append(call)
        made, left = self.attached.pop(thread, None), self.left.pop(thread, [])
        if call.failed:
            life.space.failed(thread, name, -value, call.arguments, left)
        else:
            file = (words[6], " ".join(words[7:])) if len(words) > count else None
            life.space.call(thread, name, value, call.arguments, file)
            if made:
                life.space.attach(*made, name)
        self.changed(life)

    def killed(self, rest):
        number = rest.split()[0]
        self.life(number).cut_off = True

    def counted(self, rest):
        time, number, *counts = rest.split()
        self.at(time)
        self.count(self.life(number), counts)
        self.changed(self.life(number))

    def count(self, life, counts):
        cpu, minor, major, resident = map(whole, counts)
        life.counts.append(Counts(self.time_us, cpu, minor, major, resident))

    def checkpoint(self, rest):
        time, number, why, cpu, minor, major, resident, *mappings = rest.split()
        self.at(time)
        life = self.life(number)
        self.count(life, (cpu, minor, major, resident))
        flags = [word.partition(":")[2] for word in mappings]
        runs = self.runs(word.partition(":")[0] for word in mappings)
        listed = [(start, end, letters) for (start, end), letters in zip(runs, flags, strict=True)]
        grow(life.space, listed)
        self.checkpoints.append(self.compare(life, why, listed))
        if not self.checkpoints[-1].equal:
            life.space.take_over(listed)
        life.cut_off = False
        self.changed(life)

    def sampled(self, rest):
        """A look from outside, in the place of all that was known before."""
        if SAMPLED not in self.facts:
            raise ValueError("a look in a recording of calls")
        time, number, cpu, minor, major, most, *kinds = rest.split()
        self.at(time)
        life = self.life(number)
        life.space = Look(kinds)
        life.counts.append(Counts(self.time_us, *map(known, (cpu, minor, major)),
                                  life.space.resident, known(most)))
        self.changed(life)

    def compare(self, life, why, listed):
        space = life.space
        return Checkpoint(
            self.time_us, life.number, why, space.charge,
            sum(end - start for start, end, flags in listed if "a" in flags),
            space.reserved, sum(end - start for start, end, _ in listed),
            difference(space.listed(), listed), life.cut_off)

    def over(self, rest):
        time, number, pid, _ = rest.split()
        self.at(time)
        life = self.life(number)
        if life.pid == whole(pid):
            life.end_us = self.time_us
            self.changed(life)


def hexadecimal(text, between):
    first, _, second = text.partition(between)
    return whole(first, 16), whole(second, 16)


def grow(space, listed):
    """Lets what grows downwards by itself come down to where the kernel has it."""
    for start, end, flags in listed:
        if "g" in flags:
            space.grow(start, end)


def difference(ours, theirs):
    """Bytes of which two lists of (start, end, flags) say different things."""
    edges = sorted({edge for start, end, _ in (*ours, *theirs) for edge in (start, end)})
    return sum(end - start for start, end, one, other in
               zip(edges, edges[1:], spread(ours, edges), spread(theirs, edges), strict=False)
               if one != other)


def spread(mappings, edges):
    """The flags between each two edges; None where nothing is mapped."""
    at, mappings = 0, list(mappings)
    for start in edges[:-1]:
        while at < len(mappings) and mappings[at][1] <= start:
            at += 1
        yield mappings[at][2] if at < len(mappings) and mappings[at][0] <= start else None


def read(folder, watch=None, until_us=None, make_space=Space):
    """The Recording in a folder, up to a moment. What is no recording is a Problem."""
    path = pathlib.Path(folder) / LOG
    recording = Recording(watch, until_us, make_space)
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        head = next(lines, "")
        if not head:
            raise Problem(f"{path} is empty: nothing could be written")
        if head.rstrip("\n") != HEAD:
            raise Problem(f"{path} is no recording, which begins with '{HEAD}'")
        for number, line in enumerate(lines, 2):
            if not line.endswith("\n"):
                break
            try:
                recording.feed(line.rstrip("\n"))
            except Later:
                break
            except (ValueError, KeyError, IndexError) as error:
                raise Problem(f"{path}: line {number} is damaged: {line.strip()[:60]}") from error
    return recording


def command_of(recording):
    return [urllib.parse.unquote(word) for word in recording.facts.get("command", "").split()]


def program_of(path):
    """The file name of the program that a log is of, by what stands at its head."""
    replayed = Recording()
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        for line in itertools.takewhile(lambda line: line.startswith("# "),
                                        itertools.islice(lines, 1, None)):
            replayed.feed(line.rstrip("\n"))
    return printable(pathlib.PurePath(*command_of(replayed)[:1]).name)
