// Traces against the rules of their formats.
// SPDX-License-Identifier: Apache-2.0
#include "io/trace_export.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "../cost/scene.hpp"

namespace reckon {
namespace {

struct Simulated {
  StepPlan plan;
  StepSimulation step;
};

Simulated simulated(Schedule schedule, std::int64_t micro_batches) {
  Case c;
  c.strategy.tensor_parallel = 2, c.strategy.sequence_parallel = true;
  c.strategy.pipeline_parallel = 4;
  c.strategy.virtual_stages = schedule == Schedule::interleaved ? 2 : 1;
  c.strategy.schedule = schedule;
  c.strategy.data_parallel = 2;
  c.strategy.global_batch_size = 2 * micro_batches;
  const LinkCalibration links = link_calibration(shipped().set.links, c.cluster.device, c.cluster.fabric, c.stack.facts);
  const Job job{&c.architecture, &c.cluster, &shipped().set.device(c.cluster.device.id), &links, &c.stack, c.task, c.strategy};
  Simulated out;
  out.plan = step_plan(job);
  out.step = simulate_step(out.plan);
  return out;
}

TEST(TraceExport, KeepsTheRulesOfTheTraceEventFormat) {
  for (const Schedule schedule : {Schedule::one_f_one_b, Schedule::interleaved, Schedule::zb_h1, Schedule::zb_v, Schedule::dualpipe}) {
    const Simulated s = simulated(schedule, 8);
    const Trace trace = trace_json(s.plan, s.step);
    const auto root = nlohmann::json::parse(trace.json);
    ASSERT_EQ(root["traceEvents"].size(), trace.events);
    std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> rows;
    std::set<int> named;
    for (const auto& e : root["traceEvents"]) {
      const std::string phase = e.at("ph");
      ASSERT_TRUE(e.at("name").is_string() && e.at("pid").is_number_integer());
      if (phase == "M" && e.at("name") == "process_name") named.insert(e.at("pid").get<int>());
      if (phase == "C") {
        ASSERT_GT(e.at("args").at("GiB").get<double>(), 0.0);
      }
      if (phase != "X") continue;
      ASSERT_GE(e.at("ts").get<double>(), 0.0);
      ASSERT_GT(e.at("dur").get<double>(), 0.0);
      rows[{e.at("pid"), e.at("tid")}].emplace_back(e.at("ts"), e.at("ts").get<double>() + e.at("dur").get<double>());
    }
    EXPECT_EQ(named.size(), 4u);
    for (auto& [row, slices] : rows) {  // slices of a row nest or follow each other, as the format demands
      std::sort(slices.begin(), slices.end(),
                [](auto a, auto b) { return a.first < b.first || (a.first == b.first && a.second > b.second); });
      std::vector<double> open;
      for (const auto& [start, end] : slices) {
        while (!open.empty() && open.back() <= start + 1e-3) open.pop_back();
        if (row.second == 0) {
          ASSERT_TRUE(open.empty() || end <= open.back() + 1e-3) << name_of(schedule) << " stage " << row.first << " row " << row.second;
        }
        open.push_back(end);
      }
    }
  }
}

TEST(TraceExport, StaysBelowTheNumberOfEvents) {
  const Simulated s = simulated(Schedule::one_f_one_b, 64);
  EXPECT_TRUE(trace_json(s.plan, s.step).pieces);
  const Trace small = trace_json(s.plan, s.step, 2500);
  EXPECT_FALSE(small.pieces);
  EXPECT_LE(small.events, 2500u);
  EXPECT_LE(trace_json(s.plan, s.step, 300).events, 300u);
}

TEST(TraceExport, DrawsEveryPass) {
  const Simulated s = simulated(Schedule::zb_h1, 8);
  const std::string svg = pipeline_svg(s.plan, s.step, "a < b");
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  std::size_t boxes = 0, actions = 0;
  for (std::size_t at = svg.find("stroke-width=\"0.3\""); at != std::string::npos; at = svg.find("stroke-width=\"0.3\"", at + 1)) ++boxes;
  for (const auto& stage : s.step.timeline.stages) actions += stage.size();
  EXPECT_EQ(boxes, actions);
}

/// Reads the wire format: (field, number or bytes) pairs of a message.
struct Field {
  int number = 0;
  std::uint64_t value = 0;
  std::string_view bytes;
};
std::uint64_t varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(in.at(0));
    in.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}
std::vector<Field> fields(std::string_view in) {
  std::vector<Field> out;
  while (!in.empty()) {
    const std::uint64_t key = varint(in);
    Field f{static_cast<int>(key >> 3), 0, {}};
    if ((key & 7) == 0) {
      f.value = varint(in);
    } else {
      EXPECT_EQ(key & 7, 2u);
      const std::uint64_t size = varint(in);
      f.bytes = in.substr(0, size);
      in.remove_prefix(size);
    }
    out.push_back(f);
  }
  return out;
}

TEST(ChakraExport, NodesFollowEachOtherAndMessagesHaveTwoEnds) {
  const Simulated s = simulated(Schedule::one_f_one_b, 8);
  std::multiset<std::uint64_t> sent, received;  // tags
  for (std::size_t stage = 0; stage < 4; ++stage) {
    const std::string trace = chakra_trace(s.plan, s.step, stage);
    std::string_view in = trace;
    std::uint64_t last = 0;
    bool metadata = true;
    std::map<std::uint64_t, int> types;
    while (!in.empty()) {
      const std::uint64_t size = varint(in);
      const std::vector<Field> node = fields(in.substr(0, size));
      in.remove_prefix(size);
      if (metadata) {
        EXPECT_EQ(node.at(0).bytes, "0.0.4");
        metadata = false;
        continue;
      }
      std::uint64_t id = 0, type = 0, before = 0, tag = 0;
      for (const Field& f : node) {
        if (f.number == 1) id = f.value;
        if (f.number == 3) type = f.value;
        if (f.number == 5) {
          std::string_view packed = f.bytes;
          before = varint(packed);
        }
        if (f.number == 10) {
          const std::vector<Field> attribute = fields(f.bytes);
          if (attribute.at(0).bytes == "comm_tag") tag = attribute.at(1).value;
        }
      }
      ASSERT_EQ(id, last + 1);
      ASSERT_EQ(before, last);
      last = id;
      ++types[type];
      if (type == 5) sent.insert(tag);
      if (type == 6) received.insert(tag);
    }
    EXPECT_GT(types[4], 0);
    EXPECT_GT(types[7], 0);
  }
  EXPECT_EQ(sent.size(), 2u * 3 * 8);  // 8 micro-batches over 3 boundaries, there and back
  EXPECT_EQ(sent, received);
}

}  // namespace
}  // namespace reckon
