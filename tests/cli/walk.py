"""walk from outside: exact states, the charge against smaps, refusals, filters, formats."""

import json
import mmap
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import resource
except ImportError:  # as on Windows
    resource = None

from support import BIN, PAGE, SANITIZED, WINDOWS, begin, command, parse, rows, run

COLUMNS = ["start", "end", "bytes", "state", "protection", "commit_bytes", "resident_bytes", "kind",
           "name"]
STATES = ["free", "reserved", "committed", "guard", "inaccessible", "uncharged", "shared", "file"]

# What tests/c/linux/layout.c makes: page, pages; state, protection, pages charged and resident
# (None where a file's cache decides), kind.
LAYOUT = [
    (1, 3, "reserved", "---p", 0, 0, "anonymous"),
    (5, 8, "committed", "rw-p", 8, 3, "anonymous"),
    (14, 8, "inaccessible", "---p", 8, 5, "anonymous"),
    (23, 4, "uncharged", "r--p", 0, 0, "anonymous"),  # its charge was given back
    (28, 6, "uncharged", "rw-p", 0, 2, "anonymous"),
    (35, 4, "shared", "rw-s", 0, 1, "shared"),
    (60, 2, "committed", "rw-p", 2, 2, "stack"),
    (63, 2, "file", "r--p", 0, None, "file"),
    (66, 2, "committed", "rw-p", 2, None, "file"),
    (69, 1, "shared", "r--s", 0, None, "file"),
    (71, 2, "reserved", "---p", 0, 0, "file"),
]
GUARDS = [
    (40, 4, "committed", "rw-p", 4, 4, "anonymous"),
    (44, 1, "guard", "rw-p", 1, 0, "anonymous"),
    (45, 3, "committed", "rw-p", 3, 3, "anonymous"),
    (48, 2, "guard", "rw-p", 2, 0, "anonymous"),
    (50, 6, "committed", "rw-p", 6, 5, "anonymous"),  # one page lost what it held to a guard
    (57, 2, "guard", "rw-p", 2, 0, "anonymous"),
    (75, 2, "committed", "rw-p", 2, 0, "anonymous"),  # nothing between its guards is touched
    (77, 1, "guard", "rw-p", 1, 0, "anonymous"),
    (78, 2, "committed", "rw-p", 2, 0, "anonymous"),
    (80, 1, "guard", "rw-p", 1, 0, "anonymous"),
    (81, 2, "committed", "rw-p", 2, 0, "anonymous"),
]
NO_GUARDS = [(40, 16, "committed", "rw-p", 16, 16, "anonymous")]

# The same of tests/c/windows/layout.c, without residency; `at` is in one allocation, the rest of
# which is reserved.
LAYOUT_WINDOWS = [
    (0, 4, "reserved", "---p", 0, "anonymous"),
    (4, 8, "committed", "rw-p", 8, "anonymous"),
    (12, 2, "guard", "rw-p", 2, "anonymous"),
    (14, 2, "reserved", "---p", 0, "anonymous"),
    (16, 3, "inaccessible", "---p", 3, "anonymous"),
    (19, 1, "reserved", "---p", 0, "anonymous"),
    (20, 5, "committed", "r--p", 5, "anonymous"),
    (25, 5, "reserved", "---p", 0, "anonymous"),
    (30, 1, "committed", "r-xp", 1, "anonymous"),
    (31, 33, "reserved", "---p", 0, "anonymous"),
]

REFUSED = [
    (["--pid", "0"], "--pid: '0' is no process"),
    (["--pid", "x"], "--pid: 'x' is no process"),
    (["--pid=-1"], "--pid: '-1' is no process"),
    (["--pid"], "--pid: no value"),
    (["--format", "xml"], "--format: 'xml' is no format; use table, csv or json"),
    (["--state", "used"], "--state: 'used' is no state; use free, reserved,"),
    (["--state", "free,"], "--state: '' is no state"),
    (["--min-size", "4KB"], "--min-size: '4KB' is no size"),
    (["--quick=yes"], "--quick: takes no value, but 'yes' is given"),
    (["--output", "no/such/folder/f"], "--output: cannot write 'no/such/folder/f'"),
    (["--frobnicate"], "--frobnicate: no such option"),
    (["4711"], "4711: no such option"),
    (["--every", "0"], "--every: '0' is no time between looks"),
    (["--every", "1e3"], "--every: '1e3' is no time between looks"),
    (["--every", "1.2345"], "--every: '1.2345' is no time between looks"),
    (["--looks", "2"], "--looks: means something only with --every"),
    (["--every", "1", "--looks", "0"], "--looks: '0' is no number of looks"),
    (["--every", "1", "--summary", "--format", "csv"], "--every: summaries that follow each other"),
    (["--"], "--: no program behind it"),
    (["--pid", "1", "--", "true"], "--pid: 'true' is to be started as well"),
]


