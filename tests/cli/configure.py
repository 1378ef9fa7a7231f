"""What CMake makes of a plain call: a build for measuring."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support import ROOT, WINDOWS, parse


def compiles_for_32_bits():
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "main.c")
        source.write_text("#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n")
        compiler = os.environ.get("CC", "cc")
        return shutil.which(compiler) and subprocess.run(
            [compiler, "-m32", str(source), "-o", f"{folder}/main"],
            capture_output=True).returncode == 0


@unittest.skipIf(WINDOWS or not shutil.which("cmake"), "the build machine's own cmake is asked")
class Configure(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def cmake(self, *arguments):
        subprocess.run(["cmake", *map(str, arguments)], check=True, capture_output=True)

    def build_type(self, *options):
        self.cmake("-S", ROOT, "-B", self.folder, *options)
        cache = (self.folder / "CMakeCache.txt").read_text()
        return re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.M)[1]

    def test_without_a_type_it_is_optimised(self):
        self.assertEqual(self.build_type(), "RelWithDebInfo")
        self.assertEqual(self.build_type("-DCMAKE_BUILD_TYPE=Debug"), "Debug")

    @unittest.skipUnless(compiles_for_32_bits(), "nothing to compile for 32 bits with")
    def test_sizes_are_right_in_32_bits(self):
        """Parts of a region are worked out in more bits than its size has."""
        self.cmake("-S", ROOT, "-B", self.folder, "-DCMAKE_C_FLAGS=-m32")
        self.cmake("--build", self.folder, "--target", "upfront")
        done = subprocess.run([self.folder / "bin" / "upfront", "--size", "64M,1G", "--touch",
                               "1,0.3", "--repeat", "1"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        touched = sorted(int(row["touched_bytes"]) for row in parse(done.stdout))
        self.assertEqual(touched, [20135936, 64 * 2**20, 322125824, 2**30])


if __name__ == "__main__":
    unittest.main()
