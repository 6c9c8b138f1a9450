// SPDX-License-Identifier: Apache-2.0
#include "simulate/step_plan.hpp"

#include <algorithm>
#include <cmath>

#include "cost/data_parallel.hpp"
#include "cost/placement.hpp"

namespace reckon {
namespace {

constexpr std::int32_t embedding = -1, head = -2, whole_chunk = -3;
constexpr double most_pieces = 8;  // messages of one group in one pass of one layer that become pieces of their own

/// Exposed and whole seconds of like messages in a pass, how many there are, and the bytes of one.
struct GroupMessages {
  Stream stream = Stream::compute;
  double exposed = 0, whole = 0, count = 0, bytes = 0;
  Collective collective = Collective::all_reduce;
};

Stream stream_of(Group group) {
  switch (group) {
    case Group::tensor:
      return Stream::tensor;
    case Group::context:
      return Stream::context;
    case Group::expert:
    case Group::expert_tensor:
      return Stream::expert;
    case Group::pipeline:
      return Stream::pipeline;
    case Group::data:
      return Stream::data;
  }
  return Stream::compute;
}

class Builder {
 public:
  Builder(const Job& job, const PricedModel& priced)
      : job_(job),
        priced_(priced),
        placements_(placements_of(job.strategy, *job.cluster)),
        stages_(stages_of(priced.lowered, job.strategy)) {}

  StepPlan build() {
    const Strategy& s = job_.strategy;
    plan_.shape = pipeline_shape(s.schedule, s.pipeline_parallel, s.virtual_stages, s.num_micro_batches());
    plan_.closed = step_cost(job_, priced_);
    const StepTime& t = plan_.closed.time;
    const double rest = (t.total() - t.jitter).base();
    plan_.jitter_share = rest > 0 ? t.jitter.base() / rest : 0.0;
    plan_.ranks[static_cast<int>(Stream::tensor)] = placements_.tensor.ranks;
    plan_.ranks[static_cast<int>(Stream::context)] = placements_.context.ranks;
    plan_.ranks[static_cast<int>(Stream::expert)] = std::max(placements_.expert.ranks, placements_.expert_tensor.ranks);
    plan_.ranks[static_cast<int>(Stream::pipeline)] = s.pipeline_parallel;
    plan_.ranks[static_cast<int>(Stream::data)] = placements_.data.ranks;
    for (std::size_t i = 0; i < stages_.size(); ++i) add_stage(i);
    plan_.times.transfer = boundary_time(job_, priced_.lowered, placements_).base();
    plan_.boundary_bytes = priced_.lowered.boundary.base();
    plan_.times.transfer_blocks = !job_.stack->facts.overlap_pipeline;
    for (const ChunkWork& c : plan_.chunks) {
      const double backward = seconds_of(c.backward);
      plan_.times.pass.push_back({seconds_of(c.forward), backward, seconds_of(c.whole) - backward});
    }
    tie();
    return std::move(plan_);
  }

 private:
  /// Layers of a stage that chunk c gets: counts with and without recomputation, by kind.
  struct Share {
    std::vector<std::int64_t> again, kept;
    bool first = false, last = false;
  };

  /// Part `part` of `layers`, as even as whole layers allow: the first parts get fewer, on the last stage the last ones, where the head is.
  static std::int64_t part_of(std::int64_t layers, std::int32_t part, std::int32_t parts, bool last) {
    const std::int64_t place = last ? parts - 1 - part : part;
    return layers * (place + 1) / parts - layers * place / parts;
  }

  Share share_of(const Stage& stage, std::int32_t part, std::int32_t parts) const {
    Share out;
    std::int64_t left = job_.strategy.recompute_layers > 0 ? job_.strategy.recompute_layers : stage.layers;
    for (const std::int64_t count : stage.count) {
      const std::int64_t again = std::min(count, left), kept = count - again;
      left -= again;
      out.again.push_back(part_of(again, part, parts, stage.last));
      out.kept.push_back(part_of(kept, part, parts, stage.last));
    }
    return out;
  }

