#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calibrates this machine, predicts the step time of our own trainer from the calibration alone, trains, and compares.

For each number of ranks: `mpiexec -n N reckon calibrate`, then `reckon predict --calibration` for every configuration, then `reckon train` of all
of them in rounds, one after another, so that a slow minute of the machine falls on all alike. Nothing in a prediction has seen a training run.

Virtual machines share their cores with strangers. Each step therefore carries a pace: the processor time of a fixed piece of arithmetic right before
and after it, the worst of all ranks. A step counts as quiet when its pace is within 10 % of the best of its calibration and number of ranks, the rule
by which `calibrate` measures again; the pace knows nothing of the step. The measured time of a configuration is the median over its quiet steps of all
rounds (the first step of a run left out), a step being as long as on its slowest rank; the median over all steps stands beside it. Rounds go on until
each configuration has enough quiet steps, or --most-rounds.

Writes FOLDER/{calibration-N.json, results.json, table.md}. Exit code 0 when the median error is at most 5 % and the worst at most 12 %, 1 when
not, 2 for a program that fails.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
MEDIAN_BAR, WORST_BAR = 0.05, 0.12
SMALL, LARGER = "small-gpt.json", "larger-llama.json"


def config(ranks, model, seq, mb, gb, **degrees):
    return {"ranks": ranks, "model": model, "seq": seq, "mb": mb, "gb": gb, **degrees}


CONFIGURATIONS = [
    config(1, SMALL, 128, 4, 8),
    config(1, SMALL, 128, 2, 8),
    config(1, SMALL, 128, 4, 8, recompute="full"),
    config(1, LARGER, 128, 4, 4),
    config(1, LARGER, 128, 2, 4),
    config(1, LARGER, 128, 4, 4, recompute="full"),
    config(1, SMALL, 128, 4, 8, precision="bf16"),
    config(2, SMALL, 128, 4, 8, dp=2),
    config(2, LARGER, 128, 2, 8, dp=2),
    config(2, SMALL, 128, 4, 8, dp=2, sharding="zero1"),
    config(2, LARGER, 128, 4, 8, dp=2, sharding="zero1", recompute="full"),
    config(2, SMALL, 128, 4, 8, tp=2),
    config(2, LARGER, 128, 4, 8, tp=2),
    config(2, SMALL, 128, 2, 8, pp=2),
    config(2, LARGER, 128, 2, 8, pp=2, recompute="full"),
    config(2, LARGER, 256, 2, 4, cp=2),
    config(4, SMALL, 128, 4, 16, dp=4),
    config(4, LARGER, 128, 2, 8, dp=4, sharding="zero1"),
    config(4, LARGER, 128, 4, 8, tp=4),
    config(4, LARGER, 128, 2, 8, tp=2, pp=2),
    config(4, SMALL, 128, 2, 16, pp=4),
    config(4, LARGER, 128, 2, 8, pp=4, recompute="full"),
    config(4, LARGER, 256, 2, 4, dp=2, cp=2),
]


def label(c):
    parts = [f"{name} {c[name]}" for name in ("dp", "tp", "pp", "cp") if c.get(name, 1) > 1] or ["one rank"]
    if c.get("sharding"):
        parts.append(c["sharding"])
    if c.get("recompute"):
        parts.append("recompute " + c["recompute"])
    if c.get("precision"):
        parts.append(c["precision"])
    return ", ".join(parts)


def options(c):
    """What train and predict are both told."""
    words = ["--model", str(HERE / c["model"]), "--seq-len", str(c["seq"]), "--mb", str(c["mb"]), "--gb", str(c["gb"]), "--precision", c.get("precision", "fp32"),
             "--sharding", c.get("sharding", "none"), "--recompute", c.get("recompute", "none")]
    for name in ("dp", "tp", "pp", "cp"):
        words += ["--" + name, str(c.get(name, 1))]
    return words


