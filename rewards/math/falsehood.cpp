#include <algorithm>

#include "rewards/math/meaning.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

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

/// Of two values that are said to be equal, or about equal.
bool is_false(const Tree& tree, Ref left, bool about, Ref right, Scope& scope) {
  if (is_residue(tree, left) || is_residue(tree, right))
    return !congruent(tree, left, right, scope);
  about = about || tree[left].decimal || tree[right].decimal;
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

/// A command that we do not know: nothing can be said of it.
bool is_unread(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind != Kind::Symbol || node.name.size() < 2 || is_greek(node.name)) return false;
  return std::all_of(node.name.begin(), node.name.end(),
                     [](char c) { return c >= 'a' && c <= 'z'; });
}

/// 6 = 5, and 6 = x = 5: each value beside the one before it, whatever unknowns stand between.
bool chain_is_false(const Tree& tree, const Node& chain, Scope& scope) {
  std::optional<Ref> before;
  bool about = false;
  for (std::size_t i = 0; i < chain.items.size(); ++i) {
    if (i > 0 && chain.name[i - 1] == sign::kAbout) about = true;
    if (i > 0 && chain.name[i - 1] != sign::kAbout && chain.name[i - 1] != sign::kEqual)
      before.reset();
    if (is_unread(tree, chain.items[i])) before.reset();
    if (!is_known(tree, chain.items[i])) continue;
    if (before && is_false(tree, *before, about, chain.items[i], scope)) return true;
    before = chain.items[i];
    about = false;
  }
  return false;
}

}  // namespace

bool is_residue(const Tree& tree, Ref ref) {
  return tree[ref].kind == Kind::Function && tree[ref].name == "residue";
}

bool congruent(const Tree& tree, Ref a, Ref b, Scope& scope) {
  const auto modulus = exact_value(tree, tree[is_residue(tree, a) ? a : b].items[1], scope);
  const auto value = [&](Ref ref) {
    return exact_value(tree, is_residue(tree, ref) ? tree[ref].items[0] : ref, scope);
  };
  const auto x = value(a);
  const auto y = value(b);
  if (!modulus || modulus->is_zero() || !x || !y) return false;
  return boost::multiprecision::denominator((*x - *y) / *modulus) == 1;
}

bool states_falsehood(const Tree& tree, Ref ref, Scope& scope) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Relation && chain_is_false(tree, node, scope)) return true;
  return is_set_like(tree, ref) && std::any_of(node.items.begin(), node.items.end(), [&](Ref item) {
           return states_falsehood(tree, item, scope);
         });
}

}  // namespace aha::math
