"""A Linux machine as its /proc and /sys tell of it; those of another one may lie below a folder."""

import dataclasses
import pathlib
import re


def numbers_in(cpu_list):
    """{0, 1, 4} of the kernel's "0-1,4"; empty where it is no such list."""
    numbers = set()
    for part in (cpu_list or "").split(","):
        if ends := re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip()):
            numbers.update(range(int(ends[1]), int(ends[2] or ends[1]) + 1))
    return numbers


@dataclasses.dataclass(frozen=True)
class Group:
    """A control group: the folder of its tree, and its name in there."""

    top: str
    name: str

    @property
    def folder(self):
        return self.top + self.name.rstrip("/")

    @property
    def outermost(self):
        return self.name == "/"


class Machine:
    """What is not there, or makes no sense, is None or empty: no question ends in an error.
    `superuser` is whoever asks."""

    def __init__(self, root="/", superuser=False):
        self.root = pathlib.Path(root)
        self.superuser = superuser

    def below(self, path):
        return self.root / str(path).lstrip("/")

    def read(self, path):
        """A file's text without its ends."""
        try:
            return self.below(path).read_text(encoding="utf-8", errors="replace").strip()
        except (OSError, ValueError):
            return None

    def number(self, path):
        text = self.read(path) or ""
        return int(text) if re.fullmatch(r"-?\d{1,19}", text) else None

    def matching(self, pattern):
        """Paths, as this machine has them, of what a pattern of shells matches."""
        try:
            return sorted("/" + str(path.relative_to(self.root))
                          for path in self.root.glob(pattern.lstrip("/")))
        except OSError:
            return []

    def memory(self):
        """/proc/meminfo: bytes, or a plain count, by name."""
        fields = re.findall(r"^(\w+): +(\d+)( kB)?$", self.read("/proc/meminfo") or "", re.M)
        return {name: int(value) * (1024 if unit else 1) for name, value, unit in fields}

    def usable_cpus(self):
        """Those that this process may use."""
        status = self.read("/proc/self/status") or ""
        listed = re.search(r"^Cpus_allowed_list:\s*(\S+)$", status, re.M)
        return numbers_in(listed[1]) if listed else set()

    def soft_limit(self, name):
        """Of this process, by its name in /proc/self/limits; None where it is unlimited."""
        line = re.search(rf"^{re.escape(name)} +(\d+) ", self.read("/proc/self/limits") or "", re.M)
        return int(line[1]) if line else None

    def kernel(self):
        """(6, 18) of "6.18.44-generic"."""
        numbers = re.match(r"(\d+)\.(\d+)", self.read("/proc/sys/kernel/osrelease") or "")
        return (int(numbers[1]), int(numbers[2])) if numbers else None

    def groups(self, controller):
        """The control groups that this process is in and that `controller` may limit, innermost
        first: of the unified layout, and of the older one, in which each controller has its own
        tree (cgroups(7))."""
        groups = []
        for line in (self.read("/proc/self/cgroup") or "").splitlines():
            _, controllers, path = (line.split(":", 2) + ["", ""])[:3]
            if controllers == "":
                top = "/sys/fs/cgroup"
            elif controller in controllers.split(","):
                top = f"/sys/fs/cgroup/{controller}"
            else:
                continue
            inner = pathlib.PurePosixPath("/", path)
            groups += [Group(top, str(each)) for each in (inner, *inner.parents)]
        return groups
