// Writes quantities for people, in words that quantity_text.cpp reads back.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

#include "base/quantity_text.hpp"

namespace reckon {
namespace {

/// A unit of a ladder: used from `from` base units up.
struct Rung {
  double from, unit;
  std::string_view before, after;
};

// Each ladder descends; its last rung takes all that is smaller.
constexpr Rung time_rungs[] = {{2 * 86400.0, 86400, "", " d"}, {7200, 3600, "", " h"},  {120, 60, "", " min"}, {1, 1, "", " s"},
                               {1e-3, 1e-3, "", " ms"},        {1e-6, 1e-6, "", " us"}, {0, 1e-9, "", " ns"}};
constexpr Rung memory_rungs[] = {{0x1p40, 0x1p40, "", " TiB"}, {0x1p30, 0x1p30, "", " GiB"}, {0x1p20, 0x1p20, "", " MiB"}, {0x1p10, 0x1p10, "", " KiB"}, {0, 1, "", " B"}};
constexpr Rung bytes_rungs[] = {{1e18, 1e18, "", " EB"}, {1e15, 1e15, "", " PB"}, {1e12, 1e12, "", " TB"}, {1e9, 1e9, "", " GB"}, {1e6, 1e6, "", " MB"}, {1e3, 1e3, "", " kB"}, {0, 1, "", " B"}};
constexpr Rung rate_rungs[] = {{1e15, 1e15, "", " PB/s"}, {1e12, 1e12, "", " TB/s"}, {1e9, 1e9, "", " GB/s"}, {1e6, 1e6, "", " MB/s"}, {1e3, 1e3, "", " kB/s"}, {0, 1, "", " B/s"}};
constexpr Rung work_rungs[] = {{1e24, 1e24, "", " YFLOP"}, {1e21, 1e21, "", " ZFLOP"}, {1e18, 1e18, "", " EFLOP"}, {1e15, 1e15, "", " PFLOP"},
                               {1e12, 1e12, "", " TFLOP"}, {1e9, 1e9, "", " GFLOP"},   {1e6, 1e6, "", " MFLOP"},   {1e3, 1e3, "", " kFLOP"}, {0, 1, "", " FLOP"}};
constexpr Rung work_rate_rungs[] = {{1e18, 1e18, "", " EFLOP/s"}, {1e15, 1e15, "", " PFLOP/s"}, {1e12, 1e12, "", " TFLOP/s"}, {1e9, 1e9, "", " GFLOP/s"}, {1e6, 1e6, "", " MFLOP/s"}, {0, 1, "", " FLOP/s"}};
constexpr Rung token_rungs[] = {{1e12, 1e12, "", "T tokens"}, {1e9, 1e9, "", "B tokens"}, {1e6, 1e6, "", "M tokens"}, {1e4, 1e3, "", "k tokens"}, {0, 1, "", " tokens"}};
constexpr Rung token_rate_rungs[] = {{1e9, 1e9, "", "B tokens/s"}, {1e6, 1e6, "", "M tokens/s"}, {1e4, 1e3, "", "k tokens/s"}, {0, 1, "", " tokens/s"}};
constexpr Rung money_rungs[] = {{1e12, 1e12, "$", "T"}, {1e9, 1e9, "$", "B"}, {1e6, 1e6, "$", "M"}, {1e4, 1e3, "$", "k"}, {0, 1, "$", ""}};
constexpr Rung money_rate_rungs[] = {{0, 1.0 / 3600.0, "$", "/h"}};
constexpr Rung tariff_rungs[] = {{0, 1.0 / 3.6e6, "$", "/kWh"}};
constexpr Rung storage_price_rungs[] = {{0, 1.0 / (1e9 * 730.0 * 3600.0), "$", "/GB-month"}};
constexpr Rung transfer_price_rungs[] = {{0, 1e-9, "$", "/GB"}};
constexpr Rung energy_rungs[] = {{3.6e15, 3.6e15, "", " TWh"}, {3.6e12, 3.6e12, "", " GWh"}, {3.6e9, 3.6e9, "", " MWh"}, {3.6e6, 3.6e6, "", " kWh"}, {3600, 3600, "", " Wh"}, {0, 1, "", " J"}};
constexpr Rung power_rungs[] = {{1e9, 1e9, "", " GW"}, {1e6, 1e6, "", " MW"}, {1e3, 1e3, "", " kW"}, {0, 1, "", " W"}};
constexpr Rung frequency_rungs[] = {{1e9, 1e9, "", " GHz"}, {1e6, 1e6, "", " MHz"}, {1e3, 1e3, "", " kHz"}, {0, 1, "", " Hz"}};
constexpr Rung count_rungs[] = {{1e12, 1e12, "", "T"}, {1e9, 1e9, "", "B"}, {1e6, 1e6, "", "M"}, {1e4, 1e3, "", "k"}, {0, 1, "", ""}};

struct Kind {
  Dimension dimension;
  std::string_view name, example;
  std::span<const Rung> rungs;
};

const Kind kinds[] = {
    {{.time = 1}, "a time", "1.5 us", time_rungs},
    {{.data = 1}, "a size in bytes", "80 GiB", memory_rungs},
    {{.time = -1, .data = 1}, "a bandwidth", "400 Gb/s", rate_rungs},
    {{.work = 1}, "an amount of work", "3.8e25 FLOP", work_rungs},
    {{.time = -1, .work = 1}, "a computing rate", "989 TFLOP/s", work_rate_rungs},
    {{.token = 1}, "a number of tokens", "15T tokens", token_rungs},
    {{.time = -1, .token = 1}, "a token rate", "1.2M tokens/s", token_rate_rungs},
    {{.money = 1}, "an amount of money", "$4.6M", money_rungs},
    {{.time = -1, .money = 1}, "a price per time", "$2.50/h", money_rate_rungs},
    {{.money = 1, .energy = -1}, "an energy price", "$0.09/kWh", tariff_rungs},
    {{.time = -1, .data = -1, .money = 1}, "a storage price", "$0.02/GB-month", storage_price_rungs},
    {{.data = -1, .money = 1}, "a transfer price", "$0.09/GB", transfer_price_rungs},
    {{.energy = 1}, "an energy", "12 MWh", energy_rungs},
    {{.time = -1, .energy = 1}, "a power", "700 W", power_rungs},
    {{.time = -1}, "a frequency", "1.98 GHz", frequency_rungs},
};

const Kind* kind_of(const Dimension& dimension) {
  const auto* found = std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) { return k.dimension == dimension; });
  return found == std::end(kinds) ? nullptr : found;
}

