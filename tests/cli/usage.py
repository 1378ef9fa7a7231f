"""The command line from outside: refusals, help, output files, locales."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support import (BIN, PAGE, ROOT, SANITIZED, STRATEGIES, WINDOWS, command, number, parse, rows,
                     run)

REFUSED = [
    (["--size", "4KB"], "--size: '4KB'"),
    (["--size", "-1"], "--size: '-1'"),
    (["--size", "1e3"], "--size: '1e3'"),
    (["--size", "4K junk"], "--size: '4K junk'"),
    (["--size", ""], "--size: ''"),
    (["--size", "99999999999G"], "--size: '99999999999G'"),
    (["--size=8K..4K"], "--size: '8K..4K'"),
    (["--touch", "1.5"], "--touch: '1.5'"),
    (["--pages", "large"], "--pages: 'large'"),
    (["--order", "any"], "--order: 'any'"),
    (["--repeat", "-3"], "--repeat: '-3'"),
    (["--repeat"], "--repeat: no value"),
    (["--output", "no/such/folder/file.csv"], "--output: cannot write 'no/such/folder/file.csv'"),
    (["--frobnicate"], "--frobnicate: no such option"),
    (["4K"], "4K: no such option"),
]


class Usage(unittest.TestCase):
    def test_bad_kinds_and_steps_are_refused_where_they_matter(self):
        for arguments in (["--guard", "wall"], ["--trap", "hook"], ["--chunk", "100"],
                          ["--commit", "hope"]):
            done = run("guard", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, f"^guard: {arguments[0]}: '{arguments[1]}' .*\n$")

    def test_bad_input_is_one_line_and_exit_2(self):
        for program in STRATEGIES:
            for arguments, start in REFUSED:
                with self.subTest(program=program, arguments=arguments):
                    done = run(program, *arguments)
                    self.assertEqual(done.returncode, 2)
                    self.assertEqual(done.stdout, "")
                    self.assertEqual(done.stderr.count("\n"), 1)
                    self.assertTrue(done.stderr.startswith(f"{program}: {start}"), done.stderr)

    def test_help_lists_the_contract(self):
        for program in STRATEGIES:
            done = run(program, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for option in ("size", "touch", "pages", "order", "commit", "repeat", "seed", "output",
                           "trace", "staircase", "describe", "help", "version"):
                self.assertIn(f"--{option}", done.stdout)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)

    def test_version(self):
        for program in STRATEGIES:
            done = run(program, "--version")
            self.assertRegex(done.stdout, rf"^{program} \(vmcommit\) \d+\.\d+\.\d+, revision "
                             r"(unknown|[0-9a-f]{12}(\+changes)?), \S")
            self.assertEqual(done.returncode, 0)

    def test_header_is_the_contract(self):
        header = run("fault", "--size", "4K", "--repeat", 1).stdout.splitlines()[0].split(",")
        told, _, _ = (ROOT / "docs" / "columns.md").read_text().partition("`make compare` add")
        contract = re.findall(r"^\| `(\w+)` \|", told, re.M)
        self.assertEqual(header, contract)

    def test_output_file_holds_what_standard_output_would(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "out.csv")
            done = run("chunked", "--size", "8K", "--repeat", 3, "--output", path)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            written = path.read_bytes()
        self.assertEqual(written.count(b"\r\n"), 4)
        self.assertEqual(written.count(b"\n"), 4)
        taken = parse(written.decode())
        self.assertEqual([row["round"] for row in taken], ["1", "2", "3"])

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_full_disk_is_exit_1(self):
        done = run("upfront", "--size", "4K", "--output", "/dev/full")
        self.assertEqual(done.returncode, 1)
        full = "Disk full" if WINDOWS else "No space left on device"
        self.assertEqual(done.stderr, f"upfront: --output: cannot write '/dev/full': {full}\n")

    def test_each_round_holds_every_configuration_in_a_new_order(self):
        arguments = ["--size", "8K..2M*4", "--touch", "1,0.5", "--chunk", "4K,16K", "--repeat", 4]
        taken = rows("chunked", *arguments)
        orders = []
        for number_ in range(1, 5):
            of_round = [row for row in taken if int(row["round"]) == number_]
            self.assertEqual([int(row["position"]) for row in of_round], list(range(1, 21)))
            orders.append([(row["size_bytes"], row["chunk_bytes"], row["touched_bytes"])
                           for row in of_round])
        self.assertEqual(len(set(map(tuple, map(sorted, orders)))), 1)
        self.assertEqual(len(set(map(tuple, orders))), 4)

    def test_parts_that_touch_the_same_pages_are_one_configuration(self):
        taken = rows("upfront", "--size", "4K,64K", "--touch", "1,0.1,0.01", "--repeat", 1)
        self.assertEqual(sorted((number(row, "size_bytes"), number(row, "touched_bytes"))
                                for row in taken),
                         [(4096, 4096), (65536, 4096), (65536, 8192), (65536, 65536)])

    def test_seed_decides_the_order(self):
        def order(seed):
            return [row["size_bytes"] for row in
                    rows("upfront", "--size", "4K..512K", "--repeat", 2, "--seed", seed)]
        self.assertEqual(order(5), order(5))
        self.assertNotEqual(order(5), order(6))

    def test_samples_last_at_least_a_millisecond(self):
        for row in rows("upfront", "--size", "4K..64M*4", "--repeat", 2):
            self.assertGreaterEqual(float(row["total_ns"]) * number(row, "batch"), 1e6)

    def test_phases_add_up(self):
        for program in STRATEGIES:
            for row in rows(program, "--size", "4K,1M", "--repeat", 2):
                parts = sum(float(row[f"{phase}_ns"])
                            for phase in ("reserve", "commit", "touch", "release"))
                self.assertAlmostEqual(parts, float(row["total_ns"]), delta=0.3)

    def test_a_size_beyond_memory_is_skipped_before_it_is_touched(self):
        for program in STRATEGIES:
            row = rows(program, "--size", "65536G", "--repeat", 1)[0]
            self.assertEqual(row["status"], "skipped")
            self.assertRegex(row["error"], r"^needs \d+ bytes of memory, and \d+ are available$")
            self.assertEqual(row["total_ns"] + row["batch"] + row["commit_bytes"], "")

    @unittest.skipUnless(shutil.which("localedef"), "localedef is not installed")
    def test_decimal_points_in_a_german_locale(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", f"{folder}/de_DE.UTF-8"],
                           check=True, capture_output=True)
            german = {**os.environ, "LOCPATH": folder, "LC_ALL": "de_DE.UTF-8"}
            spoken = subprocess.run(["printf", "%.1f", "0,5"], env=german, capture_output=True,
                                    text=True)
            self.assertEqual(spoken.stdout, "0,5", "the locale is not in force")
            for row in rows("fault", "--size", "4K,64K", "--touch", "0.1", "--repeat", 2,
                            env=german):
                self.assertNotIn(None, row)
                self.assertGreater(float(row["total_ns"]), 0)

    def test_larger_pages_are_measured_or_unsupported(self):
        for pages, faults in (("thp", 8 * 2**20 // PAGE), ("thp-64K", 128), ("huge", 4)):
            row = rows("upfront", "--size", "8M", "--pages", pages, "--repeat", 1)[0]
            with self.subTest(pages=pages):
                self.assertEqual(row["pages"], pages)
                if row["status"] == "unsupported":
                    self.assertRegex(row["error"], "huge|large")
                elif not WINDOWS:
                    self.assertEqual(row["status"], "ok")
                    self.assertLessEqual(number(row, "minor_faults"), faults)

    @unittest.skipIf(SANITIZED or WINDOWS, "a plain Linux harness, read in /proc")
    def test_a_harness_holds_under_8_mib_whatever_it_measures(self):
        for program in STRATEGIES:
            for size in ("4K", "1G", "64G"):
                with subprocess.Popen(
                        command(program, "--size", size, "--touch", "0.000001", "--repeat", 20),
                        stdout=subprocess.DEVNULL) as process:
                    most = 0
                    while process.poll() is None:
                        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                        peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
                        most = max(most, int(peak[1]) if peak else 0)
                self.assertEqual(process.returncode, 0)
                self.assertGreater(most, 0)
                self.assertLess(most * 1024, 8 * 2**20)

    @unittest.skipIf(WINDOWS or SANITIZED, "preloaded")
    def test_sizes_begin_with_a_page(self):
        """Where pages have 64 KiB, none of 4 KiB is tried, and a stack holds its guard."""
        large = os.environ | {"LD_PRELOAD": str(BIN / "large_pages.so")}
        for program in STRATEGIES:
            for option in ("--describe", "--help"):
                done = run(program, option, env=large)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = run("fault", "--size", "64K,1M", "--repeat", "1", env=large)
        self.assertEqual([(row["page_bytes"], row["commit_calls"]) for row in parse(done.stdout)],
                         [("65536", "1"), ("65536", "16")], done.stderr)
        done = run("fault", "--size", "4K", env=large)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))
        done = run("surroundings", "--part", "stacks", "--stacks", "2", env=large)
        sizes = {int(row["size_bytes"]) for row in parse(done.stdout)}
        self.assertEqual((done.returncode, min(sizes)), (0, 4 * 65536), done.stderr)

    def test_programs_are_where_the_contract_says(self):
        self.assertEqual(BIN.name, "bin")


if __name__ == "__main__":
    unittest.main()
