"""What of a machine disturbs or limits measuring, and the command that mends each. Only looks."""

import dataclasses
import importlib.util
import re
import shutil

from vmcommit.base.text import listed
from vmcommit.base.units import size_text
from vmcommit.measure.disturbance import STOLEN_SHARE
from vmcommit.measure.environment import bracketed
from vmcommit.measure.machine import numbers_in
from vmcommit.measure.profiles import PROFILES

DISTURBS = "disturbs"  # figures scatter, or are of something else
LIMITS = "limits"  # something can't be measured
LACKS = "lacks"  # what bench needs is not installed
MAPPINGS = 65530  # the kernel's default (Documentation/admin-guide/sysctl/vm.rst)
BUSY = 0.5  # CPUs that others use
TASKS = 64  # of a set's processes and their threads, with room
NO_LIMIT = 2**60  # or more: the older control groups have no word for it
SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit")  # a system call each
GUARDS_SINCE = (6, 13)  # MADV_GUARD_INSTALL (madvise(2))
CPU = "/sys/devices/system/cpu"
THP = "/sys/kernel/mm/transparent_hugepage"
MODULES = ("scipy", "pandas", "jinja2", "tqdm")
PROGRAMS = {"hyperfine": ("hyperfine", "times of whole processes"),  # {name: (Debian's package,
            "gnuplot": ("gnuplot-nox", "charts")}  # what there is not without it)}
OTHERS = {"strace": ("strace", "verify"), "setarch": ("util-linux", "verify"),
          "perf": ("linux-perf", "verify's page faults")}


@dataclasses.dataclass(frozen=True)
class Finding:
    """`what` is a sentence without its full stop; lines of `remedy` that begin with "$ " are
    commands, others say what to do where no command can."""

    kind: str
    what: str
    remedy: tuple


def as_root(machine, command):
    return f"$ {command}" if machine.superuser else f"$ sudo {command}"


def write(machine, text, *paths):
    """The command that writes a setting."""
    return f"$ echo {text} | {'' if machine.superuser else 'sudo '}tee {' '.join(paths)}"


def set_kernel(machine, name, value):
    return as_root(machine, f"sysctl -w {name}={value}")


def frequency(machine):
    paths = machine.matching(f"{CPU}/cpu[0-9]*/cpufreq/scaling_governor")
    others = sorted({machine.read(path) or "performance" for path in paths} - {"performance"})
    if others:
        yield Finding(DISTURBS, f"governor {listed(others)}: the clock of a CPU follows its load",
                      (write(machine, "performance", f"{CPU}/cpu*/cpufreq/scaling_governor"),))


def turbo(machine):
    for path, on, off in ((f"{CPU}/intel_pstate/no_turbo", 0, 1), (f"{CPU}/cpufreq/boost", 1, 0)):
        if machine.number(path) == on:
            yield Finding(DISTURBS, "turbo is on: the clock of a CPU follows heat and the load of "
                          "the others", (write(machine, off, path),))
            return


def smt(machine):
    """Of the CPU that measures: the last one, as environment.pin() has it."""
    cpu = max(machine.usable_cpus(), default=None)
    shared = machine.read(f"{CPU}/cpu{cpu}/topology/thread_siblings_list")
    siblings = sorted(numbers_in(shared) - {cpu})
    if not siblings:
        return
    control = f"{CPU}/smt/control"
    off = write(machine, "off", control) if machine.read(control) == "on" else \
        write(machine, 0, *(f"{CPU}/cpu{sibling}/online" for sibling in siblings))
    yield Finding(DISTURBS, f"CPU {cpu}, which measures, shares its core with CPU "
                  f"{listed(map(str, siblings))}", (off,))


def cpus(machine):
    usable = machine.usable_cpus()
    if len(usable) != 1:
        return
    online = numbers_in(machine.read(f"{CPU}/online"))
    mend = f"$ taskset -cp {','.join(map(str, sorted(online)))} $$" if len(online) > 1 else \
        "give the machine a second CPU"
    yield Finding(DISTURBS, f"CPU {usable.pop()} is the only one that may be used: what measures "
                  "shares it with all else", (mend,))


def ticks(machine):
    """Of all CPUs since the machine was started, by kind (proc_stat(5)); none if unknown."""
    line = re.search(r"^cpu((?: +\d{1,20}){8})", machine.read("/proc/stat") or "", re.M)
    return [int(count) for count in line[1].split()] if line else []


def steal(machine):
    since_start = ticks(machine)
    share = since_start[7] / max(1, sum(since_start)) if since_start else 0
    if share > STOLEN_SHARE:
        yield Finding(DISTURBS, f"the hypervisor took {100 * share:.1f} % of the CPUs' time for "
                      "others since this machine was started",
                      ("no command mends it: measure on a host of your own",))


def load(machine):
    average = re.match(r"(\d{1,9}\.\d+) ", machine.read("/proc/loadavg") or "")
    if average and float(average[1]) > BUSY:
        yield Finding(DISTURBS, f"{average[1]} programs ran or waited on average in the last "
                      "minute", ("end those that need not run:",
                                 "$ ps -eo pcpu,pid,comm --sort=-pcpu | head"))


