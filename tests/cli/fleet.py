"""Many hosts on one machine: a host is a network namespace with an sshd and with /tmp and a home of
its own; for Slurm, a slurmd. What needs root or packages that are not here is skipped, and says so.

Programs that play hosts are ended, and namespaces removed, however a test ends.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import tiny
from support import BIN, ROOT, begin, end_group, execute

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
HOSTS = ("alpha", "beta", "gamma")
NET = "10.207.41"
SECONDS = 400
HANGS = 1200


def lacking(*names):
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [name for name in names if not shutil.which(name, path=path)]


def needs(*names):
    """Skips a test without root or one of these programs."""
    missing = lacking(*names)
    why = f"not installed: {', '.join(missing)}" if missing else \
        "needs root" if os.geteuid() != 0 else ""
    return unittest.skipIf(why, why)


def waits_for(condition, seconds=SECONDS, pause=0.1):
    """Whether it came true in time."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(pause)
    return True


class Tree(unittest.TestCase):
    """A source tree whose package has one more profile, tiny; a built one lies beside it."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory(prefix="vmcommit-fleet.")
        self.addCleanup(kept.cleanup)
        self.root = pathlib.Path(kept.name)
        scripts = self.root / "scripts"
        shutil.copytree(ROOT / "scripts", scripts, ignore=shutil.ignore_patterns("__pycache__"))
        with open(scripts / "vmcommit" / "measure" / "profiles.py", "a", encoding="utf-8") as file:
            file.write(f'\nPROFILES["tiny"] = {tiny.profile()}\n')
        (self.root / "build").symlink_to(BIN.parent)
        self.one_host, self.into = scripts / "one-host", self.root / "into"
        self.home = self.root / "home"
        self.environment = os.environ | {"HOME": str(self.home), "VMCOMMIT_PROFILE": "tiny"}
        self.home.mkdir()

    def hosts(self, *names):
        path = self.root / "hosts"
        path.write_text("# all of them\n" + "".join(f"{name}\n" for name in names))
        return path

    def one(self, host, **environment):
        return execute([self.one_host, host, self.into.name], cwd=self.root,
                       env=self.environment | environment)

    def command(self, *words):
        return [sys.executable, self.root / "scripts" / "vmcommit", *words]

    def fleet(self, *words, hosts=HOSTS, **environment):
        return execute(self.command("fleet", self.hosts(*hosts), "--into", self.into, "--profile",
                                    "tiny", *words), SECONDS, env=self.environment | environment)

    def began(self, host):
        return json.loads((self.into / host / "environment.json").read_text())["started"]

    def assertWhole(self, *hosts):
        """These and no others are in, without a remnant of any."""
        there = {path.name for path in self.into.iterdir()}
        self.assertEqual(there - {".campaign", ".fleet", ".lock"}, set(hosts))
        for host in hosts:
            self.assertEqual({path.name for path in (self.into / host).iterdir()},
                             {"samples.csv", "environment.json"})


class Contract(Tree):
    """one-host, where the host is this machine."""

    def setUp(self):
        super().setUp()
        self.environment["VMCOMMIT_SSH"] = "here"
        self.own_lock()

    def refused(self, status, words, *arguments, **environment):
        done = execute([self.one_host, *arguments], env=self.environment | environment)
        self.assertEqual((done.returncode, done.stdout), (status, ""))
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(words, done.stderr)

    def test_bad_usage(self):
        for words, arguments, environment in (
                ("1 arguments given", ["a"], {}), ("'../a'", ["../a", self.into], {}),
                ("'-a'", ["-a", self.into], {}),
                ("VMCOMMIT_CARRY: 'x'", ["a", self.into], {"VMCOMMIT_CARRY": "x"}),
                ("VMCOMMIT_BRING: 'x'", ["a", self.into], {"VMCOMMIT_BRING": "x"}),
                ("VMCOMMIT_SECONDS: '0'", ["a", self.into], {"VMCOMMIT_SECONDS": "0"}),
                ("VMCOMMIT_PROFILE: '$x'", ["a", self.into], {"VMCOMMIT_PROFILE": "$x"})):
            with self.subTest(words):
                self.refused(2, words, *arguments, **environment)
        self.assertFalse(self.into.exists())

    def test_what_has_a_hosts_name_and_is_no_run(self):
        (self.into / "alpha").mkdir(parents=True)
        self.refused(1, "alpha is there and holds no run; move it away", "alpha", self.into)

    def test_a_run_comes_home_whole_and_once(self):
        done = self.one("alpha")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertWhole("alpha")
        known = json.loads((self.into / "alpha" / "environment.json").read_text())
        self.assertEqual(known["version"], 1)
        self.assertTrue(known["host"] and known["guard"] and known["system"]["kernel"])
        self.assertEqual([path.name for path in (self.home / ".cache/vmcommit").glob("run-*")], [])
        began = self.began("alpha")
        self.assertEqual(self.one("alpha").returncode, 0)
        self.assertEqual(self.began("alpha"), began)

    def own_lock(self):
        """Whoever else measures on this machine must not be in this test's way."""
        text = self.one_host.read_text()
        self.assertIn("lock=/tmp/vmcommit.lock\n", text)
        self.lock = self.root / "lock"
        self.one_host.write_text(text.replace("lock=/tmp/vmcommit.lock\n", f"lock={self.lock}\n"))

    def test_what_fails_leaves_nothing(self):
        done = self.one("alpha", VMCOMMIT_PROFILE="none")
        self.assertEqual(done.returncode, 1)
        self.assertIn("alpha: bench: PROFILE: 'none' is no profile", done.stderr)
        self.assertWhole()

    def test_a_host_that_is_busy(self):
        self.lock.touch()
        holder = begin(["flock", self.lock, "sleep", "300"])
        self.addCleanup(end_group, holder)
        self.assertTrue(waits_for(lambda: execute(
            ["flock", "-n", self.lock, "true"]).returncode, 20))
        done = self.one("alpha")
        self.assertEqual(done.returncode, 75)
        self.assertEqual(done.stderr, "alpha: somebody measures there already\n")
        self.assertWhole()

    def test_one_that_hangs(self):
        main = self.root / "scripts" / "vmcommit" / "__main__.py"
        main.write_text("import time\ntime.sleep(300)\n")
        done = self.one("alpha", VMCOMMIT_SECONDS="1")
        self.assertEqual((done.returncode, done.stderr), (124, "alpha: no end within 1 s\n"))
        self.assertWhole()

    def test_one_whose_disk_is_full(self):
        main = self.root / "scripts" / "vmcommit" / "__main__.py"
        main.write_text("import sys\nsys.exit('bench: cannot write samples.csv: No space left')\n")
        done = self.one("alpha")
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)
        self.assertWhole()

    def test_one_that_is_not_reached(self):
        done = self.one("alpha", VMCOMMIT_SSH="false")
        self.assertEqual(done.returncode, 1)
        self.assertWhole()


