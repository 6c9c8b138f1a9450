// What the environment says about how this process was started.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/launch.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace reckon {
namespace {

/// The variable as a whole number; nothing when it is not set or not one.
std::optional<int> number(const Environment& environment, const char* name) {
  const auto text = environment(name);
  if (!text) return {};
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return {};
  return value;
}

bool in_batch_script(const Environment& environment) {
  return environment("SLURM_JOB_ID") && !environment("SLURM_STEP_ID") && !environment("SLURM_STEPID");
}

}  // namespace

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

bool started_by_mpi(const Environment& environment) {
  for (const char* name : {"PMI_RANK", "PMI_FD", "PMI_PORT", "PMIX_RANK", "OMPI_COMM_WORLD_RANK"})
    if (environment(name)) return true;
  return false;
}

int started_processes(const Environment& environment) {
  int count = 1;
  for (const char* name : {"PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"}) count = std::max(count, number(environment, name).value_or(1));
  if (!in_batch_script(environment)) count = std::max(count, number(environment, "SLURM_NTASKS").value_or(1));
  return count;
}

int early_rank(const Environment& environment) {
  for (const char* name : {"PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID"})
    if (const auto rank = number(environment, name)) return *rank;
  return 0;
}

}  // namespace reckon
