#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/formulas.h"

namespace aha::math {

// What stands beside an answer in its place: several answers are a list.

/// The last piece, together with those before it that one "and", "or", comma or semicolon
/// separates, joined by commas. `words`: how many other words may stand between.
std::string joined_last(std::string_view text, const std::vector<Piece>& pieces, int words);

/// The piece together with the numbers and formulas around it that "or" offers in its place, as it
/// stands in the text: "41, 43 or 42". Nothing where there are none, or all are formulas.
std::optional<std::string_view> with_alternatives(std::string_view text,
                                                  const std::vector<Piece>& formulas,
                                                  const Piece& piece);

}  // namespace aha::math
