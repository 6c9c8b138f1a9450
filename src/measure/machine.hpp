// What this machine says of itself: for the record beside measurements, and for the place that predictions are made for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/quantity.hpp"

namespace reckon::measure {

struct Machine {
  std::string processor;  ///< model name
  Hertz clock;            ///< as the system states it now; 0 = it does not
  Bytes memory, cache;    ///< of the node; of the last level
};

Machine this_machine();

/// Today's date, YYYY-MM-DD, in UTC.
std::string today();

}  // namespace reckon::measure
