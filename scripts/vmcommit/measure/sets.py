"""A set: harness processes that are started alike, take turns with each other, and end.

What is compared with each other does some tenths of a millisecond of work in turn, so that it meets
the same noise. Small cycles come as batches, large ones in slices. The order is a new random one
for each round, since a turn's time depends on whose turn was before: where the order stayed for a
cycle, sets of one gigabyte lay ten times as far apart. A round does not begin with who ended the
last one, for whoever takes two turns in a row finds its own memory in the caches: a release right
after its own last touch is 14 to 30 % faster. A member that dies, hangs or is refused leaves the
set; the others go on.
"""

import contextlib
import dataclasses
import math
import random

import numpy

from vmcommit.base.cells import SAME_PAGES, Configuration
from vmcommit.base.columns import MEMORY
from vmcommit.base.conventions import COUNTED_ROUNDS
from vmcommit.base.units import GIB, MIB
from vmcommit.measure.estimate import Turns
from vmcommit.measure.harness import Harness, HarnessFailed, row_in, row_of_failure
from vmcommit.measure.reservoir import Reservoir
from vmcommit.measure.turns import Member, Refused, length, words

TURN_NS = 300_000  # what a turn shall last
# What a member takes in a set: turns of whole cycles; slices at least, where cycles are sliced.
# More cost more than they tell, for processes differ as they were started (docs/trust.md).
BATCHES, SLICES = 24, 32
CREW = 2  # times as long, and as few, are turns of several threads, which are started for each
USUAL_TOUCH_NS = 1000  # where nothing is known yet
# Slices of touches whose pages one turn releases: that takes an eighth of what touching them does.
RELEASED = 8


@dataclasses.dataclass(frozen=True)
class Pace:
    """How many touches make a slice; the same for all sets that are compared with each other."""

    slice_touches: int

    @staticmethod
    def of(ns_per_touch: float) -> "Pace":
        return Pace(1 << max(0, int(numpy.log2(TURN_NS / ns_per_touch))))

    def slices(self, touches: int, longer: int = 1) -> list[int]:
        """How many touches each slice of a cycle has; none where whole cycles are batched."""
        slice_touches = longer * self.slice_touches
        if touches < 2 * slice_touches:
            return []
        whole, rest = divmod(touches, slice_touches)
        return [slice_touches] * whole + [rest] * (rest > 0)


