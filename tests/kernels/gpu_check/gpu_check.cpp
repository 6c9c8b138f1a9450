// Checks, then timings, then one file.
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/gpu_check/gpu_check.hpp"

#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>

#include "base/error.hpp"
#include "runtime/device.hpp"
#include "tests/kernels/check/check_narrow.hpp"
#include "tests/kernels/check/all.hpp"
#include "tests/kernels/gpu_check/cases.hpp"
#include "tests/kernels/gpu_check/json.hpp"
#include "tests/kernels/gpu_check/timing.hpp"

namespace reckon::check {
namespace {

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

template <class T>
Json json_or_null(const std::optional<T>& value, double unit = 1) {
  if (!value) return {};
  if constexpr (std::is_arithmetic_v<T>) return Json(static_cast<double>(*value) / unit);
  else return Json(value->base() / unit);
}

Json reading_json(const DeviceReading& r) {
  std::string names;
  for (const std::string& name : throttle_names(r.throttle_reasons.value_or(0))) names += (names.empty() ? "" : ", ") + name;
  return Json::object({{"clock_hz", json_or_null(r.clock)}, {"memory_clock_hz", json_or_null(r.memory_clock)}, {"power_w", json_or_null(r.power)},
                       {"temperature_celsius", json_or_null(r.temperature_celsius)}, {"throttle_reasons", r.throttle_reasons ? Json(names) : Json()}});
}

Json machine_json(const DeviceInventory& inventory, const LocalDevice& d) {
  const Json device = Json::object({{"name", d.name}, {"uuid", d.uuid}, {"pci_bus_id", d.pci_bus_id},
                                    {"compute_capability", std::to_string(d.compute_major) + "." + std::to_string(d.compute_minor)}, {"memory_bytes", d.memory.base()},
                                    {"l2_cache_bytes", d.l2_cache.base()}, {"multiprocessors", d.multiprocessors}, {"clock_hz", d.clock.base()},
                                    {"memory_clock_hz", d.memory_clock.base()}, {"memory_bus_bits", d.memory_bus_bits},
                                    {"memory_bandwidth_bytes_per_s", d.memory_bandwidth().base()}, {"error_correction", d.error_correction},
                                    {"nvlinks", json_or_null(d.nvlinks)}});
  return Json::object({{"device", device}, {"driver", inventory.driver_package}, {"cuda_driver", cuda_version_text(inventory.driver.value_or(0))},
                       {"cuda_runtime", cuda_version_text(inventory.runtime.value_or(0))}, {"nccl", inventory.nccl ? Json(nccl_version_text(*inventory.nccl)) : Json()},
                       {"compiler", __VERSION__}});
}

/// All checks, twice: against the reference, and bit against bit; then with other operands, with tf32, and at the widths of known models.
class Correctness {
 public:
  void run(const DeviceStream& stream, std::int64_t shrink) {
    DevicePlace place(stream.stream());
    const auto on_device = [&](const auto& op) {
      launch<Backend::cuda>(op, stream.stream());
      stream.wait();
    };
    const auto visit = [this](const std::string& name, const Report& report) { note(name, report); };
    for (int round = 0; round < 2; ++round) {
      check_all_but_products(place, 11, on_device, visit);
      check_products(place, 11, on_device, visit, check_workspace);
      if (round > 0 && shrink > 1) continue;  // an emulated device is slow
      check_transformer_ops(place, 11, on_device, visit, shrink > 1 ? 300 : std::int64_t(1) << 40);
      check_narrow_products(place, 11, on_device, visit, check_workspace);
    }
    check_all_but_products(place, 12, on_device, [this](const std::string& name, const Report& report) { note(name + " (second seed)", report); });
    check_matmuls<float, float>(place, 13, on_device, [this](const std::string& name, const Report& report) { note(name + " (tf32)", report); }, check_workspace, true);
    large(place, shrink, on_device);
  }

