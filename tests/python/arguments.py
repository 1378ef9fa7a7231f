"""How the commands read arguments: refused in one line, never guessed; and where results lie."""

import importlib
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
from unittest import mock

from support import ROOT, execute

from vmcommit.base.problems import Usage
from vmcommit.commands import arguments, edge, fleet, record
from vmcommit.measure import fleet as campaigns


def parser():
    """Of a made-up command."""
    made = arguments.Parser("brew", "Brews.\n\n  As it is.")
    arguments.add_results(made, "is read")
    arguments.add_build(made)
    for side in ("", "base"):
        arguments.add_subjects(made, side)
    return made


class Arguments(unittest.TestCase):
    def test_defaults(self):
        self.assertEqual(vars(parser().parse_args([])), {
            "results": arguments.RESULTS, "build": ROOT / "build", "library": "", "allocator": "",
            "base_library": "", "base_allocator": ""})

    def test_what_is_given(self):
        given = parser().parse_args(["--results", "r", "--build=b", "--library", "l.so",
                                     "--base-allocator", "system"])
        self.assertEqual((given.results, given.build), (pathlib.Path("r"), pathlib.Path("b")))
        self.assertEqual((given.library, given.base_allocator), ("l.so", "system"))

    def test_numbers_that_are_none(self):
        made = arguments.Parser("brew", "Brews.")
        made.add_argument("--cups", type=int)
        made.add_argument("--sugar", type=float)
        arguments.add_seed(made)
        self.assertEqual(made.parse_args(["--seed", str(2**64 - 1)]).seed, 2**64 - 1)
        for words, says in ((["--cups", "x"], "--cups: 'x' is no whole number"),
                            (["--sugar", "a b"], "--sugar: 'a b' is no number"),
                            (["--seed", "-1"], "--seed: '-1' is no seed; use"),
                            (["--seed", str(2**64)], "is no seed")):
            with self.assertRaises(Usage) as raised:
                made.parse_args(words)
            self.assertIn(says, str(raised.exception))

    def test_an_option_is_written_out(self):
        for words in (["--res", "r"], ["--lib", "l"], ["extra"], ["--results"]):
            with self.assertRaises(Usage) as raised:
                parser().parse_args(words)
            self.assertIn(words[0], str(raised.exception))

    def test_help_keeps_the_lines_of_the_description(self):
        with mock.patch.object(arguments, "say") as said, self.assertRaises(SystemExit) as ended:
            parser().parse_args(["--help"])
        self.assertEqual(ended.exception.code, 0)
        text = said.call_args.args[0]
        self.assertTrue(text.startswith("usage: vmcommit brew [-h]"), text)
        self.assertIn("\nBrews.\n\n  As it is.\n", text)
        self.assertIn("on the side of base", " ".join(text.split()))
        self.assertFalse(text.endswith("\n"))

    def test_where_results_lie(self):
        code = "import sys; sys.path.insert(0, sys.argv[1]); " \
               "from vmcommit.commands import arguments; print(arguments.RESULTS)"
        for given, expected in ((None, ROOT / "results"), ("", ROOT / "results"),
                                ("elsewhere", "elsewhere")):
            variables = {name: text for name, text in os.environ.items()
                         if name != "VMCOMMIT_RESULTS"}
            variables |= {} if given is None else {"VMCOMMIT_RESULTS": given}
            done = execute([sys.executable, "-c", code, ROOT / "scripts"], env=variables)
            self.assertEqual((done.stdout, done.stderr), (f"{expected}\n", ""))


class Commands(unittest.TestCase):
    def test_all_hosts_are_measured_by_one_profile(self):
        with tempfile.TemporaryDirectory() as folder:
            into = pathlib.Path(folder)
            shutil.copytree(ROOT / "results" / "reference", into / "alpha")
            for profile, hosts in (("default", ("alpha", "beta")), ("quick", ("beta",))):
                fleet.refuse_other_profiles(campaigns.Campaign(hosts, into, profile, 1))
            with self.assertRaisesRegex(Usage, "'quick': alpha is in by the profile default"):
                fleet.refuse_other_profiles(campaigns.Campaign(("alpha",), into, "quick", 1))

    def test_the_help_of_each_begins_with_its_name_and_says_what_it_does(self):
        words = [[name] for name in edge.COMMANDS if name != "record"]
        words += [["record", name] for name in record.COMMANDS]
        for name, *more in words:
            command = importlib.import_module(f"vmcommit.commands.{name}")
            with self.subTest(" ".join([name, *more])), \
                    mock.patch.object(arguments, "say") as said, self.assertRaises(SystemExit):
                command.main([*more, "--help"])
            usage, _, description = said.call_args.args[0].partition("\n\n")
            self.assertTrue(usage.startswith(f"usage: {' '.join(['vmcommit', name, *more])} [-h]"))
            self.assertRegex(description, r"\A\S[^\n]{30}")


if __name__ == "__main__":
    unittest.main()