def divided(total: int, parts: int) -> list[int]:
    """As many whole numbers as alike as can be; their sum is the total."""
    return [total * (part + 1) // parts - total * part // parts for part in range(parts)]


def releasing(touches: list[int]) -> list[bytes]:
    """What to ask a member for before its end, where that would be more than a turn."""
    if len(touches) <= RELEASED:
        return []
    return [b"release %d\n" % sum(touches[at:at + RELEASED])
            for at in range(0, len(touches), RELEASED)]


def giving_back(member: Member, touches: list[int], parts: int) -> list[bytes]:
    """What to ask a member for between its last touch and its end: its steps in so many parts, and
    the same slices of touches again."""
    if not member.steps:
        return []
    steps = divided(member.steps, parts)
    return [b"%s %d\n" % (stage, count) for stage, counts in (
        (b"purge", steps), (b"restore", steps), (b"retouch", touches)) for count in counts]


@dataclasses.dataclass
class Taken:
    """What became of a member: its row, {column: text}; its turns, None where it took none; how its
    harness died, empty where it did not."""

    row: dict
    turns: Turns | None = None
    failure: str = ""


@dataclasses.dataclass(frozen=True)
class Part:
    """Who takes part in a set, and with what. `like`: a row of the same harness."""

    harness: Harness
    configuration: Configuration
    like: dict


class Set:
    """`parts`: {key: Part}, of configurations alike in what they touch. `number` counts sets,
    `round_number` those of the same members."""

    def __init__(self, parts: dict, pace: Pace, number: int, round_number: int,
                 order: random.Random):
        self.parts = parts
        self.pace = pace
        self.number = number
        self.round_number = round_number
        self.order = order
        self.longer = CREW if any(part.configuration.manner.threads > 1
                                  for part in parts.values()) else 1
        self.last = None  # who ended the round before
        self.members: dict = {}  # {key: Member}, of those that go on
        self.times: dict = {key: [] for key in parts}  # [[(ns, disturbed)] of a cycle]
        self.cycles: dict = {}  # {key: whole cycles a turn}
        self.memory: dict = {}  # {key: the row of the cycle whose memory was read}
        self.taken: dict = {}

    def take(self) -> dict:
        """{key: Taken}. In the first rounds memory is read, in a cycle of its own that is not
        timed, or, where that would take long, in the first one that is."""
        try:
            self.start()
            if self.round_number <= COUNTED_ROUNDS:
                for key in list(self.members):
                    self.attempt(key, self.probe)
            self.take_turns()
            for key in list(self.members):
                self.attempt(key, self.finish)
        except BaseException:
            self.each(Member.end)  # who hangs, or was stopped, keeps nobody waiting
            raise
        finally:
            self.each(Member.close)
        return self.taken

    def each(self, action):
        """Carries it out for all that are left, whatever comes between."""
        with contextlib.ExitStack() as left:
            for member in self.members.values():
                left.callback(action, member)

    def attempt(self, key, action, *arguments) -> bool:
        """Whether a member did it. One that could not leaves the set, with a row that says why."""
        try:
            action(key, *arguments)
            return True
        except Refused:
            return self.attempt(key, self.leave) and False
        except HarnessFailed as failure:
            self.members[key].end()
            self.members.pop(key).close()
            self.fail(key, failure)
            return False

    def fail(self, key, failure):
        part = self.parts[key]
        row = row_of_failure(part.configuration, part.like, failure)
        self.taken[key] = Taken(row | {"set": self.number}, failure=str(failure))

    def start(self):
        longest = max(length(words(part.harness, part.configuration))
                      for part in self.parts.values())
        for key, part in self.parts.items():
            try:
                self.members[key] = Member(part.harness, part.configuration, longest)
            except HarnessFailed as failure:
                self.fail(key, failure)
        for key in list(self.members):
            if self.attempt(key, self.greet) and not self.members[key].touches:
                self.attempt(key, self.leave)

    def greet(self, key):
        self.members[key].greeted()

    def leave(self, key):
        """A member that the system refused memory, or whose samples this machine can't take."""
        self.taken[key] = Taken(self.row(key) | self.memory_of(key))
        self.members.pop(key).close()

    def row(self, key) -> dict:
        position = list(self.parts).index(key) + 1
        printed = self.members[key].row(self.round_number, position, self.number)
        try:
            return row_in(printed, self.parts[key].configuration)
        except ValueError as error:
            raise HarnessFailed(f"gave a row that makes no sense: {error}") from None

    def memory_of(self, key) -> dict:
        return {column: self.memory[key][column] for column in MEMORY
                if column in self.memory.get(key, {})}

    def probe(self, key):
        member = self.members[key]
        if self.parts[key].configuration.size >= GIB:
            return
        for command in (b"probe\n", b"touch %d\n" % member.touches,
                        *giving_back(member, [member.touches], 1), b"end\n"):
            member.ask(command)
        self.memory[key] = self.row(key)

    def take_turns(self):
        touches = {member.touches for member in self.members.values()}
        give_back = {member.steps > 0 for member in self.members.values()}  # an older one in one go
        alike = len(touches) == len(give_back) == 1
        slices = self.pace.slices(min(touches), self.longer) if alike else []
        if not slices:
            self.batches()
            return
        page = int(next(iter(self.parts.values())).like["page_bytes"])
        with Reservoir(min(touches) * page * sum(map(self.touching, self.members))) as reservoir:
            self.cycles_in_slices(slices, reservoir, page)

    def touching(self, key) -> int:
        """How many pages a member's touch makes resident: each thread's, but of the same pages."""
        manner = self.parts[key].configuration.manner
        return 1 if manner.share == SAME_PAGES else max(1, manner.threads)

    def shuffled(self) -> list:
        """The members in a random order that does not begin with who ended the one before."""
        keys = list(self.members)
        self.order.shuffle(keys)
        if keys and keys[0] == self.last:
            keys.append(keys.pop(0))
        self.last = keys[-1] if keys else None
        return keys

    def cycles_in_slices(self, slices, reservoir, page):
        begin = b"begin\n" if self.memory or self.round_number > COUNTED_ROUNDS else b"probe\n"
        touched = [0, *(touches * page for touches in slices)]
        touching = [b"touch %d\n" % touches for touches in slices]
        parts = min([len(slices), *(member.steps for member in self.members.values())])
        releases = all(member.releases for member in self.members.values())
        commands = {key: [begin, *touching, *giving_back(member, slices, parts),
                          *(releasing(slices) if releases else ()), b"end\n"]
                    for key, member in self.members.items()}
        for _ in range(math.ceil(SLICES / self.longer / len(slices))):
            for key in self.members:
                self.times[key].append([])
            for at in range(max(map(len, commands.values()), default=0)):
                for key in self.shuffled():
                    reservoir.free(self.touching(key) * touched[at] if at < len(touched) else 0)
                    self.attempt(key, self.turn, commands[key][at])
            for asked in commands.values():
                asked[0] = b"begin\n"

    def turn(self, key, command):
        self.times[key][-1].append(self.members[key].ask(command))

    def batches(self):
        for key in list(self.members):
            self.attempt(key, self.choose_batch)
        for _ in range(BATCHES // self.longer):
            for key in self.shuffled():
                self.attempt(key, self.batch)

    def choose_batch(self, key):
        """How many cycles fill a turn, and that they are in memory. What it took for that is in no
        row."""
        member = self.members[key]
        member.ask(b"cycles 1\n")
        ns = min(member.ask(b"cycles 2\n")[0] / 2 for _ in range(2))
        self.cycles[key] = max(1, round(self.longer * TURN_NS / max(ns, 1)))
        self.row(key)

    def batch(self, key):
        ns, disturbed = self.members[key].ask(b"cycles %d\n" % self.cycles[key])
        self.times[key].append([(ns / self.cycles[key], disturbed)])

    def finish(self, key):
        row = self.row(key) | self.memory_of(key)
        turns = numpy.array(self.times[key], float)
        self.taken[key] = Taken(row, Turns(turns[..., 0], turns[..., 1] > 0))


def pace_of(harness: Harness) -> Pace:
    """By how fast a harness touches a small region on this machine. Raises HarnessFailed."""
    configuration = Configuration(harness.strategy, MIB)
    member = Member(harness, configuration, length(words(harness, configuration)))
    with contextlib.closing(member):
        member.greeted()
        if not member.touches:
            return Pace.of(USUAL_TOUCH_NS)
        try:
            return Pace.of(min(member.ask(b"cycles 1\n")[0] for _ in range(5)) / member.touches)
        except Refused:
            return Pace.of(USUAL_TOUCH_NS)
