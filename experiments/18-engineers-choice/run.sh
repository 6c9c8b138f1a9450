#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Published strategies planned again: the table of each, run against the planner's five best.  run.sh, see ../common.sh.
. "$(dirname "$0")/../common.sh"

"$reckon" validate "$experiments/published/other_frameworks.json" --only nanotron --replan 5 \
  --cp 1 --recompute none --schedule 1f1b --sharding none,zero1 --mb 1,2,4,8,16,32,64
echo
"$reckon" validate "$here/llama3-table4.json" --replan 5 --recompute none --sharding zero1,zero2