  void add_stage(std::size_t i) {
    const PipelineShape& shape = plan_.shape;
    const std::int32_t stage = static_cast<std::int32_t>(i);
    add_finish(i);
    for (std::int32_t c = 0; c < shape.chunks; ++c) {
      const bool mirrored = shape.layout == Layout::mirrored;
      const std::size_t source = mirrored && c == 1 ? stages_.size() - 1 - i : i;
      Share share = share_of(stages_[source], mirrored ? 0 : c, mirrored ? 1 : shape.chunks);
      const std::int32_t place = shape.place_of(stage, c);
      share.first = place == 0;
      share.last = place == shape.places() - 1;
      plan_.chunks.push_back(chunk_work(share, i));
    }
  }

  void add_finish(std::size_t i) {
    const LoweredModel& model = priced_.lowered;
    const Strategy& s = job_.strategy;
    const std::vector<Stage> one{stages_[i]};
    const std::vector<LayerTime> time{stage_time(stages_[i], priced_, s)};
    const double exposed = exposed_data_time(job_, model, one, time, placements_).base();
    StageFinish f;
    const StageParameters p = parameters_of(model, stages_[i]);
    const StackFacts& facts = job_.stack->facts;
    const double wire = reduced_gradient_bytes(facts, s.precision);
    const bool sharded = s.sharding != Sharding::none;
    const Collective reduce = sharded ? Collective::reduce_scatter : Collective::all_reduce;
    f.reduce = (collective_time(*job_.links, reduce, Bytes{p.trainable_dense * wire}, placements_.data) +
                collective_time(*job_.links, reduce, Bytes{p.trainable_expert * wire}, placements_.expert_data))
                   .base();
    f.reduce_bytes = (p.trainable_dense + p.trainable_expert) * wire;
    if (sharded) {
      const double element = activation_bytes(s.precision);
      f.gather = (collective_time(*job_.links, Collective::all_gather, Bytes{p.dense * element}, placements_.data) +
                  collective_time(*job_.links, Collective::all_gather, Bytes{p.expert * element}, placements_.expert_data))
                     .base();
      f.gather_bytes = (p.dense + p.expert) * element;
    }
    if (s.sharding == Sharding::zero3) {  // every micro-batch gathers twice and reduces once; all of it is inside the passes
      const double m = static_cast<double>(s.num_micro_batches()), all = 2.0 * f.gather + f.reduce;
      sharded_forward_.push_back(
          all > 0 ? GroupMessages{Stream::data, exposed / m * f.gather / all, f.gather, 1, f.gather_bytes, Collective::all_gather}
                  : GroupMessages{});
      sharded_backward_.push_back(all > 0 ? GroupMessages{Stream::data, exposed / m * (f.gather + f.reduce) / all, f.gather + f.reduce, 1,
                                                          f.gather_bytes + f.reduce_bytes, Collective::reduce_scatter}
                                          : GroupMessages{});
      f = {};
    } else {
      sharded_forward_.emplace_back();
      sharded_backward_.emplace_back();
      const bool waits_reduce = !facts.overlap_gradients, waits_gather = !facts.overlap_parameters;
      // the exposed seconds of both together are the closed form's; a part that nothing overlaps is exposed in full
      const double whole = (waits_reduce ? f.reduce : 0.0) + (waits_gather ? f.gather : 0.0);
      const double rest = std::max(0.0, exposed - whole), soft = (waits_reduce ? 0.0 : f.reduce) + (waits_gather ? 0.0 : f.gather);
      const double scale = whole > exposed && whole > 0 ? exposed / whole : 1.0;
      f.exposed_reduce = waits_reduce ? f.reduce * scale : soft > 0 ? rest * f.reduce / soft : 0.0;
      f.exposed_gather = exposed - f.exposed_reduce;
      f.reduce = std::max(f.reduce, f.exposed_reduce);
      f.gather = std::max(f.gather, f.exposed_gather);
    }
    f.optimizer = optimizer_time(job_, model, one).base();
    plan_.finish.push_back(f);

    const MemoryFootprint m = stage_footprint(job_, model, stages_[i], static_cast<std::int64_t>(i));
    const StageMemory memory = stage_memory(job_, model, stages_[i]);
    plan_.holds.push_back({(m.total() - m.activations).base(), memory.per_micro_batch.base(), memory.head.base()});
  }

