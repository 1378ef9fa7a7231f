"""What a run was measured on: the machine, the system and its settings, the build, the revision."""

import contextlib
import ctypes
import json
import os
import pathlib
import platform
import re
import subprocess

from vmcommit.base import processes
from vmcommit.base.units import GIB

OUTPUT_SECONDS = 120  # that a command may take which tells a fact


def read(path):
    """A settings file's text, or None where this system has none."""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def output(*command, **options):
    """What a command prints, untranslated, or None if it can't be run here."""
    try:
        done = processes.run(command, OUTPUT_SECONDS, env=os.environ | {"LC_ALL": "C.UTF-8"},
                             **options)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def json_of(text):
    """The object that a text is; {} where it is none."""
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def bracketed(setting):
    """The bracketed word of `always [madvise] never`; None where there is none."""
    word = re.search(r"\[(.*?)\]", setting or "")
    return word[1] if word else None


def windows_memory():
    """What GlobalMemoryStatusEx tells, under the names of /proc/meminfo. ullAvailPageFile is what
    could still be committed."""
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint32), ("load", ctypes.c_uint32)] + [
            (name, ctypes.c_uint64) for name in
            ("MemTotal", "MemAvailable", "CommitLimit", "commit_available", "virtual",
             "virtual_available", "extended")]
    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return {}
    facts = {name: getattr(status, name) for name in ("MemTotal", "MemAvailable", "CommitLimit")}
    return facts | {"Committed_AS": status.CommitLimit - status.commit_available,
                    "MemAvailable": min(status.MemAvailable, status.commit_available)}


def meminfo():
    """/proc/meminfo in bytes."""
    if os.name == "nt":
        return windows_memory()
    pairs = re.findall(r"^([^:\n]+):\s*(\d+) kB$", read("/proc/meminfo") or "", re.M)
    return {name: int(value) * 1024 for name, value in pairs}


def constant(name):
    """Of sysconf; None where this system does not know it."""
    try:
        value = os.sysconf(name)
    except (AttributeError, ValueError, OSError):
        return None
    return value if value > 0 else None


def available_bytes() -> int:
    """What may be used of memory; a modest machine's where this one does not say."""
    pages, page = constant("SC_AVPHYS_PAGES"), constant("SC_PAGESIZE")
    return meminfo().get("MemAvailable") or (pages * page if pages and page else 2 * GIB)


def whole_number(path):
    text = read(path) or ""
    return int(text) if text.isdecimal() else None


def cpuinfo():
    """The first processor of /proc/cpuinfo; lscpu fails where /sys is not mounted."""
    lines = (read("/proc/cpuinfo") or "").split("\n\n")[0].splitlines()
    return {name.strip(): value.strip() for name, _, value in
            (line.partition(":") for line in lines)}


def lscpu():
    """What it says, by names; {} where there is none."""
    fields = json_of(output("lscpu", "-J")).get("lscpu", [])
    return {str(field.get("field")).rstrip(":"): field.get("data") for field in fields
            if isinstance(field, dict)} if isinstance(fields, list) else {}


def usable_cpus():
    """Numbers of the CPUs that this process may use; none where the system does not say."""
    try:
        return os.sched_getaffinity(0)
    except (AttributeError, OSError):
        return set()


CPUS = usable_cpus()  # when the suite was started, before pin()


def processor():
    facts, first = lscpu(), cpuinfo()
    hypervisor = "a hypervisor" if "hypervisor" in first.get("flags", "").split() else None
    return {
        "model": facts.get("Model name") or first.get("model name") or platform.processor(),
        "architecture": platform.machine(),
        "family_model_stepping": [first.get(name) for name in
                                  ("cpu family", "model", "stepping")],
        "cores": os.cpu_count(),
        "cores_usable": len(usable_cpus()) or None,
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "hypervisor": facts.get("Hypervisor vendor") or hypervisor,
    }


def memory():
    facts = meminfo()
    return {"total_bytes": facts.get("MemTotal"), "available_bytes": facts.get("MemAvailable"),
            "swap_bytes": facts.get("SwapTotal"), "commit_limit_bytes": facts.get("CommitLimit"),
            "committed_bytes": facts.get("Committed_AS")}


def settings():
    huge = "/sys/kernel/mm/transparent_hugepage"
    return {
        "thp_enabled": bracketed(read(f"{huge}/enabled")),
        "thp_defrag": bracketed(read(f"{huge}/defrag")),
        "overcommit_memory": whole_number("/proc/sys/vm/overcommit_memory"),
        "overcommit_ratio": whole_number("/proc/sys/vm/overcommit_ratio"),
        "max_map_count": whole_number("/proc/sys/vm/max_map_count"),
        "clocksource": read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    }


def pin():
    """Keeps this process, and so every harness that it starts, on the last CPU it may use. Returns
    the CPU; None where the system can't do that."""
    cpu = max(usable_cpus(), default=None)
    try:
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
    except OSError:
        return None
    return cpu


@contextlib.contextmanager
def pinned():
    """pin() for the time of a with block."""
    cpus = usable_cpus()
    cpu = pin()
    try:
        yield cpu
    finally:
        if cpu is not None:
            with contextlib.suppress(OSError):  # a CPU may have gone meanwhile
                os.sched_setaffinity(0, cpus)


@contextlib.contextmanager
def room_for(threads):
    """For the time of a with block, what is started may use every CPU where it has several
    threads."""
    cpus = usable_cpus()
    if threads < 2 or cpus == CPUS:
        yield
        return
    os.sched_setaffinity(0, CPUS)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


def revision(root, built):
    """By git, or as the build says it where there is no repository. `built`: its build.json."""
    if root is None:
        commit, _, changes = str(built.get("revision", "unknown")).partition("+")
        known = commit != "unknown"
        return {"commit": commit if known else None, "clean": not changes if known else None}
    # Without optional locks: one that is left behind, on a full disk, would block git for the user.
    status = output("git", "--no-optional-locks", "status", "--porcelain", cwd=root)
    return {"commit": output("git", "rev-parse", "HEAD", cwd=root),
            "clean": status == "" if status is not None else None}


def describe(root, build):
    """Everything but what the run itself adds: profile, seed and times. `root`: of the source tree;
    None where there is none."""
    built = json_of(read(build / "build.json"))
    return {
        "processor": processor(),
        "memory": memory(),
        "system": {"name": platform.system(), "kernel": platform.release(),
                   "page_bytes": constant("SC_PAGESIZE")},
        "settings": settings(),
        "build": built,
        "revision": revision(root, built),
    }
