// Options that name several kinds of device and what each costs, for commands that compare places.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/scene.hpp"
#include "io/plan_results.hpp"

namespace reckon {

/// --prices.
OptionGroup prices_options();

/// The names in --device or --cluster, one or several between commas.
std::vector<std::string> place_names(const ParsedOptions& options);

/// One place with its question and its run; everything that the question points into is owned.
struct Place {
  Scene scene;
  Question question{};
  PlanQuestion stated;
  std::vector<Assumption> assumptions;
};

/// Puts the price of --prices in the place of the catalogue's.  A name that is none of the places is a UsageError.
void take_prices(const ParsedOptions& options, const std::vector<std::string>& names, const std::string& name, PlanQuestion& stated);

}  // namespace reckon
