#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Llama 3 70B on 1,024 devices of four generations: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

for device in a100 h100 h200 b200; do
  ask "$device" plan --model llama-3-70b --device "$device" --devices 1024 --tokens 15T --draws 100 --quiet
done
compare
