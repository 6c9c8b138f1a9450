// Range checks of catalogue entries.  The bounds are wide: they catch a slipped unit or exponent, not an odd machine.
// SPDX-License-Identifier: Apache-2.0
#include "catalog/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace reckon {
namespace {

/// A range of a quantity, in the unit that messages speak.
template <class Q>
struct Range {
  Q low, high, unit;
  std::string_view unit_name;
};

constexpr Range<BytesPerSecond> bandwidths{BytesPerSecond{1e6}, BytesPerSecond{1e15}, BytesPerSecond{1e9}, "GB/s"};
constexpr Range<FlopsPerSecond> rates{FlopsPerSecond{1e9}, FlopsPerSecond{1e18}, FlopsPerSecond{1e12}, "TFLOP/s"};
constexpr Range<Bytes> memories{gibibytes, 16384.0 * gibibytes, gibibytes, "GiB"};
constexpr Range<Bytes> caches{mebibytes, 16.0 * gibibytes, mebibytes, "MiB"};
constexpr Range<Watts> device_powers{watts, Watts{1e4}, watts, "W"};
constexpr Range<Watts> node_powers{watts, Watts{1e6}, watts, "W"};
constexpr Range<Seconds> latencies{Seconds{1e-9}, Seconds{1e-2}, microseconds, "us"};
constexpr Range<DollarsPerSecond> rents{0.001 * dollars_per_hour, 1000.0 * dollars_per_hour, dollars_per_hour, "$/h"};
constexpr Range<Dollars> purchases{dollars, Dollars{1e6}, dollars, "$"};

class Checks {
 public:
  template <class Q>
  void within(Q value, const Range<Q>& range, std::string_view field) {
    if (!(value >= range.low && value <= range.high))  // written so that NaN fails
      add(field, fmt::format("{} is {:.6g} {}, expected {:.6g} to {:.6g} {}", field, value.in(range.unit), range.unit_name,
                             range.low.in(range.unit), range.high.in(range.unit), range.unit_name));
  }
  /// Zero stands for "not published".
  template <class Q>
  void zero_or_within(Q value, const Range<Q>& range, std::string_view field) {
    if (value != Q{}) within(value, range, field);
  }
  void within(std::int64_t value, std::int64_t low, std::int64_t high, std::string_view field) {
    if (value < low || value > high) add(field, fmt::format("{} is {}, expected {} to {}", field, value, low, high));
  }
  void not_empty(const std::string& text, std::string_view field) {
    if (text.empty()) add(field, fmt::format("{} is empty", field));
  }
  void date(const std::string& text, std::string_view field) {
    if (!is_date(text)) add(field, fmt::format("{} is \"{}\", expected YYYY, YYYY-MM or YYYY-MM-DD", field, text));
  }
  template <std::size_t N>
  void one_of(const std::string& text, const std::array<std::string_view, N>& words, std::string_view field) {
    if (std::find(words.begin(), words.end(), text) == words.end())
      add(field, fmt::format("{} is \"{}\", expected one of {}", field, text, fmt::join(words, ", ")));
  }
  void add(std::string_view field, std::string message) { problems_.push_back({std::string(field), std::move(message)}); }
  Problems take() { return std::move(problems_); }

 private:
  Problems problems_;
};

constexpr std::array<std::string_view, 8> fabric_kinds{"infiniband", "roce",           "omni-path", "efa",
                                                       "ethernet",   "gpudirect-tcpx", "slingshot", "ici"};
constexpr std::array<std::string_view, 5> price_kinds{"on-demand", "reserved", "spot", "capacity-block", "historic"};

bool is_number(std::string_view text, std::size_t digits, int low, int high) {
  if (text.size() != digits) return false;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = 10 * value + (c - '0');
  }
  return value >= low && value <= high;
}

}  // namespace

const Source* source_of(const Provenance& provenance, const std::string& field) {
  for (const std::string& key : {field, field.substr(0, field.find('.')), std::string()})
    if (const auto found = provenance.find(key); found != provenance.end()) return &found->second;
  return nullptr;
}

bool is_date(const std::string& text) {
  const std::string_view t = text;
  if (t.size() == 4) return is_number(t, 4, 1900, 2999);
  if (t.size() == 7) return is_date(text.substr(0, 4)) && t[4] == '-' && is_number(t.substr(5), 2, 1, 12);
  return t.size() == 10 && is_date(text.substr(0, 7)) && t[7] == '-' && is_number(t.substr(8), 2, 1, 31);
}

