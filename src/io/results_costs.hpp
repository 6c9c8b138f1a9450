// The group /costs of a results file: assumptions, formulas, rows, totals, distributions.  Formulas are kept as text, so that a file can be
// evaluated by a later program.  Money is in whole cents, quantities and unit prices in millionths: integers, exact.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "io/hdf5_image.hpp"
#include "io/hdf5_read.hpp"
#include "io/json.hpp"
#include "projection/cost_study.hpp"

namespace reckon {

void write_costs(Hdf5Image& image, const CostStudy& study);

/// The study of a file, nothing when it has none.  Evaluates all formulas again: values, amounts and totals must be what they give, to the
/// cent; otherwise ConfigError.
std::optional<CostStudy> read_costs(const Hdf5Contents& contents, const std::string& file);

/// The study as JSON; money as decimal texts.
nlohmann::ordered_json costs_json(const CostStudy& study);

}  // namespace reckon
