"""What a user measures beside the built-in strategies: a library of their own, by the harness that
takes one, and an allocator, by the harness whose memory comes in blocks."""

import dataclasses
import hashlib
import os
import pathlib

from vmcommit.base.cells import Configuration
from vmcommit.base.problems import Usage
from vmcommit.base.text import last_line
from vmcommit.base.units import KIB
from vmcommit.measure.harness import Harness, HarnessFailed

SYSTEM = "system"  # the allocator that a process has anyway
WANTED = {"library": "a shared library that answers vmcommit.h",
          "allocator": f"an allocator's shared library, or {SYSTEM}"}


@dataclasses.dataclass(frozen=True)
class Subjects:
    """Paths of files; '' for what is not asked for. `side` is of the options that named them."""

    library: str = ""
    allocator: str = ""
    side: str = ""

    def __post_init__(self):
        for kind, path in self.files().items():
            if not path.is_file():
                raise Usage(f"{self.option(kind)}: '{path.name}' is no file; name {WANTED[kind]}")

    def option(self, kind):
        return f"--{self.side and self.side + '-'}{kind}"

    @property
    def kinds(self):
        """Which were asked for: "library", "allocator"."""
        return tuple(kind for kind in WANTED if getattr(self, kind))

    def files(self):
        """{kind: file} of those that are files."""
        return {kind: pathlib.Path(path).resolve() for kind in WANTED
                if (path := getattr(self, kind)) and (kind, path) != ("allocator", SYSTEM)}

    def described(self):
        """{kind: which file, by its name and what it holds}, for environment.json."""
        return dict.fromkeys(self.kinds, {"file": SYSTEM}) | {
            kind: {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for kind, path in self.files().items()}

    def harnesses(self, described, emulator=()):
        """{name: Harness} of what is asked for, by the harnesses of a build, {name: Harness}. Each
        is tried out with its file: raises Usage where that can't work."""
        files = self.files()
        brought_harnesses = {}
        for harness in described.values():
            kind = "allocator" if harness.strategy.blocks else "library"
            if harness.strategy.brought and kind in self.kinds:
                brought_harnesses[harness.strategy.name] = brought(
                    harness, self.option(kind), kind, files.get(kind), emulator)
        return brought_harnesses


def brought(harness, option, kind, path, emulator):
    """A harness with what the user brought to it."""
    command = harness.command
    if kind == "library":
        command = (*command, "--library", str(path))
    elif path is not None:
        if os.name == "nt" or emulator:
            raise Usage(f"{option}: '{path.name}': nothing can be preloaded on Windows; "
                        f"use {SYSTEM}")
        if any(letter in str(path) for letter in " :"):
            raise Usage(f"{option}: '{path}': the loader takes a space or a colon for the end of "
                        "a path; copy the file to a folder without")
        command = ("env", f"LD_PRELOAD={path}", *command)
    harness = Harness(harness.strategy, command)
    try_out(harness, option, kind, path)
    return harness


def try_out(harness, option, kind, path):
    """What a loader refuses would otherwise show late or never: it just goes on without an
    allocator that can't be preloaded."""
    name = path.name if path else SYSTEM
    small = Configuration(harness.strategy, 64 * KIB)
    try:
        _, said = harness.sample(small)
    except HarnessFailed as failure:
        why = last_line(failure.said) if failure.said.strip() else f"{harness.strategy} {failure}"
        raise Usage(f"{option}: '{name}': {why}; name {WANTED[kind]}") from None
    if "cannot be preloaded" in said:
        raise Usage(f"{option}: '{name}': {last_line(said)}; name {WANTED[kind]}")
