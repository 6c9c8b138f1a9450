// A plan as work that may be shared, stopped and taken up again: parts handed out to ranks, finished parts in journals.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/planner.hpp"
#include "runtime/mpi_session.hpp"
#include "runtime/stop_signal.hpp"

namespace reckon {

/// A task of a job array: it takes every `tasks`-th part, from number `task` on.
struct ArrayTask {
  std::int64_t task = 0, tasks = 1;
};

struct PlanRunSettings {
  std::size_t keep = 1;
  bool quiet = false;
  std::filesystem::path journal;  ///< folder; empty = none
  std::string run;                ///< uuid of question and inputs: journals of another run are refused
  ArrayTask array;
  bool replace = false;           ///< journals of another run are thrown away, not refused
};

/// Thrown on all ranks when the run was stopped.  Exit 6.
class StoppedError : public Error {
 public:
  explicit StoppedError(const std::string& message) : Error(ExitCode::stopped, message) {}
};

/// Thrown on all ranks when a task of an array has done its share and others have not: there is nothing to answer yet.  Exit 0.
class ShareDone : public Error {
 public:
  explicit ShareDone(const std::string& message) : Error(ExitCode::ok, message) {}
};

class PlanRun {
 public:
  /// Reads the journals.  Collective, like everything here.
  PlanRun(const Question& question, const RunPlan& run, PlanRunSettings settings, const MpiSession& session, const StopWatch& stop);

  /// All sizes, on rank 0 (empty elsewhere).  Throws StoppedError and ShareDone.
  std::vector<PlannedSize> plan(const std::vector<std::int64_t>& devices);

  /// Parts that an earlier run had done.
  std::int64_t resumed() const { return resumed_; }

 private:
  std::map<std::string, std::string> work(const std::vector<PlanPart>& todo);
  void gather(const std::map<std::string, std::string>& own);
  void require_all(const std::vector<PlanPart>& parts) const;

  const Question& question_;
  const RunPlan& run_;
  PlanRunSettings settings_;
  const MpiSession& session_;
  const StopWatch& stop_;
  PartPlanner planner_;
  std::map<std::string, std::string> done_;  // rank 0: all results; others: keys alone
  std::int64_t resumed_ = 0;
};

}  // namespace reckon
