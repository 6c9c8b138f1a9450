#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the single-node times published with vTrain were put together by its predictor.

usage: predicted_rows.py VTRAIN.json        (made by scripts/vtrain_to_published.py)

Two tests that measurements could not pass:

1. Runs that differ in their data-parallel size alone.  The predictor prices the sum of S MiB of gradients, above 1,024 MiB, as
   S / (1,024 B) seconds, B being the last bus bandwidth of its table for n devices (VIA-Research/vTrain@f8dda8473a, src/predictor.py,
   compute_comm_time; trace/a100/AR_GPU{n}_1M_1024M_LUT, last line, second column of bandwidths).  So more devices sum faster, which no
   machine does, and the difference of two times follows to the microsecond.
2. The time of one micro-batch of runs that differ in their number of layers alone (one pipeline stage).  The predictor repeats one traced
   layer: the times lie on a straight line.

Prints both beside each other; exit code 0 when all single-node runs pass both, 1 when some do not, 2 for wrong input.
"""
import itertools
import json
import sys

BUS_BANDWIDTH = {2: 196.89, 4: 221.37, 8: 229.25}  # GB/s, see above
TABLE_ENDS = 1024  # MiB
SECONDS = 2e-6  # the file's times are rounded to 1e-6


def gradients(run):
    """MiB of 16-bit gradients of a device, embedding and head counted each (src/predictor.py, model_params)."""
    a, tp = run["architecture"], run["strategy"]["tensor_parallel"]
    h = a["hidden_size"]
    vocabulary = a["vocab_size"] // tp * h
    layer = 2 * h + 3 * h * (h // tp) + 3 * h // tp + h * (h // tp) + h + 2 * h + 4 * h * (h // tp) + 4 * h // tp + 4 * h * (h // tp) + h
    return round(2 * (2 * vocabulary + a["seq_len"] * h + a["num_layers"] * layer) / 2**20)


def key(run, *without):
    s = {**run["strategy"], "num_layers": run["architecture"]["num_layers"], "hidden_size": run["architecture"]["hidden_size"]}
    s["micro_batches"] = s.pop("global_batch_size") // s["data_parallel"] // s["micro_batch_size"]
    return tuple(sorted((k, str(v)) for k, v in s.items() if k not in without))


def grouped(runs, *without):
    out = {}
    for run in runs:
        out.setdefault(key(run, *without), []).append(run)
    return out.values()


def seconds(run):
    return run["measured"]["step_time_s"]


def sums(runs):
    """(pairs, pairs that follow the arithmetic, largest gap in us, an example)."""
    pairs = fits = 0
    largest, example = 0.0, ""
    for group in grouped(runs, "data_parallel"):
        size = gradients(group[0])
        for a, b in itertools.combinations(sorted(group, key=lambda r: r["strategy"]["data_parallel"]), 2):
            n, m = a["strategy"]["data_parallel"], b["strategy"]["data_parallel"]
            if size <= TABLE_ENDS or n == 1 or n not in BUS_BANDWIDTH or m not in BUS_BANDWIDTH:
                continue
            by_table = size / 1024 * (1 / BUS_BANDWIDTH[m] - 1 / BUS_BANDWIDTH[n])
            gap = abs(seconds(b) - seconds(a) - by_table)
            pairs += 1
            fits += gap <= SECONDS
            largest = max(largest, gap)
            example = f"{a['id']} and {b['id']}: {n} and {m} devices sum {size} MiB, {1e3 * (seconds(b) - seconds(a)):+.3f} ms stated, {1e3 * by_table:+.3f} ms by the table"
    return pairs, fits, largest, example


def lines(runs):
    """(groups of three or more, groups on a line, largest distance as a share of the time)."""
    groups = straight = 0
    largest = 0.0
    per_batch = {}
    for group in grouped(runs, "micro_batches"):  # time of one micro-batch: slope over their number
        points = sorted((int(dict(key(r))["micro_batches"]), seconds(r)) for r in group)
        if len(points) >= 2:
            slope = (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])
            per_batch[key(group[0], "micro_batches")] = (group[0], slope)
    by_layers = {}
    for run, slope in per_batch.values():
        by_layers.setdefault(key(run, "micro_batches", "num_layers", "data_parallel"), {}).setdefault(run["architecture"]["num_layers"], []).append(slope)
    for slopes in by_layers.values():
        if len(slopes) < 3:
            continue
        (x0, first), (x1, last) = min(slopes.items()), max(slopes.items())
        groups += 1
        worst = 0.0
        for x, values in slopes.items():
            on_line = first[0] + (last[0] - first[0]) * (x - x0) / (x1 - x0)
            worst = max(worst, *(abs(v / on_line - 1) for v in values))
        straight += worst < 1e-4
        largest = max(largest, worst)
    return groups, straight, largest


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        with open(sys.argv[1], encoding="utf-8") as f:
            runs = [r for r in json.load(f)["runs"] if r["id"].startswith("vtrain_single_") and r["strategy"]["pipeline_parallel"] == 1]
    except (OSError, ValueError, KeyError) as error:
        print(f"predicted_rows.py: {sys.argv[1]}: {error}", file=sys.stderr)
        return 2
    if not runs:
        print(f"predicted_rows.py: {sys.argv[1]}: no run with an id of vtrain_single_ and one pipeline stage", file=sys.stderr)
        return 2
    pairs, fits, gap, example = sums(runs)
    groups, straight, distance = lines(runs)
    print(f"{len(runs)} runs on one node with one pipeline stage")
    print(f"gradient sums above {TABLE_ENDS} MiB: {fits} of {pairs} differences follow the table within 2 us, largest gap {1e6 * gap:.1f} us")
    print(f"  {example}")
    print(f"time of a micro-batch by layers: {straight} of {groups} groups of three or more depths on a line within 0.01 %, farthest {100 * distance:.4f} %")
    return 0 if pairs and fits == pairs and straight == groups else 1


sys.exit(main())
