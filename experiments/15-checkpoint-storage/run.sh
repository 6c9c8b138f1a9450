#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Synchronous and asynchronous checkpoints of Llama 3 70B, images read too slowly for ResNet-50: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

run=(--model llama-3-70b --device h100 --devices 8192 --tokens 15T --draws 100 --quiet)
ask async plan "${run[@]}"
ask sync plan "${run[@]}" --checkpoint-stall '494 s'
images=(--model resnet-50 --device h100 --devices 8 --batch 3200 --samples 1G --unit-bytes '114660 B' --draws 100 --quiet)
ask fed plan "${images[@]}" --node-read '1.638 GB/s'
ask starved plan "${images[@]}" --node-read '0.819 GB/s'
compare
