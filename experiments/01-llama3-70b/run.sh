#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Llama 3 70B on 256 to 24,576 H100s against Meta's 6.4 million GPU-hours: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

ask plan plan --model "$here/config.json" --cluster meta-24k-infiniband --devices 256..24576 --tokens 15T --quiet
compare
