// SPDX-License-Identifier: Apache-2.0
#include "app/several_places.hpp"

#include <algorithm>

#include "base/quantity_text.hpp"
#include "base/text.hpp"

namespace reckon {

OptionGroup prices_options() {
  return {"Prices of several kinds of device",
          {{.name = "prices", .argument = "LIST", .help = "device-hours by place, such as 'h100=$2.10/h,b200=$4/h' [default: from the catalogue]"}}};
}

std::vector<std::string> place_names(const ParsedOptions& options) {
  if (options.given("cluster") == options.given("device"))
    throw UsageError(options.given("cluster") ? "both --cluster and --device are given" : "the place is missing",
                     "give --device h100,b200 or --cluster NAME,NAME");
  return options.list(options.given("cluster") ? "cluster" : "device");
}

void take_prices(const ParsedOptions& options, const std::vector<std::string>& names, const std::string& name, PlanQuestion& stated) {
  if (!options.given("prices")) return;
  for (const std::string& item : options.list("prices")) {
    const std::size_t sign = item.find('=');
    const std::string place = item.substr(0, sign);
    if (sign == std::string::npos || std::find(names.begin(), names.end(), place) == names.end())
      options.fail("prices", "'" + item + "' is no price of one of the places", "write the names as --device has them, such as 'h100=$2.10/h'");
    if (place != name) continue;
    try {
      stated.run.price = parse_quantity<DollarsPerSecond>(item.substr(sign + 1));
    } catch (const TextError& error) {
      options.fail("prices", error.reason(), error.cure());
    }
    if (stated.run.price < 0.001 * dollars_per_hour || stated.run.price > 1000.0 * dollars_per_hour)
      options.fail("prices", "'" + item + "' is not between $0.001/h and $1000/h", "give the price of one device-hour");
    stated.price_name = "given";
  }
}

}  // namespace reckon
