#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests scripts/vtrain_to_published.py on made-up lines; with RECKON set to the program, also that 'reckon validate' reads the result."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "vtrain_to_published.py"
HEADER = ("# GPUs,global batch,micro batch,hidden size,attention heads,# layers,sequence length,tensor parallelism,data parallelism,"
          "pipeline parallelism,iteration time (ms)\n")
MULTI_HEADER = "Parameters (billion)," + HEADER


class VtrainTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def convert(self, text, kind="single", *more):
        """(exit code, stdout, stderr) of the script on a file with this text."""
        file = self.path / f"{kind}.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = subprocess.run([sys.executable, str(SCRIPT), f"--{kind}", str(file), *more], capture_output=True, text=True, check=False)
        return result.returncode, result.stdout, result.stderr

    def refused(self, text, line, reason, kind="single"):
        code, out, error = self.convert(text, kind)
        self.assertEqual((code, out), (2, ""))
        self.assertIn(f"{kind}.csv: line {line}: ", error)
        self.assertIn(reason, error)

    def test_one_node(self):
        code, out, _ = self.convert(HEADER + "8,16,4,512,8,6,1024,2,1,4,12.3456789\n4,8,2,512,8,6,1024,1,4,1,7\n")

        self.assertEqual(code, 0)
        self.assertEqual(json.loads(out)["format"], "reckon/published-runs/1")
        first, second = json.loads(out)["runs"]
        self.assertEqual(first["id"], "vtrain_single_0000")
        self.assertIn("data/ground_truth_single.csv line 2 ", first["source"])
        self.assertEqual(second["id"], "vtrain_single_0001")
        # 12 x 6 x 512^2 + 50257 x 512
        self.assertEqual(first["architecture"]["params"], 18874368 + 25731584)
        self.assertEqual(first["architecture"]["head_dim"], 64)
        self.assertEqual(first["cluster"], {"device": "a100-sxm-80gb", "num_devices": 8, "devices_per_node": 8})
        self.assertEqual(first["measured"], {"step_time_s": 0.012346, "how": "measured"})
        self.assertEqual((first["strategy"]["schedule"], second["strategy"]["schedule"]), ("1f1b", "none"))
        degrees = [first["strategy"][f"{kind}_parallel"] for kind in ("tensor", "data", "pipeline")]
        self.assertEqual(degrees, [2, 1, 4])

    def test_several_nodes_have_a_fabric_and_a_stated_size(self):
        code, out, _ = self.convert(MULTI_HEADER + "1.7,16,32,2,2304,24,24,2048,8,2,1,1234.5\n", "multi")

        self.assertEqual(code, 0)
        run = json.loads(out)["runs"][0]
        self.assertEqual(run["architecture"]["name"], "GPT 1.7B")
        self.assertEqual(run["cluster"]["fabric"], {"nics_per_node": 4, "nic_gbit_per_s": 200, "kind": "infiniband", "stated": True})
        self.assertEqual(run["measured"]["step_time_s"], 1.2345)

    def test_blank_lines_do_not_shift_ids(self):
        _, out, _ = self.convert(HEADER + "\n4,8,2,512,8,6,1024,1,4,1,7\n")

        self.assertEqual(json.loads(out)["runs"][0]["id"], "vtrain_single_0001")

    def test_bad_lines_are_named(self):
        good = "4,8,2,512,8,6,1024,1,4,1,7\n"
        self.refused(HEADER + good + "4,8,2,512,8\n", 3, "5 fields, expected 11")
        self.refused(HEADER + "4,8,2,512,8,six,1024,1,4,1,7\n", 2, "'# layers' is 'six', not a whole number")
        self.refused(HEADER + "4,8,2.5,512,8,6,1024,1,4,1,7\n", 2, "'micro batch' is '2.5'")
        self.refused(HEADER + "4,8,2,512,8,6,1024,1,4,1,-7\n", 2, "not above zero")
        self.refused(HEADER + "4,8,2,512,8,6,1024,1,4,1,nan\n", 2, "not above zero")
        self.refused(HEADER + "4,8,2,512,8,6,1024,1,4,1,1e999\n", 2, "not above zero")
        self.refused(HEADER + "4,8,2,512,0,6,1024,1,4,1,7\n", 2, "'attention heads' is 0")
        self.refused(HEADER + good + good + "4,8,2,512,8,6,1024,2,4,1,7\n", 4, "tensor x data x pipeline parallelism is 8, not the 4")
        self.refused(HEADER + "4,8,2,500,8,6,1024,1,4,1,7\n", 2, "'hidden size' 500 is not a multiple")
        self.refused(HEADER + "4,10,2,512,8,6,1024,1,4,1,7\n", 2, "'global batch' 10 is not a multiple")

    def test_wrong_headers_are_named(self):
        self.refused("a,b\n1,2\n", 1, "header without '# GPUs'")
        self.refused(MULTI_HEADER, 1, "header with unknown 'Parameters (billion)'")
        self.refused(HEADER, 1, "header without 'Parameters (billion)'", "multi")
        self.refused(HEADER.replace("\n", ",# GPUs\n"), 1, "header with a column twice")

    def test_unusable_files_are_named(self):
        for text, reason in ((b"", "is empty"), (HEADER, "no runs"), (b"\xff\xfe\x00", "single.csv")):
            code, out, error = self.convert(text)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(reason, error)
        command = [sys.executable, str(SCRIPT), "--multi", str(self.path / "none.csv")]
        missing = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(missing.returncode, 2)
        self.assertIn("none.csv", missing.stderr)

    def test_output_file_replaces_or_stays(self):
        target = self.path / "runs.json"
        target.write_text("old")

        self.assertEqual(self.convert(HEADER + "4,8,2\n", "single", "-o", str(target))[0], 2)
        self.assertEqual(target.read_text(), "old")
        self.assertEqual(self.convert(HEADER + "4,8,2,512,8,6,1024,1,4,1,7\n", "single", "-o", str(target))[0], 0)
        self.assertEqual(len(json.loads(target.read_text())["runs"]), 1)
        self.assertEqual(self.convert(HEADER + "4,8,2,512,8,6,1024,1,4,1,7\n", "single", "-o", str(self.path / "no" / "runs.json"))[0], 5)
        self.assertEqual(sorted(path.name for path in self.path.iterdir()), ["runs.json", "single.csv"])

    @unittest.skipUnless(os.environ.get("RECKON"), "RECKON does not name the program")
    def test_reckon_reads_the_result(self):
        target = self.path / "runs.json"
        self.convert(MULTI_HEADER + "1.7,16,32,2,2304,24,24,2048,8,2,1,1234.5\n", "multi", "-o", str(target))

        result = subprocess.run([os.environ["RECKON"], "validate", str(target), "--json"], capture_output=True, text=True, check=False)

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse(json.loads(result.stdout)["runs"][0]["traced"])

    @unittest.skipUnless(os.environ.get("RECKON"), "RECKON does not name the program")
    def test_reckon_tells_traces_from_measurements(self):
        for kind, text in (("single", HEADER + "4,8,2,512,8,6,1024,1,4,1,7\n"), ("multi", MULTI_HEADER + "1.7,16,32,2,2304,24,24,2048,8,2,1,1234.5\n")):
            self.convert(text, kind, "-o", str(self.path / f"{kind}.json"))

        def validate(*options):
            files = [str(self.path / f"{kind}.json") for kind in ("single", "multi")]
            return subprocess.run([os.environ["RECKON"], "validate", *files, *options], capture_output=True, text=True, check=True).stdout

        traced, measured = json.loads(validate("--json"))["runs"]
        self.assertEqual((traced["traced"], measured["traced"]), (True, False))
        self.assertEqual(traced["parts"]["recompute_s"], 0)
        self.assertGreater(measured["parts"]["recompute_s"], 0)
        rows = {line[:22].rstrip(): line[22:].split() for line in validate().split("\n")}
        self.assertEqual(rows["average of sources"][0], "2")
        self.assertEqual(rows["of measured runs alone"], rows["multi"])


if __name__ == "__main__":
    unittest.main()
