# SPDX-License-Identifier: Apache-2.0
# Shared by the run.sh of every experiment, which sources it: finds the program, asks it, compares with the published figures.
#
# Usage of a run.sh: [RECKON=/path/to/reckon] experiments/NN-question/run.sh [FOLDER]
# FOLDER keeps the answers (JSON) and the comparison; without it they go to a temporary folder that is removed.
# Nothing is written beside the experiments. Exit code 1: a figure lies outside its band.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
experiments=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
reckon=${RECKON:-reckon}
python=$(command -v /usr/bin/python3 || command -v python3)

if ! command -v "$reckon" >/dev/null; then
  echo "run.sh: no program '$reckon': set RECKON to the reckon binary, or put it on PATH" >&2
  exit 2
fi
if [ $# -gt 0 ]; then
  out=$1
  mkdir -p "$out"
else
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi

# ask NAME ARGUMENT...: runs 'reckon ARGUMENT... --json' and keeps the answer as NAME.json.
# Exit code 3 (no feasible plan, or a strategy that does not fit) is an answer like any other.
ask() {
  local name=$1 status=0
  shift
  "$reckon" "$@" --json >"$out/$name.json" || status=$?
  if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then
    echo "run.sh: 'reckon $*' ended with exit code $status" >&2
    exit "$status"
  fi
}

# compare: the table of published and own figures, by expected.json.
compare() {
  "$python" "$experiments/compare.py" "$here/expected.json" "$out"
}
