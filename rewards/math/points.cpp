#include <algorithm>
#include <array>
#include <string_view>

#include "rewards/math/canonical.h"
#include "rewards/math/evaluate.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

// What differs only at some values is told apart by points at which any two letters
//   are whole, once with a common factor, for \gcd(m, n) and mn; and of either parity, for (-1)^n;
//   stand in either order, for \max(x, y), |x - y| and \binom{n}{k};
//   are negative, for |n| and \sqrt{n^2}, together and one without the other;
//   are small, for \arcsin x.
// Rational functions and their like need only the first four.
enum class Values { Whole, Large, Small };
enum class Signs { Positive, Negative, Mixed };

struct Point {
  Values values;
  Signs signs;
  int variant;  ///< whole: which of three orders, twice, the second time turned; others: of the letters' signs
};

constexpr std::array<Point, kPoints> kTable = {
    Point{Values::Whole, Signs::Positive, 1}, {Values::Large, Signs::Negative, 0},
    {Values::Large, Signs::Mixed, 0},         {Values::Small, Signs::Positive, 0},
    {Values::Small, Signs::Positive, 1},      {Values::Small, Signs::Mixed, 1},
    {Values::Whole, Signs::Positive, 0},      {Values::Whole, Signs::Positive, 2},
    {Values::Whole, Signs::Positive, 3},      {Values::Whole, Signs::Positive, 4},
    {Values::Whole, Signs::Positive, 5},
};
constexpr int kSmoothPoints = 4;

constexpr unsigned kAlphabet = 26;

std::uint64_t hash_of(const std::string& name, int salt) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  hash = (hash ^ static_cast<std::uint64_t>(salt)) * 1099511628211U;
  return hash ^ (hash >> 29);
}

/// Bits that differ between any two letters, and are neither all 0 nor all 1: 1 to 52 for letters.
unsigned code_of(const std::string& name) {
  if (name.size() != 1 || !is_letter(name[0]))
    return 1 + static_cast<unsigned>(hash_of(name, 0) % 62);
  const bool capital = name[0] <= 'Z';
  return 1U + static_cast<unsigned>(name[0] - (capital ? 'A' : 'a')) + (capital ? kAlphabet : 0U);
}

/// A place among 26 in one of three orders, another for each small letter, and for each capital.
unsigned rank_of(const std::string& name, int order) {
  const auto code = code_of(name);
  if (name.size() != 1 || !is_letter(name[0]))
    return static_cast<unsigned>(hash_of(name, 1 + order) % kAlphabet);
  constexpr std::array<unsigned, 3> kSteps = {5, 7, 11};  // no divisors of 26
  const auto capital = code > kAlphabet ? 4U : 0U;
  return (code * (kSteps[static_cast<std::size_t>(order)] + capital)) % kAlphabet;
}

long whole_value(const std::string& name, int variant) {
  const auto rank = rank_of(name, variant / 2);
  const auto place = variant % 2 == 0 ? rank : kAlphabet - 1 - rank;
  const auto parity = (code_of(name) >> static_cast<unsigned>(variant)) & 1U;
  const auto value = static_cast<long>(2 * (place + 2) + parity);
  return variant == 0 ? 3 * value : value;
}

/// Between 1 and 9, or 0 and a half. Odd numbers of 256ths: (-1)^n and (-1)^{2n} are no real numbers there.
Fraction broken_value(const std::string& name, const Point& point) {
  constexpr long kBottom = 256;
  const bool large = point.values == Values::Large;
  const auto hash = hash_of(name, 8 + 2 * point.variant + (large ? 1 : 0));
  const auto top = large ? kBottom + 1 + 2 * static_cast<long>(hash % 1024)
                         : 5 + 2 * static_cast<long>(hash % 61);
  const Fraction value(top, kBottom);
  const bool turned = ((code_of(name) >> static_cast<unsigned>(point.variant)) & 1U) != 0;
  const bool negative = point.signs == Signs::Negative || (point.signs == Signs::Mixed && turned);
  return negative ? Fraction(-value) : value;
}

struct Traits {
  bool smooth = true;  ///< its values at four points say what it is: no roots, |x|, factorials
  bool whole = false;  ///< has values at whole numbers only
};

bool is_positive(const Node& node) {
  return node.kind == Kind::Number
             ? node.value > 0
             : node.kind == Kind::Constant && (node.name == "e" || node.name == "pi");
}

void look(const Tree& tree, Ref ref, Traits& traits) {
  const auto& node = tree[ref];
  if (is_unknown(tree, ref)) return;
  if (node.kind == Kind::Power) {
    const auto& base = tree[node.items[0]];
    const auto& exponent = tree[node.items[1]];
    const bool whole =
        exponent.kind == Kind::Number && boost::multiprecision::denominator(exponent.value) == 1;
    traits.smooth = traits.smooth && (whole || is_positive(base));
    traits.whole = traits.whole || (!whole && base.kind == Kind::Number && base.value < 0);
  } else if (node.kind == Kind::Function) {
    constexpr std::string_view kSmooth[] = {"sin", "cos",  "tan",  "sec",  "csc",   "cot",
                                            "exp", "sinh", "cosh", "tanh", "arctan"};
    constexpr std::string_view kWhole[] = {"gcd", "lcm", "factorial", "binomial"};
    traits.smooth = traits.smooth && holds(kSmooth, node.name);
    traits.whole = traits.whole || holds(kWhole, node.name);
  } else if (node.kind == Kind::Series) {
    traits.smooth = false;
  }
  for (const auto item : node.items)
    look(tree, item, traits);
}

}  // namespace

Fraction value_at(const std::string& unknown, int point) {
  const auto& at = kTable[static_cast<std::size_t>(point)];
  if (at.values == Values::Whole) return Fraction(whole_value(unknown, at.variant));
  return broken_value(unknown, at);
}

Sampling sampling_of(const Tree& tree, Ref a, Ref b) {
  constexpr int kLeast = 2;
  constexpr int kLeastWhole = 3;  // of six: where n stands above k, for \binom{n}{k}
  Traits traits;
  look(tree, a, traits);
  look(tree, b, traits);
  return {traits.smooth ? kSmoothPoints : kPoints, traits.whole ? kLeastWhole : kLeast};
}

}  // namespace aha::math
