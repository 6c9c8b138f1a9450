#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SDXL on 256 A100s against the 25 days that are repeated everywhere: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

sdxl=(--model stable-diffusion-xl --device a100 --devices 256 --batch 2048 --draws 100 --quiet)
ask stated plan "${sdxl[@]}" --samples 1638400000
ask more plan "${sdxl[@]}" --samples 5B
compare