class Program:
    def __init__(self, path, mpiexec, log):
        self.path, self.mpiexec, self.log = path, mpiexec, log
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def run(self, ranks, words, may_fail=()):
        command = [self.path, *words] if ranks == 1 else [self.mpiexec, "-n", str(ranks), self.path, *words]
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(" ".join(command) + "\n")
            # A group of its own, ended with this script: ranks that go on alone would spoil the next measurement.
            process = subprocess.Popen(command, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
            try:
                out, err = process.communicate()
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            log.write(err)
        if process.returncode != 0 and process.returncode not in may_fail:
            print(f"prove.py: exit code {process.returncode}: {' '.join(command)}\n{err}", file=sys.stderr)
            sys.exit(2)
        return out

    def answer(self, ranks, words, may_fail=()):
        text = self.run(ranks, words, may_fail)
        return json.loads(text[text.index("{"):])


QUIET = 1.10  # as in `reckon calibrate`


def measured_steps(training):
    return [{"seconds": s["seconds"]["total"], "pace": s["pace"]} for s in training["steps"][1:]]


def best_pace(configurations):
    """Of the calibration and of the steps: of these the fifth percentile, since one lucky reading does not count."""
    paces = sorted(s["pace"] for c in configurations for s in c["steps"])
    return min(paces[len(paces) // 20], configurations[0]["calibration"]["pace_s"])


def quiet_steps(c, best):
    return [s["seconds"] for s in c["steps"] if s["pace"] <= QUIET * best]


def machine_of(file):
    machine = json.loads(file.read_text())["machine"]
    number, unit = machine["pace"].split()
    return {"pace_s": float(number) * {"us": 1e-6, "ms": 1e-3}[unit], "slow_share": machine["slow_share"]}


def shapes_of(configurations):
    """The shapes of products and attention that these configurations make, for calibrate to measure beside its grid."""
    def all_of(name, default=1):
        return ",".join(sorted({str(c.get(name, default)) for c in configurations}, key=int))
    models = ",".join(sorted({str(HERE / c["model"]) for c in configurations}))
    return ["--model", models, "--seq-len", all_of("seq"), "--mb", all_of("mb"), "--tp", all_of("tp"), "--cp", all_of("cp")]


def calibrate(program, ranks, configurations, file, arguments):
    """Calibrates until at most a fifth of the samples were taken while the machine was slow; keeps the quietest."""
    precisions = ",".join(sorted({c.get("precision", "fp32") for c in configurations}))
    shapes = [] if arguments.grid_only else shapes_of(configurations)
    for turn in range(arguments.calibrations):
        trial = file.with_suffix(".trial")
        program.run(ranks, ["calibrate", "--out", str(trial), "--force", "--threads", "1", "--quiet", "--clock", arguments.clock, "--patience", str(arguments.patience),
                            "--precisions", precisions, *shapes])
        new = machine_of(trial)
        print(f"{ranks} ranks: calibration {turn + 1}, {100 * new['slow_share']:.0f} % of its samples slow, pace {1e6 * new['pace_s']:.1f} us", file=sys.stderr)
        if turn == 0 or new["slow_share"] < machine_of(file)["slow_share"]:
            trial.replace(file)
        trial.unlink(missing_ok=True)
        if new["slow_share"] <= 0.2:
            break


def prove(program, folder, arguments):
    text = HERE.parent / "README.md"
    rows = []
    chosen = [c for c in CONFIGURATIONS if not arguments.ranks or c["ranks"] in arguments.ranks]
    for ranks in sorted({c["ranks"] for c in chosen}):
        file = folder / f"calibration-{ranks}.json"
        own = [dict(c) for c in chosen if c["ranks"] == ranks]
        if not (arguments.keep_calibrations and file.exists()):
            calibrate(program, ranks, own, file, arguments)
        for c in own:
            prediction = program.answer(1, ["predict", "--calibration", str(file), "--training", "pretrain", *options(c), "--json"], may_fail=(3,))
            c["prediction"] = prediction
            c["steps"], c["phases"], c["calibration"] = [], [], machine_of(file)
        for turn in range(arguments.most_rounds):
            best = best_pace(own) if turn > 0 else 0.0
            wanting = [c for c in own if turn < arguments.rounds or len(quiet_steps(c, best)) < arguments.quiet_steps]
            if not wanting:
                break
            for c in wanting:
                training = program.answer(ranks, ["train", "--text", str(text), "--steps", str(arguments.steps), "--threads", "1", *options(c), "--json", "--quiet"])
                c["steps"] += measured_steps(training)
                c["phases"].append(training["steps"][-1]["seconds"])
            print(f"{ranks} ranks: round {turn + 1}, {len(wanting)} configurations", file=sys.stderr)
        rows += own
    return rows


def predicted_seconds(prediction):
    return prediction["prediction"]["step_time_s"]


def finish(rows):
    out = []
    best = {ranks: best_pace([c for c in rows if c["ranks"] == ranks]) for ranks in {c["ranks"] for c in rows}}
    for c in rows:
        steps, quiet = [s["seconds"] for s in c["steps"]], quiet_steps(c, best[c["ranks"]])
        measured, predicted = statistics.median(quiet or steps), predicted_seconds(c["prediction"])
        out.append({"ranks": c["ranks"], "model": c["model"].removesuffix(".json"), "strategy": label(c), "sequence_length": c["seq"], "micro_batch": c["mb"],
                    "global_batch": c["gb"], "measured_s": measured, "fastest_s": min(steps), "slowest_s": max(steps), "steps": len(steps), "quiet_steps": len(quiet),
                    "median_of_all_s": statistics.median(steps), "calibration": c["calibration"], "best_pace_s": best[c["ranks"]], "measured_steps": c["steps"],
                    "predicted_s": predicted, "error": predicted / measured - 1, "parts": {k: v for k, v in c["prediction"]["prediction"].items() if k.startswith("time_")}, "phases_of_last_steps": c["phases"]})
    return out


def table(results, summary):
    lines = ["| ranks | model | strategy | tokens of a sequence | micro-batch / global | measured, ms | quiet steps | median of all | predicted, ms | error |",
             "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for r in results:
        lines.append(f"| {r['ranks']} | {r['model']} | {r['strategy']} | {r['sequence_length']} | {r['micro_batch']} / {r['global_batch']} | {1e3 * r['measured_s']:.1f} "
                     f"| {r['quiet_steps']} of {r['steps']} | {1e3 * r['median_of_all_s']:.1f} | {1e3 * r['predicted_s']:.1f} | {100 * r['error']:+.1f} % |")
    lines.append("")
    lines.append(f"{len(results)} configurations: median error {100 * summary['median_error']:.1f} %, worst {100 * summary['worst_error']:.1f} %, bias {100 * summary['bias']:+.1f} %.")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--mpiexec", default="mpiexec")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most-rounds", type=int, default=12)
    parser.add_argument("--quiet-steps", type=int, default=7, help="wanted of each configuration")
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--ranks", type=int, nargs="*", help="only these numbers of ranks")
    parser.add_argument("--calibrations", type=int, default=3, help="at most, until one is quiet")
    parser.add_argument("--patience", type=int, default=180, help="seconds that a calibration may wait for quiet moments")
    parser.add_argument("--clock", default="wall", choices=["wall", "processor"])
    parser.add_argument("--grid-only", action="store_true", help="calibrate without the models' own shapes")
    parser.add_argument("--keep-calibrations", action="store_true", help="use the calibrations that are in FOLDER")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    path = shutil.which(arguments.program)
    if path is None:
        sys.exit(f"prove.py: no program '{arguments.program}'")
    arguments.out.mkdir(parents=True, exist_ok=True)
    program = Program(os.path.abspath(path), arguments.mpiexec, arguments.out / "log.txt")
    begun = time.time()
    results = finish(prove(program, arguments.out, arguments))
    errors = sorted(abs(r["error"]) for r in results)
    summary = {"configurations": len(results), "median_error": statistics.median(errors), "worst_error": errors[-1],
               "bias": statistics.median(r["error"] for r in results), "seconds": round(time.time() - begun)}
    version = json.loads(program.run(1, ["version", "--json"]))
    text = table(results, summary)
    (arguments.out / "results.json").write_text(json.dumps({"schema": "reckon/own-training/1", "summary": summary, "version": version, "results": results}, indent=1) + "\n")
    (arguments.out / "table.md").write_text(text)
    print(text, end="")
    print(f"kept in {arguments.out}", file=sys.stderr)
    return 0 if summary["median_error"] <= MEDIAN_BAR and summary["worst_error"] <= WORST_BAR else 1


if __name__ == "__main__":
    sys.exit(main())
