#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# DeepSeek-V3 on 2,048 H800s against 2.664 million GPU-hours and $5.328M: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

report=(--model deepseek-v3 --cluster deepseek-h800 --stack hai-llm --precision fp8 --seq-len 4096 \
  --schedule dualpipe --pp 16 --ep 64 --tp 1)
ask plan plan "${report[@]}" --devices 2048 --tokens 14.8T --batch 15360 --price '$2/h' --quiet

# What the report itself names: no context parallelism, RMSNorm and the up-projections of the attention recomputed.
ask as-reported predict "${report[@]}" --devices 2048 --gb 15360 --recompute modules --recompute-modules layernorm,mla_up_proj
compare