Problems problems(const Device& d) {
  Checks checks;
  checks.not_empty(d.id, "id");
  checks.not_empty(d.name, "name");
  checks.not_empty(d.vendor, "vendor");
  checks.not_empty(d.architecture, "architecture");
  if (d.peak.count(Precision::bf16) + d.peak.count(Precision::fp16) == 0) checks.add("peak", "peak states neither bf16 nor fp16");
  for (const auto& [precision, rate] : d.peak) checks.within(rate, rates, fmt::format("peak.{}", name_of(precision)));
  checks.zero_or_within(d.vector_peak, rates, "vector_peak");
  checks.within(d.memory, memories, "memory");
  checks.within(d.memory_bandwidth, bandwidths, "memory_bandwidth");
  checks.within(d.num_multiprocessors, 1, 100000, "num_multiprocessors");
  checks.zero_or_within(d.l2_cache, caches, "l2_cache");
  checks.zero_or_within(d.link_bandwidth, bandwidths, "link_bandwidth");
  checks.zero_or_within(d.pcie_bandwidth, bandwidths, "pcie_bandwidth");
  checks.zero_or_within(d.power, device_powers, "power");
  checks.date(d.release, "release");
  return checks.take();
}

Problems problems(const Fabric& f) {
  Checks checks;
  checks.not_empty(f.id, "id");
  checks.not_empty(f.name, "name");
  checks.one_of(f.kind, fabric_kinds, "kind");
  checks.within(f.nic_bandwidth, bandwidths, "nic_bandwidth");
  checks.within(f.latency, latencies, "latency");
  if (!(f.oversubscription >= 1.0 && f.oversubscription <= 100.0))
    checks.add("oversubscription", fmt::format("oversubscription is {}, expected 1 (full bisection) to 100", f.oversubscription));
  checks.within(f.nodes_per_leaf, 0, 1000000, "nodes_per_leaf");
  if (f.oversubscription > 1.0 && f.nodes_per_leaf == 0)
    checks.add("nodes_per_leaf", "nodes_per_leaf is 0 (one level), but oversubscription is above 1");
  return checks.take();
}

Problems problems(const Node& n) {
  Checks checks;
  checks.not_empty(n.id, "id");
  checks.not_empty(n.name, "name");
  checks.not_empty(n.device, "device");
  checks.not_empty(n.fabric, "fabric");
  checks.not_empty(n.provider, "provider");
  checks.within(n.devices_per_node, 1, 1024, "devices_per_node");
  checks.within(n.nics_per_node, 0, 1024, "nics_per_node");
  checks.within(n.scale_up_domain, 1, 100000, "scale_up_domain");
  if (n.scale_up_domain > 1 && n.devices_per_node > 0 && n.scale_up_domain % n.devices_per_node != 0 &&
      n.devices_per_node % n.scale_up_domain != 0)
    checks.add("scale_up_domain",
               fmt::format("scale_up_domain {} and devices_per_node {} do not divide one another", n.scale_up_domain, n.devices_per_node));
  checks.zero_or_within(n.max_power, node_powers, "max_power");
  checks.zero_or_within(n.host_memory, memories, "host_memory");
  return checks.take();
}

Problems problems(const Price& p) {
  Checks checks;
  checks.not_empty(p.id, "id");
  checks.not_empty(p.device, "device");
  checks.not_empty(p.provider, "provider");
  checks.one_of(p.kind, price_kinds, "kind");
  checks.within(p.per_device, rents, "price");
  checks.within(p.per_device_low, rents, "low");
  checks.within(p.per_device_high, rents, "high");
  if (p.per_device_low > p.per_device || p.per_device > p.per_device_high) checks.add("price", "price is not between low and high");
  checks.date(p.date, "date");
  checks.within(p.term_months, 0, 120, "term_months");
  if ((p.kind == "reserved") != (p.term_months > 0)) checks.add("term_months", "term_months goes with kind reserved, and only with it");
  return checks.take();
}

Problems problems(const PurchasePrice& p) {
  Checks checks;
  checks.not_empty(p.id, "id");
  checks.not_empty(p.device, "device");
  checks.not_empty(p.what, "what");
  checks.within(p.per_device, purchases, "price");
  checks.within(p.per_device_low, purchases, "low");
  checks.within(p.per_device_high, purchases, "high");
  if (p.per_device_low > p.per_device || p.per_device > p.per_device_high) checks.add("price", "price is not between low and high");
  checks.date(p.date, "date");
  return checks.take();
}

}  // namespace reckon
