"""`--describe`: what each harness says of itself, against what it then takes and refuses."""

import json
import re
import unittest

from support import BIN, PAGE, WINDOWS, describe, run

KEYS = ["name", "summary", "version", "platform", "page_bytes", "step", "guarded", "blocks",
        "options", "commit", "purge", "pages", "guard", "trap"]
HARNESSES = (BIN / "harnesses.txt").read_text().split()
COMMIT = ["virtualalloc"] if WINDOWS else ["mprotect", "remap", "populate", "noreserve"]
AT_ONCE = [kind for kind in COMMIT if kind != "remap"]
PURGE = ["none", "decommit", "reset", "offer", "discard", "protect"] if WINDOWS else [
    "none", "dontneed", "free", "cold", "pageout", "protect", "remap", "remap_noreserve", "guard"]
PURGE_OPTIONS = ("--purge", "--purge-step")
THREADS = ("--threads", "--share", "--processes")
PAGES = ["small", "thp", "thp-64K", "huge"]
OTHERS_PAGES = PAGES[:-1]  # where a library or an allocator maps
GUARD = ["auto", "page_guard"] if WINDOWS else ["auto", "madvise", "prot_none"]
TRAP = ["seh", "veh"] if WINDOWS else ["signal"]
# name: (step, guarded, blocks, commit, guard, trap, the options that not every harness takes)
EXPECTED = {
    "upfront": ("size", False, False, AT_ONCE, [], [],
                {"--order", "--commit", "--trace", "--staircase", "--turns", *PURGE_OPTIONS,
                 *THREADS}),
    "fault": ("page", False, False, COMMIT, [], TRAP,
              {"--order", "--commit", "--trap", "--trace", "--staircase", "--turns",
               *THREADS}),
    "chunked": ("chunk", False, False, COMMIT, [], [],
                {"--chunk", "--growth", "--order", "--commit", "--trace", "--staircase",
                 "--turns", *PURGE_OPTIONS, *THREADS}),
    "guard": ("chunk", True, False, COMMIT, GUARD, TRAP,
              {"--chunk", "--growth", "--order", "--commit", "--guard", "--trap", "--trace",
               "--staircase", "--turns", *THREADS}),
    "custom": ("chunk", False, False, [], [], [],
               {"--chunk", "--growth", "--order", "--trace", "--staircase", "--turns",
                "--library"}),
    "malloc": ("chunk", False, True, [], [], [], {"--chunk", "--growth"}),
}
EVERYONES = {"--size", "--touch", "--pages", "--repeat", "--seed", "--output"}
VALUES = {"--size": "4K", "--chunk": "64K", "--touch": "0.5", "--order": "reverse",
          "--growth": "double", "--purge": PURGE[1], "--purge-step": "4K",
          "--commit": COMMIT[0], "--pages": "small", "--guard": "auto",
          "--trap": TRAP[0], "--threads": "2", "--share": "pages",
          "--repeat": "3", "--seed": "7", "--output": "no.csv",
          "--trace": "no.csv", "--staircase": "no.csv", "--library": "no.so",
          "--recording": "no-folder"}