class Target:
    """A process that says a line when it is ready, and goes when its input ends."""

    def __init__(self, words, **options):
        self.process = subprocess.Popen([*map(str, words)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, **options)

    def __enter__(self):
        self.line = self.process.stdout.readline()
        self.pid = self.process.pid
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def many_regions(pages):
    """Every second page of twice as many is mapped."""
    code = ("import ctypes, sys\n"
            "libc = ctypes.CDLL(None)\n"
            "libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]\n"
            "libc.mmap.restype = ctypes.c_void_p\n"
            f"base = libc.mmap(None, {2 * pages * PAGE}, 0, 34, -1, 0)\n"
            f"for i in range({pages}):\n"
            f"    libc.munmap(base + 2 * i * {PAGE}, {PAGE})\n"
            "print(base, flush=True)\n"
            "sys.stdin.read()\n")
    return Target([sys.executable, "-c", code])


def smaps(pid):
    """[(start, end, charged, Rss)] of a process, as the kernel tells it."""
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text(errors="replace")
    found = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) .*?^Rss: +(\d+) kB.*?^VmFlags:(.*?)$", text,
                       re.M | re.S)
    return [(int(start, 16), int(end, 16), " ac" in flags, int(rss) * 1024)
            for start, end, rss, flags in found]


def charge(mappings):
    return sum(end - start for start, end, charged, _ in mappings if charged)


def bounds(row):
    return int(row["start"], 16), int(row["end"], 16)


def total(taken, column, *states):
    return sum(int(row[column]) for row in taken if not states or row["state"] in states)


class Command(unittest.TestCase):
    def test_bad_input_is_one_line_and_exit_2(self):
        for arguments, start in REFUSED:
            with self.subTest(arguments=arguments):
                done = run("walk", *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.startswith(f"walk: {start}"), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_help(self):
        done = run("walk", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)
        for option in ("pid", "summary", "format", "state", "min-size", "quick", "output"):
            self.assertIn(f"--{option}", done.stdout)

    def test_version(self):
        done = run("walk", "--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^walk \(vmcommit\) \d+\.\d+\.\d+\S*, \S")

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_full_disk(self):
        done = run("walk", "--output", "/dev/full")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.assertIn("walk: --output: cannot write '/dev/full': ", done.stderr)

    def test_a_process_that_never_was(self):
        done = run("walk", "--pid", 4194305 * 16)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, f"walk: process {4194305 * 16} doesn't exist\n")


