#include <array>

#include "rewards/math/canonical.h"
#include "rewards/math/real_set_parts.h"

namespace aha::math {
namespace {

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

/// |inside| relation right, as a relation of inside to both right and -right.
MaybeSet solved_absolute(Tree& tree, Ref inside, char relation, Ref right, Scope& scope) {
  const auto above = solved(tree, inside, relation, right, scope);
  if (!above) return std::nullopt;
  const auto below = solved(tree, inside, mirrored(relation), tree.negative(right), scope);
  if (!below) return std::nullopt;
  const bool outside = relation == sign::kMore || relation == sign::kAtLeast;
  return combined(tree, *above, *below, outside ? either : both, scope);
}

/// a x^2 + b x + c
struct Quadratic {
  Fraction a;
  Fraction b;
  Fraction c;
  Fraction at(const Fraction& x) const { return (a * x + b) * x + c; }
};

/// What `ref` is in its one unknown, found from its values at three points and tried at more; nothing for anything else.
std::optional<Quadratic> quadratic(const Tree& tree, Ref ref, Scope& scope) {
  const auto names = unknowns(tree, ref);
  if (names.size() != 1) return std::nullopt;
  const std::array<Fraction, 6> points = {0, 1, 2, -5, Fraction(7, 3), Fraction(-11, 13)};
  std::array<Fraction, 6> values;
  for (std::size_t i = 0; i < points.size(); ++i) {
    scope.bound.emplace_back(*names.begin(), points[i]);
    const auto value = exact_value(tree, ref, scope);
    scope.bound.pop_back();
    if (!value) return std::nullopt;
    values[i] = *value;
  }
  const Fraction a = (values[2] - 2 * values[1] + values[0]) / 2;
  const Quadratic found{a, values[1] - values[0] - a, values[0]};
  for (std::size_t i = 3; i < points.size(); ++i) {
    if (found.at(points[i]) != values[i]) return std::nullopt;
  }
  return found;
}

/// Where a quadratic with a > 0 stands in the relation to 0.
RealSet solved_quadratic(Tree& tree, const Quadratic& of, char relation) {
  const Fraction middle = -of.b / (2 * of.a);
  const Fraction square = middle * middle - of.c / of.a;  // of the way from there to the ends
  const bool outside = relation != sign::kLess && relation != sign::kAtMost;
  const bool closed = relation == sign::kAtLeast || relation == sign::kAtMost;
  if (square < 0) return whole_line(outside);
  if (square == 0)
    return {.ends = {tree.number(middle)}, .at_end = {closed}, .between = {outside, outside}};
  const auto way = tree.function("root", {tree.number(square), tree.number(2)});
  const auto low = tree.sum({tree.number(middle), tree.negative(way)});
  const auto high = tree.sum({tree.number(middle), way});
  const bool inside = !outside || relation == sign::kNotEqual;
  return {.ends = {low, high}, .at_end = {closed, closed}, .between = {outside, inside, outside}};
}

}  // namespace

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
  const auto form = quadratic(tree, tree.sum({left, tree.negative(right)}), scope);
  if (!form || (form->a.is_zero() && form->b.is_zero())) return std::nullopt;
  const auto& [a, b, c] = *form;
  if (a.is_zero()) return compared(tree.number(-c / b), b > 0 ? relation : mirrored(relation));
  if (a > 0) return solved_quadratic(tree, *form, relation);
  return solved_quadratic(tree, {-a, -b, -c}, mirrored(relation));
}

}  // namespace aha::math
