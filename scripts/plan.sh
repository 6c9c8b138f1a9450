#!/usr/bin/env bash
# From a fresh machine to the first answer: installs what is missing, builds the program, and plans Llama 3 70B on 15T tokens for 256 to
# 24,576 H100s.  Prints the table; writes llama3-70b.h5 and llama3-70b.txt into the folder given, or into the build folder.
#
#   scripts/plan.sh [FOLDER]          RECKON_BUILD=folder to build elsewhere than in build/
set -euo pipefail

cd "$(dirname "$0")/.."
build=${RECKON_BUILD:-build}
folder=${1:-$build}

scripts/setup.sh >&2
cmake -S . -B "$build" --preset release >&2
cmake --build "$build" --target reckon >&2
mkdir -p "$folder"
"$build/src/app/reckon" plan --model experiments/01-llama3-70b/config.json --name llama-3-70b --device h100 --devices 256..24576 --tokens 15T \
  --out "$folder/llama3-70b.h5" --report "$folder/llama3-70b.txt" --force
