#include "rewards/math/real_set_parts.h"

#include "rewards/math/canonical.h"

namespace aha::math {

RealSet whole_line(bool inside) {
  return {.ends = {}, .at_end = {}, .between = {inside}};
}

RealSet half_line(Ref end, bool below, bool closed) {
  return {.ends = {end}, .at_end = {closed}, .between = {below, !below}};
}

std::optional<int> infinite(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Constant && node.name == "infinity") return 1;
  if (node.kind == Kind::Product && node.items.size() == 2 && tree[node.items[0]].value == -1 &&
      infinite(tree, node.items[1]) == 1)
    return -1;
  if (!unknowns(tree, ref).empty()) return std::nullopt;
  return 0;
}

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

}  // namespace aha::math
