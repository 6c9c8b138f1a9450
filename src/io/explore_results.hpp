// What `reckon explore` and `reckon scale` found, as values and as JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/plan_results.hpp"
#include "plan/outcomes.hpp"
#include "plan/sensitivity.hpp"

namespace reckon {

struct ExploredPoint {
  std::string device;  ///< id
  PlanPoint point;
  bool on_front = false;
};

struct ExploreResults {
  std::string model;
  double units = 0;
  std::optional<Seconds> deadline;
  std::optional<Dollars> budget;
  std::vector<std::string> devices;                       ///< ids, in the order of the question
  std::vector<std::pair<std::string, DollarsPerSecond>> prices;
  std::vector<ExploredPoint> points;                      ///< the best of each size and the runners-up; by device, size, place
  std::vector<std::string> remarks;                       ///< where nothing fits
  SearchCounts counts;
  std::vector<Wish> wishes;                               ///< `best` counts in points
  std::vector<InputEffect> sensitivities;                 ///< of the answer
  std::optional<std::size_t> answer;                      ///< what the demands ask for, else the cheapest
};
std::string explore_json(const ExploreResults& results);

/// One model size on one cluster, trained for as long as money and time allow.
struct ScaledPoint {
  std::string device;
  std::int64_t devices = 0;
  double parameters = 0, tokens = 0, flop = 0;
  Seconds time;
  Dollars cost;
  double loss = 0, loss_other = 0;  ///< by the law of the question, by the other one
  Strategy strategy;
};

struct ScaleResults {
  std::optional<Seconds> deadline;
  std::optional<Dollars> budget;
  std::string law, law_source, other_law;
  std::vector<ScaledPoint> best_of_device;  ///< least loss first
  std::vector<ScaledPoint> sizes;           ///< around the best, on its device: each model size with its best cluster
  SearchCounts counts;
};
std::string scale_json(const ScaleResults& results);

}  // namespace reckon
