#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs experiments and checks them: run_experiments.py --reckon PROGRAM [--update] [NAME...]

For each experiments/NN-name: run.sh ends with 0, every published figure lies in its band (judged here again from the answers),
nothing was written beside the experiments, and the figures printed in the README's are those of the run within 5 %.
--update rewrites the tables of the README's from the run instead of checking them. No NAME: all experiments.
Exit code 0 all well, 1 not, 2 wrong call.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPERIMENTS = ROOT / "experiments"
sys.path.insert(0, str(EXPERIMENTS))
sys.dont_write_bytecode = True
import compare  # noqa: E402  (needs the path above)

STALE = 0.05  # a README may lag behind the program by this much before the test asks for --update
BLOCK = re.compile(r"(<!-- printed by run\.sh -->\n```text\n)(.*?)(```)", re.S)
INDEX = re.compile(r"(<!-- written by tests/experiments/run_experiments\.py --update -->\n)(.*?)(<!-- end -->)", re.S)


def names():
    # without public figures to compare with there is nothing to check here: such an experiment measures the machine that it runs on
    return sorted(path.parent.name for path in EXPERIMENTS.glob("[0-9][0-9]-*/expected.json"))


def snapshot():
    """Size and time of every file below experiments/: run.sh must leave them alone."""
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in EXPERIMENTS.rglob("*") if path.is_file()}


def figures(text):
    """The numbers of a cell such as '3.11-5.66' or '1,024'."""
    return [float(part.replace(",", "")) for part in re.findall(r"[0-9][0-9,]*(?:\.[0-9]+)?", text)]


def close(old, new):
    return len(old) == len(new) and all(abs(a - b) <= STALE * abs(b) for a, b in zip(old, new))


def stale(text, lines):
    """What a printed comparison table no longer says: sentences, empty when it is up to date."""
    found = []
    printed = {}
    for row in text.splitlines():
        cells = re.split(r" {2,}", row.strip())
        printed[cells[0]] = cells[1:]
    for line in lines:
        what = f"{line['what']}: {line['unit']}"
        if what not in printed:
            found.append(f"no row '{what}'")
        elif not close(figures(printed[what][1]), [float(value) for value in line["ours"]]):
            found.append(f"'{what}': README {printed[what][1]}, run {'-'.join(map(compare.number, line['ours']))}")
    return found


def run(name, program, folder):
    """(problems, comparison lines, text) of one experiment."""
    before = snapshot()
    result = subprocess.run([str(EXPERIMENTS / name / "run.sh"), str(folder)], env={**os.environ, "RECKON": program}, text=True,
                            capture_output=True, check=False)
    problems = []
    if result.returncode != 0:
        problems.append(f"run.sh ended with exit code {result.returncode}: {result.stderr.strip() or result.stdout.strip()}")
    if snapshot() != before:
        problems.append("run.sh wrote below experiments/")
    try:
        lines, text = compare.compare(EXPERIMENTS / name / "expected.json", folder)
    except compare.InputError as error:
        return problems + [str(error)], [], ""
    problems += [f"outside its band {line['band']}: {line['what']}: {line['unit']}: published {line['public']}, reckon {line['ours']}"
                 for line in lines if not line["ok"]]
    if result.returncode == 0 and text.strip() != result.stdout.strip():
        problems.append("run.sh prints another table than compare.py")
    return problems, lines, text


def replace(path, pattern, body):
    """Puts body between the markers of pattern; False when the file has no such markers."""
    text = path.read_text(encoding="utf-8")
    if not pattern.search(text):
        return False
    path.write_text(pattern.sub(lambda match: match.group(1) + body + match.group(3), text), encoding="utf-8")
    return True


def index_rows(name, lines, expected):
    """The first comparison of an experiment, as a row of experiments/README.md."""
    first = lines[0]
    ratio = "" if first["ratio"] is None else f"{first['ratio']:.2f}"
    public, ours = ("-".join(map(compare.number, first[key])) for key in ("public", "ours"))
    cells = [f"[{name}]({name}/README.md)", expected["question"], f"{first['what']}: {first['unit']}", public, ours, ratio, expected["why"]]
    return "| " + " | ".join(cells) + " |\n"


def check_readme(name, lines):
    block = BLOCK.search((EXPERIMENTS / name / "README.md").read_text(encoding="utf-8"))
    if not block:
        return ["README.md has no block '<!-- printed by run.sh -->'"]
    return [f"README.md is out of date ({sentence}); run_experiments.py --update" for sentence in stale(block.group(2), lines)]


def check_index(name, lines):
    """The row of the index names the first comparison, with figures within STALE."""
    for row in (EXPERIMENTS / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if row.startswith(f"| [{name}]") and len(cells) == 7:
            fresh = close(figures(cells[4]), lines[0]["ours"])
            return [] if fresh else ["experiments/README.md is out of date; run_experiments.py --update"]
    return ["experiments/README.md does not list it"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reckon", required=True, help="the program")
    parser.add_argument("--update", action="store_true", help="rewrite the tables of the README's")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"no such experiment: {', '.join(sorted(unknown))}; there are {', '.join(names())}")

    failed = False
    rows = ""
    for name in options.names or names():
        with tempfile.TemporaryDirectory() as folder:
            problems, lines, text = run(name, options.reckon, folder)
        if options.update and lines:
            if not replace(EXPERIMENTS / name / "README.md", BLOCK, text + "\n"):
                problems.append("README.md has no block to update")
            rows += index_rows(name, lines, json.loads((EXPERIMENTS / name / "expected.json").read_text(encoding="utf-8")))
        elif lines:
            problems += check_readme(name, lines) + check_index(name, lines)
        print(f"== {name}: {'FAILED' if problems else 'ok'}\n{text}")
        for problem in problems:
            print(f"   {problem}", file=sys.stderr)
        failed |= bool(problems)
    if options.update and not options.names:
        head = "| experiment | question | compared | published | reckon | ratio | why |\n| --- | --- | --- | --- | --- | --- | --- |\n"
        replace(EXPERIMENTS / "README.md", INDEX, head + rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
