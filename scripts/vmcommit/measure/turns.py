"""A harness that stays and takes turns: what docs/turns.md says, from the other end of the pipe."""

import contextlib
import os
import select
import subprocess
import tempfile
import time

from vmcommit.base import processes
from vmcommit.base.folder import MOST
from vmcommit.base.text import last_line
from vmcommit.measure import environment
from vmcommit.measure.harness import HarnessFailed, ending_text

OPTION = "--turns"
VERSION = 3  # of the protocol
ALIKE = "VMCOMMIT_ALIKE"  # fills each member's environment up to the length of the longest one
START_SECONDS = 60
END_SECONDS = 10
UNKNOWN = "an older harness: its turns are of another version"


MOST_BYTES = 65536  # of an answer
USAGE = 2  # exit status


class OtherVersion(HarnessFailed):
    """A harness of another version of the protocol."""


class Refused(Exception):
    """The system refused memory in the middle of a cycle; the member's row tells more."""


def takes_turns(harness) -> bool:
    return OPTION in harness.strategy.options


def speaks(harness, configuration) -> bool:
    """Whether a harness takes turns by this version of the protocol, of that configuration. Raises
    HarnessFailed where it dies, or does not answer."""
    if not takes_turns(harness):
        return False
    member = Member(harness, configuration, length(words(harness, configuration)))
    with contextlib.closing(member):
        try:
            member.greeted()
        except OtherVersion:
            return False
        except HarnessFailed:
            if member.process.poll() == USAGE:  # of an option that an older one lacks
                return False
            raise
        return True


def whole(text: str) -> int:
    """Raises ValueError for what is no number that a harness can mean."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= MOST):
        raise ValueError
    return int(text)


def words(harness, configuration) -> list[str]:
    return [*harness.command, OPTION, *configuration.turns()]


def length(command) -> int:
    """Bytes of a new process's stack that its arguments take, pointers to them included; its
    program's path lies there twice."""
    return len(command[0]) + sum(len(os.fsencode(word)) + 9 for word in command)


class Member:
    """A harness process of a set. `touches`: of a cycle, 0 where this machine can't take its
    samples; `steps`: by which a cycle gives back, 0 where it does not; `releases`: pages that can
    be released part by part, 0 where they go in one call alone. `longest`: the bytes that the
    longest of the set's commands takes."""

    def __init__(self, harness, configuration, longest):
        command = words(harness, configuration)
        self.seconds = configuration.time_limit()
        self.said = tempfile.TemporaryFile()
        try:
            with environment.room_for(configuration.manner.threads):
                self.process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said,
                    bufsize=0, start_new_session=True,
                    env=os.environ | {ALIKE: "." * (longest - length(command))})
        except OSError as error:
            self.said.close()
            raise HarnessFailed(f"did not start: {error.strerror}") from None
        self.commands, self.answers = self.process.stdin.fileno(), self.process.stdout.fileno()
        self.ready = select.poll() if hasattr(select, "poll") else None
        if self.ready:
            self.ready.register(self.answers, select.POLLIN)
        self.touches = self.steps = self.releases = 0

    def greeted(self):
        """Reads the first line."""
        greeting = self.answer(START_SECONDS).split()
        if greeting[:1] == ["turns"] and greeting[1:2] not in ([], [str(VERSION)]):
            raise OtherVersion(f"is {UNKNOWN}")
        try:
            self.touches, self.steps, self.releases = map(whole, greeting[2:-1])
            if greeting[0] == "turns":
                return
        except (ValueError, IndexError):
            pass
        raise HarnessFailed(f"began with '{' '.join(greeting):.60}', which is no greeting")

    def answer(self, seconds) -> str:
        """The next line, whole."""
        line, end = b"", time.monotonic() + seconds
        while not line.endswith(b"\n"):
            left = max(0, end - time.monotonic())
            if self.ready and not self.ready.poll(1000 * left):
                raise HarnessFailed(f"gave no answer within {seconds:.0f} s")
            if len(line) > MOST_BYTES:
                raise HarnessFailed("gave an answer without an end")
            read = os.read(self.answers, 65536)
            if not read:
                raise HarnessFailed(self.ending())
            line += read
        return line.decode("utf-8", "replace")

    def ending(self) -> str:
        """How it ended, and what it said last."""
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return "closed its standard output"
        self.said.seek(0)
        said = self.said.read().decode("utf-8", "replace").strip()
        return ending_text(status) + (f": {last_line(said)}" if said else "")

    def line(self, command: bytes) -> str:
        """What it answers to a command. Raises HarnessFailed where it does not."""
        try:
            os.write(self.commands, command)
        except OSError:
            raise HarnessFailed(self.ending()) from None
        return self.answer(self.seconds)

    def ask(self, command: bytes) -> tuple[int, int]:
        """(ns in the turn's windows, how often the processor was taken away in it, 0 where the
        system does not tell). Raises Refused, HarnessFailed."""
        answer = self.line(command)
        words = answer.split()
        try:
            if words[0] == "done":
                return whole(words[1]), whole(words[4]) if len(words) > 4 else 0
        except (ValueError, IndexError):
            pass
        if answer.startswith("refused "):
            raise Refused(answer.partition(" ")[2].strip())
        raise HarnessFailed(f"answered '{answer.strip():.60}', which is none of the protocol's")

    def row(self, number, position, set_number) -> str:
        """All cycles since the last row, as CSV: the header and the row."""
        return self.line(b"header\n") + self.line(
            b"row %d %d %d\n" % (number, position, set_number))

    def close(self):
        """Lets it end by itself; one that does not is ended with all that it started."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if self.process.poll() is None:
                self.end()
            self.process.stdout.close()
            self.said.close()

    def end(self):
        """Ends it at once, with all that it started."""
        processes.end_group(self.process)
        self.process.wait()
