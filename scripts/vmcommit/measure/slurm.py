"""A campaign by Slurm: a job pinned to each host, waited for with what Slurm says of it, and given
up where nothing but a person would end its waiting."""

import contextlib
import dataclasses
import math
import re
import shlex
import time

from vmcommit.base import processes
from vmcommit.base.problems import Problem
from vmcommit.base.text import counted, last_line, listed
from vmcommit.base.units import duration_text

BUSY_SECONDS = 10  # between attempts of a job whose node somebody measures on
POLL_SECONDS = 2
ASK_SECONDS = 60  # for a command of Slurm
SPARE_MINUTES = 5  # of a job, beyond what its host may take
NAME = "vmcommit"  # of the jobs
PATIENCE = 3  # times as long as a host may take: it waits, and may begin anew
MOST_NAMED = 4  # hosts of one state
FIELDS = "JobID:24,State:24,RestartCnt:12,Reason:300"
# The node itself calls one-host; one on which somebody measures is waited for.
JOB = """#!/bin/bash
export VMCOMMIT_SSH=here
while :; do
    {command}
    status=$?
    [ $status -eq 75 ] || exit $status
    sleep {seconds}
done
"""
UNAVAILABLE = "UnavailableNodes|Nodes required for job are|NodeDown"
GONE = re.compile("down|drain|fail|unk|future")  # states of a node that a person must end
# What no waiting ends, by what Slurm gives as the reason: {pattern: what to do}.
REMEDIES = {
    UNAVAILABLE: "start its slurmd, or scontrol update NodeName={host} State=RESUME",
    "launch failed": "the log of slurmd on {host} says why it could not start there",
    "JobHeldUser": "let nobody hold it (scontrol hold)",
    "(?i)held|hold": "ask whoever runs Slurm to let it go",
    "BadConstraints": "scontrol show node {host} tells what the node has",
    "PartitionTimeLimit": "shorten it by --seconds, or name another partition by SBATCH_PARTITION",
    "Partition(Down|Inactive|NodeLimit)": "name another partition by SBATCH_PARTITION",
    "InvalidAccount|AccountNotAllowed": "name another account by SBATCH_ACCOUNT",
    "InvalidQOS|QOSNotAllowed": "name another QOS by SBATCH_QOS",
}


@dataclasses.dataclass(frozen=True)
class Job:
    """What squeue says of one."""

    state: str
    restarts: int
    reason: str

    def __str__(self):
        state = self.state.lower()
        return state if self.reason in ("", "None") else f"{state} ({self.reason})"


def asked(*command) -> str:
    """What a command of Slurm prints. Raises Problem."""
    try:
        done = processes.run(command, ASK_SECONDS)
    except processes.TimeoutExpired:
        raise Problem(f"{command[0]} did not answer within {ASK_SECONDS} s") from None
    if done.returncode:
        said = last_line(done.stderr, done.stdout)
        raise Problem(f"{command[0]} failed: {said.removeprefix(f'{command[0]}: error: ')}")
    return done.stdout


def submit(campaign, host) -> str:
    """The number of a node's job, which nobody shares the node with and which comes back where the
    node is lost."""
    script = campaign.log / f"{host}.sh"
    script.write_text(JOB.format(command=shlex.join(campaign.command(host)), seconds=BUSY_SECONDS),
                      encoding="utf-8")
    folder = campaign.log / host
    folder.mkdir(exist_ok=True)
    settings = ",".join(["ALL", *(f"{name}={value}"
                                  for name, value in campaign.environment().items())])
    minutes = str(math.ceil(campaign.seconds / 60) + SPARE_MINUTES)
    return asked("sbatch", "--parsable", "--job-name", NAME, "--nodelist", host, "--nodes", "1",
                 "--exclusive", "--requeue", "--time", minutes, "--export", settings,
                 "--open-mode", "append", "--output", str(folder / "stdout"),
                 "--error", str(folder / "stderr"), str(script)).split(";")[0].strip()