  /// The tied table is summed by first and last stage once a step: what is in the closed form's data time of the ends and not in one
  /// stage's.
  void tie() {
    if (stages_.size() < 2 || priced_.lowered.tied_parameters <= 0) return;
    std::vector<LayerTime> times;
    double worst = 0;
    for (const Stage& stage : stages_) {
      times.push_back(stage_time(stage, priced_, job_.strategy));
      worst = std::max(worst, exposed_data_time(job_, priced_.lowered, {stage}, {times.back()}, placements_).base());
    }
    plan_.tied = exposed_data_time(job_, priced_.lowered, stages_, times, placements_).base() - worst;
  }

  ChunkWork chunk_work(const Share& share, std::size_t stage) {
    ChunkWork out;
    std::int64_t layers = 0;
    for (std::size_t k = 0; k < share.again.size(); ++k) layers += share.again[k] + share.kept[k];
    const double parts =
        static_cast<double>(std::max<std::int64_t>(1, layers) * plan_.shape.chunks) / (plan_.shape.layout == Layout::mirrored ? 2.0 : 1.0);
    std::int32_t number = 0;
    if (share.first) add_layer(out, priced_.lowered.before, priced_.before, embedding, false, 0.0, stage);
    for (std::size_t k = 0; k < share.again.size(); ++k) {
      for (std::int64_t n = 0; n < share.again[k]; ++n)
        add_layer(out, priced_.lowered.kinds[k], priced_.kinds[k], number++, job_.strategy.recompute == Recompute::full, 1.0 / parts,
                  stage);
      for (std::int64_t n = 0; n < share.kept[k]; ++n)
        add_layer(out, priced_.lowered.kinds[k], priced_.kinds_kept[k], number++, false, 1.0 / parts, stage);
    }
    if (share.last) add_layer(out, priced_.lowered.after, priced_.after, head, false, 0.0, stage);
    std::reverse(out.backward.begin(), out.backward.end());
    std::reverse(out.weight.begin(), out.weight.end());
    std::reverse(out.whole.begin(), out.whole.end());
    add_copies(out, stage);
    return out;
  }

  /// Activations to the host beside the forward pass and back beside the backward pass: what takes longer than the stage's pass shows.
  void add_copies(ChunkWork& out, std::size_t stage) const {
    if (!job_.strategy.offload_activations) return;
    const Bytes moved = stage_memory(job_, priced_.lowered, priced_.memory, stages_[stage]).offloaded;
    const Seconds copy = host_transfer_time(*job_.cluster, moved);
    const LayerTime pass = stage_time(stages_[stage], priced_, job_.strategy);
    const double parts = plan_.shape.layout == Layout::mirrored ? 1.0 : plan_.shape.chunks;
    const auto shown = [&](Seconds under) {
      return Piece{.message = std::max(0.0, (copy - under).base()) / parts,
                   .bytes = moved.base() / parts,
                   .stream = Stream::host,
                   .collective = Collective::point_to_point,
                   .layer = whole_chunk};
    };
    if (const Piece out_copy = shown(pass.forward_total()); out_copy.message > 0) out.forward.push_back(out_copy);
    if (const Piece in_copy = shown(pass.backward_total()); in_copy.message > 0)
      for (std::vector<Piece>* backward : {&out.backward, &out.whole}) backward->insert(backward->begin(), in_copy);
  }

  void add_layer(ChunkWork& out, const LoweredLayer& layer, const LayerTime& t, std::int32_t number, bool again, double sharded_part,
                 std::size_t stage) {
    std::vector<GroupMessages> forward = messages(layer, t, true, again), backward = messages(layer, t, false, again);
    const auto add_sharded = [&](std::vector<GroupMessages>& to, GroupMessages m) {
      if (m.whole <= 0 || sharded_part <= 0) return;
      m.exposed *= sharded_part;
      m.bytes *= sharded_part;
      m.whole = std::max(m.whole * sharded_part, m.exposed);
      to.push_back(m);
    };
    add_sharded(forward, sharded_forward_[stage]);
    add_sharded(backward, sharded_backward_[stage]);
    const double input = (t.backward_input + t.recompute).base(), weight = t.backward_weight.base();
    add_pass(out.forward, t.forward.base(), forward, number, false);
    add_pass(out.backward, input, backward, number, true);
    if (weight > 0) out.weight.push_back({.before = weight, .layer = number});
    add_pass(out.whole, input + weight, backward, number, true);
  }

