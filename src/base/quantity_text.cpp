// Reads quantities as people write them.
// SPDX-License-Identifier: Apache-2.0
#include "base/quantity_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/number_scan.hpp"
#include "base/text.hpp"
#include "base/unit_table.hpp"

namespace reckon {
namespace {

using detail::Unit;

/// "write GBps (bytes per second) or Gbps (bits per second)", or an example when nothing looks like `word`.
std::string cure_for_unit(std::string_view word, const Dimension& expected) {
  const std::vector<std::string> readings = detail::unit_readings(word);
  if (!readings.empty()) return "write " + join(readings, " or ");
  return "write it like '" + dimension_name(expected).example + "'";
}

Unit known_unit(std::string_view word, std::string_view text, const Dimension& expected) {
  if (word.empty()) throw TextError(in_quotes(text) + " has an operator without a unit after it", cure_for_unit(word, expected));
  const std::string small = lower(word);
  if (small == "eur" || small == "gbp" || word == "\u20ac" || word == "\u00a3")
    throw TextError(in_quotes(text) + " is not in US dollars", "convert it at a dated exchange rate and write $ or USD");
  if (small == "node" || small == "nodes" || small == "instance")
    throw TextError(in_quotes(text) + " is per node", "rates are per device: divide by the devices of a node and write /GPU");
  if (auto unit = detail::find_unit(word)) return *unit;
  const bool doubtful = !detail::unit_readings(word).empty();
  throw TextError(fmt::format("{} {} in {}", doubtful ? "ambiguous or misspelt unit" : "unknown unit", in_quotes(word), in_quotes(text)),
                  cure_for_unit(word, expected));
}

/// Multiplies (`side` = 1) or divides (-1) the product so far by `unit`.
void combine(Unit& product, const Unit& unit, int side) {
  product.times *= side > 0 ? unit.times : unit.over;
  product.over *= side > 0 ? unit.over : unit.times;
  product.dimension.time += side * unit.dimension.time;
  product.dimension.data += side * unit.dimension.data;
  product.dimension.work += side * unit.dimension.work;
  product.dimension.token += side * unit.dimension.token;
  product.dimension.money += side * unit.dimension.money;
  product.dimension.energy += side * unit.dimension.energy;
  product.devices += side * unit.devices;
}

/// The rest of a unit expression: `/s`, `-h`, `*month`, ...; after a '/' a '-' or '*' stays below the line, as in USD/GPU-h.
void take_factors(Unit& product, std::string_view& rest, std::string_view text, const Dimension& expected) {
  int side = 1;
  for (detail::skip_spaces(rest); !rest.empty(); detail::skip_spaces(rest)) {
    const char sign = rest[0];
    if (sign != '/' && sign != '*' && sign != '-')
      throw TextError(fmt::format("{} has {} after the unit", in_quotes(text), in_quotes(rest)), cure_for_unit("", expected));
    if (sign == '/') side = -1;
    rest.remove_prefix(1);
    combine(product, known_unit(detail::take_word(rest), text, expected), side);
  }
}

/// True when the amount starts with its currency, which `rest` loses.
bool take_currency(std::string_view& rest) {
  for (const std::string_view sign : {"US$", "USD", "$"})
    if (rest.starts_with(sign)) {
      rest.remove_prefix(sign.size());
      detail::skip_spaces(rest);
      return true;
    }
  return false;
}

/// `$4.6M`, `$2.50/h`: what follows the number of an amount that started with its currency.
Unit money_unit(std::string_view& rest, std::string_view text, const Dimension& expected) {
  Unit product{1.0, 1.0, Dimension{.money = 1}, 0};
  const std::string_view word = detail::take_word(rest);
  if (!word.empty()) {
    product.times = detail::scale_of(word);
    if (product.times == 0.0)
      throw TextError(fmt::format("unknown scale {} in {}", in_quotes(word), in_quotes(text)), "write k, M, B or T after an amount, e.g. '$4.6M'");
  }
  take_factors(product, rest, text, expected);
  return product;
}

/// What follows the number otherwise: [scale] unit { operator unit }, or a bare count where tokens are expected.
Unit plain_unit(std::string_view& rest, std::string_view text, const Dimension& expected) {
  const bool tokens = expected == Dimension{.token = 1};
  const std::string_view first = detail::take_word(rest);
  detail::skip_spaces(rest);
  if (first.empty() && rest.empty()) {
    if (tokens) return {1.0, 1.0, expected, 0};
    throw TextError(in_quotes(text) + " has no unit", "write it with its unit, e.g. '" + dimension_name(expected).example + "'");
  }
  if (first.empty()) throw TextError(fmt::format("{} has {} where its unit should be", in_quotes(text), in_quotes(rest)), cure_for_unit("", expected));
  if (tokens && rest.empty() && detail::scale_of(first) > 0.0) return {detail::scale_of(first), 1.0, expected, 0};

  std::string_view ahead = rest;
  const std::string_view second = detail::take_word(ahead);
  if (second.empty()) {
    Unit product = known_unit(first, text, expected);
    take_factors(product, rest, text, expected);
    return product;
  }
  const double scale = detail::scale_of(first);
  Unit product = known_unit(scale > 0.0 ? second : first, text, expected);
  const bool countable = product.dimension == Dimension{.token = 1} || product.dimension == Dimension{.money = 1};
  if (scale == 0.0 || !countable) throw TextError(fmt::format("{} has two units, {} and {}", in_quotes(text), in_quotes(first), in_quotes(second)), cure_for_unit("", expected));
  product.times *= scale;
  rest = ahead;
  take_factors(product, rest, text, expected);
  return product;
}

}  // namespace

double parse_base_units(std::string_view text, const Dimension& expected) {
  const DimensionName wanted = dimension_name(expected);
  detail::check_plain(text, wanted.example);
  std::string_view rest = trim(text);
  const bool currency = take_currency(rest);
  const double number = detail::take_number(rest, text);
  const Unit unit = currency ? money_unit(rest, text, expected) : plain_unit(rest, text, expected);

  if (unit.dimension != expected || unit.devices > 0 || unit.devices < -1) {
    const std::string found = unit.devices > 0 ? "device-time or per-device reversed" : dimension_name(unit.dimension).name;
    throw TextError(fmt::format("{} is {}, expected {}", in_quotes(text), found, wanted.name), "write it like '" + wanted.example + "'");
  }
  const double value = number * unit.times / unit.over;
  if (!std::isfinite(value) || (value == 0.0 && number != 0.0)) throw TextError(in_quotes(text) + " is too large or too small");
  return value;
}

}  // namespace reckon
