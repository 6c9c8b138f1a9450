// The command line layer: what is accepted, what is refused and how, help and completion from the same table.
// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace reckon {
namespace {

CommandSpec plan() {
  return {.name = "plan",
          .purpose = "how many devices, how long, how much",
          .examples = {"reckon plan --architecture llama-3.1-8b --tokens 15T --devices 64..512", "reckon plan --architecture llama-3.1-405b --tokens '15T tokens' --devices 4096..16384 --budget '$50M' --deadline '60 d'"},
          .groups = {{"Run", {{.name = "tokens", .argument = "COUNT", .fallback = "15T tokens", .help = "tokens to train on"}, {.name = "devices", .argument = "COUNTS", .help = "how many devices to try"}}},
                     {"Answer",
                      {{.name = "json", .help = "one JSON document on standard output"},
                       {.name = "out", .argument = "FILE", .help = "write the results here", .letter = 'o'},
                       {.name = "sharding", .argument = "WORDS", .fallback = "none,zero1", .help = "what to try"},
                       {.name = "memory", .argument = "SIZE", .help = "of a device"},
                       {.name = "share", .argument = "PART", .fallback = "0.5", .help = "a very long help text that has to be wrapped because the page is only eighty columns wide"}}}},
          .words = {.name = "FILE", .help = "published runs", .least = 0, .most = 2}};
}

CommandSpec wordless() {
  CommandSpec command = plan();
  command.words = {};
  return command;
}

std::string complaint(const CommandSpec& command, const std::vector<std::string>& arguments, const std::function<void(const ParsedOptions&)>& use = {}) {
  try {
    const ParsedOptions options = parse_options(command, arguments);
    if (use) use(options);
  } catch (const UsageError& error) {
    EXPECT_EQ(error.exit_code(), 2);
    return error.what();
  }
  return "";
}

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
}

TEST(Options, ReadsTypedValues) {
  const ParsedOptions options = parse_options(plan(), {"--devices", "64..512", "--json", "-o", "a.h5", "--memory=80 GiB", "one.json", "--share", "25 %", "two.json"});

  EXPECT_EQ(options.quantity<Tokens>("tokens"), Tokens(15e12));  // the default
  EXPECT_FALSE(options.given("tokens"));
  EXPECT_EQ(options.counts("devices"), (std::vector<std::int64_t>{64, 128, 256, 512}));
  EXPECT_TRUE(options.flag("json"));
  EXPECT_EQ(options.text("out"), "a.h5");
  EXPECT_DOUBLE_EQ(options.quantity<Bytes>("memory").in(gibibytes), 80.0);
  EXPECT_DOUBLE_EQ(options.number("share", 0, 1), 0.25);
  EXPECT_EQ(options.words(), (std::vector<std::string>{"one.json", "two.json"}));
  EXPECT_EQ(options.list("sharding"), (std::vector<std::string>{"none", "zero1"}));
  EXPECT_EQ(options.list("sharding", {"none", "zero1", "zero3"}).size(), 2u);
  EXPECT_FALSE(options.help());
}

TEST(Options, KnowsWhatIsNotThere) {
  const ParsedOptions options = parse_options(plan(), {});

  EXPECT_FALSE(options.find("memory"));
  EXPECT_FALSE(options.flag("json"));
  EXPECT_THROW(options.text("memory"), UsageError);
  EXPECT_THROW(options.flag("memory"), InternalError);
  EXPECT_THROW(options.find("json"), InternalError);
  EXPECT_THROW(options.find("absent"), InternalError);
}

TEST(Options, RefusesWhatItDoesNotKnow) {
  expect_parts(complaint(plan(), {"--tokns", "4"}), {"unknown option '--tokns'", "did you mean '--tokens'?"});
  expect_parts(complaint(plan(), {"--tok", "4"}), {"unknown option '--tok'"});  // no abbreviations: a later option would break scripts
  expect_parts(complaint(plan(), {"-x"}), {"unknown option '-x'"});
  expect_parts(complaint(plan(), {"--json", "--json"}), {"given twice"});
  expect_parts(complaint(plan(), {"--tokens", "1", "--tokens", "2"}), {"'--tokens' is given twice"});
  expect_parts(complaint(plan(), {"--json=yes"}), {"takes no value"});
  expect_parts(complaint(plan(), {"--tokens"}), {"'--tokens' needs a value"});
  expect_parts(complaint(plan(), {"--tokens="}), {"needs a value"});
  expect_parts(complaint(plan(), {"--out", "--json"}), {"'--out' needs a value"});
  expect_parts(complaint(plan(), {"a", "b", "c"}), {"'c' is too many"});
  expect_parts(complaint(wordless(), {"stray"}), {"'stray' is too many for 'reckon plan'"});
  expect_parts(complaint(wordless(), {"--json", "stray", "--tokens", "4"}), {"'stray' is too many"});
  expect_parts(complaint(wordless(), {"--", "stray"}), {"'stray' is too many"});
  CommandSpec needy = plan();
  needy.words.least = 1;
  expect_parts(complaint(needy, {}), {"'reckon plan' needs FILE"});
  EXPECT_EQ(complaint(needy, {"--help"}), "");
}

