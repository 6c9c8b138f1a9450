#include "app/planner.hpp"

#include <gtest/gtest.h>

#include "app/cures.hpp"
#include "app/question_options.hpp"
#include "app/scene.hpp"
#include "base/error.hpp"
#include "io/results_columns.hpp"
#include "plan/search.hpp"

namespace reckon {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// llama-2-7b on H100s, 512 sequences of 4,096 tokens a step, 100B tokens, $2.50/h.
class Planner : public testing::Test {
 protected:
  Planner() : scene_(load_scene({"llama-2-7b", "", "", "h100", "default"}, RECKON_SOURCE_DIR "/models")) {
    std::get<Transformer>(scene_.architecture.body).seq_len = 4096;
    question_.architecture = &scene_.architecture;
    question_.cluster = &scene_.cluster;
    question_.compute = &scene_.compute;
    question_.links = &scene_.links;
    question_.stack = &scene_.stack;
    question_.task.seq_len = 4096;
    question_.global_batch_size = 512;
    run_.units = 100e9;
    run_.price = dollars_per_hour * 2.5;
  }

  Scene scene_;
  Question question_{};
  RunPlan run_;
};

TEST_F(Planner, KeepsTheFastestOfASizeInOrder) {
  const PlannedSize p = plan_size(question_, run_, 64, 4);

  ASSERT_EQ(p.candidates.size(), 4u);
  EXPECT_EQ(p.size.status, SizeStatus::fits);
  EXPECT_TRUE(p.nearest_misses.empty() && p.size.remark.empty());
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(p.candidates[i].place, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(p.candidates[i].strategy.num_devices(), 64);
    EXPECT_LE(p.candidates[i == 0 ? 0 : i - 1].cost.time.total(), p.candidates[i].cost.time.total());
  }
}

TEST_F(Planner, EveryStrategyThatIsChosenIsSound) {
  const auto& transformer = std::get<Transformer>(scene_.architecture.body);
  for (const std::int64_t devices : {1, 8, 24, 64, 96, 512})
    for (const PlanPoint& p : plan_size(question_, run_, devices, 20).candidates) {
      EXPECT_TRUE(problems(p.strategy, devices).empty()) << describe(p.strategy);
      EXPECT_TRUE(problems(p.strategy, transformer).empty()) << describe(p.strategy) << problems(p.strategy, transformer)[0].message;
    }
}

TEST_F(Planner, PartsInAnyOrderMakeTheSamePlan) {
  const std::vector<std::int64_t> devices{8, 12, 16, 32, 64};
  const std::vector<PlanPart> parts = plan_parts(question_, devices);
  std::string whole;
  for (const bool backwards : {false, true}) {
    PartPlanner planner(question_, 2);
    std::map<std::string, std::string> results;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const PlanPart& part = parts[backwards ? parts.size() - 1 - i : i];
      results[part.key()] = planner.plan(part, {}).value();
    }
    std::vector<PlannedSize> all;
    for (const std::int64_t n : devices) all.push_back(join_parts(question_, run_, parts, results, n, 2));
    PlanResults plan;
    collect(std::move(all), plan);
    EXPECT_EQ(plan.sizes.size(), 5u);
    const std::string message = pack(plan.candidates);
    if (whole.empty()) whole = message;
    EXPECT_EQ(message, whole);
  }
}

TEST_F(Planner, APartIsAsGoodAsSearchingTheWholeSizeAtOnce) {
  const SearchResult found = search(question_, 64, 4);
  const PlannedSize p = plan_size(question_, run_, 64, 4);
  ASSERT_EQ(found.best.size(), p.candidates.size());
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(describe(found.best[i].strategy), describe(p.candidates[i].strategy));
  EXPECT_EQ(found.counts.space, p.size.counts.space);
}

TEST_F(Planner, AMissingOrBrokenPartIsAnInternalError) {
  const std::vector<PlanPart> parts = plan_parts(question_, {64});
  EXPECT_THROW(join_parts(question_, run_, parts, {}, 64, 1), InternalError);
  std::map<std::string, std::string> broken;
  for (const PlanPart& part : parts) broken[part.key()] = "short";
  EXPECT_THROW(join_parts(question_, run_, parts, broken, 64, 1), InternalError);
}

TEST_F(Planner, APartStopsWhenItIsAskedTo) { EXPECT_FALSE(PartPlanner(question_, 1).plan({64, 8}, [] { return false; }).has_value()); }

