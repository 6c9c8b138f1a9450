// SPDX-License-Identifier: Apache-2.0
#include "projection/cost_study.hpp"

#include <utility>

#include "base/error.hpp"

namespace reckon {

std::string CostStudy::label(std::string_view assumption) const {
  for (std::size_t i = 0; i < model.assumptions.size(); ++i)
    if (model.assumptions[i].name == assumption) return "A" + std::to_string(i + 1);
  return "";
}

const CostScenario& CostStudy::chosen() const {
  for (const CostScenario& s : model.scenarios)
    if (s.id == model.chosen) return s;
  throw InternalError("a cost study has no chosen scenario");
}

const Distribution& CostStudy::distribution(std::string_view name) const {
  for (const Distribution& d : uncertainty.results)
    if (d.name == name) return d;
  throw InternalError("a cost study has no distribution of that name");
}

CostStudy make_cost_study(CostModel model, std::int64_t devices, std::string place) {
  CostStudy out;
  out.devices = devices;
  out.place = std::move(place);
  out.model = std::move(model);
  out.values = out.model.values();
  out.ledger = make_ledger(out.model, out.values);
  return out;
}

}  // namespace reckon
