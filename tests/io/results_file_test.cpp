#include "io/results_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>

#include "base/error.hpp"
#include "io/input_file.hpp"
#include "io/results_columns.hpp"
#include "io/results_json.hpp"
#include "io/sha256.hpp"
#include "report/sample_results.hpp"
#include "temporary_folder.hpp"

namespace reckon {
namespace {

PlanResults sample() {
  PlanResults r = sample_results();
  for (InputText& input : r.inputs) input.sha256 = sha256(input.text);
  r.answer = {"open", "tiny on 1T tokens: 256.", {"a detail", "another, with = and \"quotes\""}, 256};
  r.question.deadline = days * 30.0;
  r.question.restrictions = "--tp 4";
  return r;
}

TEST(ResultsFile, ComesBackWhole) {
  const TemporaryFolder folder;
  PlanResults r = sample();
  r.candidates[0].strategy.recompute = Recompute::modules;
  r.candidates[0].strategy.recompute_modules = {RecomputeModule::mlp, RecomputeModule::layernorm};
  r.candidates[0].projection.goodput.mean_time_to_failure = Seconds{INFINITY};

  save_results(r, folder / "a.h5", false);
  const PlanResults back = read_results(folder / "a.h5");

  EXPECT_EQ(plan_json(back), plan_json(r));
  EXPECT_EQ(pack(back.candidates), pack(r.candidates));
  EXPECT_EQ(pack(back.nearest_misses), pack(r.nearest_misses));
  EXPECT_EQ(back.inputs[0].text, r.inputs[0].text);
  EXPECT_EQ(back.answer.details, r.answer.details);
  EXPECT_EQ(back.question.deadline, r.question.deadline);
  EXPECT_FALSE(back.question.budget);
}

TEST(ResultsFile, SameResultsSameBytes) {
  const std::string one = results_image(sample(), "a.h5"), two = results_image(sample(), "b.h5");

  EXPECT_EQ(sha256(one), sha256(two));
}

TEST(ResultsFile, HoldsResultsWithoutAnyPlan) {
  const TemporaryFolder folder;
  PlanResults r = sample();
  r.candidates.clear();
  r.nearest_misses.clear();
  for (PlanSize& size : r.sizes) size.status = SizeStatus::no_strategy, size.on_front = false, size.considered = size.too_large = 0, size.counts = {};
  r.answer = {"nothing", "No plan.", {}, 0};

  save_results(r, folder / "a.h5", false);

  EXPECT_EQ(plan_json(read_results(folder / "a.h5")), plan_json(r));
}

TEST(ResultsFile, ANumberThatIsNotFiniteIsOurOwnError) {
  const TemporaryFolder folder;
  PlanResults r = sample();
  r.candidates[1].cost.time.forward = Seconds{NAN};

  EXPECT_THROW(save_results(r, folder / "a.h5", false), InternalError);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5"));
}

TEST(ResultsFile, RefusesResultsThatContradictThemselves) {
  const TemporaryFolder folder;
  const std::vector<std::pair<const char*, std::function<void(PlanResults&)>>> lies{
      {"/plans/status", [](PlanResults& r) { r.sizes[0].status = SizeStatus::fits; }},
      {"/plans/too_large", [](PlanResults& r) { r.sizes[2].too_large = 1000; }},
      {"/candidates/devices", [](PlanResults& r) { r.candidates[0].strategy.data_parallel += 1; }},
      {"/candidates/mfu", [](PlanResults& r) { r.candidates[0].cost.mfu = -0.5; }},
      {"attribute inputs", [](PlanResults& r) { r.inputs[0].sha256 = std::string(64, '0'); }},
  };
  for (const auto& [place, lie] : lies) {
    PlanResults r = sample();
    lie(r);
    save_results(r, folder / "a.h5", true);
    try {
      read_results(folder / "a.h5");
      FAIL() << place;
    } catch (const ConfigError& error) {
      const std::string part = std::string(place) == "attribute inputs" ? "/inputs/model" : place;
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(ResultsFile, ACutFileIsRefused) {
  const TemporaryFolder folder;
  save_results(sample(), folder / "a.h5", false);
  const std::string whole = read_input_file(folder / "a.h5");
  for (const std::size_t length : {std::size_t{0}, whole.size() / 3, whole.size() - 1}) {
    std::ofstream(folder / "b.h5", std::ios::binary) << whole.substr(0, length);
    EXPECT_THROW(read_results(folder / "b.h5"), ConfigError) << length;
  }
}

TEST(Question, ComesBackFromJsonExactly) {
  PlanQuestion q = sample_results().question;
  q.run.failures.failures_per_device_day = 1.0 / 3.0;
  q.budget = dollars * 0.1;

  const PlanQuestion back = read_question(parse_json(question_json(q), "q").root());

  EXPECT_EQ(question_json(back), question_json(q));
  EXPECT_EQ(back.run.failures.failures_per_device_day, 1.0 / 3.0);
  EXPECT_EQ(back.budget, q.budget);
  EXPECT_THROW(read_question(parse_json("{\"model\": \"x\"}", "q").root()), ConfigError);
}

}  // namespace
}  // namespace reckon
