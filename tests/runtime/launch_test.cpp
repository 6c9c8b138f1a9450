// What the environment says about the launch, and sessions without a launcher.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/launch.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/error.hpp"
#include "runtime/mpi_session.hpp"

namespace reckon {
namespace {

Environment given(std::map<std::string, std::string> variables) {
  return [variables](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

TEST(Launch, KnowsItsLaunchers) {
  EXPECT_FALSE(started_by_mpi(given({})));
  EXPECT_FALSE(started_by_mpi(given({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}})));
  EXPECT_TRUE(started_by_mpi(given({{"PMI_RANK", "0"}})));
  EXPECT_TRUE(started_by_mpi(given({{"PMIX_RANK", "3"}})));
}

TEST(Launch, CountsTheProcesses) {
  EXPECT_EQ(started_processes(given({})), 1);
  EXPECT_EQ(started_processes(given({{"PMI_SIZE", "4"}})), 4);
  EXPECT_EQ(started_processes(given({{"SLURM_NTASKS", "2"}})), 2);
  EXPECT_EQ(started_processes(given({{"SLURM_JOB_ID", "7"}, {"SLURM_STEP_ID", "0"}, {"SLURM_NTASKS", "2"}})), 2);      // srun
  EXPECT_EQ(started_processes(given({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "8"}})), 1);                               // a batch script
  EXPECT_EQ(started_processes(given({{"SLURM_JOB_ID", "7"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}})), 1);
  EXPECT_EQ(started_processes(given({{"SLURM_NTASKS", "two"}})), 1);
}

TEST(Launch, KnowsItsRankBeforeMpi) {
  EXPECT_EQ(early_rank(given({})), 0);
  EXPECT_EQ(early_rank(given({{"PMI_RANK", "3"}})), 3);
  EXPECT_EQ(early_rank(given({{"SLURM_PROCID", "5"}})), 5);
}

TEST(MpiSession, RefusesSeveralProcessesThatDoNotSeeEachOther) {
  const Environment trap = given({{"SLURM_NTASKS", "2"}});

  try {
    const MpiSession session(MpiStart::when_launched, false, trap);
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_EQ(error.exit_code(), 2);
    EXPECT_NE(std::string(error.what()).find("srun --mpi=pmi2"), std::string::npos);
  }
  EXPECT_EQ(MpiSession(MpiStart::when_launched, true, trap).size(), 1);
}

TEST(MpiSession, IsOneRankWithoutALauncher) {
  const MpiSession session(MpiStart::when_launched, false, given({}));
  std::string text = "x";
  session.barrier();
  session.broadcast(text);

  EXPECT_TRUE(session.is_root());
  EXPECT_EQ(session.size(), 1);
  EXPECT_EQ(session.gather("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(session.all_reduce_max(3), 3);
  EXPECT_EQ(session.all_reduce_max(0.5), 0.5);
  EXPECT_EQ(session.all_reduce_sum(7), 7);
  EXPECT_EQ(text, "x");
}

}  // namespace
}  // namespace reckon
