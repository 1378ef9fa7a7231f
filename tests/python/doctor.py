"""What disturbs or limits measuring, on machines whose /proc and /sys are made up."""

import contextlib
import io
import os
import pathlib
import random
import sys
import tempfile
import unittest
from unittest import mock

from support import ROOT, execute

from vmcommit.base.problems import Problem, Usage
from vmcommit.commands import doctor
from vmcommit.measure import checkup
from vmcommit.measure.checkup import DISTURBS, LACKS, LIMITS
from vmcommit.measure.machine import Machine, numbers_in

CPU = "/sys/devices/system/cpu"
THP = "/sys/kernel/mm/transparent_hugepage"
CLOCK = "/sys/devices/system/clocksource/clocksource0"
MEMINFO = """MemTotal:       33554432 kB
MemAvailable:   {available} kB
SwapTotal:       1048576 kB
SwapFree:        {swap_free} kB
HugePages_Total:       3
CommitLimit:    4194304 kB
Committed_AS:   1048576 kB
"""
LIMITS_FILE = """Limit                     Soft Limit           Hard Limit           Units
Max data size             {data}            unlimited            bytes
Max address space         {space}            unlimited            bytes
"""
# 16 GiB available, nothing swapped out, two cores without SMT, nothing that disturbs.
SOUND = {
    "/proc/meminfo": MEMINFO.format(available=16777216, swap_free=1048576),
    "/proc/stat": "cpu  100 0 100 9800 0 0 0 0 0 0\ncpu0 100 0 100 9800 0 0 0 0 0 0\n",
    "/proc/loadavg": "0.10 0.20 0.30 1/100 4711\n",
    "/proc/self/status": "Name:\tmade up\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n",
    "/proc/self/limits": LIMITS_FILE.format(data="unlimited", space="unlimited"),
    "/proc/self/cgroup": "0::/made/up\n",
    "/proc/sys/kernel/osrelease": "6.18.1-made-up\n",
    "/proc/sys/kernel/numa_balancing": "0\n",
    "/proc/sys/kernel/perf_event_paranoid": "2\n",
    "/proc/sys/kernel/yama/ptrace_scope": "1\n",
    "/proc/sys/vm/overcommit_memory": "0\n",
    "/proc/sys/vm/max_map_count": "65530\n",
    "/proc/sys/vm/nr_hugepages": "0\n",
    "/proc/sys/vm/nr_overcommit_hugepages": "8\n",
    f"{CPU}/online": "0-1\n",
    f"{CPU}/smt/control": "on\n",
    f"{CPU}/cpu0/topology/thread_siblings_list": "0\n",
    f"{CPU}/cpu1/topology/thread_siblings_list": "1\n",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "performance\n",
    f"{CPU}/cpu1/cpufreq/scaling_governor": "performance\n",
    f"{CPU}/intel_pstate/no_turbo": "1\n",
    f"{CLOCK}/current_clocksource": "tsc\n",
    f"{CLOCK}/available_clocksource": "tsc hpet acpi_pm\n",
    f"{THP}/enabled": "always [madvise] never\n",
    "/sys/kernel/mm/ksm/run": "0\n",
    "/sys/class/power_supply/AC/type": "Mains\n",
    "/sys/class/power_supply/AC/online": "1\n",
    "/sys/class/power_supply/BAT0/type": "Battery\n",
    "/sys/fs/cgroup/made/memory.max": "max\n",
    "/sys/fs/cgroup/made/up/memory.max": "max\n",
    "/sys/fs/cgroup/made/up/memory.high": "max\n",
    "/sys/fs/cgroup/made/up/cpu.max": "max 100000\n",
    "/sys/fs/cgroup/made/up/pids.max": "max\n",
}
# What is otherwise on a machine, and what is then said: (subject, kind, a part of the sentence,
# the remedy).
OTHERWISE = [
    ({f"{CPU}/cpu1/cpufreq/scaling_governor": "powersave"},
     "frequency scaling", DISTURBS, "governor powersave",
     f"$ echo performance | sudo tee {CPU}/cpu*/cpufreq/scaling_governor"),
    ({f"{CPU}/intel_pstate/no_turbo": "0"}, "turbo", DISTURBS, "turbo is on",
     f"$ echo 1 | sudo tee {CPU}/intel_pstate/no_turbo"),
    ({f"{CPU}/intel_pstate/no_turbo": None, f"{CPU}/cpufreq/boost": "1"},
     "turbo", DISTURBS, "turbo is on", f"$ echo 0 | sudo tee {CPU}/cpufreq/boost"),
    ({f"{CPU}/cpu1/topology/thread_siblings_list": "0-1"},
     "SMT", DISTURBS, "CPU 1, which measures, shares its core with CPU 0",
     f"$ echo off | sudo tee {CPU}/smt/control"),
    ({f"{CPU}/cpu1/topology/thread_siblings_list": "0,1", f"{CPU}/smt/control": "notsupported"},
     "SMT", DISTURBS, "shares its core", f"$ echo 0 | sudo tee {CPU}/cpu0/online"),
    ({"/proc/self/status": "Cpus_allowed_list:\t0\n"}, "usable CPUs", DISTURBS, "CPU 0 is the only",
     "$ taskset -cp 0,1 $$"),
    ({"/proc/self/status": "Cpus_allowed_list:\t0\n", f"{CPU}/online": "0"},
     "usable CPUs", DISTURBS, "CPU 0 is the only", "give the machine a second CPU"),
    ({"/proc/stat": "cpu  100 0 100 9500 0 0 0 300 0 0\n"}, "stolen time", DISTURBS, "took 3.0 %",
     None),
    ({"/proc/loadavg": "1.85 0 0 1/1 1\n"}, "load", DISTURBS, "1.85 programs",
     "$ ps -eo pcpu,pid,comm --sort=-pcpu | head"),
    ({"/sys/class/power_supply/AC/online": "0"}, "battery", DISTURBS, "battery", "plug it in"),
    ({f"{CLOCK}/current_clocksource": "hpet"}, "clock source", DISTURBS, "clock source hpet",
     f"$ echo tsc | sudo tee {CLOCK}/current_clocksource"),
    ({f"{CLOCK}/current_clocksource": "hpet", f"{CLOCK}/available_clocksource": "hpet acpi_pm"},
     "clock source", DISTURBS, "clock source hpet", None),
    ({"/proc/sys/kernel/numa_balancing": "1"}, "work of the kernel's own", DISTURBS, "NUMA",
     "$ sudo sysctl -w kernel.numa_balancing=0"),
    ({"/sys/kernel/mm/ksm/run": "1"}, "work of the kernel's own", DISTURBS, "KSM",
     "$ echo 0 | sudo tee /sys/kernel/mm/ksm/run"),
    ({"/proc/meminfo": MEMINFO.format(available=16777216, swap_free=1047552)},
     "swap", DISTURBS, "1 MiB are swapped out", "$ sudo swapoff -a"),
    ({f"{THP}/enabled": "[always] madvise never"}, "huge pages", LIMITS, "always",
     f"$ echo madvise | sudo tee {THP}/enabled"),
    ({f"{THP}/enabled": "always madvise [never]"}, "huge pages", LIMITS, "--pages thp",
     f"$ echo madvise | sudo tee {THP}/enabled"),
    ({"/proc/sys/vm/nr_overcommit_hugepages": "0"}, "huge pages", LIMITS, "--pages huge",
     "$ sudo sysctl -w vm.nr_overcommit_hugepages=512"),
    ({"/proc/sys/vm/overcommit_memory": "1"}, "overcommit", LIMITS, "no commit is ever refused",
     "$ sudo sysctl -w vm.overcommit_memory=0"),
    ({"/proc/sys/vm/overcommit_memory": "2"}, "overcommit", LIMITS, "beyond 3 GiB are refused",
     "$ sudo sysctl -w vm.overcommit_memory=0"),
    ({"/proc/sys/vm/max_map_count": "65529"}, "mappings", LIMITS, "65529",
     "$ sudo sysctl -w vm.max_map_count=65530"),
    ({"/proc/meminfo": MEMINFO.format(available=16777215, swap_free=1048576)},
     "available memory", LIMITS, "goes to 4 GiB", "$ ps -eo rss,pid,comm --sort=-rss | head"),
    ({"/sys/fs/cgroup/made/up/memory.max": "1073741824"},
     "memory of control groups", LIMITS, "/made/up may hold 1 GiB",
     "$ echo max | sudo tee /sys/fs/cgroup/made/up/memory.max"),
    ({"/sys/fs/cgroup/made/memory.max": "1073741824"},  # of a group above
     "memory of control groups", LIMITS, "/made may hold 1 GiB",
     "$ echo max | sudo tee /sys/fs/cgroup/made/memory.max"),
    ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1073741824"},  # a container's
     "memory of control groups", LIMITS, "/ may hold 1 GiB",
     "start the container without --memory"),
    ({"/proc/self/cgroup": "4:memory:/older\n1:cpu,cpuacct:/older\n",
      "/sys/fs/cgroup/memory/older/memory.limit_in_bytes": "536870912"},
     "memory of control groups", LIMITS, "/older may hold 512 MiB",
     "$ echo -1 | sudo tee /sys/fs/cgroup/memory/older/memory.limit_in_bytes"),
    ({"/sys/fs/cgroup/made/up/memory.high": "536870912"},
     "memory of control groups", DISTURBS, "slowed down beyond 512 MiB",
     "$ echo max | sudo tee /sys/fs/cgroup/made/up/memory.high"),
    ({"/sys/fs/cgroup/made/up/cpu.max": "50000 100000"},
     "CPU of control groups", DISTURBS, "/made/up may use 0.5 CPUs",
     "$ echo max | sudo tee /sys/fs/cgroup/made/up/cpu.max"),
    ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "150000 100000"},
     "CPU of control groups", DISTURBS, "/ may use 1.5 CPUs", "start the container without --cpus"),
    ({"/proc/self/cgroup": "1:cpu,cpuacct:/older\n",
      "/sys/fs/cgroup/cpu/older/cpu.cfs_quota_us": "200000",
      "/sys/fs/cgroup/cpu/older/cpu.cfs_period_us": "100000"},
     "CPU of control groups", DISTURBS, "/older may use 2 CPUs",
     "$ echo -1 | sudo tee /sys/fs/cgroup/cpu/older/cpu.cfs_quota_us"),
    ({"/sys/fs/cgroup/made/up/pids.max": "63"},
     "tasks of control groups", LIMITS, "/made/up may have 63 tasks",
     "$ echo max | sudo tee /sys/fs/cgroup/made/up/pids.max"),
    ({"/proc/self/cgroup": "3:pids:/docker/1\n", "/sys/fs/cgroup/pids/pids.max": "12"},
     "tasks of control groups", LIMITS, "/ may have 12 tasks",
     "start the container without --pids-limit"),
    ({"/proc/self/limits": LIMITS_FILE.format(data="unlimited", space="1073741824")},
     "resource limits", LIMITS, "reservations of more than 1 GiB", "$ ulimit -v unlimited"),
    ({"/proc/self/limits": LIMITS_FILE.format(data="1048576", space="unlimited")},
     "resource limits", LIMITS, "commits of more than 1 MiB", "$ ulimit -d unlimited"),
    ({"/proc/sys/kernel/osrelease": "6.12.9"}, "kernel", LIMITS, "Linux 6.12 has no MADV_GUARD",
     "run Linux 6.13 or later"),
    ({"/proc/sys/kernel/perf_event_paranoid": "3"}, "permissions", LIMITS, "perf_event_paranoid",
     "$ sudo sysctl -w kernel.perf_event_paranoid=2"),
    ({"/proc/sys/kernel/yama/ptrace_scope": "2"}, "permissions", LIMITS, "ptrace_scope is 2",
     "$ sudo sysctl -w kernel.yama.ptrace_scope=1"),
    ({"/proc/sys/kernel/yama/ptrace_scope": "3"}, "permissions", LIMITS, "ptrace_scope is 3", None),
]


