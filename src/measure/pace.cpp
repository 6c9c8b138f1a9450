// SPDX-License-Identifier: Apache-2.0
#include "measure/pace.hpp"

#include <algorithm>

namespace reckon::measure {

bool Pace::slow(Seconds now) {
  last_[seen_ % last_.size()] = now;
  ++seen_;
  if (seen_ < last_.size()) return false;
  std::array<Seconds, 5> sorted = last_;
  std::sort(sorted.begin(), sorted.end());
  best_ = min(best_, sorted[sorted.size() / 2]);
  return now > best_ * (1 + tolerance_);
}

bool Pace::again(Seconds spent) {
  if (spent_ >= patience_) return false;
  spent_ += spent;
  return true;
}

}  // namespace reckon::measure
