// Exact decimals for money: quantities and unit prices with six places, amounts in whole cents, sums without rounding.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace reckon {

/// An amount, quantity or price beyond what the types below hold: more money than there is.
class MoneyRangeError : public TextError {
 public:
  explicit MoneyRangeError(const std::string& reason) : TextError(reason, "give amounts and prices of this world") {}
};

/// A number with six decimal places, kept as an integer: up to 9.2e12.
class Decimal {
 public:
  constexpr Decimal() = default;
  static constexpr Decimal from_micro(std::int64_t micro) { return Decimal(micro); }
  /// The nearest decimal, halves away from zero.  Throws MoneyRangeError when `value` is not finite or beyond 9.2e12.
  static Decimal nearest(double value);

  constexpr std::int64_t micro() const { return micro_; }
  constexpr double value() const { return static_cast<double>(micro_) / 1e6; }
  /// "12.5", "-0.000001", "3": no trailing zeros, no thousands separators.
  std::string text() const;

  friend constexpr bool operator==(Decimal, Decimal) = default;

 private:
  constexpr explicit Decimal(std::int64_t micro) : micro_(micro) {}
  std::int64_t micro_ = 0;
};

/// Money in whole cents of a stated currency: up to 9.2e16.
struct Amount {
  std::int64_t cents = 0;

  double value() const { return static_cast<double>(cents) / 100.0; }
  /// "1234567.80": two places always, as JSON and CSV carry money.
  std::string text() const;

  /// Throws MoneyRangeError when the sum leaves the range.
  Amount& operator+=(Amount other);
  friend Amount operator+(Amount a, Amount b) { return a += b; }
  friend bool operator==(Amount, Amount) = default;
  friend auto operator<=>(Amount, Amount) = default;
};

/// quantity * unit price, exact, then rounded to the cent, halves away from zero.  Throws MoneyRangeError beyond 9.2e16 dollars.
Amount product(Decimal quantity, Decimal unit_price);

/// `value` rounded to `places` decimals, halves away from zero; a value that a double holds a hair below the half counts as the half, as
/// spreadsheets have it (1.005 becomes 1.01).
double round_half_away(double value, int places);

}  // namespace reckon
