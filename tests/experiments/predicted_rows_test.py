#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests experiments/accuracy/predicted_rows.py on times made by the arithmetic that it looks for, and on times that are a little off."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "experiments" / "accuracy" / "predicted_rows.py"
LAYER, ENDS, REST = 3e-3, 2e-2, 5e-2  # s


def run(number, layers, data_parallel, batches, sums):
    return {"id": f"vtrain_single_{number:04d}",
            "architecture": {"hidden_size": 2048, "num_layers": layers, "vocab_size": 50257, "seq_len": 1024},
            "strategy": {"tensor_parallel": 1, "pipeline_parallel": 1, "data_parallel": data_parallel, "micro_batch_size": 1,
                         "global_batch_size": data_parallel * batches},
            "measured": {"step_time_s": round(batches * (layers * LAYER + ENDS) + REST + sums, 6)}}


def made(bend=0.0, gap=0.0):
    """Runs of three depths on 2 and 8 devices, whose sums of gradients take what the table says."""
    out = []
    for layers, size in ((12, 1548), (16, 1933), (24, 2702)):
        for devices, bandwidth in ((2, 196.89), (8, 229.25)):
            for batches in (2, 4):
                extra = bend * batches if layers == 16 else 0.0
                out.append(run(len(out), layers, devices, batches, size / 1024 / bandwidth + extra + (gap if devices == 8 else 0.0)))
    return out


class PredictedRowsTest(unittest.TestCase):
    def check(self, runs):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "runs.json"
            file.write_text(json.dumps({"runs": runs}), encoding="utf-8")
            result = subprocess.run([sys.executable, str(SCRIPT), str(file)], capture_output=True, text=True, check=False)
            return result.returncode, result.stdout + result.stderr

    def test_arithmetic_is_recognised(self):
        code, text = self.check(made())
        self.assertEqual(code, 0, text)
        self.assertIn("6 of 6 differences follow the table", text)
        self.assertIn("1 of 1 groups of three or more depths on a line", text)

    def test_a_sum_that_is_off_is_not(self):
        code, text = self.check(made(gap=1e-5))
        self.assertEqual(code, 1)
        self.assertIn("0 of 6 differences follow the table within 2 us, largest gap 10.", text)

    def test_a_layer_that_takes_longer_in_a_deeper_model_is_not(self):
        code, text = self.check(made(bend=1e-3))
        self.assertEqual(code, 1)
        self.assertIn("0 of 1 groups", text)

    def test_wrong_input_is_named(self):
        code, text = self.check([])
        self.assertEqual(code, 2)
        self.assertIn("no run with an id of vtrain_single_", text)


if __name__ == "__main__":
    unittest.main()
