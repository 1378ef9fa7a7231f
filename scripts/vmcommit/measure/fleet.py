"""A campaign on many hosts, by engines that exist: GNU parallel over ssh, or Slurm. Both call
scripts/one-host for each, which leaves a host's run whole or nothing: what is in is never measured
again, and what is lost is what the folder lacks."""

import csv
import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess

from vmcommit.base.folder import ENVIRONMENT, SAMPLES
from vmcommit.base.places import ABOVE
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.text import last_line, listed, printable
from vmcommit.measure import slurm

ONE_HOST = ABOVE / "one-host"
HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*", re.ASCII)
ENGINES = ("parallel", "slurm")
NEEDED = {"parallel": {"parallel": "parallel", "ssh": "openssh-client"},  # {program: Debian's
          "slurm": {"sbatch": "slurm-client", "squeue": "slurm-client"}}  # package}
RETRIES = 2
REASONS = {2: "bad usage", 75: "somebody measures there already", 124: "measuring took too long",
           255: "not reached, or the link was cut"}


@dataclasses.dataclass(frozen=True)
class Campaign:
    """`into` is the folder that gets a run for each of `hosts`; `seconds` are for one host."""

    hosts: tuple
    into: pathlib.Path
    profile: str
    seconds: int
    everything: bool = False  # brings details and pictures home too

    @property
    def log(self):
        """The folder of what the engine and the hosts said."""
        return self.into / ".fleet"

    def environment(self):
        return {"VMCOMMIT_PROFILE": self.profile, "VMCOMMIT_SECONDS": str(self.seconds),
                "VMCOMMIT_BRING": "all" if self.everything else "samples"}

    def command(self, host):
        """What an engine calls for a host."""
        return [str(ONE_HOST), host, str(self.into)]

    def missing(self):
        return [host for host in self.hosts if not all(
            (self.into / host / name).exists() for name in (SAMPLES, ENVIRONMENT))]


def refuse_missing(engine):
    """Raises Problem that names the tools and packages which are not here."""
    missing = [name for name in NEEDED[engine] if not shutil.which(name)]
    if missing:
        packages = dict.fromkeys(NEEDED[engine][name] for name in missing)
        raise Problem(f"{listed(missing)} not found, by which --engine {engine} works: on Debian, "
                      f"apt-get install {' '.join(packages)}")


def read_hosts(path) -> tuple:
    """Names from a file, one a line; # begins a remark. Raises Usage."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"HOSTS: {path}: {getattr(error, 'strerror', None) or 'is no text'}; name a "
                    "file with a host on each line") from None
    hosts: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        host = line.partition("#")[0].strip()
        if not host:
            continue
        if not HOST.fullmatch(host):
            raise Usage(f"HOSTS: {path}, line {number}: '{printable(host[:60])}' is no name of a "
                        "host; what ssh needs besides goes to its config")
        if host in hosts:
            raise Usage(f"HOSTS: {path}, line {number}: {host} stands in line {hosts[host]} too")
        hosts[host] = number
    if not hosts:
        raise Usage(f"HOSTS: {path} names no host")
    return tuple(hosts)


def by_parallel(campaign, hosts):
    """The host is parallel's argument, and the script does ssh: with --sshlogin a retry would go to
    another host. The job log is of this call alone; what was in before is not asked for."""
    command = ["parallel", "--will-cite", "-j0", "--joblog", str(campaign.log / "joblog"),
               "--retries", str(RETRIES), "--results", f"{campaign.log}/{{}}/",
               "--timeout", str(campaign.seconds + 300), "--termseq", "TERM,5000,KILL",
               *campaign.command("{}"), "::::", "-"]
    if os.isatty(2):
        command.insert(1, "--bar")
    with subprocess.Popen(command, env=os.environ | campaign.environment(), text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          start_new_session=True,
                          stderr=None if os.isatty(2) else subprocess.DEVNULL) as process:
        try:
            process.communicate("".join(f"{host}\n" for host in hosts))
        except BaseException:
            process.terminate()  # once: parallel then ends what it has started
            process.terminate()
            raise


def joblog(campaign) -> dict:
    """{host: exit status}, as parallel's job log has them."""
    try:
        with open(campaign.log / "joblog", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError:
        return {}
    statuses = {}
    for row in rows:
        *_, host, _ = shlex.split(row["Command"])
        ended_by = int(row["Signal"])
        statuses[host] = 128 + ended_by if ended_by else int(row["Exitval"])
    return statuses


def signal_text(number) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def reason(campaign, host, statuses) -> str:
    """Why a host is lost, in its own words where it had some."""
    try:
        said = (campaign.log / host / "stderr").read_text(encoding="utf-8", errors="replace")
    except OSError:
        said = ""
    status = statuses.get(host, 0)
    known = REASONS.get(status) or (
        f"ended by {signal_text(status - 128)}, as at its deadline" if status > 128
        else "it said nothing")
    return last_line(said).removeprefix(f"{host}: ") if said.strip() else known


def carry_out(campaign, engine, shown) -> dict:
    """Measures what is not in. {host that is lost: why}."""
    hosts = campaign.missing()
    for host in hosts:
        shutil.rmtree(campaign.log / host, ignore_errors=True)
    campaign.log.mkdir(exist_ok=True)
    given_up, statuses = {}, {}
    if hosts and engine == "slurm":
        given_up = slurm.carry_out(campaign, hosts, shown)
    elif hosts:
        by_parallel(campaign, hosts)
        statuses = joblog(campaign)
    return {host: given_up.get(host) or reason(campaign, host, statuses)
            for host in campaign.missing()}
