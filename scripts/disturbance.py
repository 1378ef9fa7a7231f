"""What disturbed a run: time stolen by the hypervisor, switches, swapping, settings that changed.

Read before and after the samples; what should make a reader doubt becomes a plain sentence.
"""

import os
import pathlib

import environment

STOLEN_SHARE = 0.01
SWITCHES_PER_SAMPLE = 1.0
LOAD_OF_OTHERS = 0.5


def vmstat():
    lines = (environment.read("/proc/vmstat") or "").splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


def cpu_ticks(cpu):
    """(stolen, all) ticks of one CPU since the start of the system; zeros where unknown."""
    for line in (environment.read("/proc/stat") or "").splitlines():
        name, *ticks = line.split()
        if name == f"cpu{cpu}":
            return int(ticks[7]), sum(map(int, ticks[:8]))
    return 0, 0


def children():
    """(involuntary switches, major faults) of the harnesses so far."""
    try:
        import resource
    except ImportError:
        return 0, 0
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_nivcsw, usage.ru_majflt


def read(cpu):
    memory = vmstat()
    return {"ticks": cpu_ticks(cpu), "children": children(),
            "swapped": memory.get("pswpin", 0) + memory.get("pswpout", 0),
            "settings": environment.settings(),
            "load": os.getloadavg()[0] if pathlib.Path("/proc/loadavg").exists() else None}


def between(before, after):
    """What environment.json keeps."""
    stolen, ticks = (late - early for early, late in zip(before["ticks"], after["ticks"]))
    switches, major = (late - early
                       for early, late in zip(before["children"], after["children"]))
    changed = [name for name, value in before["settings"].items()
               if after["settings"][name] != value]
    return {"stolen_share": round(stolen / ticks, 4) if ticks else None,
            "involuntary_switches": switches, "major_faults": major,
            "pages_swapped": after["swapped"] - before["swapped"],
            "settings_changed": changed, "load_before": before["load"]}


def sentences(found, samples):
    """Why the figures of a run should be doubted; empty if nothing speaks against them."""
    if not found:
        return []
    doubts = []
    if (found["stolen_share"] or 0) > STOLEN_SHARE:
        doubts.append(f"The hypervisor took {100 * found['stolen_share']:.1f} % of the measuring "
                      "CPU's time for others.")
    if found["involuntary_switches"] > SWITCHES_PER_SAMPLE * max(samples, 1):
        doubts.append(f"Harnesses were interrupted {found['involuntary_switches']} times by other "
                      f"programs, in {samples} samples.")
    if found["major_faults"]:
        doubts.append(f"{found['major_faults']} page faults had to read from disk.")
    if found["pages_swapped"]:
        doubts.append(f"The machine swapped {found['pages_swapped']} pages during the run.")
    if found["settings_changed"]:
        doubts.append(f"Settings changed during the run: {', '.join(found['settings_changed'])}.")
    if (found["load_before"] or 0) > LOAD_OF_OTHERS:
        doubts.append(f"Other work was running when the run began (load {found['load_before']:.1f})"
                      ".")
    return doubts
