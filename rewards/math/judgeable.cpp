#include "rewards/math/judgeable.h"

#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"
#include "rewards/math/real_set.h"

namespace aha::math {
namespace {

/// Refusal, with the reason, at a limit.
void evaluate(Tree& tree, Ref ref, Scope& scope) {
  scope.step();
  const auto node = tree[ref];  // a copy: solving adds nodes
  if ((node.kind == Kind::List || node.kind == Kind::Set) && node.items.size() > kMostItems)
    throw Refusal{"more than 64 items"};
  if (node.kind == Kind::SetOperation || node.kind == Kind::Relation) real_set(tree, ref, scope);
  if (is_set_like(tree, ref) || contains(tree, ref, Kind::PlusMinus)) {
    for (const auto item : node.items)
      evaluate(tree, item, scope);
    return;
  }
  if (node.kind == Kind::Text) return;
  const int points = unknowns(tree, ref).empty() ? 1 : sampling_of(tree, ref, ref).points;
  for (scope.point = 0; scope.point < points; ++scope.point) {
    if (!exact_value(tree, ref, scope) && nearness(tree, ref, ref, scope) == Nearness::Lost)
      throw Refusal{"too close to tell apart with 512 bits"};
  }
  scope.point = 0;
}

bool has_value(const Tree& tree, Ref ref) {
  for (int point = 0; point < kPoints; ++point) {
    std::int64_t steps = 0;
    Scope scope{.point = point, .steps = &steps};
    try {
      if (exact_value(tree, ref, scope)) return true;
      if (nearness(tree, ref, ref, scope) != Nearness::Undefined) return true;
    } catch (const Refusal&) {
      return true;  // whoever compares it meets the limit again
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> unevaluable(const Tree& tree, Ref gold) {
  const auto& node = tree[gold];
  if (node.kind == Kind::Function && node.name == "int") return "an integral";
  if (node.kind == Kind::Function && node.name == "lim") return "a limit";
  if (node.kind == Kind::Series && !has_value(tree, gold))
    return node.name == "sum" ? "a sum without whole bounds" : "a product without whole bounds";
  for (const auto item : node.items) {
    if (auto what = unevaluable(tree, item)) return what;
  }
  return std::nullopt;
}

std::optional<std::string> limit_of(Tree& tree, Ref gold, const Conventions& conventions) {
  std::int64_t steps = 0;
  Scope scope{.percent_is_number = conventions.percent_is_number, .steps = &steps};
  try {
    evaluate(tree, gold, scope);
  } catch (const Refusal& refusal) {
    return refusal.reason;
  }
  if (steps > kMostSteps / 2) return "more than 10,000 steps of work for the gold alone";
  return std::nullopt;
}

}  // namespace aha::math
