#pragma once
#include <optional>
#include <string>

namespace aha {

__extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using): only this spelling is silent

/// An exact fraction in lowest terms, denominator positive. Operations give nothing where the exact
/// result leaves 127 bits or a divisor is zero: a caller never sees a rounded value.
class Rational {
 public:
  explicit Rational(long long value) : top_(value) {}

  std::optional<Rational> plus(const Rational& other) const;
  std::optional<Rational> minus(const Rational& other) const;
  std::optional<Rational> times(const Rational& other) const;
  std::optional<Rational> over(const Rational& other) const;
  Rational negated() const;

  bool is_zero() const { return top_ == 0; }
  bool operator==(const Rational& other) const = default;

  /// "38" or "-77/2".
  std::string text() const;

 private:
  Rational(Wide top, Wide bottom) : top_(top), bottom_(bottom) {}
  static std::optional<Rational> reduced(Wide top, Wide bottom);

  Wide top_ = 0;
  Wide bottom_ = 1;
};

}  // namespace aha
