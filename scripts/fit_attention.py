"""Fits the attention parameters of each (device, kernel) to published times: forward, backward, and forward + backward together.

Rows come from the folder of measured tables and from attention_points.json.  The inference tables time more than the kernel (paged
cache, its write): table_per_byte * (q, k, v, o and the cache) + table_launch is fitted beside the kernel and left out of the calibration.
Parameters that a (device, kernel) has no rows for are scaled from another one, as said in PLAN; the file then says `derived`.
SPDX-License-Identifier: Apache-2.0
"""

import json
import os

import numpy as np
from scipy.optimize import least_squares

from compute_forms import attention_time, residual

FIELDS = ["batch", "heads", "kv_heads", "seq_q", "seq_kv", "head_dim", "v_head_dim", "causal", "window"]
KERNEL_NAMES = {"FlashAttention1": "flash1", "FlashAttention2": "flash2", "FlashAttention3": "flash3", "cuDNN": "cudnn"}
TABLES = {("a100", "flash2"): "aic-attn-a100_sxm-vllm-0.14.0", ("h100", "flash3"): "aic-attn-h100_sxm-vllm-0.24.0"}
BACKWARD_WORK = 2.5

# name: start, lowest, highest.  `rate` is a share of the half-precision peak, `exponential` of one score per 4 x 128 FLOP of it.
SPACE = {
    "rate": (0.8, 0.1, 1.5),
    "exponential": (2.0, 0.3, 400.0),
    "wide": (0.1, 0.0, 3.0),
    "key_overhead": (60, 0, 1500),
    "waves": (0.6, 0.0, 1.0),
    "launch": (5e-6, 2e-6, 2e-5),
    "back_rate": (0.6, 0.05, 1.5),
    "back_exponential": (2.0, 0.1, 400.0),
    "back_wide": (0.1, 0.0, 3.0),
    "back_overhead": (100, 0, 1500),
    "back_launch": (1e-5, 4e-6, 4e-5),
    "table_per_byte": (4e-13, 1e-14, 1e-11),
    "table_launch": (5e-6, 1e-8, 3e-5),
}


def shape_arrays(rows):
    s = {name: np.array([row[name] for row in rows], float) for name in FIELDS}
    s["causal"] = s["causal"] > 0
    return s


def shape(batch, heads, kv_heads, seq, head_dim, v_head_dim=None, causal=True, window=0):
    return {
        "batch": batch,
        "heads": heads,
        "kv_heads": kv_heads,
        "seq_q": seq,
        "seq_kv": seq,
        "head_dim": head_dim,
        "v_head_dim": v_head_dim or head_dim,
        "causal": causal,
        "window": window,
    }


def flops(row):
    """Forward FLOP as papers count it: half of the square for a causal mask."""
    pairs = row["seq_q"] * row["seq_kv"] * (0.5 if row["causal"] else 1.0)
    return 2.0 * (row["head_dim"] + row["v_head_dim"]) * pairs * row["batch"] * row["heads"]


def paper_rows(folder):
    """Rows of gemm_attention.json: {(device, kernel): [row]} with `what` forward or both, and `time` in s."""
    with open(os.path.join(folder, "gemm_attention.json")) as f:
        table = json.load(f)["rows"]
    found = {}
    for r in table:
        if not r["id"].startswith("fa-") or r["kernel"] not in KERNEL_NAMES:
            continue
        row = shape(r["batch"], r["heads"], r["heads"], r["seq"], r["head_dim"], causal=r["causal"])
        row["what"] = "forward" if r["op"] == "attention_fwd" else "both"
        row["time"] = flops(row) * (1.0 if row["what"] == "forward" else 1.0 + BACKWARD_WORK) / (r["tflops"] * 1e12)
        found.setdefault(("a100" if "A100" in r["accelerator"] else "h100", KERNEL_NAMES[r["kernel"]]), []).append(row)
    return found