class MadeUp(unittest.TestCase):
    def machine(self, otherwise=(), superuser=False):
        """A sound machine but for {path: text}; None for a file that it does not have."""
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        for path, text in (SOUND | dict(otherwise)).items():
            if text is not None:
                at = pathlib.Path(temporary.name, path.lstrip("/"))
                at.parent.mkdir(parents=True, exist_ok=True)
                at.write_text(text)
        return Machine(temporary.name, superuser)

    def findings(self, *how, **more):
        return [(subject, finding) for subject, of in
                checkup.settings(self.machine(*how, **more)).items() for finding in of]


class Settings(MadeUp):
    maxDiff = None

    def test_nothing_is_said_of_a_sound_machine(self):
        self.assertEqual(self.findings(), [])

    def test_nor_of_one_that_tells_nothing(self):
        self.assertEqual(self.findings(dict.fromkeys(SOUND)), [])

    def test_what_is_said_of_each_setting(self):
        for otherwise, subject, kind, part, remedy in OTHERWISE:
            with self.subTest(otherwise):
                (about, finding), = self.findings(otherwise)
                self.assertEqual((about, finding.kind), (subject, kind))
                self.assertIn(part, finding.what)
                self.assertTrue(finding.remedy)
                if remedy is not None:
                    self.assertEqual(finding.remedy[-1], remedy)

    def test_everything_that_is_looked_at_can_be_wrong(self):
        self.assertEqual(set(checkup.SETTINGS), {subject for _, subject, *_ in OTHERWISE})

    def test_the_superuser_needs_no_sudo_and_no_permission(self):
        for otherwise, subject, *_ in OTHERWISE:
            with self.subTest(otherwise):
                findings = self.findings(otherwise, superuser=True)
                self.assertEqual(len(findings), subject != "permissions")
                self.assertNotIn("sudo", repr(findings))

    def test_limits_that_are_none(self):
        for otherwise in (
                {"/proc/self/cgroup": "4:memory:/older\n",  # as the older layout writes it
                 "/sys/fs/cgroup/memory/older/memory.limit_in_bytes": "9223372036854771712"},
                {"/proc/self/cgroup": "1:cpu:/\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
                 "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"},
                {"/sys/fs/cgroup/made/up/memory.max": "34359738368"},  # all that there is
                {"/sys/fs/cgroup/made/up/pids.max": "64"},
                {"/proc/loadavg": "0.50 0 0 1/1 1\n"},
                {"/proc/stat": "cpu  100 0 100 9700 0 0 0 100 0 0\n"},
                {"/proc/sys/kernel/osrelease": "6.13.0"},
                {"/sys/class/power_supply/AC/type": "USB"},
                {f"{CPU}/cpu0/topology/thread_siblings_list": "0,2"}):  # of a CPU that rests
            with self.subTest(otherwise):
                self.assertEqual(self.findings(otherwise), [])

    def test_junk_is_no_setting(self):
        junk = random.Random(1)
        for path in SOUND:
            for text in ("", "\n", "-", "99999999999999999999999", "a b c", ":::\n::",
                         "".join(map(chr, junk.choices(range(256), k=200)))):
                with self.subTest(path=path, text=text):
                    for _, finding in self.findings({path: text}):
                        self.assertIn(finding.kind, (DISTURBS, LIMITS))

    def test_lists_of_cpus(self):
        for text, numbers in (("0-1,4", {0, 1, 4}), ("7", {7}), ("", set()), (None, set()),
                              ("junk", set()), ("2-1", set())):
            self.assertEqual(numbers_in(text), numbers)


