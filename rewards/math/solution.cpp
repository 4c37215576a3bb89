#include "rewards/math/solution.h"

#include "rewards/math/canonical.h"
#include "rewards/math/parser.h"

namespace aha::math {
namespace {

bool is_equation(const Node& node) {
  return node.kind == Kind::Relation && node.name == std::string(1, sign::kEqual);
}

}  // namespace

bool is_solved_by(const Tree& tree, Ref equation, Ref value, Scope& scope) {
  const auto& sides = tree[equation];
  const auto& given = tree[value];
  if (!is_equation(sides) || !is_equation(given)) return false;
  const auto& name = tree[given.items[0]];
  if (name.kind != Kind::Symbol || unknowns(tree, equation) != std::set{name.name}) return false;
  if (!unknowns(tree, given.items[1]).empty()) return false;
  const auto at = exact_value(tree, given.items[1], scope);
  if (!at) return false;
  scope.bound.emplace_back(name.name, *at);
  const auto left = exact_value(tree, sides.items[0], scope);
  const auto right = exact_value(tree, sides.items[1], scope);
  scope.bound.pop_back();
  return left && right && *left == *right;
}

bool is_solved_by(std::string_view equation, std::string_view value) {
  std::int64_t steps = 0;
  Scope scope{.steps = &steps};
  try {
    Tree tree;
    const auto sides = parsed(tree, equation);
    return is_solved_by(tree, sides, parsed(tree, value), scope);
  } catch (const Refusal&) {
    return false;
  }
}

}  // namespace aha::math
