#!/usr/bin/env python3
"""Tables and plots of predicted against measured step times, from `reckon validate`.

    accuracy.py --reckon PROGRAM [--quick] --out FOLDER RUNS.json...

Writes FOLDER/tables.md; with matplotlib also predicted.png (predicted against measured), scale.png (error by number of devices) and
sources.png (errors by source).  SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import subprocess
import sys

import time_to_train

LEFT_OUT = {
    "none": "fitted",
    "model": "each run without its model size",
    "device": "each run without its device",
    "source": "each run without its source",
    "stack": "each run without its software stack (default constants)",
}


def validate(program, files, *options):
    """What `reckon validate` prints."""
    done = subprocess.run([program, "validate", *files, *options], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def fenced(text):
    return "```\n" + text.rstrip("\n") + "\n```\n"


def averages(text):
    """The numbers of the last row of the error table, and those of the runs that were measured (all, where no simulator's are among them)."""
    rows = {}
    for line in text.split("\n"):
        for name in ("average of sources", "of measured runs alone"):
            if line.startswith(name):
                rows.setdefault(name, line.split()[len(name.split()):])  # the table of errors is the first
    return rows["average of sources"], rows.get("of measured runs alone", rows["average of sources"])


def tables(program, files, quick):
    plain = validate(program, files)
    parts = ["# Accuracy\n", "`experiments/accuracy/run.sh` writes this page. Errors are predicted / measured - 1 of the step time.\n",
             "## By source\n", fenced(plain), "## By software stack\n", fenced(validate(program, files, "--by", "stack").split("\nRegret")[0]),
             "## By device\n", fenced(validate(program, files, "--by", "device").split("\nRegret")[0])]
    if not quick:
        parts.append("## Cross-validated\n\nConstants fitted anew without the run's group; groups in at most six folds. Averages over sources: of all runs, and of\n"
                     "those alone that were measured (vTrain's single-node steps were put together by its predictor, see README.md here).\n")
        rows = ["| left out | median % | mean % | 90th pct. % | worst % | bias % | inside 90 % interval | measured: median % | mean % | 90th pct. % | inside |",
                "| --- |" + " ---: |" * 10]
        for group, name in LEFT_OUT.items():
            text = plain if group == "none" else validate(program, files, "--leave-out", group)
            (_, median, mean, p90, worst, bias, _, covered), alone = averages(text)
            rows.append(f"| {name} | {median} | {mean} | {p90} | {worst} | {bias} | {covered} | {alone[1]} | {alone[2]} | {alone[3]} | {alone[7]} |")
        parts.append("\n".join(rows) + "\n")
    parts.append("## MLPerf time to train\n\nSteps of MLPerf's reference runs (`mlperf_samples.json`) times the step, against the logged minutes. The right half, with the\n"
                 "measured step, is what evaluations and each submission's own convergence leave: no step model can be nearer.\n\n" + time_to_train.table(program))
    return "\n".join(parts)


def read_runs(program, files):
    """(source, devices, measured, predicted) of every run; what a simulator put together stands apart from its source's measurements."""
    source, devices = {}, {}
    for file in files:
        with open(file, encoding="utf-8") as f:
            for run in json.load(f)["runs"]:
                source[run["id"]] = os.path.splitext(os.path.basename(file))[0]
                devices[run["id"]] = run["cluster"]["num_devices"]
    rows = []
    for run in json.loads(validate(program, files, "--json"))["runs"]:
        if run["predicted_step_time_s"] is not None:
            rows.append((source[run["id"]] + (" (traces)" if run["traced"] else ""), devices[run["id"]], run["measured_step_time_s"], run["predicted_step_time_s"]))
    return rows


def plots(rows, folder):
    try:
        import matplotlib
    except ImportError:
        print("accuracy.py: no matplotlib, no plots (Debian: python3-matplotlib)", file=sys.stderr)
        return
    matplotlib.use("agg")
    matplotlib.rcParams.update({"font.size": 9, "savefig.dpi": 130, "axes.spines.top": False, "axes.spines.right": False})
    import matplotlib.pyplot as plt

    def save(figure, name):
        figure.tight_layout()
        figure.savefig(os.path.join(folder, name), metadata={"Software": None})
        plt.close(figure)

    names = sorted({r[0] for r in rows})
    colours = dict(zip(names, plt.cm.tab20.colors * 2))

    figure, axes = plt.subplots(figsize=(6.4, 5.2))
    span = [min(r[2] for r in rows) * 0.8, max(r[2] for r in rows) * 1.25]
    axes.fill_between(span, [0.9 * s for s in span], [1.1 * s for s in span], color="0.92", label="10 %")
    axes.plot(span, span, color="0.4", linewidth=0.8)
    for name in names:
        axes.scatter([r[2] for r in rows if r[0] == name], [r[3] for r in rows if r[0] == name], s=7, alpha=0.7, color=colours[name], label=name)
    axes.set(xscale="log", yscale="log", xlim=span, ylim=span, xlabel="measured step time, s", ylabel="predicted step time, s")
    axes.legend(fontsize=6, ncol=2, frameon=False)
    save(figure, "predicted.png")

    figure, axes = plt.subplots(figsize=(6.4, 3.4))
    for name in names:
        axes.scatter([r[1] for r in rows if r[0] == name], [100 * (r[3] / r[2] - 1) for r in rows if r[0] == name], s=7, alpha=0.7, color=colours[name])
    axes.axhline(0, color="0.4", linewidth=0.8)
    axes.set(xscale="log", xlabel="devices", ylabel="predicted / measured - 1, %", ylim=(-70, 70))
    save(figure, "scale.png")

    figure, axes = plt.subplots(figsize=(6.4, 4.2))
    axes.boxplot([[100 * (r[3] / r[2] - 1) for r in rows if r[0] == name] for name in names], vert=False, whis=(5, 95), showfliers=False,
                 medianprops={"color": "black"})
    axes.set_yticks(range(1, len(names) + 1), [f"{name} ({sum(r[0] == name for r in rows)})" for name in names])
    axes.axvline(0, color="0.4", linewidth=0.8)
    axes.set_xlabel("predicted / measured - 1, % (box: half of the runs, whiskers: 5 to 95 %)")
    save(figure, "sources.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reckon", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", required=True)
    parser.add_argument("runs", nargs="+")
    options = parser.parse_args()
    text = tables(options.reckon, options.runs, options.quick)
    with open(os.path.join(options.out, "tables.md"), "w", encoding="utf-8") as f:
        f.write(text)
    print(text)
    plots(read_runs(options.reckon, options.runs), options.out)


main()
