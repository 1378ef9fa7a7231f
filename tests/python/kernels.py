"""Which kernel is meant, what an initramfs holds, and what becomes of a guest that hangs, dies or
says too little: by a QEMU that is a script."""

import gzip
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from support import BIN, ROOT, SUFFIX

from vmcommit.base.problems import Problem, Usage
from vmcommit.commands import kernels as command
from vmcommit.measure import guest, packages

VERSIONS = ["5.10.0-32", "6.1.0-9", "6.1.0-57", "6.12.9+deb13", "6.12.117+deb13",
            "7.3.4+deb13"]


class Packages(unittest.TestCase):
    def test_a_cache_that_can_not_be_made(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "file").touch()
            for variables, says in (({"XDG_CACHE_HOME": f"{folder}/file"}, "Not a directory"),
                                    ({"XDG_CACHE_HOME": "~"}, "has no home")):
                with mock.patch.dict(os.environ, variables), \
                        self.assertRaisesRegex(Problem, f"{says}; name another .*XDG_CACHE_HOME"):
                    packages.cache_folder()

    def test_which_version_is_meant(self):
        for asked, version in (("6.1", "6.1.0-57"), ("6.12", "6.12.117+deb13"),
                               ("6.12.9", "6.12.9+deb13"), ("6.1.0-9", "6.1.0-9"),
                               ("6", "6.12.117+deb13"),
                               ("newest", "7.3.4+deb13"), ("oldest", "5.10.0-32")):
            self.assertEqual(packages.chosen(asked, VERSIONS), version)

    def test_what_can_not_be_had_is_said(self):
        for asked in ("6.2", "6.1.0-5", "x"):
            with self.assertRaisesRegex(Problem, rf"kernel {asked} is not to be had from this "
                                        r"machine's mirror, which has 5.10, 6.1, 6.12 and 7.3"):
                packages.chosen(asked, VERSIONS)
        with self.assertRaisesRegex(Problem, "which has none"):
            packages.chosen("6.1", [])

    def test_plain_images_alone(self):
        for name, version in (("linux-image-6.1.0-57-amd64", "6.1.0-57"),
                              ("linux-image-6.12.117+deb13-amd64", "6.12.117+deb13"),
                              ("linux-image-6.1.0-57-cloud-amd64", None),
                              ("linux-image-6.1.0-57-rt-amd64", None),
                              ("linux-image-6.1.0-57-amd64-dbg", None),
                              ("linux-image-6.1.0-57-amd64-unsigned", None),
                              ("linux-image-amd64", None)):
            match = packages.IMAGE.fullmatch(name)
            self.assertEqual(match and match[1], version, name)

    def test_versions_are_in_order(self):
        self.assertEqual(sorted(reversed(VERSIONS), key=packages.numbers), VERSIONS)


def entries(archive):
    """{name: (mode, content)} of a cpio archive."""
    data, at, found = gzip.decompress(archive), 0, {}
    while True:
        head = re.fullmatch(b"070701" + 13 * b"([0-9a-f]{8})", data[at:at + 110])
        fields = [int(field, 16) for field in head.groups()]
        name_end = at + 110 + fields[11]
        name = data[at + 110:name_end - 1].decode()
        start = name_end + -name_end % 4
        content = data[start:start + fields[6]]
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], content)
        at = start + fields[6] + -fields[6] % 4


class Initramfs(unittest.TestCase):
    def test_files_and_the_folders_that_they_lie_in(self):
        found = entries(guest.archive({"bin/a": (b"12345", 0o755), "lib/x/y": (b"", 0o644)}))
        self.assertEqual(found["bin/a"], (stat.S_IFREG | 0o755, b"12345"))
        self.assertEqual(found["lib/x/y"], (stat.S_IFREG | 0o644, b""))
        for folder in ("bin", "lib", "lib/x", "dev"):
            self.assertTrue(stat.S_ISDIR(found[folder][0]), folder)
        self.assertTrue(stat.S_ISCHR(found["dev/console"][0]))
        self.assertLess(list(found).index("lib"), list(found).index("lib/x"))

    def test_parts(self):
        said = ("@ release\n6.1\n@= 0\n@ sample 1\na,b\n1,2\n@= 0\n@ sample 2\n@= 137\n"
                "@ cut\nhalf of it")
        self.assertEqual(guest.parts_of(said), {"release": ("6.1\n", 0),
                                                "sample 1": ("a,b\n1,2\n", 0),
                                                "sample 2": ("", 137)})

    def test_the_command_line(self):
        machine = guest.Machine(swap=64, boot="transparent_hugepage=always", cpus=2)
        words = machine.command("k", "i", pathlib.Path("f"))
        self.assertIn("console=ttyS0 panic=-1 transparent_hugepage=always vmcommit.swap", words)
        self.assertIn("file=f/swap,if=virtio,format=raw", words)
        self.assertEqual(words[words.index("-accel") + 1], "tcg")


