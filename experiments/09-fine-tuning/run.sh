#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fine-tuning and LoRA against training from scratch: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

seven=(--model llama-2-7b --device a100 --stack llm-foundry --batch '4M tokens' --draws 100 --quiet)
ask scratch plan "${seven[@]}" --devices 128,256,512,1024,2048 --tokens 2T
ask tuned plan "${seven[@]}" --devices 256 --tokens 200B --training finetune
ask lora plan "${seven[@]}" --devices 256 --tokens 200B --training lora
# Llemma's own layout; whether it recomputed activations is not stated
llemma=(predict --model llama-2-7b --device a100-sxm-40gb --devices 256 --gb 1024 --stack gpt-neox --tp 2 --no-sp --sharding zero1)
ask llemma-kept "${llemma[@]}" --mb 2
ask llemma-recomputed "${llemma[@]}" --mb 4 --recompute full
compare