class Itself(unittest.TestCase):
    """What holds of any walk."""

    def test_looks_that_follow_each_other(self):
        """The first look is all new; whatever changes later is one of three things."""
        taken = rows("walk", "--every", "0.01", "--looks", 3)
        self.assertEqual(list(taken[0]), ["look", "seconds", "change", *COLUMNS,
                                          "commit_change_bytes", "resident_change_bytes"])
        first = [row for row in taken if row["look"] == "1"]
        self.assertEqual({row["change"] for row in first}, {"new"})
        self.assertEqual([row["commit_bytes"] for row in first],
                         [row["commit_change_bytes"] for row in first])
        self.assertNotIn("free", {row["state"] for row in taken})
        self.assertLessEqual({row["change"] for row in taken}, {"new", "gone", "changed"})

    def test_looks_as_json(self):
        done = run("walk", "--every", "0.01", "--looks", 2, "--format", "json")
        decoder, text, looks = json.JSONDecoder(), done.stdout.strip(), []
        while text:
            look, end = decoder.raw_decode(text)
            looks.append(look)
            text = text[end:].lstrip()
        self.assertEqual([[*look] for look in looks], [["process", "changes"]] * 2)
        self.assertEqual(looks[0]["changes"][0]["change"], "new")

    def test_looks_as_table(self):
        for extra in ([], ["--summary"]):
            done = run("walk", "--every", "0.01", "--looks", 2, "--format", "table", *extra)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            if not extra:
                self.assertEqual(re.findall(r"^look (\d+), [\d.]+ s: ", done.stdout, re.M),
                                 ["1", "2"])
            self.assertNotIn("\x1b", done.stdout)

    def test_a_program_that_does_not_start(self):
        done = run("walk", "--", "no/such/program")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
        self.assertTrue(done.stderr.startswith("walk: cannot start 'no/such/program': "),
                        done.stderr)

    def test_regions_follow_each_other_from_the_bottom_to_the_top(self):
        for extra in ([], ["--quick"]):
            taken = rows("walk", *extra)
            self.assertEqual(list(taken[0]), COLUMNS)
            self.assertEqual(bounds(taken[0])[0], 0)
            reached = 0
            for row in taken:
                start, end = bounds(row)
                self.assertEqual(int(row["bytes"]), end - start)
                self.assertGreater(end, start)
                if start < 2**63:
                    self.assertEqual(start, reached)
                    reached = end
                self.assertIn(row["state"], STATES)
                self.assertEqual(row["state"] == "free", row["kind"] == "")
            self.assertGreaterEqual(reached, 2**31 - 2**16)

    def test_states_and_charges_agree(self):
        for row in rows("walk"):
            charged = {"committed": row["bytes"], "inaccessible": row["bytes"]}
            if row["state"] != "guard":
                self.assertEqual(row["commit_bytes"], charged.get(row["state"], "0"), row)

    def test_quick_leaves_figures_open(self):
        for row in rows("walk", "--quick"):
            self.assertEqual(row["commit_bytes"] + row["resident_bytes"], "")

    def test_filters(self):
        taken = rows("walk", "--state", "committed,free", "--min-size", "64K")
        self.assertEqual({row["state"] for row in taken}, {"committed", "free"})
        self.assertGreaterEqual(min(int(row["bytes"]) for row in taken), 65536)

    def test_json_says_what_csv_says(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "walk.json")
            done = run("walk", "--format", "json", "--output", path)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
            walked = json.loads(path.read_text())
        self.assertEqual([*walked], ["process", "regions"])
        self.assertEqual([*walked["regions"][0]], COLUMNS)
        self.assertEqual(walked["regions"][0]["start"], "0x0")
        self.assertEqual(walked["regions"][0]["state"], "free")
        self.assertIsInstance(walked["regions"][0]["bytes"], int)

    def test_table(self):
        done = run("walk", "--format", "table")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0].split(), ["start-end", "size", "state", "prot", "charged",
                                            "resident", "kind", "name"])
        self.assertEqual(len(lines) - 1, len(re.findall(r"(?m)^ *[0-9a-f]+-[0-9a-f]+ ",
                                                        done.stdout)))

    def test_summary_adds_up(self):
        taken = rows("walk", "--summary")
        self.assertEqual(list(taken[0]), ["group", "name", "regions", "bytes", "commit_bytes",
                                          "resident_bytes"])
        every, = [row for row in taken if row["group"] == "all"]
        for column in ("regions", "bytes"):
            for group in ("state", "kind"):
                self.assertEqual(sum(int(row[column]) for row in taken if row["group"] == group
                                     and row["name"] != "free"), int(every[column]))
        self.assertEqual(json.loads(run("walk", "--summary", "--format", "json").stdout)
                         ["summary"][0]["name"], "free")


