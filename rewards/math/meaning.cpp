#include "rewards/math/meaning.h"

#include <algorithm>

#include "rewards/math/canonical.h"

namespace aha::math {
namespace {

bool is_name(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  const auto all_names = [&] {
    return std::all_of(node.items.begin(), node.items.end(),
                       [&](Ref item) { return is_name(tree, item); });
  };
  switch (node.kind) {
    case Kind::Symbol:
    case Kind::Apply:
    case Kind::Text:
      return true;
    case Kind::Tuple:
    case Kind::List:
      return all_names();
    case Kind::Function:
      return node.name == "derivative" ||
             ((node.name == "abs" || node.name == "norm") && all_names());
    // AB, the side of a figure; xy is a product and no name.
    case Kind::Product:
      return std::all_of(node.items.begin(), node.items.end(), [&](Ref item) {
        const auto& factor = tree[item];
        return factor.kind == Kind::Symbol && factor.name[0] >= 'A' && factor.name[0] <= 'Z';
      });
    default:
      return false;
  }
}

bool is_known(const Tree& tree, Ref ref) {
  return !is_set_like(tree, ref) && tree[ref].kind != Kind::Text && unknowns(tree, ref).empty();
}

/// A copy in which every +- has the first sign of its name, or the second.
Ref with_sign(Tree& tree, Ref ref, bool first) {
  auto node = tree[ref];
  if (!contains(tree, ref, Kind::PlusMinus)) return ref;
  for (auto& item : node.items)
    item = with_sign(tree, item, first);
  if (node.kind != Kind::PlusMinus) return tree.add(std::move(node));
  return node.name[first ? 0 : 1] == '-' ? tree.negative(node.items[0]) : node.items[0];
}

void collect(Tree& tree, Ref ref, std::vector<Ref>& items) {
  const auto node = tree[ref];
  if (node.kind == Kind::List || node.kind == Kind::Set) {
    for (const auto item : node.items)
      collect(tree, item, items);
    return;
  }
  if (const auto value = assigned_value(tree, ref)) return collect(tree, *value, items);
  if (contains(tree, ref, Kind::PlusMinus)) {
    items.push_back(with_sign(tree, ref, true));
    items.push_back(with_sign(tree, ref, false));
    return;
  }
  items.push_back(ref);
}

/// 10 for 120 and 1/100 for 0.05; nothing of a fraction whose decimals do not end.
std::optional<Fraction> last_place(Fraction value) {
  constexpr int kMostPlaces = 100;
  Fraction place = 1;
  const auto is_whole = [](const Fraction& of) {
    return boost::multiprecision::denominator(of) == 1;
  };
  for (int i = 0; i < kMostPlaces && !is_whole(value); ++i, place /= 10)
    value *= 10;
  if (!is_whole(value)) return std::nullopt;
  for (int i = 0; i < kMostPlaces && !value.is_zero() && is_whole(value / 10); ++i, place *= 10)
    value /= 10;
  return place;
}

/// The exact value, or one of 30 decimals.
std::optional<Fraction> value_of(const Tree& tree, Ref ref, Scope& scope) {
  constexpr int kPlaces = 30;
  if (auto exact = exact_value(tree, ref, scope)) return exact;
  const auto near = rounded(tree, ref, kPlaces, scope);
  if (!near) return std::nullopt;
  return Fraction(*near, boost::multiprecision::pow(Integer(10), kPlaces));
}

bool is_false(const Tree& tree, Ref left, char relation, Ref right, Scope& scope) {
  if (relation != sign::kEqual && relation != sign::kAbout) return false;
  if (!is_known(tree, left) || !is_known(tree, right)) return false;
  const bool about = relation == sign::kAbout || tree[left].decimal || tree[right].decimal;
  if (!about) {
    const auto a = exact_value(tree, left, scope);
    const auto b = exact_value(tree, right, scope);
    return a && b ? *a != *b : nearness(tree, left, right, scope) == Nearness::Different;
  }
  const auto a = value_of(tree, left, scope);
  const auto b = value_of(tree, right, scope);
  if (!a || !b || *a == *b) return false;
  const auto place_a = last_place(*a);
  const auto place_b = last_place(*b);
  if (!place_a && !place_b) return false;
  return abs(*a - *b) >= std::max(place_a.value_or(0), place_b.value_or(0));
}

}  // namespace

bool states_falsehood(const Tree& tree, Ref ref, Scope& scope) {
  const auto& node = tree[ref];
  for (std::size_t i = 0; node.kind == Kind::Relation && i < node.name.size(); ++i) {
    if (is_false(tree, node.items[i], node.name[i], node.items[i + 1], scope)) return true;
  }
  return is_set_like(tree, ref) && std::any_of(node.items.begin(), node.items.end(), [&](Ref item) {
           return states_falsehood(tree, item, scope);
         });
}

bool is_set_like(const Tree& tree, Ref ref) {
  switch (tree[ref].kind) {
    case Kind::Set:
    case Kind::List:
    case Kind::Tuple:
    case Kind::SetOperation:
    case Kind::Matrix:
    case Kind::Relation:
      return true;
    case Kind::Constant:
      return tree[ref].name != "pi" && tree[ref].name != "e" && tree[ref].name != "i";
    default:
      return false;
  }
}

std::optional<Ref> assigned_value(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind != Kind::Relation) return std::nullopt;
  if (node.name == std::string(1, sign::kIn))
    return is_name(tree, node.items[0]) ? std::optional(node.items[1]) : std::nullopt;
  if (node.name.find_first_not_of("=~") != std::string::npos) return std::nullopt;
  // What follows "about" is the same value, rounded: it counts where there is nothing else.
  auto last = node.items.size() - 1;
  while (last > 1 && node.name[last - 1] == sign::kAbout)
    --last;
  const auto value = node.items[last];
  const auto name = node.items[0];
  if (is_known(tree, name)) return value;
  if (!is_name(tree, name)) return std::nullopt;
  // x = x + 1 is an equation.
  const auto inside = unknowns(tree, value);
  return inside.contains(canonical(tree, name)) ? std::nullopt : std::optional(value);
}

