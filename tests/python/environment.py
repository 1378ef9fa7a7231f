"""What a run was measured on, read from texts that are made up; and on which CPU it stays."""

import os
import pathlib
import subprocess
import tempfile
import unittest
from unittest import mock

from support import ROOT

from vmcommit.base.folder import SHAPE
from vmcommit.base.units import GIB, KIB, MIB
from vmcommit.measure import environment

MEMINFO = """MemTotal:       16384 kB
MemFree:          100 kB
MemAvailable:    8192 kB
SwapTotal:       4096 kB
CommitLimit:    20480 kB
Committed_AS:    1024 kB
HugePages_Total:     7
"""
CPUINFO = """processor\t: 0
cpu family\t: 6
model\t\t: 143
model name\t: Made Up 9000
stepping\t: 8
flags\t\t: fpu hypervisor sse

processor\t: 1
model name\t: Another
flags\t\t: fpu
"""
LSCPU = '{"lscpu": [{"field": "Model name:", "data": "Said By lscpu"}, {"field": "Hypervisor ' \
        'vendor:", "data": "KVM"}]}'


def saying(texts, tools=None):
    """A machine whose files and tools say this, and nothing else."""
    return mock.patch.multiple(environment, read=texts.get,
                               output=lambda *command, **_: (tools or {}).get(command[0]))


@unittest.skipIf(os.name == "nt", "these files are Linux's")
class Facts(unittest.TestCase):
    def test_memory(self):
        with saying({"/proc/meminfo": MEMINFO}):
            self.assertEqual(environment.memory(), {
                "total_bytes": 16 * MIB, "available_bytes": 8 * MIB, "swap_bytes": 4 * MIB,
                "commit_limit_bytes": 20 * MIB, "committed_bytes": MIB})
            self.assertEqual(environment.available_bytes(), 8 * MIB)
            self.assertNotIn("HugePages_Total", environment.meminfo())

    def test_what_is_available_where_the_system_does_not_say(self):
        known = {"SC_AVPHYS_PAGES": 3, "SC_PAGESIZE": 4 * KIB}
        with saying({}):
            with mock.patch.object(environment, "constant", known.get):
                self.assertEqual(environment.available_bytes(), 12 * KIB)
            for lacking in known:
                with mock.patch.object(environment, "constant",
                                       {**known, lacking: None}.get):
                    self.assertEqual(environment.available_bytes(), 2 * GIB)

    def test_constants(self):
        for said, known in ((4096, 4096), (0, None), (-1, None)):
            with mock.patch.object(os, "sysconf", return_value=said):
                self.assertEqual(environment.constant("SC_ANY"), known)
        self.assertIsNone(environment.constant("SC_OF_NO_SYSTEM"))

    def test_the_processor(self):
        with saying({"/proc/cpuinfo": CPUINFO}):
            said = environment.processor()
        self.assertEqual((said["model"], said["family_model_stepping"], said["hypervisor"]),
                         ("Made Up 9000", ["6", "143", "8"], "a hypervisor"))
        governor = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
        with saying({"/proc/cpuinfo": CPUINFO.replace("hypervisor ", ""), governor: "powersave"}):
            said = environment.processor()
        self.assertEqual((said["hypervisor"], said["governor"]), (None, "powersave"))
        with saying({"/proc/cpuinfo": CPUINFO}, {"lscpu": LSCPU}):
            said = environment.processor()
        self.assertEqual((said["model"], said["hypervisor"]), ("Said By lscpu", "KVM"))
        self.assertEqual(said["cores"], os.cpu_count())

    def test_settings(self):
        huge, memory = "/sys/kernel/mm/transparent_hugepage", "/proc/sys/vm"
        with saying({f"{huge}/enabled": "always [madvise] never", f"{huge}/defrag": "[defer] x",
                     f"{memory}/overcommit_memory": "0", f"{memory}/overcommit_ratio": "50",
                     f"{memory}/max_map_count": "65530",
                     "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc"}):
            self.assertEqual(environment.settings(), {
                "thp_enabled": "madvise", "thp_defrag": "defer", "overcommit_memory": 0,
                "overcommit_ratio": 50, "max_map_count": 65530, "clocksource": "tsc"})

    def test_all_that_is_written_is_read_back(self):
        with saying({}):
            described = environment.describe(ROOT, ROOT / "build")
        for part, facts in described.items():
            self.assertLessEqual(set(facts), set(SHAPE[part]), part)

    def test_objects(self):
        for text, value in (('{"a": 1}', {"a": 1}), ("[1]", {}), ("junk", {}), ("", {}), (None, {}),
                            ("[" * 100000, {})):
            self.assertEqual(environment.json_of(text), value)


