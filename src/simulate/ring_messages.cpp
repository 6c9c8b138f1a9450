// SPDX-License-Identifier: Apache-2.0
#include "simulate/ring_messages.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "simulate/event_queue.hpp"

namespace reckon {
namespace {

struct Rank {
  std::int64_t ready = 0, done = 0;  // layers whose gradients exist, and whose sums do
  std::int64_t step = 0, inbox = 0;  // of the all-reduce under way; messages that came and were not yet used
  double link_free = 0, message = 0;
  bool busy = false;
};

}  // namespace

RingResult simulate_ring(const RingStep& s) {
  if (s.devices < 2 || s.layers < 1 || !(s.bandwidth > 0) || s.devices >= (std::int64_t{1} << 31))
    throw UsageError("a ring needs two devices, a layer and a bandwidth");
  const std::int64_t steps = 2 * (s.devices - 1);
  const auto n = static_cast<std::uint32_t>(s.devices);
  std::vector<Rank> ranks(n);
  EventQueue queue;
  RingResult out;
  for (std::uint32_t i = 0; i < n; ++i) {
    const double factor = s.link_factor.empty() ? 1.0 : s.link_factor.at(i);
    ranks[i].message = s.layer_bytes / static_cast<double>(s.devices) / (s.bandwidth * factor);
    queue.push(s.before + s.layer, i << 1);
  }
  const auto send = [&](std::uint32_t i, double now) {
    Rank& r = ranks[i];
    const double start = std::max(now, r.link_free);
    r.link_free = start + r.message;
    queue.push(r.link_free + s.latency, (i + 1 == n ? 0u : i + 1) << 1 | 1u);
    ++out.messages;
  };
  const auto begin = [&](Rank& r, std::uint32_t i, double now) {
    if (r.busy || r.done == r.ready) return;
    r.busy = true;
    r.step = 0;
    send(i, now);
  };
  while (!queue.empty()) {
    const Event e = queue.pop();
    const std::uint32_t i = e.payload >> 1;
    Rank& r = ranks[i];
    out.seconds = e.time;
    if ((e.payload & 1u) == 0) {
      if (++r.ready < s.layers) queue.push(e.time + s.layer, e.payload);
    } else {
      ++r.inbox;
    }
    begin(r, i, e.time);
    while (r.busy && r.inbox > 0) {
      --r.inbox;
      if (++r.step < steps) {
        send(i, e.time);
      } else {
        r.busy = false;
        ++r.done;
        begin(r, i, e.time);
      }
    }
  }
  return out;
}

}  // namespace reckon