Ref condition_of(Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind != Kind::Set || node.items.size() != 1) return ref;
  auto relation = tree[node.items[0]];
  if (relation.kind != Kind::Relation || relation.name.size() < 2) return ref;
  // x | x > 3, or x \in \mathbb{R} | x > 3
  const bool of_reals = relation.name[0] == sign::kIn && relation.name.size() > 2 &&
                        tree[relation.items[1]].kind == Kind::Constant &&
                        tree[relation.items[1]].name == "reals";
  const std::size_t bar = of_reals ? 1 : 0;
  if (relation.name[bar] != sign::kSuchThat && relation.name[bar] != sign::kOther) return ref;
  relation.name.erase(0, bar + 1);
  relation.items.erase(relation.items.begin(),
                       relation.items.begin() + static_cast<std::ptrdiff_t>(bar) + 1);
  return tree.add(std::move(relation));
}

std::vector<Ref> items_of(Tree& tree, Ref ref) {
  std::vector<Ref> items;
  collect(tree, ref, items);
  std::vector<std::string> seen;
  std::vector<Ref> once;
  for (const auto item : items) {
    auto key = canonical(tree, item);
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(std::move(key));
    once.push_back(item);
  }
  return once;
}

std::map<std::string, Ref> named_values(const Tree& tree, Ref ref) {
  std::map<std::string, Ref> values;
  const auto& node = tree[ref];
  if (node.kind != Kind::List) return values;
  for (const auto item : node.items) {
    const auto value = assigned_value(tree, item);
    if (!value) return {};
    if (!values.emplace(canonical(tree, tree[item].items[0]), *value).second) return {};
  }
  return values;
}

std::optional<Ref> scaled_matrix(Tree& tree, Ref ref) {
  const auto node = tree[ref];
  if (node.kind == Kind::Matrix) return ref;
  if (node.kind != Kind::Product) return std::nullopt;
  std::vector<Ref> factors;
  std::optional<Ref> matrix;
  for (const auto item : node.items) {
    if (tree[item].kind != Kind::Matrix)
      factors.push_back(item);
    else if (matrix)
      return std::nullopt;
    else
      matrix = item;
  }
  if (!matrix || factors.empty()) return std::nullopt;
  auto scaled = tree[*matrix];
  for (auto& item : scaled.items) {
    auto cell = factors;
    cell.push_back(item);
    item = tree.product(cell);
  }
  return tree.add(std::move(scaled));
}

}  // namespace aha::math
