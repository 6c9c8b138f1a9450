// Progress of long work on stderr: nothing for two seconds, then on a terminal one line that is rewritten, else a line every 30 seconds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace reckon {

/// The line for `done` of `total` items after `elapsed` seconds: "planning: 7 of 12 sizes, 3.1/s, 2 s left".
std::string progress_line(const std::string& what, const std::string& items, std::int64_t done, std::int64_t total, double elapsed);

class Progress {
 public:
  /// Silent when `quiet`.  `total` counts what this rank does itself.
  Progress(std::string what, std::string items, std::int64_t total, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// One more item is done.
  void advance();

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_, items_;
  std::int64_t total_ = 0, done_ = 0;
  bool quiet_ = false, terminal_ = false, printed_ = false;
  Clock::time_point start_ = Clock::now();
  std::optional<Clock::time_point> last_;
};

}  // namespace reckon