class Refusals(Tree):
    def refused(self, status, words, *arguments):
        done = execute(self.command(*arguments), env=self.environment)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    @unittest.skipIf(lacking("parallel", "ssh"), "parallel or ssh is not installed")
    def test_files_of_hosts(self):
        for text, words in (("", ["names no host"]), ("a b\n", ["line 1", "'a b'"]),
                            ("a\n\na # again\n", ["line 3", "a stands in line 1"]),
                            ("-x\n", ["'-x'"]), ("..\n", ["'..'"])):
            path = self.root / "hosts"
            path.write_text(text)
            with self.subTest(text):
                self.refused(2, ["HOSTS", *words], "fleet", path, "--into", self.into)
        self.refused(2, ["HOSTS", "nowhere"], "fleet", self.root / "nowhere", "--into", self.into)

    def test_options(self):
        hosts = self.hosts("a")
        for words, arguments in ((["--profile", "'x'", "quick"], ["--profile", "x"]),
                                 (["--seconds", "0"], ["--seconds", "0"]),
                                 (["--engine", "'x'", "slurm"], ["--engine", "x"])):
            self.refused(2, words, "fleet", hosts, "--into", self.into, *arguments)
        self.refused(2, ["--into"], "fleet", hosts)

    def test_an_engine_that_is_not_here(self):
        folder = self.root / "bin"
        folder.mkdir()
        self.environment["PATH"] = str(folder)
        for engine, words in (("parallel", "apt-get install parallel openssh-client"),
                              ("slurm", "apt-get install slurm-client")):
            self.refused(1, [words], "fleet", self.hosts("a"), "--into", self.into, "--engine",
                         engine)


