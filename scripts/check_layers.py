#!/usr/bin/env python3
"""Checks who includes whom: a file may include its own folder and the folders above it in the order of src/README.md.

    scripts/check_layers.py [FOLDER]     prints file:line for every broken rule; exit 1 when there is one

Also: nlohmann/json and HDF5 only under src/io, MPI only under src/runtime (its version also in src/app), and none of them, nor CUDA, in the pure folders.
SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import sys

ORDER = ["src/base", "src/runtime", "src/catalog", "kernels/work", "kernels/op", "kernels/reference", "kernels/cpu", "kernels/cuda", "src/calibration",
         "src/measure", "src/train", "src/cost", "src/plan", "src/simulate", "src/projection", "src/io", "src/report", "src/app"]
PURE = {"src/base", "src/catalog", "kernels/work", "src/calibration", "src/cost", "src/plan", "src/simulate", "src/projection"}
OUTSIDE = [  # what is included, the only folders that may
    (re.compile(r"nlohmann/(?!json_fwd)"), {"src/io"}), (re.compile(r"^(hdf5|hdf5_hl|H5\w*)\.h"), {"src/io"}), (re.compile(r"^mpi\.h"), {"src/runtime", "src/app"}),
    (re.compile(r"^(cuda|cublas|nccl|cudnn)"), {"src/runtime", "kernels/cuda", "kernels/cpu"})]
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def folder_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 or parts[0] == "src" else parts[0]


def target_of(name):
    """The folder that an include path names, or nothing when it is not one of ours."""
    for prefix in ("", "src/"):
        folder = "/".join((prefix + name).split("/")[:2])
        if folder in ORDER:
            return folder
    return None


def broken_rules(root):
    for top in ("src", "kernels"):
        for folder, _, files in os.walk(os.path.join(root, top)):
            for name in sorted(files):
                if not name.endswith((".hpp", ".cpp", ".h", ".cu", ".cuh", ".c")):
                    continue
                path = os.path.relpath(os.path.join(folder, name), root)
                own = folder_of(path)
                with open(os.path.join(root, path), encoding="utf-8") as f:
                    for number, line in enumerate(f, 1):
                        m = INCLUDE.match(line)
                        if not m:
                            continue
                        included = m.group(2)
                        target = target_of(included) if m.group(1) == '"' else None
                        if target and own in ORDER and ORDER.index(target) > ORDER.index(own):
                            yield f"{path}:{number}: {own} includes {included}, but {target} is below it"
                        for pattern, allowed in OUTSIDE:
                            if pattern.search(included) and own not in allowed and (own in PURE or "nccl" not in included):
                                yield f"{path}:{number}: {own} includes {included}; only {', '.join(sorted(allowed))} may"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    found = list(broken_rules(root))
    for line in found:
        print(line)
    print(f"{len(found)} broken layer rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