  bool passed() const { return failures_.empty(); }
  std::size_t count() const { return digests_.size(); }
  std::size_t failed() const { return failures_.size(); }
  const std::vector<Json>& failures() const { return failures_; }
  Json json() const {
    std::vector<Json> worst;
    for (const auto& [op, ratio] : worst_) worst.push_back(Json::object({{"op", op}, {"worst_error_over_tolerance", ratio}}));
    return Json::object({{"checks", static_cast<long long>(digests_.size())}, {"failed", Json::array(failures_)}, {"worst", Json::array(worst)}});
  }

 private:
  /// Shapes as wide as the timed ones.
  template <class Launch>
  void large(Place& place, std::int64_t shrink, const Launch& on_device) {
    const auto less = [shrink](std::int64_t size) { return std::max<std::int64_t>(3, size / shrink); };
    const auto noted = [this](const std::string& name, const Report& report) { note(name, report); };
    for (const std::int64_t columns : {768, 4096, 8192, 16384}) {
      const Setting setting{static_cast<std::uint64_t>(columns), 0};
      const auto name = [&](const char* op) { return named(op, "bf16 wide", {columns}, 0); };
      noted(name("rms_norm_forward"), check_norm_forward<Bf16, false>(place, {less(257), columns}, setting, on_device));
      noted(name("layer_norm_forward"), check_norm_forward<Bf16, true>(place, {less(257), columns}, setting, on_device));
      noted(name("rms_norm_backward"), check_norm_backward<Bf16, false>(place, {less(1031), columns}, setting, on_device));
      noted(name("layer_norm_backward"), check_norm_backward<Bf16, true>(place, {less(1031), columns}, setting, on_device));
    }
    noted("swiglu_forward bf16 wide", check_swiglu_forward<Bf16>(place, {less(129), 14336, 28672}, {21, 0}, on_device));
    noted("swiglu_backward bf16 wide", check_swiglu_backward<Bf16>(place, {less(129), 14336, 28672}, {22, 0}, on_device));
    noted("gelu_forward bf16 long", check_gelu_forward<Bf16>(place, less(4'000'037), {23, 0}, on_device));
    noted("adamw bf16 long", check_adamw<Bf16, float>(place, {less(4'000'037), 7}, {24, 0}, on_device));
    noted("matmul bf16 deep", check_matmul<Bf16, Bf16>(place, {.m = 256, .n = 256, .k = 8192, .transpose_b = true}, {25, 0}, on_device, check_workspace));
  }

  void note(const std::string& name, const Report& report) {
    if (!report.passed()) failures_.push_back(Json::object({{"check", name}, {"reason", report.failure}}));
    const auto [at, fresh] = digests_.emplace(name, report.digest);
    if (!fresh && at->second != report.digest) {
      failures_.push_back(Json::object({{"check", name}, {"reason", "the same operands gave other bits the second time"}}));
    }
    double& worst = worst_[name.substr(0, name.find(' ', name.find(' ') + 1))];
    worst = std::max(worst, report.worst);
  }

