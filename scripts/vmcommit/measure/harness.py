"""Harnesses: what a strategy says of itself, and one process for each sample that is taken."""

import csv
import dataclasses
import io
import json
import os
import pathlib
import signal
import subprocess

from vmcommit.base import processes, strategies
from vmcommit.base.cells import touched_bytes
from vmcommit.base.columns import NEEDED, NUMBERS, STATUSES
from vmcommit.base.files import relative
from vmcommit.base.folder import LEAST_NS, MOST, number_of
from vmcommit.base.problems import Problem
from vmcommit.base.text import counted, last_line
from vmcommit.measure import environment

LIST = "harnesses.txt"  # the build writes it beside the programs: a name a line
DESCRIBE_SECONDS = 60
BUILD_FIRST = "build first: make, or cmake --preset release && cmake --build build"


class HarnessFailed(Exception):
    """A harness that gave no row; the text says what happened to it, `said` why it ended with
    another status than 0."""

    def __init__(self, what, said=""):
        super().__init__(what)
        self.said = said


def ending_text(status: int) -> str:
    """How a process ended that should not have: by a signal, or with a status."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def ended(command, seconds) -> tuple[int, str, str]:
    """(status, standard output, standard error) of a process. Raises HarnessFailed where it did
    not start, did not end in time or was ended by a signal."""
    try:
        done = processes.run(command, seconds)
    except subprocess.TimeoutExpired:
        raise HarnessFailed(f"did not end within {seconds:.0f} s") from None
    except OSError as error:
        raise HarnessFailed(f"did not start: {error.strerror}") from None
    if done.returncode < 0:
        raise HarnessFailed(ending_text(done.returncode)
                            + (f": {last_line(done.stderr)}" if done.stderr.strip() else ""))
    return done.returncode, done.stdout, done.stderr


def succeeded(command, seconds) -> tuple[str, str]:
    """The same of a process that ended with status 0: (standard output, standard error)."""
    status, printed, said = ended(command, seconds)
    if status != 0:
        raise HarnessFailed(f"{ending_text(status)}: {last_line(said)}", said)
    return printed, said


def row_in(printed: str, configuration) -> dict:
    """The row that a harness printed of that configuration. Raises ValueError, which says what is
    wrong with it."""
    reader = csv.DictReader(io.StringIO(printed, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    lacking = [column for column in NEEDED if column not in (reader.fieldnames or ())]
    if lacking:
        raise ValueError(f"no column {', '.join(lacking)[:80]}")
    if len(rows) != 1 or None in rows[0] or None in rows[0].values():
        raise ValueError(f"{counted(len(rows), 'row')}, or not a field for each column")
    check_row(rows[0], configuration)
    return rows[0]


def check_row(row, configuration):
    """Raises ValueError where a row is not of that configuration, or makes no sense."""
    asked = {"strategy": configuration.strategy.name, "size_bytes": str(configuration.size),
             "touch_order": configuration.order, **configuration.manner.columns()}
    for column, text in asked.items():
        if row.get(column, "") != str(text):
            raise ValueError(f"{column} is '{row.get(column, ''):.40}' where {text} was asked for")
    if row["status"] not in STATUSES:
        raise ValueError(f"'{row['status']:.40}' is no status")
    for column in NUMBERS:
        if not abs(number_of(row[column] or "0")) <= MOST:
            raise ValueError(f"{column}: '{row[column]:.40}' is no number")
    if row["status"] == "ok" and not number_of(row["total_ns"]) >= LEAST_NS:
        raise ValueError(f"total_ns: '{row['total_ns']:.40}' is no time of a cycle")


@dataclasses.dataclass(frozen=True)
class Harness:
    """A strategy's program: `command` is how it starts, with what comes before it."""

    strategy: strategies.Strategy
    command: tuple

    def take(self, configuration, *more) -> dict:
        """A row of that configuration, {column: text}, by a process of its own; `more` are further
        options. Raises HarnessFailed."""
        return self.sample(configuration, *more)[0]

    def sample(self, configuration, *more) -> tuple[dict, str]:
        """The same, and what the process said on standard error."""
        with environment.room_for(configuration.manner.threads):
            printed, said = succeeded([*self.command, *configuration.arguments(), *more],
                                      configuration.time_limit())
        try:
            return row_in(printed, configuration), said
        except ValueError as error:
            raise HarnessFailed("ended with status 0 and gave no row that makes sense: "
                                f"{error}") from None


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
        "touch_order": configuration.order, **configuration.manner.columns(),
        "status": "skipped",
        "error": f"the harness {why}"}


def describe(command) -> strategies.Strategy:
    """What the harness with that command says of its strategy. Raises HarnessFailed."""
    printed, _ = succeeded([*command, "--describe"], DESCRIBE_SECONDS)
    try:
        return strategies.from_json(json.loads(printed))
    except (ValueError, RecursionError) as error:
        raise HarnessFailed(f"said of itself what can't be read: {error}") from None


def suffix_of_programs(emulator=()) -> str:
    return ".exe" if os.name == "nt" or emulator else ""


def programs(build, emulator=()) -> dict[str, tuple]:
    """{name: command} of the harnesses of a build folder, in the build's order. Raises Problem."""
    folder = pathlib.Path(build).resolve() / "bin"
    try:
        names = (folder / LIST).read_text(encoding="utf-8", errors="replace").split()
    except OSError as error:
        raise Problem(f"{relative(folder / LIST)}: {error.strerror}; {BUILD_FIRST}") from None
    if strategies.UPFRONT not in names:
        raise Problem(f"{relative(folder / LIST)} lacks {strategies.UPFRONT}, which all others are "
                      f"compared with; {BUILD_FIRST}")
    listed = {name: (*emulator, str(folder / (name + suffix_of_programs(emulator))))
              for name in names}
    for command in listed.values():
        if not os.path.exists(command[-1]):
            raise Problem(f"{relative(command[-1])} is missing; {BUILD_FIRST}")
    return listed


def described(build, emulator=()) -> dict[str, Harness]:
    """{name: Harness} of a build folder, in the build's order. Raises Problem."""
    harnesses = {}
    for name, command in programs(build, emulator).items():
        try:
            harnesses[name] = Harness(describe(command), command)
        except HarnessFailed as failure:
            raise Problem(f"{relative(command[-1])} {failure}; build again: make") from None
        if harnesses[name].strategy.name != name:
            raise Problem(f"{relative(command[-1])} says that it is "
                          f"'{harnesses[name].strategy}'; build again: make")
    return harnesses


def apart(build) -> list[Harness]:
    """The harnesses of a build folder that are in no campaign."""
    folder = pathlib.Path(build).resolve() / "bin"
    commands = [(str(folder / name),) for name in strategies.APART if (folder / name).is_file()]
    return [Harness(describe(command), command) for command in commands]
