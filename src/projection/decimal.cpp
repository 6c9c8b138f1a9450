// SPDX-License-Identifier: Apache-2.0
#include "projection/decimal.hpp"

#include <cmath>

namespace reckon {
namespace {

__extension__ typedef __int128 Wide;

constexpr double most = 9.2e18;

std::string fixed(std::int64_t value, int places) {
  const bool negative = value < 0;
  std::string digits = std::to_string(negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
  const auto least = static_cast<std::size_t>(places) + 1;
  if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
  digits.insert(digits.size() - static_cast<std::size_t>(places), ".");
  return (negative ? "-" : "") + digits;
}

}  // namespace

Decimal Decimal::nearest(double value) {
  const double micro = round_half_away(value, 6) * 1e6;
  if (!std::isfinite(micro) || std::abs(micro) > most) throw MoneyRangeError("a quantity or price is beyond 9.2e12 or not a number");
  return Decimal(std::llround(micro));
}

std::string Decimal::text() const {
  std::string out = fixed(micro_, 6);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::string Amount::text() const { return fixed(cents, 2); }

Amount& Amount::operator+=(Amount other) {
  if (__builtin_add_overflow(cents, other.cents, &cents)) throw MoneyRangeError("a sum of money is beyond 9.2e16");
  return *this;
}

Amount product(Decimal quantity, Decimal unit_price) {
  constexpr Wide per_cent = 10'000'000'000;  // micro * micro = 1e-12; a cent is 1e10 of it
  const Wide exact = static_cast<Wide>(quantity.micro()) * unit_price.micro();
  const Wide half = exact < 0 ? -per_cent / 2 : per_cent / 2;
  const Wide cents = (exact + half) / per_cent;  // truncates towards zero
  if (cents > static_cast<Wide>(INT64_MAX) || cents < static_cast<Wide>(INT64_MIN)) throw MoneyRangeError("an amount is beyond 9.2e16");
  return {static_cast<std::int64_t>(cents)};
}

double round_half_away(double value, int places) {
  double scale = 1;
  for (int i = 0; i < places; ++i) scale *= 10;
  const double scaled = value * scale;
  if (std::abs(scaled) >= 4503599627370496.0) return value;  // 2^52: whole already
  return std::round(std::nextafter(scaled, std::copysign(INFINITY, scaled))) / scale;
}

}  // namespace reckon
