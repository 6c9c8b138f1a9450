// Measures messages between ranks: every operation by size, in groups of every size that a strategy can form, all groups at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "calibration/samples.hpp"
#include "measure/bench.hpp"

namespace reckon::measure {

struct LinkPlan {
  std::vector<std::int64_t> sizes;  ///< bytes, ascending
  Rules rules;
  /// Processor time that every rank works before each message, and by what share ranks differ in it: ranks of a training step come to a message
  /// from work and never at the same moment, so that waiting ranks have begun to yield or sleep (runtime/mpi_call.hpp).  Taken off the result.
  Seconds work_before{1.5e-4};
  double uneven = 0.1;
  double ranks_per_processor = 1;  ///< of all ranks at work: their work takes so many times as long
};
/// 8 B to `largest` in doublings from 1 KiB on; `quick`: four sizes.
LinkPlan link_plan(std::int64_t largest, bool quick);

/// Group sizes worth measuring among `ranks`: its divisors from 2 on.
std::vector<std::int64_t> group_sizes(std::int64_t ranks);
std::int64_t count_of(const LinkPlan& plan, std::int64_t ranks);

/// Collective over `world`.  Sums and moved bytes are checked for every operation before it is timed; DeviceError when one is wrong.
void measure_links(const Communicator& world, const LinkPlan& plan, Samples& samples, const std::function<void()>& advance);

/// A message under way while this rank multiplies matrices.  Collective over `world`; needs two ranks.
void measure_overlap(const Communicator& world, const Rules& rules, Samples& samples);

}  // namespace reckon::measure
