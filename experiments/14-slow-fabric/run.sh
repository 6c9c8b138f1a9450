#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Dense and expert-parallel models on a fast and a slow fabric: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

for place in dgx-h100-superpod gcp-a3-high; do
  ask "dense-$place" predict --model llama-3-70b --cluster "$place" --devices 1024 --tp 8 --pp 4 --gb 2048
  ask "experts-$place" predict --model mixtral-8x7b --cluster "$place" --devices 256 --ep 8 --pp 2 --tp 4 --gb 1024
done
compare
