#!/usr/bin/env bash
# From a fresh machine to a tested build: installs what is missing, configures, builds and runs all tests but the slow ones.
#
#   scripts/test.sh [CTEST ARGUMENTS]      RECKON_BUILD=folder to build elsewhere than in build/, RECKON_PRESET=ci for warnings as errors
set -euo pipefail

cd "$(dirname "$0")/.."
build=${RECKON_BUILD:-build}

scripts/setup.sh
cmake -S . -B "$build" --preset "${RECKON_PRESET:-release}"
cmake --build "$build"
if [ $# -eq 0 ]; then set -- -LE slow; fi
exec ctest --test-dir "$build" --output-on-failure -j "$(nproc)" "$@"
