#include "rewards/math/scalar.h"

#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

bool is_decimal(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Number) return node.decimal;
  if (node.kind == Kind::Percent) return is_decimal(tree, node.items[0]);
  if (node.kind != Kind::Product || node.items.size() != 2) return false;
  const auto& first = tree[node.items[0]];
  const auto& second = tree[node.items[1]];
  if (first.kind != Kind::Number) return false;
  // 2.5 \times 10^{-3}
  if (first.decimal && second.kind == Kind::Power) return tree[second.items[0]].value == 10;
  return first.value == -1 && is_decimal(tree, node.items[1]);
}

/// m, s^2, and of those that one divides by: s^{-1}, (s^2)^{-1}.
bool is_unit(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Symbol)
    return is_letter_unit(node.name) || (node.spaced && is_spaced_unit(node.name));
  return node.kind == Kind::Power && tree[node.items[1]].kind == Kind::Number &&
         is_unit(tree, node.items[0]);
}

/// "3 s", "10 m/s": the number without its unit, of one letter or a quotient of them. "6s" of a gold has no unit but a
/// letter, which an answer must have as well.
std::optional<Ref> without_unit(const Tree& tree, Ref ref, const Scope& scope) {
  const auto& node = tree[ref];
  if (node.kind != Kind::Product || node.items.size() < 2) return std::nullopt;
  if (tree[node.items[0]].kind != Kind::Number) return std::nullopt;
  bool quotient = false;
  bool spaced = true;
  for (std::size_t i = 1; i < node.items.size(); ++i) {
    if (!is_unit(tree, node.items[i])) return std::nullopt;
    const auto& factor = tree[node.items[i]];
    const auto letter = factor.kind == Kind::Power ? factor.items[0] : node.items[i];
    spaced = spaced && (letter >= scope.answer_from || tree[letter].spaced);
    quotient = quotient || (factor.kind == Kind::Power && tree[factor.items[1]].value < 0);
  }
  return (node.items.size() == 2 && spaced) || quotient ? std::optional(node.items[0])
                                                        : std::nullopt;
}

/// At as many decimals as asked for, or as many digits where fewer than 4 digits would be left of a small value.
bool rounds_alike(const Tree& tree, Ref a, Ref b, int precision, Scope& scope) {
  constexpr int kLeastDigits = 4;
  const auto digits_a = decimal_digits(tree, a, scope);
  const auto digits_b = decimal_digits(tree, b, scope);
  if (!digits_a || !digits_b) return false;
  const int digits = std::max(*digits_a, *digits_b);
  const bool enough = digits > 0 || precision + digits >= kLeastDigits;
  const int places = enough ? precision : precision - digits;
  const auto left = rounded(tree, a, places, scope);
  const auto right = rounded(tree, b, places, scope);
  return left && right && *left == *right;
}

Judgement compare_constants(const Tree& tree, Ref a, Ref b, const Conventions& conventions,
                            Scope& scope) {
  const auto left = exact_value(tree, a, scope);
  const auto right = exact_value(tree, b, scope);
  Judgement judgement{Verdict::Different, "another value"};
  if (left && right) {
    if (*left == *right) return {Verdict::Equal, ""};
  } else {
    switch (nearness(tree, a, b, scope)) {
      case Nearness::Equal:
        return {Verdict::Equal, ""};
      case Nearness::Undefined:
        return {Verdict::Different, "not the same form, and without a value"};
      case Nearness::Lost:
        return {Verdict::Unjudged, "too close to tell apart with 512 bits"};
      default:
        break;
    }
  }
  if ((is_decimal(tree, a) || is_decimal(tree, b)) &&
      rounds_alike(tree, a, b, conventions.precision, scope))
    return {Verdict::Equal, ""};
  return judgement;
}

Judgement compare_at_points(const Tree& tree, Ref a, Ref b, Scope& scope) {
  constexpr int kFinePoints = 3;
  int shown = 0;
  bool lost = false;
  const auto sampling = sampling_of(tree, a, b);
  for (scope.point = 0; scope.point < sampling.points; ++scope.point) {
    const auto left = exact_value(tree, a, scope);
    const auto right = left ? exact_value(tree, b, scope) : std::nullopt;
    if (left && right) {
      if (*left != *right)
        return {Verdict::Different, "another value where the letters have values"};
      ++shown;
      continue;
    }
    const auto met =
        shown < kFinePoints ? nearness(tree, a, b, scope) : coarse_nearness(tree, a, b, scope);
    if (met == Nearness::Different)
      return {Verdict::Different, "another value where the letters have values"};
    shown += met == Nearness::Equal ? 1 : 0;
    lost = lost || met == Nearness::Lost;
  }
  scope.point = 0;
  if (lost) return {Verdict::Unjudged, "too close to tell apart with 512 bits"};
  if (shown >= sampling.least) return {Verdict::Equal, ""};
  return {Verdict::Different, "not the same form, and without a value"};
}

}  // namespace

Judgement compare_scalars(const Tree& tree, Ref a, Ref b, const Conventions& conventions,
                          Scope& scope) {
  const auto in_a = unknowns(tree, a);
  const auto in_b = unknowns(tree, b);
  if (in_a.empty() && in_b.empty()) return compare_constants(tree, a, b, conventions, scope);
  if (in_b.empty()) {
    if (const auto number = without_unit(tree, a, scope))
      return compare_constants(tree, *number, b, conventions, scope);
  } else if (in_a.empty()) {
    if (const auto number = without_unit(tree, b, scope))
      return compare_constants(tree, a, *number, conventions, scope);
  }
  return compare_at_points(tree, a, b, scope);
}

}  // namespace aha::math
