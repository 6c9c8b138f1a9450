// Pipeline schedules as ordered lists of actions, one list a stage: what a training program executes, before anything takes time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/strategy.hpp"

namespace reckon {

/// backward: the whole backward pass, or the input gradient alone where the schedule splits it; weight: the weight gradient.
enum class ActionKind : std::uint8_t { forward, backward, weight };

struct Action {
  ActionKind kind = ActionKind::forward;
  bool with_next = false;  ///< runs together with the following action of this stage; both end at the same time (DualPipe)
  bool whole = false;      ///< a backward that is not split although the schedule splits
  std::int16_t chunk = 0;  ///< which of the stage's chunks of layers
  std::int32_t micro_batch = 0;
};

/// How chunks of layers lie on stages.  looped: chunk c of stage i is place c p + i (interleaving; one chunk: the plain pipeline);
/// folded: down with chunk 0, up with chunk 1 (ZB-V); mirrored: two pipelines in opposite directions, chunk 0 and chunk 1, each of p
/// places (DualPipe: every stage keeps the layers of its mirror too).
enum class Layout : std::uint8_t { looped, folded, mirrored };

struct PipelineShape {
  Schedule schedule = Schedule::one_f_one_b;
  std::int32_t stages = 1, chunks = 1, micro_batches = 1;
  Layout layout = Layout::looped;
  bool splits_backward = false;

  /// Places that a micro-batch passes: stages * chunks, or stages in a mirrored layout.
  std::int32_t places() const { return layout == Layout::mirrored ? stages : stages * chunks; }
  /// The place of a chunk.
  std::int32_t place_of(std::int32_t stage, std::int32_t chunk) const;
  /// The stage and the chunk at a place; `chunk_hint` names the direction in a mirrored layout.
  std::int32_t stage_at(std::int32_t place, std::int32_t chunk_hint) const;
  std::int32_t chunk_at(std::int32_t place, std::int32_t chunk_hint) const;
  /// The direction that a micro-batch takes in a mirrored layout: the first half goes down, the second up.
  std::int32_t direction_of(std::int32_t micro_batch) const {
    return layout == Layout::mirrored && micro_batch >= (micro_batches + 1) / 2 ? 1 : 0;
  }
};

/// The shape that a strategy's schedule has; `virtual_stages` counts with interleaving only.  One stage: a plain loop, whatever the name.
PipelineShape pipeline_shape(Schedule schedule, std::int64_t stages, std::int64_t virtual_stages, std::int64_t micro_batches);

/// Seconds of one chunk's passes of one micro-batch.
struct PassTimes {
  double forward = 0, backward = 0, weight = 0;  ///< backward without the weight gradient
  double total() const { return forward + backward + weight; }
};

/// What a pipeline's passes take.
struct PipelineTimes {
  std::vector<PassTimes> pass;   ///< [stage * chunks + chunk]
  double transfer = 0;           ///< one activation or gradient to the neighbour
  bool transfer_blocks = false;  ///< the stages wait during transfers: every forward and backward pass takes that much longer
};

/// Share of a micro-batch's activations that stays until its weight gradient where the backward pass is split (Qi et al. 2023, section
/// 3.2: about half).
inline constexpr double weight_gradient_share = 0.5;

struct PipelineSchedule {
  PipelineShape shape;
  std::vector<std::vector<Action>> order;  ///< by stage
};

/// True for schedules whose authors replace the barrier of the optimiser step by a check afterwards (post-validation, Qi et al. 2023,
/// section 4), so that a stage begins its next step when it is done, not when all are: zb_h2, zb_v.
bool without_barrier(Schedule schedule);

/// The order of the schedule's actions.
///
/// gpipe: all forward, then all backward (Huang et al. 2019, arXiv 1811.06965).  one_f_one_b: p - 1 - i forwards ahead (Narayanan et al.
/// 2021, arXiv 2104.04473, section 2.2.1).  interleaved: 2 (p - 1 - i) + (v - 1) p chunks ahead, micro-batches in groups of p (section
/// 2.2.2); a remainder joins the last group.  zb_h1, zb_h2, zb_v: found by the search of `automatic_schedule` with the memory of p, 2p and
/// p micro-batches (Qi et al. 2023, arXiv 2401.10241; V: Qi et al. 2024, arXiv 2405.15362).  dualpipe: the eight phases of DeepSeek-AI 2024
/// (arXiv 2412.19437, figure 5) from 2p micro-batches on an even number of stages, else the search.
PipelineSchedule schedule_actions(const PipelineShape& shape, const PipelineTimes& times);

/// The list scheduling of Qi et al. 2023, section 3: forward passes as memory allows until the first backward, then one backward, one
/// forward, with weight gradients in the gaps and where memory forces them; several settings of its thresholds are tried and the shortest
/// schedule is kept.  `memory_limit` counts activations of one micro-batch on a whole stage; the weight-gradient part of them is
/// `weight_share`.
PipelineSchedule automatic_schedule(const PipelineShape& shape, const PipelineTimes& times, double memory_limit,
                                    double weight_share = weight_gradient_share);

}  // namespace reckon