  /// The groups' messages of one pass of a layer.
  std::vector<GroupMessages> messages(const LoweredLayer& layer, const LayerTime& t, bool forward, bool again) const {
    std::vector<GroupMessages> out;
    const auto add = [&](Stream stream, Seconds all, Seconds ahead) {
      const std::size_t begin = out.size();
      double whole = 0;
      for (const Message& m : layer.messages) {
        const double count = forward ? m.forward : m.backward + (again ? m.recompute : 0.0);
        if (stream_of(m.group) != stream || count <= 0) continue;
        const Seconds one = message_time(m, job_, placements_);
        out.push_back({stream, 0, count * one.base(), count, m.size.base(), m.collective});
        whole += out.back().whole;
      }
      const double exposed = std::max(0.0, forward ? ahead.base() : (all - ahead).base());
      if (out.size() == begin && exposed > 0) out.push_back({stream, 0, exposed, 1}), whole = exposed;
      for (std::size_t i = begin; i < out.size(); ++i) {
        out[i].exposed = whole > 0 ? exposed * out[i].whole / whole : 0.0;
        out[i].whole = std::max(out[i].whole, out[i].exposed);
      }
    };
    add(Stream::tensor, t.tensor, t.tensor_forward);
    add(Stream::context, t.context, t.context_forward);
    add(Stream::expert, t.expert, t.expert_forward);
    std::erase_if(out, [](const GroupMessages& g) { return g.whole <= 0; });
    return out;
  }

  /// Cuts a pass into pieces: compute in equal shares before the messages, hidden parts beside them.  Where more is hidden than there is
  /// compute (several groups under the same product), the messages are shortened to what shows.  `reversed`: the caller turns the order
  /// round.
  static void add_pass(std::vector<Piece>& out, double compute, const std::vector<GroupMessages>& groups, std::int32_t layer,
                       bool reversed) {
    double hidden = 0, pieces = 0;
    for (const GroupMessages& g : groups) hidden += g.whole - g.exposed, pieces += std::clamp(std::round(g.count), 1.0, most_pieces);
    if (groups.empty()) {
      if (compute > 0) out.push_back({.before = compute, .layer = layer});
      return;
    }
    const double shrink = hidden > compute ? compute / hidden : 1.0, before = (compute - hidden * shrink) / pieces;
    std::vector<Piece> made;
    for (const GroupMessages& g : groups) {
      const double n = std::clamp(std::round(g.count), 1.0, most_pieces), beside = (g.whole - g.exposed) * shrink / n;
      for (double k = 0; k < n; ++k)
        made.push_back({.before = before,
                        .beside = beside,
                        .message = beside + g.exposed / n,
                        .bytes = g.bytes,
                        .stream = g.stream,
                        .collective = g.collective,
                        .layer = layer});
    }
    if (reversed) std::reverse(made.begin(), made.end());
    out.insert(out.end(), made.begin(), made.end());
  }

  const Job& job_;
  const PricedModel& priced_;
  Placements placements_;
  std::vector<Stage> stages_;
  std::vector<GroupMessages> sharded_forward_, sharded_backward_;  // zero3: of one micro-batch, by stage
  StepPlan plan_;
};

}  // namespace

const char* name_of(Stream stream) {
  switch (stream) {
    case Stream::compute:
      return "compute";
    case Stream::tensor:
      return "tensor";
    case Stream::context:
      return "context";
    case Stream::expert:
      return "expert";
    case Stream::pipeline:
      return "pipeline";
    case Stream::data:
      return "data";
    case Stream::host:
      return "host";
  }
  return "";
}

double seconds_of(const std::vector<Piece>& pass) {
  double sum = 0;
  for (const Piece& p : pass) sum += p.seconds();
  return sum;
}

const std::vector<Piece>& StepPlan::pieces(std::size_t stage, const Action& a) const {
  const ChunkWork& c = chunks[stage * static_cast<std::size_t>(shape.chunks) + static_cast<std::size_t>(a.chunk)];
  if (a.kind == ActionKind::forward) return c.forward;
  if (a.kind == ActionKind::weight) return c.weight;
  return shape.splits_backward && !a.whole ? c.backward : c.whole;
}

StepPlan step_plan(const Job& job, const PricedModel& priced) { return Builder(job, priced).build(); }
StepPlan step_plan(const Job& job) { return step_plan(job, price_model(job)); }

}  // namespace reckon