TEST(Options, NamesFlagValueAndReason) {
  const auto tokens = [](const ParsedOptions& o) { o.quantity<Tokens>("tokens"); };
  const auto devices = [](const ParsedOptions& o) { o.counts("devices"); };
  const auto memory = [](const ParsedOptions& o) { o.quantity<Bytes>("memory"); };

  expect_parts(complaint(plan(), {"--tokens", "-1"}, tokens), {"--tokens", "'-1'", "negative"});
  expect_parts(complaint(plan(), {"--tokens=1,5T"}, tokens), {"--tokens", "'1,5T'", "comma"});
  expect_parts(complaint(plan(), {"--devices", "-1"}, devices), {"--devices", "'-1'"});
  expect_parts(complaint(plan(), {"--devices", "4294967296.5"}, devices), {"--devices", "not a whole number"});
  expect_parts(complaint(plan(), {"--devices", "nan"}, devices), {"--devices", "not a finite number"});
  expect_parts(complaint(plan(), {"--memory", "80"}, memory), {"--memory", "'80' has no unit", "80 GiB"});
  expect_parts(complaint(plan(), {}, memory), {"'--memory' is required", "--memory SIZE"});
  expect_parts(complaint(plan(), {"--share", "2"}, [](const ParsedOptions& o) { o.number("share", 0, 1); }), {"--share", "out of range", "from 0 to 1"});
  expect_parts(complaint(plan(), {"--out", "pln"}, [](const ParsedOptions& o) { o.choice("out", {"plan", "table"}); }), {"--out 'pln'", "did you mean 'plan'?"});
  expect_parts(complaint(plan(), {"--sharding", "none,zero2x"}, [](const ParsedOptions& o) { o.list("sharding", {"none", "zero2"}); }), {"'zero2x'", "did you mean 'zero2'?"});
  expect_parts(complaint(plan(), {"--sharding", "none,"}, [](const ParsedOptions& o) { o.list("sharding"); }), {"an item is empty"});
}

TEST(Options, FindsCommands) {
  const std::vector<CommandSpec> commands{plan()};

  EXPECT_EQ(find_command(commands, "plan").name, "plan");
  for (const auto& [word, part] : std::vector<std::pair<std::string, std::string>>{{"paln", "did you mean 'plan'?"}, {"xyzzy", "one of: plan"}, {"--plan", "see 'reckon --help'"}}) try {
      find_command(commands, word);
      ADD_FAILURE() << word;
    } catch (const UsageError& error) {
      expect_parts(error.what(), {part});
    }
}

TEST(Options, HelpShowsExamplesFirstAndEverythingElse) {
  const std::string text = help_text(plan());

  EXPECT_LT(text.find("Examples:"), text.find("Run:"));
  expect_parts(text, {"how many devices, how long, how much", "reckon plan --architecture llama-3.1-8b", "--tokens COUNT", "[default: 15T tokens]", "-o, --out FILE", "-h, --help", "[FILE...]", "published runs"});
  for (const OptionGroup& group : plan().groups)
    for (const OptionSpec& option : group.options) EXPECT_NE(text.find("--" + option.name), std::string::npos) << option.name;
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; start = end + 1, end = text.find('\n', start)) EXPECT_LE(end - start, 80u) << text.substr(start, end - start);
}

TEST(Options, CompletionKnowsEveryOption) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell, {plan(), wordless()});
    for (const char* name : {"tokens", "devices", "json", "out", "memory", "share", "help"}) EXPECT_NE(script.find(name), std::string::npos) << shell << ' ' << name;
    EXPECT_NE(script.find("plan"), std::string::npos);
  }
  EXPECT_THROW(completion_script("csh", {plan()}), UsageError);
}

TEST(Options, OverviewNamesCommandsAndExitCodes) {
  expect_parts(overview_text("Dead reckoning", {"reckon plan"}, {plan()}), {"Dead reckoning", "Examples:", "plan", "how many devices", "3 no feasible plan"});
}

}  // namespace
}  // namespace reckon
