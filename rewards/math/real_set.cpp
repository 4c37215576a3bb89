#include "rewards/math/real_set.h"

#include <algorithm>
#include <functional>

#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

using MaybeSet = std::optional<RealSet>;

RealSet whole_line(bool inside) {
  return {.ends = {}, .at_end = {}, .between = {inside}};
}

/// Everything below `end`, or above.
RealSet half_line(Ref end, bool below, bool closed) {
  return {.ends = {end}, .at_end = {closed}, .between = {below, !below}};
}

/// -1, 0, 1 for minus infinity, a real number, infinity; nothing for anything else.
std::optional<int> infinite(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Constant && node.name == "infinity") return 1;
  if (node.kind == Kind::Product && node.items.size() == 2 && tree[node.items[0]].value == -1 &&
      infinite(tree, node.items[1]) == 1)
    return -1;
  if (!unknowns(tree, ref).empty()) return std::nullopt;
  return 0;
}

/// The two sets over their common ends, cell by cell.
MaybeSet combined(const Tree& tree, const RealSet& a, const RealSet& b,
                  const std::function<bool(bool, bool)>& rule, Scope& scope) {
  RealSet set{.between = {rule(a.between[0], b.between[0])}, .variable = a.variable};
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.ends.size() || j < b.ends.size()) {
    int order = i == a.ends.size() ? 1 : -1;
    if (i < a.ends.size() && j < b.ends.size()) {
      const auto known = order_of(tree, a.ends[i], b.ends[j], scope);
      if (!known) return std::nullopt;
      order = *known;
    }
    const bool take_a = order <= 0;
    const bool take_b = order >= 0;
    set.ends.push_back(take_a ? a.ends[i] : b.ends[j]);
    set.at_end.push_back(
        rule(take_a ? a.at_end[i] : a.between[i], take_b ? b.at_end[j] : b.between[j]));
    i += take_a ? 1 : 0;
    j += take_b ? 1 : 0;
    set.between.push_back(rule(a.between[i], b.between[j]));
  }
  return set;
}

bool both(bool a, bool b) {
  return a && b;
}

bool either(bool a, bool b) {
  return a || b;
}

MaybeSet interval(const Tree& tree, const Node& node, Scope& scope) {
  if (node.items.size() != 2) return std::nullopt;
  const auto low = infinite(tree, node.items[0]);
  const auto high = infinite(tree, node.items[1]);
  if (!low || !high || *low == 1 || *high == -1) return std::nullopt;
  auto set = whole_line(true);
  if (*low == 0) {
    set = half_line(node.items[0], false, node.name[0] == '[');
    if (*high == 0) {
      const auto order = order_of(tree, node.items[0], node.items[1], scope);
      if (!order || *order > 0) return std::nullopt;
    }
  }
  if (*high == 1) return set;
  return combined(tree, set, half_line(node.items[1], true, node.name[1] == ']'), both, scope);
}

MaybeSet points(const Tree& tree, const Node& node, Scope& scope) {
  MaybeSet set = whole_line(false);
  for (const auto item : node.items) {
    if (infinite(tree, item) != 0 || !order_of(tree, item, item, scope)) return std::nullopt;
    const RealSet point{.ends = {item}, .at_end = {true}, .between = {false, false}};
    set = combined(tree, *set, point, either, scope);
    if (!set) return std::nullopt;
  }
  return set;
}

/// The set where `sign` holds between the unknown (on the left) and `end`.
RealSet compared(Ref end, char relation) {
  switch (relation) {
    case sign::kLess:
      return half_line(end, true, false);
    case sign::kAtMost:
      return half_line(end, true, true);
    case sign::kMore:
      return half_line(end, false, false);
    case sign::kAtLeast:
      return half_line(end, false, true);
    default:
      return {.ends = {end}, .at_end = {false}, .between = {true, true}};
  }
}

char mirrored(char relation) {
  switch (relation) {
    case sign::kLess:
      return sign::kMore;
    case sign::kMore:
      return sign::kLess;
    case sign::kAtMost:
      return sign::kAtLeast;
    case sign::kAtLeast:
      return sign::kAtMost;
    default:
      return relation;
  }
}

MaybeSet solved(Tree& tree, Ref left, char relation, Ref right, Scope& scope);

/// |inside| relation right, as a relation of inside to both right and -right.
MaybeSet solved_absolute(Tree& tree, Ref inside, char relation, Ref right, Scope& scope) {
  const auto above = solved(tree, inside, relation, right, scope);
  if (!above) return std::nullopt;
  const auto below = solved(tree, inside, mirrored(relation), tree.negative(right), scope);
  if (!below) return std::nullopt;
  const bool outside = relation == sign::kMore || relation == sign::kAtLeast;
  return combined(tree, *above, *below, outside ? either : both, scope);
}

