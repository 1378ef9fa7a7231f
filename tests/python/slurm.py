"""What is submitted to Slurm, what is said of jobs that wait, and which are given up: by a Slurm
that is made up. cli/fleet.py has a real one."""

import pathlib
import tempfile
import unittest
from unittest import mock

from support import ROOT

from vmcommit.base.folder import ENVIRONMENT, SAMPLES
from vmcommit.base.problems import Problem
from vmcommit.measure import fleet, slurm

HOSTS = ("alpha", "beta", "gamma")


class Waiting(unittest.TestCase):
    seconds = 60
    NODES = "alpha idle none\nbeta drained bad disk\ngamma idle* none\ngamma idle* none\n"

    def setUp(self):
        kept = tempfile.TemporaryDirectory(prefix="vmcommit-fleet.")
        self.addCleanup(kept.cleanup)
        self.into = pathlib.Path(kept.name)
        self.said, self.cancelled, self.refused = [], [], ()

    def lost(self, *looks, hosts=HOSTS):
        """{host: why} of a campaign, where squeue prints one of `looks` after the other; the job of
        a host has its name as its number. A host is in when its job is done with."""
        looks = iter(["", *looks])

        def asked(program, *words):
            if program == "squeue":
                listed = next(looks)
                for host in set(self.queued) - set(listed.split()) - set(self.cancelled):
                    (self.into / host).mkdir(exist_ok=True)
                    for name in (SAMPLES, ENVIRONMENT):
                        (self.into / host / name).touch()
                return listed
            if program == "sbatch":
                self.submitted.append(words)
                host = words[words.index("--nodelist") + 1]
                if host in self.refused:
                    raise Problem(f"sbatch failed: {host} is none")
                self.queued.append(host)
                return f"{host};cluster\n"
            if program == "scancel":
                self.cancelled += words
            return self.NODES if program == "sinfo" else ""
        self.queued, self.submitted = [], []
        campaign = fleet.Campaign(hosts, self.into, "tiny", self.seconds)
        with mock.patch.object(slurm, "asked", asked), mock.patch.object(slurm.time, "sleep"):
            return fleet.carry_out(campaign, "slurm", self.said.append)

    def test_what_waits_is_told_when_it_changes(self):
        first = "alpha RUNNING 0 None\nbeta PENDING 0 Priority\ngamma PENDING 0 Priority\n"
        lost = self.lost(first, first, "beta PENDING 0 Resources\n", "")
        self.assertEqual((lost, self.cancelled), ({}, []))
        self.assertEqual(self.said, ["0 of 3 in; alpha running; beta and gamma pending (Priority)",
                                     "2 of 3 in; beta pending (Resources)"])

    def test_what_waits_in_vain_is_given_up_at_once(self):
        unavailable = "ReqNodeNotAvail, UnavailableNodes:beta"
        for reason, says in (
                ("JobHeldUser", "let nobody hold it"),
                ("JobHeldAdmin", "ask whoever runs Slurm"),
                ("launch failed requeued held", "the node is drained (bad disk): the log of slurmd "
                                                "on beta"),
                ("BadConstraints", "scontrol show node beta"),
                ("PartitionDown", "SBATCH_PARTITION"), ("PartitionTimeLimit", "--seconds"),
                ("InvalidQOS", "SBATCH_QOS"), ("InvalidAccount", "SBATCH_ACCOUNT"),
                (unavailable, f"Slurm says '{unavailable}', and the node is drained (bad disk): "
                              "start its slurmd, or scontrol update NodeName=beta State=RESUME")):
            with self.subTest(reason):
                self.setUp()
                lost = self.lost("alpha RUNNING 0 None\nbeta PENDING 0 None\n",
                                 f"alpha RUNNING 0 None\nbeta PENDING 0 {reason}\n", "")
                self.assertEqual((list(lost), self.cancelled), (["beta"], ["beta"]))
                self.assertIn(says, lost["beta"])
                self.assertEqual(self.said[-1], "1 of 3 in; alpha running; beta given up")

    def test_what_may_come_to_an_end_is_waited_for(self):
        """A node that answers no more, but is not down yet, and one that was lost under its job."""
        for job in ("gamma PENDING 0 ReqNodeNotAvail, UnavailableNodes:gamma",
                    "beta PENDING 1 ReqNodeNotAvail, UnavailableNodes:beta",
                    "beta PENDING 1 BeginTime", "beta RUNNING 0 JobHeldUser"):
            self.setUp()
            self.assertEqual((self.lost(f"{job}\n", ""), self.cancelled), ({}, []), job)

    def test_what_does_not_end_is_cancelled_and_says_what_it_waited_for(self):
        self.seconds = 0
        lost = self.lost("beta PENDING 0 Priority\n", "")
        self.assertEqual(self.cancelled, ["beta"])
        self.assertEqual(lost, {"beta": "no end within 0 s: pending (Priority)"})

    def test_a_job_that_is_refused_stops_no_other(self):
        self.refused = ("alpha",)
        self.assertEqual(self.lost(""), {"alpha": "sbatch failed: alpha is none"})
        self.assertEqual(self.queued, ["beta", "gamma"])

    def test_a_job_has_its_node_alone_and_five_minutes_more_than_its_run(self):
        for self.seconds, minutes in ((60, "6"), (61, "7"), (1200, "25")):
            self.setUp()
            self.lost("", hosts=("alpha",))
            words = self.submitted[0]
            self.assertEqual([words[words.index(option) + 1] for option in (
                "--nodelist", "--nodes", "--time", "--job-name", "--output")],
                ["alpha", "1", minutes, "vmcommit", str(self.into / ".fleet" / "alpha" / "stdout")])
            self.assertTrue({"--exclusive", "--requeue", "--parsable"} <= set(words))
            self.assertIn(f"VMCOMMIT_SECONDS={self.seconds},", words[words.index("--export") + 1])
            script = (self.into / ".fleet" / "alpha.sh").read_text(encoding="utf-8")
            self.assertIn(f"\n    {ROOT / 'scripts' / 'one-host'} alpha {self.into}\n", script)


if __name__ == "__main__":
    unittest.main()