@unittest.skipIf(WINDOWS, "reads /proc, which is Linux's")
class Linux(unittest.TestCase):
    maxDiff = None

    def test_every_state_exactly(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(2 * PAGE))
            file.flush()
            with Target(command("layout", file.name)) as target:
                mappings, taken = self.at_rest(
                    target, lambda: rows("walk", "--pid", target.pid))
            self.check_layout(target.line, taken, file.name)
        self.assertEqual(total(taken, "commit_bytes"), charge(mappings))
        self.assertEqual(total(taken, "resident_bytes"), sum(rss for *_, rss in mappings))

    @unittest.skipIf(SANITIZED, "a search for leaks can't be traced, and complains")
    def test_a_program_as_it_is_when_it_ends(self):
        """Its own output comes first."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(2 * PAGE))
            file.flush()
            done = run("walk", "--", *command("layout", file.name), stdin=subprocess.DEVNULL,
                       env={**os.environ, "LSAN_OPTIONS": "detect_leaks=0"})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            line, _, text = done.stdout.partition("\n")
            self.check_layout(line, parse(text), file.name)

    def test_a_program_that_ends_in_another_way(self):
        """By a signal its space is read all the same; what it stops for is passed on to it."""
        for signal in ("TERM", "SEGV"):
            done = run("walk", "--", "sh", "-c", f"kill -{signal} $$; echo it lives")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("[stack]", done.stdout)
            self.assertNotIn("it lives", done.stdout)
        done = run("walk", "--", "sh", "-c", "trap 'echo caught' USR1; kill -USR1 $$")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.startswith("caught\n"))
        done = run("walk", "--", "sh", "-c", "kill -KILL $$; echo it lives")
        self.assertIn(done.returncode, (0, 1))  # whether it stops is the kernel's choice
        self.assertLessEqual(done.stderr.count("\n"), 1)
        self.assertNotIn("it lives", done.stdout)

    def test_a_process_that_ends_while_it_is_read(self):
        """walk stands still in a full pipe, in the middle of more rows than that holds."""
        with many_regions(20000) as target:
            walker = subprocess.Popen(command("walk", "--pid", target.pid), stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
            walker.stdout.read(1)
            target.process.kill()
            target.process.wait()
        with walker:
            output, errors = walker.stdout.read(), walker.stderr.read()
        self.assertEqual(walker.returncode, 1)
        self.assertEqual(errors, f"walk: process {target.pid} ended while it was being read\n")
        self.assertIn("free", output)

    def test_looks_at_a_program_until_it_ends(self):
        taken = rows("walk", "--every", "0.01", "--", "sh", "-c", "sleep 0.1")
        looks = [int(row["look"]) for row in taken]
        self.assertEqual(looks, sorted(looks))
        self.assertGreater(looks[-1], 1)  # the first look sees what execve left

    def test_looks_at_a_process_until_it_ends(self):
        with Target(["sh", "-c", "echo ready; read line"]) as target:
            walker = subprocess.Popen(command("walk", "--pid", target.pid, "--every", "0.01"),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            first = walker.stdout.readline()
        with walker:
            output, errors = walker.stdout.read(), walker.stderr.read()
        self.assertTrue(first.startswith("look,seconds,change,"))
        self.assertEqual((walker.returncode, errors), (0, ""))
        self.assertIn("[stack]", output)

    def check_layout(self, line, taken, path):
        base, guards = map(int, line.split())
        seen = []
        for row in taken:
            at, pages = (bounds(row)[0] - base) // PAGE, int(row["bytes"]) // PAGE
            if 1 <= at < 90 and row["state"] != "free":
                cached = row["kind"] == "file" and row["state"] != "reserved"
                seen.append((at, pages, row["state"], row["protection"],
                             int(row["commit_bytes"]) // PAGE,
                             None if cached else int(row["resident_bytes"]) // PAGE, row["kind"]))
                named = {"file": path, "shared": "/dev/zero (deleted)"}
                self.assertEqual(row["name"], named.get(row["kind"], ""))
        self.assertEqual(seen, sorted(LAYOUT + (GUARDS if guards else NO_GUARDS)))

    def test_quick_tells_what_permissions_tell(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(2 * PAGE))
            file.flush()
            with Target(command("layout", file.name)) as target:
                base, _ = map(int, target.line.split())
                taken = rows("walk", "--pid", target.pid, "--quick")
        states = {(bounds(row)[0] - base) // PAGE: row["state"] for row in taken}
        self.assertEqual({at: states[at] for at in (1, 5, 14, 23, 28, 35, 40, 63, 66)},
                         {1: "reserved", 5: "committed", 14: "reserved", 23: "uncharged",
                          28: "committed", 35: "shared", 40: "committed", 63: "file",
                          66: "committed"})

    def at_rest(self, target, read):
        """smaps of a process at rest and what read() gives then: what the readings before and after
        agree on counts. A process that has said it is there may still touch a page."""
        for _ in range(100):
            before = smaps(target.pid)
            taken = read()
            if before == smaps(target.pid):
                return before, taken
        return self.fail("it never came to rest")

    def check_charge(self, target):
        before, (taken, summary) = self.at_rest(
            target, lambda: (rows("walk", "--pid", target.pid),
                             rows("walk", "--pid", target.pid, "--summary")))
        self.assertEqual(total(taken, "commit_bytes"), charge(before))
        self.assertEqual(total(taken, "bytes", "committed", "inaccessible")
                         + total(taken, "commit_bytes", "guard"), charge(before))
        self.assertEqual(total(taken, "resident_bytes"), sum(rss for *_, rss in before))
        every, = [row for row in summary if row["group"] == "all"]
        self.assertEqual(int(every["commit_bytes"]), charge(before))
        used, = [row for row in summary if row["name"] == "used"]
        self.assertEqual(int(used["regions"]), sum(start < 2**63 for start, *_ in before))

    def test_the_charge_of_a_shell_is_that_of_smaps(self):
        with Target(["sh", "-c", "echo ready; read line"]) as target:
            self.check_charge(target)

    def test_the_charge_of_harnesses_at_rest_is_that_of_smaps(self):
        for words in (["upfront"], ["fault"], ["chunked"], ["guard"]):
            with self.subTest(words=words), Target(command(*words, "--turns", "--size", "64K")) \
                    as target:
                self.check_charge(target)
        with Target(command("hold", 64 * 2**20, 20 * 2**20, 8 * 2**20)) as target:
            self.check_charge(target)

    @unittest.skipUnless(shutil.which("node"), "node is not installed")
    def test_the_charge_of_node_is_that_of_smaps(self):
        code = "console.log('ready'); require('fs').readSync(0, Buffer.alloc(1))"
        with Target(["node", "-e", code]) as target:
            self.check_charge(target)

    def test_names_are_data(self):
        """A path with a comma, quotes, a bell and bytes that are no text."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(os.fsencode(folder), b'a,"b"\x07\xff.bin')
            pathlib.Path(os.fsdecode(path)).write_bytes(bytes(2 * PAGE))
            with Target(command("layout", os.fsdecode(path))) as target:
                named = [row["name"] for row in rows("walk", "--pid", target.pid)
                         if row["kind"] == "file" and "bin" in row["name"]]
                text = run("walk", "--pid", target.pid, "--format", "json").stdout
                table = run("walk", "--pid", target.pid, "--format", "table").stdout
        self.assertEqual(set(named), {folder + '/a,"b"\x07\ufffd.bin'})
        self.assertEqual({region["name"] for region in json.loads(text)["regions"]
                          if ".bin" in region["name"]}, set(named))
        self.assertNotIn("\x07", table)

    def test_a_file_that_is_no_program(self):
        """Of a mapping alone, after those of programs and libraries, which have several each."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(PAGE))
            file.flush()
            with mmap.mmap(file.fileno(), PAGE, mmap.MAP_PRIVATE, mmap.PROT_READ):
                taken = rows("walk", "--pid", os.getpid())
        self.assertEqual([row["kind"] for row in taken if row["name"] == file.name], ["file"])
        self.assertIn("image", [row["kind"] for row in taken])

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is more")
    def test_many_regions_in_little_memory(self):
        """Every second page of 60,000 is mapped: 120,000 regions with the holes between them."""
        limit = int(pathlib.Path("/proc/sys/vm/max_map_count").read_text())
        pages = min(60000, limit - 1000)
        with many_regions(pages) as target:
            done = run("walk", "--pid", target.pid, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_AS, (16 * 2**20, 16 * 2**20)))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(done.stdout.count("\n"), 2 * pages)


@unittest.skipUnless(WINDOWS, "regions of Windows")
class Windows(unittest.TestCase):
    maxDiff = None

    def check_layout(self, line, taken):
        _, base, view, shared = map(int, line.split())
        parts = [((bounds(row)[0] - base) // PAGE, int(row["bytes"]) // PAGE, row["state"],
                  row["protection"], int(row["commit_bytes"]) // PAGE, row["kind"])
                 for row in taken if base <= bounds(row)[0] < base + 64 * PAGE]
        self.assertEqual(parts, LAYOUT_WINDOWS)
        at = {bounds(row)[0]: row for row in taken}
        self.assertEqual([at[view][column] for column in ("state", "protection", "commit_bytes",
                                                          "kind")], ["file", "r--s", "0", "file"])
        self.assertRegex(at[view]["name"], r"walked\.bin$")
        self.assertEqual([at[shared][column] for column in ("state", "protection", "commit_bytes",
                                                            "kind", "name")],
                         ["shared", "rw-s", "0", "shared", ""])

    def test_every_state_exactly(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "walked.bin")
            path.write_bytes(bytes(2 * PAGE))
            with Target(command("layout", path)) as target:
                taken = rows("walk", "--pid", target.line.split()[0])
        self.check_layout(target.line, taken)

    def test_a_breakpoint_of_the_programs_own(self):
        """Is met by the program's handler, not by who debugs it: then it tells what it made."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "walked.bin")
            path.write_bytes(bytes(2 * PAGE))
            done = run("walk", "--output", pathlib.Path(folder, "walk.csv"), "--",
                       BIN / "layout.exe", path, stdin=subprocess.DEVNULL)
        self.assertRegex(done.stdout, r"^\d+ \d+ \d+ \d+\s*$", done.stderr)

    def test_a_program_until_it_ends(self):
        """On Windows as it is at its end; Wine tells a debugger only when all is gone."""
        program = [BIN / "upfront.exe", "--size", "4K", "--repeat", "1"]
        done = run("walk", "--", *program)
        self.assertIn("strategy,", done.stdout)
        if done.returncode == 1:
            self.assertRegex(done.stderr, r"^walk: the program was gone before .*Wine.*\n$")
        else:
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "walk.csv")
            done = run("walk", "--every", "0.01", "--output", path, "--", *program)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("look,seconds,change,", path.read_text())

    def test_stack_and_images(self):
        taken = rows("walk")
        self.assertIn("stack", {row["kind"] for row in taken})
        self.assertTrue(any(row["name"].endswith("walk.exe") for row in taken
                            if row["kind"] == "image"))


