#pragma once
#include <algorithm>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "rewards/math/canonical.h"
#include "rewards/math/evaluate.h"

namespace aha::math {

namespace mp = boost::multiprecision;

template <unsigned Bits>
using Float = mp::number<mp::cpp_bin_float<Bits, mp::digit_base_2>, mp::et_off>;

template <class Real>
struct Complex {
  Real re = 0;
  Real im = 0;
};

/// No value: division by zero, a function that is not known, overflow.
struct Undefined {};

/// The value of an expression as a complex number of `Real` precision, with what happened on the way
/// in `state`.
template <class Real>
class Numeric {
 public:
  using Value = Complex<Real>;

  Numeric(const Tree& tree, Scope& scope) : tree_(tree), scope_(scope) {}

  Approximate state;

  Value of(Ref ref) {
    // A step is about a word of arithmetic, so more digits are more steps.
    for (int bits = 0; bits < kDigits; bits += 64)
      scope_.step();
    auto value = evaluated(ref);
    if (!mp::isfinite(value.re) || !mp::isfinite(value.im)) throw Undefined{};
    return value;
  }

 private:
  static constexpr int kDigits = std::numeric_limits<Real>::digits;

  Value real(const Fraction& value) {
    const auto top = mp::numerator(value);
    const auto bottom = mp::denominator(value);
    for (const auto& part : {top, bottom}) {
      if (!part.is_zero() && mp::msb(mp::abs(part)) > kDigits / 2) state.lost = true;
    }
    return {Real(top) / Real(bottom), 0};
  }

  Value evaluated(Ref ref) {
    const auto& node = tree_[ref];
    switch (node.kind) {
      case Kind::Number:
      case Kind::BaseNumber:
        return real(node.value);
      case Kind::Constant:
        return constant(node.name);
      case Kind::Symbol:
      case Kind::Apply:
        return exact(ref);
      case Kind::Series:
        return series(ref, node);
      case Kind::Sum: {
        Value total;
        for (const auto item : node.items)
          total = plus(total, of(item));
        return total;
      }
      case Kind::Product: {
        Value total{1, 0};
        for (const auto item : node.items)
          total = times(total, of(item));
        return total;
      }
      case Kind::Power:
        return power(node);
      case Kind::Percent: {
        auto value = of(node.items[0]);
        return scope_.percent_is_number ? value : Value{value.re / 100, value.im / 100};
      }
      case Kind::Function:
        return function(ref, node);
      default:
        throw Undefined{};
    }
  }

  Value exact(Ref ref) {
    const auto value = exact_value(tree_, ref, scope_);
    if (!value) throw Undefined{};
    return real(*value);
  }

  /// Term by term where they are not rational, up to kMostTerms; Undefined beyond.
  Value series(Ref ref, const Node& node) {
    constexpr long kMostTerms = 1000;
    if (const auto value = exact_value(tree_, ref, scope_)) return real(*value);
    const auto from = exact_value(tree_, node.items[1], scope_);
    const auto to = exact_value(tree_, node.items[2], scope_);
    if (!from || !to || mp::denominator(*from) != 1 || mp::denominator(*to) != 1 ||
        mp::abs(*from) > 1'000'000 || *to - *from > kMostTerms)
      throw Undefined{};
    const bool sum = node.name == "sum";
    Value total{sum ? 0 : 1, 0};
    for (Fraction at = *from; at <= *to; ++at) {
      scope_.bound.emplace_back(tree_[node.items[0]].name, at);
      const auto term = of(node.items[3]);
      scope_.bound.pop_back();
      total = sum ? plus(total, term) : times(total, term);
    }
    return total;
  }

  static Value constant(const std::string& name) {
    if (name == "pi") return {mp::acos(Real(-1)), 0};
    if (name == "e") return {mp::exp(Real(1)), 0};
    if (name == "i") return {0, 1};
    throw Undefined{};
  }

  void note_gap(const Real& a, const Real& b) {
    if (a.is_zero() || b.is_zero()) return;
    if (std::abs(mp::ilogb(a) - mp::ilogb(b)) > kDigits / 2) state.lost = true;
  }

  Value plus(const Value& a, const Value& b) {
    note_gap(a.re, b.re);
    note_gap(a.im, b.im);
    return {a.re + b.re, a.im + b.im};
  }

  static Value times(const Value& a, const Value& b) {
    if (a.im.is_zero() && b.im.is_zero()) return {a.re * b.re, 0};
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }

  static Value inverse(const Value& a) {
    const Real size = a.re * a.re + a.im * a.im;
    if (size.is_zero()) throw Undefined{};
    return {a.re / size, -a.im / size};
  }

  /// An argument that a function would round away, or whose period would be.
  void note_size(const Real& argument) {
    if (!argument.is_zero() && std::abs(mp::ilogb(argument)) > kDigits / 4) state.lost = true;
  }

  Value exponential(const Value& a) {
    note_size(a.re);
    if (mp::abs(a.re) > 1'000'000) throw Undefined{};
    const Real size = mp::exp(a.re);
    if (a.im.is_zero()) return {size, 0};
    note_size(a.im);
    return {size * mp::cos(a.im), size * mp::sin(a.im)};
  }

