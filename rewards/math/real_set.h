#pragma once
#include <optional>
#include <string>
#include <vector>

#include "rewards/math/evaluate.h"
#include "rewards/math/judgement.h"

namespace aha::math {

/// A set of real numbers with finitely many ends: whether it holds each end, and what lies below
/// the first, between two, and above the last.
struct RealSet {
  std::vector<Ref> ends{};      ///< in order, all different
  std::vector<bool> at_end{};   ///< [ends]
  std::vector<bool> between{};  ///< [ends + 1]
  std::string variable{};       ///< of an inequality, by its canonical form
};

/// The set that an interval, a set of numbers, an inequality in one unknown, or a union,
/// intersection or difference of them is. A pair in round brackets is read as an open interval.
/// Inequalities are solved where they are linear or quadratic with rational coefficients, or one side is
/// the unknown and the other has none.
std::optional<RealSet> real_set(Tree& tree, Ref ref, Scope& scope);

bool same_set(const Tree& tree, const RealSet& a, const RealSet& b, Scope& scope);

}  // namespace aha::math