@unittest.skipIf(WINDOWS, "processes of Linux")
class Refusals(unittest.TestCase):
    def line(self, pid, **options):
        done = run("walk", "--pid", pid, **options)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        return done.stderr

    @unittest.skipUnless(platform.machine() == "x86_64", "its number of exit(2)")
    def test_a_process_that_lost_its_first_thread(self):
        """What is missing is said, and not that it has ended; by another thread it is read."""
        program = ("import ctypes, os, threading, time\n"
                   "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
                   "print(os.listdir('/proc/self/task')[-1], flush=True)\n"
                   "ctypes.CDLL(None).syscall(60, 0)  # exit(2): of this thread alone\n")
        process = begin(["/usr/bin/python3", "-c", program])
        thread = process.stdout.readline().strip()
        stat = pathlib.Path(f"/proc/{process.pid}/stat")
        while ") Z " not in stat.read_text():
            time.sleep(0.01)
        try:
            self.assertIn("goes on without its first thread", self.line(process.pid))
            self.assertGreater(len(rows("walk", "--pid", thread)), 10)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()

    @unittest.skipUnless(pathlib.Path("/proc/2/comm").exists()
                         and pathlib.Path("/proc/2/comm").read_text() == "kthreadd\n",
                         "a container, which sees no thread of the kernel")
    def test_a_thread_of_the_kernel(self):
        self.assertEqual(self.line(2), "walk: process 2 is a thread of the kernel, which has no "
                                       "address space of its own\n")

    def test_a_process_that_has_ended(self):
        with subprocess.Popen(["true"], stdin=subprocess.DEVNULL) as process:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            self.assertIn(f"process {process.pid} has ended, and is only kept for its parent",
                          self.line(process.pid))

    @unittest.skipUnless(hasattr(os, "geteuid") and os.geteuid() == 0, "needs root")
    def test_another_users_process(self):
        self.assertIn("process 1 may not be read by this user", self.line(1, user=65534))

    @unittest.skipUnless(hasattr(os, "geteuid") and os.geteuid() == 0, "needs root")
    def test_proc_with_hidepid(self):
        with tempfile.TemporaryDirectory() as folder:
            tried = subprocess.run(["unshare", "-m", "mount", "-t", "proc", "-o", "hidepid=2",
                                    "proc", folder], capture_output=True)
            if tried.returncode != 0:
                self.skipTest("no mount namespaces here")
        walk = " ".join(command("walk", "--pid", 1))
        script = ("mount -t proc -o hidepid=2 proc /proc && "
                  f"exec setpriv --reuid 65534 --regid 65534 --clear-groups {walk}")
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
        self.assertEqual(done.stderr, "walk: process 1 is hidden by /proc, which is mounted with "
                                      "hidepid: root sees it, or its own user\n")
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
