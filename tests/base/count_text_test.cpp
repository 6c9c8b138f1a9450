// Counts, ratios, ranges and lists.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/quantity_text.hpp"

namespace reckon {
namespace {

using Counts = std::vector<std::int64_t>;

TEST(CountText, ReadsCounts) {
  const std::vector<std::pair<const char*, std::int64_t>> known{
      {"512", 512}, {"0", 0}, {"1e12", 1'000'000'000'000}, {"15T", 15'000'000'000'000}, {"15 T", 15'000'000'000'000}, {"8B params", 8'000'000'000}, {"8.3B", 8'300'000'000},
      {"70.6B parameters", 70'600'000'000}, {"8k", 8000}, {"8Ki", 8192}, {"4 Mi", 4194304}, {"512 GPUs", 512}, {"512 devices", 512}, {"1.5k", 1500}, {"2.048e3", 2048},
      {" 7 ", 7}, {"32 nodes", 32}, {"8192 tokens", 8192}, {"9e15", 9'000'000'000'000'000}, {"1.1M", 1'100'000}, {"3 billion params", 3'000'000'000}};

  for (const auto& [text, value] : known) EXPECT_EQ(parse_count(text), value) << text;
}

TEST(CountText, RefusesWhatIsNoCount) {
  for (const char* text : {"", " ", "-1", "+1", "1.5", "0.1k tokens tokens", "1e-3", "nan", "inf", "0x10", "1,000", "1_000", "1 000", "007", "8K", "7b", "15t", "15bn", "8 GiB", "8GB",
                           "8 B B", "8 params 8", "8 params B", "params", "1e16", "1e400", "8 %", "8..9", "8;", "15T/s", "8 GPU-h", "8x", "$8", "8 TiB"})
    EXPECT_THROW(parse_count(text), TextError) << text;
}

TEST(CountText, NamesTheRange) {
  try {
    parse_count("64", 1, 32);
    ADD_FAILURE();
  } catch (const TextError& error) {
    EXPECT_NE(error.cure().find("from 1 to 32"), std::string::npos) << error.what();
  }
  EXPECT_EQ(parse_count("32", 1, 32), 32);
  EXPECT_THROW(parse_count("0", 1, 32), TextError);
}

TEST(CountText, ReadsNumbers) {
  EXPECT_DOUBLE_EQ(parse_number("0.4", 0, 1), 0.4);
  EXPECT_DOUBLE_EQ(parse_number("40 %", 0, 1), 0.4);
  EXPECT_DOUBLE_EQ(parse_number("40%", 0, 1), 0.4);
  EXPECT_DOUBLE_EQ(parse_number("-0.5", -1, 1), -0.5);
  for (const char* text : {"", "1.1", "-0.1", "nan", "inf", "0,4", "40 percent", "0.4 x", "0.4 % %", "0x1", "--0.5"}) EXPECT_THROW(parse_number(text, 0, 1), TextError) << text;
}

TEST(CountText, ReadsListsAndRanges) {
  EXPECT_EQ(parse_counts("512"), (Counts{512}));
  EXPECT_EQ(parse_counts("256,512,1024"), (Counts{256, 512, 1024}));
  EXPECT_EQ(parse_counts("1024, 256 ,512,256"), (Counts{256, 512, 1024}));
  EXPECT_EQ(parse_counts("256..2048"), (Counts{256, 512, 1024, 2048}));
  EXPECT_EQ(parse_counts("256..24576"), (Counts{256, 512, 1024, 2048, 4096, 8192, 16384, 24576}));
  EXPECT_EQ(parse_counts("256..24576*2"), parse_counts("256..24576"));
  EXPECT_EQ(parse_counts("1..30*3"), (Counts{1, 3, 9, 27, 30}));
  EXPECT_EQ(parse_counts("256..1024+256"), (Counts{256, 512, 768, 1024}));
  EXPECT_EQ(parse_counts("8..8"), (Counts{8}));
  EXPECT_EQ(parse_counts("8,64..256,1k"), (Counts{8, 64, 128, 256, 1000}));
  EXPECT_EQ(parse_counts("1..4000000000000000*1000000"), (Counts{1, 1'000'000, 1'000'000'000'000, 4'000'000'000'000'000}));
}

TEST(CountText, RefusesWhatIsNoList) {
  for (const char* text : {"", ",", "1,", ",1", "1,,2", "1,000", "0", "0..8", "8..4", "8..", "..8", "..", "1...8", "8..16*", "8..16*1", "8..16*0", "8..16+0", "8..16*-2", "8..16+", "8-16",
                           "8..16..32", "1..100000000+1", "a..b", "1;2", "8..16/2"})
    EXPECT_THROW(parse_counts(text), TextError) << text;
}

}  // namespace
}  // namespace reckon