/// left relation right, linear in the one unknown they have or in its absolute value.
MaybeSet solved(Tree& tree, Ref left, char relation, Ref right, Scope& scope) {
  scope.step();
  const auto is_absolute = [&](Ref ref) {
    return tree[ref].kind == Kind::Function && tree[ref].name == "abs";
  };
  const bool left_known = unknowns(tree, left).empty();
  const bool right_known = unknowns(tree, right).empty();
  if (is_absolute(left) && right_known && infinite(tree, right) == 0)
    return solved_absolute(tree, tree[left].items[0], relation, right, scope);
  if (is_absolute(right) && left_known && infinite(tree, left) == 0)
    return solved_absolute(tree, tree[right].items[0], mirrored(relation), left, scope);
  if (is_unknown(tree, left) && right_known) {
    const auto end = infinite(tree, right);
    if (end == (relation == sign::kLess ? 1 : -1) &&
        (relation == sign::kLess || relation == sign::kMore))
      return whole_line(true);  // x < infinity
    if (end != 0) return std::nullopt;
    return compared(right, relation);
  }
  if (is_unknown(tree, right) && left_known) {
    return solved(tree, right, mirrored(relation), left, scope);
  }
  const auto difference = tree.sum({left, tree.negative(right)});
  const auto names = unknowns(tree, difference);
  if (names.size() != 1) return std::nullopt;
  std::vector<Fraction> values;
  for (const int at : {0, 1, 2, -5}) {
    scope.bound.emplace_back(*names.begin(), Fraction(at));
    const auto value = exact_value(tree, difference, scope);
    scope.bound.pop_back();
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  const Fraction slope = values[1] - values[0];
  if (slope.is_zero() || values[2] - values[1] != slope || values[0] - 5 * slope != values[3])
    return std::nullopt;
  const auto end = tree.number(-values[0] / slope);
  return compared(end, slope > 0 ? relation : mirrored(relation));
}

MaybeSet inequality(Tree& tree, Ref ref, Scope& scope) {
  const auto chain = tree[ref];  // a copy: solving adds nodes
  const std::string_view known = "<>LG!";
  const auto names = unknowns(tree, ref);
  if (names.size() != 1) return std::nullopt;
  auto set = whole_line(true);
  for (std::size_t i = 0; i < chain.name.size(); ++i) {
    if (known.find(chain.name[i]) == std::string_view::npos) return std::nullopt;
    const auto part = solved(tree, chain.items[i], chain.name[i], chain.items[i + 1], scope);
    if (!part) return std::nullopt;
    auto narrower = combined(tree, set, *part, both, scope);
    if (!narrower) return std::nullopt;
    set = std::move(*narrower);
  }
  set.variable = *names.begin();
  return set;
}

/// x \ne \pm 2.
MaybeSet except_both(Tree& tree, const Node& chain, Ref ref, Scope& scope) {
  if (chain.name != std::string(1, sign::kNotEqual)) return std::nullopt;
  MaybeSet set = whole_line(true);
  for (const auto part : items_of(tree, ref)) {
    const auto next = inequality(tree, part, scope);
    set = next ? combined(tree, *set, *next, both, scope) : std::nullopt;
    if (!set) return std::nullopt;
    set->variable = next->variable;
  }
  return set;
}

}  // namespace

MaybeSet real_set(Tree& tree, Ref ref, Scope& scope) {
  const auto node = tree[ref];  // a copy, as above
  switch (node.kind) {
    case Kind::Tuple:
      return interval(tree, node, scope);
    case Kind::Set:
      return points(tree, node, scope);
    case Kind::Relation:
      if (contains(tree, ref, Kind::PlusMinus)) return except_both(tree, node, ref, scope);
      if (node.name == std::string(1, sign::kIn) && is_unknown(tree, node.items[0])) {
        auto set = real_set(tree, node.items[1], scope);
        if (set) set->variable = canonical(tree, node.items[0]);
        return set;
      }
      return inequality(tree, ref, scope);
    case Kind::Constant:
      if (node.name == "reals") return whole_line(true);
      if (node.name == "empty") return whole_line(false);
      return std::nullopt;
    case Kind::SetOperation: {
      const auto left = real_set(tree, node.items[0], scope);
      const auto right = left ? real_set(tree, node.items[1], scope) : std::nullopt;
      if (!right) return std::nullopt;
      if (node.name == "union") return combined(tree, *left, *right, either, scope);
      if (node.name == "intersection") return combined(tree, *left, *right, both, scope);
      return combined(
          tree, *left, *right, [](bool a, bool b) { return a && !b; }, scope);
    }
    case Kind::List: {
      // "x < 1 or x > 2", "x > 1 and x < 5"
      const bool all = is_conjunction(node.name);
      MaybeSet set = whole_line(all);
      for (const auto item : node.items) {
        if (tree[item].kind != Kind::Relation) return std::nullopt;
        const auto part = real_set(tree, item, scope);
        if (!part) return std::nullopt;
        const auto name = set->variable;
        if (!name.empty() && name != part->variable) return std::nullopt;
        set = combined(tree, *set, *part, all ? both : either, scope);
        if (!set) return std::nullopt;
        set->variable = part->variable;
      }
      return set;
    }
    default:
      return std::nullopt;
  }
}

bool same_set(const Tree& tree, const RealSet& a, const RealSet& b, Scope& scope) {
  if (!a.variable.empty() && !b.variable.empty() && a.variable != b.variable) return false;
  const auto differing = combined(
      tree, a, b, [](bool x, bool y) { return x != y; }, scope);
  if (!differing) return false;
  const auto none = [](const std::vector<bool>& cells) {
    return std::find(cells.begin(), cells.end(), true) == cells.end();
  };
  return none(differing->at_end) && none(differing->between);
}

}  // namespace aha::math
