#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GPT-3 175B on 1,024 A100s against the 34 days of the Megatron-LM paper: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

gpt3=(plan --model gpt3-175b --cluster selene-a100 --devices 1024 --tokens 300B --batch 1536
  --stack megatron-lm-2021 --precision fp16 --attention unfused --recompute full --quiet)
# tensor parallelism inside the node, micro-batches of 1, the optimiser not sharded: as the paper's runs of that model
ask paper "${gpt3[@]}" --tp 8 --mb 1 --sharding none
ask plan "${gpt3[@]}"
compare
