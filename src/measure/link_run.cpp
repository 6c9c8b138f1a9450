// Messages between ranks.
// SPDX-License-Identifier: Apache-2.0
#include "measure/link_run.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/error.hpp"
#include "base/random.hpp"
#include "kernels/op/matmul.hpp"

namespace reckon::measure {
namespace {

constexpr Collective operations[] = {Collective::all_reduce, Collective::all_gather, Collective::reduce_scatter,
                                     Collective::all_to_all, Collective::broadcast,  Collective::point_to_point};
constexpr int message_tag = 7;

/// One operation of `bytes` (as collective_time counts) in `group`; small whole numbers, so that sums are exact.
class Exchange {
 public:
  Exchange(const Communicator& group, Collective operation, std::int64_t bytes) : group_(group), operation_(operation) {
    const std::int64_t ranks = group.size();
    part_ = std::max<std::int64_t>(1, bytes / std::int64_t(sizeof(float)) / (shared() ? ranks : 1));
    whole_ = part_ * (shared() ? ranks : 1);
    send_.assign(std::size_t(whole_), 0.0f);
    receive_.assign(std::size_t(whole_), 0.0f);
    for (std::int64_t i = 0; i < whole_; ++i) send_[std::size_t(i)] = value(group.rank(), i);
    share_bytes_.assign(std::size_t(ranks), part_ * std::int64_t(sizeof(float)));
  }

  std::int64_t bytes() const { return whole_ * std::int64_t(sizeof(float)); }

  void run() {
    const std::size_t part_bytes = std::size_t(part_) * sizeof(float);
    switch (operation_) {
      case Collective::all_reduce:
        return group_.all_reduce_sum(receive_.data(), whole_);
      case Collective::reduce_scatter:
        return group_.reduce_scatter_sum(send_.data(), receive_.data(), part_);
      case Collective::all_gather:
        return group_.all_gather(send_.data(), receive_.data(), part_bytes);
      case Collective::all_to_all:
        return group_.all_to_all(send_.data(), share_bytes_, receive_.data(), share_bytes_);
      case Collective::broadcast:
        return group_.broadcast(receive_.data(), std::size_t(bytes()), 0);
      case Collective::point_to_point:
        return exchange();
    }
  }

  void check() {
    if (operation_ == Collective::all_reduce || operation_ == Collective::broadcast) receive_ = send_;
    run();
    const std::int64_t ranks = group_.size(), own = group_.rank();
    bool right = true;
    for (std::int64_t i = 0; i < (operation_ == Collective::reduce_scatter ? part_ : whole_); ++i) {
      float expected = 0;
      switch (operation_) {
        case Collective::all_reduce:
          for (std::int64_t r = 0; r < ranks; ++r) expected += value(r, i);
          break;
        case Collective::reduce_scatter:
          for (std::int64_t r = 0; r < ranks; ++r) expected += value(r, own * part_ + i);
          break;
        case Collective::all_gather:
          expected = value(i / part_, i % part_);
          break;
        case Collective::all_to_all:
          expected = value(i / part_, own * part_ + i % part_);
          break;
        case Collective::broadcast:
          expected = value(0, i);
          break;
        case Collective::point_to_point:
          expected = own == ranks - 1 && ranks % 2 == 1 ? 0.0f : value(own ^ 1, i);
          break;
      }
      right = right && receive_[std::size_t(i)] == expected;
    }
    double wrong = right ? 0 : 1;
    group_.all_reduce_max(&wrong, 1);
    if (wrong > 0) throw DeviceError("a message between ranks arrived wrong", "run 'ctest -L mpi'; this MPI library or link is faulty");
  }

 private:
  bool shared() const {
    return operation_ == Collective::reduce_scatter || operation_ == Collective::all_gather || operation_ == Collective::all_to_all;
  }
  static float value(std::int64_t rank, std::int64_t i) { return float((rank * 31 + i * 7) % 64); }

  /// Pairs; one way and back, so that one way is half of it.
  void exchange() {
    const int peer = group_.rank() ^ 1;
    if (peer >= group_.size()) return;
    const auto out = [&] { group_.send(send_.data(), std::size_t(bytes()), peer, message_tag).wait(); };
    const auto in = [&] { group_.receive(receive_.data(), std::size_t(bytes()), peer, message_tag).wait(); };
    if (group_.rank() % 2 == 0) {
      out();
      in();
    } else {
      in();
      out();
    }
  }

