// A step whose messages share the links of the cluster, kind with kind and stage with stage: who slows whom, and by how much.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "calibration/links.hpp"
#include "simulate/link_use.hpp"
#include "simulate/step_simulation.hpp"

namespace reckon {

/// What one kind of message took.
struct StreamUse {
  double alone = 0;     ///< seconds of all its messages, each without any other
  double together = 0;  ///< the same in this run
  double slowdown() const { return alone > 0 ? together / alone : 1.0; }
};

/// Bytes over a class of links.
struct ClassLoad {
  std::uint32_t link = 0;  ///< class of LinkUse
  double bytes = 0;        ///< over each link of the class in one step
  double share = 0;        ///< of what the link could carry in the step
};

struct SharedStep {
  double seconds = 0;              ///< of the step, without the closed form's allowance for jitter
  double pipeline = 0;             ///< until the last pass ends
  std::vector<double> reduce_end;  ///< by stage: end of the gradient reduction
  double gather = 0;               ///< exposed seconds of the slowest parameter gather
  StreamUse use[num_streams];
  std::vector<ClassLoad> loads;  ///< busiest first
};

/// Which kinds share links; the messages of the others take what they take alone.
enum class Sharing { none, model_parallel, data_parallel, all };

/// Runs the step.  A stage executes its passes piece by piece; the messages of all its groups of a kind are one flow over `links`, whose
/// rate the max-min shares of FlowNetwork set, at most that at which the message takes what the closed form says.  A transfer between
/// stages goes beside the passes, or holds up its sender where the stack does not overlap it.  A gradient reduction begins as long before
/// the end of its stage as the closed form hides of it; the hidden part of a parameter gather goes beside the first passes of the step, and
/// what is late of it shows.  Bytes on a wire are the message's over the efficiency that its protocol reaches; never more than the links
/// carry in the closed form's time (trees and switches that reduce need fewer).  With Sharing::none the times are those of `simulate_step`.
///
/// `calm` is simulate_step(plan).
SharedStep simulate_shared(const StepPlan& plan, const StepSimulation& calm, const LinkUse& links, const LinkCalibration& calibration,
                           Sharing sharing);

}  // namespace reckon
