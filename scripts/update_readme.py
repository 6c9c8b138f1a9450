#!/usr/bin/env python3
"""Puts the program's present output into README.md: below each line `$ reckon ...`, as many lines as stand there; and into the table of errors by
source, whose rows stand in the order of `reckon validate` (the row of the data file that does not ship, and the average with it, stay as they are).

    scripts/update_readme.py [--check] PROGRAM     --check changes nothing; exit 1 when README.md is out of date
SPDX-License-Identifier: Apache-2.0
"""
import glob
import os
import shlex
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def refreshed(lines, program):
    """The lines of the README with the outputs of today."""
    out, i = [], 0
    while i < len(lines):
        out.append(lines[i])
        if lines[i].startswith("$ reckon "):
            end = next(k for k in range(i + 1, len(lines) + 1) if lines[k] == "```" or lines[k].startswith("$ "))
            done = subprocess.run([program, *shlex.split(lines[i])[2:]], cwd=ROOT, capture_output=True, text=True, check=True)
            out += done.stdout.split("\n")[: end - i - 1]
            i = end - 1
        i += 1
    return out


def with_errors(lines, program):
    """The rows of the error table with the numbers of today behind their names."""
    files = sorted(glob.glob(os.path.join(ROOT, "experiments", "published", "*.json")))
    said = subprocess.run([program, "validate", *files], capture_output=True, text=True, check=True).stdout.split("\n")
    numbers = [line.split()[1:] for line in said[1:next(i for i, line in enumerate(said) if line.startswith("---"))]]
    first = next(i for i, line in enumerate(lines) if line.startswith("| source | runs | median %")) + 2
    last = next(i for i in range(first, len(lines)) if not lines[i].startswith("| "))
    rows = [i for i in range(first, last) if not lines[i].startswith("| **") and "its own data file" not in lines[i]]
    if len(rows) != len(numbers):
        sys.exit(f"README.md has {len(rows)} rows of errors, 'reckon validate' {len(numbers)}")
    for i, row in zip(rows, numbers):
        lines[i] = "| " + " | ".join([lines[i].split("|")[1].strip(), *row]) + " |"
    return lines


def main():
    check, program = sys.argv[1:2] == ["--check"], os.path.abspath(sys.argv[-1])
    path = os.path.join(ROOT, "README.md")
    with open(path, encoding="utf-8") as f:
        old = f.read()
    new = "\n".join(with_errors(refreshed(old.split("\n"), program), program))
    if new == old:
        return 0
    if check:
        print(f"README.md shows old output; run scripts/update_readme.py {program}")
        return 1
    with open(path, "w", encoding="utf-8") as f:
        f.write(new)
    return 0


sys.exit(main())
