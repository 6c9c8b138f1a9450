#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the range of `model_error` in models/costs/defaults.json comes from: the published runs, replayed.

    scripts/model_error.py PROGRAM [--check | --update]

Measured over predicted step time of every run in experiments/published: its 10th and 90th percentile, with every source weighing the same and
with every run weighing the same, the wider of both at each end. Prints them with the coverage of the band that the model has: of all runs, and leaving out one source at a time, where the band comes from
the other sources. --check fails unless the model's band holds 70 to 90 % of the runs (80 are meant; the predictions move); --update writes the fresh band into the model.
"""
import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
DEFAULTS = os.path.join(ROOT, "models", "costs", "defaults.json")


def ratios(program):
    """{source file: measured over predicted step times}."""
    files = sorted(glob.glob(os.path.join(ROOT, "experiments", "published", "*.json")))
    done = subprocess.run([program, "validate", *files, "--json"], check=True, capture_output=True, text=True)
    runs = {r["id"]: r for r in json.loads(done.stdout)["runs"]}
    out = {}
    for path in files:
        with open(path, encoding="utf-8") as file:
            ids = [r["id"] for r in json.load(file).get("runs", [])]
        found = [runs[i]["measured_step_time_s"] / runs[i]["predicted_step_time_s"] for i in ids
                 if i in runs and runs[i]["status"] == "ok" and runs[i]["measured_step_time_s"]]
        if found:
            out[os.path.basename(path)] = found
    return out


def percentile(weighted, share):
    """The first ratio at which the weights, which add up to 1, reach share."""
    at = 0.0
    for ratio, weight in weighted:
        at += weight
        if at >= share - 1e-12:
            return ratio
    return weighted[-1][0]


def band(by_source, low=0.1, high=0.9):
    """The wider at each end of weighing sources and runs alike."""
    runs = sum(map(len, by_source.values()))
    by_source_weight = sorted((r, 1 / len(found) / len(by_source)) for found in by_source.values() for r in found)
    by_run_weight = sorted((r, 1 / runs) for found in by_source.values() for r in found)
    return (min(percentile(w, low) for w in (by_source_weight, by_run_weight)), max(percentile(w, high) for w in (by_source_weight, by_run_weight)))


def coverage(found, low, high):
    return sum(low <= r <= high for r in found) / len(found)


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    by_source = ratios(os.path.abspath(words[0]))
    fresh = band(by_source)
    with open(DEFAULTS, encoding="utf-8") as file:
        text = file.read()
    entry = next(a for a in json.loads(text)["assumptions"] if a["name"] == "model_error")
    model = float(entry["low"]), float(entry["high"])
    every = [r for found in by_source.values() for r in found]
    left_out = [(source, coverage(found, *band({s: f for s, f in by_source.items() if s != source}))) for source, found in by_source.items()]
    unseen = sum(c * len(by_source[s]) for s, c in left_out) / len(every)
    held = coverage(every, *model)
    print(f"{len(every)} runs of {len(by_source)} sources: P10 {fresh[0]:.3f}, P90 {fresh[1]:.3f}; the model says {model[0]} and {model[1]}")
    print(f"in the model's band: {100 * held:.1f} % of the runs; unseen sources in the band of the others: {100 * unseen:.1f} %")
    if "--update" in sys.argv:
        new = re.sub(r'("name": "model_error",\s*"value": "1",\s*"low": ")[^"]*(",\s*"high": ")[^"]*', rf"\g<1>{fresh[0]:.3f}\g<2>{fresh[1]:.3f}", text)
        with open(DEFAULTS, "w", encoding="utf-8") as file:
            file.write(new)
    if "--check" in sys.argv and not 0.70 <= held <= 0.90:
        print("the band should hold about 80 %: run scripts/model_error.py PROGRAM --update")
        return 1
    return 0


sys.exit(main())
