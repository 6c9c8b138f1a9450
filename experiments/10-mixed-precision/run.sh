#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fp32 and tf32 against fp16 and bf16: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

bert=(predict --model bert-large --device v100-sxm2-32gb --devices 8 --gb 56 --mb 7 --attention unfused --sharding none)
ask v100-fp16 "${bert[@]}" --precision fp16
ask v100-fp32 "${bert[@]}" --precision fp32
ask a100-bf16 predict --model gpt3-1.3b --device a100 --devices 8 --gb 64 --precision bf16
ask a100-tf32 predict --model gpt3-1.3b --device a100 --devices 8 --gb 64 --precision tf32
compare
