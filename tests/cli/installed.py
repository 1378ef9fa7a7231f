"""What cmake --install puts where, how it works from there, and that uninstalling leaves nothing.
"""

import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import unittest

from support import BIN, describe, execute

BUILD = BIN.parent
INNER = {"bare", "calibrate", "slow_upfront", "slow_fault", "slow_guard"}  # nobody starts these
HARNESSES = (BIN / "harnesses.txt").read_text().split()
COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
compopt() { :; }
_vmcommit
printf '%s\\n' "${COMPREPLY[@]}"
"""


LISTS = {BUILD / name: None for name in ("installed_files.txt", "install_folders.txt")}


def setUpModule():
    """What somebody has installed from this build can be uninstalled afterwards too."""
    for path in LISTS:
        LISTS[path] = path.read_bytes() if path.exists() else None


def tearDownModule():
    for path, content in LISTS.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content)


def below(folder):
    """Files and folders, as paths from there."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


class Installed(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name, "a folder")  # of a name with a space
        cls.folder.mkdir()
        os.chmod(cls.temporary.name, 0o755)
        cls.prefix = cls.install("prefix")
        cls.vmcommit = cls.prefix / "bin" / "vmcommit"

    @classmethod
    def install(cls, name):
        prefix = cls.folder / name
        done = execute(["cmake", "--install", BUILD, "--prefix", prefix])
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return prefix

    def run_there(self, *words, **options):
        """The installed command, from a folder that is not its own."""
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        return execute([self.vmcommit, *words], **{"cwd": work} | options)

    def test_where_things_are(self):
        there = below(self.prefix)
        for name in HARNESSES:
            self.assertIn(f"libexec/vmcommit/bin/{name}", there)
        for path in ("bin/vmcommit", "include/vmcommit.h", "share/doc/vmcommit/README.md",
                     "share/doc/vmcommit/docs/columns.md", "share/vmcommit/vmcommit/__main__.py",
                     "share/bash-completion/completions/vmcommit",
                     "share/zsh/site-functions/_vmcommit", "libexec/vmcommit/build.json"):
            self.assertIn(path, there)
        self.assertEqual({path for path in there if re.fullmatch(r"bin/.*", path)},
                         {"bin/vmcommit"})

    def test_a_page_of_the_manual_and_completion_for_each_command_and_program(self):
        listed = re.findall(r"^  (\w+)  ", self.run_there("--help").stdout, re.M)
        programs = {path.name for path in (self.prefix / "libexec/vmcommit/bin").iterdir()
                    if not path.suffix} - INNER
        self.assertLessEqual(set(HARNESSES), programs)
        pages = {path.name for path in (self.prefix / "share/man/man1").iterdir()}
        self.assertEqual(pages, {"vmcommit.1", *(f"vmcommit-{name}.1"
                                                 for name in {*listed, *programs})})
        self.assertEqual(set(self.complete("vmcommit", "")),
                         {*listed, *programs, "--help", "--version"})

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_pages_are_without_faults_and_name_each_option(self):
        for path in (self.prefix / "share/man/man1").iterdir():
            shown = execute(["man", "--warnings", "-E", "UTF-8", "-l", path],
                            env=os.environ | {"MANWIDTH": "200", "LC_ALL": "C.UTF-8"})
            self.assertEqual((shown.returncode, shown.stderr), (0, ""), path.name)
            name = path.stem.removeprefix("vmcommit-")
            if name in HARNESSES:
                for option in describe(name)["options"]:
                    self.assertRegex(shown.stdout, rf"(?m)^ +{option}\b")

    def test_it_is_the_version_that_was_built(self):
        said = execute([BIN / "upfront", "--version"]).stdout.partition("(vmcommit) ")[2]
        self.assertEqual(self.run_there("--version").stdout, f"vmcommit {said}")

    def test_harnesses_are_run_by_name(self):
        done = self.run_there("fault", "--size", "320K", "--repeat", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(done.stdout.splitlines()), 2)

    def test_results_are_below_the_current_folder_or_as_named(self):
        done = self.run_there("predict", "--size", "64M")
        self.assertEqual(done.returncode, 2)
        self.assertIn("results/latest/", done.stderr)
        self.assertIn("run vmcommit bench or vmcommit report first", done.stderr)
        done = self.run_there("trend", "--results", "elsewhere")
        self.assertIn("elsewhere/history.csv", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root may be another")
    def test_another_user_measures_in_a_folder_of_their_own(self):
        nobody = pwd.getpwnam("nobody")
        with tempfile.TemporaryDirectory() as folder:
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            before = below(self.prefix)
            done = execute(["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}",
                            "--clear-groups", self.vmcommit, "bench", "--profile", "quick"],
                           cwd=folder, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
            self.assertEqual((done.returncode, done.stderr.count("Traceback")), (0, 0),
                             done.stdout + done.stderr)
            latest = pathlib.Path(folder, "results", "latest")
            self.assertTrue((latest / "report.html").is_file())
            revision = json.loads((latest / "environment.json").read_text())["revision"]
            built = json.loads((BUILD / "build.json").read_text())["revision"]
            self.assertEqual(revision["commit"], None if built == "unknown" else
                             built.partition("+")[0])
        self.assertEqual(below(self.prefix), before)

    def test_there_is_no_repository_to_build_a_revision_from(self):
        done = self.run_there("compare", "--revision", "main")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--revision: 'main'", done.stderr)

    def test_a_python_that_is_not_there(self):
        done = self.run_there("--help", env=os.environ | {"VMCOMMIT_PYTHON": "/no/python"})
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (1, "", "vmcommit: no Python at '/no/python': name one by "
                                 "VMCOMMIT_PYTHON\n"))

    def test_it_works_by_a_link_and_where_it_was_moved_to(self):
        moved = self.install("moved").rename(self.folder / "elsewhere")
        link = self.folder / "link"
        link.symlink_to(moved / "bin" / "vmcommit")
        done = execute([link, "upfront", "--describe"], cwd="/")
        self.assertEqual((done.returncode, json.loads(done.stdout)["name"]), (0, "upfront"))

    def complete(self, *words):
        script = self.prefix / "share/bash-completion/completions/vmcommit"
        done = subprocess.run(["bash", "-c", COMPLETE, "bash", script, *words], cwd=self.prefix,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_completion(self):
        for words, expected in (
                (["vmcommit", "be"], ["bench"]),
                (["vmcommit", "up"], ["upfront"]),
                (["vmcommit", "--v"], ["--version"]),
                (["vmcommit", "bench", "--pro"], ["--profile"]),
                (["vmcommit", "bench", "--profile", ""], ["quick", "default", "full"]),
                (["vmcommit", "guard", "--trap", ""], describe("guard")["trap"]),
                (["vmcommit", "guard", "--pages", "sm"], ["small"]),
                (["vmcommit", "fault", "--chu"], []),  # it has no step
                (["vmcommit", "predict", "--size", "s"], []),
                (["vmcommit", "report", "sha"], ["share"]),
                (["vmcommit", "bench", "--results", "lib"], ["libexec"]),
                (["vmcommit", "nothing", "--x"], [])):
            with self.subTest(words):
                self.assertEqual(self.complete(*words), expected)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_takes_the_completion(self):
        script = self.prefix / "share/zsh/site-functions/_vmcommit"
        done = execute(["zsh", "-n", script])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class Uninstalled(unittest.TestCase):
    def cmake(self, *words, **options):
        done = execute(["cmake", *words], **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def uninstall(self, **options):
        self.cmake("--build", BUILD, "--target", "uninstall", **options)

    def test_nothing_is_left_but_what_was_there(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix = pathlib.Path(folder, "prefix")
            for mine in ("bin", "share/man/man1", "share/vmcommit"):
                (prefix / mine).mkdir(parents=True)
            (prefix / "share/vmcommit/mine.txt").write_text("of somebody else")
            before = below(prefix)
            for _ in range(2):  # installed over itself
                self.cmake("--install", BUILD, "--prefix", prefix)
            execute([prefix / "bin" / "vmcommit", "doctor"])
            package = os.environ | {"DESTDIR": f"{folder}/_CPack_Packages/deb"}  # as cpack does
            self.cmake("--install", BUILD, "--prefix", "/usr", env=package)
            self.uninstall()
            shutil.rmtree(f"{folder}/_CPack_Packages")
            self.assertEqual(below(prefix), before)

    def test_below_a_folder_for_packages(self):
        with tempfile.TemporaryDirectory() as folder:
            there = os.environ | {"DESTDIR": f"{folder}/stage"}
            self.cmake("--install", BUILD, "--prefix", "/opt/x", env=there)
            self.assertTrue(pathlib.Path(folder, "stage/opt/x/bin/vmcommit").is_file())
            self.uninstall(env=there)
            self.assertEqual(below(pathlib.Path(folder)) - {"stage", "stage/opt"}, set())


if __name__ == "__main__":
    unittest.main()