QEMU = """#!/bin/sh
[ "$1" != --version ] || { echo "QEMU emulator version 1.2.3"; exit; }
for word; do
    case $word in file,id=console,path=*) console=${word##*path=} ;; esac
    case $word in file,id=said,path=*) said=${word##*path=} ;; esac
done
echo "booting" >"$console"
"""


@unittest.skipIf(os.name == "nt" or SUFFIX, "a guest is Linux's, and so is its host")
class Guests(unittest.TestCase):
    """The command, with a QEMU that is a script."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.root = pathlib.Path(kept.name)
        (self.root / "vmlinuz").write_text("none")
        for name in ("busybox", "ldd"):
            self.program(name, "#!/bin/sh\n")

    def program(self, name, text):
        path = self.root / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def kernels(self, *words, qemu=None, path=None):
        if qemu is not None:
            self.program("qemu-system-x86_64", QEMU + qemu)
        return subprocess.run(
            [sys.executable, ROOT / "scripts" / "vmcommit", "kernels", self.root / "vmlinuz",
             "--into", self.root / "new" / "into", "--build", BIN.parent, "--accelerator", "tcg",
             *words],
            env=os.environ | {"PATH": path or f"{self.root / 'bin'}:{os.environ['PATH']}"},
            capture_output=True, text=True, timeout=120)

    def lost(self, done, why):
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("1 kernel not in", done.stderr)
        self.assertIn("vmlinuz: LOST: ", done.stdout)
        self.assertIn(why, done.stdout)
        self.assertEqual([path.name for path in (self.root / "new" / "into").iterdir()], [".lock"])

    def test_one_that_hangs_is_named_at_its_deadline(self):
        self.lost(self.kernels("--deadline", "1", qemu="sleep 300\n"),
                  "no end within 1 s; last on its console: booting")

    def test_one_that_dies(self):
        self.lost(self.kernels(qemu="exit 0\n"), "it ended before everything was run")
        self.lost(self.kernels(qemu="echo no such machine >&2; exit 1\n"),
                  "ended with status 1: no such machine")

    def test_one_that_says_too_little(self):
        self.lost(self.kernels(qemu='echo "@ all was run" >"$said"\n'), "ended with status 1")

    def test_bad_usage(self):
        for words in (("--memory", "63"), ("--cpus", "0"), ("--swap", "-1"), ("--deadline", "0"),
                      ("--accelerator", "x"), ("--memory", "x")):
            done = self.kernels(*words, qemu="")
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(words[0], done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_kernels_that_are_none_or_have_one_name(self):
        with tempfile.TemporaryDirectory() as folder:
            images = [pathlib.Path(folder, name, "vmlinuz") for name in "ab"]
            for image in images:
                image.parent.mkdir()
                image.touch()
            for names, says in ((["/"], "'/' is no file"), ([""], "'' is no file"),
                                (["./.."], "is no file"), ([f"{folder}/none"], "is no file"),
                                (list(map(str, images)), "have one name")):
                with self.assertRaisesRegex(Usage, says):
                    command.refuse_kernels(names)
            command.refuse_kernels(["newest", "newest", "6.1", str(images[0])])

    def test_tools_that_are_not_here(self):
        done = self.kernels(path="/nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "kernels: qemu-system-x86_64 and busybox not found: on "
                         "Debian, apt-get install qemu-system-x86 busybox\n")

    def test_a_whole_run(self):
        """The script runs what the initramfs asks for, by this machine's kernel."""
        self.program("unpack", f"""#!{sys.executable}
import gzip, sys
sys.path[:0] = {[str(ROOT / "tests" / "python"), str(ROOT / "tests"), str(ROOT / "scripts")]!r}
import kernels
image = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(kernels.entries(image)["campaign"][1])
""")
        (self.root / "bin" / "busybox").write_text('#!/bin/sh\nexec "$@"\n')
        done = self.kernels(qemu=f"""
while [ "$1" != -initrd ]; do shift; done
unpack "$2" "$2.sh"
PATH={BIN}:$PATH
part() {{ echo "@ $1"; shift; "$@" </dev/null 2>&1; echo "@= $?"; }}
. "$2.sh" >"$said"
echo "@ all was run" >>"$said"
""")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        folder = self.root / "new" / "into" / "vmlinuz"
        known = json.loads((folder / "environment.json").read_text())
        self.assertEqual(known["emulated"], "QEMU 1.2.3, TCG")
        self.assertEqual(known["system"]["kernel"], os.uname().release)
        rows = (folder / "samples.csv").read_text().splitlines()
        columns, first = rows[0].split(","), rows[1].split(",")
        times = [cell for column, cell in zip(columns, first) if column.endswith("_ns")]
        self.assertEqual(set(times), {""})
        self.assertEqual(dict(zip(columns, first))["commit_calls"], "1")
        again = self.kernels(qemu="exit 1\n")
        self.assertEqual(again.returncode, 0)
        self.assertIn("is in already", again.stdout)


if __name__ == "__main__":
    unittest.main()
