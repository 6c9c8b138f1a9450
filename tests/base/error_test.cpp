// What errors say and with which status the program ends.
// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <gtest/gtest.h>

namespace reckon {
namespace {

TEST(Error, EndsWithTheDocumentedStatus) {
  EXPECT_EQ(ConfigError("f", "/a", "r", "c").exit_code(), 2);
  EXPECT_EQ(UsageError("r").exit_code(), 2);
  EXPECT_EQ(TextError("r").exit_code(), 2);
  EXPECT_EQ(FileError("f", "r").exit_code(), 5);
  EXPECT_EQ(DeviceError("r").exit_code(), 4);
  EXPECT_EQ(CalibrationError("r").exit_code(), 7);
  EXPECT_EQ(InternalError("r").exit_code(), 1);
  EXPECT_EQ(MpiError("r").exit_code(), 1);
}

TEST(Error, SaysWhatWhereAndWhatToDo) {
  EXPECT_STREQ(ConfigError("h100.json", "/memory", "80 has no unit", "write \"80 GiB\"").what(), "80 has no unit\n  where: h100.json at /memory\n  cure: write \"80 GiB\"");
  EXPECT_STREQ(ConfigError("h100.json", "3:7", "bad").what(), "bad\n  where: h100.json:3:7");
  EXPECT_STREQ(UsageError("no such command", "see --help").what(), "no such command\n  cure: see --help");
  EXPECT_STREQ(UsageError("no such command").what(), "no such command");
}

}  // namespace
}  // namespace reckon
