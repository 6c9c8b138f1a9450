// SPDX-License-Identifier: Apache-2.0
#include "plan/cross_validation.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "plan/fit_stack.hpp"

namespace reckon {
namespace {

constexpr std::size_t most_folds = 6;

std::string group_of(const SourcedRun& r, LeaveOut leave_out) {
  switch (leave_out) {
    case LeaveOut::model:
      return r.run->architecture.name;
    case LeaveOut::device:
      return r.run->cluster.device.id;
    case LeaveOut::source:
      return r.source;
    case LeaveOut::stack:
    case LeaveOut::none:
      break;
  }
  return "";
}

/// The fold of each run of one stack.
std::vector<std::size_t> folds_of(const std::vector<SourcedRun>& runs, const std::vector<std::size_t>& members, LeaveOut leave_out) {
  std::map<std::string, std::size_t> fold;
  for (const std::size_t i : members) fold.emplace(group_of(runs[i], leave_out), 0);
  std::size_t next = 0;
  for (auto& [group, number] : fold) number = next++ % most_folds;
  std::vector<std::size_t> out;
  for (const std::size_t i : members) out.push_back(fold[group_of(runs[i], leave_out)]);
  return out;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const std::size_t n = v.size();
  return n % 2 == 1 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

/// The stack with constants and residuals as if it had no runs.
Stack unseen(const CalibrationSet& set, const Stack& stack) {
  Stack out = stack;
  const Stack& usual = set.stack("default");
  out.constants = usual.median_of.empty() ? usual.constants : median_constants(set.stacks, usual.median_of, stack.id);
  if (stack.facts.traced) out.constants.host_time = microseconds * host_time_range(stack.facts).usual;  // no other stack's launches say anything about a tracer's
  out.residuals = {};
  return out;
}

}  // namespace

StackConstants median_constants(const StackTable& table, const std::vector<std::string>& median_of, const std::string& without) {
  std::vector<double> product, stream, host, tensor, data;
  double jitter = 0;
  for (const std::string& id : median_of) {
    const auto found = table.entries.find(id);
    if (id == without || found == table.entries.end()) continue;
    const StackConstants& c = found->second.constants;
    product.push_back(c.product_slowdown);
    stream.push_back(c.stream_slowdown);
    host.push_back(c.host_time.base());
    tensor.push_back(c.tensor_slowdown);
    data.push_back(c.exposed_data);
    jitter += c.scale_jitter;
  }
  if (product.empty()) return {};
  return {.product_slowdown = median(product),
          .stream_slowdown = median(stream),
          .host_time = Seconds{median(host)},
          .tensor_slowdown = median(tensor),
          .exposed_data = median(data),
          .scale_jitter = jitter / static_cast<double>(product.size())};
}

std::vector<Replay> cross_validated(const std::vector<SourcedRun>& runs, const CalibrationSet& set, LeaveOut leave_out) {
  std::vector<Replay> out(runs.size());
  std::map<std::string, std::vector<std::size_t>> by_stack;
  for (std::size_t i = 0; i < runs.size(); ++i) by_stack[set.stack_of(*runs[i].run).id].push_back(i);
  for (const auto& [id, members] : by_stack) {
    const Stack& fitted = set.stack(id);
    if (leave_out == LeaveOut::none || leave_out == LeaveOut::stack) {
      const Stack stack = leave_out == LeaveOut::none ? fitted : unseen(set, fitted);
      for (const std::size_t i : members) out[i] = replay(*runs[i].run, set, stack);
      continue;
    }
    const std::vector<std::size_t> fold = folds_of(runs, members, leave_out);
    for (std::size_t f = 0; f < most_folds; ++f) {
      std::vector<const PublishedRun*> training;
      bool used = false;
      for (std::size_t k = 0; k < members.size(); ++k) {
        if (fold[k] != f) training.push_back(runs[members[k]].run);
        used = used || fold[k] == f;
      }
      if (!used) continue;
      Stack stack = training.empty() ? unseen(set, fitted) : fitted;
      if (!training.empty()) {
        stack.constants = fit_constants(training, set, fitted);
        if (leave_out == LeaveOut::device) {
          stack.residuals.devices.clear();
          for (const PublishedRun* run : training) stack.residuals.devices.push_back(run->cluster.device.id);
        }
      }
      for (std::size_t k = 0; k < members.size(); ++k)
        if (fold[k] == f) out[members[k]] = replay(*runs[members[k]].run, set, stack);
    }
  }
  return out;
}

}  // namespace reckon
