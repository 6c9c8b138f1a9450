// Every strategy of every size, written down.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "io/plan_results.hpp"
#include "plan/question.hpp"
#include "runtime/mpi_session.hpp"
#include "runtime/stop_signal.hpp"

namespace reckon {

/// Refuses a folder that holds batches of another run, or other files.  Throws UsageError.
void check_batch_folder(const std::filesystem::path& folder, const std::string& uuid);

/// Decides every strategy of every size without pruning and writes FOLDER/UUID.devices-512.tensor-8.0000.h5 and so on
/// (io/strategy_batches.hpp): the same files, byte for byte, whatever the number of ranks.  Batches that an earlier run finished stay.
/// Returns the number of strategies, on all ranks.  Throws StoppedError when the run was asked to stop.  Collective.
std::int64_t keep_all(const Question& question, const std::vector<std::int64_t>& devices, const PlanProvenance& provenance,
                      const std::filesystem::path& folder, const MpiSession& session, const StopWatch& stop, bool quiet);

}  // namespace reckon
