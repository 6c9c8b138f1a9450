#include "report/table.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace reckon {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoTrailingSpaces) {
  Table table({{"name", Align::left}, {"n"}, {"what", Align::left}});
  table.row({"a", "1", "x"});
  table.row({"longer", "1,000", ""});

  EXPECT_EQ(table.text(),
            "name        n  what\n"
            "a           1  x\n"
            "longer  1,000\n");
}

TEST(Table, CountsWhatIsSeenNotBytes) {
  Table table({{"µs", Align::left}, {"v"}});
  table.row({"é", "1"});     // two bytes, one column
  table.row({"日本", "2"});  // two columns each

  EXPECT_EQ(table.text(),
            "µs    v\n"
            "é     1\n"
            "日本  2\n");
}

TEST(Table, RulesReachOverEveryColumn) {
  Table table({{"", Align::left}, {"GiB"}});
  table.row({"weights", "1.50"});
  table.rule();
  table.row({"total", "1.50"});

  EXPECT_EQ(table.text(2),
            "            GiB\n"
            "  weights  1.50\n"
            "  -------  ----\n"
            "  total    1.50\n");
}

TEST(Table, RefusesMoreCellsThanColumns) {
  Table table({{"one"}});

  EXPECT_THROW(table.row({"1", "2"}), InternalError);
}

TEST(DisplayWidth, KnowsCombiningMarksAndBrokenBytes) {
  EXPECT_EQ(display_width("e\xCC\x81"), 1u);  // e and a combining acute
  EXPECT_EQ(display_width("\xFF\xFE"), 2u);   // not UTF-8: one column a byte
  EXPECT_EQ(display_width("\xE2\x82"), 2u);   // cut in the middle
  EXPECT_EQ(display_width("\xF0\x9F\x9A\x80"), 2u);
}

TEST(Wrapped, BreaksAtWordsAndKeepsLongWords) {
  EXPECT_EQ(wrapped("one two three", 9, 2), "  one two\n  three\n");
  EXPECT_EQ(wrapped("unbreakable", 5, 0), "unbreakable\n");
  EXPECT_EQ(wrapped("", 10, 0), "");
}

}  // namespace
}  // namespace reckon
