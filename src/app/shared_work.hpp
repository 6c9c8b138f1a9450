// Numbered pieces of work, shared among ranks until they are done or the run is asked to stop.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "runtime/mpi_session.hpp"
#include "runtime/stop_signal.hpp"

namespace reckon {

/// Hands 0 .. total - 1 to the ranks as they ask, and calls `work` for each on the rank that took it.  `work` asks `go_on` every
/// millisecond or so, which also serves other ranks, and leaves its piece unfinished when the answer is no.  Nothing is handed out after a
/// stop was requested or `work` threw on this rank; what it threw is thrown on when all ranks have left the queue.  Collective.
void share_work(const MpiSession& session, std::int64_t total, const StopWatch& stop,
                const std::function<void(std::int64_t number, const std::function<bool()>& go_on)>& work);

}  // namespace reckon
