// SPDX-License-Identifier: Apache-2.0
#include "io/cost_files.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/error.hpp"
#include "io/csv.hpp"
#include "io/quote_files.hpp"
#include "temporary_folder.hpp"

namespace reckon {
namespace {

double assumed(const char* name, const char* text) { return parse_assumed(cost_assumption_rule(name), text); }

TEST(ParseAssumed, TakesTheUnitOfTheAssumption) {
  EXPECT_DOUBLE_EQ(assumed("use_share", "0.8"), 0.8);
  EXPECT_DOUBLE_EQ(assumed("use_share", " 80 % "), 0.8);
  EXPECT_DOUBLE_EQ(assumed("storage_price", "0.02 USD/GB-month"), 0.02);
  EXPECT_DOUBLE_EQ(assumed("storage_price", "$0.02/GB-month"), 0.02);
  EXPECT_DOUBLE_EQ(assumed("grid_carbon", "385 g/kWh"), 385);
  EXPECT_DOUBLE_EQ(assumed("life_years", "4 years"), 4);
}

TEST(ParseAssumed, RefusesOtherUnitsAndBounds) {
  for (const auto& [name, text] : std::initializer_list<std::pair<const char*, const char*>>{{"storage_price", "0.02"},
                                                                                             {"storage_price", "0.02 EUR/GB-month"},
                                                                                             {"storage_price", "USD/GB-month"},
                                                                                             {"use_share", "1.2"},
                                                                                             {"use_share", "-0.2"},
                                                                                             {"use_share", ""},
                                                                                             {"pue_ratio", "0.9"},
                                                                                             {"life_years", "4"},
                                                                                             {"life_years", "4 months"},
                                                                                             {"use_share", "inf"}})
    EXPECT_THROW(assumed(name, text), TextError) << name << " " << text;
}

TEST(CostDefaults, CoverEveryAssumptionThatNeitherRunNorPlaceNorPriceGives) {
  const auto root = read_json(RECKON_SOURCE_DIR "/models/costs/defaults.json");
  std::set<std::string> known;
  for (const CostAssumption& a : read_cost_assumptions(root.root(), "default")) {
    known.insert(a.name);
    EXPECT_LE(a.low, a.value) << a.name;
    EXPECT_GE(a.high, a.value) << a.name;
    EXPECT_FALSE(a.source.empty()) << a.name;
  }
  EXPECT_TRUE(known.contains("failure_rate"));
  EXPECT_FALSE(known.contains("model_error"));  // the stack's own interval gives it
  EXPECT_GE(known.size(), 35u);
}

TEST(Places, HaveDistinctIdsAndYears) {
  const auto root = read_json(RECKON_SOURCE_DIR "/models/costs/places.json");
  const std::vector<CostPlace> places = read_places(root.root());
  EXPECT_GE(places.size(), 25u);
  for (const CostPlace& p : places) EXPECT_GT(p.grid_carbon.value, 0) << p.id;
}

TEST(Csv, ReadsQuotedFieldsAndBothLineEnds) {
  const auto rows = parse_csv("\xEF\xBB\xBF" "a,b\r\n\"x, \"\"y\"\"\nz\",2\n\n3,4", "t");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].fields, (std::vector<std::string>{"x, \"y\"\nz", "2"}));
  EXPECT_EQ(rows[2].line, 5u);
  EXPECT_EQ(rows[2].fields[1], "4");
}

TEST(Quotes, JsonAndCsvSayTheSame) {
  const TemporaryFolder folder;
  const auto write = [&](const char* name, const std::string& text) { std::ofstream(folder / name) << text; };
  write("q.csv", "id,provider,device,devices,kind,price,term_months,storage_price\na,A,h100,64,reserved,2.10 EUR/GPU-h,12,\n");
  write("q.json",
        R"({"format": "reckon/quotes/1", "quotes": [{"id": "a", "provider": "A", "device": "h100", "devices": 64, "kind": "reserved",
    "price": "2.10 EUR/GPU-h", "term_months": 12, "storage_price": null}], "rates": {"EUR": {"usd": 1.08, "date": "2026-11-01"}}})");

  for (const char* name : {"q.csv", "q.json"}) {
    const QuoteFile file = read_quotes(folder.path() / name);
    ASSERT_EQ(file.quotes.size(), 1u);
    EXPECT_EQ(file.quotes[0].price.currency, "EUR");
    EXPECT_DOUBLE_EQ(file.quotes[0].price.value, 2.1);
    EXPECT_EQ(file.quotes[0].term_months, 12);
    EXPECT_FALSE(file.quotes[0].storage_price.has_value());
  }
  EXPECT_DOUBLE_EQ(read_quotes(folder.path() / "q.json").rates.at("EUR").usd, 1.08);
}

TEST(Currency, KnowsCodesAndNotTheirParts) {
  for (const char* code : {"USD", "EUR", "CNY", "ZWG", "AED"}) EXPECT_TRUE(is_currency(code)) << code;
  for (const char* code : {"usd", "XYZ", "SD ", "D A", "", "EURO"}) EXPECT_FALSE(is_currency(code)) << code;
}

TEST(ParseRate, WantsADate) {
  const auto [code, rate] = parse_rate("EUR=1.08@2026-11-01");
  EXPECT_EQ(code, "EUR");
  EXPECT_DOUBLE_EQ(rate.usd, 1.08);
  EXPECT_EQ(rate.date, "2026-11-01");
  for (const char* text : {"EUR=1.08", "EUR@2026-11-01", "EUR=0@2026-11-01", "EUR=1@soon", "=1@2026"})
    EXPECT_THROW(parse_rate(text), TextError) << text;
}

}  // namespace
}  // namespace reckon
