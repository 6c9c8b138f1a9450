#!/usr/bin/env python3
"""Fits models/calibrations/links.json to a folder of published tables (nccl_busbw.json, curves of time by message size).

    scripts/fit_links.py FOLDER > models/calibrations/links.json

Per accelerator: low-latency, mid (LL128) and bulk rings, in-switch all-reduce and pairwise all-to-all of one NVLink domain.
Per fabric kind: efficiency and latency of the NIC path, from the multi-node tables.  Robust least squares on log time.
SPDX-License-Identifier: Apache-2.0
"""
import itertools
import json
import os
import sys

import numpy as np
from scipy.optimize import least_squares

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import link_defaults
import link_formulas as formulas

GB, MIB = 1e9, 2.0**20
ACCELERATORS = {  # key in the file, name in the tables, nominal link one way
    "a100": ("A100-SXM4-80GB", 300 * GB), "h100": ("H100-SXM-80GB", 450 * GB), "h200": ("H200-SXM", 450 * GB),
    "b200": ("B200-SXM", 900 * GB), "b300": ("B300-SXM", 900 * GB), "gb200": ("GB200", 900 * GB), "gb300": ("GB300", 900 * GB)}
LARGE = {"h100": ["nccl-36"], "b200": ["stas-b200-1node"], "gb200": ["nccl-27", "nccl-32"], "gb300": ["nccl-17"]}
ML_ENGINEERING = {  # stas00/ml-engineering network/README.md: (collective, ranks, MiB, busbw GB/s)
    "a100": [("all_reduce", 8, 2**k, b) for k, b in ((10, 229.04), (11, 231.41), (12, 233.88), (13, 234.61), (14, 234.89))],
    "h100": [("all_gather", 8, 2**14, 361.4), ("reduce_scatter", 8, 2**14, 362.9)],
    "h200": [("all_reduce", 8, 2**k, b) for k, b in ((10, 463.58), (11, 469.17), (12, 473.1), (13, 477.45), (14, 482.26))]
    + [("all_reduce", n, 2**13, b) for n, b in ((4, 363.3), (5, 414.2), (6, 435.6), (7, 460.0))]
    + [("all_gather", 8, 2**14, 361.4), ("reduce_scatter", 8, 2**14, 362.9)],
    "b200": [("all_reduce", n, 2**13, b) for n, b in ((4, 673.2), (5, 677.8), (6, 778.2), (7, 811.2))]}
COLLECTIVES = ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]
BUS_FACTOR = {"all_reduce": 2.0, "all_gather": 1.0, "reduce_scatter": 1.0, "all_to_all": 1.0}

# One row per fitted number: name, start (share of the link where it is a rate), low, high.
DOMAIN = [("low_latency.base", 6e-6, 1e-6, 3e-5), ("low_latency.step", .9e-6, 2e-7, 4e-6), ("low_latency.efficiency", .05, .005, .3),
          ("mid.base", 7e-6, 2e-6, 3e-5), ("mid.step", 1.2e-6, 3e-7, 4e-6), ("mid.efficiency", .3, .1, .8),
          ("bulk.base", 1e-5, 2e-6, 4e-5), ("bulk.step", 1.5e-6, 3e-7, 1e-5), ("bulk.efficiency", .82, .7, .88),
          ("bulk.fill", 15e-6, 1e-7, 1e-4), ("bulk.fill_size", 3e6, 1e5, 3e7),
          ("copy.all_reduce", 2.0, .5, 20), ("copy.all_gather", 2.0, .5, 20), ("copy.reduce_scatter", 2.0, .5, 20),
          ("all_to_all.base", 8e-6, 2e-6, 3e-5), ("all_to_all.step", 2e-7, 2e-8, 2e-6), ("all_to_all.efficiency", .72, .5, .9),
          ("all_to_all.fill", 15e-6, 1e-6, 1e-4), ("all_to_all.fill_size", 3e6, 2e5, 3e7), ("copy.all_to_all", 2.0, .5, 20),
          ("in_switch.base", 25e-6, 8e-6, 9e-5), ("in_switch.efficiency", .58, .4, .65),
          ("in_switch.fill", 8e-5, 1e-6, 4e-4), ("in_switch.fill_size", 5e7, 5e6, 3e8)]


def load(folder):
    with open(os.path.join(folder, "nccl_busbw.json")) as f:
        return {c["id"]: c for c in json.load(f)["curves"]}


