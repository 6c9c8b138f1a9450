// SPDX-License-Identifier: Apache-2.0
#include "report/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace reckon {
namespace {

std::string sign_of(const std::string& currency) { return currency == "USD" ? "$" : currency + " "; }

DisplayUnit choose(std::vector<double> values, const std::vector<DisplayUnit>& ascending, std::size_t usual) {
  std::erase_if(values, [](double v) { return !std::isfinite(v) || v <= 0.0; });
  if (values.empty()) return ascending[usual];
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  const double median = values[values.size() / 2];
  DisplayUnit out = ascending.front();
  for (const DisplayUnit& unit : ascending)
    if (median >= unit.size) out = unit;
  return out;
}

}  // namespace

std::string separated(std::string text) {
  const std::size_t start = text[0] == '-' ? 1 : 0;
  const std::size_t end = std::min(text.find('.'), text.size());
  for (std::size_t at = end; at > start + 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (value == 0.0) return "0";
  const std::string rounded = fmt::format("{:.{}e}", value, digits - 1);  // 9.995 -> 1.00e+01: the exponent after rounding
  const int exponent = std::stoi(rounded.substr(rounded.find('e') + 1));
  if (exponent < -6) return rounded;
  const int decimals = std::max(0, digits - 1 - exponent);
  return separated(fmt::format("{:.{}f}", std::stod(rounded), decimals));
}

std::string grouped(std::int64_t value) { return separated(fmt::to_string(value)); }

DisplayUnit duration_unit(const std::vector<double>& times) { return choose(times, {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1.0}}, 2); }
DisplayUnit run_unit(const std::vector<double>& times) {
  return choose(times, {{"s", 1.0}, {"min", 60.0}, {"h", 3600.0}, {"days", 86400.0}}, 3);
}
DisplayUnit money_unit(const std::vector<double>& usd) { return choose(usd, {{"$", 1.0}, {"k$", 1e3}, {"M$", 1e6}, {"B$", 1e9}}, 0); }
DisplayUnit rate_unit(const std::vector<double>& per_second) { return choose(per_second, {{"", 1.0}, {"k", 1e3}, {"M", 1e6}}, 0); }

std::string run_text(Seconds time) {
  const DisplayUnit unit = run_unit({time.base()});
  const std::string number = significant(time.base() / unit.size);
  return number + " " + (unit.name == "days" && number == "1.00" ? "day" : unit.name);
}

std::string money_text(Dollars money, const std::string& currency) {
  const double value = money.base();
  const std::string sign = sign_of(currency);
  if (value < 1e4) return sign + (value >= 100 ? separated(fmt::format("{:.0f}", value)) : fmt::format("{:.2f}", value));
  const DisplayUnit unit = money_unit({value});
  return sign + significant(value / unit.size) + (unit.name == "k$" ? "k" : unit.name == "M$" ? "M" : "B");
}

std::string price_text(double price, const std::string& currency) { return sign_of(currency) + significant(price); }

std::string count_text(double count) {
  for (const auto& [name, size] : {std::pair{"T", 1e12}, {"B", 1e9}, {"M", 1e6}}) {
    if (count < size) continue;
    std::string number = significant(count / size);
    if (number.find('.') != std::string::npos) number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
    return number + name;
  }
  return grouped(std::llround(count));
}

}  // namespace reckon
