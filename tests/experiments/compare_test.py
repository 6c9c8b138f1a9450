#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests experiments/compare.py and the staleness check of run_experiments.py on made-up answers: bands must be able to fail."""
import io
import contextlib
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run_experiments  # noqa: E402
from run_experiments import compare  # noqa: E402

PLAN = {"strategy": "tp8", "device_hours": 2e6, "wall_time_s": 864000.0, "goodput": 0.9, "cost_usd": 5e6, "mfu": 0.4, "step_time_s": 2.0,
        "model_flops_flop": 1e18, "steps": 2e6}


def answer(**sizes):
    """A plan answer with one row a size: n8=1e6 means 1e6 device-hours on 8 devices; None means no plan."""
    rows = [{"devices": int(name[1:]), "plan": hours and {**PLAN, "device_hours": hours}} for name, hours in sizes.items()]
    return {"sizes": rows}


class CompareTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def judge(self, check, **answers):
        """The one line of an experiment with one check."""
        for name, content in answers.items():
            (self.path / f"{name}.json").write_text(json.dumps(content))
        expected = {"format": "reckon/experiment/1", "question": "?", "runs": list(answers), "checks": [{"what": "case", **check}]}
        (self.path / "expected.json").write_text(json.dumps(expected))
        return compare.compare(self.path / "expected.json", self.path)[0][0]

    def test_ratio_on_both_sides_of_what_the_source_leaves_open(self):
        check = {"run": "plan", "value": "device_hours", "devices": 8, "public": 2.0, "open": 0.1, "because": "rounded"}

        self.assertTrue(self.judge(check, plan=answer(n8=2.19e6))["ok"])
        self.assertFalse(self.judge(check, plan=answer(n8=2.21e6))["ok"])
        self.assertFalse(self.judge(check, plan=answer(n8=1.79e6))["ok"])
        self.assertAlmostEqual(self.judge(check, plan=answer(n8=1e6))["ratio"], 0.5)

    def test_range_widened_by_what_the_source_leaves_open(self):
        check = {"run": "plan", "value": "device_hours", "devices": 8, "public_range": [2.0, 3.0], "open": 0.1, "because": "rounded"}

        self.assertTrue(self.judge(check, plan=answer(n8=3.29e6))["ok"])
        self.assertFalse(self.judge(check, plan=answer(n8=3.31e6))["ok"])
        self.assertFalse(self.judge(check, plan=answer(n8=1.79e6))["ok"])

    def test_stated_range_of_the_model_widens_the_band(self):
        check = {"run": "plan", "value": "device_hours", "devices": 8, "public": 2.0, "model": True}
        sure = {"costs": {"assumptions": [{"name": "model_error", "low": 0.8, "high": 1.25}]}}
        predicted = {"prediction": {**PLAN, "devices": 8, "step_time_s": 2.5}, "fits": True}
        evidence = [{"name": "measured against predicted step time on 8 devices, 90 %", "value": "-25 % to +33.2 %"}]  # 1.332 ^ 0.779 = 1.25
        step = {"run": "plan", "value": "step_time", "public": 2.0, "model": True}

        self.assertTrue(self.judge(check, plan={**answer(n8=2.49e6), **sure})["ok"])
        self.assertFalse(self.judge(check, plan={**answer(n8=2.51e6), **sure})["ok"])
        self.assertTrue(self.judge(check, plan={**answer(n8=1.61e6), **sure})["ok"])
        self.assertFalse(self.judge(check, plan={**answer(n8=1.59e6), **sure})["ok"])
        self.assertTrue(self.judge({**step, "public": 2.001}, plan={**predicted, "assumptions": evidence})["ok"])
        self.assertFalse(self.judge({**step, "public": 1.99}, plan={**predicted, "assumptions": evidence})["ok"])
        with self.assertRaisesRegex(compare.InputError, "how sure"):
            self.judge(check, plan=answer(n8=2e6))

    def test_what_is_open_needs_a_reason(self):
        with self.assertRaisesRegex(compare.InputError, "because"):
            self.judge({"run": "plan", "value": "device_hours", "devices": 8, "public": 2.0, "open": 0.1}, plan=answer(n8=2e6))

    def test_a_known_miss_must_stay_one(self):
        check = {"run": "plan", "value": "device_hours", "devices": 8, "public": 2.0, "miss": "why"}

        self.assertTrue(self.judge(check, plan=answer(n8=3e6))["ok"])
        self.assertFalse(self.judge(check, plan=answer(n8=2e6))["ok"])

    def test_bracket_of_two_sizes(self):
        check = {"run": "plan", "value": "device_hours", "bracket": [8, 16], "public": 2.0}

        self.assertTrue(self.judge(check, plan=answer(n8=1.9e6, n16=2.1e6))["ok"])
        self.assertFalse(self.judge(check, plan=answer(n8=2.1e6, n16=2.2e6))["ok"])
        self.assertFalse(self.judge(check, plan=answer(n8=1.8e6, n16=1.9e6))["ok"])

    def test_bracket_of_two_predictions(self):
        check = {"run": ["slow", "fast"], "value": "mfu", "public": 41}
        slow, fast = ({"prediction": {**PLAN, "mfu": mfu, "devices": 8}, "fits": True} for mfu in (0.3, 0.5))

        self.assertTrue(self.judge(check, slow=slow, fast=fast)["ok"])
        self.assertFalse(self.judge(check, slow=fast, fast=fast)["ok"])

    def test_values_follow_from_the_row(self):
        # 2e6 device-hours are 228.3 device-years; 10 days of which 9 train; 0.4 x 0.9 = 36 %; 1e18 x 2e6 = 2e24 FLOP
        values = {name: read(PLAN) for name, (_, read) in compare.VALUES.items()}

        self.assertAlmostEqual(values["device_years"], 228.31, places=2)
        self.assertAlmostEqual(values["days"], 10)
        self.assertAlmostEqual(values["uninterrupted_days"], 9)
        self.assertAlmostEqual(values["delivered_mfu"], 36)
        self.assertAlmostEqual(values["total_flop"], 2)

    def test_unusable_input_is_named(self):
        check = {"run": "plan", "value": "device_hours", "devices": 8, "public": 2.0, "open": 0.1, "because": "rounded"}

        with self.assertRaisesRegex(compare.InputError, "no feasible plan on 8 devices"):
            self.judge(check, plan=answer(n8=None))
        with self.assertRaisesRegex(compare.InputError, "no size of 8 devices"):
            self.judge(check, plan=answer(n16=1e6))
        with self.assertRaisesRegex(compare.InputError, "unknown value 'hours'"):
            self.judge({**check, "value": "hours"}, plan=answer(n8=1e6))

    def test_exit_codes(self):
        check = {"run": "plan", "value": "device_hours", "devices": 8, "public": 2.0, "open": 0.1, "because": "rounded"}

        codes = []
        for hours in (2e6, 3e6, None):
            with contextlib.suppress(compare.InputError):
                self.judge(check, plan=answer(n8=hours))
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                codes.append(compare.main([self.path / "expected.json", self.path]))

        self.assertEqual(codes, [0, 1, 2])


class StaleTest(unittest.TestCase):
    LINES = [{"what": "8 devices", "unit": "days", "ours": [10.0]}, {"what": "range", "unit": "M$", "ours": [3.0, 1500.0]}]

    def test_within_five_percent(self):
        table = ("compared         published       reckon  ratio\n"
                 "8 devices: days       10.0         10.4   1.04\n"
                 "range: M$              4.0  3.10-1,510        between")

        self.assertEqual(run_experiments.stale(table, self.LINES), [])

    def test_moved_or_missing_rows_are_told(self):
        found = run_experiments.stale("8 devices: days       10.0  10.6  1.06", self.LINES)

        self.assertEqual(len(found), 2)
        self.assertIn("README 10.6, run 10.0", found[0])
        self.assertIn("no row 'range: M$'", found[1])


if __name__ == "__main__":
    unittest.main()
