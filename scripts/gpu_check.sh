#!/bin/sh
# Checks every CUDA kernel against the reference on this machine's GPU, times them beside cuBLASLt and the device copy, and leaves
# the results in a folder: gpu_check.json (medians, intervals, clocks, versions), gpu_check.log, nvidia-smi.txt, cuda_kernels_test.log.
# It reads the GPU's settings and never changes them.
#
#   scripts/gpu_check.sh OUT                      builds from this tree (needs cmake, a C++20 compiler and nvcc), then runs
#   scripts/gpu_check.sh OUT --binaries FOLDER    runs FOLDER/kernel_gpu_check, and FOLDER/cuda_kernels_test where it is there
#   scripts/gpu_check.sh OUT ... -- ARGUMENTS     passes the rest on: --check-only, --seconds S
#
# BUILD names the build folder (build-gpu).  Exit 0: all right; 1: a kernel is wrong, or the build fails; 2: bad arguments; 4: no device, or
# a timing that does not settle; 5: OUT cannot be written.
# SPDX-License-Identifier: Apache-2.0
set -u

say() { echo "gpu_check: $*" >&2; }
usage() { sed -n '6,8s/^#  *//p' "$0" >&2; exit 2; }

out='' binaries=''
while [ $# -gt 0 ]; do
  case $1 in
    --binaries) [ $# -ge 2 ] || usage; binaries=$2; shift 2 ;;
    --) shift; break ;;
    -*) say "cannot use \"$1\""; usage ;;
    *) [ -z "$out" ] || { say "two output folders: \"$out\" and \"$1\""; usage; }; out=$1; shift ;;
  esac
done
[ -n "$out" ] || usage
mkdir -p "$out" 2>/dev/null
[ -w "$out" ] || { say "the folder \"$out\" cannot be written"; exit 5; }

root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "$binaries" ]; then
  binaries=${BUILD:-$root/build-gpu}
  generator=''
  command -v ninja >/dev/null 2>&1 && [ ! -e "$binaries/CMakeCache.txt" ] && generator="-G Ninja"
  # shellcheck disable=SC2086  # two words or none
  { cmake -S "$root/tests/kernels/standalone" -B "$binaries" $generator -DRECKON_CUDA=ON && cmake --build "$binaries" -j; } >"$out/build.log" 2>&1 ||
    { tail -n 20 "$out/build.log" >&2; say "the build failed; all of it is in $out/build.log"; exit 1; }
fi
[ -x "$binaries/kernel_gpu_check" ] || { say "no program \"$binaries/kernel_gpu_check\""; exit 2; }

command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -q >"$out/nvidia-smi.txt" 2>&1

# The log is the table on the screen; the program's own status must survive the pipe.
{ "$binaries/kernel_gpu_check" "$out/gpu_check.json" "$@" 2>&1; echo $? >"$out/.status"; } | tee "$out/gpu_check.log"
status=$(cat "$out/.status")
rm -f "$out/.status"

if [ "$status" -ne 4 ] && [ -x "$binaries/cuda_kernels_test" ]; then
  "$binaries/cuda_kernels_test" >"$out/cuda_kernels_test.log" 2>&1 || { say "cuda_kernels_test failed: $out/cuda_kernels_test.log"; [ "$status" -ne 0 ] || status=1; }
fi
exit "$status"
