// Suggestions and quoting.
// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace reckon {
namespace {

TEST(Text, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("tokens", "tokens"), 0);
  EXPECT_EQ(edit_distance("tokns", "tokens"), 1);
  EXPECT_EQ(edit_distance("tokesn", "tokens"), 1);  // one swap
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
}

TEST(Text, SuggestsTheNearestWord) {
  const std::vector<std::string> known{"tokens", "devices", "deadline", "budget", "tp"};

  EXPECT_EQ(nearest_word("tokns", known), "tokens");
  EXPECT_EQ(nearest_word("Tokens", known), "tokens");
  EXPECT_EQ(nearest_word("dead", known), "deadline");  // a beginning
  EXPECT_EQ(nearest_word("dead", {"seed", "deadline"}), "deadline");  // rather than two changed letters
  EXPECT_EQ(nearest_word("pt", known), "tp");
  EXPECT_EQ(nearest_word("x", known), "");
  EXPECT_EQ(nearest_word("unrelated", known), "");
  EXPECT_EQ(nearest_word("", known), "");
  EXPECT_EQ(nearest_word(std::string(100'000, 'a'), known), "");
  EXPECT_EQ(suggestion("tokns", known), "did you mean 'tokens'?");
  EXPECT_EQ(suggestion("unrelated", known), "one of: tokens, devices, deadline, budget, tp");
  EXPECT_EQ(suggestion("unrelated", {}), "");
}

TEST(Text, QuotesSafelyForATerminal) {
  EXPECT_EQ(in_quotes("80 GiB"), "'80 GiB'");
  EXPECT_EQ(in_quotes("a\x1b[2Jb\n"), "'a\\x1b[2Jb\\x0a'");
  EXPECT_EQ(in_quotes("\xc3\xa9\xff"), "'\xc3\xa9\\xff'");
  EXPECT_EQ(in_quotes("\xc2\x9b"), "'\\xc2\\x9b'");  // a C1 control character
  EXPECT_EQ(in_quotes(std::string(500, 'a')).size(), 80u + 5u);
}

TEST(Text, KnowsUtf8) {
  EXPECT_TRUE(is_utf8("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) EXPECT_FALSE(is_utf8(bad));
}

TEST(Text, SplitsAndJoins) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(lower("GiB\xc3\x89"), "gib\xc3\x89");
}

}  // namespace
}  // namespace reckon