class Tools(unittest.TestCase):
    def look(self, *missing, superuser=False):
        with mock.patch.object(checkup.shutil, "which", lambda name: name not in missing), \
                mock.patch.object(checkup.importlib.util, "find_spec",
                                  lambda name: None if name in missing else name):
            return [finding for of in checkup.tools(superuser).values() for finding in of]

    def test_nothing_is_missing(self):
        self.assertEqual(self.look(), [])

    def test_what_bench_needs_and_what_others_need(self):
        for name, kind, package in (("hyperfine", LACKS, "hyperfine"),
                                    ("perf", LIMITS, "linux-perf"),
                                    ("gnuplot", LACKS, "gnuplot-nox"),
                                    ("pandas", LACKS, "python3-pandas")):
            finding, = self.look(name)
            self.assertEqual((finding.kind, finding.remedy),
                             (kind, (f"$ sudo apt-get install {package}",)))
            self.assertIn(name, finding.what)
        finding, = self.look("strace", superuser=True)
        self.assertEqual(finding.remedy, ("$ apt-get install strace",))

    def test_elsewhere_the_package_is_named(self):
        gnuplot, = self.look("gnuplot", "apt-get")
        self.assertEqual(gnuplot.remedy, ("install what Debian has in gnuplot-nox",))


class Command(MadeUp):
    def doctor(self, *arguments):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = doctor.main([*map(str, arguments)])
        return status, printed.getvalue().splitlines()

    def test_a_sound_machine(self):
        status, lines = self.doctor("--root", self.machine().root)
        self.assertEqual(status, 0)
        self.assertTrue(lines[0].startswith("nothing disturbs or limits measuring; in order: freq"))

    def test_findings_in_order_of_their_weight(self):
        limited = {"/proc/sys/vm/overcommit_memory": "1"}
        status, lines = self.doctor("--root", self.machine(limited).root)
        self.assertEqual(status, 0)
        status, lines = self.doctor("--root", self.machine(limited | {
            "/proc/loadavg": "2.00 0 0 1/1 1\n"}).root)
        self.assertEqual(status, 1)
        self.assertEqual([line.split()[0] for line in lines if line[0] != " "][:3],
                         ["disturbs", "limits", "disturbing"])
        self.assertEqual(lines[2], "          $ ps -eo pcpu,pid,comm --sort=-pcpu | head")

    def test_lines_are_as_wide_as_a_terminal(self):
        for otherwise, *_ in OTHERWISE:
            _, lines = self.doctor("--root", self.machine(otherwise).root)
            for line in lines:
                if not line.strip().startswith("$"):
                    self.assertLessEqual(len(line), 80, line)

    def test_nothing_is_changed(self):
        machine = self.machine({path: text for otherwise, *_ in OTHERWISE
                                for path, text in otherwise.items()})
        before = {path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
                  for path in machine.root.rglob("*")}
        self.doctor("--root", machine.root)
        self.assertEqual(before, {path: (path.stat().st_mtime_ns, path.read_bytes()
                                         if path.is_file() else None)
                                  for path in machine.root.rglob("*")})

    def test_a_folder_without_a_machine(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(Usage) as raised:
            doctor.main(["--root", folder])
        self.assertIn("--root", str(raised.exception))

    def test_another_system(self):
        with mock.patch.object(doctor, "Machine", lambda *_: self.machine(dict.fromkeys(SOUND))), \
                self.assertRaises(Problem) as raised:
            doctor.main([])
        self.assertIn("Linux", str(raised.exception))

    @unittest.skipUnless(pathlib.Path("/proc/self/status").exists(), "Linux")
    def test_this_machine_by_a_python_without_modules(self):
        """It can say what is missing where all is missing."""
        done = execute([sys.executable, "-S", ROOT / "scripts" / "vmcommit", "doctor"],
                       env={**os.environ, "PATH": ""})
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn("lacks     Python: this Python has no scipy, pandas, jinja2 or tqdm",
                      done.stdout)
        self.assertIn("gnuplot is not installed", done.stdout)


if __name__ == "__main__":
    unittest.main()
