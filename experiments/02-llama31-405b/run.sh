#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Llama 3.1 405B on 16,384 H100s against Meta's 30.84 million GPU-hours and 41 % MFU: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

ask plan plan --model llama-3.1-405b --cluster meta-24k-roce --devices 8192,16384 --tokens 15.6T --quiet

# The layout of Table 4 of the paper; the number of virtual stages is not in it, so the two ends of what it can be.
layout=(--model llama-3.1-405b --cluster meta-24k-roce --tp 8 --pp 16 --gb 2048 --sharding zero2)
ask table4-8k-vpp1 predict "${layout[@]}" --devices 8192 --vpp 1
ask table4-8k-vpp8 predict "${layout[@]}" --devices 8192 --vpp 8
ask table4-16k-vpp1 predict "${layout[@]}" --devices 16384 --vpp 1
ask table4-16k-vpp8 predict "${layout[@]}" --devices 16384 --vpp 8
compare
