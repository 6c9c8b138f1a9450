// The formulas of the cost model, as data.  Internal to src/projection.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "projection/cost_model.hpp"

namespace reckon::detail {

/// Cells that every model has: time, goodput, hours, data, energy, carbon.
std::vector<SheetCell> common_cells();
/// Cells of one scenario, after the common ones.
std::vector<SheetCell> scenario_cells(const CostScenario& scenario);
/// Break-even of buying against the rent named by the assumption `rent`.
std::vector<SheetCell> break_even_cells(const std::string& rent);

/// Rows of one scenario.
std::vector<CostRow> scenario_rows(const CostScenario& scenario);

}  // namespace reckon::detail
