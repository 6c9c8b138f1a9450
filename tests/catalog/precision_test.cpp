// SPDX-License-Identifier: Apache-2.0
#include "catalog/precision.hpp"

#include <gtest/gtest.h>

#include <set>

namespace reckon {
namespace {

TEST(Precision, EveryNameComesBack) {
  std::set<std::string_view> names;
  for (const Precision precision : all_precisions) {
    names.insert(name_of(precision));
    EXPECT_EQ(precision_of(name_of(precision)), precision);
  }

  EXPECT_EQ(names.size(), all_precisions.size());
}

TEST(Precision, UnknownNamesAreNothing) {
  for (const char* name : {"", "FP16", "fp", "bf16 ", "int8"}) EXPECT_FALSE(precision_of(name)) << name;
}

TEST(Precision, BlockFormatsPayForTheirScales) {
  EXPECT_DOUBLE_EQ(operand_bytes(Precision::fp32), 4.0);
  EXPECT_DOUBLE_EQ(operand_bytes(Precision::bf16), 2.0);
  EXPECT_DOUBLE_EQ(operand_bytes(Precision::fp8), 1.0);
  EXPECT_DOUBLE_EQ(operand_bytes(Precision::mxfp8), 33.0 / 32.0);  // 32 values of a byte and one scale
  EXPECT_DOUBLE_EQ(operand_bytes(Precision::nvfp4), 9.0 / 16.0);   // 16 values in 8 bytes and one scale
}

TEST(Precision, ActivationsStayInSixteenBitsBelowThem) {
  EXPECT_DOUBLE_EQ(activation_bytes(Precision::tf32), 4.0);
  for (const Precision p : {Precision::fp16, Precision::bf16, Precision::fp8, Precision::mxfp8, Precision::nvfp4})
    EXPECT_DOUBLE_EQ(activation_bytes(p), 2.0);
}

}  // namespace
}  // namespace reckon
