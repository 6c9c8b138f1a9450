// Which samples a machine took while it ran slower than it can.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "base/quantity.hpp"

namespace reckon::measure {

/// Judges the pace of a crew (pace_of_processor on the slowest of its ranks) against the best that it has seen.  Ranks that were told the same
/// paces judge alike.
class Pace {
 public:
  /// A pace is slow when it takes over (1 + tolerance) times the best; what a slow machine gave is taken again until `patience` has gone.
  Pace(double tolerance, Seconds patience) : tolerance_(tolerance), patience_(patience) {}

  bool slow(Seconds now);
  /// Whether there is patience to give away `spent`: on a measurement to be taken again, or on waiting.
  bool again(Seconds spent);
  /// A measurement that stands.
  void keep(bool slow) {
    ++kept_;
    if (slow) ++slow_;
  }

  /// The least median of five paces in a row: one lucky reading does not count.
  Seconds best() const { return best_; }
  /// Of the measurements that stand.
  double slow_share() const { return kept_ > 0 ? double(slow_) / double(kept_) : 0.0; }
  /// Time that went into waiting and into what was taken again.
  Seconds spent() const { return spent_; }

 private:
  double tolerance_;
  Seconds patience_, spent_{}, best_{1e9};
  std::array<Seconds, 5> last_{};
  std::size_t seen_ = 0, kept_ = 0, slow_ = 0;
};

}  // namespace reckon::measure
