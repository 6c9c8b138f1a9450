// A small plan, made by hand, for the tests of reports and files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/plan_results.hpp"

namespace reckon {

/// A point whose step takes `step` and which needs `memory`; days and dollars are set as given.
inline PlanPoint sample_point(std::int64_t devices, Seconds step, Bytes memory, Seconds wall, std::int64_t cost_micro_usd) {
  PlanPoint p;
  p.devices = devices;
  p.strategy.tensor_parallel = 4;
  p.strategy.data_parallel = devices / 4;
  p.strategy.sequence_parallel = true;
  p.strategy.sharding = Sharding::zero1;
  p.strategy.global_batch_size = devices / 4;
  p.cost.time.forward = step * 0.25;
  p.cost.time.backward = step * 0.5;
  p.cost.time.exposed_data = step * 0.25;
  p.cost.memory.weights = memory * 0.5;
  p.cost.memory.activations = memory * 0.5;
  p.cost.model_flops = Flops{1e18};
  p.cost.parameters = 7e9;
  p.cost.mfu = 0.4;
  p.cost.tokens_per_step = 4e6;
  p.projection.steps = 250000;
  p.projection.throughput = Tokens{4e6} / step;
  p.projection.goodput.value = 0.95;
  p.projection.goodput.mean_time_to_failure = Seconds{1e6};
  p.projection.goodput.checkpoint_interval = Seconds{3000};
  p.projection.wall_time = wall;
  p.projection.device_hours = static_cast<double>(devices) * wall.in(hours);
  p.projection.cost_micro_usd = cost_micro_usd;
  p.projection.energy = Joules{1e13};
  return p;
}

/// 64 devices have no strategy, 128 do not fit, 256 take 100 days and $1M, 512 take 55 days and $1.1M, 1024 take 50 days and $2M.
inline PlanResults sample_results() {
  PlanResults r;
  r.question.model = "tiny";
  r.question.family = "llama";
  r.question.device = "h100-sxm-80gb";
  r.question.device_name = "H100";
  r.question.device_memory = gibibytes * 80.0;
  r.question.memory_margin = 0.05;
  r.question.units = 1e12;
  r.question.seq_len = 8192;
  r.question.global_batch_size = 512;
  r.question.run.price = dollars_per_hour * 2.5;
  r.question.keep = 2;
  r.sizes = {{64, SizeStatus::no_strategy, 0, 0, {0, 0, 0, 0, 0}, false, "no strategy divides 64 devices."},
             {128, SizeStatus::does_not_fit, 12, 12, {12, 12, 0, 0, 0}, false, "needs 91 GiB of 76 GiB."},
             {256, SizeStatus::fits, 40, 3, {40, 40, 0, 0, 0}, false, ""},
             {512, SizeStatus::fits, 44, 3, {44, 44, 0, 0, 0}, false, ""},
             {1024, SizeStatus::fits, 48, 3, {48, 48, 0, 0, 0}, false, ""}};
  r.candidates = {sample_point(256, Seconds{30}, gibibytes * 70.0, days * 100.0, 1'000'000'000'000),
                  sample_point(512, Seconds{16}, gibibytes * 60.0, days * 55.0, 1'100'000'000'000),
                  sample_point(1024, Seconds{14}, gibibytes * 50.0, days * 50.0, 2'000'000'000'000)};
  r.candidates.insert(r.candidates.begin() + 1, sample_point(256, Seconds{31}, gibibytes * 60.0, days * 103.0, 1'030'000'000'000));
  r.candidates[1].place = 2;
  r.nearest_misses = {sample_point(128, Seconds{60}, gibibytes * 91.0, days * 190.0, 950'000'000'000)};
  r.assumptions = {{"price", "$2.50/h", "given", "--price", ""}, {"restart", "10 min", "default", "a source", "2026"}};
  r.inputs = {{"model", "tiny.json", "{\"hidden_size\": 8}\n", ""}};
  r.provenance = {"0.1.0", "0123456789abcdef0123456789abcdef01234567", "reckon plan --model tiny", "",
                  0,       "00000000-0000-0000-0000-000000000000"};
  mark_front(r);
  return r;
}

}  // namespace reckon
