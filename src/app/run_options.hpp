// The options that turn a step into a run: how much is trained, what goes wrong, what it costs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/scene.hpp"
#include "io/plan_results.hpp"

namespace reckon {

/// --tokens, --samples, --deadline, --budget.
OptionGroup amount_options();
/// --price, --price-id, --price-kind, --reserve, --power, --pue.
OptionGroup money_options();
/// --failure-rate, --restart, --checkpoint-stall, --checkpoint-interval, --planned-stops.
OptionGroup goodput_options();

/// Units, deadline and budget of `question`.  Throws UsageError when the amount is missing or of the wrong kind.
void read_amount(const ParsedOptions& options, PlanQuestion& question);

/// What goes wrong, from goodput_options().
void read_failures(const ParsedOptions& options, FailureModel& failures, std::vector<Assumption>& assumptions);

/// Fills run, price_name, units, deadline and budget of `question`; every value goes into `assumptions`, the price list into the scene's
/// inputs. Without --price the catalogue's usual price of that kind is taken: see Catalog::usual_price.
void read_run(const ParsedOptions& options, Scene& scene, const std::filesystem::path& models, PlanQuestion& question,
              std::vector<Assumption>& assumptions);

/// Average power at the wall of one device with its share of the node: the node's stated maximum, or the device's own times 1.8, the ratio
/// of a DGX H100 (10.2 kW for eight times 700 W).  An upper bound.
Watts wall_power(const Cluster& cluster);

}  // namespace reckon
