#include "app/provenance.hpp"

#include <gtest/gtest.h>

#include "app/progress.hpp"

namespace reckon {
namespace {

CommandSpec plan_like() {
  CommandSpec spec;
  spec.name = "plan";
  spec.groups = {{"All",
                  {{.name = "model", .argument = "NAME"},
                   {.name = "price", .argument = "RATE"},
                   {.name = "json"},
                   {.name = "out", .argument = "FILE"},
                   {.name = "force"}}}};
  return spec;
}

TEST(CanonicalCommand, IsInTheOrderOfTheHelpAndLeavesOutputOut) {
  const CommandSpec spec = plan_like();
  const ParsedOptions options = parse_options(spec, {"--out", "x.h5", "--price", "$2.50/h", "--force", "--json", "--model", "it's"});

  EXPECT_EQ(canonical_command(spec, options, {"out", "force"}), "reckon plan --model 'it'\\''s' --price '$2.50/h' --json");
}

TEST(DerivedUuid, FollowsQuestionInputsAndProgramOnly) {
  PlanQuestion q;
  const std::vector<InputText> inputs{{"model", "a/path", "{}", "abc"}}, moved{{"model", "another/path", "{}", "abc"}},
      changed{{"model", "a/path", "{}", "abd"}};

  const std::string uuid = derived_uuid(q, inputs, "1");

  EXPECT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '8');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
  EXPECT_EQ(derived_uuid(q, moved, "1"), uuid);
  EXPECT_NE(derived_uuid(q, changed, "1"), uuid);
  EXPECT_NE(derived_uuid(q, inputs, "2"), uuid);
  q.units = 1;
  EXPECT_NE(derived_uuid(q, inputs, "1"), uuid);
}

TEST(DateOfEpoch, IsUtc) {
  EXPECT_EQ(date_of_epoch(nullptr), "");
  EXPECT_EQ(date_of_epoch(""), "");
  EXPECT_EQ(date_of_epoch("0"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(date_of_epoch("1700000000"), "2023-11-14T22:13:20Z");
  EXPECT_THROW(date_of_epoch("-1"), UsageError);
  EXPECT_THROW(date_of_epoch("now"), UsageError);
}

TEST(ProgressLine, HasRateAndTimeLeft) {
  EXPECT_EQ(progress_line("planning", "sizes", 6, 12, 3.0), "planning: 6 of 12 sizes, 2/s, 3 s left");
  EXPECT_EQ(progress_line("planning", "sizes", 0, 12, 3.0), "planning: 0 of 12 sizes");
}

}  // namespace
}  // namespace reckon