def battery(machine):
    mains = [folder for folder in machine.matching("/sys/class/power_supply/*")
             if machine.read(f"{folder}/type") == "Mains"]
    if mains and not any(machine.number(f"{folder}/online") for folder in mains):
        yield Finding(DISTURBS, "it runs on its battery", ("plug it in",))


def clock(machine):
    folder = "/sys/devices/system/clocksource/clocksource0"
    source = machine.read(f"{folder}/current_clocksource")
    if source not in SLOW_CLOCKS:
        return
    better = [name for name in (machine.read(f"{folder}/available_clocksource") or "").split()
              if name not in SLOW_CLOCKS]
    mend = write(machine, better[0], f"{folder}/current_clocksource") if better else \
        "no better one is available: the kernel's log says why (dmesg)"
    yield Finding(DISTURBS, f"clock source {source}: reading the time takes a system call", (mend,))


def background(machine):
    """What the kernel does to pages by itself: both add page faults."""
    if machine.number("/proc/sys/kernel/numa_balancing"):
        yield Finding(DISTURBS, "NUMA balancing is on: it takes page faults of its own",
                      (set_kernel(machine, "kernel.numa_balancing", 0),))
    if machine.number("/sys/kernel/mm/ksm/run") == 1:
        yield Finding(DISTURBS, "KSM is on: it looks for equal pages while others measure",
                      (write(machine, 0, "/sys/kernel/mm/ksm/run"),))


def swap(machine):
    memory = machine.memory()
    used = memory.get("SwapTotal", 0) - memory.get("SwapFree", 0)
    if used > 0:
        yield Finding(DISTURBS, f"{size_text(used)} are swapped out: some pages are read from disk",
                      (as_root(machine, "swapoff -a"),))


def huge_pages(machine):
    chosen = bracketed(machine.read(f"{THP}/enabled"))
    if chosen == "always":
        yield Finding(LIMITS, "transparent huge pages are always used: programs here get them, the "
                      "figures without --pages are of small ones",
                      (write(machine, "madvise", f"{THP}/enabled"),))
    if chosen == "never":
        yield Finding(LIMITS, "transparent huge pages are never used: --pages thp is unsupported",
                      (write(machine, "madvise", f"{THP}/enabled"),))
    pool = [machine.number(f"/proc/sys/vm/{name}")
            for name in ("nr_hugepages", "nr_overcommit_hugepages")]
    if None not in pool and sum(pool) == 0:
        yield Finding(LIMITS, "the pool of huge pages is empty: --pages huge is unsupported",
                      (set_kernel(machine, "vm.nr_overcommit_hugepages", 512),))


def overcommit(machine):
    mode = machine.number("/proc/sys/vm/overcommit_memory")
    memory = machine.memory()
    if mode == 1:
        yield Finding(LIMITS, "vm.overcommit_memory is 1: no commit is ever refused",
                      (set_kernel(machine, "vm.overcommit_memory", 0),))
    if mode == 2:
        room = max(0, memory.get("CommitLimit", 0) - memory.get("Committed_AS", 0))
        yield Finding(LIMITS, f"vm.overcommit_memory is 2: commits beyond {size_text(room)} are "
                      "refused, and MAP_NORESERVE is ignored",
                      (set_kernel(machine, "vm.overcommit_memory", 0),))


def mappings(machine):
    most = machine.number("/proc/sys/vm/max_map_count")
    if most is not None and most < MAPPINGS:
        yield Finding(LIMITS, f"vm.max_map_count is {most}: regions of more mappings are refused, "
                      "as when pages are touched out of order",
                      (set_kernel(machine, "vm.max_map_count", MAPPINGS),))


def available(machine):
    """bench leaves out regions larger than a quarter of what is available."""
    memory = machine.memory().get("MemAvailable")
    largest = max(PROFILES["default"].sizes)
    if memory is not None and memory / 4 < largest:
        yield Finding(LIMITS, f"{size_text(memory)} of memory are available: regions larger than a "
                      f"quarter are left out, and the default profile goes to {size_text(largest)}",
                      ("free some; who holds most:", "$ ps -eo rss,pid,comm --sort=-rss | head"))


def lifted(machine, group, name, text, option):
    """How a limit of a control group is lifted. The outermost has none but in a container."""
    if group.outermost:
        return f"start the container without {option}"
    return write(machine, text, f"{group.folder}/{name}")


def group_memory(machine):
    total = machine.memory().get("MemTotal", NO_LIMIT)
    for group in machine.groups("memory"):
        for name, text in (("memory.max", "max"), ("memory.limit_in_bytes", -1)):
            limit = machine.number(f"{group.folder}/{name}")
            if limit is not None and limit < total:
                yield Finding(LIMITS, f"control group {group.name} may hold {size_text(limit)}: "
                              "regions that need more are skipped, or end the harness",
                              (lifted(machine, group, name, text, "--memory"),))
        high = machine.number(f"{group.folder}/memory.high")
        if high is not None and high < total:
            yield Finding(DISTURBS, f"control group {group.name} is slowed down beyond "
                          f"{size_text(high)}", (lifted(machine, group, "memory.high", "max",
                                                        "memory.high"),))


