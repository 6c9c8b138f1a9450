#include "io/results_columns.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "report/sample_results.hpp"

namespace reckon {
namespace {

/// A point in which every stored column holds a number of its own.
PlanPoint distinct_point() {
  PlanPoint p;
  std::int64_t next = 1;
  for (const WholeColumn& c : whole_columns()) {
    const auto limit = static_cast<std::int64_t>(c.meanings.size());
    c.set(p, c.mask ? 5 : limit > 0 ? next++ % limit : c.name == "sequence_parallel" ? 1 : 100 + next++);
  }
  for (const RealColumn& c : real_columns())
    if (c.set) c.set(p, 1000.5 + static_cast<double>(next++));
  return p;
}

TEST(Columns, HaveUniqueNamesUnitsAndWords) {
  std::set<std::string> names, json;
  for (const WholeColumn& c : whole_columns())
    EXPECT_TRUE(names.insert(c.name).second && !c.units.empty() && !c.long_name.empty()) << c.name;
  for (const RealColumn& c : real_columns()) {
    EXPECT_TRUE(names.insert(c.name).second && !c.units.empty() && !c.long_name.empty()) << c.name;
    EXPECT_TRUE(json.insert(c.json_name()).second) << c.name;
  }
  EXPECT_EQ(whole_columns()[0].name, "devices");
}

TEST(Columns, EachSetsItsOwnMemberAndNoOther) {
  const PlanPoint reference = distinct_point();
  for (const RealColumn& changed : real_columns()) {
    if (!changed.set) continue;
    PlanPoint p = reference;
    changed.set(p, 7.25);
    for (const RealColumn& c : real_columns()) {
      if (!c.set) continue;
      EXPECT_EQ(c.get(p), c.name == changed.name ? 7.25 : c.get(reference)) << changed.name << " " << c.name;
    }
  }
}

TEST(Columns, PackedPointsComeBackBitByBit) {
  PlanPoint p = distinct_point();
  p.projection.goodput.mean_time_to_failure = Seconds{INFINITY};

  const std::vector<PlanPoint> back = unpack_points(pack({p, PlanPoint{}}));

  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(pack(back), pack({p, PlanPoint{}}));
  EXPECT_EQ(back[0].strategy.recompute_modules, (std::vector<RecomputeModule>{RecomputeModule::core_attention, RecomputeModule::moe}));
  EXPECT_TRUE(std::isinf(back[0].projection.goodput.mean_time_to_failure.base()));
}

TEST(Columns, BrokenMessagesAreNoticed) {
  const std::string message = pack({PlanPoint{}});

  EXPECT_THROW(unpack_points(message.substr(0, message.size() - 1)), InternalError);
  EXPECT_THROW(unpack_points(message + "x"), InternalError);
  EXPECT_THROW(unpack_points(""), InternalError);
}

TEST(Parts, AddUpToTheTotals) {
  const PlanPoint p = distinct_point();
  const std::vector<Seconds> times = values_of(p.cost.time);
  const std::vector<Bytes> sizes = values_of(p.cost.memory);

  EXPECT_EQ(times.size(), step_time_parts().size());
  EXPECT_EQ(sizes.size(), memory_parts().size());
  EXPECT_DOUBLE_EQ(std::accumulate(times.begin(), times.end(), Seconds{}).base(), p.cost.time.total().base());
  EXPECT_DOUBLE_EQ(std::accumulate(sizes.begin(), sizes.end(), Bytes{}).base(), p.cost.memory.total().base());
}

}  // namespace
}  // namespace reckon