TEST_F(Planner, PartsOfANodeMustDivideIt) {
  EXPECT_TRUE(whole_nodes(scene_.cluster, 4));
  EXPECT_TRUE(whole_nodes(scene_.cluster, 24));
  EXPECT_FALSE(whole_nodes(scene_.cluster, 3));
  EXPECT_FALSE(whole_nodes(scene_.cluster, 12));
  EXPECT_EQ(plan_size(question_, run_, 12, 1).size.remark,
            "12 devices are not whole nodes of 8; the nearest sizes that work are 8 and 16.");
}

TEST_F(Planner, TheRestrictionThatIsInTheWayIsNamedAndLiftingItHelps) {
  question_.task.seq_len = 32768;
  question_.global_batch_size = 64;
  question_.space.tensor = question_.space.pipeline = question_.space.context = question_.space.micro_batch = {1};
  question_.space.sharding = {Sharding::zero3};
  question_.space.recompute = {Recompute::none};

  const PlannedSize p = plan_size(question_, run_, 8, 1);

  EXPECT_EQ(p.size.status, SizeStatus::does_not_fit);
  EXPECT_TRUE(contains(p.size.remark, "With --recompute full it fits")) << p.size.remark;
  question_.space.recompute = {Recompute::full};
  EXPECT_EQ(plan_size(question_, run_, 8, 1).size.status, SizeStatus::fits);
}

PlannedSize sized(std::int64_t devices, Seconds wall) {
  PlannedSize p;
  p.size.devices = devices;
  p.size.status = SizeStatus::fits;
  p.candidates.emplace_back();
  p.candidates[0].devices = devices;
  p.candidates[0].projection.wall_time = wall;
  return p;
}

TEST(Deadline, LooksBetweenTheLastTooSlowAndTheFirstInTime) {
  const std::vector<PlannedSize> planned{sized(64, days * 40.0), sized(128, days * 20.0), sized(256, days * 10.0)};

  EXPECT_EQ(sizes_between(planned, days * 15.0, 8),
            (std::vector<std::int64_t>{136, 144, 152, 160, 168, 176, 184, 192, 200, 208, 216, 224, 232, 240, 248}));
  EXPECT_TRUE(sizes_between(planned, days * 50.0, 8).empty());  // the smallest is in time
  EXPECT_TRUE(sizes_between(planned, days * 5.0, 8).empty());   // none is
  EXPECT_EQ(sizes_between({sized(4096, days * 40.0), sized(8192, days * 20.0)}, days * 30.0, 8).size(), 15u);
  EXPECT_TRUE(sizes_between({sized(8, days * 40.0), sized(16, days * 20.0)}, days * 30.0, 8).empty());
}

TEST(Deadline, KeepsTheSmallestInTimeAndTheOneBelow) {
  std::vector<PlannedSize> planned{sized(128, days * 20.0), sized(256, days * 10.0)};

  keep_nearest(planned, {sized(192, days * 14.0), sized(160, days * 17.0), sized(176, days * 16.0), sized(208, days * 12.0)}, days * 15.0);

  ASSERT_EQ(planned.size(), 4u);
  EXPECT_EQ(planned[2].size.devices, 176);
  EXPECT_EQ(planned[3].size.devices, 192);
}

TEST(Batch, IsReadInSequencesOrTokens) {
  EXPECT_EQ(batch_size("2048", 8192), 2048);
  EXPECT_EQ(batch_size("16M tokens", 8000), 2000);  // divides
  EXPECT_EQ(batch_size("16M tokens", 8192), 2048);  // 1953.1, +4.9 %
  EXPECT_EQ(batch_size("4M tokens", 8192), 512);    // 488.3, +4.9 %
  EXPECT_EQ(batch_size("4Mi tokens", 4096), 1024);
  EXPECT_EQ(batch_size("1.5M tokens", 2048), 768);  // 732.4: 512 and 1024 are too far, 768 is +4.9 %
  EXPECT_EQ(batch_size("8200 tokens", 8192), 1);
  EXPECT_THROW(batch_size("100 tokens", 8192), TextError);
  EXPECT_THROW(batch_size("16M tokens", 0), TextError);
  EXPECT_THROW(batch_size("0", 8192), TextError);
}

TEST(Batch, HasUsualSizes) {
  EXPECT_EQ(default_batch_size(Training::pretrain, 70e9, 8192, true), 2048);
  EXPECT_EQ(default_batch_size(Training::pretrain, 7e9, 4096, true), 1024);
  EXPECT_EQ(default_batch_size(Training::lora, 70e9, 8192, true), 128);
  EXPECT_EQ(default_batch_size(Training::pretrain, 25e6, 0, false), 1024);
  EXPECT_EQ(default_batch_size(Training::finetune, 7e9, 2'000'000, true), 1);
}

}  // namespace
}  // namespace reckon
