"""What a user measures beside the four: a library of their own by `custom`, an allocator by
`malloc`."""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess

from command import Usage

SYSTEM = "system"  # the allocator that a process has anyway
OPTIONS = {"custom": "library", "malloc": "allocator"}
WANTED = {"custom": "a shared library that answers vmcommit.h",
          "malloc": f"an allocator's shared library, or {SYSTEM}"}


def add_options(parser, side=""):
    """--library and --allocator; with a side, --SIDE-library and --SIDE-allocator."""
    prefix, at = (f"--{side}-", f" on the side of {side}") if side else ("--", "")
    parser.add_argument(f"{prefix}library", metavar="FILE", default="",
                        help=f"measure custom too, with this library{at}")
    parser.add_argument(f"{prefix}allocator", metavar="FILE", default="",
                        help=f"measure malloc too, with this allocator preloaded{at}; {SYSTEM}: "
                             "the one that a process has anyway")


@dataclasses.dataclass(frozen=True)
class Own:
    """Paths of files; '' for what is not asked for. `side` is of the options that named them."""

    library: str = ""
    allocator: str = ""
    side: str = ""

    def __post_init__(self):
        for strategy, path in self.files().items():
            if not path.is_file():
                raise Usage(f"{self.option(strategy)}: '{path.name}' is no file; "
                            f"name {WANTED[strategy]}")

    def option(self, strategy):
        return f"--{self.side and self.side + '-'}{OPTIONS[strategy]}"

    @property
    def strategies(self):
        return (("custom",) if self.library else ()) + (("malloc",) if self.allocator else ())

    def files(self):
        """{strategy: file} of those that are files."""
        found = {"custom": self.library,
                 "malloc": "" if self.allocator == SYSTEM else self.allocator}
        return {strategy: pathlib.Path(path).resolve() for strategy, path in found.items() if path}

    def described(self):
        """{strategy: which file, by its name and what it holds}, for environment.json."""
        known = dict.fromkeys(self.strategies, {"file": SYSTEM})
        return known | {strategy: {"file": path.name,
                                   "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
                        for strategy, path in self.files().items()}

    def programs(self, folder, emulator=()):
        """{strategy: the start of its command}, by the harnesses in `folder`. Each is tried out
        with its file: raises Usage where that can't work."""
        suffix = ".exe" if os.name == "nt" or emulator else ""
        files = self.files()
        found = {}
        for strategy in self.strategies:
            command = [*emulator, str((folder / (strategy + suffix)).resolve())]
            if strategy == "custom":
                command += ["--library", str(files[strategy])]
            elif strategy in files:
                command = ["env", f"LD_PRELOAD={files[strategy]}", *command]
            try_out(self.option(strategy), strategy, files.get(strategy), command)
            found[strategy] = command
        return found


def try_out(name, strategy, path, command):
    """What a loader refuses would otherwise show late or never: it just goes on without an
    allocator that can't be preloaded."""
    if path is not None and strategy == "malloc" and (os.name == "nt" or ".exe" in command[-1]):
        raise Usage(f"{name}: '{path.name}': nothing can be preloaded on Windows; use {SYSTEM}")
    if shutil.which(command[0]) is None:
        raise Usage(f"{name}: {strategy} is not among the harnesses; build it first: make")
    done = subprocess.run([*command, "--size", "64K", "--repeat", "1"], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60)
    said = done.stderr.strip().splitlines()
    if done.returncode != 0 or "cannot be preloaded" in done.stderr:
        why = said[-1] if said else f"ended with status {done.returncode}"
        raise Usage(f"{name}: '{path.name if path else SYSTEM}': {why}; name {WANTED[strategy]}")
