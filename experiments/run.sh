#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs all experiments and prints their tables: [RECKON=/path/to/reckon] experiments/run.sh [FOLDER]
# FOLDER keeps the answers, one folder an experiment. Exit code 1: some figure lies outside its band.
set -euo pipefail

experiments=$(cd "$(dirname "$0")" && pwd)
status=0
for script in "$experiments"/[0-9][0-9]-*/run.sh; do
  name=$(basename "$(dirname "$script")")
  [ -e "$(dirname "$script")/expected.json" ] || continue  # measures this machine for minutes: run by hand
  echo "== $name"
  "$script" ${1:+"$1/$name"} || status=1
  echo
done
exit "$status"
