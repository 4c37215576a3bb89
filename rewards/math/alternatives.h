#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/formulas.h"

namespace aha::math {

// What stands beside an answer in its place: several answers are a list.

/// The last piece, together with those before it that one "and", "or", comma or semicolon
/// separates, joined by commas. `words`: how many other words may stand between.
std::string joined_last(std::string_view text, const std::vector<Piece>& pieces, int words);

/// A piece of a text together with those beside it that "or" offers in its place or "and" joins to it, as a list: "41, 43
/// or 42". `in_place`: it stands where the answer should, so that commas are enough, and a unit may stand between.
std::string with_beside(std::string_view text, const std::vector<Piece>& pieces, std::size_t at,
                        bool in_place);

}  // namespace aha::math
