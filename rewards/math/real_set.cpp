#include "rewards/math/real_set.h"

#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"
#include "rewards/math/real_set_parts.h"
#include "rewards/math/set_builder.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

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

MaybeSet point(const Tree& tree, Ref ref, Scope& scope) {
  const auto assignment = assignment_of(tree, ref);
  if (!assignment || !is_unknown(tree, assignment->name)) return std::nullopt;
  auto set = points(tree, {.items = {assignment->value}}, scope);
  if (set) set->variable = canonical(tree, assignment->name);
  return set;
}

bool is_relation(const Tree& tree, Ref ref, char relation) {
  return tree[ref].kind == Kind::Relation && tree[ref].name == std::string(1, relation);
}

/// "x < 1 or x > 2", "x = 1 or x > 2", "x > 1 and x < 5"; "x > 0, x \ne 1" is both, and so is "x \ne 1, 2".
MaybeSet listed(Tree& tree, const Node& list, Scope& scope) {
  if (list.name == "mixed") return std::nullopt;
  const auto first = list.items[0];
  const bool excludes = is_relation(tree, first, sign::kNotEqual);
  const bool exclusion = std::any_of(list.items.begin() + 1, list.items.end(), [&](Ref item) {
    return is_relation(tree, item, sign::kNotEqual) ||
           (excludes && tree[item].kind != Kind::Relation);
  });
  const bool all = is_conjunction(list.name) || (exclusion && list.name.empty());
  MaybeSet set = whole_line(all);
  for (auto item : list.items) {
    if (tree[item].kind != Kind::Relation) {
      if (!excludes || !all) return std::nullopt;
      item = tree.add({.kind = Kind::Relation,
                       .name = std::string(1, sign::kNotEqual),
                       .items = {tree[first].items[0], item}});
    }
    const bool is_point = !all && is_relation(tree, item, sign::kEqual);
    const auto part = is_point ? point(tree, item, scope) : real_set(tree, item, scope);
    if (!part || (!set->variable.empty() && set->variable != part->variable)) return std::nullopt;
    set = combined(tree, *set, *part, all ? both : either, scope);
    if (!set) return std::nullopt;
    set->variable = part->variable;
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
      if (const auto condition = condition_of(tree, ref); tree[condition].kind != Kind::Set)
        return real_set(tree, condition, scope);
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
    case Kind::List:
      return listed(tree, node, scope);
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
