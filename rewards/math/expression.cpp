#include "rewards/math/expression.h"

#include <algorithm>
#include <array>

namespace aha::math {
namespace {

constexpr std::size_t kMostDigits = 2000;
constexpr long kMostExponent = 1000;

Integer power_of_ten(std::size_t exponent) {
  return boost::multiprecision::pow(Integer(10), static_cast<unsigned>(exponent));
}

// Decimal digits are read here because a leading zero would make Boost read octal ones.
Integer digits_value(std::string_view digits) {
  Integer value = 0;
  for (std::size_t at = 0; at < digits.size();) {
    std::uint64_t part = 0;
    std::uint64_t scale = 1;
    for (; at < digits.size() && scale < 1'000'000'000'000'000'000U; ++at, scale *= 10)
      part = part * 10 + static_cast<std::uint64_t>(digits[at] - '0');
    value = value * scale + part;
  }
  return value;
}

constexpr std::array kNames = {"number",  "constant", "symbol",     "text",   "sum",
                               "product", "power",    "plus-minus", "",       "apply",
                               "percent", "base",     "series",     "tuple",  "set",
                               "list",    "relation", "",           "matrix", "remarked"};

}  // namespace

Ref Tree::add(Node node) {
  if (nodes_.size() >= kMostNodes) throw Refusal{"more than 20,000 parts"};
  nodes_.push_back(std::move(node));
  return static_cast<Ref>(nodes_.size() - 1);
}

Ref Tree::number(Fraction value, bool decimal) {
  return add({.kind = Kind::Number, .value = std::move(value), .decimal = decimal});
}

Ref Tree::function(std::string name, std::vector<Ref> items) {
  return add({.kind = Kind::Function, .name = std::move(name), .items = std::move(items)});
}

Ref Tree::power(Ref base, Ref exponent) {
  return add({.kind = Kind::Power, .items = {base, exponent}});
}

Ref Tree::flat(Kind kind, const std::vector<Ref>& items) {
  if (items.size() == 1) return items[0];
  Node node{.kind = kind};
  for (const auto item : items) {
    if (nodes_[item].kind == kind)
      node.items.insert(node.items.end(), nodes_[item].items.begin(), nodes_[item].items.end());
    else
      node.items.push_back(item);
  }
  return add(std::move(node));
}

Fraction fraction_of(const std::string& numeral) {
  if (numeral.size() > kMostDigits) throw Refusal{"a number of more than 2,000 digits"};
  if (const auto gap = numeral.find(' '); gap != std::string::npos) {
    const auto slash = numeral.find('/', gap);
    return fraction_of(numeral.substr(0, gap)) +
           fraction_of(numeral.substr(gap + 1, slash - gap - 1)) /
               fraction_of(numeral.substr(slash + 1));
  }
  const auto e = std::min(numeral.find('e'), numeral.size());
  const auto mantissa = std::string_view(numeral).substr(0, e);
  const auto open = std::min(mantissa.find('('), mantissa.size());
  const auto written = mantissa.substr(0, open);
  const auto point = std::min(written.find('.'), written.size());
  const auto whole = written.substr(0, point);
  const auto decimals = written.substr(std::min(point + 1, written.size()));

  Fraction value(digits_value(std::string(whole) + std::string(decimals)),
                 power_of_ten(decimals.size()));
  if (open < mantissa.size()) {
    const auto repeated = mantissa.substr(open + 1, mantissa.size() - open - 2);
    value += Fraction(digits_value(repeated),
                      power_of_ten(decimals.size()) * (power_of_ten(repeated.size()) - 1));
  }
  if (e < numeral.size()) {
    if (numeral.size() - e > 6) throw Refusal{"an exponent beyond 1,000"};
    const long exponent = std::stol(numeral.substr(e + 1));
    if (std::abs(exponent) > kMostExponent) throw Refusal{"an exponent beyond 1,000"};
    const Fraction scale(power_of_ten(static_cast<std::size_t>(std::abs(exponent))));
    value = exponent < 0 ? value / scale : value * scale;
  }
  return value;
}

bool is_whole(const Tree& tree, Ref ref) {
  return tree[ref].kind == Kind::Number && !tree[ref].decimal &&
         boost::multiprecision::denominator(tree[ref].value) == 1;
}

bool contains(const Tree& tree, Ref ref, Kind kind) {
  const auto& node = tree[ref];
  return node.kind == kind || std::any_of(node.items.begin(), node.items.end(),
                                          [&](Ref item) { return contains(tree, item, kind); });
}

std::string described(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Number) return node.value.str() + (node.decimal ? "d" : "");
  if (node.kind == Kind::Symbol || node.kind == Kind::Constant) return node.name;
  if (node.kind == Kind::Text) return "'" + node.name + "'";
  std::string text = "(";
  text += kNames[static_cast<std::size_t>(node.kind)];
  if (node.kind == Kind::BaseNumber) text += " " + node.value.str();
  if (!node.name.empty()) text += (text == "(" ? "" : " ") + node.name;
  for (const auto item : node.items)
    text += " " + described(tree, item);
  return text + ")";
}

}  // namespace aha::math
