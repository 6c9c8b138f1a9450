#!/usr/bin/env python3
"""The layer check passes on the project and notices planted violations.  SPDX-License-Identifier: Apache-2.0"""
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.abspath(sys.argv.pop(1))
CHECK = os.path.join(SOURCE, "scripts", "check_layers.py")


def check(root):
    return subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True, check=False)


class Layers(unittest.TestCase):
    def planted(self, path, line):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, os.path.dirname(path)))
            os.makedirs(os.path.join(root, "kernels"), exist_ok=True)
            os.makedirs(os.path.join(root, "src"), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write("// a file\n" + line + "\n")
            result = check(root)
            self.assertEqual(result.returncode, 1, result.stdout)
            self.assertIn(f"{path}:2:", result.stdout)

    def test_the_project_keeps_its_layers(self):
        result = check(SOURCE)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_cost_may_not_include_plan(self):
        self.planted("src/cost/x.cpp", '#include "plan/search.hpp"')

    def test_kernels_may_not_include_the_cost_model(self):
        self.planted("kernels/cpu/x.cpp", '#include "cost/step_cost.hpp"')

    def test_json_stays_in_io(self):
        self.planted("src/app/x.cpp", "#include <nlohmann/json.hpp>")

    def test_hdf5_stays_in_io(self):
        self.planted("src/report/x.cpp", "#include <hdf5.h>")

    def test_mpi_stays_out_of_plan(self):
        self.planted("src/plan/x.cpp", "#include <mpi.h>")

    def test_cuda_stays_out_of_pure_folders(self):
        self.planted("src/cost/x.cpp", "#include <cuda_runtime.h>")


if __name__ == "__main__":
    unittest.main()
