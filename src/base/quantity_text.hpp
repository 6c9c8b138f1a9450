// Quantities as people write them: `80 GiB`, `400 Gb/s`, `3.35 TB/s`, `1.5 us`, `$2.50/GPU-h`, `15T tokens`, `256..24576`.
//
// Grammar: number [space] [prefix] unit { (/ | * | -) [prefix] unit }.  Decimal prefixes n u m k M G T P E Z Y, binary Ki Mi Gi Ti.
// `b` is bit and `B` is byte; case decides only there and in the prefixes, and spellings that leave a doubt (GBPS, KB, TFLOPS) are refused
// with both readings shown.  Counts and money take k M G B T (thousand to trillion).  Month = 730 h and year = 8760 h, as cloud bills do.
// No locale has any influence.  Refused: nan, inf, signs, hexadecimal, thousands separators, decimal commas.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/quantity.hpp"

namespace reckon {

/// The exponents of a Quantity's base dimensions, as values.
struct Dimension {
  int time = 0, data = 0, work = 0, token = 0, money = 0, energy = 0;
  friend bool operator==(const Dimension&, const Dimension&) = default;
};

template <class Q>
struct DimensionOf;
template <int T, int D, int W, int K, int M, int E>
struct DimensionOf<Quantity<T, D, W, K, M, E>> {
  static constexpr Dimension value{T, D, W, K, M, E};
};

/// What a dimension is called and how one is written: {"bandwidth", "400 Gb/s"}.
struct DimensionName {
  std::string name, example;
};
DimensionName dimension_name(const Dimension& dimension);

/// The number in base units that `text` states; throws TextError unless its dimension is `expected`.
/// "per GPU" in a price or power is accepted and means what the field's name says: all rates are per device.
double parse_base_units(std::string_view text, const Dimension& expected);

/// `number` base units of `dimension` in the usual unit, with `digits` significant digits; parse_base_units reads it back.
std::string format_base_units(double number, const Dimension& dimension, int digits);

/// The quantity that `text` states, e.g. parse_quantity<Bytes>("80 GiB").  Throws TextError with the reason and a cure.
template <class Q>
Q parse_quantity(std::string_view text) {
  return Q(parse_base_units(text, DimensionOf<Q>::value));
}

/// `q` for people, e.g. "80 GiB", "50 GB/s", "1.5 us", "$2.50/h".  Memory sizes are binary, bandwidths decimal, as data sheets have them.
template <class Q>
std::string format_quantity(Q q, int digits = 3) {
  return format_base_units(q.base(), DimensionOf<Q>::value, digits);
}

/// `size` in decimal units, as storage and messages are sold and quoted: "85.9 GB".
std::string format_decimal_bytes(Bytes size, int digits = 3);

/// The limits of a count or number, both included.
inline constexpr std::int64_t largest_count = 9'000'000'000'000'000;  // exact in a double

/// A whole number: `512`, `1e12`, `15T`, `8Ki`, `8B params`, `512 GPUs`.  Throws TextError outside [least, most].
std::int64_t parse_count(std::string_view text, std::int64_t least = 0, std::int64_t most = largest_count);

/// A ratio or plain number: `0.4`, `1e-3`, `40 %`.  Throws TextError outside [least, most].
double parse_number(std::string_view text, double least, double most);

/// Counts to try, ascending and without repetition: `512`, `256,512,1024`, and ranges with both ends included:
/// `256..24576` and `256..24576*2` double, `*3` triples, `256..1024+256` adds.  Throws TextError; at most 10,000 counts.
std::vector<std::int64_t> parse_counts(std::string_view text, std::int64_t least = 1, std::int64_t most = largest_count);

/// `value` with k, M, B or T and `digits` significant digits, "15T"; exact below 10,000.
std::string format_count(double value, int digits = 3);

}  // namespace reckon
