"""The results file as Python users and `reckon show`, `verify` see it; the same for any number of ranks.  SPDX-License-Identifier: Apache-2.0"""
import hashlib
import json
import os
import unittest

from reckon_cli import SMALL_PLAN, TemporaryFolderCase, environment, main, reckon

# One size without a strategy, one that does not fit, two with plans.
MIXED = ["plan", "--model", "llama-3-70b", "--device", "h100", "--devices", "12,16,256,512", "--tokens", "1T", "--recompute", "none", "--sharding", "zero1"]


def content(path):
    with open(path, "rb") as f:
        return f.read()


class ResultsFile(TemporaryFolderCase):
    def test_h5py_reads_columns_with_units_on_the_devices_scale(self):
        import h5py

        d = self.document(*MIXED, "--out", "a.h5", "--json")
        with h5py.File("a.h5") as f:
            self.assertEqual(f.attrs["complete"], 1)
            self.assertEqual(f.attrs["software"], "reckon")
            self.assertEqual(f.attrs["command_line"], "reckon " + " ".join(MIXED))
            plans = f["plans"]
            self.assertEqual(list(plans["devices"]), [12, 16, 256, 512])
            self.assertEqual(plans["devices"].attrs["CLASS"], b"DIMENSION_SCALE")
            for name, column in plans.items():
                self.assertIn("units", column.attrs, name)
                self.assertIn("long_name", column.attrs, name)
                if name != "devices":
                    self.assertEqual(column.dims[0][0], plans["devices"], name)
            self.assertEqual(list(plans["status"]), [2, 1, 0, 0])
            self.assertEqual(plans["status"].attrs["flag_meanings"], "fits does_not_fit no_strategy")
            self.assertEqual(plans["step_time"][2], d["sizes"][2]["plan"]["step_time_s"])
            self.assertEqual(f["nearest_misses/memory_total"][0], d["sizes"][1]["nearest_miss"]["memory_total_bytes"])
            self.assertEqual(f["best/devices"][0], d["answer"]["devices"])
            self.assertIn("price of a device-hour", [name.decode() for name in f["assumptions/name"]])
            for item in json.loads(f.attrs["inputs"]):
                text = f["inputs/" + item["name"]][()]
                self.assertEqual(hashlib.sha256(text).hexdigest(), item["sha256"])
            json.loads(f["inputs/question"][()])

    def test_xarray_selects_by_label(self):
        import numpy
        import xarray

        self.answer(*MIXED, "--out", "a.h5")
        plans = xarray.open_dataset("a.h5", group="plans", engine="netcdf4")
        self.assertEqual(plans.wall_time.attrs["units"], "s")
        self.assertGreater(float(plans.cost.sel(devices=256)), 0)
        self.assertTrue(numpy.isnan(plans.wall_time.sel(devices=16)))
        candidates = xarray.open_dataset("a.h5", group="candidates", engine="netcdf4").to_dataframe()
        self.assertEqual(len(candidates), 6)
        self.assertTrue((candidates.step_time > 0).all())
        for group in ("best", "assumptions", "nearest_misses"):
            xarray.open_dataset("a.h5", group=group, engine="netcdf4").load()

    def test_show_prints_what_plan_printed(self):
        text = self.answer(*MIXED, "--out", "a.h5", "--report", "a.txt")
        self.assertEqual(self.answer("show", "a.h5"), text)
        with open("a.txt") as f:
            self.assertEqual(f.read(), text)
        self.assertEqual(self.document("show", "a.h5", "--json"), self.document(*MIXED, "--json"))
        self.assertEqual(json.loads(self.answer("show", "a.h5", "--input", "model"))["name"], "llama-3-70b")

    def test_any_number_of_ranks_writes_the_same_bytes_and_prints_the_same(self):
        words = ["plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "8..256", "--tokens", "2T", "--deadline", "20 d"]
        text = self.answer(*words, "--out", "0.h5")
        for ranks in (1, 2, 3, 4, 7):
            self.assertEqual(self.answer(*words, "--out", f"{ranks}.h5", ranks=ranks), text)
            self.assertEqual(content(f"{ranks}.h5"), content("0.h5"), ranks)

    def test_the_date_is_that_of_the_environment_or_none(self):
        import h5py

        self.answer(*SMALL_PLAN, "--out", "a.h5")
        self.answer(*SMALL_PLAN, "--out", "b.h5", env=environment(SOURCE_DATE_EPOCH="1700000000"))
        with h5py.File("a.h5") as a, h5py.File("b.h5") as b:
            self.assertNotIn("date", a.attrs)
            self.assertEqual(b.attrs["date"], "2023-11-14T22:13:20Z")
            self.assertEqual(a.attrs["uuid"], b.attrs["uuid"])
        self.assertEqual(reckon(*SMALL_PLAN, env=environment(SOURCE_DATE_EPOCH="yesterday")).returncode, 2)

    def test_verify_notices_any_changed_byte(self):
        self.answer(*SMALL_PLAN, "--out", "a.h5")
        self.assertIn("whole", self.answer("verify", "a.h5"))
        whole = content("a.h5")
        for at in range(0, len(whole), len(whole) // 60):
            with open("b.h5", "wb") as f:
                f.write(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
            done = reckon("verify", "b.h5")
            self.assertEqual(done.returncode, 2, f"byte {at}")
            self.assertEqual(done.stdout, "")
        for cut in (0, 1, 100, len(whole) // 2, len(whole) - 1):
            with open("b.h5", "wb") as f:
                f.write(whole[:cut])
            self.assertEqual(reckon("verify", "b.h5").returncode, 2, f"cut at {cut}")

    def test_a_changed_number_with_a_matching_digest_is_noticed(self):
        import h5py

        self.answer(*SMALL_PLAN, "--out", "a.h5")
        for path, value in (("plans/step_time", 1.0), ("candidates/time_forward", 7.0), ("plans/cost_micro_usd", 1), ("candidates/devices", 5), ("plans/status", 1)):
            with open("b.h5", "wb") as f:
                f.write(content("a.h5")[:-80])
            with h5py.File("b.h5", "r+") as f:
                f[path][0] = value
            body = content("b.h5")
            with open("b.h5", "ab") as f:
                f.write(b"\nreckon-sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n")
            done = reckon("verify", "b.h5")
            self.assertEqual(done.returncode, 2, path)
            self.assertIn("/" + path.split("/")[0], done.stderr)


if __name__ == "__main__":
    main()
