// SPDX-License-Identifier: Apache-2.0
#include "io/results_columns.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <type_traits>
#include <utility>

#include "base/error.hpp"

namespace reckon {
namespace {

struct TimePart {
  Part part;
  Seconds StepTime::*member;
};
constexpr std::array time_parts{TimePart{{"time_forward", "forward"}, &StepTime::forward},
                                TimePart{{"time_backward", "backward"}, &StepTime::backward},
                                TimePart{{"time_recompute", "recompute"}, &StepTime::recompute},
                                TimePart{{"time_exposed_tensor", "tensor messages, exposed"}, &StepTime::exposed_tensor},
                                TimePart{{"time_exposed_context", "context messages, exposed"}, &StepTime::exposed_context},
                                TimePart{{"time_exposed_expert", "expert messages, exposed"}, &StepTime::exposed_expert},
                                TimePart{{"time_exposed_pipeline", "pipeline messages, exposed"}, &StepTime::exposed_pipeline},
                                TimePart{{"time_exposed_data", "data-parallel messages, exposed"}, &StepTime::exposed_data},
                                TimePart{{"time_exposed_offload", "activations to the host and back, exposed"}, &StepTime::exposed_offload},
                                TimePart{{"time_bubble", "pipeline bubble"}, &StepTime::bubble},
                                TimePart{{"time_optimizer", "optimizer"}, &StepTime::optimizer},
                                TimePart{{"time_jitter", "stragglers and noise"}, &StepTime::jitter}};

struct MemoryPart {
  Part part;
  Bytes MemoryFootprint::*member;
};
constexpr std::array footprint_parts{MemoryPart{{"memory_weights", "weights"}, &MemoryFootprint::weights},
                                     MemoryPart{{"memory_gradients", "gradients"}, &MemoryFootprint::gradients},
                                     MemoryPart{{"memory_optimizer", "optimizer states"}, &MemoryFootprint::optimizer},
                                     MemoryPart{{"memory_activations", "activations"}, &MemoryFootprint::activations},
                                     MemoryPart{{"memory_workspace", "workspace"}, &MemoryFootprint::workspace},
                                     MemoryPart{{"memory_communication", "communication buffers"}, &MemoryFootprint::communication},
                                     MemoryPart{{"memory_framework", "framework and driver"}, &MemoryFootprint::framework}};

static_assert(sizeof(StepTime) == time_parts.size() * sizeof(Seconds), "a part of StepTime is missing in time_parts");
static_assert(sizeof(MemoryFootprint) == footprint_parts.size() * sizeof(Bytes), "a part of MemoryFootprint is missing in footprint_parts");

double bare(double value) { return value; }
template <int T, int D, int W, int K, int M, int E>
double bare(Quantity<T, D, W, K, M, E> value) {
  return value.base();
}

/// A stored column; `field` maps a point to a reference to its member.
template <class Field>
RealColumn stored(std::string name, std::string units, std::string long_name, Field field) {
  return {std::move(name),
          std::move(units),
          std::move(long_name),
          [field](const PlanPoint& p) { return bare(field(p)); },
          [field](PlanPoint& p, double value) {
            auto& member = field(p);
            member = std::remove_reference_t<decltype(member)>(value);
          },
          false,
          false,
          1};
}

RealColumn derived(std::string name, std::string units, std::string long_name, std::function<double(const PlanPoint&)> get) {
  return {std::move(name), std::move(units), std::move(long_name), std::move(get), {}, false, false, 1};
}

template <class Field>
WholeColumn whole(std::string name, std::string long_name, Field field) {
  return {std::move(name),
          "1",
          std::move(long_name),
          [field](const PlanPoint& p) { return static_cast<std::int64_t>(field(p)); },
          [field](PlanPoint& p, std::int64_t value) {
            auto& member = field(p);
            member = static_cast<std::remove_reference_t<decltype(member)>>(value);
          },
          {},
          false,
          1};
}

template <class Enum>
std::vector<std::string> names_up_to(Enum last) {
  std::vector<std::string> out;
  for (int i = 0; i <= static_cast<int>(last); ++i) out.emplace_back(name_of(static_cast<Enum>(i)));
  return out;
}

WholeColumn with_meanings(WholeColumn column, std::vector<std::string> meanings) {
  column.meanings = std::move(meanings);
  return column;
}

template <class Column>
Column since_format_2(Column column) {
  column.since = 2;
  return column;
}

constexpr int num_modules = static_cast<int>(RecomputeModule::shared_experts) + 1;

WholeColumn module_column() {
  WholeColumn out{"recompute_modules",
                  "1",
                  "parts of a layer that are recomputed, with recompute = modules",
                  [](const PlanPoint& p) {
                    std::int64_t bits = 0;
                    for (const RecomputeModule m : p.strategy.recompute_modules) bits |= std::int64_t{1} << static_cast<int>(m);
                    return bits;
                  },
                  [](PlanPoint& p, std::int64_t bits) {
                    p.strategy.recompute_modules.clear();
                    for (int i = 0; i < num_modules; ++i)
                      if ((bits >> i & 1) != 0) p.strategy.recompute_modules.push_back(static_cast<RecomputeModule>(i));
                  },
                  names_up_to(RecomputeModule::shared_experts),
                  true,
                  1};
  return out;
}

std::vector<WholeColumn> make_whole_columns() {
  const auto s = [](const char* name, const char* long_name, std::int64_t Strategy::*member) {
    return whole(
        name, long_name, [member](auto& p) -> auto& { return p.strategy.*member; });
  };
  return {
      whole(
          "devices", "devices of the cluster", [](auto& p) -> auto& { return p.devices; }),
      whole(
          "place", "rank by step time among the strategies of this size, 1 = fastest", [](auto& p) -> auto& { return p.place; }),
      s("tensor_parallel", "tensor-parallel degree", &Strategy::tensor_parallel),
      s("pipeline_parallel", "pipeline stages", &Strategy::pipeline_parallel),
      s("virtual_stages", "virtual stages of each pipeline rank", &Strategy::virtual_stages),
      s("context_parallel", "context-parallel degree", &Strategy::context_parallel),
      s("expert_parallel", "expert-parallel degree", &Strategy::expert_parallel),
      s("expert_tensor_parallel", "tensor-parallel degree of the experts, 0 = tensor_parallel", &Strategy::expert_tensor_parallel),
      s("data_parallel", "data-parallel replicas", &Strategy::data_parallel),
      s("micro_batch_size", "sequences or samples of a micro-batch", &Strategy::micro_batch_size),
      s("global_batch_size", "sequences or samples of a step", &Strategy::global_batch_size),
      s("shard_group_size", "ranks that share one sharded copy, 0 = all", &Strategy::shard_group_size),
      s("recompute_layers", "layers of a stage that recompute, 0 = all", &Strategy::recompute_layers),
      with_meanings(whole(
                        "schedule", "pipeline schedule", [](auto& p) -> auto& { return p.strategy.schedule; }),
                    names_up_to(Schedule::dualpipe)),
      with_meanings(whole(
                        "sharding", "what data-parallel ranks shard", [](auto& p) -> auto& { return p.strategy.sharding; }),
                    names_up_to(Sharding::zero3)),
      with_meanings(whole(
                        "recompute", "activations that are recomputed", [](auto& p) -> auto& { return p.strategy.recompute; }),
                    names_up_to(Recompute::full)),
      module_column(),
      since_format_2(s("first_stage_layers", "layers of the first of uneven stages, 0 = the stack's own division", &Strategy::first_stage_layers)),
      since_format_2(s("last_stage_layers", "layers of the last of uneven stages, 0 = the stack's own division", &Strategy::last_stage_layers)),
      since_format_2(with_meanings(whole(
                                       "group_order", "groups from the innermost outwards", [](auto& p) -> auto& { return p.strategy.order; }),
                                   names_up_to(GroupOrder::pipeline_inside))),
      since_format_2(whole(
          "offload_activations", "saved activations are kept on the host", [](auto& p) -> auto& { return p.strategy.offload_activations; })),
      since_format_2(whole(
          "offload_optimizer", "master weights and moments are kept on the host",
          [](auto& p) -> auto& { return p.strategy.offload_optimizer; })),
      whole(
          "sequence_parallel", "sequence parallelism beside tensor parallelism",
          [](auto& p) -> auto& { return p.strategy.sequence_parallel; }),
      with_meanings(whole(
                        "precision", "format of the matrix products", [](auto& p) -> auto& { return p.strategy.precision; }),
                    names_up_to(Precision::nvfp4)),
      with_meanings(whole(
                        "attention", "attention kernel", [](auto& p) -> auto& { return p.strategy.attention; }),
                    names_up_to(AttentionKind::unfused)),
      whole(
          "peak_stage", "pipeline stage with the largest footprint", [](auto& p) -> auto& { return p.cost.peak_stage; }),
      whole(
          "cost_micro_usd", "cost of the run in millionths of a dollar, exact",
          [](auto& p) -> auto& { return p.projection.cost_micro_usd; }),
  };
}

void add_cost_columns(std::vector<RealColumn>& out) {
  out.push_back(derived("step_time", "s", "time of one optimizer step, sum of the time_ columns",
                        [](const PlanPoint& p) { return p.cost.time.total().base(); }));
  for (const TimePart& t : time_parts) {
    RealColumn column = stored(
        std::string(t.part.name), "s",
        std::string(t.part.title) + ", share of step_time", [member = t.member](auto& p) -> auto& { return p.cost.time.*member; });
    out.push_back(t.part.name == "time_exposed_offload" ? since_format_2(column) : column);
  }
  out.push_back(derived("memory_total", "byte", "footprint of the fullest device, sum of the memory_ columns",
                        [](const PlanPoint& p) { return p.cost.memory.total().base(); }));
  for (const MemoryPart& m : footprint_parts)
    out.push_back(stored(
        std::string(m.part.name), "byte",
        std::string(m.part.title) + ", share of memory_total", [member = m.member](auto& p) -> auto& { return p.cost.memory.*member; }));
  out.push_back(stored(
      "model_flops", "flop", "model FLOP of one step, all devices", [](auto& p) -> auto& { return p.cost.model_flops; }));
  out.push_back(stored(
      "parameters", "1", "parameters of the model", [](auto& p) -> auto& { return p.cost.parameters; }));
  out.push_back(stored(
      "mfu", "1", "model FLOP utilization of the data-sheet peak", [](auto& p) -> auto& { return p.cost.mfu; }));
  out.push_back(stored(
      "tokens_per_step", "token", "tokens (or samples) of one step", [](auto& p) -> auto& { return p.cost.tokens_per_step; }));
}

void add_projection_columns(std::vector<RealColumn>& out) {
  out.push_back(stored(
      "steps", "1", "optimizer steps of the run", [](auto& p) -> auto& { return p.projection.steps; }));
  out.push_back(stored(
      "throughput", "token s-1", "tokens (or samples) a second while training, all devices",
      [](auto& p) -> auto& { return p.projection.throughput; }));
  out.push_back(stored(
      "goodput", "1", "training time over wall time", [](auto& p) -> auto& { return p.projection.goodput.value; }));
  RealColumn mttf = stored(
      "mean_time_to_failure", "s", "mean time between interruptions of the job, missing = never",
      [](auto& p) -> auto& { return p.projection.goodput.mean_time_to_failure; });
  mttf.missing_is_infinite = true;
  out.push_back(mttf);
  out.push_back(stored(
      "checkpoint_interval", "s", "time between checkpoints", [](auto& p) -> auto& { return p.projection.goodput.checkpoint_interval; }));
  out.push_back(stored(
      "checkpoint_share", "1", "share of wall time that writing checkpoints takes",
      [](auto& p) -> auto& { return p.projection.goodput.checkpoint_share; }));
  out.push_back(stored(
      "lost_share", "1", "share of wall time whose work failures undo", [](auto& p) -> auto& { return p.projection.goodput.lost_share; }));
  out.push_back(stored(
      "restart_share", "1", "share of wall time that restarts take", [](auto& p) -> auto& { return p.projection.goodput.restart_share; }));
  out.push_back(stored(
      "wall_time", "s", "duration of the run", [](auto& p) -> auto& { return p.projection.wall_time; }));
  out.push_back(stored(
      "device_hours", "h", "device-hours paid for, reserve included", [](auto& p) -> auto& { return p.projection.device_hours; }));
  out.push_back(
      derived("cost", "USD", "cost of the run, cost_micro_usd in dollars", [](const PlanPoint& p) { return p.projection.cost().base(); }));
  out.push_back(stored(
      "energy", "J", "energy of the run at the meter", [](auto& p) -> auto& { return p.projection.energy; }));
}

template <class T>
void append(std::string& message, T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  message.append(raw, sizeof value);
}

template <class T>
T take(std::string_view& message) {
  if (message.size() < sizeof(T)) throw InternalError("a message between ranks is too short");
  T value;
  std::memcpy(&value, message.data(), sizeof value);
  message.remove_prefix(sizeof value);
  return value;
}

}  // namespace

std::string RealColumn::json_name() const {
  static const std::map<std::string, std::string> suffix{{"s", "_s"},     {"byte", "_bytes"}, {"flop", "_flop"}, {"token s-1", "_per_s"},
                                                         {"USD", "_usd"}, {"J", "_j"}};
  const auto at = suffix.find(units);
  return at == suffix.end() ? name : name + at->second;
}

const std::vector<WholeColumn>& whole_columns() {
  static const std::vector<WholeColumn> columns = make_whole_columns();
  return columns;
}

const std::vector<RealColumn>& real_columns() {
  static const std::vector<RealColumn> columns = [] {
    std::vector<RealColumn> out;
    add_cost_columns(out);
    const auto first = static_cast<std::ptrdiff_t>(out.size());
    add_projection_columns(out);
    std::for_each(out.begin() + first, out.end(), [](RealColumn& c) { c.projected = true; });
    return out;
  }();
  return columns;
}

const std::vector<CountColumn>& count_columns() {
  static const std::vector<CountColumn> columns{
      {"evaluated", "strategies whose step time and memory were decided", &SearchCounts::evaluated},
      {"cut_by_memory", "strategies cut because the smallest footprint of their block does not fit", &SearchCounts::cut_by_memory},
      {"cut_by_compute", "strategies cut because compute alone takes longer than the slowest plan kept", &SearchCounts::cut_by_compute},
      {"cut_by_pipeline", "strategies cut because compute and bubble take longer than the slowest plan kept", &SearchCounts::cut_by_pipeline}};
  return columns;
}

const std::vector<Part>& step_time_parts() {
  static const std::vector<Part> parts = [] {
    std::vector<Part> out;
    for (const TimePart& t : time_parts) out.push_back(t.part);
    return out;
  }();
  return parts;
}

const std::vector<Part>& memory_parts() {
  static const std::vector<Part> parts = [] {
    std::vector<Part> out;
    for (const MemoryPart& m : footprint_parts) out.push_back(m.part);
    return out;
  }();
  return parts;
}

std::vector<Seconds> values_of(const StepTime& time) {
  std::vector<Seconds> out;
  for (const TimePart& t : time_parts) out.push_back(time.*t.member);
  return out;
}

std::vector<Bytes> values_of(const MemoryFootprint& memory) {
  std::vector<Bytes> out;
  for (const MemoryPart& m : footprint_parts) out.push_back(memory.*m.member);
  return out;
}

std::string pack(const std::vector<PlanPoint>& points) {
  std::string message;
  append(message, static_cast<std::uint64_t>(points.size()));
  for (const PlanPoint& point : points) {
    for (const WholeColumn& c : whole_columns()) append(message, c.get(point));
    for (const RealColumn& c : real_columns())
      if (c.set) append(message, c.get(point));
  }
  return message;
}

std::vector<PlanPoint> unpack_points(std::string_view message) {
  std::vector<PlanPoint> points;
  for (auto left = take<std::uint64_t>(message); left > 0; --left) {
    PlanPoint& point = points.emplace_back();
    for (const WholeColumn& c : whole_columns()) c.set(point, take<std::int64_t>(message));
    for (const RealColumn& c : real_columns())
      if (c.set) c.set(point, take<double>(message));
  }
  if (!message.empty()) throw InternalError("a message between ranks is too long");
  return points;
}

}  // namespace reckon
