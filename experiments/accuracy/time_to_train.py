#!/usr/bin/env python3
"""MLPerf's time to train: steps x step time against the logged minutes.

    time_to_train.py --reckon PROGRAM

Steps are the samples that MLPerf's reference runs need to the quality target (mlperf_samples.json, interpolated in log batch size, held
beyond the ends) over the global batch size.  Evaluations are forward passes over the validation sequences, at the forward pass's share of
the predicted step.  How far a submission's own convergence is from the reference's is not known; the column with the measured step time
shows how much that is.  SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def samples_to_converge(points, batch):
    """Piecewise linear in log-log."""
    if batch <= points[0][0]:
        return points[0][1]
    for (b0, s0), (b1, s1) in zip(points, points[1:]):
        if batch <= b1:
            share = math.log(batch / b0) / math.log(b1 / b0)
            return s0 * (s1 / s0) ** share
    return points[-1][1]


def forward_share(parts, total):
    """The share of a step that a forward pass takes: what is neither update nor data parallel, in proportion to compute."""
    compute = parts["forward_s"] + parts["backward_s"] + parts["recompute_s"]
    once = parts["optimizer_s"] + parts["exposed_data_s"]
    return parts["forward_s"] / compute * (1 - once / total)


def steps_to_converge(benchmark, batch, share):
    """Steps, evaluations counted as the share of a step that they take."""
    samples = samples_to_converge(benchmark["points"], batch)
    steps = samples / batch
    if "evaluation" in benchmark:
        e = benchmark["evaluation"]
        count = max(1, math.ceil(samples / e["every"]) - e["skipped"])
        steps += count * e["sequences"] / batch * share
    return steps


def rows(program):
    """(benchmark, id, logged minutes, minutes from the measured step, minutes from the predicted step)."""
    path = os.path.join(HERE, "..", "published", "mlperf.json")
    done = subprocess.run([program, "validate", path, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    predicted = {run["id"]: run for run in json.loads(done.stdout)["runs"]}
    with open(os.path.join(HERE, "mlperf_samples.json"), encoding="utf-8") as file:
        benchmarks = json.load(file)["benchmarks"]
    with open(path, encoding="utf-8") as file:
        runs = json.load(file)["runs"]
    out = []
    for run in runs:
        benchmark = next((name for name in sorted(benchmarks, key=len, reverse=True) if name + "_" in run["id"] + "_"), None)
        logged = run["measured"].get("time_to_train_min")
        if benchmark is None or logged is None:
            continue
        batch = run["strategy"]["global_batch_size"]
        step = predicted[run["id"]]["predicted_step_time_s"]
        steps = steps_to_converge(benchmarks[benchmark], batch, forward_share(predicted[run["id"]]["parts"], step))
        out.append((benchmark, run["id"], logged, steps * run["measured"]["step_time_s"] / 60, steps * step / 60))
    return out


def percent(errors):
    return f"{100 * statistics.median(abs(e) for e in errors):.1f} | {100 * statistics.mean(errors):+.1f}"


def table(program):
    """Markdown: median error and bias by benchmark."""
    found = rows(program)
    lines = ["| benchmark | runs | median % with the predicted step | bias % | median % with the measured step | bias % |",
             "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name in sorted({row[0] for row in found}) + ["all"]:
        mine = [row for row in found if name in ("all", row[0])]
        lines.append(f"| {name} | {len(mine)} | {percent([r[4] / r[2] - 1 for r in mine])} | {percent([r[3] / r[2] - 1 for r in mine])} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reckon", required=True)
    print(table(parser.parse_args().reckon))


if __name__ == "__main__":
    main()