class Describe(unittest.TestCase):
    maxDiff = None

    def test_harnesses_are_listed_in_their_order(self):
        self.assertEqual([name for name in HARNESSES if name in EXPECTED], list(EXPECTED))

    def test_one_object_on_one_line(self):
        for name in HARNESSES:
            done = run(name, "--describe")
            with self.subTest(name):
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout.count("\n"), 1)
                self.assertEqual(list(json.loads(done.stdout)), KEYS)

    def test_what_is_said(self):
        for name, (step, guarded, blocks, commit, guard, trap, options) in EXPECTED.items():
            said = describe(name)
            with self.subTest(name):
                self.assertEqual(said["name"], name)
                self.assertIn(said["summary"], run(name, "--help").stdout)
                self.assertIn(f"(vmcommit) {said['version']},", run(name, "--version").stdout)
                self.assertIn(said["platform"], ("windows", "wine") if WINDOWS else ("linux",))
                self.assertEqual(said["page_bytes"], PAGE)
                self.assertEqual((said["step"], said["guarded"], said["blocks"]),
                                 (step, guarded, blocks))
                self.assertEqual(set(said["options"]), EVERYONES | options)
                self.assertEqual([said[key] for key in ("commit", "purge", "pages", "guard",
                                                        "trap")],
                                 [commit, PURGE if "--purge" in options else [],
                                  PAGES if commit else OTHERS_PAGES, guard, trap])

    @unittest.skipIf(WINDOWS, "mappings of Linux")
    def test_harnesses_apart_have_ways_of_their_own(self):
        for name, step, ways, trap in (("mremap", "chunk", ["in_place", "move"], []),
                                       ("stack", "page", ["growsdown"], TRAP),
                                       ("uffd", "chunk", ["copy", "zeropage"],
                                        ["sigbus", "thread"])):
            said = describe(name)
            self.assertEqual([said[key] for key in ("name", "step", "commit", "purge", "pages",
                                                    "trap")],
                             [name, step, ways, [], ["small"], trap])
            self.assertNotIn(name, HARNESSES)
        for name, option, value, said in (
                ("stack", "--order", "random", "'random' is no order here; use downwards"),
                ("uffd", "--trap", "signal",
                 "'signal' is no way to catch a fault here; use sigbus or thread"),
                ("fault", "--trap", "thread",
                 "'thread' is no way to catch a fault here; use signal"),
                ("chunked", "--commit", "copy", "'copy' is no way to commit here; use mprotect, "
                                                "remap, populate or noreserve"),
                ("uffd", "--commit", "mprotect",
                 "'mprotect' is no way to commit here; use copy or zeropage"),
                ("uffd", "--growth", "double",
                 "'double': uffd has no steps that could grow; leave --growth out"),
                ("uffd", "--pages", "thp", "'thp' is no kind of pages here; use small")):
            done = run(name, option, value)
            with self.subTest(name=name, option=option):
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (2, "", f"{name}: {option}: {said}\n"))

    def test_exactly_the_options_that_are_listed_are_taken(self):
        for name in HARNESSES:
            for option, value in VALUES.items():
                done = run(name, option, value, "--version")
                with self.subTest(name=name, option=option):
                    if option in describe(name)["options"]:
                        self.assertEqual((done.returncode, done.stderr), (0, ""))
                        continue
                    self.assertEqual((done.returncode, done.stdout), (2, ""))
                    self.assertRegex(done.stderr, rf"^{name}: {option}: '{re.escape(value)}': "
                                                  rf"{name} .*; leave {option} out\n$")

    def test_an_option_that_is_not_taken_is_refused_without_its_value_too(self):
        for arguments in (["--chunk"], ["--chunk=64K"]):
            done = run("fault", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"^fault: --chunk: '(64K)?': fault has no step that "
                                          r"could be set; leave --chunk out\n$")

    def test_help_lists_exactly_the_options_that_are_taken(self):
        for name in HARNESSES:
            listed = re.findall(r"^  (--[\w-]+)", run(name, "--help").stdout, re.M)
            self.assertEqual(listed, [*describe(name)["options"], "--describe", "--help"], name)

    def test_help_names_the_kinds_with_the_default_in_brackets(self):
        orders = ["sequential", "reverse", "random", "alternate"]
        for name in HARNESSES:
            said = {"order": orders, "growth": ["fixed", "double"], **describe(name)}
            help_text = re.sub(r"\n {22}", " ", run(name, "--help").stdout)
            for key in {"order", "growth", "commit", "purge", "pages", "guard", "trap"}:
                if f"--{key}" not in said["options"]:
                    continue
                names = " or ".join(", ".join(said[key]).rsplit(", ", 1))
                with self.subTest(name=name, option=key):
                    self.assertRegex(help_text, rf"(?m)^  --{key} .*: {names}   "
                                                rf"\[{said[key][0]}\]$")

    def test_exactly_the_kinds_that_are_listed_are_taken(self):
        known = {"--commit": [*COMMIT, "auto"], "--purge": [*PURGE, "auto"],
                 "--pages": [*PAGES, "auto"],
                 "--guard": [*GUARD, "none"], "--trap": [*TRAP, "auto"]}
        for name in HARNESSES:
            for option, kinds in known.items():
                for kind in kinds:
                    done = run(name, option, kind, "--version")
                    with self.subTest(name=name, option=option, kind=kind):
                        self.assertEqual(done.returncode == 0,
                                         kind in describe(name)[option.strip("-")])


if __name__ == "__main__":
    unittest.main()
