// Stages, bubbles and micro-batches in flight.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "cost/step_cost.hpp"

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

}  // namespace

std::vector<Stage> stages_of(const LoweredModel& model, std::int64_t pipeline_parallel) {
  const auto layers = static_cast<std::int64_t>(model.order.size());
  const std::int64_t p = pipeline_parallel;
  const std::vector<std::int64_t> size = model.balanced_stages && layers >= p ? balanced_sizes(model, p) : even_sizes(layers, p);
  std::vector<Stage> out(static_cast<std::size_t>(p));
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
  const auto p = static_cast<std::int64_t>(stage_time.size());
  if (p < 2) return Seconds{};
  Seconds busiest, all;
  std::vector<Seconds> alone;
  for (const LayerTime& t : stage_time) {
    const Seconds compute = t.forward + t.backward_input + t.backward_weight + t.recompute;
    alone.push_back(t.total() - compute * (1.0 - 1.0 / shared));
    busiest = max(busiest, t.total());
  }
  for (std::int64_t slot = 0; slot < micro_batches + p - 1; ++slot) {
    Seconds largest, sum;
    for (std::int64_t i = std::max<std::int64_t>(0, slot - micro_batches + 1); i <= std::min(slot, p - 1); ++i) {
      largest = max(largest, alone[static_cast<std::size_t>(i)]);
      sum += alone[static_cast<std::size_t>(i)];
    }
    all += max(largest, sum * (shared / static_cast<double>(p)));
  }
  return all - busiest * static_cast<double>(micro_batches);
}

Seconds pipeline_bubble(Schedule schedule, const std::vector<LayerTime>& stage_time, std::int64_t virtual_stages, std::int64_t micro_batches) {
  const auto p = static_cast<double>(stage_time.size());
  if (stage_time.size() < 2) return Seconds{};
  Seconds sum, largest;
  std::size_t busiest = 0;
  for (std::size_t i = 0; i < stage_time.size(); ++i) {
    sum += stage_time[i].total();
    if (stage_time[i].total() > largest) largest = stage_time[i].total(), busiest = i;
  }
  const Seconds fill = sum - largest;  // one micro-batch through the other stages, there and back
  const LayerTime& t = stage_time[busiest];
  const Seconds w = t.backward_weight;
  const double m = static_cast<double>(micro_batches);
  switch (schedule) {
    case Schedule::interleaved: return fill / static_cast<double>(virtual_stages);
    // the weight gradients of m micro-batches fill at most two of each in the waits of fill and drain
    case Schedule::zb_h1: return max(Seconds{}, fill - w * std::min(2.0 * (p - 1.0), 2.0 * m));
    case Schedule::zb_h2:
    case Schedule::zb_v: return max(Seconds{}, fill - w * std::min(3.0 * (p - 1.0), 2.0 * m));
    case Schedule::dualpipe: return max(Seconds{}, (t.total() + t.backward_total() - w * 3.0) * (p / 2.0 - 1.0));
    default: return fill;
  }
}

}  // namespace reckon
