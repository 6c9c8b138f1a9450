// The JSON answer of `reckon validate`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/choice.hpp"
#include "plan/replay.hpp"

namespace reckon {

/// One file of published runs, replayed.
struct ReplayedFile {
  std::string file;    ///< as given
  std::string source;  ///< file name without folder and ending: the unit of the macro average
  std::vector<PublishedRun> runs;
  std::vector<Replay> replays;  ///< same order as runs
};

/// The files without the runs that a simulator put together, and without files that are left empty.
std::vector<ReplayedFile> measured_alone(const std::vector<ReplayedFile>& files);

/// Macro average over files of the error columns.
ErrorSummary macro_summary(const std::vector<ReplayedFile>& files);

/// {"schema": "reckon/validate-result/1", "runs": [...], "summary": {...}}: one entry for each run in file order.
std::string validate_document(const std::vector<ReplayedFile>& files);

/// {"schema": "reckon/replan-result/1", "runs": [...]}: the strategy that was run and the planner's best.
std::string choices_json(const std::vector<ChoiceCheck>& checks);

}  // namespace reckon
