#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/evaluate.h"

namespace aha::math {
namespace {

namespace mp = boost::multiprecision;

constexpr unsigned kMostBits = 40000;
constexpr long kMostPower = 20000;
constexpr long kMostTerms = 2000;

using Value = std::optional<Fraction>;

std::size_t bits(const Integer& value) {
  return value.is_zero() ? 0 : static_cast<std::size_t>(mp::msb(mp::abs(value))) + 1;
}

std::size_t bits(const Fraction& value) {
  return std::max(bits(mp::numerator(value)), bits(mp::denominator(value)));
}

bool is_whole(const Fraction& value) {
  return mp::denominator(value) == 1;
}

std::optional<long> small(const Fraction& value, long most) {
  if (!is_whole(value) || mp::abs(value) > most) return std::nullopt;
  return static_cast<long>(mp::numerator(value));
}

Integer floor_of(const Fraction& value) {
  Integer quotient = mp::numerator(value) / mp::denominator(value);
  if (value < 0 && !is_whole(value)) --quotient;
  return quotient;
}

Value whole_power(const Fraction& base, long exponent, const Scope& scope) {
  if (base.is_zero() && exponent < 0) return std::nullopt;
  const auto size = static_cast<unsigned long>(std::abs(exponent));
  if (bits(base) * size > kMostBits) {
    if (base != 1 && base != -1 && !base.is_zero()) return std::nullopt;
  }
  const bool unit = base == 1 || base == -1 || base.is_zero();
  const auto n = static_cast<unsigned>(unit ? 2 - size % 2 : size);
  if (size == 0) return Fraction(1);
  scope.arithmetic(bits(base) * n, bits(base) * n);
  const Integer top = mp::pow(mp::numerator(base), n);
  const Integer bottom = mp::pow(mp::denominator(base), n);
  // By division, since Boost's rational takes no negative denominator.
  return exponent > 0 ? Fraction(top, bottom) : Fraction(Fraction(bottom) / Fraction(top));
}

/// The whole root of a whole number >= 0, if it has one.
std::optional<Integer> whole_root(const Integer& value, unsigned degree, const Scope& scope) {
  if (value <= 1 || degree == 1) return value;
  if (degree == 2) {
    Integer rest;
    Integer root = mp::sqrt(value, rest);
    return rest.is_zero() ? std::optional(root) : std::nullopt;
  }
  // each halving takes a power of about the value's size
  scope.step(static_cast<std::int64_t>(bits(value) / degree));
  scope.arithmetic(bits(value), bits(value), static_cast<std::int64_t>(bits(value) / degree));
  Integer low = 1;
  Integer high = Integer(1) << static_cast<unsigned>(bits(value) / degree + 1);
  while (low < high) {
    const Integer middle = (low + high + 1) / 2;
    if (mp::pow(middle, degree) <= value)
      low = middle;
    else
      high = middle - 1;
  }
  return mp::pow(low, degree) == value ? std::optional(low) : std::nullopt;
}

Value exact_root(const Fraction& value, long degree, const Scope& scope) {
  if (degree < 1 || degree > 64 || bits(value) > 4096) return std::nullopt;
  if (value < 0 && degree % 2 == 0) return std::nullopt;
  const auto top = whole_root(mp::abs(mp::numerator(value)), static_cast<unsigned>(degree), scope);
  if (!top) return std::nullopt;
  const auto bottom = whole_root(mp::denominator(value), static_cast<unsigned>(degree), scope);
  if (!bottom) return std::nullopt;
  return Fraction(value < 0 ? Integer(-*top) : *top, *bottom);
}

Value exact_power(const Fraction& base, const Fraction& exponent, const Scope& scope) {
  if (const auto whole = small(exponent, kMostPower)) return whole_power(base, *whole, scope);
  if (base == 1) return Fraction(1);
  if (base.is_zero() && exponent > 0) return Fraction(0);
  const auto degree = small(Fraction(mp::denominator(exponent)), 64);
  const auto top = small(Fraction(mp::numerator(exponent)), kMostPower);
  if (!degree || !top) return std::nullopt;
  const auto root = exact_root(base, *degree, scope);
  return root ? whole_power(*root, *top, scope) : std::nullopt;
}

/// log_base(value) where it is a whole number or one over a whole number.
Value exact_log(const Fraction& base, const Fraction& value, const Scope& scope) {
  if (base <= 0 || base == 1 || value <= 0 || bits(value) > 4096) return std::nullopt;
  for (const bool swap : {false, true}) {
    const auto& b = swap ? value : base;
    const auto& v = swap ? base : value;
    Fraction power = 1;
    for (int n = 0; n <= 400 && bits(power) <= bits(v) + 64; ++n, power *= b) {
      scope.arithmetic(bits(power), bits(v), 2);
      if (swap && n == 0) continue;
      if (power == v) return swap ? Fraction(1, n) : Fraction(n);
      if (power * v == 1) return swap ? Fraction(-1, n) : Fraction(-n);
    }
    if (value == 1) return Fraction(0);
  }
  return std::nullopt;
}

Value factorial(const Fraction& value, const Scope& scope) {
  const auto n = small(value, 2000);
  if (!n || *n < 0) return std::nullopt;
  scope.step(*n / 16);
  Integer product = 1;
  for (long i = 2; i <= *n; ++i)
    product *= i;
  return Fraction(product);
}

Value binomial(const Fraction& top, const Fraction& bottom, const Scope& scope) {
  const auto k = small(bottom, kMostTerms);
  if (!k || bits(top) > 64) return std::nullopt;
  if (*k < 0) return Fraction(0);
  scope.step(*k);
  Fraction value = 1;
  for (long i = 0; i < *k; ++i)
    value = value * (top - i) / (i + 1);
  return value;
}

Value determinant(const Tree& tree, const Node& matrix, Scope& scope) {
  const auto n = matrix.columns;
  if (matrix.kind != Kind::Matrix || matrix.items.size() != n * n || n > 12) return std::nullopt;
  std::vector<Fraction> cells;
  for (const auto item : matrix.items) {
    const auto value = exact_value(tree, item, scope);
    if (!value) return std::nullopt;
    cells.push_back(*value);
  }
  Fraction product = 1;
  for (std::size_t column = 0; column < n; ++column) {
    auto pivot = column;
    while (pivot < n && cells[pivot * n + column].is_zero())
      ++pivot;
    if (pivot == n) return Fraction(0);
    if (pivot != column) {
      product = -product;
      for (std::size_t i = 0; i < n; ++i)
        std::swap(cells[pivot * n + i], cells[column * n + i]);
    }
    product *= cells[column * n + column];
    for (auto row = column + 1; row < n; ++row) {
      const Fraction factor = cells[row * n + column] / cells[column * n + column];
      for (auto i = column; i < n; ++i) {
        scope.arithmetic(bits(factor), bits(cells[column * n + i]), 2);
        cells[row * n + i] -= factor * cells[column * n + i];
      }
    }
  }
  return product;
}

Value function_value(const Tree& tree, const Node& node, Scope& scope) {
  const auto& name = node.name;
  if (name == "det") return determinant(tree, tree[node.items[0]], scope);
  std::vector<Fraction> v;
  for (const auto item : node.items) {
    const auto value = exact_value(tree, item, scope);
    if (!value) return std::nullopt;
    v.push_back(*value);
  }
  if (v.empty()) return std::nullopt;
  if (name == "max") return *std::max_element(v.begin(), v.end());
  if (name == "min") return *std::min_element(v.begin(), v.end());
  if (name == "gcd" || name == "lcm") {
    if (!std::all_of(v.begin(), v.end(), is_whole)) return std::nullopt;
    Integer total = mp::numerator(v[0]);
    for (const auto& value : v) {
      scope.arithmetic(bits(total), bits(value));
      if (bits(total) > kMostBits) return std::nullopt;
      total = name == "gcd" ? mp::gcd(total, mp::numerator(value))
                            : mp::lcm(total, mp::numerator(value));
    }
    return Fraction(mp::abs(total));
  }
  if (v.size() == 2) {
    if (name == "root")
      return is_whole(v[1]) ? exact_root(v[0], small(v[1], 64).value_or(0), scope) : std::nullopt;
    if (name == "log") return exact_log(v[0], v[1], scope);
    if (name == "binomial") return binomial(v[0], v[1], scope);
    if (name == "mod" && v[1] > 0) {
      scope.arithmetic(bits(v[0]), bits(v[1]), 3);
      return v[0] - v[1] * Fraction(floor_of(v[0] / v[1]));
    }
    return std::nullopt;
  }
  if (name == "abs") return mp::abs(v[0]);
  if (name == "floor") return Fraction(floor_of(v[0]));
  if (name == "ceil") return -Fraction(floor_of(-v[0]));
  if (name == "factorial") return factorial(v[0], scope);
  if (name == "exp" || name == "cos" || name == "cosh" || name == "sec")
    return v[0].is_zero() ? Value(Fraction(1)) : std::nullopt;
  if (name == "ln") return v[0] == 1 ? Value(Fraction(0)) : std::nullopt;
  if (name == "lg") return exact_log(Fraction(10), v[0], scope);
  if (name == "sin" || name == "tan" || name == "sinh" || name == "tanh" || name == "arcsin" ||
      name == "arctan")
    return v[0].is_zero() ? Value(Fraction(0)) : std::nullopt;
  return std::nullopt;
}

Value series_value(const Tree& tree, const Node& node, Scope& scope) {
  const auto from = exact_value(tree, node.items[1], scope);
  const auto to = exact_value(tree, node.items[2], scope);
  if (!from || !to) return std::nullopt;
  const auto first = small(*from, 1'000'000);
  const auto last = small(*to, 1'000'000);
  if (!first || !last || *last - *first > kMostTerms) return std::nullopt;
  const bool sum = node.name == "sum";
  Fraction total = sum ? 0 : 1;
  for (long i = *first; i <= *last; ++i) {
    scope.bound.emplace_back(tree[node.items[0]].name, Fraction(i));
    const auto term = exact_value(tree, node.items[3], scope);
    scope.bound.pop_back();
    if (!term || bits(total) > kMostBits) return std::nullopt;
    scope.arithmetic(bits(total), bits(*term));
    total = sum ? Fraction(total + *term) : Fraction(total * *term);
  }
  return total;
}

}  // namespace

std::optional<Fraction> exact_value(const Tree& tree, Ref ref, Scope& scope) {
  scope.step();
  const auto& node = tree[ref];
  if (node.kind == Kind::Symbol) {
    const auto bound = std::find_if(scope.bound.rbegin(), scope.bound.rend(),
                                    [&](const auto& b) { return b.first == node.name; });
    if (bound != scope.bound.rend()) return bound->second;
    if (node.name == "...") return std::nullopt;
  }
  if (is_unknown(tree, ref)) {
    const auto name = canonical(tree, ref);
    scope.step(static_cast<std::int64_t>(name.size() / 64));
    return value_at(name, scope.point);
  }
  switch (node.kind) {
    case Kind::Number:
    case Kind::BaseNumber:
      return node.value;
    case Kind::Sum:
    case Kind::Product: {
      const bool sum = node.kind == Kind::Sum;
      Fraction total = sum ? 0 : 1;
      for (const auto item : node.items) {
        const auto value = exact_value(tree, item, scope);
        if (!value || bits(total) > kMostBits || bits(*value) > kMostBits) return std::nullopt;
        // the common divisor of a big and a small number takes as long as that of two big ones
        const auto size = std::max(bits(total), bits(*value));
        scope.arithmetic(size, size);
        total = sum ? Fraction(total + *value) : Fraction(total * *value);
      }
      return total;
    }
    case Kind::Power: {
      const auto base = exact_value(tree, node.items[0], scope);
      if (!base) return std::nullopt;
      const auto exponent = exact_value(tree, node.items[1], scope);
      return exponent ? exact_power(*base, *exponent, scope) : std::nullopt;
    }
    case Kind::Percent: {
      auto value = exact_value(tree, node.items[0], scope);
      if (!value || scope.percent_is_number) return value;
      return *value / 100;
    }
    case Kind::Function:
      return function_value(tree, node, scope);
    case Kind::Series:
      return series_value(tree, node, scope);
    default:
      return std::nullopt;
  }
}

}  // namespace aha::math
