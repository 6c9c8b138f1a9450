// What is wrong with a value that was read: which field, and why.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace reckon {

/// A broken rule.  `field` is the name of the member as files spell it, so that a reader can point at it and a flag parser can name it.
struct Problem {
  std::string field, message;
};
using Problems = std::vector<Problem>;

}  // namespace reckon
