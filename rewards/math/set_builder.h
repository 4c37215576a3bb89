#pragma once
#include "rewards/math/expression.h"

namespace aha::math {

/// Of a set {x | x > 3}, whose elements are what the condition is about, the condition. Of {2k | k in Z} the set with its
/// letters renamed in the order in which they stand, so that {2n | n in Z} is spelled alike. Anything else as it is.
Ref condition_of(Tree& tree, Ref ref);

}  // namespace aha::math
