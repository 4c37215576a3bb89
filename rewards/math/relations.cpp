#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/comparer.h"

namespace aha::math {
namespace {

/// A relation's sign, read from the right: '<' is '>'.
char turned(char sign) {
  const std::string_view from = "<>LG";
  const auto at = from.find(sign);
  return at == std::string_view::npos ? sign : "><GL"[at];
}

/// Signs that can be read from either side: a = b, a \perp b, p \iff q.
constexpr std::string_view kTurning = "=~!<>LGPTJ";

}  // namespace

Judgement Comparer::relations(Ref a, Ref b) {
  const bool two = is(a, Kind::Relation) && is(b, Kind::Relation);
  if (two) {
    if (const auto judgement = parted(a, b)) return *judgement;
    if (same_relation(a, b)) return equal();
    if (same_chain(a, b)) return equal();
    if (const auto judgement = ratios(a, b)) return *judgement;
  }
  if (is(a, Kind::Tuple) || is(b, Kind::Tuple)) {
    const bool first = is(a, Kind::Tuple);
    if (const auto judgement = tuple_and_names(first ? a : b, first ? b : a)) return *judgement;
  }
  if (const auto judgement = vector_equations(a, b)) return *judgement;
  const auto left = assignment_of(tree_, a);
  const auto right = assignment_of(tree_, b);
  if (left && right) {
    if (are_other_values(left->name, right->name)) return different("another value of a function");
    return compare(left->value, right->value);
  }
  if (left) return compare(left->value, b);
  if (right) return compare(a, right->value);
  return sets(a, b);
}

std::optional<Judgement> Comparer::vector_equations(Ref a, Ref b) {
  const auto left = vector_equation(tree_, a);
  const auto right = vector_equation(tree_, b);
  if (!left && !right) return std::nullopt;
  if (!left && !is(a, Kind::Relation)) return compare(a, right->value);
  if (!right && !is(b, Kind::Relation)) return compare(left->value, b);
  if (left && right && canonical(tree_, left->name) == canonical(tree_, right->name))
    return compare(left->value, right->value);
  return different("of another matrix or vector");
}

std::optional<Judgement> Comparer::parted(Ref a, Ref b) {
  const auto split = [&](Ref ref) -> std::optional<std::pair<Ref, Ref>> {
    const auto chain = tree_[ref];
    const auto bar = chain.name.find(sign::kSuchThat);
    if (bar == std::string::npos) return std::nullopt;
    const auto middle = chain.items.begin() + static_cast<std::ptrdiff_t>(bar) + 1;
    const auto part = [&](const std::string& name, std::vector<Ref> items) {
      if (items.size() == 1) return items[0];
      return tree_.add({.kind = Kind::Relation, .name = name, .items = std::move(items)});
    };
    return std::pair{part(chain.name.substr(0, bar), {chain.items.begin(), middle}),
                     part(chain.name.substr(bar + 1), {middle, chain.items.end()})};
  };
  const auto left = split(a);
  const auto right = split(b);
  if (!left || !right) return std::nullopt;
  auto judgement = compare(left->first, right->first);
  return judgement.verdict == Verdict::Equal ? compare(left->second, right->second) : judgement;
}

std::size_t Comparer::primes_of(Ref ref) const {
  const auto& node = tree_[ref];
  if (node.kind == Kind::Apply) return primes_of(node.items[0]);
  if (node.kind == Kind::Function) return node.name == "derivative" ? 1 : 0;
  if (node.kind != Kind::Symbol) return 0;
  return static_cast<std::size_t>(std::count(node.name.begin(), node.name.end(), '\''));
}

bool Comparer::are_other_values(Ref a, Ref b) const {
  const auto is_value = [&](Ref ref) {
    const auto& items = tree_[ref].items;
    return is(ref, Kind::Apply) && std::all_of(items.begin() + 1, items.end(), [&](Ref item) {
             return unknowns(tree_, item).empty();
           });
  };
  if (is(a, Kind::Function) && is(b, Kind::Function) && tree_[a].name == "derivative" &&
      tree_[b].name == "derivative")
    return canonical(tree_, tree_[a].items[1]) != canonical(tree_, tree_[b].items[1]);
  const auto primes = primes_of(a);
  if (primes > 0 && primes_of(b) > 0 && primes != primes_of(b)) return true;
  const auto is_bound = [&](Ref ref) { return is(ref, Kind::Symbol) && tree_[ref].name[0] == '#'; };
  return ((is_value(a) && is_value(b)) || (is_bound(a) && is_bound(b))) &&
         canonical(tree_, a) != canonical(tree_, b);
}

std::optional<Judgement> Comparer::ratios(Ref a, Ref b) {
  const auto x = tree_[a];
  const auto y = tree_[b];
  const auto& colons = x.name;
  if (colons.size() < 2 || colons != y.name ||
      colons.find_first_not_of(sign::kRatio) != std::string::npos)
    return std::nullopt;
  if (compare(x.items[0], tree_.number(0)).verdict != Verdict::Different) return std::nullopt;
  for (std::size_t i = 1; i < x.items.size(); ++i) {
    if (canonical(tree_, x.items[i]) == "0") return in_order(x.items, y.items, "another time");
    const auto left = tree_.product({x.items[i], y.items[0]});
    const auto right = tree_.product({x.items[0], y.items[i]});
    if (compare(left, right).verdict != Verdict::Equal) return different("another ratio");
  }
  return equal();
}

bool Comparer::same_relation(Ref a, Ref b) {
  const auto x = tree_[a];
  const auto y = tree_[b];
  if (x.name.size() != 1 || y.name.size() != 1) return false;
  if (std::string_view("=!<>LG").find(x.name[0]) == std::string_view::npos) return false;
  const auto difference = [&](const Node& node) {
    return tree_.sum({node.items[0], tree_.negative(node.items[1])});
  };
  if (is_set_like(tree_, x.items[1]) || is_set_like(tree_, y.items[1])) return false;
  if (is_residue(tree_, x.items[1]) || is_residue(tree_, y.items[1])) return false;
  const int ratio = constant_ratio(tree_, difference(x), difference(y), scope_);
  if (ratio == 0) return false;
  return (ratio > 0 ? x.name[0] : turned(x.name[0])) == y.name[0];
}

bool Comparer::same_chain(Ref a, Ref b) {
  auto x = tree_[a];
  const auto y = tree_[b];
  if (x.name.size() != y.name.size()) return false;
  for (const bool turn : {false, true}) {
    if (turn && x.name.find_first_not_of(kTurning) != std::string::npos) return false;
    if (turn) {
      std::reverse(x.items.begin(), x.items.end());
      std::reverse(x.name.begin(), x.name.end());
      std::transform(x.name.begin(), x.name.end(), x.name.begin(), turned);
    }
    if (x.name == y.name && in_order(x.items, y.items, "").verdict == Verdict::Equal) return true;
  }
  return false;
}

}  // namespace aha::math
