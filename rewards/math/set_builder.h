#pragma once
#include <optional>

#include "rewards/math/expression.h"

namespace aha::math {

/// Of the list that x | x > 1, x \ne 2 reads as, between braces: what follows the bar as one condition, in which a comma
/// says "and". Nothing for other lists.
std::optional<Ref> set_builder(Tree& tree, Ref list);

/// Of a set {x | x > 3}, whose elements are what the condition is about, the condition. Of {2k | k in Z} the set with its
/// letters renamed in the order in which they stand, so that {2n | n in Z} is spelled alike; the same of the list
/// 2k, k in Z. Anything else as it is.
Ref condition_of(Tree& tree, Ref ref);

}  // namespace aha::math
