#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rewards/math/expression.h"

namespace aha::math {

/// Where unknowns get their values, and what the work may cost.
struct Scope {
  int point = 0;                                          ///< 0 .. kPoints-1
  std::vector<std::pair<std::string, Fraction>> bound{};  ///< by name, the last one first
  bool percent_is_number = false;                         ///< 28% is 28, not 28/100
  Ref answer_from = 0;            ///< the answer's nodes; before it are the gold's
  std::int64_t* steps = nullptr;  ///< counted up; see kMostSteps

  /// Counts `amount` of them; Refusal beyond kMostSteps.
  void step(std::int64_t amount = 1) const;
  /// Counts `times` operations on fractions of so many bits, whose time is that of their common divisors: the product
  /// of the sizes, in units of 8 words, so that small ones are part of their step.
  void arithmetic(std::size_t bits_a, std::size_t bits_b, std::int64_t times = 1) const;
};

inline constexpr std::int64_t kMostSteps = 20'000;

/// Whole numbers, fractions and signs at which expressions with letters are compared: points.cpp says which and why.
inline constexpr int kPoints = 11;

/// The value of an unknown at a point: a function of its spelling alone, so the same in every
/// comparison.
Fraction value_at(const std::string& unknown, int point);

/// How many points tell two expressions apart, from 0 on, and at how many both must have had a value to be equal.
struct Sampling {
  int points = kPoints;
  int least = 2;
};
Sampling sampling_of(const Tree& tree, Ref a, Ref b);

/// The exact value; nothing where it is not rational, not defined, or has more than about 40,000
/// bits. Odd roots of negative numbers are negative, also when written as powers.
std::optional<Fraction> exact_value(const Tree& tree, Ref ref, Scope& scope);

/// What a numeric evaluation found.
struct Approximate {
  bool defined = true;
  bool left_reals = false;  ///< a root or logarithm of a negative number on the way
  bool lost = false;  ///< a term or factor was too small or large to count: equality is not shown
};

/// How two values compare that are not both rational.
enum class Nearness { Equal, Different, Undefined, Lost, LeftReals };

/// Compares at one point: 192 bits tell different values apart, and equality is a difference that
/// vanishes with the rounding error when 512 bits are used. No plain double decides anything.
Nearness nearness(const Tree& tree, Ref a, Ref b, Scope& scope);

/// The same, where 192 bits are enough to call two values equal: at points beyond those that 512 have shown equal.
Nearness coarse_nearness(const Tree& tree, Ref a, Ref b, Scope& scope);

/// -1, 0, 1 as a is below, equal to or above b; nothing where one is no real number. Without
/// unknowns.
std::optional<int> order_of(const Tree& tree, Ref a, Ref b, Scope& scope);

/// The real value rounded to `places` decimals as a whole number of them; nothing where it is no
/// real number.
std::optional<Integer> rounded(const Tree& tree, Ref ref, int places, Scope& scope);

/// Digits before the point of a real value, 0 or less for one below 1 (0.05: -1).
std::optional<int> decimal_digits(const Tree& tree, Ref ref, Scope& scope);

/// a(p) b(q) = b(p) a(q) over all points, that is, a and b have one ratio: 1 if it is positive, -1 if
/// negative, 0 if they have none or it cannot be told. Rational values are compared exactly, others as
/// in `nearness`.
int constant_ratio(const Tree& tree, Ref a, Ref b, Scope& scope);

}  // namespace aha::math