  Communicator group_;
  Collective operation_;
  std::int64_t part_ = 0, whole_ = 0;
  std::vector<float> send_, receive_;
  std::vector<std::int64_t> share_bytes_;
};

/// Work of `seconds` of this rank's processor time.
void work_for(double seconds) {
  const double end = now(ClockKind::processor) + seconds;
  while (now(ClockKind::processor) < end) {
  }
}

/// `gross` without the work before each message.
Timed without_work(Timed gross, const LinkPlan& plan) {
  constexpr Seconds finest{1e-7}, scatter{2e-5};  // what the processor clock and a scheduler leave undecided
  const Seconds work = plan.work_before * plan.ranks_per_processor;
  gross.median = max(finest, gross.median - work);
  gross.low = max(finest, gross.low - work);
  gross.high = max(finest, gross.high - work);
  gross.stable = gross.median > finest && gross.high - gross.low <= max(gross.median * (2 * plan.rules.too_wide), scatter * 2.0);
  return gross;
}

Communicator group_of(const Communicator& world, std::int64_t size) {
  if (size == world.size()) return world;
  return world.split(int(world.rank() / size), world.rank());
}

/// Point to point is measured in pairs alone, whatever the size of the group would be.
bool measured_in(Collective operation, std::int64_t size) { return operation != Collective::point_to_point || size == 2; }

}  // namespace

LinkPlan link_plan(std::int64_t largest, bool quick) {
  LinkPlan plan;
  if (quick) {
    plan.sizes = {64, 4096, 65536, 1 << 20};
  } else {
    plan.sizes = {8, 64, 256};
    for (std::int64_t size = 1024; size <= largest; size *= 2) plan.sizes.push_back(size);
  }
  plan.rules.least_samples = 7;
  plan.rules.most_samples = 31;
  plan.rules.enough = 0.04;
  plan.rules.too_wide = 0.3;
  plan.rules.at_least = Seconds{quick ? 1e-3 : 4e-3};
  plan.rules.at_most = Seconds{0.06};
  return plan;
}

std::vector<std::int64_t> group_sizes(std::int64_t ranks) {
  std::vector<std::int64_t> out;
  for (std::int64_t size = 2; size <= ranks; ++size)
    if (ranks % size == 0) out.push_back(size);
  return out;
}

std::int64_t count_of(const LinkPlan& plan, std::int64_t ranks) {
  std::int64_t count = 0;
  for (const std::int64_t size : group_sizes(ranks))
    for (const Collective operation : operations)
      if (measured_in(operation, size)) count += std::int64_t(plan.sizes.size());
  return count;
}

void measure_links(const Communicator& world, const LinkPlan& plan, Samples& samples, const std::function<void()>& advance) {
  const Bench bench(Backend::cpu, world, plan.rules);
  for (const std::int64_t size : group_sizes(world.size())) {
    const Communicator group = group_of(world, size);
    for (const Collective operation : operations) {
      if (!measured_in(operation, size)) continue;
      Exchange(group, operation, 4096).check();
      for (const std::int64_t bytes : plan.sizes) {
        Exchange exchange(group, operation, bytes);
        Philox uneven(std::uint64_t(bytes), std::uint64_t(world.rank()));
        Timed time = without_work(bench.time([&](int) {
          work_for(plan.work_before.base() * (1 + plan.uneven * (2 * uneven.uniform() - 1)));
          exchange.run();
        }),
                                  plan);
        if (operation == Collective::point_to_point) time.median *= 0.5, time.low *= 0.5, time.high *= 0.5;
        samples.links.push_back({operation, size, Bytes{double(exchange.bytes())}, time});
        advance();
      }
    }
  }
}

void measure_overlap(const Communicator& world, const Rules& rules, Samples& samples) {
  if (world.size() < 2) return;
  const Bench bench(Backend::cpu, world, rules);
  constexpr std::int64_t side = 384;
  const std::vector<float> a(side * side, 0.5f), b(side * side, 0.25f);
  std::vector<float> c(side * side);
  const auto compute = [&](int) {
    launch<Backend::cpu>(Matmul<float>{.m = side, .n = side, .k = side, .a = a.data(), .b = b.data(), .c = c.data()}, {});
  };
  const int peer = world.rank() ^ 1;
  for (const std::int64_t bytes : {std::int64_t{1} << 16, std::int64_t{1} << 20, std::int64_t{1} << 23}) {
    std::vector<char> out(static_cast<std::size_t>(bytes), 1), in(out.size());
    const bool paired = peer < world.size();
    const auto exchange = [&](const std::function<void(int)>& meanwhile) {
      if (!paired) return meanwhile(0);
      PendingMessage receives = world.receive(in.data(), in.size(), peer, message_tag),
                     sends = world.send(out.data(), out.size(), peer, message_tag);
      meanwhile(0);
      receives.wait();
      sends.wait();
    };
    OverlapSample s;
    s.size = Bytes{double(bytes)};
    s.compute = bench.time(compute).median;
    s.message = bench.time([&](int) { exchange([](int) {}); }).median;
    s.together = bench.time([&](int) { exchange(compute); }).median;
    samples.overlap.push_back(s);
  }
}

}  // namespace reckon::measure
