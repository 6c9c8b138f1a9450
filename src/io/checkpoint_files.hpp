// Checkpoints of training: a folder a step, a file a rank in it, and a last file that says that all are there.
//
//   FOLDER/step-00000020/rank-00000.shard    "reckon/checkpoint/1\n", the length of a JSON text as 16 hexadecimal digits and "\n", the JSON
//                                            (facts of the run, the pieces with name, place, size and digest, the parameters), the pieces
//   FOLDER/step-00000020/complete.json       written last: a step without it does not count
//
// Every file is written whole or not at all (io/atomic_file.hpp).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/step_report.hpp"

namespace reckon {

/// What must be the same for a run to go on from a checkpoint, in words: {"strategy", "tp2 pp1 ..."}, {"seed", "1"}, ...
using CheckpointFacts = std::vector<std::pair<std::string, std::string>>;

/// Writes this rank's shard of `step`; makes the folders.  Throws FileError.
void write_shard(const std::filesystem::path& folder, std::int64_t step, int rank, const CheckpointFacts& facts,
                 const std::vector<train::StatePiece>& pieces, const std::vector<train::ParameterPlace>& places);
/// Declares the step whole, after all ranks wrote theirs, and removes all but the newest `keep` steps.  One rank calls it.
void complete_checkpoint(const std::filesystem::path& folder, std::int64_t step, int ranks, const CheckpointFacts& facts,
                         std::int64_t keep);

/// The newest whole step, or nothing; a folder that is missing has none.  Throws ConfigError when it is no folder.
std::optional<std::int64_t> newest_checkpoint(const std::filesystem::path& folder);
/// Fills `pieces` from this rank's shard.  Throws ConfigError when the shard belongs to another run (naming the first fact that differs),
/// has other pieces, or is damaged; nothing has been overwritten then unless the damage is in a later piece.
void read_shard(const std::filesystem::path& folder, std::int64_t step, int rank, const CheckpointFacts& facts,
                const std::vector<train::StatePiece>& pieces);

}  // namespace reckon