  std::map<std::string, std::uint64_t> digests_;
  std::map<std::string, double> worst_;
  std::vector<Json> failures_;
};

std::string shape_text(const Case& c) {
  std::string text;
  for (const auto& [name, size] : c.shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

/// One line of the table: rate, and for memory-bound ops the share of the copy's bandwidth.
void print_line(const Case& c, const Timing& t, BytesPerSecond copy) {
  const double rate = c.memory_bound ? (c.work.bytes / t.median).in(gigabytes_per_second) : (c.work.flops / t.median).in(teraflops_per_second);
  char line[240];
  std::snprintf(line, sizeof line, "%-20s %-20s %-24s %10.2f us  %9.1f %s", c.op.c_str(), c.element.c_str(), shape_text(c).c_str(), t.median.in(microseconds), rate,
                c.memory_bound ? "GB/s" : "TFLOP/s");
  std::cout << line;
  if (c.memory_bound && copy.base() > 0) {
    std::snprintf(line, sizeof line, "  %5.1f %% of copy", 100 * (c.work.bytes / t.median / copy));
    std::cout << line;
  }
  std::cout << (c.variant.empty() ? "" : "  " + c.variant) << (t.unsettled.empty() ? "" : "  NOT SETTLED: " + t.unsettled) << "\n" << std::flush;
}

Json timing_json(const Case& c, const Timing& t, BytesPerSecond copy) {
  Json::Members shape;
  for (const auto& [name, size] : c.shape) shape.emplace_back(name, size);
  return Json::object({{"op", c.op}, {"element", c.element}, {"variant", c.variant}, {"shape", Json::object(shape)}, {"work_flops", c.work.flops.base()},
                       {"work_bytes", c.work.bytes.base()}, {"median_s", t.median.base()}, {"low_s", t.low.base()}, {"high_s", t.high.base()},
                       {"variation", t.variation}, {"samples", t.samples}, {"launches_a_sample", t.launches_a_sample}, {"tries", t.tries},
                       {"bytes_per_s", (c.work.bytes / t.median).base()}, {"flops_per_s", (c.work.flops / t.median).base()},
                       {"share_of_copy", c.memory_bound && copy.base() > 0 ? Json(c.work.bytes / t.median / copy) : Json()}, {"before", reading_json(t.before)},
                       {"after", reading_json(t.after)}, {"settled", t.unsettled.empty()}, {"unsettled", t.unsettled}});
}

}  // namespace

int gpu_check(const Arguments& arguments) {
  const DeviceInventory inventory = device_inventory();
  if (inventory.devices.empty()) throw DeviceError(inventory.absence, inventory.cure);
  const LocalDevice& device = inventory.devices.front();
  std::ofstream file(arguments.file);
  if (!file) throw FileError(arguments.file, "the file cannot be opened for writing");
  const DeviceStream stream;
  const DeviceMonitor monitor;
  std::cout << device.name << ", driver " << inventory.driver_package << ", CUDA " << cuda_version_text(*inventory.runtime) << "\n" << std::flush;

  Correctness correctness;
  correctness.run(stream, arguments.shrink);
  std::cout << correctness.count() << " checks, " << correctness.failed() << " failed\n" << std::flush;
  for (const Json& failure : correctness.failures()) std::cout << "  " << failure.text << "\n";

  std::vector<Json> timings;
  int unsettled = 0;
  BytesPerSecond copy{};  // the fastest device copy of this run: 100 % for memory-bound ops
  const std::vector<Case> cases = arguments.check_only ? std::vector<Case>{} : all_cases(arguments.shrink);
  for (const Case& c : cases) {
    TimingRules rules;
    rules.at_least = Seconds{arguments.seconds};
    rules.samples_at_least = arguments.samples;
    rules.most_tries = arguments.tries;
    const auto launches = c.prepare(stream, static_cast<std::size_t>(device.l2_cache.base()));
    const Timing timing = measure(stream, monitor, device.pci_bus_id, rules, launches);
    if (c.op == "copy" && c.memory_bound) copy = max(copy, c.work.bytes / timing.median);
    unsettled += !timing.unsettled.empty();
    print_line(c, timing, copy);
    timings.push_back(timing_json(c, timing, copy));
  }

  file << Json::object({{"schema", "reckon/gpu-check/1"}, {"time", utc_now()}, {"machine", machine_json(inventory, device)}, {"correctness", correctness.json()},
                        {"copy_bytes_per_s", copy.base() > 0 ? Json(copy.base()) : Json()}, {"timings", Json::array(timings)}})
              .text
       << "\n";
  file.close();
  if (!file) throw FileError(arguments.file, "the file cannot be written");
  if (!correctness.passed()) return static_cast<int>(ExitCode::internal);
  if (unsettled > 0) throw DeviceError(std::to_string(unsettled) + " timings did not settle; see \"unsettled\" in " + arguments.file);
  return 0;
}

}  // namespace reckon::check
