#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Llama 3 8B rented in four ways: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

run=(--model llama-3-8b --device h100 --devices 512 --tokens 15T --draws 2000 --quiet)
large=(--model llama-3-8b --device h100 --devices 8192 --tokens 15T --draws 100 --quiet)
ask two plan "${large[@]}" --price '$2/h'
ask four plan "${large[@]}" --price '$4/h'
ask market plan "${run[@]}"
ask shared plan "${run[@]}" --assume idle_charge_share=0
compare
