#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Llama 3 8B on 2,048 to 24,576 H100s against Meta's 1.3 million GPU-hours: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

ask plan plan --model llama-3-8b --cluster meta-24k-infiniband --devices 2048..24576 --tokens 15T --quiet
compare
