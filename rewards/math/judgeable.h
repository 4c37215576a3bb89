#pragma once
#include <optional>
#include <string>

#include "rewards/math/evaluate.h"
#include "rewards/math/judgement.h"

namespace aha::math {

/// What a gold holds that has no value here, and so nothing that an answer could be compared with: an integral, a
/// limit, a sum or product without whole bounds, of too many terms (2,000 rational ones, 1,000 others), or of terms
/// without a value.
std::optional<std::string> unevaluable(const Tree& tree, Ref gold);

/// The limit that a gold meets by itself: more items than lists are compared with, values that are lost at 512 bits,
/// or half of the steps, since an answer like it takes the other half. What meets a limit beside any other gold does
/// so by the answer.
std::optional<std::string> limit_of(Tree& tree, Ref gold, const Conventions& conventions);

}  // namespace aha::math
