// SPDX-License-Identifier: Apache-2.0
#include "report/document.hpp"

#include <gtest/gtest.h>

#include "report/cost_csv.hpp"
#include "report/svg_chart.hpp"

namespace reckon {
namespace {

Document sample() {
  Document d;
  d.title = "Title <1>";
  d.blocks = {Paragraph{"The answer", true}, Heading{2, "Pictures"}, Chart{}, Heading{2, "Numbers"},
              Grid{"Rows", {{"item", Align::left}, {"USD"}}, {{"a|b", "1.00"}, {"total", "1.00"}}, {1}}};
  Chart& chart = std::get<Chart>(d.blocks[2]);
  chart.title = "A & B";
  chart.alternative = "from 1 to 3";
  chart.series = {{"s", {1, 2, 3}, {3, 2, 1}, {2, 1, 0}, {4, 3, 2}}};
  return d;
}

TEST(Document, TextHasNoHeadingOfPicturesAlone) {
  const std::string text = to_text(sample());
  EXPECT_EQ(text.find("Pictures"), std::string::npos);
  EXPECT_NE(text.find("Numbers\n-------"), std::string::npos);
  EXPECT_NE(text.find("a|b    1.00"), std::string::npos);
}

TEST(Document, MarkdownEscapesWhatWouldBeMarkup) {
  const std::string text = to_markdown(sample());
  EXPECT_NE(text.find("# Title \\<1\\>"), std::string::npos);
  EXPECT_NE(text.find("| a\\|b | 1.00 |"), std::string::npos);
  EXPECT_NE(text.find("| **total** | **1.00** |"), std::string::npos);
  EXPECT_NE(text.find("| --- | ---: |"), std::string::npos);
}

TEST(Document, HtmlIsOnePageWithoutScriptOrAddress) {
  const std::string text = to_html(sample());
  EXPECT_NE(text.find("<title>Title &lt;1&gt;</title>"), std::string::npos);
  EXPECT_NE(text.find("<desc id=\"d1\">from 1 to 3</desc>"), std::string::npos);
  EXPECT_NE(text.find("A &amp; B"), std::string::npos);
  for (const char* foreign : {"<script", "http:", "https:", "src="}) EXPECT_EQ(text.find(foreign), std::string::npos) << foreign;
}

TEST(XmlText, ReplacesControlCharactersAndBrokenUtf8) {
  EXPECT_EQ(xml_text("a<&>\"'"), "a&lt;&amp;&gt;&quot;&#39;");
  EXPECT_EQ(xml_text("a\x01"), "a\xEF\xBF\xBD");
  EXPECT_EQ(xml_text("\xff").find('\xff'), std::string::npos);
}

TEST(CsvText, QuotesAndDisarmsFormulas) {
  EXPECT_EQ(csv_text("plain"), "plain");
  EXPECT_EQ(csv_text("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_text("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(csv_text("=1+1"), "'=1+1");
  EXPECT_EQ(csv_text("@x"), "'@x");
  EXPECT_EQ(csv_text("-5.25"), "-5.25");
  EXPECT_EQ(csv_text("-5-2"), "'-5-2");
}

TEST(Ticks, AreRoundAndCoverTheAxis) {
  EXPECT_EQ(ticks(0, 10, 5, false), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(ticks(3, 17, 5, false), (std::vector<double>{5, 10, 15}));
  EXPECT_EQ(ticks(1, 1000, 4, true).front(), 1);
  for (const double v : ticks(37, 24576, 5, true)) EXPECT_TRUE(v >= 37 && v <= 24576);
}

TEST(TickText, IsShort) {
  EXPECT_EQ(tick_text(250), "250");
  EXPECT_EQ(tick_text(1500), "1.5k");
  EXPECT_EQ(tick_text(2e7), "20M");
  EXPECT_EQ(tick_text(0), "0");
}

TEST(SvgChart, DrawsEveryKindWithItsTexts) {
  Chart bars;
  bars.title = "Bars";
  bars.alternative = "two bars of 1 and 2";
  bars.parts = {"low", "high"};
  bars.bars = {{"first", {1, 2}, "2"}, {"second", {3, -1}, "4"}};
  bars.line = 1.5;
  bars.line_name = "base";
  for (const ChartKind kind : {ChartKind::waterfall, ChartKind::tornado, ChartKind::stacks}) {
    bars.kind = kind;
    const std::string svg = svg_chart(bars, 7);
    EXPECT_NE(svg.find("aria-labelledby=\"t7 d7\""), std::string::npos);
    EXPECT_NE(svg.find(">first</text>"), std::string::npos);
    EXPECT_NE(svg.find("base"), std::string::npos);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

TEST(SvgChart, SurvivesOnePointAndEqualValues) {
  Chart chart;
  chart.series = {{"s", {5}, {5}, {}, {}}, {"t", {5, 5}, {5, 5}, {}, {}, true}};
  for (const bool logarithmic : {false, true}) {
    chart.x_log = chart.y_log = logarithmic;
    const std::string svg = svg_chart(chart, 1);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

}  // namespace
}  // namespace reckon
