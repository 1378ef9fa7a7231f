"""What a run was measured on: the machine, the system and its settings, the build, the revision."""

import contextlib
import ctypes
import json
import os
import pathlib
import platform
import subprocess

OUTPUT_SECONDS = 120  # that a command may take which tells a fact


def read(path):
    """A settings file's text, or None where this system has none."""
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return None


def output(*command, **options):
    """What a command prints, or None if it can't be run here."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True,
                              encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL,
                              timeout=OUTPUT_SECONDS, **options).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def bracketed(setting):
    """The bracketed word of `always [madvise] never`."""
    return setting[setting.find("[") + 1:setting.find("]")] if setting else None


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
    lines = (read("/proc/meminfo") or "").splitlines()
    return {name: int(value.split()[0]) * 1024 for name, value in
            (line.split(":") for line in lines) if value.endswith("kB")}


def available_bytes():
    return meminfo().get("MemAvailable", 0)


def whole_number(path):
    text = read(path) or ""
    return int(text) if text.isdecimal() else None


def cpuinfo():
    """The first processor of /proc/cpuinfo; lscpu fails where /sys is not mounted."""
    lines = (read("/proc/cpuinfo") or "").split("\n\n")[0].splitlines()
    return {name.strip(): value.strip() for name, _, value in
            (line.partition(":") for line in lines)}


def processor():
    fields = json.loads(output("lscpu", "-J") or '{"lscpu": []}')["lscpu"]
    facts = {field["field"].rstrip(":"): field["data"] for field in fields}
    first = cpuinfo()
    hypervisor = "a hypervisor" if "hypervisor" in first.get("flags", "").split() else None
    return {
        "model": facts.get("Model name") or first.get("model name") or platform.processor(),
        "architecture": platform.machine(),
        "family_model_stepping": [first.get(name) for name in
                                  ("cpu family", "model", "stepping")],
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
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
    if not hasattr(os, "sched_setaffinity"):
        return None
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return cpu


@contextlib.contextmanager
def pinned():
    """pin() for the time of a with block."""
    cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        yield pin()
    finally:
        if cpus:
            os.sched_setaffinity(0, cpus)


def revision(root):
    # Without optional locks: one that is left behind, on a full disk, would block git for the user.
    status = output("git", "--no-optional-locks", "status", "--porcelain", cwd=root)
    return {"commit": output("git", "rev-parse", "HEAD", cwd=root),
            "clean": status == "" if status is not None else None}


def describe(root, build):
    """Everything but what the run itself adds: profile, seed and times."""
    return {
        "processor": processor(),
        "memory": memory(),
        "system": {"name": platform.system(), "kernel": platform.release(),
                   "page_bytes": os.sysconf("SC_PAGESIZE") if hasattr(os, "sysconf") else None},
        "settings": settings(),
        "build": json.loads(read(build / "build.json") or "null"),
        "revision": revision(root),
    }
