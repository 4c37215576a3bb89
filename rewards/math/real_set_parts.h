#pragma once
#include <functional>
#include <optional>

#include "rewards/math/real_set.h"

namespace aha::math {

// What real_set.cpp puts sets together from.

using MaybeSet = std::optional<RealSet>;

RealSet whole_line(bool inside);

/// Everything below `end`, or above.
RealSet half_line(Ref end, bool below, bool closed);

/// -1, 0, 1 for minus infinity, a real number, infinity; nothing for anything else.
std::optional<int> infinite(const Tree& tree, Ref ref);

/// The two sets over their common ends, cell by cell.
MaybeSet combined(const Tree& tree, const RealSet& a, const RealSet& b,
                  const std::function<bool(bool, bool)>& rule, Scope& scope);
bool both(bool a, bool b);
bool either(bool a, bool b);

/// left relation right, of one unknown: it alone beside a value, linear or quadratic with rational coefficients, or of its
/// absolute value.
MaybeSet solved(Tree& tree, Ref left, char relation, Ref right, Scope& scope);

}  // namespace aha::math
