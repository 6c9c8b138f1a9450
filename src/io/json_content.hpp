// What a JsonDocument holds; internal to src/io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace reckon {

struct JsonContent {
  std::string name, text;
  nlohmann::json root;
};

}  // namespace reckon
