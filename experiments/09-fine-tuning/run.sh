#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fine-tuning and LoRA against training from scratch: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

seven=(--model llama-2-7b --device a100 --devices 256 --batch '4M tokens' --draws 100 --quiet)
ask scratch plan "${seven[@]}" --tokens 2T
ask tuned plan "${seven[@]}" --tokens 200B --training finetune
ask lora plan "${seven[@]}" --tokens 200B --training lora
compare
