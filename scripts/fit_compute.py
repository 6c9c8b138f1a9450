#!/usr/bin/env python3
"""Writes models/calibrations/<device>.json: how fast products, attention and memory-bound kernels run on a device.

usage: scripts/fit_compute.py FOLDER [--out models/calibrations] [--no-cross-validation]

FOLDER holds the measured tables gemm_aiconfigurator.json, attention_aiconfigurator.json and gemm_attention.json; they are not part of the
repository, the fitted parameters, the residuals and a few cited points are.  Device facts come from models/devices.
SPDX-License-Identifier: Apache-2.0
"""

import argparse
import json
import os
import re

import compute_plan as plan
from compute_forms import gemm_time, power_slowdown
from fit_attention import AttentionFit, FIELDS, paper_rows, point_rows, table_rows
from fit_gemm import GemmFit

HERE = os.path.dirname(os.path.abspath(__file__))
UNITS = {"PFLOP/s": 1e15, "TFLOP/s": 1e12, "TB/s": 1e12, "GB/s": 1e9, "MiB": 2.0**20, "W": 1.0, "us": 1e-6, "ms": 1e-3}


def parse(text):
    """Base units; nothing stated is 0."""
    if not text:
        return 0.0
    number, unit = text.split()
    return float(number) * UNITS[unit]


def write(value, unit):
    return f"{value / UNITS[unit]:.6g} {unit}"


def load_device(name):
    with open(os.path.join(HERE, "..", "models", "devices", name + ".json")) as f:
        d = json.load(f)
    peak = {k: parse(v) for k, v in d["peak"].items()}
    return {
        "id": name,
        "architecture": d["architecture"],
        "peak": peak,
        "half_peak": peak.get("bf16", peak.get("fp16")),
        "memory_bandwidth": parse(d["memory_bandwidth"]),
        "num_multiprocessors": plan.MULTIPROCESSORS.get(name, d["num_multiprocessors"]),
        "l2_cache": parse(d.get("l2_cache")),
    }


def gemm_entry(p, source, residual=None):
    entry = {
        "source": source,
        "peak": write(p["peak"], "TFLOP/s"),
        "rate": write(p["rate"], "TFLOP/s"),
        "multiprocessors": p["multiprocessors"],
        "tiles": p["tiles"],
    }
    for name in ("tile_penalty", "k_overhead", "wave_quantisation", "split_overhead"):
        entry[name] = float(f"{p[name]:.6g}")
    entry["bandwidth"] = write(p["bandwidth"], "TB/s")
    entry["operand_bytes"], entry["result_bytes"] = p["operand_bytes"], p["result_bytes"]
    entry["launch"], entry["misalignment"] = write(p["launch"], "us"), plan.MISALIGNMENT
    entry["power"] = {
        "knee": float(f"{p['knee']:.6g}"),
        "exponent": p["exponent"],
        "duty": p["duty"],
        "settling": write(p["settling"], "ms"),
        "source": "power",
    }
    if residual:
        entry["residual"] = rounded(residual)
    return entry


def rounded(residual):
    return {k: v if k == "points" else round(v, 4) for k, v in residual.items()}


def attention_pass(p):
    entry = {"rate": write(p["rate"], "TFLOP/s"), "exponential_rate": write(p["exponential_rate"], "TFLOP/s")}
    for name in ("wide_head_penalty", "wide_head_from", "key_overhead", "wave_quantisation", "query_tile", "key_tile"):
        entry[name] = float(f"{p[name]:.6g}")
    entry.update(multiprocessors=p["multiprocessors"], bandwidth=write(p["bandwidth"], "TB/s"), launch=write(p["launch"], "us"))
    return entry


def fit_gemms(device, tables, check):
    """{precision: (parameters, entry, cited points)} of the sets that the plan names for the device."""
    found = {}
    for precision, set_id in plan.GEMM_SETS[device["id"]].items():
        fit = GemmFit(device, precision, tables[set_id], plan.OPERAND_BYTES[precision])
        p = fit.solve()
        residual = fit.residual(p)
        if check:
            residual.update(fit.cross_validate())
        print(
            f"{device['id']:18} {precision:6} median {residual['median']:.3f} p90 {residual['p90']:.3f} worst {residual['worst']:.2f} "
            f"cv {residual.get('cross_validated_median', 0):.3f}/{residual.get('cross_validated_p90', 0):.3f} rate {p['rate'] / 1e12:.0f} "
            f"sustained {1 / power_slowdown(p, p['duty'] * p['rate'] / p['peak']):.3f} cast {p['cast_per_value']:.2g} s/value",
            flush=True,
        )
        entry = gemm_entry(p, "aiconfigurator-" + set_id.split("-")[1], residual)
        if p["cast_per_value"] > 0:
            entry["cast_in_table"] = {"bandwidth": write(2.0 / p["cast_per_value"], "TB/s"), "launch": write(p["cast_launch"], "us")}
        rows = {tuple(int(x) for x in row[:3]): row[3] * 1e-3 for row in tables[set_id]}
        cited = [
            {
                "precision": precision,
                "m": m,
                "n": n,
                "k": k,
                "measured": write(max(rows[m, n, k] - cast(p, m, k), 0.0), "us"),
                "predicted": write(float(gemm_time(p, float(m), float(n), float(k), sustained=False)), "us"),
            }
            for m, n, k in plan.CITED_GEMMS
            if (m, n, k) in rows
        ]
        found[precision] = (p, entry, cited)
    for precision, like in plan.LIKE.items():  # no table of their own: same shape, the ratio of the peaks
        if precision in device["peak"] and like in found and precision not in found:
            found[precision] = (None, {"source": "scaled", "like": like, "peak": write(device["peak"][precision], "TFLOP/s")}, [])
    return found


