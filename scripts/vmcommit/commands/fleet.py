"""`vmcommit fleet HOSTS --into DIR`: the same campaign on every host that the file HOSTS names, one
a line. GNU parallel calls scripts/one-host for each, which reaches it by ssh; --engine slurm
submits a job to each node instead, which needs DIR on all of them. DIR gets a folder of a run for
each host; the same command again measures those that are not in. `vmcommit report DIR` tells them
together.

Exit status: 0 all hosts are in; 1 one is not, or something is missing; 2 bad usage; 75 another
fleet writes to DIR.
"""

import pathlib
import shlex

from vmcommit.base.files import locked, relative
from vmcommit.base.folder import ENVIRONMENT, Unreadable, read_environment
from vmcommit.base.problems import Problem, Usage
from vmcommit.base.text import counted, printable
from vmcommit.commands.arguments import Parser, say
from vmcommit.commands.edge import keeping
from vmcommit.measure import fleet, profiles

SLACK, SETTING_OUT = 8, 600  # a host may take so many times as long as measuring, and drawing


def options(arguments):
    parser = Parser("fleet", __doc__)
    parser.add_argument("hosts", type=pathlib.Path, metavar="HOSTS",
                        help="file with a host a line; # begins a remark")
    parser.add_argument("--into", type=pathlib.Path, required=True,
                        help="folder that gets a folder for each host")
    parser.add_argument("--profile", default="default",
                        help=f"{', '.join(profiles.PROFILES)} (default: default)")
    parser.add_argument("--engine", choices=fleet.ENGINES, default=fleet.ENGINES[0],
                        help="parallel: GNU parallel, by ssh; slurm: sbatch, a job on each node "
                             "(default: parallel)")
    parser.add_argument("--seconds", type=int, metavar="N",
                        help="that a host may take (default: by the profile)")
    parser.add_argument("--all", action="store_true",
                        help="bring details and pictures home too, some 40 MB a host")
    asked = parser.parse_args(arguments)
    if asked.profile not in profiles.PROFILES:
        raise Usage(f"--profile: '{asked.profile}' is no profile; use "
                    f"{', '.join(profiles.PROFILES)}")
    asked.seconds = asked.seconds if asked.seconds is not None else round(
        SETTING_OUT + SLACK * profiles.PROFILES[asked.profile].seconds)
    if asked.seconds < 1:
        raise Usage(f"--seconds: {asked.seconds} is out of range; use 1 or more")
    return asked


def again(asked) -> str:
    """What to type to go on."""
    usual = options([str(asked.hosts), "--into", str(asked.into), "--profile", asked.profile])
    words = ["vmcommit", "fleet", relative(asked.hosts), "--into", relative(asked.into),
             "--profile", asked.profile]
    words += [word for name in ("engine", "seconds")
              if getattr(asked, name) != getattr(usual, name)
              for word in (f"--{name}", str(getattr(asked, name)))]
    return shlex.join(words + ["--all"] * asked.all)


def refuse_other_profiles(campaign):
    """What is in was measured by the profile that is asked for, so that all hosts were."""
    missing = campaign.missing()
    for host in campaign.hosts:
        if host in missing:
            continue
        try:
            profile = read_environment(campaign.into / host / ENVIRONMENT)["profile"]
        except Unreadable as why:
            raise Usage(f"--into: {why}; move it away") from None
        if profile != campaign.profile:
            raise Usage(f"--profile: '{campaign.profile}': {host} is in by the profile "
                        f"{printable(str(profile))}; name another folder by --into")


def measure(asked):
    campaign = fleet.Campaign(fleet.read_hosts(asked.hosts), asked.into.resolve(), asked.profile,
                              asked.seconds, asked.all)
    refuse_other_profiles(campaign)
    before = len(campaign.hosts) - len(campaign.missing())
    say(f"vmcommit fleet, profile {asked.profile}: {counted(len(campaign.hosts), 'host')}"
        + (f", {before} in already" if before else ""))
    lost = fleet.carry_out(campaign, asked.engine, say)
    for host in campaign.hosts:
        say(f"  {host}: {'LOST: ' + lost[host] if host in lost else 'in'}")
    if lost:
        raise Problem(f"{counted(len(lost), 'host')} of {len(campaign.hosts)} not in; to go on: "
                      f"{again(asked)}")
    say(f"vmcommit report {relative(asked.into)} tells them together")


def main(arguments):
    asked = options(arguments)
    fleet.refuse_missing(asked.engine)
    with keeping(lambda: "what is in stays; the same command goes on",
                 "make it writable, or name another folder by --into"):
        asked.into.mkdir(parents=True, exist_ok=True)
        with locked(asked.into / ".lock", "measuring hosts"):
            measure(asked)
    return 0
