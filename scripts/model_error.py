#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the P10 to P90 range of `model_error` hold 80 % of the published runs?

    scripts/model_error.py PROGRAM [--leave-out GROUP] [--check]

The range of a step time in the cost study comes from the 90 % interval that `reckon predict` and `reckon validate` state for it, narrowed by the
normal quantiles to 80 % (src/app/model_error.hpp). This replays every run in experiments/published and counts how many lie inside: all runs alike,
and every source alike. With --leave-out model (minutes) the constants are fitted anew without the run's own model, as they are for a run
that nobody has measured yet; that is the coverage that the range is made for. --check fails outside 75 to 85 % there, outside 75 to 90 % without
--leave-out (the runs that the constants were fitted to lie closer).
"""
import argparse
import glob
import json
import math
import os
import subprocess
import sys

PUBLISHED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "experiments", "published", "*.json")
Z90, Z95 = 1.2815515655446004, 1.6448536269514722  # normal quantiles of 0.9 and 0.95


def main():
    parser = argparse.ArgumentParser(description="coverage of the range of model_error")
    parser.add_argument("program")
    parser.add_argument("--leave-out", default="none", choices=["none", "model", "device", "source", "stack"])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    files = sorted(glob.glob(PUBLISHED))
    words = [os.path.abspath(options.program), "validate", *files, "--json", "--leave-out", options.leave_out]
    runs = {r["id"]: r for r in json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["runs"]}
    held, widths, shares = [], [], []
    for path in files:
        with open(path, encoding="utf-8") as file:
            ids = [r["id"] for r in json.load(file).get("runs", [])]
        inside = []
        for r in (runs[i] for i in ids if i in runs):
            measured, predicted = r["measured_step_time_s"], r["predicted_step_time_s"]
            if not measured or not predicted:
                continue
            end = math.log(r["predicted_high_s"] / predicted) * Z90 / Z95
            inside.append(abs(math.log(measured / predicted)) <= end)
            widths.append(math.exp(end) - 1)
        held += inside
        if inside:
            shares.append(sum(inside) / len(inside))
    share, widths = sum(held) / len(held), sorted(widths)
    print(f"{len(held)} runs of {len(shares)} sources, left out: {options.leave_out}")
    print(f"inside P10 to P90: {100 * share:.1f} % of the runs, {100 * sum(shares) / len(shares):.1f} % with every source alike")
    print(f"P90 of the range: +{100 * widths[0]:.0f} to +{100 * widths[-1]:.0f} %, median +{100 * widths[len(widths) // 2]:.0f} %")
    if options.check and not 0.75 <= share <= (0.90 if options.leave_out == "none" else 0.85):
        print("80 % are meant: fit the stacks and their interval again (reckon fit)")
        return 1
    return 0


sys.exit(main())
