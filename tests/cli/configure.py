"""What CMake makes of a plain call: a build for measuring."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support import ROOT, WINDOWS


@unittest.skipIf(WINDOWS or not shutil.which("cmake"), "the build machine's own cmake is asked")
class Configure(unittest.TestCase):
    def configure(self, *options):
        """The cache of a build folder of its own."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cmake", "-S", str(ROOT), "-B", folder, *options], check=True,
                           capture_output=True, text=True, env=os.environ | {"CMAKE_GENERATOR": ""})
            return pathlib.Path(folder, "CMakeCache.txt").read_text()

    def build_type(self, *options):
        return re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", self.configure(*options), re.M)[1]

    def test_without_a_type_it_is_optimised(self):
        self.assertEqual(self.build_type(), "RelWithDebInfo")
        self.assertEqual(self.build_type("-DCMAKE_BUILD_TYPE=Debug"), "Debug")


if __name__ == "__main__":
    unittest.main()
