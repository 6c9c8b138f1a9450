// Strong types for the dimensioned numbers of the host code: one double in base units, checked by the compiler.
//
// Base units: second, byte, FLOP, token, US dollar, joule.  Products and quotients derive the type, so that
// `Flops / FlopsPerSecond` is `Seconds` and `Seconds + Bytes` does not compile.  Equal dimensions divide to double.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace reckon {

/// A number with integer exponents of the six base dimensions.
template <int Time, int Data, int Work, int Token, int Money, int Energy>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double base_units) : value_(base_units) {}

  /// The number of `unit`s, e.g. `t.in(milliseconds)`.
  constexpr double in(Quantity unit) const { return value_ / unit.value_; }
  /// The bare number in base units; for formulas that leave the type system.
  constexpr double base() const { return value_; }

  constexpr Quantity& operator+=(Quantity b) { value_ += b.value_; return *this; }
  constexpr Quantity& operator-=(Quantity b) { value_ -= b.value_; return *this; }
  constexpr Quantity& operator*=(double k) { value_ *= k; return *this; }
  constexpr Quantity& operator/=(double k) { value_ /= k; return *this; }

  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator-(Quantity a) { return Quantity(-a.value_); }
  friend constexpr Quantity operator*(Quantity a, double k) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator*(double k, Quantity a) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator/(Quantity a, double k) { return Quantity(a.value_ / k); }
  friend constexpr bool operator<(Quantity a, Quantity b) { return a.value_ < b.value_; }
  friend constexpr bool operator>(Quantity a, Quantity b) { return a.value_ > b.value_; }
  friend constexpr bool operator<=(Quantity a, Quantity b) { return a.value_ <= b.value_; }
  friend constexpr bool operator>=(Quantity a, Quantity b) { return a.value_ >= b.value_; }
  friend constexpr bool operator==(Quantity a, Quantity b) { return a.value_ == b.value_; }
  friend constexpr bool operator!=(Quantity a, Quantity b) { return a.value_ != b.value_; }

 private:
  double value_ = 0.0;
};

namespace detail {
template <int T, int D, int W, int K, int M, int E>
struct QuantityOf { using type = Quantity<T, D, W, K, M, E>; static constexpr auto make(double v) { return type(v); } };
template <>
struct QuantityOf<0, 0, 0, 0, 0, 0> { using type = double; static constexpr double make(double v) { return v; } };
}  // namespace detail

template <int T, int D, int W, int K, int M, int E, int t, int d, int w, int k, int m, int e>
constexpr auto operator*(Quantity<T, D, W, K, M, E> a, Quantity<t, d, w, k, m, e> b) {
  return detail::QuantityOf<T + t, D + d, W + w, K + k, M + m, E + e>::make(a.base() * b.base());
}
template <int T, int D, int W, int K, int M, int E, int t, int d, int w, int k, int m, int e>
constexpr auto operator/(Quantity<T, D, W, K, M, E> a, Quantity<t, d, w, k, m, e> b) {
  return detail::QuantityOf<T - t, D - d, W - w, K - k, M - m, E - e>::make(a.base() / b.base());
}
template <int T, int D, int W, int K, int M, int E>
constexpr auto operator/(double a, Quantity<T, D, W, K, M, E> b) {
  return detail::QuantityOf<-T, -D, -W, -K, -M, -E>::make(a / b.base());
}

using Seconds = Quantity<1, 0, 0, 0, 0, 0>;
using Bytes = Quantity<0, 1, 0, 0, 0, 0>;
using Flops = Quantity<0, 0, 1, 0, 0, 0>;
using Tokens = Quantity<0, 0, 0, 1, 0, 0>;
using Dollars = Quantity<0, 0, 0, 0, 1, 0>;
using Joules = Quantity<0, 0, 0, 0, 0, 1>;
using Watts = Quantity<-1, 0, 0, 0, 0, 1>;
using BytesPerSecond = Quantity<-1, 1, 0, 0, 0, 0>;
using FlopsPerSecond = Quantity<-1, 0, 1, 0, 0, 0>;
using TokensPerSecond = Quantity<-1, 0, 0, 1, 0, 0>;
using DollarsPerSecond = Quantity<-1, 0, 0, 0, 1, 0>;
using DollarsPerJoule = Quantity<0, 0, 0, 0, 1, -1>;
using Hertz = Quantity<-1, 0, 0, 0, 0, 0>;

inline constexpr Seconds seconds{1.0}, milliseconds{1e-3}, microseconds{1e-6}, hours{3600.0}, days{86400.0};
inline constexpr Bytes bytes{1.0}, kilobytes{1e3}, megabytes{1e6}, gigabytes{1e9}, kibibytes{1024.0}, mebibytes{1048576.0}, gibibytes{1073741824.0};
inline constexpr BytesPerSecond gigabytes_per_second{1e9};
inline constexpr FlopsPerSecond teraflops_per_second{1e12};
inline constexpr Watts watts{1.0};
inline constexpr Dollars dollars{1.0};
inline constexpr DollarsPerSecond dollars_per_hour{1.0 / 3600.0};

template <int T, int D, int W, int K, int M, int E>
constexpr Quantity<T, D, W, K, M, E> max(Quantity<T, D, W, K, M, E> a, Quantity<T, D, W, K, M, E> b) { return a < b ? b : a; }
template <int T, int D, int W, int K, int M, int E>
constexpr Quantity<T, D, W, K, M, E> min(Quantity<T, D, W, K, M, E> a, Quantity<T, D, W, K, M, E> b) { return b < a ? b : a; }

}  // namespace reckon
