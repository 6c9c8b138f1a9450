#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Failures of long runs against what was published of them: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

# Llama 3 405B: 54 days on 16,384 H100; 14 bytes a parameter written to 2 TB/s of storage while training waits
llama=(simulate --model llama-3.1-405b --cluster meta-24k-infiniband --seq-len 8192 --tp 8 --pp 16 --vpp 2 --dp 128 --gb 2048
  --tokens 10.6T --runs 300
  --sync-checkpoints --checkpoint-stall '0 s' --checkpoint-size '5.67 TB' --storage-bandwidth '2 TB/s')
ask llama "${llama[@]}"
# the same with the rates of Meta's two research clusters: 6.50 and 2.34 failures in 1,000 node-days
ask llama-rsc1 "${llama[@]}" --failure-rate 0.0008125
ask llama-rsc2 "${llama[@]}" --failure-rate 0.0002925

# jobs on the research clusters: 47.7 days between failures on 8 devices, scaled to 1,024
ask rsc-1024 simulate --model llama-3-8b --device a100-sxm-80gb --tp 8 --dp 128 --gb 1024 --tokens 1T --runs 100 \
  --failure-rate 0.0026205 --planned-stops 0
# BLOOM and OPT-175B with the failure rate of Llama 3
ask bloom simulate --model bloom-176b --device a100-sxm-80gb --tp 4 --pp 12 --dp 8 --gb 2048 --mb 2 --sharding zero1 --tokens 366B \
  --runs 300 --planned-stops 0 --sync-checkpoints --checkpoint-stall '0 s' --checkpoint-size '2.3 TB' \
  --storage-bandwidth '57.5 GB/s' --checkpoint-interval '3 h'
ask opt simulate --model opt-175b --device a100-sxm-80gb --tp 8 --dp 124 --gb 992 --sharding zero3 --tokens 180B --runs 300 \
  --planned-stops 0
compare
