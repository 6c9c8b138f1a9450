// One training step as the simulator executes it: the chunks of every pipeline stage cut into pieces of compute and messages, with the
// prices of the closed form.  Nothing is priced here a second time: layer times, message times, data-parallel exposure, optimiser and
// memory all come from src/cost. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "cost/step_cost.hpp"
#include "simulate/schedule.hpp"

namespace reckon {

/// The streams of a device, as rows of a trace.
enum class Stream : std::uint8_t { compute, tensor, context, expert, pipeline, data, host };  ///< host: copies to its memory and back
inline constexpr int num_streams = 7;
const char* name_of(Stream stream);

/// Compute, then one message beside further compute: the piece ends with the later of the two.  The message is `message` long; as much of
/// it as the closed form calls hidden has compute beside it.
struct Piece {
  double before = 0, beside = 0, message = 0;  ///< seconds
  double bytes = 0;                            ///< of the message, in the convention of collective_time
  Stream stream = Stream::compute;             ///< of the message; compute = no message
  Collective collective = Collective::all_reduce;
  std::int32_t layer = 0;  ///< within the chunk; -1 the embedding, -2 the head, -3 all of it
  double seconds() const { return before + (beside > message ? beside : message); }
};

double seconds_of(const std::vector<Piece>& pass);

/// The passes of one chunk of one stage, one micro-batch.  `whole` is the backward pass with its weight gradients.
struct ChunkWork {
  std::vector<Piece> forward, backward, weight, whole;
};

/// What a stage does once a step, after its last backward pass.
struct StageFinish {
  double reduce = 0, exposed_reduce = 0;  ///< gradients: seconds on the data stream, and of those after the last backward pass
  double gather = 0, exposed_gather = 0;  ///< parameters, likewise, after the optimiser
  double optimizer = 0;
  double reduce_bytes = 0, gather_bytes = 0;
};

/// Bytes of a device of the stage.
struct StageHolds {
  double fixed = 0;            ///< weights, gradients, optimiser state, buffers, driver
  double per_micro_batch = 0;  ///< activations of one micro-batch on the whole stage
  double head = 0;
};

struct StepPlan {
  PipelineShape shape;
  std::vector<ChunkWork> chunks;  ///< [stage * shape.chunks + chunk]
  PipelineTimes times;            ///< sums of the chunks
  std::vector<StageFinish> finish;
  std::vector<StageHolds> holds;
  std::int64_t ranks[num_streams] = {1, 1, 1, 1, 1, 1, 1};  ///< members of a device's group, by stream
  double boundary_bytes = 0;                                ///< a message between stages
  double tied = 0;                                          ///< first and last stage sum the gradient of a shared table
  double jitter_share = 0;                                  ///< of the closed form: jitter / everything else
  StepCost closed;                                          ///< the closed form's answer to the same job

  /// What a stage executes for an action.
  const std::vector<Piece>& pieces(std::size_t stage, const Action& action) const;
};

/// Builds the plan; `job.strategy` must be sound (see validate(Strategy)).
StepPlan step_plan(const Job& job);
StepPlan step_plan(const Job& job, const PricedModel& priced);

}  // namespace reckon
