#pragma once
#include <optional>
#include <string_view>

#include "rewards/math/expression.h"

namespace aha::math {

/// What words say that have a sign or other words of the same meaning: "all real numbers", "no solution", "DNE". Of words
/// as plain_words (canonical.h) has them.
std::optional<Ref> phrase(Tree& tree, std::string_view plain);

}  // namespace aha::math
