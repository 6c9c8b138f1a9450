"""The closed forms of src/calibration/{gemm,attention}.hpp on numpy arrays, for the fits.

Parameters are plain dictionaries with the keys of the calibration files, in base units (s, B, FLOP).
The C++ tests hold both versions together: every calibration file cites points with the time that these functions gave.
SPDX-License-Identifier: Apache-2.0
"""

import numpy as np


def fourth_power_sum(a, b):
    return (a**4 + b**4) ** 0.25


def unlimited_gemm_time(p, m, n, k, batch=1.0):
    """GemmCost::unlimited without the alignment of rows: tiles, waves, k-loop, traffic, launch."""
    best = np.inf
    for tile_m, tile_n, multiprocessors in p["tiles"]:
        slots = p["multiprocessors"] / multiprocessors
        waves = np.ceil(m / tile_m) * np.ceil(n / tile_n) * batch / slots
        idle = p["wave_quantisation"] * (np.ceil(waves) - waves)
        lost = idle * p["split_overhead"] / (idle * k + p["split_overhead"])
        efficiency = 1.0 / (1.0 + p["tile_penalty"] * (128.0 / tile_m + 128.0 / tile_n - 1.0))
        per_k = 2.0 * tile_m * tile_n / (p["rate"] / p["multiprocessors"] * multiprocessors * efficiency)
        best = np.minimum(best, (waves + lost) * per_k)
    compute = best * (k + p["k_overhead"])
    traffic = batch * ((m + n) * k * p["operand_bytes"] + m * n * p["result_bytes"])
    return fourth_power_sum(compute, traffic / p["bandwidth"]) + p["launch"]


def power_slowdown(p, utilisation):
    return (1.0 + (utilisation / p["knee"]) ** 8) ** (p["exponent"] / 8.0)


def gemm_time(p, m, n, k, batch=1.0, sustained=True):
    """GemmCost::sustained_time, or burst_time when not sustained."""
    time = unlimited_gemm_time(p, m, n, k, batch)
    heated = p["duty"] if sustained else time**2 / (time**2 + p["settling"] ** 2)
    return time * power_slowdown(p, heated * 2.0 * m * n * k * batch / (time * p["peak"]))


def visible_scores(seq_q, seq_kv, causal, window):
    """Scores of one head that the mask leaves; arrays.  window 0 = full."""
    windowed = (window > 0) & (window < seq_kv)
    width = np.where(windowed, window, seq_kv)
    rows = np.minimum(seq_q, seq_kv)
    cut = seq_kv - width
    cut_rows = np.minimum(cut, rows)
    below = rows * (2.0 * seq_kv - rows + 1.0) / 2.0 - cut_rows * (2.0 * cut - cut_rows + 1.0) / 2.0
    return np.where(causal, below, seq_q * width)


def attention_time(p, s, backward=False):
    """AttentionCost::time of one pass; `s` maps the field names of AttentionShape to arrays."""
    dim = (s["head_dim"] + s["v_head_dim"]) / 2.0
    wide = 1.0 + p["wide_head_penalty"] * np.maximum(0.0, dim - p["wide_head_from"]) / 128.0
    per_score = 4.0 * dim * wide / p["rate"] + 1.0 / p["exponential_rate"]
    sequences = s["batch"] * s["heads"]
    tiles = np.ceil(s["seq_q"] / p["query_tile"])
    waves = sequences * tiles / p["multiprocessors"]
    windowed = (s["window"] > 0) & (s["window"] < s["seq_kv"])
    edges = s["causal"].astype(float) + windowed
    touched = visible_scores(s["seq_q"], s["seq_kv"], s["causal"], s["window"])
    touched = np.minimum(s["seq_q"] * s["seq_kv"], touched + edges * s["seq_q"] * (p["query_tile"] + p["key_tile"]) / 2.0)
    row_time = p["query_tile"] * per_score * p["multiprocessors"]
    tile_time = (touched / s["seq_q"] + p["key_overhead"]) * row_time
    time = tile_time * (waves + p["wave_quantisation"] * (np.ceil(waves) - waves))
    keys = np.where(s["window"] > 0, np.minimum(s["seq_kv"], s["window"] + p["key_tile"]), s["seq_kv"])
    longest = (keys + p["key_overhead"]) * row_time
    q = s["heads"] * s["seq_q"] * s["head_dim"]
    o = s["heads"] * s["seq_q"] * s["v_head_dim"]
    kv = s["kv_heads"] * s["seq_kv"] * (s["head_dim"] + s["v_head_dim"])
    values = 6.0 * q + 2.0 * o + 2.0 * kv if backward else q + o + kv
    time = fourth_power_sum(fourth_power_sum(time, longest), 2.0 * s["batch"] * values / p["bandwidth"])
    return time + p["launch"]


def residual(predicted, measured):
    """The figures of FitResidual, without the cross-validated ones."""
    error = predicted / measured - 1.0
    size = np.abs(error)
    return {
        "points": int(size.size),
        "median": float(np.median(size)),
        "p90": float(np.percentile(size, 90)),
        "worst": float(size.max()),
        "bias": float(np.median(error)),
    }
