"""Fabric fits and the writer of models/calibrations/links.json; used by fit_links.py.

SPDX-License-Identifier: Apache-2.0
"""
import json

import numpy as np
from scipy.optimize import least_squares

import link_formulas as formulas

GB, MIB = 1e9, 2.0**20
# table id: (fabric kind, accelerator key, members in a domain, NIC share of a device in bytes/s, switches that reduce)
TABLES = {
    "nccl-01": ("efa", "h100", 8, 50 * GB, False), "nccl-02": ("efa", "a100", 8, 6.25 * GB, False),
    "stas-b200-4node": ("efa", "b200", 8, 50 * GB, False), "stas-h200-4node": ("efa", "h200", 8, 50 * GB, False),
    "nccl-12": ("gpudirect-tcpx", "h100", 8, 25 * GB, False),
    "nccl-15": ("roce", "h200", 8, 50 * GB, False), "nccl-16": ("roce", "b200", 8, 50 * GB, False),
    "nccl-18": ("roce", "a100", 8, 25 * GB, False),
    "nccl-30": ("roce", "h100", 8, 50 * GB, False), "idx-h100-oci-2node": ("roce", "h100", 8, 50 * GB, False),
    "idx-h200-dell-2node": ("roce", "h200", 8, 50 * GB, False),
    "nccl-35": ("infiniband", "a100", 8, 25 * GB, False), "nccl-31": ("infiniband", "h100", 8, 50 * GB, True),
}
FIELDS = ["ring_efficiency", "tree_efficiency", "base", "step", "bulk_step", "fill", "fill_size"]
LOW = np.array([.5, .5, 1e-6, 2e-6, 3e-6, 1e-6, 1e5])
HIGH = np.array([.97, .97, 6e-5, 2e-5, 4e-5, 3e-4, 5e7])
START = np.array([.88, .85, 1e-5, 6e-6, 1.4e-5, 3e-5, 3e6])
# Not fitted.  all_to_all and point to point: DeepEP's internode kernels reach 43 to 58 of 50 GB/s NICs for dispatch and combine
# (deepseek-ai/DeepEP README, 2025), ib_write_bw about 97 % of the line; NCCL send/recv less.  Loss with scale: assumed, no table has a sweep
# over nodes.  In-network: nccl-31 with SHARP sums 8 GiB at 195 GB/s on nodes of 8 x 50 GB/s.
FIXED = {"all_to_all_efficiency": .8, "point_to_point_efficiency": .85, "in_network_efficiency": 0.49, "in_switch_retained": 1.0, "peer": 5e-7,
         "loss_per_doubling": 0.02, "loss_free_domains": 8}


# Fabrics on which NCCL takes the double tree between two domains without in-switch reduction.  Over plain InfiniBand and RoCE its tuner
# expects less of it than of the ring (src/graph/tuning.cc: 0.92 / 2 of the tree's bus rate against n / (2 (n - 1)) of the ring's): two nodes
# of A100s sum at 171 to 191 of 200 GB/s in nccl-18, -21 to -24 and -29, which is a ring, and at 238 in nccl-26 and -28 alone.  AWS's plugin
# takes it (nccl-02: 78 of 50 GB/s).
TREE_BETWEEN_TWO = {"efa", "gpudirect-tcpx"}


def fabric_of(z, kind):
    return dict(zip(FIELDS, np.exp(z))) | FIXED | {"tree_between_two": kind in TREE_BETWEEN_TWO}


def rows_of(curves, kind):
    rows = []
    for name, (of, key, per_domain, nic, reduces) in TABLES.items():
        c = curves.get(name)
        if of != kind or c is None:
            continue
        for p in c["curve"]:
            if p["bytes"] and p["bytes"] >= 32 * 1024 and p.get("busbw_gbs"):
                n = c["ranks"]
                bus = 2.0 if c["collective"] == "all_reduce" else 1.0
                rows.append((name, key, c["collective"], p["bytes"], bus * (n - 1) / n * p["bytes"] / (p["busbw_gbs"] * GB),
                             {"n": float(n), "r": float(min(per_domain, n)), "nic": nic, "in_network": reduces}))
    return rows


def predicted(row, fabric, domains, links):
    _, key, collective, size, _, group = row
    return float(formulas.across_time(domains[key], fabric, collective, size, group | {"link": links[key]}))


