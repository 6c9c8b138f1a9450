#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A lab with 1,024 H100s, bought and rented: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

lab=(--model llama-2-70b --device h100 --devices 1024 --tokens 2T --draws 2000 --quiet)
ask neocloud plan "${lab[@]}" --price '$2.50/h' --assume life_years='4 years'
ask hyperscaler plan "${lab[@]}" --assume life_years='4 years'
ask busy plan "${lab[@]}" --price '$2.50/h' --assume life_years='4 years',use_share=0.9
ask idle plan "${lab[@]}" --price '$2.50/h' --assume life_years='4 years',use_share=0.4
compare