def point_rows(path):
    """Rows of attention_points.json in the same form."""
    with open(path) as f:
        groups = json.load(f)["groups"]
    found = {}
    for g in groups:
        for seq, forward, backward in g["rows"]:
            heads = g.get("heads", g.get("hidden", 0) // g["head_dim"])
            base = shape(
                g.get("batch", g.get("tokens", 0) // seq),
                heads,
                g.get("kv_heads", heads),
                seq,
                g["head_dim"],
                g.get("v_head_dim"),
                g["causal"],
                g.get("window", 0),
            )
            for what, value in (("forward", forward), ("backward", backward)):
                if value is None:
                    continue
                work = flops(base) * (1.0 if what == "forward" else BACKWARD_WORK)
                time = value * 1e-3 if g["unit"] == "ms" else work / (value * 1e12)
                found.setdefault((g["device"], g["kernel"]), []).append(dict(base, what=what, time=time, source=g["source"]))
    return found


def table_rows(folder, name):
    with open(os.path.join(folder, "attention_aiconfigurator.json")) as f:
        table = next(s for s in json.load(f)["sets"] if s["id"] == name)["data"]
    return [dict(shape(b, h, kv, s, d), what="table", time=ms * 1e-3) for b, s, h, kv, d, ms in table]


class AttentionFit:
    """Both passes of one kernel on one device.  `fixed` pins names of SPACE; `tied` says that backward follows forward."""

    def __init__(self, device, kernel, rows, fixed=None, back_like_forward=None):
        self.device, self.kernel, self.rows = device, kernel, rows
        self.shapes = shape_arrays(rows)
        self.measured = np.array([row["time"] for row in rows])
        self.what = np.array([row["what"] for row in rows])
        self.back_like_forward = back_like_forward
        self.fixed = dict(fixed or {})
        has_table, wide = "table" in self.what, max(self.shapes["head_dim"]) > (64 if kernel == "flash1" else 128)
        backward = {"both", "backward"} & set(self.what)
        for name, needed in (("table_per_byte", has_table), ("table_launch", has_table), ("wide", wide), ("back_wide", False)):
            if not needed:
                self.fixed.setdefault(name, 0.0)
        for name in ("launch", "back_launch"):
            self.fixed.setdefault(name, SPACE[name][0])
        if not backward or back_like_forward:
            for name in ("back_rate", "back_exponential", "back_overhead"):
                self.fixed.setdefault(name, SPACE[name][0])
        if len(set(self.shapes["head_dim"])) == 1:  # one head dimension cannot tell products from exponentials
            self.fixed.setdefault("exponential", SPACE["exponential"][0])
            self.fixed.setdefault("back_exponential", SPACE["back_exponential"][0])
        self.names = [name for name in SPACE if name not in self.fixed]

    def passes(self, z):
        v = dict(self.fixed, **dict(zip(self.names, z)))
        d, half = self.device, self.device["half_peak"]
        common = {
            "wide_head_from": 64.0 if self.kernel == "flash1" else 128.0,
            "wave_quantisation": v["waves"],
            "query_tile": 128.0,
            "key_tile": 64.0 if self.kernel in ("flash1", "flash2") else 128.0,
            "multiprocessors": d["num_multiprocessors"],
            "bandwidth": 0.85 * d["memory_bandwidth"],
        }
        forward = dict(
            common,
            rate=v["rate"] * half,
            exponential_rate=v["exponential"] * half / 512.0,
            wide_head_penalty=v["wide"],
            key_overhead=v["key_overhead"],
            launch=v["launch"],
        )
        back = dict(
            common,
            rate=v["back_rate"] * half / BACKWARD_WORK,
            exponential_rate=v["back_exponential"] * half / 512.0 / BACKWARD_WORK,
            wide_head_penalty=v["back_wide"] if "back_wide" in self.names else v["wide"],
            key_overhead=v["back_overhead"],
            launch=v["back_launch"],
        )
        if self.back_like_forward:
            back.update(
                rate=forward["rate"] * self.back_like_forward / BACKWARD_WORK,
                key_overhead=forward["key_overhead"],
                exponential_rate=forward["exponential_rate"] * self.back_like_forward / BACKWARD_WORK,
            )
        return forward, back, v

    def predict(self, passes):
        forward, back, v = passes
        s = self.shapes
        ahead, behind = attention_time(forward, s), attention_time(back, s, backward=True)
        cache = 2.0 * s["batch"] * s["seq_q"] * s["head_dim"] * (2.0 * s["heads"] + 4.0 * s["kv_heads"])
        return np.select(
            [self.what == "forward", self.what == "both", self.what == "backward"],
            [ahead, ahead + behind, behind],
            ahead + v["table_per_byte"] * cache + v["table_launch"],
        )

    def solve(self, use=slice(None)):
        table = self.what == "table"
        weight = np.where(table, np.sqrt(30.0 / max(1, table.sum())), 1.0)  # thousands of table rows weigh as much as 30 others
        start = np.array([SPACE[name][0] for name in self.names])
        low, high = (np.array([SPACE[name][i] for name in self.names]) for i in (1, 2))

        def error(z):
            return (weight * np.log(self.predict(self.passes(z)) / self.measured) / 0.05)[use]

        found = least_squares(error, start, bounds=(low, high), x_scale=np.maximum(start, 1e-9), loss="soft_l1")
        return self.passes(found.x)

    def cross_validate(self, folds=5):
        """Errors of rows whose (heads, head_dim, seq) the fit did not see."""
        s = self.shapes
        fold = ((s["heads"] * 131 + s["head_dim"] * 17 + s["seq_q"] / 512 * 7919).astype(int) * 2654435761 % 2**32) // (2**32 // folds + 1)
        size = np.zeros_like(self.measured)
        for f in range(folds):
            held = fold == f
            if held.any() and not held.all():
                size[held] = np.abs(self.predict(self.solve(np.flatnonzero(~held))) / self.measured - 1.0)[held]
        return {"cross_validated_median": float(np.median(size)), "cross_validated_p90": float(np.percentile(size, 90))}

    def residual(self, passes):
        return residual(self.predict(passes), self.measured)