def cast(p, m, k):
    return p["cast_per_value"] * m * k + p["cast_launch"]


class Attention:
    """All attention rows, and the fits of plan.ATTENTION in their order (later ones may lean on earlier ones)."""

    def __init__(self, folder, check):
        self.folder, self.check, self.done = folder, check, {}
        self.rows = paper_rows(folder)
        for key, rows in point_rows(os.path.join(HERE, "attention_points.json")).items():
            self.rows.setdefault(key, []).extend(rows)

    def fit(self, device, kernel, spec):
        rows = [
            row for key in spec.get("rows", [(device["key"], kernel)]) for row in self.rows[key] if row["seq_q"] >= spec.get("least", 0)
        ]
        if "table" in spec:
            rows = rows + table_rows(self.folder, spec["table"])
        fixed = dict(spec.get("fixed", {}))
        if "shape_of" in spec:  # few rows: overheads and the weight of the softmax as on the sister part
            leader = self.done[spec["shape_of"], kernel][1][2]
            fixed.update(
                {name: leader[name] for name in ("exponential", "wide", "key_overhead", "back_exponential", "back_wide", "back_overhead")}
            )
        fit = AttentionFit(device, kernel, rows, fixed, spec.get("back_like_forward"))
        passes = fit.solve()
        residual = fit.residual(passes)
        if self.check:
            residual.update(fit.cross_validate())
        self.done[device["key"], kernel] = (fit, passes, residual)
        print(
            f"{device['id']:18} {kernel:6} median {residual['median']:.3f} p90 {residual['p90']:.3f} worst {residual['worst']:.2f} "
            f"cv {residual.get('cross_validated_median', 0):.3f} points {residual['points']}",
            flush=True,
        )
        return {
            "source": spec["source"],
            "derived_forward": False,
            "derived_backward": bool(spec.get("back_like_forward")),
            "forward": attention_pass(passes[0]),
            "backward": attention_pass(passes[1]),
            "residual": rounded(residual),
        }

    def scale(self, device, kernel, spec):
        """The fit of another device with this device's multiprocessors and bandwidth, rates times `ratio`."""
        _, (forward, back, _), _ = self.done[spec["scaled_from"], kernel]
        out = []
        for p in (forward, back):
            q = dict(p, multiprocessors=device["num_multiprocessors"], bandwidth=0.85 * device["memory_bandwidth"])
            q["rate"], q["exponential_rate"] = p["rate"] * spec["ratio"], p["exponential_rate"] * spec["ratio"]
            out.append(attention_pass(q))
        return {"source": spec["source"], "derived_forward": True, "derived_backward": True, "forward": out[0], "backward": out[1]}

    def cited(self, device, kernel):
        """At most four rows of the device's own, spread over the fit's points, with what the fit gives."""
        if (device["key"], kernel) not in self.done:
            return []
        fit, passes, _ = self.done[device["key"], kernel]
        usable = [i for i, row in enumerate(fit.rows) if row["what"] != "table"]
        predicted = fit.predict(passes)
        out = []
        for i in usable[:: max(1, len(usable) // 4)][:4]:
            row = fit.rows[i]
            point = {"kernel": kernel, "passes": row["what"], **{name: row[name] for name in FIELDS}}
            point.update(measured=write(fit.measured[i], "us"), predicted=write(predicted[i], "us"))
            out.append(point)
        return out


def stream_entry(device):
    efficiency, source = plan.STREAM.get(device["id"], plan.STREAM_GUESS)
    return {
        "source": source,
        "bandwidth": write(device["memory_bandwidth"], "TB/s"),
        "efficiency": efficiency,
        "latency": "2.5 us",
        "cache": write(device["l2_cache"], "MiB"),
        "cache_gain": 1.0,
    }


def document(device, gemms, attention, cited_attention, sources, derived_from=None):
    used = sorted(
        {e["source"] for e in gemms.values()} | {e["source"] for e in attention.values()} | {stream_entry(device)["source"], "power"}
    )
    doc = {"format": "reckon/compute/1", "device": device["id"]}
    if derived_from:
        doc["derived_from"] = derived_from
    doc.update(date=plan.DATE, notes=plan.NOTES, gemm=gemms, attention=attention, stream=stream_entry(device))
    doc["cited_attention"] = cited_attention
    doc["sources"] = {name: sources[name] for name in used}
    return doc


def compact(text):
    """Innermost arrays and objects without text in quotes that needs a line of its own, on one line each."""
    return re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda m: m.group() if len(m.group()) > 400 else re.sub(r"\s*\n\s*", " ", m.group()), text)


def save(doc, folder):
    with open(os.path.join(folder, doc["device"] + ".json"), "w") as f:
        f.write(compact(json.dumps(doc, indent=1)) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder")
    arguments.add_argument("--out", default=os.path.join(HERE, "..", "models", "calibrations"))
    arguments.add_argument("--no-cross-validation", action="store_true")
    options = arguments.parse_args()
    check = not options.no_cross_validation
    with open(os.path.join(HERE, "compute_sources.json")) as f:
        sources = json.load(f)
    with open(os.path.join(options.folder, "gemm_aiconfigurator.json")) as f:
        tables = {s["id"]: s["data"] for s in json.load(f)["sets"]}
    attention = Attention(options.folder, check)
    fitted = {}
    for name in plan.GEMM_SETS:
        device = dict(load_device(name), key=plan.KEYS[name])
        gemms = fit_gemms(device, tables, check)
        kernels, cited = {}, []
        for kernel, spec in plan.ATTENTION[device["key"]].items():
            kernels[kernel] = attention.scale(device, kernel, spec) if "scaled_from" in spec else attention.fit(device, kernel, spec)
            cited += attention.cited(device, kernel)
        doc = document(device, {k: e for k, (_, e, _) in gemms.items()}, kernels, cited, sources)
        doc["cited_gemm"] = [point for _, _, points in gemms.values() for point in points]
        save(doc, options.out)
        fitted[name] = (device, gemms, kernels)
    for name, spec in plan.ANCHORED.items():
        save(anchored(load_device(name), spec, sources, *fitted[spec["like"]]), options.out)


def anchored_gemm(device, like, p, precision, anchor):
    """The parameters `p` of another device at this one's peak; the rate is that of the anchor, a share of the peak or m, n, k, TFLOP/s."""
    count = device["num_multiprocessors"]
    p = dict(
        p,
        peak=device["peak"][precision],
        operand_bytes=plan.OPERAND_BYTES[precision],
        exponent=0.0,
        bandwidth=p["bandwidth"] * device["memory_bandwidth"] / like["memory_bandwidth"],
        multiprocessors=count if count >= 16 else p["multiprocessors"],
    )
    if not isinstance(anchor, tuple):
        return dict(p, rate=anchor * p["peak"]), None
    m, n, k, tflops = (float(x) for x in anchor)
    measured = 2e-12 * m * n * k / tflops
    p["rate"] = 0.9 * p["peak"]
    for _ in range(60):  # to the rate that reproduces the measured point
        p["rate"] *= float(gemm_time(p, m, n, k)) / measured
    point = {
        "precision": precision,
        "m": m,
        "n": n,
        "k": k,
        "measured": write(measured, "us"),
        "predicted": write(float(gemm_time(p, m, n, k)), "us"),
    }
    return p, point


def anchored(device, spec, sources, like, gemms, kernels):
    """A device with at most its best matmul rate: products set to that rate, everything else scaled by peak and bandwidth."""
    out, cited = {}, []
    for precision, anchor in spec["rates"].items():
        base = precision if precision in gemms else plan.LIKE.get(precision, "bf16")
        p, point = anchored_gemm(device, like, gemms[base][0] or gemms["bf16"][0], precision, anchor)
        out[precision] = gemm_entry(p, spec["source"])
        cited += [point] if point else []
    for precision, base in plan.LIKE.items():
        base = base if base in out else next(iter(out))
        if precision in device["peak"] and precision not in out:
            out[precision] = {"source": "scaled", "like": base, "peak": write(device["peak"][precision], "TFLOP/s")}
    ratio = device["half_peak"] / like["half_peak"]
    count = device["num_multiprocessors"] if device["num_multiprocessors"] >= 16 else like["num_multiprocessors"]
    attention = {}
    for kernel in spec["kernels"]:
        entry = {"source": "scaled", "derived_forward": True, "derived_backward": True}
        for side in ("forward", "backward"):
            p = dict(kernels[kernel][side])
            p["rate"], p["exponential_rate"] = (write(parse(p[x]) * ratio, "TFLOP/s") for x in ("rate", "exponential_rate"))
            p.update(multiprocessors=count, bandwidth=write(0.85 * device["memory_bandwidth"], "TB/s"))
            entry[side] = p
        attention[kernel] = entry
    doc = document(device, out, attention, [], sources, derived_from=spec["like"])
    doc["cited_gemm"] = cited
    return doc


if __name__ == "__main__":
    main()