def domain_rows(curves, key):
    """(collective, ranks, bytes, seconds) inside one domain."""
    name, rows = ACCELERATORS[key][0], []
    for c in curves.values():
        if c["id"].startswith("aic") and c["accelerator"] == name:
            collective = {"alltoall": "all_to_all"}.get(c["collective"], c["collective"])
            rows += [(collective, c["ranks"], p["bytes"], p["time_us"] * 1e-6) for p in c["curve"]]
    extra = [("all_reduce", curves[i]["ranks"], p["bytes"] / MIB, p["busbw_gbs"]) for i in LARGE.get(key, [])
             for p in curves[i]["curve"] if p["bytes"] > 512 * MIB]
    for collective, n, mib, bus in extra + ML_ENGINEERING.get(key, []):
        rows.append((collective, n, mib * MIB, BUS_FACTOR[collective] * (n - 1) / n * mib * MIB / (bus * GB)))
    kinds = np.array([COLLECTIVES.index(r[0]) for r in rows])
    return kinds, np.array([r[1] for r in rows], float), np.array([r[2] for r in rows], float), np.array([r[3] for r in rows])


def empty_path():
    return {"base": 0.0, "step": 0.0, "efficiency": 0.0, "fill": 0.0, "fill_size": 0.0}


def domain_of(values, link, in_switch):
    d = {k: empty_path() for k in ("low_latency", "mid", "bulk", "in_switch", "all_to_all")}
    d.update(copy={}, in_switch_min_ranks=5)
    for (name, *_), v in zip(DOMAIN, values):
        group, field = name.split(".")
        d[group][field] = v * link if group == "copy" else v
    if not in_switch:
        d["in_switch"] = empty_path()
    return d


def predict(domain, link, kinds, n, size):
    out = np.zeros(len(size))
    for i, collective in enumerate(COLLECTIVES):
        m = kinds == i
        out[m] = formulas.domain_time(domain, collective, size[m], n[m], link)
    return out


def fit_values(rows, link, in_switch, start, seeds):
    kinds, n, size, seconds = rows
    weight = np.where(size >= 16 * MIB, 1.4, np.where(size >= MIB, 1.0, .5))
    low, high = (np.log([d[i] for d in DOMAIN]) for i in (2, 3))

    def residual(z):
        return weight * np.log(predict(domain_of(np.exp(z), link, in_switch), link, kinds, n, size) / seconds)

    best = None
    for seed in range(seeds):
        z = np.log(start) + np.random.default_rng(seed).normal(0, .2 if seed else 0, len(DOMAIN))
        s = least_squares(residual, np.clip(z, low + 1e-3, high - 1e-3), loss="soft_l1", f_scale=.05, bounds=(low, high))
        if best is None or s.cost < best.cost:
            best = s
    return np.exp(best.x), best.cost


def fit_domain(rows, link, in_switch, seeds=4):
    values, _ = fit_values(rows, link, in_switch, np.array([d[1] for d in DOMAIN]), seeds)
    return domain_of(values, link, in_switch)


def residual_rows(key, kind, domain, link, rows):
    kinds, n, size, seconds = rows
    error = predict(domain, link, kinds, n, size) / seconds - 1
    ranges = [("512 B - 512 KiB", size < MIB), ("1 MiB - 512 MiB", (size >= MIB) & (size <= 512 * MIB)), ("16 MiB and more", size >= 16 * MIB)]
    out = []
    for (text, mask), i in itertools.product(ranges, [None, 0, 1, 2, 3]):
        m = mask if i is None else mask & (kinds == i)
        if m.any():
            out.append({"device": key, "collective": "all" if i is None else COLLECTIVES[i], "sizes": text, "kind": kind, "points": int(m.sum()),
                        "median": float(np.median(abs(error[m]))), "p90": float(np.percentile(abs(error[m]), 90)), "bias": float(error[m].mean())})
    return out


def fit_all_domains(curves, log):
    domains, residuals = {}, []
    for key, (_, link) in ACCELERATORS.items():
        rows = domain_rows(curves, key)
        in_switch = key != "a100"
        domains[key] = fit_domain(rows, link, in_switch)
        residuals += residual_rows(key, "fit", domains[key], link, rows)
        octave = np.round(np.log2(rows[2])).astype(int)
        train, test = (tuple(a[octave % 2 == parity] for a in rows) for parity in (0, 1))
        residuals += residual_rows(key, "held-out", fit_domain(train, link, in_switch, 2), link, test)
        for r in residuals:
            if r["device"] == key and r["collective"] == "all":
                print(f"{key:6} {r['kind']:9} {r['sizes']:16} {r['points']:4} median {r['median']:.3f} p90 {r['p90']:.3f} bias {r['bias']:+.3f}", file=log)
    return domains, residuals


if __name__ == "__main__":
    table = load(sys.argv[1])
    fitted, figures = fit_all_domains(table, sys.stderr)
    fabrics, fabric_figures = link_defaults.fit_fabrics(table, fitted, {k: v[1] for k, v in ACCELERATORS.items()}, sys.stderr)
    link_defaults.write(sys.stdout, fitted, fabrics, figures + fabric_figures, {k: v[1] for k, v in ACCELERATORS.items()})