class Namespaces:
    """Hosts with an sshd each, on a bridge; `processes` are those of the sshds."""

    def __init__(self, folder, names):
        self.folder, self.names = folder, names
        self.mark = f"vmc{os.getpid() % 10000}"
        self.bridge, self.processes = f"{self.mark}b", {}

    def ip(self, *words):
        done = execute(["ip", *words])
        if done.returncode:
            raise AssertionError(f"ip {' '.join(words)}: {done.stderr}")

    def up(self):
        for kind in ("host", "user"):
            subprocess.run(["ssh-keygen", "-qN", "", "-t", "ed25519", "-f", self.folder / kind],
                           check=True)
        (self.folder / "authorized").write_text((self.folder / "user.pub").read_text())
        self.ip("link", "add", self.bridge, "type", "bridge")
        self.ip("address", "add", f"{NET}.1/24", "dev", self.bridge)
        self.ip("link", "set", self.bridge, "up")
        for number, name in enumerate(self.names, 11):
            self.add(name, number)
        self.write_config()

    def add(self, name, number):
        space, outer = f"{self.mark}-{name}", self.link(name)
        self.ip("netns", "add", space)
        self.ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
        self.ip("link", "set", outer, "master", self.bridge, "up")
        for words in (("address", "add", f"{NET}.{number}/24", "dev", "eth0"),
                      ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):
            self.ip("-n", space, *words)
        script = f"""set -e
            hostname {name}
            mount -t tmpfs none /run; mkdir -m 755 /run/sshd
            cp {self.folder}/host {self.folder}/authorized /run/
            mount -t tmpfs none /root; mount -t tmpfs -o mode=1777 none /tmp
            exec {SSHD} -D -e -f /dev/null -o HostKey=/run/host -o PidFile=none -o UsePAM=no \
                -o AuthorizedKeysFile=/run/authorized -o StrictModes=no \
                -o PermitRootLogin=prohibit-password -o PasswordAuthentication=no"""
        self.processes[name] = begin(
            ["ip", "netns", "exec", space, "unshare", "-mu", "--propagation", "private", "sh",
             "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/")

    def link(self, name):
        return f"{self.mark}{name[:5]}"

    def write_config(self):
        lines = [f"Host {name}\n  HostName {NET}.{number}\n"
                 for number, name in enumerate(self.names, 11)]
        lines += [f"Host *\n  User root\n  IdentityFile {self.folder}/user\n"
                  "  IdentitiesOnly yes\n  StrictHostKeyChecking no\n"
                  "  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"]
        (self.folder / "config").write_text("".join(lines))

    def sees(self, name, pattern):
        """Whether a path of that host's own home is there."""
        process = self.processes[name]
        root = pathlib.Path(f"/proc/{process.pid}/root") / "root"
        with contextlib.suppress(OSError):
            return bool(list(root.glob(pattern)))
        return False

    def down(self):
        for name, process in self.processes.items():
            listed = execute(["ip", "netns", "pids", f"{self.mark}-{name}"]).stdout.split()
            for pid in listed:
                with contextlib.suppress(OSError):
                    os.kill(int(pid), signal.SIGKILL)
            end_group(process)
            process.wait()
            process.stdout and process.stdout.close()
            execute(["ip", "link", "delete", self.link(name)])
            execute(["ip", "netns", "delete", f"{self.mark}-{name}"])
        execute(["ip", "link", "delete", self.bridge])


@needs("parallel", "ssh", "sshd", "ssh-keygen", "ip", "unshare", "flock", "hostname")
class OverSsh(Tree):
    def setUp(self):
        super().setUp()
        self.spaces = Namespaces(self.root, HOSTS)
        self.addCleanup(self.spaces.down)
        self.spaces.up()
        self.environment["VMCOMMIT_SSH"] = f"ssh -F {self.root}/config"
        for name in HOSTS:
            reached = waits_for(lambda: execute(
                ["ssh", "-F", self.root / "config", name, "true"]).returncode == 0, 20)
            self.assertTrue(reached, f"the sshd of {name} does not answer")

    def test_one_is_cut_off_half_way(self):
        """The others arrive; the same command again brings just that one, which had gone on."""
        first = begin(self.command("fleet", self.hosts(*HOSTS), "--into", self.into, "--profile",
                                   "tiny"), env=self.environment)
        self.addCleanup(end_group, first)
        self.assertTrue(waits_for(lambda: self.spaces.sees(
            "beta", ".cache/vmcommit/run-*/latest/environment.json")))
        self.spaces.ip("link", "set", self.spaces.link("beta"), "down")
        said, errors = first.communicate(timeout=SECONDS)
        self.assertEqual(first.returncode, 1, said + errors)
        self.assertIn("  alpha: in\n  beta: LOST: ", said)
        self.assertIn("  gamma: in\n", said)
        self.assertIn("1 host of 3 not in; to go on: vmcommit fleet", errors)
        self.assertWhole("alpha", "gamma")
        before = {name: self.began(name) for name in ("alpha", "gamma")}
        self.spaces.ip("link", "set", self.spaces.link("beta"), "up")
        again = self.fleet()
        self.assertEqual((again.returncode, again.stderr), (0, ""), again.stdout)
        self.assertIn("3 hosts, 2 in already", again.stdout)
        self.assertWhole(*HOSTS)
        self.assertEqual({name: self.began(name) for name in before}, before)
        log = (self.into / ".fleet" / "joblog").read_text().splitlines()
        self.assertEqual(len(log), 2, log)
        self.assertIn(" beta ", log[1])
        self.assertEqual([json.loads((self.into / name / "environment.json").read_text())["host"]
                          for name in HOSTS], list(HOSTS))


SLURM = """ClusterName=vmcommit
SlurmctldHost={host}
SlurmUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort={port}
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmdSpoolDir={folder}/spool-%n
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SlurmdTimeout=10
ReturnToService=2
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=1
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@needs("sbatch", "squeue", "scancel", "scontrol", "slurmctld", "slurmd", "flock")
class BySlurm(Tree):
    """Three nodes on this machine, which therefore wait for each other."""

    def setUp(self):
        super().setUp()
        self.daemons = {}
        self.addCleanup(self.end)
        host = os.uname().nodename
        nodes = [f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={17641 + at} CPUs=1"
                 for at, name in enumerate(HOSTS)]
        configuration = self.root / "slurm.conf"
        configuration.write_text(SLURM.format(host=f"{host}(127.0.0.1)", port=17640,
                                              folder=self.root, nodes="\n".join(nodes)))
        (self.root / "state").mkdir()
        self.environment["SLURM_CONF"] = str(configuration)
        self.environment["PATH"] += ":/usr/sbin"
        self.start("slurmctld", ["slurmctld", "-D", "-f", configuration])
        for name in HOSTS:
            self.start_node(name)
        self.assertTrue(waits_for(lambda: self.ended() or self.asked("sinfo", "-hNo", "%T").split()
                                  == ["idle"] * 3) and not self.ended(), self.state())

    def asked(self, *words):
        return execute(words, env=self.environment).stdout

    def ended(self):
        """Daemons that nobody has ended."""
        return [name for name, process in self.daemons.items() if process.poll() is not None]

    def state(self):
        """What Slurm says of daemons, nodes and jobs, for who reads that a test failed."""
        logs = [path.read_text(errors="replace")[-3000:] for path in self.root.glob("*.log")]
        return "\n".join(["", f"ended: {self.ended()}", self.asked("sinfo", "-No", "%N %T %E"),
                          self.asked("squeue", "-o", "%i %N %T %r %V %S"), *logs])

    def start(self, name, words):
        self.daemons[name] = begin(words, env=self.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)

    def start_node(self, name):
        self.start(name, ["slurmd", "-D", "-N", name, "-f", self.environment["SLURM_CONF"]])

    def steps(self, name):
        """Processes of jobs on that node."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                text = (process / "environ").read_bytes()
                if (f"SLURM_CONF={self.environment['SLURM_CONF']}\0".encode() in text
                        and f"SLURMD_NODENAME={name}\0".encode() in text):
                    yield int(process.name)

    def managers(self, name):
        """The slurmstepd of each job there: it must die first, or it would report that its job
        failed."""
        for pid in self.steps(name):
            with contextlib.suppress(OSError):
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
                parent = stat.rpartition(") ")[2].split()[1]
                if pathlib.Path(f"/proc/{parent}/comm").read_text() == "slurmstepd\n":
                    yield int(parent)

    def kill_jobs(self, name):
        for pids in (set(self.managers(name)), set(self.steps(name))):
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def kill_node(self, name):
        """As when the node loses its power: its slurmd, and all that runs on it."""
        end_group(self.daemons[name])
        self.daemons[name].wait()
        self.kill_jobs(name)

    def end(self):
        execute(["scancel", "--me"], env=self.environment)
        for name in HOSTS:
            self.kill_jobs(name)
        for process in self.daemons.values():
            end_group(process)
            process.wait()

    def waits_while_it_works(self, fleet, condition):
        """How long Slurm takes is its own affair: some minutes for a node that is back, more on a
        busy machine. What ends the waiting is a fleet that has ended, as it does where there is no
        way out."""
        self.assertTrue(waits_for(lambda: condition() or fleet.poll() is not None, HANGS, 0.5),
                        self.state())
        if not condition():
            end_group(fleet)
            self.fail("\n".join(fleet.communicate()) + self.state())

    def test_what_waits_in_vain_is_given_up(self):
        """A node that is drained, and a partition that is down."""
        for host, what, why in (
                ("beta", ("NodeName=beta", "State=DRAIN", "Reason=bad disk"),
                 "beta: LOST: Slurm says 'ReqNodeNotAvail, UnavailableNodes:beta', and the node is "
                 "drained (bad disk): start its slurmd"),
                ("alpha", ("PartitionName=all", "State=DOWN"),
                 "alpha: LOST: Slurm says 'PartitionDown': name another partition")):
            execute(["scontrol", "update", *what], env=self.environment)
            done = self.fleet("--engine", "slurm", hosts=(host,))
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr + self.state())
            self.assertIn(why, done.stdout)
        self.assertEqual(self.asked("squeue", "-h"), "")

    def test_a_slurmd_is_killed(self):
        """All arrive, and nothing twice."""
        fleet = begin(self.command("fleet", self.hosts(*HOSTS), "--into", self.into, "--profile",
                                   "tiny", "--engine", "slurm"), env=self.environment)
        self.addCleanup(end_group, fleet)
        self.waits_while_it_works(fleet, lambda: list(self.steps("beta")))
        self.kill_node("beta")
        self.start_node("beta")
        self.waits_while_it_works(fleet, lambda: fleet.poll() is not None)
        said, errors = fleet.communicate()
        self.assertEqual((fleet.returncode, errors), (0, ""), said + self.state())
        self.assertWhole(*HOSTS)
        for name in HOSTS:
            self.assertIn(f"  {name}: in\n", said)


if __name__ == "__main__":
    unittest.main()
