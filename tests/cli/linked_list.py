"""The linked list: exact counts of each range, the bytes that a node costs by malloc, and refusals.
That all nodes are there in their order, the program itself makes sure of."""

import platform
import unittest

from support import PAGE, SANITIZED, WINDOWS, number, parse, rows, run

TRAPS = ("seh", "veh") if WINDOWS else ("signal",)
# (node bytes, nodes, pages a step, growth): commit calls, charged pages, pages touched
COUNTS = {
    (16, 256, 1, "fixed"): (1, 1, 1),  # exactly a page
    (16, 257, 1, "fixed"): (2, 2, 2),
    (64, 1000, 1, "fixed"): (16, 16, 16),  # 62.5 KiB
    (64, 1000, 1, "double"): (5, 31, 16),  # 1 + 2 + 4 + 8 + 16
    (64, 1000, 4, "double"): (3, 28, 16),  # 4 + 8 + 16
    (64, 1000, 16, "fixed"): (1, 16, 16),
    (48, 100, 1, "fixed"): (2, 2, 2),  # the 86th node lies across two pages
    (4080, 10, 1, "fixed"): (10, 10, 10),  # 40 800 bytes
    (4096, 10, 1, "fixed"): (10, 10, 10),
    (4096, 10, 16, "fixed"): (1, 16, 10),
    (4096, 10, 1, "double"): (4, 15, 10),  # 1 + 2 + 4 + 8
}


def take(*arguments):
    return rows("list", *arguments)


class Ranges(unittest.TestCase):
    def check(self, row, source, calls, charged, touched):
        self.assertEqual(row["status"], "ok")
        self.assertEqual(number(row, "appended"), number(row, "nodes"))
        self.assertEqual(number(row, "commit_calls"), calls)
        self.assertEqual(number(row, "handled_faults"), calls if source == "fault" else 0)
        self.assertEqual(number(row, "commit_bytes"), charged * PAGE)
        self.assertEqual(number(row, "freed_commit_bytes"), charged * PAGE)
        self.assertEqual(number(row, "released_commit_bytes"), 0)
        self.assertEqual(number(row, "region_count"), 2)
        if not WINDOWS and not SANITIZED:
            self.assertEqual(number(row, "minor_faults"), touched)
            self.assertEqual(number(row, "resident_bytes"), touched * PAGE)

    def test_counts(self):
        for (node, nodes, step, growth), expected in COUNTS.items():
            for source, trap in [("check", TRAPS[0]), *(("fault", trap) for trap in TRAPS)]:
                with self.subTest(node=node, nodes=nodes, step=step, growth=growth, source=source):
                    row, = take("--node", node, "--nodes", nodes, "--chunk", step * PAGE,
                                "--growth", growth, "--source", source, "--trap", trap)
                    self.check(row, source, *expected)

    def test_overhead_is_what_is_charged_beside_the_nodes(self):
        row, = take("--node", 64, "--nodes", 1000, "--chunk", "4K", "--source", "check")
        self.assertEqual(row["overhead_node_bytes"], "1.54")  # 65536 / 1000 - 64

    def test_all_of_several_are_taken_each_repeat(self):
        taken = take("--node", "16,64", "--nodes", "10,20", "--chunk", "4K,8K", "--growth",
                     "fixed,double", "--source", "check,fault", "--repeat", 2)
        keys = {tuple(row[name] for name in ("source", "node_bytes", "nodes", "chunk_bytes",
                                             "growth", "repeat")) for row in taken}
        self.assertEqual((len(taken), len(keys)), (64, 64))


class Malloc(unittest.TestCase):
    def test_is_taken_once_a_process(self):
        taken = take("--nodes", 1000, "--source", "malloc", "--repeat", 2)
        self.assertEqual([row["status"] for row in taken], ["ok", "skipped"])
        self.assertIn("use --repeat 1", taken[1]["error"])

    @unittest.skipUnless(platform.libc_ver()[0] == "glibc" and not WINDOWS and not SANITIZED,
                         "chunks of glibc's malloc")
    def test_charges_what_its_chunks_need(self):
        """A chunk is a multiple of 16 bytes, 8 of them its own, and at least 32; the heap's end is
        moved by 132 KiB at a time (malloc(3), glibc's malloc/malloc.c)."""
        for node, chunk in ((16, 32), (64, 80), (256, 272), (4096, 4112)):
            with self.subTest(node=node):
                row, = take("--node", node, "--nodes", 10000, "--source", "malloc")
                needed = 10000 * chunk
                self.assertLess(abs(number(row, "commit_bytes") - needed), 2 * 135168)
                self.assertEqual(number(row, "appended"), 10000)


class Refused(unittest.TestCase):
    @unittest.skipIf(WINDOWS or SANITIZED, "RLIMIT_DATA")
    def test_a_refusal_is_a_row_with_the_nodes_that_it_reached(self):
        import resource
        limit = 64 * 2**20
        for source in ("check", "fault", "malloc"):
            with self.subTest(source=source):
                done = run("list", "--node", 4096, "--nodes", 32768, "--source", source,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA,
                                                                 (limit, limit)))
                self.assertEqual(done.returncode, 0, done.stderr)
                row, = parse(done.stdout)
                self.assertEqual((row["status"], row["error"]),
                                 ("refused", "Cannot allocate memory"))
                self.assertEqual(row["append_node_ns"], "")
                self.assertGreater(number(row, "appended"), 15000)
                self.assertLess(number(row, "appended"), 16384)
                if source != "malloc":
                    self.assertEqual(number(row, "appended") % 16, 0)  # steps of 64 KiB

    def test_more_than_there_is_memory_for_is_skipped(self):
        row, = take("--node", 4096, "--nodes", 100000000, "--source", "check")
        self.assertEqual(row["status"], "skipped")
        self.assertRegex(row["error"], r"^needs \d+ bytes of memory, and \d+ are available$")

    def test_bad_usage(self):
        for arguments, line in (
                (["--node", "24"], "--node: '24' is no multiple of 16 bytes from 16 to 4096"),
                (["--node", "8K"], "--node: '8K' is no multiple of 16 bytes from 16 to 4096"),
                (["--node", "x"], "--node: 'x' is no size; use bytes or K, M, G, as in 64K"),
                (["--nodes", "1,1"], "--nodes: '1' comes a second time; name each once"),
                (["--nodes", "0"], "--nodes: '0' is no whole number from 1 to 100000000"),
                (["--chunk", "5K"], "--chunk: '5K' gives 5120 bytes, which is no multiple of the "
                                    "page size, 4096"),
                (["--growth", "triple"],
                 "--growth: 'triple' is no way to grow here; use fixed or double"),
                (["--source", "heap"], "--source: 'heap' is no source of nodes here; use check, "
                                       "fault or malloc")):
            with self.subTest(arguments=arguments):
                done = run("list", *arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (2, "", f"list: {line}\n"))


if __name__ == "__main__":
    unittest.main()
