"""Reads the sample results file as users do, with h5py, xarray and pandas: nothing may be missing silently.

usage: read_results.py WRITER FILE
SPDX-License-Identifier: Apache-2.0
"""
import subprocess
import sys

import h5py
import numpy as np

writer, path = sys.argv[1:3]
subprocess.run([writer, path], check=True)

with h5py.File(path) as f:
    assert f.attrs["software"] == "reckon" and f.attrs["seed"] == 7 and f.attrs["complete"] == 1
    assert list(f.attrs["authors"]) == ["a", "b\u00e9"]
    assert f["inputs/model"].asstr()[()] == '{"name": "x"}\n'
    assert list(f["sweep"]) == ["devices", "tensor", "step_time", "feasible"], "columns keep their order"
    assert f["sweep/step_time"].attrs["units"] == "s"
    assert f["sweep/step_time"].fletcher32 and f["long/roots"].chunks == (16384,)
    assert f["parts/part"].asstr()[:].tolist() == ["compute", "\u20ac", ""]
    assert f["sweep/feasible"].dtype == np.int8 and f["sweep/feasible"].attrs["flag_meanings"] == "no yes"
    assert f["sweep/feasible"].attrs["flag_values"].tolist() == [0, 1]
    assert np.array_equal(f["long/roots"][:], np.sqrt(np.arange(40000.0)))
    for name in ("sweep/step_time", "parts/time"):
        assert [d.label or d[0].name for d in f[name].dims], name

import xarray

sweep = xarray.open_dataset(path, group="sweep")
assert sweep.step_time.sel(devices=16, tensor=2).item() == 4.0
assert np.isnan(sweep.step_time.sel(devices=32, tensor=1).item())
assert set(sweep.data_vars) == {"step_time", "feasible"} and set(sweep.coords) == {"devices", "tensor"}
assert sweep.attrs["note"] == "a grid"
parts = xarray.open_dataset(path, group="parts")
assert parts.time.sel(part="compute").item() == 0.5
assert parts["rank"].values.tolist() == [3, -1, 5]

import pandas

table = pandas.DataFrame({k: h5py.File(path)["parts"][k][:] for k in h5py.File(path)["parts"]})
assert table["time"].sum() == 0.875
print("h5py, xarray and pandas read all of it")
