#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Synchronous and asynchronous checkpoints of Llama 3 70B: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

run=(--model llama-3-70b --device h100 --devices 8192 --tokens 15T --draws 100 --quiet)
ask async plan "${run[@]}"
ask sync plan "${run[@]}" --checkpoint-stall '494 s'
compare
