#!/usr/bin/env python3
"""Puts the program's present output into README.md, below each line `$ reckon ...`, as many lines as stand there.

    scripts/update_readme.py [--check] PROGRAM     --check changes nothing; exit 1 when README.md is out of date
SPDX-License-Identifier: Apache-2.0
"""
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


def main():
    check, program = sys.argv[1:2] == ["--check"], os.path.abspath(sys.argv[-1])
    path = os.path.join(ROOT, "README.md")
    with open(path, encoding="utf-8") as f:
        old = f.read()
    new = "\n".join(refreshed(old.split("\n"), program))
    if new == old:
        return 0
    if check:
        print(f"README.md shows old output; run scripts/update_readme.py {program}")
        return 1
    with open(path, "w", encoding="utf-8") as f:
        f.write(new)
    return 0


sys.exit(main())
