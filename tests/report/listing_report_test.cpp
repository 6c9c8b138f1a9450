#include "report/listing_report.hpp"

#include <gtest/gtest.h>

namespace reckon {
namespace {

TEST(ListingReport, PutsNumbersOnTheRightAndWordsOnTheLeft) {
  const Listing listing{"devices", {"id", "memory", "link"}, {{"h100", "80 GiB", "-"}, {"b200", "180 GiB", "900 GB/s"}}};

  EXPECT_EQ(listing_report(listing),
            "2 devices\n"
            "  id     memory      link\n"
            "  h100   80 GiB         -\n"
            "  b200  180 GiB  900 GB/s\n");
}

TEST(DetailsReport, NumbersEachSourceOnceAndMarksWhatWasNotRead) {
  const Source sheet{"data sheet", "2024", true, "https://example.org/sheet"}, memory{"recollection", "2026", false, ""};
  const Details details{"devices",
                        "x1",
                        "An X1",
                        {{"memory", "80 GiB", sheet}, {"bandwidth", "3 TB/s", sheet}, {"power", "700 W", memory}, {"vendor", "X", {}}},
                        {"a note"}};

  EXPECT_EQ(details_report(details),
            "x1 (An X1)\n"
            "  field      value   source\n"
            "  memory     80 GiB  [1]\n"
            "  bandwidth  3 TB/s  [1]\n"
            "  power      700 W   [2] recalled\n"
            "  vendor     X\n"
            "  note: a note\n"
            "  [1] data sheet (2024)\n"
            "      https://example.org/sheet\n"
            "  [2] recollection (2026)\n");
}

}  // namespace
}  // namespace reckon
