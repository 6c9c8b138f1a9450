#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Predicted against measured step time of our own trainer on this machine: run.sh [PROGRAM] [FOLDER]
#
# PROGRAM is the reckon binary (default: $RECKON, else reckon on PATH); FOLDER keeps calibrations, every answer, table.md and results.json
# (default: a new temporary folder, whose name is printed). Takes ten to thirty minutes; leave the machine alone meanwhile.
# More options go to prove.py: FOLDER must then be given (run.sh PROGRAM FOLDER --rounds 5). Exit code 1: the errors are above the bar.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
program=${1:-${RECKON:-reckon}}
folder=${2:-$(mktemp -d)}
python=$(command -v /usr/bin/python3 || command -v python3)
exec "$python" "$here/prove.py" --program "$program" --out "$folder" "${@:3}"
