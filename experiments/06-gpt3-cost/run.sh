#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GPT-3 175B at the prices of its day, on V100s and on A100s: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

# As in 2020: no interleaving, activations recomputed, attention not fused; 1,600 sequences of 2,048 are GPT-3's 3.2M tokens.
then=(--model gpt3-175b --tokens 300B --stack megatron-lm-2021 --precision fp16 --attention unfused --recompute full --quiet)
ask v100 plan "${then[@]}" --device v100-sxm2-32gb --devices 1000,2000,10000 --batch 1600 \
  --schedule gpipe,1f1b --vpp 1 --price-kind historic
ask a100 plan "${then[@]}" --cluster selene-a100 --devices 1024 --batch 1536 --tp 8 --mb 1 --sharding none --price '$2.933908/h'
compare
