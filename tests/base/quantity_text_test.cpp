// Reads 200 spellings with known value, refuses 200 others, and reads back what is printed.
// SPDX-License-Identifier: Apache-2.0
#include "base/quantity_text.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <random>

#include "quantity_spellings.hpp"

namespace reckon {
namespace {

template <class Q>
void expect_values(const std::vector<spellings::Accepted>& list) {
  for (const auto& [text, value] : list) {
    try {
      EXPECT_DOUBLE_EQ(parse_quantity<Q>(text).base(), value) << text;
    } catch (const TextError& error) {
      ADD_FAILURE() << text << ": " << error.what();
    }
  }
}

template <class Q, class List>
void expect_refused(const List& list) {
  for (const std::string_view text : list) {
    try {
      ADD_FAILURE() << "'" << text << "' was read as " << parse_quantity<Q>(text).base();
    } catch (const TextError& error) {
      EXPECT_EQ(error.exit_code(), 2) << text;
      EXPECT_FALSE(error.reason().empty()) << text;
    }
  }
}

std::string complaint(std::string_view text, const Dimension& expected) {
  try {
    parse_base_units(text, expected);
  } catch (const TextError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(QuantityText, TheListsHoldAtLeast200SpellingsEach) {
  std::size_t accepted = 0, refused = 0;
  for (const auto* list : {&spellings::seconds, &spellings::bytes, &spellings::bytes_per_second, &spellings::flops, &spellings::flops_per_second, &spellings::tokens, &spellings::tokens_per_second,
                           &spellings::dollars, &spellings::dollars_per_second, &spellings::dollars_per_joule, &spellings::joules, &spellings::watts, &spellings::hertz})
    accepted += list->size();
  for (const auto* list : {&spellings::not_bytes, &spellings::not_bandwidths, &spellings::not_rates, &spellings::never, &spellings::not_times, &spellings::not_tokens}) refused += list->size();

  EXPECT_GE(accepted, 200u);
  EXPECT_GE(refused, 200u);
}

TEST(QuantityText, ReadsTimes) { expect_values<Seconds>(spellings::seconds); }
TEST(QuantityText, ReadsSizes) { expect_values<Bytes>(spellings::bytes); }
TEST(QuantityText, ReadsBandwidths) { expect_values<BytesPerSecond>(spellings::bytes_per_second); }
TEST(QuantityText, ReadsWork) { expect_values<Flops>(spellings::flops); }
TEST(QuantityText, ReadsRates) { expect_values<FlopsPerSecond>(spellings::flops_per_second); }
TEST(QuantityText, ReadsTokens) { expect_values<Tokens>(spellings::tokens); }
TEST(QuantityText, ReadsTokenRates) { expect_values<TokensPerSecond>(spellings::tokens_per_second); }
TEST(QuantityText, ReadsMoney) { expect_values<Dollars>(spellings::dollars); }
TEST(QuantityText, ReadsPrices) { expect_values<DollarsPerSecond>(spellings::dollars_per_second); }
TEST(QuantityText, ReadsEnergyPrices) { expect_values<DollarsPerJoule>(spellings::dollars_per_joule); }
TEST(QuantityText, ReadsEnergies) { expect_values<Joules>(spellings::joules); }
TEST(QuantityText, ReadsPowers) { expect_values<Watts>(spellings::watts); }
TEST(QuantityText, ReadsFrequencies) { expect_values<Hertz>(spellings::hertz); }

TEST(QuantityText, RefusesWhatIsNoSize) { expect_refused<Bytes>(spellings::not_bytes); }
TEST(QuantityText, RefusesWhatIsNoBandwidth) { expect_refused<BytesPerSecond>(spellings::not_bandwidths); }
TEST(QuantityText, RefusesWhatIsNoRate) { expect_refused<FlopsPerSecond>(spellings::not_rates); }
TEST(QuantityText, RefusesWhatIsNoTime) { expect_refused<Seconds>(spellings::not_times); }
TEST(QuantityText, RefusesWhatIsNoNumberOfTokens) { expect_refused<Tokens>(spellings::not_tokens); }
TEST(QuantityText, RefusesWhatIsNoMoneyPriceOrPower) {
  expect_refused<Dollars>(spellings::never);
  expect_refused<DollarsPerSecond>(spellings::never);
  expect_refused<Watts>(spellings::never);
  expect_refused<DollarsPerJoule>(spellings::never);
}

TEST(QuantityText, ShowsBothReadingsOfAnAmbiguousUnit) {
  const std::string bandwidth = complaint("400 GBPS", {.time = -1, .data = 1});
  const std::string rate = complaint("989 TFLOPS", {.time = -1, .work = 1});
  const std::string size = complaint("64 KB", {.data = 1});

  EXPECT_NE(bandwidth.find("GBps (bytes per second)"), std::string::npos) << bandwidth;
  EXPECT_NE(bandwidth.find("Gbps (bits per second)"), std::string::npos) << bandwidth;
  EXPECT_NE(rate.find("TFLOP (work) or TFLOP/s (rate)"), std::string::npos) << rate;
  EXPECT_NE(size.find("kB (bytes)"), std::string::npos) << size;
  EXPECT_NE(size.find("KiB (bytes)"), std::string::npos) << size;
}

TEST(QuantityText, SaysWhatWasExpected) {
  const std::string wrong = complaint("80 GiB", {.time = -1, .data = 1});
  const std::string bare = complaint("80", {.data = 1});

  EXPECT_NE(wrong.find("is a size in bytes, expected a bandwidth"), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("400 Gb/s"), std::string::npos) << wrong;
  EXPECT_NE(bare.find("has no unit"), std::string::npos) << bare;
  EXPECT_NE(bare.find("80 GiB"), std::string::npos) << bare;
}

TEST(QuantityText, HintsAtTheDecimalPoint) {
  const std::string text = complaint("2,5 GiB", {.data = 1});

  EXPECT_NE(text.find("2.5, not 2,5"), std::string::npos) << text;
}

TEST(QuantityText, PrintsTheUsualUnits) {
  EXPECT_EQ(format_quantity(Bytes(80 * 0x1p30)), "80 GiB");
  EXPECT_EQ(format_decimal_bytes(Bytes(80 * 0x1p30)), "85.9 GB");
  EXPECT_EQ(format_quantity(BytesPerSecond(50e9)), "50 GB/s");
  EXPECT_EQ(format_quantity(FlopsPerSecond(989.4e12)), "989 TFLOP/s");
  EXPECT_EQ(format_quantity(Seconds(1.5e-6)), "1.5 us");
  EXPECT_EQ(format_quantity(Seconds(0.99999)), "1 s");
  EXPECT_EQ(format_quantity(Seconds(54.32 * 86400)), "54.3 d");
  EXPECT_EQ(format_quantity(Tokens(15e12)), "15T tokens");
  EXPECT_EQ(format_quantity(Tokens(2048), 4), "2048 tokens");
  EXPECT_EQ(format_quantity(Dollars(4.6e6)), "$4.6M");
  EXPECT_EQ(format_quantity(Dollars(12.3)), "$12.30");
  EXPECT_EQ(format_quantity(Dollars(999999.0)), "$1M");
  EXPECT_EQ(format_quantity(Dollars(-12.3)), "-$12.30");
  EXPECT_EQ(format_quantity(dollars_per_hour * 2.5), "$2.50/h");
  EXPECT_EQ(format_quantity(Dollars(0.09) / Joules(3.6e6)), "$0.09/kWh");
  EXPECT_EQ(format_quantity(Joules(43.2e9)), "12 MWh");
  EXPECT_EQ(format_quantity(Flops(300) / Bytes(2)), "150 FLOP/B");
  EXPECT_EQ(format_quantity(Seconds(0)), "0 ns");
  EXPECT_EQ(format_count(15e12), "15T");
  EXPECT_EQ(format_count(8192), "8192");
}

TEST(QuantityText, NeverPrintsANumberThatIsNotFinite) {
  EXPECT_THROW(format_quantity(Seconds(NAN)), InternalError);
  EXPECT_THROW(format_quantity(Bytes(INFINITY)), InternalError);
}

/// Prints and reads back `count` quantities over 30 powers of ten.
template <class Q>
void round_trip(std::mt19937_64& random, int count) {
  std::uniform_real_distribution<double> exponent(-9.0, 21.0);
  for (int i = 0; i < count; ++i) {
    const Q before(std::pow(10.0, exponent(random)));
    const std::string exact = format_quantity(before, 17), short_form = format_quantity(before, 3);
    const double after = parse_quantity<Q>(exact).base(), near = parse_quantity<Q>(short_form).base();
    ASSERT_NEAR(after / before.base(), 1.0, 1e-15) << exact;
    ASSERT_NEAR(near / before.base(), 1.0, 0.00501) << short_form;  // three digits
  }
}

TEST(QuantityText, ReadsBackAMillionPrintedQuantities) {
  std::mt19937_64 random(20240607);

  round_trip<Seconds>(random, 100'000);
  round_trip<Bytes>(random, 100'000);
  round_trip<BytesPerSecond>(random, 100'000);
  round_trip<Flops>(random, 100'000);
  round_trip<FlopsPerSecond>(random, 100'000);
  round_trip<Tokens>(random, 100'000);
  round_trip<TokensPerSecond>(random, 100'000);
  round_trip<Dollars>(random, 100'000);
  round_trip<DollarsPerSecond>(random, 50'000);
  round_trip<DollarsPerJoule>(random, 50'000);
  round_trip<Joules>(random, 50'000);
  round_trip<Watts>(random, 50'000);
}

TEST(QuantityText, TheLocaleHasNoInfluence) {
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "C"}) {
    std::setlocale(LC_ALL, name);  // not every machine has them; then nothing changes

    EXPECT_DOUBLE_EQ(parse_quantity<Seconds>("2.5 s").base(), 2.5);
    EXPECT_EQ(format_quantity(Seconds(2.5)), "2.5 s");
  }
  std::setlocale(LC_ALL, "C");
}

TEST(QuantityText, SurvivesRandomBytes) {
  std::mt19937 random(7);
  const std::string_view letters = "0123456789.,eE+-*/ $%kMGTBbsihWJFLOPGUUSD\t\n\xc2\xb5\xff_'";
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (std::size_t left = random() % 12; left > 0; --left) text += letters[random() % letters.size()];
    for (const Dimension& expected : {Dimension{.data = 1}, Dimension{.token = 1}, Dimension{.time = -1, .money = 1}}) try {
        const double value = parse_base_units(text, expected);
        ASSERT_TRUE(std::isfinite(value) && value >= 0.0) << text;
      } catch (const TextError&) {
      }
  }
}

}  // namespace
}  // namespace reckon
