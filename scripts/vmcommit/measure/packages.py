"""Kernels as Debian's packages: found, fetched and unpacked, never installed. apt is asked with
lists and caches of our own, so that nothing of the system's changes and nobody need be root."""

import contextlib
import errno
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import time

from vmcommit.base import processes
from vmcommit.base.files import relative
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.text import last_line, listed

ARCHITECTURE = "amd64"
# Beside the machine's own: where its mirror has older and newer kernels. One that a mirror lacks is
# passed over.
SUITES = ("bullseye", "bookworm", "bookworm-backports", "trixie", "trixie-backports", "sid")
# Plain ones: those for clouds and for real time are built otherwise.
IMAGE = re.compile(rf"linux-image-(\d+\.\d+[\w.+~]*(?:-\d+)?)-{ARCHITECTURE}")
PARTS = re.compile(r"linux-(?:binary|modules)-[\w.+~-]+")
NEWEST, OLDEST = "newest", "oldest"
LIST_SECONDS, FETCH_SECONDS = 300, 900
STALE_SECONDS = 24 * 3600  # of lists
MISSING = "is not here: kernels are fetched as Debian's packages; name files, as ./vmlinuz, instead"


def cache_folder() -> pathlib.Path:
    """Raises Problem where there can be none."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = pathlib.Path(base) / "vmcommit" / "kernels"
    try:
        if base.startswith("~"):
            raise FileNotFoundError(errno.ENOENT, "this user has no home")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(f"{folder}: {error.strerror}; name another folder for what is kept by "
                      "XDG_CACHE_HOME") from None
    return folder


def said_by(command, seconds, **options) -> str:
    """What a command prints. Raises Problem."""
    try:
        done = processes.run([*map(str, command)], seconds, **options)
    except FileNotFoundError:
        raise Problem(f"{command[0]} {MISSING}") from None
    except processes.TimeoutExpired:
        raise Problem(f"{command[0]} did not end within {seconds} s") from None
    if done.returncode:
        raise Problem(f"{command[0]} failed: {last_line(done.stderr, done.stdout)}")
    return done.stdout


def numbers(name):
    """By which versions are ordered."""
    return [int(number) for number in re.findall(r"\d+", name)]


def matches(version, asked) -> bool:
    """Whether 6.1.0-44 is a 6.1, and 6.12.3 is none."""
    return version == asked or (version.startswith(asked) and not version[len(asked)].isalnum())


class Archive:
    """The kernels that the machine's mirror has."""

    def __init__(self, folder):
        self.folder = folder
        self.lists, self.sources = folder / "lists", folder / "sources.list"
        (self.lists / "partial").mkdir(parents=True, exist_ok=True)

    def apt(self, program, *words, seconds=LIST_SECONDS, cwd=None):
        settings = {"Dir::Etc::sourcelist": self.sources, "Dir::Etc::sourceparts": "-",
                    "Dir::State::lists": self.lists, "Dir::Cache": self.folder / "cache",
                    "Acquire::Languages": "none", "Acquire::Retries": 2}
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            settings["APT::Sandbox::User"] = "root"  # who alone can write to this folder
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return said_by([program, *options, *words], seconds, cwd=cwd)

    def write_sources(self) -> bool:
        """The machine's own suites, and others of the same mirror by the same key. Returns whether
        these are others than before."""
        told = said_by(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)",
                        "Identifier: Packages", "Origin: Debian"], LIST_SECONDS)
        own = sorted({tuple(line.split()) for line in told.splitlines()
                      if len(line.split()) == 2})
        if not own:
            raise Problem("apt knows no suite of Debian here (apt-get update); name kernels as "
                          "files, as ./vmlinuz, instead")
        mirror = next((uri for uri, release in own if release in SUITES), own[0][0])
        suites = dict.fromkeys([*own, *((mirror, suite) for suite in SUITES)])
        key = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
        signed = f"[signed-by={key}] " if key.exists() else ""
        text = "".join(f"deb {signed}{uri} {suite} main\n" for uri, suite in suites)
        if not self.sources.exists() or self.sources.read_text(encoding="utf-8") != text:
            self.sources.write_text(text, encoding="utf-8")
            return True
        return False

    def update(self):
        mark = self.folder / "updated"
        fresh = mark.exists() and time.time() - mark.stat().st_mtime < STALE_SECONDS
        if self.write_sources() or not fresh:
            (self.folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(Problem):  # of a suite that the mirror lacks
                self.apt("apt-get", "-qq", "update")
            mark.touch()

    def versions(self) -> dict[str, str]:
        """{version: package}, the oldest first."""
        names = self.apt("apt-cache", "pkgnames", "linux-image-").split()
        found = {match[1]: name for name in names if (match := IMAGE.fullmatch(name))}
        return {version: found[version] for version in sorted(found, key=numbers)}

    def parts(self, package) -> list[str]:
        """The packages that a kernel is made of; newer ones are in several."""
        shown = self.apt("apt-cache", "show", "--no-all-versions", package)
        depends = " ".join(re.findall(r"^Depends: (.*)$", shown, re.M))
        return [package, *dict.fromkeys(PARTS.findall(depends))]

    def fetch(self, package, folder):
        """Paths of the package files, in the folder."""
        before = set(folder.iterdir())
        self.apt("apt-get", "-qq", "download", package, seconds=FETCH_SECONDS, cwd=folder)
        return sorted(set(folder.iterdir()) - before)


def chosen(asked, versions) -> str:
    """The newest version that is meant by 6.1, 6.12.3, newest or oldest. Raises Problem."""
    fitting = [version for version in versions if asked in (NEWEST, OLDEST)
               or matches(version, asked)]
    if not fitting:
        series = dict.fromkeys(".".join(version.split(".")[:2]) for version in versions)
        raise Problem(f"kernel {asked} is not to be had from this machine's mirror, which has "
                      f"{listed(series) if series else 'none'}")
    return fitting[0 if asked == OLDEST else -1]


def members(package, wanted):
    """(base name, content) of the files in a package whose path `wanted` accepts."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package],
                          stdout=subprocess.PIPE) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    if member.isfile() and wanted(member.name):
                        yield pathlib.PurePosixPath(member.name).name, \
                            archive.extractfile(member).read()
        except tarfile.TarError as error:
            raise Problem(f"{relative(package)} can't be unpacked: {error}") from None


def unpack(packages, folder, modules):
    """vmlinuz, and those of the named modules that are none of the kernel itself."""
    def wanted(path):
        name = pathlib.PurePosixPath(path).name
        return name.startswith("vmlinuz") or name.split(".ko")[0] in modules and ".ko" in name
    for package in packages:
        for name, content in members(package, wanted):
            (folder / ("vmlinuz" if name.startswith("vmlinuz") else name)).write_bytes(content)


def kernel(asked, modules=()) -> pathlib.Path:
    """The folder that holds a kernel's vmlinuz and modules; fetched where it is not there yet. A
    file that is named by its path is one. Raises Problem."""
    if "/" in asked:
        if not pathlib.Path(asked).is_file():
            raise Usage(f"'{asked}' is no file; name a kernel's image, or a version, as 6.12")
        return pathlib.Path(asked)
    archive = Archive(cache_folder())
    archive.update()
    versions = archive.versions()
    version = chosen(asked, versions)
    folder = archive.folder / (version + ("-modules" if modules else ""))
    if not folder.exists():
        scratch = archive.folder / f".{version}.{os.getpid()}"
        scratch.mkdir()
        try:
            for package in archive.parts(versions[version]):
                if modules or not package.startswith("linux-modules"):
                    fetched = archive.fetch(package, scratch)
                    unpack(fetched, scratch, modules)
                    for path in fetched:
                        path.unlink()
            if not (scratch / "vmlinuz").exists():
                raise Problem(f"{versions[version]} holds no vmlinuz")
            scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder / "vmlinuz"
