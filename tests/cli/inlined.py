"""The machine code of the touch loop: what a strategy does before a write is inlined into it, so
that the timed loop holds no indirect call."""

import platform
import re
import shutil
import subprocess
import unittest

from support import BIN, SANITIZED, STRATEGIES, WINDOWS, run


@unittest.skipIf(WINDOWS or SANITIZED or not shutil.which("objdump")
                 or platform.machine() != "x86_64", "reads the code of a plain x86-64 build")
class Inlined(unittest.TestCase):
    def code(self, program, function):
        """The instructions of a function, as [(mnemonic, operands)]."""
        listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", BIN / program],
                                 check=True, capture_output=True, text=True).stdout
        body = re.search(rf"<{function}>:\n(.*?)\n\n", listing + "\n\n", re.S)
        self.assertIsNotNone(body, f"{program} has no function {function}")
        return re.findall(r"^\s*[0-9a-f]+:\s+(\w+)\s*(.*)$", body[1], re.M)

    def test_the_loop_calls_nothing_through_a_pointer(self):
        """And nothing at all but the clock, for traces, and what commits the next step."""
        if not re.search(r" -O[1-3s]", run("fault", "--version").stdout):
            self.skipTest("not optimised")
        for program in STRATEGIES:
            code = self.code(program, f"{program}_touch")
            with self.subTest(program):
                self.assertIn("movb", [mnemonic for mnemonic, _ in code])
                calls = [operands for mnemonic, operands in code if mnemonic.startswith("call")]
                self.assertEqual([operands for operands in calls if "*" in operands], [])
                names = {re.search(r"<(\w+)", operands)[1] for operands in calls}
                self.assertLessEqual(names, {"region_grow_past", "meter_clock_ns"})


if __name__ == "__main__":
    unittest.main()
