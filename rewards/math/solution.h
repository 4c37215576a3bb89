#pragma once
#include <string_view>

#include "rewards/math/evaluate.h"

namespace aha::math {

/// 2x = 20 beside x = 10: whether the first is an equation in the one unknown that the second names, and holds at its value.
/// Rational values alone.
bool is_solved_by(const Tree& tree, Ref equation, Ref value, Scope& scope);

/// The same of two texts; false where one of them cannot be read.
bool is_solved_by(std::string_view equation, std::string_view value);

}  // namespace aha::math