  Value logarithm(const Value& a) {
    const Real size = a.re * a.re + a.im * a.im;
    if (size.is_zero()) throw Undefined{};
    if (a.im.is_zero() && a.re > 0) return {mp::log(a.re), 0};
    state.left_reals = true;
    return {mp::log(size) / 2, mp::atan2(a.im, a.re)};
  }

  Value whole_power(Value base, long exponent) {
    if (exponent < 0) base = inverse(base);
    Value total{1, 0};
    for (auto n = std::abs(exponent); n > 0; n /= 2) {
      if (n % 2 == 1) total = times(total, base);
      base = times(base, base);
    }
    return total;
  }

  Value power(const Node& node) {
    const auto base = of(node.items[0]);
    const auto fixed = exact_value(tree_, node.items[1], scope_);
    if (fixed && mp::denominator(*fixed) == 1 && mp::abs(*fixed) <= 20000)
      return whole_power(base, static_cast<long>(mp::numerator(*fixed)));
    if (base.re.is_zero() && base.im.is_zero()) {
      if (fixed && *fixed > 0) return {0, 0};
      throw Undefined{};
    }
    // The real branch where there is one: (-8)^{2/3} is 4.
    if (fixed && base.im.is_zero() && base.re < 0 && mp::denominator(*fixed) % 2 == 1) {
      const Real size = exponential(times(real(*fixed), {mp::log(-base.re), 0})).re;
      return {mp::numerator(*fixed) % 2 == 0 ? size : Real(-size), 0};
    }
    return exponential(times(of(node.items[1]), logarithm(base)));
  }

  Value root(const Value& base, const Value& degree) {
    if (base.re.is_zero() && base.im.is_zero()) return {0, 0};
    if (!degree.im.is_zero() || degree.re.is_zero()) throw Undefined{};
    if (base.im.is_zero() && degree.re == 2 && base.re > 0) return {mp::sqrt(base.re), 0};
    if (base.im.is_zero() && degree.re == 2) {
      state.left_reals = true;
      return {0, mp::sqrt(-base.re)};
    }
    const bool odd = degree.re == mp::floor(degree.re) && mp::abs(degree.re) < 1000 &&
                     degree.re.template convert_to<long>() % 2 != 0;
    if (base.im.is_zero() && base.re < 0 && odd)
      return {-mp::exp(mp::log(-base.re) / degree.re), 0};
    return exponential(times(logarithm(base), inverse(degree)));
  }

  Value function(Ref ref, const Node& node) {
    if (is_unknown(tree_, ref)) return exact(ref);
    const auto& name = node.name;
    if (name == "factorial" || name == "binomial" || name == "mod" || name == "gcd" ||
        name == "lcm" || name == "det")
      return exact(ref);
    std::vector<Value> v;
    for (const auto item : node.items)
      v.push_back(of(item));
    if (name == "root") return root(v[0], v[1]);
    if (name == "log" && v.size() == 2) return times(logarithm(v[1]), inverse(logarithm(v[0])));
    if (name == "max" || name == "min") return extreme(v, name == "max");
    if (v.size() != 1) throw Undefined{};
    const auto& a = v[0];
    if (name == "exp") return exponential(a);
    if (name == "ln") return logarithm(a);
    if (name == "log" || name == "lg") return times(logarithm(a), {1 / mp::log(Real(10)), 0});
    if (name == "abs")
      return a.im.is_zero() ? Value{mp::abs(a.re), 0}
                            : Value{mp::sqrt(a.re * a.re + a.im * a.im), 0};
    if (name == "Re") return {a.re, 0};
    if (name == "Im") return {a.im, 0};
    if (!a.im.is_zero()) throw Undefined{};
    return {real_function(name, a.re), 0};
  }

  Value extreme(const std::vector<Value>& v, bool most) {
    Real best = v.at(0).re;
    for (const auto& value : v) {
      if (!value.im.is_zero()) throw Undefined{};
      best = most ? std::max(best, value.re) : std::min(best, value.re);
    }
    return {best, 0};
  }

  Real real_function(const std::string& name, const Real& x) {
    if (name == "floor") return mp::floor(x);
    if (name == "ceil") return mp::ceil(x);
    note_size(x);
    const auto over = [](const Real& bottom) {
      if (bottom.is_zero()) throw Undefined{};
      return Real(1 / bottom);
    };
    if (name == "sin") return mp::sin(x);
    if (name == "cos") return mp::cos(x);
    if (name == "tan") return mp::sin(x) * over(mp::cos(x));
    if (name == "sec") return over(mp::cos(x));
    if (name == "csc") return over(mp::sin(x));
    if (name == "cot") return mp::cos(x) * over(mp::sin(x));
    if (name == "arctan") return mp::atan(x);
    if (name == "arccot") return mp::acos(Real(-1)) / 2 - mp::atan(x);
    if (mp::abs(x) > 1'000'000) throw Undefined{};
    if (name == "sinh") return mp::sinh(x);
    if (name == "cosh") return mp::cosh(x);
    if (name == "tanh") return mp::tanh(x);
    const Real y = name == "arcsec" || name == "arccsc" ? over(x) : x;
    if (mp::abs(y) > 1) throw Undefined{};
    if (name == "arcsin" || name == "arccsc") return mp::asin(y);
    if (name == "arccos" || name == "arcsec") return mp::acos(y);
    throw Undefined{};
  }

  const Tree& tree_;
  Scope& scope_;
};

}  // namespace aha::math
