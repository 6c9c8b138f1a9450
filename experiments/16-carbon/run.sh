#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Energy and carbon of LLaMA 65B and BLOOM, and of LLaMA 65B in three grids: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

llama=(--model llama-65b --device a100 --devices 2048 --tokens 1.4T --batch '4M tokens' --seq-len 2048 --stack llm-foundry --power 400W --pue 1.1 --draws 100 --quiet)
ask llama plan "${llama[@]}" --grid USA-LLAMA-2023
ask llama-france plan "${llama[@]}" --grid FRA
ask llama-india plan "${llama[@]}" --grid IND
bloom=(--model bloom-176b --cluster jean-zay-bloom --devices 384 --tokens 366B --batch 2048 --seq-len 2048 --stack megatron-deepspeed-2022 --tp 4 --pp 12 --vpp 1 --recompute full --power 400W --pue 1 --grid JEAN-ZAY-2022 --draws 100 --quiet)
ask bloom-predicted plan "${bloom[@]}"
# The published hours, restarts and pauses included, spread over the steps: 1,082,990 h / 384 / 87,263 steps.
ask bloom-hours plan "${bloom[@]}" --failure-rate 0 --assume 'step_seconds=116.34 s'
compare
