#include "rewards/math/numeric_value.h"

namespace aha::math {
namespace {

using Low = Float<192>;
using High = Float<512>;

template <class Real>
struct Pair {
  Complex<Real> a;
  Complex<Real> b;
  Approximate state;

  Real distance() const { return std::max<Real>(mp::abs(a.re - b.re), mp::abs(a.im - b.im)); }
  Real size() const {
    return std::max<Real>({Real(1), mp::abs(a.re), mp::abs(b.re), mp::abs(a.im), mp::abs(b.im)});
  }
};

template <class Real>
Pair<Real> pair_of(const Tree& tree, Ref a, Ref b, Scope& scope) {
  Numeric<Real> numeric(tree, scope);
  Pair<Real> pair;
  try {
    pair.a = numeric.of(a);
    pair.b = numeric.of(b);
  } catch (const Undefined&) {
    numeric.state.defined = false;
  }
  pair.state = numeric.state;
  return pair;
}

/// A difference is the rounding error alone: it goes with the bits.
bool vanishes(const Low& coarse, const High& fine, const High& size) {
  return fine <= mp::ldexp(High(coarse), -200) ||
         (coarse.is_zero() && fine < mp::ldexp(size, -400));
}

/// A real value, exact where it is rational.
struct Measured {
  std::optional<Fraction> exact{};
  Low low = 0;
  High high = 0;
  bool lost = false;
};

template <class Real>
Real real_of(const Fraction& value) {
  return Real(mp::numerator(value)) / Real(mp::denominator(value));
}

Measured measured(Fraction value) {
  const auto low = real_of<Low>(value);
  const auto high = real_of<High>(value);
  return {std::move(value), low, high, false};
}

/// Nothing where it has no real value.
std::optional<Measured> measured(const Tree& tree, Ref ref, Scope& scope) {
  if (auto exact = exact_value(tree, ref, scope)) return measured(std::move(*exact));
  const auto low = pair_of<Low>(tree, ref, ref, scope);
  if (!low.state.defined || low.state.left_reals || !low.a.im.is_zero()) return std::nullopt;
  const auto high = pair_of<High>(tree, ref, ref, scope);
  if (!high.state.defined) return std::nullopt;
  return Measured{std::nullopt, low.a.re, high.a.re, high.state.lost};
}

Measured times(const Measured& a, const Measured& b) {
  if (a.exact && b.exact) return measured(*a.exact * *b.exact);
  return {std::nullopt, a.low * b.low, a.high * b.high, a.lost || b.lost};
}

bool same(const Measured& a, const Measured& b) {
  if (a.exact && b.exact) return *a.exact == *b.exact;
  const auto size = std::max<High>({High(1), mp::abs(a.high), mp::abs(b.high)});
  return vanishes(mp::abs(a.low - b.low), mp::abs(a.high - b.high), size);
}

std::optional<Low> real_value(const Tree& tree, Ref ref, Scope& scope) {
  const auto pair = pair_of<Low>(tree, ref, ref, scope);
  if (!pair.state.defined || mp::abs(pair.a.im) > mp::ldexp(Low(1), -120)) return std::nullopt;
  return pair.a.re;
}

}  // namespace

void Scope::step(std::int64_t amount) const {
  if (steps != nullptr && (*steps += amount) > kMostSteps)
    throw Refusal{"more than 20,000 steps of work"};
}

void Scope::arithmetic(std::size_t bits_a, std::size_t bits_b, std::int64_t times) const {
  constexpr std::size_t kUnit = 8 * 64;
  step(static_cast<std::int64_t>((bits_a / kUnit) * (bits_b / kUnit)) * times);
}

Nearness nearness(const Tree& tree, Ref a, Ref b, Scope& scope) {
  const auto low = pair_of<Low>(tree, a, b, scope);
  if (!low.state.defined) return Nearness::Undefined;
  const auto outcome = [&](Nearness met) {
    return low.state.left_reals && met == Nearness::Different ? Nearness::LeftReals : met;
  };
  const auto distance = low.distance();
  if (!low.state.lost && distance > mp::ldexp(low.size(), -40)) return outcome(Nearness::Different);
  const auto high = pair_of<High>(tree, a, b, scope);
  if (!high.state.defined) return Nearness::Undefined;
  if (!vanishes(distance, high.distance(), high.size())) return outcome(Nearness::Different);
  return high.state.lost ? Nearness::Lost : Nearness::Equal;
}

Nearness coarse_nearness(const Tree& tree, Ref a, Ref b, Scope& scope) {
  const auto low = pair_of<Low>(tree, a, b, scope);
  if (!low.state.defined) return Nearness::Undefined;
  const bool near = !low.state.lost && low.distance() <= mp::ldexp(low.size(), -130);
  return near ? Nearness::Equal : nearness(tree, a, b, scope);
}

std::optional<int> order_of(const Tree& tree, Ref a, Ref b, Scope& scope) {
  const auto met = nearness(tree, a, b, scope);
  if (met == Nearness::Equal) return 0;
  const auto left = real_value(tree, a, scope);
  const auto right = real_value(tree, b, scope);
  if (!left || !right) return std::nullopt;
  return *left < *right ? -1 : 1;
}

std::optional<Integer> rounded(const Tree& tree, Ref ref, int places, Scope& scope) {
  if (places > 300) return std::nullopt;
  const Integer scale = mp::pow(Integer(10), static_cast<unsigned>(std::max(places, 0)));
  if (const auto exact = exact_value(tree, ref, scope)) {
    const Fraction scaled = mp::abs(*exact) * Fraction(scale) + Fraction(1, 2);
    const Integer whole = mp::numerator(scaled) / mp::denominator(scaled);
    return *exact < 0 ? Integer(-whole) : whole;
  }
  const auto value = real_value(tree, ref, scope);
  if (!value || mp::abs(*value) > Low("1e40")) return std::nullopt;
  const Low scaled = mp::floor(mp::abs(*value) * Low(scale) + Low(0.5));
  if (scaled > Low("1e50")) return std::nullopt;
  const auto whole = scaled.convert_to<Integer>();
  return *value < 0 ? Integer(-whole) : whole;
}

std::optional<int> decimal_digits(const Tree& tree, Ref ref, Scope& scope) {
  const auto value = real_value(tree, ref, scope);
  if (!value || value->is_zero()) return std::nullopt;
  // the logarithm of 0.001 may come out below -3
  const auto digits = mp::log10(mp::abs(*value)) + Low("1e-40");
  return static_cast<int>(mp::floor(digits).convert_to<long>()) + 1;
}

int constant_ratio(const Tree& tree, Ref a, Ref b, Scope& scope) {
  std::optional<std::pair<Measured, Measured>> first;
  const auto zero = measured(Fraction(0));
  int sign = 0;
  int shown = 0;
  const auto sampling = sampling_of(tree, a, b);
  for (scope.point = 0; scope.point < sampling.points; ++scope.point) {
    const auto x = measured(tree, a, scope);
    const auto y = x ? measured(tree, b, scope) : std::nullopt;
    if (!y) continue;
    if (x->lost || y->lost) return 0;
    const bool x_zero = same(*x, zero);
    if (x_zero != same(*y, zero)) return 0;
    if (x_zero) continue;
    if (!first) {
      first = {*x, *y};
      sign = (x->low > 0) == (y->low > 0) ? 1 : -1;
    } else if (!same(times(*x, first->second), times(*y, first->first))) {
      return 0;
    }
    ++shown;
  }
  return shown >= sampling.least ? sign : 0;
}

}  // namespace aha::math
