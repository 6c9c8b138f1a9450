// Stages, bubbles and micro-batches in flight.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "cost/step_terms.hpp"

namespace reckon {

namespace {

/// Layers of each stage when stages are cut where the running sum of weights passes each share of the total; the head counts on the last.
std::vector<std::int64_t> balanced_sizes(const LoweredModel& model, std::int64_t stages) {
  const auto cost = [](const LoweredLayer& layer) { return layer.matrix_parameters + layer.expert_parameters; };
  double total = cost(model.after);
  for (const auto kind : model.order) total += cost(model.kinds[kind]);
  std::vector<std::int64_t> size(static_cast<std::size_t>(stages), 0);
  double sum = 0;
  std::size_t stage = 0;
  for (std::size_t i = 0; i < model.order.size(); ++i) {
    const std::size_t layers_left = model.order.size() - i, stages_left = size.size() - stage - 1;
    const bool full = sum >= total * static_cast<double>(stage + 1) / static_cast<double>(stages) && size[stage] > 0;
    if (stages_left > 0 && size[stage] > 0 && (full || layers_left <= stages_left)) ++stage;
    size[stage] += 1;
    sum += cost(model.kinds[model.order[i]]);
  }
  return size;
}

std::vector<std::int64_t> even_sizes(std::int64_t layers, std::int64_t p) {
  std::vector<std::int64_t> size(static_cast<std::size_t>(p), layers / p);
  const std::int64_t rest = layers % p;
  if (rest != 0 && p > 2 && (layers + 2) % p == 0) {
    std::fill(size.begin(), size.end(), (layers + 2) / p);
    size.front() -= 1;
    size.back() -= 1;
  } else {
    for (std::int64_t i = 0; i < rest; ++i) size[static_cast<std::size_t>((i + 1) % p)] += 1;  // the first stage has the embedding
  }
  return size;
}

/// How long 1F1B lasts from the first pass to the last: the slowest of p paths, each through one stage that works without a pause but for
/// what it must wait for.  Stage i begins after one forward pass of the stages before it, runs min(m, p - i) forward passes, waits for its
/// first gradient, which goes down and up all stages behind it (D), and likewise for its last one; then the stages before it run one
/// backward pass.
///
///   t_i = sum_{j<i} T_j + m T_i + max(0, D - n F_i) + [m > p - i] max(0, D - n B_i),   n = min(m, p - i) - 1
///
/// Among equal neighbours t_i does not fall with i, so that the last stage of a run stands for all.  Equal stages: (m + p - 1) T
/// (Narayanan et al. 2021, arXiv 2104.04473, section 2.2.1).
Seconds one_f_one_b_time(const PipelineWork& work, double m) {
  Seconds before, behind = work.sum, longest;
  std::int64_t room = work.stages;
  for (const PipelineWork::Run& run : work.runs) {
    const Seconds total = run.forward + run.backward;
    const double length = static_cast<double>(run.length);
    behind = behind - total * length;
    room -= run.length;  // stages behind the run
    const double in_flight = static_cast<double>(room + 1), n = std::min(m, in_flight) - 1.0;
    Seconds time = before + total * (length - 1.0 + m) + max(Seconds{}, behind - run.forward * n);
    if (m > in_flight) time += max(Seconds{}, behind - run.backward * n);
    longest = max(longest, time);
    before += total * length;
  }
  return longest;
}

/// See shared_pipeline_bubble in step_cost.hpp.
Seconds shared_pipeline_bubble(const PipelineWork& work, std::int64_t micro_batches) {
  const std::int64_t p = work.stages;
  if (p < 2) return Seconds{};
  Seconds all;
  std::vector<Seconds> alone;
  for (const PipelineWork::Run& run : work.runs)
    for (std::int64_t i = 0; i < run.length; ++i) alone.push_back(run.forward + run.backward - run.compute * (1.0 - 1.0 / work.shared));
  for (std::int64_t slot = 0; slot < micro_batches + p - 1; ++slot) {
    Seconds largest, sum;
    for (std::int64_t i = std::max<std::int64_t>(0, slot - micro_batches + 1); i <= std::min(slot, p - 1); ++i) {
      largest = max(largest, alone[static_cast<std::size_t>(i)]);
      sum += alone[static_cast<std::size_t>(i)];
    }
    all += max(largest, sum * (work.shared / static_cast<double>(p)));
  }
  return all - work.busiest.total() * static_cast<double>(micro_batches);
}

std::vector<std::int64_t> own_sizes(const LoweredModel& model, std::int64_t p) {
  const auto layers = static_cast<std::int64_t>(model.order.size());
  return model.balanced_stages && layers >= p ? balanced_sizes(model, p) : even_sizes(layers, p);
}

std::vector<Stage> stages_of(const LoweredModel& model, const std::vector<std::int64_t>& size) {
  std::vector<Stage> out(size.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].count.assign(model.kinds.size(), 0);
    out[i].layers = size[i];
    for (std::int64_t k = 0; k < size[i]; ++k) out[i].count[model.order[next++]] += 1;
  }
  out.front().first = true;
  out.back().last = true;
  return out;
}

}  // namespace

