"""The build of another revision of this repository, to compare with: made once, and kept.

Its source is checked out by an index of its own, so that the repository notices nothing of it, and
it is built under another name and renamed when it is whole: what was interrupted begins anew.
"""

import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable

from vmcommit.base.files import locked, relative, write_text
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.text import last_line

NOT_BUILT = 4
FOLDER = "build-compare"
TOOLS = ("git", "cmake", "ninja")


def command(*words, at: pathlib.Path, **environment: str) -> str:
    """What a command prints. Raises subprocess.CalledProcessError with all of it as output."""
    return subprocess.run(words, cwd=at, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, encoding="utf-8",
                          errors="replace", env=os.environ | {"LC_ALL": "C"} | environment
                          ).stdout.strip()


def cause_of(output: str) -> str:
    """The first line that tells of an error, with the next one where it only announces it."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for at, line in enumerate(lines):
        if re.search(r"\b(error|fatal)\b", line, re.IGNORECASE):
            return " ".join(lines[at:at + 2]) if line.endswith(":") else line
    return last_line(output)


def commit_of(root: pathlib.Path, revision: str) -> str:
    for tool in TOOLS:
        if not shutil.which(tool):
            raise Problem(f"BASE: '{revision}' can't be built: {tool} is missing; run "
                          "./scripts/setup.sh", NOT_BUILT)
    try:
        return command("git", "rev-parse", "--verify", "--quiet", "--end-of-options",
                       revision + "^{commit}", at=root)
    except subprocess.CalledProcessError as error:
        if error.stdout.strip():
            raise Problem(f"BASE: '{revision}': git says: {cause_of(error.stdout)}",
                          NOT_BUILT) from None
        raise Usage(f"BASE: '{revision}' is no revision of this repository; use a branch, tag or "
                    "commit (and fetch enough of the history)") from None
    except ValueError:  # a NUL can't be handed over
        raise Usage(f"BASE: {revision!r} is no revision") from None


def check_out(root: pathlib.Path, commit: str, source: pathlib.Path, index: pathlib.Path) -> None:
    alone = {"GIT_INDEX_FILE": str(index)}
    index.unlink(missing_ok=True)
    command("git", "read-tree", commit, at=root, **alone)
    command("git", "checkout-index", "--all", f"--prefix={source}/", at=root, **alone)


def build_aside(root: pathlib.Path, commit: str, aside: pathlib.Path) -> None:
    """Builds in `aside`, whose name ends in the commit; its source is beside it."""
    source, index = (aside.with_name(f".{part}-{commit}") for part in ("source", "index"))
    for folder in (source, aside):
        shutil.rmtree(folder, ignore_errors=True)
    check_out(root, commit, source, index)
    command("cmake", "-S", str(source), "-B", str(aside), "-G", "Ninja",
            "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DBUILD_TESTING=OFF",
            f"-DVMCOMMIT_REVISION={commit}", at=source)
    command("cmake", "--build", str(aside), at=source)
    shutil.rmtree(source, ignore_errors=True)
    index.unlink(missing_ok=True)


def build(root: pathlib.Path, revision: str,
          say: Callable[[str], None]) -> tuple[pathlib.Path, str]:
    """(build folder of that revision, its commit). Raises Usage, and Problem where it does not
    build or another command is building it."""
    commit = commit_of(root, revision)
    builds = root / FOLDER
    built, aside, log = (builds / name for name in (commit, f".build-{commit}", f"{commit}.log"))
    with locked(builds / f".{commit}.lock", "building"):
        if built.exists():
            return built, commit
        say(f"building {revision} ({commit[:12]})")
        try:
            build_aside(root, commit, aside)
        except subprocess.CalledProcessError as error:
            write_text(log, error.stdout)
            raise Problem(f"BASE: '{revision}' does not build: {error.cmd[0]}: "
                          f"{cause_of(error.stdout)}; all of it: {relative(log)}",
                          NOT_BUILT) from None
        aside.rename(built)
    return built, commit
