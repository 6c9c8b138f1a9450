// SPDX-License-Identifier: Apache-2.0
#include "app/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <utility>

#include "app/say.hpp"

namespace reckon {
namespace {

constexpr double silence = 2.0, terminal_period = 0.2, log_period = 30.0;  // seconds

}  // namespace

std::string progress_line(const std::string& what, const std::string& items, std::int64_t done, std::int64_t total, double elapsed) {
  if (done <= 0 || elapsed <= 0.0) return fmt::format("{}: {} of {} {}", what, done, total, items);
  const double rate = static_cast<double>(done) / elapsed;
  return fmt::format("{}: {} of {} {}, {:.2g}/s, {:.0f} s left", what, done, total, items, rate,
                     std::ceil(static_cast<double>(total - done) / rate));
}

Progress::Progress(std::string what, std::string items, std::int64_t total, bool quiet)
    : what_(std::move(what)), items_(std::move(items)), total_(total), quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (printed_ && terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::advance() {
  ++done_;
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  if (elapsed < silence || done_ >= total_) return;
  if (last_ && std::chrono::duration<double>(now - *last_).count() < (terminal_ ? terminal_period : log_period)) return;
  last_ = now;
  printed_ = true;
  say((terminal_ ? "\r\033[K" : "") + progress_line(what_, items_, done_, total_, elapsed) + (terminal_ ? "" : "\n"));
}

}  // namespace reckon