def jobs_of_mine() -> dict[str, Job]:
    """{number: Job} of those that Slurm has not done with. Raises Problem."""
    found = {}
    for line in asked("squeue", "--noheader", "--Format", FIELDS, "--me").splitlines():
        number, state, restarts, *reason = line.split(maxsplit=3)
        found[number] = Job(state, int(restarts), "".join(reason).strip())
    return found


def nodes() -> dict[str, tuple]:
    """{name: (state, why)}, as in ("down*", "Not responding"). Raises Problem."""
    lines = asked("sinfo", "--noheader", "--Node", "--format", "%N %T %E").splitlines()
    return {name: (state, "".join(why).strip()) for name, state, *why in
            (line.split(maxsplit=2) for line in lines)}


def remedy(job) -> str:
    """For a job whose waiting seems to have no end; else empty."""
    return next((words for pattern, words in REMEDIES.items()
                 if job.state == "PENDING" and re.search(pattern, job.reason)), "")


def vain(job, host, state, why) -> str:
    """Why it is in vain that a job waits, and what a person must do; empty where waiting may do.
    `state`, `why`: its node's. A job whose node was lost under it waits for the node."""
    gone = GONE.match(state)
    if not remedy(job) or re.search(UNAVAILABLE, job.reason) and (job.restarts or not gone):
        return ""
    because = f", and the node is {state} ({why})" if gone else ""
    return f"Slurm says '{job.reason}'{because}: {remedy(job).format(host=host)}"


class Queue:
    """The jobs of a campaign that are not done with: {number: host}; and the hosts given up, with
    why."""

    def __init__(self, campaign):
        self.campaign = campaign
        self.hosts: dict[str, str] = {}
        self.given_up: dict[str, str] = {}

    def submit(self, hosts):
        for host in hosts:
            try:
                self.hosts[submit(self.campaign, host)] = host
            except Problem as problem:
                self.given_up[host] = str(problem)

    def look(self) -> dict[str, Job]:
        """{host: Job} of those that still wait or run; what waits in vain is given up."""
        known = jobs_of_mine()
        self.hosts = {number: host for number, host in self.hosts.items() if number in known}
        seen = nodes() if any(remedy(known[number]) for number in self.hosts) else {}
        for number, host in list(self.hosts.items()):
            if why := vain(known[number], host, *seen.get(host, ("", ""))):
                self.give_up(number, why)
        return {host: known[number] for number, host in self.hosts.items()}

    def give_up(self, number, why):
        with contextlib.suppress(Problem):  # it has just ended
            asked("scancel", number)
        self.given_up[self.hosts.pop(number)] = why

    def text(self, jobs) -> str:
        """2 of 9 in; 6 hosts pending (Priority); beta running. `jobs` as look() has them."""
        by_state: dict[str, list] = {}
        for host, job in jobs.items():
            by_state.setdefault(str(job), []).append(host)
        if self.given_up:
            by_state["given up"] = list(self.given_up)
        total = len(self.campaign.hosts)
        return "; ".join([f"{total - len(self.campaign.missing())} of {total} in", *(
            f"{listed(hosts) if len(hosts) <= MOST_NAMED else counted(len(hosts), 'host')} {state}"
            for state, hosts in by_state.items())])


def carry_out(campaign, hosts, shown) -> dict:
    """A job for each host, until none is left or the deadline of all has passed; shown(text) is
    told what goes on. {host that was given up: why}. Raises Problem."""
    jobs_of_mine()  # so that a Slurm that does not answer is asked once, and not for each host
    queue, before = Queue(campaign), None
    seconds = campaign.seconds * PATIENCE
    ends = time.monotonic() + seconds
    try:
        queue.submit(hosts)
        while left := queue.look():
            if (now := queue.text(left)) != before:
                shown(now)
            before = now
            if time.monotonic() > ends:
                for number, host in list(queue.hosts.items()):
                    queue.give_up(number, f"no end within {duration_text(seconds)}: {left[host]}")
            else:
                time.sleep(POLL_SECONDS)
    except BaseException:
        if queue.hosts:
            processes.run(["scancel", *queue.hosts], ASK_SECONDS)
        raise
    return queue.given_up
