#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A GPT-4-class mixture of experts on 24,576 A100s against the public estimate: run.sh [FOLDER], see ../common.sh.
. "$(dirname "$0")/../common.sh"

# The estimate says about 25,000 devices; 24,576 is the nearest size that the batch and the layers divide.
ask plan plan --model gpt-4-class-moe --cluster gpt4-a100-25k --devices 24576 --tokens 13T --batch '60M tokens' --price '$1/h' --quiet
compare
