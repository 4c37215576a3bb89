#include "rewards/rational.h"

#include <algorithm>

namespace aha {
namespace {

// Every stored part is below this in magnitude, so that negating one cannot overflow.
constexpr Wide kLimit = static_cast<Wide>(1) << 126;

bool fits(Wide value) {
  return value < kLimit && value > -kLimit;
}

Wide greatest_common_divisor(Wide a, Wide b) {
  if (a < 0) a = -a;
  while (b != 0) {
    const Wide rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

std::optional<Wide> product(Wide a, Wide b) {
  Wide result = 0;
  if (__builtin_mul_overflow(a, b, &result) || !fits(result)) return std::nullopt;
  return result;
}

std::string decimal(Wide value) {
  const bool negative = value < 0;
  if (negative) value = -value;
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  if (negative) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace

std::optional<Rational> Rational::reduced(Wide top, Wide bottom) {
  if (bottom == 0 || !fits(top) || !fits(bottom)) return std::nullopt;
  if (bottom < 0) {
    top = -top;
    bottom = -bottom;
  }
  const Wide common = greatest_common_divisor(top, bottom);
  return Rational(top / common, bottom / common);
}

std::optional<Rational> Rational::plus(const Rational& other) const {
  const Wide common = greatest_common_divisor(bottom_, other.bottom_);
  const auto left = product(top_, other.bottom_ / common);
  const auto right = product(other.top_, bottom_ / common);
  const auto bottom = product(bottom_, other.bottom_ / common);
  if (!left || !right || !bottom) return std::nullopt;
  return reduced(*left + *right, *bottom);  // both below 2^126: the sum cannot overflow
}

std::optional<Rational> Rational::minus(const Rational& other) const {
  return plus(other.negated());
}

std::optional<Rational> Rational::times(const Rational& other) const {
  // Cancelling across first keeps the products as small as the result.
  const Wide first = greatest_common_divisor(top_, other.bottom_);
  const Wide second = greatest_common_divisor(other.top_, bottom_);
  const auto top = product(top_ / first, other.top_ / second);
  const auto bottom = product(bottom_ / second, other.bottom_ / first);
  if (!top || !bottom) return std::nullopt;
  return reduced(*top, *bottom);
}

std::optional<Rational> Rational::over(const Rational& other) const {
  const auto inverse = reduced(other.bottom_, other.top_);
  return inverse ? times(*inverse) : std::nullopt;
}

Rational Rational::negated() const {
  return {-top_, bottom_};
}

std::string Rational::text() const {
  return bottom_ == 1 ? decimal(top_) : decimal(top_) + "/" + decimal(bottom_);
}

}  // namespace aha