def quota(machine, group):
    """(CPUs that a control group may use, the file that says so, what lifts it); None where it may
    use all."""
    words = (machine.read(f"{group.folder}/cpu.max") or "").split()
    if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]):
        return int(words[0]) / int(words[1]), "cpu.max", "max"
    of_period = [machine.number(f"{group.folder}/cpu.cfs_{part}_us") for part in
                 ("quota", "period")]
    if all(number is not None and number > 0 for number in of_period):
        return of_period[0] / of_period[1], "cpu.cfs_quota_us", -1
    return None


def group_cpu(machine):
    for group in machine.groups("cpu"):
        if given := quota(machine, group):
            cpus_given, name, text = given
            yield Finding(DISTURBS, f"control group {group.name} may use {cpus_given:.3g} CPUs: "
                          "what uses more stands still for the rest of a period",
                          (lifted(machine, group, name, text, "--cpus"),))


def group_tasks(machine):
    for group in machine.groups("pids"):
        most = machine.number(f"{group.folder}/pids.max")
        if most is not None and most < TASKS:
            yield Finding(LIMITS, f"control group {group.name} may have {most} tasks: processes "
                          "and threads beyond that are refused",
                          (lifted(machine, group, "pids.max", "max", "--pids-limit"),))


def limits(machine):
    """Of this process, by setrlimit(2)."""
    for name, letter, refused in (
            ("Max address space", "v", "reservations"), ("Max data size", "d", "commits")):
        most = machine.soft_limit(name)
        if most is not None:
            yield Finding(LIMITS, f"{refused} of more than {size_text(most)} in all are refused "
                          f"({name.lower()})", (f"$ ulimit -{letter} unlimited",))


def kernel(machine):
    release = machine.kernel()
    if release and release < GUARDS_SINCE:
        wanted = ".".join(map(str, GUARDS_SINCE))
        yield Finding(LIMITS, f"Linux {'.'.join(map(str, release))} has no MADV_GUARD_INSTALL: "
                      "guard is measured with PROT_NONE pages alone",
                      (f"run Linux {wanted} or later",))


def permissions(machine):
    if machine.superuser:
        return
    paranoid = machine.number("/proc/sys/kernel/perf_event_paranoid")
    if paranoid is not None and paranoid > 2:
        yield Finding(LIMITS, f"kernel.perf_event_paranoid is {paranoid}: perf counts no page "
                      "faults for verify", (set_kernel(machine, "kernel.perf_event_paranoid", 2),))
    scope = machine.number("/proc/sys/kernel/yama/ptrace_scope")
    if scope is not None and scope > 1:
        mend = set_kernel(machine, "kernel.yama.ptrace_scope", 1) if scope == 2 else \
            "a value of 3 stays until the next start: kernel.yama.ptrace_scope=1 in /etc/sysctl.d"
        yield Finding(LIMITS, f"kernel.yama.ptrace_scope is {scope}: strace may not look for "
                      "verify", (mend,))


SETTINGS = {
    "frequency scaling": frequency, "turbo": turbo, "SMT": smt, "usable CPUs": cpus,
    "stolen time": steal, "load": load, "battery": battery, "clock source": clock,
    "work of the kernel's own": background, "swap": swap, "huge pages": huge_pages,
    "overcommit": overcommit, "mappings": mappings, "available memory": available,
    "memory of control groups": group_memory, "CPU of control groups": group_cpu,
    "tasks of control groups": group_tasks,
    "resource limits": limits, "kernel": kernel, "permissions": permissions,
}


def install(superuser, packages):
    if shutil.which("apt-get"):
        return f"$ {'' if superuser else 'sudo '}apt-get install {' '.join(packages)}"
    return f"install what Debian has in {listed(packages)}"


def programs(superuser):
    """Of this machine, by PATH."""
    for kind, needed in ((LACKS, PROGRAMS), (LIMITS, OTHERS)):
        for name, (package, purpose) in needed.items():
            if not shutil.which(name):
                yield Finding(kind, f"{name} is not installed: without it there is no {purpose}",
                              (install(superuser, [package]),))


def missing_modules():
    """Which of MODULES the Python that runs this does not have."""
    return [name for name in MODULES if importlib.util.find_spec(name) is None]


def modules(superuser):
    if missing := missing_modules():
        yield Finding(LACKS, f"this Python has no {listed(missing, 'or')}: most commands need them",
                      (install(superuser, [f"python3-{name}" for name in missing]),))


TOOLS = {"programs": programs, "Python": modules}


def settings(machine):
    """{what was looked at: its Findings}"""
    return {name: list(look(machine)) for name, look in SETTINGS.items()}


def tools(superuser):
    """The same of what is installed here."""
    return {name: list(look(superuser)) for name, look in TOOLS.items()}
