// What a step tells, and what a rank's state consists of: plain values, for reports and files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace reckon::train {

/// Where the wall-clock time of a step went on this rank, in seconds.  Compute is without the messages inside it.
struct PhaseSeconds {
  double forward = 0, backward = 0, optimizer = 0;                                    ///< compute; backward holds what is computed again
  double tensor = 0, context = 0, expert = 0, pipeline = 0, replicas = 0, other = 0;  ///< messages and waiting, by group
  double total = 0;
};

struct StepReport {
  std::int64_t step = 0;
  double loss = 0;           ///< mean over the tokens of the global batch, before the update
  double gradient_norm = 0;  ///< before clipping
  double learning_rate = 0;
  PhaseSeconds seconds;
  double pace = 0;  ///< runtime/pace.hpp, before or after the step and on the slowest rank, whichever is slowest
};

/// A run of bytes of this rank's state, and what it is.
struct StatePiece {
  std::string name;
  void* data = nullptr;
  std::size_t size = 0;
};

/// Where a parameter lies in its unit's pieces: for readers of checkpoints.
struct ParameterPlace {
  std::string unit, name;
  std::int64_t offset = 0, rows = 0, columns = 0, row = 0, column = 0, owned_first = 0, owned_count = 0;
};

}  // namespace reckon::train