/// `FLOP/B`, `s*B`: the base units of a dimension that has no name of its own.
std::string base_unit_text(const Dimension& d) {
  const std::pair<int, std::string_view> parts[] = {{d.money, "USD"}, {d.work, "FLOP"}, {d.token, "token"}, {d.energy, "J"}, {d.data, "B"}, {d.time, "s"}};
  std::string text;
  for (const auto& [exponent, unit] : parts)
    for (int i = 0; i < exponent; ++i) text += (text.empty() ? "" : "*") + std::string(unit);
  if (text.empty()) text = "1";
  for (const auto& [exponent, unit] : parts)
    for (int i = 0; i < -exponent; ++i) text += "/" + std::string(unit);
  return text;
}

/// `value` rounded to `digits` significant digits.
double rounded(double value, int digits) {
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  double out = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

/// Plain decimals where they are readable, without trailing zeros unless `least_decimals` asks for them.
std::string number_text(double value, int digits, int least_decimals) {
  if (value == 0.0) return fmt::format("{:.{}f}", 0.0, least_decimals);
  const double magnitude = std::floor(std::log10(std::abs(rounded(value, digits))));
  if (magnitude >= 15.0 || magnitude < -6.0) return fmt::format("{:.{}g}", value, digits);
  const int decimals = std::max(digits - 1 - static_cast<int>(magnitude), least_decimals);
  std::string text = fmt::format("{:.{}f}", value, decimals);
  const auto point = text.find('.');
  while (point != std::string::npos && text.back() == '0' && text.size() - point - 1 > static_cast<std::size_t>(least_decimals)) text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string on_ladder(double value, std::span<const Rung> rungs, int digits) {
  if (!std::isfinite(value)) throw InternalError("a quantity to be printed is not a finite number");
  digits = std::clamp(digits, 1, 17);
  const double size = std::abs(value);
  for (const Rung& rung : rungs) {
    if (&rung != &rungs.back() && rounded(size / rung.unit, digits) * rung.unit < rung.from) continue;
    const bool cents = rung.before == "$" && (rung.unit <= 1.0);
    return fmt::format("{}{}{}{}", value < 0 ? "-" : "", rung.before, number_text(size / rung.unit, digits, cents ? 2 : 0), rung.after);
  }
  throw InternalError("a unit ladder is empty");
}

}  // namespace

DimensionName dimension_name(const Dimension& dimension) {
  if (const Kind* kind = kind_of(dimension)) return {std::string(kind->name), std::string(kind->example)};
  if (dimension == Dimension{}) return {"a plain number", "1"};
  const std::string unit = base_unit_text(dimension);
  return {"a quantity in " + unit, "1 " + unit};
}

std::string format_base_units(double number, const Dimension& dimension, int digits) {
  if (const Kind* kind = kind_of(dimension)) return on_ladder(number, kind->rungs, digits);
  const std::string unit = " " + base_unit_text(dimension);
  const Rung rung[] = {{0, 1, "", unit}};
  return on_ladder(number, rung, digits);
}

std::string format_decimal_bytes(Bytes size, int digits) { return on_ladder(size.base(), bytes_rungs, digits); }

std::string format_count(double value, int digits) {
  if (std::abs(value) < 1e4 && value == std::trunc(value)) return fmt::format("{}", static_cast<std::int64_t>(value));
  return on_ladder(value, count_rungs, digits);
}

}  // namespace reckon
