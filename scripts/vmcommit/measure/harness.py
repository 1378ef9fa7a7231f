"""Harnesses: what a strategy says of itself, and one process for each sample that is taken."""

import csv
import dataclasses
import json
import os
import pathlib
import signal
import subprocess

from vmcommit.base import strategies
from vmcommit.base.cells import touched_bytes
from vmcommit.base.files import relative
from vmcommit.base.problems import Problem
from vmcommit.base.text import last_line

LIST = "harnesses.txt"  # the build writes it beside the programs: a name a line
DESCRIBE_SECONDS = 60


class HarnessFailed(Exception):
    """A harness that gave no row; the text says what happened to it."""


def ending_text(status):
    """How a process ended that should not have: by a signal, or with a status."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def ended(command, seconds):
    """(status, standard output, standard error) of a process. Raises HarnessFailed where it did
    not start, did not end in time or was ended by a signal."""
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL,
                              text=True, encoding="utf-8", errors="replace", timeout=seconds)
    except subprocess.TimeoutExpired:
        raise HarnessFailed(f"gave no row within {seconds:.0f} s and was ended") from None
    except OSError as error:
        raise HarnessFailed(f"did not start: {error.strerror}") from None
    if done.returncode < 0:
        raise HarnessFailed(ending_text(done.returncode))
    return done.returncode, done.stdout, done.stderr


@dataclasses.dataclass(frozen=True)
class Harness:
    """A strategy's program: `command` is how it starts, with what comes before it."""

    strategy: strategies.Strategy
    command: tuple

    def take(self, configuration, *more):
        """A row of that configuration, {column: text}, by a process of its own; `more` are further
        options. Raises HarnessFailed."""
        status, output, said = ended([*self.command, *configuration.arguments(), *more],
                                     configuration.time_limit())
        rows = list(csv.DictReader(output.splitlines()))
        if status != 0 or len(rows) != 1 or None in rows[0] or None in rows[0].values():
            raise HarnessFailed(f"{ending_text(status)}: {last_line(said)}")
        return rows[0]


def row_of_failure(configuration, like, why):
    """A harness that died leaves a row too, so that nobody takes its absence for success. `like` is
    a row of the same harness, for what does not depend on the configuration."""
    page = int(like["page_bytes"])
    same = {column: like[column] for column in ("platform", "pages", "page_bytes", "guard", "trap")}
    return dict.fromkeys(like, "") | same | {
        "strategy": configuration.strategy.name, "size_bytes": configuration.size,
        "chunk_bytes": configuration.strategy.step_bytes(configuration.size, page,
                                                         configuration.chunk),
        "touched_bytes": touched_bytes(configuration.size, configuration.touch, page),
        "touch_order": configuration.order, "status": "skipped",
        "error": f"the harness {why}"}


def describe(command):
    """What the harness with that command says of its strategy. Raises HarnessFailed."""
    status, output, said = ended([*command, "--describe"], DESCRIBE_SECONDS)
    if status != 0:
        raise HarnessFailed(f"{ending_text(status)}: {last_line(said)}")
    try:
        return strategies.from_json(json.loads(output))
    except ValueError as error:
        raise HarnessFailed(f"said of itself what can't be read: {error}") from None


def suffix_of_programs(emulator=()):
    return ".exe" if os.name == "nt" or emulator else ""


def programs(build, emulator=()):
    """{name: command} of the harnesses of a build folder, in the build's order. Raises Problem."""
    folder = pathlib.Path(build).resolve() / "bin"
    try:
        names = (folder / LIST).read_text(encoding="utf-8").split()
    except OSError:
        raise Problem(f"{relative(folder / LIST)} is missing; build first: make, or "
                      "cmake --preset release && cmake --build build") from None
    found = {name: (*emulator, str(folder / (name + suffix_of_programs(emulator))))
             for name in names}
    for command in found.values():
        if not os.path.exists(command[-1]):
            raise Problem(f"{relative(command[-1])} is missing; build first: make, or "
                          "cmake --preset release && cmake --build build")
    return found


def described(build, emulator=()):
    """{name: Harness} of a build folder, in the build's order. Raises Problem."""
    found = {}
    for name, command in programs(build, emulator).items():
        try:
            found[name] = Harness(describe(command), command)
        except HarnessFailed as failure:
            raise Problem(f"{relative(command[-1])} {failure}; build again: make") from None
    return found
