#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GPT-3 175B on 1,024 A100s against the 34 days of the Megatron-LM paper: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

ask plan plan --model gpt3-175b --cluster selene-a100 --devices 1024 --tokens 300B --batch 1536 \
  --stack megatron-lm-2021 --precision fp16 --attention unfused --recompute full --quiet
compare
