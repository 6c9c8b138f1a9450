// Samples, their summary, and memory to measure in.
// SPDX-License-Identifier: Apache-2.0
#include "measure/bench.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "base/random.hpp"
#include "runtime/pace.hpp"

namespace reckon::measure {

double now(ClockKind clock) {
  if (clock == ClockKind::processor) return processor_time().base();
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Timed summary(std::vector<double> s, double too_wide) {
  std::sort(s.begin(), s.end());
  const double n = double(s.size());
  const auto at = [&](double place) { return s[std::size_t(std::clamp(place, 0.0, n - 1))]; };
  const std::size_t half = s.size() / 2;
  Timed out;
  out.median = Seconds{s.size() % 2 == 1 ? s[half] : (s[half - 1] + s[half]) / 2};
  out.low = Seconds{at(std::floor(n / 2 - 0.98 * std::sqrt(n)))};
  out.high = Seconds{at(std::ceil(n / 2 + 0.98 * std::sqrt(n)) - 1)};
  out.count = std::int64_t(s.size());
  out.stable = (out.high - out.low).base() <= 2 * too_wide * out.median.base();
  return out;
}

Timed over_passes(std::vector<Timed> passes, double too_wide) {
  std::vector<Timed> stable;
  for (const Timed& t : passes)
    if (t.stable) stable.push_back(t);
  const bool enough = 2 * stable.size() >= passes.size();
  if (!stable.empty()) passes = std::move(stable);
  std::sort(passes.begin(), passes.end(), [](const Timed& a, const Timed& b) { return a.median < b.median; });
  Timed out = passes[passes.size() / 2];
  if (passes.size() % 2 == 0) out.median = (passes[passes.size() / 2 - 1].median + passes[passes.size() / 2].median) / 2.0;
  out.count = 0;
  for (const Timed& t : passes) {
    out.low = min(out.low, t.low);
    out.high = max(out.high, t.high);
    out.count += t.count;
  }
  // one slow pass of three does not move their median
  std::vector<double> off;
  for (const Timed& t : passes) off.push_back(std::abs(t.median / out.median - 1.0));
  std::sort(off.begin(), off.end());
  out.stable = enough && off[off.size() / 2] <= too_wide;
  return out;
}

Bench::Bench(Backend backend, Communicator crew, Rules rules) : backend_(backend), crew_(std::move(crew)), rules_(rules) {
  if (backend == Backend::cuda) device_ = std::make_unique<DeviceStream>();
}

double Bench::slowest_of_crew(double value) const {
  if (crew_.size() > 1) crew_.all_reduce_max(&value, 1);
  return value;
}

Seconds Bench::pace() const { return Seconds{slowest_of_crew(pace_of_processor().base())}; }

/// Waits for one while there is patience.  Answers the pace at its end.
Seconds Bench::quiet_moment() const {
  constexpr auto nap = std::chrono::milliseconds(20);
  Seconds found = pace();
  while (rules_.pace->slow(found) && rules_.pace->again(Seconds{std::chrono::duration<double>(nap).count()})) {
    std::this_thread::sleep_for(nap);
    found = pace();
  }
  return found;
}

double Bench::once(const std::function<void(int)>& work, int repeats, int& turn) const {
  const double start = now(rules_.clock);
  for (int i = 0; i < repeats; ++i) work(turn++);
  wait();
  return slowest_of_crew((now(rules_.clock) - start) / repeats);
}

std::vector<double> Bench::samples(const std::function<void(int)>& work, int repeats, double budget, int& turn) const {
  std::vector<double> out;
  double spent = 0;
  while (int(out.size()) < rules_.most_samples) {
    out.push_back(once(work, repeats, turn));
    spent += out.back() * repeats;
    if (int(out.size()) < rules_.least_samples) continue;
    if (spent > budget || summary(out, rules_.enough).stable) break;
  }
  return out;
}

Timed Bench::attempt(const std::function<void(int)>& work, int repeats, double budget, int& turn) const {
  if (rules_.pace == nullptr) return summary(samples(work, repeats, budget, turn), rules_.too_wide);
  for (;;) {
    const Seconds before = quiet_moment();
    const std::vector<double> taken = samples(work, repeats, budget, turn);
    const bool slow = rules_.pace->slow(max(before, pace()));
    if (slow && rules_.pace->again(Seconds{std::accumulate(taken.begin(), taken.end(), 0.0) * repeats})) continue;
    rules_.pace->keep(slow);
    return summary(taken, rules_.too_wide);
  }
}

Timed Bench::time(const std::function<void(int turn)>& work) const {
  int turn = 0;
  double rough = once(work, 1, turn);
  for (int i = 0; i < 2 && rough < 1e-3; ++i) rough = std::min(rough, once(work, 1, turn));  // the first call fills caches and pages
  const int repeats = int(std::clamp(std::ceil(rules_.at_least.base() / std::max(rough, 1e-8)), 1.0, 4096.0));
  const Timed first = attempt(work, repeats, rules_.at_most.base(), turn);
  if (first.stable) return first;
  const Timed again = attempt(work, repeats, 3 * rules_.at_most.base(), turn);
  return (again.high - again.low) / again.median < (first.high - first.low) / first.median ? again : first;
}

Arena::Arena(Backend backend, std::size_t size, bool random, std::uint64_t seed) : size_(size), host_(nullptr, std::free) {
  constexpr std::size_t block = std::size_t{1} << 20;
  size_ = (size + block - 1) / block * block;
  if (random || backend != Backend::cuda) {
    host_.reset(static_cast<unsigned char*>(std::aligned_alloc(4096, size_)));
    if (!host_) throw std::bad_alloc();
    std::memset(host_.get(), 0, size_);
  }
  if (random) {
    // bf16 numbers; two side by side are an fp32 number whose leading bits are those of the second
    auto* values = reinterpret_cast<Bf16*>(host_.get());
    Philox stream(seed, 0);
    for (std::size_t i = 0; i < block / sizeof(Bf16); ++i) values[i] = narrow<Bf16>(float(2 * stream.uniform() - 1));
    for (std::size_t at = block; at < size_; at += block) std::memcpy(host_.get() + at, host_.get(), block);
  }
  data_ = host_.get();
  if (backend == Backend::cuda) {
    device_ = DeviceBuffer(size_);
    data_ = device_.as<unsigned char>();
    if (random) copy_to_device(data_, host_.get(), size_, Stream{});
  }
}

std::size_t Arena::offset(int turn, std::size_t bytes) const {
  constexpr std::size_t page = 4096;
  const std::size_t room = (bytes + page - 1) / page * page + page;
  if (room > size_) throw InternalError("a measurement larger than its memory");
  const std::size_t places = std::max<std::size_t>(1, size_ / room);
  return std::size_t(turn) % places * room;
}

void check_close(const std::vector<double>& measured, const std::vector<double>& expected, double tolerance, const char* what) {
  double largest = 0, worst = 0;
  for (const double v : expected) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(measured[i] - expected[i]);
    worst = std::isfinite(measured[i]) ? std::max(worst, error) : 1e300;
  }
  if (measured.size() != expected.size() || !(worst <= tolerance * std::max(largest, 1e-30)))
    throw DeviceError(std::string("a wrong result while measuring ") + what, "run the kernel tests; this device or build computes wrongly");
}

}  // namespace reckon::measure
