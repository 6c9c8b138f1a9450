// The edge of scale: a million devices, 1e13 parameters, 1e15 tokens.  Finite numbers, or a clear no.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "random_question.hpp"
#include "plan/compute_optimal.hpp"

namespace reckon {
namespace {

struct Edge {
  Architecture architecture = llama_like(1e13, 8192);
  Cluster cluster = shipped().catalog.cluster_for("gb200");
  LinkCalibration links = link_calibration(shipped().set.links, cluster.device, cluster.fabric, shipped().set.stack("default").facts);
  Question question{&architecture, &cluster, &shipped().set.device(cluster.device.id), &links, &shipped().set.stack("default"), {}, Precision::bf16, AttentionKind::flash, 1'000'000, 0.06, {}};
  Edge() { question.task.seq_len = 8192; }
};

TEST(Limits, AMillionDevicesAndTenTrillionParametersGiveFiniteNumbers) {
  Edge edge;
  EXPECT_NEAR(std::log10(parameter_count(edge.architecture).total()), 13.0, 0.05);
  for (const bool whole : {false, true}) {
    if (whole) edge.question.space = whole_space();
    const SearchResult found = search(edge.question, 1'000'000, 2);
    EXPECT_GT(found.counts.space, 0);
    for (const Candidate& c : found.best) {
      EXPECT_TRUE(std::isfinite(c.cost.time.total().base()) && c.cost.time.total() > Seconds{}) << describe(c.strategy);
      EXPECT_TRUE(std::isfinite(c.cost.memory.total().base()) && c.cost.memory.total() > Bytes{});
      EXPECT_TRUE(std::isfinite(c.cost.mfu) && c.cost.mfu > 0 && c.cost.mfu < 1) << c.cost.mfu;
      EXPECT_EQ(c.strategy.num_devices(), 1'000'000);
    }
    EXPECT_TRUE(!found.best.empty() || found.nearest_miss.has_value());
  }
}

TEST(Limits, TheLawsTakeTheLargestModelAndTheMostTokens) {
  EXPECT_TRUE(std::isfinite(loss(besiroglu_law(), 1e13, 1e15)));
  const ModelAndTokens best = compute_optimal(besiroglu_law(), 6.0 * 1e13 * 1e15);
  EXPECT_TRUE(std::isfinite(best.parameters) && std::isfinite(best.tokens));
}

}  // namespace
}  // namespace reckon
