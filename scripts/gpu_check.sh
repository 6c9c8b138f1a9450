#!/bin/sh
# Checks every CUDA kernel against the reference on this machine's GPU, times them beside cuBLASLt and the device copy, and leaves
# the results in a folder: gpu_check.json (medians, intervals, clocks, versions), gpu_check.log, nvidia-smi.txt, cuda_kernels_test.log.
# Where the program `reckon` is among the binaries it also calibrates the GPU (calibration.json, for models/calibrations/), and, where that
# program trains on GPUs, trains GPT-2 124M (train.json) and compares with the prediction from that calibration (predicted.json, compared.txt).
# It reads the GPU's settings and never changes them.
#
#   scripts/gpu_check.sh OUT                      builds from this tree (needs cmake, a C++20 compiler and nvcc), then runs
#   scripts/gpu_check.sh OUT --binaries FOLDER    runs FOLDER/kernel_gpu_check, and FOLDER/{cuda_kernels_test,reckon} where they are there
#   scripts/gpu_check.sh OUT ... --device ID      the GPU's id in 'reckon catalog devices' (default: by its name)
#   scripts/gpu_check.sh OUT ... -- ARGUMENTS     passes the rest on: --check-only, --seconds S
#
# BUILD names the build folder (build-gpu).  Exit 0: all right; 1: a kernel is wrong, or the build fails; 2: bad arguments; 4: no device, or
# a timing that does not settle; 5: OUT cannot be written.
# SPDX-License-Identifier: Apache-2.0
set -u

say() { echo "gpu_check: $*" >&2; }
usage() { sed -n '8,11s/^#  *//p' "$0" >&2; exit 2; }

out='' binaries='' device=''
while [ $# -gt 0 ]; do
  case $1 in
    --binaries) [ $# -ge 2 ] || usage; binaries=$2; shift 2 ;;
    --device) [ $# -ge 2 ] || usage; device=$2; shift 2 ;;
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

# Calibration, training, and the two side by side: `reckon` of an ordinary build, which needs more than the kernels do.
device_id() {
  [ -z "$device" ] || { echo "$device"; return; }
  case $(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1) in
    *H200*) echo h200-sxm-141gb ;; *H100*) echo h100-sxm-80gb ;; *A100*80*) echo a100-sxm-80gb ;; *A100*) echo a100-sxm-40gb ;; *B200*) echo b200-sxm-180gb ;; *L40S*) echo l40s ;;
  esac
}
reckon=$binaries/reckon
[ -x "$reckon" ] || reckon=$binaries/src/app/reckon
worst() { [ "$status" -ne 0 ] || status=$1; }
if [ "$status" -eq 0 ] && [ -x "$reckon" ]; then
  id=$(device_id)
  trained="--model gpt2 --seq-len 1024 --mb 16"
  # shellcheck disable=SC2086  # several words
  if [ -z "$id" ]; then
    say "this GPU has no id that the script knows: give --device ID for calibration and training"
  elif ! "$reckon" calibrate --backend cuda --device "$id" $trained --out "$out/calibration.json" --force >"$out/calibrate.log" 2>&1; then
    say "the calibration failed: $out/calibrate.log"
    worst 4
  elif ! "$reckon" train --help | grep -q -- --backend; then
    say "this program trains on processors only; nothing was trained on the GPU"
  else
    run="$trained --gb 16 --precision bf16"
    # shellcheck disable=SC2086  # several words
    if "$reckon" predict --calibration "$out/calibration.json" --device "$id" --stack reckon-train $run --json >"$out/predicted.json" 2>"$out/predict.log" &&
      "$reckon" train --backend cuda $run --text "$root/experiments/README.md" --steps 30 --json --quiet >"$out/train.json" 2>"$out/train.log"; then
      python3 - "$out" <<'END' | tee "$out/compared.txt" || worst 1
import json
import sys
folder = sys.argv[1]
with open(folder + "/predicted.json", encoding="utf-8") as f:
    predicted = json.load(f)["prediction"]["step_time_s"]
with open(folder + "/train.json", encoding="utf-8") as f:
    measured = json.load(f)["step_time_s"]
print(f"GPT-2 124M: measured {1e3 * measured:.2f} ms a step, predicted {1e3 * predicted:.2f} ms, error {100 * (predicted / measured - 1):+.1f} %")
END
    else
      say "prediction or training failed: $out/predict.log, $out/train.log"
      worst 1
    fi
  fi
fi
exit "$status"
