#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Energy and carbon of LLaMA 65B and BLOOM, and of LLaMA 65B in three grids: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

llama=(--model llama-65b --device a100 --devices 2048 --tokens 1.4T --batch '4M tokens' --seq-len 2048 --stack llm-foundry --power 400W --pue 1.1 --draws 100 --quiet)
ask llama plan "${llama[@]}" --grid USA-LLAMA-2023
ask llama-france plan "${llama[@]}" --grid FRA
ask llama-india plan "${llama[@]}" --grid IND
# BLOOM's own layout (no sequence parallelism then), its checkpoints and failures; then the energy of the hours that it took
layout=(--model bloom-176b --cluster jean-zay-bloom --seq-len 2048 --stack megatron-deepspeed-2022 --attention unfused --tp 4 --pp 12 --recompute full)
ask bloom-step predict "${layout[@]}" --dp 8 --gb 2048 --mb 2 --no-sp --sharding zero1
step=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["prediction"]["step_time_s"])' "$out/bloom-step.json")
bloom=(plan "${layout[@]}" --devices 384 --batch 2048 --vpp 1 --mb 2 --tokens 366B --power 400W --pue 1 --grid JEAN-ZAY-2022 --draws 100 --quiet)
ask bloom-predicted "${bloom[@]}" --assume "step_seconds=$step s" --failure-rate 0.00056 --planned-stops 0 --checkpoint-interval '3 h' --checkpoint-stall '40 s'
ask bloom-hours "${bloom[@]}" --failure-rate 0 --assume 'step_seconds=116.34 s'
compare