class Texts(unittest.TestCase):
    def test_a_file_is_read_without_its_ends(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "setting")
            self.assertIsNone(environment.read(path))
            path.write_bytes(b" on\xff\n")
            self.assertEqual(environment.read(path), "on\ufffd")

    def test_a_tool_that_fails_tells_nothing(self):
        for status, said in ((0, "text"), (1, None)):
            done = subprocess.CompletedProcess([], status, " text\n", "")
            with mock.patch.object(environment.processes, "run", return_value=done):
                self.assertEqual(environment.output("tool"), said)
        self.assertIsNone(environment.output("/no/such/tool"))

    def test_the_revision(self):
        for status, clean in (("", True), (" M a.c", False), (None, None)):
            with mock.patch.object(environment, "output", side_effect=[status, "abc"]):
                self.assertEqual(environment.revision(".", {}), {"commit": "abc", "clean": clean})

    def test_the_revision_where_there_is_no_repository(self):
        for built, commit, clean in (({"revision": "abc"}, "abc", True), ({}, None, None),
                                     ({"revision": "abc+changes"}, "abc", False),
                                     ({"revision": "unknown"}, None, None)):
            self.assertEqual(environment.revision(None, built), {"commit": commit, "clean": clean})


class Cpus(unittest.TestCase):
    """By a system whose answer is made up: a CPU may be the only one here."""

    def setUp(self):
        self.cpus = {2, 5, 3}
        for patch in (mock.patch.object(os, "sched_getaffinity", lambda _pid: self.cpus,
                                        create=True),
                      mock.patch.object(os, "sched_setaffinity", self.set, create=True)):
            patch.start()
            self.addCleanup(patch.stop)

    def set(self, pid, cpus):
        self.assertEqual(pid, 0)
        self.cpus = cpus

    def test_those_that_may_be_used(self):
        self.assertEqual(environment.usable_cpus(), {2, 3, 5})
        self.assertEqual(environment.processor()["cores_usable"], 3)

    def test_the_last_one_is_kept(self):
        self.assertEqual(environment.pin(), 5)
        self.assertEqual(self.cpus, {5})

    def test_all_are_given_back(self):
        with environment.pinned() as cpu:
            self.assertEqual((cpu, self.cpus), (5, {5}))
        self.assertEqual(self.cpus, {2, 3, 5})
        with self.assertRaises(KeyError), environment.pinned():
            raise KeyError
        self.assertEqual(self.cpus, {2, 3, 5})

    def test_a_cpu_that_has_gone_meanwhile(self):
        with environment.pinned():
            gone = mock.patch.object(os, "sched_setaffinity", side_effect=OSError, create=True)
            gone.start()
            self.addCleanup(gone.stop)

    def test_where_the_system_does_not_say(self):
        for error in (AttributeError, OSError):
            with mock.patch.object(os, "sched_getaffinity", side_effect=error, create=True):
                self.assertEqual(environment.usable_cpus(), set())
                self.assertIsNone(environment.pin())
                self.assertIsNone(environment.processor()["cores_usable"])
        self.assertEqual(self.cpus, {2, 3, 5})


if __name__ == "__main__":
    unittest.main()
