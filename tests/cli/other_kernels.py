"""Other kernels for real: counts of upfront, fault and chunked are those of this machine's kernel,
and guard differs by the kind of its guard page. VMCOMMIT_KERNELS names the kernels, which are
fetched: oldest 6.1 6.12 newest."""

import csv
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

from support import BIN, ROOT, execute, rows

from vmcommit.base.columns import COUNTS
from vmcommit.base.conventions import SPARSE_BELOW
from vmcommit.base.problems import Problem
from vmcommit.measure import packages

KERNELS = os.environ.get("VMCOMMIT_KERNELS", "").split()
LACKING = [name for name in ("qemu-system-x86_64", "busybox") if not shutil.which(name)]
SECONDS = 1400  # for each kernel, with what must be fetched; an emulator on a busy machine is slow


@unittest.skipIf(LACKING, f"not installed: {', '.join(LACKING)}")
@unittest.skipUnless(KERNELS, "VMCOMMIT_KERNELS names no kernel")
class Counts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(kept.cleanup)
        cls.into = pathlib.Path(kept.name)
        try:
            for kernel in KERNELS:
                packages.kernel(kernel)
        except Problem as why:
            raise unittest.SkipTest(f"no kernels to be had: {why}") from None
        cls.done = execute([sys.executable, ROOT / "scripts" / "vmcommit", "kernels", *KERNELS,
                            "--into", cls.into, "--build", BIN.parent, "--deadline", SECONDS],
                           SECONDS * len(KERNELS))
        cls.here = {}

    def test_all_are_in(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (0, ""), self.done.stdout)
        self.assertEqual({path.name for path in self.into.glob("[!.]*")}, set(KERNELS))

    def on_this_machine(self, row):
        """The same configuration's row, by this machine's kernel."""
        step = ["--chunk", row["chunk_bytes"]] if row["strategy"] in ("chunked", "guard") else []
        touched = int(row["touched_bytes"]) / int(row["size_bytes"])
        touch = "0.1" if touched < SPARSE_BELOW else str(touched)  # rounded up to pages
        words = (row["strategy"], "--size", row["size_bytes"], "--touch", touch, *step,
                 "--order", row["touch_order"], "--repeat", "1")
        if words not in self.here:
            self.here[words], = rows(*words)
        return self.here[words]

    def test_counts(self):
        for kernel in KERNELS:
            environment = json.loads((self.into / kernel / "environment.json").read_text())
            with open(self.into / kernel / "samples.csv", newline="") as file:
                counted = [row for row in csv.DictReader(file) if row["pages"] == "small"]
            self.assertGreater(len(counted), 80)
            for row in counted:
                with self.subTest(kernel=kernel, row=row):
                    self.check(row, environment)

    def check(self, row, environment):
        here = self.on_this_machine(row)
        self.assertEqual(row["touched_bytes"], here["touched_bytes"])
        same = [column for column in COUNTS if row["strategy"] != "guard" or column in
                ("handled_faults", "minor_faults", "resident_bytes")]
        self.assertEqual({column: row[column] for column in same},
                         {column: here[column] for column in same})
        if row["strategy"] == "guard":
            newer = [int(part) for part in
                     environment["system"]["kernel"].split(".")[:2]] >= [6, 13]
            self.assertEqual(row["guard"], "madvise" if newer else "prot_none")
            if row["guard"] == here["guard"]:
                self.assertEqual(row["commit_bytes"], here["commit_bytes"])


if __name__ == "__main__":
    unittest.main()
