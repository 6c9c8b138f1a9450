// What a subcommand is.  Each has one short file with two functions: its table of options and what it does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "app/options.hpp"
#include "base/error.hpp"
#include "runtime/mpi_session.hpp"

namespace reckon {

/// What a command has to say: `answer` goes to stdout, whole or not at all, then the process ends with `code`.
struct CommandResult {
  std::string answer;
  ExitCode code = ExitCode::ok;
};

struct Command {
  CommandSpec spec;
  /// Runs on every rank when `parallel`, else on the first alone and without MPI.  Only rank 0's answer is printed.  Throws Error.
  CommandResult (*run)(const ParsedOptions& options, const MpiSession& session) = nullptr;
  bool parallel = false;
  bool stoppable = false;  ///< the command sees to SIGTERM and its like itself, from the very start (runtime/stop_signal.hpp)
};

CommandSpec plan_spec();
CommandResult run_plan(const ParsedOptions& options, const MpiSession& session);
CommandSpec explore_spec();
CommandResult run_explore(const ParsedOptions& options, const MpiSession& session);
CommandSpec scale_spec();
CommandResult run_scale(const ParsedOptions& options, const MpiSession& session);
CommandSpec stages_spec();
CommandResult run_stages(const ParsedOptions& options, const MpiSession& session);
CommandSpec predict_spec();
CommandResult run_predict(const ParsedOptions& options, const MpiSession& session);
CommandSpec simulate_spec();
CommandResult run_simulate(const ParsedOptions& options, const MpiSession& session);
CommandSpec validate_spec();
CommandResult run_validate(const ParsedOptions& options, const MpiSession& session);
CommandSpec fit_spec();
CommandResult run_fit(const ParsedOptions& options, const MpiSession& session);
CommandSpec calibrate_spec();
CommandResult run_calibrate(const ParsedOptions& options, const MpiSession& session);
CommandSpec import_spec();
CommandResult run_import(const ParsedOptions& options, const MpiSession& session);
CommandSpec train_spec();
CommandResult run_train(const ParsedOptions& options, const MpiSession& session);
CommandSpec quote_spec();
CommandResult run_quote(const ParsedOptions& options, const MpiSession& session);
CommandSpec report_spec();
CommandResult run_report(const ParsedOptions& options, const MpiSession& session);
CommandSpec show_spec();
CommandResult run_show(const ParsedOptions& options, const MpiSession& session);
CommandSpec verify_spec();
CommandResult run_verify(const ParsedOptions& options, const MpiSession& session);
CommandSpec catalog_spec();
CommandResult run_catalog(const ParsedOptions& options, const MpiSession& session);
CommandSpec device_spec();
CommandResult run_device(const ParsedOptions& options, const MpiSession& session);
CommandSpec version_spec();
CommandResult run_version(const ParsedOptions& options, const MpiSession& session);
CommandSpec completion_spec();
CommandResult run_completion(const ParsedOptions& options, const MpiSession& session);
CommandSpec help_spec();
CommandResult run_help(const ParsedOptions& options, const MpiSession& session);

/// All of them, in the order of the help.
const std::vector<Command>& commands();

/// `reckon --help`, and the ten lines of `reckon` alone.
std::string overview();
std::string short_overview();

/// A line on stderr, for notes and warnings; nothing on other ranks than 0.
void note(const MpiSession& session, const std::string& line);

}  // namespace reckon
