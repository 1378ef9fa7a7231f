"""What disturbed a run: time stolen by the hypervisor, swapping, settings that changed.

Read before and after the samples; what should make a reader doubt becomes a plain sentence.
"""

import os
import re
import time

from vmcommit.measure import environment

STOLEN_SHARE = 0.01
LOADING_FAULTS = 100  # reading the programs themselves makes some
OTHERS_SHARE = 0.1  # of one CPU


def vmstat():
    pairs = re.findall(r"^(\w+) (\d+)$", environment.read("/proc/vmstat") or "", re.M)
    return {name: int(value) for name, value in pairs}


def ticks_of(name):
    """Ticks by kind, as /proc/stat has them for "cpu" or one of its numbers; zeros if unknown."""
    line = re.search(rf"^{name}((?: +\d+){{8}})", environment.read("/proc/stat") or "", re.M)
    return [int(ticks) for ticks in line[1].split()] if line else [0] * 8


def cpu_ticks(cpu):
    """(stolen, all) ticks of one CPU since the start of the system."""
    ticks = ticks_of(f"cpu{cpu}")
    return ticks[7], sum(ticks)


def seconds_of_others():
    """CPU seconds of everything but this process and its children: user, nice, system and
    interrupts of all CPUs, less our own."""
    rate = environment.constant("SC_CLK_TCK")
    if rate is None:
        return 0.0
    user, nice, system, _, _, irq, softirq, _ = ticks_of("cpu")
    busy = (user + nice + system + irq + softirq) / rate
    return busy - sum(os.times()[:4])


def major_faults():
    """Of the harnesses so far."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_majflt


def read(cpu):
    memory = vmstat()
    return {"ticks": cpu_ticks(cpu), "major_faults": major_faults(),
            "swapped": memory.get("pswpin", 0) + memory.get("pswpout", 0),
            "settings": environment.settings(),
            "time": time.monotonic(), "others": seconds_of_others()}


def between(before, after):
    """What environment.json keeps."""
    stolen, ticks = (late - early for early, late in zip(before["ticks"], after["ticks"]))
    seconds = after["time"] - before["time"]
    changed = [name for name, value in before["settings"].items()
               if after["settings"][name] != value]
    return {"stolen_share": round(stolen / ticks, 4) if ticks else None,
            "others_cpu_share": round((after["others"] - before["others"]) / seconds, 4)
            if seconds else None, "major_faults": after["major_faults"] - before["major_faults"],
            "pages_swapped": after["swapped"] - before["swapped"],
            "settings_changed": changed}


def sentences(disturbance):
    """Why the figures of a run should be doubted, by what its environment.json keeps; empty if
    nothing speaks against them. Turns that others disturbed are told by the rows."""
    known = {name: value for name, value in disturbance.items() if value}
    doubts = []
    if known.get("stolen_share", 0) > STOLEN_SHARE:
        doubts.append(f"The hypervisor took {100 * known['stolen_share']:.1f} % of the measuring "
                      "CPU's time for others.")
    if known.get("others_cpu_share", 0) > OTHERS_SHARE:
        doubts.append(f"Other programs used {100 * known['others_cpu_share']:.0f} % of a CPU while "
                      "this run was measured.")
    if known.get("major_faults", 0) > LOADING_FAULTS:
        doubts.append(f"{known['major_faults']} page faults had to read from disk.")
    if "pages_swapped" in known:
        doubts.append(f"The machine swapped {known['pages_swapped']} pages during the run.")
    if "settings_changed" in known:
        doubts.append("Settings changed during the run: "
                      f"{', '.join(map(str, known['settings_changed']))}.")
    return doubts
