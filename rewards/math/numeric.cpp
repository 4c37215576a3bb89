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

std::optional<Low> real_value(const Tree& tree, Ref ref, Scope& scope) {
  const auto pair = pair_of<Low>(tree, ref, ref, scope);
  if (!pair.state.defined || mp::abs(pair.a.im) > mp::ldexp(Low(1), -120)) return std::nullopt;
  return pair.a.re;
}

}  // namespace

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
  const auto finer = high.distance();
  const bool vanished = finer <= mp::ldexp(High(distance), -200) ||
                        (distance.is_zero() && finer < mp::ldexp(high.size(), -400));
  if (!vanished) return outcome(Nearness::Different);
  return high.state.lost ? Nearness::Lost : Nearness::Equal;
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
  return static_cast<int>(mp::floor(mp::log10(mp::abs(*value))).convert_to<long>()) + 1;
}

int constant_ratio(const Tree& tree, Ref a, Ref b, Scope& scope) {
  std::optional<Complex<Low>> first;
  int sign = 0;
  int shown = 0;
  const Low small = mp::ldexp(Low(1), -100);
  for (int point = 0; point < kPoints; ++point) {
    scope.point = point;
    const auto pair = pair_of<Low>(tree, a, b, scope);
    if (!pair.state.defined || pair.state.left_reals || !pair.a.im.is_zero() ||
        !pair.b.im.is_zero())
      continue;
    const bool a_zero = mp::abs(pair.a.re) < small;
    const bool b_zero = mp::abs(pair.b.re) < small;
    if (a_zero != b_zero) return 0;
    if (a_zero) continue;
    const Low ratio = pair.a.re / pair.b.re;
    if (!first) {
      first = Complex<Low>{ratio, 0};
      sign = ratio > 0 ? 1 : -1;
    } else if (mp::abs(ratio - first->re) > mp::abs(first->re) * small) {
      return 0;
    }
    ++shown;
  }
  return shown >= 2 ? sign : 0;
}

}  // namespace aha::math
