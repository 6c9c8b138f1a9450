// The whole answer about money: model, ledger, uncertainty, and the same over sizes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "projection/cost_model.hpp"
#include "projection/uncertainty.hpp"

namespace reckon {

/// Days and cost of the chosen scenario on one number of devices.
struct FanPoint {
  std::int64_t devices = 0;
  Quantiles days, cost;
};

struct CostStudy {
  std::int64_t devices = 0;  ///< the size that it is about
  std::string place;         ///< where the power comes from
  CostModel model;
  std::vector<double> values;  ///< of all cells
  Ledger ledger;
  Uncertainty uncertainty;
  std::vector<FanPoint> fan;  ///< ascending by devices

  double value(std::string_view cell) const { return values.at(model.sheet.index(cell)); }
  /// "A12", the number of an assumption in the register; empty when there is none of that name.
  std::string label(std::string_view assumption) const;
  const CostScenario& chosen() const;
  const Distribution& distribution(std::string_view name) const;
};

/// Values and ledger from the model; uncertainty and fan stay empty.
CostStudy make_cost_study(CostModel model, std::int64_t devices, std::string place);

}  // namespace reckon
