// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "io/explore_results.hpp"
#include "io/json.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

Json optional_number(bool there, double value) { return there ? Json(value) : Json(nullptr); }

Json counts_json(const SearchCounts& c) {
  return {{"space", c.space}, {"evaluated", c.evaluated}, {"cut_by_memory", c.cut_by_memory}, {"cut_by_compute", c.cut_by_compute}, {"cut_by_pipeline", c.cut_by_pipeline}};
}

Json point_json(const ExploredPoint& e) {
  const PlanPoint& p = e.point;
  return {{"device", e.device},
          {"devices", p.devices},
          {"place", p.place},
          {"on_front", e.on_front},
          {"strategy", describe(p.strategy)},
          {"step_time_s", p.cost.time.total().base()},
          {"memory_bytes", p.cost.memory.total().base()},
          {"mfu", p.cost.mfu},
          {"wall_time_s", p.projection.wall_time.base()},
          {"cost_usd", p.projection.cost().base()},
          {"energy_j", p.projection.energy.base()}};
}

Json scaled_json(const ScaledPoint& p) {
  return {{"device", p.device}, {"devices", p.devices},          {"parameters", p.parameters}, {"tokens", p.tokens},
          {"flop", p.flop},     {"wall_time_s", p.time.base()},  {"cost_usd", p.cost.base()},  {"loss", p.loss},
          {"loss_by_other_law", p.loss_other}, {"strategy", describe(p.strategy)}};
}

}  // namespace

std::string explore_json(const ExploreResults& r) {
  Json out{{"schema", "reckon/explore/1"}, {"model", r.model}, {"units", r.units}};
  out["deadline_s"] = optional_number(r.deadline.has_value(), r.deadline.value_or(Seconds{}).base());
  out["budget_usd"] = optional_number(r.budget.has_value(), r.budget.value_or(Dollars{}).base());
  out["searched"] = counts_json(r.counts);
  out["prices"] = Json::object();
  for (const auto& [device, price] : r.prices) out["prices"][device] = price.in(dollars_per_hour);
  out["best"] = Json::object();
  for (const Wish& w : r.wishes) out["best"][w.name] = w.best ? Json(*w.best) : Json(nullptr);
  out["answer"] = r.answer ? Json(*r.answer) : Json(nullptr);
  out["points"] = Json::array();
  for (const ExploredPoint& p : r.points) out["points"].push_back(point_json(p));
  out["sensitivities"] = Json::array();
  for (const InputEffect& s : r.sensitivities)
    out["sensitivities"].push_back({{"input", s.input}, {"step_time_change", s.change}, {"same_strategy", s.same}, {"change_when_kept", s.kept}, {"strategy", describe(s.best)}});
  out["remarks"] = r.remarks;
  return dump_json(out);
}

std::string scale_json(const ScaleResults& r) {
  Json out{{"schema", "reckon/scale/1"}, {"law", r.law}, {"law_source", r.law_source}, {"other_law", r.other_law}};
  out["deadline_s"] = optional_number(r.deadline.has_value(), r.deadline.value_or(Seconds{}).base());
  out["budget_usd"] = optional_number(r.budget.has_value(), r.budget.value_or(Dollars{}).base());
  out["searched"] = counts_json(r.counts);
  out["best_of_device"] = Json::array();
  for (const ScaledPoint& p : r.best_of_device) out["best_of_device"].push_back(scaled_json(p));
  out["sizes"] = Json::array();
  for (const ScaledPoint& p : r.sizes) out["sizes"].push_back(scaled_json(p));
  return dump_json(out);
}

}  // namespace reckon