def fit_fabrics(curves, domains, links, log):
    fabrics, residuals = {}, []
    # RoCE has curves over all sizes; InfiniBand only large messages, so its latencies stay near RoCE's (the same NICs)
    prior, pull = START, np.full(len(FIELDS), .05)
    for kind in sorted({t[0] for t in TABLES.values()}, key=lambda k: (k == "infiniband", k != "roce", k)):
        if kind == "infiniband":
            prior, pull = np.array([fabrics["roce"][k] for k in FIELDS]), np.array([.05, .05, 3, 3, 3, 3, 3])
        rows = rows_of(curves, kind)
        weight = np.array([1 / np.sqrt(sum(r[0] == q[0] for q in rows)) for r in rows])

        def residual(z):
            f = fabric_of(z, kind)
            return np.append(weight * np.array([np.log(predicted(r, f, domains, links) / r[4]) for r in rows]), pull * (z - np.log(prior)))

        s = least_squares(residual, np.clip(np.log(prior), np.log(LOW) + 1e-6, np.log(HIGH) - 1e-6), loss="soft_l1", f_scale=.1, bounds=(np.log(LOW), np.log(HIGH)))
        fabrics[kind] = fabric_of(s.x, kind)
        for label, least in (("all", 0), ("16 MiB and more", 16 * MIB)):
            e = np.array([predicted(r, fabrics[kind], domains, links) / r[4] - 1 for r in rows if r[3] >= least])
            if len(e):
                residuals.append({"device": kind, "collective": "all", "sizes": label, "kind": "fit", "points": len(e), "median": float(np.median(abs(e))),
                                  "p90": float(np.percentile(abs(e), 90)), "bias": float(e.mean())})
                print(kind, label, residuals[-1], file=log)
    return fabrics, residuals


def microseconds(v):
    return f"{v * 1e6:.5g} us"


def path(p, link):
    if p["efficiency"] <= 0:
        return {"base": "0 us", "step": "0 us", "efficiency": 0.0, "fill": "0 us", "fill_size": "0 B"}
    return {"base": microseconds(p["base"]), "step": microseconds(p["step"]), "efficiency": round(float(p["efficiency"]), 4),
            "fill": microseconds(p["fill"]), "fill_size": f"{p['fill_size'] / 1e6:.5g} MB"}


def domain_entry(d, link, measured, source):
    # NCCL send/recv inside a domain: the pairwise path of all_to_all with one peer
    return {"measured": measured, "source": source, "low_latency": path(d["low_latency"], link), "mid": path(d["mid"], link), "bulk": path(d["bulk"], link),
            "in_switch": path(d["in_switch"], link), "all_to_all": path(d["all_to_all"], link), "point_to_point": path(d["all_to_all"], link),
            "copy": {k: f"{v / GB:.5g} GB/s" for k, v in d["copy"].items()}, "in_switch_min_ranks": d["in_switch_min_ranks"]}


def fabric_entry(f, measured, source):
    out = {"measured": measured, "source": source}
    for k, v in f.items():
        out[k] = microseconds(v) if k in ("base", "step", "bulk_step", "fill", "peer") else f"{v / 1e6:.5g} MB" if k == "fill_size" else round(v, 4) if k not in ("loss_free_domains", "tree_between_two") else v
    return out


SOURCES = {
    "aiconfigurator": {"title": "ai-dynamo/aiconfigurator, collected NCCL latencies 512 B to 512 MiB on 2, 4 and 8 devices, and the all-reduce tables of stas00/ml-engineering network/README.md",
                       "url": "ai-dynamo/aiconfigurator@095f58a51c4ca8e61b66ec108d86f223f8d559ce", "date": "2026-11-21", "read": True},
    "multi-node": {"title": "multi-node nccl-tests tables published by AWS, Google Cloud, Oracle, CoreWeave and stas00/ml-engineering; ids in scripts/link_defaults.py",
                   "url": "aws-samples/awsome-distributed-training@b0dac9bcd7646bc76c26987353f8ae9879aa634b", "date": "2026-11-21", "read": True},
    "assumed": {"title": "no published table: the fitted fabric that is nearest in kind", "url": "", "date": "2026-11-21", "read": False}}


def write(out, domains, fabrics, residuals, links):
    entries = {k: domain_entry(d, links[k], True, "aiconfigurator") for k, d in domains.items()}
    for name, like in (("v100", "a100"), ("a800", "a100"), ("h800", "h100"), ("gh200", "h100"), ("default", "a100")):
        entries[name] = domain_entry(domains[like], links[like], False, "assumed")
    kinds = {k: fabric_entry(f, True, "multi-node") for k, f in fabrics.items()}
    omni = fabrics["roce"] | {"ring_efficiency": .75, "tree_efficiency": .7, "point_to_point_efficiency": .7}
    for name, f in (("omni-path", omni), ("ethernet", fabrics["roce"]), ("slingshot", fabrics["roce"]), ("default", fabrics["roce"])):
        kinds[name] = fabric_entry(f, False, "assumed")
    for r in residuals:
        for k in ("median", "p90", "bias"):
            r[k] = round(r[k], 4)
    json.dump({"format": "reckon/links/1", "domains": entries, "fabrics": kinds, "residuals": residuals, "sources": SOURCES}, out, indent=1)
    out.write("\n")
