#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares answers of reckon with published figures.

usage: compare.py EXPECTED.json ANSWERS_FOLDER

EXPECTED.json (format reckon/experiment/1) lists the checks; the folder holds one 'reckon ... --json' answer a run name.
A check names a run (an answer of plan, predict or simulate), for 'plan' also the size (devices), the value to read, the published figure, and how far
apart the two may lie. Nothing here is a free band: it is made of what the source leaves open ("open", a share, with the reason in "because") and,
with "model": true, of the P10 to P90 range of the step time that the answer itself states for its software stack, device and size.

  public                    passes when public x (1 - open) / m <= ours <= public x (1 + open) x m, m the upper end of the stated range (1 without "model")
  public_range              the same with the low end on the left and the high end on the right
  public + bracket [a, b]   passes when ours at a devices <= public <= ours at b devices, for figures whose size was not published
  public + run [a, b]       the same between two runs, for figures whose layout was published in part

With "miss": REASON the prediction is known to be wrong: the line says so, and the check fails once it lies inside its band.

With "over": run the value is divided by that of the other run ("over_value": another value of it); with "saving": true beside it, the figure is how many per cent less.

Prints two tables and writes comparison.json into the folder. Exit code 0 all within, 1 some outside, 2 wrong input.
"""
import json
import os
import pathlib
import re
import sys

HOURS_A_YEAR = 365 * 24
NARROWED = 1.2815515655446004 / 1.6448536269514722  # normal quantiles of 0.9 and 0.95: from the 90 % interval to P10 and P90


def total_flop(row):
    """Model FLOP of the whole run, attention included, in 1e24 FLOP."""
    return row["model_flops_flop"] * row["steps"] / 1e24


# What a check may read: its column head and how it follows from a row of the answer.
VALUES = {
    "device_hours": ("M device-hours", lambda row: row["device_hours"] / 1e6),
    "device_years": ("device-years", lambda row: row["device_hours"] / HOURS_A_YEAR),
    "days": ("days", lambda row: row["wall_time_s"] / 86400),
    "uninterrupted_days": ("days without interruptions", lambda row: row["wall_time_s"] * row["goodput"] / 86400),
    "cost": ("M$", lambda row: row["cost_usd"] / 1e6),
    "mfu": ("MFU, %", lambda row: 100 * row["mfu"]),
    "delivered_mfu": ("MFU x goodput, %", lambda row: 100 * row["mfu"] * row["goodput"]),
    "total_flop": ("1e24 FLOP", total_flop),
    "goodput": ("goodput, %", lambda row: 100 * row["goodput"]),
    "step_time": ("s a step", lambda row: row["step_time_s"]),
}


def cell(name):
    """Reads a number of the cost study: an assumption or a formula."""
    return lambda costs: next(c["value"] for c in costs["cells"] + costs["assumptions"] if c["name"] == name)


def total(scenario):
    """Reads the total of one way to come by the devices, in M$."""
    return lambda costs: next(float(s["total_usd"]) for s in costs["scenarios"] if s["id"] == scenario) / 1e6


# The same for the cost study of an answer, which is about the size that the answer recommends.
STUDY_VALUES = {
    "energy": ("MWh", cell("energy_mwh")),
    "operational_carbon": ("t CO2e", cell("operational_t")),
    "stated_device_hours": ("M device-hours", lambda costs: cell("work_hours")(costs) / 1e6),
    "break_even": ("% use", lambda costs: 100 * cell("break_even_share")(costs)),
    "break_even_months": ("months", cell("break_even_months")),
    "own_price": ("$ a used device-hour", cell("own_used_price")),
    "rent_price": ("$ a device-hour", cell("price_on_demand")),
    "total": ("M$ in all", lambda costs: total(costs["chosen"])(costs)),
    **{f"total_{way}": ("M$ in all", total(way)) for way in ("on_demand", "reserved_1y", "reserved_3y", "spot", "block", "buy")},
}

# The same for a run that 'simulate' sampled.
SAMPLED = {
    "sampled_goodput": ("goodput, %", lambda row: 100 * row["goodput"]["p50"]),
    "weekly": ("interruptions a week", lambda row: row["interruptions"]["mean"] / (row["wall_s"]["mean"] / 604800)),
    "mttf": ("hours between interruptions", lambda row: row["mean_time_to_interruption_s"] / 3600),
}


class InputError(Exception):
    """A file that is not as the format says; the text names the file and the place."""


def load(path):
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}") from error


def row_of(answer, devices, where):
    """The plan of one size, the prediction or the sampled run; InputError when the answer has none."""
    if "prediction" in answer:
        return answer["prediction"]
    if "run" in answer:
        return answer["run"]
    for size in answer.get("sizes", []):
        if size["devices"] == devices:
            if not size["plan"]:
                raise InputError(f"{where}: no feasible plan on {devices} devices")
            return size["plan"]
    raise InputError(f"{where}: no size of {devices} devices in the answer")


def stated_range(answer, where):
    """The upper end of the P10 to P90 range of the step time, over the step time: the answer's own, from its register or its evidence."""
    for assumption in (answer.get("costs") or {}).get("assumptions", []):
        if assumption["name"] == "model_error":
            return assumption["high"]
    for assumption in answer.get("assumptions", []):
        if assumption["name"].startswith("measured against predicted step time"):
            high = re.search(r"to \+([0-9.]+) %", assumption["value"])
            return (1 + float(high.group(1)) / 100) ** NARROWED
    raise InputError(f"{where}: the answer does not say how sure it is")


