#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The accuracy tables and plots: [RECKON=/path/to/reckon] experiments/accuracy/run.sh [--quick] [FOLDER] [MORE_RUNS.json...]
#
# FOLDER (default: this one) receives tables.md and, where matplotlib is installed, predicted.png, scale.png and sources.png.
# MORE_RUNS are further files of published runs, such as vTrain's (scripts/vtrain_to_published.py). --quick leaves out cross-validation.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
quick=()
if [ "${1:-}" = --quick ]; then quick=(--quick); shift; fi
folder=${1:-$here}
if [ $# -gt 0 ]; then shift; fi
if ! command -v "${RECKON:-reckon}" >/dev/null; then
  echo "run.sh: no program '${RECKON:-reckon}': set RECKON to the reckon binary, or put it on PATH" >&2
  exit 2
fi
mkdir -p "$folder"
python=$(command -v /usr/bin/python3 || command -v python3)
exec "$python" "$here/accuracy.py" --reckon "${RECKON:-reckon}" "${quick[@]}" --out "$folder" "$here"/../published/*.json "$@"
