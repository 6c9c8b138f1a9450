// SPDX-License-Identifier: Apache-2.0
#include "runtime/pace.hpp"

#include <time.h>

#include <algorithm>
#include <array>

namespace reckon {

Seconds processor_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return Seconds{double(t.tv_sec) + 1e-9 * double(t.tv_nsec)};
}

namespace {

Seconds arithmetic() {
  constexpr int width = 64, turns = 16384;
  float x[width];
  for (int i = 0; i < width; ++i) x[i] = float(i);
  const Seconds start = processor_time();
  for (int turn = 0; turn < turns; ++turn)
    for (int i = 0; i < width; ++i) x[i] = x[i] * 0.999f + 0.5f;
  const Seconds spent = processor_time() - start;
  volatile float kept = 0;  // so that the loop is not left out
  for (const float value : x) kept = kept + value;
  return spent;
}

}  // namespace

Seconds pace_of_processor() {
  for (const Seconds start = processor_time(); processor_time() - start < Seconds{1e-3};) arithmetic();
  std::array<Seconds, 5> taken;
  for (Seconds& t : taken) t = arithmetic();
  std::nth_element(taken.begin(), taken.begin() + 2, taken.end());
  return taken[2];
}

}  // namespace reckon