def judge(check, answers, where):
    """One line of the comparison; see the head of this file for the three kinds of band."""
    known = VALUES | STUDY_VALUES | SAMPLED
    if check["value"] not in known:
        raise InputError(f"{where}: unknown value '{check['value']}'; one of: {', '.join(known)}")
    head = known[check["value"]][0]

    def value(run, devices, name=check["value"]):
        read = known[name][1]
        if name in STUDY_VALUES:
            if not answers[run].get("costs"):
                raise InputError(f"{where}: the answer of {run} has no cost study")
            return read(answers[run]["costs"])
        return read(row_of(answers[run], devices, where))

    if "bracket" in check or isinstance(check["run"], list):
        two_runs = isinstance(check["run"], list)
        ends = [(run, check.get("devices")) for run in check["run"]] if two_runs else [(check["run"], size) for size in check["bracket"]]
        low, high = (value(run, devices) for run, devices in ends)
        public = check["public"]
        return {"what": check["what"], "unit": head, "public": [public], "ours": [low, high], "ratio": None,
                "band": "between", "ok": low <= public <= high}

    ours = value(check["run"], check.get("devices"))
    if "over" in check:
        ours /= value(check["over"], check.get("devices"), check.get("over_value", check["value"]))
        head = f"{head}, ratio"
        if check.get("saving"):
            ours, head = 100 * (1 - ours), "% less"
    if ("open" in check) != ("because" in check):
        raise InputError(f"{where}: 'open' needs 'because', and the other way round")
    unsure, model = check.get("open", 0.0), stated_range(answers[check["run"]], where) if check.get("model") else 1.0
    public = check["public_range"] if "public_range" in check else [check["public"]]
    middle = (public[0] + public[-1]) / 2
    low, high = public[0] * (1 - unsure) / model, public[-1] * (1 + unsure) * model
    inside, miss = low <= ours <= high, "miss" in check
    return {"what": check["what"], "unit": head, "public": public, "ours": [ours], "ratio": ours / middle,
            "band": f"{low / middle:.2f}..{high / middle:.2f}", "miss": miss, "ok": inside != miss}


def number(value):
    """Three significant digits, thousands by commas."""
    if value >= 1000:
        return f"{value:,.0f}"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"


def table(rows):
    """Columns two blanks apart, the first one and the last one left-aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    last = len(widths) - 1
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if i in (0, last) else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def verdict(line):
    if line.get("miss"):
        return "known miss" if line["ok"] else "NO LONGER A MISS"
    return "ok" if line["ok"] else "OUTSIDE"


def comparison_table(lines):
    rows = [["compared", "published", "reckon", "ratio", "band", ""]]
    for line in lines:
        rows.append([f"{line['what']}: {line['unit']}", "-".join(map(number, line["public"])), "-".join(map(number, line["ours"])),
                     "" if line["ratio"] is None else f"{line['ratio']:.2f}", line["band"], verdict(line)])
    return table(rows)


def answers_table(answers):
    """Every size of every plan, and every prediction, goodput beside: what the published totals include and a step does not."""
    rows = [["run", "devices", "days", "M device-hours", "M$", "step, s", "MFU, %", "goodput, %", "strategy"]]
    for name, answer in answers.items():
        if "prediction" in answer:
            row = answer["prediction"]
            note = "" if answer["fits"] else " (does NOT fit)"
            figures = [number(row["step_time_s"]), number(100 * row["mfu"])]
            rows.append([name, f"{row['devices']:,}", "", "", "", *figures, "", row["strategy"] + note])
            continue
        if "run" in answer:
            row = answer["run"]
            figures = [number(row["wall_s"]["p50"] / 86400), "", number(row["cost_usd"]["p50"] / 1e6), number(answer["step"]["simulated_s"]), ""]
            rows.append([name, f"{answer['devices']:,}", *figures, number(100 * row["goodput"]["p50"]), answer["strategy"]])
            continue
        for size in answer["sizes"]:
            row = size["plan"]
            if not row:
                rows.append([name, f"{size['devices']:,}", "", "", "", "", "", "", "no feasible plan"])
                continue
            figures = [VALUES["days"][1](row), row["device_hours"] / 1e6, row["cost_usd"] / 1e6, row["step_time_s"],
                       100 * row["mfu"], 100 * row["goodput"]]
            rows.append([name, f"{size['devices']:,}", *map(number, figures), row["strategy"]])
    return table(rows)


def compare(expected_path, folder):
    """(comparison lines, text): what the experiment says and how it looks; InputError on unusable input."""
    expected = load(expected_path)
    if expected.get("format") != "reckon/experiment/1":
        raise InputError(f"{expected_path}: format is not reckon/experiment/1")
    answers = {name: load(pathlib.Path(folder) / f"{name}.json") for name in expected["runs"]}
    lines = [judge(check, answers, f"{expected_path}: check {i}") for i, check in enumerate(expected["checks"])]
    return lines, comparison_table(lines) + "\n\n" + answers_table(answers)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        lines, text = compare(*arguments)
    except InputError as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    except KeyError as error:
        print(f"compare.py: {arguments[0]}: missing key {error}", file=sys.stderr)
        return 2
    (pathlib.Path(arguments[1]) / "comparison.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader ('head') has seen enough; the interpreter must not complain on its way out
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if all(line["ok"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