std::vector<Stage> stages_of(const LoweredModel& model, std::int64_t pipeline_parallel) {
  return stages_of(model, own_sizes(model, pipeline_parallel));
}

std::vector<Stage> stages_of(const LoweredModel& model, const Strategy& s) {
  if (s.first_stage_layers == 0) return stages_of(model, own_sizes(model, s.pipeline_parallel));
  const std::int64_t between = static_cast<std::int64_t>(model.order.size()) - s.first_stage_layers - s.last_stage_layers;
  std::vector<std::int64_t> size(static_cast<std::size_t>(s.pipeline_parallel), s.pipeline_parallel > 2 ? between / (s.pipeline_parallel - 2) : 0);
  size.front() = s.first_stage_layers;
  size.back() = s.last_stage_layers;
  return stages_of(model, size);
}

std::vector<StageRun> stage_runs(const LoweredModel& model, const Strategy& strategy) {
  std::vector<StageRun> out;
  std::vector<Stage> stages = stages_of(model, strategy);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    Stage& s = stages[i];
    const bool same = !out.empty() && out.back().stage.count == s.count && out.back().stage.first == s.first && out.back().stage.last == s.last;
    if (same)
      ++out.back().length;
    else
      out.push_back({std::move(s), static_cast<std::int64_t>(i), 1});
  }
  return out;
}

PipelineWork pipeline_work(const std::vector<StageRun>& runs, const std::vector<LayerTime>& times) {
  PipelineWork out;
  out.stages = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    out.stages += runs[i].length;
    out.sum += times[i].total() * static_cast<double>(runs[i].length);
    if (i == 0 || times[i].total() > out.busiest.total()) out.busiest = times[i];
    const LayerTime& t = times[i];
    out.runs.push_back({t.total() - t.backward_total(), t.backward_total(), t.forward + t.backward_input + t.backward_weight + t.recompute, runs[i].length});
  }
  return out;
}

double in_flight(Schedule schedule, std::int64_t pipeline, std::int64_t stage, std::int64_t virtual_stages, std::int64_t micro_batches) {
  const double p = static_cast<double>(pipeline), i = static_cast<double>(stage), v = static_cast<double>(virtual_stages), m = static_cast<double>(micro_batches);
  if (pipeline == 1) return 1.0;
  switch (schedule) {
    case Schedule::none:
    case Schedule::gpipe: return m;
    case Schedule::one_f_one_b:
    case Schedule::zb_h1: return std::min(m, p - i);
    case Schedule::interleaved: return std::min(m, ((p - i - 1.0) * 2.0 + (v - 1.0) * p + 1.0) / v);
    case Schedule::zb_h2: return std::min(m, 2.0 * (p - i) - 1.0);
    case Schedule::zb_v: return std::min(m, p);
    case Schedule::dualpipe: return std::min(m, p + 1.0);
  }
  return m;
}

Seconds shared_pipeline_bubble(const std::vector<LayerTime>& stage_time, double shared, std::int64_t micro_batches) {
  std::vector<StageRun> runs(stage_time.size());
  for (StageRun& run : runs) run.length = 1;
  PipelineWork work = pipeline_work(runs, stage_time);
  work.shared = shared;
  return shared_pipeline_bubble(work, micro_batches);
}

Seconds pipeline_bubble(Schedule schedule, const std::vector<LayerTime>& stage_time, std::int64_t virtual_stages, std::int64_t micro_batches) {
  std::vector<StageRun> runs(stage_time.size());
  for (StageRun& run : runs) run.length = 1;
  return pipeline_bubble(schedule, pipeline_work(runs, stage_time), virtual_stages, micro_batches);
}

Seconds pipeline_bubble(Schedule schedule, const PipelineWork& work, std::int64_t virtual_stages, std::int64_t micro_batches) {
  if (work.stages < 2) return Seconds{};
  if (work.shared > 1.0) return shared_pipeline_bubble(work, micro_batches);
  const auto p = static_cast<double>(work.stages);
  const LayerTime& t = work.busiest;
  const Seconds fill = work.sum - t.total();  // one micro-batch through the other stages, there and back
  const Seconds w = t.backward_weight;
  const double m = static_cast<double>(micro_batches);
  switch (schedule) {
    case Schedule::one_f_one_b: return max(Seconds{}, one_f_one_b_time(work, m) - t.total() * m);
    // a chunk begins when the one before it is through all stages, p passes later, also where there are fewer micro-batches than that
    case Schedule::interleaved:
      return (fill + work.sum / p * ((static_cast<double>(virtual_stages) - 1.0) * std::max(0.0, p - m))) / static_cast<double>(virtual_stages);
    // the weight gradients of m micro-batches fill at most two of each in the waits of fill and drain
    case Schedule::zb_h1: return max(Seconds{}, fill - w * std::min(2.0 * (p - 1.0), 2.0 * m));
    case Schedule::zb_h2:
    case Schedule::zb_v: return max(Seconds{}, fill - w * std::min(3.0 * (p - 1.0), 2.0 * m));
    case Schedule::dualpipe: return max(Seconds{}, (t.total() + t.backward_total() - w * 3.0) * (p / 2.0 - 1.0));
    default: return fill;
  }
}

}  // namespace reckon
