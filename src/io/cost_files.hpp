// Reads what costs rest on: models/costs/defaults.json, models/costs/places.json, and files of --costs.
//
//   {"format": "reckon/cost-assumptions/1", "id": "defaults", "notes": [...],
//    "assumptions": [{"name": "pue_ratio", "value": "1.2", "low": "1.08", "high": "1.54", "spread": "triangular", "src": "uptime"}, ...],
//    "sources": {"uptime": {"title": ..., "url": ..., "date": ..., "read": true}, ...}}
//
// A value is a number and the unit of its assumption, "0.02 USD/GB-month"; money may be written "$0.02/GB-month", a share "20 %".  In a
// file of --costs the texts "source" and "date" may stand in place of "src" and "sources". SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.hpp"
#include "projection/cost_model.hpp"

namespace reckon {

/// A place whose grid is known.
struct CostPlace {
  std::string id, name;
  std::int64_t year = 0;
  CostAssumption grid_carbon;
};

/// The number that `text` states in the unit of `rule`, within its bounds.  Throws TextError.
double parse_assumed(const CostAssumptionRule& rule, std::string_view text);

/// The assumptions of a file; basis is `basis`, or "assumed" where the source was not read.  Throws ConfigError with file and JSON pointer.
std::vector<CostAssumption> read_cost_assumptions(const JsonNode& root, const std::string& basis);

/// The places of models/costs/places.json.
std::vector<CostPlace> read_places(const JsonNode& root);

}  // namespace reckon
